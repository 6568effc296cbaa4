//! The colours, those of the printed page, by day and by night, and what a place's own colour
//! makes of them. Every pair that text is set in stands out as WCAG 2.2 asks (AA, 4.5 to 1).

use std::fmt;
use std::str::FromStr;

/// What must at least lie between text and its ground; a little more than WCAG's 4.5, for rounding.
const LEAST: f64 = 4.6;

/// The colours of a page, as `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// The ground.
    pub paper: &'static str,
    /// A ground that stands out from the ground.
    pub raised: &'static str,
    /// Text.
    pub ink: &'static str,
    /// Text of less weight.
    pub soft: &'static str,
    /// Lines.
    pub line: &'static str,
    /// Links, days, buttons: what a place tints.
    pub accent: &'static str,
    /// What did not go as planned.
    pub alert: &'static str,
}

/// By day, and on paper.
pub const LIGHT: Theme = Theme {
    paper: "#ffffff",
    raised: "#f1f4f5",
    ink: "#14303f",
    soft: "#4a5c66",
    line: "#b9c2c7",
    accent: "#b8401a",
    alert: "#9c1c34",
};

/// By night.
pub const DARK: Theme = Theme {
    paper: "#0f1c24",
    raised: "#1a2b35",
    ink: "#edf3f5",
    soft: "#a9bac2",
    line: "#3b4f5a",
    accent: "#ff9d75",
    alert: "#ff9aa8",
};

/// The accent of a place, fit for both grounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tint {
    /// By day.
    pub light: String,
    /// By night.
    pub dark: String,
    /// Text on the accent, by day.
    pub on_light: String,
    /// Text on the accent, by night.
    pub on_dark: String,
}

impl Default for Tint {
    fn default() -> Self {
        let colour = |text: &str| text.parse().unwrap_or(Rgb([0, 0, 0]));
        Self::between(colour(LIGHT.accent), colour(DARK.accent))
    }
}

/// Not `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongColour;

impl fmt::Display for WrongColour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write a colour like \"#0b6b53\"")
    }
}

impl std::error::Error for WrongColour {}

/// The tint of a place's own colour: that colour where it can be read, else the nearest of its
/// shades that can.
impl FromStr for Tint {
    type Err = WrongColour;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let own: Rgb = text.parse()?;
        Ok(Self::between(own, own))
    }
}

impl Tint {
    fn between(light: Rgb, dark: Rgb) -> Self {
        let (light, dark) = (readable(light, &LIGHT, 0), readable(dark, &DARK, 255));
        Self {
            on_light: on(light),
            on_dark: on(dark),
            light: light.to_string(),
            dark: dark.to_string(),
        }
    }
}

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rgb([u8; 3]);

impl FromStr for Rgb {
    type Err = WrongColour;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.trim().strip_prefix('#').ok_or(WrongColour)?;
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(WrongColour);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| WrongColour)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Rgb {
    /// As WCAG defines it.
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn against(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// `part` hundredths of the way to `end` (black is 0, white 255).
    fn towards(self, end: u8, part: u16) -> Self {
        let mix = |channel: u8| {
            let mixed = (u16::from(channel) * (100 - part) + u16::from(end) * part) / 100;
            u8::try_from(mixed).unwrap_or(end)
        };
        Self(self.0.map(mix))
    }
}

/// The first shade of `own` on the way to `end` that can be read on both grounds of a theme.
fn readable(own: Rgb, theme: &Theme, end: u8) -> Rgb {
    let grounds = [theme.paper, theme.raised].map(|ground| ground.parse().unwrap_or(Rgb([end; 3])));
    (0..=100)
        .map(|part| own.towards(end, part))
        .find(|shade| grounds.iter().all(|ground| shade.against(*ground) >= LEAST))
        .unwrap_or(Rgb([end; 3]))
}

/// White, or ink where that reads better.
fn on(ground: Rgb) -> String {
    let (white, ink) = (Rgb([255; 3]), Rgb([0x0a, 0x15, 0x1c]));
    if white.against(ground) >= LEAST {
        white.to_string()
    } else {
        ink.to_string()
    }
}

/// How far two colours, written `#rrggbb`, lie apart: from 1 to 21.
///
/// # Errors
/// When one of them is no such colour.
pub fn contrast(one: &str, other: &str) -> Result<f64, WrongColour> {
    Ok(one.parse::<Rgb>()?.against(other.parse()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stands_out(text: &str, ground: &str) -> bool {
        contrast(text, ground).unwrap() >= 4.5
    }

    fn fit(tint: &Tint) {
        for (accent, on, theme) in [
            (&tint.light, &tint.on_light, LIGHT),
            (&tint.dark, &tint.on_dark, DARK),
        ] {
            assert!(stands_out(accent, theme.paper), "{accent}");
            assert!(stands_out(accent, theme.raised), "{accent}");
            assert!(stands_out(on, accent), "{on} on {accent}");
        }
    }

    #[test]
    fn every_text_stands_out_from_every_ground_it_is_set_on() {
        for theme in [LIGHT, DARK] {
            for text in [theme.ink, theme.soft, theme.accent, theme.alert] {
                for ground in [theme.paper, theme.raised] {
                    assert!(stands_out(text, ground), "{text} on {ground}");
                }
            }
        }
        fit(&Tint::default());
    }

    #[test]
    fn our_own_colours_are_those_of_the_printed_page() {
        let paper = include_str!("../../../connectors/programme/templates/parts.typ");
        for (name, colour) in [
            ("ink", LIGHT.ink),
            ("soft", LIGHT.soft),
            ("accent", LIGHT.accent),
            ("hair", LIGHT.line),
        ] {
            let line = format!("#let {name} = rgb(\"{colour}\")");
            assert!(paper.contains(&line), "{line}");
        }
        assert_eq!(Tint::default().light, LIGHT.accent);
        assert_eq!(Tint::default().dark, DARK.accent);
    }

    #[test]
    fn only_a_colour_is_a_colour() {
        assert!(" #0B6B53 ".parse::<Tint>().is_ok());
        for wrong in [
            "",
            "0b6b53",
            "#0b6",
            "#0b6b5g",
            "red",
            "#é6b53",
            "#0b6b53;}",
        ] {
            assert_eq!(wrong.parse::<Tint>(), Err(WrongColour), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn whatever_colour_a_place_takes_its_pages_can_be_read(colour in 0_u32..0x100_0000) {
            fit(&format!("#{colour:06x}").parse().unwrap());
        }
    }
}
