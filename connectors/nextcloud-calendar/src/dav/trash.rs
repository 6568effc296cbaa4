//! Nextcloud's trash bin: an entry that lies in it cannot be made again under its UID, and trying to
//! gives an error 500 with a database's words. It is brought back, or thrown away for good.

use http::{HeaderName, Method};
use raccord_kit::http::Request;
use raccord_model::Failure;

use super::{Caldav, discover::Account, object, uid_of, xml};

const DESTINATION: HeaderName = HeaderName::from_static("destination");

impl Caldav {
    /// The decoded path of the entry with this UID in the trash bin.
    pub(crate) async fn in_trash(
        &self,
        account: &Account,
        component: &str,
        uid: &str,
    ) -> Result<Option<String>, Failure> {
        let Some(trash) = &account.trash else {
            return Ok(None);
        };
        let target = self.server.target(&format!("{trash}objects/"))?;
        let answer = self
            .server
            .ask("REPORT", &target, "1", xml::all(component))
            .await?;
        let rows = self.server.rows(&answer)?.rows;
        Ok(rows
            .into_iter()
            .filter_map(object)
            .find(|object| uid_of(&object.bytes).as_deref() == Some(uid))
            .map(|object| object.path))
    }

    /// Brings an entry back to where it stood; false where the server will not.
    pub(crate) async fn restore(&self, account: &Account, entry: &str) -> Result<bool, Failure> {
        let Some(trash) = &account.trash else {
            return Ok(false);
        };
        let back = self.server.target(&format!("{trash}restore/file"))?;
        let method = Method::from_bytes(b"MOVE").map_err(|_| self.server.says().bug("MOVE"))?;
        let request = Request::new(method, &self.server.target(entry)?)
            .header(DESTINATION, back.url().as_str())
            .discard_body();
        Ok(self.server.send(request).await?.status.is_success())
    }

    /// Throws an entry away for good.
    pub(crate) async fn purge(&self, entry: &str) -> Result<(), Failure> {
        self.delete(entry, "").await.map(drop)
    }
}
