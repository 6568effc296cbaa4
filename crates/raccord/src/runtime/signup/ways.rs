//! How somebody is told: the page on which they choose it, and show that a number is theirs.
//!
//! A number is kept once a code that was sent to it came back. Until then it stands in nothing but the
//! form, sealed: who types somebody else's number learns nothing, and costs the place one message.

use std::collections::BTreeMap;
use std::sync::Arc;

use raccord_engine::{Choice, Engine, Order, Reply, Telling, Who};
use raccord_kit::{Numbers, Proof};
use raccord_model::{ConnectorName, EntityId, EntityKind, Mode, RoundupOf, Way, Words, fold_word};
use raccord_web::hands::{Answer, Likes, Shows, Unproved, Ways};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rates::Rate;
use super::{Desktop, Host, PATIENCE, WHILE, keys};

/// How long a code is good, in minutes.
const GOOD: i64 = 20;
/// How many kinds of work are offered.
const KINDS: usize = 40;
/// How many digits of a number its owner knows it by.
const LAST: usize = 2;
/// The longest text that is looked at as a number or a code.
const LONGEST: usize = 60;

/// How often codes are sent: to a number, to a person, from a network, and all together.
pub(super) struct Rates([Rate; 4]);

impl Default for Rates {
    fn default() -> Self {
        Self([
            Rate::new(3, WHILE),
            Rate::new(6, 24 * 3_600),
            Rate::new(10, 3_600),
            Rate::new(60, 3_600),
        ])
    }
}

/// A number that waits for its code, as the form holds it, sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct Waiting {
    person: EntityId,
    number: String,
    code: String,
    /// In seconds since 1970.
    until: i64,
}

impl Host {
    /// What sends short messages, where something does: the same that tells people by them.
    fn numbers(&self) -> Option<&dyn Numbers> {
        self.0.values().find_map(|tool| tool.numbers())
    }
}

