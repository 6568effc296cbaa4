//! What the site says besides what organisers wrote, in French and in English, and how it writes
//! dates and hours in each.

use jiff::civil::{Date, Time};
use raccord_look::hour;
use raccord_model::{Activity, Civil, Lang, Status};

/// The fixed texts of the pages.
#[derive(Debug)]
pub(crate) struct Labels {
    pub(crate) programme: &'static str,
    pub(crate) skip: &'static str,
    pub(crate) whole_day: &'static str,
    pub(crate) cancelled: &'static str,
    pub(crate) tentative: &'static str,
    pub(crate) full: &'static str,
    pub(crate) empty: &'static str,
    pub(crate) over: &'static str,
    pub(crate) more: &'static str,
    pub(crate) read_on: &'static str,
    pub(crate) earlier: &'static str,
    pub(crate) later: &'static str,
    pub(crate) room: &'static str,
    pub(crate) organiser: &'static str,
    pub(crate) capacity: &'static str,
    pub(crate) credits: &'static str,
    pub(crate) guide: &'static str,
    pub(crate) guide_link: &'static str,
    pub(crate) elsewhere: &'static str,
    pub(crate) series: &'static str,
    pub(crate) add: &'static str,
    pub(crate) back: &'static str,
    pub(crate) cut: &'static str,
    pub(crate) keep_up: &'static str,
    pub(crate) subscribe: &'static str,
    pub(crate) calendar_file: &'static str,
    pub(crate) how: &'static str,
    pub(crate) how_without_address: &'static str,
    pub(crate) feed: &'static str,
    pub(crate) data: &'static str,
    pub(crate) made_by: &'static str,
    pub(crate) gone: &'static str,
    pub(crate) gone_why: &'static str,
    pub(crate) cancelled_why: &'static str,
    pub(crate) tentative_why: &'static str,
    pub(crate) full_why: &'static str,
    pub(crate) by_kind: &'static str,
    pub(crate) by_room: &'static str,
    pub(crate) by_tag: &'static str,
    pub(crate) by_other: &'static str,
    pub(crate) open_only: &'static str,
    pub(crate) weeks: &'static str,
    pub(crate) months: &'static str,
    pub(crate) ongoing: &'static str,
    pub(crate) past: &'static str,
    pub(crate) past_why: &'static str,
    pub(crate) picture: &'static str,
    pub(crate) around: &'static str,
    pub(crate) around_intro: &'static str,
    pub(crate) offered_by: &'static str,
}

const FR: Labels = Labels {
    programme: "Programme",
    skip: "Aller au contenu",
    whole_day: "toute la journée",
    cancelled: "Annulé",
    tentative: "À confirmer",
    full: "Complet",
    empty: "Rien n’est annoncé pour le moment. Revenez bientôt\u{202f}!",
    over: "Déjà passé ce mois-ci",
    more: "La suite du programme",
    read_on: "Lire la suite",
    earlier: "Plus tôt dans le mois",
    later: "Plus tard dans le mois",
    room: "Où",
    organiser: "Avec",
    capacity: "Places",
    credits: "Crédits bénévoles",
    guide: "Pour les bénévoles",
    guide_link: "le mode d’emploi",
    elsewhere: "En savoir plus",
    series: "Série",
    add: "Ajouter à mon agenda",
    back: "Tout le programme",
    cut: "Ce texte est trop long pour cette page\u{a0}: sa fin n’est pas montrée.",
    keep_up: "Ne rien manquer",
    subscribe: "S’abonner à l’agenda",
    calendar_file: "Adresse de l’agenda",
    how: "Sur téléphone, touchez «\u{202f}S’abonner\u{202f}»\u{202f}; sinon, copiez l’adresse de l’agenda et collez-la \
          dans votre agenda, à «\u{202f}S’abonner\u{202f}» ou «\u{202f}Nouvel agenda depuis une adresse\u{202f}»\u{a0}: il se met \
          à jour tout seul.",
    how_without_address: "Copiez l’adresse de ce lien et collez-la dans votre agenda, à \
          «\u{202f}S’abonner\u{202f}» ou «\u{202f}Nouvel agenda depuis une adresse\u{202f}»\u{a0}: il se met à jour tout seul.",
    feed: "Nouveautés (Atom)",
    data: "Données (JSON)",
    made_by: "Ce programme est tenu à jour avec Raccord, un logiciel libre.",
    gone: "Cette page n’est plus là",
    gone_why: "L’activité est peut-être passée, ou son adresse a changé. Tout ce qui vient est \
               dans le programme.",
    cancelled_why: "Cette activité n’aura pas lieu.",
    tentative_why: "Cette activité reste à confirmer\u{a0}: revenez voir avant de vous déplacer.",
    full_why: "Cette activité est complète.",
    by_kind: "Par genre",
    by_room: "Par lieu",
    by_tag: "Par thème",
    by_other: "Par lieu, par thème",
    open_only: "Seulement là où il reste de la place",
    weeks: "Semaines",
    months: "Mois",
    ongoing: "Déjà commencé",
    past: "Plus rien à venir ici",
    past_why: "Ce qui était annoncé ici est passé ou n’aura pas lieu. Tout ce qui vient est dans le programme.",
    picture: "Le programme",
    around: "Autour de nous",
    around_intro: "Ce que d’autres lieux du réseau proposent chez eux. Pour en savoir plus, allez voir chez eux.",
    offered_by: "Proposé par",
};

