//! VTIMEZONE components, made from the zone database for exactly the years a calendar covers.
//!
//! Every change of the clock in that span is an observance with its own onset; changes that only
//! repeat are listed as RDATE. Rules are not guessed: what the database says is written down.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use raccord_kit::folded::Folded;

/// At most this many changes of the clock are written: two hundred years of summer times.
const MOST: usize = 400;

/// One way the clock was set, and the local times at which it began.
struct Observance {
    summer: bool,
    from: Offset,
    to: Offset,
    name: String,
    onsets: Vec<DateTime>,
}

/// Writes the VTIMEZONE of `zone`, called `name`, valid from `first` to `last`.
pub(crate) fn write(
    out: &mut Folded,
    name: &str,
    zone: &TimeZone,
    first: Timestamp,
    last: Timestamp,
) {
    out.line("BEGIN", "VTIMEZONE");
    out.line("TZID", name);
    for observance in observances(zone, first, last) {
        let kind = if observance.summer {
            "DAYLIGHT"
        } else {
            "STANDARD"
        };
        out.line("BEGIN", kind);
        let mut onsets = observance
            .onsets
            .iter()
            .map(|at| at.strftime("%Y%m%dT%H%M%S").to_string());
        if let Some(onset) = onsets.next() {
            out.line("DTSTART", &onset);
        }
        let more: Vec<String> = onsets.collect();
        if !more.is_empty() {
            out.line("RDATE", &more.join(","));
        }
        out.line("TZOFFSETFROM", &offset(observance.from));
        out.line("TZOFFSETTO", &offset(observance.to));
        out.line("TZNAME", &observance.name);
        out.line("END", kind);
    }
    out.line("END", "VTIMEZONE");
}

fn observances(zone: &TimeZone, first: Timestamp, last: Timestamp) -> Vec<Observance> {
    // What holds at the start began with the last change before it, or always: local mean times
    // of a century ago, with their seconds, only confuse calendar programs.
    let began = zone
        .preceding(first)
        .next()
        .map(|change| change.timestamp())
        .filter(|began| *began >= Timestamp::UNIX_EPOCH);
    let start = began.unwrap_or(first);
    let mut out: Vec<Observance> = Vec::new();
    let mut before = began.map_or_else(
        || zone.to_offset(first),
        |at| zone.to_offset(one_second_before(at)),
    );
    let info = zone.to_offset_info(start);
    let onset = if began.is_some() {
        before.to_datetime(start)
    } else {
        jiff::civil::datetime(1970, 1, 1, 0, 0, 0, 0)
    };
    out.push(Observance {
        summer: info.dst().is_dst(),
        from: before,
        to: info.offset(),
        name: info.abbreviation().to_owned(),
        onsets: vec![onset],
    });
    before = info.offset();
    for change in zone
        .following(first)
        .take_while(|change| change.timestamp() <= last)
        .take(MOST)
    {
        let onset = before.to_datetime(change.timestamp());
        let same = out.iter_mut().find(|known| {
            known.summer == change.dst().is_dst()
                && known.from == before
                && known.to == change.offset()
                && known.name == change.abbreviation()
        });
        match same {
            Some(known) => known.onsets.push(onset),
            None => out.push(Observance {
                summer: change.dst().is_dst(),
                from: before,
                to: change.offset(),
                name: change.abbreviation().to_owned(),
                onsets: vec![onset],
            }),
        }
        before = change.offset();
    }
    out
}

fn one_second_before(at: Timestamp) -> Timestamp {
    at.checked_sub(jiff::SignedDuration::from_secs(1))
        .unwrap_or(at)
}

/// `+0400`, with seconds only where a zone of long ago had some.
fn offset(offset: Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let all = seconds.unsigned_abs();
    let (hours, minutes, rest) = (all / 3600, all / 60 % 60, all % 60);
    match rest {
        0 => format!("{sign}{hours:02}{minutes:02}"),
        rest => format!("{sign}{hours:02}{minutes:02}{rest:02}"),
    }
}
