//! The verbs: what a month should look like, and the file it becomes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;
use raccord_dav::{Keys, Login, Output};
use raccord_kit::secret::SecretSource;
use raccord_kit::settings::Gathered;
use raccord_kit::{BoxFuture, Choice, Clock, Finding, Job, Kit, Made, Sink, Source, Tool, files};
use raccord_model::{
    Applied, Class, Context, Desired, Digest, EntityId, EntityKind, Failure, Fields, Found,
    Handling, Lang, Link, Manifest, Mode, Period, Place, Policy, Rendered, Subject, Words,
};
use rustix::fs::Access;
use serde::Serialize;
use serde_json::{Value, json};

use crate::child::{Limits, Typesetter};
use crate::document::{self, Links};
use crate::edition::{self, Kept};
use crate::month::Month;
use crate::settings::{Layout, Settings};
use crate::since::{self, Since, Wall};
use crate::template::{Sheet, Template};
use crate::{failures, hands, item, qr, trial, typography};

struct Programme {
    output: Output,
    /// The key `output`, as it is written.
    target: String,
    /// The sheets each month becomes, with the template of each as it was when the connector was
    /// made; a failure is told by `check` and by each delivery.
    sheets: Vec<(Sheet, Result<Template, Failure>)>,
    looks: Looks,
    links: Links,
    typesetter: Typesetter,
    place: Place,
    clock: Arc<dyn Clock>,
}

/// Where the place keeps what replaces our look.
struct Looks {
    template: Option<PathBuf>,
    leaflet: Option<PathBuf>,
    logo: Option<PathBuf>,
}

impl Looks {
    fn of(&self, sheet: Sheet) -> Option<&Path> {
        match sheet {
            Sheet::Wall => self.template.as_deref(),
            Sheet::Leaflet => self.leaflet.as_deref(),
            Sheet::Since | Sheet::Signup => None,
        }
    }

    fn read(&self, sheet: Sheet) -> Result<Template, Failure> {
        Template::read(sheet, self.of(sheet), self.logo.as_deref())
    }
}

/// What failures of a cloud call the settings.
const KEYS: Keys = Keys {
    kind: "programme",
    address: "output",
    password: "password_file",
};

/// Makes an instance.
pub(crate) fn build(settings: Value, kit: &Kit) -> Result<Box<dyn Tool>, Vec<Finding>> {
    let settings: Settings = raccord_kit::settings::settings(settings)?;
    let wrong: Vec<Finding> = [("page", &settings.page), ("signup", &settings.signup)]
        .into_iter()
        .filter(|(_, address)| {
            address
                .as_ref()
                .is_some_and(|url| !qr::is_address(url.as_str()))
        })
        .map(|(key, _)| Finding::of(key, &failures::address(key)))
        .collect();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut wrong = Gathered::default();
    let (inline, file) = (settings.password, settings.password_file.as_deref());
    let password = wrong.take("password", SecretSource::new("password", inline, file, kit));
    let login = Login {
        user: settings.user.as_deref(),
        password: password.flatten(),
    };
    let output = wrong.take("output", Output::of(&settings.output, login, KEYS, kit));
    let Some(output) = output else {
        return Err(wrong.findings());
    };
    let looks = Looks {
        template: settings.template.map(|path| kit.path(path)),
        leaflet: settings.leaflet_template.map(|path| kit.path(path)),
        logo: settings.logo.map(|path| kit.path(path)),
    };
    let mut sheets = match settings.layout {
        Layout::A4 => vec![Sheet::Wall],
        Layout::A5Leaflet => vec![Sheet::Leaflet],
        Layout::Both => vec![Sheet::Wall, Sheet::Leaflet],
    };
    if settings.signup_sheets {
        sheets.push(Sheet::Signup);
    }
    sheets.push(Sheet::Since);
    Ok(Box::new(Programme {
        target: settings.output.get(),
        output,
        sheets: sheets
            .into_iter()
            .map(|sheet| (sheet, looks.read(sheet)))
            .collect(),
        looks,
        links: Links {
            page: settings.page,
            signup: settings.signup,
        },
        typesetter: Typesetter::new(kit.program.clone(), Limits::default()),
        place: kit.place.clone(),
        clock: Arc::clone(&kit.clock),
    }))
}

