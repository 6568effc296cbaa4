//! The picture that social networks show beside a link to the site: the place's name, its colour
//! and a few of the shapes, drawn like the head of the printed page.

use raccord_look::{LIGHT, OUTLINES, Tint};
use tiny_skia::{Color, FillRule, Paint, Path, PathBuilder, Pixmap, Rect, Transform};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

const WIDTH: u16 = 1200;
const HEIGHT: u16 = 630;
const MARGIN: f32 = 80.0;
/// Letters of the name, at most so many: more would be too small to read.
const NAME: usize = 48;

/// The picture of the place called `name`, as PNG; nothing where it cannot be drawn.
pub(crate) fn picture(name: &str, title: &str, tint: &Tint) -> Option<Vec<u8>> {
    let mut map = Pixmap::new(WIDTH.into(), HEIGHT.into())?;
    let (width, height) = (f32::from(WIDTH), f32::from(HEIGHT));
    map.fill(colour(LIGHT.paper)?);
    let letters = Letters(Face::parse(OUTLINES, 0).ok()?);
    let (ink, accent) = (paint(LIGHT.ink)?, paint(&tint.light)?);
    let mut draw = |path: &Path, paint: &Paint<'_>| {
        map.fill_path(path, paint, FillRule::Winding, Transform::identity(), None);
    };

    let name: String = name.chars().take(NAME).collect();
    let room = width - 2.0 * MARGIN;
    let (first, second) = letters.lines(&name, 120.0, room);
    let size = letters
        .fitting(&first, 120.0, room)
        .min(letters.fitting(&second, 120.0, room));
    let mut base = MARGIN + 0.72 * size;
    for line in [&first, &second] {
        if let Some(path) = letters.path(line, MARGIN, base, size) {
            draw(&path, &accent);
            base += 1.08 * size;
        }
    }
    let rule = base - 0.6 * size;
    draw(
        &PathBuilder::from_rect(Rect::from_xywh(MARGIN, rule, room, 10.0)?),
        &ink,
    );
    let size = letters.fitting(title, 150.0, room);
    if let Some(path) = letters.path(title, MARGIN, rule + 60.0 + 0.72 * size, size) {
        draw(&path, &ink);
    }
    let (side, gap) = (44.0, 30.0);
    for (index, shape) in shapes(side).into_iter().enumerate() {
        let left = MARGIN + (side + gap) * f32::from(u8::try_from(index).ok()?);
        let moved = shape.transform(Transform::from_translate(left, height - MARGIN - side))?;
        draw(&moved, if index % 3 == 2 { &accent } else { &ink });
    }
    map.encode_png().ok()
}

/// A few shapes of kinds, `s` high.
fn shapes(s: f32) -> Vec<Path> {
    let h = s / 2.0;
    let all = [
        Rect::from_xywh(0.0, 0.0, s, s).map(PathBuilder::from_rect),
        PathBuilder::from_circle(h, h, h),
        polygon(&[(0.0, s), (h, 0.0), (s, s)]),
        polygon(&[(h, 0.0), (s, h), (h, s), (0.0, h)]),
        polygon(&[
            (h, 0.0),
            (0.93 * s, s / 4.0),
            (0.93 * s, 0.75 * s),
            (h, s),
            (0.07 * s, 0.75 * s),
            (0.07 * s, s / 4.0),
        ]),
    ];
    all.into_iter().flatten().collect()
}

fn polygon(points: &[(f32, f32)]) -> Option<Path> {
    let mut path = PathBuilder::new();
    for (index, &(x, y)) in points.iter().enumerate() {
        if index == 0 {
            path.move_to(x, y);
        } else {
            path.line_to(x, y);
        }
    }
    path.close();
    path.finish()
}

fn colour(text: &str) -> Option<Color> {
    let channel = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    Some(Color::from_rgba8(
        channel(1)?,
        channel(3)?,
        channel(5)?,
        255,
    ))
}

fn paint(text: &str) -> Option<Paint<'static>> {
    let mut paint = Paint {
        anti_alias: true,
        ..Paint::default()
    };
    paint.set_color(colour(text)?);
    Some(paint)
}

/// The letters of titles. What they do not have is left out.
struct Letters(Face<'static>);

impl Letters {
    fn glyphs(&self, text: &str) -> Vec<(GlyphId, f32)> {
        let glyph = |c| {
            let glyph = self.0.glyph_index(c)?;
            let advance = self.0.glyph_hor_advance(glyph)?;
            Some((glyph, f32::from(advance) / f32::from(self.0.units_per_em())))
        };
        text.chars().filter_map(glyph).collect()
    }

    /// How wide a text is, in its size.
    fn width(&self, text: &str) -> f32 {
        self.glyphs(text).iter().map(|(_, advance)| advance).sum()
    }

    /// The largest size, up to `most`, at which `text` fits `room`.
    fn fitting(&self, text: &str, most: f32, room: f32) -> f32 {
        (room / self.width(text).max(0.01)).min(most)
    }

    /// `text` on one line if it fits there, else on two of like length.
    fn lines(&self, text: &str, size: f32, room: f32) -> (String, String) {
        let whole = (text.to_owned(), String::new());
        if self.width(text) * size <= room {
            return whole;
        }
        let longest = |at: usize| self.width(&text[..at]).max(self.width(&text[at..]));
        text.match_indices(' ')
            .map(|(at, _)| at)
            .min_by(|one, other| longest(*one).total_cmp(&longest(*other)))
            .map_or(whole, |at| {
                (text[..at].to_owned(), text[at + 1..].to_owned())
            })
    }

    fn path(&self, text: &str, left: f32, base: f32, size: f32) -> Option<Path> {
        let scale = size / f32::from(self.0.units_per_em());
        let mut pen = Pen {
            path: PathBuilder::new(),
            left,
            base,
            scale,
        };
        for (glyph, advance) in self.glyphs(text) {
            // A space has no outline, and takes its room all the same.
            let _ = self.0.outline_glyph(glyph, &mut pen);
            pen.left += advance * size;
        }
        pen.path.finish()
    }
}

/// Draws outlines at their place, upside up.
struct Pen {
    path: PathBuilder,
    left: f32,
    base: f32,
    scale: f32,
}

impl Pen {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.left + x * self.scale, self.base - y * self.scale)
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_name_makes_a_light_picture_of_the_size_networks_show() {
        let tint = Tint::default();
        let mut all = Vec::new();
        for name in [
            "La Raffinerie",
            "",
            "مرحبا 🎉",
            "Maison des associations et des initiatives citoyennes du quartier de la gare",
            "A\u{202e}\u{0}B",
            &"W".repeat(5_000),
        ] {
            let picture = picture(name, "Programme", &tint).unwrap();
            assert!(picture.starts_with(b"\x89PNG\r\n"), "{name}");
            assert_eq!(picture[16..24], [0, 0, 4, 0xb0, 0, 0, 2, 0x76], "{name}");
            assert!(picture.len() < 60_000, "{name}: {}", picture.len());
            all.push(picture);
        }
        assert_ne!(all[0], all[1], "the name stands in the picture");
        assert_eq!(all[1], all[2], "letters it does not have are left out");
    }
}
