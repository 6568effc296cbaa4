//! The page that a member keeps: it checks receipts without a network.

use std::fmt::Write as _;

use qrcodegen::{QrCode, QrCodeEcc};
use raccord_model::Lang;

const PAGE: &str = include_str!("verify.html");

/// The page of a place with this name and public key.
pub fn page(name: &str, key: &str, lang: Lang) -> String {
    let lang = match lang {
        Lang::Fr => "fr",
        Lang::En => "en",
    };
    // The key is base64url: it cannot end the attribute it stands in.
    PAGE.replace("{{lang}}", lang)
        .replace("{{key}}", key)
        .replace("{{name}}", &escaped(name))
}

/// A text as it stands in a page of HTML, between tags or inside double quotes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

/// A text as a square that a telephone reads, as SVG; nothing where it is too long for one.
pub fn square(text: &str) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).ok()?;
    let size = code.size();
    let mut dark = String::new();
    for y in 0..size {
        for x in (0..size).filter(|&x| code.get_module(x, y)) {
            write!(dark, "M{} {}h1v1h-1z", x + 4, y + 4).expect("a String takes every text");
        }
    }
    // Four light modules around it, as ISO/IEC 18004 wants them.
    let side = size + 8;
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}h-{side}z\"/><path d=\"{dark}\"/></svg>"
    ))
}
