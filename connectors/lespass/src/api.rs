//! The calls of Lespass; the only file that knows addresses. A slash ends each.
//!
//! Read from the source of July 2026 (`api_v2/views.py`, `ApiBillet/views.py`,
//! `BaseBillet/views_scan.py`) and seen on a running server.

use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderValue, Method, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use raccord_kit::http::{Answer, Http, Request, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::{Clock, Learnt};
use raccord_model::{Blame, Failure};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::failure::{self, Doing};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Lists have no pages: how long one may be, in bytes.
const LIST: u64 = 40_000_000;
/// How long a key that was refused is not shown again: whoever gives it rights needs a while.
const REFUSED: SignedDuration = SignedDuration::from_mins(30);
/// How many tickets a page has at most.
const PAGE: usize = 200;
/// How many pages of tickets are read at most: forty thousand people.
const PAGES: usize = 200;

pub(crate) struct Api {
    http: Http,
    base: Target,
    pub(crate) key: Option<SecretSource>,
    pub(crate) scan_key: Option<SecretSource>,
    /// A key may be good for one thing and refused for another.
    refused: [Refused; 4],
    clock: Arc<dyn Clock>,
}

/// A key that was refused for something, and how.
struct Refused {
    key: Learnt,
    how: Mutex<Option<Failure>>,
}

impl Refused {
    const fn new() -> Self {
        Self {
            key: Learnt::believed(REFUSED),
            how: Mutex::new(None),
        }
    }

    fn was(&self, key: &SecretString, now: Timestamp) -> Option<Failure> {
        let how = self.how.lock().unwrap_or_else(PoisonError::into_inner);
        how.clone().filter(|_| self.key.was(key, now))
    }

    fn note(&self, key: &SecretString, now: Timestamp, how: &Failure) {
        self.key.note(key, now);
        *self.how.lock().unwrap_or_else(PoisonError::into_inner) = Some(how.clone());
    }
}

/// An event, or a volunteer action, as it is shown. What is null is left out.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    pub(crate) identifier: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) start_date: Option<String>,
    pub(crate) end_date: Option<String>,
    pub(crate) maximum_attendee_capacity: Option<u32>,
    pub(crate) url: Option<String>,
    #[serde(rename = "superEvent")]
    pub(crate) parent: Option<Parent>,
    #[serde(rename = "eventStatus", default)]
    status: String,
    audience: Option<Audience>,
    #[serde(default)]
    pub(crate) keywords: Vec<String>,
}

/// Whom an event is for.
#[derive(Clone, Debug, Deserialize)]
struct Audience {
    #[serde(rename = "audienceType", default)]
    kind: String,
}

/// The event that an action belongs to.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Parent {
    #[serde(default)]
    pub(crate) identifier: String,
}

impl Event {
    /// Whether people can see it: Lespass has no other way to call something off.
    pub(crate) fn is_published(&self) -> bool {
        !self.status.ends_with("EventCancelled")
    }

    /// Whether it is kept off shared agendas.
    pub(crate) fn is_private(&self) -> bool {
        let audience = self.audience.as_ref();
        audience.is_some_and(|audience| audience.kind == "private")
    }

    pub(crate) fn start(&self) -> Option<Timestamp> {
        instant(self.start_date.as_deref())
    }

    pub(crate) fn end(&self) -> Option<Timestamp> {
        instant(self.end_date.as_deref())
    }
}

/// A moment with its offset.
pub(crate) fn instant(text: Option<&str>) -> Option<Timestamp> {
    text?.parse().ok()
}

#[derive(Deserialize)]
struct Results<T> {
    results: Vec<T>,
}

/// A reservation, as the list of v1 tells it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Reservation {
    pub(crate) uuid: String,
    /// When it last changed.
    #[serde(default)]
    pub(crate) datetime: String,
    #[serde(default)]
    pub(crate) user_mail: String,
    #[serde(default)]
    pub(crate) event: String,
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) tickets: Vec<Value>,
}

impl Reservation {
    /// When it last changed. Texts of moments have the offset of their season.
    pub(crate) fn changed(&self) -> Option<Timestamp> {
        instant(Some(&self.datetime))
    }
}

/// A ticket, as scanners see it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Ticket {
    #[serde(default)]
    pub(crate) first_name: Option<String>,
    #[serde(default)]
    pub(crate) last_name: Option<String>,
    #[serde(default)]
    pub(crate) reservation_uuid: String,
    /// In the language of the place.
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) qrcode_data: String,
}

