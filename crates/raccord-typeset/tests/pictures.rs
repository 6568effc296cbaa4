//! Each page as it was looked at: small grey pictures in `tests/pictures`, compared with the pages of
//! today. `cargo xtask pictures` writes both beside each other, large enough to be looked at, and
//! `cargo xtask pictures --accept` keeps today's, once they were.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]

#[allow(dead_code, unreachable_pub, reason = "shared with the example")]
mod months;

use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use raccord_model::{Entity, Lang};
use raccord_typeset::lay_out;
use typst_render::RenderOptions;

/// Kept pictures have so many points to the inch, shown ones twice as many.
const SMALL: f64 = 48.0;
/// Points that may differ by more than a shade before a page is another: machines round differently.
const ALIKE: usize = 20;

/// A grey picture of sixteen shades, one for each byte.
#[derive(Clone, PartialEq, Eq)]
struct Picture {
    width: usize,
    shades: Vec<u8>,
}

impl Picture {
    fn of(page: &typst_layout::Page, per_inch: f64) -> Self {
        let options = RenderOptions {
            pixel_per_pt: (per_inch / 72.0).into(),
            ..RenderOptions::default()
        };
        let pixels = typst_render::render(page, &options);
        let shade = |pixel: &[u8]| {
            let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
            ((red * 3 + green * 6 + blue) / 10 / 16) as u8
        };
        Self {
            width: pixels.width() as usize,
            shades: pixels.data().chunks(4).map(shade).collect(),
        }
    }

    fn height(&self) -> usize {
        self.shades.len() / self.width
    }

    fn read(path: &Path) -> Option<Self> {
        let file = BufReader::new(File::open(path).ok()?);
        let mut reader = png::Decoder::new(file).read_info().ok()?;
        let mut bytes = vec![0; reader.output_buffer_size()?];
        let info = reader.next_frame(&mut bytes).ok()?;
        let width = info.width as usize;
        let rows = bytes.chunks(info.line_size);
        let shades = rows.flat_map(|row| {
            let shades = row.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            shades.take(width).collect::<Vec<_>>()
        });
        Some(Self {
            width,
            shades: shades.collect(),
        })
    }

    fn write(&self, path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = BufWriter::new(File::create(path).unwrap());
        let mut encoder = png::Encoder::new(file, self.width as u32, self.height() as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Four);
        encoder.set_compression(png::Compression::High);
        let pack = |row: &[u8]| -> Vec<u8> {
            let pairs = row.chunks(2);
            pairs
                .map(|pair| pair[0] << 4 | pair.get(1).unwrap_or(&0))
                .collect()
        };
        let rows: Vec<u8> = self.shades.chunks(self.width).flat_map(pack).collect();
        encoder
            .write_header()
            .unwrap()
            .write_image_data(&rows)
            .unwrap();
    }

    fn is_like(&self, other: &Self) -> bool {
        let far = |(one, other): (&u8, &u8)| one.abs_diff(*other) > 2;
        self.width == other.width
            && self.shades.len() == other.shades.len()
            && self
                .shades
                .iter()
                .zip(&other.shades)
                .filter(|pair| far(*pair))
                .count()
                <= ALIKE
    }

    /// Each point as four.
    fn doubled(&self) -> Self {
        let wide =
            |row: &[u8]| -> Vec<u8> { row.iter().flat_map(|&shade| [shade, shade]).collect() };
        let rows = self.shades.chunks(self.width).map(wide);
        Self {
            width: self.width * 2,
            shades: rows.flat_map(|row| [row.clone(), row].concat()).collect(),
        }
    }

    /// `self` to the left of `other`.
    fn beside(&self, other: &Self) -> Self {
        let row = |picture: &Self, y: usize| -> Vec<u8> {
            let start = y * picture.width;
            let known = picture.shades.get(start..start + picture.width);
            known.map_or_else(|| vec![12; picture.width], <[u8]>::to_vec)
        };
        let rows = 0..self.height().max(other.height());
        Self {
            width: self.width + 8 + other.width,
            shades: rows
                .flat_map(|y| [row(self, y), vec![8; 8], row(other, y)].concat())
                .collect(),
        }
    }
}

/// The sheets that are looked at.
fn sheets() -> Vec<(&'static str, Vec<Entity>, &'static str, Lang)> {
    vec![
        ("january", months::january(), "programme", Lang::Fr),
        ("january-leaflet", months::january(), "leaflet", Lang::Fr),
        ("january-since", months::printed(), "since", Lang::Fr),
        ("january-tasks", months::with_tasks(), "programme", Lang::Fr),
        ("january-english", months::january(), "programme", Lang::En),
        ("busy", months::busy(), "programme", Lang::Fr),
        ("messy", months::messy(), "programme", Lang::Fr),
        ("messy-leaflet", months::messy(), "leaflet", Lang::Fr),
        ("five", months::few(), "programme", Lang::Fr),
        ("five-leaflet", months::few(), "leaflet", Lang::Fr),
        ("two", months::few().split_off(3), "programme", Lang::Fr),
        ("one", months::few().split_off(4), "programme", Lang::Fr),
        ("hostile", months::hostile(), "programme", Lang::Fr),
        ("table", months::tables(), "signup", Lang::Fr),
    ]
}

/// Each page of each sheet, by its name.
fn pages(mut each: impl FnMut(String, &typst_layout::Page)) {
    for (name, members, sheet, lang) in sheets() {
        let data = months::data(&members, sheet, lang).unwrap();
        let document = lay_out(&months::template(sheet), &data).unwrap();
        for (n, page) in document.pages().iter().enumerate() {
            each(format!("{name}-{}", n + 1), page);
        }
    }
}

fn kept(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures");
    folder.join(format!("{name}.png"))
}

#[test]
fn every_page_looks_as_when_it_was_looked_at() {
    let (mut changed, mut names) = (Vec::new(), Vec::new());
    pages(|name, page| {
        let known = Picture::read(&kept(&name));
        if !known.is_some_and(|known| known.is_like(&Picture::of(page, SMALL))) {
            changed.push(name.clone());
        }
        names.push(format!("{name}.png"));
    });
    for file in fs::read_dir(kept("any").parent().unwrap()).unwrap() {
        let file = file.unwrap().file_name().into_string().unwrap();
        if !names.contains(&file) {
            changed.push(format!("{file} (no such page any more)"));
        }
    }
    assert!(
        changed.is_empty(),
        "these pages are not as they were looked at: {}\nlook: cargo xtask pictures\nkeep: cargo xtask pictures --accept",
        changed.join(", ")
    );
}

#[test]
#[ignore = "writes pictures: cargo xtask pictures"]
fn show() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    drop(fs::remove_dir_all(&folder));
    pages(|name, page| {
        let known = Picture::read(&kept(&name));
        let like = known
            .as_ref()
            .is_some_and(|known| known.is_like(&Picture::of(page, SMALL)));
        let now = Picture::of(page, 2.0 * SMALL);
        let (path, shown) = match known {
            _ if like => (folder.join(format!("{name}.png")), now),
            Some(known) => {
                let path = folder.join(format!("{name}.kept-and-now.png"));
                (path, known.doubled().beside(&now))
            }
            None => (folder.join(format!("{name}.new.png")), now),
        };
        shown.write(&path);
        if !like {
            println!("{}", path.display());
        }
    });
    println!("all pages: {}", folder.display());
}

#[test]
#[ignore = "keeps pictures: cargo xtask pictures --accept"]
fn accept() {
    drop(fs::remove_dir_all(kept("any").parent().unwrap()));
    pages(|name, page| {
        Picture::of(page, SMALL).write(&kept(&name));
    });
}
