//! A webhook receiver that keeps every body it was sent, and misbehaves on command.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// What was received: by `webhook-id`, each body, in order.
pub type Received = BTreeMap<String, Vec<Vec<u8>>>;

/// One body that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// When.
    pub at: Instant,
    /// Its `webhook-id`.
    pub id: String,
    /// What it says.
    pub body: Vec<u8>,
}

/// The receiver.
pub struct Receiver {
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
    /// Where it listens.
    pub address: SocketAddr,
}

#[derive(Default)]
struct Shared {
    received: Mutex<Received>,
    history: Mutex<Vec<Taken>>,
    more: Condvar,
    in_flight: AtomicUsize,
    refusal: Mutex<Option<&'static str>>,
    refused: AtomicUsize,
    gone: AtomicBool,
    slow_ms: AtomicUsize,
    forgetful: AtomicBool,
}

impl Receiver {
    /// Listens on a free port.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let listening = Some(listen(listener, Arc::clone(&shared)));
        Ok(Self {
            shared,
            listening,
            address,
        })
    }

    /// Stops listening: connections are refused until [`Receiver::come_back`].
    ///
    /// # Errors
    /// When it was not listening.
    pub fn leave(&mut self) -> Result<()> {
        let listening = self.listening.take().context("it listens")?;
        self.shared.gone.store(true, Ordering::SeqCst);
        // What waits for a connection is woken by one.
        drop(TcpStream::connect(self.address));
        listening
            .join()
            .map_err(|_| anyhow::anyhow!("the receiver panicked"))
    }

    /// Listens again, at the same address.
    ///
    /// # Errors
    /// When the port was taken meanwhile.
    pub fn come_back(&mut self) -> Result<()> {
        let listener = TcpListener::bind(self.address)?;
        self.shared.gone.store(false, Ordering::SeqCst);
        self.listening = Some(listen(listener, Arc::clone(&self.shared)));
        Ok(())
    }

    /// Answers 503 to everything from now on, or takes everything again.
    pub fn refuse(&self, refuses: bool) {
        self.refuse_with(refuses.then_some("503 Service Unavailable"));
    }

    /// Answers with this status, and headers on lines of their own, from now on.
    pub fn refuse_with(&self, refusal: Option<&'static str>) {
        let mut known = self
            .shared
            .refusal
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *known = refusal;
    }

    /// How many requests were refused so far.
    pub fn refused(&self) -> usize {
        self.shared.refused.load(Ordering::SeqCst)
    }

    /// Takes so long over each answer.
    pub fn slow(&self, time: Duration) {
        self.shared
            .slow_ms
            .store(time.as_millis() as usize, Ordering::SeqCst);
    }

    /// Takes everything and answers nothing from now on: the connection ends instead. Or answers again.
    pub fn forgets_answers(&self, forgets: bool) {
        self.shared.forgetful.store(forgets, Ordering::SeqCst);
    }

    /// How many requests are being answered right now.
    pub fn in_flight(&self) -> usize {
        self.shared.in_flight.load(Ordering::SeqCst)
    }

    /// Everything received so far.
    pub fn received(&self) -> Received {
        self.shared
            .received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Everything taken so far, in the order it was.
    pub fn history(&self) -> Vec<Taken> {
        self.shared
            .history
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until `enough` says so; gives false when `limit` passed first.
    pub fn wait(&self, limit: Duration, enough: impl Fn(&Received) -> bool) -> bool {
        let until = Instant::now() + limit;
        let mut received = self
            .shared
            .received
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while !enough(&received) {
            let Some(left) = until.checked_duration_since(Instant::now()) else {
                return false;
            };
            received = self
                .shared
                .more
                .wait_timeout(received, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }
}

/// Takes connections until the receiver leaves.
fn listen(listener: TcpListener, shared: Arc<Shared>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if shared.gone.load(Ordering::SeqCst) {
                return;
            }
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || converse(&stream, &shared));
        }
    })
}

fn converse(stream: &TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream);
    while let Ok(Some((id, body))) = request(&mut reader) {
        if shared.gone.load(Ordering::SeqCst) {
            return;
        }
        shared.in_flight.fetch_add(1, Ordering::SeqCst);
        let answered = answer(stream, shared, id, body);
        shared.in_flight.fetch_sub(1, Ordering::SeqCst);
        if answered.is_err() {
            return;
        }
    }
}

fn answer(mut stream: &TcpStream, shared: &Shared, id: String, body: Vec<u8>) -> Result<()> {
    let refusal = *shared
        .refusal
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(refusal) = refusal {
        shared.refused.fetch_add(1, Ordering::SeqCst);
        write!(stream, "HTTP/1.1 {refusal}\r\ncontent-length: 0\r\n\r\n")?;
        return Ok(());
    }
    if id.is_empty() {
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
        return Ok(());
    }
    {
        let mut received = shared
            .received
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut history = shared
            .history
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        history.push(Taken {
            at: Instant::now(),
            id: id.clone(),
            body: body.clone(),
        });
        drop(history);
        received.entry(id).or_default().push(body);
        let slow = Duration::from_millis(shared.slow_ms.load(Ordering::SeqCst) as u64);
        if !slow.is_zero() {
            // Slowness is what is played here: the effect is there, its answer is late.
            let nobody = Condvar::new();
            let held = Mutex::new(());
            drop(received);
            let guard = held.lock().unwrap_or_else(PoisonError::into_inner);
            drop(nobody.wait_timeout(guard, slow));
        }
    }
    shared.more.notify_all();
    if shared.forgetful.load(Ordering::SeqCst) {
        stream.shutdown(Shutdown::Both)?;
        anyhow::bail!("its answer is lost");
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
    Ok(())
}

/// One request: its `webhook-id` and body; none at the end of the connection.
fn request(reader: &mut BufReader<&TcpStream>) -> Result<Option<(String, Vec<u8>)>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let (mut id, mut length) = (String::new(), 0);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let header = line.trim_end();
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').context("a header has a colon")?;
        match name.to_ascii_lowercase().as_str() {
            "webhook-id" => value.trim().clone_into(&mut id),
            "content-length" => length = value.trim().parse()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some((id, body)))
}
