//! What the tests of a connector start from.

mod bench;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use raccord_model::{Lang, Place};

pub use bench::{Bench, entity, link_of};

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
        colour: String::new(),
        base: PathBuf::from("."),
        clock: Arc::new(ManualClock::at(NOON)),
        allow_private: Arc::new([]),
        templates: Arc::default(),
        signups: Arc::new([]),
        has_hands: false,
        program: PathBuf::from("raccord"),
    }
}

/// Everything this thread logs, at every level, for as long as it is kept.
#[derive(Debug)]
pub struct Logs {
    written: Arc<Mutex<Vec<u8>>>,
    _guard: tracing::subscriber::DefaultGuard,
}

impl Logs {
    /// Starts to listen. Tests of this thread only: those that run beside it are not heard.
    pub fn listen() -> Self {
        let written = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&written);
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || Tape(Arc::clone(&to)))
            .finish();
        Self {
            written,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    /// What was logged so far.
    pub fn text(&self) -> String {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&written).into_owned()
    }
}

struct Tape(Arc<Mutex<Vec<u8>>>);

impl io::Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
