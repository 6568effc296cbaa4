//! What is said once: that something moved, round-ups at their hour, answers.
//!
//! A saying is owed like an object, under a key that tells what it is about. Once it is said
//! nothing of it is kept but, for what was announced, what people were told last.

use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use raccord_model::{
    ConnectorName, DeliveryId, Entity, EntityId, EntityKind, Fields, Handling, Hour, Mode,
    Rendered, RoundupOf, Route, Rules, Saying, SinkRule, Subject, TAKEN_AWAY, Words, told_of,
};

use crate::answers::Decided;
use crate::deciding::{Deciding, zone_of};
use crate::delivery::Wish;
use crate::fact::{Fact, OwedFact};
use crate::letters;
use crate::routing;

/// How far ahead round-ups are owed: a week, and the day that may be one hour longer.
const AHEAD: SignedDuration = SignedDuration::from_hours(8 * 24);
/// How late a round-up may be.
pub(crate) const LATE: SignedDuration = SignedDuration::from_hours(24);
/// Why something is not said that would come out of time.
pub(crate) fn too_late() -> Words {
    Words::new(
        "son heure est passée depuis trop longtemps",
        "its hour passed too long ago",
    )
}

/// The code of what is told about an announcement that somebody took away.
const AWAY: &str = "taken-away";
/// How far ahead a list looks, in days.
const HORIZON: i64 = 62;

/// What a saying is about, as its key says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// What moved.
    Moved(EntityId),
    /// A round-up and its hour.
    Roundup(EntityId, DateTime),
    /// The answer to a message, and what became of what it asks.
    Answer(EntityId, Decided),
    /// The answer to a reaction: the message, its revision that told of it, who, and what became of
    /// it.
    Reacted(EntityId, u64, u64, Decided),
    /// How a sign-up stands, for whoever signed up.
    Mine(EntityId),
    /// Hands missing in what a person likes, and the hour.
    Liked(EntityId, DateTime),
    /// A letter, by the round-up that it was prepared for, and one of its readers.
    Letter(EntityId, EntityId),
    /// The day before what a sign-up is for, and the hour.
    Reminder(EntityId, DateTime),
}

impl About {
    /// Reads a key; nothing where it is one of a publication.
    pub(crate) fn read(key: &str) -> Option<Self> {
        let (kind, rest) = key.split_once('/')?;
        match kind {
            "moved" => Some(Self::Moved(rest.parse().ok()?)),
            "roundup" => {
                let (id, at) = rest.split_once('/')?;
                Some(Self::Roundup(id.parse().ok()?, at.parse().ok()?))
            }
            "answer" => {
                let (id, decided) = rest.split_once('/')?;
                Some(Self::Answer(id.parse().ok()?, Decided::read(decided)?))
            }
            "reacted" => {
                let mut parts = rest.splitn(4, '/');
                let id = parts.next()?.parse().ok()?;
                let revision = parts.next()?.parse().ok()?;
                let who = u64::from_str_radix(parts.next()?, 16).ok()?;
                let decided = Decided::read(parts.next()?)?;
                Some(Self::Reacted(id, revision, who, decided))
            }
            "mine" => Some(Self::Mine(rest.parse().ok()?)),
            "liked" => {
                let (id, at) = rest.split_once('/')?;
                Some(Self::Liked(id.parse().ok()?, at.parse().ok()?))
            }
            "letter" => {
                let (issue, reader) = rest.split_once('/')?;
                Some(Self::Letter(issue.parse().ok()?, reader.parse().ok()?))
            }
            "reminder" => {
                let (id, at) = rest.split_once('/')?;
                Some(Self::Reminder(id.parse().ok()?, at.parse().ok()?))
            }
            _ => None,
        }
    }

    /// The announcement it is a reply to.
    pub(crate) fn entity(self) -> Option<EntityId> {
        match self {
            Self::Moved(entity) => Some(entity),
            _ => None,
        }
    }

