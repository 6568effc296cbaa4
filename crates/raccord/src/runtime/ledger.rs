//! The ledger as people look at it: balances, movements, months, and signed receipts.

use std::collections::BTreeMap;

use raccord_credits::{
    Account, Chain, Fault, Proof, Signer, content, page, path, root, short, square, verify,
};
use raccord_engine::{Engine, Progress, State, month_key};
use raccord_look::html::escaped;
use raccord_model::{Entity, EntityId, EntityKind, Fields, Lang, Mode, PlaceId, Words};
use serde_json::Value;

use crate::cli::Receipts;
use crate::locale::View;
use crate::report::Problem;
use crate::shapes::{
    AccountsShape, BalanceShape, EntryShape, LedgerFaultShape, LedgerShape, MonthShape,
};

/// Credits and balances, of one person where one is named.
///
/// # Errors
/// When nobody has that name.
pub(crate) fn shape(
    engine: &Engine,
    view: &View,
    person: Option<&str>,
) -> Result<LedgerShape, Problem> {
    let person = person.map(|name| whose(engine, name)).transpose()?;
    let asked = person;
    let credits = in_order(engine);
    let on_the_way = on_the_way(engine.state());
    let mut balances: BTreeMap<EntityId, i64> = BTreeMap::new();
    let mut shape = LedgerShape::default();
    for (id, credit) in &credits {
        let Some(entry) = entry(engine, *id, credit, &on_the_way) else {
            continue;
        };
        if person.is_some_and(|person| person != entry.person) {
            continue;
        }
        let sum = balances.entry(entry.person).or_default();
        *sum = sum.saturating_add(entry.amount);
        shape.entries.push(entry);
    }
    shape.balances = balances
        .into_iter()
        .map(|(person, amount)| BalanceShape {
            person,
            name: engine.name_of(person),
            email: if asked == Some(person) {
                address_of(engine, person)
            } else {
                String::new()
            },
            amount,
        })
        .collect();
    if credits.is_empty() {
        return Ok(shape);
    }
    let rules = engine.state().rules();
    let purses = rules.sinks.iter().filter(|(_, rule)| {
        let mut all = rule.handles.iter();
        rule.handles.len() == 1
            && all.any(|handling| {
                handling.entity == EntityKind::Credit && handling.mode == Mode::Each
            })
    });
    shape.spend_at = purses.map(|(name, _)| name.to_string()).collect();
    if person.is_none() {
        let book = engine.book();
        let (issued, spent) = (book.holds(Account::Issued), book.holds(Account::Spent));
        shape.accounts = Some(AccountsShape {
            issued,
            spent,
            held: -(issued.saturating_add(spent)),
        });
        shape.faults = faults(&rules.place.id, &credits);
        shape.months = months(engine, &credits.into_iter().collect(), view);
    }
    Ok(shape)
}

/// The address of a person; nothing of one who was forgotten.
fn address_of(engine: &Engine, person: EntityId) -> String {
    let known = engine.entity(person);
    known.map_or_else(String::new, |known| known.text("email").to_owned())
}

/// Every credit by its number.
fn in_order(engine: &Engine) -> Vec<(EntityId, Entity)> {
    let mut credits = engine.credits();
    credits.sort_by_key(|(id, credit)| (number(&credit.fields), *id));
    credits
}

fn number(fields: &Fields) -> u64 {
    fields.get("entry").and_then(Value::as_u64).unwrap_or(0)
}

fn entry(
    engine: &Engine,
    id: EntityId,
    credit: &Entity,
    on_the_way: &BTreeMap<EntityId, &'static str>,
) -> Option<EntryShape> {
    let person = credit.text("person").parse().ok()?;
    let cause = ["cause", "task", "activity"].map(|name| credit.text(name));
    let cause = cause.into_iter().find(|text| !text.is_empty());
    let state = on_the_way.get(&id).copied();
    Some(EntryShape {
        id,
        person,
        amount: credit.fields.get("amount").and_then(Value::as_i64)?,
        reason: credit.text("reason").to_owned(),
        cause: cause.unwrap_or_default().to_owned(),
        state: state.unwrap_or(credit.text("state")).to_owned(),
        number: number(&credit.fields),
        at: credit.text("at").parse().ok(),
        day: credit.text("day").parse().ok(),
        name: engine.name_of(person),
    })
}

