//! A scripted HTTP server on a free loopback port that records each request and misbehaves on
//! command.
//!
//! It plays the tool in the tests of connectors: a *script* answers each request in turn, or a
//! closure decides. What the tool would have *done* is counted apart from what it *answered*, so
//! that a test reads effects from the tool's side. It knows nothing of any real tool; what a
//! tool's pages look like is its connector's to say.
//!
//! | fault | how it is played |
//! | --- | --- |
//! | each status, both forms of `Retry-After`, a tool's wrong clock | [`Reply::status`], [`Reply::header`] |
//! | slow body, body cut in the middle, endless body | [`Play::Drip`], [`Play::CutBody`], [`Play::Huge`] |
//! | reset before and after the write took effect, no answer at all | [`Play::Reset`], [`Play::DoneThenReset`], [`Play::Silent`] |
//! | nobody there, wrong certificate, wrong name | [`Standin::nobody`], [`Standin::start_tls`] |
//! | login page with status 200, directly or behind a redirect | [`Reply::login_page`], [`Reply::redirect`] |
//! | credentials revoked mid-run, punished retries, things missing, doubled, edited or gone between two calls, wrong encoding | [`Standin::script`], [`Standin::direct`] |
//! | a WebSocket that says what it should, goes deaf, breaks | [`Play::Socket`] |
//! | very long and hostile text | [`HOSTILE`](crate::conformance::HOSTILE), [`very_long`](crate::conformance::very_long) |

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A request, as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Which connection it came on, from 0.
    pub connection: usize,
    /// Whether the tool did what it was asked.
    pub applied: bool,
}

