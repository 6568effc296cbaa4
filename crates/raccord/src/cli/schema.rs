//! `raccord schema list|show|validate`: the shared schemas, and the configuration's.

use std::fmt;
use std::io::Read as _;
use std::path::Path;

use raccord_kit::settings::nearest;
use raccord_model::{Envelope, Fault, Schemas, Words};
use serde::Serialize;
use serde_json::Value;

use super::Console;
use super::args::{Schema, SchemaFile, SchemaType};
use crate::locale::{View, shown};
use crate::report::{BOLD, Exit, GREEN, Problem, RED};
use crate::settings;
use crate::shapes::Shape;

/// The name of the configuration's schema.
const CONFIG: &str = "config";

/// The longest file that is checked: 64 MB.
const LONGEST: u64 = 64_000_000;

pub(super) fn run(args: &Schema, console: &mut Console<'_, '_>) -> Result<Exit, Problem> {
    match args {
        Schema::List => {
            let names = Schemas::names().map(str::to_owned);
            let list = NameList(names.chain([CONFIG.to_owned()]).collect());
            console.print(&list, &console.view()?)
        }
        Schema::Show(args) => show(args, console),
        Schema::Validate(args) => validate(args, console),
    }
}

/// The schemas' names.
#[derive(Serialize)]
#[serde(transparent)]
struct NameList(Vec<String>);

impl Shape for NameList {
    fn human(&self, _: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        self.0.iter().try_for_each(|name| writeln!(out, "{name}"))
    }
}

fn show(args: &SchemaType, console: &mut Console<'_, '_>) -> Result<Exit, Problem> {
    let name = args.name.trim();
    if name == CONFIG {
        let mut text =
            serde_json::to_string_pretty(&settings::schema()).expect("a schema always serialises");
        text.push('\n');
        console.write(text.as_bytes())?;
        return Ok(Exit::Done);
    }
    let text = Schemas::text(name)
        .or_else(|| Schemas::text(&format!("{name}/v1")))
        .ok_or_else(|| unknown(name))?;
    console.write(text.as_bytes())?;
    if !text.ends_with('\n') {
        console.write(b"\n")?;
    }
    Ok(Exit::Done)
}

fn unknown(name: &str) -> Problem {
    let known: Vec<&str> = Schemas::names()
        .map(|name| name.strip_suffix("/v1").unwrap_or(name))
        .chain([CONFIG])
        .collect();
    let mend = match nearest(name, &known) {
        Some(near) => Words::new(
            format!("Vouliez-vous écrire « {near} » ?"),
            format!("Did you mean “{near}”?"),
        ),
        None => Words::new(
            "`raccord schema list` montre tous les schémas.",
            "`raccord schema list` shows all schemas.",
        ),
    };
    Problem::usage(
        "",
        "schema-unknown",
        Words::new(
            format!("Aucun schéma ne s'appelle « {} ».", shown(name)),
            format!("No schema is called “{}”.", shown(name)),
        ),
        mend,
    )
}

/// What was checked, and what is wrong with it.
#[derive(Serialize)]
struct Verdict {
    /// How many events were checked.
    checked: usize,
    faults: Vec<EventFault>,
}

/// One fault of one event.
#[derive(Serialize)]
struct EventFault {
    /// Which event of the file, from 1.
    event: usize,
    /// JSON Pointer in the event.
    pointer: String,
    /// What is wrong, for who wrote the program that made it.
    detail: String,
}

impl Shape for Verdict {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        for fault in &self.faults {
            let event = view.say("événement", "event");
            writeln!(
                out,
                "{RED}×{RED:#} {event} {} {BOLD}{}{BOLD:#} {}",
                fault.event,
                shown(&fault.pointer),
                shown(&fault.detail)
            )?;
        }
        let checked = view.count(
            self.checked,
            ("événement vérifié", "événements vérifiés"),
            ("event checked", "events checked"),
        );
        if self.checked == 0 && self.faults.is_empty() {
            let right = view.say("Tout est juste.", "All is right.");
            writeln!(out, "{GREEN}✓{GREEN:#} {right}")
        } else if self.faults.is_empty() {
            let right = view.say("tout est juste", "all is right");
            writeln!(out, "{GREEN}✓{GREEN:#} {checked}, {right}.")
        } else {
            let faults = view.count(
                self.faults.len(),
                ("erreur", "erreurs"),
                ("fault", "faults"),
            );
            writeln!(out, "{checked}, {faults}.")
        }
    }

    fn exit(&self) -> Exit {
        if self.faults.is_empty() {
            Exit::Done
        } else {
            Exit::Failed
        }
    }
}

