//! Who may say that somebody took part: whom the work names for that, and nobody for themselves.
//!
//! `validators` names people by their id or their address. Any other word there is a role: then it is
//! whoever organises. A name would not do, for everybody says themselves what they are called.

use raccord_model::{Entity, EntityId, Validation, Words};
use serde_json::Value;

use crate::deciding::Deciding;
use crate::engine::Engine;
use crate::input::{Attested, Reply, Vouching};
use crate::roll::subject_of;

/// Somebody whom `work` names to say who did it.
fn named(work: &Entity) -> impl Iterator<Item = &str> {
    let all = work.fields.get("validators").and_then(Value::as_array);
    let all = all.into_iter().flatten().filter_map(Value::as_str);
    all.map(str::trim)
        .filter(|one| one.contains('@') || one.parse::<EntityId>().is_ok())
}

/// Whether people are named who say who did it: then it is for nobody else to say.
pub(crate) fn names_people(work: &Entity) -> bool {
    named(work).next().is_some()
}

/// Whether `person` is named for that.
fn is_named(work: &Entity, person: &Entity) -> bool {
    let (id, email) = (person.id.to_string(), person.text("email").to_lowercase());
    let mut all = named(work).map(str::to_lowercase);
    all.any(|one| one == id || !email.is_empty() && one == email)
}

impl Engine {
    /// Whether `person` is named to say who did some work, whatever else they may.
    pub fn validates(&self, person: EntityId, subject: EntityId) -> bool {
        let both = self.entity(subject).zip(self.entity(person));
        both.is_some_and(|(work, person)| is_named(&work, &person))
    }
}

impl Deciding<'_> {
    /// Somebody says that somebody was there, or was not.
    pub(crate) fn vouch(&mut self, said: &Vouching) -> Reply {
        let Some(known) = self.entity(said.registration) else {
            return self.attendance(said.registration, said.came, said.minutes, said.by, None);
        };
        let subject = subject_of(&known.fields);
        let work = subject.and_then(|subject| self.entity(subject));
        let who = said.who.and_then(|who| self.entity(who));
        let own = said
            .who
            .is_some_and(|who| known.text("person") == who.to_string());
        let (by, who) = match self.voice(work.as_ref(), who.as_ref(), own, said) {
            Ok(voice) => voice,
            Err(why) => return Reply::Cannot(why),
        };
        self.attendance(said.registration, said.came, said.minutes, by, who)
    }

    /// As what a word counts, and whose it is to be noted as; else why it is not taken.
    fn voice(
        &self,
        work: Option<&Entity>,
        who: Option<&Entity>,
        own: bool,
        said: &Vouching,
    ) -> Result<(Attested, Option<EntityId>), Words> {
        let id = who.map(|who| who.id);
        let Some(work) = work else {
            return Ok((said.by, id));
        };
        let chosen = who.is_some_and(|who| is_named(work, who));
        if said.by == Attested::Own {
            // What people say of themselves is shown to whoever may confirm it.
            return Ok((said.by, id.filter(|_| chosen)));
        }
        if names_people(work) && !chosen {
            return Err(not_chosen(work.text("title")));
        }
        let earns = work.fields.get("credits").and_then(Value::as_i64) > Some(0);
        if !(own && earns && said.came == Some(true)) {
            return Ok((said.by, id));
        }
        let rules = self.state.rules();
        let allowed = &rules.guards.crediting.validated_by;
        if allowed.contains(&Validation::Own) {
            Ok((Attested::Own, id))
        } else {
            Err(not_oneself(work.text("title")))
        }
    }
}

fn not_chosen(title: &str) -> Words {
    Words::new(
        format!(
            "rien n'est noté : pour « {title} », seules les personnes choisies pour valider disent qui l'a fait"
        ),
        format!("nothing was noted: for “{title}” only those chosen to validate say who did it"),
    )
}

fn not_oneself(title: &str) -> Words {
    Words::new(
        format!(
            "votre propre présence n'est pas notée : « {title} » donne des crédits, et c'est à quelqu'un d'autre de le dire"
        ),
        format!(
            "your own attendance was not noted: “{title}” gives credits, and that is for somebody else to say"
        ),
    )
}
