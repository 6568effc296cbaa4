//! The pages on which people sign up, as the place answers them: who looks, what they may, and what
//! their forms ask of the writer. It decides nothing about places: that is the engine's.

mod calendar;
mod doors;
mod keys;
mod letters;
mod links;
mod lists;
mod rates;
mod reading;
mod records;
mod seen;
#[cfg(test)]
mod tests;
mod ticks;
mod till;
mod ways;

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use raccord_engine::{
    Attested, Commitment, Engine, Input, Order, Reply, SignUp, Standpoint, Vouching, Who,
};
use raccord_kit::{Till, Welcome};
use raccord_model::{ConnectorName, EntityId, EntityKind, Lang, Words};
use raccord_web::hands::{Answer, Mine, Screen, Shows, Visit, Visitor};

use self::doors::{Doors, Open, Session};
use self::lists::{List, Lists};
use self::rates::Rate;
use self::reading::Reading;
use self::records::Records;
use self::seen::Look;
use super::desk::Desk;
use crate::connectors::Tools;
use crate::settings::Settings;

/// The while over which links are counted, in seconds.
const WHILE: i64 = 15 * 60;
/// How long somebody waits who asked for too much.
const PATIENCE: u32 = 300;

/// What a place keeps for these pages.
pub(crate) struct SignUps {
    doors: Doors,
    /// The connector that brings them, where one is configured.
    from: RwLock<Option<(Arc<Tools>, ConnectorName)>>,
    /// The tools, among them those that send letters.
    tools: RwLock<Option<Arc<Tools>>>,
    /// Links, by address, by network, and all together.
    links: [Rate; 3],
    /// Forms of one session.
    forms: Rate,
    /// Codes by short message.
    ways: ways::Rates,
    reading: Reading,
    records: Arc<Mutex<Records>>,
    lists: Lists,
}

impl Default for SignUps {
    fn default() -> Self {
        Self {
            doors: Doors::default(),
            from: RwLock::default(),
            tools: RwLock::default(),
            links: [
                Rate::new(3, WHILE),
                Rate::new(30, WHILE),
                Rate::new(300, WHILE),
            ],
            forms: Rate::new(120, 600),
            ways: ways::Rates::default(),
            reading: Reading::default(),
            records: Arc::default(),
            lists: Lists::default(),
        }
    }
}

/// The connector's half of these pages.
struct Host(Arc<Tools>, ConnectorName);

impl Host {
    fn welcome(&self) -> Option<&dyn Welcome> {
        self.0.get(&self.1)?.welcome()
    }

    fn is_organiser(&self, email: &str) -> bool {
        self.welcome().is_some_and(|host| host.is_organiser(email))
    }

    fn sends(&self) -> bool {
        self.welcome().is_some_and(Welcome::sends)
    }

    /// The place's own till, with the connector that brings it.
    fn till(&self) -> Option<(&ConnectorName, &dyn Till)> {
        let mut all = self.0.iter();
        all.find_map(|(name, tool)| Some((name, tool.till()?)))
    }
}

/// One visit, and what answers it.
struct Desktop<'a> {
    own: &'a SignUps,
    desk: &'a Desk,
    settings: &'a Settings,
    host: Arc<Host>,
    open: Arc<Open>,
    visit: Visit,
    session: Option<Session>,
    /// Who is signed in, with what is known of them.
    me: Option<Me>,
}

/// Somebody who is signed in.
#[derive(Clone)]
struct Me {
    id: EntityId,
    email: String,
    name: String,
    shown: bool,
    lang: Option<Lang>,
}

