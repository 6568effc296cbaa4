//! Announces the programme in Matrix rooms, keeps the announcements true, and answers there: any
//! home server, Client-Server API 1.11 (<https://spec.matrix.org/v1.11/client-server-api/>), tried
//! with Synapse.
//!
//! Messages are notices that concern nobody in particular, each under a transaction that follows
//! from what it is about. It refuses to write into encrypted rooms, to listen to other programs, and
//! to put back what somebody took away.

#![allow(
    clippy::result_large_err,
    reason = "a Failure carries words for people; it is rare, and never on a fast path"
)]

mod api;
mod check;
mod config;
mod failure;
mod reactions;
mod source;
mod speech;

use std::sync::{Arc, Mutex};

use raccord_chat::heard::Hear;
use raccord_chat::templates::Templates;
use raccord_chat::{Manner, Speaker, handles};
use raccord_kit::http::{Http, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::settings::{Gathered, Text, settings};
use raccord_kit::{BoxFuture, Choice, Connector, Finding, Kit, Sink, Source, Tool};
use raccord_model::{Class, Failure, Manifest, Words};
use serde_json::Value;

use api::Api;
use config::Settings;
use reactions::Reacted;
use speech::Speech;

/// The connector, for the program's table.
pub const CONNECTOR: Connector = Connector {
    kind: KIND,
    version: env!("CARGO_PKG_VERSION"),
    card: include_str!("../connector.toml"),
    settings: raccord_kit::settings::Shape::of::<Settings>(),
    build,
};

const KIND: &str = "matrix";
/// A small server answers a few at a time, and members read one at a time.
const PARALLEL: u16 = 2;
/// A message that was sent stands in its room after this long, or was never sent: workers of a big
/// server follow each other within seconds, and a repeat has the same transaction.
const SETTLE: i64 = 60;

fn build(value: Value, kit: &Kit) -> Result<Box<dyn Tool>, Vec<Finding>> {
    let settings: Settings = settings(value)?;
    let mut wrong = Gathered::default();
    let base = wrong.take("url", Target::configured("url", &settings.url));
    let http = wrong.take("", Http::new(KIND, kit));
    let file = settings.token_file.as_deref();
    let token = wrong.take(
        "token",
        SecretSource::new("token", settings.token, file, kit),
    );
    let templates = Templates::new(kit);
    let (Some(base), Some(http), Some(token), Ok(_)) = (base, http, token, &templates) else {
        let mut findings = wrong.findings();
        findings.extend(templates.err().into_iter().flatten());
        return Err(findings);
    };
    let text = |text: Option<Text<255>>| text.map(Text::get);
    let manner = Manner {
        channel: text(settings.channel),
        month: text(settings.month),
        approvers: settings.approvers.into_iter().map(Text::get).collect(),
    };
    let speech = Speech {
        api: Api::new(http, base, token),
        clock: Arc::clone(&kit.clock),
    };
    Ok(Box::new(Matrix {
        speaker: Speaker::new(speech, kit.clone(), manner, templates?),
        hear: settings.hear,
        passed: Mutex::default(),
        reacted: Reacted::default(),
    }))
}

/// One account on a home server.
struct Matrix {
    speaker: Speaker<Speech>,
    hear: Hear,
    /// From which token the log knows to which one nothing was worth telling it.
    passed: Mutex<Option<(String, String)>>,
    /// Which message each reaction was about.
    reacted: Reacted,
}

impl Tool for Matrix {
    fn describe(&self) -> Manifest {
        Manifest {
            kind: KIND.to_owned(),
            source: self.hear != Hear::None,
            handles: handles(self.speaker.manner(), Class::Find, SETTLE),
            parallel: PARALLEL,
            per_second: 0,
            rights: Words::new(
                "Un compte à lui, membre des salons où il parle ; modérateur là où il épingle le programme du mois.",
                "An account of its own, a member of the rooms it speaks in; a moderator where it pins the month's programme.",
            ),
        }
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(self.look())
    }

    fn choices(&self) -> BoxFuture<'_, Result<Vec<Choice>, Failure>> {
        Box::pin(self.pick())
    }

    fn source(&self) -> Option<&dyn Source> {
        (self.hear != Hear::None).then_some(self)
    }

    fn sink(&self) -> Option<&dyn Sink> {
        Some(&self.speaker)
    }
}
