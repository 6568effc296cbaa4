//! Which styles of an ODS strike text through, and which hide a tab.

use std::collections::BTreeMap;

use quick_xml::events::{BytesStart, Event};

use super::archive::qualified;

/// The most styles of a document.
const STYLES: usize = 100_000;

/// The styles read so far, from `styles.xml` and from the document itself.
#[derive(Debug, Default)]
pub(crate) struct Styles {
    /// By name: its parent, and whether it strikes through (where it says so).
    known: BTreeMap<String, (Option<String>, Option<bool>)>,
    hidden_tables: std::collections::BTreeSet<String>,
    /// The style being read.
    open: Option<String>,
}

impl Styles {
    /// Takes in one piece of XML.
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(tag) => self.tag(tag, true),
            Event::Empty(tag) => self.tag(tag, false),
            Event::End(tag) if tag.name().as_ref() == "style:style" => self.open = None,
            _ => {}
        }
    }

    fn tag(&mut self, tag: &BytesStart<'_>, opens: bool) {
        match tag.name().as_ref() {
            "style:style" => {
                let Some(name) = qualified(tag, "style:name") else {
                    return;
                };
                if self.known.len() >= STYLES {
                    return;
                }
                let parent = qualified(tag, "style:parent-style-name");
                self.known.insert(name.clone(), (parent, None));
                self.open = opens.then_some(name);
            }
            "style:text-properties" => {
                let line = qualified(tag, "style:text-line-through-style")
                    .or_else(|| qualified(tag, "style:text-line-through-type"));
                if let (Some(line), Some(style)) = (
                    line,
                    self.open.as_ref().and_then(|name| self.known.get_mut(name)),
                ) {
                    style.1 = Some(line != "none");
                }
            }
            "style:table-properties" => {
                if let Some(open) = &self.open
                    && qualified(tag, "table:display").is_some_and(|display| display == "false")
                {
                    self.hidden_tables.insert(open.clone());
                }
            }
            _ => {}
        }
    }

    /// Whether tabs of this style are hidden.
    pub(crate) fn hides_table(&self, name: &str) -> bool {
        self.hidden_tables.contains(name)
    }

    /// Whether the style strikes through.
    pub(crate) fn strikes(&self, name: &str) -> bool {
        self.says(name).unwrap_or_default()
    }

    /// What the style, or the nearest ancestor that says so, says of striking through.
    pub(crate) fn says(&self, name: &str) -> Option<bool> {
        let mut name = name;
        for _ in 0..16 {
            match self.known.get(name) {
                Some((_, Some(said))) => return Some(*said),
                Some((Some(parent), None)) => name = parent,
                _ => return None,
            }
        }
        None
    }
}
