//! What Lespass paid by itself, when it scanned a ticket. Pure.
//!
//! Fedow keeps such a reward with the wallet, the asset and the hour, and neither the ticket nor the
//! address (`BaseBillet/tasks.py`). Whose wallet it is shows where we credited the same person before:
//! our key names them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use raccord_model::PlaceId;

use crate::refill::{Listing, Refill, Transaction};

/// What a listing tells of rewards in one asset.
pub(crate) struct Rewards<'a> {
    /// The wallet and the hour of each.
    paid: Vec<(&'a str, Timestamp)>,
    /// Whose wallet is whose: the person by their wallet.
    known: BTreeMap<&'a str, &'a str>,
}

/// Whether Lespass paid somebody's day by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paid {
    /// Nobody whom it could be.
    No,
    /// Somebody, and nobody can tell whom.
    Perhaps,
    /// This very person.
    Yes,
}

/// Whether it is a reward for a scan. Lespass says there when it was sent; a refill of ours bears the
/// same mark as a plain yes, and its key.
pub(crate) fn is_reward(one: &Transaction) -> bool {
    let mark = &one.metadata["rewarded_from_ticket_scanned"];
    let marked = mark == true || mark.as_object().is_some_and(|said| !said.is_empty());
    one.action == "REF" && marked && one.metadata.get("idempotency_key").is_none()
}

impl<'a> Rewards<'a> {
    /// What `listing` tells of rewards in `asset`, and of the people of `place`.
    pub(crate) fn of(listing: &'a Listing, place: &PlaceId, asset: &str) -> Self {
        let ours = format!("raccord:{place}:");
        let known = listing.all().filter_map(|one| {
            let key = one.metadata["idempotency_key"].as_str()?;
            let person = key.strip_prefix(&ours)?.split(':').next()?;
            (!one.receiver.is_empty() && one.action == "REF")
                .then_some((one.receiver.as_str(), person))
        });
        let paid = listing
            .all()
            .filter(|one| is_reward(one) && one.asset == asset);
        Self {
            known: known.collect(),
            paid: paid
                .filter_map(|one| Some((one.receiver.as_str(), one.datetime.parse().ok()?)))
                .collect(),
        }
    }

    /// Whether what `refill` is for may have been paid by a scan: of the day of the work, in the place's
    /// zone, or of the one after, for evenings that go past midnight.
    pub(crate) fn paid(&self, refill: &Refill, day: Option<Date>, zone: &TimeZone) -> Paid {
        let Some(day) = day else { return Paid::No };
        let person = refill.key.split(':').nth(2).unwrap_or_default();
        let next = day.checked_add(1.day()).unwrap_or(day);
        let near = self.paid.iter().filter(|(_, at)| {
            let date = zone.to_datetime(*at).date();
            date == day || date == next
        });
        let mut perhaps = Paid::No;
        for (wallet, _) in near {
            match self.known.get(wallet) {
                Some(whose) if *whose == person => return Paid::Yes,
                Some(_) => {}
                // A person whose wallet is known has another one than this.
                None if self.known.values().any(|known| *known == person) => {}
                None => perhaps = Paid::Perhaps,
            }
        }
        perhaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refill::listing;
    use serde_json::json;

    #[test]
    fn a_reward_is_told_by_whose_wallet_it_is_and_by_its_day() {
        let sent = json!({ "sent_at": "2027-01-02T18:00:00+00:00" });
        let scan = |wallet: &str, asset: &str, at: &str| json!({ "action": "REF", "asset": asset, "receiver": wallet, "datetime": at, "metadata": { "rewarded_from_ticket_scanned": sent } });
        let ours = |wallet: &str, person: &str| json!({ "action": "REF", "asset": "time", "receiver": wallet, "metadata": { "idempotency_key": format!("raccord:lieu:{person}:t:1") } });
        let zone = TimeZone::get("Indian/Reunion").unwrap();
        let place = "lieu".parse().unwrap();
        let refill = |person: &str| Refill {
            key: format!("raccord:lieu:{person}:task:1"),
            email: "x@example.org".into(),
            asset: "time".into(),
            amount: 150,
        };
        let day = Some("2027-01-02".parse().unwrap());
        let asked = |all: &[serde_json::Value], person: &str| {
            let text = serde_json::Value::from(all.to_vec()).to_string();
            let listing = listing(text.as_bytes()).unwrap();
            Rewards::of(&listing, &place, "time").paid(&refill(person), day, &zone)
        };
        // Half past nine in the evening of the second, and half past one in the night after.
        let evening = "2027-01-02T17:30:00.000000+00:00";
        let night = "2027-01-02T21:30:00Z";
        for at in [evening, night] {
            let all = [ours("w-ann", "ann"), scan("w-ann", "time", at)];
            assert_eq!(asked(&all, "ann"), Paid::Yes);
            assert_eq!(asked(&all, "bob"), Paid::No, "it is Ann's wallet");
            let stranger = [ours("w-ann", "ann"), scan("w-?", "time", at)];
            assert_eq!(asked(&stranger, "ann"), Paid::No, "hers is another");
            assert_eq!(asked(&stranger, "bob"), Paid::Perhaps);
        }
        for other in [
            scan("w-?", "euro", evening),
            scan("w-?", "time", "2027-01-01T12:00:00Z"),
            scan("w-?", "time", "2027-01-04T12:00:00Z"),
            scan("w-?", "time", "yesterday"),
            json!({ "action": "REF", "asset": "time", "receiver": "w-?", "datetime": evening, "metadata": {} }),
        ] {
            assert_eq!(asked(&[other], "bob"), Paid::No);
        }
    }
}
