//! What a tool should hold for an entity, as its route, the rules and the hour make it.

use jiff::{SignedDuration, Timestamp};
use raccord_model::{
    Class, ConnectorName, Context, Digest, Entity, EntityId, EntityKind, Handling, Mode, Policy,
    Rendered, Route, Status, Subject, Words,
};

use crate::deciding::{Deciding, zone_of};
use crate::routing;
use crate::sayings::About;

/// An object as its route, rules and today's entity make it.
pub(crate) struct Wish {
    pub(crate) rendered: Rendered,
    pub(crate) family: EntityId,
    pub(crate) key: Option<String>,
    pub(crate) rule: String,
    pub(crate) grace: SignedDuration,
    pub(crate) best_before: Option<Timestamp>,
    /// Before this it is not said, however long it is owed: nobody is woken for what can wait.
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) class: Class,
    pub(crate) settle: SignedDuration,
    pub(crate) policy: Policy,
    pub(crate) announce: bool,
    /// Why an announcement that was not made yet should not be made any more.
    pub(crate) pointless: Option<Words>,
}

impl Wish {
    /// What the tool should hold; `None` where it should hold nothing.
    pub(crate) fn wanted(&self) -> Option<Digest> {
        match &self.rendered {
            Rendered::Nothing => None,
            Rendered::Object(desired) => Some(desired.hash),
        }
    }

    /// What people call the object.
    pub(crate) fn title(self) -> String {
        match self.rendered {
            Rendered::Nothing => String::new(),
            Rendered::Object(desired) => desired.title,
        }
    }

    /// Whether the entity alone tells which object of the tool it is.
    pub(crate) fn by_address(&self) -> bool {
        self.class.repeatable() && self.key.is_none()
    }
}

impl Deciding<'_> {
    /// What `sink` should hold for an entity or a publication; `None` where it handles neither.
    pub(crate) fn wish(&self, sink: &ConnectorName, id: EntityId) -> Option<Wish> {
        let rules = self.rules();
        let rule = rules.sinks.get(sink)?;
        let Some(entity) = self.entity(id) else {
            let key = self.state.sinks.get(sink)?.targets.get(&id)?.key.clone()?;
            return match About::read(&key) {
                Some(about) => self.saying(sink, rule, id, about),
                None => crate::publication::wish(self, sink, rule, id, &key),
            };
        };
        let handling = routing::object_handling(rule, &entity)?;
        let route = routing::route(&rules, sink, &entity).filter(|_| !routing::has_left(&entity));
        let parent_id = self
            .state
            .entities
            .get(&id)
            .and_then(|record| record.family);
        let parent = parent_id.and_then(|parent| self.entity(parent));
        let entity = self.seen(entity, true);
        let rendered = match route {
            None => Rendered::Nothing,
            Some(route) => {
                let context = self.context(&rules, route);
                self.render.render(
                    sink,
                    Subject::Entity {
                        entity: &entity,
                        parent: parent.as_ref(),
                        tasks: &crate::hands::of(self, &entity),
                    },
                    &context,
                )
            }
        };
        let route = route.flatten();
        let announce = handling.mode == Mode::Announce;
        if announce
            && entity.kind == EntityKind::Registration
            && matches!(rendered, Rendered::Nothing)
            && self.was_said(sink, id)
        {
            // What was said to somebody stays said. Taken for gone, it would be said anew to whoever
            // chooses this way of being told again.
            return None;
        }
        let over = self.over_instant(parent.as_ref().unwrap_or(&entity));
        let pointless = announce.then(|| self.pointless(&entity, over)).flatten();
        Some(Wish {
            rendered,
            family: parent_id.unwrap_or(id),
            key: None,
            rule: routing::rule_name(sink, route, &rules),
            grace: grace(handling, route),
            best_before: announce.then_some(over).flatten(),
            not_before: None,
            class: handling.class,
            settle: handling.settle(),
            policy: route
                .and_then(|route| route.policy)
                .unwrap_or(handling.policy),
            announce,
            pointless,
        })
    }

    fn was_said(&self, sink: &ConnectorName, id: EntityId) -> bool {
        let target = self.state.sinks.get(sink);
        let target = target.and_then(|sink| sink.targets.get(&id));
        target.is_some_and(|target| target.link.is_some() && target.owed.is_none())
    }

    pub(crate) fn context<'c>(
        &self,
        rules: &'c raccord_model::Rules,
        route: Option<&'c Route>,
    ) -> Context<'c> {
        Context {
            place: &rules.place,
            lang: route
                .and_then(|route| route.lang)
                .unwrap_or(rules.place.lang),
            today: self.civil_now().date(),
            route,
        }
    }

    pub(crate) fn over_instant(&self, entity: &Entity) -> Option<Timestamp> {
        let record = self.state.entities.get(&entity.id)?;
        // A sign-up is over with what it is for.
        let family = record
            .family
            .and_then(|family| self.state.entities.get(&family));
        let over = record.when().over_at();
        let over = over.or_else(|| family?.when().over_at())?;
        zone_of(self.state.rules())
            .to_ambiguous_timestamp(over)
            .compatible()
            .ok()
    }

    fn pointless(&self, entity: &Entity, over: Option<Timestamp>) -> Option<Words> {
        if over.is_some_and(|over| self.now >= over) {
            return Some(Words::new("c'était déjà passé", "it was already over"));
        }
        if entity.fields.get("status") == Some(&serde_json::json!(Status::Cancelled)) {
            return Some(Words::new(
                "c'était annulé avant d'avoir été annoncé",
                "it was cancelled before it was announced",
            ));
        }
        if entity.kind == EntityKind::Notice && entity.text("state") == "closed" {
            return Some(Words::new(
                "c'était réglé avant d'avoir été dit",
                "it was settled before it was told",
            ));
        }
        None
    }
}

/// How long an effect waits before it is made.
pub(crate) fn grace(handling: &Handling, route: Option<&Route>) -> SignedDuration {
    SignedDuration::from_secs(
        route
            .and_then(|route| route.grace_s)
            .unwrap_or(handling.grace_s),
    )
}
