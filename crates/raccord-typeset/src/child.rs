//! Typesetting in a child process, within limits that a template cannot lift: one request on
//! standard input and one file on standard output, or a request a line for as long as some come.

use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Remark, Template, TypesetError, typeset};

/// The most a request may weigh: a month of thousands of lines is a hundredth of it.
const REQUEST_BYTES: u64 = 32 * 1024 * 1024;

/// How many requests one child answers before it makes room for a fresh one: a year with its sheets.
const REQUESTS: u64 = 48;

/// How many documents back what was worked out for them is remembered for the next.
const REMEMBERED: usize = 2;

/// The word that asks a child to stay for more than one request.
pub const STAY: &str = "stay";

/// What the child is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the document looks like.
    pub template: Template,
    /// What stands in it.
    pub data: Value,
}

/// What a child that stays says before each file, on a line of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// How many bytes of the file follow the line.
    pub bytes: usize,
}

/// What the child answers in place of a file: one JSON object on a line, and exit code 1 where it was
/// asked once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// `typeset.template`, `typeset.request` or `typeset.limits`.
    pub code: String,
    /// What is wrong, for the template's author.
    pub text: String,
    /// Every fault of the template.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
}

/// What a child may use. A template that wants more ends with its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Seconds of processor time for one request.
    pub cpu_s: u64,
    /// Bytes of memory it may write to.
    pub memory: u64,
    /// Bytes of address space: its program and fonts are mapped, hardly touched.
    pub address_space: u64,
    /// Bytes of a file it may write, should its output be one.
    pub file: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu_s: 15,
            memory: 512 * 1024 * 1024,
            address_space: 4 * 1024 * 1024 * 1024,
            file: 64 * 1024 * 1024,
        }
    }
}

impl Limits {
    /// Sets the limits on this very process, for good. Lower ones that it was started with stay.
    fn set(self, requests: u64) -> Result<(), Errno> {
        for (resource, most, beyond) in [
            // At the limit the process ends in a way that tells why; a second later it is killed.
            (Resource::Cpu, self.cpu_s, self.cpu_s * (requests - 1) + 1),
            (Resource::Data, self.memory, 0),
            (Resource::As, self.address_space, 0),
            (Resource::Fsize, self.file, 0),
            (Resource::Core, 0, 0),
        ] {
            let given = getrlimit(resource);
            let lower = |limit: Option<u64>, most: u64| Some(limit.map_or(most, |it| it.min(most)));
            setrlimit(
                resource,
                Rlimit {
                    current: lower(given.current, most),
                    maximum: lower(given.maximum, most + beyond),
                },
            )?;
        }
        Ok(())
    }

    /// Gives the next request its own processor time, on top of what the ones before have used.
    fn again(self) -> Result<(), Errno> {
        let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec.unsigned_abs();
        let maximum = getrlimit(Resource::Cpu).maximum;
        let wanted = used + 1 + self.cpu_s;
        let current = Some(maximum.map_or(wanted, |it| it.min(wanted)));
        setrlimit(Resource::Cpu, Rlimit { current, maximum })
    }
}

