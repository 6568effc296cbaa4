//! Which activity or task somebody means who names it in a chat: by words of its title, its day, or
//! the first signs of its id. Nothing is guessed: whoever asks is told all that fit.

use jiff::civil::{Date, DateTime};
use raccord_model::{Civil, Entity, EntityId, Lang, fold_word};

/// The fewest signs of an id that name it: shorter ones are words ("cafe").
const NAMED: usize = 6;
/// The fewest letters that stand for a longer word.
const SHORT: usize = 3;

/// Words that tell nothing apart.
const FILLERS: [&str; 26] = [
    "a", "au", "aux", "avec", "d", "de", "des", "du", "en", "et", "for", "in", "l", "la", "le",
    "les", "of", "on", "par", "pour", "sur", "the", "to", "un", "une", "with",
];

/// Words for what is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    words: Vec<String>,
}

impl Wanted {
    /// The words of a question; none where it names nothing.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let words: Vec<String> = words_of(text)
            .into_iter()
            .filter(|word| !FILLERS.contains(&word.as_str()))
            .collect();
        (!words.is_empty()).then_some(Self { words })
    }

    /// Whether every word fits the subject, as seen on the day of `now`. What it is called is its
    /// own title and kind, and those of its activity.
    pub(crate) fn fits(&self, subject: &Entity, activity: Option<&Entity>, now: DateTime) -> bool {
        if self.is_id_of(subject.id) {
            return true;
        }
        let texts = [Some(subject), activity].into_iter().flatten();
        let called: Vec<String> = texts
            .flat_map(|entity| ["title", "kind", "room"].map(|name| entity.text(name)))
            .flat_map(words_of)
            .collect();
        let day = day_of(subject, activity);
        self.words.iter().enumerate().all(|(at, word)| {
            let before = at.checked_sub(1).map(|at| self.words[at].as_str());
            called.iter().any(|known| stands_for(word, known))
                || day.is_some_and(|day| names_day(word, before, day, now.date()))
        })
    }

    fn is_id_of(&self, id: EntityId) -> bool {
        let [word] = &self.words[..] else {
            return false;
        };
        word.len() >= NAMED && id.to_string().starts_with(word.as_str())
    }
}

/// The day on which a subject takes place or is due.
fn day_of(subject: &Entity, activity: Option<&Entity>) -> Option<Date> {
    let read = |entity: &Entity, name: &str| entity.text(name).parse::<Civil>().ok();
    let at = read(subject, "due")
        .or_else(|| read(subject, "start"))
        .or_else(|| read(activity?, "start"));
    at.map(Civil::date)
}

/// The words of a text as they are compared; what joins two of them parts them.
fn words_of(text: &str) -> Vec<String> {
    fold_word(text)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(fold_word)
        .collect()
}

fn stands_for(word: &str, known: &str) -> bool {
    word == known || word.chars().count() >= SHORT && known.starts_with(word)
}

/// Whether a word names this day: "samedi", "sam", "demain", "16", "16/01" (as two words), "janvier".
/// A month's number counts only behind that of a day.
fn names_day(word: &str, before: Option<&str>, day: Date, today: Date) -> bool {
    let is = |number: i8, text: &str| text.parse() == Ok(number);
    let of_month = before.is_some_and(|before| is(day.day(), before)) && is(day.month(), word);
    if of_month || is(day.day(), word) || word.parse() == Ok(day.year()) {
        return true;
    }
    let relative = [(0, ["aujourd", "today"]), (1, ["demain", "tomorrow"])];
    let ahead = (day - today).get_days();
    let said = relative
        .iter()
        .any(|(days, words)| *days == ahead && words.contains(&word));
    // "aujourd'hui" is two words here.
    let rest = word == "hui" && before == Some("aujourd") && ahead == 0;
    said || rest
        || [Lang::Fr, Lang::En].into_iter().any(|lang| {
            let names = [lang.weekday(day.weekday()), lang.month(day.month())];
            names.iter().any(|name| stands_for(word, &fold_word(name)))
        })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use jiff::civil::datetime;
    use raccord_model::{EntityKind, Fields};
    use serde_json::json;

    use super::*;

    fn entity(kind: EntityKind, fields: serde_json::Value) -> Entity {
        let fields: Fields = serde_json::from_value(fields).unwrap();
        let id = EntityId::derive(&[fields["title"].as_str().unwrap().as_bytes()]);
        Entity {
            id,
            kind,
            revision: 1,
            source: "sheet".into(),
            fields,
        }
    }

    #[test]
    fn what_is_named_by_its_words_its_day_or_its_id_fits_and_nothing_else_does() {
        // 16 January 2027 is a Saturday.
        let concert = entity(
            EntityKind::Activity,
            json!({ "title": "Concert de l’été", "start": "2027-01-16T20:30" }),
        );
        let bar = entity(EntityKind::Task, json!({ "title": "Tenir le bar" }));
        let now = datetime(2027, 1, 15, 9, 0, 0, 0);
        let short = &bar.id.to_string()[..8];
        for words in [
            "bar",
            "Bar samedi",
            "tenir le BAR",
            "bar sam",
            "bar concert",
            "bar 16",
            "le bar du 16/01",
            "bar 16 janvier",
            "bar Saturday",
            "bar demain",
            "ten bar",
            "concert ete",
            short,
        ] {
            let wanted = Wanted::of(words).unwrap();
            assert!(wanted.fits(&bar, Some(&concert), now), "{words}");
        }
        for words in [
            "accueil",
            "bar dimanche",
            "bar 17",
            "bar 16/02",
            "ba",
            "barbecue",
            "bar aujourd’hui",
            &short[..5],
        ] {
            let wanted = Wanted::of(words).unwrap();
            assert!(!wanted.fits(&bar, Some(&concert), now), "{words}");
        }
        assert_eq!(Wanted::of("  à la "), None);
    }
}
