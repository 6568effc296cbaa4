//! What answers say, and messages to one person: what became of a sign-up, who is on what, how
//! somebody is told.

use jiff::civil::Date;
use raccord_look::clean;
use raccord_look::dates::{self, Span};
use raccord_model::{
    Activity, Civil, Context, Deed, Entity, EntityId, EntityKind, Fields, Lang, Saying, Status, Way,
};
use serde_json::{Value, json};

use crate::view::{self, Members, TITLE, scene, shown};
use crate::words::{self, Heading};

/// How many things an answer lists.
const ANSWERED: usize = 12;
/// How many signs of an id name it.
const SIGNS: usize = 8;

/// The answer to a question, or to a reaction.
pub(crate) fn answer(saying: &Saying<'_>, context: &Context<'_>) -> Option<Value> {
    let Saying::Answer {
        message,
        said,
        deed,
        members,
        ..
    } = saying
    else {
        return None;
    };
    let lang = context.lang;
    let all = Members::of(members);
    let ask = message.text("ask");
    let mut view = scene(context);
    let (mut heading, mut items, mut tasks) = (None, Vec::new(), Vec::new());
    let mut text = said.map(|said| said.get(lang).to_owned());
    let mut hint = String::new();
    match deed {
        None if said.is_some() => {}
        None => {
            (heading, items, tasks) = list(ask, &all, context)?;
            if ask == "signup" {
                hint = pick(
                    lang,
                    "Pour vous inscrire, écrivez par exemple «\u{a0}!inscription bar samedi\u{a0}».",
                    "To sign up, write for example “!signup bar Saturday”.",
                );
            }
        }
        Some(Deed::Several(candidates)) => {
            text = Some(pick(
                lang,
                "Plusieurs choses conviennent. Écrivez l’une de ces lignes\u{a0}:",
                "Several things fit. Write one of these lines:",
            ));
            (items, tasks) = candidates_of(candidates, &all, ask, lang);
        }
        Some(Deed::Nothing) if ask != "signoff" => {
            let nothing = pick(
                lang,
                "Rien de ce qui vient ne s’appelle ainsi.",
                "Nothing that is coming is called so.",
            );
            text = Some(nothing);
            (heading, items, tasks) = list(ask, &all, context)?;
        }
        Some(deed) => {
            text = Some(deed_words(deed, lang));
            let (subject, off) = match deed {
                Deed::On(subject) | Deed::Waits(subject, _) => (Some(*subject), true),
                Deed::Off(subject) | Deed::Cannot(subject, _) => (Some(*subject), false),
                _ => (None, false),
            };
            let line = subject.and_then(|id| subject_line(id, &all, lang));
            if let Some(line) = line {
                text = text.map(|text| format!("{text} {line}"));
            }
            if let Some(id) = subject.filter(|_| off) {
                hint = sign_off(id, lang);
            }
        }
    }
    let lists = heading.is_some() && (!items.is_empty() || !tasks.is_empty());
    let heading = heading.filter(|_| lists || text.is_none());
    view.insert(
        "empty".into(),
        json!(heading.is_some() && items.is_empty() && tasks.is_empty()),
    );
    view.insert("link".into(), json!(heading.is_some()));
    let heading = heading.map(|heading| words::heading(lang, heading, context.today));
    view.insert("heading".into(), json!(heading.unwrap_or_default()));
    let text = text.unwrap_or_default();
    view.insert("said".into(), json!(clean::prose(&text, 2_000).0));
    view.insert("hint".into(), json!(hint));
    view.insert("items".into(), Value::Array(items));
    view.insert("tasks".into(), Value::Array(tasks));
    Some(Value::Object(view))
}

