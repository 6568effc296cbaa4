//! `why`: the chain from an effect back to the cell, click or message that caused it.
//!
//! Everything it says was recorded when it was decided. Nothing is guessed.

use jiff::Timestamp;
use raccord_model::{
    Cause, Civil, ConnectorName, EntityId, EntityKind, Event, Fields, HoldId, Lang, ORIGIN, Verb,
    Words,
};
use serde_json::Value;

mod made;

use made::Made;

use crate::fact::{Closing, Fact, OwedFact};
use crate::fold::send_id;
use crate::state::{Record, State};

/// One link of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// `effect`, `delivery`, `rule`, `event`, `cell` or `person`.
    pub kind: &'static str,
    /// When.
    pub at: Timestamp,
    /// In words.
    pub text: Words,
    /// What to ask `why` about next.
    pub reference: String,
}

/// A commit that mentions a text.
pub struct Mention {
    /// When it was decided.
    pub at: Timestamp,
    /// Its facts.
    pub facts: Vec<Fact>,
}

/// The chain behind `reference` (an entity, delivery or event id, or a tool's object id or URL);
/// `None` when it is not ours. `search` gives the commits whose text holds a string, oldest first.
pub fn why(
    state: &State,
    reference: &str,
    search: &dyn Fn(&str) -> Vec<Mention>,
    say: &dyn Say,
) -> Option<Vec<Link>> {
    let made = Made::new(search, state.rules.clone());
    let past = Past { search, say, made };
    why_of(state, reference, &past)
}

/// How moments are said.
pub trait Say {
    /// A civil moment, as people say it.
    fn civil(&self, at: Civil) -> Words;
    /// An instant, as people say it.
    fn instant(&self, at: Timestamp) -> Words;
}

/// The log, and how its moments are said.
struct Past<'a> {
    search: &'a dyn Fn(&str) -> Vec<Mention>,
    say: &'a dyn Say,
    made: Made<'a>,
}

fn why_of(state: &State, reference: &str, past: &Past<'_>) -> Option<Vec<Link>> {
    let reference = reference.trim();
    if reference.is_empty() {
        return None;
    }
    // A calendar names an activity `<id>@<place>`.
    let reference = match reference.split_once('@') {
        Some((id, _)) if id.parse::<EntityId>().is_ok() => id,
        _ => reference,
    };
    if let Some((connector, entity)) = object_named(state, reference) {
        return Some(of_object(past, &connector, entity));
    }
    let mentions = (past.search)(reference);
    if let Some(chain) = reference
        .parse::<HoldId>()
        .ok()
        .and_then(|id| of_hold(&mentions, id))
    {
        return Some(chain);
    }
    for mention in mentions.iter().rev() {
        for fact in mention.facts.iter().rev() {
            if let Some(chain) = of_fact(past, mention, fact, reference) {
                return Some(chain);
            }
        }
    }
    if let Some((connector, entity)) = object_at(state, reference) {
        return Some(of_object(past, &connector, entity));
    }
    let entity = offered_at(state, reference)?;
    let mentions = (past.search)(&entity.to_string());
    Some(chain_of_entity(past, &mentions, entity))
}

/// What another place offers and has its own page for at this address: where ours leads.
fn offered_at(state: &State, reference: &str) -> Option<EntityId> {
    let theirs = state.activities();
    let mut theirs = theirs.filter(|(_, record)| record.when().is_foreign());
    let there =
        |record: &Record| record.fields().get("url").and_then(Value::as_str) == Some(reference);
    theirs.find_map(|(id, record)| there(record).then_some(id))
}

/// The object a tool knows under this name or address.
fn object_named(state: &State, reference: &str) -> Option<(ConnectorName, EntityId)> {
    state.sinks.iter().find_map(|(connector, sink)| {
        let (&entity, _) = sink.targets.iter().find(|(_, target)| {
            target.link.as_ref().is_some_and(|link| {
                link.external == reference
                    || link
                        .url
                        .as_deref()
                        .is_some_and(|url| root(url) == root(reference))
            })
        })?;
        Some((connector.clone(), entity))
    })
}

/// The object whose file a path or an address leads to, where it has no other name.
fn object_at(state: &State, reference: &str) -> Option<(ConnectorName, EntityId)> {
    state.sinks.iter().find_map(|(connector, sink)| {
        let (&entity, _) = sink.targets.iter().find(|(_, target)| {
            target.link.as_ref().is_some_and(|link| {
                let folder = reference.strip_suffix(&link.external);
                !link.external.is_empty() && folder.is_some_and(|folder| folder.ends_with('/'))
            })
        })?;
        Some((connector.clone(), entity))
    })
}

