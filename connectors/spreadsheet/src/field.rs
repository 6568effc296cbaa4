//! What a column can hold.

/// What a column of a programme holds, whatever its header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Field {
    Date,
    EndDate,
    Weekday,
    Hours,
    Start,
    End,
    Duration,
    AllDay,
    Title,
    Kind,
    Room,
    Organiser,
    Contact,
    Description,
    Visibility,
    Shared,
    Capacity,
    Credits,
    Guide,
    Url,
    Register,
    Poll,
    Status,
    Tags,
    Hands,
}

impl Field {
    pub(crate) const ALL: [Self; 25] = [
        Self::Date,
        Self::EndDate,
        Self::Weekday,
        Self::Hours,
        Self::Start,
        Self::End,
        Self::Duration,
        Self::AllDay,
        Self::Title,
        Self::Kind,
        Self::Room,
        Self::Organiser,
        Self::Contact,
        Self::Description,
        Self::Visibility,
        Self::Shared,
        Self::Capacity,
        Self::Credits,
        Self::Guide,
        Self::Url,
        Self::Register,
        Self::Poll,
        Self::Status,
        Self::Tags,
        Self::Hands,
    ];

    /// The name in the configuration's `columns`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::EndDate => "end_date",
            Self::Weekday => "weekday",
            Self::Hours => "hours",
            Self::Start => "start",
            Self::End => "end",
            Self::Duration => "duration",
            Self::AllDay => "all_day",
            Self::Title => "title",
            Self::Kind => "kind",
            Self::Room => "room",
            Self::Organiser => "organiser",
            Self::Contact => "contact",
            Self::Description => "description",
            Self::Visibility => "visibility",
            Self::Shared => "shared",
            Self::Capacity => "capacity",
            Self::Credits => "credits",
            Self::Guide => "guide",
            Self::Url => "url",
            Self::Register => "register",
            Self::Poll => "poll",
            Self::Status => "status",
            Self::Tags => "tags",
            Self::Hands => "hands",
        }
    }

    /// The activity's fields that are made from it.
    pub(crate) const fn makes(self) -> &'static [&'static str] {
        match self {
            Self::Date | Self::Hours => &["start", "end", "all_day"],
            Self::Weekday | Self::Start => &["start"],
            Self::EndDate | Self::End | Self::Duration => &["end"],
            Self::AllDay => &["all_day"],
            Self::Title => &["title"],
            Self::Kind => &["kind"],
            Self::Room => &["room"],
            Self::Organiser => &["organiser"],
            Self::Contact => &["contact"],
            Self::Description => &["description"],
            Self::Visibility => &["visibility"],
            Self::Shared => &["shared"],
            Self::Capacity => &["capacity"],
            Self::Credits => &["credits"],
            Self::Guide => &["guide"],
            Self::Url => &["url"],
            Self::Register => &["register"],
            Self::Poll => &["poll"],
            Self::Status => &["status"],
            Self::Tags => &["tags"],
            Self::Hands => &["hands"],
        }
    }

    /// The halves of moments that it alone tells: which cell to name when only that half changed.
    pub(crate) const fn halves(self) -> &'static [&'static str] {
        match self {
            Self::Date => &["start.day", "end.day"],
            Self::Weekday => &["start.day"],
            Self::EndDate => &["end.day"],
            Self::Hours => &["start.hour", "end.hour"],
            Self::Start => &["start.hour"],
            Self::End | Self::Duration => &["end.hour"],
            _ => &[],
        }
    }

    /// Whether it is read from a hidden column too: what orders, restricts, or never is published.
    /// Anything else that was hidden was hidden for a reason.
    pub(crate) const fn read_hidden(self) -> bool {
        matches!(
            self,
            Self::Date
                | Self::EndDate
                | Self::Weekday
                | Self::Hours
                | Self::Start
                | Self::End
                | Self::Duration
                | Self::AllDay
                | Self::Contact
                | Self::Visibility
                | Self::Shared
                | Self::Status
        )
    }
}
