//! The server: posts, accounts, categories. Checked beside Debian's WordPress 6.1.9 by
//! `tests/tests/sites.rs`, which tells the same stories to the real one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use jiff::Timestamp;
use raccord_kit::standin::{Play, Reply, Seen};
use raccord_kit::{Clock as _, ManualClock};
use raccord_look::html;
use serde_json::{Value, json};
use url::Url;

use super::quirks::Quirk;

pub(crate) const USER: &str = "raccord";
pub(crate) const PASSWORD: &str = "password canary of wordpress";
/// The number of our account.
pub(crate) const ME: u64 = 2;
/// That of somebody of the site.
pub(crate) const ANNA: u64 = 1;

/// What goes wrong with the next request that asks for a change.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It is done, and nobody is told.
    LoseAnswer,
    /// It is not done, and the connection breaks.
    Reset,
    /// It is answered with this, and not done.
    Refuse(Reply),
}

#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) id: u64,
    pub(crate) author: u64,
    pub(crate) status: String,
    /// As it is stored.
    pub(crate) title: String,
    pub(crate) content: String,
    pub(crate) slug: String,
    pub(crate) modified: Timestamp,
    pub(crate) categories: Vec<u64>,
    pub(crate) meta: Value,
}

pub(crate) struct State {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) lost: Option<Quirk>,
    pub(crate) posts: Vec<Post>,
    pub(crate) password: String,
    pub(crate) capabilities: Vec<&'static str>,
    pub(crate) categories: BTreeMap<u64, String>,
    /// Whether addresses are pretty: `/wp-json/`.
    pub(crate) pretty: bool,
    /// Whether application passwords are offered.
    pub(crate) offers: bool,
    /// Whether some plugin complains before each answer.
    pub(crate) warns: bool,
    pub(crate) faults: VecDeque<Fault>,
    counter: u64,
}

/// A handle; clones are the same server.
#[derive(Clone)]
pub(crate) struct Server(Arc<Mutex<State>>);

