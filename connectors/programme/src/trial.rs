//! A month to try templates on: invented, and the same everywhere.

use jiff::civil::Date;
use raccord_model::{
    Activity, Civil, Entity, EntityId, EntityKind, Fields, Place, Status, Visibility,
};

use crate::document::{self, Document, Links};
use crate::hands;
use crate::month::Month;
use crate::since::{self, Since, Wall};

/// The day they are made on.
pub(crate) const DAY: Date = Date::constant(2027, 1, 1);

/// A small month with one of everything.
pub(crate) fn document(place: &Place, links: &Links) -> Document {
    let activity = |day: i8, title: &str, status| Activity {
        id: EntityId::derive(&[title.as_bytes()]),
        title: title.to_owned(),
        kind: "Atelier".into(),
        start: Civil::Minute(Date::constant(2027, 1, day).at(18, 30, 0, 0)),
        end: Some(Civil::Minute(Date::constant(2027, 1, day).at(20, 30, 0, 0))),
        zone: place.zone.clone(),
        all_day: false,
        room: "Grande halle".into(),
        organiser: "Coordination".into(),
        contact: String::new(),
        description: "Pour essayer le modèle.".into(),
        visibility: Visibility::Public,
        capacity: Some(20),
        credits: Some(150),
        guide: String::new(),
        status,
        tags: Vec::new(),
        url: String::new(),
        shared: None,
        origin: String::new(),
        register: String::new(),
        origin_url: String::new(),
        series: None,
        extra: Fields::new(),
    };
    let mut whole_days = activity(9, "Stage", Status::Tentative);
    whole_days.start = Civil::Day(Date::constant(2027, 1, 9));
    whole_days.end = Some(Civil::Day(Date::constant(2027, 1, 10)));
    let mut bare = activity(30, "Portes ouvertes", Status::Confirmed);
    bare.end = None;
    for text in [
        &mut bare.kind,
        &mut bare.room,
        &mut bare.organiser,
        &mut bare.description,
    ] {
        text.clear();
    }
    (bare.capacity, bare.credits) = (None, None);
    let month = Month { first: DAY };
    let activities = [activity(2, "Essai", Status::Full), whole_days, bare];
    let mut fields = Fields::new();
    fields.insert("title".into(), "Accueil".into());
    fields.insert("activity".into(), activities[0].id.to_string().into());
    fields.insert("capacity".into(), 2.into());
    let task = Entity {
        id: EntityId::derive(&[b"Accueil"]),
        kind: EntityKind::Task,
        revision: 1,
        source: String::new(),
        fields,
    };
    let tasks = hands::by_activity(&[task], place.lang);
    document::compose(&activities, &tasks, month, place, links, place.lang)
}

/// The sheet of a month that was on the wall without its first activity.
pub(crate) fn since(document: &Document) -> Option<Since> {
    let mut weeks = document.weeks.clone();
    weeks.remove(0);
    since::since(&Wall::showing(1, &weeks), document)
}
