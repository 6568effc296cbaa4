//! The surprises, each with the name `quirks.toml` tells it by.

macro_rules! quirks {
    ($($quirk:ident = $name:literal,)*) => {
        /// A surprise of listmonk. Each can be taken away from the stand-in, and a test notices.
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
    EveryRefusalIs403 = "every-refusal-is-403",
    SlugTakenIs500 = "slug-taken-is-500",
    NamesRepeat = "names-repeat",
    NothingIsBare = "nothing-is-bare",
    MissingIs400 = "missing-is-400",
    ListsSentAgain = "lists-sent-again",
    MediaSentAgain = "media-sent-again",
    ListsFiltered = "lists-filtered",
    SentIsLocked = "sent-is-locked",
    RunningIsScheduled = "running-is-scheduled",
    PartsAreTemplates = "parts-are-templates",
    CommentsTakenOut = "comments-taken-out",
    TextIsMarkup = "text-is-markup",
    LinksFollow = "links-follow",
    UsualTemplateWraps = "usual-template-wraps",
    CopiesKeepTags = "copies-keep-tags",
    SubscriberTwiceIs409 = "subscriber-twice-is-409",
    FilesRenamed = "files-renamed",
}
