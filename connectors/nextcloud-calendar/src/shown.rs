//! What a calendar should show of an activity or a task: made from the entity alone, without
//! knowing what stands in the calendar.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use raccord_look::clean;
use raccord_model::{
    Activity, Authority, Civil, Context, Digest, Entity, Hands, Lang, Route, Status, Visibility,
    Words, digest_of, usual_authority,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{hands, words};

/// The longest description that is written, in characters.
const DESCRIPTION: usize = 4_000;

/// An entry as it should be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shown {
    /// Event or task.
    pub(crate) form: Form,
    /// Its UID, for life.
    pub(crate) uid: String,
    /// The file it stands in, for life.
    pub(crate) file: String,
    /// The calendar, as the route or the settings name it.
    pub(crate) calendar: String,
    pub(crate) title: String,
    /// None only for tasks without a day.
    pub(crate) start: Option<Civil>,
    pub(crate) end: Option<Civil>,
    pub(crate) zone: String,
    pub(crate) room: String,
    /// The description, line by line.
    pub(crate) text: Vec<String>,
    /// What is said below it, line by line.
    pub(crate) notes: Vec<String>,
    /// The tasks of the activity, line by line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) hands: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) url: String,
    pub(crate) status: String,
    pub(crate) priority: Option<u8>,
    /// The UID of the activity a task belongs to.
    pub(crate) parent: Option<String>,
    /// Who runs it: a name, and the address the settings give.
    pub(crate) organiser: Option<(String, String)>,
    /// Whose word counts, by field; what is not named is ours.
    #[serde(default)]
    pub(crate) authority: BTreeMap<String, Authority>,
}

/// What kind of component it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Form {
    Event,
    Task,
}

impl Form {
    /// The component's name.
    pub(crate) fn component(self) -> &'static str {
        match self {
            Self::Event => "VEVENT",
            Self::Task => "VTODO",
        }
    }
}

/// What the settings add.
pub(crate) struct Manner<'a> {
    /// The calendar where no route names one.
    pub(crate) calendar: &'a str,
    /// The address ORGANIZER carries, if it is to be written.
    pub(crate) organiser: Option<&'a str>,
    /// Whether the description of an activity tells its tasks.
    pub(crate) tasks_told: bool,
}

impl Shown {
    /// What is to be seen of an activity; nothing where it is not for this calendar.
    pub(crate) fn activity(
        entity: &Entity,
        tasks: &[Hands],
        context: &Context<'_>,
        manner: &Manner<'_>,
    ) -> Option<Self> {
        let activity = Activity::of(entity)?;
        // Only who was told where internal ones go may see them.
        let hidden = activity.visibility == Visibility::Internal && context.route.is_none();
        if activity.status == Status::Draft || hidden {
            return None;
        }
        let lang = context.lang;
        let whole = activity.all_day || matches!(activity.start, Civil::Day(_));
        let of_day = |civil: Civil| {
            if whole {
                Civil::Day(civil.date())
            } else {
                civil
            }
        };
        let start = of_day(activity.start);
        let end = activity
            .end
            .map(of_day)
            .filter(|end| same_sort(start, *end) && *end > start);
        let organiser = clean::line(&activity.organiser, 200);
        let mut notes = Vec::new();
        notes.extend(words::mark(lang, activity.status).map(str::to_owned));
        if !organiser.is_empty() {
            notes.push(words::labelled(lang, words::ORGANISER, &organiser));
        }
        if let Some(page) = clean::address(&activity.register) {
            notes.push(words::labelled(lang, words::REGISTER, page));
        }
        if let Some(guide) = clean::address(&activity.guide) {
            notes.push(words::labelled(lang, words::GUIDE, guide));
        }
        let hands = if manner.tasks_told {
            hands::lines(tasks, &activity, lang, context.route)
        } else {
            Vec::new()
        };
        let categories = [&activity.kind]
            .into_iter()
            .chain(&activity.tags)
            .map(|text| clean::line(text, 100))
            .filter(|text| !text.is_empty())
            .take(20)
            .collect();
        Some(Self {
            form: Form::Event,
            uid: uid(entity, context),
            file: file(entity),
            calendar: calendar(context, manner),
            title: clean::line(&activity.title, 1_000),
            start: Some(start),
            end,
            zone: zone(&activity.zone, context),
            room: clean::line(&activity.room, 1_000),
            text: prose(&activity.description),
            notes,
            hands,
            categories,
            url: clean::address(&activity.url).unwrap_or_default().to_owned(),
            status: match activity.status {
                Status::Cancelled => "CANCELLED",
                Status::Tentative => "TENTATIVE",
                Status::Confirmed | Status::Full | Status::Draft => "CONFIRMED",
            }
            .to_owned(),
            priority: None,
            parent: None,
            organiser: manner.organiser.map(|mail| (organiser, mail.to_owned())),
            authority: authority(context.route, Form::Event),
        })
    }

