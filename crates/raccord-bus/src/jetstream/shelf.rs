//! Values by name in a bucket of the cluster: personal values, and remarks about the log.
//!
//! A value says for which commit it was written, and counts once that commit stands: it is durable
//! before the commit is, and one whose commit never came is nobody's. What is replaced or emptied is
//! deleted message by message, for only then are its bytes overwritten.

use std::collections::BTreeMap;

use async_nats::HeaderMap;
use bytes::Bytes;

use super::error::ClusterError;
use super::fold::Fold;
use super::link::Jetstream;
use crate::LogError;

/// The header that names the commit a value belongs to.
const COMMIT: &str = "Raccord-Commit";

/// The header by which other programs delete a value of a bucket.
const OPERATION: &str = "KV-Operation";

/// All values below one prefix, as they were read.
#[derive(Debug)]
pub(super) struct Shelf {
    stream: &'static str,
    prefix: String,
    names: BTreeMap<String, Vec<Version>>,
    /// Whether a message may be there that is not listed here.
    doubtful: bool,
}

/// One message that holds, or empties, a value.
#[derive(Clone, Debug)]
struct Version {
    sequence: u64,
    /// The number and term of its commit; none for what belongs to no commit.
    commit: Option<(u64, u64)>,
    value: Option<String>,
}

/// A value to be written.
pub(super) struct Fill<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    /// The number and term of the commit that names it.
    pub(super) commit: Option<(u64, u64)>,
}

impl Version {
    fn stands(&self, fold: &Fold) -> bool {
        self.commit.is_none_or(|(number, term)| {
            number <= fold.head().number && fold.term_of(number).is_none_or(|found| found == term)
        })
    }

    fn is_of_a_later_term(&self, fold: &Fold) -> bool {
        self.commit.is_some_and(|(_, term)| term > fold.term())
    }
}

impl Shelf {
    /// Reads all values below `prefix`.
    pub(super) fn load(
        link: &Jetstream,
        stream: &'static str,
        prefix: String,
    ) -> Result<Self, LogError> {
        let mut shelf = Self {
            stream,
            prefix,
            names: BTreeMap::new(),
            doubtful: false,
        };
        // One token below the prefix: the record of a log has two.
        let all = format!("{}.*", shelf.prefix);
        if let Some(last) = link.wait(link.last(stream, &all))? {
            link.wait(link.feed(stream, &all, 0, last.sequence, |found| {
                shelf.add(
                    &found.subject,
                    found.sequence,
                    &found.headers,
                    &found.payload,
                );
                Ok(())
            }))?;
        }
        Ok(shelf)
    }

    fn add(&mut self, subject: &str, sequence: u64, headers: &HeaderMap, payload: &[u8]) {
        let token = subject
            .strip_prefix(&self.prefix)
            .and_then(|rest| rest.strip_prefix('.'));
        let Some(name) = token.and_then(untoken) else {
            return;
        };
        let commit = headers.get(COMMIT).and_then(|stamp| {
            let (number, term) = stamp.as_str().split_once('.')?;
            Some((number.parse().ok()?, term.parse().ok()?))
        });
        let value = headers
            .get(OPERATION)
            .is_none()
            .then(|| str::from_utf8(payload).ok())
            .flatten();
        self.names.entry(name).or_default().push(Version {
            sequence,
            commit,
            value: value.map(str::to_owned),
        });
    }

    /// The value of `name`.
    pub(super) fn one(&self, name: &str, fold: &Fold) -> Option<&str> {
        let versions = self.names.get(name)?;
        let standing = versions.iter().rfind(|version| version.stands(fold))?;
        standing.value.as_deref()
    }

    /// All values.
    pub(super) fn all(&self, fold: &Fold) -> BTreeMap<String, String> {
        self.names
            .keys()
            .filter_map(|name| Some((name.clone(), self.one(name, fold)?.to_owned())))
            .collect()
    }

