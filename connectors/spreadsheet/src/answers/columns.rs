//! Which column of a sheet of answers holds what, by the headings that forms write (French and
//! English) and by those that people give such questions.

use std::collections::{BTreeMap, BTreeSet};

use crate::text;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Column {
    /// The form's own name of the answer.
    Id,
    /// When it was given.
    When,
    /// When it was finished: without it the answer was not sent.
    Finished,
    /// Whether it is only a draft.
    Draft,
    Email,
    Name,
    First,
    /// What the form's own account is called: a name where no question asks for one.
    Account,
    Activity,
    Task,
    Date,
    Places,
    Comment,
    /// Yes or no.
    Answer,
}

impl Column {
    /// Those that the settings may name, with their keys.
    const NAMED: [(&'static str, Self); 12] = [
        ("id", Self::Id),
        ("answered", Self::When),
        ("finished", Self::Finished),
        ("email", Self::Email),
        ("name", Self::Name),
        ("first", Self::First),
        ("activity", Self::Activity),
        ("task", Self::Task),
        ("date", Self::Date),
        ("places", Self::Places),
        ("comment", Self::Comment),
        ("answer", Self::Answer),
    ];

    /// Whether an answer stands without it: all else says who comes, to what, or how many.
    pub(crate) fn is_extra(self) -> bool {
        self == Self::Comment
    }

    /// Whether what stands there says who somebody is, or what they said: it is quoted nowhere.
    pub(crate) fn is_personal(self) -> bool {
        matches!(
            self,
            Self::Email | Self::Name | Self::First | Self::Account | Self::Comment
        )
    }
}

/// The headings that a place chose: `columns = { email = "Où vous écrire ?" }`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chosen(Vec<(String, Column)>);

impl Chosen {
    /// Reads the setting; beside it the keys that are none.
    pub(crate) fn of(columns: &BTreeMap<String, String>) -> (Self, Vec<String>) {
        let mut chosen = Vec::new();
        let mut unknown = Vec::new();
        for (key, heading) in columns {
            match Column::NAMED.iter().find(|(name, _)| name == key) {
                Some((_, column)) => chosen.push((text::key(heading), *column)),
                None => unknown.push(key.clone()),
            }
        }
        (Self(chosen), unknown)
    }

    /// The nearest key is shown for one that is unknown.
    pub(crate) fn keys() -> impl Iterator<Item = &'static str> {
        Column::NAMED.iter().map(|(name, _)| *name)
    }
}

/// The columns of a tab.
pub(crate) type Columns = BTreeMap<Column, u16>;

/// The columns of a line, where it is a header: it says who answered, and something else.
pub(crate) fn recognise<'a>(
    cells: impl Iterator<Item = (u16, &'a str)>,
    chosen: &Chosen,
) -> Option<Columns> {
    let mut columns = Columns::new();
    let mut sure = BTreeSet::new();
    for (at, heading) in cells {
        let key = text::key(heading);
        let by_choice = chosen.0.iter().find(|(known, _)| *known == key);
        let found = by_choice.map(|(_, column)| *column);
        let Some(column) = found.or_else(|| meaning(&key)) else {
            continue;
        };
        let named = by_choice.is_some();
        // The first of several, unless the settings name a later one.
        if !columns.contains_key(&column) || named && !sure.contains(&column) {
            columns.insert(column, at);
            if named {
                sure.insert(column);
            }
        }
    }
    let who = [Column::Email, Column::Name, Column::Account];
    let who = who.iter().any(|column| columns.contains_key(column));
    (who && columns.len() >= 2).then_some(columns)
}

/// How many headings of a line are known: the separator of a CSV is the one under which most are.
pub(crate) fn recognised(cells: &[(u16, &str)], chosen: &Chosen) -> usize {
    recognise(cells.iter().copied(), chosen).map_or(0, |columns| columns.len())
}

/// Whether a line holds a form's own names of its columns: Nextcloud Forms hides it below the header
/// in a workbook, and a CSV cannot hide anything.
pub(crate) fn is_of_ids<'a>(cells: impl Iterator<Item = &'a str>) -> bool {
    let mut some = false;
    for cell in cells {
        let known = ["submission_id", "user_id", "user_display_name", "timestamp"];
        if !(known.contains(&cell) || cell.starts_with("question-id-")) {
            return false;
        }
        some = true;
    }
    some
}

