//! People who are named to approve in a chat.

use raccord_kit::{Finding, Level};
use raccord_model::Words;

/// Somebody is named by something that is nobody's id: names can be changed by those who have them,
/// ids cannot. `id` is that person's, where the name is known; `kind` is the connector's.
pub fn no_approver(kind: &str, named: &str, id: Option<&str>) -> Finding {
    let mend = match id {
        Some(id) => Words::new(
            format!("Écrivez à la place l’identifiant de cette personne\u{a0}: {id}"),
            format!("Write the id of that person instead: {id}"),
        ),
        None => Words::new(
            "Écrivez son nom d’utilisateur ici, puis tapez «\u{a0}raccord check\u{a0}»\u{a0}: il dit l’identifiant à mettre à la place.",
            "Write the user name here, then type `raccord check`: it tells the id to put in its place.",
        ),
    };
    Finding {
        place: "approvers".to_owned(),
        code: format!("{kind}.no-approver"),
        level: Level::Error,
        text: Words::new(
            format!(
                "«\u{a0}{named}\u{a0}» n’est l’identifiant de personne sur ce serveur\u{a0}: cette personne ne pourra rien approuver."
            ),
            format!(
                "“{named}” is nobody’s id on this server: that person cannot approve anything."
            ),
        ),
        mend,
    }
}
