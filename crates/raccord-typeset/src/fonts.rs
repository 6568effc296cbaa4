//! The fonts a document can use: those of this crate, then Typst's serif. Never the machine's, so
//! that the same document looks the same everywhere.

use std::sync::OnceLock;

use typst::foundations::Bytes;
use typst::text::{Font, FontBook, FontInfo};
use typst::utils::LazyHash;

/// Our own faces, first the ones most documents need.
const OURS: [&[u8]; 7] = [
    include_bytes!("../fonts/BarlowSemiCondensed-Regular.ttf"),
    include_bytes!("../fonts/BarlowSemiCondensed-SemiBold.ttf"),
    include_bytes!("../fonts/BarlowSemiCondensed-ExtraBold.ttf"),
    include_bytes!("../fonts/BarlowSemiCondensed-Italic.ttf"),
    include_bytes!("../fonts/NotoSansArabic-Regular.ttf"),
    include_bytes!("../fonts/NotoSansHebrew-Regular.ttf"),
    include_bytes!("../fonts/NotoEmoji-Regular.ttf"),
];

/// Typst's embedded fonts begin with the faces of Libertinus Serif; what follows (Computer Modern,
/// mathematics, a mono) would cost more time to read than a page takes to typeset.
const SERIF_FACES: usize = 6;

/// The faces at hand, read when first asked for.
pub(crate) struct Fonts {
    faces: Vec<Font>,
    pub(crate) book: LazyHash<FontBook>,
}

impl Fonts {
    /// All faces.
    pub(crate) fn shared() -> &'static Self {
        static FONTS: OnceLock<Fonts> = OnceLock::new();
        FONTS.get_or_init(Self::load)
    }

    fn load() -> Self {
        let ours = OURS.into_iter().filter_map(|data| {
            let font = Font::new(Bytes::new(data), 0)?;
            Some((font.clone(), font.info().clone()))
        });
        let serif = typst_kit::fonts::embedded().take(SERIF_FACES);
        let (faces, infos): (Vec<Font>, Vec<FontInfo>) = ours.chain(serif).unzip();
        Self {
            faces,
            book: LazyHash::new(FontBook::from_infos(infos)),
        }
    }

    /// The face at `index` of the book.
    pub(crate) fn face(&self, index: usize) -> Option<Font> {
        self.faces.get(index).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_face_is_read_and_found_by_its_family() {
        let fonts = Fonts::shared();
        assert_eq!(fonts.faces.len(), OURS.len() + SERIF_FACES);
        let families: Vec<&str> = fonts.book.families().map(|(name, _)| name).collect();
        assert_eq!(
            families,
            [
                "Barlow",
                "Libertinus Serif",
                "Noto Emoji",
                "Noto Sans Arabic",
                "Noto Sans Hebrew"
            ]
        );
    }
}