/// What is asked for without a word more.
fn list(
    ask: &str,
    all: &Members<'_>,
    context: &Context<'_>,
) -> Option<(Option<Heading>, Vec<Value>, Vec<Value>)> {
    let lang = context.lang;
    let last = context.today.checked_add(jiff::Span::new().days(30)).ok()?;
    let listed = |takes: &dyn Fn(&Entity, &Activity) -> bool| -> Vec<Value> {
        let coming = all.activities.iter();
        coming
            .filter(|(_, activity)| activity.status != Status::Cancelled)
            .filter(|(entity, activity)| takes(entity, activity))
            .take(ANSWERED)
            .map(|(entity, activity)| item(entity, activity, all, lang))
            .collect()
    };
    let (heading, items, mut tasks) = match ask {
        "signup" => {
            // Elsewhere at its own page, or here where there are places left.
            let open = |entity: &Entity, activity: &Activity| {
                let most = activity.capacity.map(usize::try_from);
                let free = most.is_some_and(|most| most.is_ok_and(|most| all.on(entity).0 < most));
                !activity.url.is_empty() || free && activity.status != Status::Full
            };
            let mut tasks = all.work(last);
            tasks.retain(|task| task["missing"] != 0);
            (Heading::Signup, listed(&open), tasks)
        }
        "who" => {
            let taken = |entity: &Entity, _: &Activity| all.on(entity).0 > 0;
            (Heading::Who, listed(&taken), all.work(last))
        }
        _ => (Heading::Coming, listed(&|_, _| true), Vec::new()),
    };
    tasks.truncate(ANSWERED);
    Some((Some(heading), items, tasks))
}

/// An activity of a list, with who is on it.
fn item(entity: &Entity, activity: &Activity, all: &Members<'_>, lang: Lang) -> Value {
    let mut item = shown(activity, lang);
    let (taken, names) = all.on(entity);
    item.insert("taken".into(), json!(taken));
    item.insert("names".into(), json!(names));
    item.insert("write".into(), json!(""));
    Value::Object(item)
}

/// Those that fit, each with the line that names it alone.
fn candidates_of(
    candidates: &[EntityId],
    all: &Members<'_>,
    ask: &str,
    lang: Lang,
) -> (Vec<Value>, Vec<Value>) {
    let command = match (ask, lang) {
        ("signoff", Lang::Fr) => "!désinscription",
        ("signoff", Lang::En) => "!signoff",
        (_, Lang::Fr) => "!inscription",
        (_, Lang::En) => "!signup",
    };
    let named = |mut value: Value, id: EntityId| {
        value["write"] = json!(format!("{command} {}", short(id)));
        value
    };
    let items = all.activities.iter();
    let items = items.filter(|(entity, _)| candidates.contains(&entity.id));
    let items = items.map(|(entity, activity)| named(item(entity, activity, all, lang), entity.id));
    let mut tasks = all.work(Date::MAX);
    tasks.retain(|task| {
        let id = task["id"].as_str().and_then(|id| id.parse().ok());
        id.is_some_and(|id: EntityId| candidates.contains(&id))
    });
    let tasks = tasks.into_iter().filter_map(|task| {
        let id = task["id"].as_str()?.parse().ok()?;
        Some(named(task, id))
    });
    (
        items.take(ANSWERED).collect(),
        tasks.take(ANSWERED).collect(),
    )
}

fn short(id: EntityId) -> String {
    id.to_string().chars().take(SIGNS).collect()
}

fn pick(lang: Lang, fr: &str, en: &str) -> String {
    match lang {
        Lang::Fr => fr.to_owned(),
        Lang::En => en.to_owned(),
    }
}

/// How one signs off.
fn sign_off(id: EntityId, lang: Lang) -> String {
    let id = short(id);
    match lang {
        Lang::Fr => format!(
            "Vous ne pouvez plus venir\u{202f}? Écrivez «\u{a0}!désinscription {id}\u{a0}» dans un salon où je lis."
        ),
        Lang::En => format!("You cannot come after all? Write “!signoff {id}” in a room I read."),
    }
}

/// What something is called, with its activity and when it is.
fn subject_line(id: EntityId, all: &Members<'_>, lang: Lang) -> Option<String> {
    let mut activities = all.activities.iter();
    if let Some((_, activity)) = activities.find(|(entity, _)| entity.id == id) {
        return Some(view::line(activity, lang, ""));
    }
    let (task, parent) = all.tasks.iter().find(|(task, _)| task.id == id)?;
    Some(task_line(task, all.activity_of(*parent), lang))
}

