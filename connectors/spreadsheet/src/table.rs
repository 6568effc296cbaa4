//! From lines of a grid to lines that describe activities.
//!
//! A state machine fed one line at a time: finds the header, keeps what the tab says of its month
//! and year, reads each line, and sets aside, in words, what it cannot read. What cannot be read
//! never stops the rest; what could be read in two ways becomes a draft with a question.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::civil::Date;
use raccord_model::{
    EntityKind, Failure, Fields, Line, Reading, Remark, Status, Tab, Unread, Visibility,
    column_letters,
};
use serde_json::{Value as Json, json};

use crate::field::Field;
use crate::grid::{Cell, Row, Rows, TabStart, Value};
use crate::header::{self, Chosen, Columns};
use crate::kinds::Kinds;
use crate::messages::{self, Said};
use crate::parse::date::{self, Around, Day, Days, Shape, Trouble};
use crate::parse::hour::{self, Hours, Minute};
use crate::parse::number::{self, Amount};
use crate::when::{Times, when};
use crate::{error, limits, text, words};

/// What the settings say about reading.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) chosen: Chosen,
    /// The one tab to read.
    pub(crate) sheet: Option<String>,
    /// The year of dates that nothing else gives one.
    pub(crate) year: Option<i16>,
    /// The day it is.
    pub(crate) today: Option<Date>,
}

/// Collects a document's lines into a reading.
pub(crate) struct Collector<'s> {
    rules: &'s Rules,
    reading: Reading,
    /// Names of all tabs that are not hidden.
    names: Vec<String>,
    tab: Option<TabState>,
    untold: usize,
    kinds: Kinds,
}

/// The tab being read.
#[derive(Default)]
struct TabState {
    name: String,
    hidden_columns: Vec<(u32, u32)>,
    columns: Option<Columns>,
    title_column: Option<u16>,
    /// The line the header stands on.
    header_row: u32,
    /// The header's cells, to be completed by a second line.
    header_cells: BTreeMap<u16, String>,
    /// The line above, while no header was found.
    above: Option<(u32, BTreeMap<u16, String>)>,
    /// What the tab's name, the title above the header and the last section title say.
    around: Around,
    /// Lines whose year is not known yet.
    waiting: Vec<Waiting>,
    neighbours: Vec<(u32, Date)>,
    /// The last day read, for the question "the same day as above?".
    last_date: Option<Date>,
    /// A line that holds a day and nothing else: the day of the lines below it.
    heading: Option<Heading>,
    index: Option<u16>,
    first_line: usize,
    /// Columns told of, by what is said: letters and header.
    told: BTreeMap<(&'static str, u16), String>,
}

/// A day that stands alone on its line.
#[derive(Clone)]
struct Heading {
    row: u32,
    column: u16,
    found: String,
    shape: Shape,
    used: bool,
}

/// A line all but for its day.
struct Waiting {
    row: u32,
    fields: Fields,
    shape: Shape,
    /// The last day, where a column of its own says it.
    until: Option<(Shape, u16, String)>,
    times: Times,
    status: Option<Status>,
    draft: bool,
    /// The date's column and what stands there.
    column: u16,
    found: String,
    hours_column: u16,
    hours_found: String,
    around: Around,
}

impl<'s> Collector<'s> {
    pub(crate) fn new(rules: &'s Rules) -> Self {
        Self {
            rules,
            reading: Reading::default(),
            names: Vec::new(),
            tab: None,
            untold: 0,
            kinds: Kinds::default(),
        }
    }

    /// The reading, and the names of the tabs that could have held lines.
    pub(crate) fn finish(mut self) -> Result<(Reading, Vec<String>), Failure> {
        if let Some(wanted) = &self.rules.sheet
            && !self
                .names
                .iter()
                .any(|name| text::key(name) == text::key(wanted))
        {
            return Err(error::sheet_missing(wanted, &self.names));
        }
        if self.reading.tabs.is_empty() {
            return Err(error::header_lost(self.rules.sheet.as_deref()));
        }
        if self.untold > 0 {
            let (code, text) = messages::more(self.untold);
            self.reading.remarks.push(Remark {
                sheet: String::new(),
                row: 0,
                code: code.to_owned(),
                text,
            });
        }
        self.kinds.even_out(&mut self.reading.lines);
        self.reading
            .unread
            .sort_by(|a, b| (&a.sheet, a.row, &a.column).cmp(&(&b.sheet, b.row, &b.column)));
        Ok((self.reading, self.names))
    }

    fn tell(&mut self, sheet: &str, row: u32, column: Option<u16>, found: &str, said: Said) {
        if self.reading.unread.len() >= limits::TOLD {
            self.untold += 1;
            return;
        }
        self.reading.unread.push(Unread {
            sheet: sheet.to_owned(),
            row,
            column: column.map(column_letters).unwrap_or_default(),
            code: said.0.to_owned(),
            found: text::cut(&text::line(found), 199),
            write: said.1,
        });
    }

    fn remark(&mut self, sheet: &str, row: u32, said: Said) {
        if self.reading.remarks.len() < limits::TOLD {
            self.reading.remarks.push(Remark {
                sheet: sheet.to_owned(),
                row,
                code: said.0.to_owned(),
                text: said.1,
            });
        }
    }
}

impl Rows for Collector<'_> {
    fn tab(&mut self, tab: TabStart) -> Result<bool, Failure> {
        if tab.hidden {
            return Ok(false);
        }
        let name = text::line(&tab.name).into_owned();
        self.names.push(name.clone());
        let wanted = self
            .rules
            .sheet
            .as_ref()
            .is_none_or(|sheet| text::key(sheet) == text::key(&name));
        if wanted {
            let mut around = date::about(name.trim_end_matches(".csv").trim_end_matches(".tsv"));
            around.today = self.rules.today;
            self.tab = Some(TabState {
                name,
                hidden_columns: tab.hidden_columns,
                around,
                first_line: self.reading.lines.len(),
                ..TabState::default()
            });
        }
        Ok(wanted)
    }

