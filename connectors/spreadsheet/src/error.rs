//! Why a document cannot be read at all, in words for the person who can mend it.
//!
//! Every one of these keeps the last good state: a document that cannot be read says nothing about
//! the activities it held.

use raccord_kit::settings::nearest;
use raccord_kit::{Finding, Level};
use raccord_model::{Blame, Failure, Reading, Words};

use crate::field::Field;
use crate::limits;

/// Which limit was passed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    Bytes,
    Unpacked,
    Rows,
    Columns,
    Cell,
    Tabs,
    Tables,
}

fn failure(
    blame: Blame,
    code: &str,
    fr: impl Into<String>,
    en: impl Into<String>,
    mend: (&str, &str),
) -> Failure {
    Failure::new(
        blame,
        format!("spreadsheet.{code}"),
        Words::new(fr, en),
        Words::new(mend.0, mend.1),
    )
}

pub(crate) fn too_large(limit: Limit) -> Failure {
    let mb = 1024 * 1024;
    let (fr, en) = match limit {
        Limit::Bytes => (
            format!("Le fichier dépasse {} Mo.", limits::BYTES / mb),
            format!("The file is larger than {} MB.", limits::BYTES / mb),
        ),
        Limit::Unpacked => (
            format!(
                "Une fois déplié, le classeur dépasse {} Mo.",
                limits::UNPACKED / mb
            ),
            format!(
                "Once unpacked, the workbook is larger than {} MB.",
                limits::UNPACKED / mb
            ),
        ),
        Limit::Rows => (
            format!("Le classeur a plus de {} lignes remplies.", limits::ROWS),
            format!("The workbook has more than {} filled lines.", limits::ROWS),
        ),
        Limit::Columns => (
            format!("Une ligne a plus de {} colonnes.", limits::COLUMNS),
            format!("A line has more than {} columns.", limits::COLUMNS),
        ),
        Limit::Cell => (
            "Une cellule contient plus d’un million de caractères.".to_owned(),
            "One cell holds more than a million characters.".to_owned(),
        ),
        Limit::Tabs => (
            format!("Le classeur a plus de {} onglets.", limits::TABS),
            format!("The workbook has more than {} tabs.", limits::TABS),
        ),
        Limit::Tables => (
            format!("Le document a plus de {} tables.", limits::TABLES),
            format!("The document has more than {} tables.", limits::TABLES),
        ),
    };
    failure(
        Blame::Data,
        "too-large",
        fr,
        en,
        (
            "Vérifiez que c’est le bon fichier\u{202f}; sinon, gardez-y les mois à venir et rangez le reste ailleurs.",
            "Check that it is the right file; if so, keep the coming months in it and put the rest elsewhere.",
        ),
    )
}

pub(crate) fn empty() -> Failure {
    failure(
        Blame::Data,
        "empty",
        "Le fichier est vide\u{a0}: pas même une ligne de titres de colonnes.",
        "The file is empty: not even a line of column headers.",
        (
            "Remettez la version précédente du fichier\u{202f}; rien n’a été annulé.",
            "Put the previous version of the file back; nothing was cancelled.",
        ),
    )
}

pub(crate) fn no_answers() -> Failure {
    failure(
        Blame::Data,
        "no-answers",
        "Aucune ligne de titres n’a été reconnue dans ce tableau de réponses.",
        "No line of headings was recognised in this sheet of answers.",
        (
            "Il faut une colonne qui dise qui répond («\u{a0}E-mail\u{a0}», «\u{a0}Nom\u{a0}») et une autre que Raccord connaisse («\u{a0}Horodatage\u{a0}», «\u{a0}Activité\u{a0}»…), ou un sondage de Framadate. Si les vôtres s’appellent autrement, la personne qui s’occupe de Raccord peut les lui apprendre, sous «\u{a0}columns\u{a0}» dans sa configuration.",
            "There must be a column that says who answers (“E-mail”, “Name”) and another that Raccord knows (“Timestamp”, “Activity” …), or a poll of Framadate. If yours have other names, whoever keeps Raccord can teach it those, under “columns” in its configuration.",
        ),
    )
}

