//! The laws of the ledger: it balances, it stays below its ceilings, and what was changed shows.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use proptest::prelude::*;
use raccord_credits::{
    Account, Book, BookError, Due, DueKind, Entry, Fault, START, Work, content, next, verify,
};
use raccord_model::{Crediting, EntityId, Fields, PlaceId};
use serde_json::json;

fn id(name: &str, number: u64) -> EntityId {
    EntityId::derive(&[name.as_bytes(), &number.to_be_bytes()])
}

fn place() -> PlaceId {
    "lieu".parse().unwrap()
}

fn entry(number: u64, work: &Work, due: &Due) -> Entry {
    let (grant, reverses) = match due.kind {
        DueKind::Grant(grant) => (grant, None),
        DueKind::Reversal(of, grant) => (grant, Some(of)),
    };
    Entry {
        id: id("credit", number),
        number,
        person: work.person,
        amount: due.amount,
        day: due.day,
        subject: Some(work.subject),
        grant: Some(grant),
        reverses,
        spends: false,
    }
}

/// What is noted of somebody's work: whose, which, when, and what it earned by now.
fn notes() -> impl Strategy<Value = Vec<(u64, u64, i8, i64)>> {
    prop::collection::vec((0..3_u64, 0..4_u64, 1..40_i8, 0..400_i64), 1..60)
}

fn ceilings() -> impl Strategy<Value = Crediting> {
    let most = || prop::option::of(0..600_i64);
    (most(), most(), most()).prop_map(|(per_day, per_month, per_person)| Crediting {
        per_day,
        per_month: per_month.map(|most| most * 2),
        per_person: per_person.map(|most| most * 4),
        ..Crediting::default()
    })
}

fn day(offset: i8) -> Date {
    date(2027, 1, 1)
        .checked_add(jiff::Span::new().days(i64::from(offset)))
        .unwrap()
}

proptest! {
    /// Whatever is noted, corrected and noted again: the sums are zero, no ceiling is passed, what
    /// stands is what was earned unless a ceiling says less, and grants count up by one.
    #[test]
    fn the_book_balances_and_stays_below_its_ceilings(notes in notes(), rules in ceilings()) {
        let mut book = Book::default();
        let mut grants: BTreeMap<(EntityId, EntityId), u32> = BTreeMap::new();
        for (person, subject, offset, earned) in notes {
            let work = Work { person: id("person", person), subject: id("task", subject), day: day(offset) };
            let before = book.stands(work.person, work.subject);
            let (due, ceiling) = book.due(&rules, &work, earned);
            for due in &due {
                let next = entry(book.last() + 1, &work, due);
                book.post(&next).unwrap();
                prop_assert_eq!(book.sum(), 0);
                if let DueKind::Grant(number) = due.kind {
                    let last = grants.entry((work.person, work.subject)).or_default();
                    prop_assert_eq!(number, *last + 1, "a number is used once");
                    *last = number;
                    prop_assert!(due.amount > 0 && before < earned);
                } else {
                    prop_assert!(due.amount < 0 && before > earned);
                }
            }
            let stands = book.stands(work.person, work.subject);
            prop_assert!(stands == earned || ceiling.is_some() && stands < earned && stands >= before);
            // The same word again changes nothing.
            prop_assert!(book.due(&rules, &work, earned).0.is_empty());
            for person in (0..3).map(|person| id("person", person)) {
                let days: Vec<i64> = (1..40).map(|at| book.of_day(person, day(at))).collect();
                let months = [&days[..30], &days[30..]].map(|days| days.iter().sum::<i64>());
                let ever: i64 = days.iter().sum();
                prop_assert!(days.iter().all(|sum| *sum >= 0 && *sum <= rules.per_day.unwrap_or(i64::MAX)));
                prop_assert!(months.iter().all(|sum| *sum <= rules.per_month.unwrap_or(i64::MAX)));
                prop_assert!(ever <= rules.per_person.unwrap_or(i64::MAX));
                prop_assert_eq!(book.holds(Account::Person(person)), ever);
            }
        }
    }

    /// Taking back gives the room of a ceiling back, and the same work is granted again under the
    /// next number.
    #[test]
    fn what_is_taken_back_can_be_granted_again(earned in 1..300_i64, times in 1..6_u32) {
        let rules = Crediting { per_day: Some(300), ..Crediting::default() };
        let work = Work { person: id("person", 1), subject: id("task", 1), day: day(3) };
        let mut book = Book::default();
        for time in 1..=times {
            let (due, _) = book.due(&rules, &work, earned);
            prop_assert_eq!(due.len(), 1);
            prop_assert_eq!(due[0].kind, DueKind::Grant(time));
            prop_assert_eq!(due[0].amount, earned);
            book.post(&entry(book.last() + 1, &work, &due[0])).unwrap();
            let (due, _) = book.due(&rules, &work, 0);
            prop_assert_eq!(due[0].amount, -earned);
            book.post(&entry(book.last() + 1, &work, &due[0])).unwrap();
            prop_assert_eq!(book.holds(Account::Person(work.person)), 0);
            prop_assert_eq!(book.holds(Account::Issued), 0);
        }
    }

    /// Any entry that is changed, taken out or put elsewhere is told.
    #[test]
    fn what_was_changed_shows(many in 3..20_usize, at in any::<prop::sample::Index>(), other in any::<prop::sample::Index>()) {
        let whole = ledger(many);
        prop_assert_eq!(verify(&place(), shown(&whole)), []);
        let (at, other) = (at.index(many), other.index(many));
        let number = at as u64 + 1;

        let mut changed = whole.clone();
        changed[at].1.insert("amount".into(), json!(999));
        prop_assert_eq!(verify(&place(), shown(&changed)), [Fault::Changed(number)]);

        // Whoever chains it anew is betrayed by the next.
        let anew = next(before(&whole, at), &content(&place(), changed[at].0, &changed[at].1));
        changed[at].1.insert("chain".into(), json!(anew.to_string()));
        let told = verify(&place(), shown(&changed));
        prop_assert_eq!(told, if at + 1 == many { vec![] } else { vec![Fault::Changed(number + 1)] });

        if at + 1 < many {
            let mut gone = whole.clone();
            gone.remove(at);
            prop_assert_eq!(verify(&place(), shown(&gone)), [Fault::Missing(number), Fault::Changed(number + 1)]);
        }
        if at != other {
            let mut swapped = whole.clone();
            let (one, two) = (swapped[at].1["entry"].clone(), swapped[other].1["entry"].clone());
            swapped[at].1.insert("entry".into(), two);
            swapped[other].1.insert("entry".into(), one);
            let told = verify(&place(), shown(&swapped));
            prop_assert!(told.contains(&Fault::Changed(number)) && told.contains(&Fault::Changed(other as u64 + 1)));
        }
        let mut twice = whole.clone();
        let again = whole[other].1["entry"].clone();
        if at != other {
            twice[at].1.insert("entry".into(), again);
            prop_assert!(verify(&place(), shown(&twice)).contains(&Fault::Twice(other as u64 + 1)));
        }
    }
}