const EN: Labels = Labels {
    programme: "Programme",
    skip: "Skip to content",
    whole_day: "all day",
    cancelled: "Cancelled",
    tentative: "To be confirmed",
    full: "Full",
    empty: "Nothing is announced at the moment. Come back soon!",
    over: "Already over this month",
    more: "The programme goes on",
    read_on: "Read on",
    earlier: "Earlier this month",
    later: "Later this month",
    room: "Where",
    organiser: "With",
    capacity: "Places",
    credits: "Volunteer credits",
    guide: "For volunteers",
    guide_link: "the how-to",
    elsewhere: "Find out more",
    series: "Series",
    add: "Add to my calendar",
    back: "The whole programme",
    cut: "This text is too long for this page: its end is not shown.",
    keep_up: "Stay in touch",
    subscribe: "Subscribe to the calendar",
    calendar_file: "Calendar address",
    how: "On a phone, tap “Subscribe”; elsewhere, copy the calendar address and paste it into \
          your calendar under “Subscribe” or “New calendar from address”: it keeps itself up to \
          date.",
    how_without_address: "Copy the address of this link and paste it into your calendar under \
          “Subscribe” or “New calendar from address”: it keeps itself up to date.",
    feed: "News (Atom)",
    data: "Data (JSON)",
    made_by: "This programme is kept up to date with Raccord, free software.",
    gone: "This page is no longer here",
    gone_why: "The activity may be over, or its address has changed. Everything to come is in \
               the programme.",
    cancelled_why: "This activity will not take place.",
    tentative_why: "This activity is yet to be confirmed: look again before you set out.",
    full_why: "This activity is full.",
    by_kind: "By kind",
    by_room: "By place",
    by_tag: "By theme",
    by_other: "By place, by theme",
    open_only: "Only where there is still room",
    weeks: "Weeks",
    months: "Months",
    ongoing: "Already under way",
    past: "Nothing more to come here",
    past_why: "What was announced here is over or will not take place. Everything to come is in the programme.",
    picture: "The programme",
    around: "Around us",
    around_intro: "What other places of the network offer at theirs. To know more, look there.",
    offered_by: "Offered by",
};

/// The fixed texts in `lang`.
pub(crate) const fn labels(lang: Lang) -> &'static Labels {
    match lang {
        Lang::Fr => &FR,
        Lang::En => &EN,
    }
}

/// "janvier 2027".
pub(crate) fn month_year(lang: Lang, date: Date) -> String {
    format!("{}\u{a0}{}", lang.month(date.month()), date.year())
}

