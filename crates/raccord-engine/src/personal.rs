//! What concerns one person is told to them alone, in the way they chose once: how their sign-ups
//! stand, and once a week which hands are missing in what they like.
//!
//! A sink says by [`Mode::Tell`] which way it serves. Somebody is told by one sink, the first that
//! serves their way and knows what to call them; who chose nothing is told nothing.

use jiff::civil::DateTime;
use raccord_model::{
    Cause, ConnectorName, Entity, EntityId, EntityKind, Fields, Handling, Hour, Lang, Mode,
    Rendered, RoundupOf, Route, Saying, SinkRule, Subject, Verb, Way, Words, fold_word, told_of,
};
use serde_json::{Value, json};

use crate::deciding::{Deciding, Draft};
use crate::delivery::Wish;
use crate::fact::Fact;
use crate::input::{Choice, Reply, Telling};
use crate::notice::RACCORD;
use crate::roll::{Commitment, subject_of};
use crate::routing;
use crate::sayings::{About, LATE, announces, hours_due, id_of, said_by, too_late};

/// What an event says was done.
pub(crate) const CHOSE: &str = "choose";
/// The most kinds of work somebody likes, and the most characters of each.
const KINDS: usize = 50;
const LONGEST: usize = 200;
/// The longest number of a phone.
const PHONE: usize = 40;
/// Nobody hears of missing hands more often.
const WEEK: i64 = 7;

/// How a sink tells people one by one, if it does.
pub(crate) fn tells_people(rule: &SinkRule) -> Option<&Handling> {
    let mut all = rule.handling(EntityKind::Person);
    all.find(|handling| matches!(handling.mode, Mode::Tell(_)))
}

/// By which way it does.
pub(crate) fn way_of(rule: &SinkRule) -> Option<Way> {
    match tells_people(rule)?.mode {
        Mode::Tell(way) => Some(way),
        _ => None,
    }
}

/// Whether it tells everybody of each sign-up, and not only whoever chose that.
fn mails_all(rule: &SinkRule) -> bool {
    announces(rule, EntityKind::Registration).is_some()
}

/// Under which name it is remembered what somebody was told of a sign-up, and when of missing hands.
fn mine(registration: EntityId) -> EntityId {
    EntityId::derive(&[b"mine", registration.as_bytes()])
}

pub(crate) fn weekly(person: EntityId) -> EntityId {
    EntityId::derive(&[b"liked", person.as_bytes()])
}

/// Whether a route brings people what they like, each alone.
pub(crate) fn is_weekly(route: &Route, sink: &ConnectorName) -> bool {
    let liked = |roundup: &raccord_model::Roundup| roundup.of == RoundupOf::Liked;
    route.to == *sink && route.roundup.as_ref().is_some_and(liked)
}

/// The kinds of work somebody wants to hear of.
pub(crate) fn likes(person: &Entity) -> Vec<String> {
    let all = person.fields.get("likes").and_then(Value::as_array);
    let all = all.into_iter().flatten().filter_map(Value::as_str);
    all.map(str::to_owned).collect()
}

