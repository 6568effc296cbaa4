//! A WordPress and a MediaWiki that are not ours, and somebody of the site who edits what they hold.

mod torture;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use serde_json::Value;
use tempfile::TempDir;

use crate::wire;

pub use torture::{Kind, Report, run as torture};

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);
/// The password that every account of the wiki has.
// raccord:secret
pub const BOT: &str = "abcdefghijklmnopqrstuv0123456789";

/// A program at work; it is killed when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Where `cargo xtask sites` unpacked everything.
fn home() -> Result<PathBuf> {
    let made = wire::installed("sites/made");
    let made = made.context("no site is installed: run `cargo xtask sites` first")?;
    Ok(made.parent().context("it stands in a folder")?.to_owned())
}

/// Lets a program find the libraries that were unpacked beside it.
fn at_home(command: &mut Command, home: &Path) {
    let arch = format!("{}-linux-gnu", std::env::consts::ARCH);
    let root = home.join("root");
    let folders = [
        root.join("usr/lib").join(&arch),
        root.join("lib").join(&arch),
    ];
    let folders: Vec<String> = folders
        .iter()
        .map(|one| one.display().to_string())
        .collect();
    command.env("LD_LIBRARY_PATH", folders.join(":"));
}

/// PHP's own web server for the folder `site` of what was unpacked.
fn serve(home: &Path, site: &str, port: u16, environment: &[(&str, &Path)]) -> Result<Running> {
    let root = home.join("root");
    let mut php = Command::new(root.join("usr/bin/php8.2"));
    php.arg("-c")
        .arg(root.join("php.ini"))
        .args(["-S", &format!("127.0.0.1:{port}"), "-t"])
        .arg(root.join("usr/share").join(site))
        .env("PHP_INI_SCAN_DIR", "")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    at_home(&mut php, home);
    Ok(Running(php.spawn().context("PHP does not start")?))
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn wait(what: &str, mut there: impl FnMut() -> bool) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    while !there() {
        ensure!(Instant::now() < until, "{what} does not start");
        std::thread::park_timeout(Duration::from_millis(30));
    }
    Ok(())
}

fn copied(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let (entry, path) = entry.map(|entry| (entry.file_name(), entry.path()))?;
        if path.is_dir() {
            copied(&path, &to.join(entry))?;
        } else {
            std::fs::copy(&path, to.join(entry))?;
        }
    }
    Ok(())
}

/// A WordPress, with Raccord's account (an Author), Anna's (an Editor) and Chloé's (a Contributor).
pub struct WordPress {
    // The site ends before its database.
    site: Running,
    database: Running,
    port: u16,
    passwords: Value,
    _folder: TempDir,
}

