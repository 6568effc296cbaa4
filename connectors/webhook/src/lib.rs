//! Posts every event to an address, in the order of its lane, signed as Standard Webhooks 1.0.0
//! say (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>),
//! as structured-mode CloudEvents 1.0.
//!
//! A repeat has the same `webhook-id` and the same bytes; timestamp and signature are fresh. It
//! refuses to change an event, to follow redirects, and to take anything back.

#![allow(
    clippy::result_large_err,
    reason = "a Failure carries words for people; it is rare, and never on a fast path"
)]

mod config;
mod sign;

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use raccord_kit::http::{Http, Request, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::settings::{Gathered, settings};
use raccord_kit::{
    BoxFuture, Choice, Connector, Finding, Job, Kit, Level, Made, Sink, Source, Tool,
};
use raccord_model::{
    Applied, Blame, Class, Context, EntityKind, Failure, Found, Handling, Manifest, Mode, Policy,
    Rendered, Subject, Words,
};
use serde_json::Value;

use config::Settings;
use sign::Key;

/// The connector, for the program's table.
pub const CONNECTOR: Connector = Connector {
    kind: KIND,
    version: env!("CARGO_PKG_VERSION"),
    card: include_str!("../connector.toml"),
    settings: raccord_kit::settings::Shape::of::<Settings>(),
    build,
};

const KIND: &str = "webhook";
/// Many receivers keep one worker per connection: this many they all stand.
const PARALLEL: u16 = 32;
/// How long `check` waits: a person is watching.
const LOOK: Duration = Duration::from_secs(10);

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const STRUCTURED: HeaderValue = HeaderValue::from_static("application/cloudevents+json");

fn build(value: Value, kit: &Kit) -> Result<Box<dyn Tool>, Vec<Finding>> {
    let settings: Settings = settings(value)?;
    let mut wrong = Gathered::default();
    let target = wrong.take("url", Target::configured("url", &settings.url));
    let http = wrong.take("", Http::new(KIND, kit));
    let file = settings.secret_file.as_deref();
    let secret = SecretSource::new("secret", settings.secret, file, kit);
    match (target, http, wrong.take("secret", secret)) {
        (Some(target), Some(http), Some(secret)) => Ok(Box::new(Webhook {
            target,
            http,
            kit: kit.clone(),
            secret,
        })),
        _ => Err(wrong.findings()),
    }
}

/// A configured receiver.
struct Webhook {
    target: Target,
    secret: Option<SecretSource>,
    http: Http,
    kit: Kit,
}

impl Webhook {
    /// Reads the key as it is now, so that a replaced secret works with no restart.
    fn key(&self) -> Result<Option<Key>, Failure> {
        let Some(source) = &self.secret else {
            return Ok(None);
        };
        Key::parse(&source.read()?, &source.key()).map(Some)
    }

    /// Signs a request, with a timestamp that is fresh at each attempt.
    fn sign(&self, request: Request, id: &str, body: &[u8]) -> Result<Request, Failure> {
        let at = self.kit.clock.now().as_second();
        let request = request
            .header(ID, id)
            .header(TIMESTAMP, HeaderValue::from(at));
        Ok(match self.key()? {
            Some(key) => request.header(SIGNATURE, key.sign(id, at, body)),
            None => request,
        })
    }

    async fn send(&self, job: &Job) -> Result<Applied, Failure> {
        let Job::Send { event, body } = job else {
            return Err(not_asked_for());
        };
        let id = event.id.to_string();
        let request = Request::post(&self.target, body.clone())
            .header(header::CONTENT_TYPE, STRUCTURED)
            .discard_body();
        self.http.call(self.sign(request, &id, body)?).await?;
        Ok(Applied {
            external: id,
            ..Applied::default()
        })
    }

    /// Looks at the receiver with a signed `OPTIONS`, which changes nothing by its definition.
    async fn look(&self) -> Vec<Finding> {
        let mut findings = match &self.secret {
            Some(source) => source.findings(),
            None => vec![unsigned()],
        };
        match self.key() {
            Ok(Some(key)) if key.is_short() => findings.push(short_secret()),
            Err(failure) if findings.iter().all(|found| found.level != Level::Error) => {
                findings.push(Finding::of("secret", &failure));
            }
            _ => {}
        }
        let request = Request::new(Method::OPTIONS, &self.target)
            .time(LOOK)
            .discard_body();
        let request = match self.sign(request, "check", b"") {
            Ok(request) => request,
            // Told above.
            Err(_) => Request::new(Method::OPTIONS, &self.target).time(LOOK),
        };
        match self.http.send(request).await {
            Err(error) => findings.push(Finding::of("url", &error.into())),
            Ok(answer) if answer.redirected => findings.push(moved(self.target.host())),
            Ok(answer) => {
                let refuses_posts = answer.header(&header::ALLOW).is_some_and(|allowed| {
                    !allowed
                        .split(',')
                        .any(|method| method.trim().eq_ignore_ascii_case("POST"))
                });
                let level = match answer.status {
                    _ if refuses_posts => {
                        findings.push(no_posts(self.target.host()));
                        return findings;
                    }
                    // It is there; many receivers answer nothing but POST.
                    StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
                        return findings;
                    }
                    status if status.is_success() => return findings,
                    StatusCode::GONE => Level::Error,
                    // A receiver may treat a look differently from an event.
                    _ => Level::Warning,
                };
                let failure = self.http.refusal(&answer, false).into();
                findings.push(Finding {
                    level,
                    ..Finding::of("url", &failure)
                });
            }
        }
        findings
    }
}

