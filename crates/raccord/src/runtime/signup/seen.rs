//! What the pages show, read from the engine, in the words of one language.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use raccord_engine::{Commitment, Engine, Standpoint};
use raccord_look::{clean, credits, dates};
use raccord_model::{Activity, Civil, Entity, EntityId, EntityKind, Lang, hands_missing};
use raccord_web::hands::{Item, List, Offer, Own, Row};
use serde_json::{Value, json};

use super::keys::{Code, Key};
use super::lists::Listed;
use super::records::Records;

/// The most things on one page.
const MOST: usize = 300;
/// Without a lead time of its own a task is urgent so many days before it is due.
const SOON: i64 = 2;

/// Who looks, when, and in which language.
pub(super) struct Look<'a> {
    pub(super) engine: &'a mut Engine,
    pub(super) records: &'a mut Records,
    pub(super) now: Timestamp,
    pub(super) zone: TimeZone,
    pub(super) lang: Lang,
    pub(super) person: Option<EntityId>,
    pub(super) organiser: bool,
    /// What codes are made with, and where they lead.
    pub(super) codes: Option<(&'a Key, String)>,
}

/// An activity or a task, with the activity that a task is for.
type Known = (Arc<Entity>, Option<Arc<Entity>>);

/// An offer and what it is ordered by.
struct Ranked {
    offer: Offer,
    priority: u64,
    start: Option<Civil>,
    /// Whether only some see it.
    hidden: bool,
    begun: bool,
}

