//! What listmonk refuses, and what a person must decide, each with what to click.

use raccord_model::{Blame, Failure, Words};

fn of(blame: Blame, code: &str, text: Words, mend: Words) -> Failure {
    Failure::new(blame, format!("newsletter.{code}"), text, mend)
}

fn asks(code: &str, text: Words, mend: Words) -> Failure {
    Failure {
        asks: true,
        ..of(Blame::Data, code, text, mend)
    }
}

/// The token is not good, by now. listmonk says 403 to that.
pub(super) fn credentials(host: &str) -> Failure {
    of(
        Blame::Access,
        "credentials",
        Words::new(
            format!("{host} ne reconnaît pas le compte de Raccord (403)."),
            format!("{host} does not know Raccord’s account (403)."),
        ),
        Words::new(
            "Dans listmonk : Administration, Utilisateurs, celui de Raccord (type « API ») ; mettez son nom dans « user » et son jeton dans le fichier de « password_file ». Raccord reprend de lui-même.",
            "In listmonk: Admin, Users, Raccord’s (type “API”); put its name into “user” and its token into the file of “password_file”. Raccord resumes by itself.",
        ),
    )
}

/// The token is good, and may not do that.
pub(super) fn forbidden(host: &str) -> Failure {
    of(
        Blame::Access,
        "forbidden",
        Words::new(
            format!("{host} ne donne pas ce droit au compte de Raccord (403)."),
            format!("{host} does not give Raccord’s account this right (403)."),
        ),
        Words::new(
            "Tapez : raccord check. Il nomme les droits qui manquent au rôle.",
            "Type: raccord check. It names the rights that the role lacks.",
        ),
    )
}

/// Something else answers at that address.
pub(super) fn no_listmonk(host: &str) -> Failure {
    of(
        Blame::Transient,
        "no-listmonk",
        Words::new(
            format!("Ce qui répond à {host} n’est pas listmonk."),
            format!("What answers at {host} is not listmonk."),
        ),
        Words::new(
            "Écrivez dans « url » l’adresse de l’accueil de listmonk, sans « /admin ».",
            "Write in “url” the address of listmonk’s front page, without “/admin”.",
        ),
    )
}

/// It has no such call.
pub(super) fn too_old(host: &str) -> Failure {
    of(
        Blame::Data,
        "listmonk-too-old",
        Words::new(
            format!(
                "{host} ne connaît pas cet appel (404) : listmonk est trop ancien, ou l’adresse est fausse."
            ),
            format!(
                "{host} does not know this call (404): listmonk is too old, or the address is wrong."
            ),
        ),
        Words::new(
            "Vérifiez « url » ; sinon mettez listmonk à jour (version 6).",
            "Check “url”; else update listmonk (version 6).",
        ),
    )
}

/// The role lacks these rights.
pub(super) fn no_rights(host: &str, lacking: &[&str]) -> Failure {
    let lacking = lacking.join(", ");
    of(
        Blame::Access,
        "listmonk-rights",
        Words::new(
            format!("Le rôle du compte de Raccord sur {host} n’a pas : {lacking}."),
            format!("The role of Raccord’s account on {host} lacks: {lacking}."),
        ),
        Words::new(
            "Dans listmonk : Administration, Rôles d’utilisateur, celui de Raccord, cochez-les.",
            "In listmonk: Admin, User roles, Raccord’s, tick them.",
        ),
    )
}

/// The role may send, and need not.
pub(super) fn may_send(host: &str) -> Failure {
    of(
        Blame::Access,
        "may-send",
        Words::new(
            format!(
                "Le compte de Raccord sur {host} a le droit d’envoyer : il n’en a pas besoin, Raccord ne fait que des brouillons."
            ),
            format!(
                "Raccord’s account on {host} has the right to send: it does not need it, Raccord makes drafts only."
            ),
        ),
        Words::new(
            "Dans listmonk : Administration, Rôles d’utilisateur, un rôle pour Raccord seul, sans « campaigns:send ».",
            "In listmonk: Admin, User roles, a role for Raccord alone, without “campaigns:send”.",
        ),
    )
}

/// The list of the settings is not there; these are.
pub(super) fn no_list(wanted: &str, host: &str, there: &[String]) -> Failure {
    let there = there.join(", ");
    of(
        Blame::Data,
        "no-list",
        Words::new(
            format!(
                "La liste « {wanted} » n’existe pas sur {host}, ou le compte de Raccord ne la voit pas."
            ),
            format!(
                "The list “{wanted}” does not exist on {host}, or Raccord’s account does not see it."
            ),
        ),
        Words::new(
            format!("Écrivez dans « list » l’une de celles-ci : {there}."),
            format!("Write one of these in “list”: {there}."),
        ),
    )
}

/// The template that shows a letter as it is is not there.
pub(super) fn no_template(wanted: &str, host: &str) -> Failure {
    of(
        Blame::Data,
        "no-template",
        Words::new(
            format!("Le modèle « {wanted} » n’existe pas sur {host}."),
            format!("The template “{wanted}” does not exist on {host}."),
        ),
        Words::new(
            format!(
                "Dans listmonk : Campagnes, Modèles, Nouveau, nom « {wanted} », type « campagne », et pour tout contenu : {{{{ template \"content\" . }}}}"
            ),
            format!(
                "In listmonk: Campaigns, Templates, New, name “{wanted}”, type “campaign”, and as its whole content: {{{{ template \"content\" . }}}}"
            ),
        ),
    )
}

/// It is being sent, was sent, or was called off.
pub(super) fn locked(title: &str, host: &str) -> Failure {
    asks(
        "locked",
        Words::new(
            format!(
                "La campagne « {title} » de {host} dit autre chose que le programme, et elle est partie ou annulée : Raccord n’y touche plus."
            ),
            format!(
                "The campaign “{title}” on {host} says something else than the programme, and it was sent or called off: Raccord does not touch it any more."
            ),
        ),
        Words::new(
            "Dites non : elle reste comme elle est. S’il faut corriger, écrivez une nouvelle campagne dans listmonk.",
            "Say no: it stays as it is. If something must be corrected, write a new campaign in listmonk.",
        ),
    )
}

/// Somebody wrote in the draft, and the programme changed, too.
pub(super) fn edited(title: &str, host: &str) -> Failure {
    asks(
        "edited-draft",
        Words::new(
            format!(
                "Quelqu’un a modifié le brouillon « {title} » sur {host}, et le programme a changé aussi."
            ),
            format!(
                "Somebody changed the draft “{title}” on {host}, and the programme changed, too."
            ),
        ),
        Words::new(
            "Pour garder le brouillon, dites non. Pour le programme d’aujourd’hui, supprimez le brouillon dans listmonk, puis dites oui.",
            "To keep the draft, say no. For the programme of today, delete the draft in listmonk, then say yes.",
        ),
    )
}
