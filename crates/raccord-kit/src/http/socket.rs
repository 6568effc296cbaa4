//! WebSockets: opened through the same guard and the same TLS as every call, with limits on size and
//! time.

use std::fmt;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderValue, StatusCode, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::error::{Fault, HttpError};
use super::wire::NoConnection;
use super::{Http, Request, USER_AGENT};

/// The longest text that is taken, in bytes.
const LONGEST: usize = 1_000_000;
/// What the proof of a server is made with: RFC 6455, section 1.3.
const PROOF: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A WebSocket. Dropping it breaks it off.
pub struct Socket(WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>);

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").finish_non_exhaustive()
    }
}

/// What came over a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// A text.
    Text(String),
    /// A sign of life and nothing else.
    Life,
}

impl Socket {
    /// What comes next; nothing once it has ended. May be dropped at any time without loss.
    pub async fn next(&mut self) -> Option<Came> {
        loop {
            return match self.0.next().await? {
                Ok(Message::Text(text)) => Some(Came::Text(text.as_str().to_owned())),
                // It is answered by itself.
                Ok(Message::Ping(_)) => {
                    self.0.flush().await.ok()?;
                    Some(Came::Life)
                }
                Ok(Message::Pong(_)) => Some(Came::Life),
                Ok(Message::Close(_)) | Err(_) => None,
                Ok(Message::Binary(_) | Message::Frame(_)) => continue,
            };
        }
    }

    /// Says a text; nothing where it has ended.
    pub async fn say(&mut self, text: String) -> Option<()> {
        self.0.send(Message::text(text)).await.ok()
    }
}

impl Http {
    /// Opens a WebSocket at the target of a request, with its headers and within its time; its body, its
    /// method and its limit on size are not used.
    ///
    /// # Errors
    /// When there is no connection, or the server will not open one.
    pub async fn socket(&self, request: Request) -> Result<Socket, HttpError> {
        let (target, time) = (request.target.clone(), request.time);
        let opened = tokio::time::timeout(time, self.upgrade(request)).await;
        opened
            .unwrap_or_else(|elapsed| Err(self.error(&target, Fault::Unread, Some(elapsed.into()))))
    }

    async fn upgrade(&self, request: Request) -> Result<Socket, HttpError> {
        let Request {
            target, headers, ..
        } = request;
        let broken = |error: hyper::Error| self.error(&target, Fault::Unread, Some(error.into()));
        let stream = self.pool.open(target.origin()).await;
        let stream =
            stream.map_err(|NoConnection(fault, source)| self.error(&target, fault, source))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        // It ends with the upgrade, or with the sender.
        tokio::spawn(connection.with_upgrades());

        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| {
            let error = io::Error::other(error.to_string());
            self.error(&target, Fault::Unsent, Some(error.into()))
        })?;
        let key = STANDARD.encode(random);
        let mut ask = http::Request::new(Empty::<bytes::Bytes>::new());
        *ask.uri_mut() = target.path().clone();
        *ask.headers_mut() = headers;
        for (name, value) in [
            (header::HOST, target.host_header().clone()),
            (header::USER_AGENT, USER_AGENT),
            (header::CONNECTION, HeaderValue::from_static("Upgrade")),
            (header::UPGRADE, HeaderValue::from_static("websocket")),
            (
                header::SEC_WEBSOCKET_VERSION,
                HeaderValue::from_static("13"),
            ),
        ] {
            ask.headers_mut().insert(name, value);
        }
        let shown = HeaderValue::try_from(&key).expect("base64 can stand in a header");
        ask.headers_mut().insert(header::SEC_WEBSOCKET_KEY, shown);
        let answer = sender.send_request(ask).await.map_err(broken)?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            let fault = Fault::Status {
                status: answer.status(),
                retry_after: None,
                doubtful: false,
            };
            return Err(self.error(&target, fault, None));
        }
        let proof = answer.headers().get(header::SEC_WEBSOCKET_ACCEPT);
        if proof.is_none_or(|proof| proof.as_bytes() != accepted(&key).as_bytes()) {
            return Err(self.error(&target, Fault::Unread, None));
        }
        let upgraded = hyper::upgrade::on(answer).await.map_err(broken)?;
        let limits = WebSocketConfig::default()
            .max_message_size(Some(LONGEST))
            .max_frame_size(Some(LONGEST));
        let io = TokioIo::new(upgraded);
        let stream = WebSocketStream::from_raw_socket(io, Role::Client, Some(limits)).await;
        Ok(Socket(stream))
    }
}

/// What a server proves with that it speaks WebSocket and heard this key.
pub(crate) fn accepted(key: &str) -> String {
    let digest = sha1_smol::Sha1::from(format!("{key}{PROOF}")).digest();
    STANDARD.encode(digest.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_is_the_one_of_the_standard() {
        // RFC 6455, section 1.3.
        assert_eq!(
            accepted("dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }
}