impl Tool for Programme {
    fn describe(&self) -> Manifest {
        Manifest {
            kind: "programme".into(),
            source: false,
            handles: vec![Handling {
                entity: EntityKind::Activity,
                mode: Mode::Publication(Period::Month),
                class: Class::Address,
                settle_s: 0,
                grace_s: 0,
                policy: Policy::NeverLost,
                read_back: false,
            }],
            // Two children at once, for boards with two cores and little memory.
            parallel: 2,
            per_second: 0,
            rights: Words::new(
                "Écrire dans le dossier output.",
                "To write to the folder output.",
            ),
        }
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(async {
            let mut findings = Vec::new();
            if let Some(Err(failure)) = self.output.disk().map(writable) {
                findings.push(Finding::of(self.output.shown(), &failure));
            }
            findings.extend(self.output.look().await);
            // What lies in the files now, which may not be what was read at the start.
            let document = trial::document(&self.place, &self.links);
            for (sheet, _) in &self.sheets {
                let replaced = self.looks.of(*sheet).or(self.looks.logo.as_deref());
                let place = match replaced {
                    Some(path) => path.display().to_string(),
                    None => "template".to_owned(),
                };
                let typeset = match self.looks.read(*sheet) {
                    Ok(template) => {
                        let body = match sheet {
                            Sheet::Since => to_value(&trial::since(&document)),
                            _ => to_value(&document),
                        };
                        let mut body = dated(body, trial::DAY, document.lang);
                        edition::stamp(&mut body, Digest::default(), Digest::default(), 1);
                        template.name_logo(&mut body);
                        self.typesetter.typeset(&template, &body).await.map(drop)
                    }
                    Err(failure) => Err(failure),
                };
                if let Err(failure) = typeset {
                    findings.push(Finding::of(place, &failure));
                    break; // The next sheet would say the same.
                }
            }
            findings
        })
    }

    fn choices(&self) -> BoxFuture<'_, Result<Vec<Choice>, Failure>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn source(&self) -> Option<&dyn Source> {
        None
    }

    fn sink(&self) -> Option<&dyn Sink> {
        Some(self)
    }
}

impl Sink for Programme {
    fn target(&self) -> String {
        self.target.clone()
    }

    fn lost(&self, objects: &[String]) -> Vec<String> {
        let Some(root) = self.output.disk() else {
            return Vec::new();
        };
        let is_lost = |object: &&String| {
            let path = files::inside(root, object);
            path.is_ok_and(|path| files::is_missing(&path))
        };
        objects.iter().filter(is_lost).cloned().collect()
    }