pub(crate) fn no_answer_field(key: &str) -> Failure {
    let known: Vec<&str> = crate::answers::Chosen::keys().collect();
    let known = known.join(", ");
    let mut failure = settings(
        &format!("columns.{key}"),
        "ce n’est pas un champ d’une réponse",
        "it is no field of an answer",
    );
    failure.mend = Words::new(
        format!("Écrivez l’un de ceux-ci\u{a0}: {known}."),
        format!("Write one of these: {known}."),
    );
    failure
}

pub(crate) fn no_day() -> Failure {
    let mut failure = settings("answers.date", "ce n’est pas un jour", "it is no day");
    failure.mend = Words::new(
        "Écrivez l’année, le mois et le jour, par exemple 2027-02-01.",
        "Write the year, the month and the day, for example 2027-02-01.",
    );
    failure
}

pub(crate) fn header_lost(tab: Option<&str>) -> Failure {
    let (fr, en) = match tab {
        Some(tab) => (
            format!("L’onglet «\u{a0}{tab}\u{a0}» n’a plus sa ligne de titres de colonnes."),
            format!("The tab “{tab}” has lost its line of column headers."),
        ),
        None => (
            "Aucune ligne de titres de colonnes n’a été reconnue dans le tableau.".to_owned(),
            "No line of column headers was recognised in the sheet.".to_owned(),
        ),
    };
    failure(
        Blame::Data,
        "header-lost",
        fr,
        en,
        (
            "Il faut au moins une colonne «\u{a0}Date\u{a0}» et une colonne «\u{a0}Titre\u{a0}», chacune nommée en haut. Si les vôtres s’appellent autrement, la personne qui s’occupe de Raccord peut les lui apprendre, sous «\u{a0}columns\u{a0}» dans sa configuration.",
            "There must be at least a column “Date” and a column “Title”, each named at the top. If yours have other names, whoever keeps Raccord can teach it those, under “columns” in its configuration.",
        ),
    )
}

pub(crate) fn sheet_missing(wanted: &str, there: &[String]) -> Failure {
    let list = there
        .iter()
        .take(20)
        .map(|name| crate::text::cut(name, 40))
        .collect::<Vec<_>>()
        .join(", ");
    failure(
        Blame::Data,
        "sheet-missing",
        format!("Le classeur n’a pas d’onglet «\u{a0}{wanted}\u{a0}». Ses onglets\u{a0}: {list}."),
        format!("The workbook has no tab “{wanted}”. Its tabs: {list}."),
        (
            "Rendez son nom à l’onglet, ou corrigez «\u{a0}sheet\u{a0}» dans la configuration.",
            "Give the tab its name back, or correct “sheet” in the configuration.",
        ),
    )
}

pub(crate) fn web_page() -> Failure {
    failure(
        Blame::Access,
        "web-page",
        "À la place du tableau est venue une page web, sans doute une page de connexion.",
        "Instead of the sheet came a web page, most likely a sign-in page.",
        (
            "Vérifiez l’adresse et les droits\u{a0}: il faut l’adresse du fichier lui-même (téléchargement), ouverte à Raccord.",
            "Check the address and the rights: it must be the address of the file itself (download), open to Raccord.",
        ),
    )
}

/// What a file is that is no sheet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Other {
    NoFile,
    Pdf,
    Data,
    Binary,
    Document,
    Archive,
}

