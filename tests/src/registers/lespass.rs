//! Lespass.

#[path = "../../../connectors/lespass/tests/common/mod.rs"]
mod common;

use anyhow::Result;
use raccord_kit::standin::Seen;

use common::server::{KEY, SCANNER, Server};

use super::{Register, title};
use crate::played::Played;

impl Register for Server {
    // An event, and an action for its task.
    const OBJECTS: usize = 2;
    const CHANGES: bool = true;

    fn makes(seen: &Seen) -> bool {
        seen.writes() && seen.path.ends_with("/events/")
    }

    fn names(&self) -> Vec<String> {
        Self::names(self)
    }

    fn takes(&self, line: usize, who: usize) -> bool {
        let title = title(line);
        let event = {
            let state = self.state();
            let found = state.events.iter().find(|event| event.name == title);
            found.map(|event| event.uuid.clone())
        };
        let Some(event) = event else { return false };
        let email = format!("p{who}-{line}");
        let again = {
            let state = self.state();
            let mut all = state.reservations.iter();
            all.any(|one| one.mail.starts_with(&format!("{email}@")))
        };
        if !again {
            self.books(&event, &email, 1);
            self.mails();
        }
        !again
    }
}

/// One, and a place that writes to it.
pub(super) async fn open() -> Result<Played<Server>> {
    let make = |clock| Server::new(clock, None);
    let stage = Played::open(make, Server::answer, |url| {
        format!(
            "[connectors.billets]\nkind = \"lespass\"\nurl = \"{url}\"\nkey = \"{KEY}\"\nscan_key = \"{SCANNER}\"\n"
        )
    });
    stage.await
}
