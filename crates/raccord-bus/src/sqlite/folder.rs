//! Where a log may lie: on a disk of this machine, and where no other program copies it while it is
//! written.
//!
//! Refuses network file systems (their locks and their shared memory lie) and folders that a
//! synchronisation program watches; there is no way around it, for the damage shows only months
//! later.

use std::ffi::OsStr;
use std::path::Path;

use super::open::io;
use crate::LogError;

/// File systems that lie on another machine, by the number the kernel gives them.
const NETWORK: &[(u64, &str)] = &[
    (0x6969, "NFS"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB"),
    (0x517B, "SMB"),
    (0x0102_1997, "9p"),
    (0x564C, "NCP"),
    (0x5346_414F, "AFS"),
    (0x6B41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x00C3_6400, "Ceph"),
    (0x0BD0_0BD0, "Lustre"),
    (0x0116_1970, "GFS2"),
    (0x7461_636F, "OCFS2"),
    (0x1983_0326, "BeeGFS"),
];

/// File systems of programs: what they are is only known by name.
const FUSE: u64 = 0x6573_5546;

/// The ones of them whose files lie on this machine.
const LOCAL_FUSE: &[&str] = &[
    "fuseblk",
    "virtiofs",
    "fuse.fuse-overlayfs",
    "fuse.gocryptfs",
    "fuse.encfs",
    "fuse.cryfs",
    "fuse.bindfs",
];

/// Folders named so are made by synchronisation programs.
const NAMES: &[(&str, &str)] = &[
    ("Nextcloud", "Nextcloud"),
    ("ownCloud", "ownCloud"),
    ("Dropbox", "Dropbox"),
    ("OneDrive", "OneDrive"),
    ("Google Drive", "Google Drive"),
    ("GoogleDrive", "Google Drive"),
    ("kDrive", "kDrive"),
    ("Seafile", "Seafile"),
    ("pCloudDrive", "pCloud"),
    ("MEGA", "MEGA"),
    ("MEGAsync", "MEGA"),
    ("Syncthing", "Syncthing"),
];

/// Checks that `folder` (made, and without symbolic links) may hold a log.
pub(super) fn check(folder: &Path) -> Result<(), LogError> {
    let stat = rustix::fs::statfs(folder).map_err(|errno| io("look at", folder, errno.into()))?;
    // The width of this number differs by machine; its value is 32 bits everywhere.
    let magic = u64::from(stat.f_type as u32);
    let mounts = if magic == FUSE {
        std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default()
    } else {
        String::new()
    };
    if let Some(kind) = network(magic, folder, &mounts) {
        return Err(LogError::NetworkFolder {
            folder: folder.to_owned(),
            kind,
        });
    }
    if let Some(by) = folder.ancestors().find_map(synchronised) {
        return Err(LogError::SyncedFolder {
            folder: folder.to_owned(),
            by,
        });
    }
    Ok(())
}

/// The name of the network file system `folder` lies on, if it does.
fn network(magic: u64, folder: &Path, mounts: &str) -> Option<String> {
    if let Some((_, name)) = NETWORK.iter().find(|(number, _)| *number == magic) {
        return Some((*name).to_owned());
    }
    if magic != FUSE {
        return None;
    }
    let kind = mounted(folder, mounts).unwrap_or_else(|| "fuse".to_owned());
    (!LOCAL_FUSE.contains(&kind.as_str())).then_some(kind)
}

/// The kind of the mount that `folder` lies on, from `/proc/self/mountinfo`.
fn mounted(folder: &Path, mounts: &str) -> Option<String> {
    mounts
        .lines()
        .filter_map(|line| {
            let (mount, kind) = line.split_once(" - ")?;
            let point = unescape(mount.split(' ').nth(4)?);
            let kind = kind.split(' ').next()?;
            folder
                .starts_with(&point)
                .then(|| (point.len(), kind.to_owned()))
        })
        // Of two mounts on the same point the later one is seen.
        .max_by_key(|(length, _)| *length)
        .map(|(_, kind)| kind)
}

/// Undoes the kernel's `\040` for a space.
fn unescape(text: &str) -> String {
    [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The program that synchronises `folder`, by its name or a mark in it.
fn synchronised(folder: &Path) -> Option<String> {
    if let Some(name) = folder.file_name().and_then(OsStr::to_str) {
        if let Some((_, by)) = NAMES.iter().find(|(known, _)| *known == name) {
            return Some((*by).to_owned());
        }
        if name.starts_with("OneDrive - ") {
            return Some("OneDrive".to_owned());
        }
    }
    // A folder that may not be listed is not one that its owner synchronises.
    std::fs::read_dir(folder)
        .ok()?
        .filter_map(Result::ok)
        .find_map(|entry| {
            let name = entry.file_name();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            mark(name.to_str()?, is_folder).map(|by| format!("{by}, {}", name.to_string_lossy()))
        })
}

/// Whose mark a file or folder is.
fn mark(name: &str, is_folder: bool) -> Option<&'static str> {
    let journal = (name.starts_with(".sync_") || name.starts_with("._sync_"))
        && Path::new(name).extension() == Some(OsStr::new("db"));
    match name {
        ".stfolder" | ".stversions" | ".stignore" => Some("Syncthing"),
        // `~/.dropbox`, a folder, holds the program's settings and says nothing of the home.
        ".dropbox" if !is_folder => Some("Dropbox"),
        ".dropbox.cache" => Some("Dropbox"),
        ".nextcloudsync.log" => Some("Nextcloud"),
        ".owncloudsync.log" | ".csync_journal.db" => Some("ownCloud"),
        ".megaignore" => Some("MEGA"),
        ".insync-trash" => Some("Insync"),
        _ if journal => Some("Nextcloud / ownCloud"),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
40 22 0:40 / /mnt/far\\040away rw - fuse.sshfs me@far: rw
41 22 0:41 / /mnt/far\\040away/vault rw - fuse.gocryptfs /x rw
";

    #[test]
    fn network_file_systems_are_known_by_number_or_by_name() {
        let on = |magic, folder: &str| network(magic, Path::new(folder), MOUNTS);
        assert_eq!(on(0x6969, "/srv").as_deref(), Some("NFS"));
        assert_eq!(on(0xEF53, "/srv"), None);
        assert_eq!(
            on(FUSE, "/mnt/far away/data").as_deref(),
            Some("fuse.sshfs")
        );
        assert_eq!(on(FUSE, "/mnt/far away/vault/data"), None);
        assert_eq!(network(FUSE, Path::new("/x"), "").as_deref(), Some("fuse"));
    }

    #[test]
    fn marks_of_synchronisation_are_known_and_settings_in_the_home_are_not_one() {
        assert_eq!(mark(".sync_5f1a.db", false), Some("Nextcloud / ownCloud"));
        assert_eq!(mark("._sync_5f1a.db", false), Some("Nextcloud / ownCloud"));
        assert_eq!(mark(".stfolder", true), Some("Syncthing"));
        assert_eq!(mark(".dropbox", false), Some("Dropbox"));
        assert_eq!(mark(".dropbox", true), None);
        assert_eq!(mark("programme.ods", false), None);
    }

    #[test]
    fn a_folder_below_a_synchronised_one_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("asso/raccord/data");
        std::fs::create_dir_all(&data).unwrap();
        assert!(check(&data).is_ok());
        std::fs::create_dir(home.path().join("asso/.stfolder")).unwrap();
        assert!(matches!(check(&data), Err(LogError::SyncedFolder { .. })));
        let data = home.path().join("OneDrive - Asso/data");
        std::fs::create_dir_all(&data).unwrap();
        assert!(matches!(check(&data), Err(LogError::SyncedFolder { .. })));
    }
}