impl Deciding<'_> {
    /// The language somebody reads, where they said so.
    pub(crate) fn language(&self, person: EntityId) -> Option<Lang> {
        self.state.entity(person)?.text("language").parse().ok()
    }

    /// Which sink tells somebody, and what it calls them.
    pub(crate) fn reach(&self, person: &Entity) -> Option<(ConnectorName, String)> {
        self.reach_by(Way::of(person)?, person)
    }

    /// The same, were this their way.
    pub(crate) fn reach_by(&self, way: Way, person: &Entity) -> Option<(ConnectorName, String)> {
        let rules = self.rules();
        let serves = |rule: &SinkRule| way_of(rule) == Some(way);
        rules
            .sinks
            .iter()
            .filter(|(_, rule)| serves(rule))
            .find_map(|(name, _)| {
                let to = match way {
                    Way::Chat => self.identity(person.id, name)?,
                    Way::Mail => person.text("email").to_owned(),
                    Way::Sms => person.text("phone").to_owned(),
                };
                (!to.is_empty()).then(|| (name.clone(), to))
            })
    }

    /// Somebody chose, on a page.
    pub(crate) fn choose(&mut self, choice: &Choice) -> Reply {
        if let Some(phone) = choice.phone.as_deref().filter(|phone| !is_phone(phone)) {
            return Reply::Cannot(Words::new(
                format!("{phone} n'est pas un numéro de téléphone"),
                format!("{phone} is no phone number"),
            ));
        }
        let cause = Cause::Person {
            did: CHOSE.to_owned(),
        };
        let Some(person) = self.person(&choice.who, RACCORD, &cause) else {
            return Reply::Cannot(crate::signups::not_kept());
        };
        let (likes, phone) = (choice.likes.clone(), choice.phone.clone());
        self.prefers(person, choice.told, likes, phone);
        Reply::Taken
    }

    /// Somebody chose how they are told; what stood before is known to them.
    pub(crate) fn prefers(
        &mut self,
        person: EntityId,
        told: Option<Telling>,
        likes: Option<Vec<String>>,
        phone: Option<String>,
    ) {
        let Some(known) = self.entity(person) else {
            return;
        };
        let told_by = self.teller(person);
        let mut fields = known.fields;
        if let Some(told) = told {
            let told = match told {
                Telling::By(way) => way.as_str(),
                Telling::Nothing => "nothing",
            };
            fields.insert("told".into(), json!(told));
        }
        if let Some(likes) = likes {
            let likes: Vec<String> = likes
                .iter()
                .take(KINDS)
                .map(|kind| kind.trim().chars().take(LONGEST).collect())
                .filter(|kind: &String| !kind.is_empty())
                .collect();
            if likes.is_empty() {
                fields.remove("likes");
            } else {
                fields.insert("likes".into(), json!(likes));
            }
        }
        if let Some(phone) = phone {
            match phone.trim() {
                "" => fields.remove("phone"),
                phone => fields.insert("phone".into(), json!(phone)),
            };
        }
        self.emit(Draft {
            kind: EntityKind::Person,
            verb: Verb::Updated,
            entity: person,
            fields,
            source: &known.source,
            family: person,
            cause: Cause::Person {
                did: CHOSE.to_owned(),
            },
            causation: None,
        });
        self.knows_all(person, told_by.as_ref());
    }

    /// Which sink tells somebody.
    pub(crate) fn teller(&self, person: EntityId) -> Option<ConnectorName> {
        Some(self.reach(&self.entity(person)?)?.0)
    }

    /// From here on somebody is told of changes. Whoever was told nothing `before` knows how things
    /// stand, or need not; whoever was told by another sink knows what that one said, and what it
    /// still owed is owed here.
    pub(crate) fn knows_all(&mut self, person: EntityId, before: Option<&ConnectorName>) {
        let Some(sink) = self.teller(person).filter(|sink| Some(sink) != before) else {
            return;
        };
        // Whoever was mailed about each sign-up knows of each.
        let rules = self.rules();
        let before = before.filter(|by| !rules.sinks.get(*by).is_some_and(mails_all));
        let all: Vec<EntityId> = self
            .flight
            .roll
            .sign_ups_of(person)
            .map(|(_, registration)| registration)
            .collect();
        for registration in all {
            let told = before.map(|before| self.told(before, mine(registration)));
            match told {
                Some(Some((_, told))) => self.said_mine(&sink, registration, told),
                _ if !self.is_active(registration) => {}
                Some(None) => review(self, registration),
                None => {
                    if self.told(&sink, mine(registration)).is_none() {
                        self.was_told(&sink, registration);
                    }
                }
            }
        }
    }

    /// Somebody was answered in a chat how their sign-up stands: nothing more is owed there.
    pub(crate) fn was_told(&mut self, connector: &ConnectorName, registration: EntityId) {
        if let Some(fields) = self.stands_now(registration) {
            self.said_mine(connector, registration, fields);
        }
    }

    pub(crate) fn said_mine(
        &mut self,
        connector: &ConnectorName,
        registration: EntityId,
        fields: Fields,
    ) {
        let entity = mine(registration);
        let known = self.told(connector, entity);
        if known.is_none_or(|(_, told)| told != fields) {
            self.record(Fact::Told {
                connector: connector.clone(),
                entity,
                fields,
            });
        }
        review(self, registration);
    }

    /// What somebody is told of their sign-up: how it stands, and when and where it is.
    pub(crate) fn stands_now(&self, registration: EntityId) -> Option<Fields> {
        let known = self.state.entity(registration)?;
        let subject = self.state.entity(subject_of(&known.fields)?)?;
        let activity = crate::asked::activity_of(&subject).and_then(|id| self.state.entity(id));
        let mut told = told_of(activity.as_ref().unwrap_or(&subject));
        told.insert("state".into(), known.fields.get("state")?.clone());
        if let Some(due) = subject.fields.get("due") {
            told.insert("due".into(), due.clone());
        }
        if subject.text("state") == "cancelled" {
            told.insert("status".into(), json!("cancelled"));
        }
        Some(told)
    }

    /// What somebody is to be told of their sign-up.
    pub(crate) fn mine(
        &self,
        sink: &ConnectorName,
        rule: &SinkRule,
        id: EntityId,
        about: EntityId,
    ) -> Option<Wish> {
        let handling = tells_people(rule)?;
        let registration = self.entity(about)?;
        let person_id = registration.text("person").parse().ok()?;
        let person = self.entity(person_id)?;
        let subject = self.entity(subject_of(&registration.fields)?)?;
        let activity = crate::asked::activity_of(&subject).and_then(|id| self.entity(id));
        let reach = self.reach(&person).filter(|(by, _)| by == sink);
        let told = self.told(sink, mine(about));
        let now = self.stands_now(about)?;
        let over = self.over_instant(activity.as_ref().unwrap_or(&subject));
        let pointless = if told.as_ref().is_some_and(|(_, before)| *before == now) {
            Some(Words::new(
                "la personne le sait déjà",
                "the person knows already",
            ))
        } else if reach.is_none() {
            Some(Words::new(
                "la personne est prévenue autrement, ou pas du tout",
                "the person is told in another way, or not at all",
            ))
        } else if over.is_some_and(|over| self.now >= over) {
            Some(Words::new("c'était déjà passé", "it was already over"))
        } else {
            None
        };
        let not_before = match &told {
            Some((_, before)) if way_of(rule) == Some(Way::Sms) => self.urgent_from(before, &now),
            _ => None,
        };
        let position = self.flight.roll.seats(subject.id);
        let saying = Saying::Mine {
            to: reach.as_ref().map_or("", |(_, to)| to.as_str()),
            registration: &registration,
            subject: &subject,
            activity: activity.as_ref(),
            before: told.as_ref().map(|(_, before)| before),
            position: position.and_then(|seats| seats.position(about)),
            times: told.as_ref().map_or(0, |(times, _)| *times),
        };
        Some(Wish {
            rendered: match pointless {
                Some(_) => Rendered::Nothing,
                None => self.say_to(sink, id, saying, person_id),
            },
            rule: routing::rule_name(sink, None, &self.rules()),
            grace: crate::delivery::grace(handling, None),
            best_before: over,
            not_before,
            pointless,
            ..said_by(handling, None, About::Mine(about), person_id)
        })
    }

    /// Missing hands that somebody is to be told of.
    pub(crate) fn liked(
        &self,
        sink: &ConnectorName,
        rule: &SinkRule,
        id: EntityId,
        person_id: EntityId,
        at: DateTime,
    ) -> Option<Wish> {
        let handling = tells_people(rule)?;
        let rules = self.rules();
        let route = rules.routes.iter().find(|route| is_weekly(route, sink))?;
        let person = self.entity(person_id)?;
        let reach = self.reach(&person).filter(|(by, _)| by == sink);
        let likes = likes(&person);
        let internal = route.when.fields.contains_key("visibility");
        let mut members = self.members(internal, |entity| route.when.fits(entity));
        members.retain(|member| {
            member.kind != EntityKind::Task
                || is_liked(&likes, member)
                    && self.closed(member.id).is_none()
                    && !self.is_on(member.id, person_id)
        });
        let best_before = self.instant(at).saturating_add(LATE).ok();
        let late = best_before.is_some_and(|best| self.now >= best);
        let pointless = if reach.is_none() || likes.is_empty() {
            Some(Words::new(
                "la personne est prévenue autrement, ou pas du tout",
                "the person is told in another way, or not at all",
            ))
        } else {
            late.then(too_late)
        };
        let saying = Saying::Liked {
            to: reach.as_ref().map_or("", |(_, to)| to.as_str()),
            members: &members,
        };
        Some(Wish {
            rendered: match pointless {
                Some(_) => Rendered::Nothing,
                None => self.say_to(sink, id, saying, person_id),
            },
            rule: routing::rule_name(sink, Some(route), &rules),
            best_before,
            pointless,
            ..said_by(
                handling,
                Some(route),
                About::Liked(person_id, at),
                person_id,
            )
        })
    }

    fn is_on(&self, subject: EntityId, person: EntityId) -> bool {
        let registration = self.flight.roll.sign_up(subject, person);
        registration.is_some_and(|registration| self.is_active(registration))
    }

    /// Renders what is for one person alone, in their language.
    pub(crate) fn say_to(
        &self,
        sink: &ConnectorName,
        id: EntityId,
        saying: Saying<'_>,
        person: EntityId,
    ) -> Rendered {
        let rules = self.rules();
        let mut context = self.context(&rules, None);
        context.lang = self.language(person).unwrap_or(context.lang);
        self.render
            .render(sink, Subject::Saying { id, saying }, &context)
    }
}

