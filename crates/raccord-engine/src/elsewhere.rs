//! Registered elsewhere: a tool that counts the places of what it holds has the last word on who
//! has one, and nobody gets a place twice. Its page is where people sign up, and is shown.

use raccord_model::{
    Cause, Change, ConnectorName, Entity, EntityId, EntityKind, Fields, Rules, Verb, Words,
};
use serde_json::{Value, json};

use crate::deciding::Deciding;
use crate::input::{Refusal, Reply};
use crate::roll::{Commitment, subject_of};
use crate::state::State;

/// Why an activity or a task says where one signs up.
pub(crate) const PAGED: &str = "register-page";
/// Why an activity is full, or is not any more.
pub(crate) const FILLED: &str = "register-full";
/// The field that says whether it takes place, and whether there are places.
const STATUS: &str = "status";
/// That page is gone.
pub(crate) const UNPAGED: &str = "register-page-gone";
/// The code of what is told of sign-ups that were taken before a tool took over.
const BEFORE: &str = "signed-up-before";
/// The field that holds the address of the page on which one signs up.
const PAGE: &str = "register";

impl Deciding<'_> {
    /// The tool that counts the places of `subject`: it holds it, or is about to.
    pub(crate) fn keeper(&self, subject: EntityId) -> Option<&ConnectorName> {
        keeper_of(self.state, subject)
    }

    /// Why nobody signs up for it here: one does so elsewhere.
    pub(crate) fn elsewhere(&self, subject: EntityId) -> Option<Words> {
        let entity = self.state.entity(subject)?;
        match (entity.text(PAGE), self.keeper(subject)) {
            ("", None) => None,
            ("", Some(keeper)) => Some(Words::new(
                format!("les inscriptions se prennent dans « {keeper} »"),
                format!("sign-ups are taken in “{keeper}”"),
            )),
            (page, _) => Some(Words::new(
                format!("les inscriptions se prennent là : {page}"),
                format!("sign-ups are taken there: {page}"),
            )),
        }
    }

    /// What a tool that counts places holds of ours has a page, or has none any more: that is where
    /// one signs up. What its source says itself stands.
    pub(crate) fn paged(&mut self, connector: &ConnectorName, entity: Option<EntityId>) {
        let rules = self.rules();
        let counts = rules.sources.get(connector).is_some_and(|rule| rule.counts);
        let Some(entity) = entity.filter(|_| counts) else {
            return;
        };
        let Some(known) = self.entity(entity) else {
            return;
        };
        let target = self.state.sinks.get(connector);
        let target = target.and_then(|sink| sink.targets.get(&entity));
        let page = target.and_then(|target| target.link.as_ref()?.url.clone());
        let said = self.state.said.get(&entity);
        let said = said.and_then(|said| said.get(PAGE));
        let ours = said.is_some_and(|said| said.by == connector.as_str());
        self.filled(entity);
        let before = known.fields.get(PAGE).and_then(Value::as_str);
        if before == page.as_deref() || before.is_some() && !ours {
            return;
        }
        let people = self.flight.roll.active(entity);
        if let (Some(page), None, 1..) = (&page, before, people) {
            self.tell_before(entity, known.text("title"), page, people);
        }
        self.set_page(connector, entity, page.as_deref());
    }

    /// What a tool counts the places of is full once all are taken there, and everywhere shown so;
    /// what its source says of it otherwise stands.
    pub(crate) fn filled(&mut self, subject: EntityId) {
        let Some(known) = self.entity(subject) else {
            return;
        };
        if known.kind != EntityKind::Activity {
            return;
        }
        let said = self.state.said.get(&subject);
        let said = said.and_then(|said| said.get(STATUS)).cloned();
        let keeper = self.keeper(subject).cloned();
        let seats = self.flight.roll.seats(subject);
        let taken = seats.map_or(0, |seats| seats.taken);
        let most = self.capacity(subject).filter(|most| *most > 0);
        let is_full = keeper.is_some() && most.is_some_and(|most| taken >= most);
        let now = known.text(STATUS);
        let rules = self.rules();
        let counts = |by: &ConnectorName| rules.sources.get(by).is_some_and(|rule| rule.counts);
        let by = said.as_ref().and_then(|said| said.by.parse().ok());
        match (keeper.filter(|_| is_full), by.filter(counts), said) {
            (Some(keeper), ..) if matches!(now, "" | "confirmed") => {
                self.set_status(&keeper, subject, &json!("full"));
            }
            (None, Some(by), Some(said)) if now == "full" => {
                self.set_status(&by, subject, &said.base.unwrap_or_default());
            }
            _ => {}
        }
    }

    fn set_status(&mut self, connector: &ConnectorName, entity: EntityId, status: &Value) {
        let theirs = Fields::from([(STATUS.to_owned(), status.clone())]);
        let cause = Cause::Noticed {
            code: FILLED.to_owned(),
        };
        crate::posted::take_over(self, connector, entity, &theirs, cause);
    }

    fn set_page(&mut self, connector: &ConnectorName, entity: EntityId, page: Option<&str>) {
        let theirs = Fields::from([(PAGE.to_owned(), json!(page))]);
        let code = if page.is_some() { PAGED } else { UNPAGED };
        let cause = Cause::Noticed {
            code: code.to_owned(),
        };
        crate::posted::take_over(self, connector, entity, &theirs, cause);
        if page.is_none() {
            crate::notice::settle(self, BEFORE, &entity.to_string());
        }
    }

    /// Whoever signed up here before is not known there.
    fn tell_before(&mut self, entity: EntityId, title: &str, page: &str, people: usize) {
        let (fr, en) = match people {
            1 => (
                "une inscription prise ici avant n'y est pas".to_owned(),
                "one sign-up taken here before is not in it".to_owned(),
            ),
            _ => (
                format!("{people} inscriptions prises ici avant n'y sont pas"),
                format!("{people} sign-ups taken here before are not in it"),
            ),
        };
        let text = Words::new(
            format!("« {title} » : on s'inscrit maintenant là, {page}, et {fr}."),
            format!("“{title}”: one signs up there now, {page}, and {en}."),
        );
        let mend = Words::new(
            "Inscrivez ces personnes là-bas aussi, ou prévenez-les : cet outil compte ses places sans elles.",
            "Sign these people up there, too, or tell them: that tool counts its places without them.",
        );
        crate::notice::tell(self, BEFORE, &entity.to_string(), &text, &mend);
    }
}

