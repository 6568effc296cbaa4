//! What people ask to be done in a chat: to sign up or off, to be known, to be told. Who they are is
//! what the tool vouches for and they showed to be theirs; what they mean must be one thing.

use raccord_model::{ConnectorName, Entity, EntityId, EntityKind, Way, fold_word};
use serde_json::Value;

use crate::answers::Decided;
use crate::deciding::Deciding;
use crate::input::{Reply, Telling};
use crate::named::Wanted;
use crate::roll::Commitment;
use crate::routing;

/// The words for each way, and for being told nothing, in both languages.
const WAYS: [(Option<Way>, &[&str]); 4] = [
    (
        Some(Way::Chat),
        &["chat", "ici", "here", "message", "messages"],
    ),
    (
        Some(Way::Mail),
        &["mail", "mails", "e-mail", "email", "courriel", "courriels"],
    ),
    (Some(Way::Sms), &["sms", "texto", "textos", "text"]),
    (None, &["rien", "nothing", "stop", "non", "no", "none"]),
];

/// Does what a message asks for, where it asks for something that is not only a list.
pub(crate) fn done(
    deciding: &mut Deciding<'_>,
    connector: &ConnectorName,
    asked: &Entity,
) -> Decided {
    let (author, words) = (asked.text("author"), asked.text("words"));
    let person = deciding.person_of(connector, author);
    match (asked.text("ask"), person) {
        ("signup", _) if Wanted::of(words).is_none() => Decided::Nothing,
        ("signoff", _) if Wanted::of(words).is_none() => Decided::Unsaid,
        ("me", None) if words.is_empty() => Decided::Stranger,
        ("me", Some(_)) if words.is_empty() => Decided::Known,
        ("me", _) if author.is_empty() => Decided::WrongCode,
        ("me", _) if deciding.say_code(connector, author, words) => Decided::Known,
        ("me", _) => Decided::WrongCode,
        ("signup" | "signoff" | "tell", None) => Decided::Stranger,
        ("signup", Some(person)) => one(&deciding.meant(connector, asked, person), |subject| {
            deciding.signs_up(connector, subject, person)
        }),
        ("signoff", Some(person)) => one(&deciding.meant(connector, asked, person), |subject| {
            deciding.signs_off(connector, subject, person)
        }),
        ("tell", Some(person)) => chooses(deciding, person, words),
        _ => Decided::Nothing,
    }
}

/// Does it where it is about one thing.
fn one(meant: &[EntityId], what: impl FnOnce(EntityId) -> Decided) -> Decided {
    match meant {
        [] => Decided::NothingFits,
        [subject] => what(*subject),
        _ => Decided::Several,
    }
}

/// "chat bar, cuisine": the way, and the kinds of work somebody likes; "chat rien": none.
fn chooses(deciding: &mut Deciding<'_>, person: EntityId, words: &str) -> Decided {
    let (way, kinds) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    if way.is_empty() {
        return Decided::Told;
    }
    let way = way.trim_end_matches([',', ':', '.']).to_lowercase();
    let known = WAYS.iter().find(|(_, words)| words.contains(&way.as_str()));
    let Some((way, _)) = known else {
        return Decided::NoWay;
    };
    let said = !kinds.trim().is_empty();
    let kinds = kinds.split([',', ';']).map(str::trim);
    let kinds = kinds.filter_map(|kind| match fold_word(kind).as_str() {
        "tout" | "all" | "everything" => Some("*".to_owned()),
        "" | "rien" | "nothing" | "none" => None,
        _ => Some(kind.to_owned()),
    });
    let likes = said.then(|| kinds.collect());
    let told = way.map_or(Telling::Nothing, Telling::By);
    deciding.prefers(person, Some(told), likes, None);
    Decided::Told
}

impl Deciding<'_> {
    /// What the words of a message name: of what is coming and open, or, of what somebody signs off,
    /// of what they are on.
    pub(crate) fn meant(
        &self,
        connector: &ConnectorName,
        asked: &Entity,
        person: EntityId,
    ) -> Vec<EntityId> {
        let Some(wanted) = Wanted::of(asked.text("words")) else {
            return Vec::new();
        };
        let now = self.civil_now();
        let fits = |subject: &Entity| {
            let activity = activity_of(subject).and_then(|id| self.entity(id));
            wanted.fits(subject, activity.as_ref(), now)
        };
        if asked.text("ask") == "signoff" {
            let all = self.flight.roll.sign_ups_of(person);
            return all
                .filter(|(_, registration)| self.is_active(*registration))
                .filter_map(|(subject, _)| self.entity(subject))
                .filter(|subject| !crate::hands::is_over(self, subject) && fits(subject))
                .map(|subject| subject.id)
                .collect();
        }
        self.shown_in(connector)
            .iter()
            .filter(|subject| self.closed(subject.id).is_none() && fits(subject))
            .map(|subject| subject.id)
            .collect()
    }

    /// What a chat may be told of: what is public and goes there, and the tasks of it.
    pub(crate) fn shown_in(&self, connector: &ConnectorName) -> Vec<Entity> {
        let rules = self.rules();
        self.members(false, |entity| {
            routing::route(&rules, connector, entity).is_some()
        })
    }

    /// Whether somebody has a place, or waits for one.
    pub(crate) fn is_active(&self, registration: EntityId) -> bool {
        let known = self.state.entity(registration);
        let standing = known.and_then(|known| Commitment::of(&known.fields));
        matches!(
            standing,
            Some(Commitment::Registered | Commitment::Waitlisted)
        )
    }

    /// Somebody signs up in a chat, which answers.
    pub(crate) fn signs_up(
        &mut self,
        connector: &ConnectorName,
        subject: EntityId,
        person: EntityId,
    ) -> Decided {
        if self.closed(subject).is_some() || self.elsewhere(subject).is_some() {
            return Decided::Cannot(subject);
        }
        let cause = crate::signups::signing_up();
        match self.put_on(subject, person, 1, "", cause) {
            Reply::SignedUp { registration, .. } => {
                self.was_told(connector, registration);
                Decided::Stands(subject)
            }
            _ => Decided::Cannot(subject),
        }
    }

    /// Somebody signs off in a chat, which answers.
    pub(crate) fn signs_off(
        &mut self,
        connector: &ConnectorName,
        subject: EntityId,
        person: EntityId,
    ) -> Decided {
        let Some(registration) = self.flight.roll.sign_up(subject, person) else {
            return Decided::NothingFits;
        };
        match self.sign_off(registration) {
            Reply::SignedUp { .. } => {
                self.was_told(connector, registration);
                Decided::Off(subject)
            }
            _ => Decided::Cannot(subject),
        }
    }
}

/// The activity a task belongs to.
pub(crate) fn activity_of(subject: &Entity) -> Option<EntityId> {
    let task = subject.kind == EntityKind::Task;
    let named = subject.fields.get("activity").filter(|_| task);
    named.and_then(Value::as_str)?.parse().ok()
}
