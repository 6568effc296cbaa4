//! The root of a month: a Merkle tree over its entries, as RFC 9162 (section 2.1) builds it.

use sha2::{Digest as _, Sha256};

use crate::chain::Chain;

/// The hash of an entry's content.
pub fn leaf(content: &[u8]) -> Chain {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(content);
    Chain(hash.finalize().into())
}

fn node(left: Chain, right: Chain) -> Chain {
    let mut hash = Sha256::new();
    hash.update([1]);
    hash.update(left.0);
    hash.update(right.0);
    Chain(hash.finalize().into())
}

/// The largest power of two below `many`, which is above 1.
fn split(many: usize) -> usize {
    many.next_power_of_two() / 2
}

/// The root over the leaves; nothing where there are none.
pub fn root(leaves: &[Chain]) -> Option<Chain> {
    match leaves {
        [] => None,
        [only] => Some(*only),
        many => {
            let (left, right) = many.split_at(split(many.len()));
            Some(node(root(left)?, root(right)?))
        }
    }
}

/// What leads from the leaf at `index` to the root, from the bottom up. Empty where there is no such
/// leaf, or no other.
pub fn path(leaves: &[Chain], index: usize) -> Vec<Chain> {
    if leaves.len() < 2 || index >= leaves.len() {
        return Vec::new();
    }
    let at = split(leaves.len());
    let (left, right) = leaves.split_at(at);
    let (mut below, beside) = if index < at {
        (path(left, index), root(right))
    } else {
        (path(right, index - at), root(left))
    };
    below.extend(beside);
    below
}

/// The root that `path` leads to from the leaf at `index` of `size` (RFC 9162, section 2.1.3.2);
/// nothing where such a path cannot be.
pub fn proves(leaf: Chain, index: u64, size: u64, path: &[Chain]) -> Option<Chain> {
    if index >= size {
        return None;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    for beside in path {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            hash = node(*beside, hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(hash, *beside);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}
