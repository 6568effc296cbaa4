//! Writes a small static web site: the programme, one page per activity, a calendar to subscribe
//! to, an Atom feed and the data, in a folder that any web server can serve.
//!
//! There is no tool behind it and no version to follow: RFC 5545 and 7986 (calendar), RFC 4287
//! (Atom), schema.org `Event`, and plain HTML without a single script. It shows public activities
//! only, and on a page apart those that other places offer; contacts, drafts, internal activities and fields it does not know never reach a file. It
//! touches no file it did not make, and never leaves its folder.

#![allow(
    clippy::result_large_err,
    reason = "a Failure carries its words in two languages, and is rare"
)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures_util::FutureExt as _;
use raccord_dav::{Keys, Login, Output};
use raccord_kit::secret::SecretSource;
use raccord_kit::settings::Gathered;
use raccord_kit::{
    BoxFuture, Choice, Clock, Connector, Finding, Kit, Level, Sink, Source, Tool, settings,
};
use raccord_look::clean;
use raccord_model::{
    Class, ConnectorName, EntityKind, Failure, Handling, Manifest, Mode, Period, Policy, Words,
};
use serde_json::Value;

use crate::folder::Folder;
use crate::options::Settings;
use crate::site::Site;
use crate::template::Template;

mod calendar;
mod data;
mod feed;
mod folder;
mod item;
mod jsonld;
mod map;
mod options;
mod pages;
mod shared;
mod sink;
mod site;
mod sitemap;
mod social;
mod stamps;
mod template;
mod words;
mod zone;

/// The line in the program's table.
pub const CONNECTOR: Connector = Connector {
    kind: "website",
    version: env!("CARGO_PKG_VERSION"),
    card: include_str!("../connector.toml"),
    settings: raccord_kit::settings::Shape::of::<Settings>(),
    build,
};

/// What failures of a cloud call the settings.
const KEYS: Keys = Keys {
    kind: "website",
    address: "output",
    password: "password_file",
};

fn build(value: Value, kit: &Kit) -> Result<Box<dyn Tool>, Vec<Finding>> {
    let settings: Settings = settings::settings(value)?;
    let template = match &settings.template {
        Some(folder) => Template::read(&kit.path(&**folder))
            .map_err(|failure| vec![Finding::of("template", &failure)])?,
        None => Template::default(),
    };
    let shared_by = settings.shared_by()?;
    let mut wrong = Gathered::default();
    let (inline, file) = (settings.password.clone(), settings.password_file.as_deref());
    let password = wrong.take("password", SecretSource::new("password", inline, file, kit));
    let login = Login {
        user: settings.user.as_deref(),
        password: password.flatten(),
    };
    let output = wrong.take("output", Output::of(&settings.output, login, KEYS, kit));
    let Some(output) = output else {
        return Err(wrong.findings());
    };
    Ok(Box::new(Website {
        inner: Arc::new(Inner {
            name: kit.name.clone(),
            clock: Arc::clone(&kit.clock),
            folder: Folder::new(output, kit.place.id.clone()),
            output: settings.output.get(),
            pictured: AtomicBool::new(false),
            site: Site {
                place: kit.place.clone(),
                base_url: settings.base_url.map(|base| base.0),
                template,
                shared_by,
                map: settings.map,
                tint: kit.colour.parse().unwrap_or_default(),
            },
        }),
    }))
}

/// A configured site.
struct Website {
    inner: Arc<Inner>,
}

/// What a thread that writes files needs.
struct Inner {
    name: ConnectorName,
    clock: Arc<dyn Clock>,
    folder: Folder,
    /// The key `output`, as it is written.
    output: String,
    site: Site,
    /// Whether the picture was drawn since the start.
    pictured: AtomicBool,
}

impl Tool for Website {
    fn describe(&self) -> Manifest {
        let handling = |mode| Handling {
            entity: EntityKind::Activity,
            mode,
            class: Class::Address,
            settle_s: 0,
            grace_s: 0,
            policy: Policy::NeverLost,
            read_back: false,
        };
        Manifest {
            kind: CONNECTOR.kind.to_owned(),
            source: false,
            handles: vec![
                handling(Mode::Mirror),
                handling(Mode::Publication(Period::All)),
            ],
            parallel: 4,
            per_second: 0,
            rights: Words::new(
                "Écrire dans le dossier de la clé «\u{a0}output\u{a0}», qui n’appartient qu’à Raccord\u{a0}; dans un nuage, un compte à lui avec un mot de passe d’application.",
                "To write in the folder of the key “output”, which belongs to Raccord alone; in a cloud, an account of its own with an app password.",
            ),
        }
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            if inner.folder.output().disk().is_none() {
                let mut findings = inner.folder.output().look().await;
                if findings.is_empty() {
                    let ours = inner.folder.ours().await;
                    findings.extend(ours.err().map(|failure| Finding::of("output", &failure)));
                }
                return findings;
            }
            tokio::task::spawn_blocking(move || inner.check())
                .await
                .unwrap_or_default()
        })
    }

    fn choices(&self) -> BoxFuture<'_, Result<Vec<Choice>, Failure>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn source(&self) -> Option<&dyn Source> {
        None
    }

    fn sink(&self) -> Option<&dyn Sink> {
        Some(self)
    }
}

impl Inner {
    fn check(&self) -> Vec<Finding> {
        if let Some(Err(failure)) = self.folder.ours().now_or_never() {
            return vec![Finding::of("output", &failure)];
        }
        // The nearest folder that is there already: those below it will be made.
        let Some(root) = self.folder.output().disk() else {
            return Vec::new();
        };
        let there = root
            .ancestors()
            .find(|folder| folder.exists())
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let rights = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
        let shown = there.display();
        let (code, fr, en, mend) = if !there.is_dir() {
            (
                "website.no-folder",
                format!("«\u{a0}{shown}\u{a0}» n’est pas un dossier."),
                format!("“{shown}” is not a folder."),
                Words::new(
                    "Choisissez un autre dossier dans la clé «\u{a0}output\u{a0}».",
                    "Choose another folder in the key “output”.",
                ),
            )
        } else if rustix::fs::access(there, rights).is_err() {
            (
                "website.forbidden",
                format!("Raccord n’a pas le droit d’écrire dans «\u{a0}{shown}\u{a0}»."),
                format!("Raccord is not allowed to write in “{shown}”."),
                Words::new(
                    "Donnez à l’utilisateur qui fait tourner Raccord le droit d’y écrire.",
                    "Give the user Raccord runs as the right to write there.",
                ),
            )
        } else {
            let tried = raccord_kit::files::can_write(root);
            return tried
                .err()
                .map(|failure| Finding::of("output", &failure))
                .into_iter()
                .collect();
        };
        vec![Finding {
            place: "output".to_owned(),
            code: code.to_owned(),
            level: Level::Error,
            text: Words::new(fr, en),
            mend,
        }]
    }
}