pub(crate) fn not_a_sheet(other: Other) -> Failure {
    let (fr, en) = match other {
        Other::NoFile => (
            "ce n’est pas un vrai fichier",
            "it is not a file like others",
        ),
        Other::Pdf => ("c’est un PDF", "it is a PDF"),
        Other::Data => (
            "ce sont des données écrites pour des logiciels",
            "it is data written for programs",
        ),
        Other::Binary => ("il ne contient pas du texte", "it does not hold text"),
        Other::Document => (
            "c’est un document d’un autre genre (texte, présentation…)",
            "it is a document of another kind (text, slides…)",
        ),
        Other::Archive => (
            "c’est une archive, pas un classeur",
            "it is an archive, not a workbook",
        ),
    };
    failure(
        Blame::Data,
        "not-a-sheet",
        format!("Ce fichier n’est pas un tableau lisible\u{a0}: {fr}."),
        format!("This file is not a sheet that can be read: {en}."),
        (
            "Enregistrez le tableau en .ods, .xlsx ou .csv.",
            "Save the sheet as .ods, .xlsx or .csv.",
        ),
    )
}

pub(crate) fn damaged() -> Failure {
    failure(
        Blame::Transient,
        "damaged",
        "Le classeur est incomplet ou abîmé\u{a0}: il a peut-être été lu pendant son enregistrement.",
        "The workbook is incomplete or damaged: it may have been read while it was being saved.",
        (
            "Rien à faire si cela ne dure pas\u{202f}; sinon, ouvrez-le et enregistrez-le de nouveau.",
            "Nothing to do if it passes; otherwise open it and save it again.",
        ),
    )
}

pub(crate) fn truncated() -> Failure {
    failure(
        Blame::Transient,
        "truncated",
        "Le fichier s’arrête au milieu de sa dernière ligne.",
        "The file stops in the middle of its last line.",
        (
            "Rien à faire si cela ne dure pas\u{202f}; si le fichier est entier, complétez sa dernière ligne ou terminez-la par un retour à la ligne.",
            "Nothing to do if it passes; if the file is whole, complete its last line or end it with a line break.",
        ),
    )
}

pub(crate) fn encrypted() -> Failure {
    failure(
        Blame::Access,
        "encrypted",
        "Le classeur est protégé par un mot de passe.",
        "The workbook is protected by a password.",
        (
            "Enregistrez-le sans mot de passe\u{202f}; les droits du dossier suffisent à le protéger.",
            "Save it without a password; the rights of its folder are enough to protect it.",
        ),
    )
}

pub(crate) fn old_format() -> Failure {
    failure(
        Blame::Data,
        "old-format",
        "Le classeur est dans un ancien format (.xls).",
        "The workbook is in an old format (.xls).",
        (
            "Enregistrez-le en .xlsx ou en .ods.",
            "Save it as .xlsx or .ods.",
        ),
    )
}

pub(crate) fn partial() -> Failure {
    failure(
        Blame::Transient,
        "truncated",
        "Seul un morceau du tableau est arrivé.",
        "Only a piece of the sheet arrived.",
        (
            "Rien à faire si cela ne dure pas\u{a0}: Raccord réessaie.",
            "Nothing to do if it passes: Raccord tries again.",
        ),
    )
}

pub(crate) fn moved() -> Failure {
    failure(
        Blame::Transient,
        "moving",
        "Le fichier a changé pendant sa lecture.",
        "The file changed while it was read.",
        (
            "Rien à faire\u{a0}: Raccord le relit.",
            "Nothing to do: Raccord reads it again.",
        ),
    )
}

