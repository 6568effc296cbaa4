//! What is known of a person by their e-mail address, and forgetting it: everywhere in the log's
//! folder, and for good, since neither a reading nor an old backup brings it back.

use std::sync::Arc;

use raccord_bus::{Forgotten, Log, LogError, LogRead};
use raccord_engine::{Engine, Input, Order, Reply, Who, mentions, slots_of};
use raccord_model::{ConnectorName, Slot, Words};

use super::desk::Desk;
use super::home::Home;
use super::told;
use crate::locale::shown;
use crate::report::Problem;
use crate::shapes::{CodeShape, KnownShape, PersonShape, ReaderShape, ReadersShape};

/// The list beside the log, as the engine asks it.
#[derive(Debug)]
struct List(Arc<Forgotten>);

impl raccord_engine::Forgotten for List {
    fn has(&self, value: &str) -> bool {
        self.0.has_value(value)
    }
}

/// Lets the engine keep no value of somebody who was forgotten; gives who was.
///
/// # Errors
/// When the list cannot be read: nobody must be brought back by mistake.
pub(super) fn refuse(
    engine: &mut Engine,
    home: &Home,
    log: &dyn LogRead,
) -> Result<Arc<Forgotten>, Problem> {
    let list = home.forgotten(log).map_err(|error| home.refused(&error))?;
    let list = Arc::new(list);
    if !list.is_empty() {
        engine.refuse(Arc::new(List(Arc::clone(&list))));
    }
    Ok(list)
}

/// Who reads a letter, by their address.
pub(super) fn readers(engine: &Engine, letter: &ConnectorName) -> ReadersShape {
    let people = raccord_engine::readers(engine, letter);
    let mut readers: Vec<ReaderShape> = people
        .iter()
        .filter_map(|person| {
            let known = person.fields.get("letters")?.get(letter.as_str())?;
            let text = |name: &str| Some(known.get(name)?.as_str()?.to_owned());
            Some(ReaderShape {
                email: person.text("email").to_owned(),
                since: text("since").unwrap_or_default(),
                bounced: text("bounced"),
            })
        })
        .collect();
    readers.sort();
    ReadersShape(readers)
}

/// Everything that is known of `email`.
pub(super) fn known(engine: &Engine, email: &str) -> PersonShape {
    let known = mentions(engine, email)
        .into_iter()
        .map(|mentioned| KnownShape {
            entity: mentioned.entity,
            title: mentioned.title,
            field: mentioned.field,
            personal: mentioned.personal,
            cell: mentioned.line.map(cell),
            value: mentioned.value,
        });
    PersonShape {
        email: email.to_owned(),
        forgotten: false,
        known: known.collect(),
    }
}

fn cell((source, tab, row): (ConnectorName, String, u32)) -> String {
    if tab.is_empty() {
        format!("{source}, {row}")
    } else {
        format!("{source}, {tab}, {row}")
    }
}

/// Nothing is known of this address.
pub(super) fn unknown(email: &str) -> Problem {
    Problem::failed(
        shown(email),
        "person-unknown",
        Words::new(
            format!("De {}, on ne sait rien.", shown(email)),
            format!("Nothing is known of {}.", shown(email)),
        ),
        Words::new(
            "Vérifiez l'adresse : elle est cherchée entière, telle que la feuille ou un autre outil l'a donnée.",
            "Check the address: it is looked for as a whole, as the sheet or another tool gave it.",
        ),
    )
}

/// Draws a code for whoever has `email`.
///
/// # Errors
/// When nobody may be known by that address, or the log cannot be written.
pub(super) async fn code(desk: &Desk, email: String) -> Result<CodeShape, Problem> {
    let who = Who {
        email: email.clone(),
        ..Who::default()
    };
    let reply = desk.input(Input::Order(Order::Code(Box::new(who)))).await;
    let reply = reply.map_err(|broken| broken.0)?;
    match reply {
        Reply::Code { code, until } => Ok(CodeShape { email, code, until }),
        other => {
            told::refused(&other)?;
            Err(unknown(&email))
        }
    }
}

/// Forgets `email`: what was known, for the person who asked.
///
/// # Errors
/// When something of it cannot be written; asked again, it goes on.
pub(super) async fn forget(
    desk: &Desk,
    home: &Home,
    email: String,
) -> Result<PersonShape, Problem> {
    let at = home.clone();
    let begun = desk
        .ask(move |engine, log| begin(engine, log, &at, &email))
        .await
        .map_err(|broken| broken.0)?;
    let (shape, slots) = begun?;
    let reply = desk.input(Input::Order(Order::Forget)).await;
    told::refused(&reply.map_err(|broken| broken.0)?)?;
    let at = home.clone();
    let emptied = desk.ask(move |engine, log| {
        // Only what the log let go: asked again, the rest is found.
        log.forget(&slots).map_err(|error| at.refused(&error))?;
        engine.empty(slots.iter().map(String::as_str));
        Ok(())
    });
    emptied.await.map_err(|broken| broken.0)??;
    Ok(shape)
}

/// First of all it is written down who is forgotten, so that a crash half-way is made good when it
/// is asked again, and no old backup brings anything back.
fn begin(
    engine: &mut Engine,
    log: &mut dyn Log,
    home: &Home,
    email: &str,
) -> Result<(PersonShape, Vec<Slot>), Problem> {
    let refused = |error: LogError| home.refused(&error);
    let mut shape = known(engine, email);
    let slots = slots_of(engine, email);
    // What only their person says, a name say, others may be called too: that goes with its slot.
    let named = |value: &str| value.to_lowercase().contains(&email.trim().to_lowercase());
    let texts = shape
        .known
        .iter()
        .filter(|known| known.personal && named(&known.value));
    let values: Vec<&str> = texts
        .map(|known| known.value.as_str())
        .chain([email])
        .collect();
    let mut list = home.forgotten(log).map_err(refused)?;
    list.add(slots.iter().map(String::as_str), values)
        .map_err(refused)?;
    home.tell_forgotten(log, &list).map_err(refused)?;
    engine.refuse(Arc::new(List(Arc::new(list))));
    shape.forgotten = true;
    Ok((shape, slots))
}
