//! Tables of Grist, read through its programming interface: a list of the tables, and for each its
//! columns and its records, hidden ones too (they show references in words, and the order).

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use raccord_kit::http::{Request, Target};
use raccord_model::{Digest, Failure};

use super::address::is_table;
use super::parts::Marks;
use super::{Document, News, Reach, Table, is_page};
use crate::error::Limit;
use crate::grid::table;
use crate::{error, limits, refusals, text};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl Reach {
    /// The tables of a document: the one the settings or the address name, or all of them.
    pub(super) async fn tables(
        &self,
        document: &Target,
        name: &str,
        table: Option<&str>,
    ) -> Result<News, Failure> {
        let mut marks = Marks::default();
        let list = self.of_grist(document, "tables", &mut marks).await?;
        let all = table::tables(&list).ok_or_else(|| refusals::odd_answer(document.host()))?;
        let wanted = table.or(self.sheet.as_deref());
        let chosen: Vec<&(i64, String)> = all
            .iter()
            .filter(|(_, id)| is_table(id))
            .filter(|(_, id)| wanted.is_none_or(|wanted| text::key(wanted) == text::key(id)))
            .collect();
        if let Some(wanted) = wanted.filter(|_| chosen.is_empty()) {
            let names: Vec<String> = all.into_iter().map(|(_, id)| id).collect();
            return Err(error::sheet_missing(wanted, &names));
        }
        if chosen.len() > limits::TABLES {
            return Err(error::too_large(Limit::Tables));
        }
        // Numbers of records begin anew in each document.
        let mark = Digest::of(name.as_bytes()).to_string();
        let mark = mark.get(..8).unwrap_or_default();
        let (mut tables, mut size) = (Vec::new(), 0);
        for (number, id) in chosen {
            let columns = format!("tables/{id}/columns?hidden=true");
            let records = format!("tables/{id}/records?hidden=true");
            let table = Table {
                name: id.clone(),
                mark: format!("{mark}:{number}"),
                columns: self.of_grist(document, &columns, &mut marks).await?,
                records: self.of_grist(document, &records, &mut marks).await?,
            };
            size += table.records.len() as u64;
            if size > limits::BYTES {
                return Err(error::too_large(Limit::Bytes));
            }
            tables.push(table);
        }
        if tables.is_empty() {
            return Err(error::empty());
        }
        Ok(News {
            marks: marks.finish(),
            ..News::of(Document::Tables(tables))
        })
    }

    async fn of_grist(
        &self,
        document: &Target,
        path: &str,
        marks: &mut Marks,
    ) -> Result<Bytes, Failure> {
        let target = document.join(path)?;
        let request = Request::get(&target)
            .header(header::ACCEPT, JSON)
            .size(limits::TABLE);
        let answer = self.ask(request).await?;
        let host = document.host();
        match answer.status {
            StatusCode::OK if is_page(&answer) => Err(error::web_page()),
            StatusCode::OK => {
                marks.add(&target, &answer);
                Ok(answer.body)
            }
            StatusCode::UNAUTHORIZED => Err(refusals::grist_key(host)),
            StatusCode::FORBIDDEN => Err(refusals::grist_forbidden(host)),
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(refusals::grist_missing(host)),
            status if status.is_success() => Err(error::partial()),
            _ => Err(self.http.refusal(&answer, false).into()),
        }
    }
}
