//! The surprises, each with the name `quirks.toml` tells it by.

macro_rules! quirks {
    ($($quirk:ident = $name:literal,)*) => {
        /// A surprise of Lespass. Each can be taken away from the stand-in, and a test notices.
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
    NoUpdate = "no-update",
    DuplicateIs500 = "duplicate-is-500",
    DeleteReservedIs500 = "delete-reserved-is-500",
    CancelledStillProtects = "cancelled-still-protects",
    DeleteCascades = "delete-cascades",
    ListHidesUnpublished = "list-hides-unpublished",
    ListFromYesterday = "list-from-yesterday",
    DaysHaveBounds = "days-have-bounds",
    ActionsAmongEvents = "actions-among-events",
    ParentMakesAnAction = "parent-makes-an-action",
    TypeInThePlacesLanguage = "type-in-the-places-language",
    NullsLeftOut = "nulls-left-out",
    DatesInThePlacesZone = "dates-in-the-places-zone",
    FiftyPlacesUnasked = "fifty-places-unasked",
    UrlIsItsOwn = "url-is-its-own",
    HtmlStandsAsSent = "html-stands-as-sent",
    EditorsLoseComments = "editors-lose-comments",
    EveryDoubtIs403 = "every-doubt-is-403",
    TextsInThePlacesLanguage = "texts-in-the-places-language",
    SlashNeeded = "slash-needed",
    BooksTwice = "books-twice",
    ActionNeedsNoProduct = "action-needs-no-product",
    EventNeedsAProduct = "event-needs-a-product",
    LinkTwiceIsFine = "link-twice-is-fine",
    MailNotShownYet = "mail-not-shown-yet",
    ListHasNoPages = "list-has-no-pages",
    NewestChangeFirst = "newest-change-first",
    CancelledStays = "cancelled-stays",
    CancelledReadsPending = "cancelled-reads-pending",
    NoListInV2 = "no-list-in-v2",
    ListWantsAnAdmin = "list-wants-an-admin",
    LabelsTranslated = "labels-translated",
    CheckSaysScanned = "check-says-scanned",
    ScannedTwiceIs200 = "scanned-twice-is-200",
    WrongScannerIs500 = "wrong-scanner-is-500",
    ArchivedScannerIs403 = "archived-scanner-is-403",
    TicketsInPages = "tickets-in-pages",
    HookIsAForm = "hook-is-a-form",
    HookTellsAnEarlierState = "hook-tells-an-earlier-state",
    HookNotForCancelling = "hook-not-for-cancelling",
    HookSwitchesItselfOff = "hook-switches-itself-off",
}
