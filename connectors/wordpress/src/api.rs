//! The calls of WordPress's REST interface; the only file that knows addresses.
//!
//! Seen on Debian's WordPress 6.1.9 with an account of the role Author.

use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use jiff::SignedDuration;
use raccord_kit::http::{Answer, Http, Request, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::{Clock, Learnt};
use raccord_model::{Blame, Failure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::{self, Doing};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// How long an answer may be, in bytes: a page of a hundred long posts.
const SIZE: u64 = 30_000_000;
/// How many posts a page has at most; more is refused.
const PAGE: usize = 100;
/// How many pages are read at most: five thousand posts of one account.
const PAGES: usize = 50;
/// Every state a post can be in: `any` leaves out the trash.
const STATES: &str = "publish,future,draft,pending,private,trash";
/// What is asked for of a post.
const FIELDS: &str = "id,status,modified_gmt,link,title,content";
/// How long a password that was refused is not shown again: security plugins lock accounts.
const REFUSED: SignedDuration = SignedDuration::from_mins(30);
/// How many of the posts that changed last are looked at in each reading.
const NEWS: usize = 20;

pub(crate) struct Api {
    http: Http,
    site: Target,
    user: String,
    pub(crate) password: Option<SecretSource>,
    /// Where the interface is, once it was found.
    root: Mutex<Option<Target>>,
    /// The account's own number, once it was asked for.
    me: Mutex<Option<u64>>,
    refused: Learnt,
    clock: Arc<dyn Clock>,
}

/// A post, as whoever may edit it sees it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Post {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) modified_gmt: String,
    #[serde(default)]
    pub(crate) link: String,
    #[serde(default)]
    pub(crate) title: Raw,
    #[serde(default)]
    pub(crate) content: Raw,
}

/// A text as it is stored, and as it is shown; the first only to whoever may edit it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Raw {
    #[serde(default)]
    pub(crate) raw: String,
    #[serde(default)]
    pub(crate) rendered: String,
}

impl Post {
    /// Whether somebody put it in the trash.
    pub(crate) fn is_trashed(&self) -> bool {
        self.status == "trash"
    }

    /// Whether visitors of the site see it, or will.
    pub(crate) fn is_published(&self) -> bool {
        matches!(&*self.status, "publish" | "future")
    }
}

/// The account, as it sees itself.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Me {
    pub(crate) id: u64,
    #[serde(default)]
    capabilities: serde_json::Map<String, Value>,
}

impl Me {
    pub(crate) fn may(&self, what: &str) -> bool {
        self.capabilities.get(what) == Some(&Value::Bool(true))
    }
}

/// What the interface says of the site.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Site {
    #[serde(default)]
    namespaces: Vec<String>,
    #[serde(default)]
    authentication: Value,
}

impl Site {
    pub(crate) fn is_wordpress(&self) -> bool {
        self.namespaces.iter().any(|one| one == "wp/v2")
    }

    pub(crate) fn has_application_passwords(&self) -> bool {
        self.authentication.get("application-passwords").is_some()
    }
}

/// A category of posts.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Category {
    pub(crate) id: u64,
    /// As it is shown: with entities.
    #[serde(default)]
    pub(crate) name: String,
}

