//! The verbs: what a month should look like, and the file it becomes.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;
use raccord_kit::{BoxFuture, Choice, Clock, Finding, Job, Kit, Made, Sink, Source, Tool, files};
use raccord_model::{
    Activity, Applied, Civil, Class, Context, Desired, Digest, EntityId, EntityKind, Failure,
    Found, Handling, Lang, Manifest, Mode, Period, Place, Policy, Rendered, Status, Subject, Words,
};
use rustix::fs::Access;
use serde_json::{Value, json};

use crate::child::{self, Limits};
use crate::document::{self, Document, Month};
use crate::failures;
use crate::settings::{Layout, Settings};
use crate::template::Template;
use crate::typography;

/// No programme we wrote weighs more.
const FILE_BYTES: u64 = 32 * 1024 * 1024;

struct Programme {
    output: PathBuf,
    template_path: Option<PathBuf>,
    /// As it was when the connector was made; a failure is told by `check` and by each delivery.
    template: Result<Template, Failure>,
    program: PathBuf,
    place: Place,
    clock: Arc<dyn Clock>,
}

/// Makes an instance.
pub(crate) fn build(settings: Value, kit: &Kit) -> Result<Box<dyn Tool>, Failure> {
    let settings: Settings = raccord_kit::settings::settings(settings)?;
    match settings.layout {
        Layout::A4 => {}
        Layout::A5Leaflet => return Err(failures::leaflet()),
    }
    let template_path = settings.template.map(|path| kit.path(path));
    let template = match &template_path {
        None => Ok(Template::ours()),
        Some(path) => Template::read(path),
    };
    Ok(Box::new(Programme {
        output: kit.path(settings.output),
        template_path,
        template,
        program: kit.program.clone(),
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
            parallel: 1,
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
            if let Err(failure) = writable(&self.output) {
                findings.push(Finding::of(self.output.display().to_string(), &failure));
            }
            // What lies in the file now, which may not be what was read at the start.
            let (place, template) = match &self.template_path {
                None => ("template".to_owned(), Ok(Template::ours())),
                Some(path) => (path.display().to_string(), Template::read(path)),
            };
            let typeset = match template {
                Ok(template) => {
                    let body = body_of(&example(&self.place), Digest::default(), example_day());
                    child::typeset(&self.program, &template, &body, Limits::default())
                        .await
                        .map(drop)
                }
                Err(failure) => Err(failure),
            };
            if let Err(failure) = typeset {
                findings.push(Finding::of(place, &failure));
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
        let document = document::compose(&activities, month, context.place, context.lang);
        let template = match &self.template {
            Ok(template) => template.digest(),
            Err(_) => Digest::default(),
        };
        let hash = document::digest(&document, template);
        Rendered::Object(Desired {
            hash,
            title: document.title.clone(),
            body: json!({
                "file": month.file(),
                "document": body_of(&document, hash, context.today),
            }),
            text: Words::new(
                document::listing(&activities, month, Lang::Fr),
                document::listing(&activities, month, Lang::En),
            ),
        })
    }

    fn find<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Found, Failure>> {
        Box::pin(async move {
            let listed = self.clock.now();
            let Job::Write { desired, .. } = job else {
                return Ok(Found::CannotTell);
            };
            let path = self.file(&desired.body)?;
            match carries(&path, &keyword(desired.hash)) {
                Ok(true) => Ok(Found::Yes(applied(&path))),
                Ok(false) => Ok(Found::No { listed }),
                Err(_) => Ok(Found::CannotTell),
            }
        })
    }

    fn apply<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Made, Failure>> {
        Box::pin(async move {
            match job {
                Job::Write {
                    entity, desired, ..
                } => self.write(*entity, desired).await,
                Job::Remove { link, .. } => {
                    let path = files::inside(&self.output, &link.external)?;
                    files::remove(&path)?;
                    Ok(applied(&path).into())
                }
                Job::Seek { .. } => Err(failures::not_ours("seek")),
                Job::Send { .. } => Err(failures::not_ours("send")),
            }
        })
    }
}

impl Programme {
    async fn write(&self, publication: EntityId, desired: &Desired) -> Result<Made, Failure> {
        let path = self.file(&desired.body)?;
        let template = self.template.as_ref().map_err(Clone::clone)?;
        let data = &desired.body["document"];
        let bytes = child::typeset(&self.program, template, data, Limits::default()).await?;
        let written = files::write(&path, &bytes)?;
        tracing::debug!(
            publication.id = %publication,
            bytes = bytes.len(),
            outcome = ?written,
            "programme written"
        );
        Ok(Made {
            applied: applied(&path),
            unchanged: written == files::Written::Same,
        })
    }

    fn file(&self, body: &Value) -> Result<PathBuf, Failure> {
        let name = body["file"]
            .as_str()
            .ok_or_else(|| failures::not_ours("no file name"))?;
        files::inside(&self.output, name)
    }
}

/// The data a template sees: the document, its digest, and the day of this edition. The day is no
/// part of the digest: a programme that did not change is not a new edition.
fn body_of(document: &Document, hash: Digest, today: Date) -> Value {
    let mut body = serde_json::to_value(document).expect("a document always serialises");
    body["date"] = today.to_string().into();
    body["edition"] = typography::long_date(today, document.lang).into();
    body["keywords"] = json!([keyword(hash)]);
    body
}

/// What is written into the file's properties, so that it can be known again.
fn keyword(hash: Digest) -> String {
    format!("raccord:{hash}")
}

fn applied(path: &Path) -> Applied {
    Applied {
        external: path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
        tag: None,
        url: None,
    }
}

/// Whether the file at `path` holds `word`.
fn carries(path: &Path, word: &str) -> io::Result<bool> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes
        .windows(word.len())
        .any(|part| part == word.as_bytes()))
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
        .map_err(|errno| failures::not_writable(there, &errno.into()))
}

fn example_day() -> Date {
    Date::constant(2027, 1, 1)
}

/// A small month with one of everything, to try a template on.
fn example(place: &Place) -> Document {
    let activity = |day: i8, title: &str, status| Activity {
        id: EntityId::derive(&[title.as_bytes()]),
        title: title.to_owned(),
        kind: "Atelier".into(),
        start: Civil::Minute(Date::constant(2027, 1, day).at(18, 30, 0, 0)),
        end: Some(Civil::Minute(Date::constant(2027, 1, day).at(20, 30, 0, 0))),
        zone: place.zone.clone(),
        all_day: false,
        room: "Grande halle".into(),
        organiser: "Coordination".into(),
        contact: String::new(),
        description: "Pour essayer le modèle.".into(),
        visibility: raccord_model::Visibility::Public,
        capacity: Some(20),
        credits: Some(150),
        guide: String::new(),
        status,
        tags: Vec::new(),
        url: String::new(),
        series: None,
        extra: raccord_model::Fields::new(),
    };
    let mut whole_days = activity(9, "Stage", Status::Tentative);
    whole_days.start = Civil::Day(Date::constant(2027, 1, 9));
    whole_days.end = Some(Civil::Day(Date::constant(2027, 1, 10)));
    let mut bare = activity(30, "Portes ouvertes", Status::Confirmed);
    bare.end = None;
    for text in [
        &mut bare.kind,
        &mut bare.room,
        &mut bare.organiser,
        &mut bare.description,
    ] {
        text.clear();
    }
    (bare.capacity, bare.credits) = (None, None);
    let month = Month {
        first: example_day(),
    };
    let activities = [activity(2, "Essai", Status::Full), whole_days, bare];
    document::compose(&activities, month, place, place.lang)
}
