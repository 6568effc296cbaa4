//! Serves the routes on a socket: bounded in connections, header bytes and time, and gone in
//! time when asked to stop.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use crate::Face;
use crate::hands;
use crate::metrics::Open;

/// Bytes of request line and headers together.
const HEAD: usize = 16 * 1024;
/// Headers of a request.
const HEADERS: usize = 64;
/// Connections that are being told that there are too many: for each of so many that are served,
/// one, as they need descriptors too.
const SERVED_FOR_ONE_TURNED_AWAY: usize = 16;
const TURN_AWAY_TIME: Duration = Duration::from_secs(1);
/// After `accept` failed for want of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n\
    Content-Type: application/problem+json\r\nContent-Length: 78\r\nConnection: close\r\n\r\n\
    {\"type\":\"urn:raccord:problem:busy\",\"title\":\"Service Unavailable\",\"status\":503}";

impl Face {
    /// Serves on `listener` until the face's stop token is cancelled; then open requests have
    /// [`crate::Limits::drain_time`] to end. Open the listener only once the log is open: from
    /// then on the kernel takes connections.
    pub async fn serve(&self, listener: TcpListener) {
        let service = TowerToHyperService::new(self.router());
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.shared.limits.head_time)
            .max_buf_size(HEAD)
            .max_headers(HEADERS);
        let seats = Arc::new(Semaphore::new(self.shared.limits.connections));
        let door = self.shared.limits.connections / SERVED_FOR_ONE_TURNED_AWAY;
        let door = Arc::new(Semaphore::new(door));
        let open = TaskTracker::new();
        let cut = CancellationToken::new();
        // Whatever way this ends, no connection outlives it.
        let _cut = cut.clone().drop_guard();
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.shared.stop.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    if !is_the_callers(&error) {
                        warn!(%error, "no connection can be accepted for the moment");
                        sleep(ACCEPT_PAUSE).await;
                    }
                    continue;
                }
            };
            let Ok(seat) = seats.clone().try_acquire_owned() else {
                self.shared.counters.turned_away();
                if let Ok(seat) = door.clone().try_acquire_owned() {
                    open.spawn(async move {
                        drop(timeout(TURN_AWAY_TIME, turn_away(stream)).await);
                        drop(seat);
                    });
                } else if let Ok(mut stream) = stream.into_std() {
                    // A crowd: the answer is left on the socket, nobody waits for its reader.
                    drop(io::Write::write(&mut stream, BUSY));
                }
                continue;
            };
            if let Err(error) = stream.set_nodelay(true) {
                debug!(%error, "a connection went before it was served");
                continue;
            }
            let io = TokioIo::new(Patient::new(stream, self.shared.limits.write_time));
            let (service, peer) = (service.clone(), hands::Peer(peer.ip()));
            let service = service_fn(move |mut request: hyper::Request<Incoming>| {
                request.extensions_mut().insert(peer);
                service.call(request)
            });
            let connection = http.serve_connection(io, service);
            let stop = self.shared.stop.clone();
            let counted = Open::new(self);
            open.spawn(cut.clone().run_until_cancelled_owned(async move {
                let mut connection = std::pin::pin!(connection);
                let served = tokio::select! {
                    served = connection.as_mut() => served,
                    () = stop.cancelled() => {
                        connection.as_mut().graceful_shutdown();
                        connection.await
                    }
                };
                if let Err(error) = served {
                    debug!(%error, "a connection ended early");
                }
                drop((counted, seat));
            }));
        }
        drop(listener);
        open.close();
        if timeout(self.shared.limits.drain_time, open.wait())
            .await
            .is_err()
        {
            warn!(
                open = open.len(),
                "connections are cut, for their requests did not end in time"
            );
        }
    }
}

/// Whether `accept` failed because of the connection it was about to give, not of this process.
fn is_the_callers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// Says that there are too many, and reads a little: closing with bytes unread would reset the
/// connection before its caller has read why.
async fn turn_away(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(BUSY).await?;
    stream.shutdown().await?;
    let mut bytes = [0; 1024];
    let mut left = 64;
    while left > 0 && stream.read(&mut bytes).await? > 0 {
        left -= 1;
    }
    Ok(())
}

/// A connection that does not wait for ever for the other side to take what is written.
struct Patient {
    stream: TcpStream,
    patience: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    fn new(stream: TcpStream, patience: Duration) -> Self {
        Self {
            stream,
            patience,
            waiting: None,
        }
    }

    /// Passes on what a write gave, and gives up when none went through for too long.
    fn bounded<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let deadline = Instant::now() + self.patience;
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        match waiting.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.bounded(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.bounded(cx, written)
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
