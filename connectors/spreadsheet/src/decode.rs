//! From bytes to text: a byte order mark wins, then UTF-16 by its zeros, then valid UTF-8, then
//! the detector. Streams; never holds the document.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// What a look at all bytes says about a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about one text"
)]
pub(crate) struct Look {
    pub(crate) encoding: &'static Encoding,
    /// It ends in the middle of a character.
    pub(crate) cut: bool,
    /// It holds bytes that are no text.
    pub(crate) binary: bool,
    /// It holds nothing but spaces.
    pub(crate) blank: bool,
    /// The quotation marks do not come in pairs.
    pub(crate) odd_quotes: bool,
    /// It ends with a line break.
    pub(crate) ended: bool,
}

/// Looks at all of `source`, from its beginning.
pub(crate) fn look<R: Read + Seek>(source: &mut R) -> io::Result<Look> {
    source.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::with_capacity(64 * 1024, &mut *source);
    let head = reader.fill_buf()?;
    let marked = Encoding::for_bom(head).map(|(encoding, _)| encoding);
    let wide = marked.or_else(|| wide_by_zeros(head));
    let mut utf8 = Utf8Check::default();
    let mut look = Look {
        encoding: UTF_8,
        cut: false,
        binary: false,
        blank: true,
        odd_quotes: false,
        ended: false,
    };
    let (mut size, mut zeros) = (0_u64, 0_u64);
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        utf8.feed(bytes);
        for &byte in bytes {
            look.odd_quotes ^= byte == b'"';
            zeros += u64::from(byte == 0);
        }
        look.blank = look.blank
            && bytes.iter().all(|b| {
                b.is_ascii_whitespace() || matches!(b, 0 | 0xEF | 0xBB | 0xBF | 0xFE | 0xFF)
            });
        // Of UTF-16, the line break's other byte is zero.
        let tail = bytes.iter().rev().find(|b| **b != 0);
        look.ended = tail.map_or(look.ended, |b| matches!(b, b'\n' | b'\r'));
        let taken = bytes.len();
        size += taken as u64;
        reader.consume(taken);
    }
    // One that was pasted into a cell is no reason to refuse the sheet.
    look.binary = zeros * 100 > size;
    if let Some(encoding) = wide {
        look.encoding = encoding;
        if encoding == UTF_8 {
            look.cut = utf8.cut();
        } else {
            look.cut = size % 2 == 1;
            look.binary = false;
        }
        return Ok(look);
    }
    if utf8.is_text() {
        look.cut = utf8.cut();
    } else {
        look.encoding = detect(source)?;
    }
    Ok(look)
}

/// Asks the detector, which is slow: only for what is not UTF-8.
fn detect<R: Read + Seek>(source: &mut R) -> io::Result<&'static Encoding> {
    source.seek(SeekFrom::Start(0))?;
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = source.read(&mut buffer)?;
        detector.feed(&buffer[..read], read == 0);
        if read == 0 {
            return Ok(detector.guess(Some(b"fr"), Utf8Detection::Deny));
        }
    }
}

/// UTF-16 without a mark: every other byte of plain text is zero.
fn wide_by_zeros(head: &[u8]) -> Option<&'static Encoding> {
    let pairs = head.len().min(2048) / 2;
    if pairs < 4 {
        return None;
    }
    let zeros = |offset: usize| (0..pairs).filter(|i| head[2 * i + offset] == 0).count();
    match (zeros(0), zeros(1)) {
        (0, odd) if odd * 2 > pairs => Some(UTF_16LE),
        (even, 0) if even * 2 > pairs => Some(UTF_16BE),
        _ => None,
    }
}

/// Whether bytes are UTF-8, piece by piece.
#[derive(Debug, Default)]
struct Utf8Check {
    carry: Vec<u8>,
    good: u64,
    bad: u64,
}

impl Utf8Check {
    fn feed(&mut self, bytes: &[u8]) {
        let mut joined;
        let mut rest = if self.carry.is_empty() {
            bytes
        } else {
            joined = std::mem::take(&mut self.carry);
            joined.extend_from_slice(bytes);
            joined.as_slice()
        };
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.count(text);
                    return;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    self.count(std::str::from_utf8(valid).unwrap_or_default());
                    match error.error_len() {
                        None => {
                            self.carry = after.to_vec();
                            return;
                        }
                        Some(length) => {
                            self.bad += 1;
                            rest = &after[length..];
                        }
                    }
                }
            }
        }
    }

    fn count(&mut self, text: &str) {
        if !text.is_ascii() {
            self.good += text.chars().filter(|c| !c.is_ascii()).count() as u64;
        }
    }

    /// All of it, but for a stray byte pasted among many good characters.
    fn is_text(&self) -> bool {
        let bad = self.bad + u64::from(!self.carry.is_empty() && self.good == 0);
        bad == 0 || bad * 20 < self.good
    }

    fn cut(&self) -> bool {
        !self.carry.is_empty() && self.is_text()
    }
}