    fn row(&mut self, row: Row<'_, '_>) -> Result<(), Failure> {
        if let Some(mut tab) = self.tab.take() {
            self.read_row(&mut tab, row);
            self.tab = Some(tab);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Failure> {
        let Some(mut tab) = self.tab.take() else {
            return Ok(());
        };
        self.drop_heading(&mut tab);
        let waiting = std::mem::take(&mut tab.waiting);
        let mut around = Around {
            neighbours: std::mem::take(&mut tab.neighbours),
            ..Around::default()
        };
        for line in waiting {
            // The last resort but one is the setting; it yields to what the sheet itself says.
            around.row = line.row;
            around.month = line.around.month;
            around.year = line.around.year;
            around.season = line.around.season;
            around.today = line.around.today;
            if around.year.is_none() && around.neighbours.is_empty() {
                around.year = self.rules.year;
            }
            self.place(&tab, line, &around);
        }
        self.reading.lines[tab.first_line..].sort_by_key(|line| line.row);
        let told = std::mem::take(&mut tab.told);
        for ((code, column), shown) in told {
            let letters = column_letters(column);
            let said = match code {
                "second-column" => messages::second_column(&letters, &shown),
                "hidden-column" => messages::hidden_column(&letters, &shown),
                _ => messages::unknown_column(&letters, &shown),
            };
            self.remark(&tab.name, tab.header_row, said);
        }
        Ok(())
    }
}

impl Collector<'_> {
    fn read_row(&mut self, tab: &mut TabState, row: Row<'_, '_>) {
        if !row
            .cells
            .iter()
            .any(|cell| !cell.inherited && !cell.value.is_empty())
        {
            return;
        }
        if tab.columns.is_none() {
            self.look_for_header(tab, row);
            return;
        }
        if may_be_header(tab, row) && self.header_again(tab, row) {
            return;
        }
        self.read_line(tab, row);
    }

    fn look_for_header(&mut self, tab: &mut TabState, row: Row<'_, '_>) {
        let cells = texts(row);
        if self.take_header(tab, row.number, &cells) {
            tab.header_cells = cells;
            return;
        }
        // A header in two lines: each column is named in one or the other.
        if let Some((above_row, above)) = &tab.above
            && above_row + 1 == row.number
            && above.len() > 1
            && header::continues(cells.values().map(String::as_str), &self.rules.chosen)
        {
            let mut both = above.clone();
            both.extend(cells.clone());
            if self.take_header(tab, row.number, &both) {
                tab.header_cells = both;
                return;
            }
        }
        // A title above the header may say which month and year it is about.
        if cells.len() <= 2 {
            for title in cells.values() {
                let about = date::about(title);
                tab.around.month = tab.around.month.or(about.month);
                if tab.around.year.is_none() {
                    (tab.around.year, tab.around.season) = (about.year, about.season);
                }
            }
        }
        tab.above = Some((row.number, cells));
    }

    fn header_again(&mut self, tab: &mut TabState, row: Row<'_, '_>) -> bool {
        let cells = texts(row);
        if tab.header_row + 1 == row.number
            && header::continues(cells.values().map(String::as_str), &self.rules.chosen)
        {
            let mut both = tab.header_cells.clone();
            both.extend(cells);
            return self.take_header(tab, row.number, &both);
        }
        if self.take_header(tab, row.number, &cells) {
            self.drop_heading(tab);
            tab.header_cells = cells;
            return true;
        }
        false
    }

    fn take_header(&mut self, tab: &mut TabState, row: u32, cells: &BTreeMap<u16, String>) -> bool {
        let hidden = |column: u16| {
            tab.hidden_columns
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&u32::from(column)))
        };
        let found = header::recognise(
            cells.iter().map(|(column, text)| (*column, text.as_str())),
            &self.rules.chosen,
            hidden,
        );
        let Some(columns) = found else { return false };
        if tab.header_row + 1 == row {
            // The second line of this header: what the first said alone no longer counts.
            tab.told.clear();
        }
        for (code, list) in [
            ("unknown-column", &columns.unknown),
            ("second-column", &columns.twice),
            ("hidden-column", &columns.hidden),
        ] {
            for (column, shown) in list {
                tab.told
                    .entry((code, *column))
                    .or_insert_with(|| shown.clone());
            }
        }
        if let Some(index) = tab.index {
            let known = &mut self.reading.tabs[usize::from(index)].columns;
            for (name, list) in columns.by_name() {
                let all = known.entry(name).or_default();
                all.extend(list);
                all.sort_unstable();
                all.dedup();
            }
        } else {
            tab.index = u16::try_from(self.reading.tabs.len()).ok();
            self.reading.tabs.push(Tab {
                name: tab.name.clone(),
                columns: columns.by_name(),
            });
        }
        tab.header_row = row;
        tab.title_column = columns.get(Field::Title);
        tab.columns = Some(columns);
        true
    }

    /// A day on its own that no line below made use of is a line without a title.
    fn drop_heading(&mut self, tab: &mut TabState) {
        if let Some(heading) = tab.heading.take()
            && !heading.used
        {
            self.tell(
                &tab.name,
                heading.row,
                tab.title_column.or(Some(heading.column)),
                &heading.found,
                messages::title_missing(),
            );
        }
    }

    fn read_line(&mut self, tab: &mut TabState, row: Row<'_, '_>) {
        // Taken out so that the tab can be changed while its columns are read.
        let Some(columns) = tab.columns.take() else {
            return;
        };
        self.read_line_with(tab, &columns, row);
        tab.columns = Some(columns);
    }

    fn read_line_with(&mut self, tab: &mut TabState, columns: &Columns, row: Row<'_, '_>) {
        let line = View { columns, row };
        let title_cell = line.cell(Field::Title);
        let mut draft = row.hidden;

        let title = match title_cell {
            Some((_, cell)) if matches!(cell.value, Value::Error(_)) => String::new(),
            Some((_, cell)) => text::line(&shown(&cell.value)).into_owned(),
            None => String::new(),
        };
        let date_cell = line.cell(Field::Date).or_else(|| line.cell(Field::Start));
        let own: Vec<(u16, &Cell<'_>)> = line.own().collect();

        if let [(column, only)] = own[..]
            && (only.wide || title_cell.is_none_or(|(at, _)| at != column))
            && title_cell.is_none_or(|(at, cell)| at == column || cell.value.is_empty())
        {
            self.section(tab, row.number, column, only);
            return;
        }
        if is_total(&title)
            && date_cell.is_none_or(|(_, cell)| cell.value.is_empty() || cell.inherited)
            || title.is_empty() && own.iter().any(|(_, cell)| is_total(&shown(&cell.value)))
        {
            return;
        }
        if title.is_empty() {
            self.without_title(tab, line, title_cell, date_cell);
            return;
        }
        if title.chars().count() > limits::CELL {
            let (column, _) = title_cell.unwrap_or((0, &row.cells[0]));
            self.tell(
                &tab.name,
                row.number,
                Some(column),
                &title,
                messages::cell_too_long(),
            );
            return;
        }

        let (title, marked) = title_status(&title);
        let mut fields = Fields::new();
        fields.insert("title".to_owned(), Json::from(title));
        self.texts(tab, line, &mut fields);
        self.amounts(tab, line, &mut fields);
        self.who(tab, line, &mut fields);
        let mut status = self.status(tab, line);
        if status == Some(Status::Draft) {
            draft = true;
        }
        if marked.is_some() {
            status = marked;
        }
        if is_struck(&own, title_cell) {
            status = Some(Status::Cancelled);
        }
        if row.hidden {
            let said = messages::row_hidden();
            self.remark(&tab.name, row.number, said);
        }
        self.day_and_hours(tab, line, fields, status, draft);
    }

    /// A line that is a title for the lines below it: a day, a month, or mere decoration.
    fn section(&mut self, tab: &mut TabState, row: u32, column: u16, cell: &Cell<'_>) {
        let shown = shown(&cell.value).into_owned();
        let shape = match &cell.value {
            Value::Date(date) => Some(one(*date)),
            Value::Text(text) => date::read(text)
                .ok()
                .filter(|(shape, rest)| rest.is_empty() && matches!(shape, Shape::One(_)))
                .map(|(shape, _)| shape),
            _ => None,
        };
        self.drop_heading(tab);
        if let Some(shape) = shape {
            tab.heading = Some(Heading {
                row,
                column,
                found: shown,
                shape,
                used: false,
            });
            return;
        }
        let about = date::about(&shown);
        if about.month.is_some() {
            tab.around.month = about.month;
            if about.year.is_some() {
                (tab.around.year, tab.around.season) = (about.year, about.season);
            }
        }
    }

    fn without_title(
        &mut self,
        tab: &TabState,
        line: View<'_, '_, '_>,
        title_cell: Option<(u16, &Cell<'_>)>,
        date_cell: Option<(u16, &Cell<'_>)>,
    ) {
        let row = line.row.number;
        let title_column = line.columns.get(Field::Title);
        if let Some((column, cell)) = title_cell
            && let Value::Error(found) = &cell.value
        {
            self.tell(
                &tab.name,
                row,
                Some(column),
                found,
                messages::cell_error(found),
            );
            return;
        }
        let dated = date_cell.is_some_and(|(_, cell)| match &cell.value {
            Value::Date(_) | Value::DateTime(_) => !cell.inherited,
            Value::Text(text) => !cell.inherited && date::read(text).is_ok(),
            _ => false,
        });
        if dated {
            self.tell(&tab.name, row, title_column, "", messages::title_missing());
        }
    }

    fn texts(&mut self, tab: &TabState, line: View<'_, '_, '_>, fields: &mut Fields) {
        for (field, name) in [
            (Field::Kind, "kind"),
            (Field::Room, "room"),
            (Field::Organiser, "organiser"),
            (Field::Contact, "contact"),
            (Field::Description, "description"),
        ] {
            let Some(raw) = self.cell_text(tab, line, field) else {
                continue;
            };
            let tidy = if field == Field::Description {
                text::paragraphs(&raw)
            } else {
                text::line(&raw)
            };
            if tidy.is_empty() || words::nothing(&tidy) {
                continue;
            }
            let tidy = if field == Field::Kind {
                self.kinds.spell(&tidy)
            } else {
                tidy.into_owned()
            };
            fields.insert(name.to_owned(), Json::from(tidy));
        }
        for (field, name) in [(Field::Guide, "guide"), (Field::Url, "url")] {
            let Some(raw) = self.cell_text(tab, line, field) else {
                continue;
            };
            let tidy = text::line(&raw);
            if tidy.is_empty() || words::nothing(&tidy) {
                continue;
            }
            match address(&tidy) {
                Some(address) => {
                    fields.insert(name.to_owned(), Json::from(address));
                }
                None => self.tell_cell(tab, line, field, &tidy, messages::link(&tidy)),
            }
        }
        if let Some(raw) = self.cell_text(tab, line, Field::Tags) {
            let mut tags: Vec<String> = raw
                .split([',', ';', '#', '\n', '|'])
                .map(|tag| text::line(tag).into_owned())
                .filter(|tag| !tag.is_empty())
                .take(50)
                .collect();
            tags.dedup();
            if !tags.is_empty() {
                fields.insert("tags".to_owned(), Json::from(tags));
            }
        }
        let mut extra = serde_json::Map::new();
        for (column, name) in &line.columns.extras {
            if let Some(cell) = line.row.cells.get(usize::from(*column)) {
                let raw = shown(&cell.value);
                let tidy = text::paragraphs(&raw);
                if !tidy.is_empty() && tidy.chars().count() <= limits::CELL {
                    extra.insert(name.clone(), Json::from(tidy.into_owned()));
                }
            }
        }
        if !extra.is_empty() {
            fields.insert("extra".to_owned(), Json::Object(extra));
        }
    }

    /// A cell's text, unless it is an error of the program or too long: that is told.
    fn cell_text<'r>(
        &mut self,
        tab: &TabState,
        line: View<'r, '_, '_>,
        field: Field,
    ) -> Option<Cow<'r, str>> {
        let (column, cell) = line.cell(field)?;
        let row = line.row.number;
        if let Some(found) = cell_error(&cell.value) {
            self.tell(
                &tab.name,
                row,
                Some(column),
                &found,
                messages::cell_error(&found),
            );
            return None;
        }
        let raw = shown(&cell.value);
        if raw.len() > limits::CELL && raw.chars().count() > limits::CELL {
            self.tell(
                &tab.name,
                row,
                Some(column),
                &raw,
                messages::cell_too_long(),
            );
            return None;
        }
        Some(raw)
    }

    fn tell_cell(
        &mut self,
        tab: &TabState,
        line: View<'_, '_, '_>,
        field: Field,
        found: &str,
        said: Said,
    ) {
        self.tell(
            &tab.name,
            line.row.number,
            line.columns.get(field),
            found,
            said,
        );
    }

    fn amounts(&mut self, tab: &TabState, line: View<'_, '_, '_>, fields: &mut Fields) {
        if let Some(raw) = self.cell_text(tab, line, Field::Capacity) {
            let typed = line.number(Field::Capacity).map(|number| {
                number::hundredths(number)
                    .filter(|h| h % 100 == 0)
                    .and_then(|h| u32::try_from(h / 100).ok())
                    .map(Amount::Of)
            });
            match typed.unwrap_or_else(|| number::capacity(&raw)) {
                Some(Amount::Of(people)) => {
                    fields.insert("capacity".to_owned(), json!(people));
                }
                Some(Amount::Absent) => {}
                None => self.tell_cell(tab, line, Field::Capacity, &raw, messages::capacity(&raw)),
            }
        }
        if let Some(raw) = self.cell_text(tab, line, Field::Credits) {
            let typed = line
                .number(Field::Credits)
                .map(|number| number::hundredths(number).map(Amount::Of));
            match typed.unwrap_or_else(|| number::credits(&raw)) {
                Some(Amount::Of(hundredths)) => {
                    fields.insert("credits".to_owned(), json!(hundredths));
                }
                Some(Amount::Absent) => {}
                None => self.tell_cell(tab, line, Field::Credits, &raw, messages::credits(&raw)),
            }
        }
    }

    /// Who may see it: blank means everyone, a word that is not understood means members.
    fn who(&mut self, tab: &TabState, line: View<'_, '_, '_>, fields: &mut Fields) {
        let Some((_, cell)) = line.cell(Field::Visibility) else {
            return;
        };
        let raw = match cell_error(&cell.value) {
            Some(error) => Cow::Owned(error),
            None => shown(&cell.value),
        };
        let key = text::key(&raw);
        let said = if key.is_empty() && (raw.trim().is_empty() || words::nothing(&raw)) {
            return;
        } else {
            words::visibility(&key, line.columns.yes_means)
        };
        if said.is_none() {
            self.tell_cell(
                tab,
                line,
                Field::Visibility,
                &raw,
                messages::visibility(&raw),
            );
        }
        let name = match said.unwrap_or(Visibility::Internal) {
            Visibility::Public => "public",
            Visibility::Internal => "internal",
        };
        fields.insert("visibility".to_owned(), Json::from(name));
    }

    /// What became of it: blank says nothing, a word that is not understood makes a draft.
    fn status(&mut self, tab: &TabState, line: View<'_, '_, '_>) -> Option<Status> {
        let (_, cell) = line.cell(Field::Status)?;
        let raw = match cell_error(&cell.value) {
            Some(error) => Cow::Owned(error),
            None => shown(&cell.value),
        };
        let tidy = text::line(&raw);
        if tidy.is_empty() || words::nothing(&tidy) {
            return None;
        }
        let said = words::status_sign(&tidy).or_else(|| words::status(&text::key(&tidy)));
        if said.is_none() {
            self.tell_cell(tab, line, Field::Status, &raw, messages::status(&raw));
        }
        Some(said.unwrap_or(Status::Draft))
    }

    fn day_and_hours(
        &mut self,
        tab: &mut TabState,
        line: View<'_, '_, '_>,
        fields: Fields,
        status: Option<Status>,
        mut draft: bool,
    ) {
        let row = line.row.number;
        // Without a column for the day, the start holds day and hour.
        let day_field = if line.columns.get(Field::Date).is_some() {
            Field::Date
        } else {
            Field::Start
        };
        let day_column = line.columns.get(day_field).unwrap_or_default();
        let own_date = line
            .cell(day_field)
            .is_some_and(|(_, cell)| !cell.value.is_empty());
        let found = line
            .cell(day_field)
            .map(|(_, cell)| shown(&cell.value).into_owned())
            .unwrap_or_default();

        let (mut shape, beside) = match line.cell(day_field).filter(|_| own_date) {
            Some((_, cell)) => {
                self.drop_heading(tab);
                match day(&cell.value) {
                    Ok((shape, beside)) => (Some(shape), beside),
                    Err(None) => {
                        self.tell(
                            &tab.name,
                            row,
                            Some(day_column),
                            &found,
                            messages::cell_error(&found),
                        );
                        (None, Beside::Nothing)
                    }
                    Err(Some(trouble)) => {
                        self.tell(
                            &tab.name,
                            row,
                            Some(day_column),
                            &found,
                            messages::date(&found, trouble),
                        );
                        (None, Beside::Nothing)
                    }
                }
            }
            None => {
                if let Some(heading) = &mut tab.heading {
                    heading.used = true;
                    (Some(heading.shape.clone()), Beside::Nothing)
                } else {
                    let above = tab.last_date.filter(|_| line.has_hours());
                    self.tell(
                        &tab.name,
                        row,
                        Some(day_column),
                        "",
                        messages::date_missing(above),
                    );
                    (None, Beside::Nothing)
                }
            }
        };
        if let (Some(Shape::One(day)), Some((_, cell))) = (&mut shape, line.cell(Field::Weekday)) {
            day.weekday = day.weekday.or_else(|| date::weekday(&shown(&cell.value)));
        }

        let hours = self.hours(tab, line, day_field, &beside, shape.as_ref());
        if hours.times == Times::Unknown {
            draft = true;
        }
        let Some(shape) = shape else {
            self.push(tab, row, &without_day(fields));
            return;
        };
        if let Some(date) = shape.whole() {
            tab.neighbours.push((row, date));
            tab.last_date = Some(date);
        }
        let waiting = Waiting {
            row,
            fields,
            until: hours.until,
            times: hours.times,
            status,
            draft: draft || hours.doubt,
            column: day_column,
            found,
            hours_column: hours.column,
            hours_found: hours.found,
            around: Around {
                month: tab.around.month,
                year: tab.around.year,
                season: tab.around.season,
                today: tab.around.today,
                row,
                neighbours: Vec::new(),
            },
            shape,
        };
        if waiting.shape.wants_year() && waiting.around.year.is_none() {
            tab.waiting.push(waiting);
        } else {
            let around = waiting.around.clone();
            self.place(tab, waiting, &around);
        }
    }

    fn hours(
        &mut self,
        tab: &TabState,
        line: View<'_, '_, '_>,
        day_field: Field,
        beside: &Beside,
        shape: Option<&Shape>,
    ) -> LineHours {
        let row = line.row.number;
        let mut out = LineHours {
            times: Times::Days,
            until: None,
            doubt: false,
            column: line
                .columns
                .get(Field::Hours)
                .or_else(|| line.columns.get(Field::Start))
                .or_else(|| line.columns.get(day_field))
                .unwrap_or_default(),
            found: String::new(),
        };
        let mut start: Option<Hours> = None;
        let mut unreadable = false;
        for field in [Field::Hours, Field::Start] {
            if field == day_field {
                continue;
            }
            let Some((column, cell)) = line.cell(field) else {
                continue;
            };
            let raw = shown(&cell.value).into_owned();
            let read = match &cell.value {
                value if value.is_empty() => continue,
                Value::Text(text) if words::nothing(text) => continue,
                Value::DateTime(at)
                    if shape
                        .and_then(Shape::whole)
                        .is_none_or(|day| day == at.date()) =>
                {
                    minute_of(at.time()).map(span_from)
                }
                value => hours_of(value),
            };
            out.found.clone_from(&raw);
            out.column = column;
            match (read, start) {
                (None, _) => {
                    unreadable = true;
                    let said = match cell_error(&cell.value) {
                        Some(error) => messages::cell_error(&error),
                        None => messages::hour(&raw),
                    };
                    self.tell(&tab.name, row, Some(column), &raw, said);
                }
                (Some(read), None) => start = Some(read),
                (Some(read), Some(before)) if agree(read, before) => {
                    start = Some(merge(before, read));
                }
                (Some(_), Some(_)) => {
                    unreadable = true;
                    self.tell(
                        &tab.name,
                        row,
                        Some(column),
                        &raw,
                        messages::hours_disagree(&raw),
                    );
                }
            }
        }
        // An hour beside the day in the day's own cell.
        match beside {
            Beside::Nothing => {}
            Beside::Minute(minute) => match start {
                None => start = Some(span_from(*minute)),
                Some(Hours::Span { start: said, .. }) if said == *minute => {}
                Some(_) => {
                    unreadable = true;
                    self.tell(
                        &tab.name,
                        row,
                        Some(out.column),
                        &out.found.clone(),
                        messages::hours_disagree(&out.found),
                    );
                }
            },
            Beside::Text(rest) => match (hour::read(rest), start) {
                (Some(read), None) => start = Some(read),
                (Some(read), Some(before)) if agree(read, before) => {
                    start = Some(merge(before, read));
                }
                (Some(_), Some(_)) => {
                    unreadable = true;
                    self.tell_cell(tab, line, day_field, rest, messages::hours_disagree(rest));
                }
                (None, _) => {
                    unreadable = true;
                    self.tell_cell(tab, line, day_field, rest, messages::hour(rest));
                }
            },
        }
        if let Some((_, cell)) = line.cell(Field::AllDay)
            && match &cell.value {
                Value::Bool(said) => *said,
                value => words::yes(&text::key(&shown(value))) == Some(true),
            }
        {
            start = Some(Hours::AllDay);
        }
        self.last_day(tab, line, &mut out);
        let end = self.end_of(tab, line, &mut out);
        let lasts = line.cell(Field::Duration).and_then(|(column, cell)| {
            let raw = shown(&cell.value);
            if cell.value.is_empty() || words::nothing(&raw) {
                return None;
            }
            let read = match &cell.value {
                Value::Minutes(minutes) => u32::try_from(*minutes)
                    .ok()
                    .filter(|m| (1..=10_080).contains(m)),
                _ => hour::duration(&raw),
            };
            if read.is_none() {
                self.tell(&tab.name, row, Some(column), &raw, messages::end(&raw));
            }
            read
        });
        out.times = match (unreadable, start, end) {
            (true, _, _) => Times::Unknown,
            (false, None, Some(_)) => {
                self.tell(
                    &tab.name,
                    row,
                    Some(out.column),
                    "",
                    messages::start_missing(),
                );
                Times::Unknown
            }
            (false, None, None) | (false, Some(Hours::AllDay), _) => Times::Days,
            (false, Some(Hours::Span { start, end: within }), end) => {
                if let (Some(a), Some(b)) = (within, end)
                    && a % 1440 != b % 1440
                {
                    let found = out.found.clone();
                    self.tell_cell(
                        tab,
                        line,
                        Field::End,
                        &found,
                        messages::hours_disagree(&found),
                    );
                    out.doubt = true;
                }
                Times::Span {
                    start,
                    end: within.or(end),
                    lasts,
                }
            }
        };
        out
    }

    /// The column of the last day.
    fn last_day(&mut self, tab: &TabState, line: View<'_, '_, '_>, out: &mut LineHours) {
        let Some((column, cell)) = line.cell(Field::EndDate) else {
            return;
        };
        if cell.value.is_empty() {
            return;
        }
        let raw = shown(&cell.value).into_owned();
        match day(&cell.value) {
            Ok((shape @ Shape::One(_), _)) => out.until = Some((shape, column, raw)),
            Ok(_) | Err(None) => {
                out.doubt = true;
                self.tell(
                    &tab.name,
                    line.row.number,
                    Some(column),
                    &raw,
                    messages::date(&raw, Trouble::Unreadable),
                );
            }
            Err(Some(trouble)) => {
                out.doubt = true;
                self.tell(
                    &tab.name,
                    line.row.number,
                    Some(column),
                    &raw,
                    messages::date(&raw, trouble),
                );
            }
        }
    }

    /// The column of the end: a time, or a day and a time.
    fn end_of(
        &mut self,
        tab: &TabState,
        line: View<'_, '_, '_>,
        out: &mut LineHours,
    ) -> Option<Minute> {
        let (column, cell) = line.cell(Field::End)?;
        if cell.value.is_empty() {
            return None;
        }
        let raw = shown(&cell.value).into_owned();
        if words::nothing(&raw) || matches!(raw.trim(), "?" | "??") {
            return None;
        }
        let read = match &cell.value {
            Value::Text(text) => hour::read_end(text).or_else(|| {
                let (shape, rest) = date::read(text).ok()?;
                let minute = if rest.is_empty() {
                    None
                } else {
                    Some(hour::read_end(&rest)?)
                };
                // "12" alone is an hour, read above; a bare day is no end.
                matches!(shape, Shape::One(Day { month: Some(_), .. })).then_some(())?;
                out.until = Some((shape, column, raw.clone()));
                minute
            }),
            Value::DateTime(at) => {
                out.until = Some((one(at.date()), column, raw.clone()));
                minute_of(at.time())
            }
            Value::Date(date) => {
                out.until = Some((one(*date), column, raw.clone()));
                None
            }
            value => match hours_of(value) {
                Some(Hours::Span { start, end: None }) => Some(start),
                _ => match value {
                    Value::Minutes(1440) => Some(1440),
                    _ => None,
                },
            },
        };
        let dated = out.until.as_ref().is_some_and(|(_, at, _)| *at == column);
        if read.is_none() && !dated {
            let said = match cell_error(&cell.value) {
                Some(error) => messages::cell_error(&error),
                None => messages::end(&raw),
            };
            self.tell(&tab.name, line.row.number, Some(column), &raw, said);
        }
        read
    }

    /// Puts a line on its days.
    fn place(&mut self, tab: &TabState, waiting: Waiting, around: &Around) {
        let Waiting {
            row,
            fields,
            shape,
            until,
            times,
            status,
            draft,
            column,
            found,
            hours_column,
            hours_found,
            ..
        } = waiting;
        let days = match shape.resolve(around) {
            Ok(days) => days,
            Err(trouble) => {
                self.tell(
                    &tab.name,
                    row,
                    Some(column),
                    &found,
                    messages::date(&found, trouble),
                );
                self.push(tab, row, &without_day(fields));
                return;
            }
        };
        let mut doubt = draft;
        let spans: Vec<(Date, Date)> = match (days, until) {
            (Days::Span(first, last), None) => vec![(first, last)],
            (Days::Each(dates), _) => dates.into_iter().map(|date| (date, date)).collect(),
            (Days::Span(first, last), Some((until, until_column, until_found))) => {
                let around = Around {
                    month: Some(first.month()),
                    year: Some(first.year()),
                    season: None,
                    ..around.clone()
                };
                match until.resolve(&around) {
                    Ok(Days::Span(_, until))
                        if until >= first && (last == first || last == until) =>
                    {
                        vec![(first, until)]
                    }
                    Ok(_) => {
                        doubt = true;
                        self.tell(
                            &tab.name,
                            row,
                            Some(until_column),
                            &until_found,
                            messages::end_before_start(&until_found),
                        );
                        vec![(first, last)]
                    }
                    Err(trouble) => {
                        doubt = true;
                        self.tell(
                            &tab.name,
                            row,
                            Some(until_column),
                            &until_found,
                            messages::date(&until_found, trouble),
                        );
                        vec![(first, last)]
                    }
                }
            }
        };
        let count = spans.len();
        let mut told = false;
        for (index, (first, last)) in spans.into_iter().enumerate() {
            let mut fields = fields.clone();
            let when = when(first, last, times);
            if when.end_hour_missing && !told {
                told = true;
                let found = if hours_found.is_empty() {
                    &found
                } else {
                    &hours_found
                };
                self.tell(
                    &tab.name,
                    row,
                    Some(hours_column),
                    found,
                    messages::end_hour_missing(found),
                );
            }
            fields.insert("start".to_owned(), Json::from(when.start.to_string()));
            if let Some(end) = when.end {
                fields.insert("end".to_owned(), Json::from(end.to_string()));
            }
            if when.all_day {
                fields.insert("all_day".to_owned(), Json::from(true));
            }
            if count > 1 {
                fields.insert(
                    "series".to_owned(),
                    json!({ "id": fields["title"], "index": index + 1, "count": count }),
                );
            }
            let status = if doubt { Some(Status::Draft) } else { status };
            if let Some(status) = status {
                fields.insert("status".to_owned(), Json::from(status_name(status)));
            }
            self.push(tab, row, &fields);
        }
    }

    fn push(&mut self, tab: &TabState, row: u32, fields: &Fields) {
        if let Some(index) = tab.index {
            self.reading
                .lines
                .push(Line::new(EntityKind::Activity, index, row, fields));
        }
    }
}

