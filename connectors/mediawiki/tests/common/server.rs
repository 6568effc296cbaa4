//! The wiki: pages with their revisions, an account, its sessions. Checked beside Debian's
//! MediaWiki 1.39.17 by `tests/tests/sites.rs`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use raccord_kit::standin::{Play, Reply, Seen};
use serde_json::{Value, json};

use super::quirks::Quirk;

pub(crate) const USER: &str = "Raccord@programme";
pub(crate) const PASSWORD: &str = "canary0of0the0wiki0with032letter";

/// What goes wrong with the next edit.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It is done, and nobody is told.
    LoseAnswer,
    /// It is not done, and the connection breaks.
    Reset,
    /// It is answered with this status, and not done.
    Refuse(Reply),
    /// It is answered 200 with this code, and not done.
    Error(&'static str),
    /// Somebody adds a line to the page just before.
    Overtaken,
}

#[derive(Clone, Debug)]
pub(crate) struct Revision {
    pub(crate) id: u64,
    pub(crate) text: String,
}

pub(crate) struct State {
    pub(crate) lost: Option<Quirk>,
    pub(crate) pages: BTreeMap<String, Vec<Revision>>,
    pub(crate) password: String,
    pub(crate) rights: BTreeSet<&'static str>,
    /// Pages nobody may edit.
    pub(crate) protected: BTreeSet<String>,
    /// The session there is, by its number; others have ended.
    pub(crate) session: u64,
    pub(crate) faults: VecDeque<Fault>,
    /// How often somebody tried to log in.
    pub(crate) logins: usize,
    counter: u64,
}

/// A handle; clones are the same wiki.
#[derive(Clone)]
pub(crate) struct Server(Arc<Mutex<State>>);

