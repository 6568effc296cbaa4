//! A shape for each kind of activity, so that kinds are told apart without colour, on paper and on
//! screens alike.
//!
//! Common kinds have the same shape everywhere; what is left over takes the free shapes in
//! alphabetical order.

use std::collections::{BTreeMap, BTreeSet};

use raccord_model::fold_word;

/// The shapes, and how each is drawn in a square of 24 by 24.
const SHAPES: [(&str, &str); 12] = [
    ("square", "M0 0h24v24H0z"),
    ("disc", "M12 0a12 12 0 1 0 0 24a12 12 0 1 0 0-24z"),
    ("triangle", "M0 24L12 0l12 24z"),
    ("diamond", "M12 0l12 12-12 12L0 12z"),
    (
        "ring",
        "M12 0a12 12 0 1 0 0 24a12 12 0 1 0 0-24zm0 4a8 8 0 1 1 0 16a8 8 0 1 1 0-16z",
    ),
    ("half", "M0 6h24a12 12 0 0 1-24 0z"),
    ("frame", "M0 0h24v24H0zM4 4v16h16V4z"),
    ("bars", "M0 0h24v4.8H0zM0 9.6h24v4.8H0zM0 19.2h24V24H0z"),
    (
        "star",
        "M12 0l3.1 7.8 8.3.5L17 13.6l2.1 8.1-7.1-4.5-7.1 4.5L7 13.6.6 8.3l8.3-.5z",
    ),
    ("cross", "M8.4 0h7.2v8.4H24v7.2h-8.4V24H8.4v-8.4H0V8.4h8.4z"),
    ("hexagon", "M12 0l10.4 6v12L12 24 1.6 18V6z"),
    (
        "arch",
        "M0 24V12a12 12 0 0 1 24 0v12h-4V12a8 8 0 0 0-16 0v12z",
    ),
];

/// The shape of what has no other: a point.
const REST: (&str, &str) = ("dot", "M12 7.2a4.8 4.8 0 1 0 0 9.6a4.8 4.8 0 1 0 0-9.6z");

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

/// The shapes of the kinds that stand together on a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks(BTreeMap<String, &'static str>);

impl Marks {
    /// A shape for each of `kinds`; no two share one while there are enough, and "Ateliers" and
    /// "atelier" are one kind.
    pub fn among<'a>(kinds: impl IntoIterator<Item = &'a str>) -> Self {
        let kinds: BTreeSet<String> = kinds.into_iter().map(fold_word).collect();
        let mut free: Vec<&'static str> = SHAPES.iter().map(|(name, _)| *name).collect();
        let mut shapes = BTreeMap::new();
        let mut rest = Vec::new();
        for kind in kinds {
            let own = known(&kind).and_then(|shape| free.iter().position(|each| *each == shape));
            match own {
                Some(place) => drop(shapes.insert(kind, free.remove(place))),
                None => rest.push(kind),
            }
        }
        let mut free = free.into_iter();
        for kind in rest {
            let shape = if kind.is_empty() { None } else { free.next() };
            shapes.insert(kind, shape.unwrap_or(REST.0));
        }
        Self(shapes)
    }

    /// The shape of `kind`.
    pub fn of(&self, kind: &str) -> &'static str {
        self.0.get(&fold_word(kind)).copied().unwrap_or(REST.0)
    }

    /// The shapes in use, each once.
    pub fn shapes(&self) -> BTreeSet<&'static str> {
        self.0.values().copied().collect()
    }
}

/// The shape a common kind has everywhere.
pub fn usual(kind: &str) -> Option<&'static str> {
    known(&fold_word(kind))
}

/// How a shape is drawn: the data of an SVG path in a square of 24 by 24.
pub fn path(shape: &str) -> &'static str {
    let found = SHAPES.iter().find(|(name, _)| *name == shape);
    found.unwrap_or(&REST).1
}

fn known(folded: &str) -> Option<&'static str> {
    let found = KNOWN.iter().find(|(start, _)| folded.starts_with(start));
    found.map(|(_, shape)| *shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_kinds_keep_their_shape_and_no_two_share_one() {
        let marks = Marks::among([
            "Chorale", "Ateliers", "atelier", "Concert", "Musique", "", "Réunion",
        ]);
        assert_eq!(marks.of("Atelier"), "square");
        assert_eq!(marks.of("concerts"), "disc");
        assert_eq!(marks.of("Réunion"), "ring");
        assert_eq!(marks.of(""), "dot");
        assert_ne!(marks.of("Musique"), "disc");
        assert_ne!(marks.of("Musique"), marks.of("Chorale"));
        assert_eq!(usual("Réunions"), Some("ring"));
        assert_eq!(usual("Chorale"), None);
    }

    #[test]
    fn more_kinds_than_shapes_is_no_trouble() {
        let kinds: Vec<String> = (0..40).map(|n| format!("Genre {n}")).collect();
        let marks = Marks::among(kinds.iter().map(String::as_str));
        assert_eq!(marks.shapes().len(), SHAPES.len() + 1);
    }

    #[test]
    fn the_shapes_are_those_of_the_printed_page() {
        let paper = include_str!("../../../connectors/programme/templates/parts.typ");
        for (name, _) in SHAPES {
            assert!(paper.contains(&format!("name == \"{name}\"")), "{name}");
        }
    }
}
