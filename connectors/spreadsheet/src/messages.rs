//! What the person who fills the sheet reads about one of its cells: what stands there, and what
//! to write instead, with an example to copy.

use jiff::civil::Weekday;
use raccord_model::Words;

use crate::parse::date::Trouble;
use crate::text;

/// A code and its sentence.
pub(crate) type Said = (&'static str, Words);

pub(crate) fn fr(found: &str) -> String {
    format!("«\u{a0}{}\u{a0}»", text::cut(found, 60))
}

pub(crate) fn en(found: &str) -> String {
    format!("“{}”", text::cut(found, 60))
}

pub(crate) fn date(found: &str, trouble: Trouble) -> Said {
    let (f, e) = (fr(found), en(found));
    match trouble {
        Trouble::Unreadable => (
            "date-unreadable",
            Words::new(
                format!(
                    "{f} n’est pas une date que je sais lire. Écrivez par exemple 02/01/2027 ou «\u{a0}sam. 2 janvier 2027\u{a0}»."
                ),
                format!(
                    "{e} is not a date I can read. Write for example 02/01/2027 (day first) or “Sat 2 January 2027”."
                ),
            ),
        ),
        Trouble::NoSuchDay => (
            "date-impossible",
            Words::new(
                format!(
                    "{f}\u{a0}: ce jour n’existe pas dans le calendrier. Écrivez le jour puis le mois, par exemple 02/01/2027."
                ),
                format!(
                    "{e}: there is no such day in the calendar. Write the day, then the month, for example 02/01/2027."
                ),
            ),
        ),
        Trouble::Weekday { said, date } => (
            "weekday-mismatch",
            Words::new(
                format!(
                    "{f}\u{a0}: le {} est un {}, pas un {}. Corrigez le jour ou la date, par exemple «\u{a0}{} {}\u{a0}».",
                    date.strftime("%d/%m/%Y"),
                    weekday_fr(date.weekday()),
                    weekday_fr(said),
                    weekday_fr(date.weekday()),
                    date.strftime("%d/%m/%Y"),
                ),
                format!(
                    "{e}: {} is a {}, not a {}. Correct the day or the date, for example “{} {}”.",
                    date.strftime("%d/%m/%Y"),
                    weekday_en(date.weekday()),
                    weekday_en(said),
                    weekday_en(date.weekday()),
                    date.strftime("%d/%m/%Y"),
                ),
            ),
        ),
        Trouble::NoYear => (
            "year-missing",
            Words::new(
                format!(
                    "{f}\u{a0}: de quelle année\u{202f}? Écrivez-la dans la date (02/01/2027), ou dans le nom de l’onglet («\u{a0}Janvier 2027\u{a0}»)."
                ),
                format!(
                    "{e}: of which year? Write it in the date (02/01/2027), or in the name of the tab (“January 2027”)."
                ),
            ),
        ),
        Trouble::NoMonth => (
            "month-missing",
            Words::new(
                format!(
                    "{f}\u{a0}: de quel mois\u{202f}? Écrivez par exemple 08/01/2027, ou donnez à l’onglet le nom de son mois («\u{a0}Janvier 2027\u{a0}»)."
                ),
                format!(
                    "{e}: of which month? Write for example 08/01/2027, or name the tab after its month (“January 2027”)."
                ),
            ),
        ),
        Trouble::Ambiguous => (
            "date-ambiguous",
            Words::new(
                format!(
                    "{f} peut se lire de deux façons. Écrivez «\u{a0}05/07/2027\u{a0}» pour un jour, ou «\u{a0}du 5 au 7 janvier 2027\u{a0}» pour plusieurs."
                ),
                format!(
                    "{e} can be read in two ways. Write “05/07/2027” for one day, or “5 to 7 January 2027” for several."
                ),
            ),
        ),
        Trouble::Backwards => (
            "date-backwards",
            Words::new(
                format!(
                    "{f}\u{a0}: le dernier jour vient avant le premier. Écrivez par exemple «\u{a0}du 12 au 14 janvier 2027\u{a0}»."
                ),
                format!(
                    "{e}: the last day comes before the first. Write for example “12 to 14 January 2027”."
                ),
            ),
        ),
        Trouble::SomeOf => (
            "series-some-of",
            Words::new(
                format!(
                    "{f}\u{a0}: quels jours au juste\u{202f}? Écrivez-les, par exemple «\u{a0}2, 16 et 30 janvier 2027\u{a0}»."
                ),
                format!(
                    "{e}: which days exactly? Write them, for example “2, 16 and 30 January 2027”."
                ),
            ),
        ),
        Trouble::Endless => (
            "series-endless",
            Words::new(
                format!(
                    "{f}\u{a0}: jusqu’à quand\u{202f}? Écrivez par exemple «\u{a0}tous les mardis du 5 au 26 janvier 2027\u{a0}»."
                ),
                format!(
                    "{e}: until when? Write for example “every Tuesday from 5 to 26 January 2027”."
                ),
            ),
        ),
    }
}

/// `written_above` is the date of the line above, as it stands there.
pub(crate) fn date_missing(written_above: Option<&str>) -> Said {
    let (hint_fr, hint_en) = match written_above {
        Some(date) => (
            format!(
                " Si c’est le même jour que la ligne au-dessus, écrivez-y aussi {}.",
                fr(date)
            ),
            format!(
                " If it is the same day as the line above, write {} here too.",
                en(date)
            ),
        ),
        None => (
            " Tant qu’elle manque, la ligne reste un brouillon.".to_owned(),
            " As long as it is missing, the line stays a draft.".to_owned(),
        ),
    };
    (
        "date-missing",
        Words::new(
            format!("Il manque la date. Écrivez par exemple 02/01/2027.{hint_fr}"),
            format!("The date is missing. Write for example 02/01/2027.{hint_en}"),
        ),
    )
}

/// A word in the title that may say what became of it, or be part of its name.
pub(crate) fn title_status(found: &str) -> Said {
    (
        "title-status",
        Words::new(
            format!(
                "{}\u{a0}: faut-il l’annuler, ou changer sa date\u{202f}? Écrivez «\u{a0}Annulé\u{a0}» dans la colonne du statut, ou la nouvelle date\u{202f}; et enlevez ce mot du titre.",
                fr(found)
            ),
            format!(
                "{}: is it cancelled, or on another date? Write “Cancelled” in the column of its status, or the new date; and take the word out of the title.",
                en(found)
            ),
        ),
    )
}

/// An hour without am or pm, in a sheet where others have one.
pub(crate) fn half_day(found: &str) -> Said {
    (
        "hour-ambiguous",
        Words::new(
            format!(
                "{}\u{a0}: le matin ou le soir\u{202f}? D’autres heures de cette feuille portent am ou pm. Écrivez par exemple 18h30.",
                fr(found)
            ),
            format!(
                "{}: in the morning or in the evening? Other times of this sheet say am or pm. Write for example 6:30 pm.",
                en(found)
            ),
        ),
    )
}

pub(crate) fn title_missing() -> Said {
    (
        "title-missing",
        Words::new(
            "Cette ligne a une date mais pas de titre. Écrivez ce qui se passe, par exemple «\u{a0}Atelier vélo\u{a0}», ou videz la ligne.",
            "This line has a date but no title. Write what happens, for example “Bicycle workshop”, or clear the line.",
        ),
    )
}

pub(crate) fn hour(found: &str) -> Said {
    (
        "hour-unreadable",
        Words::new(
            format!(
                "{} n’est pas une heure. Écrivez par exemple 18:30, ou 18:30 - 20:30.",
                fr(found)
            ),
            format!(
                "{} is not a time. Write for example 18:30, or 18:30 - 20:30.",
                en(found)
            ),
        ),
    )
}

pub(crate) fn end(found: &str) -> Said {
    (
        "end-unreadable",
        Words::new(
            format!(
                "{} n’est pas une heure de fin. Écrivez par exemple 20:30.",
                fr(found)
            ),
            format!(
                "{} is not a time to end at. Write for example 20:30.",
                en(found)
            ),
        ),
    )
}

pub(crate) fn start_missing() -> Said {
    (
        "start-missing",
        Words::new(
            "Il y a une heure de fin, mais pas d’heure de début. Écrivez par exemple 18:30.",
            "There is a time to end, but no time to start. Write for example 18:30.",
        ),
    )
}

pub(crate) fn hours_disagree(found: &str) -> Said {
    (
        "hours-disagree",
        Words::new(
            format!(
                "{} ne dit pas la même chose que les autres cellules de la ligne. Gardez une seule heure, ou la même partout.",
                fr(found)
            ),
            format!(
                "{} does not say the same as the other cells of the line. Keep one time only, or the same everywhere.",
                en(found)
            ),
        ),
    )
}

pub(crate) fn end_before_start(found: &str) -> Said {
    (
        "end-before-start",
        Words::new(
            format!(
                "{}\u{a0}: la fin vient avant le début. Corrigez l’une des deux dates.",
                fr(found)
            ),
            format!(
                "{}: the end comes before the start. Correct one of the two dates.",
                en(found)
            ),
        ),
    )
}

pub(crate) fn end_hour_missing(found: &str) -> Said {
    (
        "end-hour-missing",
        Words::new(
            format!(
                "{}\u{a0}: à quelle heure finit le dernier jour\u{202f}? Écrivez par exemple 9:00 - 17:00, ou rien pour des journées entières.",
                fr(found)
            ),
            format!(
                "{}: when does the last day end? Write for example 9:00 - 17:00, or nothing for whole days.",
                en(found)
            ),
        ),
    )
}

pub(crate) fn capacity(found: &str) -> Said {
    (
        "capacity-unreadable",
        Words::new(
            format!(
                "{} n’est pas un nombre de personnes. Écrivez par exemple 30, ou rien.",
                fr(found)
            ),
            format!(
                "{} is not a number of people. Write for example 30, or nothing.",
                en(found)
            ),
        ),
    )
}

pub(crate) fn credits(found: &str) -> Said {
    (
        "credits-unreadable",
        Words::new(
            format!(
                "{} n’est pas un nombre de crédits. Écrivez par exemple 2 ou 1,5.",
                fr(found)
            ),
            format!(
                "{} is not a number of credits. Write for example 2 or 1.5.",
                en(found)
            ),
        ),
    )
}

/// What may be names instead of numbers of hands.
pub(crate) fn hands(found: &str) -> Said {
    (
        "hands-unread",
        Words::new(
            format!(
                "{}\u{a0}: combien de bénévoles, et pour quoi\u{202f}? Écrivez par exemple «\u{a0}bar 3, accueil 2\u{a0}». En attendant, cette case ne demande personne.",
                fr(found)
            ),
            format!(
                "{}: how many volunteers, and for what? Write for example “bar 3, door 2”. Until then, this cell asks for nobody.",
                en(found)
            ),
        ),
    )
}

pub(crate) fn task_missing() -> Said {
    (
        "task-missing",
        Words::new(
            "Cette ligne ne dit pas ce qu’il y a à faire. Écrivez-le, par exemple «\u{a0}Tenir le bar\u{a0}», ou videz la ligne.",
            "This line does not say what is to be done. Write it, for example “Run the bar”, or clear the line.",
        ),
    )
}

pub(crate) fn tasks_header() -> Said {
    (
        "tasks-header-lost",
        Words::new(
            "Cet onglet n’a pas de ligne de titres\u{a0}: il faut au moins une colonne «\u{a0}Tâche\u{a0}», nommée en haut. En attendant, les tâches connues restent.",
            "This tab has no line of headers: there must be at least a column “Task”, named at the top. Until then, the known tasks stay.",
        ),
    )
}

pub(crate) fn task_state(found: &str) -> Said {
    (
        "state-unknown",
        Words::new(
            format!(
                "{} n’est pas un état que je connais. Écrivez À faire, Fait ou Annulé. En attendant, la tâche reste à faire.",
                fr(found)
            ),
            format!(
                "{} is not a state I know. Write To do, Done or Cancelled. Until then, the task is to be done.",
                en(found)
            ),
        ),
    )
}

pub(crate) fn priority(found: &str) -> Said {
    (
        "priority-unreadable",
        Words::new(
            format!(
                "{} n’est pas une priorité. Écrivez un chiffre de 1 (d’abord) à 9 (en dernier), ou Haute, Normale, Basse.",
                fr(found)
            ),
            format!(
                "{} is not a priority. Write a figure from 1 (first) to 9 (last), or High, Normal, Low.",
                en(found)
            ),
        ),
    )
}

pub(crate) fn lead(found: &str) -> Said {
    (
        "lead-unreadable",
        Words::new(
            format!(
                "{} n’est pas un délai. Écrivez un nombre de jours, par exemple 7, ou «\u{a0}2 semaines\u{a0}».",
                fr(found)
            ),
            format!(
                "{} is not a lead time. Write a number of days, for example 7, or “2 weeks”.",
                en(found)
            ),
        ),
    )
}

pub(crate) fn minimum(least: u64, most: u64) -> Said {
    (
        "minimum-too-high",
        Words::new(
            format!(
                "Il en faudrait au moins {least}, et il n’y a que {most} places. Écrivez {most} ou moins."
            ),
            format!(
                "At least {least} would be needed, and there are only {most} places. Write {most} or fewer."
            ),
        ),
    )
}

pub(crate) fn visibility(found: &str) -> Said {
    (
        "visibility-unknown",
        Words::new(
            format!(
                "{}\u{a0}: est-ce ouvert à tout le monde\u{202f}? Écrivez Public ou Interne. En attendant, la ligne reste interne.",
                fr(found)
            ),
            format!(
                "{}: is it open to everyone? Write Public or Internal. Until then, the line stays internal.",
                en(found)
            ),
        ),
    )
}

pub(crate) fn shared(found: &str) -> Said {
    (
        "shared-unknown",
        Words::new(
            format!(
                "{}\u{a0}: est-ce à partager avec les autres lieux du réseau\u{202f}? Écrivez Oui ou Non. En attendant, la ligne n’est pas partagée.",
                fr(found)
            ),
            format!(
                "{}: is it to be shared with the other places of the network? Write Yes or No. Until then, the line is not shared.",
                en(found)
            ),
        ),
    )
}

pub(crate) fn status(found: &str) -> Said {
    (
        "status-unknown",
        Words::new(
            format!(
                "{} n’est pas un statut que je connais. Écrivez Confirmé, À confirmer, Complet ou Annulé. En attendant, la ligne reste un brouillon.",
                fr(found)
            ),
            format!(
                "{} is not a status I know. Write Confirmed, Tentative, Full or Cancelled. Until then, the line stays a draft.",
                en(found)
            ),
        ),
    )
}

pub(crate) fn link(found: &str) -> Said {
    (
        "link-unreadable",
        Words::new(
            format!(
                "{} n’est pas une adresse. Écrivez par exemple https://wiki.example.org/animer.",
                fr(found)
            ),
            format!(
                "{} is not an address. Write for example https://wiki.example.org/facilitate.",
                en(found)
            ),
        ),
    )
}

pub(crate) fn cell_error(found: &str) -> Said {
    (
        "cell-error",
        Words::new(
            format!(
                "{}\u{a0}: la formule de cette cellule ne donne rien. Corrigez-la, ou écrivez la valeur elle-même.",
                fr(found)
            ),
            format!(
                "{}: the formula of this cell gives nothing. Mend it, or write the value itself.",
                en(found)
            ),
        ),
    )
}

pub(crate) fn cell_too_long() -> Said {
    (
        "cell-too-long",
        Words::new(
            "Ce texte dépasse 32 767 caractères\u{a0}: il n’est pas repris. Raccourcissez-le, et mettez la suite derrière un lien.",
            "This text is longer than 32,767 characters: it is left out. Shorten it, and put the rest behind a link.",
        ),
    )
}

pub(crate) fn row_hidden() -> Said {
    (
        "row-hidden",
        Words::new(
            "Cette ligne est masquée\u{a0}: elle reste un brouillon. Affichez-la pour la publier, ou supprimez-la.",
            "This line is hidden: it stays a draft. Show it to publish it, or delete it.",
        ),
    )
}

pub(crate) fn unknown_column(column: &str, header: &str) -> Said {
    (
        "unknown-column",
        Words::new(
            format!(
                "La colonne {column}, {}, n’est pas reprise\u{a0}: je ne sais pas ce qu’elle dit.",
                fr(header)
            ),
            format!(
                "Column {column}, {}, is not used: I do not know what it says.",
                en(header)
            ),
        ),
    )
}

pub(crate) fn second_column(column: &str, header: &str) -> Said {
    (
        "second-column",
        Words::new(
            format!(
                "La colonne {column}, {}, n’est pas reprise\u{a0}: une autre colonne dit déjà la même chose.",
                fr(header)
            ),
            format!(
                "Column {column}, {}, is not used: another column says the same already.",
                en(header)
            ),
        ),
    )
}

pub(crate) fn hidden_column(column: &str, header: &str) -> Said {
    (
        "hidden-column",
        Words::new(
            format!(
                "La colonne {column}, {}, est masquée\u{a0}: elle n’est pas publiée. Affichez-la pour qu’elle le soit.",
                fr(header)
            ),
            format!(
                "Column {column}, {}, is hidden: it is not published. Show it if it should be.",
                en(header)
            ),
        ),
    )
}

pub(crate) fn more(count: usize) -> Said {
    (
        "more-unread",
        Words::new(
            format!(
                "{count} autres cellules n’ont pas pu être lues\u{202f}; corrigez d’abord celles qui sont dites."
            ),
            format!("{count} more cells could not be read; mend those that are named first."),
        ),
    )
}

fn weekday_fr(day: Weekday) -> &'static str {
    [
        "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche",
    ][day.to_monday_zero_offset() as usize]
}

fn weekday_en(day: Weekday) -> &'static str {
    [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ][day.to_monday_zero_offset() as usize]
}
