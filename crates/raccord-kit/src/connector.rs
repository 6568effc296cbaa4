//! The seven verbs: `describe`, `check`, `observe`, `render`, `find`, `apply`, `choices`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use raccord_model::{
    Applied, ConnectorName, Context, Desired, Difference, EntityId, Event, Failure, Fields, Found,
    Link, Manifest, Movement, Observation, Offered, Place, Rendered, Subject, Words,
};
use serde::Serialize;
use serde_json::Value;

use crate::Clock;
use crate::hook::Hook;

/// A future in a box, so that the traits stay usable behind `dyn`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Makes an instance of a connector from its settings.
///
/// # Errors
/// Everything that is wrong with them, with the key of each as its place.
pub type Build = fn(Value, &Kit) -> Result<Box<dyn Tool>, Vec<Finding>>;

/// What stands in the program's connector table: one `const` per crate.
#[derive(Clone, Copy)]
pub struct Connector {
    /// The `kind` in the configuration.
    pub kind: &'static str,
    /// The connector's crate version.
    pub version: &'static str,
    /// `connector.toml`, embedded: title, owner, roles, tool versions tried, guarantees.
    pub card: &'static str,
    /// What its settings look like (the keys besides `kind`). A path that no other instance of the
    /// kind may have too is marked `x-alone`.
    pub settings: crate::settings::Shape,
    /// Makes an instance from its settings, reading nothing but secrets' files.
    ///
    /// # Errors
    /// Everything that is not accepted, with the key of each as its place.
    pub build: Build,
}

/// What the program gives every connector instance.
#[derive(Clone)]
pub struct Kit {
    /// The instance's name.
    pub name: ConnectorName,
    /// The place it works for.
    pub place: Place,
    /// The place's own colour, `#rrggbb`; empty where it has none.
    pub colour: String,
    /// The folder of `raccord.toml`: relative paths start there.
    pub base: PathBuf,
    /// Where it reads the time.
    pub clock: Arc<dyn Clock>,
    /// Address ranges that addresses from data may reach although they are private.
    pub allow_private: Arc<[String]>,
    /// The texts of the templates that routes to it name, by that name. Of a name that stands here
    /// without a text the file cannot be read.
    pub templates: Arc<BTreeMap<String, Option<String>>>,
    /// The reactions to announcements that routes to it take for a sign-up, as the routes name them.
    pub signups: Arc<[String]>,
    /// Whether the place has pages on which people sign up.
    pub has_hands: bool,
    /// The running program, for work that is done in a child process (typesetting).
    pub program: PathBuf,
}

impl Kit {
    /// `path` as seen from the configuration's folder.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.base.join(path)
    }
}

/// A configured instance of a connector.
pub trait Tool: Send + Sync {
    /// Roles, effect class and settle time per entity, limits, rights. Never fails, asks nobody.
    fn describe(&self) -> Manifest;

    /// Reaches the tool and says what is wrong, where, and the mend. Writes nothing.
    fn check(&self) -> BoxFuture<'_, Vec<Finding>>;

    /// What can be picked in the tool (calendars, channels, lists).
    ///
    /// # Errors
    /// When the tool cannot be asked.
    fn choices(&self) -> BoxFuture<'_, Result<Vec<Choice>, Failure>>;

    /// Its reading half.
    fn source(&self) -> Option<&dyn Source>;

    /// Its writing half.
    fn sink(&self) -> Option<&dyn Sink>;

    /// Its reading half, where people edit what its writing half wrote: it is told what is ours.
    fn shared(&self) -> Option<&dyn Shared> {
        None
    }

    /// What it brings to the pages on which people sign up; none for a tool without such pages.
    fn welcome(&self) -> Option<&dyn Welcome> {
        None
    }

    /// The till it brings; none for a tool that has its own.
    fn till(&self) -> Option<&dyn Till> {
        None
    }

    /// What it brings to the page on which people choose a letter; none for a tool without such a page.
    fn subscribing(&self) -> Option<&dyn Subscribing> {
        None
    }

    /// What it brings to the page on which people give their number; none for a tool that sends no
    /// short messages.
    fn numbers(&self) -> Option<&dyn Numbers> {
        None
    }

    /// The half that the tool calls at `POST /hooks/<connector>`; none where it never calls, or no
    /// secret is set for that.
    fn hook(&self) -> Option<&dyn Hook> {
        None
    }
}

/// What the pages on which people sign up need beside the engine: who runs things, and the way to send
/// somebody the link by which they sign in.
pub trait Welcome: Send + Sync {
    /// Whether the person with this address may note who came.
    fn is_organiser(&self, email: &str) -> bool;

    /// Whether links can be sent at all.
    fn sends(&self) -> bool;

    /// Sends a link, once. It is a secret, and so is the address: neither stands in an error.
    ///
    /// # Errors
    /// As the mail server refuses.
    fn send_link<'a>(&'a self, link: &'a SignIn) -> BoxFuture<'a, Result<(), Failure>>;
}

/// A till of the place's own: who serves there, and what people read of it.
pub trait Till: Send + Sync {
    /// Whether the person with this address may take payments.
    fn serves(&self, email: &str) -> bool;

