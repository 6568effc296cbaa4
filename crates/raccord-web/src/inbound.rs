//! From a posted body to changes: CloudEvents 1.0 over HTTP in its three modes, checked against
//! the envelope's rules and the shared schemas. Pure: no socket, no place, no clock.

use axum::http::{HeaderMap, header};
use percent_encoding::percent_decode;
use raccord_model::{Change, Envelope, Fault, Fields, Schemas, Trace, Verb, Words};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::json::{self, JsonError, Said};

/// Attributes longer than this are refused: no sender needs them, and they are kept.
const LONGEST: usize = 1024;
/// At most this many faults are told in one answer.
const MOST_FAULTS: usize = 100;
/// The extension attributes that are carried on.
const CARRIED: [&str; 5] = [
    "correlationid",
    "causationid",
    "hops",
    "traceparent",
    "tracestate",
];

const NOT_UTF8: Said = (
    "n’est pas de l’UTF-8 codé en pour-cent",
    "is no percent-encoded UTF-8",
);
const TWICE: Said = (
    "cet en-tête est écrit deux fois",
    "this header stands twice",
);
const NO_BATCH: Said = (
    "un lot est une liste JSON d’événements",
    "a batch is a JSON array of events",
);

/// One fault of one posted event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EventFault {
    /// Which event of the batch, from 0; 0 where one was sent.
    pub index: usize,
    /// JSON Pointer into that event, in the JSON event format (`/data/start`, `/source`).
    pub pointer: String,
    /// What is wrong, for the developer who sent it.
    pub detail: Words,
}

/// The form a posted body has.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// Attributes in headers, data in the body.
    Binary(Map<String, Value>),
    /// One event in the JSON event format.
    Structured,
    /// A JSON array of events.
    Batch,
}

/// Why a body was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is in none of the forms taken.
    Unsupported,
    /// It is no JSON; the text says where.
    Malformed(String),
    /// A batch of more events than are taken at once.
    TooMany,
    /// What is wrong with each event.
    Faults(Vec<EventFault>),
}

impl Refusal {
    fn one(pointer: impl Into<String>, (fr, en): Said) -> Self {
        Self::Faults(vec![EventFault {
            index: 0,
            pointer: pointer.into(),
            detail: Words::new(fr, en),
        }])
    }
}

/// Finds out which form a request has, and decodes a binary one's attributes.
///
/// # Errors
/// [`Refusal::Unsupported`] for other content, [`Refusal::Faults`] for headers that cannot be
/// read.
pub fn form_of(headers: &HeaderMap) -> Result<Form, Refusal> {
    let plain = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if !plain {
        return Err(Refusal::Unsupported);
    }
    let content_type = match headers.get(header::CONTENT_TYPE) {
        None => None,
        Some(value) => Some(value.to_str().map_err(|_| Refusal::Unsupported)?),
    };
    if content_type.is_some_and(|value| !in_utf8(value)) {
        return Err(Refusal::Unsupported);
    }
    let media = content_type.map(essence);
    match media.as_deref() {
        Some("application/cloudevents+json") => return Ok(Form::Structured),
        Some("application/cloudevents-batch+json") => return Ok(Form::Batch),
        Some(other) if !is_json(other) => return Err(Refusal::Unsupported),
        _ if !headers.contains_key("ce-specversion") => return Err(Refusal::Unsupported),
        _ => {}
    }
    let mut attributes = Map::new();
    for (header_name, value) in headers {
        let Some(name) = header_name.as_str().strip_prefix("ce-") else {
            continue;
        };
        let known = matches!(
            name,
            "specversion" | "id" | "source" | "type" | "subject" | "time" | "dataschema"
        );
        if !known && !CARRIED.contains(&name) {
            continue;
        }
        let text = header_text(value.as_bytes())
            .ok_or_else(|| Refusal::one(format!("/{name}"), NOT_UTF8))?;
        if attributes
            .insert(name.to_owned(), Value::String(text))
            .is_some()
        {
            return Err(Refusal::one(format!("/{name}"), TWICE));
        }
    }
    if let Some(media) = media {
        attributes.insert("datacontenttype".into(), Value::String(media));
    }
    Ok(Form::Binary(attributes))
}

