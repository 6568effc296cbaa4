//! The calls of listmonk; the only file that knows addresses.
//!
//! Written after its source (v6.2.0, `cmd/campaigns.go`, `internal/core/campaigns.go`) and its own
//! description of its interface.

use std::sync::Arc;

use http::{HeaderValue, Method, StatusCode, header};
use jiff::SignedDuration;
use raccord_kit::http::{Answer, Http, Request, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::{Clock, Learnt};
use raccord_model::{Blame, Failure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::failure;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// How long a token that was refused is not shown again.
const REFUSED: SignedDuration = SignedDuration::from_hours(1);

pub(super) struct Api {
    http: Http,
    site: Target,
    user: String,
    pub(super) token: SecretSource,
    refused: Learnt,
    clock: Arc<dyn Clock>,
}

/// What is asked, and so what an answer that is lost means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    Reading,
    /// A repeat is not harmless.
    Creating,
    /// A repeat is.
    Changing,
}

/// A campaign, as far as it concerns us.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Campaign {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) subject: String,
    #[serde(default)]
    pub(super) body: String,
    #[serde(default)]
    pub(super) altbody: Option<String>,
    #[serde(default)]
    pub(super) archive_slug: Option<String>,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    #[serde(default)]
    pub(super) attribs: Value,
    #[serde(default)]
    lists: Value,
    #[serde(default)]
    media: Value,
}

impl Campaign {
    /// The lists it goes to.
    pub(super) fn lists(&self) -> Vec<u64> {
        ids(&self.lists)
    }

    /// What people attached to it.
    pub(super) fn media(&self) -> Vec<u64> {
        ids(&self.media)
    }

    /// Whether it can still be changed.
    pub(super) fn is_open(&self) -> bool {
        matches!(&*self.status, "draft" | "scheduled" | "paused")
    }
}

fn ids(all: &Value) -> Vec<u64> {
    let all = all.as_array().into_iter().flatten();
    all.filter_map(|one| one["id"].as_u64()).collect()
}

/// A list or a template.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Named {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) name: String,
}

/// The account, as it sees itself.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Profile {
    #[serde(default)]
    user_role: Role,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Role {
    #[serde(default)]
    id: u64,
    #[serde(default)]
    permissions: Vec<String>,
}

impl Profile {
    /// Whether it has one of these rights. The first role there is has all.
    pub(super) fn may(&self, rights: &[&str]) -> bool {
        let role = &self.user_role;
        role.id == 1
            || rights
                .iter()
                .any(|one| role.permissions.iter().any(|it| it == one))
    }
}

