//! `raccord ledger [PERSON]`: credits and balances, whether the ledger is whole, receipts.

use std::io::Write as _;
use std::path::Path;

use raccord_model::Words;

use super::args::Ledger;
use super::{Console, Host};
use crate::report::{Exit, Problem};
use crate::shapes::{LedgerCheckShape, LedgerShape, ReceiptsShape};

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
    if args.compare {
        return console.print(&host.compare(&session)?, &session.view);
    }
    let shape = host.ledger(&session, person)?;
    if args.check {
        let check = LedgerCheckShape::of(&shape);
        return console.print(&check, &session.view);
    }
    if args.csv {
        console.write(csv(&shape)?.as_bytes())?;
        return Ok(Exit::Done);
    }
    console.print(&shape, &session.view)
}

fn write(path: &Path, text: &str) -> Result<(), Problem> {
    let written = std::fs::File::create(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Problem::file(path, &error))
}

/// The movements for a spreadsheet. Nothing that somebody wrote can become a formula there.
fn csv(ledger: &LedgerShape) -> Result<String, Problem> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let head = [
        "number", "entered", "day", "person", "name", "amount", "reason", "cause", "state",
        "credit",
    ];
    let mut faults = out.write_record(head).err();
    for entry in &ledger.entries {
        let (sign, units) = (
            if entry.amount < 0 { "-" } else { "" },
            entry.amount.unsigned_abs(),
        );
        let written = out.write_record([
            entry.number.to_string(),
            entry.at.map(|at| at.to_string()).unwrap_or_default(),
            entry.day.map(|day| day.to_string()).unwrap_or_default(),
            entry.person.to_string(),
            harmless(&entry.name),
            format!("{sign}{}.{:02}", units / 100, units % 100),
            harmless(&entry.reason),
            harmless(&entry.cause),
            entry.state.clone(),
            entry.id.to_string(),
        ]);
        faults = faults.or(written.err());
    }
    let bytes = out.into_inner().ok().filter(|_| faults.is_none());
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| {
        Problem::failed(
            "csv",
            "ledger.csv",
            Words::new(
                "Le CSV n'a pas pu être écrit.",
                "The CSV could not be written.",
            ),
            Words::new(
                "C'est une faute de Raccord : signalez-la.",
                "This is a fault of Raccord: report it.",
            ),
        )
    })
}

/// A text that a spreadsheet takes for a text (OWASP, "CSV Injection").
fn harmless(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.trim_start().starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text
    }
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
        let text = csv(&ledger).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(
            lines[1].contains("'@SUM(A1),-0.05,\"'=HYPERLINK("),
            "{text}"
        );
        assert!(lines[2].contains(",1.50,'  +1,"), "{text}");
        assert!(
            lines[3].contains(",0.01,\"Bar, \"\"été\"\" -1\","),
            "{text}"
        );
    }
}
