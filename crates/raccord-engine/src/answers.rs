//! Answers: what somebody asked in a chat, or did there by a reaction, and what became of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use raccord_model::{
    Change, ConnectorName, Deed, Digest, Entity, EntityId, EntityKind, Fields, HoldId, Saying,
    SinkRule, Subject, TAKEN_AWAY, Words,
};
use serde_json::{Value, json};

use crate::deciding::Deciding;
use crate::delivery::Wish;
use crate::input::{Order, Reply};
use crate::roll::Commitment;
use crate::routing;
use crate::sayings::{About, announces, said_by};

/// How late an answer may be: whoever asked has gone by then.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);
/// How many questions of one room, and things done by one person there, are answered within
/// [`WHILE`].
const BURST: usize = 20;
const WHILE: SignedDuration = SignedDuration::from_mins(1);
/// How many people may take their reaction back at once without a notice.
const MANY: usize = 3;
/// The fewest characters of a hold's id that name it.
const NAMED: usize = 4;

/// What became of what a message asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decided {
    /// It asks for a list.
    Nothing,
    Approved,
    Rejected,
    /// Who asks may not decide.
    Refused,
    /// No hold, or several, are called so.
    Unknown,
    /// They signed up, or had before: the answer is how that stands.
    Stands(EntityId),
    /// They signed off.
    Off(EntityId),
    /// One cannot sign up for it, or off.
    Cannot(EntityId),
    /// Nothing is called so.
    NothingFits,
    /// Several things are.
    Several,
    /// They did not say what.
    Unsaid,
    /// Nobody knows who they are.
    Stranger,
    /// It is known who they are.
    Known,
    WrongCode,
    /// They chose how they are told, or asked how they are.
    Told,
    /// There is no such way.
    NoWay,
}

impl Decided {
    const PLAIN: [(Self, &'static str); 13] = [
        (Self::Nothing, "list"),
        (Self::Approved, "approved"),
        (Self::Rejected, "rejected"),
        (Self::Refused, "refused"),
        (Self::Unknown, "unknown"),
        (Self::NothingFits, "nothing"),
        (Self::Several, "several"),
        (Self::Unsaid, "unsaid"),
        (Self::Stranger, "stranger"),
        (Self::Known, "known"),
        (Self::WrongCode, "code"),
        (Self::Told, "told"),
        (Self::NoWay, "no-way"),
    ];

    /// As a key says it.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Stands(subject) => format!("stands:{subject}"),
            Self::Off(subject) => format!("off:{subject}"),
            Self::Cannot(subject) => format!("cannot:{subject}"),
            plain => {
                let known = Self::PLAIN.iter().find(|(known, _)| *known == plain);
                known.map_or("list", |(_, name)| name).to_owned()
            }
        }
    }

    pub(crate) fn read(name: &str) -> Option<Self> {
        if let Some((what, subject)) = name.split_once(':') {
            let subject = subject.parse().ok()?;
            return match what {
                "stands" => Some(Self::Stands(subject)),
                "off" => Some(Self::Off(subject)),
                "cannot" => Some(Self::Cannot(subject)),
                _ => None,
            };
        }
        let known = Self::PLAIN.iter().find(|(_, known)| *known == name);
        known.map(|(known, _)| *known)
    }

    /// What became of an approval, in words.
    fn words(self) -> Option<Words> {
        match self {
            Self::Approved => Some(Words::new("C'est accepté.", "It is approved.")),
            Self::Rejected => Some(Words::new("C'est refusé.", "It is rejected.")),
            Self::Refused => Some(Words::new(
                "Seules les personnes nommées dans la configuration peuvent décider ici.",
                "Only people named in the configuration can decide here.",
            )),
            Self::Unknown => Some(Words::new(
                "Rien n'attend sous ce nom, ou plusieurs choses : écrivez les huit premiers signes du nom.",
                "Nothing waits under that name, or several things do: write the first eight signs of the name.",
            )),
            _ => None,
        }
    }

    /// What it is about.
    fn subject(self) -> Option<EntityId> {
        match self {
            Self::Stands(subject) | Self::Off(subject) | Self::Cannot(subject) => Some(subject),
            _ => None,
        }
    }
}

