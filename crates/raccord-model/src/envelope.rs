//! The CloudEvents 1.0 envelope, strict (the SDK's decoder lets empty ids through; see
//! `docs/adr/0002-own-envelope.md`).

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{EntityId, EntityKind, Event, PlaceId, Verb, Words};

/// A CloudEvents 1.0 event in the JSON event format, checked
/// (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>).
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// `id`: not empty, unique for its `source`.
    pub id: String,
    /// `source`: a URI reference, not empty.
    pub source: String,
    /// `type`: not empty.
    pub kind: String,
    /// `subject`, where given.
    pub subject: Option<String>,
    /// `time`, where given.
    pub time: Option<Timestamp>,
    /// `datacontenttype`, where given.
    pub data_content_type: Option<String>,
    /// `dataschema`, where given.
    pub data_schema: Option<String>,
    /// Extension attributes, by name.
    pub extensions: Map<String, Value>,
    /// `data`, where given.
    pub data: Option<Value>,
}

/// Why a text is no CloudEvents 1.0 event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{attribute}: {}", problem.en)]
pub struct EnvelopeError {
    /// The attribute that is wrong.
    pub attribute: String,
    /// What is wrong with it.
    pub problem: Words,
}

impl EnvelopeError {
    fn new(attribute: &str, fr: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            attribute: attribute.to_owned(),
            problem: Words::new(fr, en),
        }
    }
}

impl Envelope {
    /// Reads the JSON event format, refusing whatever the specification forbids.
    ///
    /// # Errors
    /// The first attribute that breaks the specification.
    pub fn from_json(value: Value) -> Result<Self, EnvelopeError> {
        let (envelope, errors) = Self::parse(value);
        match errors.into_iter().next() {
            None => Ok(envelope),
            Some(error) => Err(error),
        }
    }

    /// Reads the JSON event format: what could be read, and every attribute that breaks the
    /// specification; it stands empty in what was read.
    pub fn parse(value: Value) -> (Self, Vec<EnvelopeError>) {
        let mut errors = Vec::new();
        let Value::Object(mut map) = value else {
            errors.push(EnvelopeError::new(
                "",
                "un événement est un objet JSON",
                "an event is a JSON object",
            ));
            return (Self::empty(), errors);
        };
        let version = match map.remove("specversion") {
            Some(Value::String(version)) if version == "1.0" => Ok(()),
            Some(_) => Err((
                "seule la version 1.0 est comprise",
                "only 1.0 is understood",
            )),
            None => Err(("est obligatoire : \"1.0\"", "is required, \"1.0\"")),
        };
        if let Err((fr, en)) = version {
            errors.push(EnvelopeError::new("specversion", fr, en));
        }
        let mut text = |name: &str, needed: bool| {
            let read = match optional(&mut map, name) {
                Ok(None) if needed => {
                    Err(EnvelopeError::new(name, "est obligatoire", "is required"))
                }
                read => read,
            };
            read.unwrap_or_else(|error| {
                errors.push(error);
                None
            })
        };
        let id = text("id", true).unwrap_or_default();
        let source = text("source", true).unwrap_or_default();
        let kind = text("type", true).unwrap_or_default();
        let subject = text("subject", false);
        let moment = text("time", false);
        let data_content_type = text("datacontenttype", false);
        let data_schema = text("dataschema", false);
        let mut check = |checked: Result<(), EnvelopeError>| errors.extend(checked.err());
        check(uri_reference("source", &source));
        check(uri_reference(
            "dataschema",
            data_schema.as_deref().unwrap_or_default(),
        ));
        let time = moment.as_deref().and_then(|text| text.parse().ok());
        if moment.is_some() && time.is_none() {
            check(Err(EnvelopeError::new(
                "time",
                "n’est pas un instant selon la RFC 3339",
                "is no RFC 3339 timestamp",
            )));
        }
        if map.remove("data_base64").is_some() {
            check(Err(EnvelopeError::new(
                "data_base64",
                "les données binaires ne sont pas comprises ; envoyez du JSON dans data",
                "binary data is not understood; send JSON in data",
            )));
        }
        let data = map.remove("data").filter(|data| !data.is_null());
        map.retain(|_, value| !value.is_null());
        for (name, value) in &map {
            check(extension(name, value));
        }
        let envelope = Self {
            id,
            source,
            kind,
            subject,
            time,
            data_content_type,
            data_schema,
            extensions: map,
            data,
        };
        (envelope, errors)
    }

    fn empty() -> Self {
        Self {
            id: String::new(),
            source: String::new(),
            kind: String::new(),
            subject: None,
            time: None,
            data_content_type: None,
            data_schema: None,
            extensions: Map::new(),
            data: None,
        }
    }

    /// The event as the world sees it: `data` is the whole entity with `id`, `revision` and
    /// `changed`. Personal values must already be back in `event.data`.
    pub fn of(event: &Event, place: &PlaceId) -> Self {
        let mut data: Map<String, Value> = event
            .data
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        data.insert("id".into(), json!(event.entity));
        data.insert("revision".into(), json!(event.revision));
        data.insert("changed".into(), json!(event.changed));
        let mut extensions = Map::new();
        extensions.insert("place".into(), json!(place.as_str()));
        extensions.insert("correlationid".into(), json!(event.correlation));
        if let Some(causation) = event.causation {
            extensions.insert("causationid".into(), json!(causation));
        }
        extensions.insert("partitionkey".into(), json!(event.family));
        if event.hops > 0 {
            extensions.insert("hops".into(), json!(event.hops));
        }
        if let Some(trace) = &event.trace {
            extensions.insert("traceparent".into(), json!(trace.parent()));
            extensions.extend(
                trace
                    .state()
                    .map(|state| ("tracestate".into(), json!(state))),
            );
        }
        Self {
            id: event.id.to_string(),
            source: format!("/places/{place}/{}", event.source.trim_start_matches('/')),
            kind: event.type_name(),
            subject: Some(event.entity.to_string()),
            time: Some(event.time),
            data_content_type: Some("application/json".into()),
            data_schema: None,
            extensions,
            data: Some(Value::Object(data)),
        }
    }

