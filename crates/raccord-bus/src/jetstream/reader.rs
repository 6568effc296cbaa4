//! Reading a log beside its writer: no term is taken, nothing is written.

use std::path::Path;

use raccord_model::PlaceId;

use super::JetstreamReader;
use super::error::ClusterError;
use super::link::Jetstream;
use super::opening::Past;
use super::shared::Core;
use crate::{Head, LogError};

impl JetstreamReader {
    /// Opens the log of `place` for reading. The copy in `folder` is used and kept up, unless its
    /// writer runs on this machine: then, as without a folder, the copy goes with this handle.
    ///
    /// # Errors
    /// [`ClusterError::Missing`] where there is no log, and as the cluster refuses.
    pub fn open(
        link: &Jetstream,
        folder: Option<&Path>,
        place: &PlaceId,
    ) -> Result<Self, LogError> {
        let opened = match Core::open(link, folder, place) {
            Err(LogError::Locked { .. }) => Core::open(link, None, place),
            outcome => outcome,
        };
        let (core, past) = opened?;
        if core.is_new() {
            return Err(ClusterError::Missing {
                place: place.to_string(),
            }
            .into());
        }
        Ok(Self {
            core,
            went_back: past == Past::WentBack,
        })
    }

    pub(super) fn read_on(&mut self) -> Result<Head, LogError> {
        let (record, at) = super::opening::read_record(&self.core.link, &self.core.place)?;
        (self.core.record, self.core.record_at) = (record, at);
        self.core.catch_up()?;
        self.core.drop_values();
        Ok(self.core.fold.head())
    }

    /// Closes files and lets go of what can be read again.
    pub fn rest(&mut self) {
        self.core.rest();
    }
}