/// Who reacted, as a key says it: a tool's id of somebody never stands in one.
pub(crate) fn veiled(id: &str) -> u64 {
    let digest = Digest::of(id.as_bytes()).0;
    digest[..8]
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// Everything an answer shows, kept while it is rendered.
#[derive(Default)]
struct Shown {
    said: Option<Words>,
    why: Words,
    candidates: Vec<EntityId>,
    likes: Vec<String>,
    members: Vec<Entity>,
}

impl Deciding<'_> {
    /// The answer to `message`; to whoever reacted, where that is who.
    pub(crate) fn answer(
        &self,
        sink: &ConnectorName,
        rule: &SinkRule,
        id: EntityId,
        about: About,
    ) -> Option<Wish> {
        let (message, decided, who) = match about {
            About::Answer(message, decided) => (message, decided, None),
            About::Reacted(message, _, who, decided) => (message, decided, Some(who)),
            _ => return None,
        };
        let rules = self.rules();
        let handling = match who {
            None => announces(rule, EntityKind::Activity)?,
            Some(_) => crate::personal::tells_people(rule)?,
        };
        let asked = self.entity(message)?;
        let to = match who {
            None => None,
            Some(who) => Some(reacted(&asked).find(|(_, id)| veiled(id) == who)?.1),
        };
        let author = to.as_deref().unwrap_or_else(|| asked.text("author"));
        let person = self.person_of(sink, author);
        let target = self.state.sinks.get(sink)?.targets.get(&id);
        let best_before = target
            .and_then(|target| target.owed.as_ref())
            .and_then(|owed| owed.best_before);
        let shown = self.shown(sink, &asked, decided, person);
        let saying = Saying::Answer {
            message: &asked,
            said: shown.said.as_ref(),
            deed: self.deed(&shown, decided, person),
            to: to.as_deref(),
            members: &shown.members,
        };
        let late = best_before.is_some_and(|best| self.now >= best);
        let mut context = self.context(&rules, None);
        if let (Some(person), Some(_)) = (person, &to) {
            context.lang = self.language(person).unwrap_or(context.lang);
        }
        Some(Wish {
            rendered: self
                .render
                .render(sink, Subject::Saying { id, saying }, &context),
            rule: routing::rule_name(sink, None, &rules),
            best_before,
            pointless: late.then(|| {
                Words::new(
                    "la question a été posée il y a trop longtemps",
                    "the question was asked too long ago",
                )
            }),
            ..said_by(handling, None, about, message)
        })
    }

    /// What an answer lists.
    fn shown(
        &self,
        sink: &ConnectorName,
        asked: &Entity,
        decided: Decided,
        person: Option<EntityId>,
    ) -> Shown {
        let mut shown = Shown {
            said: decided.words(),
            ..Shown::default()
        };
        match decided {
            Decided::Nothing | Decided::NothingFits => {
                shown.members = self.shown_in(sink);
                self.tell_who(&mut shown.members);
            }
            Decided::Several => {
                let meant = person.map(|person| self.meant(sink, asked, person));
                shown.candidates = meant.unwrap_or_default();
                shown.members = self.with_activities(shown.candidates.clone());
            }
            Decided::Cannot(subject) => {
                shown.members = self.with_activities([subject]);
                let why = self.closed(subject).or_else(|| self.elsewhere(subject));
                shown.why = why.unwrap_or_else(|| {
                    Words::new("la présence est déjà notée", "attendance is noted already")
                });
            }
            Decided::Told => {
                let known = person.and_then(|person| self.entity(person));
                shown.likes = known
                    .as_ref()
                    .map(crate::personal::likes)
                    .unwrap_or_default();
            }
            other => shown.members = self.with_activities(other.subject()),
        }
        shown
    }

    /// Subjects, each task with its activity.
    fn with_activities(&self, subjects: impl IntoIterator<Item = EntityId>) -> Vec<Entity> {
        let mut all: BTreeMap<EntityId, Entity> = BTreeMap::new();
        for subject in subjects.into_iter().filter_map(|id| self.entity(id)) {
            let activity = crate::asked::activity_of(&subject);
            let activity = activity.and_then(|id| self.entity(id));
            all.extend(activity.map(|activity| (activity.id, activity)));
            all.insert(subject.id, subject);
        }
        let mut all: Vec<Entity> = all.into_values().collect();
        all.sort_by_cached_key(|one| {
            let at = ["start", "due"].map(|name| one.text(name).to_owned());
            (one.kind, at, one.text("title").to_owned(), one.id)
        });
        all
    }

    /// Says of activities, too, who is on them, and who of all of them agreed that it is shown.
    fn tell_who(&self, members: &mut Vec<Entity>) {
        let mut on: BTreeSet<EntityId> = BTreeSet::new();
        for member in members.iter_mut() {
            if member.kind == EntityKind::Activity
                && let Some(seats) = self.flight.roll.seats(member.id)
            {
                let signed = seats.on.iter();
                let people: Vec<Value> = signed
                    .filter_map(|(_, id)| self.state.entity(*id)?.fields.remove("person"))
                    .collect();
                if !people.is_empty() {
                    member.fields.insert("people".into(), Value::Array(people));
                }
            }
            let people = member.fields.get("people").and_then(Value::as_array);
            let people = people.into_iter().flatten().filter_map(Value::as_str);
            on.extend(people.filter_map(|id| id.parse::<EntityId>().ok()));
        }
        let agreed = on.into_iter().filter_map(|id| {
            let person = self.entity(id)?;
            let name = person.fields.get("name").cloned()?;
            let shown = person.fields.get("shown") == Some(&json!(true));
            shown.then(|| Entity {
                fields: Fields::from([("name".to_owned(), name)]),
                ..person
            })
        });
        members.extend(agreed);
    }

    /// What became of it, as it is now.
    fn deed<'s>(
        &self,
        shown: &'s Shown,
        decided: Decided,
        person: Option<EntityId>,
    ) -> Option<Deed<'s>> {
        Some(match decided {
            Decided::Stands(subject) => self.standing(subject, person),
            Decided::Off(subject) => Deed::Off(subject),
            Decided::Cannot(subject) => Deed::Cannot(subject, &shown.why),
            Decided::NothingFits => Deed::Nothing,
            Decided::Several => Deed::Several(&shown.candidates),
            Decided::Unsaid => Deed::Unsaid,
            Decided::Stranger => Deed::Stranger,
            Decided::Known => Deed::Known,
            Decided::WrongCode => Deed::WrongCode,
            Decided::NoWay => Deed::NoWay,
            Decided::Told => {
                let known = person.and_then(|person| self.entity(person))?;
                Deed::Told {
                    way: raccord_model::Way::of(&known),
                    likes: &shown.likes,
                    served: self.reach(&known).is_some(),
                }
            }
            Decided::Nothing
            | Decided::Approved
            | Decided::Rejected
            | Decided::Refused
            | Decided::Unknown => return None,
        })
    }

    fn standing(&self, subject: EntityId, person: Option<EntityId>) -> Deed<'static> {
        let roll = &self.flight.roll;
        let registration = person.and_then(|person| roll.sign_up(subject, person));
        let known = registration.and_then(|id| self.state.entity(id));
        match known.and_then(|known| Commitment::of(&known.fields)) {
            Some(Commitment::Registered | Commitment::Attended) => Deed::On(subject),
            Some(Commitment::Waitlisted) => {
                let seats = roll.seats(subject);
                let position = registration.and_then(|id| seats?.position(id));
                Deed::Waits(subject, position.unwrap_or(1))
            }
            _ => Deed::Off(subject),
        }
    }
}