    /// Writes values, durable when this returns; the ones before still lie beside them. The last
    /// message that holds one of them; 0 where there are none.
    pub(super) fn fill(&mut self, link: &Jetstream, fills: &[Fill<'_>]) -> Result<u64, LogError> {
        if fills.is_empty() {
            return Ok(0);
        }
        let messages = fills.iter().map(|fill| {
            let mut headers = HeaderMap::new();
            if let Some((number, term)) = fill.commit {
                headers.insert(COMMIT, format!("{number}.{term}"));
            }
            let subject = format!("{}.{}", self.prefix, token(fill.name));
            (subject, headers, Bytes::from(fill.value.to_owned()))
        });
        let put = link.wait(link.put_all(self.stream, messages.collect()));
        // Whatever became of it, something may lie there now.
        self.doubtful |= !matches!(put, Ok((_, false)));
        let (sequences, _) = put?;
        let last = sequences.iter().copied().max().unwrap_or_default();
        for (fill, sequence) in fills.iter().zip(sequences) {
            let versions = self.names.entry(fill.name.to_owned()).or_default();
            versions.push(Version {
                sequence,
                commit: fill.commit,
                value: Some(fill.value.to_owned()),
            });
        }
        Ok(last)
    }

    /// Deletes what lies there of `names`, so that no byte is left of it.
    pub(super) fn empty<'a>(
        &mut self,
        link: &Jetstream,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), LogError> {
        let mut gone = Vec::new();
        for name in names {
            let versions = self.names.remove(name).unwrap_or_default();
            gone.extend(versions.into_iter().map(|version| version.sequence));
        }
        Ok(link.wait(link.erase(self.stream, &gone))?)
    }

    /// Deletes everything.
    pub(super) fn clear(&mut self, link: &Jetstream) -> Result<(), LogError> {
        let names: Vec<String> = self.names.keys().cloned().collect();
        self.empty(link, names.iter().map(String::as_str))
    }

    /// Deletes all that counts no more: replaced values, and values whose commit never came. Not what
    /// a later term filled: whoever tidies may have been replaced by now.
    pub(super) fn tidy(&mut self, link: &Jetstream, fold: &Fold) -> Result<(), LogError> {
        let mut gone = Vec::new();
        self.names.retain(|_, versions| {
            let standing = versions.iter().rposition(|version| version.stands(fold));
            let mut kept = Vec::new();
            for (index, version) in std::mem::take(versions).into_iter().enumerate() {
                let stands = Some(index) == standing && version.value.is_some();
                if stands || version.is_of_a_later_term(fold) {
                    kept.push(version);
                } else {
                    gone.push(version.sequence);
                }
            }
            versions.extend(kept);
            !versions.is_empty()
        });
        Ok(link.wait(link.erase(self.stream, &gone))?)
    }

    /// Whether it has to be read again before something is deleted for good.
    pub(super) fn is_doubtful(&self) -> bool {
        self.doubtful
    }
}

/// A name as one token of a subject: letters, digits, `-` and `_` as they are, every other byte as
/// `=` and two digits.
pub(super) fn token(name: &str) -> String {
    use std::fmt::Write as _;
    let mut token = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => token.push(byte.into()),
            // Writing to a text never fails.
            _ => write!(token, "={byte:02x}").unwrap_or_default(),
        }
    }
    if token.is_empty() {
        "=".to_owned()
    } else {
        token
    }
}

/// The name a token stands for; none where it is none of ours.
pub(super) fn untoken(text: &str) -> Option<String> {
    if text == "=" {
        return Some(String::new());
    }
    let mut name = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let Some((byte, rest)) = bytes.split_first() {
        bytes = rest;
        if *byte != b'=' {
            name.push(*byte);
            continue;
        }
        let (digits, rest) = bytes.split_at_checked(2)?;
        name.push(u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?);
        bytes = rest;
    }
    String::from_utf8(name)
        .ok()
        .filter(|name| token(name) == text)
}

/// Refuses names that fit no subject.
pub(super) fn check_name(name: &str) -> Result<(), ClusterError> {
    if name.len() <= 512 {
        return Ok(());
    }
    Err(ClusterError::Refused {
        step: "name a value",
        why: "the name is too long".to_owned(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_name_is_one_token_and_comes_back(name in ".{0,40}") {
            let text = token(&name);
            prop_assert!(!text.is_empty());
            prop_assert!(!text.contains(['.', '*', '>', ' ', '\r', '\n', '\t']));
            prop_assert_eq!(untoken(&text).unwrap(), name);
        }

        #[test]
        fn what_others_wrote_is_no_name_of_ours_or_one_that_is_written_the_same(text in "[a-z=._0-9]{0,12}") {
            if let Some(name) = untoken(&text) {
                prop_assert_eq!(token(&name), text);
            }
        }
    }
}
