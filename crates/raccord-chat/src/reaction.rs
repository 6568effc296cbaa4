//! Reactions: the one sign that a keyboard, Mattermost, Rocket.Chat and Matrix each name otherwise.

use raccord_kit::{Finding, Kit, Level};
use raccord_model::Words;

use crate::heard::What;

/// Signs that people agree by, and what tools call them between colons.
const NAMES: [(&str, &[&str]); 12] = [
    ("✅", &["white_check_mark"]),
    ("✔", &["heavy_check_mark"]),
    ("👍", &["+1", "thumbsup"]),
    ("✋", &["raised_hand", "hand"]),
    ("🙋", &["raising_hand", "person_raising_hand"]),
    ("🙌", &["raised_hands"]),
    ("👋", &["wave"]),
    ("💪", &["muscle"]),
    ("❤", &["heart"]),
    ("⭐", &["star"]),
    ("🙏", &["pray"]),
    ("👌", &["ok_hand"]),
];

/// What makes a sign coloured, and the tones of a hand: no difference.
fn is_shade(c: char) -> bool {
    matches!(c, '\u{fe0e}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
}

/// A reaction as it is shown and compared: its sign where it is one of those that people agree by,
/// else its name without colons.
pub fn sign(named: &str) -> String {
    let plain: String = named.chars().filter(|c| !is_shade(*c)).collect();
    let plain = plain.trim().trim_matches(':').to_lowercase();
    // Mattermost and Rocket.Chat say the tone of a hand behind its name.
    let toneless = plain
        .strip_suffix("_skin_tone")
        .map(|name| {
            let tones = [
                "_medium_light",
                "_medium_dark",
                "_light",
                "_medium",
                "_dark",
            ];
            tones
                .iter()
                .find_map(|tone| name.strip_suffix(tone))
                .unwrap_or(name)
        })
        .or_else(|| {
            let name = plain.trim_end_matches(|c| ('1'..='5').contains(&c));
            name.strip_suffix("_tone")
                .filter(|_| name.len() < plain.len())
        })
        .unwrap_or(&plain);
    let known = NAMES.iter().find(|(_, names)| names.contains(&toneless));
    known.map_or(toneless, |(sign, _)| sign).to_owned()
}

/// Who reacted to a message of ours, of the reactions that a route takes for a sign-up, by the
/// route's name for them. `all`: who reacted, by the tool's name of the reaction. Nothing where no
/// route takes any.
pub fn signing_up(kit: &Kit, all: &[(String, Vec<String>)]) -> Option<What> {
    if kit.signups.is_empty() {
        return None;
    }
    let of = |wanted: &String| {
        let wanted_sign = sign(wanted);
        let people = all.iter().filter(|(name, _)| sign(name) == wanted_sign);
        let mut people: Vec<String> = people.flat_map(|(_, people)| people.clone()).collect();
        people.sort_unstable();
        people.dedup();
        (wanted.clone(), people)
    };
    Some(What::Hands(kit.signups.iter().map(of).collect()))
}

/// A route takes a reaction for a sign-up, and the rooms are not read: nobody would sign up so.
pub fn unheard(kind: &str, kit: &Kit, listens: bool) -> Option<Finding> {
    (!listens && !kit.signups.is_empty()).then(|| Finding {
        place: "listen".to_owned(),
        code: format!("{kind}.signup-unheard"),
        level: Level::Warning,
        text: Words::new(
            "Une route veut qu’une réaction inscrive («\u{a0}signup\u{a0}»), mais aucun salon n’est lu\u{a0}: personne ne sera inscrit ainsi.",
            "A route wants a reaction to sign up (“signup”), but no room is read: nobody will be signed up that way.",
        ),
        mend: Words::new(
            "Nommez dans «\u{a0}listen\u{a0}» le salon des annonces, et laissez «\u{a0}hear\u{a0}» à «\u{a0}questions\u{a0}» ou «\u{a0}all\u{a0}»\u{202f}; ou enlevez «\u{a0}signup\u{a0}» de la route.",
            "Name the room of the announcements in “listen”, and leave “hear” at “questions” or “all”; or take “signup” off the route.",
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sign_has_many_names() {
        for (named, same) in [
            ("✅", "white_check_mark"),
            (":white_check_mark:", "✅"),
            ("👍🏽", "+1"),
            ("thumbsup", "👍"),
            (":thumbsup_tone3:", "👍"),
            ("+1_medium_light_skin_tone", "👍"),
            ("+1_dark_skin_tone", "👍"),
            ("✔\u{fe0f}", "heavy_check_mark"),
            ("Party_Parrot", ":party_parrot:"),
        ] {
            assert_eq!(sign(named), sign(same), "{named}");
        }
        assert_ne!(sign("👍"), sign("👎"));
        assert_ne!(sign("tone1"), sign("tone2"));
    }

    #[test]
    fn of_all_who_reacted_those_count_who_sign_up() {
        let mut kit = raccord_kit::testing::kit();
        let all = [
            ("+1".to_owned(), vec!["b".to_owned(), "a".to_owned()]),
            ("thumbsup".to_owned(), vec!["a".to_owned()]),
            ("heart".to_owned(), vec!["c".to_owned()]),
        ];
        assert_eq!(signing_up(&kit, &all), None);
        kit.signups = ["👍".to_owned(), "✅".to_owned()].into();
        let hands = vec![
            ("👍".to_owned(), vec!["a".to_owned(), "b".to_owned()]),
            ("✅".to_owned(), vec![]),
        ];
        assert_eq!(signing_up(&kit, &all), Some(What::Hands(hands)));
    }
}