/// A message was heard in the tool of `connector`: what it asks is answered.
pub(crate) fn heard(deciding: &mut Deciding<'_>, connector: &ConnectorName, message: EntityId) {
    let rules = deciding.rules();
    let Some(rule) = rules.sinks.get(connector) else {
        return;
    };
    let Some(asked) = deciding.entity(message) else {
        return;
    };
    if asked.text("ask").is_empty() || announces(rule, EntityKind::Activity).is_none() {
        return;
    }
    if says_code(&asked) && stops_guessing(deciding, connector) {
        return;
    }
    let sent = asked.text("sent").parse().unwrap_or(deciding.now);
    let decided = match asked.text("ask") {
        ask @ ("approve" | "reject") => decide(deciding, rule, &asked, ask == "approve"),
        _ => crate::asked::done(deciding, connector, &asked),
    };
    // What a person decided or did is confirmed, however late it was heard.
    let did = decided != Decided::Nothing;
    let from = if did {
        deciding.now
    } else {
        sent.min(deciding.now)
    };
    let best_before = from.saturating_add(PATIENCE).unwrap_or(deciding.now);
    let (room, author) = (asked.text("channel"), asked.text("author"));
    // Twenty people may sign up at once in one room; lists are for all who are in it.
    let whose = if did {
        format!("{room} {author}")
    } else {
        room.to_owned()
    };
    if best_before <= deciding.now || stops_burst(deciding, connector, &whose) {
        return;
    }
    let now = deciding.now;
    deciding.owe_saying(
        connector,
        About::Answer(message, decided),
        now,
        Some(best_before),
    );
}