#[derive(Deserialize)]
struct Tickets {
    results: Vec<Ticket>,
    #[serde(default)]
    total: usize,
}

#[derive(Deserialize)]
struct Checked {
    ticket: CheckedTicket,
}

#[derive(Deserialize)]
struct CheckedTicket {
    is_scanned: bool,
}

/// A product that an event can be booked with.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Product {
    #[serde(default)]
    pub(crate) identifier: String,
    #[serde(default)]
    pub(crate) name: String,
}

impl Api {
    pub(crate) fn new(
        http: Http,
        base: Target,
        key: Option<SecretSource>,
        scan_key: Option<SecretSource>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            http,
            base,
            key,
            scan_key,
            refused: [const { Refused::new() }; 4],
            clock,
        }
    }

    pub(crate) fn host(&self) -> &str {
        self.base.host()
    }

    /// The address of the place, as the settings say it.
    pub(crate) fn site(&self) -> &str {
        self.base.url().as_str()
    }

    async fn send(
        &self,
        request: Request,
        key: Option<&SecretSource>,
        doing: Doing,
    ) -> Result<Answer, Failure> {
        let scans = doing == Doing::Scanning;
        let key = key.ok_or_else(|| failure::no_key(scans))?.read()?;
        let refused = &self.refused[doing.right()];
        if let Some(failure) = refused.was(&key, self.clock.now()) {
            return Err(failure);
        }
        let shown: SecretString = format!("Api-Key {}", key.expose_secret()).into();
        let request = request.secret(header::AUTHORIZATION, &shown);
        let request = match doing {
            Doing::Creating => request.once(),
            _ => request,
        };
        let answer = self.http.send(request).await.map_err(|error| {
            let failure = Failure::from(error);
            match failure.blame {
                // We know which event it is: saying the same again is harmless.
                Blame::Unknown if doing != Doing::Creating => Failure {
                    blame: Blame::Transient,
                    ..failure
                },
                _ => failure,
            }
        })?;
        if answer.status.is_success() && !answer.redirected {
            return Ok(answer);
        }
        if answer.redirected {
            return Err(failure::no_lespass(self.host()));
        }
        let failure = failure::refusal(&self.http, &answer, doing);
        if failure.blame == Blame::Access {
            refused.note(&key, self.clock.now(), &failure);
        }
        Err(failure)
    }

    async fn read<T: DeserializeOwned>(
        &self,
        request: Request,
        key: Option<&SecretSource>,
        doing: Doing,
    ) -> Result<T, Failure> {
        let answer = self.send(request, key, doing).await?;
        serde_json::from_slice(&answer.body).map_err(|_| {
            let failure = failure::no_lespass(self.host());
            match doing {
                // It may have been made all the same.
                Doing::Creating => Failure {
                    blame: Blame::Unknown,
                    ..failure
                },
                _ => failure,
            }
        })
    }

    async fn get<T: DeserializeOwned>(&self, target: &Target, doing: Doing) -> Result<T, Failure> {
        let request = Request::get(target).size(LIST);
        self.read(request, self.key.as_ref(), doing).await
    }

    fn with_body(target: &Target, body: &Value) -> Request {
        Request::new(Method::POST, target)
            .header(header::CONTENT_TYPE, JSON)
            .body(body.to_string())
    }

    /// Published events with this text in their name or description, actions among them.
    pub(crate) async fn with_text(&self, text: &str) -> Result<Vec<Event>, Failure> {
        let target = self.base.join("api/v2/events/")?.query("filter", text);
        let found: Results<Event> = self.get(&target, Doing::Reading).await?;
        Ok(found.results)
    }

    /// Published events of the next year, actions among them.
    pub(crate) async fn coming(&self, days: u16) -> Result<Vec<Event>, Failure> {
        let target = self.base.join("api/v2/events/")?;
        let target = target.query("next_days", &days.to_string());
        let found: Results<Event> = self.get(&target, Doing::Reading).await?;
        Ok(found.results)
    }

    /// All published events there ever were, actions among them.
    pub(crate) async fn all(&self) -> Result<Vec<Event>, Failure> {
        let target = self.base.join("api/v2/events/")?;
        let found: Results<Event> = self.get(&target, Doing::Reading).await?;
        Ok(found.results)
    }

    /// One event, published or not.
    pub(crate) async fn event(&self, uuid: &str) -> Result<Option<Event>, Failure> {
        let target = self.base.join(&format!("api/v2/events/{}/", part(uuid)))?;
        match self.get(&target, Doing::Changing).await {
            Ok(event) => Ok(Some(event)),
            Err(failure) if failure.absent => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Makes an event. It takes no id of ours, and a repeat is a second one or a failure.
    pub(crate) async fn create(&self, body: &Value) -> Result<Event, Failure> {
        let request = Self::with_body(&self.base.join("api/v2/events/")?, body);
        self.read(request, self.key.as_ref(), Doing::Creating).await
    }

    /// Deletes an event with its actions; one that is not there any more is as good. It fails where
    /// anybody ever registered.
    pub(crate) async fn delete(&self, uuid: &str) -> Result<(), Failure> {
        let target = self.base.join(&format!("api/v2/events/{}/", part(uuid)))?;
        let request = Request::new(Method::DELETE, &target).discard_body();
        match self.send(request, self.key.as_ref(), Doing::Changing).await {
            Err(failure) if failure.absent => Ok(()),
            sent => sent.map(drop),
        }
    }

    /// Links products to an event; linking them again changes nothing.
    pub(crate) async fn link(&self, uuid: &str, products: &[String]) -> Result<(), Failure> {
        let path = format!("api/v2/events/{}/link-product/", part(uuid));
        let request = Self::with_body(&self.base.join(&path)?, &json!({ "products": products }));
        let sent = self.send(request.discard_body(), self.key.as_ref(), Doing::Linking);
        sent.await.map(drop)
    }

    /// What events can be booked with.
    pub(crate) async fn products(&self) -> Result<Vec<Product>, Failure> {
        let target = self.base.join("api/v2/products/")?;
        let found: Results<Product> = self.get(&target, Doing::Linking).await?;
        Ok(found.results)
    }

    /// Every reservation the place ever had, the one that changed last first.
    pub(crate) async fn reservations(&self) -> Result<Vec<Reservation>, Failure> {
        let target = self.base.join("api/reservations/")?;
        self.get(&target, Doing::Listing).await
    }

    /// The name of the scanner whose key we have.
    pub(crate) async fn scanner(&self) -> Result<(), Failure> {
        let target = self.base.join("scan/check_api_scan/")?;
        let request = Request::get(&target);
        let read: Value = self
            .read(request, self.scan_key.as_ref(), Doing::Scanning)
            .await?;
        drop(read);
        Ok(())
    }

    /// The tickets of an event.
    pub(crate) async fn tickets(&self, event: &str) -> Result<Vec<Ticket>, Failure> {
        let target = self.base.join("scan/list_tickets/")?;
        let mut all = Vec::new();
        for page in 1..=PAGES {
            // In an order that scanning does not change.
            let body = json!({
                "event_uuid": event, "page": page, "page_size": PAGE,
                "order_by": "uuid", "order_dir": "asc",
            });
            let request = Self::with_body(&target, &body).size(LIST);
            let found: Tickets = self
                .read(request, self.scan_key.as_ref(), Doing::Scanning)
                .await?;
            let none = found.results.is_empty();
            all.extend(found.results);
            if none || all.len() >= found.total {
                return Ok(all);
            }
        }
        Ok(all)
    }

    /// Whether a ticket was scanned, in no language.
    pub(crate) async fn is_scanned(&self, ticket: &Ticket) -> Result<bool, Failure> {
        let target = self.base.join("scan/check_ticket/")?;
        let request = Self::with_body(&target, &json!({ "qrcode_data": ticket.qrcode_data }));
        let checked: Checked = self
            .read(request, self.scan_key.as_ref(), Doing::Scanning)
            .await?;
        Ok(checked.ticket.is_scanned)
    }
}

/// An identifier as a part of an address: nothing in one would need more.
fn part(uuid: &str) -> String {
    let kept: String = uuid
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect();
    if kept.is_empty() {
        "-".to_owned()
    } else {
        kept
    }
}

/// Whether a status says that what we asked for is not there.
pub(crate) fn is_absent(status: StatusCode) -> bool {
    status == StatusCode::NOT_FOUND || status == StatusCode::GONE
}