/// How the credits stand that some tool does not have yet.
fn on_the_way(state: &State) -> BTreeMap<EntityId, &'static str> {
    let mut found = BTreeMap::new();
    for sink in state.sinks.values() {
        for aside in sink.dead.values() {
            found.insert(aside.entity, "dead");
        }
        let queued = sink.lanes.values().flat_map(|lane| &lane.queue);
        for queued in queued {
            let event = serde_json::from_slice::<raccord_model::Event>(&queued.event);
            if let Ok(event) = event {
                let held = matches!(queued.progress, Progress::Held { .. });
                found.insert(event.entity, if held { "held" } else { "pending" });
            }
        }
    }
    found
}

/// The person with this id or address.
pub(crate) fn whose(engine: &Engine, name: &str) -> Result<EntityId, Problem> {
    let wanted = name.trim().to_lowercase();
    let people = engine.state().entities.iter();
    let mut people = people.filter(|(_, record)| record.kind == EntityKind::Person);
    let found = people.find_map(|(&id, record)| {
        let mut fields = record.fields();
        engine.vault().reveal(&mut fields);
        let email = fields.get("email").and_then(Value::as_str);
        (email.is_some_and(|email| email == wanted) || id.to_string() == wanted).then_some(id)
    });
    // Whom only a program knows has an account too.
    let by_id = || {
        let id = wanted.parse().ok()?;
        let holds = engine.book().accounts();
        let mut holds = holds.filter(|(account, _)| *account == Account::Person(id));
        holds.next().map(|_| id)
    };
    found.or_else(by_id).ok_or_else(nobody)
}

/// Nobody has that name.
pub(crate) fn nobody() -> Problem {
    Problem::failed(
        "ledger",
        "ledger.nobody",
        Words::new("Personne n'a ce nom ici.", "Nobody has that name here."),
        Words::new(
            "Donnez l'adresse e-mail ou l'identifiant de la personne ; « raccord ledger » montre tous les comptes.",
            "Give the person's e-mail address or id; `raccord ledger` shows every account.",
        ),
    )
}

fn this_month(view: &View) -> String {
    month_key(view.zone.to_datetime(view.now).date())
}

fn months(engine: &Engine, credits: &BTreeMap<EntityId, Entity>, view: &View) -> Vec<MonthShape> {
    let now = this_month(view);
    let months = engine.months_of_ledger().iter().map(|(month, entries)| {
        let mut shape = MonthShape {
            entries: entries.len(),
            month: month.clone(),
            ..MonthShape::default()
        };
        for credit in entries.iter().filter_map(|(id, _)| credits.get(id)) {
            let amount = credit.fields.get("amount").and_then(Value::as_i64);
            let amount = amount.unwrap_or(0);
            let at_till = credit.fields.contains_key("till");
            let sum = match (amount > 0, credit.fields.contains_key("reverses")) {
                _ if at_till => &mut shape.spent,
                (true, false) => &mut shape.granted,
                (false, false) => &mut shape.spent,
                (_, true) => &mut shape.reversed,
            };
            *sum = sum.saturating_add(amount);
        }
        let over = *month < now;
        shape.root = root(&hashes(entries)).filter(|_| over).map(short);
        shape
    });
    months.collect()
}

fn hashes(entries: &[(EntityId, Chain)]) -> Vec<Chain> {
    entries.iter().map(|(_, hash)| *hash).collect()
}

