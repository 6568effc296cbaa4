//! The surprises, each with the name `quirks.toml` tells it by.

macro_rules! quirks {
    ($($quirk:ident = $name:literal,)*) => {
        /// A surprise of WordPress. Each can be taken away from the stand-in, and a test notices.
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
    SlugRepeats = "slug-repeats",
    QuestionsIgnored = "questions-ignored",
    MetaDropped = "meta-dropped",
    AnyHidesTrash = "any-hides-trash",
    TrashIsAnswered = "trash-is-answered",
    SecondDeleteIs410 = "second-delete-is-410",
    AmpersandIsStored = "ampersand-is-stored",
    TagsTakenOut = "tags-taken-out",
    FutureHides = "future-hides",
    EveryDoubtIs401 = "every-doubt-is-401",
    OthersAre403 = "others-are-403",
    PageBeyondIs400 = "page-beyond-is-400",
    HundredAPage = "hundred-a-page",
    NoPrecondition = "no-precondition",
    PasswordsOverHttpsOnly = "passwords-over-https-only",
    AddressInTheHead = "address-in-the-head",
    WarningsBeforeJson = "warnings-before-json",
    EditorsDropComments = "editors-drop-comments",
}