/// "2", and "1er" for the first in French.
pub(crate) fn ordinal(lang: Lang, date: Date) -> String {
    match (lang, date.day()) {
        (Lang::Fr, 1) => "1er".to_owned(),
        (_, day) => day.to_string(),
    }
}

/// "2 janvier".
pub(crate) fn day_month(lang: Lang, date: Date) -> String {
    format!("{}\u{a0}{}", ordinal(lang, date), lang.month(date.month()))
}

/// "samedi 2 janvier".
pub(crate) fn day(lang: Lang, date: Date) -> String {
    format!("{} {}", lang.weekday(date.weekday()), day_month(lang, date))
}

/// "samedi 2 janvier 2027".
pub(crate) fn day_year(lang: Lang, date: Date) -> String {
    format!("{} {}", day(lang, date), date.year())
}

/// "Du 4 au 10 janvier", as on the printed page; "4–10 January".
pub(crate) fn week(lang: Lang, monday: Date) -> String {
    let sunday = monday
        .checked_add(jiff::Span::new().days(6))
        .unwrap_or(monday);
    let one_month = monday.month() == sunday.month();
    let from = if one_month {
        ordinal(lang, monday)
    } else {
        day_month(lang, monday)
    };
    let to = day_month(lang, sunday);
    match lang {
        Lang::Fr => format!("Du\u{a0}{from} au\u{a0}{to}"),
        Lang::En if one_month => format!("{from}–{to}"),
        Lang::En => format!("{from} – {to}"),
    }
}

/// The word for a status that people must see, if it is one.
pub(crate) const fn mark(lang: Lang, status: Status) -> Option<&'static str> {
    match status {
        Status::Cancelled => Some(labels(lang).cancelled),
        Status::Tentative => Some(labels(lang).tentative),
        Status::Full => Some(labels(lang).full),
        Status::Confirmed | Status::Draft => None,
    }
}

/// When an activity takes place, as the site understands it: whole days, or hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    /// Whole days, the last one inclusive.
    Days(Date, Date),
    /// From a minute on, to another where it is known.
    Hours(jiff::civil::DateTime, Option<jiff::civil::DateTime>),
}

impl Span {
    /// The span of an activity. An end that is not after the start is not shown.
    pub(crate) fn of(activity: &Activity) -> Self {
        match activity.start {
            Civil::Minute(start) if !activity.all_day => {
                let end = match activity.end {
                    Some(Civil::Minute(end)) => Some(end),
                    Some(Civil::Day(last)) => last
                        .tomorrow()
                        .ok()
                        .map(|next| next.to_datetime(Time::midnight())),
                    None => None,
                };
                Self::Hours(start, end.filter(|end| *end > start))
            }
            start => {
                let first = start.date();
                let last = match activity.end {
                    // Until midnight is until the end of the day before.
                    Some(Civil::Minute(end)) if end.time() == Time::midnight() => {
                        end.date().yesterday().unwrap_or(first)
                    }
                    Some(end) => end.date(),
                    None => first,
                };
                Self::Days(first, last.max(first))
            }
        }
    }

    /// The day it begins.
    pub(crate) fn first(self) -> Date {
        match self {
            Self::Days(first, _) => first,
            Self::Hours(start, _) => start.date(),
        }
    }
}

/// The hours beside an activity in a day's list.
pub(crate) fn hours(lang: Lang, span: Span) -> String {
    match span {
        Span::Days(first, last) if first == last => labels(lang).whole_day.to_owned(),
        Span::Days(_, last) => until(lang, &day(lang, last)),
        Span::Hours(start, None) => hour(start.time(), lang),
        Span::Hours(start, Some(end)) if same_evening(start, end) => format!(
            "{}\u{a0}– {}",
            hour(start.time(), lang),
            hour(end.time(), lang)
        ),
        Span::Hours(start, Some(end)) => {
            // Midnight belongs to the day it ends.
            let last = if end.time() == Time::midnight() {
                end.date().yesterday().unwrap_or(end.date())
            } else {
                end.date()
            };
            let moment = format!("{}, {}", day(lang, last), hour(end.time(), lang));
            format!("{}, {}", hour(start.time(), lang), until(lang, &moment))
        }
    }
}

