//! Whether what a connector sends and what its stand-in answers have the shapes of the tool's own
//! description of its API (OpenAPI 3.0).
//!
//! The descriptions are not ours to carry: they are read from the folder that `RACCORD_CONTRACTS` names.
//! Where it names none nothing is checked, and the test says so.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};

use crate::standin::{Play, Seen};

/// A tool's own description of its API, in one or more documents.
#[derive(Debug)]
pub struct Contract {
    documents: Vec<Value>,
}

/// The exchanges of a test, for a [`Contract`].
#[derive(Clone, Debug, Default)]
pub struct Exchanges(Arc<Mutex<Vec<Exchange>>>);

#[derive(Clone, Debug)]
struct Exchange {
    asked: Seen,
    status: u16,
    body: Vec<u8>,
}

impl Exchanges {
    /// Notes what was asked and how it is answered, where it is answered.
    pub fn note(&self, asked: &Seen, play: Play) -> Play {
        if let Play::Answer(reply) = &play {
            let exchange = Exchange {
                asked: asked.clone(),
                status: reply.code(),
                body: reply.bytes().to_vec(),
            };
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(exchange);
        }
        play
    }

    fn all(&self) -> Vec<Exchange> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Contract {
    /// The description in these files; nothing, and a word of it, where no folder is named.
    ///
    /// # Panics
    /// When a folder is named and a file is not there, or cannot be read.
    #[expect(clippy::print_stderr, reason = "a test that checks nothing says so")]
    pub fn open(files: &[&str]) -> Option<Self> {
        let Some(folder) = std::env::var_os("RACCORD_CONTRACTS") else {
            eprintln!(
                "not checked: RACCORD_CONTRACTS names no folder with {}",
                files.join(", ")
            );
            return None;
        };
        Some(Self::read(&PathBuf::from(folder), files))
    }

    fn read(folder: &Path, files: &[&str]) -> Self {
        let documents = files.iter().map(|file| {
            let path = folder.join(file);
            let text = std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let mut document: Value =
                serde_yaml::from_str(&text).expect("a description is YAML with texts as keys");
            allow_null(&mut document);
            document
        });
        Self {
            documents: documents.collect(),
        }
    }

    /// Where the exchanges differ from the description, each difference once; `known` are those calls,
    /// as `GET /path`, that the documents leave out.
    pub fn differences(&self, exchanges: &Exchanges, known: &[&str]) -> BTreeSet<String> {
        let all = exchanges.all();
        assert!(!all.is_empty(), "nothing was asked");
        all.iter()
            .flat_map(|exchange| self.check(exchange, known))
            .collect()
    }

    fn check(&self, exchange: &Exchange, known: &[&str]) -> Vec<String> {
        let asked = &exchange.asked;
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let call = format!("{} {path}", asked.method);
        if known.contains(&call.as_str()) {
            return Vec::new();
        }
        let method = asked.method.as_str().to_lowercase();
        let Some((document, template, operation)) = self.operation(&method, path) else {
            return vec![format!("{call} is not described")];
        };
        let call = format!("{} {template}", asked.method);
        let mut wrong = Vec::new();
        let declared: BTreeSet<&str> = [
            &operation["parameters"],
            &document["paths"][template]["parameters"],
        ]
        .into_iter()
        .filter_map(Value::as_array)
        .flatten()
        .map(|one| resolve(document, one))
        .filter(|one| one["in"] == "query")
        .filter_map(|one| one["name"].as_str())
        .collect();
        for (name, _) in url::form_urlencoded::parse(query.as_bytes()) {
            if !declared.contains(&*name) {
                wrong.push(format!("{call}: ?{name} is not described"));
            }
        }
        let body = resolve(document, &operation["requestBody"]);
        if !asked.body.is_empty() {
            match content(body) {
                Some(schema) => wrong.extend(
                    fits(document, schema, &asked.body).map(|at| format!("{call}, asked: {at}")),
                ),
                None => wrong.push(format!("{call} has no body in JSON")),
            }
        }
        let answers = &operation["responses"];
        let status = exchange.status.to_string();
        let answer = answers.get(&status).or_else(|| answers.get("default"));
        match answer.map(|answer| resolve(document, answer)) {
            None => wrong.push(format!("{call}: {status} is not described")),
            Some(answer) => {
                if let Some(schema) = content(answer) {
                    let at = fits(document, schema, &exchange.body);
                    wrong.extend(at.map(|at| format!("{call}, {status}: {at}")));
                }
            }
        }
        wrong
    }

    /// The document, the path as it stands there, and what is said of it.
    fn operation(&self, method: &str, path: &str) -> Option<(&Value, &str, &Value)> {
        let mut found = None;
        for document in &self.documents {
            for (template, item) in document["paths"].as_object()? {
                let operation = item.get(method).filter(|_| is_path(template, path));
                if let Some(operation) = operation {
                    // `me` is no id where it has a path of its own.
                    if template == path {
                        return Some((document, template, operation));
                    }
                    found = found.or(Some((document, template.as_str(), operation)));
                }
            }
        }
        found
    }
}

fn is_path(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given || wanted.starts_with('{') => {}
            _ => return false,
        }
    }
}