/// An address without what leads to its front page anyway.
fn root(url: &str) -> &str {
    url.strip_suffix("index.html")
        .unwrap_or(url)
        .trim_end_matches('/')
}

/// What a hold waits for, and what became of it.
fn of_hold(mentions: &[Mention], id: HoldId) -> Option<Vec<Link>> {
    let all = || {
        mentions
            .iter()
            .flat_map(|mention| mention.facts.iter().map(|fact| (mention.at, fact)))
    };
    let mut chain = Vec::new();
    let ended = all().find_map(|(at, fact)| match fact {
        Fact::Closed { hold, how } if *hold == id => Some((at, how)),
        _ => None,
    });
    if let Some((at, how)) = ended {
        let (kind, text) = match how {
            Closing::Approved => (
                "person",
                Words::new("Quelqu'un a dit oui", "Somebody said yes"),
            ),
            Closing::Rejected => (
                "person",
                Words::new("Quelqu'un a dit non", "Somebody said no"),
            ),
            Closing::Moot => (
                "event",
                Words::new(
                    "La question ne se posait plus",
                    "There was nothing to ask any more",
                ),
            ),
        };
        chain.push(Link {
            kind,
            at,
            text,
            reference: id.to_string(),
        });
    }
    let (_, held) = all().find_map(|(at, fact)| match fact {
        Fact::Held(hold) if hold.id == id => Some((at, hold)),
        _ => None,
    })?;
    chain.push(Link {
        kind: "rule",
        at: held.opened,
        text: held.reason.clone(),
        reference: id.to_string(),
    });
    Some(chain)
}

fn of_object(past: &Past<'_>, connector: &ConnectorName, entity: EntityId) -> Vec<Link> {
    let mentions = (past.search)(&entity.to_string());
    let owed = mentions.iter().rev().find_map(|mention| {
        mention.facts.iter().rev().find_map(|fact| match fact {
            Fact::Owed(owed) if owed.connector == *connector && owed.entity == entity => {
                Some((mention.at, owed))
            }
            _ => None,
        })
    });
    match owed {
        Some((at, owed)) => of_owed(past, &mentions, at, owed),
        None => chain_of_entity(past, &mentions, entity),
    }
}

fn of_fact(past: &Past<'_>, mention: &Mention, fact: &Fact, reference: &str) -> Option<Vec<Link>> {
    match fact {
        Fact::Event { event, .. } if event.entity.to_string() == reference => {
            let mentions = (past.search)(reference);
            Some(chain_of_entity(past, &mentions, event.entity))
        }
        Fact::Event { event, .. } if event.id.to_string() == reference => {
            Some(chain_of_event(past, event))
        }
        Fact::Owed(owed)
            if owed.delivery.to_string() == reference || owed.entity.to_string() == reference =>
        {
            let mentions = (past.search)(&owed.entity.to_string());
            Some(of_owed(past, &mentions, mention.at, owed))
        }
        Fact::Done { of, .. }
        | Fact::Dead { of, .. }
        | Fact::Unknown { of, .. }
        | Fact::Running { of, .. }
            if of.id.to_string() == reference =>
        {
            let mentions = (past.search)(&of.family.to_string());
            let sent = mentions.iter().find_map(|mention| {
                mention.facts.iter().find_map(|fact| match fact {
                    Fact::Event { event, to }
                        if to.contains(&of.connector) && send_id(&of.connector, event) == of.id =>
                    {
                        Some((mention.at, event))
                    }
                    _ => None,
                })
            })?;
            let by = past.made.by(of.connector.as_str(), mention.at);
            let mut chain = vec![Link {
                kind: "effect",
                at: mention.at,
                text: Words::new(
                    format!("Envoyé à « {} » : {}{by}", of.connector, title(sent.1)),
                    format!("Sent to “{}”: {}{by}", of.connector, title(sent.1)),
                ),
                reference: of.id.to_string(),
            }];
            chain.push(rule_link(sent.0, &format!("[connectors.{}]", of.connector)));
            chain.extend(chain_of_event(past, sent.1));
            Some(chain)
        }
        _ => None,
    }
}

