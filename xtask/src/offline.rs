//! The tests of the connectors and of the kit where there is no network at all: in a namespace
//! with nothing but its own loopback. It needs the right to make one (root, or user namespaces).

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::step::status;
use crate::workspace::{cargo, members, root};

pub(crate) fn run() -> Result<()> {
    let mut packages = vec!["raccord-kit".to_owned()];
    packages.extend(
        members()?
            .into_iter()
            .map(|member| member.name)
            .filter(|name| name.starts_with("raccord-connector-")),
    );
    let chosen = packages.iter().flat_map(|name| ["--package", name]);
    let mut build = cargo();
    build.args(["test", "--quiet", "--locked", "--no-run"]);
    status({
        build.args(chosen.clone());
        build
    })?;
    let mut test = Command::new("unshare");
    test.args(["--map-root-user", "--net", "sh", "-c"])
        .arg("ip link set lo up && exec \"$@\"")
        .arg("offline")
        .arg(cargo().get_program())
        .args(["test", "--quiet", "--locked", "--offline"])
        .args(chosen)
        .current_dir(root());
    let ended = test.status().context("cannot start unshare (util-linux)")?;
    ensure!(
        ended.success(),
        "the tests without a network ended with {ended}"
    );
    println!("{} crates tested without a network", packages.len());
    Ok(())
}