/// The hours of a line, and what was found on the way.
struct LineHours {
    times: Times,
    until: Option<(Shape, u16, String)>,
    doubt: bool,
    column: u16,
    found: String,
}

/// What stands in the day's cell after the day.
enum Beside {
    Nothing,
    Minute(Minute),
    Text(String),
}

/// A line seen through its columns.
#[derive(Clone, Copy)]
struct View<'r, 'a, 'c> {
    columns: &'c Columns,
    row: Row<'r, 'a>,
}

impl<'r, 'a> View<'r, 'a, '_> {
    fn cell(&self, field: Field) -> Option<(u16, &'r Cell<'a>)> {
        let column = self.columns.get(field)?;
        Some((column, self.row.cells.get(usize::from(column))?))
    }

    /// The cells that hold something of their own.
    fn own(&self) -> impl Iterator<Item = (u16, &'r Cell<'a>)> {
        self.row
            .cells
            .iter()
            .enumerate()
            .filter(|(_, cell)| !cell.inherited && !cell.value.is_empty())
            .map(|(column, cell)| (column as u16, cell))
    }

    fn number(&self, field: Field) -> Option<f64> {
        match self.cell(field)?.1.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    fn has_hours(&self) -> bool {
        [Field::Hours, Field::Start, Field::End]
            .iter()
            .any(|field| {
                self.cell(*field)
                    .is_some_and(|(_, cell)| !cell.value.is_empty())
            })
    }
}