impl Desktop<'_> {
    /// The page.
    pub(super) async fn ways(&self) -> Answer {
        self.shows_ways(|_| ()).await
    }

    async fn shows_ways(&self, add: impl FnOnce(&mut Ways) + Send + 'static) -> Answer {
        let Some(me) = &self.me else {
            return Self::go("in");
        };
        let person = me.id;
        let seen = self.read(move |engine| {
            let mut ways = ways(engine, person)?;
            add(&mut ways);
            Some(ways)
        });
        match seen.await {
            Ok(Some(ways)) => self.screen(Shows::Ways(Box::new(ways))),
            Ok(None) => Answer::Nothing,
            Err(answer) => answer,
        }
    }

    /// What its forms do.
    pub(super) async fn tells(&self) -> Answer {
        if self.me.is_none() {
            return Self::go("in");
        }
        match self.visit.field("do") {
            "save" => self.saves_way().await,
            "number" => self.sends_code().await,
            "code" => self.proves().await,
            "forget" => {
                let nothing = Choice {
                    phone: Some(String::new()),
                    ..Choice::default()
                };
                self.chooses(nothing).await
            }
            "chat" => self.draws_code().await,
            _ => Answer::Nothing,
        }
    }

    async fn chooses(&self, choice: Choice) -> Answer {
        let choice = Choice {
            who: self.who(),
            ..choice
        };
        match self.order(Order::Choose(Box::new(choice))).await {
            Ok(Reply::Taken) => Self::go("told"),
            Ok(Reply::Cannot(why)) => self.refused(&why),
            Ok(_) => Answer::NotReady,
            Err(answer) => answer,
        }
    }

    fn who(&self) -> Who {
        let email = self.me.as_ref().map(|me| me.email.clone());
        Who {
            email: email.unwrap_or_default(),
            ..Who::default()
        }
    }

    async fn saves_way(&self) -> Answer {
        let named = self.visit.field("told");
        let told = match Way::ALL.into_iter().find(|way| way.as_str() == named) {
            Some(way) => Some(Telling::By(way)),
            None if named == "nothing" => Some(Telling::Nothing),
            // What they chose before is not served any more, or they chose nothing yet.
            None if named.is_empty() => None,
            None => return Answer::Nothing,
        };
        let likes = (self.visit.field("likes") == "yes").then(|| {
            let kinds = self.visit.fields("kind").map(str::to_owned);
            kinds.take(KINDS + 1).collect()
        });
        self.chooses(Choice {
            told,
            likes,
            ..Choice::default()
        })
        .await
    }

    async fn draws_code(&self) -> Answer {
        match self.order(Order::Code(Box::new(self.who()))).await {
            Ok(Reply::Code { code, .. }) => self.shows_ways(move |ways| ways.code = code).await,
            Ok(Reply::Cannot(why)) => self.refused(&why),
            Ok(_) => Answer::NotReady,
            Err(answer) => answer,
        }
    }

    /// Sends a code to a number, if it is one, and not too often.
    async fn sends_code(&self) -> Answer {
        let (Some(me), Some(numbers)) = (&self.me, self.host.numbers()) else {
            return Answer::Nothing;
        };
        let said: String = self.visit.field("phone").chars().take(LONGEST).collect();
        let Some(number) = numbers.number(&said) else {
            return self.refused(&Words::new(
                "ce n'est pas un numéro que l'on puisse joindre ; écrivez-le avec son indicatif, par exemple +262 692 00 00 00",
                "this is no number that can be reached; write it with its calling code, for example +262 692 00 00 00",
            ));
        };
        let muted = self.desk.ask(|engine, _| engine.state().muted.is_some());
        if !muted.await.is_ok_and(|muted| !muted) {
            return Answer::NotReady;
        }
        let now = self.now();
        let Rates([by_number, by_person, by_network, by_all]) = &self.own.ways;
        let about = [
            (by_person, me.id.to_string()),
            (by_number, keys::digest(&number)),
            (by_network, self.visit.network.clone()),
            (by_all, String::new()),
        ];
        if !about.iter().all(|(rate, who)| rate.allows(who, now)) {
            return Answer::TooMany(PATIENCE);
        }
        let waiting = Waiting {
            person: me.id,
            number: number.clone(),
            code: code(),
            until: now + GOOD * 60,
        };
        let Some(sealed) = self.open.key.seal_number(&waiting) else {
            return Answer::NotReady;
        };
        let proof = Proof {
            key: keys::digest(&sealed),
            number: number.clone(),
            code: waiting.code,
            minutes: GOOD,
            lang: self.lang(),
        };
        let host = Arc::clone(&self.host);
        // A phone takes its time: nobody waits for it here.
        tokio::spawn(async move { send(&host, &proof).await });
        let unproved = Unproved {
            number: last(&number),
            sealed,
        };
        self.shows_ways(move |ways| ways.proof = Some(unproved))
            .await
    }

    /// The code came back: the number is theirs.
    async fn proves(&self) -> Answer {
        let sealed = self.visit.field("proof").to_owned();
        let waiting = self.open.key.open_number(&sealed);
        let own = |waiting: &Waiting| {
            let me = self.me.as_ref().map(|me| me.id);
            waiting.until > self.now() && me == Some(waiting.person)
        };
        let Some(waiting) = waiting.filter(own) else {
            return self.refused(&Words::new(
                "ce code est trop vieux : demandez-en un autre",
                "this code is too old: ask for another",
            ));
        };
        if keys::plain(self.visit.field("code")) != keys::plain(&waiting.code) {
            let unproved = Unproved {
                number: last(&waiting.number),
                sealed,
            };
            let shown = self.shows_ways(move |ways| ways.proof = Some(unproved));
            return match shown.await {
                Answer::Page(mut screen) => {
                    screen.status = 422;
                    let wrong = Words::new(
                        "Ce n’est pas le code qui a été envoyé : regardez le SMS.",
                        "This is not the code that was sent: look at the message.",
                    );
                    wrong.get(self.lang()).clone_into(&mut screen.said);
                    Answer::Page(screen)
                }
                other => other,
            };
        }
        self.chooses(Choice {
            told: Some(Telling::By(Way::Sms)),
            phone: Some(waiting.number),
            ..Choice::default()
        })
        .await
    }
}

