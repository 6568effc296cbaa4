//! The days and hours of a line: several cells that must say the same.

use std::ops::RangeInclusive;

use jiff::civil::Date;
use raccord_model::{EntityKind, Fields, Line, Status};
use serde_json::{Value as Json, json};

use super::cell::{
    Beside, View, agree, cell_error, day, hours_of, merge, minute_of, one, shown, span_from,
};
use super::{Collector, TabState, Waiting};
use crate::field::Field;
use crate::grid::Value;
use crate::messages;
use crate::parse::date::{self, Around, Day, Days, Shape, Trouble};
use crate::parse::hour::{self, Halves, Hours, Minute};
use crate::when::{Times, when};
use crate::{text, words};

/// So many days from today a programme speaks of: a year back, three ahead.
const IN_SIGHT: RangeInclusive<i32> = -400..=1_100;

impl Collector<'_> {
    pub(super) fn day_and_hours(
        &mut self,
        tab: &mut TabState,
        line: View<'_, '_, '_>,
        fields: Fields,
        mut status: Option<Status>,
        mut draft: bool,
    ) {
        let row = line.row.number;
        let native = line.row.native.map(str::to_owned);
        // Without a column for the day, the start holds day and hour.
        let day_field = if line.columns.get(Field::Date).is_some() {
            Field::Date
        } else {
            Field::Start
        };
        let day_column = line.columns.get(day_field).unwrap_or_default();
        let as_draft = draft.then_some(Status::Draft);
        if self.undated(tab, line, day_field, &fields, as_draft.or(status)) {
            return;
        }
        let own_date = line
            .cell(day_field)
            .is_some_and(|(_, cell)| !cell.value.is_empty());
        let found = line
            .cell(day_field)
            .map(|(_, cell)| shown(&cell.value).into_owned())
            .unwrap_or_default();

        let (mut shape, mut beside) = match line.cell(day_field).filter(|_| own_date) {
            Some((_, cell)) => {
                self.drop_heading(tab);
                match self.day(&cell.value) {
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
                    let above = tab.written_above.as_deref().filter(|_| line.has_hours());
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

        if let Beside::Text(rest) = &beside
            && let Some(said @ (Status::Cancelled | Status::Full)) = words::status(&text::key(rest))
        {
            // "20 mars (annulé)"
            status = Some(said);
            beside = Beside::Nothing;
        }

        let hours = self.hours(tab, line, day_field, &beside, shape.as_ref());
        tab.half_days |= hours.halves == Halves::Said;
        if hours.times == Times::Unknown {
            draft = true;
        }
        if own_date {
            tab.written_above = shape.as_ref().map(|_| found.clone());
        }
        let Some(shape) = shape else {
            self.push(tab, row, native, &without_day(fields));
            return;
        };
        if let Some(date) = shape.whole() {
            tab.neighbours.push((row, date));
        }
        let waiting = Waiting {
            row,
            native,
            fields,
            until: hours.until,
            times: hours.times,
            either_half: (hours.halves == Halves::Unsaid)
                .then(|| (hours.column, hours.found.clone())),
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
        let year_wanted = waiting.shape.wants_year() && waiting.around.year.is_none();
        if year_wanted || waiting.either_half.is_some() {
            tab.waiting.push(waiting);
        } else {
            let around = waiting.around.clone();
            self.place(tab, waiting, &around);
        }
    }

    fn day(&mut self, value: &Value<'_>) -> Result<(Shape, Beside), Option<Trouble>> {
        match value {
            Value::Text(text) => self.memos.days.of(text, |_| day(value)),
            _ => day(value),
        }
        .and_then(|read| self.in_sight(value, read))
    }

    /// A number in the place of a date counts days; one far from today counts something else.
    fn in_sight(
        &self,
        value: &Value<'_>,
        read: (Shape, Beside),
    ) -> Result<(Shape, Beside), Option<Trouble>> {
        let counts = match value {
            Value::Number(_) => true,
            Value::Text(text) => text.trim().bytes().all(|byte| byte.is_ascii_digit()),
            _ => false,
        };
        let far = |date: Date| {
            self.rules
                .today
                .is_some_and(|today| !IN_SIGHT.contains(&(date - today).get_days()))
        };
        if counts && read.0.whole().is_some_and(far) {
            return Err(Some(Trouble::Unreadable));
        }
        Ok(read)
    }

    fn hours_of(&mut self, value: &Value<'_>) -> Option<Hours> {
        match value {
            Value::Text(text) => self.memos.hours.of(text, hour::read),
            _ => hours_of(value),
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
            halves: Halves::Needless,
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
                value => self.hours_of(value),
            };
            out.found.clone_from(&raw);
            out.column = column;
            if let Value::Text(text) = &cell.value {
                out.halves = out.halves.max(hour::halves(text));
            }
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
            Beside::Text(rest) => {
                out.halves = out.halves.max(hour::halves(rest));
                if out.found.is_empty() {
                    out.found.clone_from(rest);
                    out.column = line.columns.get(day_field).unwrap_or(out.column);
                }
                match (hour::read(rest), start) {
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
                }
            }
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
        match self.day(&cell.value) {
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
        if let Value::Text(text) = &cell.value
            && hour::halves(text) == Halves::Said
        {
            out.halves = Halves::Said;
        }
        let read = match &cell.value {
            Value::Text(text) => self.memos.ends.of(text, hour::read_end).or_else(|| {
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
            value => match self.hours_of(value) {
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
    pub(super) fn place(&mut self, tab: &TabState, waiting: Waiting, around: &Around) {
        let Waiting {
            row,
            mut native,
            mut fields,
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
                self.push(tab, row, native, &without_day(fields));
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
        if count > 1 {
            // The id of a line names none of its days: they are told apart by what they say.
            native = None;
        }
        let mut told = false;
        for (index, (first, last)) in spans.into_iter().enumerate() {
            // Cloned for all occurrences but the last.
            let mut fields = if index + 1 == count {
                std::mem::take(&mut fields)
            } else {
                fields.clone()
            };
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
            self.push(tab, row, native.take(), &fields);
        }
    }

    pub(super) fn push(
        &mut self,
        tab: &TabState,
        row: u32,
        native: Option<String>,
        fields: &Fields,
    ) {
        if let Some(index) = tab.index {
            let line = Line::new(EntityKind::Activity, index, row, fields);
            self.reading.lines.push(Line { native, ..line });
        }
    }
}

/// The hours of a line, and what was found on the way.
struct LineHours {
    times: Times,
    until: Option<(Shape, u16, String)>,
    doubt: bool,
    halves: Halves,
    column: u16,
    found: String,
}

fn without_day(mut fields: Fields) -> Fields {
    fields.insert("status".to_owned(), Json::from(status_name(Status::Draft)));
    fields
}

pub(super) fn status_name(status: Status) -> &'static str {
    match status {
        Status::Confirmed => "confirmed",
        Status::Tentative => "tentative",
        Status::Full => "full",
        Status::Cancelled => "cancelled",
        Status::Draft => "draft",
    }
}
