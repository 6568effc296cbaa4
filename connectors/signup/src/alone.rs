//! Mails that are for one person alone: the day before what they signed up for, and once a week which
//! hands are missing in what they like. Pure.

use raccord_look::dates::{self, Span};
use raccord_look::{clean, hour};
use raccord_model::{Activity, Civil, Entity, EntityKind, Lang, Place, Saying, hands_missing};
use serde_json::Value;

/// The longest title and room, and how many tasks a mail lists.
const LONGEST: usize = 150;
const LISTED: usize = 20;
/// How far ahead hands are missing, in days.
const AHEAD: i64 = 13;

/// What somebody is told, before it is a mail.
pub(crate) struct Note {
    pub(crate) to: String,
    pub(crate) name: String,
    /// What it is about, as people call it.
    pub(crate) title: String,
    pub(crate) subject: String,
    pub(crate) text: String,
}

/// The mail that says it; nothing where it is none for one person alone, or has nothing to say.
pub(crate) fn note(
    saying: &Saying<'_>,
    lang: Lang,
    place: &Place,
    today: jiff::civil::Date,
) -> Option<Note> {
    match saying {
        Saying::Reminder {
            to,
            name,
            subject,
            activity,
        } => Some(reminder(to, name, subject, *activity, lang, place)),
        Saying::Liked { to, members } => liked(to, members, lang, place, today),
        _ => None,
    }
}

fn reminder(
    to: &str,
    name: &str,
    subject: &Entity,
    activity: Option<&Entity>,
    lang: Lang,
    place: &Place,
) -> Note {
    let title = clean::line(subject.text("title"), LONGEST);
    let what = activity.unwrap_or(subject);
    let mut facts = Vec::new();
    if let Some(activity) = activity {
        facts.push(clean::line(activity.text("title"), LONGEST));
    }
    facts.extend(when(what, lang));
    facts.push(clean::line(what.text("room"), LONGEST));
    facts.retain(|fact| !fact.is_empty());
    let (hello, opening, guide, off) = match lang {
        Lang::Fr => (
            "Bonjour",
            format!("C’est demain : « {title} »."),
            "Mode d’emploi",
            "Vous ne pouvez plus venir ? Désinscrivez-vous, même au dernier moment : la place ira à quelqu’un d’autre.",
        ),
        Lang::En => (
            "Hello",
            format!("It is tomorrow: “{title}”."),
            "How-to",
            "You cannot come after all? Sign off, even at the last moment: the place goes to somebody else.",
        ),
    };
    let mut parts = vec![greeting(hello, name), opening, facts.join("\n")];
    let colon = colon(lang);
    if let Some(address) = clean::address(subject.text("guide")) {
        parts.push(format!("{guide}{colon}\n{address}"));
    }
    if place.public_url.is_empty() {
        parts.push(off.to_owned());
    } else {
        parts.push(format!("{off}\n{}/hands/me", place.public_url));
    }
    let subject = match lang {
        Lang::Fr => format!("Demain : {title}"),
        Lang::En => format!("Tomorrow: {title}"),
    };
    Note {
        to: to.to_owned(),
        name: name.to_owned(),
        text: ended(parts, lang, place),
        subject,
        title,
    }
}

