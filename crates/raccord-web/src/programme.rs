//! `/` and `/embed`: the public programme, for people. No script, no cookie, nothing fetched
//! from anywhere. Contacts, internal activities and drafts are not shown, whoever hands them in.

use std::sync::LazyLock;

use askama::Template;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use raccord_model::{Activity, Civil, Digest, Lang, Place, Status};
use sha2::Digest as _;

use crate::face::Face;
use crate::problem::Problem;

/// A title is shown up to here, a description up to there, in characters.
const TITLE: usize = 200;
const DESCRIPTION: usize = 600;

static STYLE: LazyLock<String> = LazyLock::new(|| {
    include_str!("../templates/programme.css")
        .trim()
        .replace('\n', "")
});
/// What the page may do: show its own style, nothing else.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(sha2::Sha256::digest(STYLE.as_bytes()));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
});

/// `GET /`.
pub(crate) async fn page(State(face): State<Face>, request: Request) -> Response {
    show(&face, &request, false)
}

/// `GET /embed`: the same for an iframe in other sites.
pub(crate) async fn embed(State(face): State<Face>, request: Request) -> Response {
    show(&face, &request, true)
}

fn show(face: &Face, request: &Request, embedded: bool) -> Response {
    let path = request.uri().path();
    let running = match face.place(path) {
        Ok(running) => running,
        Err(problem) => return problem.say(face.lang(path, request.headers())),
    };
    let now = face.shared.node.now();
    let Some(programme) = running.programme(now, face.shared.limits.activities) else {
        return Problem::starting().say(face.lang(path, request.headers()));
    };
    let place = running.place();
    let html = render(&place, now, programme.activities, programme.more, embedded);

    let tag = format!("\"{}\"", Digest::of(html.as_bytes()));
    let known = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| {
            tags.split(',')
                .any(|known| known.trim().trim_start_matches("W/") == tag)
        });
    let mut response = Response::new(if known {
        Body::empty()
    } else {
        Body::from(html)
    });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let ancestors = if embedded { "*" } else { "'none'" };
    let policy = format!("{}; frame-ancestors {ancestors}", *POLICY);
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ETAG, tag.as_str()),
        (header::CONTENT_SECURITY_POLICY, policy.as_str()),
    ] {
        headers.insert(
            name,
            HeaderValue::from_str(value).expect("tags and policies are plain ASCII"),
        );
    }
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if embedded {
        headers.insert(
            "cross-origin-resource-policy",
            HeaderValue::from_static("cross-origin"),
        );
    } else {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    response
}

#[derive(Template)]
#[template(path = "programme.html")]
struct Page<'a> {
    lang: Lang,
    name: &'a str,
    words: &'static PageWords,
    style: &'static str,
    embedded: bool,
    months: Vec<Month>,
    more: Option<String>,
}

struct Month {
    title: String,
    days: Vec<Day>,
}

struct Day {
    date: Date,
    title: String,
    items: Vec<Item>,
}

struct Item {
    when: String,
    title: String,
    url: Option<String>,
    mark: Option<&'static str>,
    cancelled: bool,
    facts: String,
    description: String,
}

/// The fixed words of the page, in one language.
struct PageWords {
    programme: &'static str,
    empty: &'static str,
    all_day: &'static str,
    tentative: &'static str,
    full: &'static str,
    cancelled: &'static str,
}

const FR: PageWords = PageWords {
    programme: "Programme",
    empty: "Rien n’est annoncé pour le moment.",
    all_day: "toute la journée",
    tentative: "à confirmer",
    full: "complet",
    cancelled: "annulé",
};

const EN: PageWords = PageWords {
    programme: "Programme",
    empty: "Nothing is announced at the moment.",
    all_day: "all day",
    tentative: "to be confirmed",
    full: "full",
    cancelled: "cancelled",
};