/// What a heading says, by its words.
fn meaning(key: &str) -> Option<Column> {
    let column = match key {
        "id"
        | "submission id"
        | "response id"
        | "sid"
        | "id de la reponse"
        | "id reponse"
        | "identifiant de la reponse"
        | "id de la soumission"
        | "id de soumission"
        | "identifiant de la soumission"
        | "numero de reponse" => Column::Id,
        "submitdate" | "date submitted" | "date de soumission" => Column::Finished,
        "timestamp"
        | "horodatage"
        | "horodateur"
        | "submitted time"
        | "heure de soumission"
        | "heure d envoi"
        | "date d envoi"
        | "soumis le"
        | "envoye le"
        | "completed time"
        | "heure d achevement"
        | "datestamp"
        | "date last action"
        | "date de derniere action"
        | "submitted"
        | "answered"
        | "repondu le" => Column::When,
        "draft" | "brouillon" => Column::Draft,
        "nom"
        | "nom et prenom"
        | "prenom et nom"
        | "nom prenom"
        | "prenom nom"
        | "votre nom"
        | "vos nom et prenom"
        | "votre nom et prenom"
        | "nom complet"
        | "nom de famille"
        | "pseudo"
        | "pseudonyme"
        | "name"
        | "your name"
        | "full name"
        | "last name"
        | "lastname"
        | "surname"
        | "family name"
        | "qui"
        | "who"
        | "participant"
        | "participante"
        | "participant e" => Column::Name,
        "prenom" | "votre prenom" | "first name" | "firstname" | "given name" => Column::First,
        "user display name"
        | "nom affiche"
        | "nom affiche de l utilisateur"
        | "nom d affichage de l utilisateur"
        | "nom d utilisateur"
        | "username" => Column::Account,
        "activite"
        | "activites"
        | "evenement"
        | "evenements"
        | "quelle activite"
        | "pour quelle activite"
        | "a quelle activite"
        | "quel evenement"
        | "pour quel evenement"
        | "inscription a"
        | "inscription pour"
        | "je m inscris a"
        | "je m inscris pour"
        | "atelier"
        | "ateliers"
        | "seance"
        | "seances"
        | "activity"
        | "activities"
        | "event"
        | "events"
        | "which activity"
        | "which event"
        | "workshop"
        | "workshops"
        | "session"
        | "sessions" => Column::Activity,
        "tache" | "taches" | "poste" | "postes" | "mission" | "missions" | "coup de main"
        | "coups de main" | "quelle tache" | "quel poste" | "quelle mission" | "task" | "tasks"
        | "shift" | "shifts" | "job" | "jobs" | "role" => Column::Task,
        "date"
        | "jour"
        | "quel jour"
        | "quelle date"
        | "date de l activite"
        | "date de l evenement"
        | "day"
        | "which day"
        | "date of the event"
        | "date of the activity" => Column::Date,
        "places"
        | "nombre de places"
        | "nombre de personnes"
        | "nb de personnes"
        | "nb de places"
        | "combien de personnes"
        | "combien de places"
        | "combien serez vous"
        | "combien etes vous"
        | "seats"
        | "number of people"
        | "number of seats"
        | "how many people"
        | "how many"
        | "how many of you" => Column::Places,
        "commentaire" | "commentaires" | "remarque" | "remarques" | "message" | "precision"
        | "precisions" | "comment" | "comments" | "remark" | "remarks" | "note" | "notes" => {
            Column::Comment
        }
        "participation"
        | "je participe"
        | "je viens"
        | "viendrez vous"
        | "venez vous"
        | "participez vous"
        | "serez vous present"
        | "serez vous presente"
        | "serez vous present e"
        | "presence"
        | "present"
        | "reponse"
        | "coming"
        | "will you come"
        | "are you coming"
        | "attending"
        | "i will come"
        | "rsvp"
        | "answer" => Column::Answer,
        other if is_email(other) => Column::Email,
        _ => return None,
    };
    Some(column)
}

