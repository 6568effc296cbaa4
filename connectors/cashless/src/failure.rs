//! What a cashless system refuses, and what to do about it.

use raccord_model::{Blame, Failure, Words};

use crate::KIND;
use crate::refill::Drift;

fn with(blame: Blame, code: &str, text: Words, mend: Words) -> Failure {
    Failure::new(blame, format!("{KIND}.{code}"), text, mend)
}

/// The server keeps the credit as begun.
pub(crate) fn begun() -> Failure {
    with(
        Blame::Unknown,
        "begun",
        Words::new(
            "Lespass garde ce crédit comme commencé, sans dire s’il est arrivé.",
            "Lespass keeps this credit as begun, and does not say whether it arrived.",
        ),
        Words::new(
            "Raccord cherche ce crédit dans Fedow ; s’il ne le trouve pas, il vous demande.",
            "Raccord looks for this credit in Fedow; where it does not find it, it asks you.",
        ),
    )
}

/// It may have been credited.
pub(crate) fn unknown() -> Failure {
    with(
        Blame::Unknown,
        "unknown",
        Words::new(
            "Lespass n’a pas dit si ce crédit est arrivé.",
            "Lespass did not say whether this credit arrived.",
        ),
        Words::new(
            "Raccord cherche ce crédit dans Fedow, et ne le renvoie pas avant d’être sûr.",
            "Raccord looks for this credit in Fedow, and does not send it again before it is sure.",
        ),
    )
}

/// The server will never take it.
pub(crate) fn never(status: u16) -> Failure {
    let (fr, en) = match status {
        404 => (
            "Lespass ne connaît pas cette monnaie, ou pas cette adresse.",
            "Lespass does not know this asset, or not this address.",
        ),
        406 => (
            "Lespass sait que les messages à cette adresse reviennent : il n’y crédite personne.",
            "Lespass knows that mail to this address comes back: it credits nobody there.",
        ),
        422 => (
            "Lespass refuse cette sorte de monnaie ou ce montant.",
            "Lespass refuses this kind of asset or this amount.",
        ),
        _ => ("Lespass refuse ce crédit.", "Lespass refuses this credit."),
    };
    with(
        Blame::Data,
        "refused",
        Words::new(format!("{fr} ({status})"), format!("{en} ({status})")),
        Words::new(
            "Vérifiez « asset » et l’adresse de la personne, puis « raccord retry » ; sinon créditez à la main et « raccord drop ».",
            "Check “asset” and the person’s address, then `raccord retry`; otherwise credit by hand and `raccord drop`.",
        ),
    )
}

/// The key is refused.
pub(crate) fn key_refused(key: &str) -> Failure {
    with(
        Blame::Access,
        "key-refused",
        Words::new(
            "La clé est refusée, ou elle n’a pas le droit de créditer cette monnaie.",
            "The key is refused, or it has no right to credit this asset.",
        ),
        Words::new(
            format!(
                "Dans l’administration de Lespass, faites une clé avec cette monnaie comme « gift asset », et mettez-la dans « {key} »."
            ),
            format!(
                "In the administration of Lespass, make a key with this asset as its gift asset, and put it in “{key}”."
            ),
        ),
    )
}

/// Nobody knows the person's address.
pub(crate) fn no_address() -> Failure {
    with(
        Blame::Data,
        "no-address",
        Words::new(
            "L’adresse de cette personne n’est pas connue : Lespass connaît les gens par leur adresse.",
            "This person’s address is not known: Lespass knows people by their address.",
        ),
        Words::new(
            "Créditez à la main si la personne est là, puis « raccord drop ».",
            "Credit by hand if the person is there, then `raccord drop`.",
        ),
    )
}

/// More than one call may bring.
pub(crate) fn too_much() -> Failure {
    with(
        Blame::Data,
        "too-much",
        Words::new(
            "Lespass ne prend pas plus de 100 unités à la fois.",
            "Lespass takes no more than 100 units at once.",
        ),
        Words::new(
            "Créditez à la main, puis « raccord drop » ; ou baissez le plafond par jour.",
            "Credit by hand, then `raccord drop`; or lower the ceiling per day.",
        ),
    )
}

/// Not a credit.
pub(crate) fn no_credit() -> Failure {
    with(
        Blame::Bug,
        "no-credit",
        Words::new(
            "Ce connecteur ne reçoit que des crédits.",
            "This connector takes nothing but credits.",
        ),
        Words::new(
            "C’est une erreur de Raccord : signalez-la.",
            "This is a fault of Raccord: report it.",
        ),
    )
}

/// A setting that the system needs.
pub(crate) fn missing(key: &str) -> Failure {
    with(
        Blame::Data,
        "incomplete",
        Words::new(
            format!("« {key} » manque pour ce système."),
            format!("“{key}” is missing for this system."),
        ),
        Words::new(
            format!("Ajoutez « {key} » ; la page du connecteur dit où le trouver."),
            format!("Add “{key}”; the connector’s page says where to find it."),
        ),
    )
}

