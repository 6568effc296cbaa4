//! What is said once, in a message of its own: that something moved, a round-up at its hour, the
//! answer to a question.

use jiff::civil::{Date, DateTime, Time, Weekday};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Entity, EntityId, EntityKind, Fields, Words};

/// A message that is said once and never changed after.
#[derive(Clone, Copy, Debug)]
pub enum Saying<'a> {
    /// Date, hours, room or status of something that was announced are others now, or how a sign-up
    /// stands.
    Moved {
        /// What was announced, as it is now.
        entity: &'a Entity,
        /// What people were told last, as [`told_of`] gives it.
        before: &'a Fields,
        /// How often they were told something about it: tells one reply from the next.
        times: u32,
        /// What the tool calls the announcement.
        thread: &'a str,
    },
    /// A round-up at its hour.
    Roundup {
        /// Which.
        roundup: &'a Roundup,
        /// The civil hour it is for.
        at: DateTime,
        /// Public activities that are not over and that its route takes, by start, then title, then
        /// id; after them the open tasks of each.
        members: &'a [Entity],
    },
    /// The answer to what somebody asked in the tool.
    Answer {
        /// The message that asks.
        message: &'a Entity,
        /// What is answered where that is known already (a hold was approved). Without it the
        /// question is one about the programme.
        said: Option<&'a Words>,
        /// What became of what was asked for, where something was.
        deed: Option<Deed<'a>>,
        /// Whom alone it is for, by what the tool calls them; where nobody is named it stands where
        /// the question does.
        to: Option<&'a str>,
        /// As in a round-up; activities that people signed up for say who is on them as tasks do
        /// (`people`). Last, those of these people who agreed that their name is shown, with
        /// nothing but that. Where something was asked for, only what `deed` is about, each task
        /// with its activity.
        members: &'a [Entity],
    },
    /// How a sign-up stands, for whoever signed up alone: they chose to be told there.
    Mine {
        /// What the tool calls them: a name there, an address, a number.
        to: &'a str,
        /// The sign-up.
        registration: &'a Entity,
        /// The activity or the task.
        subject: &'a Entity,
        /// The task's activity.
        activity: Option<&'a Entity>,
        /// What they were told last: how the sign-up stood, and what [`told_of`] gives for the
        /// activity. Nothing where it is the first time.
        before: Option<&'a Fields>,
        /// The place on the waiting list, from 1.
        position: Option<u32>,
        /// How often they were told something about it.
        times: u32,
    },
    /// Hands that are missing in kinds of work somebody likes, for them alone.
    Liked {
        /// What the tool calls them.
        to: &'a str,
        /// As in a round-up; of the tasks only those they like and are not on.
        members: &'a [Entity],
    },
    /// The day before what somebody signed up for, for them alone.
    Reminder {
        /// What the tool calls them.
        to: &'a str,
        /// What they are called; may be empty.
        name: &'a str,
        /// The activity or the task.
        subject: &'a Entity,
        /// The task's activity.
        activity: Option<&'a Entity>,
    },
}

/// What became of what somebody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed<'a> {
    /// They have a place.
    On(EntityId),
    /// They wait for one, at this place of the list, from 1.
    Waits(EntityId, u32),
    /// They do not come.
    Off(EntityId),
    /// It cannot be done, and why.
    Cannot(EntityId, &'a Words),
    /// Nothing that is coming is called so; of what one signs off, nothing that they are on.
    Nothing,
    /// Several things are called so: which of the members.
    Several(&'a [EntityId]),
    /// They did not say what.
    Unsaid,
    /// Nobody knows who they are.
    Stranger,
    /// It is known now who they are, or was before.
    Known,
    /// Nobody was given this code, or it is used, or too old.
    WrongCode,
    /// How they are told from now on, or were all the time.
    Told {
        /// The way; nothing where they are told nothing.
        way: Option<Way>,
        /// The kinds of work they want to hear of.
        likes: &'a [String],
        /// Whether something that is configured here tells them so.
        served: bool,
    },
    /// There is no such way to be told.
    NoWay,
}

/// A way in which people can choose to be told what concerns them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// A message in a chat, for them alone.
    Chat,
    /// A mail.
    Mail,
    /// A short message on the phone.
    Sms,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Chat, Self::Mail, Self::Sms];

    /// The name in a person's `told`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Mail => "mail",
            Self::Sms => "sms",
        }
    }

    /// The way a person chose, where they chose one that tells them something.
    pub fn of(person: &Entity) -> Option<Self> {
        let told = person.text("told");
        Self::ALL.into_iter().find(|way| way.as_str() == told)
    }
}

/// The fields whose change is told to those who were told before.
pub const TOLD: [&str; 4] = ["start", "end", "room", "status"];

/// The version tag of a message that somebody took away: it stays away, and nothing is said in its
/// thread any more.
pub const TAKEN_AWAY: &str = "gone";

/// The field in which a sign-up brings along, for sinks only, what it is for: the activity's title
/// and values of [`TOLD`], and the task's title as `task`.
pub const ABOUT: &str = "about";

