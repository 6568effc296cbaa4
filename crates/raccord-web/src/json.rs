//! JSON from outside, read once and strictly. Two readers never understand one text differently:
//! a key that stands twice is refused, and so is nesting nobody needs, and the stand-in that
//! names a personal value's slot, which only a log may hold.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deep values may be nested; the outermost is 1 deep.
pub(crate) const DEPTH: u8 = 32;

const TOO_DEEP: Said = ("a plus de 32 niveaux", "nested deeper than 32 levels");
const RESERVED: Said = ("le nom $slot est réservé", "the name $slot is reserved");
const TWICE: Said = (
    "ce nom est écrit deux fois dans son objet",
    "this name stands twice in its object",
);

/// Why a text was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// It is no JSON. The text says where.
    Malformed(String),
    /// It is JSON that is not taken.
    Refused {
        /// JSON Pointer to what is not.
        pointer: String,
        /// Why.
        detail: Said,
    },
}

/// A sentence, in French and in English.
pub(crate) type Said = (&'static str, &'static str);

/// Reads one value and nothing after it.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    let refusal = RefCell::new(None);
    let mut input = serde_json::Deserializer::from_slice(bytes);
    let seed = Strict {
        depth: 1,
        refusal: &refusal,
    };
    match seed
        .deserialize(&mut input)
        .and_then(|value| input.end().map(|()| value))
    {
        Ok(value) => Ok(value),
        Err(error) => Err(match refusal.into_inner() {
            Some(Refusal { detail, path }) => JsonError::Refused {
                pointer: path
                    .iter()
                    .rev()
                    .fold(String::new(), |mut pointer, segment| {
                        pointer.push('/');
                        pointer.push_str(&segment.replace('~', "~0").replace('/', "~1"));
                        pointer
                    }),
                detail,
            },
            None => JsonError::Malformed(error.to_string()),
        }),
    }
}

/// A refusal on its way out: the path is collected from the inside to the outside.
struct Refusal {
    detail: Said,
    path: Vec<String>,
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: u8,
    refusal: &'a RefCell<Option<Refusal>>,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(self, detail: Said, segment: Option<String>) -> E {
        *self.refusal.borrow_mut() = Some(Refusal {
            detail,
            path: segment.into_iter().collect(),
        });
        E::custom(detail.1)
    }

    fn inside(self) -> Self {
        Self {
            depth: self.depth + 1,
            ..self
        }
    }

    fn came_through(self, segment: impl FnOnce() -> String) {
        if let Some(refusal) = self.refusal.borrow_mut().as_mut() {
            refusal.path.push(segment());
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        if self.depth > DEPTH {
            return Err(self.refuse(TOO_DEEP, None));
        }
        let mut items = Vec::new();
        loop {
            match input.next_element_seed(self.inside()) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => return Ok(Value::Array(items)),
                Err(error) => {
                    self.came_through(|| items.len().to_string());
                    return Err(error);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        if self.depth > DEPTH {
            return Err(self.refuse(TOO_DEEP, None));
        }
        let mut map = Map::new();
        while let Some(key) = input.next_key::<String>()? {
            if key == "$slot" {
                return Err(self.refuse(RESERVED, Some(key)));
            }
            if map.contains_key(&key) {
                return Err(self.refuse(TWICE, Some(key)));
            }
            match input.next_value_seed(self.inside()) {
                Ok(value) => {
                    map.insert(key, value);
                }
                Err(error) => {
                    self.came_through(|| key);
                    return Err(error);
                }
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_serde_json_reads_is_read_alike() {
        let text =
            r#" {"a":[1,-2,3.5,true,false,null,"é\u00e9",{"b":{}}],"big":18446744073709551615} "#;
        let plain: Value = serde_json::from_str(text).unwrap();
        assert_eq!(parse(text.as_bytes()), Ok(plain));
    }

    #[test]
    fn a_key_twice_a_slot_and_deep_nesting_are_refused_where_they_stand() {
        let refused = |text: &str| match parse(text.as_bytes()) {
            Err(JsonError::Refused { pointer, .. }) => pointer,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(refused(r#"{"data":{"a":1,"a":2}}"#), "/data/a");
        assert_eq!(refused(r#"[{},{"x/y~":{"$slot":"k"}}]"#), "/1/x~1y~0/$slot");
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(deep(32).as_bytes()).is_ok());
        assert_eq!(refused(&deep(33)), "/0".repeat(32));
        // Far beyond what any stack holds.
        refused(&"[".repeat(900_000));
    }

    #[test]
    fn what_is_no_json_says_where() {
        for (text, at) in [
            (&b"{"[..], "line 1 column 1"),
            (b"{} {}", "line 1 column 4"),
            (b"{\"a\":1e999}", "line 1"),
            (b"\"\xff\"", "line 1"),
            (b"", "line 1 column 0"),
            (b"{'a':1}", "line 1"),
        ] {
            match parse(text) {
                Err(JsonError::Malformed(detail)) => assert!(detail.contains(at), "{detail}"),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(parse(b"1e2"), Ok(json!(100.0)));
    }
}
