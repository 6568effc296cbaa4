//! The folder, outside the checkout, for what is costly to make again: tools built from source,
//! Python packages.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// `$RACCORD_CACHE`, else `$XDG_CACHE_HOME/raccord`, else `~/.cache/raccord`; made if missing.
pub(crate) fn folder() -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let folder = set("RACCORD_CACHE")
        .map(PathBuf::from)
        .or_else(|| set("XDG_CACHE_HOME").map(|base| PathBuf::from(base).join("raccord")))
        .or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".cache/raccord")))
        .context("no cache folder: set RACCORD_CACHE or HOME")?;
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}