/// The whole sentence: "samedi 2 janvier 2027, 10 h – 12 h".
pub(crate) fn when(lang: Lang, span: Span) -> String {
    match span {
        Span::Days(first, last) if first != last => {
            let (from, to) = (day(lang, first), day_year(lang, last));
            match lang {
                Lang::Fr => format!("du {from} au {to}"),
                Lang::En => format!("{from} to {to}"),
            }
        }
        other => format!("{}, {}", day_year(lang, span.first()), hours(lang, other)),
    }
}

fn until(lang: Lang, moment: &str) -> String {
    match lang {
        Lang::Fr => format!("jusqu’au {moment}"),
        Lang::En => format!("until {moment}"),
    }
}

/// A night that goes past midnight is still one evening.
pub(crate) fn same_evening(start: jiff::civil::DateTime, end: jiff::civil::DateTime) -> bool {
    start.date() == end.date()
        || (start.date().tomorrow().ok() == Some(end.date()) && end.hour() < 12)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn span(start: &str, end: &str) -> Span {
        let activity: Activity = serde_json::from_value(serde_json::json!({
            "id": "00000000-0000-0000-0000-000000000001", "title": "x", "start": start, "end": end,
        }))
        .unwrap();
        Span::of(&activity)
    }

    #[test]
    fn hours_read_as_people_say_them() {
        let evening = span("2027-01-15T20:30", "2027-01-16T00:30");
        assert_eq!(
            hours(Lang::Fr, evening),
            "20\u{202f}h\u{202f}30\u{a0}– 0\u{202f}h\u{202f}30"
        );
        assert_eq!(hours(Lang::En, evening), "20:30\u{a0}– 0:30");
        assert_eq!(
            when(Lang::Fr, span("2027-01-01", "2027-01-01")),
            "vendredi 1er\u{a0}janvier 2027, toute la journée"
        );
        assert_eq!(
            when(Lang::Fr, span("2027-01-12", "2027-01-14")),
            "du mardi 12\u{a0}janvier au jeudi 14\u{a0}janvier 2027"
        );
        assert_eq!(
            hours(Lang::Fr, span("2027-01-08T20:00", "2027-01-10T18:00")),
            "20\u{202f}h, jusqu’au dimanche 10\u{a0}janvier, 18\u{202f}h"
        );
    }

    #[test]
    fn an_end_before_the_start_is_not_shown() {
        assert_eq!(
            hours(Lang::En, span("2027-01-08T20:00", "2027-01-08T19:00")),
            "20:00"
        );
    }

    #[test]
    fn an_evening_ends_at_midnight_not_at_zero() {
        let evening = span("2027-01-15T20:30", "2027-01-16T00:00");
        assert_eq!(
            hours(Lang::Fr, evening),
            "20\u{202f}h\u{202f}30\u{a0}– minuit"
        );
        assert_eq!(hours(Lang::En, evening), "20:30\u{a0}– midnight");
        let days = span("2027-01-15T20:30", "2027-01-16");
        assert!(hours(Lang::Fr, days).ends_with("samedi 16\u{a0}janvier, minuit"));
    }

    #[test]
    fn a_week_names_both_months_where_it_spans_them() {
        assert_eq!(
            week(Lang::Fr, jiff::civil::date(2026, 12, 28)),
            "Du\u{a0}28\u{a0}décembre au\u{a0}3\u{a0}janvier"
        );
        assert_eq!(
            week(Lang::Fr, jiff::civil::date(2027, 1, 4)),
            "Du\u{a0}4 au\u{a0}10\u{a0}janvier"
        );
        assert_eq!(
            week(Lang::En, jiff::civil::date(2027, 1, 4)),
            "4–10\u{a0}January"
        );
    }
}