/// Reads a body: all its events are good, or none is taken.
///
/// # Errors
/// What is wrong with it, event by event.
pub fn read(form: Form, body: &[u8], most: usize) -> Result<Vec<Change>, Refusal> {
    match form {
        Form::Binary(mut attributes) => {
            if !body.is_empty() {
                if !attributes.contains_key("datacontenttype") {
                    return Err(Refusal::Unsupported);
                }
                let data = json::parse(body).map_err(|error| refused(error, "/data"))?;
                attributes.insert("data".into(), data);
            }
            one(Value::Object(attributes))
        }
        Form::Structured => one(json::parse(body).map_err(|error| refused(error, ""))?),
        Form::Batch => {
            let events = match json::parse(body) {
                Ok(Value::Array(events)) => events,
                Ok(_) => return Err(Refusal::one("", NO_BATCH)),
                Err(error) => return Err(refused_in_batch(error)),
            };
            if events.len() > most {
                return Err(Refusal::TooMany);
            }
            let mut changes = Vec::with_capacity(events.len());
            let mut faults = Vec::new();
            for (index, event) in events.into_iter().enumerate() {
                match change(event) {
                    Ok(change) => changes.push(change),
                    Err(found) => {
                        faults.extend(found.into_iter().map(|fault| placed(index, fault)));
                    }
                }
                if faults.len() >= MOST_FAULTS {
                    faults.truncate(MOST_FAULTS);
                    break;
                }
            }
            if faults.is_empty() {
                Ok(changes)
            } else {
                Err(Refusal::Faults(faults))
            }
        }
    }
}

fn one(event: Value) -> Result<Vec<Change>, Refusal> {
    change(event).map(|change| vec![change]).map_err(|faults| {
        Refusal::Faults(faults.into_iter().map(|fault| placed(0, fault)).collect())
    })
}

fn placed(index: usize, fault: Fault) -> EventFault {
    EventFault {
        index,
        pointer: fault.pointer,
        detail: fault.detail,
    }
}

fn refused(error: JsonError, under: &str) -> Refusal {
    match error {
        JsonError::Malformed(detail) => Refusal::Malformed(detail),
        JsonError::Refused { pointer, detail } => Refusal::one(format!("{under}{pointer}"), detail),
    }
}

/// In a batch the pointer's first segment is the event's index.
fn refused_in_batch(error: JsonError) -> Refusal {
    let JsonError::Refused { pointer, detail } = error else {
        return refused(error, "");
    };
    let mut segments = pointer.splitn(3, '/').skip(1);
    let index = segments.next().and_then(|text| text.parse().ok());
    Refusal::Faults(vec![EventFault {
        index: index.unwrap_or(0),
        pointer: segments
            .next()
            .map(|rest| format!("/{rest}"))
            .unwrap_or_default(),
        detail: Words::new(detail.0, detail.1),
    }])
}

fn fault(pointer: impl Into<String>, fr: impl Into<String>, en: impl Into<String>) -> Fault {
    Fault {
        pointer: pointer.into(),
        detail: Words::new(fr, en),
    }
}

/// One event of the JSON event format as a change.
fn change(event: Value) -> Result<Change, Vec<Fault>> {
    let (envelope, broken) = Envelope::parse(event);
    // Where the envelope has faults, those of its data are told with them.
    let mut faults: Vec<Fault> = broken
        .into_iter()
        .map(|error| Fault {
            pointer: match error.attribute.as_str() {
                "" => String::new(),
                name => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
            },
            detail: error.problem,
        })
        .collect();
    if faults.iter().any(|fault| fault.pointer.is_empty()) {
        return Err(faults);
    }
    let told = |faults: &[Fault], name: &str| {
        faults
            .iter()
            .any(|fault| fault.pointer.strip_prefix('/') == Some(name))
    };
    for (name, value) in [("id", &envelope.id), ("source", &envelope.source)]
        .into_iter()
        .chain(
            envelope
                .subject
                .as_ref()
                .map(|subject| ("subject", subject)),
        )
    {
        if value.len() > LONGEST {
            faults.push(fault(
                format!("/{name}"),
                format!("dépasse {LONGEST} octets"),
                format!("is longer than {LONGEST} bytes"),
            ));
        }
    }
    if envelope.subject.is_none() && !told(&faults, "subject") {
        faults.push(fault(
            "/subject",
            "est obligatoire : le nom que l’expéditeur donne à la chose",
            "is required: the sender's own id of the thing",
        ));
    }
    let named = envelope.raccord_type();
    if named.is_none() && !told(&faults, "type") {
        faults.push(fault(
            "/type",
            "n’est pas un type qui est pris : org.raccord.<entity>.<verb>.v1, voir `raccord schema list`",
            "is none of the types taken: org.raccord.<entity>.<verb>.v1, see `raccord schema list`",
        ));
    }
    if envelope
        .data_content_type
        .as_deref()
        .is_some_and(|kind| !is_json(&essence(kind)) || !in_utf8(kind))
    {
        faults.push(fault(
            "/datacontenttype",
            "doit être application/json",
            "must be application/json",
        ));
    }
    let mut carried = Carried::default();
    for name in CARRIED {
        if let Some(value) = envelope.extensions.get(name)
            && let Err((fr, en)) = carried.take(name, value)
            && !told(&faults, name)
        {
            faults.push(fault(format!("/{name}"), fr, en));
        }
    }
    let mut data = match envelope.data {
        Some(Value::Object(data)) => data,
        None if matches!(named, Some((_, Verb::Cancelled | Verb::Removed))) => Map::new(),
        None => {
            faults.push(fault(
                "/data",
                "est obligatoire : les champs que l’expéditeur connaît",
                "is required: the fields the sender knows",
            ));
            Map::new()
        }
        Some(_) => {
            faults.push(fault("/data", "doit être un objet", "must be an object"));
            Map::new()
        }
    };
    // Ours to say, never the sender's.
    for ours in ["id", "revision", "changed"] {
        data.remove(ours);
    }
    // Null takes a field back, whatever its type; there is no field of another name.
    let mut emptied = Vec::new();
    data.retain(|name, value| {
        let empty = value.is_null();
        if empty {
            emptied.push(name.clone());
        }
        !empty
    });
    let data = Value::Object(data);
    if let Some((kind, verb)) = named {
        faults.extend(
            Schemas::shared()
                .check_posted(kind, verb, &data)
                .into_iter()
                .map(|found| Fault {
                    pointer: format!("/data{}", found.pointer),
                    detail: found.detail,
                }),
        );
        faults.extend(
            emptied
                .iter()
                .filter(|name| !Schemas::has_field(kind, name))
                .map(|name| {
                    fault(
                        format!("/data/{}", name.replace('~', "~0").replace('/', "~1")),
                        "n’est pas un champ connu",
                        "no such field",
                    )
                }),
        );
    }
    match (named, envelope.subject, data) {
        (Some((kind, verb)), Some(subject), Value::Object(mut data)) if faults.is_empty() => {
            data.extend(emptied.into_iter().map(|name| (name, Value::Null)));
            Ok(Change {
                sender: envelope.source,
                id: envelope.id,
                kind,
                verb,
                subject,
                fields: data.into_iter().collect::<Fields>(),
                trace: carried.trace(),
                correlation: carried.correlation,
                causation: carried.causation,
                hops: carried.hops,
            })
        }
        _ => Err(faults),
    }
}