/// Whether somebody who likes these kinds wants to hear of a task.
fn is_liked(likes: &[String], task: &Entity) -> bool {
    let called = [task.text("kind"), task.text("title")].map(fold_word);
    likes.iter().any(|kind| {
        let kind = fold_word(kind);
        kind == "*"
            || called.iter().any(|called| {
                let words = called.split(|c: char| !c.is_alphanumeric());
                *called == kind || words.map(fold_word).any(|word| word == kind)
            })
    })
}

/// Digits, and what people write between them; empty takes a number back.
fn is_phone(phone: &str) -> bool {
    let phone = phone.trim();
    let rest = phone.strip_prefix('+').unwrap_or(phone);
    let plain = rest
        .chars()
        .all(|c| c.is_ascii_digit() || " ().-".contains(c));
    let digits = rest.chars().filter(char::is_ascii_digit).count();
    phone.is_empty() || plain && digits >= 4 && phone.len() <= PHONE
}

/// Something changed: whoever signed up for it is told, where they want to be.
pub(crate) fn review(deciding: &mut Deciding<'_>, entity: EntityId) {
    let Some(kind) = deciding.state.entities.get(&entity).map(|known| known.kind) else {
        return;
    };
    crate::reminders::review(deciding, entity);
    match kind {
        EntityKind::Registration => review_mine(deciding, entity, true),
        EntityKind::Activity | EntityKind::Task => {
            let tasks = deciding.flight.children.get(&entity).into_iter().flatten();
            let subjects = tasks.copied().chain([entity]);
            let roll = &deciding.flight.roll;
            let all: Vec<EntityId> = subjects
                .filter_map(|subject| roll.seats(subject))
                .flat_map(crate::roll::Seats::all)
                .collect();
            for registration in all {
                review_mine(deciding, registration, false);
            }
        }
        _ => {}
    }
}

