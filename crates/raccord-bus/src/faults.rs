//! Faults that can be planted, to prove that the simulation of a cluster finds them.
//!
//! Compiled in only under `--cfg raccord_faults`; everywhere else every question is answered with
//! a constant no.

/// A mistake somebody could make in the log of a cluster.
#[cfg_attr(
    not(raccord_faults),
    allow(unreachable_pub, reason = "public where faults can be planted")
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A write that nobody confirmed is sent again, whatever came first.
    BlindRetry,
    /// A message is taken for the next one without asking the servers to refuse it otherwise.
    NoExpectation,
    /// The servers' answer counts, whatever stands before the message.
    AnswerCounts,
    /// A writer is not replaced by the next one: there is no new term.
    NoTerm,
    /// A copy is taken for the log's beginning without a look at what stands there.
    TrustCopy,
    /// That the log went back in time is not remembered.
    ForgetPast,
}

#[cfg(raccord_faults)]
impl Fault {
    /// Every fault, with what it does.
    pub const ALL: &[(Fault, &str)] = &[
        (
            Self::BlindRetry,
            "an unconfirmed write is sent again, whatever came first",
        ),
        (Self::NoExpectation, "a write does not say what it follows"),
        (
            Self::AnswerCounts,
            "an acknowledgement counts, whatever stands before the message",
        ),
        (
            Self::NoTerm,
            "a lease without a term: who takes over does not replace who wrote",
        ),
        (Self::TrustCopy, "a copy is not compared with the stream"),
        (Self::ForgetPast, "a log that went back in time is not mute"),
    ];
}

/// Whether `fault` is planted.
#[cfg(not(raccord_faults))]
pub(crate) const fn planted(_: Fault) -> bool {
    false
}

#[cfg(raccord_faults)]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Fault>> = const { std::cell::Cell::new(None) };
}

/// Whether `fault` is planted.
#[cfg(raccord_faults)]
pub(crate) fn planted(fault: Fault) -> bool {
    PLANTED.get() == Some(fault)
}

/// Plants a fault in this thread, or takes it away.
#[cfg(raccord_faults)]
pub fn plant(fault: Option<Fault>) {
    PLANTED.set(fault);
}
