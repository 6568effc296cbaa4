//! A file as it stands at an address, and a sheet of Google, which hands one out.

use http::{StatusCode, header};
use raccord_kit::http::{Answer, Request, Target};
use raccord_model::Failure;

use super::{Document, Found, News, Reach, TIME, is_page};
use crate::cursor::{self, Cursor};
use crate::{error, limits, refusals};

/// Why there is no file.
pub(super) enum Unread {
    /// A page for people came.
    Page(Box<Answer>),
    Failed(Box<Failure>),
}

impl From<Failure> for Unread {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl Reach {
    pub(super) async fn file(
        &self,
        target: &Target,
        before: Option<&Cursor>,
    ) -> Result<Found, Unread> {
        let mut request = conditional(target, before);
        if let (Some(user), Some(password)) = (&self.user, &self.password) {
            request = request.basic(user, &password.read()?);
        }
        let answer = self.http.call(request).await.map_err(Failure::from)?;
        // A sign-in page comes with status 200.
        if is_page(&answer) {
            return Err(Unread::Page(Box::new(answer)));
        }
        Ok(self.found(target, answer)?)
    }

    /// One tab of a sheet of Google. One that is not open to everybody sends on to a sign-in page.
    pub(super) async fn google(
        &self,
        target: &Target,
        before: Option<&Cursor>,
    ) -> Result<Found, Failure> {
        let answer = self.http.send(conditional(target, before)).await?;
        match answer.status {
            StatusCode::OK if is_page(&answer) => Err(refusals::google_private()),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(refusals::google_private()),
            // 400 for a tab that is not there.
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::GONE => {
                Err(refusals::google_missing())
            }
            StatusCode::NOT_MODIFIED => Ok(Found::Same),
            status if status.is_success() => self.found(target, answer),
            _ => Err(self.http.refusal(&answer, false).into()),
        }
    }

    fn found(&self, target: &Target, answer: Answer) -> Result<Found, Failure> {
        match answer.status {
            StatusCode::NOT_MODIFIED => return Ok(Found::Same),
            StatusCode::OK if answer.body.is_empty() => return Err(error::empty()),
            StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION => {}
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT => return Err(error::empty()),
            _ => return Err(error::partial()),
        }
        let news = News {
            etag: cursor::mark(answer.header(&header::ETAG)),
            modified: cursor::mark(answer.header(&header::LAST_MODIFIED)),
            ..News::of(Document::File {
                name: self.tab_name(target),
                bytes: answer.body,
            })
        };
        Ok(Found::News(Box::new(news)))
    }

    /// What a CSV from an address is called. The address may be the only secret of a shared sheet:
    /// only a plain file name is taken from it.
    fn tab_name(&self, target: &Target) -> String {
        let path = target.url().path().to_ascii_lowercase();
        let file = path.rsplit('/').next().unwrap_or_default();
        let plain = [".csv", ".tsv", ".txt"]
            .iter()
            .any(|end| file.ends_with(end))
            && file
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
            && file.len() <= 40;
        if plain {
            file.to_owned()
        } else {
            self.name.clone()
        }
    }
}

fn conditional(target: &Target, before: Option<&Cursor>) -> Request {
    let request = Request::get(target).time(TIME).size(limits::BYTES);
    match before {
        Some(Cursor {
            etag: Some(etag), ..
        }) => request.header(header::IF_NONE_MATCH, etag.as_str()),
        Some(Cursor {
            modified: Some(modified),
            ..
        }) => request.header(header::IF_MODIFIED_SINCE, modified.as_str()),
        _ => request,
    }
}