/// Owes what somebody does not know of their sign-up. `new`: the sign-up itself changed, so that
/// they are told of it although they never were.
fn review_mine(deciding: &mut Deciding<'_>, registration: EntityId, new: bool) {
    let Some(known) = deciding.state.entity(registration) else {
        return;
    };
    let person = known.text("person").parse().ok();
    let person = person.and_then(|person| deciding.entity(person));
    let Some((sink, _)) = person.and_then(|person| deciding.reach(&person)) else {
        return;
    };
    let rules = deciding.rules();
    // Those who chose mail are among those it mails to.
    let rule = rules.sinks.get(&sink);
    if rule.is_some_and(mails_all) {
        return;
    }
    let standing = Commitment::of(&known.fields);
    let Some(now) = deciding.stands_now(registration) else {
        return;
    };
    let told = deciding.told(&sink, mine(registration));
    let before = told.as_ref().map(|(_, before)| before);
    let own_deed = before != Some(&now) && crate::urgent::is_own_deed(before, &now);
    if rule.and_then(way_of) == Some(Way::Sms) && own_deed {
        if before.is_some() || new {
            deciding.said_mine(&sink, registration, now);
        }
        return;
    }
    let active = matches!(
        standing,
        Some(Commitment::Registered | Commitment::Waitlisted)
    );
    let news = match told {
        Some((_, before)) if active => before != now,
        // That it is off is told once, and nothing of it after; attendance is no news.
        Some((_, before)) => {
            standing == Some(Commitment::Cancelled)
                && before.get("state") != Some(&json!(Commitment::Cancelled.as_str()))
        }
        None => new && active,
    };
    let key = About::Mine(registration).key();
    let id = id_of(deciding.state.rules().place.id.as_str(), &sink, &key);
    if !news && deciding.about(&sink, id).is_none() {
        return;
    }
    let fresh = crate::publication::ensure_target(deciding, &sink, id, &key);
    deciding.review(&sink, id);
    if fresh {
        crate::publication::take_back(deciding, &sink, id);
    }
}