pub(crate) fn disk(shown: &str, error: &std::io::Error) -> Failure {
    use std::io::ErrorKind as Kind;
    match error.kind() {
        Kind::NotFound => failure(
            Blame::Transient,
            "missing",
            format!("«\u{a0}{shown}\u{a0}» n’est pas là."),
            format!("“{shown}” is not there."),
            (
                "Remettez le fichier à sa place, ou corrigez «\u{a0}location\u{a0}» dans la configuration.",
                "Put the file back in its place, or correct “location” in the configuration.",
            ),
        ),
        Kind::PermissionDenied => failure(
            Blame::Access,
            "forbidden",
            format!("Raccord n’a pas le droit de lire «\u{a0}{shown}\u{a0}»."),
            format!("Raccord may not read “{shown}”."),
            (
                "Donnez le droit de lecture à l’utilisateur qui fait tourner Raccord.",
                "Give the user Raccord runs as the right to read it.",
            ),
        ),
        Kind::IsADirectory => failure(
            Blame::Data,
            "folder",
            format!("«\u{a0}{shown}\u{a0}» est un dossier, pas un fichier."),
            format!("“{shown}” is a folder, not a file."),
            (
                "Donnez dans «\u{a0}location\u{a0}» le chemin du fichier.",
                "Give the path of the file in “location”.",
            ),
        ),
        _ => failure(
            Blame::Transient,
            "disk",
            format!("«\u{a0}{shown}\u{a0}» n’a pas pu être lu jusqu’au bout."),
            format!("“{shown}” could not be read to its end."),
            (
                "Regardez l’état du disque\u{202f}; Raccord réessaie de lui-même.",
                "Look at the state of the disk; Raccord tries again by itself.",
            ),
        ),
    }
}

/// A key of `columns` that names no field.
pub(crate) fn no_field(key: &str) -> Failure {
    let known: Vec<&str> = Field::ALL.iter().map(|field| field.name()).collect();
    let mut failure = settings(
        &format!("columns.{key}"),
        "ce n’est pas un champ",
        "it is no field",
    );
    failure.mend = match nearest(key, &known) {
        Some(near) => Words::new(
            format!("Vouliez-vous écrire «\u{a0}{near}\u{a0}»\u{202f}?"),
            format!("Did you mean “{near}”?"),
        ),
        None => Words::new(
            format!("Les champs\u{a0}: {}, et extra.<nom>.", known.join(", ")),
            format!("The fields: {}, and extra.<name>.", known.join(", ")),
        ),
    };
    failure
}

/// A location that is none.
pub(crate) fn no_place() -> Failure {
    settings(
        "location",
        "ce n’est ni un chemin ni une adresse http(s)",
        "it is neither a path nor an http(s) address",
    )
}

/// One half of an account without the other.
pub(crate) fn half_an_account(key: &str) -> Failure {
    settings(
        key,
        "il manque, alors que l’autre moitié du compte est donnée",
        "it is missing, while the other half of the account is given",
    )
}

/// Read too often.
pub(crate) fn too_often() -> Failure {
    settings(
        "every",
        "au moins une seconde, par exemple «\u{a0}30s\u{a0}»",
        "at least a second, for example “30s”",
    )
}

fn settings(key: &str, fr: &str, en: &str) -> Failure {
    failure(
        Blame::Data,
        "settings",
        format!("«\u{a0}{key}\u{a0}»\u{a0}: {fr}."),
        format!("“{key}”: {en}."),
        (
            "Corrigez cette clé dans la configuration.",
            "Correct this key in the configuration.",
        ),
    )
}

/// What `check` says of a sheet that can be read, but for some cells.
pub(crate) fn unread(reading: &Reading) -> Finding {
    let count = reading.unread.len();
    let first = &reading.unread[0];
    let place = format!("{} {}{}", first.sheet, first.column, first.row);
    let failure = failure(
        Blame::Data,
        "unread",
        format!(
            "{count} cellule(s) du tableau ne peuvent pas être lues\u{202f}; la première\u{a0}: {place}. {}",
            first.write.fr
        ),
        format!(
            "{count} cell(s) of the sheet cannot be read; the first: {place}. {}",
            first.write.en
        ),
        (
            "Tapez «\u{a0}raccord plan\u{a0}» pour les voir toutes.",
            "Type “raccord plan” to see them all.",
        ),
    );
    Finding {
        level: Level::Warning,
        ..Finding::of("location", &failure)
    }
}

/// What it must be allowed to do.
pub(crate) fn rights() -> Words {
    Words::new(
        "Lire le fichier, rien de plus.",
        "To read the file, nothing more.",
    )
}
