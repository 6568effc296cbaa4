//! The surprises, each with the name `quirks.toml` tells it by.

macro_rules! quirks {
    ($($quirk:ident = $name:literal,)*) => {
        /// A surprise of Mattermost. Each can be taken away from the stand-in, and a test notices.
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
    PendingAnswersTheFirst = "pending-answers-the-first",
    PendingThirtySeconds = "pending-thirty-seconds",
    PendingInFlight = "pending-in-flight",
    PendingFreedByFailure = "pending-freed-by-failure",
    PendingForgottenAtRestart = "pending-forgotten-at-restart",
    PendingSharedByAll = "pending-shared-by-all",
    PendingNotEchoed = "pending-not-echoed",
    SearchIgnoresProps = "search-ignores-props",
    PropsReplaced = "props-replaced",
    FromBotAdded = "from-bot-added",
    SinceByUpdate = "since-by-update",
    SinceThousand = "since-thousand",
    SinceDeleted = "since-deleted",
    SinceHistory = "since-history",
    SinceReactions = "since-reactions",
    DeletedKeepsProps = "deleted-keeps-props",
    BeforeIsStrict = "before-is-strict",
    OrderNewestFirst = "order-newest-first",
    PostsBeyondOrder = "posts-beyond-order",
    PageOfTwoHundred = "page-of-two-hundred",
    PlainText429 = "plain-text-429",
    ResetInSeconds = "reset-in-seconds",
    NoLimitByDefault = "no-limit-by-default",
    ArchivedRefuses = "archived-refuses",
    PrivateIsUnknown = "private-is-unknown",
    MembersOnly = "members-only",
    EditLimit = "edit-limit",
    LengthInRunes = "length-in-runes",
    LimitsAreTexts = "limits-are-texts",
    BodyLimit = "body-limit",
    NoReplyToReply = "no-reply-to-reply",
    RootOfAnotherChannel = "root-of-another-channel",
    ThreadGoesWithRoot = "thread-goes-with-root",
    DeletedTwiceIsUnknown = "deleted-twice-is-unknown",
    DeadTokenIsExpiredSession = "dead-token-is-expired-session",
    ErrorsInTheUsersLanguage = "errors-in-the-users-language",
    PostingShowsOnline = "posting-shows-online",
    BackslashNotifies = "backslash-notifies",
    BracketsNotify = "brackets-notify",
    MentionsAnyCase = "mentions-any-case",
    MentionWithoutRightIsTaken = "mention-without-right-is-taken",
    PinTwiceIsFine = "pin-twice-is-fine",
    StrangeFilesDropped = "strange-files-dropped",
    DirectIsOne = "direct-is-one",
    HeaderMakesAPost = "header-makes-a-post",
    HooksHearOurPosts = "hooks-hear-our-posts",
    SocketSaysHello = "socket-says-hello",
    SocketPostIsText = "socket-post-is-text",
    SocketCountsWhatIsLost = "socket-counts-what-is-lost",
    SocketAnswersPings = "socket-answers-pings",
    SocketDeletedIsBefore = "socket-deleted-is-before",
}