fn of_owed(past: &Past<'_>, mentions: &[Mention], at: Timestamp, owed: &OwedFact) -> Vec<Link> {
    let done = mentions.iter().rev().find_map(|mention| {
        mention.facts.iter().find_map(|fact| match fact {
            Fact::Done { of, link, .. } if of.id == owed.delivery => {
                Some((mention.at, link.clone()))
            }
            _ => None,
        })
    });
    let mut chain = Vec::new();
    if let Some((at, link)) = done {
        let name = link.map_or_else(|| owed.entity.to_string(), |link| link.external);
        let by = past.made.by(owed.connector.as_str(), at);
        chain.push(Link {
            kind: "effect",
            at,
            text: Words::new(
                format!("« {} » contient {name}{by}", owed.connector),
                format!("“{}” holds {name}{by}", owed.connector),
            ),
            reference: name,
        });
    }
    chain.push(Link {
        kind: "delivery",
        at,
        text: Words::new(
            format!("Raccord devait le mettre dans « {} »", owed.connector),
            format!("Raccord owed it to “{}”", owed.connector),
        ),
        reference: owed.delivery.to_string(),
    });
    chain.push(rule_link(at, &owed.rule));
    match owed.cause {
        Some(cause) => {
            let event = find_event(mentions, &cause.to_string())
                .or_else(|| find_event(&(past.search)(&cause.to_string()), &cause.to_string()));
            chain.extend(
                event
                    .map(|event| chain_of_event(past, &event))
                    .unwrap_or_default(),
            );
        }
        None => chain.extend(behind_publication(past, at)),
    }
    chain
}

/// A publication was composed again because of what changed in the same commit.
fn behind_publication(past: &Past<'_>, at: Timestamp) -> Vec<Link> {
    let Some(mention) = (past.search)("")
        .into_iter()
        .find(|mention| mention.at == at)
    else {
        return Vec::new();
    };
    mention
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Event { event, .. } if event.kind == raccord_model::EntityKind::Activity => {
                Some(event)
            }
            _ => None,
        })
        .take(20)
        .flat_map(|event| chain_of_event(past, event))
        .collect()
}

fn rule_link(at: Timestamp, rule: &str) -> Link {
    Link {
        kind: "rule",
        at,
        text: Words::new(
            format!("Règle de la configuration : {rule}"),
            format!("Rule of the configuration: {rule}"),
        ),
        reference: rule.to_owned(),
    }
}

fn chain_of_entity(past: &Past<'_>, mentions: &[Mention], entity: EntityId) -> Vec<Link> {
    let newest = mentions.iter().rev().find_map(|mention| {
        mention.facts.iter().rev().find_map(|fact| match fact {
            Fact::Event { event, .. } if event.entity == entity => Some(event.clone()),
            _ => None,
        })
    });
    newest
        .map(|event| chain_of_event(past, &event))
        .unwrap_or_default()
}

fn find_event(mentions: &[Mention], id: &str) -> Option<Box<Event>> {
    mentions.iter().find_map(|mention| {
        mention.facts.iter().find_map(|fact| match fact {
            Fact::Event { event, .. } if event.id.to_string() == id => Some(event.clone()),
            _ => None,
        })
    })
}

fn chain_of_event(past: &Past<'_>, event: &Event) -> Vec<Link> {
    let mut chain = vec![Link {
        kind: "event",
        at: event.time,
        text: event_words(event, past.say),
        reference: event.id.to_string(),
    }];
    let (kind, text) = cause_words(event, past);
    chain.push(Link {
        kind,
        at: event.time,
        text,
        reference: cause_reference(event),
    });
    if let Some(causation) = event.causation {
        let id = causation.to_string();
        if let Some(parent) =
            find_event(&(past.search)(&id), &id).filter(|parent| parent.id != event.id)
        {
            chain.extend(chain_of_event(past, &parent));
        }
    }
    if let Some(work) = crate::credits::work_of(event) {
        chain.extend(chain_of_amount(past, work));
    }
    chain
}

/// Where the amount comes from that stands with a task or an activity.
fn chain_of_amount(past: &Past<'_>, work: EntityId) -> Vec<Link> {
    let says = |event: &Event| {
        let changed = event.changed.iter().any(|pointer| pointer == "/credits");
        event.entity == work && (changed || event.verb == Verb::Created)
    };
    let mentions = (past.search)(&work.to_string());
    let said = mentions.iter().rev().find_map(|mention| {
        mention.facts.iter().rev().find_map(|fact| match fact {
            Fact::Event { event, .. } if says(event) => Some(event),
            _ => None,
        })
    });
    said.map(|event| chain_of_event(past, event))
        .unwrap_or_default()
}

