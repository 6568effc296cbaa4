//! What chats have in common when they call us: several slash commands and outgoing webhooks, each with
//! a token the tool drew for it, and all at one address.

use raccord_kit::hook::is_secret;
use secrecy::{ExposeSecret as _, SecretString};

/// Whether `given` is one of the tokens that stand in `secrets`, with white space between them, in a
/// time that tells nothing of any.
pub fn is_one_of(given: &str, secrets: &SecretString) -> bool {
    let tokens = secrets.expose_secret().split_whitespace();
    tokens.fold(false, |found, token| {
        is_secret(given, &SecretString::from(token)) | found
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p06_any_of_the_tokens_is_good_and_nothing_else() {
        let secrets = SecretString::from("one\n two\tthree\n");
        for token in ["one", "two", "three"] {
            assert!(is_one_of(token, &secrets), "{token}");
        }
        for wrong in ["", "one\n two", "tw", "four", " one"] {
            assert!(!is_one_of(wrong, &secrets), "{wrong:?}");
        }
        assert!(!is_one_of("", &SecretString::from("")));
    }
}
