//! What the server tells over DDP, to whoever signed in on that connection.

use std::sync::{Arc, Mutex};

use raccord_kit::standin::{Line, Word};
use serde_json::{Value, json};

use super::quirks::Quirk;
use super::server::{BOT, EMAIL, ORGANIZATION, Row, Server, Socket, State};

impl Server {
    /// A connection on which nobody signed in.
    pub(crate) fn line(&self) -> Line {
        let server = self.clone();
        let user: Arc<Mutex<Option<String>>> = Arc::default();
        let line = Line::new(move |line, text| {
            let asked: Value = serde_json::from_str(text).unwrap_or_default();
            let mut state = server.state();
            if asked["method"] == "login" && state.socket == Socket::BreaksAtLogin {
                state.socket = Socket::Sound;
                return line.says(Word::Break);
            }
            for answer in state.ddp(&mut user.lock().unwrap(), &asked) {
                line.says(Word::Text(answer.to_string()));
            }
        });
        line.says(Word::Text(json!({ "server_id": "0" }).to_string()));
        line
    }
}

impl State {
    fn ddp(&mut self, user: &mut Option<String>, asked: &Value) -> Vec<Value> {
        let id = &asked["id"];
        let params = &asked["params"];
        match (
            asked["msg"].as_str(),
            asked["method"].as_str(),
            asked["name"].as_str(),
        ) {
            (Some("connect"), ..) => vec![
                json!({ "msg": "connected", "session": "s" }),
                json!({ "msg": "ping" }),
            ],
            (Some("method"), Some("login"), _) => {
                let result = self.login(&params[0]);
                if let Ok(result) = &result {
                    *user = Some(BOT.to_owned());
                    let session = json!({ "msg": "result", "id": id, "result": result });
                    return vec![session, json!({ "msg": "updated", "methods": [id] })];
                }
                let error = result.unwrap_err();
                vec![json!({ "msg": "result", "id": id, "error": error })]
            }
            (Some("sub"), _, Some("listMembersDetailHistorique")) => {
                if self.socket == Socket::HidesTheLog {
                    return Vec::new();
                }
                let mut told = self.history(user.as_deref(), params);
                told.push(json!({ "msg": "ready", "subs": [id] }));
                told
            }
            (Some("sub"), _, Some("scopeDetail")) => {
                let mut told = Vec::new();
                if user.is_some() && params[1] == ORGANIZATION {
                    let member = json!({ "type": "citoyens", "isAdmin": self.admin });
                    let fields = json!({
                        "name": "La Raffinerie",
                        "links": { "members": { BOT: member } },
                        "oceco": { "notificationChat": self.notifies && self.has(Quirk::PostsInChat) },
                    });
                    told.push(json!({ "msg": "added", "collection": "organizations", "id": ORGANIZATION, "fields": fields }));
                }
                told.push(json!({ "msg": "ready", "subs": [id] }));
                told
            }
            _ => Vec::new(),
        }
    }

    fn login(&mut self, asked: &Value) -> Result<Value, Value> {
        if let Some(token) = asked["resume"].as_str() {
            let known = self.sessions.iter().any(|one| one == token);
            let error = json!({ "error": 403, "reason": "You've been logged out by the server. Please log in again." });
            return known
                .then(|| json!({ "id": BOT, "token": token, "type": "resume" }))
                .ok_or(error);
        }
        self.passwords_shown += 1;
        if asked["email"] != EMAIL || asked["pwd"] != json!(self.password) {
            let error = if self.has(Quirk::WrongPasswordIsANumber) {
                145_546_287
            } else {
                401
            };
            return Err(json!({ "error": error, "reason": "Email ou mot de passe incorrect" }));
        }
        let token = self.session();
        if !self.has(Quirk::EverySignInStays) {
            self.sessions.clear();
        }
        self.sessions.push(token.clone());
        Ok(json!({ "id": BOT, "token": token, "type": "undefined" }))
    }

    fn history(&self, user: Option<&str>, params: &Value) -> Vec<Value> {
        let person = params[1].as_str().unwrap_or_default();
        let allowed = user.is_some() && (self.admin || user == Some(person));
        if !allowed || params[0] != ORGANIZATION || !self.people.iter().any(|one| one == person) {
            let refused = json!({ "msg": "nosub", "error": { "error": "not-authorized" } });
            return if self.has(Quirk::DeniedIsEmpty) {
                Vec::new()
            } else {
                vec![refused]
            };
        }
        let most = params[2].as_u64().unwrap_or(0);
        let most = match usize::try_from(most).unwrap() {
            0 if self.has(Quirk::TenRowsUnasked) => 10,
            0 => usize::MAX,
            most => most,
        };
        let mut told = vec![json!({
            "msg": "added", "collection": "citoyens", "id": person, "fields": { "name": "canary-person" },
        })];
        let mut rows: Vec<&Row> = self.log.iter().filter(|row| row.user == person).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.at));
        told.extend(rows.into_iter().take(most).map(|row| {
            let at = row.at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string();
            let fields = json!({
                "userId": row.user, "organizationId": ORGANIZATION, "actionId": row.action,
                "credits": row.credits, "createdAt": at,
            });
            json!({ "msg": "added", "collection": "loguseractions", "id": row.id, "fields": fields })
        }));
        told
    }
}
