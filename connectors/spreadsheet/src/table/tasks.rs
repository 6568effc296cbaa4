//! The tab of tasks: its own header, and lines that each say one thing to be done.
//!
//! A tab is one of tasks by its name alone: nothing is guessed from its columns, for "Activité" is
//! the title in a programme, and what a task belongs to here.

use std::collections::BTreeMap;

use raccord_model::{Civil, EntityKind, Fields, Line, Tab};
use serde_json::{Value as Json, json};

use super::cell::{self, Beside, cell_error, shown};
use super::line::{address, meant_as_address};
use super::{Collector, TabState, texts};
use crate::field::Field;
use crate::grid::{Cell, Row, Value};
use crate::header;
use crate::messages;
use crate::parse::date::Days;
use crate::parse::number::{self, Amount};
use crate::{limits, text, words};

/// Days of a week.
const WEEK: u32 = 7;
/// The longest time somebody is looked for, in days.
const LONGEST_LEAD: u32 = 366;

/// What a column of a tab of tasks holds, by the task's field it makes.
pub(super) type TaskColumns = BTreeMap<&'static str, u16>;

/// Which field of a task a header names.
fn meaning(header: &str) -> Option<&'static str> {
    let folded = header::fold(header);
    let name = match folded.as_str() {
        "tache" | "taches" | "a faire" | "que faire" | "titre" | "intitule" | "quoi"
        | "mission" | "missions" | "travail" | "nom" | "task" | "tasks" | "to do" | "todo"
        | "what" | "title" | "job" | "name" => "title",
        "activite"
        | "activites"
        | "evenement"
        | "pour"
        | "pour quoi"
        | "pour quelle activite"
        | "concerne"
        | "activity"
        | "event"
        | "for"
        | "for what"
        | "belongs to" => "of",
        "date" | "jour" | "echeance" | "pour le" | "date limite" | "limite" | "quand"
        | "avant le" | "a faire avant" | "a faire pour" | "due" | "due date" | "due day"
        | "deadline" | "day" | "when" | "before" | "by" => "due",
        "minimum"
        | "mini"
        | "min"
        | "au moins"
        | "minimum de benevoles"
        | "minimum benevoles"
        | "at least"
        | "minimum hands"
        | "fewest" => "minimum",
        "benevoles" | "benevole" | "personnes" | "nombre" | "nb" | "combien" | "mains"
        | "hands" | "people" | "volunteers" | "how many" => "capacity",
        "priorite" | "urgence" | "importance" | "priority" | "urgency" => "priority",
        "delai" | "delais" | "delai jours" | "jours avant" | "anticipation" | "lead"
        | "lead time" | "days before" => "lead",
        "valide par" | "qui valide" | "validation" | "validation par" | "validateur"
        | "validateurs" | "validated by" | "who validates" | "validators" | "approved by" => {
            "validators"
        }
        "etat" | "statut" | "fait" | "faite" | "fini" | "termine" | "avancement" | "state"
        | "status" | "done" | "finished" => "state",
        other => match words::header(other).field()? {
            Field::Kind => "kind",
            Field::Room => "room",
            Field::Description => "description",
            Field::Capacity => "capacity",
            Field::Credits => "credits",
            Field::Guide => "guide",
            Field::Url => "url",
            Field::Register => "register",
            Field::Visibility => "visibility",
            _ => return None,
        },
    };
    Some(name)
}