impl Tool for Webhook {
    fn describe(&self) -> Manifest {
        Manifest {
            kind: KIND.to_owned(),
            source: false,
            handles: EntityKind::ALL
                .into_iter()
                .map(|entity| Handling {
                    entity,
                    mode: Mode::Each,
                    class: Class::Key,
                    settle_s: 0,
                    grace_s: 0,
                    // The receiver tells a repeat by its id: sending again is never wrong.
                    policy: Policy::NeverLost,
                    read_back: false,
                })
                .collect(),
            parallel: PARALLEL,
            per_second: 0,
            rights: Words::new(
                "Aucun compte : l’adresse et le secret partagé suffisent.",
                "No account: the address and the shared secret are enough.",
            ),
        }
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(self.look())
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

impl Sink for Webhook {
    fn target(&self) -> String {
        String::new()
    }

    fn render(&self, _: Subject<'_>, _: &Context<'_>) -> Rendered {
        // A receiver holds no objects: it is told events.
        Rendered::Nothing
    }

    fn find<'a>(&'a self, _: &'a Job) -> BoxFuture<'a, Result<Found, Failure>> {
        Box::pin(std::future::ready(Ok(Found::CannotTell)))
    }

    fn apply<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Made, Failure>> {
        Box::pin(async move { self.send(job).await.map(Made::from) })
    }
}

fn not_asked_for() -> Failure {
    Failure::new(
        Blame::Bug,
        "webhook.not-an-event",
        Words::new(
            "Un webhook n’envoie que des événements.",
            "A webhook sends nothing but events.",
        ),
        Words::new(
            "C’est une erreur de Raccord : signalez-la.",
            "This is a fault of Raccord: report it.",
        ),
    )
}

fn finding(key: &str, code: &str, level: Level, text: Words, mend: Words) -> Finding {
    Finding {
        place: key.to_owned(),
        code: format!("{KIND}.{code}"),
        level,
        text,
        mend,
    }
}

fn unsigned() -> Finding {
    finding(
        "secret_file",
        "unsigned",
        Level::Warning,
        Words::new(
            "Les envois ne sont pas signés : le destinataire ne peut pas savoir qu’ils viennent de vous.",
            "What is sent is not signed: the receiver cannot know that it comes from you.",
        ),
        Words::new(
            "Ajoutez « secret_file », avec un secret que le destinataire connaît aussi.",
            "Add “secret_file”, with a secret that the receiver knows too.",
        ),
    )
}

fn short_secret() -> Finding {
    finding(
        "secret_file",
        "short-secret",
        Level::Warning,
        Words::new(
            "Le secret est trop court pour bien protéger les envois.",
            "The secret is too short to protect what is sent.",
        ),
        sign::how_to_make_one(),
    )
}

fn moved(host: &str) -> Finding {
    finding(
        "url",
        "moved",
        Level::Error,
        Words::new(
            format!("{host} renvoie vers une autre adresse."),
            format!("{host} sends on to another address."),
        ),
        Words::new(
            "Écrivez la nouvelle adresse dans la configuration.",
            "Write the new address in the configuration.",
        ),
    )
}

fn no_posts(host: &str) -> Finding {
    finding(
        "url",
        "no-posts",
        Level::Error,
        Words::new(
            format!("{host} ne reçoit rien à cette adresse."),
            format!("{host} takes nothing at this address."),
        ),
        Words::new(
            "Vérifiez l’adresse dans la configuration.",
            "Check the address in the configuration.",
        ),
    )
}