    /// The entity kind, verb and major version an `org.raccord` type names.
    pub fn raccord_type(&self) -> Option<(EntityKind, Verb)> {
        let rest = self.kind.strip_prefix("org.raccord.")?;
        let (rest, version) = rest.rsplit_once('.')?;
        let (entity, verb) = rest.split_once('.')?;
        let kind: EntityKind = entity.parse().ok()?;
        let verb: Verb = verb.parse().ok()?;
        (version == "v1" && Verb::of(kind).contains(&verb)).then_some((kind, verb))
    }

    /// The subject as one of our entity ids, if it is one.
    pub fn entity(&self) -> Option<EntityId> {
        self.subject.as_deref()?.parse().ok()
    }
}

impl Serialize for Envelope {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = out.serialize_map(None)?;
        map.serialize_entry("specversion", "1.0")?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("source", &self.source)?;
        map.serialize_entry("type", &self.kind)?;
        if let Some(subject) = &self.subject {
            map.serialize_entry("subject", subject)?;
        }
        if let Some(time) = &self.time {
            map.serialize_entry("time", time)?;
        }
        if let Some(kind) = &self.data_content_type {
            map.serialize_entry("datacontenttype", kind)?;
        }
        if let Some(schema) = &self.data_schema {
            map.serialize_entry("dataschema", schema)?;
        }
        for (name, value) in &self.extensions {
            map.serialize_entry(name, value)?;
        }
        if let Some(data) = &self.data {
            map.serialize_entry("data", data)?;
        }
        map.end()
    }
}

fn optional(map: &mut Map<String, Value>, name: &str) -> Result<Option<String>, EnvelopeError> {
    match map.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Err(EnvelopeError::new(
            name,
            "ne doit pas être vide",
            "must not be empty",
        )),
        Some(Value::String(text)) if text.chars().any(char::is_control) => Err(EnvelopeError::new(
            name,
            "contient un caractère de commande",
            "holds a control character",
        )),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(EnvelopeError::new(
            name,
            "doit être un texte",
            "must be a string",
        )),
    }
}

fn uri_reference(name: &str, text: &str) -> Result<(), EnvelopeError> {
    let forbidden = |c: char| {
        c.is_whitespace() || matches!(c, '<' | '>' | '"' | '{' | '}' | '|' | '\\' | '^' | '`')
    };
    if text.chars().any(forbidden) {
        return Err(EnvelopeError::new(
            name,
            "n’est pas une référence d’URI (RFC 3986)",
            "is no URI reference (RFC 3986)",
        ));
    }
    Ok(())
}

fn extension(name: &str, value: &Value) -> Result<(), EnvelopeError> {
    if !name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        || name.is_empty()
    {
        return Err(EnvelopeError::new(
            name,
            "les noms d’attributs sont en minuscules et en chiffres",
            "attribute names are lower-case letters and digits",
        ));
    }
    match value {
        Value::Bool(_) | Value::String(_) => Ok(()),
        Value::Number(number) if number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => {
            Ok(())
        }
        Value::Number(_) => Err(EnvelopeError::new(
            name,
            "un nombre doit être un entier de 32 bits",
            "a number must be a 32-bit integer",
        )),
        _ => Err(EnvelopeError::new(
            name,
            "doit être un texte, un nombre ou un booléen",
            "must be a string, a number or a boolean",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minimal() -> Value {
        json!({"specversion": "1.0", "id": "1", "source": "/test", "type": "org.raccord.activity.created.v1"})
    }

    #[test]
    fn a_minimal_event_reads_and_writes_the_same() {
        let envelope = Envelope::from_json(minimal()).unwrap();
        assert_eq!(serde_json::to_value(&envelope).unwrap(), minimal());
        assert_eq!(
            envelope.raccord_type(),
            Some((EntityKind::Activity, Verb::Created))
        );
    }

    #[test]
    fn what_the_specification_forbids_is_refused_by_attribute() {
        for (name, value) in [
            ("specversion", json!("0.3")),
            ("id", json!("")),
            ("id", json!(4)),
            ("source", json!("a b")),
            ("type", json!("")),
            ("time", json!("yesterday")),
            ("traceParent", json!("x")),
            ("nested", json!({"a": 1})),
            ("big", json!(1_u64 << 40)),
            ("data_base64", json!("AAAA")),
            ("subject", json!("a\u{0}b")),
        ] {
            let mut event = minimal();
            event[name] = value;
            assert_eq!(Envelope::from_json(event).unwrap_err().attribute, name);
        }
        for name in ["specversion", "id", "source", "type"] {
            let mut event = minimal();
            event.as_object_mut().unwrap().remove(name);
            assert_eq!(Envelope::from_json(event).unwrap_err().attribute, name);
        }
    }
}