/// Decides a hold, if who asks may.
fn decide(deciding: &mut Deciding<'_>, rule: &SinkRule, asked: &Entity, yes: bool) -> Decided {
    let author = asked.text("author");
    if author.is_empty() || !rule.approvers.contains(author) {
        return Decided::Refused;
    }
    let named = asked.text("words").trim().to_lowercase();
    let holds: Vec<HoldId> = deciding
        .state
        .holds
        .keys()
        .copied()
        .filter(|id| named.len() >= NAMED && id.to_string().starts_with(&named))
        .collect();
    let [hold] = holds[..] else {
        return Decided::Unknown;
    };
    let order = if yes {
        Order::Approve { hold, only: None }
    } else {
        Order::Reject(hold)
    };
    match (crate::hold::order(deciding, order), yes) {
        (Reply::Taken, true) => Decided::Approved,
        (Reply::Taken, false) => Decided::Rejected,
        _ => Decided::Unknown,
    }
}

fn says_code(asked: &Entity) -> bool {
    asked.text("ask") == "me" && !asked.text("words").is_empty()
}

/// Whoever tries codes, under however many names, is not heard for a while: forty bits are enough
/// only then.
fn stops_guessing(deciding: &mut Deciding<'_>, connector: &ConnectorName) -> bool {
    // No room's id begins so.
    let tried = tries(deciding, connector, "\0code");
    if tried == 1 {
        // After a quiet minute the next guesses are worth telling again.
        crate::notice::settle(deciding, "codes", connector.as_str());
    }
    if tried <= BURST {
        return false;
    }
    let text = Words::new(
        format!(
            "Dans {connector}, plus de {BURST} codes ont été essayés en une minute : les suivants n'ont pas été lus."
        ),
        format!(
            "In {connector} more than {BURST} codes were tried within a minute: those after them were not read."
        ),
    );
    let mend = Words::new(
        "Regardez qui écrit ces codes. Qui a un vrai code peut le redire une minute plus tard.",
        "Look who writes these codes. Whoever has a real one can say it again a minute later.",
    );
    crate::notice::tell(deciding, "codes", connector.as_str(), &text, &mend);
    true
}

/// How often something was done within [`WHILE`], counted to one more than [`BURST`].
fn tries(deciding: &mut Deciding<'_>, connector: &ConnectorName, what: &str) -> usize {
    let now = deciding.now;
    let since = now.saturating_sub(WHILE).unwrap_or(now);
    let asked = &mut deciding.flight.asked;
    asked.retain(|_, times| times.back().is_some_and(|last| *last > since));
    let times = asked
        .entry((connector.clone(), what.to_owned()))
        .or_default();
    times.push_back(now);
    while times.front().is_some_and(|first| *first <= since) || times.len() > BURST + 1 {
        times.pop_front();
    }
    times.len()
}

/// Two programs that answer each other ask without end: they are not answered for a while.
fn stops_burst(deciding: &mut Deciding<'_>, connector: &ConnectorName, room: &str) -> bool {
    if tries(deciding, connector, room) <= BURST {
        return false;
    }
    let text = Words::new(
        format!(
            "Une boucle a été arrêtée : dans un salon de {connector}, quelqu'un pose plus de {BURST} questions par minute, sans doute un autre programme."
        ),
        format!(
            "A loop was stopped: in a room of {connector} somebody asks more than {BURST} questions a minute, most likely another program."
        ),
    );
    let mend = Words::new(
        "Regardez qui répond à Raccord dans ce salon, et faites-lui ignorer les messages de Raccord.",
        "Look who answers Raccord in that room, and have it ignore Raccord's messages.",
    );
    crate::notice::tell(deciding, "loop", connector.as_str(), &text, &mend);
    true
}

/// Who reacted to a message of ours, by the reaction that signs up.
fn reacted(message: &Entity) -> impl Iterator<Item = (String, String)> + '_ {
    let all = message.fields.get("reacted").and_then(Value::as_object);
    all.into_iter().flatten().flat_map(|(reaction, people)| {
        let people = people.as_array().into_iter().flatten();
        let people = people.filter_map(Value::as_str);
        people.map(move |id| (reaction.clone(), id.to_owned()))
    })
}