/// What people call what an event is about.
pub(crate) fn title(event: &Event) -> String {
    let name = match event.kind {
        EntityKind::Credit => "reason",
        _ => "title",
    };
    event
        .data
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// What happened to somebody, or to their sign-up: nobody is named here.
fn about_people(event: &Event, say: &dyn Say) -> Option<Words> {
    let state = |lang| value_in(lang, "state", event.data.get("state"), say);
    match (event.kind, event.verb) {
        (EntityKind::Registration, _) => Some(Words::new(
            format!("Une inscription : {}", state(Lang::Fr)),
            format!("A sign-up: {}", state(Lang::En)),
        )),
        (EntityKind::Credit, Verb::Created | Verb::Granted | Verb::Reversed) => {
            Some(crate::credits::words(event))
        }
        (EntityKind::Person, Verb::Created) => Some(Words::new(
            "Une personne est connue désormais",
            "A person is known from now on",
        )),
        (EntityKind::Person, _) => Some(Words::new(
            "Ce qui est connu d'une personne a changé",
            "What is known of a person changed",
        )),
        _ => None,
    }
}

fn event_words(event: &Event, say: &dyn Say) -> Words {
    if let Some(words) = about_people(event, say) {
        return words;
    }
    let title = title(event);
    let (before, after) = crate::plan::delta(event);
    let changes = |lang_fr: bool| -> String {
        let mut parts: Vec<String> = event
            .changed
            .iter()
            .filter_map(|pointer| {
                let name = pointer.get(1..)?;
                let label = field_name(name);
                let lang = if lang_fr { Lang::Fr } else { Lang::En };
                let show = |fields: &Fields| value_in(lang, name, fields.get(name), say);
                let colon = if lang_fr { " :" } else { ":" };
                (before.contains_key(name) || after.contains_key(name)).then(|| {
                    let label = label.get(lang);
                    format!("{label}{colon} {} → {}", show(&before), show(&after))
                })
            })
            .collect();
        parts.truncate(8);
        parts.join(if lang_fr { " ; " } else { "; " })
    };
    match event.verb {
        Verb::Created => Words::new(
            format!("« {title} » est apparu"),
            format!("“{title}” appeared"),
        ),
        Verb::Cancelled if event.data.contains_key(ORIGIN) => Words::new(
            format!("« {title} » n'est plus proposé"),
            format!("“{title}” is offered no more"),
        ),
        Verb::Cancelled => Words::new(
            format!("« {title} » a été annulé"),
            format!("“{title}” was cancelled"),
        ),
        Verb::Removed => Words::new(
            format!("« {title} » a été retiré"),
            format!("“{title}” was removed"),
        ),
        _ => Words::new(
            format!("« {title} » a changé ({})", changes(true)),
            format!("“{title}” changed ({})", changes(false)),
        ),
    }
}

fn cause_words(event: &Event, past: &Past<'_>) -> (&'static str, Words) {
    let say = past.say;
    // Whose version it was is looked for in the whole log: only where it is said.
    let from = || {
        let source = event.source.as_str();
        format!("{source}{}", past.made.by(source, event.time))
    };
    let origin = event.data.get(ORIGIN).and_then(Value::as_str);
    match &event.cause {
        Cause::Cell { .. } if let Some(place) = origin => ("cell", offered(event, place, &from())),
        Cause::Missing { since, .. } if let Some(place) = origin => {
            let (first, from) = (say.instant(*since), from());
            let words = Words::new(
                format!(
                    "{from} : « {place} » ne le partage plus depuis le {}",
                    first.fr
                ),
                format!("{from}: “{place}” shares it no more since {}", first.en),
            );
            ("cell", words)
        }
        Cause::Cell {
            sheet,
            row,
            columns,
            before,
        } => {
            let cells: Vec<String> = columns
                .iter()
                .map(|column| format!("{column}{row}"))
                .collect();
            let cells = if cells.is_empty() {
                row.to_string()
            } else {
                cells.join(", ")
            };
            let values = |lang: Lang| -> String {
                let (colon, semicolon) = match lang {
                    Lang::Fr => (" :", " ; "),
                    Lang::En => (":", "; "),
                };
                let show = |name: &str, value| value_in(lang, name, value, say);
                let parts: Vec<String> = before
                    .iter()
                    .map(|(name, old)| {
                        let (old, new) = (show(name, Some(old)), show(name, event.data.get(name)));
                        let label = field_name(name);
                        format!("{}{colon} {old} → {new}", label.get(lang))
                    })
                    .collect();
                if parts.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", parts.join(semicolon))
                }
            };
            let (fr, en) = if columns.len() == 1 {
                ("cellule", "cell")
            } else {
                ("cellules", "cells")
            };
            let from = from();
            if *row == 0 {
                let (fr, en) = (values(Lang::Fr), values(Lang::En));
                let words = Words::new(
                    format!("{from}, « {sheet} »{fr}"),
                    format!("{from}, “{sheet}”{en}"),
                );
                return ("cell", words);
            }
            (
                "cell",
                Words::new(
                    format!(
                        "{from}, feuille « {sheet} », ligne {row}, {fr} {cells}{}",
                        values(Lang::Fr)
                    ),
                    format!(
                        "{from}, sheet “{sheet}”, line {row}, {en} {cells}{}",
                        values(Lang::En)
                    ),
                ),
            )
        }
        Cause::Missing {
            sheet, row, since, ..
        } => {
            let (first, now) = (say.instant(*since), say.instant(event.time));
            // One reading where a person said yes, or where one look is enough.
            let (fr, en) = if *since == event.time {
                (String::new(), String::new())
            } else {
                (
                    format!(", et toujours pas le {}", now.fr),
                    format!(", and still not on {}", now.en),
                )
            };
            let from = from();
            if *row == 0 {
                let words = Words::new(
                    format!(
                        "{from}, « {sheet} » : ce n'y était plus le {}{fr}",
                        first.fr
                    ),
                    format!(
                        "{from}, “{sheet}”: it was no longer there on {}{en}",
                        first.en
                    ),
                );
                return ("cell", words);
            }
            (
                "cell",
                Words::new(
                    format!(
                        "{from}, feuille « {sheet} » : la ligne {row} n'y était plus le {}{fr}",
                        first.fr
                    ),
                    format!(
                        "{from}, sheet “{sheet}”: line {row} was no longer there on {}{en}",
                        first.en
                    ),
                ),
            )
        }
        Cause::Posted { id } => (
            "person",
            Words::new(
                format!("« {} » l'a envoyé (événement {id})", event.source),
                format!("“{}” posted it (event {id})", event.source),
            ),
        ),
        Cause::Recipe { from, rule } => (
            "rule",
            Words::new(
                format!("Recette {rule}, à partir de l'activité {from}"),
                format!("Recipe {rule}, from the activity {from}"),
            ),
        ),
        Cause::Person { did } if did == crate::people::DID => (
            "person",
            Words::new(
                "Une personne a demandé à être oubliée",
                "Somebody asked to be forgotten",
            ),
        ),
        Cause::Person { did } if deed(did).is_some() => ("person", deed(did).unwrap_or_default()),
        Cause::Person { did } => (
            "person",
            Words::new(
                format!("Une personne l'a décidé ({did})"),
                format!("A person decided it ({did})"),
            ),
        ),
        Cause::Time => ("rule", Words::new("Le temps a passé", "Time passed")),
        Cause::Noticed { code } if code == crate::observe::PARTED => (
            "rule",
            Words::new(
                format!("« {} » n'est plus dans la configuration", event.source),
                format!("“{}” is no longer in the configuration", event.source),
            ),
        ),
        Cause::Noticed { code } if noticed(code).is_some() => {
            ("rule", noticed(code).unwrap_or_default())
        }
        Cause::Noticed { code } => (
            "rule",
            Words::new(
                format!("Raccord l'a remarqué ({code})"),
                format!("Raccord noticed it ({code})"),
            ),
        ),
    }
}

