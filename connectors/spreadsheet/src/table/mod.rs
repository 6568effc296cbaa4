//! From lines of a grid to lines that describe activities.
//!
//! A state machine fed one line at a time: finds the header, keeps what the tab says of its month
//! and year, reads each line, and sets aside, in words, what it cannot read. What cannot be read
//! never stops the rest; what could be read in two ways becomes a draft with a question.

mod cell;
mod hours;
mod line;
mod tasks;
mod undated;

pub(crate) use cell::shown;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use raccord_model::{
    Failure, Fields, Reading, Remark, Status, Tab, Unread, Visibility, column_letters,
};

use crate::field::Field;
use crate::grid::{Row, Rows, TabStart, Value};
use crate::header::{self, Chosen, Columns};
use crate::kinds::Kinds;
use crate::memo::Memo;
use crate::messages::{self, Said};
use crate::parse::date::{self, Around, Shape, Trouble};
use crate::parse::hour::{Hours, Minute};
use crate::when::Times;
use crate::{answers, error, limits, text, words};

/// What the settings say about reading.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) chosen: Chosen,
    /// The one tab to read.
    pub(crate) sheet: Option<String>,
    /// The tab of tasks, where it is not called as usual; read beside `sheet`.
    pub(crate) tasks: Option<String>,
    /// The year of dates that nothing else gives one.
    pub(crate) year: Option<i16>,
    /// The day it is.
    pub(crate) today: Option<Date>,
    /// It is no programme: the answers of a form.
    pub(crate) answers: Option<Arc<answers::Rules>>,
}

/// Collects a document's lines into a reading.
pub(crate) struct Collector<'s> {
    rules: &'s Rules,
    reading: Reading,
    /// Names of all tabs that are not hidden.
    names: Vec<String>,
    tab: Option<TabState>,
    /// How many tabs may hold a programme, and how many do.
    programmes: (usize, usize),
    untold: usize,
    kinds: Kinds,
    memos: Memos,
}

/// What texts meant before.
#[derive(Default)]
struct Memos {
    days: Memo<Result<(Shape, cell::Beside), Option<Trouble>>>,
    hours: Memo<Option<Hours>>,
    ends: Memo<Option<Minute>>,
    addresses: Memo<Option<String>>,
    statuses: Memo<Option<Status>>,
    /// For a column where yes means everyone, and for one where it means members.
    public: Memo<Option<Visibility>>,
    internal: Memo<Option<Visibility>>,
    shared: Memo<Option<bool>>,
}

/// The tab being read.
#[derive(Default)]
struct TabState {
    name: String,
    /// The columns of a tab of tasks, empty as long as its header was not found.
    tasks: Option<tasks::TaskColumns>,
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
    /// The date of the line above as it stands there, for the question "the same day as above?".
    written_above: Option<String>,
    /// Whether an hour says am or pm: those that do not may be either.
    half_days: bool,
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
    native: Option<String>,
    fields: Fields,
    shape: Shape,
    /// The last day, where a column of its own says it.
    until: Option<(Shape, u16, String)>,
    times: Times,
    /// An hour that would be another one if it were pm: its column and what stands there.
    either_half: Option<(u16, String)>,
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
            programmes: (0, 0),
            untold: 0,
            kinds: Kinds::default(),
            memos: Memos::default(),
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
        // Beside its tasks a document must still show its programme, if it has one.
        let (may, does) = self.programmes;
        if self.reading.tabs.is_empty() || may > 0 && does == 0 {
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
        let stem = name.trim_end_matches(".csv").trim_end_matches(".tsv");
        let tasks = match &self.rules.tasks {
            Some(tasks) => text::key(tasks) == text::key(&name),
            None => wanted && words::tab_of_tasks(&text::key(stem)),
        };
        let wanted = wanted || tasks;
        if wanted && !tasks {
            self.programmes.0 += 1;
        }
        if wanted {
            let mut around = date::about(stem);
            around.today = self.rules.today;
            self.tab = Some(TabState {
                tasks: tasks.then(tasks::TaskColumns::new),
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
        self.task_tab_ended(&tab);
        self.drop_heading(&mut tab);
        let waiting = std::mem::take(&mut tab.waiting);
        let mut around = Around {
            neighbours: std::mem::take(&mut tab.neighbours),
            ..Around::default()
        };
        for mut line in waiting {
            if let Some((column, found)) = line.either_half.take().filter(|_| tab.half_days) {
                self.tell(
                    &tab.name,
                    line.row,
                    Some(column),
                    &found,
                    messages::half_day(&found),
                );
                line.draft = true;
            }
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
        if tab.tasks.is_some() {
            self.read_task_row(tab, row);
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
            self.programmes.1 += 1;
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
