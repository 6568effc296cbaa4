//! The configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use tempfile::TempDir;

/// The folder the file stands in, for as long as the process lives.
static FOLDER: LazyLock<TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a folder for temporary files"));

/// `raccord.toml`: its settings, or every mistake with its place and its mend.
pub fn config(data: &[u8]) {
    // A file of its own for each thread: tests play inputs at the same time.
    let name = format!("{:?}.toml", std::thread::current().id());
    let file: PathBuf = FOLDER.path().join(name);
    std::fs::write(&file, data).expect("the folder is ours");
    if let Err(refused) = raccord::settings::load(&file, &BTreeMap::new()) {
        assert!(!refused.findings.is_empty());
        for finding in &refused.findings {
            assert!(!finding.text.fr.is_empty() && !finding.text.en.is_empty());
            assert!(!finding.mend.fr.is_empty() && !finding.mend.en.is_empty());
        }
    }
}