/// Owes everybody who likes something their hour of the week: once a day, for the hours are known days
/// ahead.
pub(crate) fn review_liked(deciding: &mut Deciding<'_>, route: &Route, hours: &[Hour]) {
    // Whoever likes nothing is most people: they are passed over without being read.
    let likes_any = |body: &[u8]| {
        let name = b"\"likes\"";
        body.windows(name.len()).any(|part| part == name)
    };
    let people: Vec<EntityId> = deciding
        .state
        .entities
        .iter()
        .filter(|(_, record)| record.kind == EntityKind::Person && likes_any(&record.body))
        .map(|(&id, _)| id)
        .collect();
    owe_weekly(deciding, route, hours, people);
}

/// The same for those who may just have chosen otherwise.
pub(crate) fn review_chosen(deciding: &mut Deciding<'_>, people: &[EntityId]) {
    // Before everybody was looked at nothing was read yet, and nothing is owed.
    if people.is_empty() || deciding.flight.weekly.is_none() {
        return;
    }
    let rules = deciding.rules();
    for route in &rules.routes {
        let liked = |roundup: &&raccord_model::Roundup| roundup.of == RoundupOf::Liked;
        if let Some(roundup) = route.roundup.as_ref().filter(liked) {
            owe_weekly(deciding, route, &roundup.at, people.to_vec());
        }
    }
}

fn owe_weekly(deciding: &mut Deciding<'_>, route: &Route, hours: &[Hour], people: Vec<EntityId>) {
    let rules = deciding.rules();
    let sink = &route.to;
    // Never by short message: what can wait a week is not urgent.
    let way = rules.sinks.get(sink).and_then(way_of);
    if way.is_none_or(|way| way == Way::Sms) {
        return;
    }
    let now = deciding.civil_now();
    let first: Vec<DateTime> = hours_due(hours, None, now).collect();
    for person in people {
        // Whichever tool it was: never more than one message a week.
        let told = deciding.state.told.values();
        let told = told.filter_map(|told| told.get(&weekly(person)));
        let last = told
            .filter_map(|told| serde_json::from_slice::<DateTime>(&told.body).ok())
            .max();
        let due: Vec<DateTime> = match last {
            None => first.clone(),
            Some(last) => {
                let next = last.checked_add(jiff::Span::new().days(WEEK)).ok();
                hours_due(hours, Some(last), now)
                    .filter(|at| next.is_none_or(|next| *at >= next))
                    .collect()
            }
        };
        if due.is_empty() {
            continue;
        }
        let Some(known) = deciding.entity(person) else {
            continue;
        };
        let reached = deciding.reach(&known).is_some_and(|(by, _)| by == *sink);
        if !reached || likes(&known).is_empty() {
            continue;
        }
        // One of them is near enough; the next is owed when this one was said.
        if let Some(at) = due.into_iter().next() {
            let instant = deciding.instant(at);
            let best = instant.saturating_add(LATE).ok();
            deciding.owe_saying(sink, About::Liked(person, at), instant, best);
        }
    }
}
