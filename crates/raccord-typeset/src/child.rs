//! Typesetting in a child process: one request on standard input, one file on standard output,
//! within limits that a template cannot lift.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Remark, Template, TypesetError, typeset};

/// The most a request may weigh: a month of thousands of lines is a hundredth of it.
const REQUEST_BYTES: u64 = 32 * 1024 * 1024;

/// What the child is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What the document looks like.
    pub template: Template,
    /// What stands in it.
    pub data: Value,
}

/// What the child answers in place of a file: one JSON object on standard output, exit code 1.
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
    /// Seconds of processor time.
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
    fn set(self) -> Result<(), Errno> {
        for (resource, most, beyond) in [
            // At the limit the process ends in a way that tells why; a second later it is killed.
            (Resource::Cpu, self.cpu_s, 1),
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
}

/// The whole life of the child: sets `limits`, reads a [`Request`] from standard input, writes the
/// PDF to standard output and ends with 0; or writes a [`Refusal`] and ends with 1.
pub fn child_main(limits: Limits) -> ExitCode {
    let mut out = io::stdout().lock();
    let served = match limits.set() {
        Ok(()) => serve(io::stdin().lock()),
        Err(errno) => Err(Refusal {
            code: "typeset.limits".into(),
            text: format!("the limits of the process cannot be set: {errno}"),
            remarks: Vec::new(),
        }),
    };
    let (answer, code) = match served {
        Ok(bytes) => (bytes, ExitCode::SUCCESS),
        Err(refusal) => {
            let mut line = serde_json::to_vec(&refusal).expect("strings always serialise");
            line.push(b'\n');
            (line, ExitCode::FAILURE)
        }
    };
    match out.write_all(&answer).and_then(|()| out.flush()) {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve(input: impl Read) -> Result<Vec<u8>, Refusal> {
    let mut request = Vec::new();
    let refused = |text: String| Refusal {
        code: "typeset.request".into(),
        text,
        remarks: Vec::new(),
    };
    input
        .take(REQUEST_BYTES + 1)
        .read_to_end(&mut request)
        .map_err(|error| refused(format!("the request cannot be read: {error}")))?;
    if request.len() as u64 > REQUEST_BYTES {
        return Err(refused(format!(
            "the request is over {REQUEST_BYTES} bytes"
        )));
    }
    let request: Request = serde_json::from_slice(&request)
        .map_err(|error| refused(format!("the request is not understood: {error}")))?;
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
        serve(input).unwrap_err()
    }

    #[test]
    fn a_request_gives_a_file() {
        let request = json!({"template": {"main": "Bonjour"}, "data": {}}).to_string();
        assert!(serve(request.as_bytes()).unwrap().starts_with(b"%PDF-"));
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