/// What people do about sign-ups, in words.
fn deed(did: &str) -> Option<Words> {
    let (fr, en) = match did {
        crate::signups::INTRODUCE => ("Quelqu'un a dit qui c'est", "Somebody said who they are"),
        crate::signups::SIGN_UP => ("Quelqu'un s'est inscrit", "Somebody signed up"),
        crate::signups::SIGN_OFF => ("Quelqu'un s'est désinscrit", "Somebody signed off"),
        crate::signups::ATTENDANCE => ("La présence a été notée", "Attendance was noted"),
        crate::till::SPENT => ("Quelqu'un a payé à la caisse", "Somebody paid at the till"),
        crate::till::GAVE_BACK => (
            "Un paiement à la caisse a été annulé",
            "A payment at the till was taken back",
        ),
        crate::codes::DREW => (
            "Un code a été donné à quelqu'un, pour se faire connaître dans un chat",
            "Somebody was given a code, to become known in a chat",
        ),
        crate::codes::CONFIRMED => (
            "Quelqu'un s'est fait connaître dans un chat",
            "Somebody became known in a chat",
        ),
        crate::letters::SUBSCRIBED => (
            "Quelqu'un a confirmé vouloir une lettre",
            "Somebody confirmed that they want a letter",
        ),
        crate::letters::LEFT => ("Quelqu'un a quitté une lettre", "Somebody left a letter"),
        crate::personal::CHOSE => (
            "Quelqu'un a choisi comment être prévenu",
            "Somebody chose how to be told",
        ),
        _ => return None,
    };
    Some(Words::new(fr, en))
}