    fn missing<'a>(&'a self, objects: &'a [String]) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move {
            if self.output.disk().is_some() || objects.is_empty() {
                return Vec::new();
            }
            // What cannot be looked at is not gone: the next write tells.
            let Ok(there) = self.output.names("").await else {
                return Vec::new();
            };
            let is_missing = |object: &&String| !there.contains(*object);
            objects.iter().filter(is_missing).cloned().collect()
        })
    }

    fn printed(&self, desired: &Desired) -> Option<Fields> {
        since::kept(&desired.body["document"]["weeks"])
    }

    fn render(&self, subject: Subject<'_>, context: &Context<'_>) -> Rendered {
        let Subject::Publication { key, members, .. } = subject else {
            return Rendered::Nothing;
        };
        let Some(month) = Month::of_key(key) else {
            return Rendered::Nothing;
        };
        let activities = document::printable(members, month);
        if activities.is_empty() {
            return Rendered::Nothing;
        }
        let tasks = hands::by_activity(members, context.lang);
        let (place, lang) = (context.place, context.lang);
        let mut document = document::compose(&activities, &tasks, month, place, &self.links, lang);
        document.fingerprint = document::fingerprint(members, lang);
        document.undated = document::undated(members, lang);
        if !self.sheets.iter().any(|(sheet, _)| *sheet == Sheet::Signup) {
            document::without_signup(&mut document);
        }
        let wall = Wall::of(members, month);
        let since = wall.as_ref().and_then(|wall| since::since(wall, &document));
        let sheets: Vec<Sheet> = self
            .sheets
            .iter()
            .map(|(sheet, _)| *sheet)
            .filter(|sheet| *sheet != Sheet::Since || since.is_some())
            .collect();
        let hash = document::digest(&document, self.look(&sheets, since.as_ref()));
        let alone: Vec<Sheet> = sheets
            .iter()
            .copied()
            .filter(|sheet| *sheet != Sheet::Since)
            .collect();
        let print = document::digest(&document, self.look(&alone, None));
        let mut body = json!({
            "month": month.key(),
            "sheets": sheets,
            "print": print,
            "document": dated(to_value(&document), context.today, context.lang),
        });
        if let Some(since) = &since {
            body["since"] = dated(to_value(since), context.today, context.lang);
        }
        let outdated = since
            .as_ref()
            .zip(wall.as_ref())
            .map(|(since, wall)| Box::new(since::outdated(since, wall, month)));
        let listing = |lang| {
            let tasks = hands::by_activity(members, lang);
            item::listing(&activities, &tasks, month, lang)
        };
        Rendered::Object(Desired {
            outdated,
            hash,
            title: document.title.clone(),
            body,
            text: Words::new(listing(Lang::Fr), listing(Lang::En)),
        })
    }

    fn find<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Found, Failure>> {
        Box::pin(async move {
            let listed = self.clock.now();
            let Job::Write { desired, .. } = job else {
                return Ok(Found::CannotTell);
            };
            let month = Owed::of(&desired.body)?;
            let mut edition = 0;
            for sheet in Sheet::ALL {
                let owed = month.sheets.contains(&sheet);
                match self.kept(&sheet.file(&month.key)).await {
                    Ok(Some(kept)) if owed && month.is(sheet, &kept, desired.hash) => {
                        edition = kept.edition();
                    }
                    Ok(None) if !owed => {}
                    Ok(_) => return Ok(Found::No { listed }),
                    // A cloud that is away is asked again; a file that cannot be read never tells.
                    Err(failure) => return Err(failure),
                }
            }
            Ok(Found::Yes(month.applied(edition)))
        })
    }

    fn apply<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Made, Failure>> {
        Box::pin(async move {
            match job {
                Job::Write {
                    entity,
                    desired,
                    link,
                } => self.write(*entity, desired, link.as_ref()).await,
                Job::Remove { link, .. } => self.remove(link).await,
                Job::Seek { .. } => Err(failures::not_ours("seek")),
                Job::Send { .. } => Err(failures::not_ours("send")),
            }
        })
    }
}

impl Programme {
    /// The digest of how `sheets` look.
    fn look(&self, sheets: &[Sheet], since: Option<&Since>) -> Digest {
        let templates: Vec<Digest> = self
            .sheets
            .iter()
            .filter(|(sheet, _)| sheets.contains(sheet))
            .map(|(_, template)| {
                template
                    .as_ref()
                    .map_or(Digest::default(), Template::digest)
            })
            .collect();
        let look = serde_json::to_vec(&(sheets, templates, since))
            .expect("what is owed always serialises into memory");
        Digest::of(&look)
    }

    async fn write(
        &self,
        publication: EntityId,
        desired: &Desired,
        link: Option<&Link>,
    ) -> Result<Made, Failure> {
        let month = Owed::of(&desired.body)?;
        let kept = self.kept(&month.first().file(&month.key)).await?;
        let number = edition::number(link, kept.as_ref(), desired.hash, month.print);
        // All of them are made before the first is put in its place.
        let mut made = Vec::new();
        for sheet in &month.sheets {
            let path = sheet.file(&month.key);
            let there = self.kept(&path).await?;
            if there.is_some_and(|kept| {
                kept.edition() == number && month.is(*sheet, &kept, desired.hash)
            }) {
                continue; // The same edition keeps its date.
            }
            let template = self.template(*sheet)?;
            let part = match sheet {
                Sheet::Since => "since",
                Sheet::Wall | Sheet::Leaflet | Sheet::Signup => "document",
            };
            let mut data = desired.body[part].clone();
            edition::stamp(&mut data, desired.hash, month.print, number);
            template.name_logo(&mut data);
            let bytes = self.typesetter.typeset(template, &data).await?;
            made.push((path, bytes));
        }
        let mut unchanged = true;
        for (path, bytes) in &made {
            let changed = self.output.write(path, bytes, is_ours).await?;
            unchanged &= !changed;
            tracing::debug!(
                publication.id = %publication,
                bytes = bytes.len(),
                changed,
                "programme written"
            );
        }
        for sheet in Sheet::ALL {
            if !month.sheets.contains(&sheet) {
                let path = sheet.file(&month.key);
                unchanged &= !self.output.remove(&path, is_ours).await?;
            }
        }
        Ok(Made {
            applied: month.applied(number),
            unchanged,
        })
    }

