//! The surprises, each with the name `quirks.toml` tells it by.

macro_rules! quirks {
    ($($quirk:ident = $name:literal,)*) => {
        /// A surprise of what sends. Each can be taken away from the stand-ins, and a test notices.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Quirk { $($quirk),* }

        impl Quirk {
            pub(crate) const NAMES: &[&str] = &[$($name),*];

            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$quirk => $name),* }
            }
        }
    };
}

quirks! {
    RepeatIsConflict = "repeat-is-conflict",
    IdsPerPhone = "ids-per-phone",
    AcceptedIsNotSent = "accepted-is-not-sent",
    TooLateIsFailed = "too-late-is-failed",
    TotalInHeader = "total-in-header",
    OneDevice = "one-device",
    FullIs503 = "full-is-503",
    OldFreesTheId = "old-frees-the-id",
    IdOf36 = "id-of-36",
    SameFolderDeletes = "same-folder-deletes",
    NameIsRecipient = "name-is-recipient",
    MarkTellsLetters = "mark-tells-letters",
    HiddenIsSkipped = "hidden-is-skipped",
    InOrderOfNames = "in-order-of-names",
}
