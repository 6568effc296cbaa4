//! A listmonk that behaves as its source (v6.2.0) says, surprises included. It is checked against its own
//! description of its interface by `tests/contract.rs`.

pub(crate) mod go;
pub(crate) mod quirks;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use raccord_kit::standin::{Play, Reply, Seen};
use serde_json::{Value, json};

use go::Run;
use quirks::Quirk;

pub(crate) const USER: &str = "raccord";
pub(crate) const TOKEN: &str = "token canary of listmonk";

/// What goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The next change is made, and nobody is told.
    LoseAnswer,
    /// The next change is not made, and the connection breaks.
    Reset,
    /// The next change is answered with this, and not made.
    Refuse(u16),
    /// The next look at the campaigns finds none.
    Hide,
}

pub(crate) struct State {
    pub(crate) lost: Option<Quirk>,
    pub(crate) token: String,
    pub(crate) rights: Vec<&'static str>,
    pub(crate) role: u64,
    pub(crate) lists: Vec<(u64, String)>,
    pub(crate) templates: Vec<(u64, String, String)>,
    pub(crate) campaigns: Vec<Value>,
    pub(crate) subscribers: Vec<String>,
    pub(crate) files: Vec<String>,
    pub(crate) faults: VecDeque<Fault>,
    counter: u64,
}

/// A handle; clones are the same server.
#[derive(Clone)]
pub(crate) struct Server(Arc<Mutex<State>>);

type Answer = Result<Value, (u16, String)>;

fn refused<T>(status: u16, message: &str) -> Result<T, (u16, String)> {
    Err((status, message.to_owned()))
}

/// What a reader gets of a campaign.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) subject: String,
    pub(crate) html: String,
    pub(crate) text: String,
    pub(crate) name: String,
}

