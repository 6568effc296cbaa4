//! `ledger`: credits and balances, in hundredths.

use std::fmt;

use jiff::{Timestamp, civil::Date};
use raccord_model::EntityId;
use serde::{Deserialize, Serialize};

use super::{MANY, Shape, and_more};
use crate::locale::{View, shown};
use crate::report::{BOLD, DIM, Exit, GREEN, RED};

/// Credits and balances.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LedgerShape {
    /// What each person has.
    pub balances: Vec<BalanceShape>,
    /// The credits, oldest first.
    pub entries: Vec<EntryShape>,
    /// What the place issued and what was spent; with what people have they are zero together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<AccountsShape>,
    /// The sums of each month, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub months: Vec<MonthShape>,
    /// Where credits can be spent, by the name of the connector.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spend_at: Vec<String>,
    /// What is wrong with the ledger itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<LedgerFaultShape>,
}

/// The place's side of the ledger, in hundredths.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AccountsShape {
    /// What was issued, below zero.
    pub issued: i64,
    /// What was spent.
    pub spent: i64,
    /// What people have.
    pub held: i64,
}

/// The sums of a month, in hundredths.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MonthShape {
    /// Which one: `2027-01`.
    pub month: String,
    /// What was given.
    pub granted: i64,
    /// What was taken back, below zero.
    pub reversed: i64,
    /// What was spent, below zero.
    pub spent: i64,
    /// How many entries it has.
    pub entries: usize,
    /// Its fingerprint, once it is over: every receipt of the month leads to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
}

/// Something that is wrong with the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerFaultShape {
    /// `missing`, `twice`, `changed`, `unreadable` or `unbalanced`.
    pub code: String,
    /// The entry's number, or the credit's id.
    pub entry: String,
}

/// What one person has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BalanceShape {
    /// The person.
    pub person: EntityId,
    /// What people call them, where this may be shown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Their address, where they were asked for alone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// Hundredths.
    pub amount: i64,
}

/// One credit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntryShape {
    /// The credit.
    pub id: EntityId,
    /// The person.
    pub person: EntityId,
    /// Hundredths; below zero where it was taken back.
    pub amount: i64,
    /// What it is for.
    pub reason: String,
    /// The entity or event that caused it.
    pub cause: String,
    /// Where it stands: `granted`, `reversed`, or, on its way to a tool, `pending`, `held`, `dead`.
    pub state: String,
    /// Its number in the ledger; 0 for one from before there were numbers.
    #[serde(default)]
    pub number: u64,
    /// When it was entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The day of the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Date>,
    /// What people call the person.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

impl Shape for LedgerShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        self.faults(view, out)?;
        if self.balances.is_empty() && self.entries.is_empty() {
            let none = view.say(
                "Aucun crédit n'a encore été donné.",
                "No credit has been given yet.",
            );
            return writeln!(out, "{none}");
        }
        let title = view.say("Soldes :", "Balances:");
        writeln!(out, "{BOLD}{title}{BOLD:#}")?;
        for balance in self.balances.iter().take(MANY) {
            let name = if balance.name.is_empty() {
                balance.person.to_string()
            } else {
                shown(&balance.name)
            };
            write!(out, "  {:>10}  {name}", view.amount(balance.amount))?;
            if !balance.email.is_empty() {
                write!(out, " {DIM}({}){DIM:#}", shown(&balance.email))?;
            }
            writeln!(out)?;
        }
        and_more(self.balances.len().saturating_sub(MANY), view, out)?;
        let title = view.say("Mouvements :", "Movements:");
        writeln!(out, "\n{BOLD}{title}{BOLD:#}")?;
        for entry in self.entries.iter().take(MANY) {
            let (amount, reason) = (view.amount(entry.amount), shown(&entry.reason));
            let state = state(view, &entry.state);
            writeln!(
                out,
                "  {amount:>10}  {reason} {DIM}({state}, {}){DIM:#}",
                entry.id
            )?;
        }
        and_more(self.entries.len().saturating_sub(MANY), view, out)?;
        self.sums(view, out)
    }

    fn exit(&self) -> Exit {
        if self.faults.is_empty() {
            Exit::Done
        } else {
            Exit::Failed
        }
    }
}

impl LedgerShape {
    /// The treasurer's part: the place's accounts, and each month.
    fn sums(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        if let Some(accounts) = &self.accounts {
            let title = view.say("Comptes du lieu :", "The place's accounts:");
            writeln!(out, "\n{BOLD}{title}{BOLD:#}")?;
            for (amount, fr, en) in [
                (accounts.issued, "émis", "issued"),
                (accounts.spent, "dépensés", "spent"),
                (accounts.held, "chez les gens", "with people"),
            ] {
                writeln!(out, "  {:>10}  {}", view.amount(amount), view.say(fr, en))?;
            }
        }
        if !self.months.is_empty() {
            let title = view.say("Par mois :", "By month:");
            writeln!(out, "\n{BOLD}{title}{BOLD:#}")?;
        }
        for month in &self.months {
            let (granted, reversed, spent) = (
                view.amount(month.granted),
                view.amount(month.reversed),
                view.amount(month.spent),
            );
            let line = match view.lang {
                raccord_model::Lang::Fr => {
                    format!("donnés {granted}, repris {reversed}, dépensés {spent}")
                }
                raccord_model::Lang::En => {
                    format!("given {granted}, taken back {reversed}, spent {spent}")
                }
            };
            write!(out, "  {}  {line}", month.month)?;
            if let Some(root) = &month.root {
                let mark = view.say("empreinte", "fingerprint");
                write!(out, " {DIM}({mark} {root}){DIM:#}")?;
            }
            writeln!(out)?;
        }
        if !self.spend_at.is_empty() {
            let title = view.say(
                "Les crédits se dépensent avec :",
                "Credits can be spent with:",
            );
            let tools: Vec<String> = self.spend_at.iter().map(|name| shown(name)).collect();
            writeln!(out, "\n{title} {}", tools.join(", "))?;
        }
        Ok(())
    }

