//! A shape for each kind of activity, so that kinds are told apart on paper without colour. Pure.
//!
//! Common kinds have the same shape each month; what is left over takes the free shapes in
//! alphabetical order.

use std::collections::{BTreeMap, BTreeSet};

use raccord_model::fold_word;

/// The shapes a template can draw.
const SHAPES: [&str; 12] = [
    "square", "disc", "triangle", "diamond", "ring", "half", "frame", "bars", "star", "cross",
    "hexagon", "arch",
];

/// The shape of what has no other: a template draws a point.
const REST: &str = "dot";

/// What kinds begin with (folded), and their shape.
const KNOWN: [(&str, &str); 32] = [
    ("atelier", "square"),
    ("workshop", "square"),
    ("concert", "disc"),
    ("musique", "disc"),
    ("music", "disc"),
    ("chantier", "triangle"),
    ("work party", "triangle"),
    ("permanence", "diamond"),
    ("accueil", "diamond"),
    ("open hour", "diamond"),
    ("reunion", "ring"),
    ("assemblee", "ring"),
    ("meeting", "ring"),
    ("assembly", "ring"),
    ("repa", "half"),
    ("cuisine", "half"),
    ("brunch", "half"),
    ("meal", "half"),
    ("projection", "frame"),
    ("film", "frame"),
    ("cine", "frame"),
    ("screening", "frame"),
    ("formation", "bars"),
    ("cour", "bars"),
    ("training", "bars"),
    ("fete", "star"),
    ("bal", "star"),
    ("party", "star"),
    ("conference", "cross"),
    ("talk", "cross"),
    ("marche", "hexagon"),
    ("exposition", "arch"),
];

/// The shape of each of `kinds`, by the folded kind ("Ateliers" and "atelier" are one); no two
/// share one while there are enough.
pub(crate) fn assign<'a>(
    kinds: impl IntoIterator<Item = &'a str>,
) -> BTreeMap<String, &'static str> {
    let kinds: BTreeSet<String> = kinds.into_iter().map(fold_word).collect();
    let mut free = SHAPES.to_vec();
    let mut shapes = BTreeMap::new();
    let mut rest = Vec::new();
    for kind in kinds {
        let known = KNOWN.iter().find(|(prefix, _)| kind.starts_with(prefix));
        let place = known.and_then(|(_, shape)| free.iter().position(|each| each == shape));
        match place {
            Some(place) => drop(shapes.insert(kind, free.remove(place))),
            None => rest.push(kind),
        }
    }
    let mut free = free.into_iter();
    for kind in rest {
        let shape = if kind.is_empty() { None } else { free.next() };
        shapes.insert(kind, shape.unwrap_or(REST));
    }
    shapes
}

/// Whether `kind` is work done together, whose places are hands that are needed.
pub(crate) fn wants_hands(kind: &str) -> bool {
    let kind = fold_word(kind);
    ["chantier", "work party", "coup de main"]
        .iter()
        .any(|prefix| kind.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_kinds_keep_their_shape_and_no_two_share_one() {
        let shapes = assign([
            "Chorale", "Ateliers", "atelier", "Concert", "Musique", "", "Réunion",
        ]);
        assert_eq!(shapes["atelier"], "square");
        assert_eq!(shapes["concert"], "disc");
        assert_eq!(shapes["reunion"], "ring");
        assert_eq!(shapes[""], "dot");
        assert_ne!(shapes["musique"], "disc");
        assert_ne!(shapes["musique"], shapes["chorale"]);
    }

    #[test]
    fn more_kinds_than_shapes_is_no_trouble() {
        let kinds: Vec<String> = (0..40).map(|n| format!("Genre {n}")).collect();
        assert_eq!(assign(kinds.iter().map(String::as_str)).len(), 40);
    }
}
