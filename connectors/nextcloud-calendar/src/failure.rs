//! What a calendar server refuses, told apart, each with what to click.

use raccord_kit::http::{Answer, Http};
use raccord_model::{Blame, Failure, Words};

/// How long a server that counts failed logins is left alone: it forgets them after half an hour.
const WALL_MS: i64 = 10 * 60 * 1_000;
/// How long a server under maintenance is left alone.
const MAINTENANCE_MS: i64 = 60 * 1_000;

/// A failure of this connector.
pub(crate) fn of(blame: Blame, code: &str, text: Words, mend: Words) -> Failure {
    Failure::new(blame, format!("nextcloud-calendar.{code}"), text, mend)
}

/// The failure a refusal amounts to.
pub(crate) fn refusal(http: &Http, answer: &Answer, host: &str) -> Failure {
    let body = String::from_utf8_lossy(&answer.body);
    let usual: Failure = http.refusal(answer, false).into();
    match answer.status.as_u16() {
        401 if body.contains("PasswordLoginForbidden")
            || body.contains("password login forbidden") =>
        {
            app_password(host)
        }
        401 => credentials(host),
        403 if body.contains("alendar limit") => too_many_calendars(host),
        400 if is_untrusted(&body) => untrusted(host),
        429 if usual.retry_after_ms.is_none() => throttled(host),
        503 if body.contains("ServerMaintenanceMode") || body.contains("maintenance") => {
            let mut failure = maintenance(host);
            failure.retry_after_ms = usual.retry_after_ms.or(failure.retry_after_ms);
            failure
        }
        _ => usual,
    }
}

/// Whether a page says that the server does not answer to the name it was called by.
pub(crate) fn is_untrusted(body: &str) -> bool {
    let text = body.to_ascii_lowercase();
    text.contains("trusted domain")
        || text.contains("trusted_domains")
        || text.contains("untrusted domain")
}

/// The account's name or password is wrong. It is not tried again: more than ten wrong logins lock
/// the whole address out for half an hour.
pub(crate) fn credentials(host: &str) -> Failure {
    of(
        Blame::Access,
        "credentials",
        Words::new(
            format!(
                "{host} n’accepte pas le nom ou le mot de passe (401). Raccord n’essaie plus\u{a0}: dix refus bloqueraient toute votre adresse une demi-heure."
            ),
            format!(
                "{host} does not accept the name or the password (401). Raccord tries no more: ten refusals would lock out your whole address for half an hour."
            ),
        ),
        new_app_password(host),
    )
}

/// The account's own password, where only an application's may log in.
fn app_password(host: &str) -> Failure {
    of(
        Blame::Access,
        "app-password",
        Words::new(
            format!(
                "{host} veut un mot de passe d’application\u{a0}: ce compte a la double authentification, ou ne se connecte qu’ainsi."
            ),
            format!(
                "{host} wants an app password: this account has two-factor login, or logs in that way only."
            ),
        ),
        new_app_password(host),
    )
}

fn new_app_password(host: &str) -> Words {
    Words::new(
        format!(
            "Sur {host}, avec le compte de Raccord\u{a0}: Paramètres personnels, Sécurité, «\u{a0}Créer un nouveau mot de passe d’application\u{a0}»\u{202f}; mettez-le dans le fichier de «\u{a0}password_file\u{a0}». Raccord reprend de lui-même."
        ),
        format!(
            "On {host}, with Raccord’s account: Personal settings, Security, “Create new app password”; put it into the file of “password_file”. Raccord resumes by itself."
        ),
    )
}

/// The server does not know itself by this name.
pub(crate) fn untrusted(host: &str) -> Failure {
    let name = host.split(':').next().unwrap_or(host);
    of(
        Blame::Transient,
        "untrusted-domain",
        Words::new(
            format!("Ce Nextcloud ne se connaît pas sous le nom {name} (400)."),
            format!("This Nextcloud does not know itself by the name {name} (400)."),
        ),
        Words::new(
            format!(
                "Écrivez dans «\u{a0}url\u{a0}» l’adresse que vos membres utilisent, ou demandez à l’administrateur\u{a0}: occ config:system:set trusted_domains 1 --value={name}"
            ),
            format!(
                "Write in “url” the address your members use, or ask the administrator: occ config:system:set trusted_domains 1 --value={name}"
            ),
        ),
    )
}

