//! What the benches write.

/// Bytes that pack about as well as our commits do.
pub(crate) fn text(size: usize) -> Vec<u8> {
    let mut word = 7_u32;
    let mut bytes = Vec::with_capacity(size + 40);
    while bytes.len() < size {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.extend_from_slice(
            format!("\"title\":\"{word:x}\",\"room\":\"{:x}\",", word >> 20).as_bytes(),
        );
    }
    bytes.truncate(size);
    bytes
}