impl Look<'_> {
    fn civil_now(&self) -> DateTime {
        self.zone.to_datetime(self.now)
    }

    fn record(&mut self, id: EntityId) -> Option<Arc<Entity>> {
        self.records.get(self.engine, id)
    }

    /// An activity or a task, whoever may see it.
    fn known(&mut self, id: EntityId) -> Option<Known> {
        let known = self.record(id)?;
        let of = match known.kind {
            EntityKind::Task => known.text("activity").parse().ok(),
            _ => None,
        };
        let of = of.and_then(|of| self.record(of));
        Some((known, of))
    }

    /// The same, where whoever looks may see it.
    fn visible(&mut self, id: EntityId) -> Option<Known> {
        let known = self.known(id)?;
        let own = || {
            let person = self.person?;
            self.engine.sign_up_of(id, person)
        };
        let sees = !is_hidden(&known) || self.organiser || own().is_some();
        sees.then_some(known)
    }

    /// Whether whoever looks may see it.
    pub(super) fn sees(&mut self, id: EntityId) -> bool {
        self.visible(id).is_some()
    }

    /// What it is called, for whoever may see it.
    pub(super) fn title(&mut self, id: EntityId) -> Option<String> {
        let (known, _) = self.visible(id)?;
        Some(clean::set(known.text("title"), 300, self.lang))
    }

    fn ranked(&mut self, id: EntityId) -> Option<Ranked> {
        let known = self.visible(id)?;
        Some(self.rank(id, &known))
    }

    fn rank(&mut self, id: EntityId, known: &Known) -> Ranked {
        let hidden = is_hidden(known);
        let begun = self.has_begun(known);
        let (known, of) = (&*known.0, known.1.as_deref());
        let lang = self.lang;
        let words = |text: &str| clean::set(text, 300, lang);
        let due: Option<Civil> = known.text("due").parse().ok();
        let timed = of.unwrap_or(known);
        let start: Option<Civil> = due.or_else(|| timed.text("start").parse().ok());
        let (taken, waiting) = self.engine.taken(id);
        let missing = hands_missing(known, taken);
        let closed = self.engine.closed(id, self.now);
        let closed = closed.map_or_else(String::new, |why| why.get(lang).to_owned());
        let by = by(known, start);
        let own = self
            .person
            .and_then(|person| self.engine.sign_up_of(id, person));
        let own = own.filter(|own| own.standing != Commitment::Cancelled);
        let offer = Offer {
            id: id.to_string(),
            title: words(known.text("title")),
            of: of.map(|of| words(of.text("title"))).unwrap_or_default(),
            when: self.when(known, of, due),
            room: words(match known.text("room") {
                "" => timed.text("room"),
                own => own,
            }),
            capacity: number(known, "capacity"),
            taken,
            missing,
            waiting: waiting as u64,
            guide: clean::address(known.text("guide"))
                .unwrap_or_default()
                .to_owned(),
            register: clean::address(match known.text("register") {
                "" => of.map_or("", |of| of.text("register")),
                own => own,
            })
            .unwrap_or_default()
            .to_owned(),
            credits: worth(known, lang),
            urgent: missing > 0
                && closed.is_empty()
                && by.is_some_and(|by| by <= self.civil_now().date()),
            closed,
            own: own.map(|own| self.own(&own, begun)),
            people: Vec::new(),
            unnamed: 0,
        };
        Ranked {
            offer,
            priority: number(known, "priority").unwrap_or(5),
            start: start.or_else(|| timed.text("start").parse().ok()),
            hidden,
            begun,
        }
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
            code: code.unwrap_or_default(),
            ..standing(own, begun)
        }
    }

    fn has_begun(&self, (known, of): &Known) -> bool {
        match of.as_ref().unwrap_or(known).text("start").parse() {
            Ok(start) => begins(start) <= self.civil_now(),
            // Work without an hour of its own may be done at any time.
            Err(_) => true,
        }
    }

    /// Whether somebody who signed up for it can say that they are there.
    pub(super) fn is_on(&mut self, id: EntityId) -> bool {
        self.known(id).is_some_and(|known| self.has_begun(&known))
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

    /// Adds those on it who agreed that their name is shown, and how many others there are.
    fn with_people(&self, id: EntityId, mut offer: Offer) -> Offer {
        for person in self.engine.people_on(id).into_iter().take(MOST) {
            let shown = self.engine.state().entity(person);
            let shown = shown.filter(|person| person.fields.get("shown") == Some(&json!(true)));
            let shown = shown.and_then(|_| self.engine.entity(person));
            let name = shown.map(|person| clean::line(person.text("name"), 100));
            offer.people.extend(name.filter(|name| !name.is_empty()));
        }
        offer.unnamed = offer.taken.saturating_sub(offer.people.len() as u64);
        offer
    }

    /// Tasks that lack hands, most urgent first.
    pub(super) fn needs(&mut self) -> Vec<Listed> {
        let now = self.civil_now();
        let mut all = Vec::new();
        for id in ids(self.engine, EntityKind::Task) {
            if !self.records.comes(self.engine, id, now) {
                continue;
            }
            let Some(known) = self.known(id) else {
                continue;
            };
            let (taken, _) = self.engine.taken(id);
            if hands_missing(&known.0, taken) == 0 || is_off(known.1.as_deref()) {
                continue;
            }
            let due: Option<Civil> = known.0.text("due").parse().ok();
            let timed = known.1.as_ref().unwrap_or(&known.0);
            let start = due.or_else(|| timed.text("start").parse().ok());
            let by = by(&known.0, start).unwrap_or(Date::MAX);
            let priority = number(&known.0, "priority").unwrap_or(5);
            all.push((
                (by, priority, start, known.0.text("title").to_owned(), id),
                known,
            ));
        }
        all.sort_by(|a, b| a.0.cmp(&b.0));
        let all = all.into_iter().map(|((.., id), known)| (id, known));
        self.first(all, |look, id, known| {
            let ranked = look.rank(id, known);
            ranked.offer.closed.is_empty().then_some(ranked)
        })
    }

    /// What comes and has people on it, by start.
    pub(super) fn who(&mut self) -> Vec<Listed> {
        let now = self.civil_now();
        let mut all = Vec::new();
        let activities = ids(self.engine, EntityKind::Activity);
        for id in activities
            .into_iter()
            .chain(ids(self.engine, EntityKind::Task))
        {
            if self.engine.taken(id).0 == 0 || !self.records.comes(self.engine, id, now) {
                continue;
            }
            let Some(known) = self.known(id) else {
                continue;
            };
            let timed = known.1.as_ref().unwrap_or(&known.0);
            let due: Option<Civil> = known.0.text("due").parse().ok();
            let start: Option<Civil> = due.or_else(|| timed.text("start").parse().ok());
            let of = known
                .1
                .as_ref()
                .map_or("", |of| of.text("title"))
                .to_owned();
            all.push(((start, of, known.0.text("title").to_owned(), id), known));
        }
        all.sort_by(|a, b| a.0.cmp(&b.0));
        let all = all.into_iter().map(|((.., id), known)| (id, known));
        self.first(all, |look, id, known| {
            let mut ranked = look.rank(id, known);
            ranked.offer = look.with_people(id, ranked.offer);
            Some(ranked)
        })
    }

    /// The first lines of a list: so many for everybody, and of what only some see as many.
    fn first(
        &mut self,
        all: impl Iterator<Item = (EntityId, Known)>,
        rank: impl Fn(&mut Self, EntityId, &Known) -> Option<Ranked>,
    ) -> Vec<Listed> {
        let mut left = [MOST; 2];
        let mut lines = Vec::new();
        for (id, known) in all {
            let left = &mut left[usize::from(is_hidden(&known))];
            if *left == 0 {
                continue;
            }
            let Some(ranked) = rank(self, id, &known) else {
                continue;
            };
            *left -= 1;
            lines.push(Listed {
                id,
                offer: ranked.offer,
                hidden: ranked.hidden,
                begun: ranked.begun,
            });
        }
        lines
    }

    /// One activity or task with what belongs to it.
    pub(super) fn item(&mut self, id: EntityId) -> Option<Item> {
        let known = self.visible(id)?;
        let offer = self.rank(id, &known).offer;
        let offer = self.with_people(id, offer);
        let (about, _) = clean::prose(known.0.text("description"), 4_000);
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
        past.sort_by_key(|it| Reverse(by(it)));
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
            name: called(self.engine, &known),
            state: known.text("state").to_owned(),
            own_word: known.text("state") == "attended" && known.text("attested") == "self",
        })
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