/// The tool that counts the places of `subject`: it holds it, or is about to.
pub(crate) fn keeper_of(state: &State, subject: EntityId) -> Option<&ConnectorName> {
    let rules = state.rules.as_ref()?;
    let counting = rules.sources.iter().filter(|(_, rule)| rule.counts);
    counting.map(|(name, _)| name).find(|name| {
        let target = state.sinks.get(*name);
        let target = target.and_then(|sink| sink.targets.get(&subject));
        target.is_some_and(|target| {
            let owed = target.owed.as_ref();
            target.link.is_some() || owed.is_some_and(|owed| owed.hash.is_some())
        })
    })
}

/// Tools that counted places and are configured no more: their pages are where nobody signs up now.
pub(crate) fn part(deciding: &mut Deciding<'_>, before: &Rules) {
    let rules = deciding.rules();
    let counted = before.sources.iter().filter(|(_, rule)| rule.counts);
    for (name, _) in counted {
        if rules.sources.get(name).is_some_and(|rule| rule.counts) {
            continue;
        }
        let said = deciding.state.said.iter();
        let theirs = said.filter(|(_, said)| {
            let page = said.get(PAGE);
            page.is_some_and(|page| page.by == name.as_str())
        });
        let paged: Vec<EntityId> = theirs.map(|(&entity, _)| entity).collect();
        for entity in paged {
            deciding.set_page(name, entity, None);
        }
        let full: Vec<(EntityId, Value)> = deciding
            .state
            .said
            .iter()
            .filter_map(|(&entity, said)| {
                let status = said.get(STATUS).filter(|said| said.by == name.as_str())?;
                let full = deciding.state.entity(entity)?.text(STATUS) == "full";
                full.then(|| (entity, status.base.clone().unwrap_or_default()))
            })
            .collect();
        for (entity, base) in full {
            deciding.set_status(name, entity, &base);
        }
    }
}

/// Whether the tool that counts these places told of a sign-up.
pub(crate) fn is_told_by(keeper: &ConnectorName, sign_up: &Entity) -> bool {
    sign_up.source == keeper.as_str() || sign_up.fields.contains_key("also")
}

/// Whoever posts cannot speak for a tool that counts places.
pub(crate) fn forged(deciding: &Deciding<'_>, changes: &[Change]) -> Option<Reply> {
    let rules = deciding.rules();
    let counts = |sender: &str| {
        let mut all = rules.sources.iter();
        all.any(|(name, rule)| rule.counts && name.as_str() == sender)
    };
    let forged = changes.iter().enumerate();
    let refusals: Vec<Refusal> = forged
        .filter(|(_, change)| counts(&change.sender))
        .map(|(index, change)| Refusal {
            index,
            pointer: "/source".to_owned(),
            detail: Words::new(
                format!(
                    "« {} » est un outil que Raccord lit lui-même",
                    change.sender
                ),
                format!("“{}” is a tool that Raccord reads itself", change.sender),
            ),
        })
        .collect();
    (!refusals.is_empty()).then_some(Reply::Refused(refusals))
}

/// Why a change of a sign-up is not taken: another tool counts these places, and this sender would
/// give one or take one back. Who was there, anybody may say.
pub(crate) fn refused(deciding: &Deciding<'_>, change: &Change, entity: EntityId) -> Option<Words> {
    if change.kind != EntityKind::Registration {
        return None;
    }
    let known = deciding.state.entity(entity);
    let subject = subject_of(&change.fields);
    let subject = subject.or_else(|| subject_of(&known.as_ref()?.fields))?;
    let keeper = deciding.keeper(subject)?;
    if keeper.as_str() == change.sender {
        return None;
    }
    let said = Commitment::of(&change.fields);
    let stood = known
        .as_ref()
        .and_then(|known| Commitment::of(&known.fields));
    let wanted = match change.verb {
        Verb::Cancelled | Verb::Removed => Some(Commitment::Cancelled),
        Verb::Attended => Some(Commitment::Attended),
        _ => said.or(stood).or(Some(Commitment::Registered)),
    };
    let seats = matches!(
        wanted,
        Some(Commitment::Registered | Commitment::Waitlisted | Commitment::Cancelled)
    );
    // What was taken here before can still be given back here.
    let taken_here = known
        .as_ref()
        .is_some_and(|known| !is_told_by(keeper, known));
    if taken_here && wanted == Some(Commitment::Cancelled) {
        return None;
    }
    let more = change.fields.contains_key("places");
    (seats && (wanted != stood || more))
        .then(|| deciding.elsewhere(subject))
        .flatten()
}