impl Api {
    pub(super) fn new(
        http: Http,
        site: Target,
        user: String,
        token: SecretSource,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            http,
            site,
            user,
            token,
            refused: Learnt::believed(REFUSED),
            clock,
        }
    }

    pub(super) fn host(&self) -> &str {
        self.site.host()
    }

    /// The address of a page that people see.
    pub(super) fn page(&self, path: &str) -> String {
        let base = self.site.url().as_str().trim_end_matches('/');
        format!("{base}/{path}")
    }

    async fn send(&self, request: Request, doing: Doing) -> Result<Answer, Failure> {
        let token = self.token.read()?;
        if self.refused.was(&token, self.clock.now()) {
            return Err(failure::credentials(self.host()));
        }
        let answer = self.exchange(request, doing).await?;
        if answer.status.is_success() && !answer.redirected {
            return Ok(answer);
        }
        if answer.redirected {
            return Err(failure::no_listmonk(self.host()));
        }
        if answer.status == StatusCode::FORBIDDEN {
            // A token that is not good and a right that is missing are told the same way: whoever may
            // see nothing of itself has no good token.
            let own = self.target("api/profile")?;
            let own = self.exchange(Request::get(&own), Doing::Reading).await?;
            if own.status == StatusCode::FORBIDDEN {
                self.refused.note(&token, self.clock.now());
                return Err(failure::credentials(self.host()));
            }
            return Err(failure::forbidden(self.host()));
        }
        if answer.status == StatusCode::NOT_FOUND {
            return Err(failure::too_old(self.host()));
        }
        Err(self.http.refusal(&answer, doing == Doing::Creating).into())
    }

    async fn exchange(&self, request: Request, doing: Doing) -> Result<Answer, Failure> {
        let request = request.basic(&self.user, &self.token.read()?);
        let request = if doing == Doing::Creating {
            request.once()
        } else {
            request
        };
        self.http.send(request).await.map_err(|error| {
            let failure = Failure::from(error);
            match failure.blame {
                // We know which campaign it is: saying the same again is harmless.
                Blame::Unknown if doing != Doing::Creating => Failure {
                    blame: Blame::Transient,
                    ..failure
                },
                _ => failure,
            }
        })
    }

    fn target(&self, path: &str) -> Result<Target, Failure> {
        self.site.join(&self.page(path))
    }

    async fn read<T: DeserializeOwned>(
        &self,
        request: Request,
        doing: Doing,
    ) -> Result<T, Failure> {
        let answer = self.send(request, doing).await?;
        let said: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let data = said.and_then(|mut said| said.get_mut("data").map(Value::take));
        data.and_then(|data| serde_json::from_value(data).ok())
            .ok_or_else(|| Failure {
                // It may have been made all the same.
                blame: match doing {
                    Doing::Creating => Blame::Unknown,
                    Doing::Reading | Doing::Changing => Blame::Transient,
                },
                ..failure::no_listmonk(self.host())
            })
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        let mut target = self.target(path)?;
        for (name, value) in query {
            target = target.query(name, value);
        }
        self.read(Request::get(&target), Doing::Reading).await
    }

    async fn write(&self, method: Method, path: &str, body: &Value) -> Result<Campaign, Failure> {
        let doing = if method == Method::POST {
            Doing::Creating
        } else {
            Doing::Changing
        };
        let target = self.target(path)?;
        let request = Request::new(method, &target)
            .header(header::CONTENT_TYPE, JSON)
            .body(body.to_string());
        self.read(request, doing).await
    }

    /// The account.
    pub(super) async fn profile(&self) -> Result<Profile, Failure> {
        self.get("api/profile", &[]).await
    }

    /// The lists it may use.
    pub(super) async fn lists(&self) -> Result<Vec<Named>, Failure> {
        let query = [("minimal", "true"), ("per_page", "all")];
        Ok(results(&self.get("api/lists", &query).await?))
    }

    /// The templates there are.
    pub(super) async fn templates(&self) -> Result<Vec<Named>, Failure> {
        Ok(results(&self.get("api/templates", &[]).await?))
    }

    /// The campaigns, all or those with a tag, without what they say.
    pub(super) async fn campaigns(&self, tag: Option<&str>) -> Result<Vec<Campaign>, Failure> {
        let mut query = vec![("per_page", "all"), ("no_body", "true")];
        query.extend(tag.map(|tag| ("tag", tag)));
        Ok(results(&self.get("api/campaigns", &query).await?))
    }

    /// One campaign, whole.
    pub(super) async fn campaign(&self, id: u64) -> Result<Campaign, Failure> {
        self.get(&format!("api/campaigns/{id}"), &[]).await
    }

    /// A new campaign. listmonk makes every one a draft.
    pub(super) async fn create(&self, body: &Value) -> Result<Campaign, Failure> {
        self.write(Method::POST, "api/campaigns", body).await
    }

    /// Changes a campaign. Lists and media that are not sent again are taken off.
    pub(super) async fn change(&self, there: &Campaign, body: &Value) -> Result<Campaign, Failure> {
        let mut body = body.clone();
        body["lists"] = json!(there.lists());
        body["media"] = json!(there.media());
        let path = format!("api/campaigns/{}", there.id);
        self.write(Method::PUT, &path, &body).await
    }
}

/// What is listed: under `results`, or bare where nothing is.
fn results<T: DeserializeOwned>(data: &Value) -> Vec<T> {
    let all = data.get("results").unwrap_or(data).as_array();
    let all = all.into_iter().flatten();
    all.filter_map(|one| T::deserialize(one).ok()).collect()
}
