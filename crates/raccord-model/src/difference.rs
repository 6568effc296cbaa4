//! Something that a tool holds otherwise than it was sent.

use crate::{EntityId, Words};

/// Something that a tool holds otherwise than it was sent, found when both were compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What, without personal values.
    pub text: Words,
    /// The entity that the tool confirmed and does not hold: it can be sent once more. Whatever else
    /// differs, a person corrects there.
    pub lacks: Option<EntityId>,
}