impl Seen {
    /// The text of a header; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Whether it asks for a change.
    pub fn writes(&self) -> bool {
        !(self.method.is_safe() || matches!(self.method.as_str(), "PROPFIND" | "REPORT" | "SEARCH"))
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Reply {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Reply {
    /// An empty answer.
    ///
    /// # Panics
    /// When `status` is none.
    pub fn status(status: u16) -> Self {
        Self {
            status: StatusCode::from_u16(status).expect("tests give a status that exists"),
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// 200 with a body.
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self::status(200).body(body)
    }

    /// The page that asks who you are, with status 200.
    pub fn login_page() -> Self {
        Self::ok("<!doctype html><title>Connexion</title><form><input type=password></form>")
            .header("content-type", "text/html; charset=utf-8")
    }

    /// A redirect.
    pub fn redirect(status: u16, to: &str) -> Self {
        Self::status(status).header("location", to)
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// With this header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Its status.
    pub fn code(&self) -> u16 {
        self.status.as_u16()
    }

    /// Its body.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    fn head(&self, length: u64) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {}\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        // What must not have a body must not say how long it is either.
        let bodiless = [
            StatusCode::NO_CONTENT,
            StatusCode::NOT_MODIFIED,
            StatusCode::SWITCHING_PROTOCOLS,
        ];
        if !bodiless.contains(&self.status) {
            head.push_str("content-length: ");
            head.push_str(&length.to_string());
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

/// What happens to one request.
#[derive(Clone, Debug)]
pub enum Play {
    /// It is answered. A good answer (2xx) means that it was done.
    Answer(Reply),
    /// It is answered, and the connection closed although nothing said so.
    AnswerAndClose(Reply),
    /// It is answered one byte at a time, one per interval.
    Drip(Reply, Duration),
    /// It is answered with the first bytes of the body only, then the connection breaks.
    CutBody(Reply, usize),
    /// It is answered with a body of so many bytes, whatever they are.
    Huge(Reply, u64),
    /// It is done, and the connection breaks before a word of the answer.
    DoneThenReset,
    /// It is not done, and the connection breaks.
    Reset,
    /// It is neither done nor answered; the connection stays.
    Silent,
    /// Something that is not HTTP.
    Garbage,
    /// It becomes a WebSocket, and this is the server's end of it.
    Socket(Line),
}

/// The server's end of a WebSocket; clones are the same.
#[derive(Clone)]
pub struct Line(Arc<Wire>);

/// What a server does with what it is told.
type Hear = Box<dyn Fn(&Line, &str) + Send + Sync>;

struct Wire {
    hear: Hear,
    queue: Mutex<VecDeque<Word>>,
    more: tokio::sync::Notify,
}

/// What the server does with a WebSocket.
#[derive(Clone, Debug)]
pub enum Word {
    /// It says this.
    Text(String),
    /// It asks whether anybody is there.
    Ping,
    /// It says nothing and hears nothing any more, and the connection stays.
    Deaf,
    /// It breaks the connection off.
    Break,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}

impl Line {
    /// An end that does `hear` with each text it is told.
    pub fn new(hear: impl Fn(&Line, &str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(Wire {
            hear: Box::new(hear),
            queue: Mutex::default(),
            more: tokio::sync::Notify::new(),
        }))
    }

    /// The server does this, after what it does already.
    pub fn says(&self, word: Word) {
        lock(&self.0.queue).push_back(word);
        self.0.more.notify_one();
    }
}

impl Play {
    fn applies(&self) -> bool {
        match self {
            Self::Answer(reply)
            | Self::AnswerAndClose(reply)
            | Self::Drip(reply, _)
            | Self::CutBody(reply, _)
            | Self::Huge(reply, _) => reply.status.is_success(),
            Self::DoneThenReset | Self::Socket(_) => true,
            Self::Reset | Self::Silent | Self::Garbage => false,
        }
    }
}

impl From<Reply> for Play {
    fn from(reply: Reply) -> Self {
        Self::Answer(reply)
    }
}

type Director = Box<dyn FnMut(&Seen) -> Play + Send>;

/// The stand-in. Dropping it closes it.
pub struct Standin {
    address: SocketAddr,
    certificate: Option<rustls::pki_types::CertificateDer<'static>>,
    stage: Arc<Stage>,
    server: AbortHandle,
}

struct Stage {
    script: Mutex<VecDeque<Play>>,
    director: Mutex<Director>,
    seen: Mutex<Vec<Seen>>,
    count: watch::Sender<usize>,
}

impl std::fmt::Debug for Standin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Standin")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Standin {
    /// A stand-in that answers 204 to everything, until told otherwise.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start() -> Self {
        Self::serve(None).await
    }

    /// The same over https, for the name `localhost`, with a certificate that nobody trusts but
    /// who is given [`Standin::roots`].
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start_tls() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])
            .expect("localhost is a name that a certificate can hold");
        let certificate = made.cert.der().clone();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der())
            .expect("a key that was just made can be read");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has the suites of the default versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .expect("the key belongs to the certificate");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let mut standin = Self::serve(Some(acceptor)).await;
        standin.certificate = Some(certificate);
        standin
    }

    /// An address on which nothing listens.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn nobody() -> String {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("there is a free port");
        let address = listener.local_addr().expect("a bound port has an address");
        format!("http://{address}/")
    }

    async fn serve(acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("there is a free port");
        let address = listener.local_addr().expect("a bound port has an address");
        let stage = Arc::new(Stage {
            script: Mutex::default(),
            director: Mutex::new(Box::new(|_| Reply::status(204).into())),
            seen: Mutex::default(),
            count: watch::Sender::new(0),
        });
        let server = tokio::spawn(accept(listener, acceptor, Arc::clone(&stage)));
        Self {
            address,
            certificate: None,
            stage,
            server: server.abort_handle(),
        }
    }

    /// The address of `path` (with its leading slash) here.
    pub fn url(&self, path: &str) -> String {
        let port = self.address.port();
        if self.certificate.is_some() {
            format!("https://localhost:{port}{path}")
        } else {
            format!("http://127.0.0.1:{port}{path}")
        }
    }

    /// The roots of whoever is to trust its certificate.
    pub fn roots(&self) -> rustls::RootCertStore {
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(self.certificate.clone());
        roots
    }

