//! W3C trace context, as an event carries it (the distributed tracing extension of CloudEvents):
//! what other programs need to see one thread through many machines. Raccord makes no spans of its
//! own, so it hands on what it was given, unchanged.

use serde::{Deserialize, Serialize};

/// The most bytes of `tracestate` that every program must be able to hand on.
const LONGEST_STATE: usize = 512;

/// Where an event stands in a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// `traceparent`.
    parent: String,
    /// `tracestate`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
}

impl Trace {
    /// A trace context as it was received. One that breaks the rules is none, as the
    /// recommendation asks (<https://www.w3.org/TR/trace-context/>, 3.2 and 3.3).
    pub fn of(parent: &str, state: Option<&str>) -> Option<Self> {
        let state = state.filter(|state| {
            let text = |b: u8| (b' '..=b'~').contains(&b);
            !state.is_empty() && state.len() <= LONGEST_STATE && state.bytes().all(text)
        });
        is_parent(parent).then(|| Self {
            parent: parent.to_owned(),
            state: state.map(str::to_owned),
        })
    }

    /// `traceparent`.
    pub fn parent(&self) -> &str {
        &self.parent
    }

    /// `tracestate`.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }
}

/// `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`: version, trace, parent and flags.
fn is_parent(text: &str) -> bool {
    let hex = |part: &str, length: usize| {
        let small = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        part.len() == length && part.bytes().all(small)
    };
    let named = |part: &str, length| hex(part, length) && part.bytes().any(|b| b != b'0');
    let parts: Vec<&str> = text.splitn(5, '-').collect();
    let [version, trace, parent, flags, rest @ ..] = &parts[..] else {
        return false;
    };
    // A version to come may have more parts after the four that are known.
    let more = match rest {
        [] => true,
        [rest] => {
            *version != "00"
                && rest.len() <= LONGEST_STATE
                && rest.bytes().all(|b| b.is_ascii_graphic())
        }
        _ => false,
    };
    hex(version, 2)
        && *version != "ff"
        && named(trace, 32)
        && named(parent, 16)
        && hex(flags, 2)
        && more
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_trace_is_kept_as_it_came() {
        let trace = Trace::of(GOOD, Some("congo=t61rcWkgMzE")).unwrap();
        assert_eq!(trace.parent(), GOOD);
        assert_eq!(trace.state(), Some("congo=t61rcWkgMzE"));
        let text = serde_json::to_string(&trace).unwrap();
        assert_eq!(serde_json::from_str::<Trace>(&text).unwrap(), trace);
        let later = format!("cc{}-what-comes", &GOOD[2..]);
        assert_eq!(Trace::of(&later, None).unwrap().parent(), later);
    }

    #[test]
    fn what_breaks_the_rules_is_no_trace_and_a_state_alone_is_none() {
        for bad in [
            "",
            "00",
            &GOOD.to_uppercase(),
            &GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &format!("ff{}", &GOOD[2..]),
            &format!("{GOOD}-more"),
            &format!(" {GOOD}"),
            &GOOD.replace('-', "_"),
            &GOOD[..54],
        ] {
            assert_eq!(Trace::of(bad, Some("a=b")), None, "{bad}");
        }
        for bad in ["", "a=\u{7}", "é=1", &"x".repeat(513)] {
            assert_eq!(Trace::of(GOOD, Some(bad)).unwrap().state(), None, "{bad}");
        }
    }
}