fn task_line(task: &Entity, activity: Option<&Activity>, lang: Lang) -> String {
    let due: Option<Civil> = task.text("due").parse().ok();
    let when = activity
        .map(|activity| dates::when(lang, Span::of(activity)))
        .or_else(|| Some(dates::day(lang, due?.date())));
    let of = activity.map(|activity| clean::line(&activity.title, TITLE));
    let parts = [Some(clean::line(task.text("title"), TITLE)), of, when];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(" · ")
}

/// What became of it, in words.
fn deed_words(deed: &Deed<'_>, lang: Lang) -> String {
    match (deed, lang) {
        (Deed::On(_), Lang::Fr) => "C’est noté, vous avez une place\u{a0}:".to_owned(),
        (Deed::On(_), Lang::En) => "Done, you have a place:".to_owned(),
        (Deed::Waits(_, at), Lang::Fr) => format!(
            "C’est complet\u{a0}: vous êtes sur la liste d’attente, en position {at}. La première place libre revient à qui attend depuis le plus longtemps."
        ),
        (Deed::Waits(_, at), Lang::En) => format!(
            "It is full: you are on the waiting list, in position {at}. A place that becomes free goes to whoever has waited longest."
        ),
        (Deed::Off(_), Lang::Fr) => "C’est noté, vous n’y êtes plus\u{a0}:".to_owned(),
        (Deed::Off(_), Lang::En) => "Done, you are not on it any more:".to_owned(),
        (Deed::Cannot(_, why), Lang::Fr) => {
            format!("Ce n’est pas possible, {}\u{a0}:", why.get(lang))
        }
        (Deed::Cannot(_, why), Lang::En) => format!("That cannot be done, {}:", why.get(lang)),
        (Deed::Nothing | Deed::Several(_), Lang::Fr) => {
            "Vous n’avez pas d’inscription qui s’appelle ainsi.".to_owned()
        }
        (Deed::Nothing | Deed::Several(_), Lang::En) => {
            "You have no sign-up that is called so.".to_owned()
        }
        (Deed::Unsaid, Lang::Fr) => {
            "Dites aussi de quoi\u{a0}: «\u{a0}!désinscription bar samedi\u{a0}».".to_owned()
        }
        (Deed::Unsaid, Lang::En) => "Say what it is, too: “!signoff bar Saturday”.".to_owned(),
        (Deed::Stranger, Lang::Fr) => {
            "Je ne sais pas encore qui vous êtes ici. Demandez un code à l’équipe, puis écrivez «\u{a0}!moi\u{a0}» suivi de ce code dans un salon où je lis\u{a0}: une seule fois suffit.".to_owned()
        }
        (Deed::Stranger, Lang::En) => {
            "I do not know yet who you are here. Ask the team for a code, then write “!me” followed by that code in a room I read: once is enough.".to_owned()
        }
        (Deed::Known, Lang::Fr) => {
            "Je sais qui vous êtes ici. «\u{a0}!inscription\u{a0}» dit où il manque des mains, «\u{a0}!prévenir\u{a0}» comment vous êtes au courant.".to_owned()
        }
        (Deed::Known, Lang::En) => {
            "I know who you are here. “!signup” tells where hands are missing, “!notify” how you are told.".to_owned()
        }
        (Deed::WrongCode, Lang::Fr) => {
            "Ce code ne convient pas\u{a0}: il a servi, il a plus d’un jour, ou un signe est faux. Demandez-en un autre à l’équipe.".to_owned()
        }
        (Deed::WrongCode, Lang::En) => {
            "This code is no good: it was used, it is older than a day, or a sign is wrong. Ask the team for another.".to_owned()
        }
        (Deed::NoWay, lang) => told_usage(lang).to_owned(),
        (Deed::Told { way, likes, served }, lang) => told(*way, likes, *served, lang),
    }
}

fn told_usage(lang: Lang) -> &'static str {
    match lang {
        Lang::Fr => {
            "Pour choisir\u{a0}: «\u{a0}!prévenir chat\u{a0}», «\u{a0}!prévenir mail\u{a0}», «\u{a0}!prévenir sms\u{a0}» ou «\u{a0}!prévenir rien\u{a0}», suivi si vous voulez de ce que vous aimez faire\u{a0}: «\u{a0}!prévenir chat bar, cuisine\u{a0}»."
        }
        Lang::En => {
            "To choose: “!notify chat”, “!notify mail”, “!notify sms” or “!notify nothing”, and behind it, if you want, what you like to do: “!notify chat bar, kitchen”."
        }
    }
}

