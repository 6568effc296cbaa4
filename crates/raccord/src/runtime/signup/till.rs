//! The card of whoever signed in, and the till of whoever serves: the place's own ledger.

use std::sync::Arc;

use raccord_credits::Account;
use raccord_engine::{Engine, Order, Reply, Spending, undo_until};
use raccord_look::{clean, credits, dates};
use raccord_model::{ConnectorName, Digest, Entity, EntityId, EntityKind, Lang, Words};
use raccord_web::hands::{Answer, Card, Counter, Line, Paid, Payment, Shows};
use serde_json::Value;

use super::keys::{self, Key};
use super::{Desktop, id_of};
use crate::locale::View;

/// How many movements a card shows.
const LINES: usize = 50;
/// The longest text typed as an amount.
const LONGEST: usize = 20;

impl Desktop<'_> {
    /// Whether whoever looks takes payments.
    pub(super) fn serves(&self) -> bool {
        let till = self.host.till();
        let me = self.me.as_ref();
        till.is_some_and(|(_, till)| me.is_some_and(|me| till.serves(&me.email)))
    }

    fn view(&self) -> View {
        View {
            lang: self.lang(),
            zone: self.settings.zone.clone(),
            now: self.visit.at,
        }
    }

    /// The visitor's own card.
    pub(super) async fn card(&self) -> Answer {
        let Some((_, till)) = self.host.till() else {
            return Answer::Nothing;
        };
        let Some(me) = self.me.clone() else {
            return Self::go("in");
        };
        let view = self.view();
        let spend_at = clean::set(till.spend_at(), 200, view.lang);
        let signed = self.open.key.signed_card(me.id);
        let address = &self.settings.place.public_url;
        let code = if address.is_empty() {
            signed
        } else {
            format!("{address}/hands/till?k={signed}")
        };
        let number = self.open.key.card(me.id);
        let seen = self.read(move |engine| {
            let (lines, more) = movements(engine, me.id, &view);
            Card {
                name: called(engine, me.id, view.lang),
                number,
                code,
                balance: credits(balance(engine, me.id), view.lang),
                spend_at,
                lines,
                more,
            }
        });
        match seen.await {
            Ok(card) => self.counter(Counter::Card(card)),
            Err(answer) => answer,
        }
    }

    fn counter(&self, counter: Counter) -> Answer {
        self.screen(Shows::Counter(Box::new(counter)))
    }

    /// Who does not serve sees no till.
    fn not_serving(&self) -> Option<Answer> {
        if self.host.till().is_none() {
            return Some(Answer::Nothing);
        }
        if self.serves() {
            return None;
        }
        if self.me.is_none() {
            return Some(Self::go("in"));
        }
        let said = match self.lang() {
            Lang::Fr => "Seules les personnes nommées dans la configuration tiennent la caisse.",
            Lang::En => "Only people named in the configuration serve at the till.",
        };
        Some(self.screen_that(403, said.to_owned(), Shows::Refused))
    }

    /// The till's form; with the card whose code was read.
    pub(super) fn till(&self) -> Answer {
        if let Some(answer) = self.not_serving() {
            return answer;
        }
        let read = self.open.key.read_card(&self.visit.key);
        let card = read.map_or_else(String::new, |person| self.open.key.card(person));
        self.asks(card, String::new(), String::new())
    }

    /// The form again, with what is wrong.
    fn asks(&self, card: String, amount: String, said: String) -> Answer {
        let spend_at = self.host.till().map(|(_, till)| till.spend_at());
        let spend_at = clean::set(spend_at.unwrap_or_default(), 200, self.lang());
        let status = if said.is_empty() { 200 } else { 422 };
        let counter = Counter::Till {
            card,
            amount,
            spend_at,
        };
        self.screen_that(status, said, Shows::Counter(Box::new(counter)))
    }

    /// What the till's forms ask for.
    pub(super) async fn takes(&self) -> Answer {
        if let Some(answer) = self.not_serving() {
            return answer;
        }
        match self.visit.field("do") {
            "ask" => self.is_it_so().await,
            "pay" => self.pays().await,
            "undo" => self.gives_back().await,
            _ => Answer::Nothing,
        }
    }

    async fn is_it_so(&self) -> Answer {
        let (card, typed) = (
            clean::line(self.visit.field("card"), 200),
            clean::line(self.visit.field("amount"), LONGEST),
        );
        let person = match self.whose(&card).await {
            Ok(Some(person)) => person,
            Ok(None) => {
                let said = Words::new("Aucune carte n’a ce numéro.", "No card has this number.");
                return self.asks(card, typed, said.get(self.lang()).to_owned());
            }
            Err(answer) => return answer,
        };
        let Some(hundredths) = hundredths(&typed) else {
            let said = Words::new(
                "Écrivez un nombre, par exemple 1,5.",
                "Write a number, for example 1.5.",
            );
            return self.asks(card, typed, said.get(self.lang()).to_owned());
        };
        let view = self.view();
        let seen = self.read(move |engine| {
            (
                called(engine, person, view.lang),
                balance(engine, person),
                view,
            )
        });
        let (name, has, view) = match seen.await {
            Ok(seen) => seen,
            Err(answer) => return answer,
        };
        if has < hundredths {
            let said = match view.lang {
                Lang::Fr => format!("Il n’y a pas assez sur cette carte : {}.", view.amount(has)),
                Lang::En => format!("There is not enough on this card: {}.", view.amount(has)),
            };
            return self.asks(card, typed, said);
        }
        self.counter(Counter::Ask(Payment {
            name,
            amount: credits(hundredths, view.lang),
            balance: view.amount(has),
            card: self.open.key.signed_card(person),
            hundredths,
            once: keys::text(&keys::random()[..16]),
        }))
    }

    /// Whose card it is: its code as it was read, or its number as it was typed.
    async fn whose(&self, card: &str) -> Result<Option<EntityId>, Answer> {
        let code = card.rsplit_once("k=").map_or(card, |(_, code)| code);
        if let Some(person) = self.open.key.read_card(code) {
            return Ok(Some(person));
        }
        let number = keys::plain(card);
        let open = Arc::clone(&self.open);
        self.read(move |engine| holder(engine, &open.key, &number))
            .await
    }

    async fn pays(&self) -> Answer {
        let Some((till, serves)) = self.host.till() else {
            return Answer::Nothing;
        };
        let person = self.open.key.read_card(self.visit.field("card"));
        let amount: Option<i64> = self.visit.field("hundredths").parse().ok();
        let (Some(person), Some(amount), Some(me)) = (person, amount, &self.me) else {
            return Answer::Nothing;
        };
        let reason = match serves.spend_at() {
            "" => Words::new("Dépensé au lieu", "Spent at the place")
                .get(self.settings.place.lang)
                .to_owned(),
            at => at.to_owned(),
        };
        // The form that is sent twice says the same.
        let key = format!("{} {}", me.id, self.visit.field("once"));
        let spending = Spending {
            person,
            amount,
            till: till.clone(),
            reason,
            key: Digest::of(key.as_bytes()).to_string(),
        };
        match self.order(Order::Spend(Box::new(spending))).await {
            Ok(Reply::Known(payment)) => Self::go(format!("till/{payment}")),
            Ok(Reply::Cannot(why)) => self.refused(&why),
            Ok(_) => Answer::NotReady,
            Err(answer) => answer,
        }
    }

    async fn gives_back(&self) -> Answer {
        let Some(payment) = id_of(self.visit.field("payment")) else {
            return Answer::Nothing;
        };
        match self.order(Order::GiveBack(payment)).await {
            Ok(Reply::Known(_)) => Self::go(format!("till/{payment}")),
            Ok(Reply::Cannot(why)) => self.refused(&why),
            Ok(_) => Answer::NotReady,
            Err(answer) => answer,
        }
    }

    /// A payment that was made.
    pub(super) async fn paid(&self, payment: &str) -> Answer {
        if let Some(answer) = self.not_serving() {
            return answer;
        }
        let (Some(payment), Some((till, _))) = (id_of(payment), self.host.till()) else {
            return Answer::Nothing;
        };
        let (till, view) = (till.clone(), self.view());
        let seen = self.read(move |engine| paid(engine, payment, &till, &view));
        match seen.await {
            Ok(Some(paid)) => self.counter(Counter::Paid(paid)),
            Ok(None) => Answer::Nothing,
            Err(answer) => answer,
        }
    }
}

