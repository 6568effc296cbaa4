//! `raccord ledger [PERSON]`: credits and balances, whether the ledger is whole, wallets, receipts.

use std::io::Write as _;
use std::path::Path;

use raccord_model::Lang;

use super::args::Ledger;
use super::{Console, Host};
use crate::report::{Exit, Problem};
use crate::shapes::{LedgerCheckShape, LedgerShape, ReceiptsShape};
use crate::sheet;

pub(super) fn run(
    args: &Ledger,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    let session = console.open()?;
    let person = args.person.as_deref();
    if let Some(folder) = &args.receipts {
        let receipts = host.receipts(&session, person)?;
        std::fs::create_dir_all(folder).map_err(|error| Problem::file(folder, &error))?;
        write(&folder.join("receipts.html"), &receipts.receipts)?;
        write(&folder.join("verify.html"), &receipts.verify)?;
        let shape = ReceiptsShape {
            receipts: receipts.many,
            folder: folder.display().to_string(),
        };
        return console.print(&shape, &session.view);
    }
    if args.asks.compare {
        return console.print(&host.compare(&session)?, &session.view);
    }
    if let Some(person) = person.filter(|_| args.asks.wallet) {
        return console.print(&host.wallets(&session, person)?, &session.view);
    }
    let shape = host.ledger(&session, person)?;
    if args.asks.check {
        let check = LedgerCheckShape::of(&shape);
        return console.print(&check, &session.view);
    }
    if args.csv {
        console.write(csv(&shape, session.view.lang).as_bytes())?;
        return Ok(Exit::Done);
    }
    console.print(&shape, &session.view)
}

fn write(path: &Path, text: &str) -> Result<(), Problem> {
    let written = std::fs::File::create(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Problem::file(path, &error))
}

/// The movements for a spreadsheet. Nothing that somebody wrote can become a formula there.
fn csv(ledger: &LedgerShape, lang: Lang) -> String {
    let head = match lang {
        Lang::Fr => [
            "numéro", "noté le", "jour", "personne", "nom", "montant", "pour", "cause", "état",
            "crédit",
        ],
        Lang::En => [
            "number", "entered", "day", "person", "name", "amount", "reason", "cause", "state",
            "credit",
        ],
    };
    let head = head.map(str::to_owned).to_vec();
    let lines = ledger.entries.iter().map(|entry| {
        vec![
            entry.number.to_string(),
            entry.at.map(|at| at.to_string()).unwrap_or_default(),
            entry.day.map(|day| day.to_string()).unwrap_or_default(),
            entry.person.to_string(),
            sheet::plain(&entry.name),
            sheet::decimal(entry.amount, lang),
            sheet::plain(&entry.reason),
            sheet::plain(&entry.cause),
            entry.state.clone(),
            entry.id.to_string(),
        ]
    });
    sheet::table(std::iter::once(head).chain(lines), lang)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes::EntryShape;
    use raccord_model::EntityId;

    #[test]
    fn a_reason_never_becomes_a_formula() {
        let id = EntityId::derive(&[b"x"]);
        let entry = |reason: &str, amount| EntryShape {
            id,
            person: id,
            amount,
            reason: reason.into(),
            cause: String::new(),
            state: "granted".into(),
            number: 1,
            at: None,
            day: None,
            name: "@SUM(A1)".into(),
        };
        let ledger = LedgerShape {
            entries: vec![
                entry("=HYPERLINK(\"http://x\",\"y\")", -5),
                entry(" \t+1", 150),
                entry("Bar, \"été\"\n-1", 1),
            ],
            ..LedgerShape::default()
        };
        let text = csv(&ledger, Lang::En);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(lines[0].starts_with("\u{feff}number,"), "{text}");
        assert!(
            lines[1].contains("'@SUM(A1),-0.05,\"'=HYPERLINK("),
            "{text}"
        );
        assert!(lines[2].contains(",1.50,'  +1,"), "{text}");
        assert!(
            lines[3].contains(",0.01,\"Bar, \"\"été\"\" -1\","),
            "{text}"
        );
        // A French spreadsheet opens it in columns, with numbers that are numbers.
        let text = csv(&ledger, Lang::Fr);
        let line = text.lines().nth(2);
        assert!(
            line.is_some_and(|line| line.contains(";1,50;'  +1;")),
            "{text}"
        );
    }

    #[test]
    fn full_width_signs_begin_formulas_too() {
        for text in ["＝1+1", " ＠SUM(A1)", "\u{b}=1"] {
            assert!(sheet::plain(text).starts_with('\''), "{text:?}");
        }
    }
}
