//! A folder shown on the web as any web server does: with marks of its files, for those who ask
//! whether they changed.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;

/// The server; it listens until the process ends.
pub struct Shown {
    shared: Arc<Shared>,
    /// Where it listens.
    pub address: SocketAddr,
}

struct Shared {
    folder: PathBuf,
    instead: Mutex<Option<(&'static str, String)>>,
    whole: AtomicUsize,
    spared: AtomicUsize,
    gone: AtomicBool,
}

impl Shown {
    /// Shows `folder` on a free port.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(folder: &Path) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            instead: Mutex::default(),
            whole: AtomicUsize::default(),
            spared: AtomicUsize::default(),
            gone: AtomicBool::default(),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Who hangs up early has to ask again.
                drop(serving.answer(&stream));
            }
        });
        Ok(Self { shared, address })
    }

    /// The address of a file.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// Answers everybody with this status and text from now on; `None` ends it.
    pub fn instead(&self, answer: Option<(&'static str, &str)>) {
        let mut instead = self
            .shared
            .instead
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *instead = answer.map(|(status, text)| (status, text.to_owned()));
    }

    /// Hangs up on everybody from now on, or no longer.
    pub fn gone(&self, gone: bool) {
        self.shared.gone.store(gone, Ordering::SeqCst);
    }

    /// How many files it sent, and how many times it said that one had not changed.
    pub fn sent(&self) -> (usize, usize) {
        let count = |of: &AtomicUsize| of.load(Ordering::SeqCst);
        (count(&self.shared.whole), count(&self.shared.spared))
    }
}

impl Shared {
    fn answer(&self, stream: &TcpStream) -> std::io::Result<()> {
        if self.gone.load(Ordering::SeqCst) {
            return Ok(());
        }
        let mut lines = BufReader::new(stream).lines();
        let first = lines.next().transpose()?.unwrap_or_default();
        let mut known = String::new();
        for line in lines {
            let line = line?;
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("if-none-match")
            {
                value.trim().clone_into(&mut known);
            }
        }
        let instead = self
            .instead
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let path = first
            .split(' ')
            .nth(1)
            .unwrap_or_default()
            .trim_start_matches('/');
        let (status, body) = match instead {
            Some((status, text)) => (status, text.into_bytes()),
            None => match std::fs::read(self.folder.join(path)) {
                Ok(bytes) if !path.contains("..") => ("200 OK", bytes),
                _ => ("404 Not Found", Vec::new()),
            },
        };
        let mut hash = DefaultHasher::new();
        body.hash(&mut hash);
        let tag = format!("\"{:x}\"", hash.finish());
        let mut stream = stream;
        if status == "200 OK" && known == tag {
            self.spared.fetch_add(1, Ordering::SeqCst);
            return write!(
                stream,
                "HTTP/1.1 304 Not Modified\r\netag: {tag}\r\nconnection: close\r\n\r\n"
            );
        }
        self.whole.fetch_add(1, Ordering::SeqCst);
        write!(
            stream,
            "HTTP/1.1 {status}\r\netag: {tag}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        )?;
        stream.write_all(&body)
    }
}