fn paid(engine: &Engine, id: EntityId, till: &ConnectorName, view: &View) -> Option<Paid> {
    let known = engine.entity(id)?;
    let here = known.kind == EntityKind::Credit && known.text("till") == till.as_str();
    let amount = amount_of(&known);
    if !here || amount >= 0 {
        return None;
    }
    let person = known.text("person").parse().ok()?;
    let of_it = id.to_string();
    let undone = of(engine, person).any(|(_, credit)| credit.text("reverses") == of_it);
    let at = known.text("at").parse().ok()?;
    Some(Paid {
        id: of_it,
        name: called(engine, person, view.lang),
        amount: credits(amount.saturating_neg(), view.lang),
        balance: view.amount(balance(engine, person)),
        can_undo: !undone && view.now <= undo_until(at),
        undone,
    })
}

fn balance(engine: &Engine, person: EntityId) -> i64 {
    engine.book().holds(Account::Person(person))
}

fn amount_of(credit: &Entity) -> i64 {
    let amount = credit.fields.get("amount").and_then(Value::as_i64);
    amount.unwrap_or(0)
}

/// The credits of a person.
fn of(engine: &Engine, person: EntityId) -> impl Iterator<Item = (EntityId, Entity)> {
    let person = person.to_string();
    let all = engine.credits().into_iter();
    all.filter(move |(_, credit)| credit.text("person") == person)
}

