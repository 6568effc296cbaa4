//! Our part of a post: one group of the block editor, told from all others by a class that names the
//! activity. What stands around it is other people's and keeps its bytes.

use std::ops::Range;

use raccord_model::EntityId;

use crate::shown::Shown;

/// The class that says which activity a group stands for.
pub(crate) fn mark(entity: EntityId) -> String {
    format!("raccord-{entity}")
}

/// Stands before the mark of a post that we took out of sight, and that comes back with its activity.
const AWAY: &str = "raccord-away";

/// Whether we took a post out of sight.
pub(crate) fn is_away(content: &str, entity: EntityId) -> bool {
    content.contains(&format!("{AWAY} {}", mark(entity)))
}

/// The same post, marked as taken out of sight.
pub(crate) fn away(content: &str, entity: EntityId) -> String {
    let mark = mark(entity);
    content.replace(&mark, &format!("{AWAY} {mark}"))
}

/// The same post, no more marked so.
pub(crate) fn back(content: &str, entity: EntityId) -> String {
    let mark = mark(entity);
    content.replace(&format!("{AWAY} {mark}"), &mark)
}

/// A whole post, for the first time.
pub(crate) fn whole(shown: &Shown) -> String {
    let mark = mark(shown.entity);
    format!(
        "<!-- wp:group {{\"className\":\"raccord {mark}\"}} -->\n<div class=\"wp-block-group raccord {mark}\">{}{}</div>\n<!-- /wp:group -->",
        shown.facts_html(),
        shown.text_html()
    )
}

/// The two halves of our part: when and where, and the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ours {
    /// Between the tags of the group.
    inner: Range<usize>,
    /// The paragraph that says when and where, with the comments around it; empty where somebody
    /// took it out.
    facts: Range<usize>,
}

impl Ours {
    /// Finds our part in a post.
    pub(crate) fn find(content: &str, entity: EntityId) -> Option<Self> {
        let inner = inside(content, "div", &mark(entity), 0..content.len())?;
        let facts = match inside(content, "p", "raccord-when", inner.clone()) {
            Some(words) => {
                let head = &content[inner.start..words.start];
                let from = head.rfind("<p").unwrap_or(head.len());
                // The comments of the editor belong to it.
                let from = with_comment_before(&head[..from], "wp:paragraph").unwrap_or(from);
                let tail = &content[words.end..inner.end];
                let close = tail.find('>').map_or(tail.len(), |at| at + 1);
                let to = with_comment_after(&tail[close..], "/wp:paragraph");
                inner.start + from..words.end + close + to.unwrap_or(0)
            }
            None => inner.start..inner.start,
        };
        Some(Self { inner, facts })
    }

    /// When and where, as it stands there.
    pub(crate) fn facts<'a>(&self, content: &'a str) -> &'a str {
        &content[self.facts.clone()]
    }

    /// Everything else of ours, as it stands there.
    pub(crate) fn text(&self, content: &str) -> String {
        let before = &content[self.inner.start..self.facts.start];
        let after = &content[self.facts.end..self.inner.end];
        format!("{before}{after}")
    }

    /// The post with other halves; `None` leaves one as it stands.
    pub(crate) fn put(&self, content: &str, facts: Option<&str>, text: Option<&str>) -> String {
        let facts = facts.unwrap_or_else(|| self.facts(content));
        let (before, after) = match text {
            Some(text) => ("", text),
            None => (
                &content[self.inner.start..self.facts.start],
                &content[self.facts.end..self.inner.end],
            ),
        };
        format!(
            "{}{before}{facts}{after}{}",
            &content[..self.inner.start],
            &content[self.inner.end..]
        )
    }
}

/// What stands between the tags of the first element `name` with that class, within a part.
fn inside(content: &str, name: &str, class: &str, within: Range<usize>) -> Option<Range<usize>> {
    let (open, close) = (format!("<{name}"), format!("</{name}"));
    let mut at = within.start;
    let begin = loop {
        let found = at + content[at..within.end].find(&open)?;
        let end = found + content[found..within.end].find('>')? + 1;
        if is_tag(content, found + open.len()) && has_class(&content[found..end], class) {
            break end;
        }
        at = end;
    };
    let mut depth = 1usize;
    at = begin;
    loop {
        let found = at + content[at..within.end].find('<')?;
        let here = &content[found..within.end];
        if here.starts_with(&close) && is_tag(content, found + close.len()) {
            depth -= 1;
            if depth == 0 {
                return Some(begin..found);
            }
        } else if here.starts_with(&open) && is_tag(content, found + open.len()) {
            depth += 1;
        }
        at = found + 1;
    }
}