async fn send(host: &Host, proof: &Proof) {
    let Some(numbers) = host.numbers() else {
        return;
    };
    if let Err(failure) = numbers.send_code(proof).await {
        tracing::warn!(code = %failure.code, text = %failure.text.en, "a code could not be sent by short message");
    }
}

/// A code nobody can guess, in two halves.
fn code() -> String {
    keys::typed(&keys::random())
}

fn last(number: &str) -> String {
    let at = number.len().saturating_sub(LAST);
    number.get(at..).unwrap_or_default().to_owned()
}

/// What is served here, and what somebody chose of it.
fn ways(engine: &Engine, person: EntityId) -> Option<Ways> {
    let known = engine.entity(person)?;
    let rules = engine.state().rules.clone()?;
    let mut by_way: BTreeMap<Way, Vec<ConnectorName>> = BTreeMap::new();
    for (name, sink) in &rules.sinks {
        for handling in sink.handling(EntityKind::Person) {
            if let Mode::Tell(way) = handling.mode {
                by_way.entry(way).or_default().push(name.clone());
            }
        }
    }
    let accounts = known.fields.get("identities").and_then(Value::as_object);
    let chats = by_way.get(&Way::Chat).cloned().unwrap_or_default();
    let account =
        accounts.is_some_and(|all| chats.iter().any(|chat| all.contains_key(chat.as_str())));
    let number = known.text("phone");
    let told = known.text("told").to_owned();
    let served = [Way::Mail, Way::Chat, Way::Sms];
    let served: Vec<String> = served
        .into_iter()
        .filter(|way| by_way.contains_key(way))
        .map(|way| way.as_str().to_owned())
        .collect();
    let weekly = rules.routes.iter().any(|route| {
        let roundup = route.roundup.as_ref();
        roundup.is_some_and(|said| said.of == RoundupOf::Liked)
    });
    let silent = rules.routes.iter().any(|route| {
        let roundup = route.roundup.as_ref();
        roundup.is_some_and(|said| said.of == RoundupOf::Reminder && said.at.is_empty())
    });
    let likes: Vec<String> = known
        .fields
        .get("likes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|kind| kind.as_str().map(str::to_owned))
        .collect();
    Some(Ways {
        told,
        account,
        code: String::new(),
        number: last(number),
        proof: None,
        likes: weekly.then(|| Likes {
            all: likes.iter().any(|kind| kind == "*"),
            kinds: kinds(engine, &likes),
        }),
        reminded: !served.is_empty() && !silent,
        served,
    })
}

/// The kinds of work there are here, and those somebody likes, by name.
fn kinds(engine: &Engine, likes: &[String]) -> Vec<(String, bool)> {
    let mut all: BTreeMap<String, (String, bool)> = BTreeMap::new();
    for kind in likes.iter().filter(|kind| *kind != "*") {
        all.insert(fold_word(kind), (kind.clone(), true));
    }
    let tasks = engine.state().entities.values();
    for task in tasks.filter(|record| record.kind == EntityKind::Task) {
        let fields = task.fields();
        let kind = fields
            .get("kind")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !kind.trim().is_empty() {
            let shown = (kind.trim().to_owned(), false);
            all.entry(fold_word(kind)).or_insert(shown);
        }
    }
    // What they like stands first: what is not on the form would be forgotten when it is sent.
    let mut all: Vec<(String, bool)> = all.into_values().collect();
    all.sort_by_key(|(_, liked)| !liked);
    all.truncate(KINDS);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let drawn = code();
        assert_eq!(drawn.len(), 9);
        assert_ne!(drawn, code());
        assert_eq!(keys::plain("7k2m 9qxd"), keys::plain("7K2M-9QXD"));
        assert_eq!(keys::plain("o1il"), "0111");
    }

    #[test]
    fn a_number_is_told_by_its_last_digits_only() {
        assert_eq!(last("+262692123456"), "56");
        assert_eq!(last(""), "");
    }
}