fn liked(
    to: &str,
    members: &[Entity],
    lang: Lang,
    place: &Place,
    today: jiff::civil::Date,
) -> Option<Note> {
    let last = today.checked_add(jiff::Span::new().days(AHEAD)).ok()?;
    let activity = |task: &Entity| {
        let id = task.text("activity");
        members.iter().find(|known| known.id.to_string() == id)
    };
    let mut tasks: Vec<(Civil, String)> = Vec::new();
    for task in members.iter().filter(|one| one.kind == EntityKind::Task) {
        let of = activity(task);
        let people = task.fields.get("people").and_then(Value::as_array);
        let missing = hands_missing(task, people.map_or(0, Vec::len) as u64);
        let called_off = of.is_some_and(|activity| activity.text("status") == "cancelled");
        let read = |entity: &Entity, name: &str| entity.text(name).parse::<Civil>().ok();
        let of_activity = || of.and_then(|activity| read(activity, "start"));
        let at = read(task, "due").or_else(of_activity);
        let Some(at) = at.filter(|at| at.date() <= last && missing > 0 && !called_off) else {
            continue;
        };
        let title = clean::line(task.text("title"), LONGEST);
        let of = of.map(|activity| clean::line(activity.text("title"), LONGEST));
        let day = match at.time() {
            Some(time) => format!("{} {}", dates::day(lang, at.date()), hour(time, lang)),
            None => dates::day(lang, at.date()),
        };
        let line = [Some(title), of, Some(day)];
        let line: Vec<String> = line.into_iter().flatten().collect();
        let hands = match (lang, missing) {
            (Lang::Fr, 1) => "il manque une personne".to_owned(),
            (Lang::Fr, many) => format!("il manque {many} personnes"),
            (Lang::En, 1) => "one person is missing".to_owned(),
            (Lang::En, many) => format!("{many} people are missing"),
        };
        let link = match place.public_url.as_str() {
            "" => String::new(),
            url => format!("\n  {url}/hands/{}", task.id),
        };
        let text = format!("– {}{} {hands}{link}", line.join(" · "), colon(lang));
        tasks.push((at, text));
    }
    if tasks.is_empty() {
        return None;
    }
    tasks.sort_by_key(|(at, _)| (at.date(), at.time()));
    tasks.truncate(LISTED);
    let list: Vec<String> = tasks.into_iter().map(|(_, text)| text).collect();
    let (subject, opening) = match lang {
        Lang::Fr => (
            "Des mains manquent à ce que vous aimez faire",
            "Ces deux prochaines semaines, des mains manquent à ce que vous aimez faire :",
        ),
        Lang::En => (
            "Hands missing in what you like to do",
            "In the next two weeks hands are missing in what you like to do:",
        ),
    };
    let hello = match lang {
        Lang::Fr => "Bonjour",
        Lang::En => "Hello",
    };
    let once = match lang {
        Lang::Fr => "Une fois par semaine au plus.",
        Lang::En => "Once a week at most.",
    };
    let parts = vec![
        greeting(hello, ""),
        opening.to_owned(),
        list.join("\n"),
        once.to_owned(),
    ];
    Some(Note {
        to: to.to_owned(),
        name: String::new(),
        title: subject.to_owned(),
        subject: subject.to_owned(),
        text: ended(parts, lang, place),
    })
}

fn greeting(hello: &str, name: &str) -> String {
    match name {
        "" => format!("{hello},"),
        name => format!("{hello} {},", clean::line(name, LONGEST)),
    }
}

const fn colon(lang: Lang) -> &'static str {
    match lang {
        Lang::Fr => " :",
        Lang::En => ":",
    }
}

/// With how to be told otherwise, and who writes.
fn ended(mut parts: Vec<String>, lang: Lang, place: &Place) -> String {
    if !place.public_url.is_empty() {
        let otherwise = match lang {
            Lang::Fr => "Être prévenu·e autrement, ou plus du tout :",
            Lang::En => "To be told in another way, or not at all:",
        };
        parts.push(format!("{otherwise}\n{}/hands/told", place.public_url));
    }
    parts.push(place.name.clone());
    let mut text = parts.join("\n\n");
    text.push('\n');
    text
}

