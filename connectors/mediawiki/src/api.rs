//! The calls of MediaWiki's action interface; the only file that knows addresses.
//!
//! Seen on Debian's MediaWiki 1.39.17 with a bot password. Whatever goes wrong is answered 200.

use std::sync::{Arc, PoisonError};

use http::{HeaderValue, StatusCode, header};
use jiff::SignedDuration;
use raccord_kit::http::{Answer, Http, Request, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::{Clock, Learnt};
use raccord_model::{Blame, Failure};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::failure;

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
/// How long a password that was refused is not shown again: wikis slow down who guesses.
const REFUSED: SignedDuration = SignedDuration::from_mins(30);
/// How far behind its copies a wiki may be, in seconds, before it asks us to come later.
const LAG: &str = "5";
/// How much of a front page is looked through.
const FRONT: u64 = 2_000_000;

pub(crate) struct Api {
    http: Http,
    site: Target,
    user: String,
    pub(crate) password: Option<SecretSource>,
    /// Where the interface is, once it was found.
    found: std::sync::Mutex<Option<Target>>,
    /// One request at a time, as wikis ask; the session with it.
    session: tokio::sync::Mutex<Option<Session>>,
    refused: Learnt,
    clock: Arc<dyn Clock>,
}

/// What a wiki knows us by, for a while.
struct Session {
    cookies: Cookies,
    token: SecretString,
}

/// What a wiki asks us to say back.
#[derive(Default)]
struct Cookies(Vec<(String, String)>);

impl Cookies {
    fn take(&mut self, answer: &Answer) {
        let all = answer.headers.get_all(header::SET_COOKIE).iter();
        for text in all.filter_map(|value| value.to_str().ok()) {
            let pair = text.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                let name = name.trim().to_owned();
                self.0.retain(|(known, _)| *known != name);
                self.0.push((name, value.trim().to_owned()));
            }
        }
    }

    fn shown(&self) -> SecretString {
        let pairs = self.0.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ").into()
    }
}

/// A page, as it stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    /// What it says, and its revision; nothing where there is no such page.
    pub(crate) text: Option<(String, u64)>,
    /// Where people see it.
    pub(crate) url: String,
    /// Whether we may edit it, or make it.
    pub(crate) ours: bool,
}

/// What became of an edit.
#[derive(Debug)]
pub(crate) enum Edited {
    /// It is written; the revision it has by now.
    Done(u64),
    /// Somebody was faster.
    Conflict,
}