impl Collector<'_> {
    pub(super) fn read_task_row(&mut self, tab: &mut TabState, row: Row<'_, '_>) {
        let Some(columns) = tab.tasks.take() else {
            return;
        };
        tab.tasks = Some(if columns.is_empty() {
            self.task_header(tab, row)
        } else {
            self.read_task(tab, &columns, row);
            columns
        });
    }

    /// The columns, where this line is the header: it names a task, and most of it is known.
    fn task_header(&mut self, tab: &mut TabState, row: Row<'_, '_>) -> TaskColumns {
        let mut columns = TaskColumns::new();
        let mut unknown = Vec::new();
        for (column, header) in texts(row) {
            match meaning(&header) {
                Some(name) if !columns.contains_key(name) => {
                    columns.insert(name, column);
                }
                _ => unknown.push((column, header)),
            }
        }
        if !columns.contains_key("title") || columns.len() < unknown.len() {
            return TaskColumns::new();
        }
        tab.header_row = row.number;
        for (column, header) in unknown {
            tab.told.insert(("unknown-column", column), header);
        }
        tab.index = u16::try_from(self.reading.tabs.len()).ok();
        let by_name = columns
            .iter()
            .map(|(name, column)| ((*name).to_owned(), vec![*column]));
        self.reading.tabs.push(Tab {
            name: tab.name.clone(),
            columns: by_name.collect(),
        });
        columns
    }

    /// A tab of tasks that has no header says nothing about the tasks it held.
    pub(super) fn task_tab_ended(&mut self, tab: &TabState) {
        if tab.tasks.as_ref().is_some_and(BTreeMap::is_empty) {
            self.tell(&tab.name, 0, None, "", messages::tasks_header());
        }
    }

    fn read_task(&mut self, tab: &TabState, columns: &TaskColumns, row: Row<'_, '_>) {
        let at = |name: &str| -> Option<(u16, &Cell<'_>)> {
            let column = *columns.get(name)?;
            Some((column, row.cells.get(usize::from(column))?))
        };
        let mut fields = Fields::new();
        for name in ["title", "of", "kind", "room", "description"] {
            let Some((column, cell)) = at(name) else {
                continue;
            };
            let raw = shown(&cell.value);
            if let Some(found) = cell_error(&cell.value) {
                let said = messages::cell_error(&found);
                self.tell(&tab.name, row.number, Some(column), &found, said);
                continue;
            }
            let tidy = if name == "description" {
                text::paragraphs(&raw)
            } else {
                text::line(&raw)
            };
            let most = if name == "description" {
                limits::CELL
            } else {
                200
            };
            if tidy.chars().count() > most {
                let said = messages::cell_too_long();
                self.tell(&tab.name, row.number, Some(column), &raw, said);
            } else if !tidy.is_empty() && !words::nothing(&tidy) {
                fields.insert(name.to_owned(), Json::from(tidy.into_owned()));
            }
        }
        if !fields.contains_key("title") {
            let title = columns.get("title").copied();
            if fields.contains_key("of")
                || at("due").is_some_and(|(_, cell)| !cell.value.is_empty())
            {
                self.tell(&tab.name, row.number, title, "", messages::task_missing());
            }
            return;
        }
        let mut state = "open";
        for (&name, &column) in columns {
            let Some(cell) = row
                .cells
                .get(usize::from(column))
                .filter(|cell| !cell.value.is_empty())
            else {
                continue;
            };
            let raw = text::line(&shown(&cell.value)).into_owned();
            if fields.contains_key(name) || words::nothing(&raw) {
                continue;
            }
            let read = match name {
                "due" => self.due(tab, row.number, &cell.value),
                "capacity" | "minimum" => {
                    people(&cell.value, &raw).ok_or_else(|| messages::capacity(&raw))
                }
                "credits" => credits(&cell.value, &raw).ok_or_else(|| messages::credits(&raw)),
                "priority" => priority(&raw).ok_or_else(|| messages::priority(&raw)),
                "lead" => lead(&raw).ok_or_else(|| messages::lead(&raw)),
                "guide" | "url" | "register" => match address(&raw) {
                    Some(link) => Ok(json!(link)),
                    None if name == "register" && !meant_as_address(&raw) => Ok(Json::Null),
                    None => Err(messages::link(&raw)),
                },
                "validators" => Ok(list(&raw)),
                "visibility" => {
                    words::visibility(&text::key(&raw), raccord_model::Visibility::Public)
                        .map(|said| json!(said))
                        .ok_or_else(|| messages::visibility(&raw))
                }
                "state" => match words::task_state(&raw) {
                    Some(said) => {
                        state = said;
                        Ok(Json::Null)
                    }
                    None => Err(messages::task_state(&raw)),
                },
                _ => Ok(Json::Null),
            };
            match read {
                Ok(Json::Null) => {}
                Ok(value) => {
                    fields.insert(name.to_owned(), value);
                }
                Err(said) => self.tell(&tab.name, row.number, Some(column), &raw, said),
            }
        }
        // A word that is not understood keeps the task among members, as in a programme.
        let unclear = columns.get("visibility").is_some_and(|column| {
            let cell = row.cells.get(usize::from(*column));
            cell.is_some_and(|cell| !cell.value.is_empty()) && !fields.contains_key("visibility")
        });
        if unclear {
            fields.insert("visibility".into(), json!("internal"));
        }
        let least = fields.get("minimum").and_then(Json::as_u64);
        let most = fields.get("capacity").and_then(Json::as_u64);
        if let (Some(least), Some(most)) = (least, most)
            && least > most
        {
            fields.remove("minimum");
            let column = columns.get("minimum").copied();
            let said = messages::minimum(least, most);
            self.tell(&tab.name, row.number, column, &least.to_string(), said);
        }
        if at("title").is_some_and(|(_, cell)| cell.struck) {
            state = "cancelled";
        }
        fields.insert("state".into(), json!(state));
        if let Some(index) = tab.index {
            let line = Line::new(EntityKind::Task, index, row.number, &fields);
            self.reading.lines.push(line);
        }
    }

    fn due(&self, tab: &TabState, row: u32, value: &Value<'_>) -> Result<Json, messages::Said> {
        let found = shown(value);
        let told = |trouble| messages::date(&found, trouble);
        let (shape, beside) = match cell::day(value) {
            Ok(read) => read,
            Err(None) => return Err(messages::cell_error(&found)),
            Err(Some(trouble)) => return Err(told(trouble)),
        };
        let mut around = tab.around.clone();
        around.row = row;
        around.year = around.year.or(self.rules.year);
        let last = match shape.resolve(&around).map_err(told)? {
            Days::Span(_, last) => last,
            Days::Each(days) => match days[..] {
                [only] => only,
                _ => return Err(told(crate::parse::date::Trouble::Ambiguous)),
            },
        };
        let due = match beside {
            Beside::Minute(minute) => {
                let hour = i8::try_from(minute / 60).unwrap_or_default();
                let minute = i8::try_from(minute % 60).unwrap_or_default();
                Civil::Minute(last.at(hour, minute, 0, 0))
            }
            _ => Civil::Day(last),
        };
        Ok(json!(due))
    }
}