impl Server {
    pub(crate) fn new(lost: Option<Quirk>) -> Self {
        let bare = "{{ template \"content\" . }}".to_owned();
        let usual = format!("<!doctype html><html><body>{bare}</body></html>");
        Self(Arc::new(Mutex::new(State {
            lost,
            token: TOKEN.to_owned(),
            rights: vec![
                "lists:get_all",
                "campaigns:get_all",
                "campaigns:manage",
                "templates:get",
            ],
            role: 7,
            lists: vec![(1, "Amis".to_owned()), (3, "Programme".to_owned())],
            templates: vec![
                (1, "Default".to_owned(), usual),
                (4, "Raccord".to_owned(), bare),
            ],
            campaigns: Vec::new(),
            subscribers: Vec::new(),
            files: Vec::new(),
            faults: VecDeque::new(),
            counter: 10,
        })))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn fault(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    /// Somebody of the place does something to a campaign.
    pub(crate) fn edits(&self, id: u64, change: impl FnOnce(&mut Value)) {
        let mut state = self.state();
        let found = state.campaigns.iter_mut().find(|one| one["id"] == id);
        change(found.unwrap());
    }

    /// Somebody copies a campaign; the copy stands before it, as the newest.
    pub(crate) fn copies(&self, id: u64) {
        let mut state = self.state();
        let found = state.campaigns.iter().find(|one| one["id"] == id);
        let mut copy = found.unwrap().clone();
        state.counter += 1;
        copy["id"] = json!(state.counter);
        copy["name"] = json!(format!("Copy of {}", copy["name"].as_str().unwrap()));
        copy["archive_slug"] = Value::Null;
        if !state.has(Quirk::CopiesKeepTags) {
            copy["tags"] = json!([]);
        }
        state.campaigns.insert(0, copy);
    }

    /// What a reader gets of a campaign, or why nobody gets it.
    pub(crate) fn read(&self, id: u64) -> Result<Got, String> {
        let state = self.state();
        let found = state.campaigns.iter().find(|one| one["id"] == id);
        let one = found.ok_or("no such campaign")?;
        let text = |key: &str| one[key].as_str().unwrap_or_default();
        let html = Run::Html {
            comments_out: state.has(Quirk::CommentsTakenOut),
        };
        let follows = |part: &str| {
            if state.has(Quirk::LinksFollow) {
                part.replace("@TrackLink", "#followed")
            } else {
                part.to_owned()
            }
        };
        let line = |part: &str| {
            let templated = part.contains("{{") && part.contains("}}");
            if templated {
                go::run(part, Run::Plain)
            } else {
                Ok(part.to_owned())
            }
        };
        let wraps = state.has(Quirk::UsualTemplateWraps);
        let template = one["template_id"].as_u64().or(wraps.then_some(1));
        let base = template.and_then(|id| state.templates.iter().find(|one| one.0 == id));
        let body = go::run(&follows(text("body")), html)?;
        let whole = match base {
            Some((_, _, base)) => go::run(base, html)?.replace('\u{2}', &body),
            None => body,
        };
        let marked_up = if state.has(Quirk::TextIsMarkup) {
            html
        } else {
            Run::Plain
        };
        let headers = one["headers"].as_array().into_iter().flatten();
        let mut names = headers.filter_map(|one| one["Message-Id"].as_str());
        Ok(Got {
            subject: line(text("subject"))?,
            html: whole,
            text: go::run(&follows(text("altbody")), marked_up)?,
            name: line(names.next().unwrap_or("<random@listmonk>"))?,
        })
    }

    /// Answers a request.
    pub(crate) fn answer(&self, seen: &Seen) -> Play {
        let mut state = self.state();
        let fault = if seen.writes() {
            let hides = |fault: &Fault| matches!(fault, Fault::Hide);
            let at = state.faults.iter().position(|fault| !hides(fault));
            at.and_then(|at| state.faults.remove(at))
        } else {
            None
        };
        match fault {
            Some(Fault::Reset) => return Play::Reset,
            Some(Fault::Refuse(status)) => {
                return Reply::status(status).body("{\"message\":\"no\"}").into();
            }
            _ => {}
        }
        let answer = state.answers(seen);
        if matches!(fault, Some(Fault::LoseAnswer)) {
            return Play::DoneThenReset;
        }
        let (status, body) = match answer {
            Ok(data) => (200, json!({ "data": data })),
            Err((status, message)) => (status, json!({ "message": message })),
        };
        let reply = Reply::status(status).body(body.to_string());
        reply.header("content-type", "application/json").into()
    }
}

impl State {
    pub(crate) fn has(&self, quirk: Quirk) -> bool {
        self.lost != Some(quirk)
    }

    fn may(&self, right: &str) -> bool {
        self.role == 1 || self.rights.iter().any(|one| one.starts_with(right))
    }

    fn answers(&mut self, seen: &Seen) -> Answer {
        let pair = format!("{USER}:{}", self.token);
        let pair = base64::engine::general_purpose::STANDARD.encode(pair);
        if seen.header("authorization") != format!("Basic {pair}") {
            let status = if self.has(Quirk::EveryRefusalIs403) {
                403
            } else {
                401
            };
            return refused(status, "invalid API credentials");
        }
        let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
        let asked: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let body: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let needs = match (seen.method.as_str(), parts.get(1).copied()) {
            ("GET", Some("lists")) => "lists:get",
            ("GET", Some("campaigns")) => "campaigns:get",
            ("GET", Some("templates")) => "templates:get",
            ("PUT", Some("campaigns")) if parts.last() == Some(&"status") => "campaigns:send",
            (_, Some("campaigns")) => "campaigns:manage",
            (_, Some("subscribers")) => "subscribers:manage",
            (_, Some("media")) => "media:manage",
            _ => "",
        };
        if !self.may(needs) {
            return refused(403, "permission denied");
        }
        match (seen.method.as_str(), &parts[..]) {
            ("GET", ["api", "profile"]) => Ok(json!({
                "username": USER, "type": "api", "status": "enabled",
                "user_role": { "id": self.role, "name": "Raccord", "permissions": self.rights },
            })),
            ("GET", ["api", "lists"]) => Ok(self.listed(&asked)),
            ("GET", ["api", "templates"]) => {
                let all = self.templates.iter();
                Ok(all
                    .map(|(id, name, body)| {
                        json!({ "id": id, "name": name, "type": "campaign", "body": body })
                    })
                    .collect())
            }
            ("GET", ["api", "campaigns"]) => Ok(self.campaigns_of(&asked)),
            ("GET", ["api", "campaigns", id]) => {
                let at = self.place(id)?;
                Ok(self.campaigns[at].clone())
            }
            ("POST", ["api", "campaigns"]) => self.creates(&body),
            ("PUT", ["api", "campaigns", id]) => self.changes(id, &body),
            ("PUT", ["api", "campaigns", id, "status"]) => {
                self.becomes(id, body["status"].as_str().unwrap_or_default())
            }
            ("POST", ["api", "subscribers"]) => {
                let email = body["email"].as_str().unwrap_or_default().to_lowercase();
                let known = self.subscribers.contains(&email);
                if known && self.has(Quirk::SubscriberTwiceIs409) {
                    return refused(409, "already exists");
                }
                self.subscribers.push(email.clone());
                Ok(json!({ "id": self.subscribers.len(), "email": email }))
            }
            ("POST", ["api", "media"]) => {
                let mut name = body["file"].as_str().unwrap_or_default().to_owned();
                if self.files.contains(&name) && self.has(Quirk::FilesRenamed) {
                    let count = self.files.len();
                    name = name.replacen('.', &format!("_{count}."), 1);
                }
                self.files.push(name.clone());
                Ok(json!({ "id": self.files.len(), "filename": name }))
            }
            _ => refused(404, "not found"),
        }
    }

    fn listed(&self, asked: &[(String, String)]) -> Value {
        let minimal = asked.iter().any(|(name, _)| name == "minimal");
        if self.lists.is_empty() && minimal && self.has(Quirk::NothingIsBare) {
            return json!([]);
        }
        let all: Vec<Value> = self
            .lists
            .iter()
            .map(
                |(id, name)| json!({ "id": id, "name": name, "type": "public", "optin": "double" }),
            )
            .collect();
        page(all, asked)
    }

    fn campaigns_of(&mut self, asked: &[(String, String)]) -> Value {
        let hidden = self
            .faults
            .front()
            .is_some_and(|one| matches!(one, Fault::Hide));
        if hidden {
            self.faults.pop_front();
            return page(Vec::new(), asked);
        }
        let tags: Vec<&String> = asked
            .iter()
            .filter(|(name, _)| name == "tag")
            .map(|(_, value)| value)
            .collect();
        let bare = asked
            .iter()
            .any(|pair| *pair == ("no_body".into(), "true".into()));
        let has = |one: &Value, tag: &str| one["tags"].as_array().unwrap().contains(&json!(tag));
        let all = self.campaigns.iter();
        let all = all.filter(|one| tags.iter().all(|tag| has(one, tag)));
        let shown = all.map(|one| {
            let mut one = one.clone();
            if bare {
                one["body"] = json!("");
            }
            one
        });
        page(shown.collect(), asked)
    }

    /// Where a campaign stands.
    fn place(&self, id: &str) -> Result<usize, (u16, String)> {
        let found = self
            .campaigns
            .iter()
            .position(|one| one["id"].as_u64() == id.parse().ok());
        let status = if self.has(Quirk::MissingIs400) {
            400
        } else {
            404
        };
        found.ok_or((status, "campaign not found".to_owned()))
    }

    /// What is wrong with what a campaign would be.
    fn looks(&self, wanted: &Value) -> Result<Vec<u64>, (u16, String)> {
        let text = |key: &str| wanted[key].as_str().unwrap_or_default();
        if text("name").is_empty() || text("name").chars().count() > 2_000 {
            return refused(400, "invalid name");
        }
        if text("subject").is_empty() || text("subject").chars().count() > 5_000 {
            return refused(400, "invalid subject");
        }
        let ids = wanted["lists"].as_array().into_iter().flatten();
        let known = |id: &u64| self.lists.iter().any(|(own, _)| own == id);
        let filters = self.has(Quirk::ListsFiltered);
        let ids: Vec<u64> = ids
            .filter_map(Value::as_u64)
            .filter(|id| !filters || known(id))
            .collect();
        if ids.is_empty() {
            return refused(400, "invalid list ids");
        }
        let headers = wanted["headers"].as_array().into_iter().flatten();
        let headers = headers
            .filter_map(Value::as_object)
            .flat_map(|one| one.values());
        let headers = headers.filter_map(Value::as_str);
        let all = [text("subject"), text("body"), text("altbody")];
        for part in all.into_iter().chain(headers) {
            let whole = part == text("body") || (part.contains("{{") && part.contains("}}"));
            if whole
                && self.has(Quirk::PartsAreTemplates)
                && let Err(error) = go::compile(part)
            {
                return refused(400, &format!("error compiling: {error}"));
            }
        }
        Ok(ids)
    }

    fn named(&self, ids: &[u64]) -> Value {
        let own = self.lists.iter().filter(|(id, _)| ids.contains(id));
        own.map(|(id, name)| json!({ "id": id, "name": name }))
            .collect()
    }

    fn creates(&mut self, wanted: &Value) -> Answer {
        let ids = self.looks(wanted)?;
        let slug = &wanted["archive_slug"];
        let taken = slug.is_string()
            && self
                .campaigns
                .iter()
                .any(|one| one["archive_slug"] == *slug);
        if taken {
            let (status, said) = if self.has(Quirk::SlugTakenIs500) {
                (500, "error creating campaign: pq: duplicate key value")
            } else {
                (409, "already exists")
            };
            return refused(status, said);
        }
        if !self.has(Quirk::NamesRepeat)
            && self
                .campaigns
                .iter()
                .any(|one| one["name"] == wanted["name"])
        {
            return refused(409, "already exists");
        }
        self.counter += 1;
        let mut made = wanted.clone();
        made["id"] = json!(self.counter);
        made["uuid"] = json!(format!("uuid-{}", self.counter));
        made["status"] = json!("draft");
        made["lists"] = self.named(&ids);
        made["media"] = json!([]);
        if made["tags"].is_null() {
            made["tags"] = json!([]);
        }
        self.campaigns.push(made.clone());
        Ok(made)
    }

    fn changes(&mut self, id: &str, wanted: &Value) -> Answer {
        let at = self.place(id)?;
        let status = self.campaigns[at]["status"].as_str().unwrap_or_default();
        let open = matches!(status, "draft" | "scheduled" | "paused");
        if !open && self.has(Quirk::SentIsLocked) {
            return refused(400, "cannot update a running or finished campaign");
        }
        let mut next = self.campaigns[at].clone();
        let before = next["lists"].clone();
        for (key, value) in wanted.as_object().into_iter().flatten() {
            next[key] = value.clone();
        }
        if wanted["lists"].is_null() {
            if self.has(Quirk::ListsSentAgain) {
                return refused(400, "invalid list ids");
            }
            next["lists"] = before
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["id"].clone())
                .collect();
        }
        let ids = self.looks(&next)?;
        next["lists"] = self.named(&ids);
        let media = match wanted["media"].as_array() {
            Some(media) => media.iter().map(|id| json!({ "id": id })).collect(),
            None if self.has(Quirk::MediaSentAgain) => json!([]),
            None => self.campaigns[at]["media"].clone(),
        };
        next["media"] = media;
        self.campaigns[at] = next.clone();
        Ok(next)
    }

    fn becomes(&mut self, id: &str, wanted: &str) -> Answer {
        let at = self.place(id)?;
        let now = self.campaigns[at]["status"].as_str().unwrap_or_default();
        let planned = self.campaigns[at]["send_at"].is_string();
        let from: &[&str] = match wanted {
            "draft" => &["scheduled"],
            "scheduled" if planned => &["draft", "paused"],
            "running" => &["draft", "paused"],
            "paused" => &["running"],
            "cancelled" => &["running", "paused"],
            _ => &[],
        };
        if !from.contains(&now) {
            return refused(400, "not from here");
        }
        let stored = if wanted == "running" && planned && self.has(Quirk::RunningIsScheduled) {
            "scheduled"
        } else {
            wanted
        };
        self.campaigns[at]["status"] = json!(stored);
        let mut told = self.campaigns[at].clone();
        told["status"] = json!(wanted);
        Ok(told)
    }
}

/// A page of what there is.
fn page(all: Vec<Value>, asked: &[(String, String)]) -> Value {
    let value = |name: &str| {
        asked
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| &**value)
    };
    let total = all.len();
    let many = match value("per_page") {
        Some("all") => total.max(1),
        Some(number) => number.parse().unwrap_or(20),
        None => 20,
    };
    let number: usize = value("page")
        .and_then(|page| page.parse().ok())
        .unwrap_or(1);
    let shown: Vec<Value> = all
        .into_iter()
        .skip((number - 1) * many)
        .take(many)
        .collect();
    json!({ "results": shown, "query": "", "total": total, "per_page": many, "page": number })
}