fn without_day(mut fields: Fields) -> Fields {
    fields.insert("status".to_owned(), Json::from(status_name(Status::Draft)));
    fields
}

fn status_name(status: Status) -> &'static str {
    match status {
        Status::Confirmed => "confirmed",
        Status::Tentative => "tentative",
        Status::Full => "full",
        Status::Cancelled => "cancelled",
        Status::Draft => "draft",
    }
}

/// A cell as text, as a CSV of the same sheet would have it.
fn shown<'r>(value: &'r Value<'_>) -> Cow<'r, str> {
    match value {
        Value::Empty => Cow::Borrowed(""),
        Value::Text(text) => Cow::Borrowed(text),
        Value::Number(number) => Cow::Owned(number.to_string()),
        Value::Date(date) => Cow::Owned(date.to_string()),
        Value::DateTime(at) => Cow::Owned(raccord_model::Civil::Minute(*at).to_string()),
        Value::Minutes(minutes) => Cow::Owned(format!("{:02}:{:02}", minutes / 60, minutes % 60)),
        Value::Bool(said) => Cow::Borrowed(if *said { "oui" } else { "non" }),
        Value::Error(error) => Cow::Borrowed(error),
    }
}

/// The texts of a line that could be a header's.
fn texts(row: Row<'_, '_>) -> BTreeMap<u16, String> {
    row.cells
        .iter()
        .enumerate()
        .filter(|(_, cell)| !cell.inherited)
        .filter_map(|(column, cell)| match &cell.value {
            Value::Text(text) if !text.trim().is_empty() => {
                Some((column as u16, text::cut(text, 200)))
            }
            _ => None,
        })
        .collect()
}

