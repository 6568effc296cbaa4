//! Tools that are away: how patient Raccord is, what it says, and that nothing is lost.

use jiff::{SignedDuration, Timestamp};
use raccord_kit::standin::{Reply, Standin};

use super::world::World;
use super::{listen, said_about};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// `Titre,Date,Début` and one line a day from 9 January 2027, each with this in its title.
fn sheet(titles: &[String]) -> String {
    let first = jiff::civil::date(2027, 1, 9);
    let line = |(day, title): (usize, &String)| {
        let day = first.saturating_add(jiff::ToSpan::days(day as i64));
        format!("{title},{day},20:30\n")
    };
    let head = "Titre,Date,Début\n".to_owned();
    let lines = titles.iter().enumerate().map(line);
    std::iter::once(head).chain(lines).collect()
}

/// Between two moments that follow each other.
fn gaps(asked: &[Timestamp]) -> Vec<SignedDuration> {
    let pairs = asked.iter().zip(asked.iter().skip(1));
    pairs.map(|(one, next)| next.duration_since(*one)).collect()
}

/// Patience grows to a minute, no request comes before it is due, and it has no end.
fn patient(asked: &[Timestamp], slack: SignedDuration) {
    let gaps = gaps(asked);
    assert!(gaps.len() > 1_300, "it gave up: {} attempts", gaps.len());
    for (n, gap) in gaps.iter().enumerate() {
        // The wait is at least four fifths of what it doubles to.
        let least = SignedDuration::from_millis((800 << n.min(6)).min(48_000));
        assert!(*gap >= least, "attempt {n} came after {gap}");
        assert!(*gap <= MINUTE + slack, "attempt {n} came after {gap}");
    }
    let spread: std::collections::BTreeSet<_> = gaps[10..].iter().collect();
    assert!(spread.len() > 2, "nothing is spread: {spread:?}");
}

