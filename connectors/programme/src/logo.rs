//! The place's own picture: a drawing (SVG), or points (PNG, JPEG) of which there are not too many. Pure
//! but for the reading of the file.
//!
//! What a file is, its first bytes say, never its name. Its size is read before anything unpacks it.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use raccord_model::Failure;
use serde::Serialize;

use crate::failures;

/// No picture weighs more.
const BYTES: u64 = 2 * 1024 * 1024;
/// None has more points on a side: at the height of a logo more are not seen, and each costs memory.
const SIDE: u32 = 4000;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = b"\xff\xd8\xff";

/// What stands in a file that a template reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Content {
    /// Text.
    Text(String),
    /// Anything else, as base64.
    Bytes {
        /// The bytes.
        base64: String,
    },
}

/// The picture at `path`, with the name under which a template finds it.
pub(crate) fn read(path: &Path) -> Result<(&'static str, Content), Failure> {
    let unreadable = |error: io::Error| failures::unreadable_logo(path, &error);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > BYTES {
        return Err(failures::heavy_logo(path, BYTES / 1024 / 1024));
    }
    let (name, points) = if bytes.starts_with(PNG) {
        ("logo.png", png_size(&bytes))
    } else if bytes.starts_with(JPEG) {
        ("logo.jpg", jpeg_size(&bytes))
    } else {
        let text = String::from_utf8(bytes).map_err(|_| failures::no_picture(path))?;
        if !text.contains("<svg") {
            return Err(failures::no_picture(path));
        }
        return Ok(("logo.svg", Content::Text(text)));
    };
    let (width, height) = points
        .filter(|(width, height)| *width > 0 && *height > 0)
        .ok_or_else(|| failures::no_picture(path))?;
    if width > SIDE || height > SIDE {
        return Err(failures::wide_logo(path, (width, height), SIDE));
    }
    let base64 = BASE64_STANDARD.encode(&bytes);
    Ok((name, Content::Bytes { base64 }))
}

/// Width and height, from the chunk that a PNG begins with.
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let header = bytes.get(PNG.len()..)?;
    if header.get(4..8)? != b"IHDR" {
        return None;
    }
    let number = |at: usize| Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
    Some((number(8)?, number(12)?))
}

/// Width and height, from the frame of a JPEG, past the segments before it.
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let mut at = 2;
    loop {
        while *bytes.get(at)? != 0xff || *bytes.get(at + 1)? == 0xff {
            at += 1;
        }
        let marker = *bytes.get(at + 1)?;
        match marker {
            // Frames of every coding; C4, C8 and CC are tables.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                return Some((number(at + 7)?.into(), number(at + 5)?.into()));
            }
            0xd9 | 0xda => return None,
            0x01 | 0xd0..=0xd8 => at += 2,
            _ => at += 2 + usize::from(number(at + 2)?.max(2)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        [
            PNG,
            &13_u32.to_be_bytes(),
            b"IHDR",
            &width.to_be_bytes(),
            &height.to_be_bytes(),
        ]
        .concat()
    }

    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let frame = [
            &[0xff, 0xc2, 0, 17, 8][..],
            &height.to_be_bytes(),
            &width.to_be_bytes(),
        ]
        .concat();
        // An application's segment with what looks like a frame, padding, a table, then the frame.
        let before = [
            0xff, 0xd8, 0xff, 0xe0, 0, 6, 0xff, 0xc0, 9, 9, 0xff, 0xff, 0xc4, 0, 3, 7,
        ];
        [&before[..], &frame].concat()
    }

    fn tried(bytes: &[u8]) -> Result<&'static str, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logo");
        std::fs::write(&path, bytes).unwrap();
        read(&path)
            .map(|(name, _)| name)
            .map_err(|failure| failure.text.en)
    }

    #[test]
    fn a_picture_is_known_by_its_bytes() {
        assert_eq!(tried(&png(300, 200)), Ok("logo.png"));
        assert_eq!(tried(&jpeg(300, 200)), Ok("logo.jpg"));
        assert_eq!(tried(b"<?xml version='1.0'?><svg/>"), Ok("logo.svg"));
        assert_eq!(png_size(&png(300, 200)), Some((300, 200)));
        assert_eq!(jpeg_size(&jpeg(300, 200)), Some((300, 200)));
    }

    #[test]
    fn what_is_no_picture_or_too_much_of_one_is_told_in_plain_words() {
        for (bytes, said) in [
            (png(30_000, 30_000), "30000 by 30000 points"),
            (jpeg(65_000, 2), "65000 by 2 points"),
            (vec![b'x'; BYTES as usize + 1], "more than 2 MB"),
            (b"GIF89a".to_vec(), "SVG, PNG or JPEG"),
            (b"\xff\xfe".to_vec(), "SVG, PNG or JPEG"),
            (png(0, 5), "SVG, PNG or JPEG"),
            (PNG.to_vec(), "SVG, PNG or JPEG"),
            (JPEG.to_vec(), "SVG, PNG or JPEG"),
            (vec![0xff; 5000], "SVG, PNG or JPEG"),
        ] {
            let told = tried(&bytes).unwrap_err();
            assert!(told.contains(said), "{told}");
        }
    }

    #[test]
    fn a_picture_that_is_cut_anywhere_is_never_a_panic() {
        for whole in [png(300, 200), jpeg(300, 200)] {
            for end in 0..whole.len() {
                drop(tried(&whole[..end]));
            }
        }
    }
}
