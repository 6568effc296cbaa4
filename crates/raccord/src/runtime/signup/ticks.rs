//! Who came: the organiser's tick list, and codes read at the door.

use std::collections::BTreeSet;

use futures_util::future;
use raccord_engine::{Attested, Reply};
use raccord_model::{EntityId, Words};
use raccord_web::hands::{Answer, Shows};

use super::{Desktop, seen};

impl Desktop<'_> {
    /// What a tick list says, in one go: those who wait for the disk wait once.
    pub(super) async fn notes(&self, subject: EntityId) -> Answer {
        let known = self.read(move |engine| seen::standing_of(engine, subject));
        let known = match known.await {
            Ok(known) => known,
            Err(answer) => return answer,
        };
        let everybody = self.visit.field("do") == "all";
        let rest_absent = self.visit.field("rest") == "absent";
        let here: BTreeSet<&str> = self.visit.fields("here").collect();
        let seen: BTreeSet<&str> = self.visit.fields("seen").collect();
        let mut orders = Vec::new();
        for (registration, state, by_organiser) in known {
            let id = registration.to_string();
            if !seen.contains(id.as_str()) {
                continue;
            }
            let waits = state == "waitlisted";
            let ticked = here.contains(id.as_str()) || everybody && !waits;
            let came = match (ticked, state.as_str()) {
                (true, "attended") if by_organiser => continue,
                (true, _) => Some(true),
                (false, "attended" | "registered") if rest_absent => Some(false),
                (false, "attended") => None,
                (false, _) => continue,
            };
            orders.push(self.attendance(registration, came, Attested::Organiser));
        }
        for noted in future::join_all(orders).await {
            match noted {
                Ok(Reply::Cannot(why)) => return self.refused(&why),
                Ok(_) => {}
                Err(answer) => return answer,
            }
        }
        Self::go(format!("{subject}/present"))
    }

    /// The registration whose code is shown, as long as it is the one the code was made for.
    async fn coded(&self, code: &str) -> Result<(EntityId, EntityId, String), Answer> {
        let code = self.open.key.read_code(code);
        let Some(code) = code.filter(|code| code.until > self.now()) else {
            return Err(self.no_code());
        };
        let known = self.read(move |engine| seen::coded(engine, code.registration, code.turn));
        known.await?.ok_or_else(|| self.no_code())
    }

    /// The same for whoever may note who came; who may not learns nothing of a code.
    async fn shown(&self, code: &str) -> Result<(EntityId, EntityId, String), Answer> {
        match self.coded(code).await {
            Ok(known) => self.notes_for(known.1).await.map(|()| known),
            Err(_) if !self.is_organiser() => Err(self.for_organisers()),
            Err(answer) => Err(answer),
        }
    }

    pub(super) async fn arrived(&self) -> Answer {
        let key = self.visit.key.clone();
        let (_, subject, name) = match self.shown(&key).await {
            Ok(known) => known,
            Err(answer) => return answer,
        };
        self.looks(move |look| {
            let title = look.title(subject)?;
            Some(Shows::Arrived { key, name, title })
        })
        .await
    }

    pub(super) async fn notes_code(&self) -> Answer {
        let (registration, subject, _) = match self.shown(self.visit.field("k")).await {
            Ok(known) => known,
            Err(answer) => return answer,
        };
        match self
            .attendance(registration, Some(true), Attested::Scan)
            .await
        {
            Ok(Reply::Cannot(why)) => self.refused(&why),
            Ok(_) => Self::go(format!("{subject}/present")),
            Err(answer) => answer,
        }
    }

    fn no_code(&self) -> Answer {
        self.refused(&Words::new(
            "Ce code ne vaut pas, ou ne vaut plus : la personne rouvre sa page, et en montre un frais.",
            "This code is no good, or not any more: the person opens their page again and shows a fresh one.",
        ))
    }
}
