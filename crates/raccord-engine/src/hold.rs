//! Holds: what waits for a person, and what a yes or a no means.

use std::collections::BTreeSet;

use raccord_model::{
    Cause, ConnectorName, Digest, EntityId, Failure, Fields, HoldId, Link, Verb, Words,
};

use crate::deciding::{Deciding, Draft};
use crate::delivery::Wish;
use crate::fact::{Closing, DeliveryRef, Fact, HeldEffect, Hold, HoldKind};
use crate::faults::{Fault, planted};
use crate::input::{Order, Reply};
use crate::sayings::About;
use crate::state::{Aim, Progress, Spot, State};

/// Opens a hold, unless the same is open already, and tells it.
pub(crate) fn open(deciding: &mut Deciding<'_>, hold: Hold) {
    if let Some(known) = deciding.state.holds.get(&hold.id)
        && known.hold.effects == hold.effects
        && known.hold.more == hold.more
    {
        return;
    }
    let id = hold.id;
    let text = hold.reason.clone();
    let mend = Words::new(
        format!(
            "Regardez ce qui attend avec « raccord holds », puis « raccord approve {id} » pour dire oui, ou « raccord reject {id} » pour dire non."
        ),
        format!(
            "Look at what waits with `raccord holds`, then `raccord approve {id}` to say yes, or `raccord reject {id}` to say no."
        ),
    );
    deciding.record(Fact::Held(Box::new(hold)));
    crate::notice::tell(deciding, "hold", &id.to_string(), &text, &mend);
}

/// Ends a hold.
pub(crate) fn close(deciding: &mut Deciding<'_>, hold: HoldId, how: Closing) {
    if deciding.state.holds.contains_key(&hold) {
        deciding.record(Fact::Closed { hold, how });
        crate::notice::settle(deciding, "hold", &hold.to_string());
    }
}

/// An effect whose outcome nobody knows waits for a person.
pub(crate) fn unknown_outcome(deciding: &mut Deciding<'_>, of: &DeliveryRef) {
    let entity = match deciding.state.find(of) {
        Some(Spot::Object { entity, .. }) => entity,
        Some(Spot::Queue { family, index }) => {
            let queued = &deciding.state.sinks[&of.connector].lanes[&family].queue[index];
            crate::fold::decode(&queued.event).map_or(family, |event| event.entity)
        }
        None => return,
    };
    if let Some(About::Letter(issue, reader)) = deciding.about(&of.connector, entity) {
        deciding.letter_in_doubt(of, issue, reader);
        return;
    }
    let title = match deciding.about(&of.connector, entity) {
        None => deciding.title(entity),
        Some(_) => deciding
            .wish(&of.connector, entity)
            .map(Wish::title)
            .unwrap_or_default(),
    };
    let aim = deciding.state.aim(of);
    let hold = Hold {
        id: delivery_hold(of),
        what: HoldKind::Delivery { of: of.clone() },
        reason: unknown_words(&title, &of.connector, aim),
        opened: deciding.now,
        effects: vec![HeldEffect {
            connector: None,
            entity,
            action: match aim {
                Aim::New => "send",
                Aim::Change(_) => "update",
                Aim::Removal => "remove",
            }
            .into(),
            title,
            before: Fields::new(),
            after: Fields::new(),
        }],
        more: 0,
    };
    open(deciding, hold);
}

/// An effect that its tool cannot make without harm waits for a person. Nothing was done.
pub(crate) fn blocked(
    deciding: &mut Deciding<'_>,
    of: &DeliveryRef,
    entity: EntityId,
    failure: &Failure,
) {
    let reason = |text: &str, mend: &str, yes: &str| format!("{text} {mend} {yes}");
    let hold = Hold {
        id: delivery_hold(of),
        what: HoldKind::Blocked { of: of.clone() },
        reason: Words::new(
            reason(
                &failure.text.fr,
                &failure.mend.fr,
                "Oui : c'est fait, regarder de nouveau. Non : laisser comme c'est.",
            ),
            reason(
                &failure.text.en,
                &failure.mend.en,
                "Yes: it is done, look again. No: leave it as it is.",
            ),
        ),
        opened: deciding.now,
        effects: vec![HeldEffect {
            connector: None,
            entity,
            action: match deciding.state.aim(of) {
                Aim::New => "create",
                Aim::Change(_) => "update",
                Aim::Removal => "remove",
            }
            .into(),
            title: deciding.title(entity),
            before: Fields::new(),
            after: Fields::new(),
        }],
        more: 0,
    };
    open(deciding, hold);
}