/// Whether a line is worth trying as a header: nothing in its day cell that begins like a date.
fn may_be_header(tab: &TabState, row: Row<'_, '_>) -> bool {
    let Some(columns) = &tab.columns else {
        return true;
    };
    let day = columns
        .get(Field::Date)
        .or_else(|| columns.get(Field::Start));
    let cell = day.and_then(|column| row.cells.get(usize::from(column)));
    match cell.map(|cell| &cell.value) {
        Some(Value::Text(text)) => !text.trim_start().starts_with(|c: char| c.is_ascii_digit()),
        Some(Value::Empty) | None => true,
        Some(_) => false,
    }
}

fn is_total(text: &str) -> bool {
    if text.len() > 60 {
        return false;
    }
    let key = text::key(text);
    [
        "total",
        "sous total",
        "totaux",
        "somme",
        "sum",
        "subtotal",
        "grand total",
    ]
    .iter()
    .any(|word| {
        key == *word
            || key
                .strip_prefix(word)
                .is_some_and(|rest| rest.starts_with(' '))
    })
}

fn cell_error(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Error(error) => Some(if error.is_empty() {
            "#ERR".to_owned()
        } else {
            error.clone()
        }),
        Value::Text(text) if words::cell_error(text) => Some(text.trim().to_owned()),
        _ => None,
    }
}

