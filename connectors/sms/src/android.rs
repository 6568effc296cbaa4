//! The calls of SMS Gateway for Android; the only file that knows addresses.
//!
//! Read from the source of the app (1.60) and of its server. A message has an id of our own: the app
//! refuses a repeat with 409, but its server does so for each phone apart.

use std::sync::Arc;

use http::{HeaderName, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use raccord_kit::http::{Answer, Http, Request, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::{Clock, Learnt};
use raccord_model::{Blame, Failure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::failure;

/// A password that was refused is not shown again for so long.
pub(crate) const REFUSED: SignedDuration = SignedDuration::from_mins(20);
/// A phone that was off sends nothing that is older: it would be over.
const TTL_S: u32 = 12 * 3_600;

/// One phone, or one server of phones.
pub(crate) struct Android {
    http: Http,
    base: Target,
    user: String,
    password: Option<SecretSource>,
    device: Option<String>,
    refused: Learnt,
    clock: Arc<dyn Clock>,
}

/// A message, as it is answered.
#[derive(Deserialize)]
struct Message {
    id: String,
}

/// A phone.
#[derive(Deserialize)]
pub(crate) struct Device {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
}

impl Android {
    pub(crate) fn new(
        http: Http,
        base: Target,
        user: String,
        password: Option<SecretSource>,
        device: Option<String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            http,
            base,
            user,
            password,
            device,
            refused: Learnt::believed(REFUSED),
            clock,
        }
    }

    pub(crate) fn host(&self) -> &str {
        self.base.host()
    }

    pub(crate) fn password(&self) -> Option<&SecretSource> {
        self.password.as_ref()
    }

    pub(crate) fn device(&self) -> Option<&str> {
        self.device.as_deref()
    }

    async fn ask(&self, request: Request) -> Result<Answer, Failure> {
        let source = self.password.as_ref().ok_or_else(failure::no_password)?;
        let password = source.read()?;
        if self.refused.was(&password, self.clock.now()) {
            return Err(failure::credentials(self.host()));
        }
        let answer = self.http.send(request.basic(&self.user, &password)).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            self.refused.note(&password, self.clock.now());
            return Err(failure::credentials(self.host()));
        }
        if answer.redirected {
            return Err(failure::no_gateway(self.host()));
        }
        Ok(answer)
    }

    fn decode<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Failure> {
        serde_json::from_slice(&answer.body).map_err(|_| failure::no_gateway(self.host()))
    }

    /// Hands a message over, under an id of ours. One that is known already is as good.
    pub(crate) async fn send(&self, id: &str, number: &str, text: &str) -> Result<(), Failure> {
        let mut body = json!({
            "id": id,
            "textMessage": { "text": text },
            "phoneNumbers": [number],
            "ttl": TTL_S,
            "withDeliveryReport": false,
        });
        if let Some(device) = &self.device {
            body["deviceId"] = json!(device);
        }
        let request = Request::post(&self.base.join("messages")?, body.to_string())
            .header(header::CONTENT_TYPE, "application/json")
            .once();
        let answer = self.ask(request).await?;
        if answer.status == StatusCode::CONFLICT {
            return Ok(());
        }
        if !answer.status.is_success() {
            let refusal: Failure = self.http.refusal(&answer, true).into();
            return Err(match answer.status {
                StatusCode::SERVICE_UNAVAILABLE => Failure {
                    retry_after_ms: refusal.retry_after_ms,
                    ..failure::phone_away(self.host())
                },
                _ => refusal,
            });
        }
        // Whoever answers otherwise is somebody else, or took it all the same.
        match self.decode::<Message>(&answer) {
            Ok(made) if made.id == id => Ok(()),
            _ => Err(Failure {
                blame: Blame::Unknown,
                ..failure::no_gateway(self.host())
            }),
        }
    }

    /// Whether a message with an id is known.
    pub(crate) async fn knows(&self, id: &str) -> Result<bool, Failure> {
        let target = self.base.join(&format!("messages/{id}"))?;
        let answer = self.ask(Request::get(&target)).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(false),
            status if status.is_success() => {
                let found: Message = self.decode(&answer)?;
                if found.id == id {
                    Ok(true)
                } else {
                    Err(failure::no_gateway(self.host()))
                }
            }
            _ => Err(self.http.refusal(&answer, false).into()),
        }
    }

    /// How many messages it was given since a moment, whoever gave them; nothing where it does not
    /// tell. `state`: only those.
    pub(crate) async fn count(
        &self,
        since: Timestamp,
        state: Option<&str>,
    ) -> Result<Option<u64>, Failure> {
        let mut target = self
            .base
            .join("messages")?
            .query("from", &since.to_string())
            .query("limit", "1");
        if let Some(state) = state {
            target = target.query("state", state);
        }
        let answer = self.ask(Request::get(&target)).await?;
        if !answer.status.is_success() {
            return match answer.status {
                // Older apps have no such list; some accounts may only send.
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::FORBIDDEN => {
                    Ok(None)
                }
                _ => Err(self.http.refusal(&answer, false).into()),
            };
        }
        let total = HeaderName::from_static("x-total-count");
        Ok(answer
            .header(&total)
            .and_then(|text| text.trim().parse().ok()))
    }

    /// The phones behind it: the app itself has another address for that than its server.
    pub(crate) async fn devices(&self) -> Result<Vec<Device>, Failure> {
        for route in ["device", "devices"] {
            let answer = self.ask(Request::get(&self.base.join(route)?)).await?;
            match answer.status {
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {}
                status if status.is_success() => return self.decode(&answer),
                _ => return Err(self.http.refusal(&answer, false).into()),
            }
        }
        Err(failure::no_gateway(self.host()))
    }
}