impl SignUps {
    /// From now on these tools bring the pages, or do not.
    pub(crate) fn follows(&self, tools: &Arc<Tools>) {
        let named = tools.iter().find(|(_, tool)| tool.welcome().is_some());
        let from = named.map(|(name, _)| (Arc::clone(tools), name.clone()));
        *self.from.write().unwrap_or_else(PoisonError::into_inner) = from;
        *self.tools.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(tools));
    }

    fn tools(&self) -> Option<Arc<Tools>> {
        let tools = self.tools.read().unwrap_or_else(PoisonError::into_inner);
        tools.clone()
    }

    fn host(&self) -> Option<Arc<Host>> {
        let from = self.from.read().unwrap_or_else(PoisonError::into_inner);
        from.clone()
            .map(|(tools, name)| Arc::new(Host(tools, name)))
    }

    /// Lets go of what was read for pages: nobody may ask for them soon.
    pub(crate) async fn rests(&self) {
        self.lists.forget().await;
        *records(&self.records) = Records::default();
    }

    /// Answers a visit.
    pub(crate) async fn visit(&self, desk: &Desk, settings: &Settings, visit: Visit) -> Answer {
        if let Some(path) = visit.path.strip_prefix("/newsletter") {
            let path = path.to_owned();
            return letters::visit(self, desk, settings, &path, &visit).await;
        }
        let Some(host) = self.host() else {
            return Answer::Closed;
        };
        let now = visit.at.as_second();
        let open = self.doors.open(desk, &settings.place.id, now).await;
        let Some(open) = open else {
            return Answer::NotReady;
        };
        let session = visit.session.as_deref();
        let session = session.and_then(|cookie| open.session(cookie, now));
        let me = match session {
            None => None,
            Some(session) => {
                let known = move |engine: &mut Engine| me(engine, session.person);
                match self.reading.look(desk, known).await {
                    Ok((known, _)) => known,
                    Err(answer) => return answer,
                }
            }
        };
        let desktop = Desktop {
            own: self,
            desk,
            settings,
            host,
            open,
            // Whoever was forgotten is signed in no more.
            session: session.filter(|_| me.is_some()),
            visit,
            me,
        };
        desktop.answer().await
    }
}

fn records(records: &Mutex<Records>) -> std::sync::MutexGuard<'_, Records> {
    records.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who looks, as a look at the engine needs it.
struct Eyes {
    open: Arc<Open>,
    records: Arc<Mutex<Records>>,
    zone: jiff::tz::TimeZone,
    now: jiff::Timestamp,
    lang: Lang,
    person: Option<EntityId>,
    organiser: bool,
    address: String,
}

impl Eyes {
    fn look<T>(self, engine: &mut Engine, see: impl FnOnce(&mut Look<'_>) -> T) -> T {
        let address = Some(self.address).filter(|address| !address.is_empty());
        see(&mut Look {
            engine,
            records: &mut records(&self.records),
            now: self.now,
            zone: self.zone,
            lang: self.lang,
            person: self.person,
            organiser: self.organiser,
            codes: address.map(|address| (&self.open.key, address)),
        })
    }
}

/// What is known of a person; nothing of one who was forgotten.
fn me(engine: &Engine, id: EntityId) -> Option<Me> {
    let known = engine.entity(id)?;
    let email = known.text("email").to_owned();
    (known.kind == EntityKind::Person && !email.is_empty()).then(|| Me {
        id,
        email,
        name: known.text("name").to_owned(),
        shown: known
            .fields
            .get("shown")
            .and_then(serde_json::Value::as_bool)
            == Some(true),
        lang: known.text("language").parse().ok(),
    })
}

impl Desktop<'_> {
    fn lang(&self) -> Lang {
        let own = self.me.as_ref().and_then(|me| me.lang);
        own.filter(|_| !self.visit.chosen)
            .unwrap_or(self.visit.lang)
    }

    fn now(&self) -> i64 {
        self.visit.at.as_second()
    }

    fn is_organiser(&self) -> bool {
        let own = self.me.as_ref();
        self.visit.admin || own.is_some_and(|me| self.host.is_organiser(&me.email))
    }

    fn visitor(&self) -> Option<Visitor> {
        let me = self.me.as_ref()?;
        Some(Visitor {
            name: me.name.clone(),
            token: self.open.key.form(self.visit.session.as_deref()?),
            organiser: self.is_organiser(),
            card: self.host.till().is_some(),
            serves: self.serves(),
        })
    }

    fn screen(&self, shows: Shows) -> Answer {
        self.screen_that(200, String::new(), shows)
    }

    fn screen_that(&self, status: u16, said: String, shows: Shows) -> Answer {
        Answer::Page(Box::new(Screen {
            status,
            lang: self.lang(),
            visitor: self.visitor(),
            said,
            shows,
        }))
    }

    /// A page that says why nothing was done.
    fn refused(&self, why: &Words) -> Answer {
        let said = sentence(why.get(self.lang()));
        self.screen_that(422, said, Shows::Refused)
    }

    fn go(to: impl Into<String>) -> Answer {
        Answer::Go {
            to: to.into(),
            cookie: None,
        }
    }

