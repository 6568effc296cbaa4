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
    config: String,
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
    title: String,
    parts: Vec<Part>,
    edited: bool,
}

struct Mail {
    to: String,
    subject: String,
    parts: Vec<Part>,
}

/// A line, and where it leads, if it does.
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
    let is_one = |name: &String| {
        let inside = name.strip_prefix("programme-");
        inside.is_some_and(|rest| rest.strip_suffix(".pdf").is_some())
    };
    let mut names: Vec<String> = names.filter(is_one).collect();
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
    let messages = messages.map(|said| {
        let mut lines = lines(&said.text.replace("**", "")).into_iter();
        Message {
            title: lines.next().unwrap_or_default(),
            parts: lines.map(markdown).collect(),
            edited: said.edited,
        }
    });
    let wallet = shows.held.wallet();
    let cards = wallet.balances().into_iter();
    let cards = cards.map(|(email, amount)| (email.to_owned(), credits(amount, lang)));
    let letters = shows.held.mailbox.letters().into_iter().rev().take(MAILS);
    let open = match lang {
        Lang::Fr => "ouvrir le lien",
        Lang::En => "open the link",
    };
    let page = Page {
        lang,
        config: shows.folder.join("raccord.toml").display().to_string(),
        style: format!("{}{}", style(&Tint::default(), "letters"), squeezed(STYLE)),
        sheet: path.display().to_string(),
        line: &shows.sheet.next,
        organiser: ORGANISER,
        web: &shows.web,
        rows: rows.collect(),
        entries: entries.collect(),
        messages: messages.collect(),
        letters: letters.map(|it| mail(it, open)).collect(),
        cards: cards.collect(),
        printed: printed(shows),
    };
    page.render().expect("a String takes every text")
}

fn mail(letter: Letter, open: &'static str) -> Mail {
    let part = |line: &str| match line.split_whitespace().find(|it| is_ours(it)) {
        Some(link) => Part {
            text: open.to_owned(),
            link: Some(link.to_owned()),
        },
        None => Part {
            text: line.to_owned(),
            link: None,
        },
    };
    Mail {
        to: letter.to,
        subject: letter.subject,
        parts: letter.text.lines().map(part).collect(),
    }
}

/// `[words](address)` is a link.
fn markdown(line: String) -> Part {
    let inside = line.strip_prefix('[').and_then(|it| it.strip_suffix(')'));
    match inside.and_then(|inside| inside.split_once("](")) {
        Some((text, link)) if is_ours(link) => Part {
            text: text.to_owned(),
            link: Some(link.to_owned()),
        },
        _ => Part {
            text: line,
            link: None,
        },
    }
}

/// Whether an address leads to this machine: no other is followed from here.
fn is_ours(address: &str) -> bool {
    address.starts_with("http://127.0.0.1:")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_leads_to_this_machine_is_a_link() {
        let link = |line: &str| markdown(line.to_owned()).link;
        assert_eq!(
            link("[En savoir plus](http://127.0.0.1:4000/a)").as_deref(),
            Some("http://127.0.0.1:4000/a")
        );
        for line in [
            "[x](javascript:alert(1))",
            "[x](https://example.org)",
            "[x]",
            "words",
        ] {
            assert_eq!(link(line), None, "{line}");
        }
    }

    #[test]
    fn days_and_hours_are_said_as_people_do() {
        let said = when("20270102T183000", Lang::Fr);
        assert!(
            said.starts_with("samedi 2") && said.contains("18"),
            "{said}"
        );
        assert!(when("20270102", Lang::En).contains("January"));
        assert_eq!(when("soon", Lang::En), "soon");
    }
}
