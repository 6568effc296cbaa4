//! The pages at a place at work: a crowd of visitors, links, sessions, and a log that cannot be
//! written for a while.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::HeaderMap;
use futures_util::future::join_all;
use jiff::SignedDuration;
use raccord_engine::{Input, Order, Reply, SignUp, Who};
use raccord_kit::SystemClock;
use raccord_model::{EntityId, EntityKind, Lang};
use raccord_web::hands::{Answer, Offer, Shows, Visit};
use serde_json::json;
use tokio::sync::{mpsc, watch};

use super::doors::{Open, STAYS};
use super::keys::Link;
use super::lists::{List, Lists};
use super::reading::Reading;
use super::{SignUps, keys};
use crate::connectors;
use crate::runtime::desk::{Command, Desk, Same, stopped};
use crate::runtime::simulated::world::World;
use crate::settings::{self, Settings};

const SHEET: &str =
    "Titre,Date,Heure,Type,Salle\nRéunion de rentrée,02/02/2027,18h30,Réunion,Halle\n";
const RECIPE: &str = "[[recipes]]\nwhen = { kind = 'Réunion' }\n\
     tasks = [{ title = 'Animer', capacity = 1 }, { title = 'Participer' }]\n";

/// A place with pages, and its pages as visitors have them.
struct Lieu {
    world: World,
    settings: Settings,
    sign_ups: SignUps,
}

impl Lieu {
    async fn open() -> Self {
        let sheet = "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = 'p.csv'\nevery = '10s'\n";
        let world = World::start(&format!("{sheet}{RECIPE}"), &[("p.csv", SHEET)]).await;
        world
            .pass(SignedDuration::from_secs(30), SignedDuration::from_secs(5))
            .await;
        let file = world.path("pages.toml");
        let text = "[place]\nid = 'lieu'\nname = 'Le lieu'\ntimezone = 'Europe/Paris'\nlanguage = 'fr'\ndata = 'elsewhere'\n\
             [web]\npublic_url = 'https://lieu.example.org'\n\
             [connectors.hands]\nkind = 'signup'\nurl = 'smtp://127.0.0.1:1'\nfrom = 'a@example.org'\n\
             organisers = ['olga@example.org']\n";
        std::fs::write(&file, text).unwrap();
        let settings = settings::load(&file, &BTreeMap::new()).unwrap();
        let clock: Arc<dyn raccord_kit::Clock> = Arc::new(SystemClock::default());
        let tools = connectors::build(&settings, &clock, "none".as_ref()).unwrap();
        let sign_ups = SignUps::default();
        sign_ups.follows(&Arc::new(tools));
        Self {
            world,
            settings,
            sign_ups,
        }
    }

    fn visit(&self, path: &str, cookie: Option<&str>, form: Option<&[(&str, &str)]>) -> Visit {
        let field = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Visit {
            at: self.world.now(),
            path: path.to_owned(),
            key: String::new(),
            back: String::new(),
            form: form.map(|form| form.iter().map(field).collect()),
            session: cookie.map(str::to_owned),
            network: "192.0.2.1".to_owned(),
            lang: Lang::Fr,
            chosen: false,
            admin: false,
        }
    }

    async fn get(&self, path: &str, cookie: Option<&str>) -> Answer {
        let visit = self.visit(path, cookie, None);
        let desk = &self.world.desk;
        self.sign_ups.visit(desk, &self.settings, visit).await
    }

    async fn send(&self, desk: &Desk, path: &str, fields: &[(&str, &str)]) -> Answer {
        let visit = self.visit(path, None, Some(fields));
        self.sign_ups.visit(desk, &self.settings, visit).await
    }

    /// A form of somebody who signed in.
    async fn sends(&self, cookie: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.doors().await.key.form(cookie);
        let fields = [&[("t", token.as_str())], fields].concat();
        let visit = self.visit(path, Some(cookie), Some(&fields));
        let desk = &self.world.desk;
        self.sign_ups.visit(desk, &self.settings, visit).await
    }

