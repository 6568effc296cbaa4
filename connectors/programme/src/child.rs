//! Typesetting in a short-lived child of the running program, within limits of time and size.
//!
//! A JSON request goes in on a line, a line with the size of the file and the file come out, or a
//! refusal on a line. A child stays a moment for the next request, since what it worked out for one
//! month is half of the next: a year is made by two children. Nothing the child says is shown longer
//! than a line.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use raccord_model::Failure;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Semaphore, SemaphorePermit};

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

/// What a child says on a line.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    File { bytes: u64 },
    Refusal { code: String, text: String },
}

/// The most a line may say; no refusal is as long.
const LINE_BYTES: u64 = 64 * 1024;
/// How many children there are at once, of all places of a process: each takes some 60 MB.
const CHILDREN: usize = 4;
/// How long a child waits for another request.
const STAY: Duration = Duration::from_millis(500);

/// The signals that end a child which wants more than it may have.
const SIGABRT: i32 = 6;
const SIGXCPU: i32 = 24;
const SIGXFSZ: i32 = 25;
/// What the program answers to a command it does not know.
const UNKNOWN_COMMAND: i32 = 2;

/// Whom files are asked of.
pub(crate) struct Typesetter {
    program: PathBuf,
    limits: Limits,
    /// Children with nothing to do, each with the number of its last request.
    idle: Arc<Mutex<Idle>>,
}

#[derive(Default)]
struct Idle {
    children: Vec<(u64, Talking)>,
    asked: u64,
}

impl Typesetter {
    pub(crate) fn new(program: PathBuf, limits: Limits) -> Self {
        Self {
            program,
            limits,
            idle: Arc::default(),
        }
    }

    /// The finished file.
    pub(crate) async fn typeset(
        &self,
        template: &Template,
        data: &Value,
    ) -> Result<Vec<u8>, Failure> {
        let request = Request {
            template: Source {
                main: &template.text,
                files: &template.files,
            },
            data,
        };
        let mut request =
            serde_json::to_vec(&request).expect("a request always serialises into memory");
        request.push(b'\n');
        let ready = match self.waiting() {
            Some(child) => Ready::Child(Box::new(child)),
            None => Ready::Turn(turn().await),
        };
        let asked = self.ask(ready, &request, template.own);
        match tokio::time::timeout(self.limits.time, asked).await {
            Ok(result) => result,
            Err(_) => Err(failures::slow(template.own, self.limits.time.as_secs())),
        }
        // A child that is still talking is killed as it is dropped.
    }

    async fn ask(&self, ready: Ready, request: &[u8], own: bool) -> Result<Vec<u8>, Failure> {
        let turn = match ready {
            Ready::Turn(turn) => turn,
            Ready::Child(mut child) => match child.ask(request, own, self.limits).await {
                // It had answered all it may, or was ended while it waited: a fresh one will tell.
                Err(Trouble::Ended(_)) => child.turn,
                said => return self.settle(*child, said),
            },
        };
        let mut child = Talking::start(&self.program, turn)?;
        let said = child.ask(request, own, self.limits).await;
        self.settle(child, said)
    }

    /// What came of the request; a child that answered well waits for the next.
    fn settle(&self, child: Talking, said: Result<Vec<u8>, Trouble>) -> Result<Vec<u8>, Failure> {
        match said {
            Ok(file) => {
                self.wait(child);
                Ok(file)
            }
            Err(Trouble::Told(failure) | Trouble::Ended(failure)) => Err(failure),
        }
    }

    fn waiting(&self) -> Option<Talking> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.children.pop().map(|(_, child)| child)
    }

    /// Lets a child wait for another request, and go when none comes.
    fn wait(&self, child: Talking) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.asked += 1;
        let number = idle.asked;
        idle.children.push((number, child));
        drop(idle);
        let idle = Arc::clone(&self.idle);
        tokio::spawn(async move {
            tokio::time::sleep(STAY).await;
            let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.children.retain(|(last, _)| *last != number);
        });
    }
}

/// A turn to have a child. What waits for one costs nothing, and no time of its limit.
async fn turn() -> SemaphorePermit<'static> {
    static TURNS: Semaphore = Semaphore::const_new(CHILDREN);
    TURNS.acquire().await.expect("nobody closes it")
}

/// What a request has before it is asked.
enum Ready {
    Child(Box<Talking>),
    Turn(SemaphorePermit<'static>),
}

/// Why a child gave no file.
enum Trouble {
    /// What it answered, or did not in time.
    Told(Failure),
    /// It ended before it answered.
    Ended(Failure),
}

/// A child that can be asked.
struct Talking {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Given back as the child goes.
    turn: SemaphorePermit<'static>,
}

impl Talking {
    fn start(program: &std::path::Path, turn: SemaphorePermit<'static>) -> Result<Self, Failure> {
        let mut child = Command::new(program)
            .args(["typeset", "stay"])
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
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failures::child("no pipes"));
        };
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
            turn,
        })
    }

    /// Asks for one file.
    async fn ask(&mut self, request: &[u8], own: bool, limits: Limits) -> Result<Vec<u8>, Trouble> {
        let (input, output) = (&mut self.input, &mut self.output);
        let give = async move {
            // A child that ends early closes its pipe: its answer says why.
            drop(input.write_all(request).await);
            std::future::pending().await
        };
        let taken = tokio::select! {
            taken = answer(output, own, limits) => taken.map_err(Trouble::Told)?,
            never = give => never,
        };
        if let Some(file) = taken {
            return Ok(file);
        }
        Err(Trouble::Ended(match self.child.wait().await {
            Ok(status) => judge(status, own, limits),
            Err(error) => failures::child(&error.to_string()),
        }))
    }
}

