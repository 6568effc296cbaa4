//! Somebody with a browser, without the browser: pages, forms and a cookie.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::mailbox::Letter;
use crate::wire::Answer;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody who looks at what listens at an address.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    address: SocketAddr,
    cookie: Option<String>,
}

/// A page.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Page {
    /// The value of a hidden field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mark = format!("name=\"{name}\" value=\"");
        let rest = self.text.split_once(&mark)?.1;
        rest.split('"').next()
    }

    /// The last part of the address behind a link.
    pub(crate) fn behind(&self, link: &str) -> Option<&str> {
        let before = self.text.split_once(&format!(">{link}</a>"))?.0;
        let address = before.rsplit("href=\"").next()?.split('"').next()?;
        address.rsplit('/').next()
    }
}

impl Visitor {
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self {
            address,
            cookie: None,
        }
    }

    /// Looks at a page.
    pub(crate) async fn get(&mut self, path: &str) -> io::Result<Page> {
        self.ask("GET", path, String::new()).await
    }

    /// Sends a form, as a page of that very site does.
    pub(crate) async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> io::Result<Page> {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.ask("POST", path, body).await
    }

    /// Opens the link of a letter, and presses the button behind it.
    pub(crate) async fn enter(&mut self, letter: &Letter) -> io::Result<Page> {
        let lost = || io::Error::other("no link in the letter");
        let mut words = letter.text.split_whitespace();
        let link = words.find(|word| word.contains("/hands/enter"));
        let path = link.and_then(|link| link.splitn(4, '/').nth(3));
        let page = self.get(&format!("/{}", path.ok_or_else(lost)?)).await?;
        let key = page.field("k").ok_or_else(lost)?.to_owned();
        self.send("/hands/enter", &[("k", &key)]).await
    }

    async fn ask(&mut self, method: &str, path: &str, body: String) -> io::Result<Page> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string())
            .header(header::CONNECTION, "close")
            .header("sec-fetch-site", "same-origin");
        if method == "POST" {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(io::Error::other)?;
        let answer = timeout(PATIENCE, exchange(self.address, request)).await??;
        let cookie = answer.headers().get(header::SET_COOKIE);
        if let Some(cookie) = cookie.and_then(|value| value.to_str().ok()) {
            let pair = cookie.split(';').next().unwrap_or_default();
            self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
        Ok(Page {
            status: answer.status().as_u16(),
            text: String::from_utf8_lossy(answer.body()).into_owned(),
        })
    }
}

/// One request on a connection of its own.
async fn exchange(address: SocketAddr, request: Request<Full<Bytes>>) -> io::Result<Answer> {
    let stream = TcpStream::connect(address).await?;
    let opened = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = opened.map_err(io::Error::other)?;
    let asked = async move {
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok::<_, hyper::Error>(Answer::from_parts(head, body))
    };
    // The connection ends once nobody asks on it any more.
    let (answer, _) = tokio::join!(asked, connection);
    answer.map_err(io::Error::other)
}
