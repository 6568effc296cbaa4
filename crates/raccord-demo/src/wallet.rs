//! The wallets of a place: refills as Lespass takes them (`POST /api/v2/wallet-refills/`) and the
//! transactions that Fedow keeps of them, behind one address.
//!
//! A key is credited once, and remembers with what it came. It knows one asset, no till, and no way to
//! take credits back, as Lespass has none.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Value, json};

use crate::wire::{Answer, Asked, empty, header_of, json as reply, method_of, shows};

/// The asset that is credited: time, which has no price.
pub const ASSET: &str = "7f5be2a8-6a0e-4f0c-8f53-2f6f0a8f2d11";
/// The most hundredths of one refill.
const MOST: i64 = 10_000;

/// The server.
#[derive(Debug)]
pub struct Wallet {
    credentials: String,
    theirs: String,
    /// In the order they came.
    credited: Vec<Credited>,
    /// The transaction of each key.
    keys: BTreeMap<String, usize>,
    calls: usize,
}

/// One credit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credited {
    /// The key it came with.
    pub key: String,
    /// Whose card.
    pub email: String,
    /// Hundredths.
    pub amount: i64,
}

impl Wallet {
    /// A server for whoever shows these keys: of Lespass, for refills; of Fedow, to read.
    pub fn new(key: &str, fedow_key: &str) -> Self {
        Self {
            credentials: format!("Api-Key {key}"),
            theirs: format!("Api-Key {fedow_key}"),
            credited: Vec::new(),
            keys: BTreeMap::new(),
            calls: 0,
        }
    }

    /// Every credit, oldest first.
    pub fn credited(&self) -> &[Credited] {
        &self.credited
    }

    /// How many refills were asked for, repeats among them.
    pub fn calls(&self) -> usize {
        self.calls
    }

    /// What each card holds, in hundredths.
    pub fn balances(&self) -> BTreeMap<&str, i64> {
        let mut all = BTreeMap::new();
        for credited in &self.credited {
            *all.entry(credited.email.as_str()).or_default() += credited.amount;
        }
        all
    }

    /// The tool's own id of a credit.
    pub fn id_of(number: usize) -> String {
        format!("tx-{number}")
    }

    /// What is answered.
    pub fn answer(&mut self, asked: &Asked) -> Answer {
        match (method_of(asked), asked.uri().path()) {
            ("GET", "/transaction/") if shows(asked, &self.theirs) => {
                reply(StatusCode::OK, &self.transactions())
            }
            ("GET", "/asset/get_accepted_assets/") if shows(asked, &self.theirs) => {
                let asset = json!([{ "uuid": ASSET, "name": "Temps", "category": "TIM" }]);
                reply(StatusCode::OK, &asset)
            }
            (_, "/api/v2/wallet-refills/") if !shows(asked, &self.credentials) => refused(
                StatusCode::FORBIDDEN,
                "Informations d'authentification non fournies.",
            ),
            ("POST", "/api/v2/wallet-refills/") => self.refill(asked),
            (_, "/api/v2/wallet-refills/") => empty(StatusCode::METHOD_NOT_ALLOWED),
            ("GET", "/transaction/" | "/asset/get_accepted_assets/") => {
                refused(StatusCode::FORBIDDEN, "Clé refusée.")
            }
            _ => empty(StatusCode::NOT_FOUND),
        }
    }

    /// In the order of the server's checks.
    fn refill(&mut self, asked: &Asked) -> Answer {
        self.calls += 1;
        let body: Value = serde_json::from_slice(asked.body()).unwrap_or_default();
        let (Some(email), Some(asset), Some(amount)) = (
            body["email"].as_str(),
            body["asset"].as_str(),
            body["amount"].as_i64(),
        ) else {
            return reply(
                StatusCode::BAD_REQUEST,
                &json!({ "email": ["Ce champ est obligatoire."] }),
            );
        };
        if asset != ASSET {
            return refused(StatusCode::NOT_FOUND, "Monnaie inconnue.");
        }
        if !(1..=MOST).contains(&amount) {
            return refused(StatusCode::UNPROCESSABLE_ENTITY, "Montant refusé.");
        }
        let key = header_of(asked, "idempotency-key");
        if key.trim().is_empty() {
            let text = "L'en-tête Idempotency-Key est obligatoire.";
            return refused(StatusCode::BAD_REQUEST, text);
        }
        let wanted = Credited {
            key: key.to_owned(),
            email: email.to_lowercase(),
            amount,
        };
        if let Some(number) = self.keys.get(key) {
            return if self.credited[*number] == wanted {
                reply(StatusCode::ALREADY_REPORTED, &self.transfer(*number))
            } else {
                let text = "Cette clé a déjà servi avec d'autres paramètres.";
                refused(StatusCode::CONFLICT, text)
            };
        }
        let number = self.credited.len();
        self.keys.insert(key.to_owned(), number);
        self.credited.push(wanted);
        reply(StatusCode::CREATED, &self.transfer(number))
    }

    fn transfer(&self, number: usize) -> Value {
        let made = &self.credited[number];
        json!({
            "@context": "https://schema.org", "@type": "MoneyTransfer",
            "identifier": Self::id_of(number), "amount": made.amount, "asset": ASSET,
            "recipient": { "@type": "Person", "email": made.email },
        })
    }

    /// Everything, unpaginated: each credit is made at the place, then brought to its card.
    fn transactions(&self) -> Value {
        let all = self.credited.iter().enumerate();
        all.flat_map(|(number, made)| {
            let metadata = json!({ "idempotency_key": made.key, "rewarded_from_ticket_scanned": true, "reason": "refill" });
            let row = |uuid: String, action: &str, receiver: &str| {
                json!({
                    "uuid": uuid, "action": action, "amount": made.amount, "asset": ASSET,
                    "sender": PLACE, "receiver": receiver, "metadata": metadata,
                })
            };
            [
                row(format!("cre-{number}"), "CRE", PLACE),
                row(Self::id_of(number), "REF", &receiver(&made.email)),
            ]
        })
        .collect()
    }
}

/// The wallet of the place.
const PLACE: &str = "00000000-0000-4000-8000-000000000001";

/// What Fedow calls somebody's wallet: it says no address.
fn receiver(email: &str) -> String {
    let sum = email
        .bytes()
        .fold(7_u64, |sum, byte| sum * 31 % 1_000_003 + u64::from(byte));
    format!("00000000-0000-4000-8000-{sum:012}")
}

fn refused(status: StatusCode, detail: &str) -> Answer {
    reply(status, &json!({ "detail": detail }))
}
