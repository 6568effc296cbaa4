//! Connections: resolved, checked, opened, kept alive, and driven by the call that uses them.
//!
//! A connection has no task of its own: the call polls it, so that a request and its answer cost
//! no switch between tasks, and what was written to the network is known to the byte.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use url::Host;

use super::error::Fault;
use super::guard::Guard;
use super::target::Origin;

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long to wait for one of several addresses of a name.
const CONNECT_ONE: Duration = Duration::from_secs(3);
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(20);
/// How many idle connections are kept to one server.
const IDLE_MOST: usize = 64;
/// The longest head of an answer, and the most that is read at once.
const HEAD_LONGEST: usize = 64 * 1024;

/// A stream of bytes to a server, with or without TLS.
pub(super) trait Bytewise: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Bytewise for S {}

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why there is no connection.
pub(super) struct NoConnection(pub(super) Fault, pub(super) Option<Source>);

impl NoConnection {
    fn new(fault: Fault, source: impl Into<Source>) -> Self {
        Self(fault, Some(source.into()))
    }
}

/// Opens connections, and keeps those that may be used again.
#[derive(Default)]
pub(super) struct Pool {
    guard: Guard,
    tls: OnceLock<Arc<rustls::ClientConfig>>,
    idle: Mutex<HashMap<Arc<Origin>, Vec<Idle>>>,
    swept: AtomicBool,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Pool {
    pub(super) fn new(guard: Guard) -> Self {
        Self {
            guard,
            ..Self::default()
        }
    }

    /// A pool that trusts `roots` only.
    #[cfg(feature = "testing")]
    pub(super) fn trusting(guard: Guard, roots: rustls::RootCertStore) -> Self {
        let pool = Self::new(guard);
        pool.tls.get_or_init(|| client_config(roots));
        pool
    }

    /// An idle connection that its server has not closed, newest first.
    pub(super) async fn take(&self, origin: &Origin) -> Option<Connection> {
        loop {
            let idle = self.lock().get_mut(origin)?.pop()?;
            let mut connection = idle.connection;
            if idle.since.elapsed() < IDLE && connection.is_open().await {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection whose answer was read to its end.
    pub(super) fn keep(self: &Arc<Self>, origin: &Arc<Origin>, connection: Connection) {
        if connection.over {
            return;
        }
        let idle = Idle {
            connection,
            since: Instant::now(),
        };
        {
            let mut all = self.lock();
            match all.get_mut(origin) {
                Some(kept) if kept.len() < IDLE_MOST => kept.push(idle),
                Some(_) => {}
                None => {
                    all.insert(Arc::clone(origin), vec![idle]);
                }
            }
        }
        if !self.swept.swap(true, Ordering::AcqRel) {
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// A new connection.
    pub(super) async fn connect(&self, origin: &Origin) -> Result<Connection, NoConnection> {
        let opened = tokio::time::timeout(CONNECT, async {
            Connection::over(self.open(origin).await?).await
        });
        let opened = opened.await;
        opened.unwrap_or_else(|elapsed| Err(NoConnection::new(Fault::Unreachable, elapsed)))
    }

    /// A stream to the server, as secure as its address says.
    pub(super) async fn open(&self, origin: &Origin) -> Result<Box<dyn Bytewise>, NoConnection> {
        let tcp = self.tcp(origin).await?;
        // Small requests must not wait for the acknowledgement of the one before.
        tcp.set_nodelay(true)
            .map_err(|error| NoConnection::new(Fault::Unreachable, error))?;
        if !origin.tls {
            return Ok(Box::new(tcp));
        }
        let config = if let Some(config) = self.tls.get() {
            config
        } else {
            // Some hundred files may be read: not on the thread that serves others.
            let config = tokio::task::spawn_blocking(|| client_config(roots()))
                .await
                .map_err(|error| NoConnection::new(Fault::Insecure, error))?;
            self.tls.get_or_init(|| config)
        };
        let name = match &origin.host {
            Host::Domain(name) => ServerName::try_from(name.clone())
                .map_err(|error| NoConnection::new(Fault::Insecure, error))?,
            Host::Ipv4(address) => ServerName::from(IpAddr::V4(*address)),
            Host::Ipv6(address) => ServerName::from(IpAddr::V6(*address)),
        };
        let tls = TlsConnector::from(Arc::clone(config))
            .connect(name, tcp)
            .await
            .map_err(|error| {
                let certificate = error
                    .get_ref()
                    .and_then(|inner| inner.downcast_ref::<rustls::Error>())
                    .is_some_and(|error| matches!(error, rustls::Error::InvalidCertificate(_)));
                let fault = if certificate {
                    Fault::Certificate
                } else {
                    Fault::Insecure
                };
                NoConnection::new(fault, error)
            })?;
        Ok(Box::new(tls))
    }

    /// Resolves, checks, and connects to the very address that was checked.
    async fn tcp(&self, origin: &Origin) -> Result<TcpStream, NoConnection> {
        let addresses: Vec<SocketAddr> = match &origin.host {
            Host::Ipv4(address) => vec![(*address, origin.port).into()],
            Host::Ipv6(address) => vec![(*address, origin.port).into()],
            Host::Domain(name) => tokio::net::lookup_host((name.as_str(), origin.port))
                .await
                .map_err(|error| NoConnection::new(Fault::Unresolved, error))?
                .collect(),
        };
        // One forbidden address among permitted ones is no mistake of an honest server.
        if let Some(forbidden) = addresses
            .iter()
            .find(|address| !self.guard.permits(origin.trust, address.ip()))
        {
            return Err(NoConnection(Fault::Private(forbidden.ip()), None));
        }
        let mut last = NoConnection(Fault::Unresolved, None);
        for (tried, address) in addresses.iter().enumerate() {
            let limit = if tried + 1 == addresses.len() {
                CONNECT
            } else {
                CONNECT_ONE
            };
            match tokio::time::timeout(limit, TcpStream::connect(address)).await {
                Ok(Ok(tcp)) => return Ok(tcp),
                Ok(Err(error)) => last = NoConnection::new(Fault::Unreachable, error),
                Err(elapsed) => last = NoConnection::new(Fault::Unreachable, elapsed),
            }
        }
        Err(last)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<Origin>, Vec<Idle>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes connections that nobody used for a while; ends when none is left.
async fn sweep(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(IDLE).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut all = pool.lock();
        all.retain(|_, kept| {
            kept.retain(|idle| idle.since.elapsed() < IDLE);
            !kept.is_empty()
        });
        if all.is_empty() {
            // Under the lock, so that a connection kept right now starts the next sweep.
            pool.swept.store(false, Ordering::Release);
            return;
        }
    }
}

/// The roots the machine trusts, where it has some; else Mozilla's, which we carry.
fn roots() -> rustls::RootCertStore {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (added, ignored) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        roots
            .roots
            .extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    tracing::debug!(added, ignored, "roots of trust read");
    roots
}

fn client_config(roots: rustls::RootCertStore) -> Arc<rustls::ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has the suites of the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// One connection. Dropping it closes it.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// What moves bytes; polled by whoever uses the connection.
    driver: Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>,
    over: bool,
    written: Arc<AtomicU64>,
}

/// How the reading of an answer's body ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BodyEnd {
    /// All of it is there.
    Whole,
    /// The connection broke.
    Cut,
    /// It is longer than it may be.
    TooLarge,
}

impl Connection {
    async fn over<S>(stream: S) -> Result<Self, NoConnection>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let written = Arc::new(AtomicU64::new(0));
        let counted = Counted {
            stream,
            written: Arc::clone(&written),
        };
        let (sender, driver) = http1::Builder::new()
            .max_buf_size(HEAD_LONGEST)
            .handshake(TokioIo::new(counted))
            .await
            .map_err(|error| NoConnection::new(Fault::Unreachable, error))?;
        Ok(Self {
            sender,
            driver: Box::pin(driver),
            over: false,
            written,
        })
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        if !self.over && self.driver.as_mut().poll(cx).is_ready() {
            self.over = true;
        }
    }

    /// Whether another request can be sent, as far as can be known without sending it.
    async fn is_open(&mut self) -> bool {
        poll_fn(|cx| {
            self.drive(cx);
            Poll::Ready(())
        })
        .await;
        !self.over && self.sender.is_ready()
    }

    /// Sends a request and waits for the head of its answer; `sent` turns true with the first
    /// byte that leaves.
    pub(super) async fn exchange(
        &mut self,
        request: http::Request<Full<Bytes>>,
        sent: &AtomicBool,
    ) -> hyper::Result<http::Response<Incoming>> {
        let before = self.written.load(Ordering::Relaxed);
        let answer = self.sender.send_request(request);
        let mut answer = pin!(answer);
        poll_fn(|cx| {
            if !self.over && self.driver.as_mut().poll(cx).is_ready() {
                self.over = true;
            }
            if self.written.load(Ordering::Relaxed) != before {
                sent.store(true, Ordering::Relaxed);
            }
            answer.as_mut().poll(cx)
        })
        .await
    }

    /// Reads a body into `into`, up to `limit` bytes.
    pub(super) async fn body(
        &mut self,
        mut body: Incoming,
        limit: u64,
        into: &mut Gathered,
    ) -> BodyEnd {
        poll_fn(|cx| {
            loop {
                let mut frame = Pin::new(&mut body).poll_frame(cx);
                if frame.is_pending() {
                    self.drive(cx);
                    frame = Pin::new(&mut body).poll_frame(cx);
                }
                match frame {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(None) => return Poll::Ready(BodyEnd::Whole),
                    Poll::Ready(Some(Err(_))) => return Poll::Ready(BodyEnd::Cut),
                    Poll::Ready(Some(Ok(frame))) => {
                        let Ok(data) = frame.into_data() else {
                            continue;
                        };
                        if (into.len() + data.len()) as u64 > limit {
                            return Poll::Ready(BodyEnd::TooLarge);
                        }
                        into.push(data);
                    }
                }
            }
        })
        .await
    }
}

/// The pieces of a body; a single piece is not copied.
#[derive(Default)]
pub(super) struct Gathered {
    first: Bytes,
    all: Vec<u8>,
}

impl Gathered {
    fn len(&self) -> usize {
        self.first.len() + self.all.len()
    }

    fn push(&mut self, data: Bytes) {
        if self.len() == 0 {
            self.first = data;
            return;
        }
        if !self.first.is_empty() {
            self.all.extend_from_slice(&self.first);
            self.first = Bytes::new();
        }
        self.all.extend_from_slice(&data);
    }

    pub(super) fn finish(self) -> Bytes {
        if self.all.is_empty() {
            self.first
        } else {
            self.all.into()
        }
    }
}

/// A stream that counts what is written to it.
struct Counted<S> {
    stream: S,
    written: Arc<AtomicU64>,
}

impl<S> Counted<S> {
    fn count(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &result {
            self.written.fetch_add(*bytes as u64, Ordering::Relaxed);
        }
        result
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buffer);
        self.count(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, buffers);
        self.count(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
