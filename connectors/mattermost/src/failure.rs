//! What Mattermost refuses, told apart by status and by the name in the error body, each with what to
//! click. Its texts are in the account's own language, thus nothing to go by.

use http::StatusCode;
use raccord_kit::http::{Answer, Http};
use raccord_model::{Blame, Failure, Words};

use crate::post::Refusal;

/// What a call wanted to do; the same refusal means different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Only looks.
    Reading,
    /// Posts something new: a repeat is not harmless.
    Posting,
    /// Changes, deletes or pins a post we know: a repeat is harmless.
    Changing,
}

/// A failure of this connector.
pub(crate) fn of(blame: Blame, code: &str, text: Words, mend: Words) -> Failure {
    Failure::new(blame, format!("mattermost.{code}"), text, mend)
}

/// The failure a refusal amounts to.
pub(crate) fn refusal(http: &Http, answer: &Answer, doing: Doing) -> Failure {
    let host = answer.target.host();
    let usual: Failure = http.refusal(answer, doing == Doing::Posting).into();
    let told: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    let id = told.id.as_str();
    match answer.status {
        StatusCode::UNAUTHORIZED => credentials(host),
        StatusCode::FORBIDDEN if id == "api.context.permissions.app_error" => no_right(host),
        StatusCode::NOT_FOUND if doing == Doing::Changing => Failure {
            absent: true,
            ..usual
        },
        // The same key is being made into a post right now: whether it will be, nobody knows yet.
        StatusCode::INTERNAL_SERVER_ERROR if id == "api.post.deduplicate_create_post.pending" => {
            in_flight(host)
        }
        StatusCode::BAD_REQUEST
            if id.contains("post_to_deleted") || id.contains("post_in_deleted") =>
        {
            archived(host)
        }
        StatusCode::BAD_REQUEST if id.contains("time_limit") => too_late(host),
        StatusCode::BAD_REQUEST if id.contains("message_length") => too_long(host),
        StatusCode::BAD_REQUEST if id.contains("root_id") => no_root(host),
        StatusCode::TOO_MANY_REQUESTS if usual.retry_after_ms.is_none() => Failure {
            retry_after_ms: Some(reset(answer)),
            ..usual
        },
        _ => usual,
    }
}

/// How long a caller who came too often should wait: the header gives seconds from now. A proxy that
/// gives a moment instead is not believed.
fn reset(answer: &Answer) -> i64 {
    const LONGEST_S: i64 = 3_600;
    let header = http::HeaderName::from_static("x-ratelimit-reset");
    let seconds: Option<i64> = answer
        .header(&header)
        .and_then(|text| text.trim().parse().ok());
    seconds
        .filter(|seconds| (1..=LONGEST_S).contains(seconds))
        .unwrap_or(1)
        * 1_000
}

/// The token is wrong, by now. It is not shown again for a while.
pub(crate) fn credentials(host: &str) -> Failure {
    of(
        Blame::Access,
        "credentials",
        Words::new(
            format!(
                "{host} n’accepte pas le jeton du robot (401)\u{a0}: il a été révoqué, ou le compte désactivé."
            ),
            format!(
                "{host} does not accept the bot’s token (401): it was revoked, or the account deactivated."
            ),
        ),
        Words::new(
            "Dans Mattermost\u{a0}: Intégrations, Comptes de robots, «\u{a0}raccord\u{a0}», Créer un nouveau jeton\u{202f}; mettez-le dans le fichier de «\u{a0}token_file\u{a0}». Raccord reprend de lui-même.",
            "In Mattermost: Integrations, Bot Accounts, “raccord”, Create New Token; put it into the file of “token_file”. Raccord resumes by itself.",
        ),
    )
}

/// The token is missing in the configuration.
pub(crate) fn no_token() -> Failure {
    of(
        Blame::Access,
        "no-token",
        Words::new(
            "Aucun jeton n’est donné\u{a0}: sans lui, Mattermost ne répond à rien.",
            "No token is given: without one Mattermost answers nothing.",
        ),
        Words::new(
            "Ajoutez «\u{a0}token_file\u{a0}», avec le jeton du compte de robot.",
            "Add “token_file”, with the token of the bot account.",
        ),
    )
}

/// One channel that is closed to the bot stops that channel only.
fn no_right(host: &str) -> Failure {
    of(
        Blame::Data,
        "no-right",
        Words::new(
            format!(
                "Le robot n’a pas le droit d’écrire là sur {host}\u{a0}: il n’est plus membre du canal, ou le canal est réservé."
            ),
            format!(
                "The bot may not write there on {host}: it is no member of the channel any more, or the channel is restricted."
            ),
        ),
        Words::new(
            "Dans le canal, tapez /invite @raccord (le nom du robot), puis rejouez l’envoi\u{a0}: raccord retry",
            "In the channel type /invite @raccord (the bot’s name), then make the delivery again: raccord retry",
        ),
    )
}

fn in_flight(host: &str) -> Failure {
    of(
        Blame::Unknown,
        "in-flight",
        Words::new(
            format!("{host} est encore en train d’écrire ce message."),
            format!("{host} is still writing this message."),
        ),
        Words::new(
            "Rien à faire\u{a0}: Raccord regarde s’il est arrivé avant de recommencer.",
            "Nothing to do: Raccord looks whether it arrived before it tries again.",
        ),
    )
}

