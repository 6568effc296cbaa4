//! One credit as a refill of a wallet, and what the answers mean. Pure.
//!
//! Facts are from Lespass 0103ee4 (`api_v2/views.py`, WalletRefillViewSet) and Fedow ac5a871.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use raccord_model::{Applied, Event, Found, PlaceId, Verb};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::scans::is_reward;

/// The most that one call may bring, in hundredths.
pub const MOST: i64 = 10_000;

/// A call that credits a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refill {
    /// The header `Idempotency-Key`: place, person, task and number of the grant; the credit itself
    /// where nobody numbered it. The same credit always has the same one, and no other ever has; what
    /// is sent once more on a person's word, because Fedow lost it, has another.
    #[serde(skip)]
    pub key: String,
    /// Whose wallet.
    pub email: String,
    /// Which asset.
    pub asset: String,
    /// Hundredths.
    pub amount: i64,
}

/// What an event of the ledger asks of the wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing: it was told before, or was spent, or it puts back what was never taken.
    Nothing,
    /// To credit it.
    Refill(Refill),
    /// To take credits back, which there is no call for.
    TakeBack,
    /// To credit a person whose address nobody knows (any more).
    NoAddress,
    /// More than one call may bring.
    TooMuch,
    /// It is no credit that anything could be done about.
    Unreadable,
}

/// What `event` asks of the wallet.
pub fn wanted(place: &PlaceId, asset: &str, event: &Event) -> Wanted {
    let first = matches!(event.verb, Verb::Created | Verb::Granted | Verb::Reversed);
    if !first || event.revision != 1 {
        return Wanted::Nothing;
    }
    let text = |name: &str| event.data.get(name).and_then(Value::as_str);
    let amount = event.data.get("amount").and_then(Value::as_i64);
    let Some(amount) = amount.filter(|_| text("person").is_some()) else {
        return Wanted::Unreadable;
    };
    match (amount < 0, text("reverses").is_some()) {
        (true, true) => return Wanted::TakeBack,
        // What was spent was taken where it was spent; what is put back was never taken.
        (true, false) | (false, true) => return Wanted::Nothing,
        (false, false) => {}
    }
    if text("email").is_none() {
        return Wanted::NoAddress;
    }
    if amount > MOST {
        return Wanted::TooMuch;
    }
    sent(place, asset, event).map_or(Wanted::Unreadable, Wanted::Refill)
}

/// The refill that a credit is or was, also where its person was forgotten since; nothing for what
/// takes credits back, or puts them back.
pub fn sent(place: &PlaceId, asset: &str, event: &Event) -> Option<Refill> {
    let text = |name: &str| event.data.get(name).and_then(Value::as_str);
    let amount = event.data.get("amount").and_then(Value::as_i64)?;
    let (person, email) = (text("person")?, text("email").unwrap_or_default());
    if amount <= 0 || text("reverses").is_some() {
        return None;
    }
    let grant = event.data.get("grant").and_then(Value::as_u64);
    let mut of = match (text("task").or_else(|| text("activity")), grant) {
        (Some(work), Some(grant)) => format!("{work}:{grant}"),
        _ => format!("{}:1", event.entity),
    };
    // The server answers for ever that it credited what it lost since.
    if let Some(again) = event.data.get("again").and_then(Value::as_u64) {
        of = format!("{of}:again{again}");
    }
    // Below the 255 characters of the server's column: the place's name has 64 at most.
    Some(Refill {
        key: format!("raccord:{place}:{person}:{of}"),
        email: email.to_owned(),
        asset: asset.to_owned(),
        amount,
    })
}

/// What an answer to a refill means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The wallet is credited, now or before.
    Credited,
    /// It is not, and the same call may be made again.
    NotYet,
    /// It is not, and never will be with these data.
    Never,
    /// The key is refused.
    Refused,
    /// The server keeps it as begun: it may be credited, now, later or never.
    Begun,
    /// It may be credited, and a repeat may credit it once more.
    Unknown,
}

