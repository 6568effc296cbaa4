//! What must be so at the end, judged by what the tools were told and what the sheets say alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::site::edit;
use super::village::Known;

/// What the tools' histories come to.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// What must not be: one line each.
    pub(super) broken: Vec<String>,
    /// Effects on the webhook's tool: bodies under an id of their own.
    pub(super) effects: usize,
    /// Bodies that came again under their id.
    pub(super) repeats: usize,
    /// Those of them that came after a newer one about the same activity.
    pub(super) late_repeats: usize,
    /// Versions of the sites, and how often an older one was on show after a newer one.
    pub(super) versions: usize,
    pub(super) older: usize,
}

/// One activity, as its tool was told.
#[derive(Default)]
struct Told<'a> {
    /// The ids of its events, in the order they came first, with their revisions.
    events: Vec<(u64, &'a str)>,
    last: Value,
}

/// Judges all places.
pub(super) fn judge(known: &[Known]) -> Verdict {
    let mut verdict = Verdict::default();
    for place in known {
        let activities = read(place, &mut verdict);
        for (subject, told) in &activities {
            in_order(place.place, subject, told, &mut verdict);
        }
        as_written(place, &activities, &mut verdict);
        on_show(place, &mut verdict);
    }
    verdict
}

/// Reads a history: each id with the same bytes every time, in the order of the revisions.
fn read<'a>(place: &'a Known, verdict: &mut Verdict) -> BTreeMap<String, Told<'a>> {
    let mut bodies: BTreeMap<&str, &[u8]> = BTreeMap::new();
    let mut activities: BTreeMap<String, Told<'a>> = BTreeMap::new();
    for taken in &place.history {
        let Ok(event) = serde_json::from_slice::<Value>(&taken.body) else {
            let text = String::from_utf8_lossy(&taken.body);
            verdict.says(place.place, &format!("{} is unreadable: {text}", taken.id));
            continue;
        };
        let subject = event["subject"].as_str().unwrap_or_default().to_owned();
        let revision = event["data"]["revision"].as_u64().unwrap_or_default();
        if let Some(before) = bodies.insert(&taken.id, &taken.body) {
            if before != taken.body {
                let text = String::from_utf8_lossy(&taken.body);
                verdict.says(
                    place.place,
                    &format!("{} came with other bytes: {text}", taken.id),
                );
            }
            verdict.repeats += 1;
            let newest = activities.get(&subject).and_then(|told| told.events.last());
            verdict.late_repeats += usize::from(newest.is_some_and(|(last, _)| *last > revision));
            continue;
        }
        verdict.effects += 1;
        // Notices tell of no activity.
        if event["type"]
            .as_str()
            .is_some_and(|kind| kind.contains(".activity."))
        {
            let told = activities.entry(subject).or_default();
            told.events.push((revision, &taken.id));
            told.last = event;
        }
    }
    activities
}

/// Each revision came, once, after the one before it: an effect that was lost, made twice under
/// another id, or made by a second writer shows here.
fn in_order(place: &str, subject: &str, told: &Told<'_>, verdict: &mut Verdict) {
    let ordered = (1..)
        .zip(&told.events)
        .all(|(wanted, (revision, _))| wanted == *revision);
    if !ordered {
        verdict.says(place, &format!("{subject} was told as {:?}", told.events));
    }
}

/// What the tool knows is what the sheet says and what was posted, each once.
fn as_written(place: &Known, activities: &BTreeMap<String, Told<'_>>, verdict: &mut Verdict) {
    let mut shown: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for told in activities.values() {
        let data = &told.last["data"];
        let title = data["title"].as_str().unwrap_or_default();
        shown.entry(title).or_default().push(&told.last);
    }
    let mut wanted: BTreeMap<String, (String, String)> = BTreeMap::new();
    for line in &place.sheet.lines {
        wanted.insert(line.title.clone(), (line.start(), line.room()));
    }
    for subject in &place.posted {
        let start = "2027-01-15T20:30".to_owned();
        wanted.insert(format!("Bal {subject}"), (start, String::new()));
    }
    for (title, (start, room)) in &wanted {
        let told = shown.remove(title.as_str()).unwrap_or_default();
        let right = |event: &Value| {
            let data = &event["data"];
            let is = |name: &str, wanted: &str| data[name].as_str().unwrap_or_default() == wanted;
            is("start", start) && is("room", room)
        };
        match told.as_slice() {
            [event] if right(event) => {}
            [] => verdict.says(place.place, &format!("“{title}” was never told")),
            told => verdict.says(
                place.place,
                &format!("“{title}” is at {start}, {room:?}, and was told as {told:?}"),
            ),
        }
    }
    // What was posted by somebody who never heard that it was taken may be there as well.
    for (title, told) in shown {
        verdict.says(place.place, &format!("nobody wrote “{title}”: {told:?}"));
    }
}

/// The site shows what everybody may know, and nothing else.
fn on_show(place: &Known, verdict: &mut Verdict) {
    let public = place.sheet.lines.iter().filter(|line| line.public);
    let lines = public.map(|line| (line.title.clone(), line.start(), edit(&line.room().into())));
    let posted = place.posted.iter();
    let posted = posted.map(|it| (format!("Bal {it}"), "2027-01-15T20:30".to_owned(), 0));
    let wanted: BTreeSet<_> = lines.chain(posted).collect();
    let shown = place.site.shown.iter();
    let shown = shown.map(|(title, (start, edit))| (title.clone(), start.clone(), *edit));
    let shown: BTreeSet<_> = shown.collect();
    let more: Vec<_> = shown.difference(&wanted).collect();
    let less: Vec<_> = wanted.difference(&shown).collect();
    if !(more.is_empty() && less.is_empty()) {
        let text = format!("the site shows {more:?}, and not {less:?}");
        verdict.says(place.place, &text);
    }
    verdict.versions += place.site.versions;
    verdict.older += place.site.older;
}

impl Verdict {
    fn says(&mut self, place: &str, what: &str) {
        self.broken.push(format!("{place}: {what}"));
    }
}
