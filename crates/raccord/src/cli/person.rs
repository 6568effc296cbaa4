//! `raccord person`: what is known of somebody, a code to become known by, and forgetting it.

use raccord_model::Words;

use super::args::Person;
use super::{Console, Host};
use crate::report::{Exit, Problem};

pub(super) fn run(
    args: &Person,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    let session = console.open()?;
    let shape = match args {
        Person::Code(whom) => {
            let shape = host.code(&session, address(&whom.email)?)?;
            return console.print(&shape, &session.view);
        }
        Person::Readers(args) => {
            let named = args.letter.trim().parse().ok();
            let name = named.filter(|name| session.settings.connectors.contains_key(name));
            let name = name.ok_or_else(|| no_letter(&args.letter))?;
            let shape = host.readers(&session, &name)?;
            return console.print(&shape, &session.view);
        }
        Person::Export(whom) => host.person(&session, address(&whom.email)?)?,
        Person::Forget(whom) => host.forget(&session, address(&whom.email)?)?,
    };
    console.print(&shape, &session.view)
}

fn no_letter(name: &str) -> Problem {
    Problem::usage(
        "",
        "letter-unknown",
        Words::new(
            format!("Aucun connecteur ne s'appelle « {name} »."),
            format!("No connector is called “{name}”."),
        ),
        Words::new(
            "Le nom est celui de [connectors.…] dans raccord.toml.",
            "The name is that of [connectors.…] in raccord.toml.",
        ),
    )
}

/// An address, so that no common word makes half of the sheet be forgotten.
fn address(text: &str) -> Result<&str, Problem> {
    let text = text.trim();
    let well = text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !host.contains('@') && text.len() <= 254
    });
    if well && !text.contains(char::is_whitespace) {
        return Ok(text);
    }
    Err(Problem::usage(
        "",
        "address-wrong",
        Words::new(
            "Ce n'est pas une adresse e-mail.",
            "That is no e-mail address.",
        ),
        Words::new(
            "Écrivez l'adresse entière, par exemple ana@example.org.",
            "Write the whole address, for example ana@example.org.",
        ),
    ))
}
