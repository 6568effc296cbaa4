//! Messages to one person alone.

use raccord_model::{Blame, Failure, Words};

/// Somebody cannot be written to alone: there is no such account any more, or they or the server want
/// no such messages. Only this message is set aside.
pub fn unreachable(kind: &str, host: &str) -> Failure {
    Failure::new(
        Blame::Data,
        format!("{kind}.no-direct"),
        Words::new(
            format!(
                "Cette personne ne peut pas recevoir de message privé sur {host}\u{a0}: son compte n’existe plus, ou elle ou le serveur n’en veut pas."
            ),
            format!(
                "This person cannot be sent a private message on {host}: the account is gone, or they or the server want none."
            ),
        ),
        Words::new(
            "Prévenez-la autrement, et demandez-lui d’écrire «\u{a0}!prévenir rien\u{a0}», ou de choisir le mail.",
            "Tell them in another way, and ask them to write “!notify nothing”, or to choose mail.",
        ),
    )
}
