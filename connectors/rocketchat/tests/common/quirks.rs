//! The surprises, each with the name `quirks.toml` tells it by.

macro_rules! quirks {
    ($($quirk:ident = $name:literal,)*) => {
        /// A surprise of Rocket.Chat. Each can be taken away from the stand-in, and a test notices.
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
    RepeatIsTypeError = "repeat-is-type-error",
    RepeatIsSilent = "repeat-is-silent",
    VetoLooksTheSame = "veto-looks-the-same",
    IdsAreGlobal = "ids-are-global",
    DeletedFreesTheId = "deleted-frees-the-id",
    TombstoneKeepsTheId = "tombstone-keeps-the-id",
    MentionAllRefused = "mention-all-refused",
    MentionsLowerCase = "mentions-lower-case",
    FenceDoesNotProtect = "fence-does-not-protect",
    BackslashProtects = "backslash-protects",
    ByteOrderMarkIsSpace = "byte-order-mark-is-space",
    SizeInUtf16 = "size-in-utf-16",
    TenAMinute = "ten-a-minute",
    LimitPerRoute = "limit-per-route",
    BotBypasses = "bot-bypasses",
    ResetIsAMoment = "reset-is-a-moment",
    NoRetryAfter = "no-retry-after",
    HooksNeverBypass = "hooks-never-bypass",
    MissingRoomIs400 = "missing-room-is-400",
    MissingMessageIs400 = "missing-message-is-400",
    HiddenMessageIsNotAllowed = "hidden-message-is-not-allowed",
    DeletedTwiceIs400 = "deleted-twice-is-400",
    BothHeadersNeeded = "both-headers-needed",
    SessionsExpire = "sessions-expire",
    CustomFieldsRefused = "custom-fields-refused",
    UnknownKeysRefused = "unknown-keys-refused",
    OwnClockRefused = "own-clock-refused",
    ReactToggles = "react-toggles",
    ReactionSendsAll = "reaction-sends-all",
    PinMakesAMessage = "pin-makes-a-message",
    UpdateInWrongRoom = "update-in-wrong-room",
    UpdateMarksEdited = "update-marks-edited",
    ReplyGoesToRoot = "reply-goes-to-root",
    RootRoomWins = "root-room-wins",
    SyncHasNoPages = "sync-has-no-pages",
    SyncNewestFirst = "sync-newest-first",
    CursorIsStrict = "cursor-is-strict",
    CursorWithoutDeletions = "cursor-without-deletions",
    EitherCursorOrDate = "either-cursor-or-date",
    MediaInTwoSteps = "media-in-two-steps",
    MediaVanishes = "media-vanishes",
    ConfirmedTwiceIsTwo = "confirmed-twice-is-two",
    SingleStepIsGone = "single-step-is-gone",
    EncryptedRefuses = "encrypted-refuses",
    EmptyAnswerIsRepeated = "empty-answer-is-repeated",
    HooksHearOurMessages = "hooks-hear-our-messages",
    DeleteTimeIsText = "delete-time-is-text",
    StreamForgetsTheLogin = "stream-forgets-the-login",
    StreamGreetsWithoutMsg = "stream-greets-without-msg",
    StreamDocumentIsCalledId = "stream-document-is-called-id",
    StreamTimesAreObjects = "stream-times-are-objects",
    StreamPings = "stream-pings",
}
