//! Servers of this machine that are not ours: where they are installed, and one call to one of them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What `cargo xtask` installed in the cache folder, if it did.
pub(crate) fn installed(path: &str) -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let cache = set("RACCORD_CACHE")
        .map(PathBuf::from)
        .or_else(|| set("XDG_CACHE_HOME").map(|base| PathBuf::from(base).join("raccord")))
        .or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".cache/raccord")));
    cache
        .map(|cache| cache.join(path))
        .filter(|path| path.is_file())
}

/// The Python of environment `name`, as `cargo xtask VERB` installed it.
///
/// # Errors
/// When it is not installed.
pub fn python(name: &str, verb: &str) -> Result<PathBuf> {
    installed(&format!("{name}/bin/python"))
        .with_context(|| format!("a server is not installed: run `cargo xtask {verb}` first"))
}

/// One call on a connection of its own; gives the status and the body.
///
/// # Errors
/// When nobody answers.
pub fn call(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<(u16, Vec<u8>)> {
    let (status, _, body) = exchange(port, method, path, headers, body)?;
    Ok((status, body))
}

/// The same; gives the headers too, as they came.
///
/// # Errors
/// When nobody answers.
pub fn exchange(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<(u16, String, Vec<u8>)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    head.extend(
        headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n")),
    );
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .context("no answer")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    let rest = answer[end + 4..].to_vec();
    let chunked = head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked");
    Ok((status, head, if chunked { joined(&rest) } else { rest }))
}

/// The chunks of a body, put together.
fn joined(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = body;
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).unwrap_or_default();
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        let Some(chunk) = rest.get(end + 2..end + 2 + size).filter(|_| size > 0) else {
            break;
        };
        out.extend_from_slice(chunk);
        rest = rest.get(end + 2 + size + 2..).unwrap_or_default();
    }
    out
}