    /// What is said once at each hour, and the hour.
    pub(crate) fn occurrence(self) -> Option<(EntityId, DateTime)> {
        match self {
            Self::Roundup(id, at) => Some((id, at)),
            Self::Liked(person, at) => Some((crate::personal::weekly(person), at)),
            _ => None,
        }
    }

    pub(crate) fn key(self) -> String {
        match self {
            Self::Moved(entity) => format!("moved/{entity}"),
            Self::Roundup(id, at) => format!("roundup/{id}/{at}"),
            Self::Answer(message, decided) => format!("answer/{message}/{}", decided.name()),
            Self::Reacted(message, revision, who, decided) => {
                format!("reacted/{message}/{revision}/{who:016x}/{}", decided.name())
            }
            Self::Mine(registration) => format!("mine/{registration}"),
            Self::Liked(person, at) => format!("liked/{person}/{at}"),
            Self::Letter(issue, reader) => format!("letter/{issue}/{reader}"),
            Self::Reminder(registration, at) => format!("reminder/{registration}/{at}"),
        }
    }
}

/// How a sink handles announcements, if it makes any.
pub(crate) fn announces(rule: &SinkRule, kind: EntityKind) -> Option<&Handling> {
    rule.handling(kind)
        .find(|handling| handling.mode == Mode::Announce)
}

pub(crate) fn id_of(place: &str, sink: &ConnectorName, key: &str) -> EntityId {
    EntityId::derive(&[
        place.as_bytes(),
        b"saying",
        sink.as_str().as_bytes(),
        key.as_bytes(),
    ])
}

/// A round-up's own id: another room, language or subject is another round-up.
fn roundup_id(rules: &Rules, route: &Route) -> Option<EntityId> {
    let roundup = route.roundup.as_ref()?;
    let lang = route.lang.unwrap_or(rules.place.lang).to_string();
    Some(EntityId::derive(&[
        rules.place.id.as_str().as_bytes(),
        b"roundup",
        route.to.as_str().as_bytes(),
        roundup.of.as_str().as_bytes(),
        route.channel.as_deref().unwrap_or_default().as_bytes(),
        lang.as_bytes(),
    ]))
}