fn faults(place: &PlaceId, credits: &[(EntityId, Entity)]) -> Vec<LedgerFaultShape> {
    // Credits of before there were numbers belong to no chain.
    let numbered = credits
        .iter()
        .filter(|(_, credit)| credit.fields.contains_key("entry"));
    let found = verify(place, numbered.map(|(id, credit)| (*id, &credit.fields)));
    let shape = |code: &str, entry: String| LedgerFaultShape {
        code: code.to_owned(),
        entry,
    };
    found
        .into_iter()
        .map(|fault| match fault {
            Fault::Missing(number) => shape("missing", number.to_string()),
            Fault::Twice(number) => shape("twice", number.to_string()),
            Fault::Changed(number) => shape("changed", number.to_string()),
            Fault::Unbalanced(number) => shape("unbalanced", number.to_string()),
            Fault::Unreadable(id) => shape("unreadable", id.to_string()),
        })
        .collect()
}

/// Signed receipts, of one person where one is named, as a page.
///
/// # Errors
/// When nobody has that name.
pub(crate) fn receipts(
    engine: &Engine,
    signer: &Signer,
    view: &View,
    person: Option<&str>,
) -> Result<Receipts, Problem> {
    let person = person.map(|name| whose(engine, name)).transpose()?;
    let person = person.map(|id| id.to_string());
    let place = &engine.state().rules().place;
    let credits: BTreeMap<EntityId, Entity> = engine.credits().into_iter().collect();
    let now = this_month(view);
    let mut body = String::new();
    let mut many = 0;
    for (month, entries) in engine.months_of_ledger() {
        let leaves = hashes(entries);
        let over = *month < now;
        for (index, (id, _)) in entries.iter().enumerate() {
            let Some(credit) = credits.get(id) else {
                continue;
            };
            if person
                .as_ref()
                .is_some_and(|who| who != credit.text("person"))
            {
                continue;
            }
            let proof = over.then(|| Proof {
                index: index as u64,
                size: leaves.len() as u64,
                path: path(&leaves, index),
            });
            let receipt = signer.sign(content(&place.id, *id, &credit.fields), proof);
            body.push_str(&section(credit, &receipt.encode(), view));
            many += 1;
        }
    }
    let title = view.say("Reçus de crédits", "Credit receipts");
    let lang = match view.lang {
        Lang::Fr => "fr",
        Lang::En => "en",
    };
    let name = escaped(&place.name);
    Ok(Receipts {
        receipts: format!(
            "<!doctype html>\n<html lang=\"{lang}\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title} – {name}</title>\n<style>{STYLE}</style>\n<h1>{title} – {name}</h1>\n{body}</html>\n"
        ),
        verify: page(&place.name, &signer.public(), view.lang),
        many,
    })
}

const STYLE: &str = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}section{break-inside:avoid;border-top:1px solid #555;padding:1rem 0}svg{width:14rem;height:14rem;display:block}code{font-size:.7rem;overflow-wrap:anywhere}";

fn section(credit: &Entity, receipt: &str, view: &View) -> String {
    let amount = credit.fields.get("amount").and_then(Value::as_i64);
    let amount = view.amount(amount.unwrap_or(0));
    let square = square(receipt).unwrap_or_default();
    let (number, day) = (number(&credit.fields), escaped(credit.text("day")));
    format!(
        "<section>\n<h2>{amount} – {}</h2>\n<p>{day} (n° {number})</p>\n{square}\n<p><code>{receipt}</code></p>\n</section>\n",
        escaped(credit.text("reason"))
    )
}

/// Nothing signs receipts before the place ran once.
pub(crate) fn no_key() -> Problem {
    Problem::failed(
        "ledger",
        "ledger.no-key",
        Words::new(
            "Ce lieu n'a pas encore de clé pour signer des reçus.",
            "This place has no key to sign receipts with yet.",
        ),
        Words::new(
            "Lancez une fois « raccord sync » ou « raccord run » : la clé est tirée à ce moment.",
            "Run `raccord sync` or `raccord run` once: the key is drawn then.",
        ),
    )
}