#[tokio::test(start_paused = true)]
async fn a_sheet_that_is_away_for_26_hours_is_asked_patiently_and_then_read() {
    let standin = Standin::start().await;
    standin.always(Reply::status(503));
    let config = format!(
        "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = '{}'\nevery = '30s'\n\
         [connectors.site]\nkind = 'website'\noutput = 'site'\n",
        standin.url("/programme.csv")
    );
    let world = World::start(&config, &[]).await;
    world.pass(MINUTE * 4, SECOND / 2).await;
    world.pass(MINUTE * 26 * 60, SECOND * 5).await;
    patient(&world.asked("sheet"), SECOND * 6);
    standin.always(Reply::ok(sheet(&["Bal".to_owned()])));
    world.pass(MINUTE * 2, SECOND).await;
    let list = std::fs::read_to_string(world.path("site/activities.json")).unwrap();
    assert!(list.contains("Bal"), "{list}");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_sheet_that_asks_for_quiet_is_left_alone_in_seconds_and_until_a_date() {
    let standin = Standin::start().await;
    let until = Reply::status(503)
        .header("date", "Sat, 02 Jan 2027 09:00:00 GMT")
        .header("retry-after", "Sat, 02 Jan 2027 11:30:00 GMT");
    standin.script([Reply::status(429).header("retry-after", "3600"), until]);
    standin.always(Reply::ok(sheet(&["Bal".to_owned()])));
    let config = format!(
        "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = '{}'\nevery = '30s'\n",
        standin.url("/programme.csv")
    );
    let world = World::start(&config, &[]).await;
    world.pass(MINUTE * 60 * 5, SECOND * 10).await;
    let gaps = gaps(&world.asked("sheet"));
    assert!(gaps[0] >= MINUTE * 60 && gaps[0] < MINUTE * 61, "{gaps:?}");
    assert!(
        gaps[1] >= MINUTE * 150 && gaps[1] < MINUTE * 151,
        "{gaps:?}"
    );
    assert!(gaps[2] < MINUTE, "{gaps:?}");
    world.end().await;
}

/// Forty activities and a folder that is away for 26 hours, for a connector that writes files.
async fn folder_away(name: &str, kind: &str, made: impl Fn(&std::path::Path) -> usize, all: usize) {
    listen();
    let config = format!(
        "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = 'programme.csv'\nevery = '1h'\n\
         [connectors.{name}]\nkind = '{kind}'\noutput = 'shelf/out'\n"
    );
    let titles: Vec<String> = (0..40).map(|n| format!("Bal {n}")).collect();
    let files = [
        ("programme.csv", sheet(&titles)),
        ("shelf", "in the way".to_owned()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(n, text)| (*n, text.as_str())).collect();
    let world = World::start(&config, &files).await;
    world.pass(MINUTE * 4, SECOND / 2).await;
    world.pass(MINUTE * 26 * 60, SECOND * 5).await;

    // Four go side by side, and up to two more, before three failures say that the folder is away.
    let asked = world.asked(name);
    let first = asked.iter().take_while(|at| **at == asked[0]).count();
    assert!(first <= 6, "{first} attempts at once");
    patient(&asked[first..], SECOND * 6);
    assert_eq!(world.told("outage"), ["open"]);
    assert_eq!(world.told("dead"), [""; 0]);

    std::fs::remove_file(world.path("shelf")).unwrap();
    world.pass(MINUTE * 2, SECOND).await;
    assert_eq!(made(&world.path("shelf/out")), all);
    assert_eq!(world.told("outage"), ["open", "closed"]);
    let said: Vec<String> = said_about(&format!("connector=\"{name}\""));
    assert_eq!(said.len(), 2, "{said:#?}");
    world.end().await;
}

fn count(folder: &std::path::Path, end: &str) -> usize {
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
    names
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(end))
        .count()
}

#[tokio::test(start_paused = true)]
async fn a_site_whose_folder_is_away_for_26_hours_is_whole_in_the_end() {
    let pages = |out: &std::path::Path| count(&out.join("activities"), ".html");
    folder_away("away-site", "website", pages, 40).await;
}

#[tokio::test(start_paused = true)]
async fn a_printed_programme_whose_folder_is_away_for_26_hours_is_there_in_the_end() {
    let months = |out: &std::path::Path| count(out, ".pdf");
    folder_away("away-print", "programme", months, 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_thousand_failed_looks_are_two_lines_of_the_log() {
    listen();
    let standin = Standin::start().await;
    standin.always(Reply::status(503));
    let config = format!(
        "[connectors.quiet-sheet]\nkind = 'spreadsheet'\nlocation = '{}'\nevery = '30s'\n",
        standin.url("/programme.csv")
    );
    let world = World::start(&config, &[]).await;
    world.pass(MINUTE * 60 * 18, SECOND * 5).await;
    let failed = world.asked("quiet-sheet").len();
    assert!(failed >= 1_000, "{failed}");
    standin.always(Reply::ok(sheet(&["Bal".to_owned()])));
    world.pass(MINUTE * 10, SECOND * 5).await;
    let said = said_about("quiet-sheet");
    assert_eq!(said.len(), 2, "{said:#?}");
    assert_eq!(world.told("unreadable"), ["open", "closed"]);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_nobody_reads_any_more_is_told_within_three_periods_without_any_error() {
    let files = [("programme.csv", "Titre,Date\nBal,2027-01-09\n")];
    let config =
        "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = 'programme.csv'\nevery = '60s'\n";
    let world = World::start(config, &files).await;
    world.pass(MINUTE * 10, SECOND * 10).await;
    assert_eq!(world.told("silent"), [""; 0]);
    world.freeze();
    world.pass(MINUTE * 2, SECOND * 10).await;
    assert_eq!(world.told("silent"), [""; 0]);
    world.pass(MINUTE + SECOND * 20, SECOND * 10).await;
    assert_eq!(world.told("silent"), ["open"]);
    world.pass(MINUTE * 60, SECOND * 10).await;
    assert_eq!(world.told("silent"), ["open"], "it is told once");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_was_never_read_is_told_as_well() {
    let config =
        "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = 'programme.csv'\nevery = '60s'\n";
    let world = World::start_frozen(config).await;
    world.pass(MINUTE * 3 + SECOND * 20, SECOND * 10).await;
    assert_eq!(world.told("silent"), ["open"]);
    world.end().await;
}