impl Deciding<'_> {
    /// What the saying `id` is about, where it is one.
    pub(crate) fn about(&self, sink: &ConnectorName, id: EntityId) -> Option<About> {
        let target = self.state.sinks.get(sink)?.targets.get(&id)?;
        About::read(target.key.as_deref()?)
    }

    /// What people were told of an entity last, where that is known.
    pub(crate) fn told(&self, sink: &ConnectorName, entity: EntityId) -> Option<(u32, Fields)> {
        let told = self.state.told.get(sink)?.get(&entity)?;
        Some((told.times, serde_json::from_slice(&told.body).ok()?))
    }

    /// What an effect that starts now will have told.
    pub(crate) fn tells(&self, sink: &ConnectorName, id: EntityId) -> Option<Fields> {
        let entity = match self.about(sink, id) {
            Some(About::Moved(entity)) => entity,
            Some(About::Mine(registration)) => return self.stands_now(registration),
            Some(_) => return None,
            None => id,
        };
        let record = self.state.entities.get(&entity)?;
        announces(self.state.rules().sinks.get(sink)?, record.kind)?;
        Some(told_of(&self.seen(record.entity(entity), false)))
    }

    /// An announcement stands: what it told is remembered, unless people were told since.
    pub(crate) fn announced(&mut self, sink: &ConnectorName, entity: EntityId, told: Fields) {
        if self.told(sink, entity).is_none() && !told.is_empty() {
            self.record(Fact::Told {
                connector: sink.clone(),
                entity,
                fields: told,
            });
        }
        self.tell_taken_away(sink, entity);
        self.review_moved(sink, entity);
    }

    /// Somebody took an announcement away: it stays away, and organisers should know.
    fn tell_taken_away(&mut self, sink: &ConnectorName, entity: EntityId) {
        let target = self
            .state
            .sinks
            .get(sink)
            .and_then(|sink| sink.targets.get(&entity));
        let link = target.and_then(|target| target.link.as_ref());
        let gone = link.is_some_and(|link| link.tag.as_deref() == Some(TAKEN_AWAY));
        let kind = self.state.entities.get(&entity).map(|record| record.kind);
        // Of a notice that was taken away nothing more is told.
        if kind != Some(EntityKind::Activity) {
            return;
        }
        let about = format!("{sink}/{entity}");
        if !gone {
            crate::notice::settle(self, AWAY, &about);
            return;
        }
        let title = self.title(entity);
        let text = Words::new(
            format!(
                "Quelqu'un a retiré de « {sink} » l'annonce de « {title} » : elle reste retirée, et ce qui change n'y est plus dit."
            ),
            format!(
                "Somebody took the announcement of “{title}” away from “{sink}”: it stays away, and what changes is not said there any more."
            ),
        );
        let mend = Words::new(
            "Rien à faire si c'était voulu. Sinon, écrivez-y vous-même un message : Raccord ne redit pas ce qu'une personne a retiré.",
            "Nothing to do if that was meant. If not, write a message there yourself: Raccord does not say again what a person took away.",
        );
        crate::notice::tell(self, AWAY, &about, &text, &mend);
    }

    /// A saying was said.
    pub(crate) fn said(&mut self, sink: &ConnectorName, about: About, told: Fields) {
        match about {
            About::Moved(entity) => {
                self.record(Fact::Told {
                    connector: sink.clone(),
                    entity,
                    fields: told,
                });
                self.review_moved(sink, entity);
            }
            About::Mine(registration) => self.said_mine(sink, registration, told),
            _ => {}
        }
    }

    /// Owes a reply where what was announced is not what people were told.
    pub(crate) fn review_moved(&mut self, sink: &ConnectorName, entity: EntityId) {
        let Some((_, told)) = self.told(sink, entity) else {
            return;
        };
        let announced = self.state.sinks.get(sink).is_some_and(|state| {
            let link = state
                .targets
                .get(&entity)
                .and_then(|target| target.link.as_ref());
            link.is_some_and(|link| !link.is_nameless())
        });
        let key = About::Moved(entity).key();
        let id = id_of(self.state.rules().place.id.as_str(), sink, &key);
        let owed = self.about(sink, id).is_some();
        let moved = self.tells(sink, entity).is_some_and(|now| now != told);
        let wanted = owed || (announced && moved);
        if !wanted {
            return;
        }
        let new = crate::publication::ensure_target(self, sink, id, &key);
        self.review(sink, id);
        if new {
            crate::publication::take_back(self, sink, id);
        }
    }

    /// What a saying should be now; nothing where the rules send it nowhere.
    pub(crate) fn saying(
        &self,
        sink: &ConnectorName,
        rule: &SinkRule,
        id: EntityId,
        about: About,
    ) -> Option<Wish> {
        match about {
            About::Moved(entity) => self.moved(sink, rule, id, entity),
            About::Roundup(roundup, at) => self.roundup(sink, rule, id, roundup, at),
            About::Answer(..) | About::Reacted(..) => self.answer(sink, rule, id, about),
            About::Mine(registration) => self.mine(sink, rule, id, registration),
            About::Liked(person, at) => self.liked(sink, rule, id, person, at),
            About::Letter(issue, reader) => self.letter(sink, rule, id, issue, reader),
            About::Reminder(registration, at) => self.reminder(sink, rule, id, registration, at),
        }
    }

    fn moved(
        &self,
        sink: &ConnectorName,
        rule: &SinkRule,
        id: EntityId,
        about: EntityId,
    ) -> Option<Wish> {
        let rules = self.rules();
        let entity = self.seen(self.entity(about)?, true);
        let handling = announces(rule, entity.kind)?;
        let (times, before) = self.told(sink, about)?;
        let route = routing::route(&rules, sink, &entity).filter(|_| !routing::has_left(&entity));
        let link = self
            .state
            .sinks
            .get(sink)?
            .targets
            .get(&about)?
            .link
            .as_ref();
        let over = self.over_instant(&entity);
        let pointless = if told_of(&entity) == before {
            Some(Words::new(
                "c'est de nouveau comme annoncé",
                "it is again as it was announced",
            ))
        } else if over.is_some_and(|over| self.now >= over) {
            Some(Words::new("c'était déjà passé", "it was already over"))
        } else if link.is_some_and(|link| link.tag.as_deref() == Some(TAKEN_AWAY)) {
            Some(Words::new(
                "quelqu'un a retiré l'annonce",
                "somebody took the announcement away",
            ))
        } else if route.is_none() || link.is_none() {
            Some(Words::new(
                "l'annonce n'est plus montrée là",
                "the announcement is not shown there any more",
            ))
        } else {
            None
        };
        let context = self.context(&rules, route.flatten());
        let saying = Saying::Moved {
            entity: &entity,
            before: &before,
            times,
            thread: link.map_or("", |link| link.external.as_str()),
        };
        let family = self.state.entities.get(&about)?.family.unwrap_or(about);
        Some(Wish {
            rendered: if pointless.is_some() {
                Rendered::Nothing
            } else {
                self.render
                    .render(sink, Subject::Saying { id, saying }, &context)
            },
            rule: routing::rule_name(sink, route.flatten(), &rules),
            grace: crate::delivery::grace(handling, route.flatten()),
            best_before: over,
            pointless,
            ..said_by(handling, route.flatten(), About::Moved(about), family)
        })
    }

    fn roundup(
        &self,
        sink: &ConnectorName,
        rule: &SinkRule,
        id: EntityId,
        roundup: EntityId,
        at: DateTime,
    ) -> Option<Wish> {
        let rules = self.rules();
        let letters = letters::handling(rule).map(|(handling, _)| handling);
        let handling = letters.or_else(|| announces(rule, EntityKind::Activity))?;
        let route = rules
            .routes
            .iter()
            .find(|route| route.to == *sink && roundup_id(&rules, route) == Some(roundup))?;
        let internal = route.when.fields.contains_key("visibility");
        let members = self.members(internal, |entity| route.when.fits(entity));
        // One that was prepared late was put off, and its end with it.
        let target = self.state.sinks.get(sink);
        let target = target.and_then(|sink| sink.targets.get(&id));
        let owed = target.and_then(|target| target.owed.as_ref());
        let prepared = owed.filter(|_| self.state.issues.contains_key(&id));
        let best_before = match (prepared, self.leaves(rule, route, at)) {
            (Some(owed), _) => owed.best_before,
            (None, Some((_, best_before))) => best_before,
            (None, None) => self.instant(at).saturating_add(LATE).ok(),
        };
        let late = best_before.is_some_and(|best| self.now >= best);
        let saying = Saying::Roundup {
            roundup: route.roundup.as_ref()?,
            at,
            members: &members,
        };
        let context = self.context(&rules, Some(route));
        Some(Wish {
            rendered: match self.issue(id) {
                Some(prepared) => Rendered::Object(prepared),
                None => self
                    .render
                    .render(sink, Subject::Saying { id, saying }, &context),
            },
            rule: routing::rule_name(sink, Some(route), &rules),
            best_before,
            pointless: late.then(too_late),
            ..said_by(handling, Some(route), About::Roundup(roundup, at), id)
        })
    }

    /// The activities of a list, by start, then title, then id, and after them their tasks, and
    /// those that belong to none. What is not `internal` leaves out what is: also work that is kept
    /// among members of an activity that is not.
    pub(crate) fn members(&self, internal: bool, takes: impl Fn(&Entity) -> bool) -> Vec<Entity> {
        let may = |entity: &Entity| internal || entity.text("visibility") != "internal";
        let now = self.civil_now();
        let last = now
            .date()
            .checked_add(jiff::Span::new().days(HORIZON))
            .unwrap_or(now.date());
        let near = self.state.activities().filter(|(_, record)| {
            let shown = record.when();
            shown.status != raccord_model::Status::Draft
                && shown.over_at().is_some_and(|over| over > now)
                && shown.start.is_some_and(|start| start.date() <= last)
        });
        let mut activities: Vec<Entity> = near
            .filter_map(|(id, _)| self.entity(id))
            .filter(|entity| may(entity) && takes(entity) && !routing::has_left(entity))
            .collect();
        let by = |entity: &Entity| {
            let (start, title) = (entity.text("start"), entity.text("title"));
            (start.to_owned(), title.to_owned(), entity.id)
        };
        activities.sort_by_cached_key(by);
        let children = |activity: &Entity| self.flight.children.get(&activity.id);
        let tasks: Vec<Entity> = activities
            .iter()
            .filter_map(children)
            .flatten()
            .filter_map(|child| self.entity(*child))
            .filter(|child| child.kind == EntityKind::Task && child.text("state") != "cancelled")
            .filter(may)
            .collect();
        activities.extend(tasks);
        let on_their_own = self.state.entities.iter().filter(|(_, record)| {
            record.kind == EntityKind::Task && !record.when().is_settled(now)
        });
        let on_their_own = on_their_own
            .filter_map(|(id, _)| self.entity(*id))
            .filter(|task| !task.fields.contains_key("activity"))
            .filter(|task| !task.fields.contains_key("of") && !task.is_foreign())
            .filter(|task| may(task) && takes(task));
        activities.extend(on_their_own);
        activities
    }

    /// The instant of a civil moment at the place: what the clock skips is said right after, what it
    /// shows twice the first time.
    pub(crate) fn instant(&self, at: DateTime) -> Timestamp {
        zone_of(self.state.rules())
            .to_ambiguous_timestamp(at)
            .compatible()
            .unwrap_or(Timestamp::MAX)
    }

    /// Owes a saying; gives its lane.
    pub(crate) fn owe_saying(
        &mut self,
        sink: &ConnectorName,
        about: About,
        due: Timestamp,
        best_before: Option<Timestamp>,
    ) -> EntityId {
        let key = about.key();
        let id = id_of(self.state.rules().place.id.as_str(), sink, &key);
        let (family, cause) = match about {
            About::Answer(message, _) | About::Reacted(message, ..) => {
                let record = self.state.entities.get(&message);
                (message, record.map(|record| record.event))
            }
            About::Liked(person, _) => (person, None),
            About::Reminder(registration, _) => {
                let record = self.state.entities.get(&registration);
                let family = crate::reminders::family(self.state, registration);
                (family, record.map(|record| record.event))
            }
            _ => (id, None),
        };
        let rules = self.rules();
        let route = rules.routes.iter().find(|route| match about {
            About::Roundup(roundup, _) => {
                route.to == *sink && roundup_id(&rules, route) == Some(roundup)
            }
            About::Liked(..) => crate::personal::is_weekly(route, sink),
            About::Reminder(..) => crate::reminders::says_when(route, sink),
            _ => false,
        });
        let commit = self.state.commit.to_be_bytes();
        self.record(Fact::Owed(Box::new(OwedFact {
            connector: sink.clone(),
            entity: id,
            delivery: DeliveryId::derive(&[sink.as_str().as_bytes(), id.as_bytes(), &commit]),
            family,
            key: Some(key),
            due,
            best_before,
            hash: None,
            cause,
            rule: routing::rule_name(sink, route, &rules),
        })));
        let flight = self.flight.sinks.entry(sink.clone()).or_default();
        if due <= self.now {
            flight.wake(family);
        } else {
            flight.wake_at(due, family);
        }
        family
    }
}