/// The channel is archived.
pub(crate) fn archived(host: &str) -> Failure {
    of(
        Blame::Data,
        "archived",
        Words::new(
            format!("Le canal est archivé sur {host}\u{a0}: plus rien ne s’y écrit."),
            format!("The channel is archived on {host}: nothing is written there any more."),
        ),
        Words::new(
            "Désarchivez-le (menu du canal), ou nommez un autre canal dans la route.",
            "Unarchive it (the channel’s menu), or name another channel in the route.",
        ),
    )
}

fn too_late(host: &str) -> Failure {
    of(
        Blame::Data,
        "edit-limit",
        Words::new(
            format!("{host} ne laisse plus modifier ce message\u{a0}: il est trop ancien."),
            format!("{host} lets nobody change this message any more: it is too old."),
        ),
        Words::new(
            "L’administrateur peut l’autoriser\u{a0}: Console système, Messages, «\u{a0}Modifier un message\u{a0}»\u{a0}: à tout moment.",
            "The administrator can allow it: System Console, Posts, “Edit Post”: any time.",
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

fn no_root(host: &str) -> Failure {
    of(
        Blame::Data,
        "no-root",
        Words::new(
            format!("Le message auquel il fallait répondre n’est plus là sur {host}."),
            format!("The message that was to be answered is not there any more on {host}."),
        ),
        Words::new(
            "Rien à faire, si quelqu’un l’a effacé exprès.",
            "Nothing to do, if somebody deleted it on purpose.",
        ),
    )
}

/// Somebody else’s web pages, or a login page, answer at that address.
pub(crate) fn no_mattermost(host: &str) -> Failure {
    of(
        Blame::Transient,
        "no-mattermost",
        Words::new(
            format!("Ce qui répond à {host} n’est pas Mattermost."),
            format!("What answers at {host} is not Mattermost."),
        ),
        Words::new(
            "Écrivez dans «\u{a0}url\u{a0}» l’adresse que vos membres ouvrent, sans le nom de l’équipe.",
            "Write in “url” the address your members open, without the team’s name.",
        ),
    )
}

/// There is no such team, or the bot is not in it.
pub(crate) fn no_team(team: &str, host: &str) -> Failure {
    of(
        Blame::Data,
        "no-team",
        Words::new(
            format!(
                "L’équipe «\u{a0}{team}\u{a0}» n’existe pas sur {host}, ou le robot n’en est pas membre."
            ),
            format!("The team “{team}” does not exist on {host}, or the bot is no member of it."),
        ),
        Words::new(
            "Écrivez son nom comme dans l’adresse, en minuscules, et invitez le robot\u{a0}: menu de l’équipe, Inviter des personnes.",
            "Write its name as in the address, in lower case, and invite the bot: the team’s menu, Invite people.",
        ),
    )
}

/// There is no such channel, or it is private and the bot is not in it: the server answers the same.
pub(crate) fn no_channel(channel: &str, host: &str) -> Failure {
    of(
        Blame::Data,
        "no-channel",
        Words::new(
            format!(
                "Le canal «\u{a0}{channel}\u{a0}» n’existe pas sur {host}, ou il est privé et le robot n’y est pas."
            ),
            format!(
                "The channel “{channel}” does not exist on {host}, or it is private and the bot is not in it."
            ),
        ),
        Words::new(
            "Écrivez son nom comme dans l’adresse, ou dans le canal tapez /invite @raccord (le nom du robot).",
            "Write its name as in the address, or in the channel type /invite @raccord (the bot’s name).",
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
            "Écrivez le nom que la personne a dans Mattermost, sans espace.",
            "Write the name that the person has in Mattermost, without spaces.",
        ),
    )
}

/// The bot can see the channel and is not in it.
pub(crate) fn no_member(channel: &str, host: &str) -> Failure {
    of(
        Blame::Data,
        "no-member",
        Words::new(
            format!(
                "Le robot n’est pas membre du canal «\u{a0}{channel}\u{a0}» sur {host}\u{a0}: il ne peut pas y écrire."
            ),
            format!(
                "The bot is no member of the channel “{channel}” on {host}: it cannot write there."
            ),
        ),
        Words::new(
            "Dans ce canal, tapez /invite @raccord (le nom du robot).",
            "In that channel type /invite @raccord (the bot’s name).",
        ),
    )
}

/// The post that should be ours is somebody else's: the key was taken.
pub(crate) fn not_ours(host: &str) -> Failure {
    of(
        Blame::Unknown,
        "not-ours",
        Words::new(
            format!("{host} a répondu avec le message de quelqu’un d’autre."),
            format!("{host} answered with somebody else’s message."),
        ),
        Words::new(
            "Rien à faire\u{a0}: Raccord cherche le sien avant de recommencer.",
            "Nothing to do: Raccord looks for its own before it tries again.",
        ),
    )
}

/// The channel would be read without a pause.
pub(crate) fn too_often() -> Failure {
    of(
        Blame::Data,
        "too-often",
        Words::new(
            "La clé «\u{a0}every\u{a0}» lirait les canaux sans arrêt.",
            "The key “every” would read the channels all the time.",
        ),
        Words::new(
            "Écrivez deux secondes ou plus, par exemple \"10s\".",
            "Write two seconds or more, for example \"10s\".",
        ),
    )
}