/// "samedi 2 janvier 2027, 10 h – 12 h", or the day a task is due.
fn when(what: &Entity, lang: Lang) -> Option<String> {
    if let Some(activity) = Activity::of(what) {
        return Some(dates::when(lang, Span::of(&activity)));
    }
    let due: Civil = what.text("due").parse().ok()?;
    Some(dates::day_year(lang, due.date()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use raccord_model::EntityId;
    use serde_json::json;

    fn entity(kind: EntityKind, n: u8, fields: &Value) -> Entity {
        Entity {
            id: EntityId::derive(&[&[n]]),
            kind,
            revision: 1,
            source: "raccord".to_owned(),
            fields: serde_json::from_value(fields.clone()).unwrap(),
        }
    }

    fn place(url: &str) -> Place {
        let mut place = raccord_kit::testing::kit().place;
        url.clone_into(&mut place.public_url);
        place
    }

    fn ball() -> Entity {
        let fields = json!({
            "title": "Bal", "start": "2027-01-15T20:00", "end": "2027-01-15T23:00", "room": "Halle",
        });
        entity(EntityKind::Activity, 1, &fields)
    }

    const TODAY: jiff::civil::Date = jiff::civil::Date::constant(2027, 1, 14);

    #[test]
    fn a_reminder_says_what_when_where_how_and_how_to_sign_off() {
        let ball = ball();
        let fields = json!({ "title": "Tenir le bar", "guide": "https://wiki.example.org/bar" });
        let bar = entity(EntityKind::Task, 2, &fields);
        let saying = Saying::Reminder {
            to: "ana@example.org",
            name: "Ana",
            subject: &bar,
            activity: Some(&ball),
        };
        let place = place("https://lieu.example.org");
        let fr = note(&saying, Lang::Fr, &place, TODAY).unwrap();
        assert_eq!(fr.subject, "Demain : Tenir le bar");
        assert_eq!(
            fr.text.replace(['\u{a0}', '\u{202f}'], " "),
            "Bonjour Ana,\n\nC’est demain : « Tenir le bar ».\n\nBal\nvendredi 15 janvier 2027, 20 h – 23 h\nHalle\n\nMode d’emploi :\nhttps://wiki.example.org/bar\n\nVous ne pouvez plus venir ? Désinscrivez-vous, même au dernier moment : la place ira à quelqu’un d’autre.\nhttps://lieu.example.org/hands/me\n\nÊtre prévenu·e autrement, ou plus du tout :\nhttps://lieu.example.org/hands/told\n\nLa Raffinerie\n"
        );
        let en = note(&saying, Lang::En, &place, TODAY).unwrap();
        assert_eq!(en.subject, "Tomorrow: Tenir le bar");
        assert!(
            en.text
                .starts_with("Hello Ana,\n\nIt is tomorrow: “Tenir le bar”.")
        );
    }

    #[test]
    fn a_title_with_line_breaks_brings_no_line_of_its_own() {
        let fields = json!({ "title": "Bal\r\nBcc: all@example.org", "start": "2027-01-15" });
        let odd = entity(EntityKind::Activity, 1, &fields);
        let saying = Saying::Reminder {
            to: "ana@example.org",
            name: "Ana\nX: y",
            subject: &odd,
            activity: None,
        };
        let note = note(&saying, Lang::Fr, &place(""), TODAY).unwrap();
        assert_eq!(note.subject, "Demain : Bal Bcc: all@example.org");
        assert!(!note.text.contains("\nBcc") && !note.text.contains("\nX:"));
        assert!(!note.text.contains("/hands"), "there is no address to open");
    }

    #[test]
    fn the_weekly_list_says_how_many_hands_each_task_lacks() {
        let ball = ball();
        let task = |n: u8, more: &Value| {
            let mut fields = json!({ "title": format!("T{n}"), "activity": ball.id });
            for (name, value) in more.as_object().unwrap() {
                fields[name] = value.clone();
            }
            entity(EntityKind::Task, n, &fields)
        };
        let members = [
            ball.clone(),
            task(2, &json!({ "capacity": 3, "people": [{}] })),
            task(3, &json!({ "people": [{}] })),
            task(
                4,
                &json!({ "state": "taken", "capacity": 2, "people": [{}] }),
            ),
            task(7, &json!({ "state": "done", "capacity": 2 })),
            task(8, &json!({ "due": "2027-01-14T18:00" })),
            entity(
                EntityKind::Task,
                5,
                &json!({ "title": "T5", "due": "2027-01-20" }),
            ),
            entity(
                EntityKind::Task,
                6,
                &json!({ "title": "T6", "due": "2027-03-20" }),
            ),
        ];
        let saying = Saying::Liked {
            to: "ana@example.org",
            members: &members,
        };
        let told = note(&saying, Lang::Fr, &place("https://l.org"), TODAY).unwrap();
        let text = told.text.replace(['\u{a0}', '\u{202f}'], " ");
        let listed: Vec<&str> = text.lines().filter(|line| line.starts_with('–')).collect();
        assert_eq!(
            listed,
            [
                "– T8 · Bal · jeudi 14 janvier 18 h : il manque une personne",
                "– T2 · Bal · vendredi 15 janvier 20 h : il manque 2 personnes",
                "– T4 · Bal · vendredi 15 janvier 20 h : il manque une personne",
                "– T5 · mercredi 20 janvier : il manque une personne",
            ]
        );
        assert!(text.contains(&format!("\n  https://l.org/hands/{}", members[1].id)));
        let none = Saying::Liked {
            to: "ana@example.org",
            members: &members[2..4],
        };
        assert!(note(&none, Lang::Fr, &place(""), TODAY).is_none());
    }
}
