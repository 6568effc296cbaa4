//! What the tests of a connector start from.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use raccord_model::{Lang, Place};

use crate::{Kit, ManualClock};

/// The moment at which tests stand: Saturday, 2 January 2027, 12:00 at the place.
pub const NOON: Timestamp = Timestamp::constant(1_798_876_800, 0);

/// A kit for tests: a place on Réunion, the clock at [`NOON`], the current folder as base.
///
/// ```
/// let kit = raccord_kit::testing::kit();
/// assert_eq!(kit.clock.now().to_string(), "2027-01-02T08:00:00Z");
/// ```
pub fn kit() -> Kit {
    Kit {
        name: "tested".parse().expect("a fixed name"),
        place: Place {
            id: "raffinerie".parse().expect("a fixed id"),
            name: "La Raffinerie".to_owned(),
            zone: "Indian/Reunion".to_owned(),
            lang: Lang::Fr,
            public_url: String::new(),
        },
        base: PathBuf::from("."),
        clock: Arc::new(ManualClock::at(NOON)),
        allow_private: Arc::new([]),
        program: PathBuf::from("raccord"),
    }
}
