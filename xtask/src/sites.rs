//! The sites that tests talk to: Debian's WordPress on Debian's MariaDB, and Debian's MediaWiki on
//! SQLite, with Debian's PHP. Everything is unpacked in the cache folder and nothing is installed; a
//! test starts them on a copy of the databases made here, behind a free port of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::servers::{emptied, unpacked};
use crate::step::status;

/// What is unpacked: the two programs, PHP with what they need of it, the database, and the libraries
/// of these that not every machine has.
const PACKAGES: [&str; 23] = [
    "wordpress",
    "mediawiki",
    "mediawiki-classes",
    "php8.2-cli",
    "php8.2-common",
    "php8.2-intl",
    "php8.2-mbstring",
    "php8.2-mysql",
    "php8.2-sqlite3",
    "php8.2-xml",
    "php-getid3",
    "mariadb-server-core",
    "libaio1",
    "libargon2-1",
    "libedit2",
    "libicu72",
    "libnuma1",
    "libonig5",
    "libsodium23",
    "libsqlite3-0",
    "liburing2",
    "libxml2",
    "libxslt1.1",
];
const WP_CONFIG: &str = include_str!("../sites/wp-config.php");
const WP_INSTALL: &str = include_str!("../sites/wordpress.php");
const WIKI_SETTINGS: &str = include_str!("../sites/LocalSettings.php");
/// The form a bot password must have: 32 characters of base 32.
// raccord:secret
const BOT: &str = "abcdefghijklmnopqrstuv0123456789";
/// How long the database may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn run() -> Result<()> {
    let home = crate::cache::folder()?.join("sites");
    let recipe = format!("{PACKAGES:?}{WP_CONFIG}{WP_INSTALL}{WIKI_SETTINGS}");
    let stamp = home.join("made");
    if !std::fs::read_to_string(&stamp).is_ok_and(|made| made == recipe) {
        emptied(home.clone())?;
        let root = home.join("root");
        let scratch = emptied(home.join("debian"))?;
        unpacked(&PACKAGES, &scratch, &root)?;
        std::fs::remove_dir_all(&scratch)?;
        let php = Php::unpacked(&root)?;
        wordpress(&home, &php)?;
        mediawiki(&home, &php)?;
        std::fs::write(&stamp, recipe)?;
    }
    println!("{}: WordPress and MediaWiki", home.display());
    Ok(())
}

/// PHP as it was unpacked.
struct Php {
    root: PathBuf,
    program: PathBuf,
    ini: PathBuf,
}

impl Php {
    /// Writes the settings by which it finds its own parts.
    fn unpacked(root: &Path) -> Result<Self> {
        let folder = root.join("usr/lib/php/20220829");
        let mut parts: Vec<String> = std::fs::read_dir(&folder)
            .with_context(|| format!("PHP has no parts in {}", folder.display()))?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| {
                let part = Path::new(name).extension().is_some_and(|end| end == "so");
                part && !name.starts_with("opcache")
            })
            .collect();
        // Those that others stand on come first.
        let late = |name: &str| match name {
            "mysqlnd.so" | "dom.so" | "pdo.so" | "xml.so" => 0,
            _ => 1,
        };
        parts.sort_by_key(|name| (late(name), name.clone()));
        let mut ini = format!(
            "extension_dir = \"{}\"\nmemory_limit = 512M\ndisplay_errors = 0\nlog_errors = 0\n",
            folder.display()
        );
        ini.extend(parts.iter().map(|name| format!("extension = {name}\n")));
        let file = root.join("php.ini");
        std::fs::write(&file, ini)?;
        Ok(Self {
            root: root.to_owned(),
            program: root.join("usr/bin/php8.2"),
            ini: file,
        })
    }

    fn command(&self) -> Command {
        let mut php = Command::new(&self.program);
        php.arg("-c").arg(&self.ini).env("PHP_INI_SCAN_DIR", "");
        at_home(&mut php, &self.root);
        php
    }
}

