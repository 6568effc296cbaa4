//! What cashless systems tell of a person's wallet: also what was spent, and what is not of ours.

use raccord_kit::Entry;
use raccord_model::{ConnectorName, EntityId, Failure, Lang, Movement};
use serde_json::Value;

use crate::connectors::Tools;
use crate::shapes::{MovementShape, WalletShape, WalletsShape};

/// One tool that keeps wallets.
pub(crate) struct Wallet {
    connector: ConnectorName,
    movements: Result<Vec<Movement>, Failure>,
}

/// Asks each tool that keeps wallets for the one of `person`; `sent` is what went to a tool.
pub(crate) async fn of(
    tools: &Tools,
    person: EntityId,
    sent: impl Fn(&ConnectorName) -> Vec<Entry>,
) -> Vec<Wallet> {
    let person = person.to_string();
    let mut all = Vec::new();
    for (name, tool) in tools {
        let Some(sink) = tool.sink() else { continue };
        let mut entries = sent(name);
        entries.retain(|entry| {
            let theirs = entry.event.data.get("person").and_then(Value::as_str);
            theirs == Some(person.as_str())
        });
        if let Some(movements) = sink.wallet(&entries).await.transpose() {
            all.push(Wallet {
                connector: name.clone(),
                movements,
            });
        }
    }
    all
}

/// The same for people.
pub(crate) fn shape(wallets: Vec<Wallet>, lang: Lang) -> WalletsShape {
    let all = wallets.into_iter().map(|wallet| {
        let (movements, failure) = match wallet.movements {
            Ok(movements) => (movements, None),
            Err(failure) => (Vec::new(), Some(failure.text.get(lang).to_owned())),
        };
        let sums = movements.iter().map(|one| one.amount);
        WalletShape {
            connector: wallet.connector.to_string(),
            amount: sums.fold(0, i64::saturating_add),
            movements: movements
                .iter()
                .map(|one| MovementShape {
                    at: one.at,
                    amount: one.amount,
                    what: one.what.get(lang).to_owned(),
                })
                .collect(),
            failure,
        }
    });
    WalletsShape(all.collect())
}
