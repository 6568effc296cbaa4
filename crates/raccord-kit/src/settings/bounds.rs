//! Values within bounds: what is out of them is no value of the type, so that what reads a
//! configuration and what its schema says cannot differ.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// What is out of its bounds. The value itself is not repeated: it could be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected from {least} to {most}")]
pub struct OutOfBounds {
    least: i64,
    most: i64,
}

macro_rules! within {
    ($($(#[$doc:meta])* $name:ident, $number:ty, $from:literal, $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Deserialize)]
        #[serde(try_from = $from)]
        pub struct $name<const LEAST: i64, const MOST: i64>($number);

        impl<const LEAST: i64, const MOST: i64> $name<LEAST, MOST> {
            /// The number.
            pub const fn get(self) -> $number {
                self.0
            }
        }

        impl<const LEAST: i64, const MOST: i64> TryFrom<$number> for $name<LEAST, MOST> {
            type Error = OutOfBounds;
            fn try_from(number: $number) -> Result<Self, OutOfBounds> {
                let (least, most) = (LEAST, MOST);
                if (least as $number..=most as $number).contains(&number) {
                    Ok(Self(number))
                } else {
                    Err(OutOfBounds { least, most })
                }
            }
        }

        impl<const LEAST: i64, const MOST: i64> JsonSchema for $name<LEAST, MOST> {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                format!(concat!(stringify!($name), " from {} to {}"), LEAST, MOST).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": $kind, "minimum": LEAST, "maximum": MOST })
            }
        }
    )*};
}

within! {
    /// A whole number from `LEAST` to `MOST`.
    Whole, i64, "i64", "integer";
    /// A number from `LEAST` to `MOST`.
    Number, f64, "f64", "number";
}

/// A text of at least one and at most `MOST` characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Text<const MOST: usize>(String);

impl<const MOST: usize> Text<MOST> {
    /// The text.
    pub fn get(self) -> String {
        self.0
    }
}

impl<const MOST: usize> std::ops::Deref for Text<MOST> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MOST: usize> TryFrom<String> for Text<MOST> {
    type Error = OutOfBounds;
    fn try_from(text: String) -> Result<Self, OutOfBounds> {
        if (1..=MOST).contains(&text.chars().count()) {
            Ok(Self(text))
        } else {
            Err(OutOfBounds {
                least: 1,
                most: i64::try_from(MOST).unwrap_or(i64::MAX),
            })
        }
    }
}

impl<const MOST: usize> JsonSchema for Text<MOST> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Text of 1 to {MOST}").into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MOST })
    }
}