/// Whether a person is asked because the tool cannot do it.
pub(crate) fn is_blocked(state: &State, progress: &Progress) -> bool {
    let Progress::Held { hold, .. } = progress else {
        return false;
    };
    let waiting = state.holds.get(hold);
    waiting.is_some_and(|one| matches!(one.hold.what, HoldKind::Blocked { .. }))
}

/// What was to be done is something else by now: whoever was asked need not answer.
pub(crate) fn unblock(deciding: &mut Deciding<'_>, of: &DeliveryRef) -> bool {
    let id = delivery_hold(of);
    let waiting = deciding.state.holds.get(&id);
    let blocked = waiting.is_some_and(|one| matches!(one.hold.what, HoldKind::Blocked { .. }));
    if blocked {
        deciding.record(Fact::Again { of: of.clone() });
        close(deciding, id, Closing::Moot);
    }
    blocked
}

/// What a person is asked who can look into the tool.
fn unknown_words(title: &str, tool: &ConnectorName, aim: Aim) -> Words {
    match aim {
        Aim::New => Words::new(
            format!(
                "Personne ne sait si « {title} » est arrivé dans {tool} : la réponse s'est perdue. Oui : renvoyer. Non : considérer que c'est fait."
            ),
            format!(
                "Nobody knows whether “{title}” reached {tool}: the answer was lost. Yes: send again. No: take it as done."
            ),
        ),
        Aim::Change(_) => Words::new(
            format!(
                "Personne ne sait si {tool} montre « {title} » comme il est maintenant : la réponse s'est perdue. Oui : réessayer. Non : considérer que c'est fait."
            ),
            format!(
                "Nobody knows whether {tool} shows “{title}” as it is now: the answer was lost. Yes: try again. No: take it as done."
            ),
        ),
        Aim::Removal => Words::new(
            format!(
                "Personne ne sait si « {title} » est encore dans {tool} : la réponse s'est perdue. Oui : l'en retirer. Non : considérer qu'il n'y est plus."
            ),
            format!(
                "Nobody knows whether “{title}” is still in {tool}: the answer was lost. Yes: take it out. No: take it as gone."
            ),
        ),
    }
}

/// The hold of a delivery nobody knows the end of, or that a person must make.
pub(crate) fn delivery_hold(of: &DeliveryRef) -> HoldId {
    HoldId::derive(&[b"delivery", of.id.as_bytes()])
}