fn throttled(host: &str) -> Failure {
    let mut failure = of(
        Blame::Transient,
        "throttled",
        Words::new(
            format!(
                "{host} bloque pour un moment toutes les connexions venant de votre adresse (429)\u{a0}: il y a eu trop de mots de passe refusés."
            ),
            format!(
                "{host} blocks all logins from your address for a while (429): there were too many refused passwords."
            ),
        ),
        Words::new(
            "Attendez une demi-heure, Raccord reprend de lui-même\u{202f}; cherchez quel appareil a gardé un ancien mot de passe. L’administrateur peut lever le blocage\u{a0}: occ security:bruteforce:reset ADRESSE",
            "Wait half an hour, Raccord resumes by itself; look for the device that kept an old password. The administrator can lift the block: occ security:bruteforce:reset ADDRESS",
        ),
    );
    failure.retry_after_ms = Some(WALL_MS);
    failure
}

fn maintenance(host: &str) -> Failure {
    let mut failure = of(
        Blame::Transient,
        "maintenance",
        Words::new(
            format!("{host} est en maintenance (503)."),
            format!("{host} is under maintenance (503)."),
        ),
        Words::new(
            "Rien à faire, Raccord reprend de lui-même. Si cela dure, l’administrateur peut taper\u{a0}: occ maintenance:mode --off",
            "Nothing to do, Raccord resumes by itself. If it lasts, the administrator can type: occ maintenance:mode --off",
        ),
    );
    failure.retry_after_ms = Some(MAINTENANCE_MS);
    failure
}

fn too_many_calendars(host: &str) -> Failure {
    of(
        Blame::Data,
        "too-many-calendars",
        Words::new(
            format!("{host} ne permet pas de créer un agenda de plus (403)."),
            format!("{host} does not allow one more calendar to be made (403)."),
        ),
        Words::new(
            "Effacez un agenda inutile de ce compte, ou créez celui-ci à la main dans l’application Agenda.",
            "Delete a calendar of this account that nobody needs, or make this one by hand in the Calendar app.",
        ),
    )
}

/// No CalDAV at this address.
pub(crate) fn no_caldav(host: &str) -> Failure {
    of(
        Blame::Transient,
        "no-caldav",
        Words::new(
            format!("{host} ne propose pas d’agendas à cette adresse."),
            format!("{host} offers no calendars at this address."),
        ),
        Words::new(
            "Ouvrez l’application Agenda, «\u{a0}Paramètres de l’agenda\u{a0}», «\u{a0}Copier l’adresse CalDAV principale\u{a0}», et mettez cette adresse dans «\u{a0}url\u{a0}».",
            "Open the Calendar app, “Calendar settings”, “Copy primary CalDAV address”, and put that address into “url”.",
        ),
    )
}

/// The calendar is not there, and may not be made.
pub(crate) fn no_calendar(name: &str, host: &str) -> Failure {
    of(
        Blame::Data,
        "no-calendar",
        Words::new(
            format!(
                "L’agenda «\u{a0}{name}\u{a0}» n’existe pas sur {host} pour ce compte, et il n’a pas pu être créé."
            ),
            format!(
                "The calendar “{name}” does not exist on {host} for this account, and it could not be made."
            ),
        ),
        Words::new(
            "Créez-le dans l’application Agenda («\u{a0}+ Nouvel agenda\u{a0}»), ou videz la corbeille de l’agenda s’il y a été jeté\u{202f}; «\u{a0}raccord check\u{a0}» dit quels agendas ce compte voit.",
            "Make it in the Calendar app (“+ New calendar”), or empty the calendar’s trash bin if it was thrown there; `raccord check` tells which calendars this account sees.",
        ),
    )
}

/// The calendar may only be read.
pub(crate) fn read_only(name: &str, host: &str) -> Failure {
    of(
        Blame::Access,
        "read-only",
        Words::new(
            format!(
                "Le compte de Raccord ne peut que lire l’agenda «\u{a0}{name}\u{a0}» sur {host}."
            ),
            format!("Raccord’s account may only read the calendar “{name}” on {host}."),
        ),
        Words::new(
            "Dans l’application Agenda, son propriétaire ouvre le partage de cet agenda et coche «\u{a0}peut modifier\u{a0}» pour le compte de Raccord.",
            "In the Calendar app, its owner opens the sharing of that calendar and ticks “can edit” for Raccord’s account.",
        ),
    )
}

