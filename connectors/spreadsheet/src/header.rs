//! Which column holds what: recognises the header line of a programme, wherever it stands and
//! however it is spelt.
//!
//! A header line names a title and a date (or a start). Nothing is guessed from what stands
//! below it: a sheet whose header is lost is not read at all.

use std::collections::BTreeMap;

use raccord_model::Visibility;

use crate::field::Field;
use crate::text;
use crate::words::{self, Named};

/// The header words a place chose for itself: `columns = { title = "Intitulé" }`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chosen {
    /// Folded header to field.
    fields: Vec<(String, Field)>,
    /// Folded header to the name under `extra`.
    extras: Vec<(String, String)>,
}

impl Chosen {
    /// Reads the setting; beside it the keys that are no field.
    pub(crate) fn of(columns: &BTreeMap<String, String>) -> (Self, Vec<String>) {
        let mut chosen = Self::default();
        let mut unknown = Vec::new();
        for (name, header) in columns {
            let folded = fold(header);
            if let Some(extra) = name
                .strip_prefix("extra.")
                .filter(|extra| !extra.is_empty())
            {
                chosen.extras.push((folded, extra.to_owned()));
            } else if let Some(field) = Field::ALL.into_iter().find(|field| field.name() == name) {
                chosen.fields.push((folded, field));
            } else {
                unknown.push(name.clone());
            }
        }
        (chosen, unknown)
    }
}

/// The columns of one table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    by_field: BTreeMap<Field, u16>,
    /// Columns kept under `extra`, by name.
    pub(crate) extras: Vec<(u16, String)>,
    /// What "yes" says in the column of who may see.
    pub(crate) yes_means: Visibility,
    /// Header cells that name nothing we know: column and text.
    pub(crate) unknown: Vec<(u16, String)>,
    /// Header cells that name a field a second time.
    pub(crate) twice: Vec<(u16, String)>,
    /// Header cells of hidden columns that are left alone.
    pub(crate) hidden: Vec<(u16, String)>,
}

impl Columns {
    pub(crate) fn get(&self, field: Field) -> Option<u16> {
        self.by_field.get(&field).copied()
    }

    /// For each field of an activity, and each half of its moments, the columns it is made from.
    pub(crate) fn by_name(&self) -> BTreeMap<String, Vec<u16>> {
        let mut out: BTreeMap<String, Vec<u16>> = BTreeMap::new();
        for (field, &column) in &self.by_field {
            for name in field.makes().iter().chain(field.halves()) {
                out.entry((*name).to_owned()).or_default().push(column);
            }
        }
        for (column, name) in &self.extras {
            out.entry(format!("extra.{name}"))
                .or_default()
                .push(*column);
        }
        for columns in out.values_mut() {
            columns.sort_unstable();
        }
        out
    }

    /// How many header cells are recognised.
    fn known(&self) -> usize {
        self.by_field.len() + self.extras.len()
    }
}

/// How sure a header cell names its field.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sure {
    /// By its first word ("Titre de la soirée").
    Head,
    /// By the whole header.
    Whole,
    /// By the configuration.
    Chosen,
}

/// Reads a line as a header. `None` when it is none.
pub(crate) fn recognise<'a>(
    cells: impl Iterator<Item = (u16, &'a str)>,
    chosen: &Chosen,
    hidden: impl Fn(u16) -> bool,
) -> Option<Columns> {
    let columns = assign(cells, chosen, hidden);
    let dated = [Field::Date, Field::Start]
        .iter()
        .any(|field| columns.by_field.contains_key(field));
    // Most of what stands there must be header words: a line of data that happens to hold
    // "date" and "titre" is not one.
    let named = columns.known() + columns.twice.len() + columns.hidden.len();
    (columns.by_field.contains_key(&Field::Title) && dated && named >= columns.unknown.len())
        .then_some(columns)
}

/// How many headings of a line are known, where it is a header.
pub(crate) fn known(cells: &[(u16, &str)], chosen: &Chosen) -> usize {
    let columns = recognise(cells.iter().copied(), chosen, |_| false);
    columns.map_or(0, |columns| columns.by_name().len())
}

/// Whether every cell is a header word: the second line of a header in two lines.
pub(crate) fn continues<'a>(mut cells: impl Iterator<Item = &'a str>, chosen: &Chosen) -> bool {
    let mut some = false;
    cells.all(|cell| {
        some = true;
        meaning(&fold(cell), chosen).is_some_and(|(_, sure)| sure >= Sure::Whole)
    }) && some
}

