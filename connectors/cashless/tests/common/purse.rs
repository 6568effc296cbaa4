//! The refills of Lespass and what Fedow keeps of them, as far as a sender of credits meets them:
//! the order of checks, what a key makes of a repeat, and the two holes. Pure: no network, no clock.

use std::collections::{BTreeMap, BTreeSet};

use raccord_kit::standin::{Play, Reply, Seen};
use serde_json::{Value, json};

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing.
    None,
    /// The place is not connected to Fedow.
    NoFedow,
    /// Fedow refuses, or is locked by another writer.
    FailsBefore,
    /// Fedow credits, and what follows fails: hole 1.
    FailsAfter,
    /// The server dies before Fedow credited: hole 2.
    DiesBefore,
    /// The server dies after Fedow credited: hole 2.
    DiesAfter,
    /// All goes well, and nobody hears the answer.
    Unheard,
}

/// An answer; none where nothing comes back.
pub(crate) type Answer = Option<(u16, Value)>;

/// What of its behaviour a test may take away, to prove that somebody would notice.
pub(crate) const QUIRKS: [&str; 7] = [
    "a-key-is-remembered",
    "failed-may-be-credited",
    "begun-for-ever",
    "mail-at-every-call",
    "refusals-are-403",
    "ten-thousand-at-most",
    "a-scan-is-paid",
];

#[derive(Clone, Debug)]
struct Line {
    email: String,
    amount: i64,
    status: char,
    transaction: usize,
}

/// One credit of Fedow.
#[derive(Clone, Debug)]
pub(crate) struct Credited {
    /// The key it was made for; none where a person did it.
    pub(crate) key: Option<String>,
    /// Whose wallet.
    pub(crate) email: String,
    /// Hundredths.
    pub(crate) amount: i64,
}

/// A place's Lespass and its Fedow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Purse {
    lines: BTreeMap<String, Line>,
    /// Everything Fedow credited.
    pub(crate) credited: Vec<Credited>,
    /// Whom it wrote to, because they did not validate their address.
    pub(crate) mails: Vec<String>,
    /// Who did.
    pub(crate) validated: BTreeSet<String>,
    /// What people spent at the till: who, how much, when.
    pub(crate) spent: Vec<(&'static str, i64, &'static str)>,
    /// Whose tickets were scanned and when, for a price that rewards that.
    pub(crate) scanned: Vec<(&'static str, &'static str)>,
    /// The key that replaced the first one.
    pub(crate) fresh: Option<&'static str>,
    /// Quirks that are taken away.
    pub(crate) without: BTreeSet<&'static str>,
}

pub(crate) const ASSET: &str = "7f5be2a8-6a0e-4f0c-8f53-2f6f0a8f2d11";
/// The wallet of the place.
const PLACE: &str = "00000000-0000-4000-8000-000000000001";
pub(crate) const SECRET: &str = "abcd.canary-secret";

impl Purse {
    fn has(&self, quirk: &'static str) -> bool {
        assert!(QUIRKS.contains(&quirk));
        !self.without.contains(quirk)
    }

    /// `POST /api/v2/wallet-refills/`, in the order of the server's checks.
    pub(crate) fn refill(
        &mut self,
        secret: &str,
        key: &str,
        body: &Value,
        trouble: Trouble,
    ) -> Answer {
        let said = |status: u16, detail: &str| Some((status, json!({ "detail": detail })));
        if secret != self.fresh.unwrap_or(SECRET) {
            let status = if self.has("refusals-are-403") {
                403
            } else {
                401
            };
            return said(status, "Informations d'authentification non fournies.");
        }
        let (Some(email), Some(asset), Some(amount)) = (
            body["email"].as_str(),
            body["asset"].as_str(),
            body["amount"].as_i64(),
        ) else {
            return Some((400, json!({ "email": ["Ce champ est obligatoire."] })));
        };
        if asset != ASSET {
            return said(404, "Monnaie inconnue.");
        }
        if amount > 10_000 && self.has("ten-thousand-at-most") {
            return said(422, "Montant trop élevé.");
        }
        if key.trim().is_empty() {
            return said(400, "L'en-tête Idempotency-Key est obligatoire.");
        }
        let email = email.to_lowercase();
        if !self.validated.contains(&email) && self.has("mail-at-every-call") {
            self.mails.push(email.clone());
        }
        if trouble == Trouble::NoFedow {
            return said(503, "Ce lieu n'est pas connecté à Fedow.");
        }
        match self.lines.get(key) {
            Some(line) if line.email != email || line.amount != amount => {
                return said(409, "Cette clé a déjà servi avec d'autres paramètres.");
            }
            Some(line) if line.status == 'V' && self.has("a-key-is-remembered") => {
                let answer = (208, self.transfer(line.transaction));
                return (trouble != Trouble::Unheard).then_some(answer);
            }
            Some(line) if line.status == 'C' && self.has("begun-for-ever") => {
                return said(409, "Cette recharge est en cours.");
            }
            _ => {}
        }
        self.lines.insert(
            key.to_owned(),
            Line {
                email: email.clone(),
                amount,
                status: 'C',
                transaction: 0,
            },
        );
        match trouble {
            Trouble::FailsBefore => {
                self.line(key).status = 'F';
                return said(502, "Erreur Fedow.");
            }
            Trouble::FailsAfter => {
                if self.has("failed-may-be-credited") {
                    self.credit(Some(key), &email, amount);
                }
                self.line(key).status = 'F';
                return said(502, "Erreur Fedow.");
            }
            Trouble::DiesBefore => return None,
            _ => {}
        }
        let transaction = self.credit(Some(key), &email, amount);
        if trouble == Trouble::DiesAfter {
            return None;
        }
        let line = self.line(key);
        (line.status, line.transaction) = ('V', transaction);
        let answer = (201, self.transfer(transaction));
        (trouble != Trouble::Unheard).then_some(answer)
    }