/// Whether the name of a tag ends there.
fn is_tag(content: &str, at: usize) -> bool {
    content[at..].starts_with(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/'))
}

fn has_class(tag: &str, class: &str) -> bool {
    let Some((_, rest)) = tag.split_once("class=") else {
        return false;
    };
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
    let names = quote.and_then(|quote| rest[1..].split(quote).next());
    names.is_some_and(|names| names.split_ascii_whitespace().any(|one| one == class))
}

/// Where the comment of that name begins that `text` ends with.
fn with_comment_before(text: &str, name: &str) -> Option<usize> {
    let trimmed = text.trim_end();
    let from = trimmed.rfind("<!--")?;
    let comment = &trimmed[from + 4..];
    let ours = comment.trim_start().starts_with(name) && comment.ends_with("-->");
    (ours && comment.matches("-->").count() == 1).then_some(from)
}

/// Where the comment of that name ends that `text` begins with.
fn with_comment_after(text: &str, name: &str) -> Option<usize> {
    let trimmed = text.trim_start();
    let begin = text.len() - trimmed.len();
    let comment = trimmed.strip_prefix("<!--")?;
    let end = comment.find("-->")?;
    let ours = comment[..end].trim() == name;
    ours.then_some(begin + 4 + end + 3)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn id() -> EntityId {
        EntityId::derive(&[b"bal"])
    }

    fn post(inner: &str) -> String {
        format!(
            "<p>Avant</p>\n<div class=\"x\"><div class=\"wp-block-group raccord {}\">{inner}</div></div>\n<p>Après</p>",
            mark(id())
        )
    }

    const FACTS: &str = "<!-- wp:paragraph {\"className\":\"raccord-when\"} -->\n<p class=\"raccord-when\"><strong>samedi</strong></p>\n<!-- /wp:paragraph -->";

    #[test]
    fn our_part_is_found_among_others_and_what_is_around_keeps_its_bytes() {
        let text = "\n\n<!-- wp:paragraph -->\n<p>Venez <div>là</div></p>\n<!-- /wp:paragraph -->";
        let content = post(&format!("{FACTS}{text}"));
        let ours = Ours::find(&content, id()).unwrap();
        assert_eq!(ours.facts(&content), FACTS);
        assert_eq!(ours.text(&content), text);
        assert_eq!(ours.put(&content, None, None), content);
        assert_eq!(ours.put(&content, Some("F"), Some("T")), post("FT"));
        assert_eq!(
            ours.put(&content, Some("F"), None),
            post(&format!("F{text}"))
        );
        assert!(Ours::find(&content, EntityId::derive(&[b"other"])).is_none());
    }

    #[test]
    fn what_an_editor_left_of_it_is_found_too() {
        // The classic editor drops the comments; somebody wrote a line above the date.
        let content = post("<p>Nouveau !</p><p class='raccord-when odd'>dimanche</p><p>Venez</p>");
        let ours = Ours::find(&content, id()).unwrap();
        assert_eq!(
            ours.facts(&content),
            "<p class='raccord-when odd'>dimanche</p>"
        );
        assert_eq!(ours.text(&content), "<p>Nouveau !</p><p>Venez</p>");
        // The line with the date was deleted: it is written again.
        let content = post("<p>Venez</p>");
        let ours = Ours::find(&content, id()).unwrap();
        assert_eq!(
            (ours.facts(&content), ours.text(&content)),
            ("", "<p>Venez</p>".to_owned())
        );
        assert_eq!(ours.put(&content, Some("F"), None), post("F<p>Venez</p>"));
    }

    #[test]
    fn nothing_anybody_wrote_breaks_it() {
        let mark = mark(id());
        for odd in [
            String::new(),
            "<div".to_owned(),
            format!("<div class=\"{mark}\">"),
            format!("<div class=\"{mark}\"><div></div>"),
            format!("<div class={mark}></div>"),
            format!("<p>{mark}</p>"),
            format!("<divx class=\"{mark}\"></divx>"),
        ] {
            assert_eq!(Ours::find(&odd, id()), None, "{odd}");
        }
        let long = format!("<div class=\"{mark}\">{}", "<div>é<".repeat(50_000));
        assert_eq!(Ours::find(&long, id()), None);
    }
}
