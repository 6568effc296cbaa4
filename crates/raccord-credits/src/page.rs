//! The page that a member keeps: it checks receipts without a network.

use raccord_model::Lang;

const PAGE: &str = include_str!("verify.html");

/// The page of a place with this name and public key.
pub fn page(name: &str, key: &str, lang: Lang) -> String {
    let lang = match lang {
        Lang::Fr => "fr",
        Lang::En => "en",
    };
    let mut shown = String::new();
    for c in name.chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            other => shown.push(other),
        }
    }
    // The key is base64url: it cannot end the attribute it stands in.
    PAGE.replace("{{lang}}", lang)
        .replace("{{key}}", key)
        .replace("{{name}}", &shown)
}
