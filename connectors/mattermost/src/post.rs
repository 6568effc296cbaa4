//! What the server says, as far as we need it, and how a post of ours is known.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The key in a post's props under which we say that it is ours. The server and its clients ignore
/// keys they do not know.
const OURS: &str = "raccord";

/// The account that is logged in, or somebody else.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) username: String,
    #[serde(default)]
    pub(crate) is_bot: bool,
}

/// A team.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Team {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// A channel.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Channel {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) display_name: String,
    /// When it was archived, in milliseconds; 0 for never.
    #[serde(default)]
    pub(crate) delete_at: i64,
    /// `O` public, `P` private, `D` direct, `G` group.
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
}

/// What the server tells every client of its configuration: all values are texts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Limits {
    pub(crate) version: String,
    max_post_size: String,
    post_edit_time_limit: String,
}

impl Limits {
    /// How many characters (Unicode scalar values) a post may have.
    pub(crate) fn longest(&self) -> usize {
        const USUAL: usize = 16_383;
        let told = self.max_post_size.parse().ok();
        told.filter(|longest| *longest > 0).unwrap_or(USUAL)
    }

    /// For how many seconds a post may be changed, where that ends.
    pub(crate) fn editable(&self) -> Option<i64> {
        let told = self.post_edit_time_limit.parse().ok();
        told.filter(|seconds| *seconds >= 0)
    }
}

/// A post. Times are milliseconds UTC, 0 for never.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Post {
    pub(crate) id: String,
    pub(crate) create_at: i64,
    pub(crate) update_at: i64,
    pub(crate) edit_at: i64,
    pub(crate) delete_at: i64,
    pub(crate) user_id: String,
    pub(crate) channel_id: String,
    pub(crate) root_id: String,
    /// The post this row is an earlier text of.
    pub(crate) original_id: String,
    pub(crate) message: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) props: Option<Map<String, Value>>,
    pub(crate) metadata: Metadata,
}

/// What hangs on a post.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Metadata {
    pub(crate) reactions: Option<Vec<Reaction>>,
}

/// One person's reaction.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Reaction {
    pub(crate) user_id: String,
    pub(crate) emoji_name: String,
}

impl Post {
    /// The key we gave it.
    pub(crate) fn key(&self) -> Option<&str> {
        self.props.as_ref()?.get(OURS)?.get("k")?.as_str()
    }

    fn flag(&self, name: &str) -> bool {
        let prop = self.props.as_ref().and_then(|props| props.get(name));
        prop.is_some_and(|value| value == "true" || value == true)
    }

    /// Whether a program wrote it, and no person.
    pub(crate) fn is_automatic(&self) -> bool {
        self.flag("from_bot") || self.flag("from_webhook") || self.flag("from_plugin")
    }

    /// Whether the server wrote it about the channel, or it is an earlier text of another post.
    pub(crate) fn is_no_message(&self) -> bool {
        let own = ["", "slack_attachment", "me"].contains(&self.kind.as_str());
        !self.original_id.is_empty() || !(own || self.kind.starts_with("custom_"))
    }
}

/// The props of a post with this key. They are replaced as a whole at every change: each change says
/// them again.
pub(crate) fn props(key: &str) -> Value {
    json!({ OURS: { "k": key, "v": 1 } })
}

/// Several posts; `posts` may hold more than `order` names.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PostList {
    /// Newest first, by when they were made.
    order: Vec<String>,
    posts: BTreeMap<String, Post>,
}

impl PostList {
    /// The posts that were asked for, newest first.
    pub(crate) fn into_posts(mut self) -> Vec<Post> {
        let order = std::mem::take(&mut self.order);
        order
            .iter()
            .filter_map(|id| self.posts.remove(id))
            .collect()
    }
}

/// What a refusal says of itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refusal {
    /// A stable name; the text beside it is in whatever language the account has.
    pub(crate) id: String,
}
