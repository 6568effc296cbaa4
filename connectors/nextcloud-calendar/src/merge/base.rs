//! What we wrote last, by digests: it travels in the link's tag beside the ETag, so that every
//! machine and every process knows what members changed since.

use std::collections::BTreeMap;

use raccord_model::{Digest, Fields};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::shown::{Form, Shown};

/// What stands in the calendar of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Base {
    /// The ETag after we wrote, with its quotes.
    #[serde(default, rename = "e", skip_serializing_if = "String::is_empty")]
    pub(crate) etag: String,
    /// A member's word was left to stand for ours: what stands there is not what we said.
    #[serde(default, rename = "k", skip_serializing_if = "std::ops::Not::not")]
    left: bool,
    /// It is a task.
    #[serde(default, rename = "v", skip_serializing_if = "std::ops::Not::not")]
    task: bool,
    /// The zone our moments are in.
    #[serde(rename = "z")]
    pub(crate) zone: String,
    /// Digest of each field.
    #[serde(default, rename = "f")]
    fields: BTreeMap<String, String>,
    /// Digest of each line of the description.
    #[serde(default, rename = "t")]
    text: Vec<String>,
    /// Digest of each line below it.
    #[serde(default, rename = "n")]
    notes: Vec<String>,
    /// Digest of each line about tasks.
    #[serde(default, rename = "h", skip_serializing_if = "Vec::is_empty")]
    hands: Vec<String>,
    /// Digest of each category.
    #[serde(default, rename = "c")]
    categories: Vec<String>,
}

impl Base {
    /// Of what is about to be written; its fields are told one by one.
    pub(super) fn of(shown: &Shown) -> Self {
        let all = |list: &[String]| list.iter().map(|line| digest(line)).collect();
        Self {
            etag: String::new(),
            left: false,
            task: shown.form == Form::Task,
            zone: shown.zone.clone(),
            fields: BTreeMap::new(),
            text: all(&shown.text),
            notes: all(&shown.notes),
            hands: all(&shown.hands),
            categories: all(&shown.categories),
        }
    }

    /// As a link's tag says it.
    pub(crate) fn read(tag: Option<&str>) -> Option<Self> {
        serde_json::from_str(tag?).ok()
    }

    /// As a link's tag.
    pub(crate) fn tag(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn keep(&mut self, field: &str, digest: String) {
        self.fields.insert(field.to_owned(), digest);
    }

    /// What a member who deletes it says of it.
    pub(crate) fn deleted(&self) -> Fields {
        let field = if self.task { "state" } else { "status" };
        [(field.to_owned(), json!("cancelled"))].into()
    }

    /// A member's word stands for ours.
    pub(super) fn leave(&mut self) {
        self.left = true;
    }

    /// Whether the text with this ETag is what we wrote, and says nothing but what we said.
    pub(crate) fn is_ours(&self, etag: &str) -> bool {
        !self.left && !etag.is_empty() && self.etag == etag
    }

    /// The description was left as it stands: what we wrote last is what we wrote before.
    pub(super) fn keep_description(&mut self, before: &Self) {
        self.text.clone_from(&before.text);
        self.notes.clone_from(&before.notes);
    }

    pub(super) fn field(&self, field: &str) -> Option<&str> {
        self.fields.get(field).map(String::as_str)
    }

    pub(super) fn text(&self) -> &[String] {
        &self.text
    }

    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(super) fn hands(&self) -> &[String] {
        &self.hands
    }

    pub(super) fn categories(&self) -> &[String] {
        &self.categories
    }
}

/// A short digest: it tells a changed text from an unchanged one, and nothing of what it says.
pub(super) fn digest(text: &str) -> String {
    let mut whole = Digest::of(text.as_bytes()).to_string();
    whole.truncate(12);
    whole
}