    /// Somebody signed in; gives their cookie.
    async fn enters(&self, email: &str) -> String {
        let link = self.link(email).await;
        cookie(&self.send(&self.world.desk, "enter", &[("k", &link)]).await)
    }

    /// Another program posts an event.
    async fn posts(&self, event: serde_json::Value) {
        let mut headers = HeaderMap::new();
        let media = "application/cloudevents+json".parse().unwrap();
        headers.insert("content-type", media);
        let form = raccord_web::form_of(&headers).unwrap();
        let changes = raccord_web::read(form, event.to_string().as_bytes(), 10).unwrap();
        let reply = self.world.desk.input(Input::Posted(changes)).await.unwrap();
        assert_eq!(reply, Reply::Taken);
    }

    async fn doors(&self) -> Arc<Open> {
        let now = self.world.now().as_second();
        let place = &self.settings.place.id;
        let open = self.sign_ups.doors.open(&self.world.desk, place, now);
        open.await.unwrap()
    }

    async fn link(&self, email: &str) -> String {
        let link = Link {
            email: email.to_owned(),
            until: self.world.now().as_second() + 600,
            lang: Lang::Fr,
            back: String::new(),
        };
        self.doors().await.key.seal(&link).unwrap()
    }

    /// The names of the remarks that begin so.
    async fn remarks(&self, prefix: &'static str) -> usize {
        let metas = self.world.desk.ask(|_, log| log.metas().unwrap());
        let metas = metas.await.unwrap();
        metas.keys().filter(|name| name.starts_with(prefix)).count()
    }

    async fn task(&self, title: &'static str) -> EntityId {
        let find = move |engine: &mut raccord_engine::Engine| {
            let mut all = engine.state().entities.iter();
            let named = all.find(|(_, record)| {
                record.kind == EntityKind::Task && record.title().as_deref() == Some(title)
            });
            *named.unwrap().0
        };
        self.world.state(find).await
    }

    async fn signs_up(&self, subject: EntityId, email: String, name: &str, shown: bool) {
        let who = Who {
            email,
            name: name.to_owned(),
            shown: Some(shown),
            ..Who::default()
        };
        let asked = SignUp {
            subject,
            who,
            places: 1,
            comment: String::new(),
        };
        let order = Input::Order(Order::SignUp(Box::new(asked)));
        let reply = self.world.desk.input(order).await.unwrap();
        assert!(matches!(reply, Reply::SignedUp { .. }), "{reply:?}");
    }
}

fn cookie(answer: &Answer) -> String {
    let Answer::Go { cookie, .. } = answer else {
        panic!("{answer:?}");
    };
    cookie.as_ref().unwrap().value.clone()
}

