//! Faults that can be planted, to prove that the simulation finds them.
//!
//! Compiled in only under `--cfg raccord_faults`; everywhere else every question is answered with
//! a constant no.

macro_rules! faults {
    ($($name:ident = $text:literal,)*) => {
        /// A mistake somebody could make in this engine.
        #[cfg_attr(
            not(raccord_faults),
            allow(unreachable_pub, reason = "public where faults can be planted")
        )]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault {
            $(#[doc = $text] $name,)*
        }

        #[cfg(raccord_faults)]
        impl Fault {
            /// Every fault, with what it does.
            pub const ALL: &[(Fault, &str)] = &[$((Fault::$name, $text),)*];
        }
    };
}

faults! {
    SkipLink = "a link is not written when an object was made",
    ForgetSettle = "a listing counts before the settle time is over",
    NoRunning = "an effect that must not be repeated starts without a word in the log",
    RepeatUnknown = "an unknown outcome is sent again without looking",
    FoundIsNothing = "what a look found is made again",
    FoundIsNewest = "what a look found is taken for the newest revision",
    DropNewer = "what changed while an effect was under way is forgotten",
    StaleAfterDead = "what changed while an effect went dead is forgotten",
    TrustAfterDead = "what was tried and given up is taken for not there",
    DropCursor = "a reading is accepted without its lines",
    OneLook = "a missing line is cancelled at the first look",
    NoSecondLook = "an unchanged reading is no second look",
    NoGuard = "the accident guard sleeps",
    ApplyHeld = "a held reading is applied as well",
    KeepHold = "an undo does not close its hold",
    RefusedApplies = "a refused reading is applied",
    RejectSends = "no to an unknown effect sends it again",
    ApproveForgets = "yes to an unknown effect sends nothing",
    LaneOrder = "the newest event of a lane goes first",
    SkipInBatch = "an event that was not started counts as done",
    ChildFirst = "a child does not wait for its parent",
    OutageLoses = "an outage loses what was under way",
    ProbeNever = "a tool that was down is never tried again",
    AccessGoesOn = "refused credentials do not stop the connector",
    GoneGoesOn = "a connector that is gone is tried again",
    TransientDies = "what would pass is set aside",
    MuteSends = "a mute place sends",
    NoLookFirst = "after a move backwards nothing is looked for",
    NoGrace = "an announcement does not wait out its grace",
    PointlessSends = "what is over is still announced",
    RepeatPosted = "a posted event is taken twice",
    EmptyQueue = "a rule change empties the queues",
    UnknownSettled = "an unknown outcome counts as done",
    TrustRevival = "what a lost log may have tried again after it was set aside is taken for not made",
    ForgetRevival = "a dead delivery that is tried again is forgotten",
    ForgetQuiet = "a tool that asked to be left alone is tried again after a restart",
    NoticeOfNotice = "a notice that is refused brings the next notice",
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
