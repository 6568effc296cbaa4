//! What the pages show, read from the engine, in the words of one language.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use raccord_engine::{Commitment, Engine, Standpoint};
use raccord_look::{clean, credits, dates};
use raccord_model::{Activity, Civil, Entity, EntityId, EntityKind, Lang};
use raccord_web::hands::{Item, List, Offer, Own, Row};
use serde_json::{Value, json};

use super::keys::{Code, Key};

/// The most things on one page.
const MOST: usize = 300;
/// Without a lead time of its own a task is urgent so many days before it is due.
const SOON: i64 = 2;

/// Who looks, when, and in which language.
pub(super) struct Look<'a> {
    pub(super) engine: &'a mut Engine,
    pub(super) now: Timestamp,
    pub(super) zone: TimeZone,
    pub(super) lang: Lang,
    pub(super) person: Option<EntityId>,
    pub(super) organiser: bool,
    /// What codes are made with, and where they lead.
    pub(super) codes: Option<(&'a Key, String)>,
}

/// An offer and what it is ordered by.
struct Ranked {
    offer: Offer,
    /// When somebody must have been found.
    by: Option<Date>,
    priority: u64,
    start: Option<Civil>,
}

impl Look<'_> {
    fn today(&self) -> Date {
        self.zone.to_datetime(self.now).date()
    }

    /// An entity that whoever looks may see.
    fn visible(&self, id: EntityId) -> Option<(Entity, Option<Entity>)> {
        let known = self.engine.entity(id)?;
        let of = match known.kind {
            EntityKind::Activity => None,
            EntityKind::Task => {
                let of = known.text("activity").parse().ok();
                of.and_then(|of| self.engine.entity(of))
            }
            _ => return None,
        };
        let own = known.fields.get("visibility").and_then(Value::as_str);
        let of_it = of.as_ref().map(|of| of.text("visibility"));
        let hidden = own.or(of_it) == Some("internal");
        let draft = [Some(&known), of.as_ref()]
            .into_iter()
            .flatten()
            .any(|it| it.text("status") == "draft" || it.is_foreign());
        let own = || {
            let person = self.person?;
            self.engine.sign_up_of(id, person)
        };
        let sees = !hidden && !draft || self.organiser || own().is_some();
        sees.then_some((known, of))
    }

    fn ranked(&mut self, id: EntityId) -> Option<Ranked> {
        let (known, of) = self.visible(id)?;
        let lang = self.lang;
        let words = |text: &str| clean::set(text, 300, lang);
        let due: Option<Civil> = known.text("due").parse().ok();
        let timed = of.as_ref().unwrap_or(&known);
        let start: Option<Civil> = due.or_else(|| timed.text("start").parse().ok());
        let number = |name: &str| known.fields.get(name).and_then(Value::as_u64);
        let (taken, waiting) = self.engine.taken(id);
        let task = known.kind == EntityKind::Task;
        let needed = number("minimum")
            .or_else(|| number("capacity"))
            .unwrap_or(1);
        let open = known.text("state") != "done";
        let missing = if task && open {
            needed.saturating_sub(taken)
        } else {
            0
        };
        let lead = number("lead").and_then(|days| i64::try_from(days).ok());
        let by = start.map(|start| before(start.date(), lead.unwrap_or(SOON)));
        let closed = self.engine.closed(id, self.now);
        let closed = closed.map_or_else(String::new, |why| why.get(lang).to_owned());
        let (people, unnamed) = self.people(id, taken);
        let own = self
            .person
            .and_then(|person| self.engine.sign_up_of(id, person));
        let own = own.filter(|own| own.standing != Commitment::Cancelled);
        let begun = timed
            .text("start")
            .parse()
            .is_ok_and(|start: Civil| begins(start) <= self.zone.to_datetime(self.now));
        let offer = Offer {
            id: id.to_string(),
            title: words(known.text("title")),
            of: of
                .as_ref()
                .map(|of| words(of.text("title")))
                .unwrap_or_default(),
            when: self.when(&known, of.as_ref(), due),
            room: words(match known.text("room") {
                "" => timed.text("room"),
                own => own,
            }),
            capacity: number("capacity"),
            taken,
            missing,
            waiting: waiting as u64,
            guide: clean::address(known.text("guide"))
                .unwrap_or_default()
                .to_owned(),
            register: clean::address(match known.text("register") {
                "" => of.as_ref().map_or("", |of| of.text("register")),
                own => own,
            })
            .unwrap_or_default()
            .to_owned(),
            credits: worth(&known, lang),
            urgent: missing > 0 && closed.is_empty() && by.is_some_and(|by| by <= self.today()),
            closed,
            own: own.map(|own| self.own(&own, begun)),
            people,
            unnamed,
        };
        Some(Ranked {
            offer,
            by,
            priority: number("priority").unwrap_or(5),
            start: start.or_else(|| timed.text("start").parse().ok()),
        })
    }

    fn own(&self, own: &Standpoint, begun: bool) -> Own {
        let code = self.codes.as_ref().map(|(key, address)| {
            let code = key.code(&Code {
                registration: own.registration,
                turn: own.turn,
                until: self.now.as_second() + CODE,
            });
            format!("{address}/hands/here?k={code}")
        });
        Own {
            registration: own.registration.to_string(),
            state: own.standing.as_str().to_owned(),
            position: own.position,
            begun,
            code: code.unwrap_or_default(),
        }
    }

    /// "samedi 2 janvier 2027, 10 h", and of a task by when.
    fn when(&self, known: &Entity, of: Option<&Entity>, due: Option<Civil>) -> String {
        let lang = self.lang;
        let of_activity = Activity::of(of.unwrap_or(known));
        let span = of_activity.map(|it| dates::when(lang, dates::Span::of(&it)));
        let day = of.and_then(|of| of.text("start").parse::<Civil>().ok());
        let day = day.map(Civil::date);
        // What is due on the day of its activity is done there, at its hours.
        let Some(due) = due.filter(|due| due.time().is_some() || Some(due.date()) != day) else {
            return span.unwrap_or_default();
        };
        let mut fields = json!({ "id": known.id, "title": "x" });
        fields["start"] = json!(due);
        let due = serde_json::from_value::<Activity>(fields).ok();
        let due = due.map(|due| match due.start {
            Civil::Day(day) => dates::day_year(lang, day),
            Civil::Minute(_) => dates::when(lang, dates::Span::of(&due)),
        });
        match (due, lang) {
            (None, _) => span.unwrap_or_default(),
            (Some(due), Lang::Fr) => format!("pour le {due}"),
            (Some(due), Lang::En) => format!("by {due}"),
        }
    }

    /// Those on it who agreed that their name is shown, and how many others there are.
    fn people(&self, id: EntityId, taken: u64) -> (Vec<String>, u64) {
        let mut names = Vec::new();
        for registration in self.engine.sheet(id).on.into_iter().take(MOST) {
            let known = self.engine.entity(registration);
            let person = known.and_then(|known| known.text("person").parse().ok());
            let person = person.and_then(|person| self.engine.entity(person));
            let shown = person.filter(|person| person.fields.get("shown") == Some(&json!(true)));
            let name = shown.map(|person| clean::line(person.text("name"), 100));
            names.extend(name.filter(|name| !name.is_empty()));
        }
        let unnamed = taken.saturating_sub(names.len() as u64);
        (names, unnamed)
    }

    /// Tasks that lack hands, most urgent first.
    pub(super) fn needs(&mut self) -> Vec<Offer> {
        let mut all: Vec<Ranked> = Vec::new();
        for task in self.engine.tasks() {
            let ranked = self.ranked(task);
            all.extend(ranked.filter(|it| it.offer.missing > 0 && it.offer.closed.is_empty()));
        }
        all.sort_by(|a, b| {
            let key = |it: &Ranked| (it.by.unwrap_or(Date::MAX), it.priority, it.start);
            (key(a), &a.offer.title, &a.offer.id).cmp(&(key(b), &b.offer.title, &b.offer.id))
        });
        all.into_iter().take(MOST).map(|it| it.offer).collect()
    }

    /// What comes and has people on it, by start.
    pub(super) fn who(&mut self) -> Vec<Offer> {
        let activities: Vec<EntityId> = {
            let state = self.engine.state();
            state.activities().map(|(id, _)| id).collect()
        };
        let tasks = self.engine.tasks();
        let mut all = BTreeMap::new();
        for id in activities.into_iter().chain(tasks) {
            if self.engine.taken(id).0 == 0 || self.engine.is_over(id, self.now) {
                continue;
            }
            if let Some(it) = self.ranked(id) {
                all.insert(
                    (it.start, it.offer.of.clone(), it.offer.title.clone(), id),
                    it.offer,
                );
            }
        }
        all.into_values().take(MOST).collect()
    }

    /// One activity or task with what belongs to it.
    pub(super) fn item(&mut self, id: EntityId) -> Option<Item> {
        let offer = self.ranked(id)?.offer;
        let known = self.engine.entity(id)?;
        let (about, _) = clean::prose(known.text("description"), 4_000);
        let about = raccord_look::set(&about, self.lang);
        let mut tasks = Vec::new();
        for task in self.engine.tasks_of(id) {
            tasks.extend(self.ranked(task));
        }
        tasks.sort_by(|a, b| (a.priority, &a.offer.title).cmp(&(b.priority, &b.offer.title)));
        Some(Item {
            offer,
            about,
            tasks: tasks.into_iter().map(|it| it.offer).collect(),
        })
    }

    /// What the person is on: what comes, and what was.
    pub(super) fn mine(&mut self) -> (Vec<Offer>, Vec<Offer>) {
        let Some(person) = self.person else {
            return (Vec::new(), Vec::new());
        };
        let (mut coming, mut past) = (Vec::new(), Vec::new());
        for own in self.engine.sign_ups_of(person) {
            if own.standing == Commitment::Cancelled {
                continue;
            }
            let over = self.engine.is_over(own.subject, self.now);
            let list = if over { &mut past } else { &mut coming };
            list.extend(self.ranked(own.subject));
        }
        let by = |it: &Ranked| (it.start, it.offer.title.clone());
        coming.sort_by_key(by);
        past.sort_by_key(by);
        past.reverse();
        let offers = |all: Vec<Ranked>| all.into_iter().take(MOST).map(|it| it.offer).collect();
        (offers(coming), offers(past))
    }

    /// The tick list of what somebody runs.
    pub(super) fn list(&mut self, id: EntityId) -> Option<List> {
        let offer = self.ranked(id)?.offer;
        let sheet = self.engine.sheet(id);
        let mut rows: Vec<Row> = Vec::new();
        for registration in sheet.on.into_iter().chain(sheet.absent) {
            rows.extend(self.row(registration));
        }
        rows.sort_by_cached_key(|row| row.name.to_lowercase());
        for registration in sheet.waiting {
            rows.extend(self.row(registration));
        }
        Some(List { offer, rows })
    }

    fn row(&self, registration: EntityId) -> Option<Row> {
        let known = self.engine.entity(registration)?;
        Some(Row {
            registration: registration.to_string(),
            name: self.called(&known),
            state: known.text("state").to_owned(),
            own_word: known.text("state") == "attended" && known.text("attested") == "self",
        })
    }

    /// What somebody who signed up is called: their name, else their address.
    pub(super) fn called(&self, registration: &Entity) -> String {
        let person = registration.text("person").parse().ok();
        let person = person.and_then(|person| self.engine.entity(person));
        let person = person.as_ref();
        let of = |name: &str| person.map_or("", |it| it.text(name)).to_owned();
        let all = [
            of("name"),
            registration.text("name").to_owned(),
            of("email"),
            registration.text("email").to_owned(),
        ];
        let called = all.into_iter().find(|text| !text.is_empty());
        clean::line(&called.unwrap_or_else(|| "?".to_owned()), 200)
    }
}