/// What `status` means.
pub const fn meaning(status: u16) -> Meaning {
    match status {
        200 | 201 | 208 => Meaning::Credited,
        401 | 403 => Meaning::Refused,
        // Ours never has other data under the same key: then it is begun, and not ended.
        409 => Meaning::Begun,
        // Refused before anything is written down: not connected to Fedow, or too many calls.
        408 | 425 | 429 | 503 => Meaning::NotYet,
        400..=499 => Meaning::Never,
        // 502 says that the call to Fedow failed; Fedow may have credited all the same, and a repeat
        // would then credit again. So may any other answer that is none of those above.
        _ => Meaning::Unknown,
    }
}

/// A transaction of Fedow, as far as it counts here.
#[derive(Debug, Deserialize)]
pub(crate) struct Transaction {
    #[serde(default)]
    pub(crate) uuid: String,
    #[serde(default)]
    pub(crate) action: String,
    #[serde(default)]
    pub(crate) amount: i64,
    #[serde(default)]
    pub(crate) asset: String,
    #[serde(default)]
    pub(crate) sender: String,
    #[serde(default)]
    pub(crate) receiver: String,
    #[serde(default)]
    pub(crate) datetime: String,
    #[serde(default)]
    pub(crate) metadata: Value,
}

/// What Fedow holds otherwise than it was sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Drift {
    /// It was confirmed, and is not there.
    Missing(String),
    /// It is there more than once.
    Twice(String, usize),
    /// Its amount is another: sent, and there.
    Amount(String, i64, i64),
    /// It is in another asset.
    Asset(String),
    /// It bears a key of this place, and was never sent.
    Unknown(String),
}

impl Drift {
    /// The key it is about.
    pub fn key(&self) -> &str {
        match self {
            Self::Missing(key)
            | Self::Twice(key, _)
            | Self::Amount(key, ..)
            | Self::Asset(key)
            | Self::Unknown(key) => key,
        }
    }
}

/// All transactions of Fedow (`GET /transaction/`), or nothing where that is no such list.
pub fn listing(body: &[u8]) -> Option<Listing> {
    serde_json::from_slice(body).ok().map(Listing)
}

/// All transactions of a Fedow.
#[derive(Debug)]
pub struct Listing(Vec<Transaction>);

impl Listing {
    /// The transaction made for this key.
    pub fn with_key(&self, key: &str) -> Option<&str> {
        let mut all = self.0.iter();
        all.find(|one| one.metadata["idempotency_key"] == key && one.action == "REF")
            .map(|one| one.uuid.as_str())
    }

    /// Everything that is there otherwise than it was sent. Each refill comes with whether it was
    /// confirmed; one that was not may be there.
    pub fn compare(&self, place: &PlaceId, asset: &str, sent: &[(Refill, bool)]) -> Vec<Drift> {
        let mut there: BTreeMap<&str, Vec<&Transaction>> = BTreeMap::new();
        for one in self.0.iter().filter(|one| one.action == "REF") {
            if let Some(key) = one.metadata["idempotency_key"].as_str() {
                there.entry(key).or_default().push(one);
            }
        }
        let mut drift = Vec::new();
        for (refill, done) in sent {
            let key = refill.key.clone();
            let found = there.remove(key.as_str()).unwrap_or_default();
            match &found[..] {
                [] if *done => drift.push(Drift::Missing(key)),
                [] => {}
                [one, more @ ..] => {
                    if !more.is_empty() {
                        drift.push(Drift::Twice(key.clone(), found.len()));
                    }
                    if found.iter().any(|one| one.asset != asset) {
                        drift.push(Drift::Asset(key.clone()));
                    }
                    if one.amount != refill.amount {
                        drift.push(Drift::Amount(key, refill.amount, one.amount));
                    }
                }
            }
        }
        let ours = format!("raccord:{place}:");
        let others = there.into_keys().filter(|key| key.starts_with(&ours));
        drift.extend(others.map(|key| Drift::Unknown(key.to_owned())));
        drift.sort();
        drift
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Transaction> {
        self.0.iter()
    }

    /// Whether Lespass itself rewards whoever's ticket is scanned.
    pub fn pays_scans(&self) -> bool {
        self.0.iter().any(is_reward)
    }
}

/// Credits that the server keeps as begun. It is only a hint: one that is lost costs another call.
#[derive(Debug, Default)]
pub struct Begun(BTreeSet<String>);

impl Begun {
    /// The server answered that this one is begun.
    pub fn note(&mut self, key: &str) {
        self.0.insert(key.to_owned());
    }

