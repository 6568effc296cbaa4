//! Figures in the Prometheus text format, with bounded labels, and those of the face itself.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;
use raccord_model::PlaceId;

use crate::Face;

/// How a figure moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only up, from 0 at the process's start.
    Counter,
    /// Up and down.
    Gauge,
}

/// Figures, gathered by name, written as Prometheus reads them.
#[derive(Debug, Default)]
pub struct Exposition {
    families: BTreeMap<&'static str, Family>,
    place: Option<PlaceId>,
}

#[derive(Debug)]
struct Family {
    kind: Kind,
    help: &'static str,
    samples: Vec<String>,
}

impl Exposition {
    /// From now on, figures are those of this place: they carry the label `place`.
    pub(crate) fn of_place(&mut self, place: Option<&PlaceId>) {
        self.place = place.cloned();
    }

    /// Adds one figure. Values of labels come from a bounded set (connector names, states, codes):
    /// never an entity, a person or anything a caller chose.
    pub fn add(
        &mut self,
        name: &'static str,
        kind: Kind,
        help: &'static str,
        labels: &[(&'static str, &str)],
        value: f64,
    ) {
        let mut sample = String::from(name);
        let place = self.place.as_ref().map(|place| ("place", place.as_str()));
        let mut open = '{';
        for (label, text) in place.into_iter().chain(labels.iter().copied()) {
            sample.push(open);
            open = ',';
            sample.push_str(label);
            sample.push_str("=\"");
            for c in text.chars() {
                match c {
                    '\\' => sample.push_str("\\\\"),
                    '"' => sample.push_str("\\\""),
                    '\n' => sample.push_str("\\n"),
                    other => sample.push(other),
                }
            }
            sample.push('"');
        }
        if open == ',' {
            sample.push('}');
        }
        write!(sample, " {value}").expect("writing to memory does not fail");
        self.families
            .entry(name)
            .or_insert(Family {
                kind,
                help,
                samples: Vec::new(),
            })
            .samples
            .push(sample);
    }
}

impl fmt::Display for Exposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, family) in &self.families {
            let kind = match family.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
            };
            writeln!(f, "# HELP {name} {}", family.help)?;
            writeln!(f, "# TYPE {name} {kind}")?;
            for sample in &family.samples {
                writeln!(f, "{sample}")?;
            }
        }
        Ok(())
    }
}

const ROUTES: [&str; 8] = [
    "/",
    "/embed",
    "/healthz",
    crate::face::HOOKS,
    "/metrics",
    "/readyz",
    "/v1/events",
    "other",
];
const STATUSES: [u16; 15] = [
    200, 202, 304, 400, 401, 404, 405, 408, 410, 413, 415, 422, 429, 500, 503,
];

/// What the face counts.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// By route, then status; the last column is every other status.
    answers: [[AtomicU64; STATUSES.len() + 1]; ROUTES.len()],
    accepted: AtomicU64,
    connections: AtomicU64,
    turned_away: AtomicU64,
}

/// Counts a connection for as long as it is open.
pub(crate) struct Open(Face);

impl Open {
    pub(crate) fn new(face: &Face) -> Self {
        face.shared
            .counters
            .connections
            .fetch_add(1, Ordering::Relaxed);
        Self(face.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0
            .shared
            .counters
            .connections
            .fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counters {
    pub(crate) fn answered(&self, route: &str, status: StatusCode) {
        let row = ROUTES.iter().position(|&known| known == route);
        let column = STATUSES.iter().position(|&known| known == status.as_u16());
        self.answers[row.unwrap_or(ROUTES.len() - 1)][column.unwrap_or(STATUSES.len())]
            .fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn accepted(&self, events: usize) {
        self.accepted.fetch_add(events as u64, Ordering::Relaxed);
    }

    pub(crate) fn turned_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    /// Writes the face's own figures; `docs/metrics.md` lists them.
    pub(crate) fn expose(&self, face: &Face, out: &mut Exposition) {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
        out.add(
            "raccord_build_info",
            Kind::Gauge,
            "Always 1; the label tells the version.",
            &[("version", face.shared.node.version())],
            1.0,
        );
        for (route, row) in ROUTES.iter().zip(&self.answers) {
            let statuses = STATUSES
                .iter()
                .map(u16::to_string)
                .chain(["other".to_owned()]);
            for (status, counter) in statuses.zip(row) {
                if counter.load(Ordering::Relaxed) > 0 {
                    out.add(
                        "raccord_http_requests_total",
                        Kind::Counter,
                        "Requests answered, by route and status.",
                        &[("route", route), ("status", &status)],
                        of(counter),
                    );
                }
            }
        }
        out.add(
            "raccord_http_connections",
            Kind::Gauge,
            "Connections open now.",
            &[],
            of(&self.connections),
        );
        out.add(
            "raccord_http_connections_refused_total",
            Kind::Counter,
            "Connections turned away because too many were open.",
            &[],
            of(&self.turned_away),
        );
        out.add(
            "raccord_http_events_accepted_total",
            Kind::Counter,
            "Posted events answered with 202, repeats included.",
            &[],
            of(&self.accepted),
        );
        out.add(
            "raccord_http_followers",
            Kind::Gauge,
            "Followers of the event stream now.",
            &[],
            (face.shared.limits.followers - face.shared.followers.available_permits()) as f64,
        );
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn figures_of_several_places_stand_together_and_labels_are_escaped() {
        let mut out = Exposition::default();
        for place in ["a", "b"] {
            out.of_place(Some(&place.parse().unwrap()));
            out.add(
                "raccord_x_total",
                Kind::Counter,
                "X.",
                &[("code", "a\"\\\n")],
                2.0,
            );
            out.add("raccord_y", Kind::Gauge, "Y.", &[], 0.5);
        }
        out.of_place(None);
        out.add("raccord_z", Kind::Gauge, "Z.", &[], 1e15);
        assert_eq!(
            out.to_string(),
            "# HELP raccord_x_total X.\n# TYPE raccord_x_total counter\n\
             raccord_x_total{place=\"a\",code=\"a\\\"\\\\\\n\"} 2\n\
             raccord_x_total{place=\"b\",code=\"a\\\"\\\\\\n\"} 2\n\
             # HELP raccord_y Y.\n# TYPE raccord_y gauge\n\
             raccord_y{place=\"a\"} 0.5\nraccord_y{place=\"b\"} 0.5\n\
             # HELP raccord_z Z.\n# TYPE raccord_z gauge\nraccord_z 1000000000000000\n"
        );
    }
}
