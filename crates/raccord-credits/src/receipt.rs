//! Receipts: what an entry says, signed, with the way to the month's root once the month is over.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::chain::Chain;
use crate::merkle::{leaf, proves};

/// What a receipt begins with.
const MARK: &str = "RACCORD1";
/// What is signed begins with this, so that no signature of ours says anything else.
const PURPOSE: &[u8] = b"raccord receipt v1\n";
/// The longest receipt that is read.
const LONGEST: usize = 8_192;

/// The place's own key.
pub struct Signer(SigningKey);

impl Signer {
    /// The key made of 32 random bytes, which must be kept secret.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// What anybody checks its receipts with, in base64url.
    pub fn public(&self) -> String {
        BASE64.encode(self.0.verifying_key().to_bytes())
    }

    /// The receipt of an entry with this content.
    pub fn sign(&self, content: Vec<u8>, proof: Option<Proof>) -> Receipt {
        let signature = self.0.sign(&signed(&content)).to_bytes();
        Receipt {
            content,
            signature,
            proof,
        }
    }
}

fn signed(content: &[u8]) -> Vec<u8> {
    [PURPOSE, content].concat()
}

/// The public key in base64url.
///
/// # Errors
/// When it is none.
pub fn public_key(text: &str) -> Result<VerifyingKey, ReceiptError> {
    let bytes = BASE64.decode(text.trim()).map_err(|_| ReceiptError::Key)?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| ReceiptError::Key)?;
    VerifyingKey::from_bytes(&bytes).map_err(|_| ReceiptError::Key)
}

/// A root as it is printed: its first 80 bits, in five groups.
pub fn short(root: Chain) -> String {
    let hex = root.to_string();
    let groups: Vec<&str> = (0..5).map(|group| &hex[group * 4..group * 4 + 4]).collect();
    groups.join(" ")
}

/// The receipt of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What the entry says ([`crate::content`]).
    pub content: Vec<u8>,
    signature: [u8; 64],
    /// The way to the month's root; nothing before the month is over.
    pub proof: Option<Proof>,
}

/// The way from an entry to the root of its month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Which entry of the month it is, from 0.
    pub index: u64,
    /// How many entries the month has.
    pub size: u64,
    /// What stands beside, from the bottom up.
    pub path: Vec<Chain>,
}

/// What is wrong with a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// It is no receipt.
    #[error("this is no receipt")]
    Form,
    /// The key is none.
    #[error("this is no key")]
    Key,
    /// It was not signed with this key, or changed since.
    #[error("the signature is not this place's, or the receipt was changed")]
    Signature,
    /// Its month is not over.
    #[error("the month is not over: no root is printed yet")]
    Open,
    /// It is not in the ledger that the printed root was made of.
    #[error("the printed root belongs to a ledger without this entry")]
    Root,
}

impl Receipt {
    /// What the QR code holds.
    pub fn encode(&self) -> String {
        let (content, signature) = (BASE64.encode(&self.content), BASE64.encode(self.signature));
        let text = format!("{MARK}.{content}.{signature}");
        if let Some(Proof { index, size, path }) = &self.proof {
            let path: Vec<u8> = path.iter().flat_map(|beside| beside.0).collect();
            return format!("{text}.{index}.{size}.{}", BASE64.encode(path));
        }
        text
    }

    /// Reads what a QR code holds.
    ///
    /// # Errors
    /// When it is no receipt.
    pub fn decode(text: &str) -> Result<Self, ReceiptError> {
        let text = text.trim();
        let parts: Vec<&str> = text.split('.').collect();
        let bytes = |part: &str| BASE64.decode(part).map_err(|_| ReceiptError::Form);
        if text.len() > LONGEST || parts[0] != MARK || !matches!(parts.len(), 3 | 6) {
            return Err(ReceiptError::Form);
        }
        let proof = match parts[3..] {
            [index, size, path] => {
                let number = |part: &str| part.parse().map_err(|_| ReceiptError::Form);
                let path = bytes(path)?;
                let (beside, rest) = path.as_chunks::<32>();
                if !rest.is_empty() {
                    return Err(ReceiptError::Form);
                }
                Some(Proof {
                    index: number(index)?,
                    size: number(size)?,
                    path: beside.iter().copied().map(Chain).collect(),
                })
            }
            _ => None,
        };
        Ok(Self {
            content: bytes(parts[1])?,
            signature: bytes(parts[2])?
                .try_into()
                .map_err(|_| ReceiptError::Form)?,
            proof,
        })
    }

    /// Whether the place with this key signed it.
    ///
    /// # Errors
    /// When it did not, or it was changed.
    pub fn check(&self, key: &VerifyingKey) -> Result<(), ReceiptError> {
        let signature = Signature::from_bytes(&self.signature);
        key.verify_strict(&signed(&self.content), &signature)
            .map_err(|_| ReceiptError::Signature)
    }

    /// Whether it stands in the ledger whose root is printed, given as [`short`] or in full.
    ///
    /// # Errors
    /// When the month is not over, or the root is another.
    pub fn check_root(&self, printed: &str) -> Result<(), ReceiptError> {
        let proof = self.proof.as_ref().ok_or(ReceiptError::Open)?;
        let root = proves(leaf(&self.content), proof.index, proof.size, &proof.path);
        let root = root.ok_or(ReceiptError::Root)?.to_string();
        let printed: String = printed.split_whitespace().collect();
        let printed = printed.to_ascii_lowercase();
        // Fewer digits than are printed prove nothing.
        if printed.len() >= 20 && root.starts_with(&printed) {
            Ok(())
        } else {
            Err(ReceiptError::Root)
        }
    }
}