/// "Votre adresse e-mail", and not "Voulez-vous recevoir nos mails ?".
fn is_email(key: &str) -> bool {
    let words: Vec<&str> = key.split(' ').collect();
    let names = ["mail", "email", "courriel", "mel"];
    let named = words.iter().any(|word| names.contains(word));
    let beside = [
        "adresse",
        "address",
        "votre",
        "your",
        "e",
        "de",
        "ou",
        "or",
        "courrier",
        "electronique",
        "contact",
        "personnel",
        "personnelle",
    ];
    let plain = words
        .iter()
        .all(|word| names.contains(word) || beside.contains(word));
    named && plain || matches!(key, "adresse electronique" | "votre adresse electronique")
}

/// Whether a cell says that somebody comes; a perhaps is no sign-up. Nothing where it is no such word.
/// `unkown` is how Framadate spells a vote nobody gave.
pub(crate) fn answer(raw: &str) -> Option<bool> {
    let key = text::key(raw);
    let said = match key.as_str() {
        "je viens" | "je participe" | "present" | "presente" | "present e" | "volontiers"
        | "avec plaisir" | "i will" | "i come" | "coming" | "ja" | "si" => true,
        "sous reserve"
        | "si necessaire"
        | "si besoin"
        | "peut etre"
        | "under reserve"
        | "ifneedbe"
        | "if need be"
        | "maybe"
        | "perhaps"
        | "unter vorbehalt"
        | "unkown"
        | "unknown"
        | "inconnu"
        | "je ne viens pas"
        | "je ne participe pas"
        | "absent"
        | "absente"
        | "absent e"
        | "annule"
        | "j annule"
        | "desinscrit"
        | "i will not"
        | "not coming"
        | "cancelled"
        | "nein" => false,
        "" if raw.contains(['✓', '✔', '☑']) => true,
        "" if raw.contains(['✗', '✘', '❌']) => false,
        other => {
            // "Oui, avec joie": the first word says it.
            let first = other.split(' ').next().unwrap_or_default();
            return crate::words::yes(other).or(match first {
                "oui" | "yes" => Some(true),
                "non" | "no" => Some(false),
                _ => None,
            });
        }
    };
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(headings: &[&str]) -> Option<Columns> {
        let cells = headings.iter().enumerate();
        let cells = cells.filter_map(|(at, text)| Some((u16::try_from(at).ok()?, *text)));
        recognise(cells, &Chosen::default())
    }

    #[test]
    fn the_headings_of_each_tool_are_known() {
        let all = [
            // Nextcloud Forms, in both languages.
            &[
                "Submission ID",
                "User ID",
                "User display name",
                "Timestamp",
                "E-mail",
            ][..],
            &[
                "Identifiant utilisateur",
                "Nom d’affichage de l’utilisateur",
                "Horodatage",
                "Votre adresse e-mail",
            ],
            // LimeSurvey: codes, and whole questions.
            &[
                "id",
                "submitdate",
                "lastpage",
                "startlanguage",
                "email",
                "activite",
            ],
            &[
                "Response ID",
                "Date submitted",
                "Last page",
                "Your name",
                "Email address",
            ],
            // Webform: the third line of its header.
            &[
                "Serial",
                "SID",
                "Submitted Time",
                "Draft",
                "IP Address",
                "UID",
                "Username",
                "Courriel",
            ],
        ];
        for headings in all {
            assert!(columns(headings).is_some(), "{headings:?}");
        }
        assert!(columns(&["Anna", "Oui", "Non"]).is_none());
        assert!(
            columns(&["Titre", "Date", "Salle"]).is_none(),
            "a programme"
        );
    }

    #[test]
    fn an_address_is_asked_for_and_news_are_not() {
        for yes in [
            "E-mail",
            "Adresse mail",
            "Votre courriel",
            "Adresse électronique",
            "Your email address",
        ] {
            assert!(is_email(&text::key(yes)), "{yes}");
        }
        for no in [
            "Voulez-vous recevoir nos mails ?",
            "Mail de confirmation reçu",
            "Adresse",
        ] {
            assert!(!is_email(&text::key(no)), "{no}");
        }
    }

    #[test]
    fn a_perhaps_is_no_yes_and_a_question_no_answer() {
        assert_eq!(answer("Oui, avec joie"), Some(true));
        assert_eq!(answer("Non merci"), Some(false));
        assert_eq!(answer("Sous réserve"), Some(false));
        assert_eq!(answer("unkown"), Some(false));
        assert_eq!(answer("✔"), Some(true));
        assert_eq!(answer("un gâteau"), None);
    }
}
