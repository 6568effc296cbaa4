//! What takes credits back and has not left for its wallet: where the work counts again meanwhile, it
//! need not leave at all. While a tool is away for a day, somebody's attendance may be corrected twice.

use raccord_model::{EntityId, EntityKind};

use crate::credits::work_of;
use crate::deciding::Deciding;
use crate::fact::DeliveryRef;
use crate::state::Progress;

/// The deliveries to wallets that would take back what `person` earned with `subject`, and that no
/// attempt was begun of; with the credit of each. Tools that take more than credits hear everything.
pub(crate) fn reversals(
    deciding: &Deciding<'_>,
    person: EntityId,
    subject: EntityId,
) -> Vec<(DeliveryRef, EntityId)> {
    let rules = deciding.rules();
    let wallets = rules.sinks.iter().filter(|(_, rule)| {
        let mut all = rule.handles.iter();
        all.all(|handling| handling.entity == EntityKind::Credit)
    });
    let mut found = Vec::new();
    for (connector, _) in wallets {
        let sink = deciding.state.sinks.get(connector);
        let lane = sink.and_then(|sink| sink.lanes.get(&person));
        for queued in lane.into_iter().flat_map(|lane| &lane.queue) {
            let of = DeliveryRef {
                connector: connector.clone(),
                family: person,
                id: queued.delivery,
            };
            let begun = deciding.flight.is_busy(connector, person, of.id);
            if begun || queued.progress != Progress::Pending {
                continue;
            }
            let Some(event) = crate::fold::decode(&queued.event) else {
                continue;
            };
            let amount = event.data.get("amount").and_then(serde_json::Value::as_i64);
            let takes = amount < Some(0) && event.data.contains_key("reverses");
            if takes && work_of(&event) == Some(subject) {
                found.push((of, event.entity));
            }
        }
    }
    found
}