    /// Plays these, one for each coming request, before anything else.
    pub fn script(&self, plays: impl IntoIterator<Item = impl Into<Play>>) {
        lock(&self.stage.script).extend(plays.into_iter().map(Into::into));
    }

    /// Plays this for each request that no script is left for.
    pub fn always(&self, play: impl Into<Play>) {
        let play = play.into();
        self.direct(move |_| play.clone());
    }

    /// Lets `director` decide for each request that no script is left for.
    pub fn direct(&self, director: impl FnMut(&Seen) -> Play + Send + 'static) {
        *lock(&self.stage.director) = Box::new(director);
    }

    /// All requests so far, oldest first.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.stage.seen).clone()
    }

    /// The requests that asked for a change.
    pub fn writes(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(Seen::writes).collect()
    }

    /// What the tool holds when it tells objects apart by `key`: the bodies that were applied, by
    /// key, and how often each was.
    pub fn objects(&self, key: impl Fn(&Seen) -> String) -> BTreeMap<String, Vec<Bytes>> {
        let mut objects: BTreeMap<String, Vec<Bytes>> = BTreeMap::new();
        for seen in self.writes().into_iter().filter(|seen| seen.applied) {
            objects.entry(key(&seen)).or_default().push(seen.body);
        }
        objects
    }

    /// Waits until at least `count` requests came; ten seconds at most.
    ///
    /// # Panics
    /// When they do not come.
    pub async fn wait_for(&self, count: usize) -> Vec<Seen> {
        let mut watched = self.stage.count.subscribe();
        let waited = tokio::time::timeout(
            Duration::from_secs(10),
            watched.wait_for(|seen| *seen >= count),
        )
        .await;
        assert!(
            waited.is_ok(),
            "{count} requests were awaited, {} came",
            self.seen().len()
        );
        self.seen()
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, stage: Arc<Stage>) {
    // Aborting this task drops the set, and with it every connection.
    let mut connections = JoinSet::new();
    for number in 0.. {
        let Ok((tcp, _)) = listener.accept().await else {
            return;
        };
        while connections.try_join_next().is_some() {}
        let (stage, acceptor) = (Arc::clone(&stage), acceptor.clone());
        connections.spawn(async move {
            let served = match acceptor {
                None => converse(tcp, number, &stage).await,
                Some(acceptor) => match acceptor.accept(tcp).await {
                    Ok(tls) => converse(tls, number, &stage).await,
                    Err(error) => Err(error),
                },
            };
            // The other side may leave whenever it likes.
            drop(served);
        });
    }
}

/// A stream whose connection can be broken off.
trait Breakable: AsyncRead + AsyncWrite + Unpin {
    fn tcp(&self) -> &TcpStream;
}

impl Breakable for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Breakable for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

