//! A month of the programme, as wikitext. Pure. Nothing anybody wrote becomes markup, a template, a
//! signature or a category: whatever a wiki would read as such is written as a character reference.

use jiff::civil::{Date, Time};
use raccord_look::clean;
use raccord_look::dates::{self, Span};
use raccord_model::{Activity, Context, Entity, EntityKind, Lang, Status, Visibility};

/// The most characters of a title, a room or a name.
const LINE: usize = 200;
/// The most characters of a description: the page is a programme, and links to the rest.
const PROSE: usize = 600;

/// What a month shows: public activities that begin in it or go on, by day and hour. The text between
/// our marks, without them; nothing where there is nothing to show.
pub(crate) fn text(key: &str, members: &[Entity], context: &Context<'_>) -> Option<String> {
    let first: Date = format!("{key}-01").parse().ok()?;
    let last = first.last_of_month();
    let begins = first.to_datetime(Time::midnight());
    let mut activities: Vec<Activity> = members
        .iter()
        .filter(|entity| entity.kind == EntityKind::Activity)
        .filter_map(Activity::of)
        .filter(|one| one.visibility == Visibility::Public && one.status != Status::Draft)
        .filter(|one| !one.is_foreign())
        .filter(|one| one.start.date() <= last && one.over_at() > begins)
        .collect();
    if activities.is_empty() {
        return None;
    }
    let shown_on = |one: &Activity| one.start.date().max(first);
    activities.sort_by(|a, b| {
        let key = |one: &Activity| (shown_on(one), one.start.time(), one.start);
        key(a)
            .cmp(&key(b))
            .then_with(|| (&a.title, a.id).cmp(&(&b.title, b.id)))
    });
    let lang = context.lang;
    let mut out = String::new();
    let mut day = None;
    for one in &activities {
        if day != Some(shown_on(one)) {
            day = Some(shown_on(one));
            let heading = plain(&dates::day(lang, shown_on(one)));
            // Not as a section of its own, which would offer a link to edit it.
            out.extend(["\n<h3>", &heading, "</h3>\n"]);
        }
        out.push_str(&line(one, lang));
    }
    Some(out.trim().to_owned())
}

/// One activity, with its description below.
fn line(one: &Activity, lang: Lang) -> String {
    let say = |fr: &'static str, en: &'static str| match lang {
        Lang::Fr => fr,
        Lang::En => en,
    };
    let hours = plain(&dates::hours(lang, Span::of(one)));
    let title = plain(&clean::set(&one.title, LINE, lang));
    let mut said = match one.status {
        Status::Cancelled => format!(
            "* <s>'''{hours}''' {title}</s> – {}",
            say("annulé", "cancelled")
        ),
        _ => format!("* '''{hours}''' {title}"),
    };
    for text in [
        match one.status {
            Status::Tentative => say("à confirmer", "to be confirmed").to_owned(),
            Status::Full => say("complet", "full").to_owned(),
            _ => String::new(),
        },
        plain(&clean::set(&one.room, LINE, lang)),
    ] {
        if !text.is_empty() {
            said.push_str(" – ");
            said.push_str(&text);
        }
    }
    for (words, address) in [
        (say("s’inscrire", "sign up"), &one.register),
        (say("en savoir plus", "find out more"), &one.url),
    ] {
        if let Some(address) = web(address) {
            said.extend([" – [", address, " ", words, "]"]);
        }
    }
    said.push('\n');
    let text = clean::prose(&one.description, PROSE).0;
    for part in text
        .split('\n')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        said.push_str("*: ");
        said.push_str(&plain(part));
        said.push('\n');
    }
    said
}

/// An address that can stand in a link of a wiki.
fn web(address: &str) -> Option<&str> {
    let address = clean::address(address)?;
    let fits = |c: char| !matches!(c, '[' | ']' | '{' | '}' | '|' | '\'');
    // Three tildes are a signature, there as well.
    let signs = address.contains("~~~");
    (address.starts_with("http") && address.chars().all(fits) && !signs).then_some(address)
}

/// Text that a wiki shows as it is.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for (at, c) in text.char_indices() {
        let special = matches!(
            c,
            '[' | ']' | '{' | '}' | '|' | '<' | '>' | '&' | '\'' | '~' | '_' | '=' | '"'
        );
        // At the beginning of a line these make lists and tables, a colon after a word a link.
        let first = at == 0 && matches!(c, '*' | '#' | ':' | ';' | '!' | '-' | ' ');
        if special || first || c == ':' {
            out.extend(["&#", &u32::from(c).to_string(), ";"]);
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s15_nothing_anybody_wrote_is_markup() {
        for text in raccord_kit::conformance::HOSTILE {
            let said = plain(&clean::line(text, 500));
            assert!(
                !said.contains(['[', ']', '{', '}', '|', '<', '>', '\'', '~', '_', '=']),
                "{said}"
            );
            let rest = said.replace("&#", "");
            assert!(!rest.contains('&'), "{said}");
        }
        assert_eq!(
            plain("~~~~ {{x}}"),
            "&#126;&#126;&#126;&#126; &#123;&#123;x&#125;&#125;"
        );
        assert_eq!(plain("#REDIRECT x"), "&#35;REDIRECT x");
        assert_eq!(plain("http://x.example"), "http&#58;//x.example");
        assert_eq!(
            web("https://x.example/a?b=c&d"),
            Some("https://x.example/a?b=c&d")
        );
        for odd in [
            "javascript:alert(1)",
            "https://x.example/]]",
            "https://x.example/{{x}}",
            "https://x.example/~~~~",
            "mailto:a@x.example",
        ] {
            assert_eq!(web(odd), None, "{odd}");
        }
    }
}