impl Api {
    pub(crate) fn new(
        http: Http,
        site: Target,
        user: String,
        password: Option<SecretSource>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            http,
            site,
            user,
            password,
            found: std::sync::Mutex::default(),
            session: tokio::sync::Mutex::default(),
            refused: Learnt::believed(REFUSED),
            clock,
        }
    }

    pub(crate) fn host(&self) -> &str {
        self.site.host()
    }

    pub(crate) fn site(&self) -> &str {
        self.site.url().as_str()
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Option<Target>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the interface is, as any page of the wiki says.
    async fn found(&self) -> Result<Target, Failure> {
        if let Some(known) = self.known().clone() {
            return Ok(known);
        }
        let request = Request::get(&self.site).size(FRONT);
        let answer = self.http.call(request).await.map_err(Failure::from)?;
        let page = String::from_utf8_lossy(&answer.body);
        let told = announced(&page).and_then(|address| answer.target.join(&address).ok());
        // Only where the account's password may go.
        let told = told.filter(|told| told.may_know_what(&self.site));
        let told = told.ok_or_else(|| failure::no_wiki(self.host()))?;
        *self.known() = Some(told.clone());
        Ok(told)
    }

    /// One call; what is asked for stands in the body, so that nothing of it is in an address.
    async fn call(
        &self,
        cookies: &mut Cookies,
        asked: &[(&str, &str)],
        secret: &[(&str, &SecretString)],
    ) -> Result<Value, Failure> {
        let target = self.found().await?;
        let mut request =
            Request::post(&target, form(asked, secret)).header(header::CONTENT_TYPE, FORM);
        if !cookies.0.is_empty() {
            request = request.secret(header::COOKIE, &cookies.shown());
        }
        let answer = self.http.send(request).await.map_err(|error| {
            let failure = Failure::from(error);
            match failure.blame {
                // The page has its name from us, and is read before it is written: a repeat is
                // harmless.
                Blame::Unknown => Failure {
                    blame: Blame::Transient,
                    ..failure
                },
                _ => failure,
            }
        })?;
        if answer.status != StatusCode::OK {
            *self.known() = None;
            return Err(self.http.refusal(&answer, false).into());
        }
        cookies.take(&answer);
        let said: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let said = said.filter(Value::is_object).ok_or_else(|| {
            *self.known() = None;
            failure::no_wiki(self.host())
        })?;
        match said["error"]["code"].as_str() {
            Some(code) => {
                let usual = Failure::from(self.http.refusal(&answer, false));
                Err(failure::refusal(self.host(), code, usual.retry_after_ms))
            }
            None => Ok(said),
        }
    }

    /// What the wiki says it is, to anybody.
    pub(crate) async fn about(&self) -> Result<String, Failure> {
        *self.known() = None;
        let asked = [("action", "query"), ("meta", "siteinfo")];
        let said = self.call(&mut Cookies::default(), &asked, &[]).await?;
        let generator = said["query"]["general"]["generator"].as_str();
        let generator = generator.filter(|text| text.starts_with("MediaWiki"));
        generator
            .map(str::to_owned)
            .ok_or_else(|| failure::no_wiki(self.host()))
    }

    async fn log_in(&self) -> Result<Session, Failure> {
        let password = self.password.as_ref().ok_or_else(failure::no_password)?;
        let password = password.read()?;
        let now = self.clock.now();
        if self.refused.was(&password, now) {
            return Err(failure::credentials(self.host()));
        }
        let mut cookies = Cookies::default();
        let token = self.token(&mut cookies, "login").await?;
        let asked = [("action", "login"), ("lgname", &*self.user)];
        let secret = [("lgpassword", &password), ("lgtoken", &token)];
        let said = self.call(&mut cookies, &asked, &secret).await?;
        if said["login"]["result"] != "Success" {
            self.refused.note(&password, now);
            return Err(failure::credentials(self.host()));
        }
        let token = self.token(&mut cookies, "csrf").await?;
        Ok(Session { cookies, token })
    }

    async fn token(&self, cookies: &mut Cookies, kind: &str) -> Result<SecretString, Failure> {
        let asked = [("action", "query"), ("meta", "tokens"), ("type", kind)];
        let said = self.call(cookies, &asked, &[]).await?;
        let token = said["query"]["tokens"][format!("{kind}token")].as_str();
        let token = token.ok_or_else(|| failure::no_wiki(self.host()))?;
        Ok(token.to_owned().into())
    }

    /// A call of the account; it logs in again, once, where the wiki has forgotten it.
    async fn ask(&self, asked: &[(&str, &str)], writes: bool) -> Result<Value, Failure> {
        let mut session = self.session.lock().await;
        for turn in 0..2 {
            if session.is_none() {
                *session = Some(self.log_in().await?);
            }
            let Some(open) = &mut *session else { continue };
            let token = open.token.clone();
            let secret = [("token", &token)];
            let secret: &[_] = if writes { &secret } else { &[] };
            let account = [("assert", "user"), ("maxlag", LAG)];
            let all = [&account, asked].concat();
            match self.call(&mut open.cookies, &all, secret).await {
                Err(failure) if failure.code == failure::FORGOTTEN => {
                    *session = None;
                    if turn > 0 {
                        return Err(failure);
                    }
                }
                said => return said,
            }
        }
        Err(failure::credentials(self.host()))
    }

    /// What the account may do.
    pub(crate) async fn rights(&self) -> Result<Vec<String>, Failure> {
        let asked = [
            ("action", "query"),
            ("meta", "userinfo"),
            ("uiprop", "rights"),
        ];
        // What was learnt of another password, or with other rights, is not believed.
        *self.session.lock().await = None;
        let said = self.ask(&asked, false).await?;
        let rights = said["query"]["userinfo"]["rights"].as_array();
        let rights = rights.into_iter().flatten().filter_map(Value::as_str);
        Ok(rights.map(str::to_owned).collect())
    }

    /// A page as it stands.
    pub(crate) async fn page(&self, title: &str) -> Result<Page, Failure> {
        let asked = [
            ("action", "query"),
            ("prop", "revisions|info"),
            ("titles", title),
            ("rvprop", "ids|content"),
            ("rvslots", "main"),
            ("inprop", "url"),
            ("intestactions", "edit|create"),
        ];
        let said = self.ask(&asked, false).await?;
        let page = &said["query"]["pages"][0];
        if page["invalid"] == true {
            return Err(failure::bad_title(title));
        }
        let missing = page["missing"] == true;
        let revision = &page["revisions"][0];
        let text = revision["slots"]["main"]["content"].as_str();
        let text = text.zip(revision["revid"].as_u64());
        if !missing && text.is_none() {
            return Err(failure::no_wiki(self.host()));
        }
        let may = |what: &str| page["actions"][what] != false;
        Ok(Page {
            text: text.map(|(text, revision)| (text.to_owned(), revision)),
            url: page["canonicalurl"].as_str().unwrap_or_default().to_owned(),
            ours: may("edit") && (!missing || may("create")),
        })
    }

    /// Writes a page over the revision that was read; `None` makes it, if nobody did meanwhile.
    pub(crate) async fn edit(
        &self,
        title: &str,
        text: &str,
        over: Option<u64>,
        summary: &str,
    ) -> Result<Edited, Failure> {
        let over = over.map(|revision| revision.to_string());
        let guard = match &over {
            Some(revision) => [("baserevid", &**revision), ("nocreate", "1")],
            None => [("createonly", "1"), ("watchlist", "nochange")],
        };
        let asked = [
            ("action", "edit"),
            ("title", title),
            ("text", text),
            ("summary", summary),
            ("bot", "1"),
        ];
        let said = match self.ask(&[&asked[..], &guard].concat(), true).await {
            Err(failure) if failure.code == failure::CONFLICT => return Ok(Edited::Conflict),
            said => said?,
        };
        let edit = &said["edit"];
        match (edit["result"].as_str(), edit["newrevid"].as_u64()) {
            (Some("Success"), Some(revision)) => Ok(Edited::Done(revision)),
            (Some("Success"), None) => Ok(Edited::Done(
                over.and_then(|over| over.parse().ok()).unwrap_or_default(),
            )),
            _ if !edit["captcha"].is_null() => Err(failure::captcha(self.host())),
            _ => Err(failure::refused(title, self.host())),
        }
    }
}