fn assign<'a>(
    cells: impl Iterator<Item = (u16, &'a str)>,
    chosen: &Chosen,
    hidden: impl Fn(u16) -> bool,
) -> Columns {
    let mut columns = Columns::default();
    let mut claims: BTreeMap<Field, (u16, Sure, String)> = BTreeMap::new();
    for (column, raw) in cells {
        let shown = text::cut(&text::line(raw), 60);
        let folded = fold(raw);
        if folded.is_empty() {
            continue;
        }
        if let Some((_, name)) = chosen.extras.iter().find(|(header, _)| *header == folded) {
            columns.extras.push((column, name.clone()));
            continue;
        }
        let Some((mut field, sure)) = meaning(&folded, chosen) else {
            columns.unknown.push((column, shown));
            continue;
        };
        if hidden(column) && !field.read_hidden() {
            columns.hidden.push((column, shown));
            continue;
        }
        // "Jour" beside "Date" is the day of the week.
        if field == Field::Date
            && matches!(folded.as_str(), "jour" | "jours" | "day")
            && claims.contains_key(&Field::Date)
        {
            field = Field::Weekday;
        }
        match claims.get(&field) {
            Some((first, known, word)) if sure <= *known => {
                let (first, word) = (*first, word.clone());
                if field == Field::Date && matches!(fold(&word).as_str(), "jour" | "jours" | "day")
                {
                    claims.insert(Field::Weekday, (first, Sure::Whole, word));
                    claims.insert(field, (column, sure, shown));
                } else {
                    columns.twice.push((column, shown));
                }
            }
            Some((first, _, word)) => {
                columns.twice.push((*first, word.clone()));
                claims.insert(field, (column, sure, shown));
            }
            None => {
                claims.insert(field, (column, sure, shown));
            }
        }
    }
    if let Some((_, _, word)) = claims.get(&Field::Visibility) {
        let folded = fold(word);
        let internal = ["interne", "internal", "prive", "private", "members only"]
            .iter()
            .any(|said| folded.contains(said));
        if internal && !folded.contains("public") {
            columns.yes_means = Visibility::Internal;
        }
    }
    columns.by_field = claims
        .into_iter()
        .map(|(field, (column, _, _))| (field, column))
        .collect();
    columns.unknown.sort_unstable();
    columns.twice.sort_unstable();
    columns
}

fn meaning(folded: &str, chosen: &Chosen) -> Option<(Field, Sure)> {
    if let Some((_, field)) = chosen.fields.iter().find(|(header, _)| header == folded) {
        return Some((*field, Sure::Chosen));
    }
    let known = match words::header(folded) {
        Named::Field(field) => (field, Sure::Whole),
        Named::Other => return None,
        Named::Unknown => (by_head(folded)?, Sure::Head),
    };
    // Whoever says "title is in Intitulé" does not want "Nom" to be the title too.
    let overruled = chosen.fields.iter().any(|(_, field)| *field == known.0);
    (!overruled).then_some(known)
}

/// "Intitulé de l’évènement" is an "intitulé"; "nom de l’organisateur" is an "organisateur".
fn by_head(folded: &str) -> Option<Field> {
    let (head, tail) = [
        " de l ", " de la ", " du ", " des ", " de ", " d ", " of the ", " of ",
    ]
    .iter()
    .filter_map(|link| folded.split_once(link))
    .min_by_key(|(head, _)| head.len())?;
    if words::EMPTY_HEADS.contains(&head) {
        return words::header(tail)
            .field()
            .filter(|field| *field != Field::Date || head == "date");
    }
    // "Partage de la salle" is about something else than the network.
    words::header(head)
        .field()
        .filter(|field| *field != Field::Shared)
}

