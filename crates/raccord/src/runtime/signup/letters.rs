//! Asking for a letter, confirming it, leaving it.
//!
//! As with signing in, a link holds the address it was sent to, sealed, so nothing of an address is
//! kept before its owner confirmed, and whoever asks gets the same answer for every address.

use std::sync::Arc;

use raccord_engine::{Input, Order, Reply, Who};
use raccord_kit::SignIn;
use raccord_model::ConnectorName;
use raccord_web::hands::{Answer, NewsletterPage as Page, Screen, Shows, Visit};

use super::super::desk::Desk;
use super::doors::Open;
use super::keys::{self, Link};
use super::{PATIENCE, SignUps, id_of, links};
use crate::connectors::Tools;
use crate::settings::Settings;

/// How long a link is good, in minutes: two days.
const LINK: i64 = 2 * 24 * 60;
/// What a link that confirms a letter bears before the letter's name.
const MARK: &str = "letter/";

/// The letter that a link confirms; nothing for one that signs in.
pub(super) fn list_of(link: &Link) -> Option<ConnectorName> {
    link.back.strip_prefix(MARK)?.parse().ok()
}

/// Answers a visit to `path` below `/newsletter`.
pub(super) async fn visit(
    own: &SignUps,
    desk: &Desk,
    settings: &Settings,
    path: &str,
    visit: &Visit,
) -> Answer {
    let Some(tools) = own.tools() else {
        return Answer::NotReady;
    };
    let lists = letters(&tools);
    // Whoever has a letter in hand can leave it, also when no more are sent.
    if lists.is_empty() && path != "/leave" {
        return Answer::Closed;
    }
    let now = visit.at.as_second();
    let Some(open) = own.doors.open(desk, &settings.place.id, now).await else {
        return Answer::NotReady;
    };
    let given = [visit.field("k"), &visit.key];
    let key = given.into_iter().find(|key| !key.is_empty());
    let key = key.unwrap_or_default().to_owned();
    match (path, visit.form.is_some()) {
        ("", false) => page(
            visit,
            Page::Ask {
                lists: lists.iter().map(ToString::to_string).collect(),
            },
        ),
        ("", true) => asks(own, desk, settings, &open, &tools, &lists, visit).await,
        ("/sent", false) => page(visit, Page::Sent),
        ("/confirm", false) => page(visit, Page::Confirm { key }),
        ("/confirm", true) => confirms(desk, &open, &key, visit).await,
        ("/leave", false) => page(visit, Page::Leave { key }),
        ("/leave", true) => leaves(desk, &key, visit).await,
        _ => Answer::Nothing,
    }
}

/// The connectors whose letters people choose here.
fn letters(tools: &Tools) -> Vec<ConnectorName> {
    let named = tools
        .iter()
        .filter(|(_, tool)| tool.subscribing().is_some());
    named.map(|(name, _)| name.clone()).collect()
}

fn page(visit: &Visit, page: Page) -> Answer {
    let status = if matches!(page, Page::Stale) {
        422
    } else {
        200
    };
    Answer::Page(Box::new(Screen {
        status,
        lang: visit.lang,
        visitor: None,
        said: String::new(),
        shows: Shows::Newsletter(page),
    }))
}

/// Whatever the address is, the answer is the same, and comes as fast.
async fn asks(
    own: &SignUps,
    desk: &Desk,
    settings: &Settings,
    open: &Open,
    tools: &Arc<Tools>,
    lists: &[ConnectorName],
    visit: &Visit,
) -> Answer {
    let email = visit.field("email").trim().to_lowercase();
    let [by_address, by_network, by_all] = &own.links;
    let now = visit.at.as_second();
    if !by_network.allows(&visit.network, now) || !by_all.allows("", now) {
        return Answer::TooMany(PATIENCE);
    }
    let list = match lists {
        [only] => Some(only),
        _ => lists
            .iter()
            .find(|list| list.as_str() == visit.field("list")),
    };
    let plain = email.len() <= 254 && email.contains('@');
    let muted = desk.ask(|engine, _| engine.state().muted.is_some()).await;
    let may = plain && by_address.allows(&email, now) && muted.is_ok_and(|muted| !muted);
    if let Some(list) = list.filter(|_| may) {
        send(settings, open, tools, list, email, visit);
    }
    page(visit, Page::Sent)
}

fn send(
    settings: &Settings,
    open: &Open,
    tools: &Arc<Tools>,
    list: &ConnectorName,
    email: String,
    visit: &Visit,
) {
    let link = Link {
        email: email.clone(),
        until: visit.at.as_second() + LINK * 60,
        lang: visit.lang,
        back: format!("{MARK}{list}"),
    };
    let Some(sealed) = open.key.seal(&link) else {
        return;
    };
    let letter = SignIn {
        key: keys::digest(&sealed),
        email,
        address: format!(
            "{}/newsletter/confirm?lang={}&k={sealed}",
            settings.place.public_url, visit.lang
        ),
        minutes: LINK,
        lang: visit.lang,
        at: visit.at,
    };
    let (tools, list) = (Arc::clone(tools), list.clone());
    tokio::spawn(async move {
        let once = || async {
            let tool = tools.get(&list).and_then(|tool| tool.subscribing());
            match tool {
                Some(tool) => tool.send_link(&letter).await,
                None => Ok(()),
            }
        };
        links::patiently(&list, once).await;
    });
}

async fn confirms(desk: &Desk, open: &Open, sealed: &str, visit: &Visit) -> Answer {
    let link = open.key.open(sealed);
    let link = link.filter(|link| link.until > visit.at.as_second());
    let named = link.and_then(|link| Some((list_of(&link)?, link)));
    let Some((list, link)) = named else {
        return page(visit, Page::Stale);
    };
    match Open::uses(desk, sealed, link.until).await {
        Some(true) => {}
        Some(false) => return page(visit, Page::Stale),
        None => return Answer::NotReady,
    }
    let who = Box::new(Who {
        email: link.email,
        lang: Some(link.lang),
        ..Who::default()
    });
    match order(desk, Order::Subscribe { who, list }).await {
        Ok(Reply::Known(_)) => page(visit, Page::Confirmed),
        Ok(_) => page(visit, Page::Stale),
        Err(answer) => {
            // Nothing was noted: the link is as good as before.
            Open::gives_back(desk, sealed).await;
            answer
        }
    }
}

/// By a button, or by a mail program for its reader (RFC 8058). What the key is tells no answer.
async fn leaves(desk: &Desk, key: &str, visit: &Visit) -> Answer {
    let (person, key) = key.split_once('.').unwrap_or_default();
    if let Some(person) = id_of(person) {
        let key = key.to_owned();
        if let Err(answer) = order(desk, Order::Leave { person, key }).await {
            return answer;
        }
    }
    page(visit, Page::Left)
}

async fn order(desk: &Desk, order: Order) -> Result<Reply, Answer> {
    match desk.try_input(Input::Order(order)).await {
        Ok(Some(reply)) => Ok(reply),
        Ok(None) => Err(Answer::Busy),
        Err(_) => Err(Answer::NotReady),
    }
}