/// What Raccord does about tasks and sign-ups by itself, in words.
fn noticed(code: &str) -> Option<Words> {
    let (fr, en) = match code {
        crate::places::PLACE_FREE => (
            "Une place s'est libérée : elle revient à qui attend depuis le plus longtemps",
            "A place became free: it goes to whoever has waited longest",
        ),
        crate::letters::BOUNCED => (
            "Un courrier est revenu : plus personne ne lit à cette adresse",
            "Mail came back: nobody reads at this address any more",
        ),
        crate::elsewhere::PAGED => (
            "Les inscriptions se prennent sur la page de cet outil",
            "Sign-ups are taken on that tool's page",
        ),
        crate::elsewhere::FILLED => (
            "L'outil qui compte ces places a dit si elles sont toutes prises",
            "The tool that counts these places said whether all are taken",
        ),
        crate::elsewhere::UNPAGED => (
            "Les inscriptions ne se prennent plus sur la page de cet outil",
            "Sign-ups are no longer taken on that tool's page",
        ),
        crate::hands::PLACED => (
            "L'activité que nomme la ligne de la tâche a été trouvée",
            "The activity that the task's line names was found",
        ),
        crate::credits::CREDITED => (
            "Qui a participé reçoit ce que la tâche ou l'activité indique ([credits])",
            "Whoever took part receives what the task or the activity says ([credits])",
        ),
        crate::hands::REFRESHED => (
            "Les inscriptions à cette tâche ont changé",
            "The sign-ups for this task changed",
        ),
        _ => return None,
    };
    Some(Words::new(fr, en))
}

/// What another place offers, with where it is to be found there.
fn offered(event: &Event, place: &str, from: &str) -> Words {
    let there = offered_where(event).map_or_else(String::new, |url| format!(" ({url})"));
    Words::new(
        format!("{from} : « {place} » le partage avec son réseau{there}"),
        format!("{from}: “{place}” shares it with its network{there}"),
    )
}

fn offered_where(event: &Event) -> Option<&str> {
    let address = |name: &str| event.data.get(name).and_then(Value::as_str);
    address("url").or_else(|| address("origin_url"))
}

fn cause_reference(event: &Event) -> String {
    let place = || event.data.get(ORIGIN).and_then(Value::as_str);
    match &event.cause {
        // A list of another place has no lines to look at, only what it leads to.
        Cause::Cell { .. } | Cause::Missing { .. } if let Some(place) = place() => {
            offered_where(event).unwrap_or(place).to_owned()
        }
        // A calendar has no lines.
        Cause::Cell { sheet, row: 0, .. } | Cause::Missing { sheet, row: 0, .. } => sheet.clone(),
        Cause::Cell {
            sheet,
            row,
            columns,
            ..
        } => {
            let column = columns.first().map(String::as_str).unwrap_or_default();
            format!("{sheet}!{column}{row}")
        }
        Cause::Missing { sheet, row, .. } => format!("{sheet}!{row}"),
        Cause::Posted { id } => id.clone(),
        Cause::Recipe { from, .. } => from.to_string(),
        Cause::Person { did } => did.clone(),
        Cause::Time => "time".into(),
        Cause::Noticed { code } => code.clone(),
    }
}