/// Lets a program find the libraries that were unpacked beside it.
fn at_home(command: &mut Command, root: &Path) {
    let arch = format!("{}-linux-gnu", std::env::consts::ARCH);
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

/// A database that is stopped when this is dropped.
struct Database(Child);

impl Drop for Database {
    fn drop(&mut self) {
        // It writes down what it holds once it is asked to end.
        let mut end = Command::new("kill");
        end.arg(self.0.id().to_string());
        drop(status(end));
        drop(self.0.wait());
    }
}

fn wordpress(home: &Path, php: &Php) -> Result<()> {
    let root = &php.root;
    std::fs::write(root.join("usr/share/wordpress/wp-config.php"), WP_CONFIG)?;
    let data = emptied(home.join("wordpress"))?;
    let socket = home.join("socket");
    let mut server = Command::new(root.join("usr/sbin/mariadbd"));
    server
        .arg("--no-defaults")
        .args(options(root, &data, &socket));
    at_home(&mut server, root);
    server.stdout(Stdio::null()).stderr(Stdio::null());
    let database = Database(server.spawn().context("the database does not start")?);
    let until = Instant::now() + PATIENCE;
    while !socket.exists() {
        ensure!(Instant::now() < until, "the database does not start");
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let script = home.join("install.php");
    std::fs::write(&script, WP_INSTALL)?;
    let made = php
        .command()
        .arg(&script)
        .env("RACCORD_SOCKET", &socket)
        .env("RACCORD_ROOT", root)
        .output()?;
    drop(database);
    let said = String::from_utf8_lossy(&made.stdout);
    let passwords = said.lines().last().unwrap_or_default();
    ensure!(
        made.status.success() && passwords.starts_with('{'),
        "WordPress was not installed: {said}"
    );
    Ok(std::fs::write(home.join("wordpress.json"), passwords)?)
}

/// How the database is started: small, without a network and without accounts of its own, for it is
/// reached by its socket only.
fn options(root: &Path, data: &Path, socket: &Path) -> Vec<String> {
    let path = |name: &str, path: &Path| format!("--{name}={}", path.display());
    vec![
        path("basedir", &root.join("usr")),
        path("lc-messages-dir", &root.join("usr/share/mysql")),
        path("datadir", data),
        path("socket", socket),
        path("pid-file", &data.join("pid")),
        "--user=root".to_owned(),
        "--skip-grant-tables".to_owned(),
        "--skip-networking".to_owned(),
        "--innodb-log-file-size=4M".to_owned(),
        "--innodb-buffer-pool-size=16M".to_owned(),
        "--innodb-data-file-path=ibdata1:4M:autoextend".to_owned(),
        "--innodb-temp-data-file-path=ibtmp1:4M:autoextend".to_owned(),
    ]
}

fn mediawiki(home: &Path, php: &Php) -> Result<()> {
    let wiki = php.root.join("usr/share/mediawiki");
    // They lead out of the folder.
    for name in ["LocalSettings.php", "config", "extensions", "images"] {
        std::fs::remove_file(wiki.join(name))?;
    }
    std::fs::create_dir(wiki.join("images"))?;
    let data = emptied(home.join("mediawiki"))?;
    let scripts = wiki.join("maintenance");
    let script = |name: &str| {
        let mut command = php.command();
        command.arg(scripts.join(name)).stdout(Stdio::null());
        command
    };
    let mut install = script("install.php");
    install
        .args(["--dbtype", "sqlite", "--dbname", "wiki", "--dbpath"])
        .arg(&data)
        .arg("--confpath")
        .arg(home)
        .args([
            "--server",
            "http://127.0.0.1",
            "--scriptpath",
            "",
            "--lang",
            "fr",
        ])
        .args(["--pass", BOT, "Lieu", "Admin"]);
    status(install).context("MediaWiki was not installed")?;
    std::fs::write(home.join("LocalSettings.php"), WIKI_SETTINGS)?;
    for name in ["Raccord", "Anna"] {
        let run = |name: &str, arguments: &[&str]| {
            let mut command = script(name);
            command
                .args(arguments)
                .arg("--conf")
                .arg(home.join("LocalSettings.php"))
                .env("RACCORD_WIKI", &data);
            status(command)
        };
        run("createAndPromote.php", &[name, BOT])?;
        let grants = "basic,editpage,createeditmovepage";
        let made = ["--appid", "raccord", "--grants", grants, name, BOT];
        run("createBotPassword.php", &made)?;
    }
    Ok(())
}
