//! Takes changed settings without a restart: when their file is saved, and when the process is asked
//! to (SIGHUP), which also takes changed templates.

use std::path::PathBuf;
use std::sync::Arc;

use raccord_model::Words;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::at_work::AtWork;
use super::sources::{settled, watch};
use crate::report::Problem;

/// Keeps `place` set as `file` says, until told to stop.
pub(super) async fn follow(file: PathBuf, place: Arc<AtWork>, stop: CancellationToken) {
    let saved = Arc::new(Notify::new());
    let _watch = watch(&file, &saved);
    let mut asked = signal(SignalKind::hangup()).ok();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = saved.notified() => settled(&saved, &stop).await,
            () = hung_up(&mut asked) => {}
        }
        if stop.is_cancelled() {
            return;
        }
        tell(&place, place.settings_changed().await);
    }
}

async fn hung_up(asked: &mut Option<Signal>) {
    match asked {
        Some(asked) => drop(asked.recv().await),
        None => std::future::pending().await,
    }
}

fn tell(place: &AtWork, changed: Result<(), Problem>) {
    let Err(problem) = changed else {
        info!("the settings were read again");
        return;
    };
    for finding in &problem.findings {
        warn!(
            code = %finding.code,
            place = %finding.place,
            mend = %finding.mend.en,
            "the changed settings are not taken: {}", finding.text.en
        );
    }
    let why = problem.findings.first().map(|finding| {
        let say = |text: &str, before: &str| format!("{before}{text}");
        Words::new(
            say(
                &finding.text.fr,
                "Les réglages du fichier ne sont pas repris, la place travaille avec les précédents : ",
            ),
            say(
                &finding.text.en,
                "The settings of the file are not taken, the place works with those of before: ",
            ),
        )
    });
    place.here.keeps_its_settings(why);
}