/// What people are told of `entity` when it is announced: its values of [`TOLD`], with the usual
/// status where it says none. Of a sign-up, how it stands (a place was found, or not), and the same
/// values of what it is for.
pub fn told_of(entity: &Entity) -> Fields {
    if entity.kind == EntityKind::Registration {
        let mut told = match entity.fields.get(ABOUT).and_then(Value::as_object) {
            Some(about) => told_in(|name| about.get(name)),
            None => Fields::new(),
        };
        if let Some(state) = entity.fields.get("state") {
            told.insert("state".to_owned(), state.clone());
        }
        return told;
    }
    let mut told = told_in(|name| entity.fields.get(name));
    told.entry("status".to_owned())
        .or_insert_with(|| "confirmed".into());
    told
}

fn told_in<'a>(value: impl Fn(&str) -> Option<&'a Value>) -> Fields {
    TOLD.iter()
        .filter_map(|name| Some(((*name).to_owned(), value(name)?.clone())))
        .collect()
}

/// A message at civil hours, composed of many entities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roundup {
    /// What it is about.
    pub of: RoundupOf,
    /// The hours of the week at which it is said.
    pub at: Vec<Hour>,
}

/// What a round-up is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoundupOf {
    /// What takes place in the seven days that begin with that day.
    Week,
    /// The tasks of the next two weeks that lack hands.
    Hands,
    /// The same for each person alone, of the kinds of work they like, to those who chose to be
    /// told in a way that the tool serves.
    Liked,
    /// The day before what somebody signed up for, to them alone. Said without a route too, at its
    /// usual hour; a route says another, or none.
    Reminder,
}

impl RoundupOf {
    /// Its name in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Hands => "hands",
            Self::Liked => "liked",
            Self::Reminder => "reminder",
        }
    }
}

/// A civil hour of every week, or of every day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Hour {
    /// The day of the week, Monday being 0; every day where none is named.
    day: Option<i8>,
    /// The hour.
    time: Time,
}

const DAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];
const JOURS: [&str; 7] = [
    "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche",
];

impl Hour {
    /// The first such moment after `moment`.
    pub fn after(self, moment: DateTime) -> Option<DateTime> {
        (0..=7).find_map(|days| {
            let date = moment
                .date()
                .checked_add(jiff::Span::new().days(days))
                .ok()?;
            let at = date.to_datetime(self.time);
            (at > moment && self.is_on(date.weekday())).then_some(at)
        })
    }

    /// An hour of every day.
    pub const fn daily(time: Time) -> Self {
        Self { day: None, time }
    }

    /// This hour of a day, whichever day of the week it names.
    pub const fn on(self, date: Date) -> DateTime {
        date.to_datetime(self.time)
    }

    /// Whether it is one of each week, and not of each day.
    pub const fn is_weekly(self) -> bool {
        self.day.is_some()
    }

    fn is_on(self, weekday: Weekday) -> bool {
        self.day
            .is_none_or(|day| day == weekday.to_monday_zero_offset())
    }
}

impl std::fmt::Display for Hour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(day) = self.day {
            write!(f, "{} ", DAYS[day.unsigned_abs() as usize % 7])?;
        }
        write!(f, "{:02}:{:02}", self.time.hour(), self.time.minute())
    }
}

impl From<Hour> for String {
    fn from(hour: Hour) -> Self {
        hour.to_string()
    }
}

impl TryFrom<String> for Hour {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl std::str::FromStr for Hour {
    type Err = String;
    /// Reads `monday 09:00`, `lundi 9:00` or `09:00`.
    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("{text:?} is no hour like \"monday 09:00\" or \"18:30\"");
        let folded = text.trim().to_lowercase();
        let (day, time) = match folded.split_once(char::is_whitespace) {
            None => (None, folded.as_str()),
            Some((day, time)) => {
                let known = |names: &[&str; 7]| names.iter().position(|name| *name == day);
                let day = known(&DAYS).or_else(|| known(&JOURS)).ok_or_else(refused)?;
                (Some(i8::try_from(day).unwrap_or_default()), time.trim())
            }
        };
        let (hour, minute) = time.split_once(':').ok_or_else(refused)?;
        let number = |text: &str| {
            let digits = matches!(text.len(), 1 | 2) && text.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| text.parse::<i8>().ok()).flatten()
        };
        let (hour, minute) = number(hour).zip(number(minute)).ok_or_else(refused)?;
        let time = Time::new(hour, minute, 0, 0).map_err(|_| refused())?;
        Ok(Self { day, time })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use jiff::civil::datetime;

    #[test]
    fn an_hour_of_the_week_is_read_in_both_languages() {
        for (text, shown) in [
            ("monday 09:00", "monday 09:00"),
            ("Lundi 9:00", "monday 09:00"),
            ("18:30", "18:30"),
        ] {
            assert_eq!(text.parse::<Hour>().unwrap().to_string(), shown);
        }
        for wrong in ["", "monday", "someday 09:00", "25:00", "9h", "monday 9:0x"] {
            assert!(wrong.parse::<Hour>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_next_hour_is_after_now_never_now() {
        let monday: Hour = "monday 09:00".parse().unwrap();
        // 4 January 2027 is a Monday.
        let at = datetime(2027, 1, 4, 9, 0, 0, 0);
        assert_eq!(monday.after(datetime(2027, 1, 4, 8, 59, 0, 0)), Some(at));
        assert_eq!(
            monday.after(at),
            Some(datetime(2027, 1, 11, 9, 0, 0, 0)),
            "the one of now was said"
        );
        let daily: Hour = "09:00".parse().unwrap();
        assert_eq!(daily.after(at), Some(datetime(2027, 1, 5, 9, 0, 0, 0)));
    }
}