/// The extension attributes that travel on.
#[derive(Default)]
struct Carried {
    correlation: Option<String>,
    causation: Option<String>,
    hops: u8,
    parent: Option<String>,
    state: Option<String>,
}

impl Carried {
    /// The trace context; one that breaks its rules is left behind, as they ask.
    fn trace(&self) -> Option<Trace> {
        Trace::of(self.parent.as_deref()?, self.state.as_deref())
    }

    fn take(&mut self, name: &str, value: &Value) -> Result<(), Said> {
        if name == "hops" {
            // In headers every value is a text. More than 255 is past every limit all the same.
            let number = match value {
                Value::String(text) => text.parse::<u32>().ok(),
                other => other.as_u64().and_then(|number| u32::try_from(number).ok()),
            };
            let number = number.ok_or((
                "doit être un nombre, 0 ou plus",
                "must be a number, 0 or more",
            ))?;
            self.hops = u8::try_from(number).unwrap_or(u8::MAX);
            return Ok(());
        }
        if name.starts_with("trace") {
            let text = value.as_str().map(str::to_owned);
            *(if name == "traceparent" {
                &mut self.parent
            } else {
                &mut self.state
            }) = text;
            return Ok(());
        }
        let text = value
            .as_str()
            .ok_or(("doit être un texte", "must be a string"))?;
        if text.is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
            return Err((
                "doit être un texte de 1 à 1024 octets, sans caractère de commande",
                "must be a text of 1 to 1024 bytes without control characters",
            ));
        }
        let slot = if name == "correlationid" {
            &mut self.correlation
        } else {
            &mut self.causation
        };
        *slot = Some(text.to_owned());
        Ok(())
    }
}

/// A header's value as the CloudEvents HTTP binding encodes it: quotes around are taken off,
/// then percent-encoded UTF-8 is decoded once.
fn header_text(value: &[u8]) -> Option<String> {
    let unquoted;
    let value = match value {
        [b'"', inner @ .., b'"'] => {
            let mut bytes = Vec::with_capacity(inner.len());
            let mut rest = inner.iter();
            while let Some(&byte) = rest.next() {
                bytes.push(if byte == b'\\' { *rest.next()? } else { byte });
            }
            unquoted = bytes;
            unquoted.as_slice()
        }
        plain => plain,
    };
    percent_decode(value)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

fn essence(content_type: &str) -> String {
    content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

fn is_json(media: &str) -> bool {
    matches!(media, "application/json" | "text/json")
        || media.starts_with("application/") && media.ends_with("+json")
}

/// Whether a content type names no other encoding than the only one JSON has.
fn in_utf8(content_type: &str) -> bool {
    content_type
        .split(';')
        .skip(1)
        .all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
                let value = value.trim().trim_matches('"');
                value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("us-ascii")
            }
            _ => true,
        })
}
