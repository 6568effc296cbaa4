//! What a template can name, made from entities. Every text is cleaned and bounded here.

use std::collections::BTreeMap;

use jiff::civil::Date;
use raccord_look::clean;
use raccord_look::dates::{self, Span};
use raccord_model::{
    Activity, Civil, Context, Entity, EntityId, EntityKind, Fields, Lang, Status, hands_missing,
};
use serde_json::{Map, Value, json};

use crate::templates::Form;
use crate::words::{self, Heading};

/// The most of a title, of a description, and of what stands in a list.
pub(crate) const TITLE: usize = 300;
const PROSE: usize = 30_000;
const LISTED: usize = 100;
/// How many people are named in one line, and the most of a name.
const NAMED: usize = 8;
const NAME: usize = 60;

/// What every view holds.
pub fn scene(context: &Context<'_>) -> Map<String, Value> {
    let mut view = Map::new();
    view.insert("lang".into(), json!(context.lang));
    view.insert("today".into(), json!(context.today.to_string()));
    view.insert(
        "place".into(),
        json!(clean::line(&context.place.name, TITLE)),
    );
    view.insert("more".into(), json!(context.place.public_url));
    view
}

/// The address of an activity: its own page, else the place's programme.
pub fn address<'a>(entity: &'a Entity, context: &'a Context<'_>) -> &'a str {
    clean::address(entity.text("url")).unwrap_or(&context.place.public_url)
}

/// An activity, in its own message.
pub(crate) fn activity(entity: &Entity, context: &Context<'_>) -> Option<Value> {
    let activity = Activity::of(entity)?;
    let mut view = scene(context);
    view.extend(shown(&activity, context.lang));
    let description = clean::prose(&activity.description, PROSE).0;
    view.insert("description".into(), json!(description));
    view.insert(
        "organiser".into(),
        json!(clean::line(&activity.organiser, TITLE)),
    );
    view.insert(
        "guide".into(),
        json!(clean::address(&activity.guide).unwrap_or_default()),
    );
    view.insert("url".into(), json!(address(entity, context)));
    let register = clean::address(&activity.register).unwrap_or_default();
    view.insert("register".into(), json!(register));
    view.insert("capacity".into(), json!(activity.capacity));
    view.insert(
        "tags".into(),
        json!(
            activity
                .tags
                .iter()
                .map(|tag| clean::line(tag, TITLE))
                .collect::<Vec<_>>()
        ),
    );
    let reaction = context.route.and_then(|route| route.signup.as_deref());
    let open = !matches!(activity.status, Status::Cancelled | Status::Full);
    let reaction = reaction.filter(|_| open).map(crate::reaction::sign);
    view.insert("reaction".into(), json!(reaction.unwrap_or_default()));
    let shared = line(&activity, context.lang, address(entity, context));
    view.insert("share_link".into(), json!(words::share_link(&shared)));
    view.insert("share_text".into(), json!(shared));
    Some(Value::Object(view))
}

/// What a list and a message both show of an activity.
pub fn shown(activity: &Activity, lang: Lang) -> Map<String, Value> {
    let span = Span::of(activity);
    let value = json!({
        "id": activity.id,
        "title": clean::line(&activity.title, TITLE),
        "kind": clean::line(&activity.kind, TITLE),
        "start": activity.start.to_string(),
        "end": activity.end.map(|end| end.to_string()).unwrap_or_default(),
        "when": dates::when(lang, span),
        "hours": dates::hours(lang, span),
        "room": clean::line(&activity.room, TITLE),
        "status": words::status(lang, status_name(activity.status)),
        "cancelled": activity.status == Status::Cancelled,
        "tentative": activity.status == Status::Tentative,
        "full": activity.status == Status::Full,
        "url": clean::address(&activity.url).unwrap_or_default(),
    });
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn status_name(status: Status) -> &'static str {
    match status {
        Status::Cancelled => "cancelled",
        Status::Tentative => "tentative",
        Status::Full => "full",
        Status::Confirmed | Status::Draft => "confirmed",
    }
}