    /// Takes every sheet of a month away.
    async fn remove(&self, link: &Link) -> Result<Made, Failure> {
        match Sheet::key(&link.external) {
            Some(key) => {
                for sheet in Sheet::ALL {
                    self.output.remove(&sheet.file(key), is_ours).await?;
                }
            }
            None => {
                self.output.remove(&link.external, is_ours).await?;
            }
        }
        Ok(Applied {
            external: link.external.clone(),
            tag: None,
            url: None,
        }
        .into())
    }

    fn template(&self, sheet: Sheet) -> Result<&Template, Failure> {
        self.sheets
            .iter()
            .find(|(each, _)| *each == sheet)
            .ok_or_else(|| failures::not_ours("a sheet that is not made any more"))?
            .1
            .as_ref()
            .map_err(Clone::clone)
    }

    /// What stands at a path of the folder.
    async fn kept(&self, path: &str) -> Result<Option<Kept>, Failure> {
        Ok(self.output.read(path).await?.map(Kept::of))
    }
}

/// Whether a file is one that we made: in a cloud other people keep files beside ours.
fn is_ours(bytes: &[u8]) -> bool {
    Kept::of(bytes.to_vec()).is_ours()
}

/// What a delivery asks for.
struct Owed {
    key: String,
    /// What can be read on the programme itself.
    print: Digest,
    sheets: Vec<Sheet>,
}

impl Owed {
    fn of(body: &Value) -> Result<Self, Failure> {
        let key = body["month"]
            .as_str()
            .ok_or_else(|| failures::not_ours("no month"))?;
        let sheets: Vec<Sheet> = serde_json::from_value(body["sheets"].clone())
            .map_err(|_| failures::not_ours("unknown sheets"))?;
        if sheets.is_empty() {
            return Err(failures::not_ours("no sheet"));
        }
        let print = serde_json::from_value(body["print"].clone())
            .map_err(|_| failures::not_ours("no content"))?;
        Ok(Self {
            key: key.to_owned(),
            print,
            sheets,
        })
    }

    fn first(&self) -> Sheet {
        self.sheets[0]
    }

    /// Whether `kept` is what `sheet` should be. What was printed of the month itself stays as it
    /// is when only the sheet of changes is another.
    fn is(&self, sheet: Sheet, kept: &Kept, hash: Digest) -> bool {
        match sheet {
            Sheet::Since => kept.carries(hash),
            Sheet::Wall | Sheet::Leaflet | Sheet::Signup => kept.shows(self.print),
        }
    }

    fn applied(&self, edition: u32) -> Applied {
        Applied {
            external: self.first().file(&self.key),
            tag: Some(edition.to_string()),
            url: None,
        }
    }
}

fn to_value(data: &impl Serialize) -> Value {
    serde_json::to_value(data).expect("what is printed always serialises")
}

/// The data a template sees, with the day it was made. The day is no part of the digest: a programme
/// that did not change is not a new edition.
fn dated(mut data: Value, today: Date, lang: Lang) -> Value {
    data["date"] = today.to_string().into();
    data["made"] = typography::long_date(today, lang).into();
    data
}

/// Whether files can be written to `folder`, or it can be made. Leaves nothing behind.
fn writable(folder: &Path) -> Result<(), Failure> {
    let there = folder
        .ancestors()
        .find(|path| path.as_os_str().is_empty() || path.exists())
        .unwrap_or(folder);
    let there = if there.as_os_str().is_empty() {
        Path::new(".")
    } else {
        there
    };
    if !there.is_dir() {
        return Err(failures::not_a_folder(there));
    }
    rustix::fs::access(there, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|errno| failures::not_writable(there, &errno.into()))?;
    files::can_write(folder)
}