async fn converse(mut stream: impl Breakable, number: usize, stage: &Stage) -> io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(mut seen) = read_request(&mut stream, &mut buffer, number).await? {
        let scripted = lock(&stage.script).pop_front();
        let play = scripted.unwrap_or_else(|| (lock(&stage.director))(&seen));
        seen.applied = play.applies();
        let head_only = seen.method == Method::HEAD;
        let key = seen.header("sec-websocket-key").to_owned();
        {
            let mut all = lock(&stage.seen);
            all.push(seen);
            stage.count.send_replace(all.len());
        }
        match play {
            Play::Answer(reply) => answer(&mut stream, &reply, head_only).await?,
            Play::AnswerAndClose(reply) => {
                answer(&mut stream, &reply, head_only).await?;
                return stream.shutdown().await;
            }
            Play::Drip(reply, every) => {
                let mut bytes = reply.head(reply.body.len() as u64);
                bytes.extend_from_slice(&reply.body);
                for byte in bytes {
                    stream.write_all(&[byte]).await?;
                    stream.flush().await?;
                    tokio::time::sleep(every).await;
                }
            }
            Play::CutBody(reply, after) => {
                stream
                    .write_all(&reply.head(reply.body.len() as u64))
                    .await?;
                stream
                    .write_all(&reply.body[..after.min(reply.body.len())])
                    .await?;
                return stream.shutdown().await;
            }
            Play::Huge(reply, length) => {
                stream.write_all(&reply.head(length)).await?;
                let piece = vec![b'x'; 64 * 1024];
                let mut left = length;
                while left > 0 {
                    let now = left.min(piece.len() as u64);
                    stream.write_all(&piece[..now as usize]).await?;
                    left -= now;
                }
            }
            Play::DoneThenReset | Play::Reset => return stream.tcp().set_zero_linger(),
            Play::Silent => std::future::pending().await,
            Play::Socket(line) => {
                let reply = Reply::status(101)
                    .header("connection", "Upgrade")
                    .header("upgrade", "websocket")
                    .header("sec-websocket-accept", &crate::http::accepted(&key));
                // What is said next must not wait for the acknowledgement of what was said before.
                stream.tcp().set_nodelay(true)?;
                stream.write_all(&reply.head(0)).await?;
                return talk(stream, &line).await;
            }
            Play::Garbage => {
                stream
                    .write_all(b"\x00\xff not the protocol\r\n\r\n")
                    .await?;
                return stream.shutdown().await;
            }
        }
        stream.flush().await?;
    }
    Ok(())
}

/// A WebSocket, until either side has enough of it.
async fn talk(stream: impl Breakable, line: &Line) -> io::Result<()> {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio_tungstenite::tungstenite::{Message, protocol::Role};

    let mut socket =
        tokio_tungstenite::WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    loop {
        let word = lock(&line.0.queue).pop_front();
        let message = match word {
            Some(Word::Text(text)) => Message::text(text),
            Some(Word::Ping) => Message::Ping(Bytes::new()),
            Some(Word::Deaf) => std::future::pending().await,
            Some(Word::Break) => return socket.get_ref().tcp().set_zero_linger(),
            None => {
                tokio::select! {
                    () = line.0.more.notified() => {}
                    heard = socket.next() => match heard {
                        Some(Ok(Message::Text(text))) => (line.0.hear)(line, text.as_str()),
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                        Some(Ok(_)) => {}
                    }
                }
                continue;
            }
        };
        socket.send(message).await.map_err(io::Error::other)?;
    }
}

async fn answer(stream: &mut impl Breakable, reply: &Reply, head_only: bool) -> io::Result<()> {
    let mut bytes = reply.head(reply.body.len() as u64);
    if !head_only {
        bytes.extend_from_slice(&reply.body);
    }
    stream.write_all(&bytes).await
}

/// Reads one request; None when the other side has left between two.
async fn read_request(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    connection: usize,
) -> io::Result<Option<Seen>> {
    let (head, mut seen, length) = loop {
        if let Some(read) = parse_head(buffer, connection)? {
            break read;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    while buffer.len() < head + length {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let rest = buffer.split_off(head + length);
    let whole = Bytes::from(std::mem::replace(buffer, rest));
    seen.body = whole.slice(head..);
    Ok(Some(seen))
}

/// The length of the head, what it says, and the length of the body.
fn parse_head(buffer: &[u8], connection: usize) -> io::Result<Option<(usize, Seen, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut request = httparse::Request::new(&mut headers);
    let parsed = request.parse(buffer).map_err(io::Error::other)?;
    let httparse::Status::Complete(head) = parsed else {
        return Ok(None);
    };
    let mut seen = Seen {
        method: request
            .method
            .unwrap_or_default()
            .parse()
            .map_err(io::Error::other)?,
        path: request.path.unwrap_or_default().to_owned(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        connection,
        applied: false,
    };
    for header in request.headers.iter() {
        let name = HeaderName::try_from(header.name).map_err(io::Error::other)?;
        let value = HeaderValue::from_bytes(header.value).map_err(io::Error::other)?;
        seen.headers.append(name, value);
    }
    let length = seen.header("content-length").parse().unwrap_or(0);
    Ok(Some((head, seen, length)))
}
