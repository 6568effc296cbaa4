//! `report volunteering`: what people gave in a year.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Shape, and_more};
use crate::locale::{View, shown};
use crate::report::{BOLD, DIM};

/// The most names that are shown.
const NAMES: usize = 500;

/// What people gave in a year. A presence is one person at one task, or at one activity that gives
/// credits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolunteeringShape {
    /// The year.
    pub year: i16,
    /// Presences.
    pub presences: usize,
    /// Different people.
    pub people: usize,
    /// Minutes given, all together.
    pub minutes: u64,
    /// Presences whose length nobody noted and no activity's hours tell: they count no minutes.
    pub without_length: usize,
    /// What an hour stands for, in hundredths of the currency, where the place says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<i64>,
    /// That currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// What it all stands for, in hundredths: the sum of the kinds' values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
    /// By kind of work, most hours first.
    pub kinds: Vec<WorkShape>,
    /// Who agreed that their name is shown.
    pub named: Vec<String>,
}

/// What was given to one kind of work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkShape {
    /// The kind, in the place's words; absent where neither task nor activity says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Presences.
    pub presences: usize,
    /// Different people.
    pub people: usize,
    /// Minutes given.
    pub minutes: u64,
    /// What they stand for, in hundredths, rounded to the nearest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
}

impl WorkShape {
    /// What people call it.
    pub(crate) fn called(&self, view: &View) -> String {
        match &self.kind {
            Some(kind) => shown(kind),
            None => view.say("(sans genre)", "(no kind)").to_owned(),
        }
    }
}

impl VolunteeringShape {
    /// `12,50 €`, where the place says what an hour stands for.
    pub(crate) fn money(&self, hundredths: Option<i64>, view: &View) -> Option<String> {
        let currency = shown(self.currency.as_deref()?);
        Some(format!("{}\u{a0}{currency}", view.money(hundredths?)))
    }

    /// All kinds of work together, as the last line of a table.
    pub(crate) fn total(&self) -> WorkShape {
        WorkShape {
            kind: Some("Total".to_owned()),
            presences: self.presences,
            people: self.people,
            minutes: self.minutes,
            value: self.value,
        }
    }

    /// The year in one sentence.
    pub(crate) fn in_short(&self, view: &View) -> String {
        let hours = view.hours(self.minutes);
        let people = view.count(self.people, ("personne", "personnes"), ("person", "people"));
        let times = view.count(
            self.presences,
            ("présence", "présences"),
            ("presence", "presences"),
        );
        let mut text = view
            .say(
                &format!("{hours} données par {people} ({times})"),
                &format!("{hours} given by {people} ({times})"),
            )
            .to_owned();
        let value = self.money(self.value, view);
        if let (Some(value), Some(hour)) = (value, self.money(self.hour, view)) {
            text += view.say(
                &format!(", soit {value} à {hour} l'heure"),
                &format!(", that is {value} at {hour} an hour"),
            );
        }
        text.push('.');
        text
    }

    /// What is counted and what is not, sentence by sentence.
    pub(crate) fn remarks(&self, view: &View) -> Vec<String> {
        let mut remarks = vec![view.say(
            "Sont comptées les présences notées aux tâches, et aux activités qui donnent des crédits. Une heure est celle que l'on a notée, sinon la durée de l'activité.",
            "Presences noted at tasks are counted, and at activities that give credits. Hours are those noted, else as long as the activity lasted.",
        ).to_owned()];
        if self.without_length > 0 {
            let times = view.count(
                self.without_length,
                ("présence", "présences"),
                ("presence", "presences"),
            );
            remarks.push(
                view.say(
                    &format!("{times} sans durée connue : aucune heure n'est comptée."),
                    &format!("{times} of unknown length: no hours are counted."),
                )
                .to_owned(),
            );
        }
        remarks
    }
}

impl Shape for VolunteeringShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        let year = self.year;
        if self.presences == 0 {
            let none = view
                .say(
                    &format!("En {year}, personne n'est noté présent à une tâche."),
                    &format!("In {year}, nobody is noted as present at a task."),
                )
                .to_owned();
            return writeln!(out, "{none}");
        }
        let title = view.say("Bénévolat", "Volunteering");
        writeln!(out, "{BOLD}{title} {year}{BOLD:#}")?;
        writeln!(out, "{}\n", self.in_short(view))?;
        for work in &self.kinds {
            let times = view.count(
                work.presences,
                ("présence", "présences"),
                ("presence", "presences"),
            );
            let value = self.money(work.value, view);
            let value = value.map(|value| format!("  {value}")).unwrap_or_default();
            let (hours, kind) = (view.hours(work.minutes), work.called(view));
            writeln!(
                out,
                "  {hours:>12}{value:>14}  {kind} {DIM}({times}){DIM:#}"
            )?;
        }
        if !self.named.is_empty() {
            let who = view.say("Dont, avec leur accord :", "Among them, who agreed:");
            let names: Vec<String> = self
                .named
                .iter()
                .take(NAMES)
                .map(|name| shown(name))
                .collect();
            writeln!(out, "\n{who} {}", names.join(", "))?;
            and_more(self.named.len().saturating_sub(NAMES), view, out)?;
        }
        writeln!(out)?;
        for remark in self.remarks(view) {
            writeln!(out, "{DIM}{remark}{DIM:#}")?;
        }
        Ok(())
    }
}