impl WordPress {
    /// Starts one on a free port, as it was installed, and waits until it answers.
    ///
    /// # Errors
    /// When it is not unpacked, or does not start.
    pub fn start() -> Result<Self> {
        let home = home()?;
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        copied(&home.join("wordpress"), &data)?;
        let socket = folder.path().join("socket");
        let root = home.join("root");
        let path = |name: &str, path: &Path| format!("--{name}={}", path.display());
        let mut server = Command::new(root.join("usr/sbin/mariadbd"));
        server
            .arg("--no-defaults")
            .arg(path("basedir", &root.join("usr")))
            .arg(path("lc-messages-dir", &root.join("usr/share/mysql")))
            .arg(path("datadir", &data))
            .arg(path("socket", &socket))
            .arg(path("pid-file", &data.join("pid")))
            .args(["--user=root", "--skip-grant-tables", "--skip-networking"])
            .args(["--innodb-log-file-size=4M", "--innodb-buffer-pool-size=16M"])
            .arg("--innodb-data-file-path=ibdata1:4M:autoextend")
            .arg("--innodb-temp-data-file-path=ibtmp1:4M:autoextend")
            .arg("--innodb-flush-log-at-trx-commit=0")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        at_home(&mut server, &home);
        let database = Running(server.spawn().context("MariaDB does not start")?);
        wait("MariaDB", || socket.exists())?;
        let port = free_port()?;
        let site = serve(&home, "wordpress", port, &[("RACCORD_SOCKET", &socket)])?;
        let passwords = std::fs::read(home.join("wordpress.json"))?;
        let started = Self {
            site,
            database,
            port,
            passwords: serde_json::from_slice(&passwords)?,
            _folder: folder,
        };
        wait("WordPress", || {
            started
                .ask("raccord", "GET", "users/me", &Value::Null)
                .is_ok()
        })?;
        Ok(started)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// The application password of an account.
    pub fn password(&self, user: &str) -> &str {
        self.passwords[user].as_str().unwrap_or_default()
    }

    /// Whether both halves of it run.
    ///
    /// # Errors
    /// When the machine cannot tell.
    pub fn runs(&mut self) -> Result<bool> {
        Ok(self.site.0.try_wait()?.is_none() && self.database.0.try_wait()?.is_none())
    }

    /// A request of somebody, below `wp/v2/`; gives the status and what was said.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn ask(&self, user: &str, method: &str, route: &str, body: &Value) -> Result<(u16, Value)> {
        let (route, query) = route.split_once('?').unwrap_or((route, ""));
        let path = format!("/?rest_route=/wp/v2/{route}&{query}");
        let pair = format!("{user}:{}", self.password(user));
        let basic = base64::engine::general_purpose::STANDARD.encode(pair);
        let basic = format!("Basic {basic}");
        let headers = [
            ("Content-Type", "application/json"),
            ("Authorization", &*basic),
        ];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let (status, said) = wire::call(self.port, method, &path, &headers, body.as_bytes())?;
        Ok((status, serde_json::from_slice(&said).unwrap_or_default()))
    }

    /// The posts of Raccord's account that are not in the trash, as its editor sees them.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn posts(&self) -> Result<Vec<Value>> {
        let me = self.ask("raccord", "GET", "users/me", &Value::Null)?.1["id"].clone();
        let route = format!(
            "posts?author={me}&context=edit&status=publish,draft,pending,private&per_page=100&orderby=id&order=asc"
        );
        let (status, posts) = self.ask("raccord", "GET", &route, &Value::Null)?;
        ensure!(status == 200, "the posts are not listed: {status} {posts}");
        Ok(posts.as_array().cloned().unwrap_or_default())
    }
}

/// A MediaWiki, with the accounts `Raccord` and `Anna`, each with a bot password.
pub struct MediaWiki {
    _site: Running,
    port: u16,
    _folder: TempDir,
}

impl MediaWiki {
    /// Starts one on a free port, as it was installed, and waits until it answers.
    ///
    /// # Errors
    /// When it is not unpacked, or does not start.
    pub fn start() -> Result<Self> {
        let home = home()?;
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        copied(&home.join("mediawiki"), &data)?;
        let port = free_port()?;
        let settings = home.join("LocalSettings.php");
        let environment = [("RACCORD_WIKI", &*data), ("MW_CONFIG_FILE", &*settings)];
        let site = serve(&home, "mediawiki", port, &environment)?;
        let started = Self {
            _site: site,
            port,
            _folder: folder,
        };
        wait("MediaWiki", || {
            let asked = wire::call(port, "GET", "/api.php?action=query&format=json", &[], b"");
            asked.is_ok_and(|(status, _)| status == 200)
        })?;
        Ok(started)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// The port it answers on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What a page says, and its revision; nothing where there is none.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn page(&self, title: &str) -> Result<Option<(String, u64)>> {
        let title: String = url::form_urlencoded::byte_serialize(title.as_bytes()).collect();
        let path = format!(
            "/api.php?action=query&prop=revisions&rvprop=ids%7Ccontent&rvslots=main&format=json&formatversion=2&titles={title}"
        );
        let (status, said) = wire::call(self.port, "GET", &path, &[], b"")?;
        ensure!(status == 200, "the page is not shown: {status}");
        let said: Value = serde_json::from_slice(&said)?;
        let revision = &said["query"]["pages"][0]["revisions"][0];
        let text = revision["slots"]["main"]["content"].as_str();
        Ok(text.map(|text| {
            (
                text.to_owned(),
                revision["revid"].as_u64().unwrap_or_default(),
            )
        }))
    }
}
