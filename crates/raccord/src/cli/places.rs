//! `raccord places`: the places of a folder, and what waits at each.

use super::{Console, Host, Session};
use crate::report::{Exit, Problem};
use crate::settings;
use crate::shapes::{PlaceShape, PlacesShape};

pub(super) fn run(console: &mut Console<'_, '_>, host: &dyn Host) -> Result<Exit, Problem> {
    let time = settings::clock(&console.shell.env)?;
    let folder = console.global.config.clone();
    let mut places = Vec::new();
    let look = |settings: settings::Settings| {
        let session = Session::of(settings, time.clone(), true);
        host.place(&session)
    };
    if folder.is_dir() {
        let files =
            settings::places::files(&folder).map_err(|cause| Problem::file(&folder, &cause))?;
        for (id, file) in files {
            places.push(match settings::places::read_one(&id, &file) {
                Ok(settings) => look(settings),
                Err(refused) => PlaceShape::refused(id, &file, &refused.findings),
            });
        }
    } else {
        places.push(look(console.open()?.settings));
    }
    let view = console.view()?;
    let lang = view.lang;
    console.print(&PlacesShape { lang, places }, &view)
}