/// What a person decided.
pub(crate) fn order(deciding: &mut Deciding<'_>, order: Order) -> Reply {
    match order {
        Order::Approve { hold, only } => decide(deciding, hold, true, only),
        Order::Reject(hold) => decide(deciding, hold, false, None),
        Order::Retry(delivery) => match deciding.state.search(delivery) {
            Some(of)
                if deciding.state.sinks[&of.connector]
                    .dead
                    .contains_key(&delivery) =>
            {
                revive(deciding, &of);
                Reply::Taken
            }
            _ => Reply::Cannot(Words::new(
                format!("aucun envoi mis de côté ne s'appelle {delivery}"),
                format!("no delivery that was set aside is called {delivery}"),
            )),
        },
        Order::Drop(delivery) => match deciding.state.search(delivery) {
            Some(of) if deciding.flight.is_busy(&of.connector, of.family, of.id) => {
                Reply::Cannot(Words::new(
                    "cet envoi est justement en cours",
                    "this delivery is being made right now",
                ))
            }
            Some(of) => {
                let hold = delivery_hold(&of);
                if let Some(Spot::Object { entity, .. }) = deciding.state.find(&of) {
                    deciding.doubt_link(&of.connector, entity);
                }
                deciding.record(Fact::Dropped { of });
                close(deciding, hold, Closing::Moot);
                crate::notice::settle(deciding, "dead", &delivery.to_string());
                Reply::Taken
            }
            None => Reply::Cannot(Words::new(
                format!("aucun envoi ne s'appelle {delivery}"),
                format!("no delivery is called {delivery}"),
            )),
        },
        Order::SwitchOn(connector) | Order::RetryAll(connector)
            if !deciding.state.rules().sinks.contains_key(&connector) =>
        {
            Reply::Cannot(Words::new(
                format!("aucun connecteur ne s'appelle {connector}"),
                format!("no connector is called {connector}"),
            ))
        }
        Order::SwitchOn(connector) => {
            switch_on(deciding, &connector);
            Reply::Taken
        }
        Order::RetryAll(connector) => {
            switch_on(deciding, &connector);
            for of in set_aside(deciding, &connector) {
                revive(deciding, &of);
            }
            Reply::Taken
        }
        Order::Printed(printed) => crate::paper::put_up(deciding, *printed),
        Order::TakenDown { connector, key } => {
            crate::paper::take_down(deciding, &connector, &key);
            Reply::Taken
        }
        Order::Introduce(who) => deciding.introduce(&who),
        Order::SignUp(asked) => deciding.sign_up(&asked),
        Order::Code(who) => deciding.draw_code(&who),
        Order::Choose(choice) => deciding.choose(&choice),
        Order::Subscribe { who, list } => deciding.subscribe(&who, &list),
        Order::Leave { person, key } => deciding.leave(person, &key),
        Order::SignOff(registration) => deciding.sign_off(registration),
        Order::Attendance {
            registration,
            came,
            minutes,
            by,
        } => deciding.attendance(registration, came, minutes, by),
        Order::Spend(spending) => crate::till::spend(deciding, &spending),
        Order::GiveBack(payment) => crate::till::give_back(deciding, payment),
        Order::Forget => {
            crate::people::forget(deciding);
            Reply::Taken
        }
        Order::Mute(why) => {
            deciding.mute(why);
            Reply::Taken
        }
        Order::Unmute { look_first } => {
            deciding.unmute(look_first);
            wake_all(deciding);
            Reply::Taken
        }
    }
}

/// A delivery that was set aside is tried again.
fn revive(deciding: &mut Deciding<'_>, of: &DeliveryRef) {
    let dead = &deciding.state.sinks[&of.connector].dead;
    let Some(aside) = dead.get(&of.id).cloned() else {
        return;
    };
    let tried = deciding.tried_until(&aside);
    deciding.record(Fact::Revived { of: of.clone() });
    crate::notice::settle(deciding, "dead", &of.id.to_string());
    match aside
        .event
        .and_then(|queued| crate::fold::decode(&queued.event))
    {
        Some(event) => {
            let class = deciding.class_of_each(&of.connector, &event);
            deciding.doubt_once(of, class, tried);
        }
        None => deciding.review_tried(&of.connector, aside.entity, tried),
    }
    deciding.flight.wake(&of.connector, of.family);
}

/// What was set aside for a connector, newest first: each goes back to the front of its lane.
fn set_aside(deciding: &Deciding<'_>, connector: &ConnectorName) -> Vec<DeliveryRef> {
    let dead = deciding.state.sinks.get(connector).map(|sink| &sink.dead);
    let mut list: Vec<_> = dead
        .into_iter()
        .flatten()
        .map(|(&id, aside)| {
            let event = aside.event.as_ref();
            let event = event.and_then(|queued| crate::fold::decode(&queued.event));
            let age = event.map(|event| (event.time, event.revision));
            let of = DeliveryRef {
                connector: connector.clone(),
                family: aside.family,
                id,
            };
            (age, aside.since, of)
        })
        .collect();
    list.sort();
    list.into_iter().rev().map(|(_, _, of)| of).collect()
}