/// The whole life of a child that is asked once: sets `limits`, reads a [`Request`] from standard
/// input to its end, writes the PDF to standard output and ends with 0; or writes a [`Refusal`] and
/// ends with 1.
pub fn child_main(limits: Limits) -> ExitCode {
    let mut out = io::stdout().lock();
    let served = limits
        .set(1)
        .map_err(unlimited)
        .and_then(|()| serve_all(io::stdin().lock()));
    let code = match &served {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    };
    let answer = served.unwrap_or_else(|refusal| line(&refusal));
    match out.write_all(&answer).and_then(|()| out.flush()) {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

/// The whole life of a child that stays: sets `limits`, then reads a [`Request`] from each line of
/// standard input and answers it with a [`Heading`] line and the file, or with a [`Refusal`] line,
/// until its input ends or it has answered enough. What one document needed worked out helps the next.
pub fn child_stays(limits: Limits) -> ExitCode {
    let (mut input, mut out) = (io::stdin().lock(), io::stdout().lock());
    if let Err(errno) = limits.set(REQUESTS) {
        drop(out.write_all(&line(&unlimited(errno))));
        return ExitCode::FAILURE;
    }
    for _ in 0..REQUESTS {
        match limits
            .again()
            .map_err(io::Error::from)
            .and_then(|()| serve_line(&mut input, &mut out))
        {
            Ok(true) => comemo::evict(REMEMBERED),
            Ok(false) => break,
            // Whoever asked has gone.
            Err(_) => return ExitCode::FAILURE,
        }
    }
    ExitCode::SUCCESS
}

/// Answers the request on the next line; `false` where there is none.
fn serve_line(input: &mut impl BufRead, out: &mut impl Write) -> io::Result<bool> {
    let mut request = Vec::new();
    input
        .take(REQUEST_BYTES + 1)
        .read_until(b'\n', &mut request)?;
    if request.is_empty() {
        return Ok(false);
    }
    match serve(&request) {
        Ok(bytes) => {
            out.write_all(&line(&Heading { bytes: bytes.len() }))?;
            out.write_all(&bytes)?;
        }
        Err(refusal) => out.write_all(&line(&refusal))?,
    }
    out.flush()?;
    // What is left of a line that was too long is no request.
    Ok(request.ends_with(b"\n"))
}

fn line(answer: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(answer).expect("strings and numbers always serialise");
    line.push(b'\n');
    line
}

fn unlimited(errno: Errno) -> Refusal {
    Refusal {
        code: "typeset.limits".into(),
        text: format!("the limits of the process cannot be set: {errno}"),
        remarks: Vec::new(),
    }
}

fn misunderstood(text: String) -> Refusal {
    Refusal {
        code: "typeset.request".into(),
        text,
        remarks: Vec::new(),
    }
}

fn serve_all(input: impl Read) -> Result<Vec<u8>, Refusal> {
    let mut request = Vec::new();
    input
        .take(REQUEST_BYTES + 1)
        .read_to_end(&mut request)
        .map_err(|error| misunderstood(format!("the request cannot be read: {error}")))?;
    serve(&request)
}

fn serve(request: &[u8]) -> Result<Vec<u8>, Refusal> {
    if request.len() as u64 > REQUEST_BYTES {
        return Err(misunderstood(format!(
            "the request is over {REQUEST_BYTES} bytes"
        )));
    }
    let request: Request = serde_json::from_slice(request)
        .map_err(|error| misunderstood(format!("the request is not understood: {error}")))?;
    match typeset(&request.template, &request.data) {
        Ok(pdf) => Ok(pdf.bytes),
        Err(error) => Err(Refusal {
            code: "typeset.template".into(),
            text: error.to_string(),
            remarks: match error {
                TypesetError::Template { remarks } => remarks,
                TypesetError::FileName { .. }
                | TypesetError::Base64 { .. }
                | TypesetError::Empty => Vec::new(),
            },
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(input: &[u8]) -> Refusal {
        serve_all(input).unwrap_err()
    }

    #[test]
    fn a_request_gives_a_file() {
        let request = json!({"template": {"main": "Bonjour"}, "data": {}}).to_string();
        assert!(serve_all(request.as_bytes()).unwrap().starts_with(b"%PDF-"));
    }

    #[test]
    fn a_child_that_stays_answers_line_by_line_whatever_was_asked_before() {
        let request = |text: &str| json!({"template": {"main": text}, "data": {}}).to_string();
        let lines = [
            request("un"),
            "{".into(),
            request("#nowhere"),
            request("un"),
        ]
        .join("\n");
        let (mut input, mut out) = (lines.as_bytes(), Vec::new());
        while serve_line(&mut input, &mut out).unwrap() {}
        let mut answers = out.as_slice();
        let mut file = || {
            let mut heading = String::new();
            answers.read_line(&mut heading).unwrap();
            let Ok(heading) = serde_json::from_str::<Heading>(&heading) else {
                return Err(serde_json::from_str::<Refusal>(&heading).unwrap().code);
            };
            let (file, rest) = answers.split_at(heading.bytes);
            answers = rest;
            Ok(file)
        };
        let first = file().unwrap();
        assert!(first.starts_with(b"%PDF-"));
        assert_eq!(file().unwrap_err(), "typeset.request");
        assert_eq!(file().unwrap_err(), "typeset.template");
        assert_eq!(file().unwrap(), first, "the same request, the same bytes");
        assert!(answers.is_empty());
    }

    #[test]
    fn what_is_no_request_is_told_and_never_panics() {
        for wrong in ["", "{", "[]", "{\"template\": {\"main\": 1}, \"data\": {}}"] {
            assert_eq!(refusal(wrong.as_bytes()).code, "typeset.request", "{wrong}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(refusal(deep.as_bytes()).code, "typeset.request");
    }

    #[test]
    fn a_fault_in_the_template_names_its_line() {
        let request = json!({"template": {"main": "Bonjour\n\n#nowhere"}, "data": {}}).to_string();
        let refusal = refusal(request.as_bytes());
        assert_eq!(refusal.code, "typeset.template");
        assert_eq!(refusal.remarks[0].line, Some(3));
        assert!(refusal.text.contains("nowhere"), "{}", refusal.text);
    }
}
