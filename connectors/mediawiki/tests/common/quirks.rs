//! The surprises, each with the name `quirks.toml` tells it by.

macro_rules! quirks {
    ($($quirk:ident = $name:literal,)*) => {
        /// A surprise of MediaWiki. Each can be taken away from the stand-in, and a test notices.
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
    ErrorsAre200 = "errors-are-200",
    WrongPasswordIs200 = "wrong-password-is-200",
    SameTextIsNoChange = "same-text-is-no-change",
    OldRevisionSameText = "old-revision-same-text",
    CreateOnlyRefuses = "create-only-refuses",
    BlankEndsAreCut = "blank-ends-are-cut",
    TildesSign = "tildes-sign",
    FirstLetterIsUpper = "first-letter-is-upper",
    TokensEndInPlus = "tokens-end-in-plus",
    SessionsEnd = "sessions-end",
    MissingIsAPage = "missing-is-a-page",
    AddressInThePage = "address-in-the-page",
    LagIsAnError = "lag-is-an-error",
}
