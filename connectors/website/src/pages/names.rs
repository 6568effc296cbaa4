//! Which files are pages of the programme, by their names: those that are no longer true are taken
//! away, and nothing else is.

use jiff::civil::{Date, ISOWeekDate, Weekday};

use super::groups::is_group_page;

/// The folders that hold pages of the programme; `""` is the root.
pub(crate) const FOLDERS: [&str; 5] = ["", "weeks", "kinds", "rooms", "tags"];

/// Where what other places offer is shown, without `.html`.
pub(super) const AROUND: &str = "around";

/// Whether a file of that name in that folder is a page of the programme, the front page apart.
pub(crate) fn is_list_page(folder: &str, name: &str) -> bool {
    match folder {
        "" => is_month_page(name) || is_around(name),
        "weeks" => parts(name, "-W", 2, '_').is_some(),
        _ => is_group_page(name),
    }
}

/// The first day of the month or week that the page at `path` is about, where it is the first page
/// of one: others cannot be linked from elsewhere.
pub(crate) fn begins(path: &str) -> Option<Date> {
    let week = |name: &str| {
        let (year, week) = parts(name, "-W", 2, '_')?;
        let monday = ISOWeekDate::new(year, week, Weekday::Monday).ok()?;
        Some(monday.date())
    };
    let month = |name: &str| {
        let (year, month) = parts(name, "-", 2, '-')?;
        Date::new(year, month, 1).ok()
    };
    match path.strip_prefix("weeks/") {
        Some(name) if !name.contains('_') => week(name),
        None if path.matches('-').count() == 1 => month(path),
        _ => None,
    }
}

/// Whether the page at `path` shows what other places offer.
pub(crate) fn is_around(path: &str) -> bool {
    let number = path
        .strip_prefix(AROUND)
        .and_then(|rest| rest.strip_suffix(".html"));
    number.is_some_and(|rest| {
        let digits = rest.strip_prefix('_').unwrap_or("2");
        rest.is_empty()
            || (rest.len() > 1 && digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit()))
    })
}

fn is_month_page(name: &str) -> bool {
    parts(name, "-", 2, '-').is_some()
}

/// `2027-01.html`, `2027-01-2.html`: the year and the number after `mark`.
fn parts(name: &str, mark: &str, digits: usize, part: char) -> Option<(i16, i8)> {
    let name = name.strip_suffix(".html")?;
    let (year, rest) = name.split_once(mark)?;
    let (number, more) = rest.split_once(part).unwrap_or((rest, "2"));
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let known = year.len() == 4 && number.len() == digits && more.len() <= 5;
    if known && plain(year) && plain(number) && plain(more) {
        Some((year.parse().ok()?, number.parse().ok()?))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn only_pages_of_the_programme_are_taken_for_such() {
        for (folder, name) in [
            ("", "2027-01.html"),
            ("", "2027-12-3.html"),
            ("weeks", "2026-W53.html"),
            ("weeks", "2026-W53_2.html"),
            ("kinds", "atelier.html"),
            ("", "around.html"),
            ("", "around_2.html"),
        ] {
            assert!(is_list_page(folder, name), "{folder}/{name}");
        }
        for (folder, name) in [
            ("", "index.html"),
            ("", "2027.html"),
            ("", "around2.html"),
            ("", "around_.html"),
            ("weeks", "around.html"),
            ("", "2027-01-.html"),
            ("", "2027-01.htm"),
            ("", "a2027-01.html"),
            ("", "atelier.html"),
            ("weeks", "2027-01.html"),
            ("weeks", "semaine.html"),
        ] {
            assert!(!is_list_page(folder, name), "{folder}/{name}");
        }
    }

    #[test]
    fn a_week_begins_on_its_monday_and_a_month_on_its_first() {
        assert_eq!(begins("weeks/2026-W53.html"), Some(date(2026, 12, 28)));
        assert_eq!(begins("2027-12.html"), Some(date(2027, 12, 1)));
        for no in [
            "weeks/2026-W53_2.html",
            "weeks/2027-W53.html",
            "2027-12-2.html",
            "kinds/a.html",
            "2027-13.html",
        ] {
            assert_eq!(begins(no), None, "{no}");
        }
    }
}
