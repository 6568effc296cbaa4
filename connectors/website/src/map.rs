//! `map.json`: the place itself, in the form that maps built with GoGoCarto (Transiscope among them)
//! read as a source. Only where the settings say where it is: it tells of the place, never of dated
//! activities, which no map is for.

use raccord_kit::settings::{Number, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map as Object, Value, json};

use crate::clean;
use crate::site::Site;

/// Where it lies in the site.
pub(crate) const FILE: &str = "map.json";

/// The place, as a map shows it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Map")]
pub(crate) struct Settings {
    /// Its latitude, in degrees north.
    #[schemars(example = -21.0103)]
    latitude: Number<-90, 90>,
    /// Its longitude, in degrees east.
    #[schemars(example = 55.2707)]
    longitude: Number<-180, 180>,
    /// The categories it has on the map, as the map calls them.
    #[serde(default)]
    #[schemars(extend("examples" = [["Tiers-lieu"]]))]
    categories: Vec<Text<100>>,
    /// Street and number.
    #[serde(default)]
    street: Option<Text<200>>,
    /// The postal code.
    #[serde(default)]
    postal_code: Option<Text<20>>,
    /// The town.
    #[serde(default)]
    town: Option<Text<100>>,
    /// The country, in two letters.
    #[serde(default)]
    #[schemars(extend("examples" = ["FR"]))]
    country: Option<Text<2>>,
    /// An address that anybody may write to.
    #[serde(default)]
    email: Option<Text<254>>,
    /// What the place is, in a few words.
    #[serde(default)]
    description: Option<Text<2000>>,
    /// When it is open, in words.
    #[serde(default)]
    open: Option<Text<300>>,
}

/// The file; nothing where the settings do not say where the place is.
pub(crate) fn write(site: &Site) -> Option<String> {
    let map = site.map.as_ref()?;
    let mut row = Object::new();
    let mut say = |name: &str, value: Value| {
        row.insert(name.to_owned(), value);
    };
    say("id", json!(site.place.id.to_string()));
    say("name", json!(clean::line(&site.place.name, 200)));
    say("latitude", json!(map.latitude.get()));
    say("longitude", json!(map.longitude.get()));
    let names = map.categories.iter().map(|name| clean::line(name, 100));
    say("taxonomy", json!(names.collect::<Vec<_>>()));
    // The source's own word for who tells this.
    say("source", json!("Raccord"));
    for (name, text) in [
        ("streetAddress", line(map.street.as_deref())),
        ("postalCode", line(map.postal_code.as_deref())),
        ("addressLocality", line(map.town.as_deref())),
        ("addressCountry", line(map.country.as_deref())),
        ("email", line(map.email.as_deref())),
        ("openHours", line(map.open.as_deref())),
        ("description", prose(map.description.as_deref())),
        ("url", site.address("index.html").unwrap_or_default()),
        ("agenda", site.address("calendar.ics").unwrap_or_default()),
    ] {
        if !text.is_empty() {
            say(name, json!(text));
        }
    }
    // Keys in one order, whatever features the JSON library was built with.
    let row = row.into_iter().collect();
    let row = raccord_model::canonical(&row);
    Some(format!("[\n{}\n]\n", String::from_utf8_lossy(&row)))
}

fn line(text: Option<&str>) -> String {
    clean::line(text.unwrap_or_default(), 300)
}

fn prose(text: Option<&str>) -> String {
    clean::prose(text.unwrap_or_default(), 2_000).0
}
