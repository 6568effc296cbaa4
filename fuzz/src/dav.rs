//! What a WebDAV server answers with many rows.

use raccord_dav::{encoded, path_of, xml};

/// An answer: it is read within its limits, and every path can be asked for again.
pub fn dav(data: &[u8]) {
    let Some(answer) = xml::multistatus(data) else {
        return;
    };
    for row in &answer.rows {
        let again = path_of(&encoded(&row.path));
        let whole = row.path.contains("://") || row.path.trim() != row.path;
        assert!(whole || again == row.path, "a path is lost");
        assert!(row.status.is_none_or(|status| status < 1_000) || !row.is_found());
    }
}
