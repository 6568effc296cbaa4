//! OCECO.

#[path = "../../../connectors/oceco/tests/common/mod.rs"]
mod common;

use anyhow::Result;
use raccord_kit::standin::Seen;

use common::server::{BOT, EMAIL, ORGANIZATION, PASSWORD, PROJECT, Server, TOKEN};

use super::{Register, title};
use crate::played::Played;

impl Register for Server {
    // An action for the task.
    const OBJECTS: usize = 1;
    // Its routes make actions and change none.
    const CHANGES: bool = false;

    fn makes(seen: &Seen) -> bool {
        common::makes(seen)
    }

    fn names(&self) -> Vec<String> {
        Self::names(self)
    }

    fn takes(&self, line: usize, who: usize) -> bool {
        let (title, account) = (title(line), account(who));
        let action = {
            let state = self.state();
            let found = state.actions.iter().find(|one| one.name.ends_with(&title));
            found.map(|one| {
                let on = one.contributors.iter().flatten();
                (one.id.clone(), on.clone().any(|one| *one == account))
            })
        };
        let Some((action, false)) = action else {
            return false;
        };
        Self::takes(self, &action, &account);
        true
    }
}

/// The account of somebody.
fn account(who: usize) -> String {
    format!("5e736fd6b6ebaf0d{who:08x}")
}

/// One, and a place that writes to it.
pub(super) async fn open() -> Result<Played<Server>> {
    let make = |clock| Server::new(clock, None);
    let stage = Played::open(make, Server::answer, |url| {
        format!(
            "[connectors.actions]\nkind = \"oceco\"\nurl = \"{url}\"\ntoken = \"{TOKEN}\"\nuser = \"{BOT}\"\n\
             organization = \"{ORGANIZATION}\"\nproject = \"{PROJECT}\"\npeople_file = \"people\"\n\
             email = \"{EMAIL}\"\npassword = \"{PASSWORD}\"\n"
        )
    });
    let stage = stage.await?;
    let line = |who| format!("{} p{who}@example.org", account(who));
    let people: Vec<String> = (0..40).map(line).collect();
    let people = people.join("\n");
    stage.place.save("people", people.as_bytes())?;
    Ok(stage)
}