/// When somebody must have been found.
fn by(known: &Entity, start: Option<Civil>) -> Option<Date> {
    let lead = number(known, "lead").and_then(|days| i64::try_from(days).ok());
    start.map(|start| before(start.date(), lead.unwrap_or(SOON)))
}

fn number(known: &Entity, name: &str) -> Option<u64> {
    known.fields.get(name).and_then(Value::as_u64)
}

/// Whether only organisers and those on it see it.
fn is_hidden((known, of): &Known) -> bool {
    let shown =
        |it: &Entity| it.fields.get("visibility").and_then(Value::as_str) == Some("internal");
    let own = known.fields.contains_key("visibility");
    let internal = match of {
        Some(of) if !own => shown(of),
        _ => shown(known),
    };
    let mut both = [Some(known), of.as_ref()].into_iter().flatten();
    internal || both.any(|it| it.text("status") == "draft" || it.is_foreign())
}

/// Whether the activity it is for was called off.
fn is_off(of: Option<&Entity>) -> bool {
    of.is_some_and(|of| of.text("status") == "cancelled")
}

fn ids(engine: &Engine, kind: EntityKind) -> Vec<EntityId> {
    let all = engine.state().entities.iter();
    all.filter(|(_, record)| record.kind == kind)
        .map(|(&id, _)| id)
        .collect()
}

/// How a sign-up stands, without its code.
fn standing(own: &Standpoint, begun: bool) -> Own {
    Own {
        registration: own.registration.to_string(),
        state: own.standing.as_str().to_owned(),
        position: own.position,
        begun,
        code: String::new(),
    }
}

/// A list as one visitor sees it.
pub(super) fn of_one(lines: &[Listed], own: &[Standpoint], organiser: bool) -> Vec<Offer> {
    let own: HashMap<EntityId, &Standpoint> = own.iter().map(|own| (own.subject, own)).collect();
    let seen = lines.iter().filter_map(|line| {
        let own = own.get(&line.id);
        let sees = !line.hidden || organiser || own.is_some();
        let mut offer = sees.then(|| line.offer.clone())?;
        let own = own.filter(|own| own.standing != Commitment::Cancelled);
        offer.own = own.map(|own| standing(own, line.begun));
        Some(offer)
    });
    seen.take(MOST).collect()
}

fn begins(start: Civil) -> DateTime {
    match start {
        Civil::Day(day) => day.to_datetime(jiff::civil::Time::midnight()),
        Civil::Minute(at) => at,
    }
}

/// What somebody who signed up is called: their name, else their address.
fn called(engine: &Engine, registration: &Entity) -> String {
    let person = registration.text("person").parse().ok();
    let person = person.and_then(|person| engine.entity(person));
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
    let name = called(engine, &known);
    Some((registration, own.subject, name))
}
