//! What a listing of Fedow tells of one person's wallet. Pure.
//!
//! Fedow says no address: whose wallet it is shows where a refill of ours went. What each kind of
//! transaction does to a wallet stands in `fedow_core/models.py` (`Transaction.save`): those that are not
//! named here move nothing (`TRF`, `VID`, `BDG`), or not in an asset of ours.

use std::collections::{BTreeMap, BTreeSet};

use raccord_model::{Movement, Words};

use crate::refill::{Listing, Transaction};
use crate::scans::is_reward;

/// Everything that went into the wallets which `ours` were credited to, and out of them, in `asset`,
/// oldest first. `ours` names the refills of one person by their keys, with what each was for.
pub(crate) fn statement(
    listing: &Listing,
    asset: &str,
    ours: &BTreeMap<String, &str>,
) -> Vec<Movement> {
    let key = |one: &Transaction| {
        let key = one.metadata["idempotency_key"].as_str()?;
        ours.get(key).copied().filter(|_| one.action == "REF")
    };
    let credited = listing.all().filter(|one| key(one).is_some());
    let wallets: BTreeSet<&str> = credited
        .map(|one| one.receiver.as_str())
        .filter(|wallet| !wallet.is_empty())
        .collect();
    let of = |one: &Transaction| {
        let into = wallets.contains(one.receiver.as_str());
        let out = wallets.contains(one.sender.as_str());
        // What goes from one wallet of theirs to another stays theirs.
        let amount = match (into, out) {
            (true, false) => one.amount,
            (false, true) => one.amount.saturating_neg(),
            _ => return None,
        };
        Some(Movement {
            at: one.datetime.parse().ok(),
            amount,
            what: what(one, key(one)),
        })
    };
    let all = listing.all().filter(|one| one.asset == asset && moves(one));
    let mut all: Vec<Movement> = all.filter_map(of).collect();
    // The listing is the newest first; those of one second keep their order.
    all.reverse();
    all.sort_by_key(|one| one.at);
    all
}

/// Whether it changes what a wallet holds.
fn moves(one: &Transaction) -> bool {
    ["SAL", "QRS", "REF", "FUS", "RFD", "COR"].contains(&one.action.as_str())
}

/// What it was, in words.
fn what(one: &Transaction, reason: Option<&str>) -> Words {
    if let Some(reason) = reason {
        return Words::new(
            format!("Crédits bénévoles : {reason}"),
            format!("Volunteer credits: {reason}"),
        );
    }
    let (fr, en) = match one.action.as_str() {
        "QRS" => ("Payé en lisant un code", "Paid by reading a code"),
        "REF" if is_reward(one) => (
            "Donné par Lespass pour un billet scanné",
            "Given by Lespass for a scanned ticket",
        ),
        "REF" => ("Crédité par quelqu’un d’autre", "Credited by somebody else"),
        "FUS" => ("D’une carte rattachée", "From a card that was linked"),
        "RFD" => ("Remboursé, ou carte vidée", "Refunded, or card emptied"),
        "COR" => ("Corrigé dans Fedow", "Corrected in Fedow"),
        _ => ("Dépensé à une caisse", "Spent at a till"),
    };
    Words::new(fr, en)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refill::listing;
    use serde_json::{Value, json};

    fn row(action: &str, amount: i64, from: &str, to: &str, at: &str, metadata: &Value) -> Value {
        json!({
            "uuid": at, "action": action, "amount": amount, "asset": "time",
            "sender": from, "receiver": to, "datetime": at, "metadata": metadata,
        })
    }

    #[test]
    fn a_wallet_is_known_by_what_we_sent_and_everything_of_it_is_told() {
        let key = |key: &str| json!({ "idempotency_key": key });
        let scan = json!({ "rewarded_from_ticket_scanned": { "sent_at": "x" } });
        let mut euro = row(
            "SAL",
            700,
            "ana",
            "place",
            "2027-01-04T20:00:00Z",
            &Value::Null,
        );
        euro["asset"] = json!("euro");
        let rows = json!([
            row(
                "XYZ",
                1,
                "ana",
                "place",
                "2027-01-06T20:00:00Z",
                &Value::Null
            ),
            row("REF", 100, "place", "ana", "2027-01-05T20:00:00Z", &scan),
            euro,
            row(
                "SAL",
                50,
                "bob",
                "place",
                "2027-01-03T21:00:00Z",
                &Value::Null
            ),
            row(
                "SAL",
                120,
                "ana",
                "place",
                "2027-01-03T20:00:00Z",
                &Value::Null
            ),
            row(
                "FUS",
                10,
                "ana",
                "ana",
                "2027-01-03T12:00:00Z",
                &Value::Null
            ),
            row(
                "REF",
                150,
                "place",
                "bob",
                "2027-01-02T20:01:00Z",
                &key("raccord:lieu:bob:t:1")
            ),
            row(
                "REF",
                300,
                "place",
                "ana",
                "2027-01-02T20:00:00Z",
                &key("raccord:lieu:ana:t:1")
            ),
            row(
                "CRE",
                300,
                "place",
                "place",
                "2027-01-02T20:00:00Z",
                &key("raccord:lieu:ana:t:1")
            ),
            row(
                "FUS",
                40,
                "card",
                "ana",
                "2027-01-01T20:00:00Z",
                &Value::Null
            ),
        ]);
        let listing = listing(rows.to_string().as_bytes()).expect("a listing");
        let ours = BTreeMap::from([("raccord:lieu:ana:t:1".to_owned(), "Bar")]);
        let told = statement(&listing, "time", &ours);
        let told: Vec<(i64, &str)> = told.iter().map(|one| (one.amount, &*one.what.en)).collect();
        assert_eq!(
            told,
            [
                (40, "From a card that was linked"),
                (300, "Volunteer credits: Bar"),
                (-120, "Spent at a till"),
                (100, "Given by Lespass for a scanned ticket"),
            ]
        );
        assert_eq!(statement(&listing, "time", &BTreeMap::new()), []);
    }
}
