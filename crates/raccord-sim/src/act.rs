//! What can happen in a story. Every act can be taken at every moment (what there is to choose
//! from is counted round, and nothing happens where there is nothing), so any part of a story is a
//! story too.

/// How a call to a tool ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It takes effect and is answered.
    Good,
    /// It takes effect, the answer is lost.
    AnswerLost,
    /// It does not take effect, and no answer comes.
    Lost,
    /// No answer comes; it takes effect later.
    Late,
    /// It takes effect twice where the tool tells repeats apart.
    Twice,
    /// It is refused for now.
    Busy,
    /// It is refused for now, with the wish to be left alone for two minutes.
    Quiet,
    /// The credentials are refused.
    Access,
    /// The tool cannot take it.
    Data,
    /// The tool is gone.
    Gone,
    /// It is not started at all.
    NotStarted,
    /// A listing is as of a minute ago.
    OldListing,
    /// A listing cannot tell.
    CannotTell,
}

/// One act of a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Somebody adds a line, so many days ahead.
    Add(u8),
    /// Somebody changes a title.
    Retitle(u64),
    /// Somebody moves a line by a day.
    Move(u64),
    /// Somebody takes a line out.
    Cut(u64),
    /// Somebody puts back what was taken out.
    Paste,
    /// Somebody writes cancelled into the status, or takes it back.
    Cancel(u64),
    /// Somebody makes a line internal, or public again.
    Hide(u64),
    /// Most of the sheet is lost.
    Spill,
    /// The accident is undone.
    Unspill,
    /// The sheet is read.
    Read,
    /// The sheet cannot be read.
    ReadFails,
    /// A program posts a credit for one of three people.
    Credit(u8),
    /// A program posts a sign-up, or a change of one.
    SignUp(u8),
    /// Somebody signs up for a task.
    Join(u64),
    /// Somebody signs off.
    Leave(u64),
    /// An organiser notes that somebody came, or did not, or takes that back.
    Tick(u64),
    /// A program posts an earlier change again.
    Repost(u64),
    /// A call to a tool ends.
    Answer(u64, Fate),
    /// An answer comes a second time.
    AnswerAgain(u64),
    /// Seconds pass.
    Wait(u32),
    /// What was decided becomes durable, and leaves.
    Flush,
    /// The process dies; the bits say what became of the calls under way.
    Crash(u64),
    /// A backup is made.
    Backup,
    /// The backup is restored, after a crash.
    Restore(u64),
    /// A person lets the place send again after a restore.
    Unmute,
    /// A person mutes the place.
    Mute,
    /// A person decides about a hold.
    Decide(u64, bool),
    /// A person tries a dead delivery again.
    Retry(u64),
    /// A person switches a connector on.
    SwitchOn(u64),
    /// The configuration changes.
    Configure(u8),
    /// A member edits an object in the calendar.
    Edit(u64),
    /// Somebody deletes an object from the chat by hand.
    Delete(u64),
    /// The sheet's lines have no ids of their own from now on.
    Nameless,
    /// Somebody writes most of a line anew, so that it is hard to tell which one it was.
    Rework(u64),
}
