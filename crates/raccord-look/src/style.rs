//! The style sheet that the site and the program's own pages share: colours, letters, lists.

use crate::colour::{DARK, LIGHT, Theme, Tint};

/// The letters of titles and days, for browsers.
pub const LETTERS: &[u8] = include_bytes!("../fonts/barlow-semi-condensed-800.woff2");
/// The name of their file.
pub const LETTERS_FILE: &str = "barlow-semi-condensed-800.woff2";
/// The same letters as outlines, for drawing.
pub const OUTLINES: &[u8] = include_bytes!("../fonts/barlow-semi-condensed-800.ttf");

const SHARED: &str = include_str!("../style/shared.css");

/// The shared style, tinted; `letters` is where the page finds [`LETTERS`].
pub fn style(tint: &Tint, letters: &str) -> String {
    let light = theme(&LIGHT, &tint.light, &tint.on_light);
    let dark = theme(&DARK, &tint.dark, &tint.on_dark);
    let face = format!(
        "@font-face{{font-family:Barlow;font-weight:800;font-display:swap;\
         src:url({letters}) format(\"woff2\")}}"
    );
    let shared = squeezed(SHARED);
    format!(
        "{face}\n:root{{color-scheme:light dark;{light}}}\n\
         @media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{shared}"
    )
}

fn theme(theme: &Theme, accent: &str, on_accent: &str) -> String {
    let Theme {
        paper,
        raised,
        ink,
        soft,
        line,
        alert,
        ..
    } = theme;
    format!(
        "--paper:{paper};--raised:{raised};--ink:{ink};--soft:{soft};--line:{line};\
         --accent:{accent};--on-accent:{on_accent};--alert:{alert}"
    )
}

/// A style sheet of ours without its comments and indents, one rule to a line.
pub fn squeezed(style: &str) -> String {
    let mut out = String::with_capacity(style.len());
    let mut rest = style;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    let lines = out.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut out = String::with_capacity(style.len());
    for line in lines {
        out.push_str(line);
        // A declaration goes on; a rule that is closed ends its line.
        if line.ends_with('}') {
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_squeezed_style_says_the_same_with_less() {
        let style = "/* why */\na {\n  color: red;\n}\n@media print {\n  b { c: d; }\n}\n";
        assert_eq!(
            squeezed(style),
            "a {color: red;}\n@media print {b { c: d; }\n}\n"
        );
    }

    #[test]
    fn the_style_is_light_and_every_colour_it_names_is_there() {
        let style = style(&Tint::default(), "x.woff2");
        assert!(style.len() + LETTERS.len() < 17_000, "{}", style.len());
        for part in style.split("var(--").skip(1) {
            let name = part.split([')', ',']).next().unwrap_or_default();
            assert!(style.contains(&format!("--{name}:")), "{name}");
        }
    }
}
