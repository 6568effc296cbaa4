//! `raccord support FILE`: what may be shown in public to whoever helps. Made also where the
//! configuration or the log is broken: that is when it is wanted.

use std::fmt;
use std::path::PathBuf;

use raccord_kit::Clock as _;
use raccord_model::Lang;
use serde::Serialize;
use serde_json::json;

use super::args::Support;
use super::{Console, Host, Session, new_file};
use crate::locale::{View, shown};
use crate::report::{Exit, Problem};
use crate::shapes::Shape;
use crate::{settings, support};

pub(super) fn run(
    args: &Support,
    console: &mut Console<'_, '_>,
    host: &dyn Host,
) -> Result<Exit, Problem> {
    let time = settings::clock(&console.shell.env)?;
    let loaded = console.read()?;
    let mut view = console.view()?;
    let (configuration, log) = match loaded {
        Err(refused) => {
            console.place_lang = refused.lang;
            view.lang = console.lang();
            (support::refused(&refused), json!("not looked for"))
        }
        Ok(settings) => {
            console.place_lang = Some(settings.place.lang);
            view.lang = console.lang();
            let configuration = support::configuration(&settings);
            let mut session = Session::of(settings, time.clone(), console.global.json);
            session.view = view.clone();
            (configuration, host.support(&session))
        }
    };
    let bundle = json!({
        "made": time.clock.now(),
        "hour_set_by_hand": time.set_to.is_some(),
        "program": support::program(),
        "configuration": configuration,
        "log": log,
    });
    let mut text = serde_json::to_string_pretty(&bundle).expect("a bundle always serialises");
    text.push('\n');
    new_file::write(&args.file, text.as_bytes())?;
    let made = Made {
        file: args.file.clone(),
        bytes: text.len(),
    };
    console.print(&made, &view)
}

/// A bundle that was made.
#[derive(Serialize)]
struct Made {
    file: PathBuf,
    bytes: usize,
}

impl Shape for Made {
    fn human(&self, view: &View, out: &mut dyn fmt::Write) -> fmt::Result {
        let file = shown(&self.file.display().to_string());
        match view.lang {
            Lang::Fr => writeln!(
                out,
                "« {file} » est écrit : des versions, des nombres et des codes. Rien de ce que vous avez écrit n'y est, ni nom, ni adresse, ni mot de passe ; relisez-le, puis joignez-le à votre question."
            ),
            Lang::En => writeln!(
                out,
                "“{file}” is written: versions, numbers and codes. Nothing of what you wrote is in it, no name, no address, no password; read it through, then attach it to your question."
            ),
        }
    }
}