/// One line for a text that is shared.
pub(crate) fn line(activity: &Activity, lang: Lang, url: &str) -> String {
    let parts = [
        clean::line(&activity.title, TITLE),
        dates::when(lang, Span::of(activity)),
        clean::line(&activity.room, TITLE),
        url.to_owned(),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}

/// A notice to organisers; nothing where it says nothing.
pub(crate) fn notice(entity: &Entity, context: &Context<'_>, approvers: bool) -> Option<Value> {
    let said = |name: &str| {
        let both = entity.fields.get(name)?;
        let text = both[context.lang.to_string()].as_str().or(both.as_str())?;
        Some(clean::prose(text, 4_000).0)
    };
    let mut view = scene(context);
    view.insert("text".into(), json!(said("text")?));
    view.insert("mend".into(), json!(said("mend").unwrap_or_default()));
    view.insert("closed".into(), json!(entity.text("state") == "closed"));
    let hold = (approvers && entity.text("code") == "hold").then(|| entity.text("about"));
    let short: String = hold.unwrap_or_default().chars().take(8).collect();
    view.insert("hold".into(), json!(short));
    Some(Value::Object(view))
}

/// What moved since people were told, one line each; nothing where nothing did.
pub(crate) fn moved(entity: &Entity, before: &Fields, context: &Context<'_>) -> Option<Value> {
    let lang = context.lang;
    let now = raccord_model::told_of(entity);
    let differs = |names: &[&str]| names.iter().any(|name| before.get(*name) != now.get(*name));
    let mut changes = Vec::new();
    if differs(&["status"]) {
        let of = |fields: &Fields| {
            let status = fields.get("status").and_then(Value::as_str);
            words::status(lang, status.unwrap_or("confirmed"))
        };
        changes.push(json!({ "what": words::moved(lang, "status"), "before": of(before), "after": of(&now) }));
    }
    if differs(&["start", "end"]) {
        let of = |fields: &Fields| {
            let mut known = entity.clone();
            for name in ["start", "end"] {
                known.fields.remove(name);
                known.fields.extend(
                    fields
                        .get(name)
                        .map(|value| (name.to_owned(), value.clone())),
                );
            }
            Activity::of(&known)
                .map(|activity| dates::when(lang, Span::of(&activity)))
                .unwrap_or_default()
        };
        changes.push(
            json!({ "what": words::moved(lang, "start"), "before": of(before), "after": of(&now) }),
        );
    }
    if differs(&["room"]) {
        let of = |fields: &Fields| {
            clean::line(
                fields
                    .get("room")
                    .and_then(Value::as_str)
                    .unwrap_or_default(),
                TITLE,
            )
        };
        changes.push(
            json!({ "what": words::moved(lang, "room"), "before": of(before), "after": of(&now) }),
        );
    }
    if changes.is_empty() {
        return None;
    }
    let mut view = scene(context);
    view.insert(
        "title".into(),
        json!(clean::line(entity.text("title"), TITLE)),
    );
    view.insert("changes".into(), Value::Array(changes));
    Some(Value::Object(view))
}

/// The activities and tasks of a list.
pub struct Members<'a> {
    /// Each with what is known of its hours.
    pub activities: Vec<(&'a Entity, Activity)>,
    /// Each with the activity it belongs to.
    pub tasks: Vec<(&'a Entity, Option<EntityId>)>,
    /// Names of people who agreed that they are shown.
    names: BTreeMap<String, String>,
}

impl<'a> Members<'a> {
    /// Tells them apart.
    pub fn of(members: &'a [Entity]) -> Self {
        let of_kind = |kind| members.iter().filter(move |entity| entity.kind == kind);
        let activities = of_kind(EntityKind::Activity)
            .filter_map(|entity| Some((entity, Activity::of(entity)?)))
            .collect();
        let tasks = of_kind(EntityKind::Task)
            .map(|task| (task, task.text("activity").parse().ok()))
            .collect();
        let names = of_kind(EntityKind::Person)
            .map(|person| {
                (
                    person.id.to_string(),
                    clean::line(person.text("name"), NAME),
                )
            })
            .collect();
        Self {
            activities,
            tasks,
            names,
        }
    }

    /// Those that take place on a day from `first` to `last`, called off or not.
    pub fn between(
        &self,
        first: Date,
        last: Date,
    ) -> impl Iterator<Item = &(&'a Entity, Activity)> {
        self.activities.iter().filter(move |(_, activity)| {
            let (from, to) = match Span::of(activity) {
                Span::Days(from, to) => (from, to),
                Span::Hours(from, to) => (from.date(), to.unwrap_or(from).date()),
            };
            from <= last && to >= first
        })
    }

    /// The activity of a task.
    pub(crate) fn activity_of(&self, parent: Option<EntityId>) -> Option<&Activity> {
        let mut all = self.activities.iter();
        let known = all.find(|(entity, _)| Some(entity.id) == parent);
        known.map(|(_, activity)| activity)
    }

    /// How many are on something, and those of them who agreed to be named: "Ana, Lou".
    pub(crate) fn on(&self, entity: &Entity) -> (usize, String) {
        let people = entity.fields.get("people").and_then(Value::as_array);
        let people: Vec<&str> = people
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let named = people.iter().filter_map(|id| self.names.get(*id));
        let named: Vec<&str> = named.take(NAMED).map(String::as_str).collect();
        (people.len(), named.join(", "))
    }

    /// The tasks due by `last`, soonest first.
    pub fn work(&self, last: Date) -> Vec<Value> {
        let mut all: Vec<(Civil, Value)> = self
            .tasks
            .iter()
            .filter_map(|(task, parent)| {
                let activity = self.activity_of(*parent);
                if activity.is_some_and(|activity| activity.status == Status::Cancelled) {
                    return None;
                }
                let due = task.text("due").parse().ok();
                let start: Civil = due.or(activity.map(|activity| activity.start))?;
                (start.date() <= last).then(|| (start, self.task(task, activity, start)))
            })
            .collect();
        all.sort_by_key(|(start, _)| *start);
        all.into_iter().map(|(_, task)| task).collect()
    }

    fn task(&self, task: &Entity, activity: Option<&Activity>, start: Civil) -> Value {
        let (taken, names) = self.on(task);
        let number = |name: &str| task.fields.get(name).and_then(Value::as_u64);
        json!({
            "id": task.id,
            "title": clean::line(task.text("title"), TITLE),
            "activity": activity.map(|activity| clean::line(&activity.title, TITLE)).unwrap_or_default(),
            "start": start.to_string(),
            "taken": taken,
            "names": names,
            "capacity": number("capacity").unwrap_or_default(),
            "missing": hands_missing(task, taken as u64),
            "guide": clean::address(task.text("guide")).unwrap_or_default(),
            "write": "",
        })
    }
}

/// Activities by the day they begin, or by `first` where they began before; `item` says what is shown
/// of each.
pub fn by_day<'m>(
    items: impl Iterator<Item = &'m (&'m Entity, Activity)>,
    first: Date,
    lang: Lang,
    item: impl Fn(&Activity, Lang) -> Map<String, Value>,
) -> Vec<Value> {
    let mut days: Vec<(Date, Vec<Value>)> = Vec::new();
    for (_, activity) in items.take(LISTED) {
        let day = activity.start.date().max(first);
        let item = Value::Object(item(activity, lang));
        match days.iter_mut().find(|(known, _)| *known == day) {
            Some((_, items)) => items.push(item),
            None => days.push((day, vec![item])),
        }
    }
    days.sort_by_key(|(day, _)| *day);
    let named = |(day, items)| json!({ "day": dates::day(lang, day), "items": items });
    days.into_iter().map(named).collect()
}

