//! What can go wrong, in plain words, with its code, its blame and its mend.

use std::path::Path;

use raccord_model::{Blame, Failure, Words};

/// An address that cannot be printed.
pub(crate) fn address(key: &str) -> Failure {
    Failure::new(
        Blame::Data,
        "programme.address",
        Words::new(
            format!("La clé {key} n’est pas une adresse qui s’imprime."),
            format!("The key {key} is no address that can be printed."),
        ),
        Words::new(
            "Écrivez une adresse qui commence par https://, d’au plus 200 signes.",
            "Write an address that begins with https://, of at most 200 characters.",
        ),
    )
}

pub(crate) fn unreadable_template(path: &Path, why: &std::io::Error) -> Failure {
    let path = path.display();
    Failure::new(
        Blame::Data,
        "programme.template-unreadable",
        Words::new(
            format!("Le modèle {path} ne peut pas être lu\u{a0}: {why}."),
            format!("The template {path} cannot be read: {why}."),
        ),
        Words::new(
            "Vérifiez le chemin et les droits du fichier, ou enlevez la clé template.",
            "Check the path and the file’s rights, or take the key template away.",
        ),
    )
}

pub(crate) fn heavy_template(path: &Path) -> Failure {
    let path = path.display();
    Failure::new(
        Blame::Data,
        "programme.template-unreadable",
        Words::new(
            format!("Le modèle {path} pèse plus d’un mégaoctet."),
            format!("The template {path} weighs more than a megabyte."),
        ),
        Words::new(
            "Un modèle est un texte Typst de quelques pages\u{a0}: vérifiez que c’est le bon fichier.",
            "A template is a few pages of Typst text: check that it is the right file.",
        ),
    )
}

pub(crate) fn unreadable_logo(path: &Path, why: &std::io::Error) -> Failure {
    let path = path.display();
    Failure::new(
        Blame::Data,
        "programme.logo",
        Words::new(
            format!("Le logo {path} ne peut pas être lu\u{a0}: {why}."),
            format!("The logo {path} cannot be read: {why}."),
        ),
        Words::new(
            "Vérifiez le chemin et les droits du fichier, ou enlevez la clé logo.",
            "Check the path and the file’s rights, or take the key logo away.",
        ),
    )
}

pub(crate) fn heavy_logo(path: &Path, most: u64) -> Failure {
    let path = path.display();
    Failure::new(
        Blame::Data,
        "programme.logo",
        Words::new(
            format!("Le logo {path} pèse plus de {most}\u{a0}Mo."),
            format!("The logo {path} weighs more than {most} MB."),
        ),
        mend_logo(),
    )
}

pub(crate) fn wide_logo(path: &Path, (width, height): (u32, u32), most: u32) -> Failure {
    let path = path.display();
    Failure::new(
        Blame::Data,
        "programme.logo",
        Words::new(
            format!(
                "Le logo {path} fait {width} sur {height} points\u{a0}; {most} de chaque côté est le plus."
            ),
            format!(
                "The logo {path} is {width} by {height} points; {most} on each side is the most."
            ),
        ),
        mend_logo(),
    )
}

pub(crate) fn no_picture(path: &Path) -> Failure {
    let path = path.display();
    Failure::new(
        Blame::Data,
        "programme.logo",
        Words::new(
            format!("Le logo {path} n’est pas une image SVG, PNG ou JPEG."),
            format!("The logo {path} is no SVG, PNG or JPEG picture."),
        ),
        mend_logo(),
    )
}

fn mend_logo() -> Words {
    Words::new(
        "Enregistrez-le en SVG, ou en PNG d’environ 600 points de haut, ou enlevez la clé logo.",
        "Save it as SVG, or as a PNG about 600 points high, or take the key logo away.",
    )
}

/// The template does not compile. Ours is our fault, a place's own is its author's.
pub(crate) fn template(own: bool, why: &str) -> Failure {
    let blame = if own { Blame::Bug } else { Blame::Data };
    Failure::new(
        blame,
        "programme.template",
        Words::new(
            format!("Le modèle ne peut pas être mis en page\u{a0}: {why}."),
            format!("The template cannot be typeset: {why}."),
        ),
        mend_template(own),
    )
}

