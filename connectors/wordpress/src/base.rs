//! What we wrote last, by digests: it travels in the link's tag, so that every machine and every
//! process knows what people changed on the site since.

use jiff::Timestamp;
use raccord_look::html;
use raccord_model::{Digest, EntityId};
use serde::{Deserialize, Serialize};

use crate::api::Post;
use crate::block::Ours;
use crate::shown::Shown;

/// What stands on the site of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Base {
    /// When the site says it was changed last, by us.
    #[serde(rename = "m")]
    modified: String,
    /// Somebody's word was left to stand for ours: what stands there is not what we said.
    #[serde(default, rename = "k", skip_serializing_if = "std::ops::Not::not")]
    left: bool,
    /// Digest of the title.
    #[serde(rename = "t")]
    pub(crate) title: String,
    /// Digest of when and where.
    #[serde(rename = "w")]
    pub(crate) facts: String,
    /// Digest of the rest.
    #[serde(rename = "d")]
    pub(crate) text: String,
    /// When the activity is over.
    #[serde(rename = "o")]
    pub(crate) over: Timestamp,
}

impl Base {
    /// Of a post that stands there as we wrote it; nothing where our part is not in it.
    pub(crate) fn of(post: &Post, entity: EntityId, over: Timestamp) -> Option<Self> {
        let words = Words::of(post, entity)?;
        Some(Self {
            modified: post.modified_gmt.clone(),
            left: false,
            title: digest(&words.title),
            facts: digest(&words.facts),
            text: digest(&words.text),
            over,
        })
    }

    /// As a link's tag says it.
    pub(crate) fn read(tag: Option<&str>) -> Option<Self> {
        serde_json::from_str(tag?).ok()
    }

    /// As a link's tag.
    pub(crate) fn tag(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Somebody's word stands for ours.
    pub(crate) fn leave(&mut self) {
        self.left = true;
    }

    /// Whether a post is as we wrote it, and says nothing but what we said.
    pub(crate) fn is_ours(&self, post: &Post) -> bool {
        !self.left && !self.modified.is_empty() && self.modified == post.modified_gmt
    }
}

/// What people read of a post of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) title: String,
    pub(crate) facts: String,
    pub(crate) text: String,
    /// The same, with its paragraphs.
    pub(crate) prose: String,
}

impl Words {
    /// Nothing where our part is not in it.
    pub(crate) fn of(post: &Post, entity: EntityId) -> Option<Self> {
        let content = &post.content.raw;
        let ours = Ours::find(content, entity)?;
        let text = ours.text(content);
        Some(Self {
            title: html::words(&post.title.raw),
            facts: said(ours.facts(content)),
            text: said(&text),
            prose: html::text(&text),
        })
    }

    /// What people would read of one that is as it should be.
    pub(crate) fn wanted(shown: &Shown) -> Self {
        let text = shown.text_html();
        Self {
            title: html::words(&shown.title_html()),
            facts: said(&shown.facts_html()),
            text: said(&text),
            prose: html::text(&text),
        }
    }
}

/// What is read, and where its links lead.
fn said(markup: &str) -> String {
    let mut said = html::words(markup);
    for part in markup.split("href=").skip(1) {
        let quote = part.chars().next().filter(|c| matches!(c, '"' | '\''));
        if let Some(address) = quote.and_then(|quote| part[1..].split(quote).next()) {
            said.push('\n');
            said.push_str(&html::words(address));
        }
    }
    said
}

/// A short digest: it tells a changed text from an unchanged one, and nothing of what it says.
pub(crate) fn digest(text: &str) -> String {
    let mut whole = Digest::of(text.as_bytes()).to_string();
    whole.truncate(12);
    whole
}