    async fn answer(self) -> Answer {
        let path = self.visit.path.clone();
        let mut parts = path.split('/');
        let (first, second, more) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        if more.is_some() {
            return Answer::Nothing;
        }
        if self.visit.form.is_some() {
            return self.form(first, second).await;
        }
        match (first, second) {
            ("", None) => self.list(List::Needs).await,
            ("who", None) => self.list(List::Who).await,
            ("me", None) => self.mine().await,
            ("told", None) => self.ways().await,
            ("in", None) => self.screen(Shows::SignIn {
                back: id_of(&self.visit.back).map_or_else(String::new, |id| id.to_string()),
                sends: self.sends().await,
            }),
            ("sent", None) => self.screen(Shows::Sent),
            ("enter", None) => self.screen(Shows::Enter {
                key: self.visit.key.clone(),
            }),
            ("here", None) => self.arrived().await,
            ("card", None) => self.card().await,
            ("till", None) => self.till(),
            ("till", Some(payment)) => self.paid(payment).await,
            ("calendar", Some(name)) => self.calendar(name).await,
            (id, None) => match id_of(id) {
                Some(id) => {
                    self.looks(move |look| look.item(id).map(|it| Shows::Item(Box::new(it))))
                        .await
                }
                None => Answer::Nothing,
            },
            (id, Some("present")) => match id_of(id) {
                Some(id) => match self.notes_for(id).await {
                    Ok(()) => {
                        let list = move |look: &mut Look<'_>| look.list(id);
                        self.looks(move |look| Some(Shows::Attendance(Box::new(list(look)?))))
                            .await
                    }
                    Err(answer) => answer,
                },
                None => Answer::Nothing,
            },
            _ => Answer::Nothing,
        }
    }

    fn eyes(&self) -> Eyes {
        Eyes {
            open: Arc::clone(&self.open),
            records: Arc::clone(&self.own.records),
            zone: self.settings.zone.clone(),
            now: self.visit.at,
            lang: self.lang(),
            person: self.me.as_ref().map(|me| me.id),
            organiser: self.is_organiser(),
            address: self.settings.place.public_url.clone(),
        }
    }