impl Api {
    pub(crate) fn new(
        http: Http,
        site: Target,
        user: String,
        password: Option<SecretSource>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            http,
            site,
            user,
            password,
            root: Mutex::default(),
            me: Mutex::default(),
            refused: Learnt::believed(REFUSED),
            clock,
        }
    }

    pub(crate) fn host(&self) -> &str {
        self.site.host()
    }

    /// The site, as the settings say it.
    pub(crate) fn site(&self) -> &str {
        self.site.url().as_str()
    }

    /// Where the interface is, as the site's own front page says; where it says nothing, at the
    /// address that every site has. Nothing of the account is shown for that.
    async fn root(&self) -> Result<Target, Failure> {
        if let Some(known) = lock(&self.root).clone() {
            return Ok(known);
        }
        let request = Request::get(&self.site).discard_body();
        let answer = self.http.send(request).await.map_err(Failure::from)?;
        if answer.status.is_server_error() || answer.status == StatusCode::TOO_MANY_REQUESTS {
            return Err(self.http.refusal(&answer, false).into());
        }
        let told = announced(&answer).and_then(|address| self.site.join(&address).ok());
        // Only where the account's password may go.
        let told = told.filter(|told| told.may_know_what(&self.site));
        let root = match told {
            Some(root) => root,
            None => self.site.query("rest_route", "/"),
        };
        *lock(&self.root) = Some(root.clone());
        Ok(root)
    }

    /// The address of a route, with its questions.
    async fn at(&self, route: &str, query: &[(&str, &str)]) -> Result<Target, Failure> {
        let root = self.root().await?;
        let url = root.url();
        let plain = !url.query_pairs().any(|(name, _)| name == "rest_route");
        let mut target = if plain {
            let slash = if url.path().ends_with('/') { "" } else { "/" };
            root.join(&format!("{}{slash}{route}", url.path()))?
        } else {
            let bare = root.join(url.path())?;
            bare.query("rest_route", &format!("/{route}"))
        };
        for (name, value) in query {
            target = target.query(name, value);
        }
        Ok(target)
    }

    async fn send(&self, request: Request, doing: Doing) -> Result<Answer, Failure> {
        let password = self.password.as_ref().ok_or_else(failure::no_password)?;
        let password = password.read()?;
        if self.refused.was(&password, self.clock.now()) {
            return Err(failure::credentials(self.host()));
        }
        let request = request.basic(&self.user, &password).size(SIZE);
        let request = match doing {
            Doing::Creating => request.once(),
            _ => request,
        };
        let answer = self.http.send(request).await.map_err(|error| {
            let failure = Failure::from(error);
            match failure.blame {
                // We know which post it is: saying the same again is harmless.
                Blame::Unknown if doing != Doing::Creating => Failure {
                    blame: Blame::Transient,
                    ..failure
                },
                _ => failure,
            }
        })?;
        if answer.status.is_success() && !answer.redirected {
            return Ok(answer);
        }
        if answer.redirected {
            return Err(failure::no_wordpress(self.host()));
        }
        let failure = failure::refusal(&self.http, &answer, doing);
        if answer.status == StatusCode::UNAUTHORIZED {
            self.refused.note(&password, self.clock.now());
        }
        if failure.blame != Blame::Transient {
            // It may have moved.
            *lock(&self.root) = None;
        }
        Err(failure)
    }

    async fn read<T: DeserializeOwned>(
        &self,
        request: Request,
        doing: Doing,
    ) -> Result<(T, Answer), Failure> {
        let answer = self.send(request, doing).await?;
        if let Some(read) = parsed(&answer.body) {
            return Ok((read, answer));
        }
        *lock(&self.root) = None;
        let failure = failure::no_wordpress(self.host());
        Err(match doing {
            // It may have been made all the same.
            Doing::Creating => Failure {
                blame: Blame::Unknown,
                ..failure
            },
            _ => failure,
        })
    }

    async fn get<T: DeserializeOwned>(
        &self,
        route: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        let target = self.at(route, query).await?;
        let (read, _) = self.read(Request::get(&target), Doing::Reading).await?;
        Ok(read)
    }

    async fn post(&self, route: &str, body: &Value, doing: Doing) -> Result<Post, Failure> {
        let query = [("context", "edit"), ("_fields", FIELDS)];
        let target = self.at(route, &query).await?;
        let request = Request::post(&target, body.to_string()).header(header::CONTENT_TYPE, JSON);
        let (post, _) = self.read(request, doing).await?;
        Ok(post)
    }

    /// What the interface says of the site, to anybody.
    pub(crate) async fn about(&self) -> Result<Site, Failure> {
        *lock(&self.root) = None;
        let target = self
            .at("", &[("_fields", "namespaces,authentication")])
            .await?;
        let answer = self
            .http
            .send(Request::get(&target).size(SIZE))
            .await
            .map_err(Failure::from)?;
        if !answer.status.is_success() {
            return Err(failure::refusal(&self.http, &answer, Doing::Asking));
        }
        parsed(&answer.body).ok_or_else(|| failure::no_wordpress(self.host()))
    }

    /// The account, with what it may do.
    pub(crate) async fn me(&self) -> Result<Me, Failure> {
        let query = [("context", "edit"), ("_fields", "id,capabilities")];
        let me: Me = self.get("wp/v2/users/me", &query).await?;
        *lock(&self.me) = Some(me.id);
        Ok(me)
    }

    async fn my_number(&self) -> Result<u64, Failure> {
        let known = *lock(&self.me);
        match known {
            Some(id) => Ok(id),
            None => Ok(self.me().await?.id),
        }
    }

    /// The categories there are.
    pub(crate) async fn categories(&self) -> Result<Vec<Category>, Failure> {
        let query = [("per_page", "100"), ("_fields", "id,name")];
        self.get("wp/v2/categories", &query).await
    }

    /// One post that we may edit; nothing where there is none of that number any more.
    pub(crate) async fn one(&self, id: u64) -> Result<Option<Post>, Failure> {
        let query = [("context", "edit"), ("_fields", FIELDS)];
        match self.get(&format!("wp/v2/posts/{id}"), &query).await {
            Ok(post) => Ok(Some(post)),
            Err(failure) if failure.absent => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The post of the account that `is` finds, in whatever state. Every post is looked at: a search
    /// is a plugin's to answer, and unknown questions are answered with everything.
    pub(crate) async fn mine(&self, is: impl Fn(&Post) -> bool) -> Result<Option<Post>, Failure> {
        let me = self.my_number().await?.to_string();
        for page in 1..=PAGES {
            let page = page.to_string();
            let query = [
                ("context", "edit"),
                ("_fields", FIELDS),
                ("author", &me),
                ("status", STATES),
                ("orderby", "id"),
                ("order", "desc"),
                ("per_page", "100"),
                ("page", &page),
            ];
            let target = self.at("wp/v2/posts", &query).await?;
            let (posts, answer): (Vec<Post>, Answer) =
                self.read(Request::get(&target), Doing::Reading).await?;
            let many = posts.len();
            if let Some(found) = posts.into_iter().find(&is) {
                return Ok(Some(found));
            }
            // A page beyond the last is refused.
            let pages: Option<usize> = answer
                .header(&HeaderName::from_static("x-wp-totalpages"))
                .and_then(|text| text.parse().ok());
            if pages.map_or(many < PAGE, |pages| {
                page.parse().is_ok_and(|at: usize| at >= pages)
            }) {
                return Ok(None);
            }
        }
        Err(failure::too_many(self.host(), PAGES * PAGE))
    }

    /// The posts of these numbers, in whatever state.
    pub(crate) async fn these(&self, ids: &[u64]) -> Result<Vec<Post>, Failure> {
        let mut all = Vec::new();
        for part in ids.chunks(PAGE) {
            let ids: Vec<String> = part.iter().map(u64::to_string).collect();
            let query = [
                ("context", "edit"),
                ("_fields", FIELDS),
                ("include", &ids.join(",")),
                ("status", STATES),
                ("per_page", "100"),
            ];
            let posts: Vec<Post> = self.get("wp/v2/posts", &query).await?;
            all.extend(posts);
        }
        Ok(all)
    }

    /// What of ours changed last: a few bytes where nothing did.
    pub(crate) async fn news(&self) -> Result<Vec<(u64, String, String)>, Failure> {
        let me = self.my_number().await?.to_string();
        let query = [
            ("context", "edit"),
            ("_fields", "id,status,modified_gmt"),
            ("author", &me),
            ("status", STATES),
            ("orderby", "modified"),
            ("per_page", &NEWS.to_string()),
        ];
        let posts: Vec<Post> = self.get("wp/v2/posts", &query).await?;
        let row = |post: Post| (post.id, post.status, post.modified_gmt);
        Ok(posts.into_iter().map(row).collect())
    }

    /// Posts of anybody that visitors see and that hold these words.
    pub(crate) async fn with_words(&self, words: &str) -> Result<Vec<Post>, Failure> {
        let query = [("search", words), ("per_page", "50"), ("_fields", FIELDS)];
        self.get("wp/v2/posts", &query).await
    }

    /// Makes a post. A repeat is a second one.
    pub(crate) async fn create(&self, body: &Value) -> Result<Post, Failure> {
        self.post("wp/v2/posts", body, Doing::Creating).await
    }

    /// Changes what is named in `body`, and nothing else.
    pub(crate) async fn change(&self, id: u64, body: &Value) -> Result<Post, Failure> {
        self.post(&format!("wp/v2/posts/{id}"), body, Doing::Changing)
            .await
    }

    /// Puts a post in the trash; one that is there already is as good.
    pub(crate) async fn throw_away(&self, id: u64) -> Result<(), Failure> {
        let target = self.at(&format!("wp/v2/posts/{id}"), &[]).await?;
        let request = Request::new(Method::DELETE, &target).discard_body();
        match self.send(request, Doing::Changing).await {
            Err(failure) if failure.absent => Ok(()),
            sent => sent.map(drop),
        }
    }
}

/// The address that a page's head says the interface has.
fn announced(answer: &Answer) -> Option<String> {
    let links = answer.headers.get_all(header::LINK).iter();
    let links = links.filter_map(|value| value.to_str().ok());
    links.flat_map(|text| text.split(',')).find_map(|link| {
        let (address, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
        let api = rest.replace(' ', "").contains("rel=\"https://api.w.org/\"");
        api.then(|| address.to_owned())
    })
}

/// What an answer says. Warnings of a site's own code may stand before it.
fn parsed<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok().or_else(|| {
        let text = std::str::from_utf8(body).ok()?;
        let lines = text.match_indices(['{', '[']).take(8);
        lines
            .map(|(at, _)| &text[at..])
            .find_map(|rest| serde_json::from_str(rest).ok())
    })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_behind_the_warnings_of_a_plugin_and_no_page_is_one() {
        let warned = b"\xef\xbb\xbf<br />\n<b>Warning</b>: foo() [bar] in x.php on line 3\n{\"id\":7,\"status\":\"draft\"}";
        let post: Post = parsed(warned).unwrap();
        assert_eq!((post.id, &*post.status), (7, "draft"));
        assert!(parsed::<Post>(b"<html>{}</html>").is_none());
        assert!(parsed::<Vec<Post>>(b"").is_none());
    }
}