fn one(date: Date) -> Shape {
    Shape::One(Day {
        weekday: None,
        number: date.day(),
        month: Some(date.month()),
        year: Some(date.year()),
    })
}

/// The days a cell means and what stands beside them. `None` for an error of the program.
fn day(value: &Value<'_>) -> Result<(Shape, Beside), Option<Trouble>> {
    if cell_error(value).is_some() {
        return Err(None);
    }
    match value {
        Value::Date(date) => Ok((one(*date), Beside::Nothing)),
        Value::DateTime(at) => Ok((
            one(at.date()),
            minute_of(at.time()).map_or(Beside::Nothing, Beside::Minute),
        )),
        Value::Number(number) => day_number(*number).ok_or(Some(Trouble::Unreadable)),
        Value::Text(text) => {
            let figures = text.trim();
            if figures.len() == 5
                && let Ok(number) = figures.parse::<f64>()
            {
                return day_number(number).ok_or(Some(Trouble::Unreadable));
            }
            let (shape, rest) = date::read(text).map_err(Some)?;
            Ok((
                shape,
                if rest.is_empty() {
                    Beside::Nothing
                } else {
                    Beside::Text(rest)
                },
            ))
        }
        _ => Err(Some(Trouble::Unreadable)),
    }
}

/// A bare number where a day should be: a day of the month, or the day count some programs export
/// in place of a date.
fn day_number(number: f64) -> Option<(Shape, Beside)> {
    if number.fract() == 0.0 && (1.0..=31.0).contains(&number) {
        return Some((
            Shape::One(Day {
                number: number as i8,
                ..Day::default()
            }),
            Beside::Nothing,
        ));
    }
    // 2000 to 2100.
    if !(36_526.0..73_051.0).contains(&number) {
        return None;
    }
    match crate::grid::serial(number)? {
        Value::Date(date) => Some((one(date), Beside::Nothing)),
        Value::DateTime(at) => Some((one(at.date()), Beside::Minute(minute_of(at.time())?))),
        _ => None,
    }
}