fn called(engine: &Engine, person: EntityId, lang: Lang) -> String {
    let name = clean::set(&engine.name_of(person), 200, lang);
    if !name.is_empty() {
        return name;
    }
    let known = engine.entity(person);
    known.map_or_else(String::new, |known| clean::line(known.text("email"), 254))
}

/// The latest movements, newest first, and how many more there are.
fn movements(engine: &Engine, person: EntityId, view: &View) -> (Vec<Line>, usize) {
    let mut all: Vec<Entity> = of(engine, person).map(|(_, credit)| credit).collect();
    let number = |credit: &Entity| credit.fields.get("entry").and_then(Value::as_u64);
    all.sort_by_key(|credit| std::cmp::Reverse(number(credit)));
    let more = all.len().saturating_sub(LINES);
    let lines = all.into_iter().take(LINES).map(|credit| {
        let at = credit.text("at").parse().ok();
        let entered = at.map(|at: jiff::Timestamp| view.zone.to_datetime(at).date());
        let day = credit.text("day").parse().ok().or(entered);
        Line {
            day: day.map_or_else(String::new, |day| dates::day_year(view.lang, day)),
            reason: clean::set(credit.text("reason"), 300, view.lang),
            amount: view.amount(amount_of(&credit)),
        }
    });
    (lines.collect(), more)
}

/// The person whose card has this number.
fn holder(engine: &Engine, key: &Key, number: &str) -> Option<EntityId> {
    let people = engine.book().accounts();
    let mut people = people.filter_map(|(account, _)| match account {
        Account::Person(person) => Some(person),
        _ => None,
    });
    people.find(|&person| keys::plain(&key.card(person)) == number)
}

/// What was typed, in hundredths: `1`, `1,5`, `1.50`; nothing where it is no such number above zero.
fn hundredths(typed: &str) -> Option<i64> {
    let typed = typed.trim();
    let (whole, part) = typed.split_once([',', '.']).unwrap_or((typed, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && part.is_empty() || part.len() > 2 || whole.len() > 6 {
        return None;
    }
    if !digits(whole) || !digits(part) {
        return None;
    }
    let number: i64 = format!("{whole}{part:0<2}").parse().ok()?;
    (number > 0).then_some(number)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_type_them() {
        for (typed, expected) in [
            ("1", 100),
            ("1,5", 150),
            (" 1.50 ", 150),
            (",5", 50),
            ("0,05", 5),
            ("12", 1_200),
        ] {
            assert_eq!(hundredths(typed), Some(expected), "{typed}");
        }
        for typed in [
            "", "0", "-1", "1,555", "1e3", "un", "1 000", "9999999", ".", "٣",
        ] {
            assert_eq!(hundredths(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_card_is_known_by_its_number_and_by_its_code_and_cannot_be_made_up() {
        let key = Key::of(&[7; 32], &"lieu".parse().unwrap()).unwrap();
        let other = Key::of(&[8; 32], &"lieu".parse().unwrap()).unwrap();
        let ann = EntityId::derive(&[b"ann"]);
        let number = key.card(ann);
        assert_eq!(number.len(), 9);
        assert_eq!(
            keys::plain(&number.to_lowercase().replace('-', " ")),
            keys::plain(&number)
        );
        assert_ne!(number, other.card(ann));
        assert_eq!(key.read_card(&key.signed_card(ann)), Some(ann));
        assert_eq!(other.read_card(&key.signed_card(ann)), None);
        assert_eq!(key.read_card(&ann.to_string()), None);
    }
}