/// How somebody is told from now on.
fn told(way: Option<Way>, likes: &[String], served: bool, lang: Lang) -> String {
    let how = match (way, lang) {
        (None, Lang::Fr) => "Rien ne vous est envoyé.",
        (None, Lang::En) => "Nothing is sent to you.",
        (Some(Way::Chat), Lang::Fr) => {
            "Ce qui concerne vos inscriptions vous est dit ici, en message privé."
        }
        (Some(Way::Chat), Lang::En) => {
            "What concerns your sign-ups is told to you here, in a private message."
        }
        (Some(Way::Mail), Lang::Fr) => "Ce qui concerne vos inscriptions vous est dit par mail.",
        (Some(Way::Mail), Lang::En) => "What concerns your sign-ups is told to you by mail.",
        (Some(Way::Sms), Lang::Fr) => "Ce qui concerne vos inscriptions vous est dit par SMS.",
        (Some(Way::Sms), Lang::En) => "What concerns your sign-ups is told to you by text message.",
    };
    let mut text = how.to_owned();
    if way.is_some() && !likes.is_empty() {
        let kinds = match (likes, lang) {
            ([all], Lang::Fr) if all == "*" => "tout".to_owned(),
            ([all], Lang::En) if all == "*" => "everything".to_owned(),
            _ => clean::line(&likes.join(", "), TITLE),
        };
        text.push_str(match lang {
            Lang::Fr => " Une fois par semaine au plus, aussi où il manque des mains pour\u{a0}: ",
            Lang::En => " Once a week at most, also where hands are missing for: ",
        });
        text.push_str(&kinds);
        text.push('.');
    }
    if way.is_some() && !served {
        text.push_str(match lang {
            Lang::Fr => " Mais rien n’est en place pour cela, ou il manque votre numéro\u{a0}: parlez-en à l’équipe.",
            Lang::En => " But nothing is set up for that, or your number is missing: talk to the team.",
        });
    }
    text.push(' ');
    text.push_str(told_usage(lang));
    text
}

/// How somebody's sign-up stands.
pub(crate) fn mine(saying: &Saying<'_>, context: &Context<'_>) -> Option<Value> {
    let Saying::Mine {
        registration,
        subject,
        activity,
        before,
        position,
        ..
    } = saying
    else {
        return None;
    };
    let lang = context.lang;
    let parent = activity.unwrap_or(subject);
    let line = own_line(subject, *activity, lang);
    let state = registration.text("state");
    // Who signed off and comes again begins anew.
    let stood = before.and_then(|before| before.get("state")?.as_str());
    let stood = stood.filter(|state| *state != "cancelled");
    let off = parent.text("status") == "cancelled" || subject.text("state") == "cancelled";
    let said = match (state, stood) {
        ("cancelled", _) => pick(
            lang,
            "Vous n’y êtes plus\u{a0}:",
            "You are not on it any more:",
        ),
        _ if off => pick(lang, "C’est annulé\u{a0}:", "It is cancelled:"),
        ("waitlisted", Some("registered")) => pick(
            lang,
            "Il y a moins de places que prévu, vous êtes de nouveau sur la liste d’attente\u{a0}:",
            "There are fewer places than planned, you are on the waiting list again:",
        ),
        ("waitlisted", None) => match (lang, position) {
            (Lang::Fr, Some(at)) => {
                format!("Vous êtes sur la liste d’attente, en position {at}\u{a0}:")
            }
            (Lang::En, Some(at)) => format!("You are on the waiting list, in position {at}:"),
            (Lang::Fr, None) => "Vous êtes sur la liste d’attente\u{a0}:".to_owned(),
            (Lang::En, None) => "You are on the waiting list:".to_owned(),
        },
        ("registered", Some("waitlisted")) => pick(
            lang,
            "Une place s’est libérée, elle est pour vous\u{a0}:",
            "A place became free, it is yours:",
        ),
        (_, None) => pick(lang, "Vous avez une place\u{a0}:", "You have a place:"),
        _ => pick(lang, "Cela a changé\u{a0}:", "This changed:"),
    };
    let comes = !off && state != "cancelled";
    let mut view = scene(context);
    view.insert("said".into(), json!(said));
    view.insert(
        "title".into(),
        json!(clean::line(subject.text("title"), TITLE)),
    );
    view.insert("line".into(), json!(line));
    let before = before.filter(|_| comes);
    let changes = before.map(|before| changes_of(subject, parent, before, context));
    view.insert("changes".into(), json!(changes.unwrap_or_default()));
    let hint = if comes {
        sign_off(subject.id, lang)
    } else {
        String::new()
    };
    view.insert("hint".into(), json!(hint));
    Some(Value::Object(view))
}

