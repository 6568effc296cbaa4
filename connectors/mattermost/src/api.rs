//! The calls of Mattermost's API, version 4; the only file that knows addresses.
//!
//! Read from the server's source (10.7 and 11.x) and its own description of the API.

use std::sync::Arc;

use http::{HeaderValue, Method, StatusCode, header};
use raccord_chat::REFUSED;
use raccord_kit::http::{Answer, Fault, Http, Request, Socket, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::{Clock, Learnt};
use raccord_model::{Blame, Failure};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::failure::{self, Doing};
use crate::post::{Channel, Limits, Post, PostList, Team, User};

/// How many posts a page has: the server gives no more, whatever is asked.
pub(crate) const PAGE: usize = 200;
/// How many rows `since` gives at most; as many may be a part of more.
pub(crate) const SINCE: usize = 1_000;
/// A list of a thousand posts of full length.
const LIST: u64 = 80_000_000;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// One server, one account.
pub(crate) struct Api {
    http: Http,
    base: Target,
    pub(crate) token: Option<SecretSource>,
    refused: Learnt,
    clock: Arc<dyn Clock>,
}

/// A post to make.
pub(crate) struct NewPost<'a> {
    pub(crate) channel: &'a str,
    pub(crate) message: &'a str,
    /// The post that begins the thread; empty for none.
    pub(crate) root: &'a str,
    pub(crate) props: &'a Value,
    /// What the server knows this post by for the next 30 seconds.
    pub(crate) pending: &'a str,
}