fn offers(answer: Answer) -> Vec<Offer> {
    match answer {
        Answer::Page(screen) => match screen.shows {
            Shows::Needs(offers) | Shows::Who(offers) => offers,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn two_hundred_who_look_at_once_are_one_look_and_see_what_is_durable() {
    let lieu = Lieu::open().await;
    let (lists, reading) = (Lists::default(), Reading::default());
    let made = Arc::new(AtomicUsize::new(0));
    let crowd = || {
        let (lists, reading, made) = (&lists, &reading, &made);
        let desk = &lieu.world.desk;
        let one = move || async move {
            let made = Arc::clone(made);
            let see = || -> super::lists::Seeing {
                Box::new(move |_| {
                    made.fetch_add(1, Ordering::SeqCst);
                    Vec::new()
                })
            };
            let asked = lists.get((List::Needs, Lang::Fr), 0, (reading, desk), see);
            asked.await.map(drop).unwrap();
        };
        join_all((0..200).map(move |_| one()))
    };
    crowd().await;
    assert_eq!(made.load(Ordering::SeqCst), 1);
    crowd().await;
    assert_eq!(made.load(Ordering::SeqCst), 1, "nothing happened since");
    let task = lieu.task("Animer").await;
    lieu.signs_up(task, "a@example.org".to_owned(), "Ana", false)
        .await;
    let later = async {
        let second = SignedDuration::from_secs(1);
        lieu.world.pass(second * 5, second).await;
    };
    tokio::join!(crowd(), later);
    assert_eq!(made.load(Ordering::SeqCst), 2, "something happened");
    // While others go on signing up, those who wait share what was made since they came.
    let others = async {
        for n in 0..20 {
            let email = format!("p{n}@example.org");
            lieu.signs_up(task, email, "X", false).await;
            lieu.world
                .pass(
                    SignedDuration::from_millis(200),
                    SignedDuration::from_millis(50),
                )
                .await;
        }
        // A look during which the hour was moved is rested from for so much longer.
        let second = SignedDuration::from_secs(1);
        lieu.world.pass(second * 30, second).await;
    };
    tokio::join!(crowd(), others);
    let made = made.load(Ordering::SeqCst);
    assert!(made <= 4, "made {made} times for one crowd");
    lieu.world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_list_tells_what_is_missing_and_names_those_who_agreed_where_names_are_shown() {
    let lieu = Lieu::open().await;
    let task = lieu.task("Participer").await;
    for (n, shown) in [(1, true), (2, false), (3, true)] {
        let name = format!("Ana {n}");
        let email = format!("a{n}@example.org");
        lieu.signs_up(task, email, &name, shown).await;
    }
    let needs = offers(lieu.get("", None).await);
    assert_eq!(needs.len(), 1, "{needs:?}");
    assert_eq!((needs[0].title.as_str(), needs[0].missing), ("Animer", 1));
    let who = offers(lieu.get("who", None).await);
    assert_eq!(who[0].people, ["Ana 1", "Ana 3"]);
    assert_eq!((who[0].unnamed, who[0].taken), (1, 3));
    lieu.world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_link_that_let_nobody_in_is_good_again() {
    let lieu = Lieu::open().await;
    let link = lieu.link("ana@example.org").await;
    let deaf = takes_no_orders(&lieu.world.desk);
    let refused = lieu.send(&deaf, "enter", &[("k", &link)]).await;
    assert!(matches!(refused, Answer::NotReady), "{refused:?}");
    let entered = lieu.send(&lieu.world.desk, "enter", &[("k", &link)]).await;
    assert!(matches!(entered, Answer::Go { .. }), "{entered:?}");
    let again = lieu.send(&lieu.world.desk, "enter", &[("k", &link)]).await;
    let Answer::Page(screen) = again else {
        panic!("{again:?}");
    };
    assert_eq!(screen.status, 422);
    drop(deaf);
    lieu.world.end().await;
}

/// The way to a place that answers what it is asked, and takes no orders.
fn takes_no_orders(desk: &Desk) -> Desk {
    let (tell, mut hear) = mpsc::channel(16);
    let real = desk.tell.downgrade();
    tokio::spawn(async move {
        while let Some(command) = hear.recv().await {
            match command {
                Command::Input { reply, .. } => drop(reply.send(Err(stopped()))),
                other => match real.upgrade() {
                    Some(real) => drop(real.send(other).await),
                    None => return,
                },
            }
        }
    });
    Desk {
        tell,
        ..desk.clone()
    }
}

/// The way to a place whose log cannot be reached.
fn nobody() -> Desk {
    Desk {
        tell: mpsc::channel(1).0,
        status: watch::channel(None).1,
        standings: watch::channel(BTreeMap::new()).1,
        pulse: watch::channel(crate::runtime::desk::Pulse::default()).1,
        same: Same::default(),
    }
}

#[tokio::test(start_paused = true)]
async fn who_could_not_be_signed_out_is_told_so_and_can_try_again() {
    let lieu = Lieu::open().await;
    let link = lieu.link("ana@example.org").await;
    let entered = lieu.send(&lieu.world.desk, "enter", &[("k", &link)]).await;
    let cookie = cookie(&entered);
    let doors = lieu.doors().await;
    let now = lieu.world.now().as_second();
    assert!(doors.end(&nobody(), &cookie).await.is_none());
    assert!(doors.session(&cookie, now).is_some(), "nothing was done");
    assert!(doors.end(&lieu.world.desk, &cookie).await.is_some());
    assert!(doors.session(&cookie, now).is_none());
    assert_eq!(lieu.remarks("hands.session.").await, 0);
    lieu.world.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_over_is_let_go_without_a_restart() {
    let lieu = Lieu::open().await;
    let doors = lieu.doors().await;
    let now = lieu.world.now().as_second();
    let ana = EntityId::derive(&[b"ana"]);
    let desk = &lieu.world.desk;
    assert_eq!(Open::uses(desk, "link", now + 600).await, Some(true));
    let old = doors.begin(desk, ana, now).await.unwrap();
    let after = now + STAYS + 1;
    doors.begin(desk, ana, after - 10).await.unwrap();
    assert_eq!(lieu.remarks("hands.session.").await, 2);
    assert_eq!(lieu.remarks("hands.used.").await, 0);
    doors.begin(desk, ana, after + 24 * 3_600).await.unwrap();
    assert_eq!(lieu.remarks("hands.session.").await, 2, "the first is over");
    assert!(doors.session(&old, now).is_none(), "nor is it kept here");
    assert_ne!(keys::digest(&old), old);
    lieu.world.end().await;
}

#[tokio::test(start_paused = true)]
async fn whoever_signs_in_again_has_another_session_and_the_first_one_is_over() {
    let lieu = Lieu::open().await;
    let first = lieu.enters("ana@example.org").await;
    let link = lieu.link("ana@example.org").await;
    let visit = lieu.visit("enter", Some(&first), Some(&[("k", &link)]));
    let desk = &lieu.world.desk;
    let again = lieu.sign_ups.visit(desk, &lieu.settings, visit).await;
    let second = cookie(&again);
    assert_ne!(first, second);
    let doors = lieu.doors().await;
    let now = lieu.world.now().as_second();
    assert!(doors.session(&first, now).is_none());
    assert!(doors.session(&second, now).is_some());
    assert_eq!(lieu.remarks("hands.session.").await, 1);
    lieu.world.end().await;
}

#[tokio::test(start_paused = true)]
async fn nobody_does_anything_with_the_sign_up_of_somebody_else() {
    let lieu = Lieu::open().await;
    let task = lieu.task("Participer").await;
    let ana = lieu.enters("ana@example.org").await;
    let subject = task.to_string();
    let up = lieu.sends(&ana, "up", &[("subject", &subject)]).await;
    assert!(matches!(up, Answer::Go { .. }), "{up:?}");
    let registration = lieu
        .world
        .state(move |engine| engine.sheet(task).on[0].to_string())
        .await;
    let bob = lieu.enters("bob@example.org").await;
    for form in ["off", "came"] {
        let fields = [("registration", registration.as_str())];
        let done = lieu.sends(&bob, form, &fields).await;
        assert!(matches!(done, Answer::Nothing), "{form}: {done:?}");
    }
    // Nor do they note who came.
    let fields = [("seen", registration.as_str()), ("do", "all")];
    let list = format!("{subject}/present");
    let Answer::Page(screen) = lieu.sends(&bob, &list, &fields).await else {
        panic!("another answer");
    };
    assert_eq!(screen.status, 403);
    let sheet = lieu.world.state(move |engine| engine.sheet(task)).await;
    assert_eq!((sheet.on.len(), sheet.absent.len()), (1, 0));
    // Its owner does.
    let off = [("registration", registration.as_str())];
    let done = lieu.sends(&ana, "off", &off).await;
    assert!(matches!(done, Answer::Go { .. }), "{done:?}");
    lieu.world.end().await;
}

#[tokio::test(start_paused = true)]
async fn whom_a_task_names_notes_who_did_it_and_an_organiser_is_told_why_they_do_not() {
    let lieu = Lieu::open().await;
    lieu.posts(json!({
        "specversion": "1.0", "id": "1", "source": "/t", "subject": "sono",
        "type": "org.raccord.task.created.v1",
        "data": { "title": "Sono", "due": "2027-02-03", "credits": 150, "capacity": 2,
                  "validators": ["équipe technique", "zoe@example.org"] },
    }))
    .await;
    let look = |engine: &mut raccord_engine::Engine| {
        let entities = engine.state().entities.iter();
        let mut tasks = entities.filter(|(_, it)| it.title().as_deref() == Some("Sono"));
        *tasks.next().unwrap().0
    };
    let task = lieu.world.state(look).await;
    let subject = task.to_string();
    let list = format!("{subject}/present");
    let status = |answer: Answer| match answer {
        Answer::Page(screen) => (screen.status, screen.said),
        Answer::Go { .. } => (303, String::new()),
        other => panic!("{other:?}"),
    };
    let zoe = lieu.enters("zoe@example.org").await;
    let bob = lieu.enters("bob@example.org").await;
    let olga = lieu.enters("olga@example.org").await;
    for cookie in [&bob, &zoe] {
        let up = lieu.sends(cookie, "up", &[("subject", &subject)]).await;
        assert!(matches!(up, Answer::Go { .. }), "{up:?}");
    }
    let on = lieu.world.state(move |engine| engine.sheet(task).on).await;
    let on = on.iter().map(EntityId::to_string).collect::<Vec<_>>();
    let bobs = [("seen", on[0].as_str()), ("here", on[0].as_str())];
    let zoes = [("seen", on[1].as_str()), ("here", on[1].as_str())];

    // Bob is on it, and no more: he does not see the list. Olga organises, and was not chosen.
    assert_eq!(status(lieu.get(&list, Some(&bob)).await).0, 403);
    assert_eq!(status(lieu.get(&list, Some(&olga)).await).0, 200);
    let (refused, said) = status(lieu.sends(&olga, &list, &bobs).await);
    assert_eq!(refused, 422);
    assert!(said.contains("personnes choisies pour valider"), "{said}");
    // Zoé was, for everybody but herself.
    let Answer::Page(screen) = lieu.get(&subject, Some(&zoe)).await else {
        panic!("another answer");
    };
    assert!(matches!(screen.shows, Shows::Item(item) if item.notes));
    assert_eq!(status(lieu.get(&list, Some(&zoe)).await).0, 200);
    let (refused, said) = status(lieu.sends(&zoe, &list, &zoes).await);
    assert_eq!(refused, 422);
    assert!(said.contains("à quelqu'un d'autre de le dire"), "{said}");
    assert_eq!(status(lieu.sends(&zoe, &list, &bobs).await).0, 303);
    let credited = lieu.world.state(|engine| engine.credits().len()).await;
    assert_eq!(credited, 1);
    lieu.world.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_internal_is_shown_to_those_on_it_and_to_nobody_else() {
    let lieu = Lieu::open().await;
    lieu.posts(json!({
        "specversion": "1.0", "id": "1", "source": "/t", "subject": "ca",
        "type": "org.raccord.activity.created.v1",
        "data": { "title": "Bureau", "start": "2027-02-03T18:00", "kind": "Réunion", "visibility": "internal" },
    }))
    .await;
    let ana = lieu.enters("ana@example.org").await;
    let internal = lieu
        .world
        .state(|engine| {
            let bureau = engine.state().activities();
            let mut bureau = bureau.filter(|(_, it)| it.title().as_deref() == Some("Bureau"));
            let (id, _) = bureau.next().unwrap();
            engine.tasks_of(id)[0]
        })
        .await;
    let path = internal.to_string();
    let bob = lieu.enters("bob@example.org").await;
    let sees = async |cookie: Option<&str>| {
        let listed = offers(lieu.get("", cookie).await);
        let shown = lieu.get(&path, cookie).await;
        let listed = listed.iter().any(|offer| offer.of == "Bureau");
        (listed, matches!(shown, Answer::Page(_)))
    };
    for cookie in [None, Some(ana.as_str())] {
        assert_eq!(sees(cookie).await, (false, false));
    }
    let up = lieu.sends(&bob, "up", &[("subject", &path)]).await;
    assert!(matches!(up, Answer::Nothing), "{up:?}");
    // The place puts her on it: she sees that one, and others still do not.
    lieu.signs_up(internal, "ana@example.org".to_owned(), "Ana", false)
        .await;
    let second = SignedDuration::from_secs(1);
    lieu.world.pass(second * 2, second).await;
    assert!(sees(Some(&ana)).await.1);
    assert_eq!(sees(Some(&bob)).await, (false, false));
    lieu.world.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_internal_task_of_a_public_activity_is_not_shown_with_it_nor_taken_by_who_knows_its_address()
 {
    let lieu = Lieu::open().await;
    let of_title = async |title: &'static str| {
        lieu.world
            .state(move |engine| {
                let mut all = engine.state().entities.iter();
                let known = all.find(|(_, it)| it.title().as_deref() == Some(title));
                *known.unwrap().0
            })
            .await
    };
    let activity = of_title("Réunion de rentrée").await;
    lieu.posts(json!({
        "specversion": "1.0", "id": "1", "source": "/t", "subject": "coffre",
        "type": "org.raccord.task.created.v1",
        "data": { "title": "Vider le coffre", "activity": activity.to_string(), "capacity": 2,
                  "visibility": "internal" },
    }))
    .await;
    let safe = of_title("Vider le coffre").await;
    let (path, page) = (safe.to_string(), activity.to_string());
    let names = |answer: &Answer| {
        let shown = format!("{answer:?}");
        assert!(shown.contains("Animer"), "what is public is shown: {shown}");
        shown.contains("Vider le coffre") || shown.contains(&path)
    };
    let ana = lieu.enters("ana@example.org").await;
    let olga = lieu.enters("olga@example.org").await;
    for (cookie, sees) in [(None, false), (Some(&ana), false), (Some(&olga), true)] {
        let cookie = cookie.map(String::as_str);
        for list in ["", page.as_str()] {
            let shown = lieu.get(list, cookie).await;
            assert_eq!(names(&shown), sees, "{list:?} for {cookie:?}");
        }
        let shown = lieu.get(&path, cookie).await;
        assert_eq!(matches!(shown, Answer::Page(_)), sees, "{shown:?}");
    }
    let up = lieu.sends(&ana, "up", &[("subject", &path)]).await;
    assert!(matches!(up, Answer::Nothing), "{up:?}");
    let taken = lieu.world.state(move |engine| engine.taken(safe)).await;
    assert_eq!(taken, (0, 0));
    let up = lieu.sends(&olga, "up", &[("subject", &path)]).await;
    assert!(matches!(up, Answer::Go { .. }), "{up:?}");
    // That somebody is on it is not told either.
    let second = SignedDuration::from_secs(1);
    lieu.world.pass(second * 2, second).await;
    for (cookie, sees) in [(None, false), (Some(&ana), false), (Some(&olga), true)] {
        let shown = lieu.get("who", cookie.map(String::as_str)).await;
        let shown = format!("{:?}", offers(shown));
        assert_eq!(shown.contains("Vider le coffre"), sees, "{shown}");
    }
    lieu.world.end().await;
}