/// The month's programme; nothing where nothing takes place.
pub(crate) fn month(key: &str, members: &[Entity], context: &Context<'_>) -> Option<Value> {
    let first: Date = format!("{key}-01").parse().ok()?;
    let all = Members::of(members);
    let days = by_day(
        all.between(first, first.last_of_month()),
        first,
        context.lang,
        shown,
    );
    if days.is_empty() {
        return None;
    }
    let mut view = scene(context);
    view.insert(
        "heading".into(),
        json!(words::heading(context.lang, Heading::Month, first)),
    );
    view.insert("days".into(), Value::Array(days));
    Some(Value::Object(view))
}

/// What takes place in the seven days that begin today; nothing where nothing does.
pub(crate) fn week(members: &[Entity], context: &Context<'_>) -> Option<Value> {
    let (lang, today) = (context.lang, context.today);
    let last = today.checked_add(jiff::Span::new().days(6)).ok()?;
    let all = Members::of(members);
    let on = || {
        all.between(today, last)
            .filter(|(_, activity)| activity.status != Status::Cancelled)
    };
    let days = by_day(on(), today, lang, shown);
    if days.is_empty() {
        return None;
    }
    let heading = words::heading(lang, Heading::Week, today);
    let mut lines = vec![heading.clone()];
    lines.extend(on().map(|(_, activity)| format!("• {}", line(activity, lang, ""))));
    lines.push(context.place.public_url.clone());
    let mut view = scene(context);
    view.insert("heading".into(), json!(heading));
    view.insert("days".into(), Value::Array(days));
    view.extend(shared(&lines));
    Some(Value::Object(view))
}