/// It holds no entries of this kind.
pub(crate) fn no_tasks(name: &str) -> Failure {
    of(
        Blame::Data,
        "no-tasks",
        Words::new(
            format!("L’agenda «\u{a0}{name}\u{a0}» ne prend pas de tâches."),
            format!("The calendar “{name}” takes no tasks."),
        ),
        Words::new(
            "Nommez dans une route un agenda qui en prend (l’application Tâches en crée), ou ôtez «\u{a0}tasks\u{a0}».",
            "Name in a route a calendar that takes them (the Tasks app makes some), or take “tasks” away.",
        ),
    )
}

/// What answered is not what was asked for.
pub(crate) fn odd_answer(host: &str) -> Failure {
    of(
        Blame::Transient,
        "odd-answer",
        Words::new(
            format!(
                "{host} a répondu autre chose que ce qui lui était demandé\u{a0}: une page de connexion, peut-être."
            ),
            format!("{host} answered something else than it was asked for: a login page, perhaps."),
        ),
        Words::new(
            "Vérifiez l’adresse dans «\u{a0}url\u{a0}», et qu’aucune page de connexion ne se trouve devant elle\u{202f}; Raccord réessaie de lui-même.",
            "Check the address in “url”, and that no login page stands in front of it; Raccord tries again by itself.",
        ),
    )
}

/// An entry that nobody can read any more.
pub(crate) fn unreadable(title: &str) -> Failure {
    of(
        Blame::Data,
        "unreadable-entry",
        Words::new(
            format!(
                "L’entrée «\u{a0}{title}\u{a0}» de l’agenda ne peut plus être lue\u{a0}: Raccord n’y touche pas."
            ),
            format!(
                "The entry “{title}” of the calendar can be read no more: Raccord leaves it alone."
            ),
        ),
        Words::new(
            "Ouvrez-la dans l’application Agenda et enregistrez-la de nouveau, ou effacez-la\u{202f}; Raccord la refait alors.",
            "Open it in the Calendar app and save it again, or delete it; Raccord then makes it anew.",
        ),
    )
}

/// Somebody else keeps changing it.
pub(crate) fn contended(title: &str) -> Failure {
    of(
        Blame::Transient,
        "contended",
        Words::new(
            format!("Quelqu’un modifie «\u{a0}{title}\u{a0}» en ce moment."),
            format!("Somebody is changing “{title}” right now."),
        ),
        Words::new(
            "Rien à faire\u{a0}: Raccord réessaie de lui-même.",
            "Nothing to do: Raccord tries again by itself.",
        ),
    )
}

/// More than a third of what we wrote is gone at once.
pub(crate) fn emptied(gone: usize, of_all: usize) -> Failure {
    of(
        Blame::Data,
        "emptied",
        Words::new(
            format!(
                "{gone} des {of_all} entrées de Raccord ont disparu de l’agenda d’un coup\u{a0}: rien n’en est conclu."
            ),
            format!(
                "{gone} of Raccord’s {of_all} entries vanished from the calendar at once: nothing is concluded from it."
            ),
        ),
        Words::new(
            "Si c’est une erreur, restaurez l’agenda depuis sa corbeille. Sinon, donnez à «\u{a0}calendar\u{a0}» le nom d’un autre agenda.",
            "If this is a mistake, restore the calendar from its trash bin. If not, give “calendar” the name of another calendar.",
        ),
    )
}

/// A fault of ours.
pub(crate) fn bug(what: &str) -> Failure {
    of(
        Blame::Bug,
        "bug",
        Words::new(
            format!("L’agenda n’a pas pu être écrit\u{a0}: {what}."),
            format!("The calendar could not be written: {what}."),
        ),
        Words::new(
            "C’est une erreur de Raccord\u{a0}: signalez-la.",
            "This is a fault of Raccord: report it.",
        ),
    )
}

/// The calendar would be read without a pause.
pub(crate) fn too_often() -> Failure {
    of(
        Blame::Data,
        "too-often",
        Words::new(
            "La clé «\u{a0}every\u{a0}» lirait l’agenda sans arrêt.",
            "The key “every” would read the calendar all the time.",
        ),
        Words::new(
            "Écrivez dix secondes ou plus, par exemple \"2m\".",
            "Write ten seconds or more, for example \"2m\".",
        ),
    )
}
