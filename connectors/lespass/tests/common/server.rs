//! The server: events, reservations, tickets, keys, its webhook.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use http::Method;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use raccord_kit::standin::{Play, Reply, Seen};
use raccord_kit::{Clock as _, ManualClock};
use raccord_model::EntityId;
use serde_json::{Value, json};
use url::Url;

use super::quirks::Quirk;

pub(crate) const KEY: &str = "key-canary-of-lespass";
pub(crate) const SCANNER: &str = "scanner-canary-of-lespass";
/// A product that events can be booked with.
pub(crate) const PRODUCT: &str = "3f6c0a52-9a3e-4a0e-8a53-2f6f1f0b7c11";
/// The page for accidents.
const ACCIDENT: &str = "<!doctype html><title>Server Error (500)</title>";

/// What goes wrong with the next request that asks for a change of events.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It is done, and nobody is told.
    LoseAnswer,
    /// It is not done, and the connection breaks.
    Reset,
    /// It is answered with this, and not done.
    Refuse(Reply),
}

/// The language of the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    French,
    English,
    /// One that nobody here knows.
    Other,
}

#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) uuid: String,
    pub(crate) name: String,
    pub(crate) start: Timestamp,
    pub(crate) end: Option<Timestamp>,
    pub(crate) description: String,
    pub(crate) places: u64,
    pub(crate) category: &'static str,
    pub(crate) parent: Option<String>,
    pub(crate) published: bool,
    pub(crate) products: BTreeSet<String>,
    pub(crate) url: String,
    pub(crate) tags: Vec<String>,
    pub(crate) private: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub(crate) uuid: String,
    pub(crate) status: char,
    pub(crate) name: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Reservation {
    pub(crate) uuid: String,
    pub(crate) event: String,
    pub(crate) mail: String,
    pub(crate) status: &'static str,
    pub(crate) changed: Timestamp,
    pub(crate) tickets: Vec<Ticket>,
}

pub(crate) struct State {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) lost: Option<Quirk>,
    pub(crate) events: Vec<Event>,
    pub(crate) reservations: Vec<Reservation>,
    /// The rights of each key.
    pub(crate) keys: BTreeMap<String, BTreeSet<&'static str>>,
    pub(crate) scanner: String,
    pub(crate) archived: bool,
    pub(crate) products: BTreeSet<String>,
    pub(crate) language: Language,
    pub(crate) webhook: bool,
    /// What the webhook calls to say, not yet answered.
    pub(crate) calls: VecDeque<String>,
    pub(crate) faults: VecDeque<Fault>,
    counter: u64,
}

/// A handle; clones are the same server.
#[derive(Clone)]
pub(crate) struct Server(Arc<Mutex<State>>);