/// Reads bytes of one encoding as UTF-8, every line break as `\n`, one at the very end.
pub(crate) struct Utf8Reader<R> {
    inner: BufReader<R>,
    decoder: Decoder,
    out: Vec<u8>,
    at: usize,
    /// The last character was a carriage return: a line feed after it is the same break.
    after_return: bool,
    /// The last byte handed out.
    last: u8,
    done: bool,
}

impl<R: Read> Utf8Reader<R> {
    pub(crate) fn new(inner: R, encoding: &'static Encoding) -> Self {
        Self {
            inner: BufReader::with_capacity(64 * 1024, inner),
            decoder: encoding.new_decoder_with_bom_removal(),
            out: Vec::with_capacity(128 * 1024),
            at: 0,
            after_return: false,
            last: b'\n',
            done: false,
        }
    }
}

impl<R> Utf8Reader<R> {
    fn even_breaks(&mut self) {
        if !self.after_return && !self.out.contains(&b'\r') {
            return;
        }
        let mut after = self.after_return;
        self.out.retain_mut(|byte| {
            let same = after && *byte == b'\n';
            after = *byte == b'\r';
            if after {
                *byte = b'\n';
            }
            !same
        });
        self.after_return = after;
    }
}

impl<R: Read> Read for Utf8Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.out.len() && !self.done {
            let bytes = self.inner.fill_buf()?;
            let last = bytes.is_empty();
            self.out.resize(128 * 1024, 0);
            let (result, read, written, _) =
                self.decoder.decode_to_utf8(bytes, &mut self.out, last);
            self.out.truncate(written);
            self.at = 0;
            self.inner.consume(read);
            self.even_breaks();
            self.done = last && result == CoderResult::InputEmpty;
            self.last = self.out.last().copied().unwrap_or(self.last);
            if self.done && self.last != b'\n' {
                self.out.push(b'\n');
            }
        }
        let size = buffer.len().min(self.out.len() - self.at);
        buffer[..size].copy_from_slice(&self.out[self.at..self.at + size]);
        self.at += size;
        Ok(size)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use encoding_rs::WINDOWS_1252;

    fn read(bytes: &[u8]) -> (String, Look) {
        let look = look(&mut io::Cursor::new(bytes)).unwrap();
        let mut text = String::new();
        Utf8Reader::new(bytes, look.encoding)
            .read_to_string(&mut text)
            .unwrap();
        (text, look)
    }

    #[test]
    fn each_encoding_is_told_from_the_others() {
        let text = "Date;Début;Œuvre « à 5 € »\n";
        let (windows, ..) = WINDOWS_1252.encode(text);
        let utf16 = |big: bool| -> Vec<u8> {
            text.encode_utf16()
                .flat_map(|unit| {
                    if big {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                })
                .collect()
        };
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
            windows.into_owned(),
            [b"\xFF\xFE".to_vec(), utf16(false)].concat(),
            [b"\xFE\xFF".to_vec(), utf16(true)].concat(),
            utf16(false),
            utf16(true),
        ] {
            let (read, look) = read(&bytes);
            assert_eq!(read, text, "{look:?}");
            assert!(look.ended && !look.cut && !look.binary && !look.blank);
        }
    }

    #[test]
    fn a_short_windows_text_is_not_taken_for_another_alphabet() {
        let (bytes, ..) = WINDOWS_1252.encode("Date;Titre\n02/01/2027;Fête\n");
        assert_eq!(read(&bytes).0, "Date;Titre\n02/01/2027;Fête\n");
    }

    #[test]
    fn a_text_cut_inside_a_character_is_seen_and_not_taken_for_another_encoding() {
        let text = "Date;Titre\n02/01/2027;Réunion à midi é";
        let cut = &text.as_bytes()[..text.len() - 1];
        let (_, look) = read(cut);
        assert_eq!((look.encoding, look.cut), (UTF_8, true));
    }

    #[test]
    fn one_stray_byte_does_not_spoil_the_accents_of_all() {
        let mut bytes = "éàç ".repeat(40).into_bytes();
        bytes.insert(8, 0xFF);
        assert_eq!(read(&bytes).1.encoding, UTF_8);
    }

    #[test]
    fn bytes_that_are_no_text_and_nothing_at_all_are_seen() {
        assert!(read(b"\x7fELF\0\0\x01\x02\0\0").1.binary);
        let pasted = format!(
            "Date;Titre\n02/01/2027;Fête\0{}\n",
            " du quartier".repeat(9)
        );
        assert!(!read(pasted.as_bytes()).1.binary);
        assert!(read(b"").1.blank);
        assert!(read(b"\xEF\xBB\xBF\r\n \n").1.blank);
    }
}
