//! Files and tests that `docs/security.md` names, which must be there.

use anyhow::{Context, Result};

use crate::workspace::root;

const PAGE: &str = "docs/security.md";

/// What is named and is not there.
pub(crate) fn missing() -> Result<Vec<String>> {
    let page = std::fs::read_to_string(root().join(PAGE))
        .with_context(|| format!("cannot read {PAGE}"))?;
    let mut faults = Vec::new();
    for cited in page.split('`').skip(1).step_by(2).filter(|it| is_path(it)) {
        let (file, test) = match cited.split_once("::") {
            Some((file, test)) => (file, Some(test)),
            None => (cited, None),
        };
        let path = root().join(file);
        let is_there = match test {
            None => path.exists(),
            Some(test) => std::fs::read_to_string(path)
                .is_ok_and(|text| text.contains(&format!("fn {test}("))),
        };
        if !is_there {
            faults.push(format!("{PAGE}: there is no {cited}"));
        }
    }
    Ok(faults)
}

/// Whether something between back ticks names a file of ours: a folder, a slash, no space.
fn is_path(cited: &str) -> bool {
    let mut parts = cited.split('/');
    let first = parts.next().unwrap_or_default();
    parts.next().is_some() && root().join(first).is_dir() && !first.is_empty()
}