    /// Looks at the engine, when it is this visitor's turn.
    async fn read<T: Send + 'static>(
        &self,
        see: impl FnOnce(&mut Engine) -> T + Send + 'static,
    ) -> Result<T, Answer> {
        let (seen, _) = self.own.reading.look(self.desk, see).await?;
        Ok(seen)
    }

    /// The same with the visitor's eyes.
    async fn look<T: Send + 'static>(
        &self,
        see: impl FnOnce(&mut Look<'_>) -> T + Send + 'static,
    ) -> Result<T, Answer> {
        let eyes = self.eyes();
        self.read(move |engine| eyes.look(engine, see)).await
    }

    /// Looks at the engine, and shows what was seen.
    async fn looks(
        &self,
        see: impl FnOnce(&mut Look<'_>) -> Option<Shows> + Send + 'static,
    ) -> Answer {
        match self.look(see).await {
            Ok(Some(shows)) => self.screen(shows),
            Ok(None) => Answer::Nothing,
            Err(answer) => answer,
        }
    }

    /// A list that everybody sees, with what is this visitor's own.
    async fn list(&self, list: List) -> Answer {
        let anybody = Eyes {
            person: None,
            organiser: false,
            ..self.eyes()
        };
        let make = move || -> lists::Seeing {
            Box::new(move |engine| {
                anybody.look(engine, |look| match list {
                    List::Needs => look.needs(),
                    List::Who => look.who(),
                })
            })
        };
        let own = &self.own;
        let asked = own.lists.get(
            (list, self.lang()),
            self.now(),
            (&own.reading, self.desk),
            make,
        );
        let lines = match asked.await {
            Ok(lines) => lines,
            Err(answer) => return answer,
        };
        let signed_up = match self.me.as_ref().map(|me| me.id) {
            None => Vec::new(),
            Some(me) => match self.read(move |engine| engine.sign_ups_of(me)).await {
                Ok(signed_up) => signed_up,
                Err(answer) => return answer,
            },
        };
        let offers = seen::of_one(&lines, &signed_up, self.is_organiser());
        self.screen(match list {
            List::Needs => Shows::Needs(offers),
            List::Who => Shows::Who(offers),
        })
    }

    async fn mine(&self) -> Answer {
        let Some(me) = &self.me else {
            return Self::go("in");
        };
        let Some(edition) = Open::edition(self.desk, me.id).await else {
            return Answer::NotReady;
        };
        let name = self.open.key.calendar(me.id, edition);
        let calendar = format!("{}/hands/calendar/{name}", self.settings.place.public_url);
        let shown = me.shown;
        self.looks(move |look| {
            let (coming, past) = look.mine();
            Some(Shows::Mine(Box::new(Mine {
                coming,
                past,
                shown,
                calendar,
            })))
        })
        .await
    }

    async fn calendar(&self, name: &str) -> Answer {
        let Some((person, edition)) = self.open.key.read_calendar(name) else {
            return Answer::Nothing;
        };
        match Open::edition(self.desk, person).await {
            Some(now) if now == edition => {}
            Some(_) => return Answer::Nothing,
            None => return Answer::NotReady,
        }
        let (title, zone, now) = (
            self.settings.place.name.clone(),
            self.settings.zone.clone(),
            self.visit.at,
        );
        let made = self.read(move |engine| {
            me(engine, person)?;
            Some(calendar::of(engine, person, &title, &zone, now))
        });
        match made.await {
            Ok(Some(text)) => Answer::Calendar(text),
            Ok(None) => Answer::Nothing,
            Err(answer) => answer,
        }
    }

    /// Whether links can be sent: never from a copy or a rehearsal.
    async fn sends(&self) -> bool {
        let muted = self.read(|engine| engine.state().muted.is_some());
        self.host.sends() && muted.await.is_ok_and(|muted| !muted)
    }

    fn for_organisers(&self) -> Answer {
        if self.me.is_none() {
            return Self::go("in");
        }
        let said = match self.lang() {
            Lang::Fr => {
                "Seules les personnes nommées dans la configuration, ou par la tâche, notent les présences."
            }
            Lang::En => "Only people named in the configuration, or by the task, note who came.",
        };
        self.screen_that(403, said.to_owned(), Shows::Refused)
    }

    /// Goes on for whoever organises, or is named by the task itself to say who did it.
    async fn notes_for(&self, subject: EntityId) -> Result<(), Answer> {
        if self.is_organiser() {
            return Ok(());
        }
        let chosen = match self.me.as_ref().map(|me| me.id) {
            Some(me) => {
                self.read(move |engine| engine.validates(me, subject))
                    .await?
            }
            None => false,
        };
        chosen.then_some(()).ok_or_else(|| self.for_organisers())
    }

    async fn form(self, first: &str, second: Option<&str>) -> Answer {
        match (first, second) {
            ("in", None) => return self.asks_for_link().await,
            ("enter", None) => return self.enters().await,
            _ => {}
        }
        // The place's own token is no cookie: no other site can make a browser show it.
        let session = self
            .visit
            .session
            .as_deref()
            .filter(|_| self.session.is_some());
        match session {
            Some(cookie) => {
                if !self.open.key.is_form(cookie, self.visit.field("t")) {
                    return self.screen_that(403, self.stale(), Shows::Refused);
                }
                if !self.own.forms.allows(&keys::digest(cookie), self.now()) {
                    return Answer::TooMany(PATIENCE);
                }
            }
            None if self.visit.admin => {}
            None => return Self::go("in"),
        }
        match (first, second) {
            ("out", None) => self.leaves().await,
            ("up", None) => self.signs_up().await,
            ("off", None) => self.signs_off().await,
            ("came", None) => self.says_came().await,
            ("name", None) => self.names().await,
            ("told", None) => self.tells().await,
            ("calendar", None) => match &self.me {
                Some(me) if Open::renew(self.desk, me.id).await.is_some() => Self::go("me"),
                Some(_) => Answer::NotReady,
                None => Self::go("in"),
            },
            ("here", None) => self.notes_code().await,
            ("till", None) => self.takes().await,
            (id, Some("present")) => match id_of(id) {
                Some(id) => match self.notes_for(id).await {
                    Ok(()) => self.notes(id).await,
                    Err(answer) => answer,
                },
                None => Answer::Nothing,
            },
            _ => Answer::Nothing,
        }
    }

    fn stale(&self) -> String {
        let said = match self.lang() {
            Lang::Fr => "Cette page était trop vieille : rien n’a été fait. Recommencez.",
            Lang::En => "This page was too old: nothing was done. Start again.",
        };
        said.to_owned()
    }

    /// Hands an order to the writer.
    async fn order(&self, order: Order) -> Result<Reply, Answer> {
        match self.desk.try_input(Input::Order(order)).await {
            Ok(Some(reply)) => Ok(reply),
            Ok(None) => Err(Answer::Busy),
            Err(_) => Err(Answer::NotReady),
        }
    }

    async fn signs_up(&self) -> Answer {
        let (Some(me), Some(subject)) = (&self.me, id_of(self.visit.field("subject"))) else {
            return Answer::Nothing;
        };
        // What cannot be seen cannot be signed up for.
        match self.look(move |look| look.sees(subject)).await {
            Ok(true) => {}
            Ok(false) => return Answer::Nothing,
            Err(answer) => return answer,
        }
        let asked = SignUp {
            subject,
            who: Who {
                email: me.email.clone(),
                name: self.visit.field("name").to_owned(),
                ..Who::default()
            },
            places: 1,
            comment: self
                .visit
                .field("comment")
                .trim()
                .chars()
                .take(1_000)
                .collect(),
        };
        match self.order(Order::SignUp(Box::new(asked))).await {
            Ok(Reply::SignedUp { .. }) => Self::go(subject.to_string()),
            Ok(Reply::Cannot(why)) => self.refused(&why),
            Ok(_) => Answer::NotReady,
            Err(answer) => answer,
        }
    }

    /// The visitor's own sign-up that a form names.
    async fn own(&self) -> Result<Option<Standpoint>, Answer> {
        let me = self.me.as_ref().map(|me| me.id);
        let Some((me, named)) = me.zip(id_of(self.visit.field("registration"))) else {
            return Ok(None);
        };
        self.read(move |engine| {
            let mut all = engine.sign_ups_of(me).into_iter();
            all.find(|own| own.registration == named)
        })
        .await
    }

    async fn signs_off(&self) -> Answer {
        let own = match self.own().await {
            Ok(Some(own)) => own,
            Ok(None) => return Answer::Nothing,
            Err(answer) => return answer,
        };
        let back = id_of(self.visit.field("back")).map(|id| id.to_string());
        match self.order(Order::SignOff(own.registration)).await {
            Ok(Reply::Cannot(why)) => self.refused(&why),
            Ok(_) => Self::go(back.unwrap_or_else(|| "me".to_owned())),
            Err(answer) => answer,
        }
    }

    async fn says_came(&self) -> Answer {
        let own = match self.own().await {
            Ok(Some(own)) => own,
            Ok(None) => return Answer::Nothing,
            Err(answer) => return answer,
        };
        let registration = own.registration;
        let may = match self.look(move |look| look.is_on(own.subject)).await {
            Ok(begun) => begun && own.standing == Commitment::Registered,
            Err(answer) => return answer,
        };
        if !may {
            return self.refused(&Words::new(
                "cela n'a pas encore commencé, ou la présence est déjà notée",
                "it has not begun yet, or attendance is noted already",
            ));
        }
        match self
            .attendance(registration, Some(true), Attested::Own)
            .await
        {
            Ok(Reply::Cannot(why)) => self.refused(&why),
            Ok(_) => Self::go("me"),
            Err(answer) => answer,
        }
    }

    async fn attendance(
        &self,
        registration: EntityId,
        came: Option<bool>,
        by: Attested,
    ) -> Result<Reply, Answer> {
        let said = Vouching {
            who: self.me.as_ref().map(|me| me.id),
            registration,
            came,
            minutes: None,
            by,
        };
        self.order(Order::Vouch(Box::new(said))).await
    }

    async fn names(&self) -> Answer {
        let Some(me) = &self.me else {
            return Self::go("in");
        };
        let who = Who {
            email: me.email.clone(),
            name: self.visit.field("name").to_owned(),
            shown: Some(self.visit.field("shown") == "yes"),
            lang: None,
        };
        match self.order(Order::Introduce(Box::new(who))).await {
            Ok(Reply::Cannot(why)) => self.refused(&why),
            Ok(_) => Self::go("me"),
            Err(answer) => answer,
        }
    }
}

fn id_of(text: &str) -> Option<EntityId> {
    text.parse().ok()
}

/// With a capital at its head and a full stop at its end.
fn sentence(text: &str) -> String {
    super::told::sentence(text)
}
