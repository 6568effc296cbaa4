//! What stands between two programs that talk over TCP, and lets their network fail: cut without a
//! word, deaf one way, slow.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;

/// How the network is between the two.
#[derive(Clone, Copy, Debug, Default)]
struct Weather {
    /// How many faults cut it: nothing passes, nobody is told; what was on the way arrives later.
    cut: u32,
    /// How many faults swallow what the far side answers; the connection breaks when they end.
    deaf: u32,
    /// What each packet takes longer.
    late: Duration,
}

/// One way between two programs: connections to its port lead to where it leads.
pub struct Link {
    port: u16,
    leads_to: Arc<AtomicU16>,
    weather: watch::Sender<Weather>,
    asked: Arc<AtomicUsize>,
}

impl Link {
    /// A way that leads nowhere yet; connections are carried by `runtime`.
    ///
    /// # Errors
    /// When no port is free.
    pub fn open(runtime: &Handle) -> Result<Self> {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let port = listener.local_addr()?.port();
        let leads_to = Arc::new(AtomicU16::new(0));
        let (weather, known) = watch::channel(Weather::default());
        let asked = Arc::new(AtomicUsize::new(0));
        let way = Way {
            leads_to: Arc::clone(&leads_to),
            weather: known,
            asked: Arc::clone(&asked),
        };
        runtime.spawn(accept(listener, way));
        Ok(Self {
            port,
            leads_to,
            weather,
            asked,
        })
    }

    /// From now on connections lead to this port.
    pub fn leads_to(&self, port: u16) {
        self.leads_to.store(port, Ordering::SeqCst);
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// How many packets the near side sent so far.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// One more fault cuts it, or one less.
    pub fn cut(&self, cut: bool) {
        self.weather
            .send_modify(|weather| count(&mut weather.cut, cut));
    }

    /// One more fault swallows the answers, or one less.
    pub fn deaf(&self, deaf: bool) {
        self.weather
            .send_modify(|weather| count(&mut weather.deaf, deaf));
    }

    /// What each packet takes longer from now on.
    pub fn late(&self, late: Duration) {
        self.weather.send_modify(|weather| weather.late = late);
    }
}

fn count(faults: &mut u32, more: bool) {
    *faults = if more { *faults + 1 } else { *faults - 1 };
}

/// What each connection needs to know.
#[derive(Clone)]
struct Way {
    leads_to: Arc<AtomicU16>,
    weather: watch::Receiver<Weather>,
    asked: Arc<AtomicUsize>,
}

async fn accept(listener: TcpListener, way: Way) {
    loop {
        let Ok((near, _)) = listener.accept().await else {
            // Too many files are open, for now.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        tokio::spawn(converse(near, way.clone()));
    }
}

/// One connection, until either side ends it.
async fn converse(near: TcpStream, way: Way) {
    let Way {
        leads_to,
        mut weather,
        asked,
    } = way;
    let far = SocketAddr::from(([127, 0, 0, 1], leads_to.load(Ordering::SeqCst)));
    if weather.wait_for(|weather| weather.cut == 0).await.is_err() {
        return;
    }
    let Ok(far) = TcpStream::connect(far).await else {
        return;
    };
    // What is asked goes at once, as it would without us.
    if near.set_nodelay(true).is_err() || far.set_nodelay(true).is_err() {
        return;
    }
    let (near_reads, near_writes) = near.into_split();
    let (far_reads, far_writes) = far.into_split();
    tokio::select! {
        () = pass(near_reads, far_writes, weather.clone(), Some(&asked)) => {}
        () = pass(far_reads, near_writes, weather, None) => {}
    }
}

/// Hands bytes on until one side ends; counts them in `asked`, or they are answers.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
    asked: Option<&AtomicUsize>,
) {
    let mut bytes = vec![0; 1 << 14];
    let mut lost = false;
    loop {
        let size = tokio::select! {
            size = from.read(&mut bytes) => size.unwrap_or(0),
            // The rest of what was swallowed in part would be read as something else.
            _ = weather.wait_for(|weather| weather.deaf == 0), if lost => return,
        };
        // The end of a connection does not pass a cut network either.
        let now = weather.wait_for(|weather| weather.cut == 0).await;
        let Ok(now) = now.map(|now| *now) else {
            return;
        };
        if size == 0 {
            return;
        }
        match asked {
            Some(asked) => {
                asked.fetch_add(1, Ordering::SeqCst);
            }
            None if now.deaf > 0 => lost = true,
            None => {}
        }
        if lost {
            continue;
        }
        if !now.late.is_zero() {
            tokio::time::sleep(now.late).await;
        }
        if to.write_all(&bytes[..size]).await.is_err() {
            return;
        }
    }
}