/// The child took too long and was ended.
pub(crate) fn slow(own: bool, seconds: u64) -> Failure {
    let blame = if own { Blame::Bug } else { Blame::Data };
    Failure::new(
        blame,
        "programme.too-long",
        Words::new(
            format!("La mise en page a été arrêtée après {seconds} secondes."),
            format!("Typesetting was stopped after {seconds} seconds."),
        ),
        mend_template(own),
    )
}

/// The child wanted more memory, or made a larger file, than it may.
pub(crate) fn big(own: bool) -> Failure {
    let blame = if own { Blame::Bug } else { Blame::Data };
    Failure::new(
        blame,
        "programme.too-big",
        Words::new(
            "La mise en page demande plus de mémoire ou de place qu’il n’est permis.",
            "Typesetting wants more memory or room than it may have.",
        ),
        mend_template(own),
    )
}

fn mend_template(own: bool) -> Words {
    if own {
        Words::new(
            "C’est une erreur de Raccord\u{a0}: signalez-la avec le mois concerné.",
            "This is a fault in Raccord: report it, with the month it is about.",
        )
    } else {
        Words::new(
            "Corrigez le fichier nommé par la clé template, ou enlevez-la pour le modèle d’origine.",
            "Mend the file that the key template names, or take the key away for our own template.",
        )
    }
}

/// The program was built without typesetting.
pub(crate) fn no_typesetting() -> Failure {
    Failure::new(
        Blame::Access,
        "programme.no-typesetting",
        Words::new(
            "Ce programme a été construit sans la mise en page (fonction « pdf »).",
            "This program was built without typesetting (feature “pdf”).",
        ),
        Words::new(
            "Installez le programme complet, ou enlevez ce connecteur.",
            "Install the complete program, or take this connector away.",
        ),
    )
}

/// The child could not be started, or ended without a word.
pub(crate) fn child(why: &str) -> Failure {
    Failure::new(
        Blame::Transient,
        "programme.child",
        Words::new(
            format!("La mise en page n’a pas pu être lancée\u{a0}: {why}."),
            format!("Typesetting could not be started: {why}."),
        ),
        Words::new(
            "Raccord réessaiera. Si cela dure, redémarrez-le (le programme a pu être remplacé).",
            "Raccord will try again. If this lasts, restart it (the program may have been replaced).",
        ),
    )
}

pub(crate) fn not_a_folder(path: &Path) -> Failure {
    let path = path.display();
    Failure::new(
        Blame::Data,
        "programme.output",
        Words::new(
            format!("{path} n’est pas un dossier."),
            format!("{path} is not a folder."),
        ),
        Words::new(
            "Donnez à output le chemin d’un dossier.",
            "Give output the path of a folder.",
        ),
    )
}

pub(crate) fn not_writable(path: &Path, why: &std::io::Error) -> Failure {
    let path = path.display();
    Failure::new(
        Blame::Access,
        "programme.output-rights",
        Words::new(
            format!("Raccord ne peut pas écrire dans {path}\u{a0}: {why}."),
            format!("Raccord cannot write to {path}: {why}."),
        ),
        Words::new(
            "Donnez au compte de Raccord le droit d’écrire dans ce dossier.",
            "Give Raccord’s account the right to write to this folder.",
        ),
    )
}

/// What is to be done is not what this connector does.
pub(crate) fn not_ours(what: &str) -> Failure {
    Failure::new(
        Blame::Bug,
        "programme.not-ours",
        Words::new(
            format!("Le programme imprimé ne peut pas faire cela\u{a0}: {what}."),
            format!("The printed programme cannot do this: {what}."),
        ),
        Words::new(
            "C’est une erreur de Raccord\u{a0}: signalez-la.",
            "This is a fault in Raccord: report it.",
        ),
    )
}