impl Server {
    pub(crate) fn new(clock: Arc<ManualClock>, lost: Option<Quirk>) -> Self {
        Self(Arc::new(Mutex::new(State {
            clock,
            lost,
            posts: Vec::new(),
            password: PASSWORD.to_owned(),
            capabilities: vec![
                "edit_posts",
                "edit_published_posts",
                "publish_posts",
                "delete_posts",
                "upload_files",
            ],
            categories: [
                (1, "Non classé".to_owned()),
                (5, "Agenda &amp; co".to_owned()),
            ]
            .into(),
            pretty: false,
            offers: true,
            warns: false,
            faults: VecDeque::new(),
            counter: 10,
        })))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn fault(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    /// The titles of what is not in the trash, as they are read.
    pub(crate) fn titles(&self) -> Vec<String> {
        let state = self.state();
        let there = state.posts.iter().filter(|post| post.status != "trash");
        let mut titles: Vec<String> = there.map(|post| html::words(&post.title)).collect();
        titles.sort();
        titles
    }

    pub(crate) fn post(&self, title: &str) -> Post {
        let state = self.state();
        let found = state
            .posts
            .iter()
            .find(|post| html::words(&post.title) == title);
        found.unwrap_or_else(|| panic!("no post {title}")).clone()
    }

    /// Somebody edits a post on the site, in the classic editor or in that of blocks.
    pub(crate) fn edits(&self, id: &str, classic: bool, change: impl FnOnce(&mut Post)) {
        let mut state = self.state();
        let now = state.clock.now();
        let drops = state.has(Quirk::EditorsDropComments) && classic;
        let post = state
            .posts
            .iter_mut()
            .find(|post| post.id.to_string() == id)
            .unwrap();
        change(post);
        post.modified = now;
        if drops {
            post.content = without_comments(&post.content);
        }
    }

    /// Somebody puts a post in the trash.
    pub(crate) fn trashes(&self, id: &str) {
        let mut state = self.state();
        let now = state.clock.now();
        let post = state
            .posts
            .iter_mut()
            .find(|post| post.id.to_string() == id);
        let post = post.unwrap();
        "trash".clone_into(&mut post.status);
        post.modified = now;
    }

    /// A post of somebody of the site.
    pub(crate) fn writes(&self, title: &str, content: &str) -> u64 {
        let mut state = self.state();
        state.counter += 1;
        let (id, modified) = (state.counter, state.clock.now());
        state.posts.push(Post {
            id,
            author: ANNA,
            status: "publish".to_owned(),
            title: title.to_owned(),
            content: content.to_owned(),
            slug: id.to_string(),
            modified,
            categories: vec![1],
            meta: json!({}),
        });
        id
    }

    pub(crate) fn answer(&self, seen: &Seen) -> Play {
        let mut state = self.state();
        let url = Url::parse("http://h").unwrap().join(&seen.path).unwrap();
        match seen.writes().then(|| state.faults.pop_front()).flatten() {
            Some(Fault::Reset) => return Play::Reset,
            Some(Fault::Refuse(reply)) => return reply.into(),
            Some(Fault::LoseAnswer) => {
                state.serve(seen, &url);
                return Play::DoneThenReset;
            }
            None => {}
        }
        state.serve(seen, &url).into()
    }
}

fn without_comments(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once("<!--") {
        out.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

type Questions = BTreeMap<String, String>;

impl State {
    fn has(&self, quirk: Quirk) -> bool {
        self.lost != Some(quirk)
    }

    fn serve(&mut self, seen: &Seen, url: &Url) -> Reply {
        let questions: Questions = url.query_pairs().into_owned().collect();
        let route = match (questions.get("rest_route"), self.pretty) {
            (Some(route), _) => route.clone(),
            (None, true) if url.path().starts_with("/wp-json/") => {
                url.path()["/wp-json".len()..].to_owned()
            }
            _ if url.path() == "/" => return self.front(),
            _ => return Reply::status(404).body("<!doctype html><title>404</title>"),
        };
        let (status, body, total) = self.rest(seen, &route, &questions);
        let warning = if self.warns && self.has(Quirk::WarningsBeforeJson) {
            "<br />\n<b>Warning</b>: Undefined variable in <b>x.php</b> on line <b>3</b>\n"
        } else {
            ""
        };
        let mut reply = Reply::status(status)
            .body(format!("{warning}{body}"))
            .header("content-type", "application/json; charset=UTF-8");
        if let Some((total, pages)) = total {
            reply = reply
                .header("x-wp-total", &total.to_string())
                .header("x-wp-totalpages", &pages.to_string());
        }
        reply
    }

    /// The front page, which says where the interface is.
    fn front(&self) -> Reply {
        let page = Reply::ok("<!doctype html><title>Lieu</title>");
        let page = page.header("content-type", "text/html; charset=UTF-8");
        if !self.has(Quirk::AddressInTheHead) {
            return page;
        }
        let address = if self.pretty {
            "/wp-json/"
        } else {
            "/index.php?rest_route=/"
        };
        page.header("link", &format!("<{address}>; rel=\"https://api.w.org/\""))
    }

    fn rest(
        &mut self,
        seen: &Seen,
        route: &str,
        questions: &Questions,
    ) -> (u16, Value, Option<(usize, usize)>) {
        let parts: Vec<&str> = route.split('/').filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            return (200, self.index(), None);
        }
        let basic = format!("{USER}:{}", self.password);
        let basic = base64::engine::general_purpose::STANDARD.encode(basic);
        let shown = seen.header("authorization");
        let known = shown == format!("Basic {basic}");
        let edits = questions
            .get("context")
            .is_some_and(|context| context == "edit");
        if !known
            && (seen.writes() || edits || !shown.is_empty() || parts.ends_with(&["users", "me"]))
        {
            let (status, code) = if self.has(Quirk::EveryDoubtIs401) || shown.is_empty() {
                (401, "rest_not_logged_in")
            } else {
                (403, "incorrect_password")
            };
            return (status, error(code, status), None);
        }
        let body: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
        let (status, body, total) = match (seen.method.as_str(), &parts[..]) {
            ("GET", ["wp", "v2", "users", "me"]) => {
                let all = self
                    .capabilities
                    .iter()
                    .map(|one| ((*one).to_owned(), json!(true)));
                let all: serde_json::Map<String, Value> = all.collect();
                (
                    200,
                    json!({ "id": ME, "name": USER, "capabilities": all }),
                    None,
                )
            }
            ("GET", ["wp", "v2", "categories"]) => {
                let all = self.categories.iter();
                let all: Vec<Value> = all
                    .map(|(id, name)| json!({ "id": id, "name": name }))
                    .collect();
                (200, json!(all), None)
            }
            ("GET", ["wp", "v2", "posts"]) => self.list(questions, edits),
            ("POST", ["wp", "v2", "posts"]) => {
                let (status, body) = self.create(&body);
                (status, body, None)
            }
            (method, ["wp", "v2", "posts", id]) => {
                let (status, body) = self.one(method, id, seen, &body, edits);
                (status, body, None)
            }
            _ => (404, error("rest_no_route", 404), None),
        };
        (status, picked(body, questions), total)
    }

    fn index(&self) -> Value {
        let mut index = json!({
            "name": "Lieu", "namespaces": ["oembed/1.0", "wp/v2"], "authentication": [],
        });
        if self.offers || !self.has(Quirk::PasswordsOverHttpsOnly) {
            index["authentication"] = json!({
                "application-passwords": { "endpoints": { "authorization": "http://h/wp-admin/authorize-application.php" } },
            });
        }
        index
    }

    fn list(&self, questions: &Questions, edits: bool) -> (u16, Value, Option<(usize, usize)>) {
        let text = |name: &str| questions.get(name).map(String::as_str);
        let number = |name: &str, usual: usize| {
            text(name).map_or(usual, |text| text.parse().unwrap_or(usize::MAX))
        };
        let (size, page) = (number("per_page", 10), number("page", 1));
        if size > 100 && self.has(Quirk::HundredAPage) {
            return (400, error("rest_invalid_param", 400), None);
        }
        let states: Vec<&str> = text("status").unwrap_or("publish").split(',').collect();
        let in_state = |post: &Post| {
            let any =
                states == ["any"] && (post.status != "trash" || !self.has(Quirk::AnyHidesTrash));
            any || states.contains(&&*post.status)
        };
        let author = text("author").and_then(|text| text.parse::<u64>().ok());
        let ids: Option<Vec<&str>> = text("include").map(|ids| ids.split(',').collect());
        let search = text("search").map(str::to_lowercase);
        let slug = text("slug");
        let meta = text("meta_value").filter(|_| !self.has(Quirk::QuestionsIgnored));
        let mut all: Vec<&Post> = self
            .posts
            .iter()
            .filter(|post| in_state(post))
            .filter(|post| author.is_none_or(|author| post.author == author))
            .filter(|post| {
                ids.as_ref()
                    .is_none_or(|ids| ids.contains(&&*post.id.to_string()))
            })
            .filter(|post| slug.is_none_or(|slug| post.slug == slug))
            .filter(|post| meta.is_none_or(|meta| post.meta["raccord_id"] == meta))
            .filter(|post| {
                search.as_ref().is_none_or(|search| {
                    let said = html::text(&format!("{} {}", post.title, post.content));
                    let said = said.to_lowercase();
                    search.split_whitespace().all(|word| said.contains(word))
                })
            })
            .filter(|post| !edits || post.author == ME)
            .collect();
        match text("orderby") {
            Some("modified") => all.sort_by_key(|post| std::cmp::Reverse((post.modified, post.id))),
            _ => all.sort_by_key(|post| std::cmp::Reverse(post.id)),
        }
        let pages = all.len().div_ceil(size);
        if page > 1 && page > pages && self.has(Quirk::PageBeyondIs400) {
            return (400, error("rest_post_invalid_page_number", 400), None);
        }
        let shown = all.iter().skip((page - 1) * size).take(size);
        let shown: Vec<Value> = shown.map(|post| Self::shown(post, edits)).collect();
        (200, json!(shown), Some((all.len(), pages)))
    }

    fn shown(post: &Post, edits: bool) -> Value {
        let text = |stored: &str| {
            // Comments of the editor are not shown to visitors.
            let mut text = json!({ "rendered": without_comments(stored) });
            if edits {
                text["raw"] = json!(stored);
            }
            text
        };
        json!({
            "id": post.id, "status": post.status, "author": post.author, "type": "post",
            "slug": post.slug, "link": format!("http://h/?p={}", post.id),
            "modified_gmt": post.modified.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
            "title": text(&post.title), "content": text(&post.content),
            "categories": post.categories, "meta": post.meta,
        })
    }

    fn create(&mut self, body: &Value) -> (u16, Value) {
        self.counter += 1;
        let wanted = body["slug"].as_str().unwrap_or_default();
        let taken = self.posts.iter().any(|post| post.slug == wanted);
        let slug = if wanted.is_empty() || !taken {
            wanted.to_owned()
        } else if self.has(Quirk::SlugRepeats) {
            format!("{wanted}-2")
        } else {
            return (409, error("slug_taken", 409));
        };
        let mut post = Post {
            id: self.counter,
            author: ME,
            status: "draft".to_owned(),
            title: String::new(),
            content: String::new(),
            slug,
            modified: self.clock.now(),
            categories: vec![1],
            meta: json!({}),
        };
        if !self.has(Quirk::MetaDropped) {
            post.meta = body["meta"].clone();
        }
        self.change(&mut post, body);
        if post.title.is_empty() && post.content.is_empty() {
            return (400, error("empty_content", 400));
        }
        let shown = Self::shown(&post, true);
        self.posts.push(post);
        (201, shown)
    }

    /// What is stored of what an account may write that has no right to all of HTML.
    fn change(&self, post: &mut Post, body: &Value) {
        if let Some(title) = body["title"].as_str() {
            let mut title = title.to_owned();
            if self.has(Quirk::TagsTakenOut) {
                title = title.replace("<script>", "").replace("</script>", "");
            }
            if self.has(Quirk::AmpersandIsStored) {
                title = title.replace("&amp;", "&").replace('&', "&amp;");
                // What was an entity stays one.
                for known in ["lt", "gt", "quot", "#39"] {
                    title = title.replace(&format!("&amp;{known};"), &format!("&{known};"));
                }
            } else {
                title = html::text(&title);
            }
            post.title = title;
        }
        if let Some(content) = body["content"].as_str() {
            post.content = content.replace("<script>", "").replace("</script>", "");
        }
        if let Some(categories) = body["categories"].as_array() {
            post.categories = categories.iter().filter_map(Value::as_u64).collect();
        }
        if let Some(status) = body["status"].as_str() {
            status.clone_into(&mut post.status);
        }
        let date = body["date"]
            .as_str()
            .and_then(|date| date.parse::<Timestamp>().ok());
        let later = date.is_some_and(|date| date > self.clock.now());
        if later && post.status == "publish" && self.has(Quirk::FutureHides) {
            "future".clone_into(&mut post.status);
        }
        post.modified = self.clock.now();
    }

    fn one(
        &mut self,
        method: &str,
        id: &str,
        seen: &Seen,
        body: &Value,
        edits: bool,
    ) -> (u16, Value) {
        let at = self.posts.iter().position(|post| post.id.to_string() == id);
        let Some(at) = at else {
            return (404, error("rest_post_invalid_id", 404));
        };
        let hidden = self.posts[at].status == "trash" && !self.has(Quirk::TrashIsAnswered);
        if hidden {
            return (404, error("rest_post_invalid_id", 404));
        }
        let foreign = self.posts[at].author != ME && self.has(Quirk::OthersAre403);
        if foreign && (edits || method != "GET") {
            return (403, error("rest_cannot_edit", 403));
        }
        match method {
            "GET" => (200, Self::shown(&self.posts[at], edits)),
            "POST" => {
                if !seen.header("if-match").is_empty() && !self.has(Quirk::NoPrecondition) {
                    return (412, error("precondition", 412));
                }
                let mut post = self.posts[at].clone();
                self.change(&mut post, body);
                self.posts[at] = post;
                (200, Self::shown(&self.posts[at], true))
            }
            "DELETE" => {
                if self.posts[at].status == "trash" {
                    let status = if self.has(Quirk::SecondDeleteIs410) {
                        410
                    } else {
                        200
                    };
                    return (status, error("rest_already_trashed", status));
                }
                "trash".clone_into(&mut self.posts[at].status);
                (200, Self::shown(&self.posts[at], true))
            }
            _ => (405, error("rest_no_route", 405)),
        }
    }
}

fn error(code: &str, status: u16) -> Value {
    json!({ "code": code, "message": "…", "data": { "status": status } })
}

/// Only the fields that were asked for.
fn picked(body: Value, questions: &Questions) -> Value {
    let Some(fields) = questions.get("_fields") else {
        return body;
    };
    let fields: Vec<&str> = fields.split(',').collect();
    let pick = |mut one: Value| {
        if let Some(map) = one.as_object_mut().filter(|map| !map.contains_key("code")) {
            map.retain(|name, _| fields.contains(&&**name));
        }
        one
    };
    match body {
        Value::Array(all) => Value::Array(all.into_iter().map(pick).collect()),
        other => pick(other),
    }
}