/// It was read anew who reacted to a message of ours, which its tool calls `external`: whoever is
/// new signs up, and whoever took it back signs off.
pub(crate) fn reactions(
    deciding: &mut Deciding<'_>,
    connector: &ConnectorName,
    external: &str,
    before: &BTreeSet<(String, String)>,
    message: EntityId,
) {
    let rules = deciding.rules();
    let Some(asked) = deciding.entity(message) else {
        return;
    };
    let Some((subject, wanted)) = deciding.signs_up_for(connector, external) else {
        return;
    };
    let is_it = |(reaction, id): (String, String)| (reaction == wanted).then_some(id);
    let now: BTreeSet<String> = reacted(&asked).filter_map(is_it).collect();
    let before: BTreeSet<String> = before.iter().cloned().filter_map(is_it).collect();
    let mut off = 0;
    for id in before.difference(&now) {
        let person = deciding.person_of(connector, id);
        let registration = person.and_then(|person| deciding.flight.roll.sign_up(subject, person));
        // Whoever chose the chat is told there: it may not have been them who took it away.
        if let Some(registration) = registration.filter(|it| deciding.is_active(*it)) {
            deciding.sign_off(registration);
            off += 1;
        }
    }
    if off > MANY {
        tell_many_off(deciding, subject, off);
    }
    let answers = rules.sinks.get(connector);
    let answers = answers.is_some_and(|rule| crate::personal::tells_people(rule).is_some());
    for id in now.difference(&before) {
        let decided = match deciding.person_of(connector, id) {
            Some(person) => deciding.signs_up(connector, subject, person),
            None => Decided::Stranger,
        };
        if answers {
            let now = deciding.now;
            let about = About::Reacted(message, asked.revision, veiled(id), decided);
            deciding.owe_saying(connector, about, now, None);
        }
    }
}

/// As many people do not change their minds at once: organisers should know.
fn tell_many_off(deciding: &mut Deciding<'_>, subject: EntityId, off: usize) {
    let title = deciding.title(subject);
    let text = Words::new(
        format!(
            "« {title} » : {off} réactions ont disparu d'un coup, et autant de personnes ne sont plus inscrites."
        ),
        format!(
            "“{title}”: {off} reactions went at once, and as many people are not signed up any more."
        ),
    );
    let mend = Words::new(
        "Si quelqu'un a effacé les réactions de ce message, inscrivez ces personnes à nouveau, ou demandez-leur de réagir encore.",
        "If somebody cleared the reactions of that message, sign these people up again, or ask them to react once more.",
    );
    crate::notice::tell(
        deciding,
        "reactions-gone",
        &subject.to_string(),
        &text,
        &mend,
    );
}

/// Nobody reacted to a message of ours of which nothing is known: not worth an event.
pub(crate) fn is_silence(deciding: &Deciding<'_>, change: &Change) -> bool {
    let all = change.fields.get("reacted").and_then(Value::as_object);
    let nobody = all.is_some_and(|all| {
        let mut all = all.values();
        all.all(|people| people.as_array().is_some_and(Vec::is_empty))
    });
    let message = crate::posted::entity_of(deciding, change);
    nobody && !deciding.state.entities.contains_key(&message)
}

/// Who reacted to a message, as far as it was known before now.
pub(crate) fn known_reactions(
    deciding: &Deciding<'_>,
    message: EntityId,
) -> BTreeSet<(String, String)> {
    let known = deciding.entity(message);
    known.iter().flat_map(reacted).collect()
}

impl Deciding<'_> {
    /// What an announcement is about that one signs up for by a reaction, and by which.
    fn signs_up_for(
        &self,
        connector: &ConnectorName,
        external: &str,
    ) -> Option<(EntityId, String)> {
        let mut targets = self.state.sinks.get(connector)?.targets.iter();
        let (&subject, _) = targets.find(|(_, target)| {
            let link = target.link.as_ref();
            link.is_some_and(|link| {
                link.external == external && link.tag.as_deref() != Some(TAKEN_AWAY)
            })
        })?;
        let rules = self.rules();
        let entity = self.entity(subject)?;
        let route = routing::route(&rules, connector, &entity)??;
        Some((subject, route.signup.clone()?))
    }
}
