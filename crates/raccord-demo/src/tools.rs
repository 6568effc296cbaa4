//! The tools at work: each on a free port of loopback, for as long as they are kept.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, to_bytes};
use http::StatusCode;
use raccord_kit::Clock;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::calendar::Calendar;
use crate::chat::Chat;
use crate::error::Error;
use crate::mailbox::Mailbox;
use crate::wallet::Wallet;
use crate::wire::{Answer, Asked, empty};

/// How long a request may be.
const LONGEST: usize = 2_000_000;
const LOOPBACK: &str = "127.0.0.1:0";

/// What each tool wants to be shown.
#[derive(Debug)]
pub(crate) struct Secrets {
    pub(crate) calendar: String,
    pub(crate) chat: String,
    pub(crate) wallet: String,
    pub(crate) fedow: String,
}

/// Where each tool listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doors {
    pub(crate) calendar: SocketAddr,
    pub(crate) chat: SocketAddr,
    pub(crate) wallet: SocketAddr,
    pub(crate) mail: SocketAddr,
}

/// What the tools hold; clones are the same tools.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    calendar: Arc<Mutex<Calendar>>,
    chat: Arc<Mutex<Chat>>,
    wallet: Arc<Mutex<Wallet>>,
    pub(crate) mailbox: Mailbox,
    stall: Arc<Stall>,
}

/// The answer to the next refill never leaves.
#[derive(Debug, Default)]
struct Stall {
    armed: AtomicBool,
    reached: Notify,
}

/// The tools at work; they end with this.
pub(crate) struct Tools {
    pub(crate) held: Held,
    pub(crate) doors: Doors,
    pub(crate) secrets: Secrets,
    work: JoinSet<()>,
}

impl Held {
    pub(crate) fn calendar(&self) -> MutexGuard<'_, Calendar> {
        self.calendar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn chat(&self) -> MutexGuard<'_, Chat> {
        self.chat.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wallet(&self) -> MutexGuard<'_, Wallet> {
        self.wallet.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next refill is made, and nobody hears of it: gives when it was made.
    pub(crate) fn next_refill_is_unheard(&self) -> impl Future<Output = ()> + '_ {
        self.stall.armed.store(true, Ordering::SeqCst);
        self.stall.reached.notified()
    }

    async fn pay(&self, asked: Asked) -> Answer {
        let before = self.wallet().credited().len();
        let answer = self.wallet().answer(&asked);
        let credited = self.wallet().credited().len() > before;
        if credited && self.stall.armed.swap(false, Ordering::SeqCst) {
            self.stall.reached.notify_one();
            std::future::pending::<()>().await;
        }
        answer
    }
}

impl Tools {
    /// Starts all of them; `clock` is theirs.
    pub(crate) async fn start(clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let secrets = Secrets {
            calendar: secret()?,
            chat: secret()?,
            wallet: secret()?,
            fedow: secret()?,
        };
        let held = Held {
            calendar: Arc::new(Mutex::new(Calendar::new(&secrets.calendar))),
            chat: Arc::new(Mutex::new(Chat::new(&secrets.chat))),
            wallet: Arc::new(Mutex::new(Wallet::new(&secrets.wallet, &secrets.fedow))),
            mailbox: Mailbox::default(),
            stall: Arc::default(),
        };
        let mut work = JoinSet::new();
        let tool = held.clone();
        let calendar = serve(&mut work, move |asked| {
            let answer = tool.calendar().answer(&asked);
            std::future::ready(answer)
        });
        let calendar = calendar.await?;
        let tool = held.clone();
        let chat = serve(&mut work, move |asked| {
            let now = clock.now().as_millisecond();
            std::future::ready(tool.chat().answer(&asked, now))
        });
        let chat = chat.await?;
        let tool = held.clone();
        let wallet = serve(&mut work, move |asked| {
            let tool = tool.clone();
            async move { tool.pay(asked).await }
        });
        let wallet = wallet.await?;
        let (listener, mail) = listen().await?;
        work.spawn(held.mailbox.clone().serve(listener));
        let doors = Doors {
            calendar,
            chat,
            wallet,
            mail,
        };
        Ok(Self {
            held,
            doors,
            secrets,
            work,
        })
    }

    /// Serves something more beside the tools; gives where.
    pub(crate) async fn beside<F, A>(&mut self, answer: F) -> Result<SocketAddr, Error>
    where
        F: Fn(Asked) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Answer> + Send,
    {
        serve(&mut self.work, answer).await
    }
}

/// A free port of loopback, listened at.
async fn listen() -> Result<(TcpListener, SocketAddr), Error> {
    let open = async {
        let listener = TcpListener::bind(LOOPBACK).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    open.await.map_err(Error::file(LOOPBACK))
}

/// An address where nobody listens, for somebody else to.
pub(crate) async fn free() -> Result<SocketAddr, Error> {
    Ok(listen().await?.1)
}

async fn serve<F, A>(work: &mut JoinSet<()>, answer: F) -> Result<SocketAddr, Error>
where
    F: Fn(Asked) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send,
{
    let (listener, address) = listen().await?;
    let router = axum::Router::new().fallback(move |request: http::Request<Body>| {
        let answer = answer.clone();
        async move {
            let (head, body) = request.into_parts();
            match to_bytes(body, LONGEST).await {
                Ok(body) => answer(Asked::from_parts(head, body)).await,
                Err(_) => empty(StatusCode::PAYLOAD_TOO_LARGE),
            }
            .map(Body::from)
        }
    });
    work.spawn(async move {
        // It ends with the task.
        drop(axum::serve(listener, router).await);
    });
    Ok(address)
}

/// 128 random bits, for whoever else is on this machine.
fn secret() -> Result<String, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|cause| Error::file("getrandom")(io::Error::other(cause.to_string())))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