/// How long a code is good once its page was opened, in seconds: a day. A page opened again has a new
/// one.
const CODE: i64 = 24 * 3_600;

fn worth(known: &Entity, lang: Lang) -> String {
    let amount = known.fields.get("credits").and_then(Value::as_i64);
    amount
        .map(|amount| credits(amount, lang))
        .unwrap_or_default()
}

fn before(day: Date, days: i64) -> Date {
    day.checked_sub(jiff::Span::new().days(days)).unwrap_or(day)
}

fn begins(start: Civil) -> jiff::civil::DateTime {
    match start {
        Civil::Day(day) => day.to_datetime(jiff::civil::Time::midnight()),
        Civil::Minute(at) => at,
    }
}

/// Whether something has begun.
pub(super) fn has_begun(
    engine: &Engine,
    subject: EntityId,
    zone: &TimeZone,
    now: Timestamp,
) -> bool {
    let Some(known) = engine.entity(subject) else {
        return false;
    };
    let of = known.text("activity").parse().ok();
    let of = of.and_then(|of| engine.entity(of));
    let start = of.as_ref().unwrap_or(&known).text("start").parse();
    match start {
        Ok(start) => begins(start) <= zone.to_datetime(now),
        // Work without an hour of its own may be done at any time.
        Err(_) => true,
    }
}

