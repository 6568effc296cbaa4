//! Signing in by a link, and out.

use std::sync::Arc;
use std::time::Duration;

use raccord_engine::{Order, Reply, Who};
use raccord_kit::SignIn;
use raccord_model::{Blame, ConnectorName, Failure, Words};
use raccord_web::hands::{Answer, Cookie};

use super::doors::{Open, STAYS};
use super::keys::{self, Link};
use super::{Desktop, Host, PATIENCE, id_of, letters};

/// How long a link is good, in minutes.
const LINK: i64 = 20;
/// Between two attempts to send a link.
const AGAIN: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(30)];
impl Desktop<'_> {
    /// Whatever the address is, the answer is the same, and comes as fast.
    pub(super) async fn asks_for_link(&self) -> Answer {
        let email = self.visit.field("email").trim().to_lowercase();
        let [by_address, by_network, by_all] = &self.own.links;
        let now = self.now();
        if !by_network.allows(&self.visit.network, now) || !by_all.allows("", now) {
            return Answer::TooMany(PATIENCE);
        }
        let plain = email.len() <= 254 && email.contains('@');
        if plain && by_address.allows(&email, now) && self.sends().await {
            self.sends_link(email);
        }
        Self::go("sent")
    }

    fn sends_link(&self, email: String) {
        let back = id_of(self.visit.field("back")).map_or_else(String::new, |id| id.to_string());
        let link = Link {
            email: email.clone(),
            until: self.now() + LINK * 60,
            lang: self.lang(),
            back,
        };
        let Some(sealed) = self.open.key.seal(&link) else {
            return;
        };
        let lang = link.lang;
        let letter = SignIn {
            key: keys::digest(&sealed),
            email,
            address: format!(
                "{}/hands/enter?lang={lang}&k={sealed}",
                self.settings.place.public_url
            ),
            minutes: LINK,
            lang,
            at: self.visit.at,
        };
        let host = Arc::clone(&self.host);
        tokio::spawn(async move { send(&host, &letter).await });
    }

    pub(super) async fn enters(&self) -> Answer {
        let sealed = self.visit.field("k");
        let link = self.open.key.open(sealed);
        // One that confirms a letter does not sign in.
        let link = link.filter(|link| link.until > self.now() && letters::list_of(link).is_none());
        let Some(link) = link else {
            return self.refused(&Words::new(
                "Ce lien est trop vieux, ou incomplet : demandez-en un autre.",
                "This link is too old, or not whole: ask for another.",
            ));
        };
        match Open::uses(self.desk, sealed, link.until).await {
            Some(true) => {}
            Some(false) => {
                return self.refused(&Words::new(
                    "Ce lien a déjà servi : demandez-en un autre.",
                    "This link was used before: ask for another.",
                ));
            }
            None => return Answer::NotReady,
        }
        let who = Who {
            email: link.email,
            lang: Some(link.lang),
            ..Who::default()
        };
        let entered = self.lets_in(who).await;
        let cookie = match entered {
            Ok(cookie) => cookie,
            Err(answer) => {
                // Nobody came in: the link is as good as before.
                if matches!(answer, Answer::Busy | Answer::NotReady) {
                    Open::gives_back(self.desk, sealed).await;
                }
                return answer;
            }
        };
        let to = if link.back.is_empty() {
            "me".to_owned()
        } else {
            link.back
        };
        Answer::Go {
            to,
            cookie: Some(Cookie {
                value: cookie,
                seconds: STAYS as u32,
            }),
        }
    }

    /// Signs somebody in; gives the cookie.
    async fn lets_in(&self, who: Who) -> Result<String, Answer> {
        let person = match self.order(Order::Introduce(Box::new(who))).await? {
            Reply::Known(person) => person,
            Reply::Cannot(why) => return Err(self.refused(&why)),
            _ => return Err(Answer::NotReady),
        };
        // Who was signed in here before is not any more.
        if let Some(cookie) = &self.visit.session {
            let ended = self.open.end(self.desk, cookie).await;
            ended.ok_or(Answer::NotReady)?;
        }
        let begun = self.open.begin(self.desk, person, self.now()).await;
        begun.ok_or(Answer::NotReady)
    }

    pub(super) async fn leaves(&self) -> Answer {
        let cookie = self.visit.session.as_deref().unwrap_or_default();
        match self.open.end(self.desk, cookie).await {
            None => Answer::NotReady,
            Some(()) => Answer::Go {
                to: String::new(),
                cookie: Some(Cookie {
                    value: String::new(),
                    seconds: 0,
                }),
            },
        }
    }
}

/// Sends a link, with patience for as long as somebody waits for it. Sent twice it is the same mail.
async fn send(host: &Host, letter: &SignIn) {
    patiently(&host.1, || async {
        match host.welcome() {
            Some(welcome) => welcome.send_link(letter).await,
            None => Ok(()),
        }
    })
    .await;
}

/// Tries again to send a link while that may help.
pub(super) async fn patiently<F>(connector: &ConnectorName, send: impl Fn() -> F)
where
    F: Future<Output = Result<(), Failure>>,
{
    let mut again = AGAIN.into_iter();
    loop {
        let Err(failure) = send().await else {
            return;
        };
        let passes = matches!(failure.blame, Blame::Transient | Blame::Unknown);
        let Some(wait) = again.next().filter(|_| passes) else {
            tracing::warn!(%connector, code = %failure.code, "a link could not be sent");
            return;
        };
        tokio::time::sleep(wait).await;
    }
}