/// The page, from what a place handed in.
fn render(
    place: &Place,
    now: Timestamp,
    activities: Vec<Activity>,
    more: usize,
    embedded: bool,
) -> String {
    let speech = Speech(place.lang);
    let zone = zone_of(&place.zone);
    let mut shown: Vec<Activity> = activities
        .into_iter()
        .filter(Activity::is_public)
        .filter(|activity| {
            let here = if activity.zone.is_empty() || activity.zone == place.zone {
                now.to_zoned(zone.clone())
            } else {
                now.to_zoned(zone_of(&activity.zone))
            };
            here.datetime() < activity.over_at()
        })
        .collect();
    let today = now.to_zoned(zone.clone()).date();
    // What began before today stands under today for as long as it lasts.
    let shown_on = |activity: &Activity| activity.start.date().max(today);
    shown.sort_by(|a, b| {
        (a.start.date(), a.start.time(), &a.title, a.id).cmp(&(
            b.start.date(),
            b.start.time(),
            &b.title,
            b.id,
        ))
    });
    let mut months: Vec<(i16, i8, Month)> = Vec::new();
    for activity in &shown {
        let date = shown_on(activity);
        let key = (date.year(), date.month());
        if months
            .last()
            .is_none_or(|&(year, month, _)| (year, month) != key)
        {
            let title = speech.month(date);
            months.push((
                key.0,
                key.1,
                Month {
                    title,
                    days: Vec::new(),
                },
            ));
        }
        let Some((_, _, month)) = months.last_mut() else {
            continue;
        };
        if month.days.last().is_none_or(|day| day.date != date) {
            month.days.push(Day {
                date,
                title: speech.day(date, today),
                items: Vec::new(),
            });
        }
        if let Some(day) = month.days.last_mut() {
            day.items.push(speech.item(activity, today));
        }
    }
    let page = Page {
        lang: place.lang,
        name: &place.name,
        words: speech.words(),
        style: &STYLE,
        embedded,
        months: months.into_iter().map(|(_, _, month)| month).collect(),
        more: (more > 0).then(|| speech.more(more)),
    };
    page.render()
        .expect("the page is written to memory and none of its parts can fail")
}

fn zone_of(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// How dates and hours are said.
#[derive(Clone, Copy)]
struct Speech(Lang);

impl Speech {
    fn words(self) -> &'static PageWords {
        match self.0 {
            Lang::Fr => &FR,
            Lang::En => &EN,
        }
    }

    fn month_name(self, date: Date) -> &'static str {
        self.0.month(date.month())
    }

    fn month(self, date: Date) -> String {
        let name = self.month_name(date);
        let mut letters = name.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        let name: String = first.chain(letters).collect();
        format!("{name}\u{a0}{}", date.year())
    }

    /// "2 janvier", "1er janvier", "2 January".
    fn date(self, date: Date) -> String {
        let day = match (self.0, date.day()) {
            (Lang::Fr, 1) => "1er".to_owned(),
            (_, day) => day.to_string(),
        };
        format!("{day}\u{a0}{}", self.month_name(date))
    }

    fn day(self, date: Date, today: Date) -> String {
        let mut text = format!("{} {}", self.0.weekday(date.weekday()), self.date(date));
        if self.0 == Lang::Fr {
            // At the head of a line.
            text[..1].make_ascii_uppercase();
        }
        if date == today {
            text.push_str(match self.0 {
                Lang::Fr => ", aujourd’hui",
                Lang::En => ", today",
            });
        }
        text
    }

    /// "18 h 30" or "18 h"; "18:30".
    fn time(self, time: Time) -> String {
        match (self.0, time.minute()) {
            (Lang::Fr, 0) => format!("{}\u{a0}h", time.hour()),
            (Lang::Fr, minute) => format!("{}\u{a0}h\u{a0}{minute:02}", time.hour()),
            (Lang::En, minute) => format!("{}:{minute:02}", time.hour()),
        }
    }

    fn until(self, date: Date) -> String {
        match self.0 {
            Lang::Fr => format!("jusqu’au {}", self.date(date)),
            Lang::En => format!("until {}", self.date(date)),
        }
    }

    fn when(self, activity: &Activity, today: Date) -> String {
        let first = activity.start.date();
        let last = activity.end.map_or(first, Civil::date);
        let end = activity.end.and_then(Civil::time);
        if first < today {
            return match (self.0, end) {
                (Lang::Fr, Some(end)) if last <= today => format!("jusqu’à {}", self.time(end)),
                (Lang::En, Some(end)) if last <= today => format!("until {}", self.time(end)),
                (Lang::Fr, None) if last < today => "en cours".to_owned(),
                (Lang::En, None) if last < today => "going on".to_owned(),
                _ => self.until(last),
            };
        }
        let next_morning = first.tomorrow().ok() == Some(last)
            && end.is_some_and(|end| end <= Time::constant(8, 0, 0, 0));
        let start = activity.start.time().map(|start| self.time(start));
        let end = end.map(|end| self.time(end));
        match (start, end) {
            (None, _) if last > first => self.until(last),
            (None, _) => self.words().all_day.to_owned(),
            (Some(start), Some(end)) if last == first || next_morning => {
                format!("{start} – {end}")
            }
            (Some(start), Some(end)) => format!("{start}, {} {end}", self.until(last)),
            (Some(start), None) if last > first => format!("{start}, {}", self.until(last)),
            (Some(start), None) => start,
        }
    }

    fn item(self, activity: &Activity, today: Date) -> Item {
        let words = self.words();
        let facts: Vec<String> = [&activity.kind, &activity.room, &activity.organiser]
            .into_iter()
            .filter(|fact| !fact.trim().is_empty())
            .map(|fact| cut(fact, TITLE))
            .collect();
        Item {
            when: self.when(activity, today),
            title: cut(&activity.title, TITLE),
            url: web_address(&activity.url),
            mark: match activity.status {
                Status::Tentative => Some(words.tentative),
                Status::Full => Some(words.full),
                Status::Cancelled => Some(words.cancelled),
                Status::Confirmed | Status::Draft => None,
            },
            cancelled: activity.status == Status::Cancelled,
            facts: facts.join(" · "),
            description: cut(&activity.description, DESCRIPTION),
        }
    }

    fn more(self, count: usize) -> String {
        match (self.0, count) {
            (Lang::Fr, 1) => "Et une autre activité, plus tard.".to_owned(),
            (Lang::Fr, _) => format!("Et {count} autres activités, plus tard."),
            (Lang::En, 1) => "And one more activity, later.".to_owned(),
            (Lang::En, _) => format!("And {count} more activities, later."),
        }
    }
}