/// Reads one answer; none where the child ended before one was whole.
async fn answer(
    output: &mut BufReader<ChildStdout>,
    own: bool,
    limits: Limits,
) -> Result<Option<Vec<u8>>, Failure> {
    let broken = |error: std::io::Error| failures::child(&error.to_string());
    let mut line = Vec::new();
    let mut start = output.take(LINE_BYTES);
    start.read_until(b'\n', &mut line).await.map_err(broken)?;
    if line.len() as u64 == LINE_BYTES {
        return Err(failures::big(own));
    }
    if line.is_empty() {
        return Ok(None);
    }
    let bytes = match serde_json::from_slice(&line) {
        Ok(Answer::File { bytes }) => bytes,
        Ok(Answer::Refusal { code, .. }) if code == "typeset.absent" => {
            return Err(failures::no_typesetting());
        }
        Ok(Answer::Refusal { text, .. }) => {
            let text: String = text
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .take(300)
                .collect();
            return Err(failures::template(own, text.trim_end_matches('.')));
        }
        Err(_) => return Err(failures::child("its answer is not understood")),
    };
    if bytes > limits.bytes {
        return Err(failures::big(own));
    }
    let mut file = Vec::new();
    let mut body = output.take(bytes);
    body.read_to_end(&mut file).await.map_err(broken)?;
    // A file that is cut short or is something else never takes the place of a good one.
    let tail = &file[file.len().saturating_sub(32)..];
    let whole = file.len() as u64 == bytes
        && file.starts_with(b"%PDF-")
        && tail.windows(5).any(|part| part == b"%%EOF");
    if whole {
        Ok(Some(file))
    } else {
        Err(failures::child("what came back is not a whole PDF"))
    }
}

/// Why a child ended without an answer.
fn judge(status: ExitStatus, own: bool, limits: Limits) -> Failure {
    match (status.signal(), status.code()) {
        (Some(SIGXCPU), _) => failures::slow(own, limits.time.as_secs()),
        (Some(SIGABRT | SIGXFSZ), _) => failures::big(own),
        (Some(signal), _) => failures::child(&format!("signal {signal}")),
        (None, Some(UNKNOWN_COMMAND)) => failures::no_typesetting(),
        (None, Some(code)) => failures::child(&format!("exit code {code}")),
        (None, None) => failures::child("no exit code"),
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

    fn child(name: &str) -> PathBuf {
        std::path::absolute("tests/children").unwrap().join(name)
    }

    async fn run(name: &str, own: bool, limits: Limits) -> Result<Vec<u8>, Failure> {
        let template = Template {
            own,
            ..template("x".repeat(100_000))
        };
        Typesetter::new(child(name), limits)
            .typeset(&template, &json!({"title": "Programme"}))
            .await
    }

    fn template(text: String) -> Template {
        Template {
            text,
            files: BTreeMap::new(),
            logo: None,
            own: true,
        }
    }

    #[tokio::test]
    async fn one_child_makes_a_whole_year_and_goes_when_nothing_more_comes() {
        let typesetter = Typesetter::new(child("numbers"), limits(20_000));
        for month in 1..=12 {
            let file = typesetter.typeset(&template("x".into()), &json!({})).await;
            let file = String::from_utf8(file.unwrap()).unwrap();
            assert!(file.contains(&format!("request {month} ")), "{file}");
        }
        let gone = || typesetter.idle.lock().unwrap().children.is_empty();
        assert!(!gone());
        tokio::time::pause();
        tokio::task::yield_now().await;
        tokio::time::advance(STAY * 2).await;
        tokio::task::yield_now().await;
        assert!(gone());
    }

    #[tokio::test]
    async fn a_thousand_places_have_a_few_children_and_waiting_for_one_is_nobodys_fault() {
        let began = std::time::Instant::now();
        let typesetters: Vec<Typesetter> = (0..=CHILDREN)
            .map(|_| Typesetter::new(child("hangs"), limits(300)))
            .collect();
        let (template, data) = (template("x".into()), json!({}));
        let asked = typesetters.iter().map(|it| it.typeset(&template, &data));
        for failure in futures_util::future::join_all(asked).await {
            assert_eq!(failure.unwrap_err().code, "programme.too-long");
        }
        // One had to wait until another's time was over, and had its own time then.
        assert!(began.elapsed() >= Duration::from_millis(600));
    }

    #[tokio::test]
    async fn a_child_that_went_while_it_waited_is_replaced() {
        let typesetter = Typesetter::new(child("answers-once"), limits(20_000));
        for _ in 0..3 {
            let file = typesetter.typeset(&template("x".into()), &json!({})).await;
            assert!(file.unwrap().starts_with(b"%PDF-"));
        }
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
            ("claims-much", "programme.too-big", Blame::Bug, Blame::Data),
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
                "leaves-typesetting-out",
                "programme.no-typesetting",
                Blame::Access,
                Blame::Access,
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
