//! Spending at a till of the place: an entry for each payment, and another where it was a mistake.
//! Nobody's account goes below zero, and a form that is sent twice pays once.

use jiff::{SignedDuration, Timestamp};
use raccord_credits::Account;
use raccord_model::{Cause, EntityId, EntityKind, Words};
use serde_json::json;

use crate::credits::MOST;
use crate::deciding::Deciding;
use crate::input::{Reply, Spending};

/// What an event says was done.
pub(crate) const SPENT: &str = "spend";
/// What an event says was done where that was a mistake.
pub(crate) const GAVE_BACK: &str = "give back";
/// For how long a payment can be taken back at the till.
const UNDO: SignedDuration = SignedDuration::from_mins(10);

/// Until when a payment that was entered `at` can be taken back at the till.
pub fn undo_until(at: Timestamp) -> Timestamp {
    at.saturating_add(UNDO).unwrap_or(Timestamp::MAX)
}

/// Somebody pays.
pub(crate) fn spend(deciding: &mut Deciding<'_>, spending: &Spending) -> Reply {
    let place = deciding.state.rules().place.id.clone();
    let id = EntityId::derive(&[
        place.as_str().as_bytes(),
        b"till",
        spending.till.as_str().as_bytes(),
        spending.key.as_bytes(),
    ]);
    if deciding.state.entities.contains_key(&id) {
        return Reply::Known(id);
    }
    if !(1..=MOST).contains(&spending.amount) {
        return Reply::Cannot(Words::new(
            "ce n'est pas un montant que l'on puisse payer",
            "that is no amount one can pay",
        ));
    }
    let has = deciding
        .flight
        .ledger
        .book
        .holds(Account::Person(spending.person));
    if has < spending.amount {
        return Reply::Cannot(Words::new(
            "il n'y a pas assez de crédits sur cette carte",
            "there are not enough credits on this card",
        ));
    }
    let fields = raccord_model::Fields::from([
        ("person".to_owned(), json!(spending.person)),
        ("amount".to_owned(), json!(-spending.amount)),
        ("reason".to_owned(), json!(spending.reason)),
        ("till".to_owned(), json!(spending.till)),
    ]);
    let cause = Cause::Person {
        did: SPENT.to_owned(),
    };
    crate::credits::enter(deciding, id, fields, cause, None);
    Reply::Known(id)
}

/// A payment was a mistake: it is given back, once, and soon.
pub(crate) fn give_back(deciding: &mut Deciding<'_>, payment: EntityId) -> Reply {
    let known = deciding.entity(payment);
    let paid = known.filter(|known| {
        let at_till = known.fields.contains_key("till") && !known.fields.contains_key("reverses");
        known.kind == EntityKind::Credit && at_till
    });
    let Some(paid) = paid else {
        return Reply::Cannot(Words::new(
            "ce paiement n'existe pas",
            "there is no such payment",
        ));
    };
    let place = deciding.state.rules().place.id.clone();
    let id = EntityId::derive(&[place.as_str().as_bytes(), b"till back", payment.as_bytes()]);
    if deciding.state.entities.contains_key(&id) {
        return Reply::Known(id);
    }
    if deciding.flight.ledger.reversed.contains(&payment) {
        return Reply::Cannot(Words::new(
            "ce paiement a déjà été rendu",
            "this payment was given back already",
        ));
    }
    let at: Option<Timestamp> = paid.text("at").parse().ok();
    if at.is_none_or(|at| undo_until(at) < deciding.now) {
        return Reply::Cannot(Words::new(
            "c'est trop tard pour l'annuler ici : parlez-en à qui tient les comptes",
            "it is too late to undo it here: talk to whoever keeps the books",
        ));
    }
    let amount = paid
        .fields
        .get("amount")
        .and_then(serde_json::Value::as_i64);
    let mut fields = paid.fields;
    for ours in ["entry", "chain", "at", "email", "card", "state"] {
        fields.remove(ours);
    }
    fields.insert("amount".into(), json!(amount.unwrap_or(0).saturating_neg()));
    fields.insert("reverses".into(), json!(payment));
    let cause = Cause::Person {
        did: GAVE_BACK.to_owned(),
    };
    let event = deciding.state.entities[&payment].event;
    crate::credits::enter(deciding, id, fields, cause, Some(event));
    Reply::Known(id)
}