    /// What is to be seen of a task of `parent`.
    pub(crate) fn task(
        entity: &Entity,
        parent: Option<&Entity>,
        tasks: &[Hands],
        context: &Context<'_>,
        manner: &Manner<'_>,
    ) -> Option<Self> {
        let activity = parent.and_then(Activity::of);
        let seen = |value: &str| value == "internal" && context.route.is_none();
        let hidden = activity.as_ref().is_some_and(|activity| {
            activity.status == Status::Draft
                || activity.visibility == Visibility::Internal && context.route.is_none()
        });
        if hidden || seen(entity.text("visibility")) {
            return None;
        }
        let due: Option<Civil> = entity.text("due").parse().ok();
        let start = due.or_else(|| activity.as_ref().map(|activity| activity.start));
        let own = entity.text("zone");
        let zone_name = match &activity {
            Some(activity) if own.is_empty() => activity.zone.as_str(),
            _ => own,
        };
        let mut notes = Vec::new();
        if let Some(activity) = &activity {
            notes.push(words::labelled(
                context.lang,
                words::FOR,
                &clean::line(&activity.title, 300),
            ));
        }
        let people = tasks.iter().find(|one| one.task.id == entity.id);
        if let Some(people) = people.and_then(|one| hands::sign_ups(one, context.lang)) {
            notes.push(words::labelled(context.lang, words::SIGN_UPS, &people));
        }
        let guide = clean::address(entity.text("guide"));
        let gone = activity
            .as_ref()
            .is_some_and(|activity| activity.status == Status::Cancelled);
        let number = |name: &str| entity.fields.get(name).and_then(Value::as_u64);
        Some(Self {
            form: Form::Task,
            uid: uid(entity, context),
            file: file(entity),
            calendar: calendar(context, manner),
            title: clean::line(entity.text("title"), 1_000),
            start,
            end: None,
            zone: zone(zone_name, context),
            room: clean::line(entity.text("room"), 1_000),
            text: prose(entity.text("description")),
            notes,
            hands: Vec::new(),
            categories: Vec::new(),
            url: guide
                .or_else(|| clean::address(entity.text("url")))
                .unwrap_or_default()
                .to_owned(),
            status: match entity.text("state") {
                "done" => "COMPLETED",
                "cancelled" => "CANCELLED",
                _ if gone => "CANCELLED",
                "taken" => "IN-PROCESS",
                _ => "NEEDS-ACTION",
            }
            .to_owned(),
            priority: number("priority").and_then(|priority| u8::try_from(priority).ok()),
            parent: parent.map(|parent| uid(parent, context)),
            organiser: None,
            authority: authority(context.route, Form::Task),
        })
    }

    /// Digest of all that makes a difference in the calendar.
    pub(crate) fn hash(&self) -> Digest {
        match serde_json::to_value(self) {
            Ok(Value::Object(mut map)) => {
                map.remove("authority");
                digest_of(&map.into_iter().collect())
            }
            _ => Digest::default(),
        }
    }

    /// What will be seen, in a line.
    pub(crate) fn seen(&self) -> Words {
        let text = |lang| {
            let mut parts: Vec<String> = self
                .start
                .map(|start| words::when(lang, start, self.end))
                .into_iter()
                .collect();
            if !self.room.is_empty() {
                parts.push(self.room.clone());
            }
            parts.push(self.calendar.clone());
            parts.join(" · ")
        };
        Words::new(text(Lang::Fr), text(Lang::En))
    }

    /// The zone its moments are in.
    pub(crate) fn time_zone(&self) -> TimeZone {
        TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC)
    }

    /// Whose word counts for `field`.
    pub(crate) fn authority(&self, field: &str) -> Authority {
        self.authority
            .get(field)
            .copied()
            .unwrap_or(Authority::Ours)
    }
}

/// The UID of an entity, the same as on the place's web site: who follows both sees it once.
fn uid(entity: &Entity, context: &Context<'_>) -> String {
    format!("{}@{}.raccord", entity.id, context.place.id)
}

/// Whether a UID is one of ours, whichever place made it.
pub(crate) fn is_our_uid(uid: &str) -> bool {
    uid.ends_with(".raccord") && uid.contains('@')
}

fn file(entity: &Entity) -> String {
    format!("{}.ics", entity.id)
}

fn calendar(context: &Context<'_>, manner: &Manner<'_>) -> String {
    let routed = context.route.and_then(|route| route.calendar.as_deref());
    routed.unwrap_or(manner.calendar).to_owned()
}

/// The first of these zones that is known: its own, the place's, UTC.
fn zone(own: &str, context: &Context<'_>) -> String {
    [own, &context.place.zone]
        .into_iter()
        .find(|name| plain(name) && TimeZone::get(name).is_ok())
        .unwrap_or("Etc/UTC")
        .to_owned()
}

/// Names of the zone database only: no path, no POSIX rule.
fn plain(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+'))
}

fn prose(text: &str) -> Vec<String> {
    let (text, _) = clean::prose(text, DESCRIPTION);
    if text.is_empty() {
        return Vec::new();
    }
    text.split('\n').map(str::to_owned).collect()
}

fn same_sort(one: Civil, other: Civil) -> bool {
    one.time().is_some() == other.time().is_some()
}

/// Whose word counts for each field that is compared; tasks have other names for two of them.
fn authority(route: Option<&Route>, form: Form) -> BTreeMap<String, Authority> {
    let whose = |field: &str| {
        let name = match (form, field) {
            (Form::Task, "start") => "due",
            (Form::Task, "status") => "state",
            (_, field) => field,
        };
        match route {
            Some(route) => route.authority(name),
            None => usual_authority(name),
        }
    };
    crate::merge::FIELDS
        .iter()
        .map(|field| ((*field).to_owned(), whose(field)))
        .collect()
}