/// Every sign-up for something that can be ticked: how it stands, and whether an organiser said so.
pub(super) fn standing_of(engine: &Engine, subject: EntityId) -> Vec<(EntityId, String, bool)> {
    let sheet = engine.sheet(subject);
    let all = sheet
        .on
        .into_iter()
        .chain(sheet.absent)
        .chain(sheet.waiting);
    all.filter_map(|id| {
        let known = engine.entity(id)?;
        let by_organiser = known.text("attested") != "self";
        Some((id, known.text("state").to_owned(), by_organiser))
    })
    .collect()
}

/// The registration of a code: itself, what it is for, and who it is. The code of a sign-up that was
/// taken back meanwhile is that of another one.
pub(super) fn coded(
    engine: &mut Engine,
    registration: EntityId,
    turn: u64,
) -> Option<(EntityId, EntityId, String)> {
    let known = engine.entity(registration)?;
    let person = known.text("person").parse().ok()?;
    let own = engine.sign_ups_of(person).into_iter();
    let mut own = own.filter(|own| own.registration == registration && own.turn == turn);
    let own = own
        .next()
        .filter(|own| own.standing != Commitment::Cancelled)?;
    let look = Look {
        engine,
        now: Timestamp::UNIX_EPOCH,
        zone: TimeZone::UTC,
        lang: Lang::Fr,
        person: None,
        organiser: true,
        codes: None,
    };
    let name = look.called(&known);
    Some((registration, own.subject, name))
}
