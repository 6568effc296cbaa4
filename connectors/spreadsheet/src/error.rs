//! Why a document cannot be read at all, in words for the person who can mend it.
//!
//! Every one of these keeps the last good state: a document that cannot be read says nothing about
//! the activities it held.

use raccord_kit::settings::nearest;
use raccord_model::{Blame, Failure, Words};

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
    };
    failure(
        Blame::Data,
        "too-large",
        fr,
        en,
        (
            "Vérifiez que c’est le bon fichier ; sinon, gardez-y les mois à venir et rangez le reste ailleurs.",
            "Check that it is the right file; if so, keep the coming months in it and put the rest elsewhere.",
        ),
    )
}

pub(crate) fn empty() -> Failure {
    failure(
        Blame::Data,
        "empty",
        "Le fichier est vide : pas même une ligne de titres de colonnes.",
        "The file is empty: not even a line of column headers.",
        (
            "Remettez la version précédente du fichier ; rien n’a été annulé.",
            "Put the previous version of the file back; nothing was cancelled.",
        ),
    )
}

pub(crate) fn header_lost(tab: Option<&str>) -> Failure {
    let (fr, en) = match tab {
        Some(tab) => (
            format!("L’onglet « {tab} » n’a plus sa ligne de titres de colonnes."),
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
            "Il faut au moins une colonne « Date » et une colonne « Titre », chacune nommée en haut. Si les vôtres s’appellent autrement, dites-le dans la configuration : columns = { title = \"…\", date = \"…\" }.",
            "There must be at least a column “Date” and a column “Title”, each named at the top. If yours have other names, say so in the configuration: columns = { title = \"…\", date = \"…\" }.",
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
        format!("Le classeur n’a pas d’onglet « {wanted} ». Ses onglets : {list}."),
        format!("The workbook has no tab “{wanted}”. Its tabs: {list}."),
        (
            "Rendez son nom à l’onglet, ou corrigez « sheet » dans la configuration.",
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
            "Vérifiez l’adresse et les droits : il faut l’adresse du fichier lui-même (téléchargement), ouverte à Raccord.",
            "Check the address and the rights: it must be the address of the file itself (download), open to Raccord.",
        ),
    )
}

pub(crate) fn not_a_sheet(fr: &str, en: &str) -> Failure {
    failure(
        Blame::Data,
        "not-a-sheet",
        format!("Ce fichier n’est pas un tableau lisible : {fr}."),
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
        "Le classeur est incomplet ou abîmé : il a peut-être été lu pendant son enregistrement.",
        "The workbook is incomplete or damaged: it may have been read while it was being saved.",
        (
            "Rien à faire si cela ne dure pas ; sinon, ouvrez-le et enregistrez-le de nouveau.",
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
            "Rien à faire si cela ne dure pas ; si le fichier est entier, complétez sa dernière ligne ou terminez-la par un retour à la ligne.",
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
            "Enregistrez-le sans mot de passe ; les droits du dossier suffisent à le protéger.",
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
            "Rien à faire si cela ne dure pas : Raccord réessaie.",
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
            "Rien à faire : Raccord le relit.",
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
            format!("« {shown} » n’est pas là."),
            format!("“{shown}” is not there."),
            (
                "Remettez le fichier à sa place, ou corrigez « location » dans la configuration.",
                "Put the file back in its place, or correct “location” in the configuration.",
            ),
        ),
        Kind::PermissionDenied => failure(
            Blame::Access,
            "forbidden",
            format!("Raccord n’a pas le droit de lire « {shown} »."),
            format!("Raccord may not read “{shown}”."),
            (
                "Donnez le droit de lecture à l’utilisateur qui fait tourner Raccord.",
                "Give the user Raccord runs as the right to read it.",
            ),
        ),
        Kind::IsADirectory => failure(
            Blame::Data,
            "folder",
            format!("« {shown} » est un dossier, pas un fichier."),
            format!("“{shown}” is a folder, not a file."),
            (
                "Donnez dans « location » le chemin du fichier.",
                "Give the path of the file in “location”.",
            ),
        ),
        _ => failure(
            Blame::Transient,
            "disk",
            format!("« {shown} » n’a pas pu être lu jusqu’au bout."),
            format!("“{shown}” could not be read to its end."),
            (
                "Regardez l’état du disque ; Raccord réessaie de lui-même.",
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
            format!("Vouliez-vous écrire « {near} » ?"),
            format!("Did you mean “{near}”?"),
        ),
        None => Words::new(
            format!("Les champs : {}, et extra.<nom>.", known.join(", ")),
            format!("The fields: {}, and extra.<name>.", known.join(", ")),
        ),
    };
    failure
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
        "au moins une seconde, par exemple \"30s\"",
        "at least a second, for example \"30s\"",
    )
}

pub(crate) fn settings(key: &str, fr: &str, en: &str) -> Failure {
    failure(
        Blame::Data,
        "settings",
        format!("« {key} » : {fr}."),
        format!("“{key}”: {en}."),
        (
            "Corrigez cette clé dans la configuration.",
            "Correct this key in the configuration.",
        ),
    )
}