impl Api {
    pub(crate) fn new(
        http: Http,
        base: Target,
        token: Option<SecretSource>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            http,
            base,
            token,
            refused: Learnt::believed(REFUSED),
            clock,
        }
    }

    pub(crate) fn host(&self) -> &str {
        self.base.host()
    }

    /// The address of the server, as the settings say it.
    pub(crate) fn site(&self) -> &str {
        self.base.url().as_str()
    }

    /// The address that people open to see a post.
    pub(crate) fn permalink(&self, team: &str, post: &str) -> Option<String> {
        let target = self.base.join(&format!("{team}/pl/{post}")).ok()?;
        Some(target.url().to_string())
    }

    pub(crate) fn secret(&self) -> Result<SecretString, Failure> {
        self.token.as_ref().ok_or_else(failure::no_token)?.read()
    }

    fn target(&self, path: &str) -> Result<Target, Failure> {
        self.base.join(&format!("api/v4/{path}"))
    }

    async fn send(&self, request: Request, doing: Doing) -> Result<Answer, Failure> {
        let token = self.secret()?;
        if self.refused.was(&token, self.clock.now()) {
            return Err(failure::credentials(self.host()));
        }
        let request = request.bearer(&token);
        let request = match doing {
            Doing::Posting => request.once(),
            Doing::Reading | Doing::Changing => request,
        };
        let answer = self.http.send(request).await.map_err(|error| {
            let failure = Failure::from(error);
            match failure.blame {
                // We know which post it is: saying the same again is harmless.
                Blame::Unknown if doing == Doing::Changing => Failure {
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
            return Err(failure::no_mattermost(self.host()));
        }
        if answer.status == StatusCode::UNAUTHORIZED {
            self.refused.note(&token, self.clock.now());
        }
        Err(failure::refusal(&self.http, &answer, doing))
    }

    async fn read<T: DeserializeOwned>(
        &self,
        request: Request,
        doing: Doing,
    ) -> Result<T, Failure> {
        let answer = self.send(request, doing).await?;
        serde_json::from_slice(&answer.body).map_err(|_| {
            let failure = failure::no_mattermost(self.host());
            match doing {
                // It may have been posted all the same.
                Doing::Posting => Failure {
                    blame: Blame::Unknown,
                    ..failure
                },
                Doing::Reading | Doing::Changing => failure,
            }
        })
    }

    async fn get<T: DeserializeOwned>(&self, target: &Target) -> Result<T, Failure> {
        self.read(Request::get(target).size(LIST), Doing::Reading)
            .await
    }

    fn with_body(method: Method, target: &Target, body: &Value) -> Request {
        Request::new(method, target)
            .header(header::CONTENT_TYPE, JSON)
            .body(body.to_string())
    }

    /// The connection on which the server tells what happens.
    pub(crate) async fn socket(&self) -> Result<Socket, Failure> {
        let token = self.secret()?;
        if self.refused.was(&token, self.clock.now()) {
            return Err(failure::credentials(self.host()));
        }
        let request = Request::get(&self.target("websocket")?).bearer(&token);
        self.http.socket(request).await.map_err(|error| {
            if let Fault::Status { status, .. } = error.fault()
                && status == StatusCode::UNAUTHORIZED
            {
                self.refused.note(&token, self.clock.now());
            }
            error.into()
        })
    }

    /// Who we are.
    pub(crate) async fn me(&self) -> Result<User, Failure> {
        self.get(&self.target("users/me")?).await
    }

    /// The limits that clients are told.
    pub(crate) async fn limits(&self) -> Result<Limits, Failure> {
        self.get(&self.target("config/client")?.query("format", "old"))
            .await
    }

    /// A team by its name; none where there is none.
    pub(crate) async fn team(&self, name: &str) -> Result<Option<Team>, Failure> {
        let target = self.target(&format!("teams/name/{}", segment(name)))?;
        optional(self.get(&target).await)
    }

    /// The teams the account is in.
    pub(crate) async fn my_teams(&self) -> Result<Vec<Team>, Failure> {
        self.get(&self.target("users/me/teams")?).await
    }

    /// A channel by its name; none where there is none, or it is private and we are not in it.
    pub(crate) async fn channel(&self, team: &str, name: &str) -> Result<Option<Channel>, Failure> {
        let (team, name) = (segment(team), segment(name));
        let target = self.target(&format!("teams/name/{team}/channels/name/{name}"))?;
        optional(self.get(&target).await)
    }

    /// The channels of a team that the account is in.
    pub(crate) async fn my_channels(&self, team: &str) -> Result<Vec<Channel>, Failure> {
        let target = self.target(&format!("users/me/teams/{}/channels", segment(team)))?;
        self.get(&target).await
    }

    /// Whether the account is in a channel.
    pub(crate) async fn is_member(&self, channel: &str) -> Result<bool, Failure> {
        let target = self.target(&format!("channels/{}/members/me", segment(channel)))?;
        let found: Option<Value> = optional(self.get(&target).await)?;
        Ok(found.is_some())
    }

    /// Somebody by their name.
    pub(crate) async fn user(&self, name: &str) -> Result<Option<User>, Failure> {
        let target = self.target(&format!("users/username/{}", segment(name)))?;
        optional(self.get(&target).await)
    }

    /// Somebody by their id.
    pub(crate) async fn person(&self, id: &str) -> Result<Option<User>, Failure> {
        let target = self.target(&format!("users/{}", segment(id)))?;
        optional(self.get(&target).await)
    }

    /// The channel in which only we and somebody else are; always the same.
    pub(crate) async fn direct(&self, me: &str, other: &str) -> Result<Channel, Failure> {
        let body = json!([me, other]);
        let request = Self::with_body(Method::POST, &self.target("channels/direct")?, &body);
        self.read(request, Doing::Changing).await
    }

    /// Posts. Within 30 seconds, and as long as the server runs, the same `pending` is answered with
    /// the post that was made.
    pub(crate) async fn create(&self, post: &NewPost<'_>) -> Result<Post, Failure> {
        let body = json!({
            "channel_id": post.channel,
            "message": post.message,
            "root_id": post.root,
            "props": post.props,
            "pending_post_id": post.pending,
        });
        // Else the bot would look as if somebody sat there.
        let target = self.target("posts")?.query("set_online", "false");
        let request = Self::with_body(Method::POST, &target, &body);
        self.read(request, Doing::Posting).await
    }

    /// Changes a post; `props` takes the place of all it had.
    pub(crate) async fn patch(
        &self,
        post: &str,
        message: &str,
        props: &Value,
    ) -> Result<Post, Failure> {
        let target = self.target(&format!("posts/{}/patch", segment(post)))?;
        let body = json!({ "message": message, "props": props });
        let request = Self::with_body(Method::PUT, &target, &body);
        self.read(request, Doing::Changing).await
    }

    /// Deletes a post; one that is not there any more is as good.
    pub(crate) async fn delete(&self, post: &str) -> Result<(), Failure> {
        let target = self.target(&format!("posts/{}", segment(post)))?;
        let request = Request::new(Method::DELETE, &target).discard_body();
        match self.send(request, Doing::Changing).await {
            Err(failure) if failure.absent => Ok(()),
            sent => sent.map(drop),
        }
    }

    /// Pins a post to its channel, or no longer.
    pub(crate) async fn pin(&self, post: &str, pinned: bool) -> Result<(), Failure> {
        let action = if pinned { "pin" } else { "unpin" };
        let target = self.target(&format!("posts/{}/{action}", segment(post)))?;
        let request = Request::new(Method::POST, &target).discard_body();
        self.send(request, Doing::Changing).await.map(drop)
    }

    /// A page of a channel's posts, newest first, before one of them.
    pub(crate) async fn page(
        &self,
        channel: &str,
        before: Option<&str>,
    ) -> Result<Vec<Post>, Failure> {
        let target = self
            .target(&format!("channels/{}/posts", segment(channel)))?
            .query("per_page", &PAGE.to_string());
        let target = match before {
            Some(before) => target.query("before", before),
            None => target,
        };
        let list: PostList = self.get(&target).await?;
        Ok(list.into_posts())
    }

    /// Every row that was made, changed or deleted after a moment, newest first; [`SINCE`] of them at
    /// most, whichever.
    pub(crate) async fn since(&self, channel: &str, since_ms: i64) -> Result<Vec<Post>, Failure> {
        let target = self
            .target(&format!("channels/{}/posts", segment(channel)))?
            .query("since", &since_ms.to_string());
        let list: PostList = self.get(&target).await?;
        Ok(list.into_posts())
    }
}

/// One part of an address. Names and ids of Mattermost have nothing in them that would need more.
fn segment(text: &str) -> String {
    let kept = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
    let kept: String = text.chars().filter(kept).collect();
    // A part of dots alone would lead elsewhere.
    if kept.chars().all(|c| c == '.') {
        "-".to_owned()
    } else {
        kept
    }
}

/// What is not there is none.
fn optional<T>(read: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(failure) if failure.code.ends_with(".not-found") => Ok(None),
        Err(failure) => Err(failure),
    }
}