/// Uses a connector again: its queue goes.
pub(crate) fn switch_on(deciding: &mut Deciding<'_>, connector: &ConnectorName) {
    let up = deciding
        .state
        .sinks
        .get(connector)
        .is_none_or(|sink| sink.health == crate::fact::Health::Up);
    if !up {
        deciding.record(Fact::Health {
            connector: connector.clone(),
            state: crate::fact::Health::Up,
        });
        for code in ["outage", "access", "gone"] {
            crate::notice::settle(deciding, code, connector.as_str());
        }
    }
    deciding
        .flight
        .sinks
        .entry(connector.clone())
        .or_default()
        .unpark();
}

fn wake_all(deciding: &mut Deciding<'_>) {
    let open: Vec<_> = deciding
        .state
        .sinks
        .iter()
        .flat_map(|(name, sink)| sink.lanes.keys().map(move |&family| (name.clone(), family)))
        .collect();
    for (name, family) in open {
        deciding.flight.wake(&name, family);
    }
}

fn decide(
    deciding: &mut Deciding<'_>,
    id: HoldId,
    yes: bool,
    only: Option<BTreeSet<EntityId>>,
) -> Reply {
    let Some(waiting) = deciding.state.holds.get(&id) else {
        if !yes && deciding.vetoed(id) {
            return Reply::Taken;
        }
        return Reply::Cannot(Words::new(
            format!("rien n'attend sous le nom {id}"),
            format!("nothing waits under the name {id}"),
        ));
    };
    let how = if yes {
        Closing::Approved
    } else {
        Closing::Rejected
    };
    match waiting.hold.what.clone() {
        HoldKind::Reading { source, content } => {
            let fact = if yes {
                Fact::Approved {
                    source,
                    content,
                    only,
                }
            } else {
                Fact::Refused { source, content }
            };
            deciding.record(fact);
        }
        HoldKind::Question { source, pairs } => {
            for (line, entity) in pairs {
                let asked = only.as_ref().is_none_or(|only| only.contains(&entity));
                let same = yes && asked;
                deciding.record(Fact::Answered {
                    source: source.clone(),
                    line,
                    entity,
                    same,
                });
                if !same {
                    deciding.wake_object(&source, entity);
                }
            }
        }
        HoldKind::Delivery { of } => {
            let again = if yes {
                !planted(Fault::ApproveForgets)
            } else {
                planted(Fault::RejectSends)
            };
            if again && deciding.state.aim(&of) != Aim::New {
                // It is still there: what is known of it stands.
                deciding.record(Fact::Again { of: of.clone() });
            } else if again {
                deciding.made_again(&of);
            } else {
                vouched(deciding, &of);
            }
            deciding.flight.wake(&of.connector, of.family);
        }
        HoldKind::Letters { of } => deciding.letters_decided(of, yes, only.as_ref()),
        HoldKind::Blocked { of } => {
            if yes {
                deciding.record(Fact::Again { of: of.clone() });
            } else {
                vouched(deciding, &of);
            }
            deciding.flight.wake(&of.connector, of.family);
        }
        HoldKind::Field {
            connector,
            entity,
            theirs,
        } => {
            if yes {
                let cause = crate::posted::edit_in(&connector);
                crate::posted::take_over(deciding, &connector, entity, &theirs, cause);
            }
            close(deciding, id, how);
            if yes {
                restore(deciding, &connector, entity);
            } else {
                crate::posted::insist(deciding, &connector, entity);
            }
            return Reply::Taken;
        }
        HoldKind::Task { task } => crate::hands::decided(deciding, task, yes),
        HoldKind::Reversal { of, credit } => crate::credits::taken_back(deciding, &of, credit, yes),
        HoldKind::Credit {
            person,
            subject,
            registration,
        } => {
            close(deciding, id, how);
            if yes {
                crate::credits::approved(deciding, person, subject, registration);
            }
            return Reply::Taken;
        }
        HoldKind::Lost { connector, credits } => {
            close(deciding, id, how);
            let asked = |credit: &EntityId| only.as_ref().is_none_or(|only| only.contains(credit));
            let credits = credits.into_iter().filter(asked).collect();
            crate::lost::decided(deciding, &connector, credits, yes);
            return Reply::Taken;
        }
        HoldKind::Seats { subject } => {
            if yes {
                crate::places::make_wait(deciding, subject);
            }
        }
        // The rules are handed in again at the next start or reload; folding remembers the yes.
        HoldKind::Rules { .. } => {}
    }
    close(deciding, id, how);
    Reply::Taken
}

