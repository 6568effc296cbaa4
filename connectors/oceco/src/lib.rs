//! Keeps tasks as actions of OCECO, the front end of Communecter (REST routes and DDP publications of
//! `pixelhumain/oceco` f5cd9c1, October 2020); who took an action there and whose was validated is
//! known here.
//!
//! OCECO counts its places itself, so its word is a fact. Its routes make actions and change none: what
//! differs is asked about. Nobody is known by a Communecter identifier alone: a file says whose it is,
//! and nobody else signs up or is credited. It refuses to validate, to touch OCECO's own credits, and to
//! write over DDP.

#![allow(
    clippy::result_large_err,
    reason = "a Failure carries words for people; it is rare, and never on a fast path"
)]

mod action;
mod api;
mod check;
mod failure;
mod log;
mod people;
mod settings;
mod shown;
mod sink;
mod source;
mod standing;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use raccord_kit::http::{Http, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::settings::{Gathered, Text, settings};
use raccord_kit::{BoxFuture, Choice, Connector, Finding, Kit, Shared, Sink, Source, Tool};
use raccord_model::{Class, EntityKind, Failure, Handling, Manifest, Mode, Policy};
use serde_json::Value;

use api::{Api, Parent};
use log::Log;
use settings::{Chat, Settings};
use source::Memory;

/// The connector, for the program's table.
pub const CONNECTOR: Connector = Connector {
    kind: KIND,
    version: env!("CARGO_PKG_VERSION"),
    card: include_str!("../connector.toml"),
    settings: raccord_kit::settings::Shape::of::<Settings>(),
    build,
};

const KIND: &str = "oceco";
/// Actions are not read more often than this: their list is whole each time.
const OFTEN: std::time::Duration = std::time::Duration::from_secs(30);
/// An action whose answer was lost is there or will not be after so long: OCECO itself waits for
/// Communecter.
const SETTLE_S: i64 = 120;
/// A look and a making belong together: two at once could make one twice.
const PARALLEL: u16 = 1;
/// It has no limit of its own; we leave it room for people.
const PER_SECOND: u16 = 2;

fn build(value: Value, kit: &Kit) -> Result<Box<dyn Tool>, Vec<Finding>> {
    let settings: Settings = settings(value)?;
    let mut wrong = Gathered::default();
    if settings.every.get() < OFTEN {
        wrong.take::<()>("every", Err(failure::too_often()));
    }
    let user = wrong.take("user", identifier("user", &settings.user));
    let organization = wrong.take(
        "organization",
        identifier("organization", &settings.organization),
    );
    let project = settings.project.as_ref();
    let project = project.map(|project| identifier("project", project));
    let project = wrong.take("project", project.transpose());
    let url = format!("{}/", settings.url.trim_end_matches('/'));
    let base = wrong.take("url", Target::configured("url", &url));
    let http = wrong.take("", Http::new(KIND, kit));
    let token = SecretSource::new(
        "token",
        settings.token.clone(),
        settings.token_file.as_deref(),
        kit,
    );
    let token = wrong.take("token", token);
    let password = SecretSource::new(
        "password",
        settings.password.clone(),
        settings.password_file.as_deref(),
        kit,
    );
    let password = wrong.take("password", password);
    let email = settings.email.as_ref().map(|email| email.trim().to_owned());
    if matches!(
        (&email, &password),
        (Some(_), Some(None)) | (None, Some(Some(_)))
    ) {
        wrong.take::<()>("email", Err(failure::half_an_account()));
    }
    let findings = wrong.findings();
    match (base, http, token, password, user, organization, project) {
        (
            Some(base),
            Some(http),
            Some(token),
            Some(password),
            Some(user),
            Some(organization),
            Some(project),
        ) if findings.is_empty() => {
            let clock = std::sync::Arc::clone(&kit.clock);
            let parent = Parent::new(project, &organization);
            let log = email.zip(password).map(|(email, password)| {
                let clock = std::sync::Arc::clone(&clock);
                let organization = organization.clone();
                Log::new(
                    http.clone(),
                    base.clone(),
                    organization,
                    email,
                    password,
                    clock,
                )
            });
            Ok(Box::new(Oceco {
                api: Api::new(http, base, user, token, clock),
                parent,
                log,
                people: kit.path(&settings.people_file),
                chat: settings.chat,
                every: settings.every.get(),
                kit: kit.clone(),
                memory: Mutex::default(),
            }))
        }
        _ => Err(findings),
    }
}

/// An identifier of Communecter's: 24 hexadecimal digits.
fn identifier(key: &str, text: &Text<24>) -> Result<String, Failure> {
    let text = text.trim().to_lowercase();
    people::is_identifier(&text)
        .then_some(text)
        .ok_or_else(|| failure::no_identifier(key))
}

/// One place's OCECO.
struct Oceco {
    api: Api,
    /// What holds the actions.
    parent: Parent,
    /// The way to read who was validated.
    log: Option<Log>,
    /// The file that says which account is whose.
    people: PathBuf,
    chat: Chat,
    every: std::time::Duration,
    kit: Kit,
    memory: Mutex<Memory>,
}

impl Oceco {
    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tool for Oceco {
    fn describe(&self) -> Manifest {
        Manifest {
            kind: KIND.to_owned(),
            source: true,
            handles: vec![Handling {
                entity: EntityKind::Task,
                mode: Mode::Mirror,
                class: Class::Find,
                settle_s: SETTLE_S,
                grace_s: 0,
                policy: Policy::NeverTwice,
                read_back: false,
            }],
            parallel: PARALLEL,
            per_second: PER_SECOND,
            rights: failure::rights(),
        }
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(self.look())
    }

    fn choices(&self) -> BoxFuture<'_, Result<Vec<Choice>, Failure>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn source(&self) -> Option<&dyn Source> {
        Some(self)
    }

    fn sink(&self) -> Option<&dyn Sink> {
        Some(self)
    }

    fn shared(&self) -> Option<&dyn Shared> {
        Some(self)
    }
}
