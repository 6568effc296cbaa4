//! Ways to a sheet that is not on the disk: what stands at an address, read and never written.
//!
//! Every request here only asks: GET, PROPFIND, SEARCH. An organiser's document is never changed.

pub(crate) mod address;
mod cloud;
mod file;
mod grist;
mod parts;
mod rooms;

use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use raccord_kit::http::{Answer, Http, Request, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::{Finding, Kit};
use raccord_model::{Digest, Failure};

use crate::cursor::Cursor;
use crate::{KIND, refusals};
use address::Address;
use cloud::{Cloud, Spot};
use parts::Parts;

/// How long an address may take to hand out a whole sheet.
const TIME: Duration = Duration::from_secs(30);

/// What stands at an address.
pub(crate) enum Document {
    /// A file.
    File { name: String, bytes: Bytes },
    /// Rooms of EtherCalc: the title of each as a tab, and what its server says of it.
    Rooms(Vec<(String, Bytes)>),
    /// Tables of Grist.
    Tables(Vec<Table>),
}

/// A table of Grist as its server says it.
pub(crate) struct Table {
    pub(crate) name: String,
    /// What stands before each record's number in its own id.
    pub(crate) mark: String,
    pub(crate) columns: Bytes,
    pub(crate) records: Bytes,
}

/// What a look at an address brought.
pub(crate) enum Found {
    /// The address says itself that nothing changed.
    Same,
    /// What stands there, whether it changed or not.
    News(Box<News>),
}

pub(crate) struct News {
    pub(crate) document: Document,
    /// The address's own mark of this state, and its date of it.
    pub(crate) etag: Option<String>,
    pub(crate) modified: Option<String>,
    /// The marks of what was read in parts.
    pub(crate) marks: Option<Vec<(Target, String)>>,
}

impl News {
    fn of(document: Document) -> Self {
        Self {
            document,
            etag: None,
            modified: None,
            marks: None,
        }
    }
}

/// The way to one address.
pub(crate) struct Reach {
    http: Http,
    address: Address,
    /// What the address turned out to be once its page was seen.
    learnt: OnceLock<Address>,
    user: Option<String>,
    password: Option<SecretSource>,
    cloud: Option<Cloud>,
    parts: Parts,
    /// The only tab that is wanted.
    sheet: Option<String>,
    /// What a CSV is called, where the address does not name it.
    name: String,
}

impl Reach {
    pub(crate) fn new(
        address: Address,
        user: Option<String>,
        mut password: Option<SecretSource>,
        sheet: Option<String>,
        kit: &Kit,
    ) -> Result<Self, Failure> {
        let cloud = match &address {
            Address::Cloud { server, spot } => {
                let user = user.clone();
                Some(Cloud::new(
                    server,
                    spot.clone(),
                    user,
                    password.take(),
                    kit,
                )?)
            }
            _ => None,
        };
        Ok(Self {
            http: Http::new(KIND, kit)?,
            address,
            learnt: OnceLock::new(),
            user,
            password,
            cloud,
            parts: Parts::default(),
            sheet,
            name: kit.name.to_string(),
        })
    }

    /// What stands there, unless the address itself says that it is what it was.
    pub(crate) async fn read(&self, before: Option<&Cursor>) -> Result<Found, Failure> {
        let known = before.map(|before| before.digest);
        match self.learnt.get().unwrap_or(&self.address) {
            Address::File(target) => match self.file(target, before).await {
                Err(file::Unread::Page(page)) => {
                    let learnt = address::of_page(&page.target, &page.body);
                    let learnt = learnt.ok_or_else(crate::error::web_page)?;
                    let learnt = self.learnt.get_or_init(|| learnt);
                    self.read_parts(learnt, known).await
                }
                Err(file::Unread::Failed(failure)) => Err(*failure),
                Ok(found) => Ok(found),
            },
            Address::Google(target) => self.google(target, before).await,
            Address::Cloud { .. } => match &self.cloud {
                Some(cloud) => cloud.read(before, &self.name).await,
                None => Err(refusals::odd_answer("")),
            },
            parted => self.read_parts(parted, known).await,
        }
    }

    /// Rooms and tables, which are several answers.
    async fn read_parts(&self, address: &Address, known: Option<Digest>) -> Result<Found, Failure> {
        if let Some(known) = known
            && self.is_unchanged(known).await?
        {
            return Ok(Found::Same);
        }
        let news = match address {
            Address::EtherCalc {
                rooms,
                room,
                several: false,
            } => self.room(rooms, room).await?,
            Address::EtherCalc { rooms, room, .. } => self.rooms(rooms, room).await?,
            Address::Grist {
                document,
                name,
                table,
            } => self.tables(document, name, table.as_deref()).await?,
            // A page never turns out to be anything else.
            Address::File(target) | Address::Google(target) => {
                return Err(refusals::odd_answer(target.host()));
            }
            Address::Cloud { server, .. } => return Err(refusals::odd_answer(server.host())),
        };
        Ok(Found::News(Box::new(news)))
    }

    /// Keeps the marks of what was read in parts and came to `digest`.
    pub(crate) fn remember(&self, digest: Digest, marks: Option<Vec<(Target, String)>>) {
        self.parts.remember(digest, marks);
    }

    /// Asks for `target`, with the key of Grist where there is one.
    async fn ask(&self, request: Request) -> Result<Answer, Failure> {
        let grist = matches!(
            self.learnt.get().unwrap_or(&self.address),
            Address::Grist { .. }
        );
        let request = match &self.password {
            Some(key) if grist => request.bearer(&key.read()?),
            _ => request,
        };
        Ok(self.http.send(request.time(TIME)).await?)
    }

    /// What is wrong with the secret, without asking anybody.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let of_cloud = self.cloud.as_ref().and_then(Cloud::password);
        let password = self.password.as_ref().or(of_cloud);
        password.map(SecretSource::findings).unwrap_or_default()
    }
}

/// Whether an answer is a page for people.
fn is_page(answer: &Answer) -> bool {
    let media = answer.media_type();
    media.is_some_and(|media| matches!(media.as_str(), "text/html" | "application/xhtml+xml"))
}

/// What is wrong with an account at an address of this kind, by its key.
pub(crate) fn account_wrong(
    address: &Address,
    user: bool,
    password: bool,
) -> Option<(&'static str, Failure)> {
    let half = |key| (key, crate::error::half_an_account(key));
    let unwanted = |key| (key, refusals::account_unwanted(key));
    match address {
        Address::Google(_) | Address::EtherCalc { .. } | Address::Grist { .. } if user => {
            Some(unwanted("user"))
        }
        Address::Google(_) | Address::EtherCalc { .. } if password => {
            Some(unwanted("password_file"))
        }
        Address::Cloud {
            spot: Spot::Share { .. },
            ..
        } if user && !password => Some(half("password_file")),
        Address::Cloud {
            spot: Spot::Path(_) | Spot::Number(_),
            ..
        } if !user && !password => Some(("location", refusals::account_wanted())),
        Address::File(_)
        | Address::Cloud {
            spot: Spot::Path(_) | Spot::Number(_),
            ..
        } if user != password => Some(half(if user { "password_file" } else { "user" })),
        _ => None,
    }
}