fn before(whole: &[(EntityId, Fields)], at: usize) -> raccord_credits::Chain {
    at.checked_sub(1).map_or(START, |at| {
        whole[at].1["chain"].as_str().unwrap().parse().unwrap()
    })
}

fn shown(all: &[(EntityId, Fields)]) -> impl Iterator<Item = (EntityId, &Fields)> {
    all.iter().map(|(id, fields)| (*id, fields))
}

fn ledger(many: usize) -> Vec<(EntityId, Fields)> {
    let mut head = START;
    (1..=many as u64)
        .map(|number| {
            let id = id("credit", number);
            let mut fields = Fields::from([
                ("person".to_owned(), json!(self::id("person", number % 3))),
                ("amount".to_owned(), json!(100 + number)),
                ("reason".to_owned(), json!("Bar")),
                ("entry".to_owned(), json!(number)),
                ("email".to_owned(), json!({ "$slot": number.to_string() })),
            ]);
            head = next(head, &content(&place(), id, &fields));
            fields.insert("chain".into(), json!(head.to_string()));
            (id, fields)
        })
        .collect()
}

#[test]
fn what_is_forgotten_leaves_the_chain_whole() {
    let mut all = ledger(3);
    all[1].1.remove("email");
    assert_eq!(verify(&place(), shown(&all)), []);
}

#[test]
fn spending_moves_what_was_earned_and_gives_no_room_back() {
    let rules = Crediting {
        per_person: Some(100),
        ..Crediting::default()
    };
    let work = Work {
        person: id("person", 1),
        subject: id("task", 1),
        day: day(1),
    };
    let mut book = Book::default();
    let (due, _) = book.due(&rules, &work, 100);
    book.post(&entry(1, &work, &due[0])).unwrap();
    let spent = Entry {
        id: id("credit", 2),
        number: 2,
        person: work.person,
        amount: -60,
        day: None,
        subject: None,
        grant: None,
        reverses: None,
        spends: true,
    };
    book.post(&spent).unwrap();
    assert_eq!(book.holds(Account::Person(work.person)), 40);
    assert_eq!(book.holds(Account::Spent), 60);
    assert_eq!(book.holds(Account::Issued), -100);
    assert_eq!(book.sum(), 0);
    let more = Work {
        subject: id("task", 2),
        ..work
    };
    assert!(book.due(&rules, &more, 50).0.is_empty());
    assert_eq!(
        book.post(&spent),
        Err(BookError::OutOfOrder { found: 2, last: 2 })
    );
    // What was paid by mistake is given back: nobody earned anything by it.
    let back = Entry {
        id: id("credit", 3),
        number: 3,
        amount: 60,
        reverses: Some(spent.id),
        ..spent
    };
    book.post(&back).unwrap();
    assert_eq!(book.holds(Account::Person(work.person)), 100);
    assert_eq!(book.holds(Account::Spent), 0);
    assert_eq!(book.stands(work.person, work.subject), 100);
    assert!(book.due(&rules, &more, 50).0.is_empty());
}

#[test]
fn no_sum_ever_wraps_around() {
    let mut book = Book::default();
    let much = |number, amount| Entry {
        id: id("credit", number),
        number,
        person: id("person", 1),
        amount,
        day: None,
        subject: None,
        grant: None,
        reverses: None,
        spends: false,
    };
    book.post(&much(1, i64::MAX)).unwrap();
    assert_eq!(book.post(&much(2, 1)), Err(BookError::TooMuch));
    assert_eq!(book.post(&much(2, i64::MIN)), Err(BookError::TooMuch));
    assert_eq!((book.sum(), book.last()), (0, 1));
}