    /// What both servers answer behind one address; `trouble` meets a call that credits.
    pub(crate) fn answer(&mut self, seen: &Seen, trouble: impl FnOnce() -> Trouble) -> Play {
        let json =
            |value: Value| Reply::ok(value.to_string()).header("content-type", "application/json");
        match (seen.method.as_str(), seen.path.as_str()) {
            ("POST", "/api/v2/wallet-refills/") => {
                let secret = seen.header("authorization").trim_start_matches("Api-Key ");
                let body = serde_json::from_slice(&seen.body).unwrap_or_default();
                match self.refill(secret, seen.header("idempotency-key"), &body, trouble()) {
                    None => Play::DoneThenReset,
                    Some((status, body)) => {
                        Play::Answer(Reply::status(status).body(body.to_string()))
                    }
                }
            }
            (_, "/api/v2/wallet-refills/") => Reply::status(405).into(),
            ("GET", "/transaction/") => json(self.transactions()).into(),
            ("GET", "/asset/get_accepted_assets/") => json(json!([
                { "uuid": ASSET, "name": "Temps", "category": "TIM" },
                { "uuid": "other", "name": "Euro", "category": "FED" },
            ]))
            .into(),
            _ => Reply::status(404).into(),
        }
    }

    fn line(&mut self, key: &str) -> &mut Line {
        self.lines.get_mut(key).expect("it was just written")
    }

    /// Credits a wallet; by a person where there is no key, who may also take away.
    pub(crate) fn credit(&mut self, key: Option<&str>, email: &str, amount: i64) -> usize {
        self.credited.push(Credited {
            key: key.map(str::to_owned),
            email: email.to_owned(),
            amount,
        });
        self.credited.len() - 1
    }

    fn transfer(&self, transaction: usize) -> Value {
        let made = &self.credited[transaction];
        json!({
            "@context": "https://schema.org", "@type": "MoneyTransfer",
            "identifier": format!("tx-{transaction}"), "amount": made.amount, "asset": ASSET,
            "recipient": { "@type": "Person", "email": made.email },
        })
    }

    /// `GET /transaction/` of Fedow: everything, unpaginated.
    pub(crate) fn transactions(&self) -> Value {
        let all = self.credited.iter().enumerate();
        let all = all.flat_map(|(number, made)| {
            let metadata = match &made.key {
                Some(key) => json!({ "idempotency_key": key, "rewarded_from_ticket_scanned": true, "reason": "refill" }),
                None => Value::Null,
            };
            let row = |uuid: String, action: &str, receiver: &str| json!({ "uuid": uuid, "action": action, "amount": made.amount, "asset": ASSET, "sender": PLACE, "receiver": receiver, "metadata": metadata });
            // Money is made at the place, and goes from there.
            [row(format!("cre-{number}"), "CRE", PLACE), row(format!("tx-{number}"), "REF", &wallet(&made.email))]
        });
        let scanned = self.scanned.iter().filter(|_| self.has("a-scan-is-paid"));
        let rewards = scanned.map(|(email, at)| {
            json!({
                "uuid": format!("scan-{email}"), "action": "REF", "amount": 100, "asset": ASSET,
                "sender": PLACE, "receiver": wallet(email), "datetime": at,
                "metadata": { "rewarded_from_ticket_scanned": { "sent_at": at } },
            })
        });
        let sales = self.spent.iter().map(|(email, amount, at)| {
            json!({
                "uuid": format!("sale-{email}-{at}"), "action": "SAL", "amount": amount, "asset": ASSET,
                "sender": wallet(email), "receiver": PLACE, "datetime": at, "metadata": null,
            })
        });
        all.chain(rewards).chain(sales).collect()
    }

    /// What a wallet holds.
    pub(crate) fn balance(&self, email: &str) -> i64 {
        let theirs = self.credited.iter().filter(|made| made.email == email);
        theirs.map(|made| made.amount).sum()
    }

    /// How often a key was credited.
    pub(crate) fn times(&self, key: &str) -> usize {
        let all = self.credited.iter();
        all.filter(|made| made.key.as_deref() == Some(key)).count()
    }
}

/// What Fedow calls somebody's wallet: it says no address.
fn wallet(email: &str) -> String {
    let sum = email
        .bytes()
        .fold(7_u64, |sum, byte| sum * 31 % 1_000_003 + u64::from(byte));
    format!("00000000-0000-4000-8000-{sum:012}")
}
