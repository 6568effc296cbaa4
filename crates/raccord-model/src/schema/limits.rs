//! What a JSON Schema cannot say: the size and depth of `extra`, and that a whole number is
//! written as one (`150`, not `150.0`: JSON Schema takes both, typed readers only the first).

use std::io::{self, Write};

use serde_json::Value;

use super::Fault;
use crate::Words;

/// Bytes of JSON that `extra` may take.
const EXTRA_BYTES: usize = 64 * 1024;
/// Levels of arrays and objects that `extra` may have, itself included.
const EXTRA_DEPTH: usize = 16;

/// Appends what is too large, too deep or not whole in `data` to `found`.
pub(super) fn check(data: &Value, found: &mut Vec<Fault>) {
    let Some(fields) = data.as_object() else {
        return;
    };
    for (name, value) in fields {
        if name == "extra" {
            extra(value, found);
        } else if let Some(below) = broken_number(value) {
            found.push(Fault {
                pointer: format!("/{}{below}", name.replace('~', "~0").replace('/', "~1")),
                detail: Words::new(
                    "n’est pas un nombre entier : écrivez-le sans virgule",
                    "is no whole number: write it without a decimal point",
                ),
            });
        }
    }
}

fn extra(value: &Value, found: &mut Vec<Fault>) {
    let mut fault = |fr: &str, en: &str| {
        found.push(Fault {
            pointer: "/extra".into(),
            detail: Words::new(fr, en),
        });
    };
    if too_deep(value, EXTRA_DEPTH) {
        fault("a plus de 16 niveaux", "is deeper than 16 levels");
    } else if too_large(value) {
        fault(
            "prend plus de 64 ko de JSON",
            "takes more than 64 kB of JSON",
        );
    }
}

fn too_deep(value: &Value, left: usize) -> bool {
    match value {
        Value::Array(items) => left == 0 || items.iter().any(|item| too_deep(item, left - 1)),
        Value::Object(map) => left == 0 || map.values().any(|item| too_deep(item, left - 1)),
        _ => false,
    }
}

fn too_large(value: &Value) -> bool {
    /// Counts, and refuses the byte that is too many.
    struct Room(usize);
    impl Write for Room {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self
                .0
                .checked_sub(bytes.len())
                .ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    serde_json::to_writer(Room(EXTRA_BYTES), value).is_err()
}

/// The pointer, from `value` on, to the first number that is not written as a whole one. Shared
/// fields are at most two levels deep; deeper ones are refused by their schema.
fn broken_number(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => number.is_f64().then(String::new),
        Value::Object(map) => map.iter().find_map(|(name, value)| {
            matches!(value, Value::Number(number) if number.is_f64())
                .then(|| format!("/{}", name.replace('~', "~0").replace('/', "~1")))
        }),
        _ => None,
    }
}
