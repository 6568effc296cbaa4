//! The surprises, each with the name `quirks.toml` tells it by.

macro_rules! quirks {
    ($($quirk:ident = $name:literal,)*) => {
        /// A surprise of OCECO. Each can be taken away from the stand-in, and a test notices.
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
    WrongTokenIs500 = "wrong-token-is-500",
    UnknownUserIs403 = "unknown-user-is-403",
    TokenActsAsAnybody = "token-acts-as-anybody",
    StatusFalseIs200 = "status-false-is-200",
    RefusedByName = "refused-by-name",
    UnknownIsAPage = "unknown-is-a-page",
    CreatesTwice = "creates-twice",
    MadeAnd500 = "made-and-500",
    OneCreditUnasked = "one-credit-unasked",
    BothDatesOrNone = "both-dates-or-none",
    NoUpdate = "no-update",
    IdsAreObjects = "ids-are-objects",
    NewIdIsPhps = "new-id-is-phps",
    NumbersAsText = "numbers-as-text",
    ListShowsTodo = "list-shows-todo",
    ListForgetsThePast = "list-forgets-the-past",
    ListIsOfOneParent = "list-is-of-one-parent",
    ValidatedVanishes = "validated-vanishes",
    NobodyYetIsNotSaid = "nobody-yet-is-not-said",
    FinishedIsNotValidated = "finished-is-not-validated",
    ValidateDoubles = "validate-doubles",
    NoRowForNoCredits = "no-row-for-no-credits",
    RefundIsARow = "refund-is-a-row",
    LogOverDdpOnly = "log-over-ddp-only",
    DeniedIsEmpty = "denied-is-empty",
    TenRowsUnasked = "ten-rows-unasked",
    WrongPasswordIsANumber = "wrong-password-is-a-number",
    EverySignInStays = "every-sign-in-stays",
    PostsInChat = "posts-in-chat",
}
