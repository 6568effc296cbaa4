//! What the messages say, in French and in English, in two messages of a phone at most. Pure.

use jiff::civil::Date;
use raccord_look::{clean, dates, hour};
use raccord_model::{Civil, Entity, Fields, Lang, Place, Saying};
use serde_json::Value;

use crate::gsm;

/// A message takes no more than this many of a phone's.
const PARTS: usize = 2;
/// The longest title, and to what it is cut where there is no room.
const TITLES: [usize; 5] = [80, 60, 40, 25, 15];
const ROOM: usize = 40;
const NAME: usize = 40;

/// Somebody, and what they are told.
pub(crate) struct Message {
    /// The number as they wrote it.
    pub(crate) to: String,
    pub(crate) text: String,
    /// What it is about, as people call it.
    pub(crate) title: String,
    /// How often they were told something about it.
    pub(crate) times: u32,
}

/// What is said of a saying; nothing where it is none for a telephone.
pub(crate) fn message(saying: &Saying<'_>, lang: Lang, place: &Place) -> Option<Message> {
    let (to, subject, activity, said, times) = match saying {
        Saying::Mine {
            to,
            registration,
            subject,
            activity,
            before,
            times,
            ..
        } => {
            let what = activity.unwrap_or(subject);
            let said = news(registration, subject, what, *before, lang)?;
            (*to, *subject, *activity, said, *times)
        }
        Saying::Reminder {
            to,
            subject,
            activity,
            ..
        } => {
            let said = match lang {
                Lang::Fr => "rappel, c'est demain",
                Lang::En => "a reminder, it is tomorrow",
            };
            (*to, *subject, *activity, said, 0)
        }
        // What can wait is said in another way.
        _ => return None,
    };
    let what = activity.unwrap_or(subject);
    let facts = Facts {
        place: clean::line(&place.name, NAME),
        said,
        title: subject.text("title"),
        when: when(what, lang),
        room: clean::line(what.text("room"), ROOM),
        link: link(place),
    };
    Some(Message {
        to: to.to_owned(),
        text: facts.fit(),
        title: clean::line(subject.text("title"), TITLES[0]),
        times,
    })
}

/// The code by which somebody shows that a number is theirs.
pub(crate) fn code(code: &str, minutes: i64, lang: Lang, place: &str) -> String {
    let place = clean::line(place, NAME);
    gsm::written(&match lang {
        Lang::Fr => format!(
            "{place} : votre code est {code}. Il sert pendant {minutes} minutes. Si vous n'avez rien demandé, ne faites rien."
        ),
        Lang::En => format!(
            "{place}: your code is {code}. It is good for {minutes} minutes. If you did not ask for it, do nothing."
        ),
    })
}

/// What changed about a sign-up, in a few words.
fn news(
    registration: &Entity,
    subject: &Entity,
    what: &Entity,
    before: Option<&Fields>,
    lang: Lang,
) -> Option<&'static str> {
    let was = |name: &str| {
        let value = before.and_then(|before| before.get(name).and_then(Value::as_str));
        value.unwrap_or_default()
    };
    let off = what.text("status") == "cancelled" || subject.text("state") == "cancelled";
    let (fr, en) = match (registration.text("state"), was("state")) {
        ("cancelled", _) => ("désinscription notée", "you are not on it any more"),
        _ if off => ("annulé", "cancelled"),
        ("registered", "waitlisted") => (
            "une place s'est libérée, elle est à vous",
            "a place became free, it is yours",
        ),
        ("waitlisted", "registered") => (
            "moins de places que prévu, vous passez en liste d'attente",
            "fewer places than planned, you are on the waiting list",
        ),
        ("waitlisted", "") => (
            "vous voilà en liste d'attente",
            "you are on the waiting list",
        ),
        ("registered", "") => ("inscription notée", "you have signed up"),
        ("registered" | "waitlisted", _) if was("status") == "cancelled" => {
            ("finalement maintenu", "on again")
        }
        ("registered" | "waitlisted", _) => ("changement", "changed"),
        _ => return None,
    };
    Some(match lang {
        Lang::Fr => fr,
        Lang::En => en,
    })
}

/// "samedi 16 janvier 20 h 30".
fn when(what: &Entity, lang: Lang) -> String {
    let read = |name: &str| what.text(name).parse::<Civil>().ok();
    let Some(at) = read("start").or_else(|| read("due")) else {
        return String::new();
    };
    let day: Date = at.date();
    let day = dates::day(lang, day);
    match at.time() {
        Some(time) => format!("{day} {}", hour(time, lang)),
        None => day,
    }
}

/// Where people see and change what they signed up for.
fn link(place: &Place) -> String {
    match place.public_url.as_str() {
        "" => String::new(),
        url => format!("{url}/hands/me"),
    }
}

/// The parts of a message, the most needed last to be left out.
struct Facts<'a> {
    place: String,
    said: &'static str,
    title: &'a str,
    when: String,
    room: String,
    link: String,
}

impl Facts<'_> {
    /// As much of them as two messages hold: the title is cut at a word, then the room is left out.
    /// The link always stands.
    fn fit(&self) -> String {
        let rooms = [self.room.as_str(), ""];
        let tries = rooms
            .iter()
            .flat_map(|room| TITLES.iter().map(move |most| (*room, *most)));
        let mut text = String::new();
        for (room, most) in tries {
            text = gsm::written(&self.text(room, &clean::line(self.title, most)));
            if gsm::parts(&text) <= PARTS {
                return text;
            }
        }
        text
    }

    fn text(&self, room: &str, title: &str) -> String {
        let facts: Vec<&str> = [title, &self.when, room]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        let mut text = format!("{}: {}: {}.", self.place, self.said, facts.join(", "));
        if !self.link.is_empty() {
            text.push(' ');
            text.push_str(&self.link);
        }
        text
    }
}
