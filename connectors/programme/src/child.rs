//! Typesetting in a short-lived child of the running program, within limits of time and size.
//!
//! One JSON request goes in, the file or one JSON refusal comes out. Nothing is retried here, and
//! nothing the child says is shown longer than a line.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use raccord_model::Failure;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use crate::failures;
use crate::logo::Content;
use crate::template::Template;

/// How long a child may take, and how much it may answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub time: Duration,
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(20),
            bytes: 32 * 1024 * 1024,
        }
    }
}

#[derive(Serialize)]
struct Request<'a> {
    template: Source<'a>,
    data: &'a Value,
}

#[derive(Serialize)]
struct Source<'a> {
    main: &'a str,
    files: &'a BTreeMap<String, Content>,
}

#[derive(Deserialize)]
struct Refusal {
    text: String,
}

/// The signals that end a child which wants more than it may have.
const SIGABRT: i32 = 6;
const SIGXCPU: i32 = 24;
const SIGXFSZ: i32 = 25;
/// What the program answers to a command it does not know.
const UNKNOWN_COMMAND: i32 = 2;

/// The finished file.
pub(crate) async fn typeset(
    program: &Path,
    template: &Template,
    data: &Value,
    limits: Limits,
) -> Result<Vec<u8>, Failure> {
    let request = Request {
        template: Source {
            main: &template.text,
            files: &template.files,
        },
        data,
    };
    let request = serde_json::to_vec(&request).expect("a request always serialises into memory");
    let mut child = Command::new(program)
        .arg("typeset")
        .env_clear()
        // A page or two gain nothing from more, and each costs the child memory.
        .env("RAYON_NUM_THREADS", "2")
        // The allocator takes a gigabyte at a time (KiB), which counts against the child's limit.
        .env("MIMALLOC_ARENA_RESERVE", "65536")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failures::child(&error.to_string()))?;
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(failures::child("no pipes"));
    };

    let talk = async {
        let give = async move {
            // A child that ends early closes its pipe: its answer says why.
            drop(input.write_all(&request).await);
            drop(input);
            std::future::pending().await
        };
        let mut answer = Vec::new();
        let mut output = output.take(limits.bytes + 1);
        let taken = tokio::select! {
            taken = output.read_to_end(&mut answer) => taken,
            never = give => never,
        };
        taken.map_err(|error| failures::child(&error.to_string()))?;
        if answer.len() as u64 > limits.bytes {
            return Err(failures::big(template.own));
        }
        let status = child
            .wait()
            .await
            .map_err(|error| failures::child(&error.to_string()))?;
        judge(status, answer, template.own, limits)
    };
    match tokio::time::timeout(limits.time, talk).await {
        Ok(result) => result,
        Err(_) => Err(failures::slow(template.own, limits.time.as_secs())),
    }
    // A child that is still there is killed as `child` is dropped.
}

/// What became of the child.
fn judge(
    status: ExitStatus,
    answer: Vec<u8>,
    own: bool,
    limits: Limits,
) -> Result<Vec<u8>, Failure> {
    if status.success() {
        // A file that is cut short or is something else never takes the place of a good one.
        let tail = &answer[answer.len().saturating_sub(32)..];
        let whole = answer.starts_with(b"%PDF-") && tail.windows(5).any(|part| part == b"%%EOF");
        return if whole {
            Ok(answer)
        } else {
            Err(failures::child("what came back is not a whole PDF"))
        };
    }
    match (status.signal(), status.code()) {
        (Some(SIGXCPU), _) => Err(failures::slow(own, limits.time.as_secs())),
        (Some(SIGABRT | SIGXFSZ), _) => Err(failures::big(own)),
        (Some(signal), _) => Err(failures::child(&format!("signal {signal}"))),
        (None, Some(UNKNOWN_COMMAND)) => Err(failures::no_typesetting()),
        (None, code) => match serde_json::from_slice::<Refusal>(&answer) {
            Ok(refusal) => {
                let text: String = refusal
                    .text
                    .chars()
                    .map(|c| if c.is_control() { ' ' } else { c })
                    .take(300)
                    .collect();
                Err(failures::template(own, text.trim_end_matches('.')))
            }
            Err(_) => Err(failures::child(&match code {
                Some(code) => format!("exit code {code}"),
                None => "no exit code".to_owned(),
            })),
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use raccord_model::Blame;
    use serde_json::json;

    fn limits(milliseconds: u64) -> Limits {
        Limits {
            time: Duration::from_millis(milliseconds),
            bytes: 1024 * 1024,
        }
    }

    async fn run(name: &str, own: bool, limits: Limits) -> Result<Vec<u8>, Failure> {
        let program = std::path::absolute("tests/children").unwrap().join(name);
        let template = Template {
            text: "x".repeat(100_000),
            files: BTreeMap::new(),
            logo: None,
            own,
        };
        typeset(&program, &template, &json!({"title": "Programme"}), limits).await
    }

    #[tokio::test]
    async fn a_whole_file_comes_back_whatever_the_request_weighs() {
        let bytes = run("prints", true, limits(20_000)).await.unwrap();
        assert!(bytes.starts_with(b"%PDF-1.7"));
        let bytes = run("echoes", true, limits(20_000)).await.unwrap();
        assert!(bytes.len() > 100_000);
    }

    #[tokio::test]
    async fn every_end_of_the_child_has_its_blame() {
        for (child, code, ours, theirs) in [
            ("refuses", "programme.template", Blame::Bug, Blame::Data),
            ("floods", "programme.too-big", Blame::Bug, Blame::Data),
            ("wants-memory", "programme.too-big", Blame::Bug, Blame::Data),
            ("takes-long", "programme.too-long", Blame::Bug, Blame::Data),
            (
                "knows-nothing",
                "programme.no-typesetting",
                Blame::Access,
                Blame::Access,
            ),
            (
                "is-killed",
                "programme.child",
                Blame::Transient,
                Blame::Transient,
            ),
            (
                "mumbles",
                "programme.child",
                Blame::Transient,
                Blame::Transient,
            ),
            (
                "stops-half-way",
                "programme.child",
                Blame::Transient,
                Blame::Transient,
            ),
            (
                "is-not-there",
                "programme.child",
                Blame::Transient,
                Blame::Transient,
            ),
        ] {
            for (own, blame) in [(true, ours), (false, theirs)] {
                let failure = run(child, own, limits(20_000)).await.unwrap_err();
                assert_eq!(
                    (failure.code.as_str(), failure.blame),
                    (code, blame),
                    "{child}"
                );
            }
        }
    }

    #[tokio::test]
    async fn a_refusal_is_told_in_its_own_words() {
        let failure = run("refuses", false, limits(20_000)).await.unwrap_err();
        assert!(
            failure
                .text
                .fr
                .contains("line 3: unknown variable: nowhere"),
            "{}",
            failure.text.fr
        );
        assert!(failure.mend.en.contains("template"), "{}", failure.mend.en);
    }

    #[tokio::test]
    async fn a_child_that_never_answers_is_stopped() {
        let failure = run("hangs", false, limits(50)).await.unwrap_err();
        assert_eq!(failure.code, "programme.too-long");
    }
}