/// A setting of Lespass, where credits stand in the ledger.
pub(crate) fn of_lespass(key: &str) -> Failure {
    with(
        Blame::Data,
        "not-of-the-ledger",
        Words::new(
            format!("« {key} » est de Lespass : le registre de Raccord n’appelle personne."),
            format!("“{key}” is of Lespass: Raccord’s ledger calls nobody."),
        ),
        Words::new(
            format!("Enlevez « {key} », ou écrivez « lespass » dans « system »."),
            format!("Take “{key}” away, or write “lespass” into “system”."),
        ),
    )
}

/// A setting of the till, where credits stand in another system.
pub(crate) fn not_here(key: &str) -> Failure {
    with(
        Blame::Data,
        "not-here",
        Words::new(
            format!("« {key} » est de la caisse du registre : ce système a la sienne."),
            format!("“{key}” is of the ledger’s till: this system has its own."),
        ),
        Words::new(format!("Enlevez « {key} »."), format!("Take “{key}” away.")),
    )
}

/// Something else answers at the address.
pub(crate) fn no_lespass(host: &str) -> Failure {
    with(
        Blame::Data,
        "no-lespass",
        Words::new(
            format!("{host} ne répond pas comme Lespass."),
            format!("{host} does not answer as Lespass does."),
        ),
        Words::new(
            "Écrivez dans « url » l’adresse du lieu dans Lespass, sans rien derrière.",
            "Write in “url” the place’s address in Lespass, and nothing after it.",
        ),
    )
}

/// What a person is asked whose credits are to be taken back.
pub(crate) fn by_hand(amount: i64, reason: &str, person: &str) -> Words {
    let (whole, rest) = (amount.unsigned_abs() / 100, amount.unsigned_abs() % 100);
    Words::new(
        format!(
            "{whole},{rest:02} pour « {reason} » : Lespass ne sait pas les reprendre. Oui : c’est fait à la main. Non : la personne les garde. « raccord ledger {person} » dit qui."
        ),
        format!(
            "{whole}.{rest:02} for “{reason}”: Lespass cannot take them back. Yes: it was done by hand. No: the person keeps them. `raccord ledger {person}` says who."
        ),
    )
}

/// Fedow does not answer as it does.
pub(crate) fn no_fedow(host: &str) -> Failure {
    with(
        Blame::Data,
        "no-fedow",
        Words::new(
            format!("{host} ne répond pas comme Fedow : rien n’a pu être comparé."),
            format!("{host} does not answer as Fedow does: nothing could be compared."),
        ),
        Words::new(
            "Vérifiez « fedow_url » et « fedow_key_file ».",
            "Check “fedow_url” and “fedow_key_file”.",
        ),
    )
}

/// Hundredths as people write them, in both languages.
fn units(hundredths: i64) -> Words {
    let sign = if hundredths < 0 { "−" } else { "" };
    let (whole, rest) = (
        hundredths.unsigned_abs() / 100,
        hundredths.unsigned_abs() % 100,
    );
    Words::new(
        format!("{sign}{whole},{rest:02}"),
        format!("{sign}{whole}.{rest:02}"),
    )
}

/// Something that Fedow holds otherwise than it was sent; `reason` is what the credit is for.
pub(crate) fn drift(drift: &Drift, reason: Option<&str>) -> Words {
    let (key, fr, en) = match drift {
        Drift::Missing(key) => (
            key,
            "a été confirmé, et n’est pas dans Fedow".to_owned(),
            "was confirmed, and is not in Fedow".to_owned(),
        ),
        Drift::Twice(key, times) => (
            key,
            format!("est {times} fois dans Fedow"),
            format!("is {times} times in Fedow"),
        ),
        Drift::Amount(key, sent, there) => {
            let (sent, there) = (units(*sent), units(*there));
            (
                key,
                format!(
                    "vaut {} dans Fedow, et {} ont été envoyés",
                    there.fr, sent.fr
                ),
                format!("is {} in Fedow, and {} were sent", there.en, sent.en),
            )
        }
        Drift::Asset(key) => (
            key,
            "est dans une autre monnaie".to_owned(),
            "is in another asset".to_owned(),
        ),
        Drift::Unknown(key) => (
            key,
            "est dans Fedow, et n’a jamais été envoyé d’ici".to_owned(),
            "is in Fedow, and was never sent from here".to_owned(),
        ),
    };
    match reason {
        Some(reason) => Words::new(
            format!("Le crédit pour « {reason} » {fr} ({key})."),
            format!("The credit for “{reason}” {en} ({key})."),
        ),
        None => Words::new(
            format!("Un crédit {fr} ({key})."),
            format!("A credit {en} ({key})."),
        ),
    }
}