    /// What a listing of Fedow made at `listed` tells of a refill.
    pub fn look(&mut self, known: Option<&Listing>, key: &str, listed: Timestamp) -> Found {
        let Some(known) = known else {
            return Found::CannotTell;
        };
        // It is called again only after a listing without it: still begun then, it never ends.
        let stuck = self.0.remove(key);
        match known.with_key(key) {
            Some(uuid) => Found::Yes(Applied {
                external: uuid.to_owned(),
                ..Applied::default()
            }),
            None if stuck => Found::CannotTell,
            None => Found::No { listed },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use raccord_model::{Cause, EntityId, EntityKind, EventId};
    use serde_json::json;

    fn event(data: Value) -> Event {
        let id = EntityId::derive(&[b"credit"]);
        Event {
            id: EventId::derive(&[b"e"]),
            kind: EntityKind::Credit,
            verb: Verb::Granted,
            entity: id,
            revision: 1,
            changed: Vec::new(),
            source: "raccord".into(),
            time: "2027-01-02T08:00:00Z".parse().unwrap(),
            family: id,
            correlation: EventId::derive(&[b"e"]),
            causation: None,
            hops: 0,
            trace: None,
            cause: Cause::Time,
            data: serde_json::from_value(data).unwrap(),
        }
    }

    fn of(event: &Event) -> Wanted {
        wanted(&"lieu".parse().unwrap(), "asset", event)
    }

    #[test]
    fn the_key_is_the_place_the_person_the_task_and_the_number_of_the_grant() {
        let granted = event(
            json!({ "person": "p", "amount": 150, "task": "t", "activity": "a", "grant": 2, "email": "z@example.org" }),
        );
        let Wanted::Refill(refill) = of(&granted) else {
            panic!("a refill")
        };
        assert_eq!(refill.key, "raccord:lieu:p:t:2");
        assert_eq!(
            serde_json::to_value(&refill).unwrap(),
            json!({ "email": "z@example.org", "asset": "asset", "amount": 150 })
        );
        let mut forgotten = granted.clone();
        forgotten.revision = 2;
        forgotten.verb = Verb::Updated;
        assert_eq!(of(&forgotten), Wanted::Nothing);
    }

    /// Raccord numbers its own grants; what another program posts has no number.
    #[test]
    fn credits_that_nobody_numbered_are_told_apart() {
        let posted = |name: &[u8]| {
            let mut event = event(
                json!({ "person": "p", "amount": 150, "activity": "a", "email": "z@example.org" }),
            );
            event.entity = EntityId::derive(&[name]);
            match of(&event) {
                Wanted::Refill(refill) => refill.key,
                other => panic!("{other:?}"),
            }
        };
        assert_ne!(posted(b"one"), posted(b"other"));
        assert_eq!(posted(b"one"), posted(b"one"));
        let granted = event(
            json!({ "person": "p", "amount": 150, "activity": "a", "grant": 1, "email": "z@example.org" }),
        );
        let Wanted::Refill(granted) = of(&granted) else {
            panic!("a refill")
        };
        assert_ne!(posted(b"one"), granted.key);
    }

    #[test]
    fn what_there_is_no_call_for_is_told_apart() {
        let person = |more: Value| {
            let mut data = json!({ "person": "p" });
            data.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            of(&event(data))
        };
        assert_eq!(
            person(json!({ "amount": -150, "reverses": "x" })),
            Wanted::TakeBack
        );
        assert_eq!(
            person(json!({ "amount": 150, "reverses": "x" })),
            Wanted::Nothing
        );
        // What was spent was taken where it was spent.
        assert_eq!(person(json!({ "amount": -150 })), Wanted::Nothing);
        assert_eq!(person(json!({ "amount": 150 })), Wanted::NoAddress);
        assert_eq!(
            person(json!({ "amount": 10_001, "email": "z@example.org" })),
            Wanted::TooMuch
        );
        assert_eq!(person(json!({})), Wanted::Unreadable);
    }

    #[test]
    fn every_kind_of_drift_is_found_in_one_pass() {
        let refill = |number: u32| Refill {
            key: format!("raccord:lieu:p:t{number}:1"),
            email: "z@example.org".into(),
            asset: "asset".into(),
            amount: 150,
        };
        let one = |key: &str, amount: i64, asset: &str| json!({ "uuid": "x", "action": "REF", "amount": amount, "asset": asset, "metadata": { "idempotency_key": key } });
        let key = |number| refill(number).key;
        let sent: Vec<(Refill, bool)> = (0..20)
            .map(|number| (refill(number), number != 19))
            .collect();
        // As sent, and twenty ways of being otherwise: one at a time, then all at once.
        let good: Vec<Value> = (0..19)
            .map(|number| one(&key(number), 150, "asset"))
            .collect();
        let place = "lieu".parse().unwrap();
        let compare = |all: &[Value]| {
            let all = Value::from(all.to_vec()).to_string();
            listing(all.as_bytes())
                .unwrap()
                .compare(&place, "asset", &sent)
        };
        assert_eq!(compare(&good), []);
        let mut all = good.clone();
        let mut expected = Vec::new();
        for (number, spot) in (0..4).zip(&mut all) {
            *spot = json!({ "action": "SAL" });
            expected.push(Drift::Missing(key(number)));
        }
        for number in 4..8 {
            all.push(one(&key(number), 150, "asset"));
            expected.push(Drift::Twice(key(number), 2));
        }
        for number in 8..12 {
            let other = i64::from(number) - 9;
            all[number as usize] = one(&key(number), other, "asset");
            expected.push(Drift::Amount(key(number), 150, other));
        }
        for number in 12..16 {
            all[number as usize] = one(&key(number), 150, "euro");
            expected.push(Drift::Asset(key(number)));
        }
        for number in 30..34 {
            all.push(one(&key(number), 150, "asset"));
            expected.push(Drift::Unknown(key(number)));
        }
        expected.sort();
        assert_eq!(expected.len(), 20);
        assert_eq!(compare(&all), expected);
        // Another place's credits are its own.
        assert_eq!(
            compare(&[&good[..], &[one("raccord:jardin:p:t:1", 1, "asset")]].concat()),
            []
        );
        // What nobody knows the end of may be there.
        assert_eq!(
            compare(&[&good[..], &[one(&key(19), 150, "asset")]].concat()),
            []
        );
    }

    #[test]
    fn a_listing_is_asked_for_the_key_of_a_refill_and_nothing_else() {
        let all = json!([
            { "uuid": "c", "action": "CRE", "metadata": { "idempotency_key": "k" } },
            { "uuid": "r", "action": "REF", "metadata": { "idempotency_key": "k", "rewarded_from_ticket_scanned": true } },
            { "uuid": "f", "action": "FST", "metadata": null },
            { "action": "SAL" },
        ]);
        let known = listing(all.to_string().as_bytes()).unwrap();
        assert_eq!(known.with_key("k"), Some("r"));
        assert_eq!(known.with_key("l"), None);
        assert!(!known.pays_scans());
        let sent = json!({ "sent_at": "2027-01-02T08:00:00+00:00" });
        let scan = json!([{ "uuid": "s", "action": "REF", "metadata": { "rewarded_from_ticket_scanned": sent } }]);
        assert!(listing(scan.to_string().as_bytes()).unwrap().pays_scans());
        for broken in ["{\"detail\": \"non\"}", "[{", "<html>", "[1]"] {
            assert!(listing(broken.as_bytes()).is_none(), "{broken}");
        }
    }
}
