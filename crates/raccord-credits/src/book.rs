//! The book: every account and what stands in it, made of the entries in their order. Each entry
//! moves an amount from one account to another, so that all accounts together are zero at any time.

use std::collections::BTreeMap;

use jiff::civil::Date;
use raccord_model::{Crediting, EntityId, Fields};
use serde_json::Value;

use crate::chain::{Chain, START};
use crate::rules::Ceiling;

/// An account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// What the place issued; below zero by what is out.
    Issued,
    /// What was spent.
    Spent,
    /// What a person has.
    Person(EntityId),
}

/// What one entry puts into one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// The account.
    pub account: Account,
    /// Hundredths.
    pub amount: i64,
}

/// One entry of the ledger: a credit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The credit.
    pub id: EntityId,
    /// Its number, from 1.
    pub number: u64,
    /// Whose account.
    pub person: EntityId,
    /// Hundredths, never zero.
    pub amount: i64,
    /// The day of the work.
    pub day: Option<Date>,
    /// The task, else the activity, it is for.
    pub subject: Option<EntityId>,
    /// Which grant for this person and subject it is, or takes back, from 1.
    pub grant: Option<u32>,
    /// The entry it takes back.
    pub reverses: Option<EntityId>,
    /// It was spent, or what was spent was given back: nothing of it was earned.
    pub spends: bool,
}

impl Entry {
    /// The entry that a credit with these fields is; nothing where it has no number yet, or no
    /// person or amount.
    pub fn read(id: EntityId, fields: &Fields) -> Option<Self> {
        Some(Self {
            number: fields.get("entry")?.as_u64()?,
            ..Self::unnumbered(id, fields)?
        })
    }

    /// The same before it has a number: number 0.
    pub fn unnumbered(id: EntityId, fields: &Fields) -> Option<Self> {
        let name = |field: &str| fields.get(field)?.as_str()?.parse().ok();
        let amount = fields.get("amount")?.as_i64()?;
        let day = fields.get("day").and_then(Value::as_str);
        let grant = fields.get("grant").and_then(Value::as_u64);
        let reverses = name("reverses");
        Some(Self {
            id,
            number: 0,
            person: name("person")?,
            amount: (amount != 0).then_some(amount)?,
            day: day.and_then(|day| day.parse().ok()),
            subject: name("task").or_else(|| name("activity")),
            grant: grant.and_then(|grant| u32::try_from(grant).ok()),
            reverses,
            spends: fields.contains_key("till") || amount < 0 && reverses.is_none(),
        })
    }

    /// What it puts where: two amounts that are zero together.
    pub fn postings(&self) -> Option<[Posting; 2]> {
        let against = if self.spends {
            Account::Spent
        } else {
            Account::Issued
        };
        Some([
            Posting {
                account: Account::Person(self.person),
                amount: self.amount,
            },
            Posting {
                account: against,
                amount: self.amount.checked_neg()?,
            },
        ])
    }
}

/// Why an entry cannot be booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// A sum would be more than can be counted.
    #[error("an account would hold more than can be counted")]
    TooMuch,
    /// It is not the next entry.
    #[error("entry {found} does not follow entry {last}")]
    OutOfOrder {
        /// Its number.
        found: u64,
        /// The number of the last entry.
        last: u64,
    },
}

/// All accounts.
#[derive(Clone, Debug)]
pub struct Book {
    last: u64,
    head: Chain,
    accounts: BTreeMap<Account, i64>,
    people: BTreeMap<EntityId, Earnings>,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            last: 0,
            head: START,
            accounts: BTreeMap::new(),
            people: BTreeMap::new(),
        }
    }
}

/// What a person earned.
#[derive(Clone, Debug, Default)]
struct Earnings {
    days: BTreeMap<Date, i64>,
    undated: i64,
    works: BTreeMap<EntityId, Vec<Grant>>,
}

/// A grant, and what is left of it.
#[derive(Clone, Debug)]
struct Grant {
    id: EntityId,
    number: u32,
    day: Option<Date>,
    left: i64,
}

/// Work that somebody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Who.
    pub person: EntityId,
    /// The task, else the activity.
    pub subject: EntityId,
    /// When.
    pub day: Date,
}

/// An entry that must be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// What it is.
    pub kind: DueKind,
    /// Hundredths: above zero for a grant, below for a reversal.
    pub amount: i64,
    /// The day of the work.
    pub day: Option<Date>,
}

/// What an entry that must be made is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueKind {
    /// A grant of this number.
    Grant(u32),
    /// It takes back this entry, the grant of this number.
    Reversal(EntityId, u32),
}

impl Book {
    /// Books the next entry. Nothing is changed where that fails.
    ///
    /// # Errors
    /// When it is not the next one, or a sum would overflow.
    pub fn post(&mut self, entry: &Entry) -> Result<(), BookError> {
        if entry.number <= self.last {
            return Err(BookError::OutOfOrder {
                found: entry.number,
                last: self.last,
            });
        }
        let postings = entry.postings().ok_or(BookError::TooMuch)?;
        let mut sums = [0; 2];
        for (sum, posting) in sums.iter_mut().zip(postings) {
            let held = self.holds(posting.account);
            *sum = held.checked_add(posting.amount).ok_or(BookError::TooMuch)?;
        }
        for (sum, posting) in sums.into_iter().zip(postings) {
            self.accounts.insert(posting.account, sum);
        }
        self.last = entry.number;
        self.earn(entry);
        Ok(())
    }