impl Server {
    pub(crate) fn new(clock: Arc<ManualClock>, lost: Option<Quirk>) -> Self {
        let rights = ["event", "reservation", "product", "admin"];
        Self(Arc::new(Mutex::new(State {
            clock,
            lost,
            events: Vec::new(),
            reservations: Vec::new(),
            keys: [(KEY.to_owned(), rights.into())].into(),
            scanner: SCANNER.to_owned(),
            archived: false,
            products: [PRODUCT.to_owned()].into(),
            language: Language::French,
            webhook: false,
            calls: VecDeque::new(),
            faults: VecDeque::new(),
            counter: 0,
        })))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn fault(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    /// The published events, by name.
    pub(crate) fn names(&self) -> Vec<String> {
        let state = self.state();
        let shown = state.events.iter().filter(|event| event.published);
        let mut names: Vec<String> = shown.map(|event| event.name.clone()).collect();
        names.sort();
        names
    }

    pub(crate) fn event(&self, name: &str) -> Event {
        let state = self.state();
        let found = state.events.iter().find(|event| event.name == name);
        found.unwrap_or_else(|| panic!("no event {name}")).clone()
    }

    /// Somebody edits an event in the administration.
    pub(crate) fn edits(&self, name: &str, change: impl FnOnce(&mut Event)) {
        let mut state = self.state();
        let keeps = state.lost == Some(Quirk::EditorsLoseComments);
        let event = state.events.iter_mut().find(|event| event.name == name);
        let event = event.unwrap();
        change(event);
        if !keeps && let Some(at) = event.description.find("<!--") {
            event.description.truncate(at);
        }
    }

    /// Somebody books on the web site, for so many; gives the reservation.
    pub(crate) fn books(&self, event: &str, who: &str, places: usize) -> String {
        self.state()
            .book(event, &format!("{who}@example.org"), places, "FA")
    }

    /// The mails of all that was booked leave: nobody is called for that.
    pub(crate) fn mails(&self) {
        let mut state = self.state();
        let now = state.now();
        let waits = |one: &&mut Reservation| matches!(one.status, "FA" | "P");
        for known in state.reservations.iter_mut().filter(waits) {
            (known.status, known.changed) = ("V", now);
        }
    }

    /// A reservation gets another status.
    pub(crate) fn becomes(&self, reservation: &str, status: &'static str) {
        let mut state = self.state();
        let now = state.now();
        let known = state
            .reservations
            .iter_mut()
            .find(|one| one.uuid == reservation);
        let known = known.unwrap();
        let before = known.status;
        known.status = status;
        known.changed = now;
        if status == "C" {
            known
                .tickets
                .iter_mut()
                .for_each(|ticket| ticket.status = 'R');
        }
        if status == "C" && state.lost == Some(Quirk::CancelledStays) {
            state.reservations.retain(|one| one.uuid != reservation);
        }
        let others = status == "C" && state.lost == Some(Quirk::HookNotForCancelling);
        if is_called_for(status) || others {
            state.call(reservation, before);
        }
    }

    /// Somebody is scanned at the door.
    pub(crate) fn scans(&self, reservation: &str) {
        let mut state = self.state();
        let known = state
            .reservations
            .iter_mut()
            .find(|one| one.uuid == reservation);
        known.unwrap().tickets[0].status = 'S';
    }

    /// The next call of the webhook, and what becomes of it.
    pub(crate) fn calls(&self, answered: bool) -> Option<String> {
        let mut state = self.state();
        let call = state.calls.pop_front();
        if call.is_some() && !answered && state.lost != Some(Quirk::HookSwitchesItselfOff) {
            state.webhook = false;
        }
        call
    }

    pub(crate) fn answer(&self, seen: &Seen) -> Play {
        let mut state = self.state();
        let url = Url::parse("http://h").unwrap().join(&seen.path).unwrap();
        let changes = seen.writes() && url.path().starts_with("/api/v2/events");
        match changes.then(|| state.faults.pop_front()).flatten() {
            Some(Fault::Reset) => return Play::Reset,
            Some(Fault::Refuse(reply)) => return reply.into(),
            Some(Fault::LoseAnswer) => {
                state.serve(seen, &url);
                return Play::DoneThenReset;
            }
            None => {}
        }
        state.serve(seen, &url).into()
    }
}

impl State {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn has(&self, quirk: Quirk) -> bool {
        self.lost != Some(quirk)
    }

    fn uuid(&mut self) -> String {
        self.counter += 1;
        EntityId::derive(&[b"lespass", &self.counter.to_be_bytes()]).to_string()
    }

    pub(crate) fn book(
        &mut self,
        event: &str,
        mail: &str,
        places: usize,
        status: &'static str,
    ) -> String {
        if !self.has(Quirk::BooksTwice) {
            let known = self.reservations.iter();
            let mut known = known.filter(|one| one.event == event && one.mail == mail);
            if let Some(known) = known.next() {
                return known.uuid.clone();
            }
        }
        let uuid = self.uuid();
        let name = mail.split('@').next().unwrap_or_default().to_owned();
        let tickets = (0..places)
            .map(|_| Ticket {
                uuid: self.uuid(),
                status: if matches!(status, "V" | "FA") {
                    'K'
                } else {
                    'N'
                },
                name: name.clone(),
            })
            .collect();
        self.reservations.push(Reservation {
            uuid: uuid.clone(),
            event: event.to_owned(),
            mail: mail.to_owned(),
            status,
            changed: self.now(),
            tickets,
        });
        if is_called_for(status) {
            self.call(&uuid, "R");
        }
        uuid
    }

    /// Its webhook has something to say.
    fn call(&mut self, reservation: &str, before: &str) {
        if !self.webhook {
            return;
        }
        let known = self.reservations.iter().find(|one| one.uuid == reservation);
        let Some(known) = known else { return };
        let state = if self.has(Quirk::HookTellsAnEarlierState) {
            before
        } else {
            known.status
        };
        let call = if self.has(Quirk::HookIsAForm) {
            let at = known
                .changed
                .strftime("%Y-%m-%d+%H%%3A%M%%3A%S%%2B00%%3A00");
            format!("object=reservation&uuid={reservation}&state={state}&datetime={at}")
        } else {
            json!({ "object": "reservation", "uuid": reservation, "state": state }).to_string()
        };
        self.calls.push_back(call);
    }

    fn serve(&mut self, seen: &Seen, url: &Url) -> Reply {
        let path = url.path();
        if !path.ends_with('/') && self.has(Quirk::SlashNeeded) {
            return Reply::redirect(301, &format!("{path}/"));
        }
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let body: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
        match parts[..] {
            ["scan", action] => self.scan(seen, action, &body),
            ["api", "reservations"] => self.allowed(seen, "reservation").unwrap_or_else(|| {
                let admin = self.rights(seen).contains("admin");
                if !admin && self.has(Quirk::ListWantsAnAdmin) {
                    return self.forbidden();
                }
                self.list_of_v1()
            }),
            ["api", "v2", "events", ref rest @ ..] => match self.allowed(seen, "event") {
                Some(refusal) => refusal,
                None => self.events(seen, url, rest, &body),
            },
            ["api", "v2", "reservations", ref rest @ ..] => {
                match self.allowed(seen, "reservation") {
                    Some(refusal) => refusal,
                    None => self.reservations_of_v2(seen, rest, &body),
                }
            }
            ["api", "v2", "products"] => self.allowed(seen, "product").unwrap_or_else(|| {
                let shown = |id: &String| json!({ "identifier": id, "name": "Entrée libre" });
                let all: Vec<Value> = self.products.iter().map(shown).collect();
                ok(&json!({ "results": all }))
            }),
            _ => Reply::status(404).body(ACCIDENT),
        }
    }

    fn rights(&self, seen: &Seen) -> BTreeSet<&'static str> {
        let key = seen.header("authorization").strip_prefix("Api-Key ");
        let known = key.and_then(|key| self.keys.get(key));
        known.cloned().unwrap_or_default()
    }

    fn allowed(&self, seen: &Seen, right: &str) -> Option<Reply> {
        (!self.rights(seen).contains(right)).then(|| self.forbidden())
    }

    fn forbidden(&self) -> Reply {
        let status = if self.has(Quirk::EveryDoubtIs403) {
            403
        } else {
            401
        };
        Reply::status(status).body(self.says("Clé invalide.", "Invalid key."))
    }

    /// A text in the language of the place.
    fn says(&self, fr: &str, en: &str) -> String {
        let french = self.language == Language::French && self.has(Quirk::TextsInThePlacesLanguage);
        json!({ "detail": if french { fr } else { en } }).to_string()
    }

    fn events(&mut self, seen: &Seen, url: &Url, rest: &[&str], body: &Value) -> Reply {
        match (seen.method.as_str(), rest) {
            ("GET", []) => self.list(url),
            ("POST", []) => self.create(body),
            ("GET", [uuid]) => match self.find(uuid) {
                Some(at) => ok(&self.shown(at)),
                None => Reply::status(404).body("{}"),
            },
            ("DELETE", [uuid]) => self.delete(uuid),
            ("PUT" | "PATCH", [uuid]) => {
                if self.has(Quirk::NoUpdate) {
                    return Reply::status(405).body(self.says("Méthode refusée", "Not allowed"));
                }
                let at = self.find(uuid).unwrap();
                body["name"]
                    .as_str()
                    .unwrap()
                    .clone_into(&mut self.events[at].name);
                ok(&self.shown(at))
            }
            ("POST", [uuid, "link-product"]) => self.link(uuid, body),
            _ => Reply::status(405),
        }
    }

    fn find(&self, uuid: &str) -> Option<usize> {
        self.events.iter().position(|event| event.uuid == uuid)
    }

    fn list(&self, url: &Url) -> Reply {
        let query: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        let now = self.now();
        let day = SignedDuration::from_hours(24);
        let from = if self.has(Quirk::ListFromYesterday) {
            now.checked_sub(day).unwrap()
        } else {
            now
        };
        let until = match query.get("next_days").map(|days| days.parse::<i64>()) {
            None => None,
            Some(Ok(days)) if (1..=366).contains(&days) || !self.has(Quirk::DaysHaveBounds) => {
                Some(now.checked_add(day * i32::try_from(days).unwrap()).unwrap())
            }
            Some(_) => return Reply::status(400).body(self.says("entre 1 et 366", "1 to 366")),
        };
        let text = query.get("filter").map(|text| text.to_lowercase());
        let shown = (0..self.events.len()).filter(|at| {
            let event = &self.events[*at];
            let coming = event.start >= from || event.end.is_some_and(|end| end >= from);
            let within = until.is_none_or(|until| coming && event.start < until);
            let action = event.parent.is_some() && !self.has(Quirk::ActionsAmongEvents);
            let published = event.published || !self.has(Quirk::ListHidesUnpublished);
            let said = text.as_ref().is_none_or(|text| {
                let has = |one: &str| one.to_lowercase().contains(text);
                has(&event.name) || has(&event.description)
            });
            published && within && said && !action
        });
        let all: Vec<Value> = shown.map(|at| self.shown(at)).collect();
        ok(&json!({ "results": all }))
    }

    fn create(&mut self, body: &Value) -> Reply {
        let text = |name: &str| body[name].as_str();
        let moment = |name: &str| text(name)?.parse::<Timestamp>().ok();
        let (Some(name), Some(start)) = (text("name"), moment("startDate")) else {
            return Reply::status(400).body("{\"name\":[\"Ce champ est obligatoire.\"]}");
        };
        if name.chars().count() > 200 {
            return Reply::status(400).body("{\"name\":[\"200 caractères au plus.\"]}");
        }
        let places = body["maximumAttendeeCapacity"].as_u64();
        if places.is_some_and(|places| places > 32_767) {
            return Reply::status(500).body(ACCIDENT);
        }
        if self
            .events
            .iter()
            .any(|one| one.name == name && one.start == start)
        {
            if self.has(Quirk::DuplicateIs500) {
                return Reply::status(500).body(ACCIDENT);
            }
            return Reply::status(409).body("{}");
        }
        let parent = text("superEvent").map(str::to_owned);
        if parent
            .as_ref()
            .is_some_and(|parent| self.find(parent).is_none())
        {
            return Reply::status(400)
                .body(self.says("Evènement parent introuvable.", "No parent."));
        }
        let category = match text("@type").unwrap_or("Event") {
            _ if parent.is_some() && self.has(Quirk::ParentMakesAnAction) => "ACT",
            "MusicEvent" => "LIV",
            "SocialEvent" => "REU",
            "EducationEvent" => "CON",
            "FoodEvent" => "RES",
            "Festival" => "FES",
            _ => "CHT",
        };
        let mut description = text("description").unwrap_or_default().to_owned();
        if !self.has(Quirk::HtmlStandsAsSent)
            && let Some(at) = description.find("<!--")
        {
            description.truncate(at);
        }
        let uuid = self.uuid();
        let own = format!("https://lieu.example.org/event/{}/", &uuid[..8]);
        let tags = body["keywords"].as_array().into_iter().flatten();
        let event = Event {
            name: name.to_owned(),
            start,
            end: moment("endDate"),
            description,
            places: places.unwrap_or(if self.has(Quirk::FiftyPlacesUnasked) {
                50
            } else {
                32_767
            }),
            category,
            parent,
            published: true,
            products: BTreeSet::new(),
            url: match text("url").filter(|_| !self.has(Quirk::UrlIsItsOwn)) {
                Some(url) => url.to_owned(),
                None => own,
            },
            tags: tags
                .filter_map(|tag| Some(tag.as_str()?.to_owned()))
                .collect(),
            private: body["audience"]["audienceType"] == "private",
            uuid,
        };
        self.events.push(event);
        let shown = self.shown(self.events.len() - 1);
        Reply::status(201).body(shown.to_string())
    }

    fn delete(&mut self, uuid: &str) -> Reply {
        if self.find(uuid).is_none() {
            return Reply::status(404).body("{}");
        }
        let goes: BTreeSet<String> = self
            .events
            .iter()
            .filter(|one| one.uuid == uuid || one.parent.as_deref() == Some(uuid))
            .map(|one| one.uuid.clone())
            .collect();
        let protects = |one: &&Reservation| {
            let counts = one.status != "C" || self.has(Quirk::CancelledStillProtects);
            goes.contains(&one.event) && counts
        };
        if self.reservations.iter().any(|one| protects(&one)) {
            let status = if self.has(Quirk::DeleteReservedIs500) {
                500
            } else {
                409
            };
            return Reply::status(status).body(ACCIDENT);
        }
        let alone = !self.has(Quirk::DeleteCascades);
        self.events
            .retain(|one| !goes.contains(&one.uuid) || alone && one.uuid != uuid);
        Reply::status(204)
    }

    fn link(&mut self, uuid: &str, body: &Value) -> Reply {
        let Some(at) = self.find(uuid) else {
            return Reply::status(404).body("{}");
        };
        let all = body["products"].as_array().cloned().unwrap_or_default();
        for product in all.iter().filter_map(Value::as_str) {
            if !self.products.contains(product) {
                return Reply::status(400).body(self.says("Produit introuvable", "No product"));
            }
            let fresh = self.events[at].products.insert(product.to_owned());
            if !fresh && !self.has(Quirk::LinkTwiceIsFine) {
                return Reply::status(409).body("{}");
            }
        }
        ok(&self.shown(at))
    }

    fn shown(&self, at: usize) -> Value {
        let event = &self.events[at];
        let zone = if self.has(Quirk::DatesInThePlacesZone) {
            "Indian/Reunion"
        } else {
            "UTC"
        };
        let zone = TimeZone::get(zone).unwrap();
        let moment = |at: Timestamp| {
            let zoned = at.to_zoned(zone.clone());
            json!(zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
        };
        let french = self.language == Language::French && self.has(Quirk::TypeInThePlacesLanguage);
        let label = match (event.category, french) {
            ("ACT", true) => "Volontariat",
            ("ACT", false) => "Volunteering",
            (_, true) => "Chantier participatif",
            (_, false) => "Workcamp",
        };
        let parent = event
            .parent
            .as_ref()
            .map(|parent| json!({ "@type": "Event", "identifier": parent, "name": "…" }));
        let mut shown = json!({
            "@context": "https://schema.org", "@type": "Event", "additionalType": label,
            "identifier": event.uuid, "name": event.name, "startDate": moment(event.start),
            "endDate": event.end.map(moment), "url": event.url, "superEvent": parent,
            "description": event.description, "maximumAttendeeCapacity": event.places,
            "keywords": event.tags,
            "audience": event.private.then(|| json!({ "@type": "Audience", "audienceType": "private" })),
            "eventStatus": if event.published { "https://schema.org/EventScheduled" } else { "https://schema.org/EventCancelled" },
        });
        if self.has(Quirk::NullsLeftOut) {
            let empty = |value: &Value| value.is_null() || *value == "" || *value == json!([]);
            shown
                .as_object_mut()
                .unwrap()
                .retain(|_, value| !empty(value));
        }
        shown
    }

    fn reservations_of_v2(&mut self, seen: &Seen, rest: &[&str], body: &Value) -> Reply {
        match (&seen.method, rest) {
            (&Method::POST, []) => {
                let event = body["reservationFor"]["identifier"]
                    .as_str()
                    .unwrap_or_default();
                let mail = body["underName"]["email"].as_str().unwrap_or_default();
                let Some(at) = self.find(event) else {
                    return Reply::status(400).body("{\"reservationFor\":\"Event not found.\"}");
                };
                let known = &self.events[at];
                let action = known.parent.is_some() && self.has(Quirk::ActionNeedsNoProduct);
                let free = action || !known.products.is_empty();
                if !free && self.has(Quirk::EventNeedsAProduct) {
                    return Reply::status(400).body(self.says("Aucun tarif.", "No price."));
                }
                let status = if self.has(Quirk::MailNotShownYet) {
                    "F"
                } else {
                    "V"
                };
                let uuid = self.book(event, mail, 1, status);
                Reply::status(201).body(json!({ "identifier": uuid }).to_string())
            }
            (&Method::GET, [uuid]) => {
                let known = self.reservations.iter().find(|one| one.uuid == **uuid);
                let Some(known) = known else {
                    return Reply::status(404).body("{}");
                };
                let said = match known.status {
                    "V" => "ReservationConfirmed",
                    "C" if !self.has(Quirk::CancelledReadsPending) => "ReservationCancelled",
                    _ => "ReservationPending",
                };
                ok(&json!({ "reservationStatus": format!("https://schema.org/{said}") }))
            }
            (&Method::GET, []) if !self.has(Quirk::NoListInV2) => ok(&json!({ "results": [] })),
            _ => Reply::status(405).body("{}"),
        }
    }

    fn list_of_v1(&self) -> Reply {
        let mut all: Vec<&Reservation> = self.reservations.iter().collect();
        if self.has(Quirk::NewestChangeFirst) {
            all.sort_by_key(|one| std::cmp::Reverse(one.changed));
        }
        if !self.has(Quirk::ListHasNoPages) {
            all.truncate(100);
        }
        let zone = TimeZone::get("Indian/Reunion").unwrap();
        let shown = all.iter().map(|one| {
            let changed = one.changed.to_zoned(zone.clone());
            let tickets: Vec<&String> = one.tickets.iter().map(|ticket| &ticket.uuid).collect();
            json!({
                "uuid": one.uuid, "event": one.event, "user_mail": one.mail,
                "status": one.status, "tickets": tickets, "options": [], "paiements": [],
                "datetime": changed.strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string(),
            })
        });
        let all: Vec<Value> = shown.collect();
        ok(&json!(all)).header("deprecation", "true")
    }

    fn scan(&mut self, seen: &Seen, action: &str, body: &Value) -> Reply {
        let key = seen.header("authorization").strip_prefix("Api-Key ");
        if key != Some(&self.scanner) {
            return if self.has(Quirk::WrongScannerIs500) {
                Reply::status(500).body(ACCIDENT)
            } else {
                Reply::status(403).body("{}")
            };
        }
        if self.archived && self.has(Quirk::ArchivedScannerIs403) {
            return Reply::status(403).body("{\"detail\":\"App is archived.\"}");
        }
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let code = text("qrcode_data");
        let named = |ticket: &Ticket| format!("qr:{}", ticket.uuid) == code;
        match action {
            "check_api_scan" => ok(&json!({ "scan_app": "raccord" })),
            "list_tickets" => self.tickets(&text("event_uuid"), body),
            "check_ticket" => {
                let mut tickets = self.reservations.iter().flat_map(|one| &one.tickets);
                let Some(ticket) = tickets.find(|ticket| named(ticket)) else {
                    return Reply::status(404).body("{\"error\":\"Ticket not found\"}");
                };
                let mut told = json!({ "uuid": ticket.uuid, "status": self.label(ticket.status) });
                if self.has(Quirk::CheckSaysScanned) {
                    told["is_scanned"] = json!(ticket.status == 'S');
                }
                ok(&json!({ "success": true, "ticket": told }))
            }
            "ticket" => {
                let again = self.has(Quirk::ScannedTwiceIs200);
                let mut tickets = self
                    .reservations
                    .iter_mut()
                    .flat_map(|one| &mut one.tickets);
                let Some(ticket) = tickets.find(|ticket| named(ticket)) else {
                    return Reply::status(404).body("{\"error\":\"Ticket not found\"}");
                };
                let fresh = ticket.status != 'S';
                ticket.status = 'S';
                if !fresh && !again {
                    return Reply::status(409).body("{}");
                }
                ok(&json!({ "success": fresh }))
            }
            _ => Reply::status(404).body(ACCIDENT),
        }
    }

    fn tickets(&self, event: &str, body: &Value) -> Reply {
        let number = |name: &str, usual: usize| {
            let given = body[name]
                .as_u64()
                .and_then(|one| usize::try_from(one).ok());
            given.unwrap_or(usual)
        };
        let (page, mut size) = (number("page", 1), number("page_size", 40));
        if size > 200 {
            return Reply::status(400).body("{\"page_size\":[\"200\"]}");
        }
        if !self.has(Quirk::TicketsInPages) {
            // As one would have it: all there are, whatever page is asked for.
            size = usize::MAX;
        }
        let of_it = self.reservations.iter().filter(|one| one.event == event);
        let all: Vec<(&Reservation, &Ticket)> = of_it
            .flat_map(|one| one.tickets.iter().map(move |ticket| (one, ticket)))
            .collect();
        let shown = |(one, ticket): &(&Reservation, &Ticket)| {
            json!({
                "uuid": ticket.uuid, "first_name": ticket.name, "last_name": null,
                "email": one.mail, "reservation_uuid": one.uuid,
                "status": self.label(ticket.status), "qrcode_data": format!("qr:{}", ticket.uuid),
            })
        };
        let from = (page - 1).saturating_mul(size);
        let results: Vec<Value> = all.iter().skip(from).take(size).map(shown).collect();
        ok(
            &json!({ "success": true, "count": results.len(), "total": all.len(), "results": results }),
        )
    }

    fn label(&self, status: char) -> &'static str {
        if !self.has(Quirk::LabelsTranslated) {
            return match status {
                'S' => "S",
                _ => "K",
            };
        }
        match (status, self.language) {
            ('S', Language::Other) => "waH",
            (_, Language::Other) => "waHbe'",
            ('S', Language::French) => "Valide et scanné",
            ('S', Language::English) => "Valid and scanned",
            ('K', Language::French) => "Valide et non scanné",
            ('K', Language::English) => "Valid and not scanned",
            (_, Language::French) => "Annulé",
            (_, Language::English) => "Canceled",
        }
    }
}

/// The webhook is for what was paid, or is free and of somebody who showed their address.
fn is_called_for(status: &str) -> bool {
    matches!(status, "P" | "FA")
}

fn ok(body: &Value) -> Reply {
    Reply::ok(body.to_string()).header("content-type", "application/json")
}