fn minute_of(time: jiff::civil::Time) -> Option<Minute> {
    u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).ok()
}

fn span_from(start: Minute) -> Hours {
    Hours::Span { start, end: None }
}

/// The hours a typed cell means.
fn hours_of(value: &Value<'_>) -> Option<Hours> {
    match value {
        Value::Text(text) => hour::read(text),
        Value::Minutes(minutes) => u16::try_from(*minutes)
            .ok()
            .filter(|m| *m < 1440)
            .map(span_from),
        // A fraction of a day, or a whole hour. "18,5" could be 18:30 or 18:50.
        Value::Number(number) if (0.0..1.0).contains(number) && *number > 0.0 => {
            Some(span_from((number * 1440.0).round().min(1439.0) as u16))
        }
        Value::Number(number) if number.fract() == 0.0 => hour::read(&format!("{number}")),
        _ => None,
    }
}

fn agree(one: Hours, other: Hours) -> bool {
    match (one, other) {
        (Hours::AllDay, Hours::AllDay) => true,
        (Hours::Span { start: a, end: x }, Hours::Span { start: b, end: y }) => {
            a == b && (x.is_none() || y.is_none() || x == y)
        }
        _ => false,
    }
}

fn merge(one: Hours, other: Hours) -> Hours {
    match (one, other) {
        (Hours::Span { start, end }, Hours::Span { end: more, .. }) => Hours::Span {
            start,
            end: end.or(more),
        },
        (kept, _) => kept,
    }
}