/// A field's value as people say it; a dash where there is none.
fn value_in(lang: Lang, name: &str, value: Option<&Value>, say: &dyn Say) -> String {
    let Some(value) = value else {
        return "—".to_owned();
    };
    if let Some(words) = value_name(name, value) {
        return words.get(lang).to_owned();
    }
    let moment = value.as_str().and_then(|text| text.parse::<Civil>().ok());
    match moment {
        Some(at) => say.civil(at).get(lang).to_owned(),
        None => shown(value),
    }
}

/// A list as people write it: "bar 3, accueil 2".
fn listed(items: &[Value]) -> Option<String> {
    let one = |item: &Value| match item {
        Value::String(text) => Some(text.clone()),
        Value::Object(hands) => {
            let title = hands.get("title")?.as_str()?;
            let count = hands.get("capacity").map(ToString::to_string);
            Some(
                [title, count.as_deref().unwrap_or_default()]
                    .join(" ")
                    .trim_end()
                    .to_owned(),
            )
        }
        _ => None,
    };
    let items: Option<Vec<String>> = items.iter().map(one).collect();
    Some(items?.join(", "))
}

/// What people call the value of a field that has its own words.
pub fn value_name(name: &str, value: &Value) -> Option<Words> {
    if let Value::Array(items) = value {
        return listed(items).map(Words::same);
    }
    let (fr, en) = match (name, value) {
        (_, Value::Bool(true)) => ("oui", "yes"),
        (_, Value::Bool(false)) => ("non", "no"),
        ("status" | "state", Value::String(word)) => match word.as_str() {
            "confirmed" => ("confirmé", "confirmed"),
            "tentative" => ("à confirmer", "tentative"),
            "full" => ("complet", "full"),
            "cancelled" => ("annulé", "cancelled"),
            "draft" => ("brouillon", "draft"),
            "open" => ("à faire", "open"),
            "taken" => ("pris", "taken"),
            "done" => ("fait", "done"),
            "registered" => ("inscrit", "registered"),
            "waitlisted" => ("en attente", "waitlisted"),
            "attended" => ("présent", "attended"),
            "absent" => ("absent", "absent"),
            _ => return None,
        },
        ("visibility", Value::String(word)) => match word.as_str() {
            "public" => ("public", "public"),
            "internal" => ("interne", "internal"),
            _ => return None,
        },
        _ => return None,
    };
    Some(Words::new(fr, en))
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let short: String = text.chars().take(80).collect();
            if short.len() < text.len() {
                format!("{short}…")
            } else {
                short
            }
        }
        other => other.to_string(),
    }
}

/// What people call a field.
pub fn field_name(name: &str) -> Words {
    let (fr, en) = match name {
        "title" => ("titre", "title"),
        "kind" => ("type", "kind"),
        "start" => ("début", "start"),
        "end" => ("fin", "end"),
        "all_day" => ("journée entière", "all day"),
        "room" => ("salle", "room"),
        "organiser" => ("organisateur·ice", "organiser"),
        "contact" => ("contact", "contact"),
        "description" => ("description", "description"),
        "visibility" => ("public ou interne", "public or internal"),
        "capacity" => ("jauge", "capacity"),
        "credits" => ("crédits", "credits"),
        "guide" => ("mode d'emploi", "guide"),
        "status" => ("statut", "status"),
        "tags" => ("étiquettes", "tags"),
        "shared" => ("partagé avec le réseau", "shared with the network"),
        "origin" => ("proposé par", "offered by"),
        "origin_url" => ("site de ce lieu", "that place's site"),
        "due" => ("échéance", "due"),
        "state" => ("état", "state"),
        "edition" => ("édition", "edition"),
        "printed" => ("au mur depuis", "on the wall since"),
        "since" => ("depuis", "since"),
        "hands" => ("bénévoles", "volunteers"),
        "minimum" => ("minimum de bénévoles", "fewest hands"),
        "lead" => ("délai", "lead time"),
        "attested_by" => ("noté par", "noted by"),
        "validators" => ("validé par", "validated by"),
        "priority" => ("priorité", "priority"),
        "people" => ("qui s'en occupe", "who is on it"),
        "of" => ("activité", "activity"),
        "places" => ("places", "places"),
        "register" => ("inscription", "sign-up"),
        "undated" => ("date à fixer", "date to be chosen"),
        "poll" => ("sondage", "poll"),
        "extra" => ("détails", "details"),
        other => (other, other),
    };
    Words::new(fr, en)
}
