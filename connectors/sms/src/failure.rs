//! What can go wrong, with its mend. No number and no text of a message stands in any of it.

use std::path::Path;

use raccord_model::{Blame, Failure, Words};

/// A failure of this connector.
pub(crate) fn of(blame: Blame, code: &str, text: Words, mend: Words) -> Failure {
    Failure::new(blame, format!("sms.{code}"), text, mend)
}

/// A key that the chosen system needs.
pub(crate) fn needed(key: &str, system: &str) -> Failure {
    of(
        Blame::Data,
        "settings.missing",
        Words::new(
            format!("La clé « {key} » manque : « system = \"{system}\" » en a besoin."),
            format!("The key “{key}” is missing: “system = \"{system}\"” needs it."),
        ),
        Words::new(format!("Ajoutez « {key} »."), format!("Add “{key}”.")),
    )
}

/// A key that the chosen system does not read.
pub(crate) fn useless(key: &str, system: &str) -> Failure {
    of(
        Blame::Data,
        "settings.useless",
        Words::new(
            format!("La clé « {key} » ne sert à rien avec « system = \"{system}\" »."),
            format!("The key “{key}” is of no use with “system = \"{system}\"”."),
        ),
        Words::new(
            format!("Retirez « {key} », ou changez « system »."),
            format!("Take “{key}” away, or change “system”."),
        ),
    )
}

pub(crate) fn no_country() -> Failure {
    of(
        Blame::Data,
        "settings.country",
        Words::new(
            "La clé « country » n’est pas un indicatif téléphonique.",
            "The key “country” is no calling code.",
        ),
        Words::new(
            "Écrivez par exemple \"+262\" ou \"+33\".",
            "Write for example \"+262\" or \"+33\".",
        ),
    )
}

/// Two of gammu-smsd's folders are the same one.
pub(crate) fn same_folder(key: &str) -> Failure {
    of(
        Blame::Data,
        "same-folder",
        Words::new(
            format!(
                "« {key} » est le même dossier qu’un autre : gammu-smsd y effacerait ce qui est parti, et Raccord ne saurait plus ce qui l’est."
            ),
            format!(
                "“{key}” is the same folder as another: gammu-smsd would delete there what was sent, and Raccord could not tell any more what was."
            ),
        ),
        Words::new(
            "Donnez trois dossiers différents, ici et dans la configuration de gammu-smsd (OutboxPath, SentSMSPath, ErrorSMSPath).",
            "Give three different folders, here and in the configuration of gammu-smsd (OutboxPath, SentSMSPath, ErrorSMSPath).",
        ),
    )
}

/// What stands for somebody's number is none.
pub(crate) fn no_number() -> Failure {
    of(
        Blame::Data,
        "no-number",
        Words::new(
            "Le numéro de cette personne n’en est pas un que l’on puisse joindre.",
            "This person's number is none that can be reached.",
        ),
        Words::new(
            "Demandez-lui de l’écrire avec son indicatif (+262…) sur la page « Comment être prévenu », puis abandonnez cet envoi. Si les numéros de votre pays sont écrits sans indicatif, ajoutez « country ».",
            "Ask them to write it with its calling code (+262…) on the page “How to be told”, then drop this delivery. If your country's numbers are written without one, add “country”.",
        ),
    )
}

/// Enough for today.
pub(crate) fn ceiling(per_day: u64) -> Failure {
    of(
        Blame::Data,
        "ceiling",
        Words::new(
            format!("{per_day} SMS sont déjà partis aujourd’hui : celui-ci attend votre accord."),
            format!(
                "{per_day} short messages went out today already: this one waits for your yes."
            ),
        ),
        Words::new(
            "Regardez si c’est normal. Si oui, montez « per_day » et rejouez l’envoi (raccord retry), ou rejouez-le demain ; sinon abandonnez-le (raccord drop).",
            "See whether that is right. If it is, raise “per_day” and make the delivery again (raccord retry), or do so tomorrow; if not, drop it (raccord drop).",
        ),
    )
}

pub(crate) fn formless() -> Failure {
    of(
        Blame::Bug,
        "formless",
        Words::new(
            "Ce message n’a pas de forme que le connecteur connaisse.",
            "This message has no form that the connector knows.",
        ),
        Words::new(
            "C’est une erreur de Raccord : signalez-la.",
            "This is a fault of Raccord: report it.",
        ),
    )
}

/// A folder of gammu-smsd cannot be read.
pub(crate) fn unreadable(key: &str, folder: &Path) -> Failure {
    let shown = folder.display();
    of(
        Blame::Access,
        &format!("no-{key}"),
        Words::new(
            format!("Le dossier {shown} (« {key} ») manque, ou Raccord ne peut pas le lire."),
            format!("The folder {shown} (“{key}”) is missing, or Raccord cannot read it."),
        ),
        Words::new(
            "Installez gammu-smsd, et ajoutez le compte de Raccord à son groupe : usermod -aG gammu raccord. Raccord reprend de lui-même.",
            "Install gammu-smsd, and add Raccord's account to its group: usermod -aG gammu raccord. Raccord resumes by itself.",
        ),
    )
}

/// No password is given, or it is wrong.
pub(crate) fn no_password() -> Failure {
    of(
        Blame::Access,
        "no-password",
        Words::new(
            "Aucun mot de passe n’est donné : sans lui, le téléphone n’envoie rien.",
            "No password is given: without one the phone sends nothing.",
        ),
        Words::new(
            "Mettez celui que l’application montre dans le fichier de « password_file ».",
            "Put the one that the app shows into the file of “password_file”.",
        ),
    )
}

pub(crate) fn credentials(host: &str) -> Failure {
    of(
        Blame::Access,
        "credentials",
        Words::new(
            format!("{host} n’accepte pas ce nom et ce mot de passe (401)."),
            format!("{host} does not accept this user and password (401)."),
        ),
        Words::new(
            "L’application les montre, sous « Serveur local » ou « Serveur cloud » : mettez-les dans « user » et dans le fichier de « password_file ». Raccord reprend de lui-même.",
            "The app shows them, under “Local server” or “Cloud server”: put them into “user” and the file of “password_file”. Raccord resumes by itself.",
        ),
    )
}

/// Something answers that is no such app.
pub(crate) fn no_gateway(host: &str) -> Failure {
    of(
        Blame::Access,
        "no-gateway",
        Words::new(
            format!("Ce qui répond à {host} n’est pas SMS Gateway for Android."),
            format!("What answers at {host} is not SMS Gateway for Android."),
        ),
        Words::new(
            "Écrivez dans « url » l’adresse que l’application montre ; pour un serveur, elle finit par /3rdparty/v1.",
            "Write into “url” the address that the app shows; for a server it ends in /3rdparty/v1.",
        ),
    )
}

/// The server says that its phone takes nothing any more.
pub(crate) fn phone_away(host: &str) -> Failure {
    of(
        Blame::Transient,
        "phone-away",
        Words::new(
            format!("{host} n’accepte plus de messages : son téléphone est éteint ou hors ligne."),
            format!("{host} takes no more messages: its phone is off or offline."),
        ),
        Words::new(
            "Allumez le téléphone, ouvrez l’application et vérifiez qu’elle est « en ligne ». Raccord reprend de lui-même.",
            "Switch the phone on, open the app and see that it is “online”. Raccord resumes by itself.",
        ),
    )
}
