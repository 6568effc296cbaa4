//! One entry of a calendar, as anybody's program wrote it.

use jiff::civil::date;
use jiff::tz::TimeZone;
use raccord_connector_nextcloud_calendar::ical::{entry, lines::Lines};
use raccord_model::Civil;

/// An entry: its lines come out as they went in, and what it says holds together.
pub fn entry(data: &[u8]) {
    if data.len() > 64 * 1024 {
        return;
    }
    if let Some(lines) = Lines::read(data) {
        assert_eq!(lines.bytes(), data, "no byte is lost");
        if let Some(mut event) = lines.master("VEVENT") {
            let mut edited = lines.clone();
            edited.set(&mut event, "SUMMARY", &[], &[], "Bal");
            let said = edited
                .get(event, "SUMMARY")
                .map(|line| line.value().to_owned());
            assert_eq!(said.as_deref(), Some("Bal"));
        }
    }
    let Some(text) = Lines::read(data).map(|lines| lines.text()) else {
        return;
    };
    let zone = TimeZone::get("Europe/Paris").expect("it is in the database");
    let until = date(2028, 1, 1);
    let Ok(all) = entry::occurrences(&text, &zone, date(2027, 1, 1), until) else {
        return;
    };
    assert!(all.len() <= 1_000);
    for (_, entry) in all {
        let same_sort = |end: Civil| end.time().is_some() == entry.start.time().is_some();
        assert!(
            entry
                .end
                .is_none_or(|end| end > entry.start && same_sort(end))
        );
    }
}