    /// What was earned changes with grants and what is taken back of them, not with what is spent.
    fn earn(&mut self, entry: &Entry) {
        if entry.spends {
            return;
        }
        let earnings = self.people.entry(entry.person).or_default();
        let sum = match entry.day {
            Some(day) => earnings.days.entry(day).or_default(),
            None => &mut earnings.undated,
        };
        *sum = sum.saturating_add(entry.amount);
        let (Some(subject), Some(number)) = (entry.subject, entry.grant) else {
            return;
        };
        let grants = earnings.works.entry(subject).or_default();
        match grants.iter_mut().find(|grant| grant.number == number) {
            Some(grant) if entry.reverses.is_some() => {
                grant.left = grant.left.saturating_add(entry.amount);
            }
            _ => grants.push(Grant {
                id: entry.id,
                number,
                day: entry.day,
                left: entry.amount,
            }),
        }
    }

    /// The chain value of the last entry.
    pub fn head(&self) -> Chain {
        self.head
    }

    /// From now on the next entry is chained to this.
    pub fn chained(&mut self, head: Chain) {
        self.head = head;
    }

    /// The number of the last entry; 0 where there is none.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// What stands in an account.
    pub fn holds(&self, account: Account) -> i64 {
        self.accounts.get(&account).copied().unwrap_or(0)
    }

    /// Every account that was ever used.
    pub fn accounts(&self) -> impl Iterator<Item = (Account, i64)> + '_ {
        self.accounts.iter().map(|(&account, &sum)| (account, sum))
    }

    /// What all accounts hold together: zero.
    pub fn sum(&self) -> i128 {
        self.accounts.values().map(|&sum| i128::from(sum)).sum()
    }

    /// What stands for this work, after what was taken back.
    pub fn stands(&self, person: EntityId, subject: EntityId) -> i64 {
        let earnings = self.people.get(&person);
        let grants = earnings.and_then(|earnings| earnings.works.get(&subject));
        let left = grants.into_iter().flatten().map(|grant| grant.left);
        left.fold(0, i64::saturating_add)
    }

    /// What a person was granted for the work of one day, after what was taken back.
    pub fn of_day(&self, person: EntityId, day: Date) -> i64 {
        let earnings = self.people.get(&person);
        let sum = earnings.and_then(|earnings| earnings.days.get(&day));
        sum.copied().unwrap_or(0)
    }

    /// How much more a person can be granted for the work of a day, and what keeps it there.
    fn room(&self, rules: &Crediting, work: &Work) -> (i64, Option<Ceiling>) {
        let nothing = Earnings::default();
        let earnings = self.people.get(&work.person).unwrap_or(&nothing);
        let first = work.day.first_of_month();
        let month = earnings.days.range(first..=work.day.last_of_month());
        let total = |sums: &mut dyn Iterator<Item = i64>| sums.fold(0, i64::saturating_add);
        let month = total(&mut month.map(|(_, &sum)| sum));
        let ever = total(&mut earnings.days.values().copied()).saturating_add(earnings.undated);
        let day = self.of_day(work.person, work.day);
        [
            (rules.per_day, day, Ceiling::Day),
            (rules.per_month, month, Ceiling::Month),
            (rules.per_person, ever, Ceiling::Person),
        ]
        .into_iter()
        .filter_map(|(most, has, ceiling)| Some((most?.saturating_sub(has).max(0), Some(ceiling))))
        .min_by_key(|(room, _)| *room)
        .unwrap_or((i64::MAX, None))
    }

    /// The entries that bring what stands for `work` to `earned`: one grant, or what takes back the
    /// latest grants. Nothing where it stands so, or a ceiling is reached; that is told beside it.
    pub fn due(&self, rules: &Crediting, work: &Work, earned: i64) -> (Vec<Due>, Option<Ceiling>) {
        let stands = self.stands(work.person, work.subject);
        let missing = earned.max(0).saturating_sub(stands);
        if missing > 0 {
            let (room, ceiling) = self.room(rules, work);
            let amount = missing.min(room);
            let ceiling = ceiling.filter(|_| amount < missing);
            let due = (amount > 0).then(|| Due {
                kind: DueKind::Grant(self.grants(work.person, work.subject) + 1),
                amount,
                day: Some(work.day),
            });
            return (due.into_iter().collect(), ceiling);
        }
        let earnings = self.people.get(&work.person);
        let grants = earnings.and_then(|earnings| earnings.works.get(&work.subject));
        let mut too_much = missing.saturating_neg();
        let mut due = Vec::new();
        for grant in grants.into_iter().flatten().rev() {
            let amount = grant.left.min(too_much);
            if amount > 0 {
                too_much -= amount;
                due.push(Due {
                    kind: DueKind::Reversal(grant.id, grant.number),
                    amount: -amount,
                    day: grant.day,
                });
            }
        }
        (due, None)
    }

    /// The number of the last grant for this work.
    fn grants(&self, person: EntityId, subject: EntityId) -> u32 {
        let earnings = self.people.get(&person);
        let grants = earnings.and_then(|earnings| earnings.works.get(&subject));
        let numbers = grants.into_iter().flatten().map(|grant| grant.number);
        numbers.max().unwrap_or(0)
    }
}