fn validate(args: &SchemaFile, console: &mut Console<'_, '_>) -> Result<Exit, Problem> {
    if args.file.extension().is_some_and(|ending| ending == "toml") {
        settings::load(&args.file, &console.shell.env).map_err(|refused| {
            console.place_lang = refused.lang;
            Problem::configuration(refused.findings)
        })?;
        return console.print(
            &Verdict {
                checked: 0,
                faults: Vec::new(),
            },
            &console.view()?,
        );
    }
    let mut bytes = Vec::new();
    let read = if args.file == Path::new("-") {
        (&mut *console.shell.input)
            .take(LONGEST + 1)
            .read_to_end(&mut bytes)
    } else {
        std::fs::File::open(&args.file)
            .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
    };
    read.map_err(|cause| Problem::file(&args.file, &cause))?;
    if bytes.len() as u64 > LONGEST {
        return Err(Problem::failed(
            args.file.display().to_string(),
            "file-too-long",
            Words::new("Ce fichier dépasse 64 Mo.", "This file is over 64 MB."),
            Words::new("Coupez-le en plusieurs.", "Cut it into several."),
        ));
    }
    let events = events(&bytes).map_err(|detail| {
        Problem::failed(
            args.file.display().to_string(),
            "json-unreadable",
            Words::new(
                format!("Ce fichier n'est pas du JSON ({detail})."),
                format!("This file is not JSON ({detail})."),
            ),
            Words::new(
                "Donnez un CloudEvent, une liste, ou un par ligne.",
                "Give a CloudEvent, a list, or one a line.",
            ),
        )
    })?;
    let view = console.view()?;
    let mut verdict = Verdict {
        checked: events.len(),
        faults: Vec::new(),
    };
    for (index, event) in events.into_iter().enumerate() {
        verdict
            .faults
            .extend(faults_of(event).into_iter().map(|fault| EventFault {
                event: index + 1,
                pointer: fault.pointer,
                detail: fault.detail.get(view.lang).to_owned(),
            }));
    }
    console.print(&verdict, &view)
}

/// One event, a list of them, or one a line.
fn events(bytes: &[u8]) -> Result<Vec<Value>, serde_json::Error> {
    let mut all = Vec::new();
    for value in serde_json::Deserializer::from_slice(bytes).into_iter::<Value>() {
        match value? {
            Value::Array(items) => all.extend(items),
            one => all.push(one),
        }
    }
    Ok(all)
}

/// Every fault of the envelope and, as far as its type is known, of the data.
fn faults_of(event: Value) -> Vec<Fault> {
    let (envelope, broken) = Envelope::parse(event);
    let mut faults: Vec<Fault> = broken
        .into_iter()
        .map(|error| Fault {
            pointer: format!("/{}", error.attribute),
            detail: error.problem,
        })
        .collect();
    let Some((kind, verb)) = envelope.raccord_type() else {
        if !envelope.kind.is_empty() {
            let named = shown(&envelope.kind);
            faults.push(Fault {
                pointer: "/type".to_owned(),
                detail: Words::new(
                    format!("« {named} » n'est pas un type d'événement de Raccord"),
                    format!("“{named}” is no event type of Raccord"),
                ),
            });
        }
        return faults;
    };
    let data = envelope.data.unwrap_or(Value::Null);
    let found = Schemas::shared().check(kind, verb, &data);
    faults.extend(found.into_iter().map(|fault| Fault {
        pointer: format!("/data{}", fault.pointer),
        ..fault
    }));
    faults
}