/// Trims a text and ends it with "…" where it is too long, between words if it has any. What
/// reorders or hides what stands around it is left out.
fn cut(text: &str, most: usize) -> String {
    let shown = |c: &char| {
        let hidden = c.is_control() && *c != '\n'
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        !hidden
    };
    let text: String = text.trim().chars().filter(shown).take(most + 1).collect();
    if text.chars().count() <= most {
        return text;
    }
    let short: String = text.chars().take(most).collect();
    let kept = short
        .rsplit_once(char::is_whitespace)
        .map_or(short.as_str(), |(kept, _)| kept);
    format!("{}…", kept.trim_end_matches([' ', ',', ';', '.', '\n']))
}

/// The address, if it leads to a web page.
fn web_address(text: &str) -> Option<String> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://")?;
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let plain = !rest.is_empty()
        && text.len() <= 2000
        && !text
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '\\'));
    (web && plain).then(|| text.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hours_are_said_as_people_say_them() {
        let today: Date = "2027-01-02".parse().unwrap();
        let when = |lang, start: &str, end: Option<&str>| {
            let activity: Activity = serde_json::from_value(json!({
                "id": "0b8f6f5e-0d3b-5c57-9f5e-000000000001", "title": "x", "start": start, "end": end,
            }))
            .unwrap();
            Speech(lang).when(&activity, today).replace('\u{a0}', " ")
        };
        for (start, end, fr, en) in [
            ("2027-01-02", None, "toute la journée", "all day"),
            (
                "2027-01-02",
                Some("2027-01-02"),
                "toute la journée",
                "all day",
            ),
            (
                "2027-01-02",
                Some("2027-02-01"),
                "jusqu’au 1er février",
                "until 1 February",
            ),
            ("2027-01-02T18:05", None, "18 h 05", "18:05"),
            (
                "2027-01-02T18:30",
                Some("2027-01-02T20:00"),
                "18 h 30 – 20 h",
                "18:30 – 20:00",
            ),
            (
                "2027-01-02T22:00",
                Some("2027-01-03T02:00"),
                "22 h – 2 h",
                "22:00 – 2:00",
            ),
            (
                "2027-01-02T22:00",
                Some("2027-01-03T17:00"),
                "22 h, jusqu’au 3 janvier 17 h",
                "22:00, until 3 January 17:00",
            ),
            (
                "2027-01-02T22:00",
                Some("2027-01-04"),
                "22 h, jusqu’au 4 janvier",
                "22:00, until 4 January",
            ),
            (
                "2027-01-01T22:00",
                Some("2027-01-02T02:00"),
                "jusqu’à 2 h",
                "until 2:00",
            ),
            (
                "2026-12-28",
                Some("2027-01-03"),
                "jusqu’au 3 janvier",
                "until 3 January",
            ),
            ("2027-01-01T23:00", None, "en cours", "going on"),
        ] {
            assert_eq!(when(Lang::Fr, start, end), fr);
            assert_eq!(when(Lang::En, start, end), en);
        }
    }

    #[test]
    fn only_web_addresses_become_links() {
        for good in ["https://example.org/a?b#c", " HTTP://x "] {
            assert!(web_address(good).is_some(), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "java\nscript://x",
            "data:text/html,x",
            "//x",
            "https://",
            "https://a b",
            "https://a\"b",
            "",
            "ftp://x",
        ] {
            assert!(web_address(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn long_and_tricky_texts_are_cut_between_words() {
        assert_eq!(cut("  un  ", 10), "un");
        assert_eq!(cut("un deux, trois", 9), "un deux…");
        assert_eq!(cut("aaaaaaaa", 3), "aaa…");
        assert_eq!(cut("a\u{202e}b\u{0}c\nd", 10), "abc\nd");
        assert_eq!(cut(&"é".repeat(1_000_000), 5), "ééééé…");
    }
}
