//! What a home server refuses, and what to do about it.

use http::StatusCode;
use raccord_kit::http::Answer;
use raccord_model::{Blame, Failure, Words};
use serde::Deserialize;

use crate::KIND;

/// The body of a refusal (Client-Server API 1.11, section 2.2).
#[derive(Debug, Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    errcode: String,
    #[serde(default)]
    retry_after_ms: Option<i64>,
}

/// The longest a server is left alone because its answer says so, in milliseconds: a day.
const LONGEST: i64 = 86_400_000;

/// The failure that an answer amounts to: `usual` where the server's code says nothing more.
pub(crate) fn of(answer: &Answer, usual: Failure, room: &str) -> Failure {
    let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    match refusal.errcode.as_str() {
        "M_LIMIT_EXCEEDED" => {
            let told = refusal.retry_after_ms.filter(|wait| *wait > 0);
            let wait = told.or(usual.retry_after_ms).unwrap_or(1_000).min(LONGEST);
            Failure {
                retry_after_ms: Some(wait),
                ..with(
                    Blame::Transient,
                    "rate-limited",
                    Words::new(
                        "Le serveur Matrix demande d’attendre : trop de messages d’un coup.",
                        "The Matrix server asks to wait: too many messages at once.",
                    ),
                    Words::new(
                        "Raccord attend et continue. Pour aller plus vite, l’administrateur du serveur peut lever la limite de ce compte.",
                        "Raccord waits and goes on. To go faster, the server's administrator can lift the limit of this account.",
                    ),
                )
            }
        }
        "M_UNKNOWN_TOKEN"
        | "M_MISSING_TOKEN"
        | "M_USER_DEACTIVATED"
        | "M_USER_SUSPENDED"
        | "M_USER_LOCKED"
        | "M_CONSENT_NOT_GIVEN" => with(
            Blame::Access,
            "token-refused",
            Words::new(
                "Le serveur Matrix refuse le jeton du compte.",
                "The Matrix server refuses the account's token.",
            ),
            Words::new(
                "Faites un nouveau jeton (la page du connecteur dit comment) et écrivez-le dans le fichier de « token_file » : Raccord reprend de lui-même.",
                "Make a new token (the connector's page says how) and write it into the file of “token_file”: Raccord goes on by itself.",
            ),
        ),
        "M_TOO_LARGE" => with(
            Blame::Data,
            "too-large",
            Words::new(
                "Ce message est trop long pour Matrix.",
                "This message is too long for Matrix.",
            ),
            Words::new(
                "Raccourcissez le modèle de message ou le texte de l’activité.",
                "Shorten the message template or the activity's text.",
            ),
        ),
        "M_FORBIDDEN" if !room.is_empty() => forbidden(room),
        "M_UNSUPPORTED_ROOM_VERSION" | "M_NOT_FOUND" | "M_UNRECOGNIZED"
            if answer.status == StatusCode::NOT_FOUND =>
        {
            Failure {
                absent: false,
                ..usual
            }
        }
        _ => usual,
    }
}

fn with(blame: Blame, code: &str, text: Words, mend: Words) -> Failure {
    Failure::new(blame, format!("{KIND}.{code}"), text, mend)
}

/// The account is not in the room, or may not do that there.
pub(crate) fn forbidden(room: &str) -> Failure {
    with(
        Blame::Data,
        "not-a-member",
        Words::new(
            format!("Le compte ne peut pas écrire dans le salon {room}."),
            format!("The account cannot write in the room {room}."),
        ),
        Words::new(
            "Invitez-y le compte de Raccord ; Raccord accepte l’invitation. Puis « raccord retry ».",
            "Invite Raccord's account there; Raccord accepts the invitation. Then `raccord retry`.",
        ),
    )
}

/// There is no such room.
pub(crate) fn no_room(room: &str) -> Failure {
    with(
        Blame::Data,
        "no-room",
        Words::new(
            format!("Aucun salon ne s’appelle {room}."),
            format!("No room is called {room}."),
        ),
        Words::new(
            "Écrivez l’adresse du salon comme Element la montre (#salon:serveur), ou son identifiant (!…).",
            "Write the room's address as Element shows it (#room:server), or its id (!…).",
        ),
    )
}

/// The room is encrypted.
pub(crate) fn encrypted(room: &str) -> Failure {
    with(
        Blame::Data,
        "encrypted",
        Words::new(
            format!(
                "Le salon {room} est chiffré de bout en bout : Raccord n’y écrit pas en clair."
            ),
            format!(
                "The room {room} is end-to-end encrypted: Raccord does not write there in clear."
            ),
        ),
        Words::new(
            "Choisissez un salon non chiffré : le chiffrement d’un salon ne peut pas être retiré.",
            "Choose a room that is not encrypted: encryption cannot be taken off a room.",
        ),
    )
}

/// The account may write, but not pin.
pub(crate) fn cannot_pin(room: &str) -> Failure {
    with(
        Blame::Data,
        "cannot-pin",
        Words::new(
            format!("Le compte ne peut pas épingler de message dans {room}."),
            format!("The account cannot pin messages in {room}."),
        ),
        Words::new(
            "Donnez-lui le rôle de modérateur dans ce salon, ou retirez la clé « month ».",
            "Give it the role of moderator in that room, or remove the key “month”.",
        ),
    )
}

/// No token is given.
pub(crate) fn no_token() -> Failure {
    with(
        Blame::Access,
        "no-token",
        Words::new(
            "Aucun jeton n’est donné pour le compte Matrix.",
            "No token is given for the Matrix account.",
        ),
        Words::new(
            "Écrivez le jeton dans un fichier, et son chemin à la clé « token_file ».",
            "Write the token into a file, and its path at the key “token_file”.",
        ),
    )
}

/// The answer is not one of a Matrix server.
pub(crate) fn not_matrix(host: &str) -> Failure {
    with(
        Blame::Data,
        "not-matrix",
        Words::new(
            format!("{host} ne répond pas comme un serveur Matrix."),
            format!("{host} does not answer like a Matrix server."),
        ),
        Words::new(
            "Vérifiez l’adresse à la clé « url » : celle du serveur, pas celle d’Element.",
            "Check the address at the key “url”: that of the server, not that of Element.",
        ),
    )
}

/// The server did it, and its answer cannot be read: nobody knows what the message is called.
pub(crate) fn unread_answer(host: &str) -> Failure {
    with(
        Blame::Unknown,
        "answer-unreadable",
        Words::new(
            format!("{host} a répondu quelque chose d’illisible : le message est peut-être parti."),
            format!(
                "{host} answered something that cannot be read: the message may have been sent."
            ),
        ),
        Words::new(
            "Raccord regarde dans le salon avant de recommencer.",
            "Raccord looks in the room before it tries again.",
        ),
    )
}