    /// Where credits can be spent, in the place's words.
    fn spend_at(&self) -> &str;
}

/// What the page on which people choose a letter needs beside the engine.
pub trait Subscribing: Send + Sync {
    /// Sends the link by which somebody confirms that they want it, once. It is a secret, and so is the
    /// address: neither stands in an error.
    ///
    /// # Errors
    /// As the mail server refuses.
    fn send_link<'a>(&'a self, link: &'a SignIn) -> BoxFuture<'a, Result<(), Failure>>;
}

/// What the page on which people give their number needs: how numbers are read, and the way to send
/// somebody the code by which they show that one is theirs.
pub trait Numbers: Send + Sync {
    /// A number as networks write it, `+262692123456`, of what somebody wrote; nothing where it is
    /// none.
    fn number(&self, text: &str) -> Option<String>;

    /// Sends a code, once. It is a secret, and so is the number: neither stands in an error.
    ///
    /// # Errors
    /// As what sends refuses, and once enough was sent for the day.
    fn send_code<'a>(&'a self, proof: &'a Proof) -> BoxFuture<'a, Result<(), Failure>>;
}

/// A code by which somebody shows that a number is theirs, and to which it goes.
#[derive(Clone)]
pub struct Proof {
    /// What tells it from others; no secret.
    pub key: String,
    /// To which number, as [`Numbers::number`] gives it.
    pub number: String,
    /// The code.
    pub code: String,
    /// How long it is good, in minutes.
    pub minutes: i64,
    /// The language to write in.
    pub lang: raccord_model::Lang,
}

/// A link by which somebody signs in, and to whom it goes.
#[derive(Clone)]
pub struct SignIn {
    /// What tells it from others; no secret.
    pub key: String,
    /// To whom.
    pub email: String,
    /// The link.
    pub address: String,
    /// How long it is good, in minutes.
    pub minutes: i64,
    /// The language to write in.
    pub lang: raccord_model::Lang,
    /// The hour of the letter.
    pub at: jiff::Timestamp,
}

/// A tool that is written, and read for what people made of it: a calendar, a board.
pub trait Shared: Send + Sync {
    /// What of it is ours, told before each reading. The reading brings the edits of these; what is
    /// not among them are lines of other people.
    fn ours(&self, links: Vec<(EntityId, Link)>);
}

/// A source that says of what it is by a title: the answers of a form.
pub trait Titles: Send + Sync {
    /// What one can sign up for here, told before each reading where it may have changed.
    fn offered(&self, offered: Vec<Offered>);
}

/// A tool that is read.
pub trait Source: Send + Sync {
    /// What the tool holds now, or what changed since `cursor`. The cursor is stored with what was
    /// decided from the observation, in one commit.
    ///
    /// # Errors
    /// When the tool cannot be read, or answers with something that is not what was asked for.
    fn observe<'a>(
        &'a self,
        cursor: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Observation, Failure>>;

    /// Resolves with true as soon as there is something new since `cursor`, for tools that keep a
    /// question open until then; with false when the tool closed it, or could not be asked. It is
    /// dropped unanswered at any time: what it learns of changes it leaves to the reading. Then the
    /// source is read, or the question asked again.
    fn news<'a>(&'a self, _cursor: Option<&'a str>) -> BoxFuture<'a, bool> {
        Box::pin(std::future::pending())
    }

    /// Whether it brings what another place offers. Every line of it then says so in
    /// [`raccord_model::ORIGIN`], has the other's own id, and goes nowhere unasked but where
    /// [`Sink::shows_around`] says so.
    fn foreign(&self) -> bool {
        false
    }

    /// Whether the tool counts the places of what it holds of ours, and so what it says of sign-ups
    /// for that is a fact. Such a tool is also a [`Sink`], whose objects tell what that is, and
    /// [`Shared`], to name our activities and tasks in what it says.
    fn counts(&self) -> bool {
        false
    }

    /// Takes what one can sign up for here, for a source that names it by its title.
    fn titles(&self) -> Option<&dyn Titles> {
        None
    }

    /// How often it is to be read, and for local files which file to watch.
    fn every(&self) -> (std::time::Duration, Option<PathBuf>);
}

/// A tool that is written.
pub trait Sink: Send + Sync {
    /// Where its objects stand (a folder, an address and a calendar), as the settings say it. Once
    /// that changes nothing of ours is there yet, and everything is made or looked for again.
    /// Empty for a tool that holds no objects.
    fn target(&self) -> String;

    /// Those among `objects`, by what the tool calls them, that are certainly not there any more:
    /// somebody deleted them, or exchanged the folder. Writes nothing and asks no network; what
    /// only the tool itself can tell comes out at the next write.
    fn lost(&self, _objects: &[String]) -> Vec<String> {
        Vec::new()
    }

    /// The same for objects that only the tool itself can tell of, where that costs a request or two
    /// for all of them: asked once at the start and in each pass. Writes nothing; a tool that cannot
    /// be asked has lost nothing.
    fn missing<'a>(&'a self, _objects: &'a [String]) -> BoxFuture<'a, Vec<String>> {
        Box::pin(std::future::ready(Vec::new()))
    }

