//! Whose actions were validated: the log of credits, which OCECO shows over DDP only, to whoever
//! administers the organisation. Nothing is written there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use raccord_kit::http::ddp::{Ddp, Told};
use raccord_kit::http::{Http, Request, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::{Clock, Learnt};
use raccord_model::Failure;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::action::{id_of, whole};
use crate::failure;
use crate::standing::Row;

/// How long a conversation may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a password that was refused is not shown again.
const REFUSED: SignedDuration = SignedDuration::from_mins(30);
/// How many rows of one person are read, newest first. Unasked it would be ten.
const ROWS: u32 = 500;
/// The errors of a sign-in that is refused: Meteor's own, and the one by which OCECO tells that
/// Communecter refused (`Accounts.LoginCancelledError`).
const WRONG: [i64; 2] = [403, 0x8ac_dc2f];

/// The account by which the log is read.
pub(crate) struct Log {
    http: Http,
    base: Target,
    organization: String,
    email: String,
    pub(crate) password: SecretSource,
    refused: Learnt,
    /// Signed in once: each sign-in by password leaves a token there that nobody takes away.
    kept: Mutex<Option<SecretString>>,
    clock: Arc<dyn Clock>,
}

/// What is known of the organisation.
pub(crate) struct Organization {
    /// Whether our account administers it.
    pub(crate) is_ours: bool,
    /// Whether OCECO posts in its chat.
    pub(crate) posts: bool,
}

impl Log {
    pub(crate) fn new(
        http: Http,
        base: Target,
        organization: String,
        email: String,
        password: SecretSource,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            http,
            base,
            organization,
            email,
            password,
            refused: Learnt::believed(REFUSED),
            kept: Mutex::default(),
            clock,
        }
    }

    /// The rows of these people's credits.
    pub(crate) async fn rows<'a>(
        &self,
        people: impl Iterator<Item = &'a String>,
    ) -> Result<Vec<Row>, Failure> {
        let mut shown = BTreeSet::new();
        let mut rows = BTreeMap::new();
        let people: Vec<&String> = people.collect();
        let asked = people.iter().map(|person| {
            let params = json!([self.organization, person, ROWS]);
            ("listMembersDetailHistorique", params)
        });
        self.tell(asked.collect(), |told| match told.collection.as_str() {
            "citoyens" => shown.extend(document(&told).map(str::to_owned)),
            "loguseractions" => {
                let row = document(&told).and_then(|id| self.row(id, &told.fields));
                rows.extend(row.map(|row| (row.id.clone(), row)));
            }
            _ => {}
        })
        .await?;
        // Whoever may not see the log is shown an empty one: only the person themselves tell it apart.
        if !people.is_empty() && people.iter().all(|person| !shown.contains(*person)) {
            return Err(failure::no_log(self.base.host()));
        }
        Ok(rows.into_values().collect())
    }

    /// What the organisation's own page says; nothing where there is none.
    pub(crate) async fn organization(&self) -> Result<Option<Organization>, Failure> {
        let mut found = None;
        let params = json!(["organizations", self.organization]);
        let user = self
            .tell(vec![("scopeDetail", params)], |told| {
                if told.collection == "organizations" && document(&told) == Some(&self.organization)
                {
                    found = Some(told.fields);
                }
            })
            .await?;
        Ok(found.map(|fields| {
            let member = &fields["links"]["members"][&user];
            Organization {
                is_ours: member["isAdmin"] == true && member["toBeValidated"] != true,
                posts: fields["oceco"]["notificationChat"] == true,
            }
        }))
    }

    /// Signs in, asks for publications and hears them; gives who we are.
    async fn tell(
        &self,
        publications: Vec<(&str, Value)>,
        mut each: impl FnMut(Told),
    ) -> Result<String, Failure> {
        let host = self.base.host();
        let talk = async {
            let (mut talk, user) = self.sign_in().await?;
            let mut waiting = BTreeSet::new();
            for (name, params) in &publications {
                let id = talk.subscribe(name, params).await;
                waiting.insert(id.ok_or_else(|| failure::log_broke(host))?);
            }
            let told = talk.told(waiting, |told| {
                if matches!(told.msg.as_str(), "added" | "changed") {
                    each(told);
                }
            });
            told.await.ok_or_else(|| failure::log_broke(host))?;
            Ok(user)
        };
        let ended = tokio::time::timeout(PATIENCE, talk).await;
        ended.unwrap_or_else(|_| Err(failure::log_broke(host)))
    }

    /// A conversation in which we are somebody, and who.
    async fn sign_in(&self) -> Result<(Ddp, String), Failure> {
        let host = self.base.host();
        let broke = || failure::log_broke(host);
        let password = self.password.read()?;
        if self.refused.was(&password, self.clock.now()) {
            return Err(failure::password(host));
        }
        let socket = self
            .http
            .socket(Request::get(&self.base.join("websocket")?));
        let mut talk = Ddp::greet(socket.await?).await.ok_or_else(broke)?;
        let mut kept = self.kept.lock().await;
        if let Some(token) = &*kept {
            let again = json!([{ "resume": token.expose_secret() }]);
            if let Ok(result) = talk.call("login", &again).await.ok_or_else(broke)? {
                return Ok((talk, who(&result)));
            }
        }
        let login = json!([{ "email": self.email, "pwd": password.expose_secret() }]);
        match talk.call("login", &login).await.ok_or_else(broke)? {
            Ok(result) => {
                *kept = result["token"].as_str().map(Into::into);
                Ok((talk, who(&result)))
            }
            Err(error) if whole(&error["error"]).is_some_and(|code| WRONG.contains(&code)) => {
                self.refused.note(&password, self.clock.now());
                Err(failure::password(host))
            }
            // Communecter, which is asked, is away, or there were too many.
            Err(_) => Err(broke()),
        }
    }

    fn row(&self, id: &str, fields: &Value) -> Option<Row> {
        let text = |name: &str| Some(id_of(&fields[name])?.to_owned());
        (text("organizationId")? == self.organization).then_some(())?;
        Some(Row {
            id: id.to_owned(),
            account: text("userId")?,
            action: text("actionId")?,
            credits: whole(&fields["credits"])?,
            at: fields["createdAt"].as_str().and_then(|at| at.parse().ok()),
        })
    }
}

/// Which document is told of.
fn document(told: &Told) -> Option<&str> {
    id_of(told.id.as_ref()?)
}

/// Who signed in.
fn who(result: &Value) -> String {
    id_of(&result["id"]).unwrap_or_default().to_owned()
}