/// The tasks of the next two weeks that lack hands; nothing where none does.
pub(crate) fn hands(members: &[Entity], context: &Context<'_>) -> Option<Value> {
    let (lang, today) = (context.lang, context.today);
    let last = today.checked_add(jiff::Span::new().days(13)).ok()?;
    let mut tasks = Members::of(members).work(last);
    tasks.retain(|task| task["missing"] != 0);
    tasks.truncate(LISTED);
    if tasks.is_empty() {
        return None;
    }
    let heading = words::heading(lang, Heading::Hands, today);
    let mut lines = vec![heading.clone()];
    lines.extend(tasks.iter().map(|task| {
        let start: Option<Civil> = task["start"].as_str().and_then(|start| start.parse().ok());
        let day = start
            .map(|start| dates::day(lang, start.date()))
            .unwrap_or_default();
        format!("• {day} · {}", task["title"].as_str().unwrap_or_default())
    }));
    lines.push(context.place.public_url.clone());
    let mut view = scene(context);
    view.insert("heading".into(), json!(heading));
    view.insert("tasks".into(), Value::Array(tasks));
    view.extend(shared(&lines));
    Some(Value::Object(view))
}

fn shared(lines: &[String]) -> [(String, Value); 2] {
    let lines: Vec<&str> = lines
        .iter()
        .map(String::as_str)
        .filter(|line| !line.is_empty())
        .collect();
    let text = lines.join("\n");
    [
        ("share_link".to_owned(), json!(words::share_link(&text))),
        ("share_text".to_owned(), json!(text)),
    ]
}

/// A view with everything that form can name: templates are tried on it.
pub(crate) fn sample(form: Form) -> Value {
    let mut view = json!({ "lang": "fr", "today": "2027-01-02", "place": "La Raffinerie", "more": "https://programme.example.org" });
    let item = json!({
        "id": "00000000-0000-0000-0000-000000000001", "title": "Concert de jazz", "kind": "Concert",
        "start": "2027-01-02T20:30", "end": "2027-01-02T23:00", "when": "samedi 2 janvier 2027, 20 h 30 – 23 h",
        "hours": "20 h 30 – 23 h", "room": "Grande salle", "status": "confirmé",
        "cancelled": false, "tentative": false, "full": true, "url": "https://example.org/jazz",
    });
    let task = json!({
        "title": "Tenir le bar", "activity": "Concert de jazz", "start": "2027-01-02T20:30",
        "taken": 1, "names": "Ana", "capacity": 3, "missing": 2, "guide": "https://wiki.example.org/bar",
        "id": "00000000-0000-0000-0000-000000000002", "write": "!inscription 00000000",
    });
    let shared = json!({ "share_link": "https://wa.me/?text=Concert", "share_text": "Concert" });
    let days = json!([{ "day": "samedi 2 janvier", "items": [item.clone()] }]);
    let more = match form {
        Form::Announcement => vec![
            item,
            shared,
            json!({
                "description": "Un plat à partager.", "organiser": "Lou", "guide": "https://wiki.example.org/bar",
                "capacity": 80, "tags": ["musique"], "reaction": "✅",
                "register": "https://tickets.example.org/jazz",
            }),
        ],
        Form::Notice => vec![
            json!({ "text": "Trois lignes manquent.", "mend": "Regardez.", "closed": false, "hold": "3f2a1b4c" }),
        ],
        Form::Reply => vec![json!({
            "title": "Concert de jazz",
            "changes": [{ "what": "Quand", "before": "samedi", "after": "dimanche" }, { "what": "Lieu", "before": "Cour", "after": "" }],
        })],
        Form::Week => vec![shared, json!({ "heading": "Cette semaine", "days": days })],
        Form::Hands => vec![shared, json!({ "heading": "Des mains", "tasks": [task] })],
        Form::Month => vec![json!({ "heading": "Programme de janvier 2027", "days": days })],
        Form::Answer => {
            let mut item = item;
            for (name, value) in [
                ("taken", json!(2)),
                ("names", json!("Lou")),
                ("write", json!("")),
            ] {
                item[name] = value;
            }
            vec![json!({
                "said": "C’est noté.", "heading": "Ce qui vient", "hint": "Écrivez « !qui ».", "empty": false,
                "link": true, "items": [item], "tasks": [task],
            })]
        }
        Form::Mine => vec![json!({
            "said": "Cela a changé.", "title": "Tenir le bar", "line": "Tenir le bar · samedi 2 janvier",
            "changes": [{ "what": "Quand", "before": "samedi", "after": "dimanche" }],
            "hint": "Vous ne pouvez pas venir ?",
        })],
        Form::Liked => vec![
            json!({ "heading": "Des mains", "tasks": [task], "hint": "Pour ne plus le savoir…" }),
        ],
    };
    if let Value::Object(view) = &mut view {
        for part in more {
            if let Value::Object(part) = part {
                view.extend(part);
            }
        }
    }
    view
}