/// What a `$ref` stands for.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str().and_then(|to| to.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap_or(&Value::Null),
        None => value,
    }
}

fn content(described: &Value) -> Option<&Value> {
    described["content"]["application/json"].get("schema")
}

/// Where a body does not fit a schema.
fn fits(document: &Value, schema: &Value, body: &[u8]) -> impl Iterator<Item = String> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return vec!["no JSON".to_owned()].into_iter();
    };
    let schema = json!({ "allOf": [schema], "components": document["components"] });
    let validator = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft4)
        .build(&schema);
    let wrong: Vec<String> = match validator {
        Err(error) => vec![format!("its schema cannot be read: {error}")],
        Ok(validator) => validator
            .iter_errors(&body)
            .map(|error| {
                let mut said = error.to_string();
                said.truncate(said.floor_char_boundary(200));
                format!("{} {said}", error.instance_path())
            })
            .collect(),
    };
    wrong.into_iter()
}

/// OpenAPI's `nullable`, as JSON Schema says it.
fn allow_null(value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(allow_null),
        Value::Object(map) => {
            map.values_mut().for_each(allow_null);
            if map.get("nullable") == Some(&Value::Bool(true)) {
                may_be_null(map);
            }
        }
        _ => {}
    }
}

fn may_be_null(map: &mut Map<String, Value>) {
    if let Some(Value::String(kind)) = map.get("type").cloned() {
        map.insert("type".to_owned(), json!([kind, "null"]));
    }
    if let Some(Value::Array(all)) = map.get_mut("enum") {
        all.push(Value::Null);
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};

    use super::*;
    use crate::standin::Reply;

    fn contract() -> Contract {
        let mut document = json!({
            "components": { "schemas": { "Post": {
                "type": "object", "required": ["id"],
                "properties": {
                    "id": { "type": "string" },
                    "root": { "type": "string", "nullable": true },
                },
            } } },
            "paths": {
                "/posts/{id}": { "put": {
                    "parameters": [{ "in": "query", "name": "quiet" }],
                    "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Post" } } } },
                    "responses": { "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Post" } } } } },
                } },
            },
        });
        allow_null(&mut document);
        Contract {
            documents: vec![document],
        }
    }

    fn told(path: &str, body: &Value, status: u16, answer: &Value) -> Vec<String> {
        let exchanges = Exchanges::default();
        let asked = Seen {
            method: Method::PUT,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: body.to_string().into(),
            connection: 0,
            applied: true,
        };
        exchanges.note(
            &asked,
            Reply::status(status).body(answer.to_string()).into(),
        );
        contract()
            .differences(&exchanges, &[])
            .into_iter()
            .collect()
    }

    #[test]
    #[should_panic(expected = "such-a-tool.yaml")]
    fn a_named_folder_without_the_description_is_no_silence() {
        Contract::read(&std::env::temp_dir(), &["no-such-a-tool.yaml"]);
    }

    #[test]
    fn every_kind_of_difference_is_told() {
        let post = json!({ "id": "x", "root": null });
        assert_eq!(told("/posts/x?quiet=1", &post, 200, &post), [""; 0]);
        for (path, body, status, answer, wrong) in [
            (
                "/mails/x",
                &post,
                200,
                &post,
                "PUT /mails/x is not described",
            ),
            (
                "/posts/x?loud=1",
                &post,
                200,
                &post,
                "?loud is not described",
            ),
            ("/posts/x", &json!({}), 200, &post, "asked: "),
            ("/posts/x", &post, 200, &json!({ "id": 1 }), "200: /id "),
            ("/posts/x", &post, 204, &post, "204 is not described"),
        ] {
            let told = told(path, body, status, answer);
            assert!(told.len() == 1 && told[0].contains(wrong), "{told:?}");
        }
    }
}
