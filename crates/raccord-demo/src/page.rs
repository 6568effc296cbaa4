//! The pages of the demo: what each tool holds now, side by side, and the how-to of a task.

use std::path::PathBuf;

use askama::Template;
use http::{HeaderValue, StatusCode, header};
use jiff::civil::DateTime;
use raccord_look::{LETTERS, Tint, credits, dates, hour, squeezed, style};
use raccord_model::{Lang, Words};

use crate::mailbox::Letter;
use crate::place::{ORGANISER, SHEET, Sheet};
use crate::tools::Held;
use crate::wire::{Answer, Asked, empty, typed};

const HTML: &str = "text/html; charset=utf-8";
/// How many letters are shown, the newest first.
const MAILS: usize = 8;
const STYLE: &str = include_str!("../templates/page.css");

/// What the page shows.
#[derive(Debug)]
pub(crate) struct Shows {
    pub(crate) lang: Lang,
    pub(crate) held: Held,
    pub(crate) folder: PathBuf,
    pub(crate) sheet: Sheet,
    /// The address of the place itself.
    pub(crate) web: String,
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    lang: Lang,
    style: String,
    sheet: String,
    line: &'a str,
    organiser: &'a str,
    web: &'a str,
    rows: Vec<Vec<String>>,
    entries: Vec<Entry>,
    messages: Vec<Message>,
    letters: Vec<Mail>,
    cards: Vec<(String, String)>,
    printed: Vec<String>,
}

struct Entry {
    when: String,
    title: String,
    place: String,
    cancelled: bool,
    about: Vec<String>,
}

struct Message {
    lines: Vec<String>,
    edited: bool,
}

struct Mail {
    to: String,
    subject: String,
    parts: Vec<Part>,
}

/// A line of a letter, with the address it may hold.
struct Part {
    text: String,
    link: Option<String>,
}

impl Page<'_> {
    fn say(&self, fr: &'static str, en: &'static str) -> &'static str {
        match self.lang {
            Lang::Fr => fr,
            Lang::En => en,
        }
    }
}

/// What is answered at the door of the demo's page.
pub(crate) fn answer(asked: &Asked, shows: &Shows) -> Answer {
    match asked.uri().path() {
        "/" => {
            let mut page = typed(StatusCode::OK, HTML, page(shows));
            let fresh = HeaderValue::from_static("no-store");
            page.headers_mut().insert(header::CACHE_CONTROL, fresh);
            page
        }
        "/guide" => guide(asked, shows.sheet.words.guide, shows.lang),
        "/letters" => typed(StatusCode::OK, "font/woff2", LETTERS),
        path => match path.strip_prefix("/out/") {
            Some(name) if printed(shows).iter().any(|it| it == name) => {
                let bytes = std::fs::read(shows.folder.join("out").join(name));
                bytes.map_or_else(
                    |_| empty(StatusCode::NOT_FOUND),
                    |bytes| typed(StatusCode::OK, "application/pdf", bytes),
                )
            }
            _ => empty(StatusCode::NOT_FOUND),
        },
    }
}

/// The how-to of the task, at `/guide`.
pub(crate) fn guide(asked: &Asked, title: &str, lang: Lang) -> Answer {
    if asked.uri().path() != "/guide" {
        return empty(StatusCode::NOT_FOUND);
    }
    let text = Words::new(
        "Écrire l’ordre du jour, ouvrir la salle, donner la parole, noter ce qui est décidé.",
        "Write the agenda, open the room, give the floor, note what is decided.",
    );
    let text = text.get(lang);
    let page = format!(
        "<!doctype html><html lang=\"{lang}\"><meta charset=\"utf-8\"><title>{title}</title><h1>{title}</h1><p>{text}</p></html>"
    );
    typed(StatusCode::OK, HTML, page)
}

/// The programmes that are printed.
fn printed(shows: &Shows) -> Vec<String> {
    let folder = std::fs::read_dir(shows.folder.join("out"));
    let files = folder.into_iter().flatten().flatten();
    let names = files.filter_map(|file| file.file_name().into_string().ok());
    let mut names: Vec<String> = names
        .filter(|name| name.starts_with("programme-") && name.ends_with(".pdf"))
        .collect();
    names.sort();
    names
}

fn page(shows: &Shows) -> String {
    let lang = shows.lang;
    let path = shows.folder.join(SHEET);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let rows = text.lines().filter(|line| !line.trim().is_empty());
    let rows = rows.map(|line| line.split([',', ';']).take(6).map(str::to_owned).collect());
    let entries = shows.held.calendar().entries().into_iter();
    let entries = entries.map(|entry| Entry {
        when: when(&entry.start, lang),
        title: entry.title,
        place: entry.place,
        cancelled: entry.cancelled,
        about: lines(&entry.description),
    });
    let messages = shows.held.chat().standing().into_iter().rev();
    let messages = messages.map(|said| Message {
        lines: lines(&said.text.replace("**", "")),
        edited: said.edited,
    });
    let wallet = shows.held.wallet();
    let cards = wallet.balances().into_iter();
    let cards = cards.map(|(email, amount)| (email.to_owned(), credits(amount, lang)));
    let letters = shows.held.mailbox.letters().into_iter().rev().take(MAILS);
    let page = Page {
        lang,
        style: format!("{}{}", style(&Tint::default(), "letters"), squeezed(STYLE)),
        sheet: path.display().to_string(),
        line: &shows.sheet.next,
        organiser: ORGANISER,
        web: &shows.web,
        rows: rows.collect(),
        entries: entries.collect(),
        messages: messages.collect(),
        letters: letters.map(mail).collect(),
        cards: cards.collect(),
        printed: printed(shows),
    };
    page.render().expect("a String takes every text")
}

fn mail(letter: Letter) -> Mail {
    let part = |line: &str| {
        let link = line.split_whitespace().find(|it| it.starts_with("http://"));
        Part {
            text: line.to_owned(),
            link: link.map(str::to_owned),
        }
    };
    Mail {
        to: letter.to,
        subject: letter.subject,
        parts: letter.text.lines().map(part).collect(),
    }
}

fn lines(text: &str) -> Vec<String> {
    let all = text.lines().map(str::trim).filter(|line| !line.is_empty());
    all.map(str::to_owned).collect()
}

/// `20270102T183000` as people say it.
fn when(start: &str, lang: Lang) -> String {
    if let Ok(at) = DateTime::strptime("%Y%m%dT%H%M%S", start) {
        return format!("{}, {}", dates::day(lang, at.date()), hour(at.time(), lang));
    }
    jiff::civil::Date::strptime("%Y%m%d", start)
        .map_or_else(|_| start.to_owned(), |day| dates::day(lang, day))
}
