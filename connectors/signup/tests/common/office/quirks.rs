//! The surprises, each with the name `quirks.toml` tells it by. Servers differ: the stand-in plays one
//! at a time.

macro_rules! quirks {
    ($($quirk:ident = $name:literal,)*) => {
        /// A surprise of a mail server.
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
    Greylists = "greylists",
    SenderRefusedAtRecipient = "sender-refused-at-recipient",
    RelayRefusedAtRecipient = "relay-refused-at-recipient",
    RefusesAfterTheLetter = "refuses-after-the-letter",
    TakesAndHangsUp = "takes-and-hangs-up",
    KeepsRepeats = "keeps-repeats",
    OneLetterAConnection = "one-letter-a-connection",
    NoRoomForNow = "no-room-for-now",
    LoginAskedAtTheSender = "login-asked-at-the-sender",
    LoginBroken = "login-broken",
    NoLettersBeyondAscii = "no-letters-beyond-ascii",
    RepeatsTheAddress = "repeats-the-address",
}
