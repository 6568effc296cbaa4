//! The bytes of a connection. lettre looks at the length of a line once the line has ended: one
//! without an end would fill the memory, so what comes is counted here.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::Error;
#[expect(
    deprecated,
    reason = "the one way to TLS from the first byte over a stream of our own"
)]
use lettre::transport::smtp::client::AsyncNetworkStream;
use lettre::transport::smtp::client::{AsyncTokioStream, TlsParameters};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt as _};

/// So many bytes are taken before we speak again: no answer of a server comes near it, and TLS greets
/// with its certificates.
const MOST: usize = 128 * 1024;

/// A connection on which the other side does not speak for ever.
#[derive(Debug)]
pub(crate) struct Bounded<S> {
    line: S,
    left: usize,
}

impl<S> Bounded<S> {
    pub(crate) fn new(line: S) -> Self {
        Self { line, left: MOST }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.line).poll_read(cx, buf))?;
        let came = buf.filled().len() - before;
        self.left = self.left.saturating_sub(came);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.line).poll_write(cx, bytes))?;
        self.left = MOST;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Bounded<TcpStream> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.line.peer_addr()
    }
}

/// A connection under TLS from the first byte.
#[expect(deprecated, reason = "as above")]
#[derive(Debug)]
pub(crate) struct Covered {
    line: Compat<AsyncNetworkStream>,
    peer: SocketAddr,
}

impl Covered {
    /// Greets over `line`.
    ///
    /// # Errors
    /// When the other side does not speak TLS, or shows a certificate that is not its own.
    #[expect(deprecated, reason = "as above")]
    pub(crate) async fn over(line: Bounded<TcpStream>, tls: TlsParameters) -> Result<Self, Error> {
        let peer = line.peer_addr().unwrap_or_else(|_| ([0; 4], 0).into());
        let mut line = AsyncNetworkStream::use_existing_tokio1(Box::new(line));
        line.upgrade_tls(tls).await?;
        Ok(Self {
            line: line.compat(),
            peer,
        })
    }
}

impl AsyncRead for Covered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_read(cx, buf)
    }
}

impl AsyncWrite for Covered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.line).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Covered {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn what_never_ends_is_cut_and_every_word_of_ours_gives_room_again() {
        let (ours, mut theirs) = tokio::io::duplex(MOST);
        let mut line = Bounded::new(ours);
        let speaks = tokio::spawn(async move {
            let bytes = vec![b'x'; MOST];
            while theirs.write_all(&bytes).await.is_ok() {}
        });
        let mut taken = vec![0; MOST];
        for _ in 0..3 {
            line.read_exact(&mut taken).await.unwrap();
            line.write_all(b"NOOP\r\n").await.unwrap();
        }
        let mut all = Vec::new();
        let error = line.read_to_end(&mut all).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(all.len() < 2 * MOST, "{}", all.len());
        drop(line);
        speaks.await.unwrap();
    }
}
