//! Somebody with a browser, without the browser: pages, forms and a cookie.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};

use crate::smtp::{Server, Taken};
use crate::wire;

/// Somebody who looks at the pages of a place.
#[derive(Clone, Debug)]
pub struct Visitor {
    port: u16,
    cookie: Option<String>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Page {
    /// The status.
    pub status: u16,
    /// The headers.
    pub head: String,
    /// The text.
    pub text: String,
}

impl Page {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.split("\r\n").find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The value of a hidden field.
    pub fn field(&self, name: &str) -> Option<&str> {
        let rest = self
            .text
            .split_once(&format!("name=\"{name}\" value=\""))?
            .1;
        rest.split('"').next()
    }
}

impl Visitor {
    /// Somebody who looks at what listens at `port`.
    pub fn at(port: u16) -> Self {
        Self { port, cookie: None }
    }

    /// Somebody who signs in by the first link that is sent to them.
    ///
    /// # Errors
    /// When no link comes, or it leads nowhere.
    pub fn signed_in(port: u16, mail: &Server, email: &str) -> Result<Self> {
        let mut visitor = Self::at(port);
        visitor.send("/hands/in", &[("email", email)])?;
        let mut all = 0;
        loop {
            let taken = mail.took(all)?;
            all = taken.len() + 1;
            if let Some(letter) = taken.iter().find(|letter| letter.to == email) {
                let entered = visitor.enter(letter)?;
                ensure!(entered.status == 303, "{}", entered.text);
                return Ok(visitor);
            }
        }
    }

    /// The same person, with the same cookie, at another node.
    #[must_use]
    pub fn also_at(&self, port: u16) -> Self {
        Self {
            port,
            cookie: self.cookie.clone(),
        }
    }

    fn ask(&mut self, method: &str, path: &str, body: &str, more: &[(&str, &str)]) -> Result<Page> {
        let cookie = self.cookie.clone();
        let mut headers: Vec<(&str, &str)> = more.to_vec();
        headers.extend(cookie.as_deref().map(|cookie| ("Cookie", cookie)));
        if method == "POST" {
            headers.push(("Content-Type", "application/x-www-form-urlencoded"));
        }
        let (status, head, body) =
            wire::exchange(self.port, method, path, &headers, body.as_bytes())?;
        let page = Page {
            status,
            head,
            text: String::from_utf8_lossy(&body).into_owned(),
        };
        if let Some(cookie) = page.header("Set-Cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
        Ok(page)
    }

    /// Looks at a page.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn get(&mut self, path: &str) -> Result<Page> {
        self.ask("GET", path, "", &[])
    }

    /// Sends a form as a page of that very site does.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Page> {
        self.send_with(path, fields, &[("Sec-Fetch-Site", "same-origin")])
    }

    /// Sends a form with these headers.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn send_with(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Result<Page> {
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        self.ask("POST", path, &body.join("&"), headers)
    }

    /// What the forms of this visitor carry.
    ///
    /// # Errors
    /// When nobody is signed in.
    pub fn token(&mut self) -> Result<String> {
        let page = self.get("/hands/me")?;
        Ok(page.field("t").context("nobody is signed in")?.to_owned())
    }

    /// Opens the link of a mail, and presses the button behind it.
    ///
    /// # Errors
    /// When the mail holds no link, or it leads nowhere.
    pub fn enter(&mut self, mail: &Taken) -> Result<Page> {
        let text = mail.text();
        let link = text
            .split_whitespace()
            .find(|word| word.contains("/hands/enter"));
        let link = link.context("no link in the mail")?;
        let path = link.splitn(4, '/').nth(3).context("no path in the link")?;
        let page = self.get(&format!("/{path}"))?;
        let key = page
            .field("k")
            .context("no form behind the link")?
            .to_owned();
        self.send("/hands/enter", &[("k", &key)])
    }
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let mut out = String::new();
    for byte in text.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing into memory");
        }
    }
    out
}
