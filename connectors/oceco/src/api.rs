//! The calls of OCECO; the only file that knows addresses.
//!
//! Read from the source of October 2020 (`imports/api/server/rest.js`, `imports/startup/client/routes.js`).

use std::sync::Arc;

use http::{HeaderName, HeaderValue, StatusCode, header};
use jiff::SignedDuration;
use raccord_kit::http::{Answer, Http, Request, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::{Clock, Learnt};
use raccord_model::{Blame, Failure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::action::{Action, id_of};
use crate::failure::{self, Doing};

const TOKEN: HeaderName = HeaderName::from_static("x-access-token");
const USER: HeaderName = HeaderName::from_static("x-user-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// The list has no pages: how long it may be, in bytes.
const LIST: u64 = 20_000_000;
/// How long a token that was refused is not shown again: whoever replaces it needs a while.
const REFUSED: SignedDuration = SignedDuration::from_mins(30);

/// What holds the actions.
pub(crate) struct Parent {
    kind: &'static str,
    id: String,
}

impl Parent {
    /// The project, where there is one, or else the organisation.
    pub(crate) fn new(project: Option<String>, organization: &str) -> Self {
        match project {
            Some(id) => Self {
                kind: "projects",
                id,
            },
            None => Self {
                kind: "organizations",
                id: organization.to_owned(),
            },
        }
    }

    /// What tells it from others.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.kind, self.id)
    }
}

pub(crate) struct Api {
    http: Http,
    base: Target,
    /// As whom we act.
    user: String,
    pub(crate) token: Option<SecretSource>,
    refused: Learnt,
    clock: Arc<dyn Clock>,
}

/// What each route answers, whatever happened.
#[derive(Deserialize)]
struct Said {
    status: bool,
    #[serde(default)]
    msg: String,
    #[serde(default)]
    id: Value,
    #[serde(default)]
    actions: Vec<Action>,
}

impl Api {
    pub(crate) fn new(
        http: Http,
        base: Target,
        user: String,
        token: Option<SecretSource>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            http,
            base,
            user,
            token,
            refused: Learnt::believed(REFUSED),
            clock,
        }
    }

    pub(crate) fn host(&self) -> &str {
        self.base.host()
    }

    /// The address of OCECO, as the settings say it.
    pub(crate) fn site(&self) -> &str {
        self.base.url().as_str()
    }

    /// The page on which people take an action.
    pub(crate) fn page(&self, parent: &Parent, action: &Action) -> Option<String> {
        let room = action.id_parent_room.as_deref()?;
        let plain = |id: &str| id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !plain(room) || !plain(&action.id) {
            return None;
        }
        let path = format!(
            "{}/rooms/{}/room/{room}/action/{}",
            parent.kind, parent.id, action.id
        );
        Some(self.base.join(&path).ok()?.url().to_string())
    }

    /// The actions of `parent` that OCECO shows: still to do, and not past their end.
    pub(crate) async fn actions(&self, parent: &Parent) -> Result<Vec<Action>, Failure> {
        let body = json!({ "parentId": parent.id, "parentType": parent.kind });
        let said = self.ask("listElement", &body, Doing::Reading).await?;
        if !said.status {
            return Err(failure::no_element(self.host(), parent.kind));
        }
        Ok(said.actions)
    }

    /// Makes an action; gives its identifier. It takes none of ours, and a repeat is a second one.
    pub(crate) async fn create(&self, parent: &Parent, body: Value) -> Result<String, Failure> {
        let mut body = body;
        body["parentId"] = json!(parent.id);
        body["parentType"] = json!(parent.kind);
        let said = self.ask("create", &body, Doing::Creating).await?;
        if !said.status {
            return Err(failure::not_taken(self.host(), &said.msg));
        }
        let id = id_of(&said.id).map(str::to_owned);
        id.ok_or_else(|| self.unread(Doing::Creating))
    }

    async fn ask(&self, route: &str, body: &Value, doing: Doing) -> Result<Said, Failure> {
        let target = self.base.join(&format!("api/action/{route}"))?;
        let token = self.token.as_ref().ok_or_else(failure::no_token)?.read()?;
        if self.refused.was(&token, self.clock.now()) {
            return Err(failure::token(self.host()));
        }
        let request = Request::post(&target, body.to_string())
            .header(header::CONTENT_TYPE, JSON)
            .header(USER, self.user.as_str())
            .secret(TOKEN, &token)
            .size(LIST);
        let request = match doing {
            Doing::Creating => request.once(),
            Doing::Reading => request,
        };
        let answer = self.http.send(request).await.map_err(|error| {
            let failure = Failure::from(error);
            match (failure.blame, doing) {
                (Blame::Unknown, Doing::Reading) => Failure {
                    blame: Blame::Transient,
                    ..failure
                },
                _ => failure,
            }
        })?;
        if answer.status == StatusCode::OK && !answer.redirected {
            let said = serde_json::from_slice(&answer.body);
            return said.map_err(|_| self.unread(doing));
        }
        Err(self.refusal(&answer, doing, &token))
    }

    fn refusal(&self, answer: &Answer, doing: Doing, token: &secrecy::SecretString) -> Failure {
        let failure = failure::refusal(&self.http, answer, doing);
        if failure.code == "oceco.token" {
            self.refused.note(token, self.clock.now());
        }
        failure
    }

    /// What was answered is nothing of OCECO's. What was to be made may have been.
    fn unread(&self, doing: Doing) -> Failure {
        let failure = failure::no_oceco(self.host());
        match doing {
            Doing::Creating => Failure {
                blame: Blame::Unknown,
                ..failure
            },
            Doing::Reading => failure,
        }
    }
}