/// A number of people; null for "no limit".
fn people(value: &Value<'_>, raw: &str) -> Option<Json> {
    let typed = match value {
        Value::Number(number) => number::hundredths(*number)
            .filter(|hundredths| hundredths % 100 == 0)
            .and_then(|hundredths| u32::try_from(hundredths / 100).ok())
            .map(Amount::Of),
        _ => number::capacity(raw),
    };
    match typed? {
        Amount::Of(people) if people <= 100_000 => Some(json!(people)),
        Amount::Of(_) => None,
        Amount::Absent => Some(Json::Null),
    }
}

fn credits(value: &Value<'_>, raw: &str) -> Option<Json> {
    let typed = match value {
        Value::Number(number) => number::hundredths(*number).map(Amount::Of),
        _ => number::credits(raw),
    };
    match typed? {
        Amount::Of(hundredths) => Some(json!(hundredths)),
        Amount::Absent => Some(Json::Null),
    }
}

/// 1 (first) to 9 (last), in figures or in words.
fn priority(raw: &str) -> Option<Json> {
    let rank = match text::key(raw).as_str() {
        "urgent" | "urgente" | "tres urgent" | "tres haute" | "critique" | "critical" => 1,
        "haute" | "haut" | "important" | "importante" | "high" | "forte" => 2,
        "normale" | "normal" | "moyenne" | "moyen" | "medium" => 5,
        "basse" | "bas" | "faible" | "low" | "quand on peut" | "si possible" => 8,
        figure => figure.parse().ok().filter(|rank| (1..=9).contains(rank))?,
    };
    Some(json!(rank))
}

/// A number of days, or of weeks.
fn lead(raw: &str) -> Option<Json> {
    let key = text::key(raw);
    let (figure, unit) = key.split_once(' ').unwrap_or((&key, ""));
    let count: u32 = figure.parse().ok()?;
    let days = match unit {
        "" | "j" | "jour" | "jours" | "jours avant" | "day" | "days" | "days before" => count,
        "semaine" | "semaines" | "week" | "weeks" => count.checked_mul(WEEK)?,
        _ => return None,
    };
    (days <= LONGEST_LEAD).then(|| json!(days))
}

/// Names or roles with commas between them.
fn list(raw: &str) -> Json {
    let names: Vec<String> = raw
        .split([',', ';', '|'])
        .map(|name| text::line(name).into_owned())
        .filter(|name| !name.is_empty() && name.chars().count() <= 200)
        .take(50)
        .collect();
    if names.is_empty() {
        Json::Null
    } else {
        json!(names)
    }
}