impl Server {
    pub(crate) fn new(lost: Option<Quirk>) -> Self {
        Self(Arc::new(Mutex::new(State {
            lost,
            pages: BTreeMap::new(),
            password: PASSWORD.to_owned(),
            rights: ["read", "edit", "createpage", "writeapi"].into(),
            protected: BTreeSet::new(),
            session: 1,
            faults: VecDeque::new(),
            logins: 0,
            counter: 1,
        })))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn fault(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    /// What a page says.
    pub(crate) fn text(&self, title: &str) -> String {
        let state = self.state();
        let page = state.pages.get(title);
        let last = page.and_then(|revisions| revisions.last());
        last.unwrap_or_else(|| panic!("no page {title}: {:?}", state.pages.keys()))
            .text
            .clone()
    }

    /// How many versions of all pages there are.
    pub(crate) fn versions(&self) -> usize {
        self.state().pages.values().map(Vec::len).sum()
    }

    /// Somebody of the wiki writes a page.
    pub(crate) fn writes(&self, title: &str, text: &str) {
        self.state().put(title, text);
    }

    pub(crate) fn answer(&self, seen: &Seen) -> Play {
        let mut state = self.state();
        let form: BTreeMap<String, String> = url::form_urlencoded::parse(&seen.body)
            .into_owned()
            .collect();
        if seen.method == http::Method::GET {
            return state.front().into();
        }
        let edits = form.get("action").is_some_and(|action| action == "edit");
        match edits.then(|| state.faults.pop_front()).flatten() {
            Some(Fault::Reset) => return Play::Reset,
            Some(Fault::Refuse(reply)) => return reply.into(),
            Some(Fault::Error(code)) => return state.error(code).into(),
            Some(Fault::LoseAnswer) => {
                state.act(seen, &form);
                return Play::DoneThenReset;
            }
            Some(Fault::Overtaken) => {
                let title = state.named(&form["title"]);
                let text = state.last(&title).map(|one| one.text.clone());
                let text = format!("Plus vite !\n{}", text.unwrap_or_default());
                state.put(&title, &text);
            }
            None => {}
        }
        state.act(seen, &form).into()
    }
}

type Form = BTreeMap<String, String>;

impl State {
    fn has(&self, quirk: Quirk) -> bool {
        self.lost != Some(quirk)
    }

    fn front(&self) -> Reply {
        let link = if self.has(Quirk::AddressInThePage) {
            "<link rel=\"EditURI\" type=\"application/rsd+xml\" href=\"/w/api.php?action=rsd\"/>"
        } else {
            ""
        };
        Reply::ok(format!(
            "<!doctype html><head>{link}<title>Lieu</title></head>"
        ))
        .header("content-type", "text/html; charset=UTF-8")
    }

    fn error(&self, code: &str) -> Reply {
        let body = json!({ "error": { "code": code, "info": "…" } }).to_string();
        let status = if self.has(Quirk::ErrorsAre200) {
            200
        } else {
            400
        };
        Reply::status(status)
            .body(body)
            .header("mediawiki-api-error", code)
    }

    fn last(&self, title: &str) -> Option<&Revision> {
        self.pages.get(title)?.last()
    }

    fn put(&mut self, title: &str, text: &str) -> u64 {
        self.counter += 1;
        let id = self.counter;
        let text = text.to_owned();
        self.pages
            .entry(title.to_owned())
            .or_default()
            .push(Revision { id, text });
        id
    }

    fn token(&self) -> String {
        let end = if self.has(Quirk::TokensEndInPlus) {
            "+\\"
        } else {
            ""
        };
        format!("token{}{end}", self.session)
    }

    fn act(&mut self, seen: &Seen, form: &Form) -> Reply {
        let text = |name: &str| form.get(name).map_or("", |text| &**text);
        let session = format!("wiki_session={}", self.session);
        let known = seen.header("cookie").contains(&session) || !self.has(Quirk::SessionsEnd);
        if text("assert") == "user" && !known {
            return self.error("assertuserfailed");
        }
        match text("action") {
            "login" => self.login(form),
            "query" if text("meta") == "tokens" => {
                let kind = format!("{}token", text("type"));
                let body = json!({ "query": { "tokens": { kind: self.token() } } });
                ok(&body).header("set-cookie", "wiki_start=1; path=/; HttpOnly")
            }
            "query" if text("meta") == "siteinfo" => {
                ok(&json!({ "query": { "general": { "generator": "MediaWiki 1.39.17" } } }))
            }
            "query" if text("meta") == "userinfo" => ok(
                &json!({ "query": { "userinfo": { "name": "Raccord", "rights": self.rights } } }),
            ),
            "query" => ok(&json!({ "query": { "pages": [self.shown(text("titles"))] } })),
            "edit" => self.edit(form),
            _ => self.error("unknown_action"),
        }
    }

    fn login(&mut self, form: &Form) -> Reply {
        self.logins += 1;
        let right = form.get("lgname").is_some_and(|name| name == USER)
            && form.get("lgpassword") == Some(&self.password)
            && form.get("lgtoken") == Some(&self.token());
        if right {
            let cookie = format!("wiki_session={}; path=/; HttpOnly", self.session);
            return ok(&json!({ "login": { "result": "Success", "lgusername": "Raccord" } }))
                .header("set-cookie", &cookie);
        }
        let status = if self.has(Quirk::WrongPasswordIs200) {
            200
        } else {
            401
        };
        let body = json!({ "login": { "result": "Failed", "reason": "…" } });
        Reply::status(status).body(body.to_string())
    }

    /// A title as the wiki has it.
    fn named(&self, title: &str) -> String {
        let title = title.replace('_', " ");
        let mut letters = title.chars();
        match letters.next() {
            Some(first) if self.has(Quirk::FirstLetterIsUpper) => {
                first.to_uppercase().chain(letters).collect()
            }
            _ => title,
        }
    }

    fn shown(&self, title: &str) -> Value {
        if title.contains(['[', ']', '{', '}', '|', '<', '>', '#']) {
            return json!({ "title": title, "invalid": true, "invalidreason": "…" });
        }
        let title = self.named(title);
        let edits = self.rights.contains("edit") && !self.protected.contains(&title);
        let mut page = json!({
            "title": title, "canonicalurl": format!("http://w/index.php/{title}"),
            "actions": { "edit": edits, "create": edits && self.rights.contains("createpage") },
        });
        match self.last(&title) {
            Some(last) => {
                page["revisions"] = json!([{
                    "revid": last.id,
                    "slots": { "main": { "contentmodel": "wikitext", "content": last.text } },
                }]);
            }
            None if self.has(Quirk::MissingIsAPage) => page["missing"] = json!(true),
            None => return Value::Null,
        }
        page
    }

    fn edit(&mut self, form: &Form) -> Reply {
        let text = |name: &str| form.get(name).map_or("", |text| &**text);
        if text("token") != self.token() {
            return self.error("badtoken");
        }
        if !text("maxlag").is_empty() && self.protected.contains("lag") {
            let lag = self.has(Quirk::LagIsAnError);
            let reply = if lag {
                self.error("maxlag")
            } else {
                Reply::status(503)
            };
            return reply.header("retry-after", "7");
        }
        let title = self.named(text("title"));
        if !self.rights.contains("edit") || self.protected.contains(&title) {
            return self.error("permissiondenied");
        }
        let before = self.last(&title).cloned();
        let creates = !text("createonly").is_empty() && self.has(Quirk::CreateOnlyRefuses);
        if before.is_some() && creates {
            return self.error("articleexists");
        }
        if before.is_none() && !text("nocreate").is_empty() {
            return self.error("missingtitle");
        }
        let mut said = text("text").to_owned();
        if self.has(Quirk::BlankEndsAreCut) {
            said.truncate(said.trim_end().len());
        }
        if self.has(Quirk::TildesSign) {
            said = said.replace("~~~~", "[[User:Raccord]] 2 janvier 2027");
        }
        let same = before.as_ref().is_some_and(|last| last.text == said);
        let over: Option<u64> = text("baserevid").parse().ok();
        let old = over.is_some_and(|over| before.as_ref().is_none_or(|last| last.id != over));
        if old && !(same && self.has(Quirk::OldRevisionSameText)) {
            return self.error("editconflict");
        }
        let mut edit = json!({ "result": "Success", "title": title });
        if same && self.has(Quirk::SameTextIsNoChange) {
            edit["nochange"] = json!(true);
        } else {
            edit["newrevid"] = json!(self.put(&title, &said));
        }
        ok(&json!({ "edit": edit }))
    }
}

fn ok(body: &Value) -> Reply {
    Reply::ok(body.to_string()).header("content-type", "application/json; charset=utf-8")
}