    /// What a person reads on a printed copy of `desired`, kept with the mark that it hangs on a wall
    /// and handed back with it among the members of the publication, under `extra`. Pure; `None`
    /// where nothing is printed, or more than can be kept.
    fn printed(&self, _desired: &Desired) -> Option<Fields> {
        None
    }

    /// Whether it has a page of its own for what other places offer, where each thing says whose it
    /// is. Such a sink gets that unasked; any other gets it by a route that names its origin.
    fn shows_around(&self) -> bool {
        false
    }

    /// Who may approve and reject holds by a message there, by what the tool calls them; nobody
    /// unless the settings name them.
    fn approvers(&self) -> Vec<String> {
        Vec::new()
    }

    /// Compares what the tool holds with the `entries` that were sent there, once a day: everything
    /// that differs, one sentence each, without personal values. Writes nothing. `None` where the
    /// tool cannot tell.
    ///
    /// # Errors
    /// When the tool cannot be asked.
    fn compare<'a>(
        &'a self,
        _entries: &'a [Entry],
    ) -> BoxFuture<'a, Result<Option<Vec<Difference>>, Failure>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Everything that went into one person's wallet and out of it, oldest first, also what is not of
    /// ours: `entries` is what was sent there for that person, and shows whose wallet it is. Writes
    /// nothing. `None` where the tool keeps no wallets, or cannot tell.
    ///
    /// # Errors
    /// When the tool cannot be asked.
    fn wallet<'a>(
        &'a self,
        _entries: &'a [Entry],
    ) -> BoxFuture<'a, Result<Option<Vec<Movement>>, Failure>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// What the tool has no way to do, said as a question to a person who can: yes says that it was
    /// done by hand, no that it is left. Asked instead of [`Sink::apply`]; pure.
    fn by_hand(&self, _job: &Job) -> Option<Words> {
        None
    }

    /// The object the tool should hold. Pure: depends on nothing but the arguments and the settings.
    fn render(&self, subject: Subject<'_>, context: &Context<'_>) -> Rendered;

    /// Looks whether an earlier attempt of `job` took effect; of [`Job::Seek`], whether there is
    /// an object.
    ///
    /// # Errors
    /// When the tool cannot be asked.
    fn find<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Found, Failure>>;

    /// Makes one effect, once. Never retries by itself.
    ///
    /// # Errors
    /// With the blame that decides what happens next; `Unknown` whenever a byte of the request may
    /// have reached the tool and no answer came back.
    fn apply<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Made, Failure>>;
}

/// An entity that was sent to a tool, for a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The event that was sent (personal values in place).
    pub event: Event,
    /// Whether the tool confirmed it. Else it is on its way, or waits for a person: it may be there.
    pub done: bool,
}

/// One effect that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// What the tool calls the object.
    pub applied: Applied,
    /// The tool held exactly this already: people are told that it was looked at, not that it
    /// changed.
    pub unchanged: bool,
}

impl From<Applied> for Made {
    fn from(applied: Applied) -> Self {
        Self {
            applied,
            unchanged: false,
        }
    }
}

/// One effect, as a sink sees it.
#[derive(Clone, Debug, PartialEq)]
pub enum Job {
    /// Send an event: the exact body, and the key of its repeats.
    Send {
        /// The event (personal values in place).
        event: Box<Event>,
        /// The structured-mode CloudEvent; a repeat has the same bytes.
        body: Vec<u8>,
    },
    /// Bring an object to a state.
    Write {
        /// The entity or publication.
        entity: EntityId,
        /// What the tool should hold.
        desired: Desired,
        /// What it holds, as far as we know.
        link: Option<Link>,
    },
    /// Take an object away.
    Remove {
        /// The entity or publication.
        entity: EntityId,
        /// What it holds; its `external` is empty where only the entity tells which object that
        /// is, if there is one at all.
        link: Link,
    },
    /// Only for `find`: whether there is an object of this entity at all, whatever it shows. An
    /// earlier attempt may have made one that is no longer wanted.
    Seek {
        /// The entity or publication.
        entity: EntityId,
    },
}

/// One result of `check`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The key, file or address it is about.
    #[serde(rename = "where")]
    pub place: String,
    /// A stable code.
    pub code: String,
    /// How bad it is.
    pub level: Level,
    /// What is wrong.
    pub text: Words,
    /// What to do.
    pub mend: Words,
}

impl Finding {
    /// A failure, as `check` reports it.
    pub fn of(place: impl Into<String>, failure: &Failure) -> Self {
        Self {
            place: place.into(),
            code: failure.code.clone(),
            level: Level::Error,
            text: failure.text.clone(),
            mend: failure.mend.clone(),
        }
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The connector cannot work.
    Error,
    /// It works, but somebody should look.
    Warning,
}

/// Something to pick in a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The settings key it is for.
    pub key: String,
    /// The value to write there.
    pub value: String,
    /// What people call it.
    pub title: String,
}
