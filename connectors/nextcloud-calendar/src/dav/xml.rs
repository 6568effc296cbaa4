//! What is asked of calendars, besides what every WebDAV server is asked.

use raccord_dav::xml::{NAMES, escaped};

/// Asks what changed since `token`. Without a limit: some servers refuse one, others cut.
pub(crate) fn sync_collection(token: &str) -> String {
    let token = escaped(token);
    format!(
        "<?xml version=\"1.0\"?><d:sync-collection {NAMES}><d:sync-token>{token}</d:sync-token><d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>"
    )
}

/// Asks for the texts at these encoded paths.
pub(crate) fn multiget<'a>(paths: impl Iterator<Item = &'a str>) -> String {
    let list = joined(paths.map(|path| format!("<d:href>{}</d:href>", escaped(path))));
    format!(
        "<?xml version=\"1.0\"?><c:calendar-multiget {NAMES}><d:prop><d:getetag/><c:calendar-data/></d:prop>{list}</c:calendar-multiget>"
    )
}

/// Asks for the entry with this UID.
pub(crate) fn by_uid(component: &str, uid: &str) -> String {
    let uid = escaped(uid);
    format!(
        "<?xml version=\"1.0\"?><c:calendar-query {NAMES}><d:prop><d:getetag/><c:calendar-data/></d:prop><c:filter><c:comp-filter name=\"VCALENDAR\"><c:comp-filter name=\"{component}\"><c:prop-filter name=\"UID\"><c:text-match collation=\"i;octet\">{uid}</c:text-match></c:prop-filter></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>"
    )
}

/// Asks for everything of a kind: what a trash bin answers, where each other question is refused.
pub(crate) fn all(component: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><c:calendar-query {NAMES}><d:prop><d:getetag/><c:calendar-data/></d:prop><c:filter><c:comp-filter name=\"VCALENDAR\"><c:comp-filter name=\"{component}\"/></c:comp-filter></c:filter></c:calendar-query>"
    )
}

/// Makes a calendar for these components.
pub(crate) fn mkcalendar(name: &str, components: &[&str]) -> String {
    let components = components.iter();
    let components = joined(components.map(|name| format!("<c:comp name=\"{name}\"/>")));
    let name = escaped(name);
    format!(
        "<?xml version=\"1.0\"?><c:mkcalendar {NAMES}><d:set><d:prop><d:displayname>{name}</d:displayname><c:supported-calendar-component-set>{components}</c:supported-calendar-component-set></d:prop></d:set></c:mkcalendar>"
    )
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_cannot_become_another_question() {
        assert!(by_uid("VEVENT", "a</c:text-match>").contains("a&lt;/c:text-match&gt;"));
    }
}