    fn faults(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        for fault in &self.faults {
            let (fr, en) = match fault.code.as_str() {
                "missing" => ("il manque le mouvement", "a movement is missing:"),
                "twice" => (
                    "ce numéro est pris deux fois :",
                    "this number is taken twice:",
                ),
                "changed" => ("ce mouvement a été changé :", "this movement was changed:"),
                "unbalanced" => (
                    "les sommes ne tombent plus juste à",
                    "the sums are wrong from",
                ),
                _ => ("ce crédit ne se lit pas :", "this credit cannot be read:"),
            };
            let text = view.say(fr, en);
            writeln!(out, "{RED}{text} {}{RED:#}", shown(&fault.entry))?;
        }
        Ok(())
    }
}

fn state(view: &View, state: &str) -> String {
    let (fr, en) = match state {
        "granted" => ("donné", "given"),
        "reversed" => ("repris", "taken back"),
        "pending" => ("en route", "on its way"),
        "held" => ("attend un oui", "waits for a yes"),
        "dead" => ("abandonné", "given up"),
        other => return shown(other),
    };
    view.say(fr, en).to_owned()
}

/// Whether the ledger is whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LedgerCheckShape {
    /// How many entries were checked.
    pub entries: usize,
    /// What is wrong.
    pub faults: Vec<LedgerFaultShape>,
}

impl LedgerCheckShape {
    /// What is known of a ledger.
    pub fn of(ledger: &LedgerShape) -> Self {
        Self {
            entries: ledger.entries.len(),
            faults: ledger.faults.clone(),
        }
    }
}

impl Shape for LedgerCheckShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        if self.faults.is_empty() {
            let whole = view.say(
                "Le registre est entier, mouvements vérifiés :",
                "The ledger is whole, movements checked:",
            );
            return writeln!(out, "{GREEN}{whole} {}{GREEN:#}", self.entries);
        }
        let ledger = LedgerShape {
            faults: self.faults.clone(),
            ..LedgerShape::default()
        };
        ledger.faults(view, out)
    }

    fn exit(&self) -> Exit {
        if self.faults.is_empty() {
            Exit::Done
        } else {
            Exit::Failed
        }
    }
}

/// Receipts were written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReceiptsShape {
    /// How many.
    pub receipts: usize,
    /// Where.
    pub folder: String,
}

impl Shape for ReceiptsShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        let said = view.say("Reçus écrits :", "Receipts written:");
        writeln!(out, "{said} {}", self.receipts)?;
        writeln!(out, "  {}/receipts.html", shown(&self.folder))?;
        let keep = view.say(
            "la page à garder, qui les vérifie sans réseau",
            "the page to keep, which checks them without a network",
        );
        writeln!(out, "  {}/verify.html : {keep}", shown(&self.folder))
    }
}

/// What each tool holds, compared with what it was sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CompareShape(pub Vec<ComparedShape>);

/// One tool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ComparedShape {
    /// Its name.
    pub connector: String,
    /// How many credits were sent there.
    pub sent: usize,
    /// What differs.
    pub drift: Vec<String>,
    /// Why it could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

impl Shape for CompareShape {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        if self.0.is_empty() {
            let none = view.say(
                "Aucun outil ne peut être comparé.",
                "No tool can be compared.",
            );
            return writeln!(out, "{none}");
        }
        for tool in &self.0 {
            let name = shown(&tool.connector);
            if let Some(failure) = &tool.failure {
                writeln!(out, "{RED}{name} : {}{RED:#}", shown(failure))?;
            } else if tool.drift.is_empty() {
                let good = view.say("contient ce qui a été envoyé", "holds what was sent");
                writeln!(out, "{GREEN}{name} : {good} ({}){GREEN:#}", tool.sent)?;
            } else {
                let bad = view.say(
                    "ne contient pas ce qui a été envoyé",
                    "does not hold what was sent",
                );
                writeln!(out, "{RED}{name} : {bad}{RED:#}")?;
            }
            for drift in tool.drift.iter().take(MANY) {
                writeln!(out, "  {}", shown(drift))?;
            }
            and_more(tool.drift.len().saturating_sub(MANY), view, out)?;
        }
        Ok(())
    }

    fn exit(&self) -> Exit {
        if self.0.iter().any(|tool| tool.failure.is_some()) {
            Exit::Failed
        } else if self.0.iter().any(|tool| !tool.drift.is_empty()) {
            Exit::Attention
        } else {
            Exit::Done
        }
    }
}
