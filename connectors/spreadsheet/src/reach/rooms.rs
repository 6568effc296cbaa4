//! Rooms of EtherCalc (and Framacalc), read from what the server saves. Nothing is ever written: a
//! room has no conditions, and its name is its only key.

use bytes::Bytes;
use http::StatusCode;
use raccord_kit::http::{Request, Target};
use raccord_model::Failure;

use super::parts::Marks;
use super::{Document, News, Reach, is_page};
use crate::grid::room;
use crate::{error, limits, refusals};

impl Reach {
    /// A room of one sheet.
    pub(super) async fn room(&self, rooms: &Target, name: &str) -> Result<News, Failure> {
        let mut marks = Marks::default();
        let body = self.one_room(rooms, name, &mut marks).await?;
        Ok(News {
            marks: marks.finish(),
            ..News::of(Document::Rooms(vec![(self.name.clone(), body)]))
        })
    }

    /// A room that lists the rooms of its tabs.
    pub(super) async fn rooms(&self, rooms: &Target, name: &str) -> Result<News, Failure> {
        let mut marks = Marks::default();
        let list = self.one_room(rooms, name, &mut marks).await?;
        let mut tabs = Vec::new();
        for (at, (room, title)) in (1..).zip(room::tabs(&String::from_utf8_lossy(&list))?) {
            let body = self.one_room(rooms, &room, &mut marks).await?;
            let title = if title.is_empty() {
                format!("{} {at}", self.name)
            } else {
                title
            };
            tabs.push((title, body));
        }
        if tabs.is_empty() {
            return Err(error::empty());
        }
        Ok(News {
            marks: marks.finish(),
            ..News::of(Document::Rooms(tabs))
        })
    }

    async fn one_room(
        &self,
        rooms: &Target,
        name: &str,
        marks: &mut Marks,
    ) -> Result<Bytes, Failure> {
        let target = rooms.join(&format!("./{name}"))?;
        let answer = self.ask(Request::get(&target).size(limits::TABLE)).await?;
        match answer.status {
            StatusCode::OK if is_page(&answer) => Err(error::web_page()),
            StatusCode::OK if answer.body.is_empty() => Err(error::empty()),
            StatusCode::OK => {
                marks.add(&target, &answer);
                Ok(answer.body)
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(refusals::room_missing()),
            status if status.is_success() => Err(error::partial()),
            _ => Err(self.http.refusal(&answer, false).into()),
        }
    }
}
