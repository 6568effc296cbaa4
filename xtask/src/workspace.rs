//! The workspace as `cargo metadata` tells it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The root of the checkout. Asked of `cargo run` and not of the compiler: checkouts that share a
/// build folder share this program as well.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let here = std::env::var_os("CARGO_MANIFEST_DIR")
            .unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let mut root = PathBuf::from(here);
        root.pop();
        root
    });
    &ROOT
}

/// `cargo`, in the root of the checkout.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// One crate of the workspace.
pub(crate) struct Member {
    /// Its name.
    pub(crate) name: String,
    /// Its folder, relative to the root.
    pub(crate) folder: PathBuf,
    /// The members it depends on.
    pub(crate) needs: Vec<Need>,
}

/// A member that another depends on.
pub(crate) struct Need {
    /// Its name.
    pub(crate) name: String,
    /// Whether only tests and examples need it.
    pub(crate) for_tests: bool,
}

/// The members of the workspace, by name.
pub(crate) fn members() -> Result<Vec<Member>> {
    let output = cargo()
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .context("cannot start cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let text = |value: &Value, key: &str| -> Result<String> {
        Ok(value[key]
            .as_str()
            .with_context(|| format!("cargo metadata without {key}"))?
            .to_owned())
    };
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let mut members = Vec::new();
    for package in list(&metadata, "packages") {
        let manifest = PathBuf::from(text(&package, "manifest_path")?);
        let folder = manifest
            .parent()
            .and_then(|folder| folder.strip_prefix(root()).ok())
            .context("a member outside the checkout")?
            .to_owned();
        let mut needs = Vec::new();
        for dependency in list(&package, "dependencies") {
            if dependency["path"].is_string() {
                needs.push(Need {
                    name: text(&dependency, "name")?,
                    for_tests: dependency["kind"] == "dev",
                });
            }
        }
        members.push(Member {
            name: text(&package, "name")?,
            folder,
            needs,
        });
    }
    members.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(members)
}
