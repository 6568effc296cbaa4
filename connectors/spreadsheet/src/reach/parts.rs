//! What is read in several answers: whether all of them would be what they were.

use std::sync::{Mutex, PoisonError};

use http::{StatusCode, header};
use raccord_kit::http::{Answer, Request, Target};
use raccord_model::{Digest, Failure};

use super::Reach;

/// The marks of the last reading. They are kept in memory only: addresses of parts may hold the only
/// secret of a sheet, and a first reading that finds nothing new costs little.
#[derive(Default)]
pub(super) struct Parts(Mutex<Option<Known>>);

struct Known {
    /// What the reading came to.
    digest: Digest,
    marks: Vec<(Target, String)>,
}

impl Parts {
    pub(super) fn remember(&self, digest: Digest, marks: Option<Vec<(Target, String)>>) {
        *self.lock() = marks.map(|marks| Known { digest, marks });
    }

    /// The marks of the reading that came to `digest`.
    fn of(&self, digest: Digest) -> Vec<(Target, String)> {
        let known = self.lock();
        let known = known.as_ref().filter(|known| known.digest == digest);
        known.map(|known| known.marks.clone()).unwrap_or_default()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reach {
    /// Whether every part of what came to `digest` still bears its mark. What is not there any more,
    /// or refused, is told by the reading that follows.
    pub(super) async fn is_unchanged(&self, digest: Digest) -> Result<bool, Failure> {
        let marks = self.parts.of(digest);
        for (target, mark) in &marks {
            let request = Request::get(target)
                .header(header::IF_NONE_MATCH, mark.as_str())
                .size(crate::limits::TABLE)
                .discard_body();
            if self.ask(request).await?.status != StatusCode::NOT_MODIFIED {
                return Ok(false);
            }
        }
        Ok(!marks.is_empty())
    }
}

/// Gathers the marks of answers; none where one of them has none.
#[derive(Default)]
pub(super) struct Marks {
    marks: Vec<(Target, String)>,
    lacking: bool,
}

impl Marks {
    pub(super) fn add(&mut self, asked: &Target, answer: &Answer) {
        match crate::cursor::mark(answer.header(&header::ETAG)) {
            Some(mark) => self.marks.push((asked.clone(), mark)),
            None => self.lacking = true,
        }
    }

    pub(super) fn finish(self) -> Option<Vec<(Target, String)>> {
        (!self.lacking).then_some(self.marks)
    }
}
