//! Looks at what the place shares. Writes nothing, anywhere.

use std::time::Duration;

use http::{StatusCode, header};
use jiff::tz::TimeZone;
use raccord_kit::http::{Answer, Http, Request, Target};
use raccord_kit::{BoxFuture, Choice, Finding, Kit, Level, Sink, Source, Tool};
use raccord_model::{Blame, Digest, Failure, Manifest, Observation};

use crate::cursor::{self, Cursor};
use crate::list::{self, How};
use crate::{KIND, calendar, error};

/// How long an address may take to hand out the list.
const TIME: Duration = Duration::from_secs(30);
/// The most bytes of a list.
const SIZE: u64 = 2_000_000;

/// Told apart from every earlier way to read the same bytes: raise it when lines would come out
/// differently, so that lists are read again after an upgrade.
const READER: &str = "neighbour-2";

/// A configured neighbour.
pub(crate) struct Neighbour {
    /// The name the settings give it.
    pub(crate) name: String,
    pub(crate) target: Target,
    pub(crate) http: Http,
    pub(crate) every: Duration,
    pub(crate) most: usize,
    pub(crate) kit: Kit,
}

impl Neighbour {
    async fn look(&self, before: Option<&str>) -> Result<Observation, Failure> {
        let how = Digest::of(format!("{READER} {} {}", self.name, self.most).as_bytes());
        let before = Cursor::parse(before).filter(|cursor| cursor.how == how);
        let answer = self.fetch(before.as_ref()).await?;
        if answer.status == StatusCode::NOT_MODIFIED {
            return Ok(Observation::Unchanged { cursor: None });
        }
        let digest = Digest::of(&answer.body);
        let marks = Cursor {
            digest,
            how,
            etag: cursor::mark(answer.header(&header::ETAG)),
            modified: cursor::mark(answer.header(&header::LAST_MODIFIED)),
        };
        if let Some(before) = before.filter(|before| before.digest == digest) {
            return Ok(Observation::Unchanged {
                cursor: (marks != before).then(|| marks.text()),
            });
        }
        let mut reading = self.read(&answer)?;
        reading.digest = digest;
        reading.cursor = Some(marks.text());
        Ok(Observation::Complete(reading))
    }

    fn read(&self, answer: &Answer) -> Result<raccord_model::Reading, Failure> {
        let zone = TimeZone::get(&self.kit.place.zone).unwrap_or(TimeZone::UTC);
        let today = self.kit.clock.now().to_zoned(zone.clone()).date();
        let site = self.target.url().origin().ascii_serialization();
        let how = How {
            name: &self.name,
            site: &site,
            ours: self.kit.place.id.as_str(),
            most: self.most,
            // Their day may not be over where ours is.
            yesterday: today.yesterday().unwrap_or(today),
        };
        if calendar::is_one(&answer.body) {
            let agorakit = calendar::is_agorakit(self.target.url().path());
            return list::read_calendar(&answer.body, how, &zone, agorakit);
        }
        list::read(&answer.body, how)
    }

    async fn fetch(&self, before: Option<&Cursor>) -> Result<Answer, Failure> {
        let mut request = Request::get(&self.target)
            .header(header::ACCEPT, "application/json, text/calendar;q=0.9")
            .time(TIME)
            .size(SIZE);
        if let Some(before) = before {
            if let Some(etag) = &before.etag {
                request = request.header(header::IF_NONE_MATCH, etag.as_str());
            } else if let Some(modified) = &before.modified {
                request = request.header(header::IF_MODIFIED_SINCE, modified.as_str());
            }
        }
        let answer = self.http.call(request).await?;
        if answer.status == StatusCode::NOT_MODIFIED {
            return Ok(answer);
        }
        // A sign-in page, or the page of a site that is gone, comes with status 200.
        let page = answer
            .media_type()
            .is_some_and(|media| matches!(media.as_str(), "text/html" | "application/xhtml+xml"));
        if page {
            return Err(error::web_page());
        }
        match answer.status {
            StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION => Ok(answer),
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT => Err(error::empty()),
            _ => Err(error::partial()),
        }
    }

    async fn findings(&self) -> Vec<Finding> {
        match self.look(None).await {
            // One that is away today keeps nobody from working.
            Err(failure) => vec![Finding {
                level: match failure.blame {
                    Blame::Transient => Level::Warning,
                    _ => Level::Error,
                },
                ..Finding::of("url", &failure)
            }],
            Ok(_) => Vec::new(),
        }
    }
}

impl Tool for Neighbour {
    fn describe(&self) -> Manifest {
        Manifest {
            kind: KIND.to_owned(),
            source: true,
            handles: Vec::new(),
            parallel: 1,
            per_second: 1,
            rights: error::rights(),
        }
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(self.findings())
    }

    fn choices(&self) -> BoxFuture<'_, Result<Vec<Choice>, Failure>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn source(&self) -> Option<&dyn Source> {
        Some(self)
    }

    fn sink(&self) -> Option<&dyn Sink> {
        None
    }
}

impl Source for Neighbour {
    fn observe<'a>(
        &'a self,
        cursor: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Observation, Failure>> {
        Box::pin(self.look(cursor))
    }

    fn foreign(&self) -> bool {
        true
    }

    fn every(&self) -> (Duration, Option<std::path::PathBuf>) {
        (self.every, None)
    }
}