/// What moved since somebody was told: of the activity, and by when a task is to be done.
fn changes_of(
    subject: &Entity,
    parent: &Entity,
    before: &Fields,
    context: &Context<'_>,
) -> Vec<Value> {
    let lang = context.lang;
    let moved = view::moved(parent, before, context);
    let moved = moved.and_then(|mut moved| moved["changes"].as_array_mut().map(std::mem::take));
    let mut changes = moved.unwrap_or_default();
    let was = before.get("due").and_then(Value::as_str);
    let (was, now) = (was.unwrap_or_default(), subject.text("due"));
    if was != now {
        let of = |due: &str| match due.parse() {
            Ok(Civil::Minute(at)) => dates::when(lang, Span::Hours(at, None)),
            Ok(Civil::Day(day)) => dates::day_year(lang, day),
            Err(_) => String::new(),
        };
        let what = words::moved(lang, "due");
        changes.push(json!({ "what": what, "before": of(was), "after": of(now) }));
    }
    changes
}

/// What somebody signed up for, and when and where it is.
fn own_line(subject: &Entity, activity: Option<&Entity>, lang: Lang) -> String {
    let typed = Activity::of(activity.unwrap_or(subject));
    match (subject.kind, &typed) {
        (EntityKind::Task, typed) => task_line(subject, typed.as_ref(), lang),
        (_, Some(typed)) => view::line(typed, lang, ""),
        (_, None) => clean::line(subject.text("title"), TITLE),
    }
}

/// The day before what somebody signed up for.
pub(crate) fn reminder(saying: &Saying<'_>, context: &Context<'_>) -> Option<Value> {
    let Saying::Reminder {
        subject, activity, ..
    } = saying
    else {
        return None;
    };
    let lang = context.lang;
    let mut view = scene(context);
    let said = pick(
        lang,
        "Rappel, c’est demain\u{a0}:",
        "A reminder, it is tomorrow:",
    );
    view.insert("said".into(), json!(said));
    view.insert(
        "title".into(),
        json!(clean::line(subject.text("title"), TITLE)),
    );
    let line = own_line(subject, *activity, lang);
    view.insert("line".into(), json!(line));
    view.insert("changes".into(), json!([]));
    view.insert("hint".into(), json!(sign_off(subject.id, lang)));
    Some(Value::Object(view))
}

/// Hands missing in what somebody likes; nothing where none are.
pub(crate) fn liked(members: &[Entity], context: &Context<'_>) -> Option<Value> {
    let (lang, today) = (context.lang, context.today);
    let last = today.checked_add(jiff::Span::new().days(13)).ok()?;
    let mut tasks = Members::of(members).work(last);
    tasks.retain(|task| task["missing"] != 0);
    tasks.truncate(ANSWERED);
    if tasks.is_empty() {
        return None;
    }
    for task in &mut tasks {
        let id: Option<EntityId> = task["id"].as_str().and_then(|id| id.parse().ok());
        let command = pick(lang, "!inscription", "!signup");
        task["write"] = json!(id.map(|id| format!("{command} {}", short(id))));
    }
    let mut view = scene(context);
    let heading = words::heading(lang, Heading::Liked, today);
    view.insert("heading".into(), json!(heading));
    view.insert("tasks".into(), Value::Array(tasks));
    let hint = pick(
        lang,
        "Une fois par semaine au plus. «\u{a0}!prévenir rien\u{a0}» y met fin.",
        "Once a week at most. “!notify nothing” ends it.",
    );
    view.insert("hint".into(), json!(hint));
    Some(Value::Object(view))
}

#[cfg(test)]
mod tests;