/// A person said that an effect is there. Of an object nobody knows the name then, but that it
/// exists must be remembered, or it would be made again.
pub(crate) fn vouched(deciding: &mut Deciding<'_>, of: &DeliveryRef) {
    let object = match deciding.state.find(of) {
        Some(Spot::Object { entity, .. }) => Some(entity),
        _ => None,
    };
    let owed = object
        .and_then(|entity| deciding.state.sinks[&of.connector].targets.get(&entity))
        .map(|target| (target.link.clone(), target.owed.clone()));
    let Some((link, Some(owed))) = owed else {
        deciding.record(Fact::Skipped {
            of: of.clone(),
            why: Words::new(
                "une personne a dit que c'était fait",
                "a person said that it was done",
            ),
        });
        return;
    };
    let about = object.and_then(|entity| deciding.about(&of.connector, entity));
    let link = owed
        .hash
        .filter(|_| about.is_none())
        .map(|hash| match link {
            Some(link) => Link { hash, ..link },
            // What an attempt this log does not know of wrote is not known either.
            None if owed.progress.attempt() == 0 => Link::nameless(Digest::default()),
            None => Link::nameless(hash),
        });
    deciding.record(Fact::Done {
        of: of.clone(),
        link,
        written: Fields::new(),
    });
    match (about, object) {
        (Some(about), Some(saying)) => {
            let told = deciding.tells(&of.connector, about.entity().unwrap_or(saying));
            deciding.said(&of.connector, about, told.unwrap_or_default());
        }
        (None, Some(entity)) => deciding.review(&of.connector, entity),
        (_, None) => {}
    }
}

/// Our value goes back into the tool at the next write.
fn restore(deciding: &mut Deciding<'_>, connector: &ConnectorName, entity: EntityId) {
    crate::posted::owe_again(deciding, connector, entity);
}

/// A hold that is open is told again every day.
pub(crate) fn remind(deciding: &mut Deciding<'_>) {
    let due: Vec<HoldId> = deciding
        .state
        .holds
        .iter()
        .filter(|(_, waiting)| remind_at(waiting.told) <= deciding.now)
        .map(|(&id, _)| id)
        .collect();
    for id in due {
        deciding.record(Fact::Reminded(id));
        let Some(notice) = deciding.entity(notice_id(deciding, id)) else {
            continue;
        };
        let mut fields = notice.fields;
        let told = fields.get("extra").and_then(|extra| extra.get("reminders"));
        let times = told.and_then(serde_json::Value::as_u64).unwrap_or(0) + 1;
        fields.insert("extra".into(), serde_json::json!({ "reminders": times }));
        deciding.emit(Draft {
            kind: notice.kind,
            verb: Verb::Updated,
            entity: notice.id,
            fields,
            source: crate::notice::RACCORD,
            family: notice.id,
            cause: Cause::Time,
            causation: None,
        });
    }
}

/// When a hold told at `told` is told again.
pub(crate) fn remind_at(told: jiff::Timestamp) -> jiff::Timestamp {
    told.saturating_add(jiff::SignedDuration::from_hours(24))
        .unwrap_or(jiff::Timestamp::MAX)
}

fn notice_id(deciding: &Deciding<'_>, hold: HoldId) -> EntityId {
    let place = &deciding.state.rules().place.id;
    EntityId::derive(&[
        place.as_str().as_bytes(),
        b"notice",
        b"hold",
        hold.to_string().as_bytes(),
    ])
}
