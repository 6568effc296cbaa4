//! What a letter's template can name, made from the activities and the tasks.

use jiff::civil::date;
use raccord_chat::view::{Members, by_day, scene, shown};
use raccord_look::{DARK, LIGHT, Theme, Tint, clean};
use raccord_model::{
    Activity, Context, Entity, EntityId, EntityKind, Lang, Place, RoundupOf, Status,
};
use serde_json::{Map, Value, json};

use super::{LEAVE, Period, words};

/// The most tasks of one letter.
const TASKS: usize = 12;
/// The most characters of a text.
const LINE: usize = 200;
/// How many titles stand beside the subject.
const PREVIEW: usize = 3;

/// Where a letter's links lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Links {
    /// What is printed; `{month}` in it is the letter's month. Empty where it is not offered.
    pub(crate) pdf: String,
    /// The calendar. Empty where it is not offered.
    pub(crate) calendar: String,
    /// Whether the place has pages on which people sign up.
    pub(crate) hands: bool,
    /// Whether each reader has their own link to leave.
    pub(crate) leave: bool,
}

/// The view of a letter of at most so many activities.
pub(crate) fn view(
    period: Period,
    members: &[Entity],
    links: &Links,
    tint: &Tint,
    most: usize,
    context: &Context<'_>,
) -> Value {
    let lang = context.lang;
    let (first, last) = period.days();
    let all = Members::of(members);
    let fits = |activity: &Activity| activity.status != Status::Draft && activity.is_public();
    let coming = || {
        all.between(first, last)
            .filter(|(_, activity)| fits(activity))
    };
    let count = coming().count();
    let days = by_day(coming().take(most), first, lang, item);
    let mut hands = all.work(last);
    hands.retain(|task| task["missing"] != 0);
    hands.truncate(TASKS);
    for task in &mut hands {
        for name in ["title", "activity"] {
            let text = task[name].as_str().unwrap_or_default();
            task[name] = json!(clean::set(text, LINE, lang));
        }
    }
    let on = coming().filter(|(_, activity)| activity.status != Status::Cancelled);
    let titles: Vec<String> = on
        .take(PREVIEW)
        .map(|(_, activity)| clean::set(&activity.title, LINE, lang))
        .collect();
    let mut view = scene(context);
    let own = json!({
        "heading": period.heading(lang),
        "preview": words::preview(lang, count, &titles.join(", ")),
        "days": days,
        "unsaid": count.saturating_sub(most),
        "hands": hands,
        "help": help(links, context),
        "links": links_of(period, links, context),
        "leave": if links.leave { LEAVE } else { "" },
        "words": words::all(lang, &clean::line(&context.place.name, LINE), links.leave),
        "look": look(tint),
    });
    if let Value::Object(own) = own {
        view.extend(own);
    }
    Value::Object(view)
}

fn item(activity: &Activity, lang: Lang) -> Map<String, Value> {
    let mut item = shown(activity, lang);
    let title = clean::set(&activity.title, LINE, lang);
    item.insert("title".into(), json!(title));
    let parts = [&activity.room, &activity.kind];
    let parts: Vec<String> = parts
        .iter()
        .map(|part| clean::set(part, LINE, lang))
        .filter(|part| !part.is_empty())
        .collect();
    item.insert("about".into(), json!(parts.join(" · ")));
    let open = !matches!(activity.status, Status::Cancelled | Status::Full);
    let register = clean::address(&activity.register).filter(|_| open);
    item.insert("register".into(), json!(register.unwrap_or_default()));
    item
}

/// The page where people sign up, where the place has one that is public.
fn help(links: &Links, context: &Context<'_>) -> String {
    match context.place.public_url.as_str() {
        "" => String::new(),
        _ if !links.hands => String::new(),
        base => format!("{base}/hands"),
    }
}

fn links_of(period: Period, links: &Links, context: &Context<'_>) -> Vec<Value> {
    let lang = context.lang;
    let pdf = links.pdf.replace("{month}", &period.month());
    let offered = [
        (words::programme(lang), context.place.public_url.clone()),
        (words::calendar(lang), links.calendar.clone()),
        (words::printed(lang), pdf),
    ];
    let offered = offered.into_iter().filter(|(_, url)| !url.is_empty());
    offered
        .map(|(label, url)| json!({ "label": label, "url": url }))
        .collect()
}

fn look(tint: &Tint) -> Value {
    let theme = |theme: &Theme, accent: &str, on: &str| {
        json!({
            "paper": theme.paper, "raised": theme.raised, "ink": theme.ink, "soft": theme.soft,
            "line": theme.line, "alert": theme.alert, "accent": accent, "on_accent": on,
        })
    };
    let mut look = theme(&LIGHT, &tint.light, &tint.on_light);
    look["dark"] = theme(&DARK, &tint.dark, &tint.on_dark);
    look
}

/// A letter with everything a template can name: templates are tried on it.
pub(crate) fn sample(place: &Place, links: &Links, tint: &Tint) -> Value {
    let at = date(2027, 1, 2).at(9, 0, 0, 0);
    let entity = |kind, name: &str, fields: Value| Entity {
        id: EntityId::derive(&[name.as_bytes()]),
        kind,
        revision: 1,
        source: "sample".to_owned(),
        fields: match fields {
            Value::Object(fields) => fields.into_iter().collect(),
            _ => raccord_model::Fields::new(),
        },
    };
    let one = json!({
        "title": "Concert de jazz", "kind": "Concert", "room": "Grande salle",
        "start": "2027-01-02T20:30", "end": "2027-01-02T23:00", "url": "https://example.org/jazz",
        "register": "https://tickets.example.org/jazz",
    });
    let concert = entity(EntityKind::Activity, "concert", one);
    let bar = json!({
        "title": "Tenir le bar", "activity": concert.id, "capacity": 2,
        "guide": "https://wiki.example.org/bar",
    });
    let members = [concert, entity(EntityKind::Task, "bar", bar)];
    let context = Context {
        place,
        lang: place.lang,
        today: at.date(),
        route: None,
    };
    Period::of(RoundupOf::Week, at)
        .map(|period| view(period, &members, links, tint, 10, &context))
        .unwrap_or_default()
}
