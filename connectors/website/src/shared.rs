//! `shared.json`: what the place offers to the others of its network, in the form that
//! `raccord-model` and `schemas/shared/v1.json` tell.

use jiff::Timestamp;
use jiff::civil::Date;
use raccord_model::{
    Failure, Lang, SHARED_FORMAT, SharedActivity, SharedFeed, SharingPlace, Status, canonical,
};
use serde_json::{Value, json};

use crate::calendar::{self, Offer};
use crate::clean;
use crate::item::Item;
use crate::site::Site;
use crate::stamps::Stamps;

/// Where the list lies in the site, and the calendar.
pub(crate) const LIST: &str = "shared.json";
pub(crate) const CALENDAR: &str = "shared.ics";

/// The most activities that are offered, the first to come: readers take no more.
const MOST: usize = 500;
/// The longest description that travels; the rest is on the page.
const DESCRIPTION: usize = 2_000;

impl crate::Inner {
    /// What is offered to the network. A list that says the same keeps the instant it was made, so
    /// that who asks for it again is told that nothing changed.
    pub(crate) async fn offers(
        &self,
        lang: Lang,
        today: Date,
        changed: &[(&Item, Timestamp)],
    ) -> Result<[(String, String); 2], Failure> {
        let offered = offered(changed, today);
        let old = self.folder.read(LIST).await?.unwrap_or_default();
        let kept = Stamps::of_list(&old)
            .generated
            .filter(|generated| write(&self.site, &offered, *generated).as_bytes() == old);
        let made = kept.unwrap_or_else(|| self.now());
        let items = offered.iter().map(|(item, changed)| (item, *changed));
        let calendar = calendar::write(&self.site, lang, Offer::Shared, items);
        Ok([
            (LIST.to_owned(), write(&self.site, &offered, made)),
            (CALENDAR.to_owned(), calendar),
        ])
    }
}

/// What is offered of `items`, by start, without what is not for others: who runs it, its credits,
/// its guide.
fn offered(items: &[(&Item, Timestamp)], today: Date) -> Vec<(Item, Timestamp)> {
    let is_offered = |item: &Item| {
        item.activity.shared == Some(true)
            && item.activity.status != Status::Cancelled
            && !item.over_before(today)
    };
    items
        .iter()
        .filter(|(item, _)| is_offered(item))
        .take(MOST)
        .map(|(item, changed)| (public_part(item), *changed))
        .collect()
}

fn public_part(item: &Item) -> Item {
    let mut item = item.clone();
    let activity = &mut item.activity;
    activity.title = clean::line(&activity.title, 300);
    activity.kind = clean::line(&activity.kind, 100);
    activity.room = clean::line(&activity.room, 100);
    activity.description = clean::prose(&activity.description, DESCRIPTION).0;
    activity.tags = activity
        .tags
        .iter()
        .map(|tag| clean::line(tag, 100))
        .filter(|tag| !tag.is_empty())
        .take(20)
        .collect();
    activity.organiser.clear();
    activity.guide.clear();
    activity.capacity = None;
    activity.credits = None;
    activity.series = None;
    item
}

/// The list. Each activity stands on a line of its own, so that two versions compare well.
fn write(site: &Site, offered: &[(Item, Timestamp)], generated: Timestamp) -> String {
    let lines = offered.iter().filter_map(|(item, changed)| {
        let page = site.page(item.activity.id);
        let own = || clean::address(&item.activity.url).map(str::to_owned);
        let url = page.or_else(own).filter(|url| url.starts_with("http"));
        let activity = SharedActivity::of(&item.activity, url.unwrap_or_default(), *changed)?;
        serde_json::to_value(activity).ok()
    });
    let lines: Vec<String> = lines.map(|line| in_order(&line)).collect();
    let head = SharedFeed::<Value> {
        format: SHARED_FORMAT.to_owned(),
        place: SharingPlace {
            id: site.place.id.to_string(),
            name: clean::line(&site.place.name, 200),
            url: site.address("index.html").unwrap_or_default(),
        },
        generated,
        shares_nothing: lines.is_empty(),
        activities: Vec::new(),
    };
    let mut head = json!(head);
    if let Some(head) = head.as_object_mut() {
        head.remove("activities");
    }
    let head = in_order(&head);
    let head = head.strip_suffix('}').unwrap_or(&head);
    format!("{head},\"activities\":[\n{}\n]}}\n", lines.join(",\n"))
}

/// Keys in one order, whatever features the JSON library was built with.
fn in_order(value: &Value) -> String {
    let fields = value.as_object().into_iter().flatten();
    let fields = fields
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    String::from_utf8_lossy(&canonical(&fields)).into_owned()
}