/// A status written into the title: "ANNULÉ - Projection", "[Complet] Concert", "Bal (annulé)".
fn title_status(title: &str) -> (String, Option<Status>) {
    let brackets = |c: char| matches!(c, '(' | '[' | '{' | ')' | ']' | '}');
    let separators = |c: char| {
        matches!(c, ':' | '-' | '–' | '—' | '!' | '|' | '/' | '*' | '.') || c.is_whitespace()
    };
    let known = |word: &str| match words::status(&text::key(word)) {
        Some(status @ (Status::Cancelled | Status::Full)) => Some(status),
        Some(status @ Status::Tentative) if text::key(word).contains("confirm") => Some(status),
        _ => None,
    };
    // At the front, ended by a separator or inside brackets.
    if let Some(inside) = title.strip_prefix(brackets)
        && let Some((word, rest)) = inside.split_once(brackets)
        && let Some(status) = known(word)
        && !rest.trim_matches(separators).is_empty()
    {
        return (rest.trim_start_matches(separators).to_owned(), Some(status));
    }
    if let Some((word, rest)) = title.split_once([':', '-', '–', '—', '!', '|', '/'])
        && let Some(status) = known(word)
        && !rest.trim_matches(separators).is_empty()
    {
        return (rest.trim_start_matches(separators).to_owned(), Some(status));
    }
    // At the back.
    if let Some(inside) = title.strip_suffix(brackets)
        && let Some((rest, word)) = inside.rsplit_once(brackets)
        && let Some(status) = known(word)
        && !rest.trim().is_empty()
    {
        return (rest.trim_end_matches(separators).to_owned(), Some(status));
    }
    if let Some((rest, word)) = title
        .rsplit_once([" - ", " – ", " — "].map(|_| '-'))
        .or_else(|| title.rsplit_once(['–', '—']))
        && let Some(status) = known(word)
        && rest.ends_with(' ')
        && !rest.trim().is_empty()
    {
        return (rest.trim_end_matches(separators).to_owned(), Some(status));
    }
    // "ANNULÉ Projection": a shouted first word.
    if let Some((word, rest)) = title.split_once(' ')
        && word.chars().count() > 4
        && !word.chars().any(char::is_lowercase)
        && matches!(known(word), Some(Status::Cancelled))
    {
        return (
            rest.trim_start_matches(separators).to_owned(),
            Some(Status::Cancelled),
        );
    }
    (title.to_owned(), None)
}

/// Struck through: the title, or more than half of what the line holds.
fn is_struck(own: &[(u16, &Cell<'_>)], title: Option<(u16, &Cell<'_>)>) -> bool {
    title.is_some_and(|(_, cell)| cell.struck)
        || own.iter().filter(|(_, cell)| cell.struck).count() * 2 > own.len()
}

/// A web address, completed with its scheme where people leave it out.
fn address(text: &str) -> Option<String> {
    if text.contains(char::is_whitespace) {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let whole = if lower.starts_with("http://") || lower.starts_with("https://") {
        text.to_owned()
    } else if lower.starts_with("www.")
        || lower
            .split_once('/')
            .is_some_and(|(host, _)| host.contains('.') && !host.contains([':', '@']))
    {
        format!("https://{text}")
    } else {
        return None;
    };
    let parsed = url::Url::parse(&whole).ok()?;
    (parsed
        .host_str()
        .is_some_and(|host| host.contains('.') || host == "localhost")
        && whole.len() <= 2_048)
        .then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_in_the_title_is_taken_out_of_it() {
        for (title, kept, status) in [
            (
                "ANNULÉ - Projection-débat",
                "Projection-débat",
                Some(Status::Cancelled),
            ),
            ("Annulé : Bal", "Bal", Some(Status::Cancelled)),
            ("[ANNULÉ] Bal folk", "Bal folk", Some(Status::Cancelled)),
            ("Bal folk (annulé)", "Bal folk", Some(Status::Cancelled)),
            ("Bal folk - ANNULÉ", "Bal folk", Some(Status::Cancelled)),
            ("ANNULÉ Bal folk", "Bal folk", Some(Status::Cancelled)),
            ("COMPLET : Atelier", "Atelier", Some(Status::Full)),
            (
                "Cancelled: film night",
                "film night",
                Some(Status::Cancelled),
            ),
            (
                "Annulation du bail : réunion",
                "Annulation du bail : réunion",
                None,
            ),
            ("Projection-débat", "Projection-débat", None),
            ("Annulé", "Annulé", None),
            ("Réunion - budget", "Réunion - budget", None),
            ("(à caler : conférence ?)", "(à caler : conférence ?)", None),
            ("Confirmé : Bal", "Confirmé : Bal", None),
        ] {
            assert_eq!(title_status(title), (kept.to_owned(), status), "{title}");
        }
    }

    #[test]
    fn addresses_are_web_addresses() {
        assert_eq!(
            address("www.example.org/a").as_deref(),
            Some("https://www.example.org/a")
        );
        assert_eq!(
            address("docs.example.org/a").as_deref(),
            Some("https://docs.example.org/a")
        );
        assert_eq!(
            address("https://docs.example.org").as_deref(),
            Some("https://docs.example.org")
        );
        for wrong in [
            "javascript:alert(1)",
            "voir le classeur",
            "classeur",
            "file:///etc/passwd",
            "a@b.org/x",
            "ftp://x.org/y",
        ] {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }
}
