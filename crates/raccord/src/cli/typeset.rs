//! `raccord typeset`: what the program asks of itself, in a short-lived child process, to make a
//! PDF. It is no command for people, and is answered before anything else is set up.

use std::process::ExitCode;

/// The word that starts the child.
pub(super) const WORD: &str = "typeset";

/// The whole life of the child.
#[cfg(feature = "pdf")]
pub(super) fn run() -> ExitCode {
    let limits = raccord_typeset::Limits::default();
    if std::env::args_os()
        .nth(2)
        .is_some_and(|word| word == raccord_typeset::STAY)
    {
        raccord_typeset::child_stays(limits)
    } else {
        raccord_typeset::child_main(limits)
    }
}

/// Says, in the form the parent reads, that this build leaves typesetting out.
#[cfg(not(feature = "pdf"))]
pub(super) fn run() -> ExitCode {
    use std::io::Write as _;
    let refusal = serde_json::json!({
        "code": "typeset.absent",
        "text": "this program was built without the feature `pdf`",
    });
    // The parent that closed its pipe wants no answer.
    drop(writeln!(std::io::stdout(), "{refusal}"));
    ExitCode::FAILURE
}