/// What all sayings have in common.
pub(crate) fn said_by(
    handling: &Handling,
    route: Option<&Route>,
    about: About,
    family: EntityId,
) -> Wish {
    Wish {
        rendered: Rendered::Nothing,
        family,
        key: Some(about.key()),
        rule: String::new(),
        grace: SignedDuration::ZERO,
        best_before: None,
        not_before: None,
        class: handling.class,
        settle: handling.settle(),
        policy: route
            .and_then(|route| route.policy)
            .unwrap_or(handling.policy),
        announce: true,
        pointless: None,
    }
}

/// Owes every occurrence of every round-up that is near, and of those that were missed the newest
/// where it is not too late for it.
pub(crate) fn review_roundups(deciding: &mut Deciding<'_>) {
    let rules = deciding.rules();
    let now = deciding.civil_now();
    // Of whom changes on the way, `personal::review_chosen` knows.
    let new_day = deciding.flight.weekly.replace(now.date()) != Some(now.date());
    for route in &rules.routes {
        let (Some(roundup), Some(id)) = (&route.roundup, roundup_id(&rules, route)) else {
            continue;
        };
        match roundup.of {
            RoundupOf::Week | RoundupOf::Month | RoundupOf::Hands => {}
            RoundupOf::Liked => {
                if new_day {
                    crate::personal::review_liked(deciding, route, &roundup.at);
                }
                continue;
            }
            // Said without a route too.
            RoundupOf::Reminder => continue,
        }
        let Some(rule) = rules.sinks.get(&route.to) else {
            continue;
        };
        let letters = letters::handling(rule).is_some();
        if !letters && announces(rule, EntityKind::Activity).is_none() {
            continue;
        }
        let last = deciding
            .state
            .told
            .get(&route.to)
            .and_then(|told| told.get(&id));
        let last = last.and_then(|told| serde_json::from_slice::<DateTime>(&told.body).ok());
        for at in hours_due(&roundup.at, last, now) {
            let instant = deciding.instant(at);
            let (due, best) = match deciding.leaves(rule, route, at) {
                Some(leaves) => leaves,
                None => (instant, instant.saturating_add(LATE).ok()),
            };
            let owed = deciding.owe_saying(&route.to, About::Roundup(id, at), due, best);
            if letters {
                // It is prepared at its hour, and leaves later.
                let flight = deciding.flight.sinks.entry(route.to.clone()).or_default();
                flight.wake_at(instant, owed);
            }
        }
    }
    crate::reminders::review_near(deciding);
}

/// The hours that are near, since `last`; of those that were missed the newest. One that is new
/// begins now.
pub(crate) fn hours_due(
    hours: &[Hour],
    last: Option<DateTime>,
    now: DateTime,
) -> impl Iterator<Item = DateTime> {
    let until = now.checked_add(AHEAD).unwrap_or(now);
    let oldest = now.checked_sub(LATE).unwrap_or(now);
    let mut at = last.unwrap_or(now).max(oldest);
    let mut due = Vec::new();
    while let Some(next) = hours.iter().filter_map(|hour| hour.after(at)).min() {
        if next > until {
            break;
        }
        at = next;
        due.push(next);
    }
    let missed = due.iter().filter(|at| **at <= now).count();
    due.into_iter().skip(missed.saturating_sub(1))
}

/// Remembers what was told: folding only.
pub(crate) fn fold_told(
    state: &mut crate::state::State,
    connector: &ConnectorName,
    entity: EntityId,
    body: Vec<u8>,
) {
    let told = state.told.entry(connector.clone()).or_default();
    let told = told.entry(entity).or_default();
    told.times += 1;
    told.body = Arc::from(body);
}
