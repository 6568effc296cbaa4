//! `raccord run`: the daemon.

use super::{Console, Host, Session, Work, say};
use crate::report::{Exit, Problem};
use crate::settings;

pub(super) fn run(console: &mut Console<'_, '_>, host: &dyn Host) -> Result<Exit, Problem> {
    let folder = console.global.config.is_dir() && console.global.place.is_none();
    let sessions = if folder {
        of_folder(console)?
    } else {
        vec![console.open()?]
    };
    let listen = settings::places::listen(sessions.iter().map(|session| &session.settings))
        .map_err(|finding| Problem::configuration(vec![finding]))?;
    host.run(&Work {
        folder: folder.then(|| console.global.config.clone()),
        sessions,
        listen,
    })?;
    Ok(Exit::Done)
}

/// The places whose settings can be used. The others are told, and keep nobody from work.
fn of_folder(console: &mut Console<'_, '_>) -> Result<Vec<Session>, Problem> {
    let time = settings::clock(&console.shell.env)?;
    let folder = &console.global.config;
    let files = settings::places::files(folder).map_err(|cause| Problem::file(folder, &cause))?;
    let mut sessions: Vec<Session> = Vec::new();
    let mut refused = Vec::new();
    for (id, file) in files {
        let read = settings::places::read_one(&id, &file).map_err(|refused| refused.findings);
        let known = sessions.iter().map(|session| {
            let settings = &session.settings;
            (&settings.place.id, &*settings.data)
        });
        let own = |fresh: &settings::Settings| {
            settings::places::own_log(known, fresh).map_err(|finding| vec![finding])
        };
        match read.and_then(|fresh| own(&fresh).map(|()| fresh)) {
            Ok(settings) => {
                let json = console.global.json || !console.shell.draws;
                sessions.push(Session::of(settings, time.clone(), json));
            }
            Err(findings) => refused.extend(findings),
        }
    }
    if sessions.is_empty() {
        // None, one or several: the command line tells which.
        if refused.is_empty() {
            return console.open().map(|session| vec![session]);
        }
        return Err(Problem::configuration(refused));
    }
    if !refused.is_empty() {
        let lang = console.lang();
        let problem = Problem::configuration(refused);
        say(&problem, lang, console.global.json, console.shell);
    }
    Ok(sessions)
}
