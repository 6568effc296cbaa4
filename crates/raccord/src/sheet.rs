//! Tables for a spreadsheet, as those of each language open them: French ones want a semicolon between
//! cells and a comma before decimals.

use raccord_model::Lang;

/// Tells spreadsheets that the file is UTF-8.
const MARK: char = '\u{feff}';

/// A table of these lines, each of as many cells as the first.
pub(crate) fn table(lines: impl IntoIterator<Item = Vec<String>>, lang: Lang) -> String {
    let delimiter = match lang {
        Lang::Fr => b';',
        Lang::En => b',',
    };
    let mut table = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .terminator(csv::Terminator::CRLF)
        .from_writer(MARK.to_string().into_bytes());
    for line in lines {
        table
            .write_record(line)
            .expect("a line of as many cells as the first is written to memory");
    }
    let bytes = table.into_inner().expect("memory takes every byte");
    String::from_utf8(bytes).expect("text was written")
}

/// Hundredths with two decimals, which every spreadsheet reads as a number.
pub(crate) fn decimal(hundredths: i64, lang: Lang) -> String {
    let comma = match lang {
        Lang::Fr => ',',
        Lang::En => '.',
    };
    let (sign, units) = (
        if hundredths < 0 { "-" } else { "" },
        hundredths.unsigned_abs(),
    );
    format!("{sign}{}{comma}{:02}", units / 100, units % 100)
}

/// Text of others in one line, which no spreadsheet takes for a formula
/// ([OWASP, CSV injection](https://owasp.org/www-community/attacks/CSV_Injection)).
pub(crate) fn plain(text: &str) -> String {
    let risky = |c: char| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.trim_start().starts_with(risky) {
        format!("'{text}")
    } else {
        text
    }
}
