//! Which connector was at work at a moment, and in which version: as the rules say that were in
//! force then, not as they are today.

use std::cell::OnceCell;
use std::sync::Arc;

use jiff::Timestamp;
use raccord_model::Rules;

use super::Mention;
use crate::fact::Fact;

/// How a commit that changes the rules begins; others may hold it too.
const CHANGE: &str = "{\"rules\":{";

/// The rules of every time, looked for once and only when asked.
pub(super) struct Made<'a> {
    search: &'a dyn Fn(&str) -> Vec<Mention>,
    today: Option<Arc<Rules>>,
    past: OnceCell<Vec<(Timestamp, Box<Rules>)>>,
}

impl<'a> Made<'a> {
    pub(super) fn new(search: &'a dyn Fn(&str) -> Vec<Mention>, today: Option<Arc<Rules>>) -> Self {
        Self {
            search,
            today,
            past: OnceCell::new(),
        }
    }

    /// ` (website, version 0.1.0)`; nothing where it is not known.
    pub(super) fn by(&self, connector: &str, at: Timestamp) -> String {
        self.known(connector, at)
            .map(|(kind, version)| match version {
                "" => format!(" ({kind})"),
                version => format!(" ({kind}, version {version})"),
            })
            .unwrap_or_default()
    }

    fn known(&self, connector: &str, at: Timestamp) -> Option<(&str, &str)> {
        let past = self.past.get_or_init(|| changes((self.search)(CHANGE)));
        let rules = match past.iter().rev().find(|(since, _)| *since <= at) {
            Some((_, rules)) => &**rules,
            // The log begins later than its first rules, and they never changed since.
            None if past.is_empty() => self.today.as_deref()?,
            None => return None,
        };
        let source = rules
            .sources
            .iter()
            .find(|(name, _)| name.as_str() == connector);
        let sink = rules
            .sinks
            .iter()
            .find(|(name, _)| name.as_str() == connector);
        source
            .map(|(_, source)| (source.kind.as_str(), source.version.as_str()))
            .or_else(|| sink.map(|(_, sink)| (sink.kind.as_str(), sink.version.as_str())))
    }
}

fn changes(mentions: Vec<Mention>) -> Vec<(Timestamp, Box<Rules>)> {
    let of_one = |mention: Mention| {
        let at = mention.at;
        mention
            .facts
            .into_iter()
            .filter_map(move |fact| match fact {
                Fact::Rules(rules) => Some((at, rules)),
                _ => None,
            })
    };
    mentions.into_iter().flat_map(of_one).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use raccord_model::{Guards, Lang, Place, SourceRule};

    use super::*;

    fn rules(version: &str) -> Rules {
        let sheet = SourceRule {
            kind: "spreadsheet".into(),
            version: version.into(),
            every_s: 60,
            foreign: false,
            counts: false,
        };
        Rules {
            place: Place {
                id: "lieu".parse().unwrap(),
                name: "Lieu".into(),
                zone: "UTC".into(),
                lang: Lang::Fr,
                public_url: String::new(),
            },
            sources: [("sheet".parse().unwrap(), sheet)].into(),
            sinks: [].into(),
            recipes: vec![],
            routes: vec![],
            guards: Guards::default(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_version_is_the_one_that_was_at_work_then() {
        let search = |_: &str| {
            let of = |second, version| Mention {
                at: at(second),
                facts: vec![Fact::CaughtUp, Fact::Rules(Box::new(rules(version)))],
            };
            vec![of(10, ""), of(20, "0.1.0"), of(30, "0.2.0")]
        };
        let made = Made::new(&search, Some(Arc::new(rules("0.2.0"))));
        assert_eq!(made.by("sheet", at(5)), "");
        assert_eq!(made.by("sheet", at(15)), " (spreadsheet)");
        assert_eq!(made.by("sheet", at(20)), " (spreadsheet, version 0.1.0)");
        assert_eq!(made.by("sheet", at(99)), " (spreadsheet, version 0.2.0)");
        assert_eq!(made.by("somebody", at(99)), "");
    }

    #[test]
    fn rules_older_than_the_log_are_those_of_today_where_none_changed() {
        let search = |_: &str| Vec::new();
        let made = Made::new(&search, Some(Arc::new(rules("0.1.0"))));
        assert_eq!(made.by("sheet", at(5)), " (spreadsheet, version 0.1.0)");
    }

    #[test]
    fn rules_written_before_versions_were_kept_are_still_read() {
        let new = serde_json::to_string(&Fact::Rules(Box::new(rules("0.1.0")))).unwrap();
        assert!(new.starts_with(CHANGE));
        let old = new.replace("\"version\":\"0.1.0\",", "");
        assert_ne!(old, new);
        let read: Fact = serde_json::from_str(&old).unwrap();
        assert_eq!(read, Fact::Rules(Box::new(rules(""))));
        assert_eq!(serde_json::to_string(&read).unwrap(), old);
    }
}
