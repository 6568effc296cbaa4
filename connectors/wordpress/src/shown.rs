//! What a post should say of an activity: made from the entity alone, without knowing what stands
//! on the site. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use raccord_look::clean::{self, Piece};
use raccord_look::dates::{self, Span};
use raccord_look::html::escaped;
use raccord_model::{
    Activity, Authority, Context, Digest, Entity, EntityId, Lang, Status, Visibility,
    usual_authority,
};
use serde::{Deserialize, Serialize};

/// The most characters of a title.
const TITLE: usize = 190;
/// The most characters of a description.
const PROSE: usize = 20_000;
/// The most characters of a room or a name.
const LINE: usize = 200;

/// What the block editor writes around a paragraph.
const PARAGRAPH: (&str, &str) = (
    "\n\n<!-- wp:paragraph -->\n<p>",
    "</p>\n<!-- /wp:paragraph -->",
);

/// A post as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shown {
    /// What it stands for.
    pub(crate) entity: EntityId,
    pub(crate) title: String,
    /// When and where, line by line; the first is the date.
    facts: Vec<String>,
    /// The description, plain; empty where there is none.
    text: String,
    /// Addresses below when and where, each behind its words.
    links: Vec<(String, String)>,
    pub(crate) cancelled: bool,
    /// The moment it is over.
    pub(crate) over: Timestamp,
    /// How its day is said and written, to recognise other people's posts about it.
    pub(crate) day: Vec<String>,
    /// Whose word counts, by field.
    authority: BTreeMap<String, Authority>,
}

impl Shown {
    /// What is to be seen of an activity; nothing where it is not for visitors of a site.
    pub(crate) fn of(entity: &Entity, context: &Context<'_>) -> Option<Self> {
        let activity = Activity::of(entity)?;
        let unseen = activity.visibility == Visibility::Internal;
        if unseen || activity.status == Status::Draft {
            return None;
        }
        let title = clean::line(&activity.title, TITLE);
        if title.is_empty() {
            return None;
        }
        let lang = context.lang;
        let say = |fr: &str, en: &str| match lang {
            Lang::Fr => fr.to_owned(),
            Lang::En => en.to_owned(),
        };
        let cancelled = activity.status == Status::Cancelled;
        let title = if cancelled {
            format!("{}{title}", say("Annulé\u{a0}: ", "Cancelled: "))
        } else {
            title
        };
        let mut facts = vec![dates::when(lang, Span::of(&activity))];
        let room = clean::set(&activity.room, LINE, lang);
        if !room.is_empty() {
            facts.push(room);
        }
        let organiser = clean::set(&activity.organiser, LINE, lang);
        if !organiser.is_empty() {
            facts.push(format!("{}{organiser}", say("Avec ", "With ")));
        }
        facts.extend(match activity.status {
            Status::Cancelled => Some(say(
                "Annulé\u{a0}: cette activité n’aura pas lieu.",
                "Cancelled: this activity will not take place.",
            )),
            Status::Tentative => Some(say("À confirmer.", "To be confirmed.")),
            Status::Full => Some(say("Complet.", "Full.")),
            Status::Confirmed | Status::Draft => None,
        });
        let mut links = Vec::new();
        for (words, address) in [
            (say("S’inscrire", "Sign up"), &activity.register),
            (say("En savoir plus", "Find out more"), &activity.url),
        ] {
            if let Some(address) = clean::address(address) {
                links.push((words, address.to_owned()));
            }
        }
        let zone = TimeZone::get(&activity.zone)
            .or_else(|_| TimeZone::get(&context.place.zone))
            .unwrap_or(TimeZone::UTC);
        let over = zone
            .to_ambiguous_timestamp(activity.over_at())
            .compatible()
            .ok()?;
        let date = activity.start.date();
        let mut day: Vec<String> = [Lang::Fr, Lang::En]
            .into_iter()
            .map(|lang| {
                dates::day_month(lang, date)
                    .replace('\u{a0}', " ")
                    .to_lowercase()
            })
            .collect();
        day.push(date.strftime("%d/%m/%Y").to_string());
        day.push(date.to_string());
        let whose = |field: &str| match context.route {
            Some(route) => route.authority(field),
            None => usual_authority(field),
        };
        let authority = ["title", "start", "description"];
        Some(Self {
            entity: entity.id,
            title,
            facts,
            text: clean::prose(&activity.description, PROSE).0,
            links,
            cancelled,
            over,
            day,
            authority: authority
                .into_iter()
                .map(|field| (field.to_owned(), whose(field)))
                .collect(),
        })
    }

    /// The digest of all that makes a difference on the site.
    pub(crate) fn hash(&self) -> Digest {
        let said = (&self.title, &self.facts, &self.text, &self.links);
        Digest::of(&serde_json::to_vec(&said).unwrap_or_default())
    }

    /// Whose word counts for a field.
    pub(crate) fn authority(&self, field: &str) -> Authority {
        self.authority
            .get(field)
            .copied()
            .unwrap_or(Authority::Ours)
    }

    /// When and where, on one line.
    pub(crate) fn summary(&self) -> String {
        self.facts.join(" · ")
    }

    /// The title as it is stored: an account without the right to write HTML has its tags taken out,
    /// whatever they were meant to be.
    pub(crate) fn title_html(&self) -> String {
        escaped(&self.title)
    }

    /// When and where, with the addresses, as a paragraph of the block editor.
    pub(crate) fn facts_html(&self) -> String {
        let mut lines = self.facts.iter().map(|line| escaped(line));
        let first = lines.next().unwrap_or_default();
        let links = self.links.iter().map(|(words, address)| {
            let (words, address) = (escaped(words), escaped(address));
            format!("<a href=\"{address}\">{words}</a>")
        });
        let rest: String = lines
            .chain(links)
            .flat_map(|line| ["<br>".to_owned(), line])
            .collect();
        format!(
            "<!-- wp:paragraph {{\"className\":\"raccord-when\"}} -->\n<p class=\"raccord-when\"><strong>{first}</strong>{rest}</p>\n<!-- /wp:paragraph -->"
        )
    }

    /// What it is about, as paragraphs of the block editor; nothing where nothing is said.
    pub(crate) fn text_html(&self) -> String {
        let paragraphs = self.text.split("\n\n").map(str::trim);
        paragraphs
            .filter(|paragraph| !paragraph.is_empty())
            .flat_map(|paragraph| {
                let (before, after) = PARAGRAPH;
                [before.to_owned(), prose_html(paragraph), after.to_owned()]
            })
            .collect()
    }
}

/// A paragraph: its line breaks, and its addresses as links.
fn prose_html(paragraph: &str) -> String {
    let lines = paragraph.split('\n').map(|line| {
        let pieces = clean::pieces(line).into_iter();
        pieces
            .map(|piece| match piece {
                Piece::Text(text) => escaped(&text),
                Piece::Link(address) => {
                    let address = escaped(&address);
                    format!("<a href=\"{address}\">{address}</a>")
                }
            })
            .collect::<String>()
    });
    lines.collect::<Vec<_>>().join("<br>")
}
