//! The letter as a draft in listmonk: a person of the place looks at it there, and presses send.
//!
//! Raccord never asks for a campaign's state to be changed, so that the account needs no right to send.
//! listmonk has no key against doubles: a campaign is looked for by our tag, then by its slug, which is
//! unique there, before anything is made.

mod api;
mod check;
mod failure;
mod go;

use raccord_kit::http::{Http, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::{Job, Kit, Made};
use raccord_mail::{Mailbox, Once};
use raccord_model::{Applied, Blame, Digest, EntityId, Failure, Found, fold_word};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::letter::{LEAVE, Period, Written};
use crate::sink::formless;
use api::{Api, Campaign};

/// What every campaign of ours is tagged with.
const OURS: &str = "raccord";

/// What settings say of it.
pub(crate) struct Way {
    /// Where it is.
    pub(crate) site: Target,
    /// The account.
    pub(crate) user: String,
    /// Its token.
    pub(crate) token: SecretSource,
    /// The list's name.
    pub(crate) list: String,
    /// The name of the template that shows a letter as it is.
    pub(crate) template: String,
    /// Who writes, with the name that is shown.
    pub(crate) from: String,
}

/// A listmonk that letters are drafted in.
pub(crate) struct Listmonk {
    api: Api,
    list: String,
    template: String,
    from: String,
    /// What stands behind the `@` in the names of mails.
    domain: String,
    kit: Kit,
    once: Once,
}

/// A campaign as it was prepared.
#[derive(Debug, Serialize, Deserialize)]
struct Prepared {
    /// What it is called, for ever.
    key: String,
    slug: String,
    name: String,
    subject: String,
    body: String,
    altbody: String,
}

impl Prepared {
    fn tag(&self) -> String {
        tag(&self.key)
    }

    fn words(&self) -> Digest {
        words(&self.subject, &self.body, &self.altbody)
    }
}

fn tag(key: &str) -> String {
    format!("{OURS}-{key}")
}

/// As much of a key as stands in a slug.
fn short(key: &str) -> &str {
    key.get(..8).unwrap_or(key)
}

/// What tells whether two campaigns say the same.
fn words(subject: &str, body: &str, altbody: &str) -> Digest {
    Digest::of(format!("{subject}\0{body}\0{altbody}").as_bytes())
}

/// What a campaign says now, and what it said when we wrote it.
fn says(there: &Campaign) -> (String, Option<&str>) {
    let text = there.altbody.as_deref().unwrap_or_default();
    let now = words(&there.subject, &there.body, text);
    (now.to_string(), there.attribs[OURS]["words"].as_str())
}

impl Listmonk {
    pub(crate) fn new(http: Http, way: Way, from: &Mailbox, kit: &Kit) -> Self {
        Self {
            api: Api::new(http, way.site, way.user, way.token, kit.clock.clone()),
            list: way.list,
            template: way.template,
            from: way.from,
            domain: from.domain().to_owned(),
            kit: kit.clone(),
            once: Once::default(),
        }
    }

    /// The page on which a plan says people leave.
    pub(crate) fn site(&self) -> String {
        self.api.page("")
    }

    fn key(&self, id: EntityId) -> String {
        let named = format!("{}/{}/{id}", self.kit.place.id.as_str(), self.kit.name);
        Digest::of(named.as_bytes()).to_string()[..20].to_owned()
    }

    /// A letter as a campaign.
    pub(crate) fn prepare(&self, id: EntityId, period: Period, written: &Written) -> Option<Value> {
        let key = self.key(id);
        let prepared = Prepared {
            slug: format!(
                "{OURS}-{}-{}-{}",
                period.kind(),
                period.month(),
                short(&key)
            ),
            name: written.subject.clone(),
            subject: go::line(&written.subject),
            body: go::html(&written.html, LEAVE),
            altbody: go::text(&written.text, LEAVE),
            key,
        };
        serde_json::to_value(&prepared).ok()
    }

    async fn list(&self) -> Result<u64, Failure> {
        let lists = self.api.lists().await?;
        let wanted = fold_word(&self.list);
        let found = lists.iter().find(|one| fold_word(&one.name) == wanted);
        let names = || lists.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        found
            .map(|one| one.id)
            .ok_or_else(|| failure::no_list(&self.list, self.api.host(), &names()))
    }

    async fn template(&self) -> Result<u64, Failure> {
        let templates = self.api.templates().await?;
        let wanted = fold_word(&self.template);
        let found = templates.iter().find(|one| fold_word(&one.name) == wanted);
        found
            .map(|one| one.id)
            .ok_or_else(|| failure::no_template(&self.template, self.api.host()))
    }

    /// The campaign of a key, whole: by its tag, which people can take off, then by its slug.
    async fn there(&self, key: &str) -> Result<Option<Campaign>, Failure> {
        let tagged = self.api.campaigns(Some(&tag(key))).await?;
        let end = format!("-{}", short(key));
        let has_slug = |one: &&Campaign| {
            let slug = one.archive_slug.as_deref().unwrap_or_default();
            slug.starts_with(OURS) && slug.ends_with(&end)
        };
        // A copy that somebody made of ours has its tags, and no slug.
        let found = tagged.iter().find(has_slug).or(tagged.first());
        let id = if let Some(found) = found {
            Some(found.id)
        } else {
            let all = self.api.campaigns(None).await?;
            all.iter().find(has_slug).map(|one| one.id)
        };
        match id {
            Some(id) => self.api.campaign(id).await.map(Some),
            None => Ok(None),
        }
    }

    pub(crate) async fn find(&self, job: &Job) -> Result<Found, Failure> {
        let listed = self.kit.clock.now();
        let (key, wanted) = match job {
            Job::Write { desired, .. } => {
                let prepared = read(&desired.body)?;
                (prepared.key.clone(), Some(prepared.words().to_string()))
            }
            Job::Seek { entity } => (self.key(*entity), None),
            Job::Remove { .. } | Job::Send { .. } => return Ok(Found::CannotTell),
        };
        let there = self.there(&key).await?;
        // One that said something else when we wrote it is brought up to date by the next attempt.
        let ours = |there: &Campaign| {
            let (_, wrote) = says(there);
            wanted.is_none() || wrote.is_none() || wrote == wanted.as_deref()
        };
        Ok(match there.filter(ours) {
            Some(there) => Found::Yes(self.applied(&there)),
            None => Found::No { listed },
        })
    }

    pub(crate) async fn apply(&self, body: &Value) -> Result<Made, Failure> {
        let wanted = read(body)?;
        // Whoever asks for the same at the same moment finds it made.
        let _turn = self.once.turn(&wanted.key).await;
        if let Some(there) = self.there(&wanted.key).await? {
            return self.bring(&there, &wanted).await;
        }
        let mut body = self.campaign(&wanted).await?;
        body["lists"] = json!([self.list().await?]);
        match self.api.create(&body).await {
            Ok(made) => Ok(self.applied(&made).into()),
            // A slug that is taken is answered 500, as is a campaign that was made all the same.
            Err(failure) if failure.blame == Blame::Unknown => {
                match self.there(&wanted.key).await {
                    Ok(Some(there)) => self.bring(&there, &wanted).await,
                    _ => Err(failure),
                }
            }
            Err(failure) => Err(failure),
        }
    }

    /// What a campaign of ours is made of, but for its lists.
    async fn campaign(&self, wanted: &Prepared) -> Result<Value, Failure> {
        let name = format!(
            "<{OURS}-{}-{{{{ .Subscriber.UUID }}}}@{}>",
            wanted.key, self.domain
        );
        Ok(json!({
            "name": wanted.name,
            "subject": wanted.subject,
            "from_email": self.from,
            "type": "regular",
            "content_type": "html",
            "messenger": "email",
            "body": wanted.body,
            "altbody": wanted.altbody,
            "template_id": self.template().await?,
            "tags": [OURS, wanted.tag()],
            // listmonk would draw one at random.
            "headers": [{ "Message-Id": name }],
            "archive_slug": wanted.slug,
            "attribs": { OURS: { "key": wanted.key, "words": wanted.words().to_string() } },
        }))
    }

    /// Brings a campaign that is there to what it should say, where nobody else had a hand in it.
    async fn bring(&self, there: &Campaign, wanted: &Prepared) -> Result<Made, Failure> {
        let (now, wrote) = says(there);
        let target = wanted.words().to_string();
        if now == target || wrote == Some(&*target) {
            return Ok(Made {
                applied: self.applied(there),
                unchanged: true,
            });
        }
        if !there.is_open() {
            return Err(failure::locked(&wanted.name, self.api.host()));
        }
        if wrote != Some(&*now) {
            return Err(failure::edited(&wanted.name, self.api.host()));
        }
        let mut body = self.campaign(wanted).await?;
        let mut tags = there.tags.clone();
        tags.extend([OURS.to_owned(), wanted.tag()]);
        tags.sort();
        tags.dedup();
        body["tags"] = json!(tags);
        let changed = self.api.change(there, &body).await?;
        Ok(self.applied(&changed).into())
    }

    fn applied(&self, there: &Campaign) -> Applied {
        Applied {
            external: there.id.to_string(),
            tag: None,
            url: Some(self.api.page(&format!("admin/campaigns/{}", there.id))),
        }
    }
}

fn read(body: &Value) -> Result<Prepared, Failure> {
    Prepared::deserialize(body).map_err(|_| formless())
}
