//! What is said once, in a message of its own: that something moved, a round-up at its hour, the
//! answer to a question.

use jiff::civil::{Date, DateTime, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Desired, Entity, EntityId, EntityKind, Fields, Words};

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
    /// A letter to one of its readers.
    Letter {
        /// The letter as it was prepared for all of them.
        issue: &'a Desired,
        /// The reader's address.
        to: &'a str,
        /// What lets them leave, and nobody else: the end of an address.
        leave: &'a str,
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
    /// What takes place in that month; from its sixteenth day on, in the next.
    Month,
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
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Week,
        Self::Month,
        Self::Hands,
        Self::Liked,
        Self::Reminder,
    ];

    /// Its name in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
            Self::Hands => "hands",
            Self::Liked => "liked",
            Self::Reminder => "reminder",
        }
    }

    /// The first and the last day of a programme that is said at `at`; nothing for what is none.
    pub fn days(self, at: DateTime) -> Option<(Date, Date)> {
        const NEXT_FROM: i8 = 16;
        let day = at.date();
        match self {
            Self::Week => Some((day, day.checked_add(jiff::Span::new().days(6)).ok()?)),
            Self::Month if day.day() < NEXT_FROM => {
                Some((day.first_of_month(), day.last_of_month()))
            }
            Self::Month => {
                let next = day.last_of_month().tomorrow().ok()?;
                Some((next, next.last_of_month()))
            }
            Self::Hands | Self::Liked | Self::Reminder => None,
        }
    }
}

/// A civil hour of every week, of every month, or of every day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Hour {
    /// Its day; every day where none is named.
    day: Option<Day>,
    /// The hour.
    time: Time,
}

/// The day of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Day {
    /// Of the week, Monday being 0.
    Week(i8),
    /// Of the month, 1 to 28: every month has it.
    Month(i8),
}

/// The last day that every month has.
const LAST: i8 = 28;

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
        let far = match self.day {
            Some(Day::Month(_)) => 31,
            _ => 7,
        };
        (0..=far).find_map(|days| {
            let date = moment
                .date()
                .checked_add(jiff::Span::new().days(days))
                .ok()?;
            let at = date.to_datetime(self.time);
            (at > moment && self.is_on(date)).then_some(at)
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

    /// Whether it is one of each week, and not of each day or month.
    pub const fn is_weekly(self) -> bool {
        matches!(self.day, Some(Day::Week(_)))
    }

    /// Whether it is one of each month.
    pub const fn is_monthly(self) -> bool {
        matches!(self.day, Some(Day::Month(_)))
    }

    fn is_on(self, date: Date) -> bool {
        match self.day {
            None => true,
            Some(Day::Week(day)) => day == date.weekday().to_monday_zero_offset(),
            Some(Day::Month(day)) => day == date.day(),
        }
    }
}

impl std::fmt::Display for Hour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.day {
            Some(Day::Week(day)) => write!(f, "{} ", DAYS[day.unsigned_abs() as usize % 7])?,
            Some(Day::Month(day)) => write!(f, "{day} ")?,
            None => {}
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
    /// Reads `monday 09:00`, `lundi 9:00`, `25 09:00` (of every month) or `09:00`.
    fn from_str(text: &str) -> Result<Self, String> {
        let refused =
            || format!("{text:?} is no hour like \"monday 09:00\", \"25 09:00\" or \"18:30\"");
        let folded = text.trim().to_lowercase();
        let (day, time) = match folded.split_once(char::is_whitespace) {
            None => (None, folded.as_str()),
            Some((day, time)) => {
                let known = |names: &[&str; 7]| names.iter().position(|name| *name == day);
                let of_month = day.parse().ok().filter(|day| (1..=LAST).contains(day));
                let day = match known(&DAYS).or_else(|| known(&JOURS)) {
                    Some(day) => Day::Week(i8::try_from(day).unwrap_or_default()),
                    None => Day::Month(of_month.ok_or_else(refused)?),
                };
                (Some(day), time.trim())
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
            ("25 9:00", "25 09:00"),
        ] {
            assert_eq!(text.parse::<Hour>().unwrap().to_string(), shown);
        }
        for wrong in [
            "",
            "monday",
            "someday 09:00",
            "25:00",
            "9h",
            "monday 9:0x",
            "0 09:00",
            "29 09:00",
        ] {
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
        let monthly: Hour = "4 09:00".parse().unwrap();
        assert_eq!(monthly.after(at), Some(datetime(2027, 2, 4, 9, 0, 0, 0)));
        let last: Hour = "28 09:00".parse().unwrap();
        let after = datetime(2027, 2, 28, 9, 0, 0, 0);
        assert_eq!(last.after(after), Some(datetime(2027, 3, 28, 9, 0, 0, 0)));
    }

    #[test]
    fn a_months_programme_late_in_a_month_is_the_next_ones() {
        use jiff::civil::date;
        let days = |month, day| RoundupOf::Month.days(datetime(2026, month, day, 9, 0, 0, 0));
        let january = Some((date(2027, 1, 1), date(2027, 1, 31)));
        assert_eq!(days(12, 28), january);
        assert_eq!(days(12, 16), january);
        let december = Some((date(2026, 12, 1), date(2026, 12, 31)));
        assert_eq!(days(12, 15), december);
    }
}