/// The header, folded: brackets, units and inclusive endings off.
pub(crate) fn fold(header: &str) -> String {
    let plain = text::plain(header);
    let mut out = String::with_capacity(plain.len());
    let mut depth = 0_u32;
    for c in plain.chars() {
        match c {
            '(' | '[' if !out.trim().is_empty() => {
                depth += 1;
                // `organisateur(trice)` and `Date (jj/mm)` are told by what follows.
                out.push(' ');
            }
            ')' | ']' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            other => out.push(other),
        }
    }
    let mut folded = String::with_capacity(out.len());
    for word in out.split_whitespace() {
        let mut parts = word
            .split(|c: char| !c.is_alphanumeric())
            .filter(|part| !part.is_empty());
        let Some(first) = parts.next() else { continue };
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(first);
        let inclusive =
            first.chars().count() > 3 && word.contains(['·', '•', '.', '-', '/', '∙', '‧']);
        for part in parts {
            if inclusive && words::INCLUSIVE.contains(&part) {
                continue;
            }
            folded.push(' ');
            folded.push_str(part);
        }
    }
    folded
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(cells: &[&str]) -> Option<Columns> {
        recognise(
            cells.iter().enumerate().map(|(i, c)| (i as u16, *c)),
            &Chosen::default(),
            |_| false,
        )
    }

    #[test]
    fn spellings_that_people_use_are_recognised() {
        for (header, field) in [
            ("DATE ", Field::Date),
            ("  Intitulé de l’évènement", Field::Title),
            ("Nom de l'activité", Field::Title),
            ("Où ?", Field::Room),
            ("Référent.e", Field::Organiser),
            ("Organisateur·ice", Field::Organiser),
            ("Organisateur·ice·s", Field::Organiser),
            ("organisateur/trice", Field::Organiser),
            ("Organisateur(trice)", Field::Organiser),
            ("Nom de l’organisateur", Field::Organiser),
            ("Description\u{a0}", Field::Description),
            ("public / interne", Field::Visibility),
            ("Contact e-mail", Field::Contact),
            ("OK ?", Field::Status),
            ("Quand", Field::Date),
            ("Catégorie", Field::Kind),
            ("Date (jj/mm/aaaa)", Field::Date),
            ("Type d’activité", Field::Kind),
            ("Start time", Field::Start),
            ("What?", Field::Title),
            ("Heure de début", Field::Start),
            ("Date de fin", Field::EndDate),
            ("À", Field::End),
            ("Lien doc", Field::Guide),
            ("Nb. de places", Field::Capacity),
            ("Inscription", Field::Register),
            ("Lien d’inscription", Field::Register),
            ("Billetterie", Field::Register),
            ("Sign-up link", Field::Register),
        ] {
            assert_eq!(
                meaning(&fold(header), &Chosen::default()).map(|(field, _)| field),
                Some(field),
                "{header}"
            );
        }
        for header in [
            "Besoin technique",
            "Date limite",
            "Date d’inscription",
            "Type de public",
            "Notes internes",
            "Commentaires",
            "Nom de jeune fille",
        ] {
            assert!(
                meaning(&fold(header), &Chosen::default()).is_none(),
                "{header}"
            );
        }
    }

    #[test]
    fn a_line_of_data_is_not_a_header() {
        assert!(read(&["2027-01-02", "10:00", "12:00", "Rangement", "Atelier"]).is_none());
        assert!(read(&["Salle", "Capacité"]).is_none());
        assert!(read(&["Date", "un", "deux", "trois", "Titre"]).is_none());
        assert!(read(&["Date", "Titre", "Besoin technique"]).is_some());
    }

    #[test]
    fn the_day_beside_the_date_is_the_day_of_the_week() {
        for header in [["Jour", "Date", "Titre"], ["Date", "Jour", "Titre"]] {
            let columns = read(&header).unwrap();
            let at = |word| header.iter().position(|h| *h == word).map(|i| i as u16);
            assert_eq!(columns.get(Field::Date), at("Date"));
            assert_eq!(columns.get(Field::Weekday), at("Jour"));
        }
        assert_eq!(read(&["Jour", "Titre"]).unwrap().get(Field::Date), Some(0));
    }

    #[test]
    fn the_place_has_the_last_word() {
        let chosen = Chosen::of(
            &[
                ("title".to_owned(), "Ce qui se passe".to_owned()),
                ("extra.tech".to_owned(), "Besoin technique".to_owned()),
            ]
            .into(),
        )
        .0;
        let columns = recognise(
            [
                (0, "Date"),
                (1, "Nom"),
                (2, "ce qui se passe"),
                (3, "Besoin technique"),
            ]
            .into_iter(),
            &chosen,
            |_| false,
        )
        .unwrap();
        assert_eq!(columns.get(Field::Title), Some(2));
        assert_eq!(columns.unknown, [(1, "Nom".to_owned())]);
        assert_eq!(columns.extras, [(3, "tech".to_owned())]);
        assert_eq!(
            Chosen::of(&[("titel".to_owned(), "x".to_owned())].into()).1,
            ["titel"]
        );
    }

    #[test]
    fn a_hidden_column_is_left_alone_unless_it_restricts() {
        let columns = recognise(
            [
                (0, "Date"),
                (1, "Titre"),
                (2, "Mail"),
                (3, "Description"),
                (4, "Public"),
            ]
            .into_iter(),
            &Chosen::default(),
            |column| column >= 2,
        )
        .unwrap();
        assert_eq!(columns.get(Field::Contact), Some(2));
        assert_eq!(columns.get(Field::Description), None);
        assert_eq!(columns.get(Field::Visibility), Some(4));
        assert_eq!(columns.hidden, [(3, "Description".to_owned())]);
    }
}
