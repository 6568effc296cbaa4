//! Everything this connector can say, as an example each: what people read is checked as a whole.

use std::io::{Error, ErrorKind};
use std::path::Path;

use jiff::civil::{Weekday, date};
use raccord_kit::Finding;
use raccord_kit::conformance::{self, Reader, Sentence};
use raccord_model::{Blame, Failure, Reading, Unread, Words};

use crate::answers::say;
use crate::error::{self, Limit, Other};
use crate::messages::{self, Said};
use crate::parse::date::Trouble;
use crate::refusals;

/// What is said of one cell or one line.
fn of_cells() -> Vec<Said> {
    let found = "25h";
    let troubles = [
        Trouble::Unreadable,
        Trouble::NoSuchDay,
        Trouble::Weekday {
            said: Weekday::Monday,
            date: date(2027, 1, 2),
        },
        Trouble::NoYear,
        Trouble::NoMonth,
        Trouble::Ambiguous,
        Trouble::Backwards,
        Trouble::SomeOf,
        Trouble::Endless,
    ];
    let dates = troubles.map(|trouble| messages::date(found, trouble));
    let others = [
        messages::date_missing(None),
        messages::date_missing(Some("02/01/2027")),
        messages::title_status(found),
        messages::half_day(found),
        messages::title_missing(),
        messages::hour(found),
        messages::end(found),
        messages::start_missing(),
        messages::hours_disagree(found),
        messages::end_before_start(found),
        messages::end_hour_missing(found),
        messages::capacity(found),
        messages::credits(found),
        messages::hands(found),
        messages::task_missing(),
        messages::tasks_header(),
        messages::task_state(found),
        messages::priority(found),
        messages::lead(found),
        messages::minimum(3, 2),
        messages::visibility(found),
        messages::shared(found),
        messages::status(found),
        messages::link(found),
        messages::cell_error(found),
        messages::cell_too_long(),
        messages::row_hidden(),
        messages::unknown_column("D", found),
        messages::second_column("D", found),
        messages::hidden_column("D", found),
        messages::more(12),
        say::poll_of_days(),
        say::address(),
        say::nobody(),
        say::unclear(found),
        say::unclear_vote(),
        say::for_nothing(),
        say::unknown(found),
        say::ambiguous(found, 2),
        say::elsewhere(found, "billets"),
    ];
    dates.into_iter().chain(others).collect()
}

/// Why a sheet cannot be read at all.
fn of_sheets() -> Vec<Failure> {
    use Limit::{Bytes, Cell, Columns, Rows, Tables, Tabs, Unpacked};
    let limits = [Bytes, Unpacked, Rows, Columns, Cell, Tabs, Tables].map(error::too_large);
    use Other::{Archive, Binary, Data, Document, NoFile, Pdf};
    let others = [NoFile, Pdf, Data, Binary, Document, Archive].map(error::not_a_sheet);
    let disk = [
        ErrorKind::NotFound,
        ErrorKind::PermissionDenied,
        ErrorKind::IsADirectory,
        ErrorKind::Other,
    ];
    let disk = disk.map(|kind| error::disk("programme.ods", &Error::from(kind)));
    let rest = [
        error::empty(),
        error::header_lost(None),
        error::no_answers(),
        error::no_answer_field("mel"),
        error::no_day(),
        error::header_lost(Some("Janvier")),
        error::sheet_missing("Mars", &["Janvier".to_owned()]),
        error::web_page(),
        error::damaged(),
        error::truncated(),
        error::partial(),
        error::encrypted(),
        error::old_format(),
        error::moved(),
        error::no_field("titel"),
        error::no_field("zzz"),
        error::half_an_account("user"),
        error::too_often(),
        error::no_place(),
    ];
    limits
        .into_iter()
        .chain(others)
        .chain(disk)
        .chain(rest)
        .chain(refusals::all())
        .collect()
}

fn unread() -> Finding {
    let cell = Unread {
        sheet: "Janvier".to_owned(),
        row: 12,
        column: "C".to_owned(),
        code: "hour-unreadable".to_owned(),
        found: "25h".to_owned(),
        write: messages::hour("25h").1,
    };
    error::unread(&Reading {
        unread: vec![cell],
        ..Reading::default()
    })
}

/// Who reads of a failure: the sheet is the organiser's, the way to it the sysadmin's.
fn reader(failure: &Failure) -> Reader {
    let settings = ["settings", "folder", "address", "which-file"]
        .iter()
        .any(|code| failure.code == format!("spreadsheet.{code}"));
    match failure.blame {
        Blame::Data if !settings => Reader::Organiser,
        _ => Reader::Sysadmin,
    }
}

fn sentences() -> Vec<Sentence> {
    let one = |code: &str, to, words: &Words| Sentence {
        code: code.trim_start_matches("spreadsheet.").to_owned(),
        to,
        words: words.clone(),
    };
    let mut all: Vec<Sentence> = of_cells()
        .iter()
        .map(|(code, words)| one(code, Reader::Organiser, words))
        .collect();
    for failure in of_sheets() {
        let to = reader(&failure);
        all.extend([&failure.text, &failure.mend].map(|words| one(&failure.code, to, words)));
    }
    for ((code, text), mend) in [1, 3].map(say::gone) {
        all.extend([&text, &mend].map(|words| one(code, Reader::Organiser, words)));
    }
    let unread = unread();
    all.extend(
        [&unread.text, &unread.mend].map(|words| one(&unread.code, Reader::Organiser, words)),
    );
    all.push(one("", Reader::Sysadmin, &error::rights()));
    all
}

const SOURCES: [&str; 4] = [
    include_str!("answers/say.rs"),
    include_str!("messages.rs"),
    include_str!("error.rs"),
    include_str!("refusals.rs"),
];

/// What only a Nextcloud says, in the words of `raccord-dav`; the rest stands among those of all
/// tools.
const OF_CLOUD: [&str; 6] = [
    "app-password",
    "locked",
    "maintenance",
    "no-dav",
    "throttled",
    "untrusted-domain",
];

#[test]
fn g09_every_code_says_who_mends_it_and_how() {
    let mut codes = conformance::codes_of(&SOURCES);
    codes.extend(OF_CLOUD.map(str::to_owned));
    conformance::g09_repair(
        "spreadsheet",
        include_str!("../repair.toml"),
        &codes,
        include_str!("../../../docs/repairing.md"),
    );
}

#[test]
fn g02_every_sentence_is_plain_in_both_languages() {
    conformance::g02_plain_words(&sentences(), &SOURCES);
    conformance::says_nothing_else(
        Path::new("src"),
        &[
            "messages.rs",
            "error.rs",
            "refusals.rs",
            "said.rs",
            "say.rs",
        ],
    );
}
