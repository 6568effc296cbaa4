//! Simpler methods on the same readings: row number, row hash, and one in the manner of daff.
//!
//! None of them asks, and none waits for a second look; they are spared the accidents that the
//! guard is there for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use raccord_model::{Digest, Fields, Reading};

/// A method that names lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// A line is its tab and number.
    RowNumber,
    /// A line is its content.
    RowHash,
    /// Key columns guessed, then alignment in order by likeness.
    DaffLike,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::RowNumber, Self::RowHash, Self::DaffLike];

    /// What it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::RowNumber => "row number",
            Self::RowHash => "row hash",
            Self::DaffLike => "daff-like",
        }
    }
}

struct Known {
    name: u64,
    place: (u16, u32),
    digest: Digest,
    fields: Fields,
}

/// A method at work on one history.
pub struct Baseline {
    method: Method,
    known: Vec<Known>,
    next: u64,
}

impl Baseline {
    /// Before the first reading.
    pub fn new(method: Method) -> Self {
        Self {
            method,
            known: Vec::new(),
            next: 0,
        }
    }

    /// Names the lines of a reading, in their order.
    pub fn read(&mut self, reading: &Reading) -> Vec<u64> {
        let lines: Vec<Fields> = reading
            .lines
            .iter()
            .map(raccord_model::Line::decode)
            .collect();
        let found = match self.method {
            Method::RowNumber => self.by_place(reading),
            Method::RowHash => self.by_digest(reading),
            Method::DaffLike => self.by_keys(reading, &lines),
        };
        let names: Vec<u64> = found
            .into_iter()
            .map(|name| {
                name.unwrap_or_else(|| {
                    self.next += 1;
                    self.next
                })
            })
            .collect();
        self.known = reading
            .lines
            .iter()
            .zip(lines)
            .zip(&names)
            .map(|((line, fields), name)| Known {
                name: *name,
                place: (line.tab, line.row),
                digest: line.digest,
                fields,
            })
            .collect();
        names
    }

    fn by_place(&self, reading: &Reading) -> Vec<Option<u64>> {
        let known: HashMap<(u16, u32), u64> = self
            .known
            .iter()
            .map(|line| (line.place, line.name))
            .collect();
        reading
            .lines
            .iter()
            .map(|line| known.get(&(line.tab, line.row)).copied())
            .collect()
    }

    fn by_digest(&self, reading: &Reading) -> Vec<Option<u64>> {
        let mut known: HashMap<Digest, Vec<u64>> = HashMap::new();
        for line in self.known.iter().rev() {
            known.entry(line.digest).or_default().push(line.name);
        }
        reading
            .lines
            .iter()
            .map(|line| known.get_mut(&line.digest).and_then(Vec::pop))
            .collect()
    }

    /// Exact lines first; then by the columns that tell most lines apart, from many to few; then
    /// what stands between two lines found, in order, where most cells are the same.
    fn by_keys(&self, reading: &Reading, lines: &[Fields]) -> Vec<Option<u64>> {
        const KEYS: [&[&str]; 6] = [
            &["title", "start", "room"],
            &["title", "start"],
            &["start", "room", "organiser"],
            &["title", "room", "organiser"],
            &["title"],
            &["description"],
        ];
        let mut found = self.by_digest(reading);
        let mut used: BTreeSet<u64> = found.iter().flatten().copied().collect();
        for key in KEYS {
            let of = |fields: &Fields| -> Option<String> {
                let parts: Option<Vec<String>> = key
                    .iter()
                    .map(|name| fields.get(*name).map(ToString::to_string))
                    .collect();
                parts.map(|parts| parts.join("\u{1}"))
            };
            let mut left: BTreeMap<String, Vec<u64>> = BTreeMap::new();
            for line in self.known.iter().filter(|line| !used.contains(&line.name)) {
                if let Some(key) = of(&line.fields) {
                    left.entry(key).or_default().push(line.name);
                }
            }
            let mut right: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            for (index, fields) in lines.iter().enumerate() {
                if found[index].is_none()
                    && let Some(key) = of(fields)
                {
                    right.entry(key).or_default().push(index);
                }
            }
            for (key, indexes) in right {
                if let ([index], Some([name])) =
                    (indexes.as_slice(), left.get(&key).map(Vec::as_slice))
                {
                    found[*index] = Some(*name);
                    used.insert(*name);
                }
            }
        }
        self.between(lines, &mut found, &mut used);
        found
    }

    fn between(&self, lines: &[Fields], found: &mut [Option<u64>], used: &mut BTreeSet<u64>) {
        let at: HashMap<u64, usize> = self
            .known
            .iter()
            .enumerate()
            .map(|(index, line)| (line.name, index))
            .collect();
        let mut from = 0;
        for index in 0..lines.len() {
            if let Some(name) = found[index] {
                from = at[&name] + 1;
                continue;
            }
            let next = self.known[from..]
                .iter()
                .take_while(|line| !used.contains(&line.name))
                .position(|line| alike(&line.fields, &lines[index]) >= 0.5);
            if let Some(step) = next {
                let line = &self.known[from + step];
                found[index] = Some(line.name);
                used.insert(line.name);
                from += step + 1;
            }
        }
    }
}

/// The share of cells that are the same.
fn alike(a: &Fields, b: &Fields) -> f64 {
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let same = names
        .iter()
        .filter(|name| a.get(**name) == b.get(**name))
        .count();
    same as f64 / names.len().max(1) as f64
}