/// What is asked for, as a form.
fn form(asked: &[(&str, &str)], secret: &[(&str, &SecretString)]) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("format", "json")
        .append_pair("formatversion", "2")
        .extend_pairs(asked);
    for (name, value) in secret {
        form.append_pair(name, value.expose_secret());
    }
    form.finish()
}

/// The address that a page's head says the interface has.
fn announced(page: &str) -> Option<String> {
    let at = page.find("rel=\"EditURI\"")?;
    let begin = page[..at].rfind('<')?;
    let tag = &page[begin..begin + page[begin..].find('>')?];
    let (_, rest) = tag.split_once("href=\"")?;
    let address = rest.split('"').next()?.replace("&amp;", "&");
    let bare = address.split('?').next().unwrap_or_default();
    bare.ends_with("api.php").then(|| bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interface_is_where_the_page_says_and_nowhere_else() {
        let page = "<head><link rel=\"x\" href=\"y\"><link rel=\"EditURI\" type=\"application/rsd+xml\" href=\"//w.example/w/api.php?action=rsd\"/>";
        assert_eq!(announced(page).as_deref(), Some("//w.example/w/api.php"));
        for odd in [
            "",
            "rel=\"EditURI\"",
            "<link rel=\"EditURI\" href=\"/x\">",
            "<link rel=\"EditURI\"",
        ] {
            assert_eq!(announced(odd), None, "{odd}");
        }
    }
}
