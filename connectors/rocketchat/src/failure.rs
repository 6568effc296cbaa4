//! What Rocket.Chat refuses, told apart by status and by the type in the error body, each with what to
//! click. Nearly everything is a 400, whatever it means.

use http::{HeaderName, StatusCode, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use raccord_chat::unreachable;
use raccord_kit::http::{Answer, Http};
use raccord_model::{Blame, Failure, Words};

use crate::KIND;
use crate::message::Refusal;

/// How long a caller is made to wait at most: the limit counts minutes.
const LONGEST_MS: i64 = 10 * 60 * 1_000;
const MINUTE_MS: i64 = 60 * 1_000;
/// The end of the code where the account may not do or see something.
pub(crate) const NO_RIGHT: &str = "no-right";

/// A failure of this connector.
pub(crate) fn of(blame: Blame, code: &str, text: Words, mend: Words) -> Failure {
    Failure::new(blame, format!("rocketchat.{code}"), text, mend)
}

/// The failure a refusal amounts to.
pub(crate) fn refusal(http: &Http, answer: &Answer, now: Timestamp) -> Failure {
    let host = answer.target.host();
    let usual: Failure = http.refusal(answer, false).into();
    let told: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    match answer.status {
        StatusCode::UNAUTHORIZED => credentials(host),
        StatusCode::FORBIDDEN if told.kind == "error-not-allowed" => no_right(host),
        StatusCode::TOO_MANY_REQUESTS => Failure {
            retry_after_ms: usual.retry_after_ms.or_else(|| Some(reset(answer, now))),
            ..too_often(host)
        },
        StatusCode::BAD_REQUEST if told.is("error-room-not-found") => no_such_room(host),
        StatusCode::BAD_REQUEST if told.is("error-message-size-exceeded") => too_long(host),
        StatusCode::BAD_REQUEST if told.is("error-action-not-allowed") => not_allowed(host),
        StatusCode::BAD_REQUEST if told.is("error-not-allowed") || told.is("not-allowed") => {
            no_right(host)
        }
        StatusCode::BAD_REQUEST if told.is("room_is_archived") => archived(host),
        // Only rooms of two can be blocked, by either of them.
        StatusCode::BAD_REQUEST if told.is("room_is_blocked") => unreachable(KIND, host),
        _ => usual,
    }
}

/// How long a caller who came too often should wait: the header names a moment, in milliseconds. It
/// is read against the server's own clock where it tells it.
fn reset(answer: &Answer, now: Timestamp) -> i64 {
    let header = HeaderName::from_static("x-ratelimit-reset");
    let until: Option<i64> = answer
        .header(&header)
        .and_then(|text| text.trim().parse().ok());
    let theirs = answer
        .header(&header::DATE)
        .and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
    let now = theirs.unwrap_or(now).as_millisecond();
    until
        .map(|until| until.saturating_sub(now))
        .filter(|wait| (0..=LONGEST_MS).contains(wait))
        .map_or(MINUTE_MS, |wait| wait.max(1_000))
}

/// The token is wrong, by now. It is not shown again for a while.
pub(crate) fn credentials(host: &str) -> Failure {
    of(
        Blame::Access,
        "credentials",
        Words::new(
            format!(
                "{host} n’accepte pas le jeton (401)\u{a0}: il a expiré ou a été retiré, ou «\u{a0}user_id\u{a0}» n’est pas celui du même compte."
            ),
            format!(
                "{host} does not accept the token (401): it expired or was removed, or “user_id” is not that of the same account."
            ),
        ),
        Words::new(
            "Dans Rocket.Chat, avec le compte du robot\u{a0}: Mon compte, Jetons d’accès personnels, Ajouter (cochez «\u{a0}Ignorer l’authentification à deux facteurs\u{a0}»)\u{202f}; mettez le jeton dans le fichier de «\u{a0}token_file\u{a0}» et l’identifiant dans «\u{a0}user_id\u{a0}».",
            "In Rocket.Chat, with the bot’s account: My Account, Personal Access Tokens, Add (tick “Ignore Two Factor Authentication”); put the token into the file of “token_file” and the id into “user_id”.",
        ),
    )
}

/// The token is missing in the configuration.
pub(crate) fn no_token() -> Failure {
    of(
        Blame::Access,
        "no-token",
        Words::new(
            "Aucun jeton n’est donné\u{a0}: sans lui, Rocket.Chat ne répond à rien.",
            "No token is given: without one Rocket.Chat answers nothing.",
        ),
        Words::new(
            "Ajoutez «\u{a0}token_file\u{a0}», avec un jeton d’accès personnel du robot.",
            "Add “token_file”, with a personal access token of the bot.",
        ),
    )
}

fn too_often(host: &str) -> Failure {
    of(
        Blame::Transient,
        "busy",
        Words::new(
            format!("{host} ne prend que quelques demandes par minute de ce compte (429)."),
            format!("{host} takes a few requests a minute only from this account (429)."),
        ),
        bot_role(),
    )
}

/// Where the role is given.
pub(crate) fn bot_role() -> Words {
    Words::new(
        "Donnez au compte le rôle «\u{a0}bot\u{a0}»\u{a0}: Administration, Utilisateurs, le compte, Modifier, Rôles. Sans lui, Raccord attend et réessaie de lui-même.",
        "Give the account the role “bot”: Administration, Users, the account, Edit, Roles. Without it, Raccord waits and tries again by itself.",
    )
}

/// One room that is closed to the bot stops that room only.
fn no_right(host: &str) -> Failure {
    of(
        Blame::Data,
        NO_RIGHT,
        Words::new(
            format!(
                "Le robot n’a pas le droit d’écrire là sur {host}\u{a0}: il n’est pas membre du salon, ou le salon est chiffré ou en lecture seule."
            ),
            format!(
                "The bot may not write there on {host}: it is no member of the room, or the room is encrypted or read-only."
            ),
        ),
        Words::new(
            "Invitez le robot dans le salon (Membres, Ajouter), ou choisissez-en un qui n’est pas chiffré, puis rejouez l’envoi\u{a0}: raccord retry",
            "Invite the bot to the room (Members, Add), or choose one that is not encrypted, then make the delivery again: raccord retry",
        ),
    )
}

/// The message is refused for what it says, or may not be changed any more.
fn not_allowed(host: &str) -> Failure {
    of(
        Blame::Data,
        "not-allowed",
        Words::new(
            format!(
                "{host} ne permet pas cela au robot\u{a0}: modifier un message, ou prévenir tout le salon."
            ),
            format!(
                "{host} does not allow the bot to do this: to change a message, or to notify the whole room."
            ),
        ),
        Words::new(
            "Administration, Paramètres, Message\u{a0}: autorisez la modification, sans limite de temps («\u{a0}0\u{a0}»), puis rejouez l’envoi\u{a0}: raccord retry",
            "Administration, Settings, Message: allow editing, without a limit of time (“0”), then make the delivery again: raccord retry",
        ),
    )
}

fn too_long(host: &str) -> Failure {
    of(
        Blame::Data,
        "too-long",
        Words::new(
            format!("{host} trouve ce message trop long."),
            format!("{host} finds this message too long."),
        ),
        Words::new(
            "Raccourcissez la description dans le tableau, ou le modèle de la route.",
            "Shorten the description in the sheet, or the template of the route.",
        ),
    )
}

fn no_such_room(host: &str) -> Failure {
    of(
        Blame::Data,
        "no-such-room",
        Words::new(
            format!("{host} ne connaît pas ce salon."),
            format!("{host} does not know this room."),
        ),
        Words::new(
            "Écrivez le nom du salon comme dans son adresse.",
            "Write the room’s name as in its address.",
        ),
    )
}

/// There is no such room.
pub(crate) fn no_room(name: &str, host: &str) -> Failure {
    of(
        Blame::Data,
        "no-room",
        Words::new(
            format!(
                "Le salon «\u{a0}{name}\u{a0}» n’existe pas sur {host}, ou il est privé et le robot n’y est pas."
            ),
            format!(
                "The room “{name}” does not exist on {host}, or it is private and the bot is not in it."
            ),
        ),
        Words::new(
            "Écrivez son nom comme dans l’adresse, et invitez le robot\u{a0}: Membres, Ajouter.",
            "Write its name as in the address, and invite the bot: Members, Add.",
        ),
    )
}

/// The bot can see the room and is not in it.
pub(crate) fn no_member(name: &str, host: &str) -> Failure {
    of(
        Blame::Data,
        "no-member",
        Words::new(
            format!(
                "Le robot n’est pas membre du salon «\u{a0}{name}\u{a0}» sur {host}\u{a0}: il ne peut pas y écrire."
            ),
            format!("The bot is no member of the room “{name}” on {host}: it cannot write there."),
        ),
        Words::new(
            "Dans ce salon\u{a0}: Membres, Ajouter, et choisissez le robot.",
            "In that room: Members, Add, and choose the bot.",
        ),
    )
}

/// The room is archived.
pub(crate) fn archived(host: &str) -> Failure {
    of(
        Blame::Data,
        "archived",
        Words::new(
            format!("Le salon est archivé sur {host}\u{a0}: plus rien ne s’y écrit."),
            format!("The room is archived on {host}: nothing is written there any more."),
        ),
        Words::new(
            "Désarchivez-le (informations du salon, Modifier), ou nommez un autre salon dans la route.",
            "Unarchive it (the room’s information, Edit), or name another room in the route.",
        ),
    )
}

/// The room is encrypted: only its members' own programs can read and write there.
pub(crate) fn encrypted(name: &str) -> Failure {
    of(
        Blame::Data,
        "encrypted",
        Words::new(
            format!(
                "Le salon «\u{a0}{name}\u{a0}» est chiffré de bout en bout\u{a0}: aucun robot ne peut y écrire."
            ),
            format!("The room “{name}” is encrypted from end to end: no bot can write there."),
        ),
        Words::new(
            "Choisissez un autre salon, ou enlevez le chiffrement de celui-ci (informations du salon).",
            "Choose another room, or take the encryption off this one (the room’s information).",
        ),
    )
}

/// The room is read-only.
pub(crate) fn read_only(name: &str) -> Failure {
    of(
        Blame::Data,
        "read-only",
        Words::new(
            format!("Le salon «\u{a0}{name}\u{a0}» est en lecture seule."),
            format!("The room “{name}” is read-only."),
        ),
        Words::new(
            "Dans ce salon\u{a0}: Membres, le robot, «\u{a0}Autoriser à parler\u{a0}»\u{202f}; ou choisissez un autre salon.",
            "In that room: Members, the bot, “Unmute”; or choose another room.",
        ),
    )
}

/// Nobody has that name.
pub(crate) fn no_person(name: &str, host: &str) -> Failure {
    of(
        Blame::Data,
        "no-person",
        Words::new(
            format!("Personne ne s’appelle «\u{a0}{name}\u{a0}» sur {host}."),
            format!("Nobody is called “{name}” on {host}."),
        ),
        Words::new(
            "Écrivez le nom que la personne a dans Rocket.Chat, sans espace.",
            "Write the name that the person has in Rocket.Chat, without spaces.",
        ),
    )
}

/// Somebody else’s web pages, or a login page, answer at that address.
pub(crate) fn no_rocketchat(host: &str) -> Failure {
    of(
        Blame::Transient,
        "no-rocketchat",
        Words::new(
            format!("Ce qui répond à {host} n’est pas Rocket.Chat."),
            format!("What answers at {host} is not Rocket.Chat."),
        ),
        Words::new(
            "Écrivez dans «\u{a0}url\u{a0}» l’adresse que vos membres ouvrent, sans le nom d’un salon.",
            "Write in “url” the address your members open, without the name of a room.",
        ),
    )
}

/// All names a message could have are other people's.
pub(crate) fn names_taken(host: &str) -> Failure {
    of(
        Blame::Data,
        "names-taken",
        Words::new(
            format!("D’autres messages de {host} portent déjà tous les noms prévus pour celui-ci."),
            format!("Other messages of {host} already have all the names meant for this one."),
        ),
        Words::new(
            "Donnez un autre nom au connecteur dans la configuration, et demandez à l’administrateur qui a écrit ces messages.",
            "Give the connector another name in the configuration, and ask the administrator who wrote those messages.",
        ),
    )
}

/// A message was not taken, and nothing says why: an app that was installed may have refused it.
pub(crate) fn not_taken(host: &str) -> Failure {
    of(
        Blame::Data,
        "not-taken",
        Words::new(
            format!(
                "{host} n’a pas gardé ce message, sans dire pourquoi\u{a0}: une application installée l’a peut-être refusé."
            ),
            format!(
                "{host} did not keep this message and does not say why: an installed app may have refused it."
            ),
        ),
        Words::new(
            "Demandez à l’administrateur de regarder les applications (Administration, Applications), puis rejouez l’envoi\u{a0}: raccord retry",
            "Ask the administrator to look at the apps (Administration, Apps), then make the delivery again: raccord retry",
        ),
    )
}

/// The rooms would be read without a pause.
pub(crate) fn too_frequent() -> Failure {
    of(
        Blame::Data,
        "too-frequent",
        Words::new(
            "La clé «\u{a0}every\u{a0}» lirait les salons sans arrêt.",
            "The key “every” would read the rooms all the time.",
        ),
        Words::new(
            "Écrivez deux secondes ou plus, par exemple \"10s\".",
            "Write two seconds or more, for example \"10s\".",
        ),
    )
}
