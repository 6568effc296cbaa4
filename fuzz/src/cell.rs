//! One cell, as a person wrote it.

use std::fmt::Write as _;
use std::io::Cursor;

use raccord_connector_spreadsheet::read;
use raccord_kit::conformance::holds_together;

/// The columns, with what stands in them where nothing is being tried.
const COLUMNS: [(&str, &str); 16] = [
    ("Date", "2027-01-12"),
    ("Date de fin", ""),
    ("Jour de la semaine", ""),
    ("Horaires", "18h30 - 20h30"),
    ("Titre", "Chorale"),
    ("Type", "Atelier"),
    ("Salle", "Grande halle"),
    ("Organisateur", "Équipe lieu"),
    ("Contact", "lieu@example.org"),
    ("Description", "Ouvert à toutes et tous."),
    ("Public", "oui"),
    ("Jauge", "12"),
    ("Crédits", "1,5"),
    ("Lien doc", "https://example.org/guide"),
    ("Statut", "Confirmé"),
    ("Tags", "voix"),
];

/// One cell of a sheet that is otherwise in order. The first byte names its column, the others
/// are its text. The lines above and below are read as if it were not there.
pub fn cell(data: &[u8]) {
    let Some((&column, text)) = data.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    if text.matches('\0').count() > 1 {
        // Then it is no text.
        return;
    }
    let column = usize::from(column) % COLUMNS.len();
    let mut sheet = COLUMNS.map(|(header, _)| header).join(";");
    sheet.push('\n');
    line(&mut sheet, "Avant", None);
    line(&mut sheet, "Chorale", Some((column, text)));
    line(&mut sheet, "Après", None);
    let mut sheet = Cursor::new(sheet.into_bytes());
    let reading = read(&mut sheet, "p.csv").expect("one cell never costs the sheet");
    holds_together(&reading);
    for (title, row) in [("Avant", 2), ("Après", 4)] {
        let found = reading
            .lines
            .iter()
            .map(|line| (line.row, line.decode()))
            .find(|(_, fields)| fields["title"] == title);
        let (found, fields) = found.expect("what stands around a cell is read");
        // Line breaks within the cell count as lines of the file, not of the sheet.
        assert_eq!(found, row);
        assert_eq!(fields["start"], "2027-01-12T18:30");
        assert_eq!(fields["end"], "2027-01-12T20:30");
    }
}

fn line(sheet: &mut String, title: &str, tried: Option<(usize, &str)>) {
    for (index, (header, usual)) in COLUMNS.iter().enumerate() {
        let text = match tried {
            Some((column, text)) if column == index => text,
            _ if *header == "Titre" => title,
            _ => usual,
        };
        let end = if index + 1 == COLUMNS.len() {
            '\n'
        } else {
            ';'
        };
        write!(sheet, "\"{}\"{end}", text.replace('"', "\"\"")).expect("memory takes it");
    }
}
