//! Mattermost and Rocket.Chat over hours and days: away, closed, full of what cannot be taken, asked
//! things.

use std::sync::Arc;

use jiff::SignedDuration;
use raccord_engine::Order;
use raccord_kit::standin::{Play, Reply, Seen, Standin};

use super::mattermost::server::{RateLimit, Server as Mattermost, TOKEN as MATTERMOST_TOKEN};
use super::rocketchat::server::{BOT, Server as RocketChat, TOKEN as ROCKETCHAT_TOKEN};
use super::world::World;
use super::{listen, said_about};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// The server that is played.
#[derive(Clone)]
enum Server {
    Mattermost(Mattermost),
    RocketChat(RocketChat),
}

impl Server {
    fn answer(&self, seen: &Seen) -> Play {
        match self {
            Self::Mattermost(server) => server.answer(seen),
            Self::RocketChat(server) => server.answer(seen),
        }
    }

    /// Whether a request says something new, or says it anew.
    fn says(seen: &Seen) -> bool {
        let path = seen.path.split('?').next().unwrap_or_default();
        path.ends_with("/posts") && seen.method == "POST" && !path.contains("search")
            || path.ends_with("/patch")
            || path.ends_with("chat.sendMessage")
            || path.ends_with("chat.update")
    }

    /// What stands in the room, oldest first.
    fn standing(&self) -> Vec<String> {
        match self {
            Self::Mattermost(server) => {
                let posts = server.standing("chantiers").into_iter();
                posts.map(|post| post.message).collect()
            }
            Self::RocketChat(server) => {
                let messages = server.standing("chantiers").into_iter();
                messages.map(|message| message.text).collect()
            }
        }
    }

    /// What stands in a thread, and in which.
    fn threads(&self) -> Vec<(String, String)> {
        match self {
            Self::Mattermost(server) => {
                let posts = server.standing("chantiers").into_iter();
                let replies = posts.filter(|post| !post.root_id.is_empty());
                replies.map(|post| (post.root_id, post.message)).collect()
            }
            Self::RocketChat(server) => {
                let messages = server.standing("chantiers").into_iter();
                messages
                    .filter_map(|message| Some((message.tmid?, message.text)))
                    .collect()
            }
        }
    }

    fn member_says(&self, text: &str) -> String {
        match self {
            Self::Mattermost(server) => server.says("anna", "chantiers", text),
            Self::RocketChat(server) => server.says("anna", "chantiers", text),
        }
    }

    /// A second program of ours has an account, with the token `second`.
    fn second(&self) {
        match self {
            Self::Mattermost(server) => {
                let mut state = server.state();
                let bot = state.add_user("second", true);
                state.tokens.insert("second".to_owned(), bot.clone());
                state.team_members.insert(bot.clone());
                state.channel_mut("chantiers").members.insert(bot);
            }
            Self::RocketChat(server) => {
                let mut state = server.state();
                let bot = state.add_user("second", &["bot"]);
                let good = (bot.clone(), i64::MAX);
                state.tokens.insert("second".to_owned(), good);
                state.room_mut("chantiers").members.insert(bot);
            }
        }
    }

    /// Only this token is good from now on.
    fn only(&self, token: &str) {
        match self {
            Self::Mattermost(server) => {
                let mut state = server.state();
                let bot = state.user("raccord");
                state.tokens = [(token.to_owned(), bot)].into();
            }
            Self::RocketChat(server) => {
                server.state().tokens = [(token.to_owned(), (BOT.to_owned(), i64::MAX))].into();
            }
        }
    }
}

/// A chat, and what it does to requests before it answers them.
struct Stage {
    standin: Standin,
    server: Server,
}

impl Stage {
    async fn mattermost() -> Self {
        let clock = Arc::new(raccord_kit::ManualClock::at(
            super::world::BEGIN.parse().unwrap(),
        ));
        Self::of(Server::Mattermost(Mattermost::new(clock, None))).await
    }

    async fn rocketchat() -> Self {
        let clock = Arc::new(raccord_kit::ManualClock::at(
            super::world::BEGIN.parse().unwrap(),
        ));
        Self::of(Server::RocketChat(RocketChat::new(clock, None))).await
    }

    async fn of(server: Server) -> Self {
        let standin = Standin::start().await;
        let stage = Self { standin, server };
        stage.answers(|_| None);
        stage
    }

    /// Answers as the server does, but for what `first` answers itself.
    fn answers(&self, first: impl Fn(&Seen) -> Option<Play> + Send + 'static) {
        let server = self.server.clone();
        self.standin
            .direct(move |seen| first(seen).unwrap_or_else(|| server.answer(seen)));
    }

    async fn world(&self, name: &str, sheet: &str) -> World {
        let world = match self.server {
            Server::Mattermost(_) => self.of_account(name, "", MATTERMOST_TOKEN, sheet).await,
            Server::RocketChat(_) => self.of_account(name, BOT, ROCKETCHAT_TOKEN, sheet).await,
        };
        match &self.server {
            Server::Mattermost(server) => server.state().clock = Arc::clone(&world.clock),
            Server::RocketChat(server) => server.state().clock = Arc::clone(&world.clock),
        }
        world
    }

    /// Another program of ours, by the account `second`.
    async fn second_world(&self, sheet: &str) -> World {
        let user = match &self.server {
            Server::Mattermost(_) => String::new(),
            Server::RocketChat(server) => server.state().user("second"),
        };
        self.of_account("other", &user, "second", sheet).await
    }

    async fn of_account(&self, name: &str, user: &str, token: &str, sheet: &str) -> World {
        let own = match self.server {
            Server::Mattermost(_) => "kind = 'mattermost'\nteam = 'raffinerie'".to_owned(),
            Server::RocketChat(_) => format!("kind = 'rocketchat'\nuser_id = '{user}'"),
        };
        let config = format!(
            "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = 'programme.csv'\nevery = '10s'\n\
             [connectors.{name}]\n{own}\nurl = '{}'\ntoken_file = 'secret'\nchannel = 'chantiers'\n\
             listen = ['chantiers']\nevery = '1m'\nhook_secret = 'hook-canary'\n\
             [guards]\nchange_count = 1000\n",
            self.standin.url("/")
        );
        let files = [("programme.csv", sheet), ("secret", token)];
        World::start(&config, &files).await
    }
}

fn sheet(lines: usize, room: &str) -> String {
    let first = jiff::civil::date(2027, 1, 12);
    let line = |n: usize| {
        let day = first.saturating_add(jiff::ToSpan::days(n as i64));
        format!("Bal {n},{day},20:30,{room}\n")
    };
    let head = "Titre,Date,Début,Salle\n".to_owned();
    std::iter::once(head).chain((0..lines).map(line)).collect()
}

async fn away(stage: Stage, name: &str) {
    listen();
    let world = stage.world(name, &sheet(1, "Halle")).await;
    world.pass(MINUTE * 8, SECOND * 5).await;
    assert_eq!(stage.server.standing().len(), 1);

    stage.answers(|_| Some(Reply::status(502).into()));
    world.write("programme.csv", &sheet(40, "Halle"));
    world.pass(MINUTE * 26 * 60, SECOND * 10).await;
    assert_eq!(world.told("outage"), ["open"]);
    assert_eq!(world.told("dead"), [""; 0]);

    stage.answers(|_| None);
    world.pass(MINUTE * 10, SECOND).await;
    assert_eq!(stage.server.standing().len(), 40);
    assert_eq!(world.told("outage"), ["open", "closed"]);
    let said = said_about(&format!("connector=\"{name}\""));
    let halves = said_about(&format!("connector={name}"));
    assert!(said.len() <= 2 && halves.len() <= 2, "{said:#?}{halves:#?}");
    world.end().await;
}

async fn poisoned(stage: Stage) {
    stage.answers(|seen| {
        let poisoned = String::from_utf8_lossy(&seen.body).contains("Bal 42");
        (Server::says(seen) && poisoned).then(|| Reply::status(415).into())
    });
    let world = stage.world("chat", &sheet(100, "Halle")).await;
    world.pass(MINUTE * 10, SECOND * 2).await;
    assert_eq!(stage.server.standing().len(), 99);
    let dead = world
        .state(|engine| {
            let sinks = engine.state().sinks.values();
            let dead = sinks.flat_map(|sink| &sink.dead);
            dead.map(|(id, aside)| (*id, aside.failure.clone()))
                .collect::<Vec<_>>()
        })
        .await;
    let [(delivery, failure)] = &dead[..] else {
        panic!("{dead:?}");
    };
    assert!(!failure.mend.fr.is_empty() && failure.mend.fr != failure.mend.en);
    assert_eq!(world.told("dead"), ["open"]);

    stage.answers(|_| None);
    world.order(Order::Retry(*delivery)).await;
    world.pass(MINUTE * 8, SECOND * 2).await;
    assert_eq!(stage.server.standing().len(), 100);
    world.end().await;
}

async fn newest(stage: Stage) {
    let world = stage.world("chat", &sheet(1, "Halle")).await;
    world.pass(MINUTE * 8, SECOND * 5).await;
    assert!(stage.server.standing()[0].contains("Halle"));
    stage.answers(|seen| Server::says(seen).then(|| Reply::status(503).into()));
    world.write("programme.csv", &sheet(1, "Cour"));
    world.pass(MINUTE * 30, SECOND * 10).await;
    world.write("programme.csv", &sheet(1, "Jardin"));
    world.pass(MINUTE * 30, SECOND * 10).await;
    stage.answers(|_| None);
    world.pass(MINUTE * 10, SECOND * 2).await;
    let standing = stage.server.standing();
    assert!(standing[0].contains("Jardin"), "{standing:?}");
    assert!(
        standing.iter().all(|text| !text.contains("Cour")),
        "the older one is never said: {standing:?}"
    );
    let threads = stage.server.threads();
    assert_eq!(threads.len(), 1, "one reply says what moved: {threads:?}");
    assert!(threads[0].1.contains("Jardin"), "{threads:?}");
    world.end().await;
}

async fn revoked(stage: Stage) {
    let world = stage.world("chat", &sheet(1, "Halle")).await;
    world.pass(MINUTE * 8, SECOND * 5).await;
    stage.server.only("fresh");
    let shown = |stage: &Stage| stage.standin.seen().len();
    let before = shown(&stage);
    world.write("programme.csv", &sheet(5, "Halle"));
    world.pass(MINUTE * 55, SECOND * 10).await;
    let shown = shown(&stage) - before;
    assert!((1..=3).contains(&shown), "shown {shown} times in an hour");
    assert_eq!(world.told("access"), ["open"], "it is told once");
    world.write("secret", "fresh");
    world.pass(MINUTE * 8, SECOND * 5).await;
    assert_eq!(stage.server.standing().len(), 5, "nothing is lost");
    assert_eq!(world.told("access"), ["open", "closed"]);
    world.end().await;
}

/// A question is answered in its thread, once, also when its own words come by a call and again by
/// reading.
async fn asked(stage: Stage, call: impl Fn(&str) -> (&'static str, String)) {
    let world = stage.world("chat", &sheet(3, "Halle")).await;
    world.pass(MINUTE * 8, SECOND * 5).await;
    let id = stage.server.member_says("!programme");
    let (kind, body) = call(&id);
    for _ in 0..3 {
        let (status, answer) = world.call_with("chat", kind, &body).await;
        assert_eq!(status, 200);
        assert!(!answer.ends_with("\r\n\r\n"), "an empty answer is repeated");
    }
    world.pass(SECOND * 2, SECOND / 4).await;
    let threads = stage.server.threads();
    assert_eq!(threads.len(), 1, "within two seconds: {threads:?}");
    assert_eq!(threads[0].0, id);
    assert!(threads[0].1.contains("Bal 0"), "{threads:?}");
    world.pass(MINUTE * 5, SECOND).await;
    assert_eq!(stage.server.threads().len(), 1, "and once");

    // Without a call the server's own connection tells of it: as soon, though it is read once a minute.
    let reads = |stage: &Stage| stage.standin.seen().len();
    let before = reads(&stage);
    world.pass(MINUTE * 10, SECOND).await;
    let quiet = reads(&stage) - before;
    assert!(quiet <= 60, "{quiet} calls in ten quiet minutes");
    stage.server.member_says("!programme");
    world.pass(SECOND * 2, SECOND / 10).await;
    assert_eq!(stage.server.threads().len(), 2, "within two seconds");
    let forged = body.replace("hook-canary", "guess");
    assert_eq!(world.call_with("chat", kind, &forged).await.0, 401);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_mattermost_that_is_away_for_26_hours_has_everything_in_the_end_and_it_is_said_twice() {
    away(Stage::mattermost().await, "mattermost-absent").await;
}

#[tokio::test(start_paused = true)]
async fn a_rocketchat_that_is_away_for_26_hours_has_everything_in_the_end_and_it_is_said_twice() {
    away(Stage::rocketchat().await, "rocketchat-absent").await;
}

#[tokio::test(start_paused = true)]
async fn one_post_of_a_hundred_that_mattermost_refuses_is_set_aside_and_said_once_it_is_taken() {
    poisoned(Stage::mattermost().await).await;
}

#[tokio::test(start_paused = true)]
async fn one_message_of_a_hundred_that_rocketchat_refuses_is_set_aside_and_said_once_it_is_taken() {
    poisoned(Stage::rocketchat().await).await;
}

#[tokio::test(start_paused = true)]
async fn in_mattermost_an_older_room_is_never_said_after_a_newer_one() {
    newest(Stage::mattermost().await).await;
}

#[tokio::test(start_paused = true)]
async fn in_rocketchat_an_older_room_is_never_said_after_a_newer_one() {
    newest(Stage::rocketchat().await).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_that_mattermost_revoked_is_shown_seldom_and_its_successor_is_noticed() {
    revoked(Stage::mattermost().await).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_that_rocketchat_revoked_is_shown_seldom_and_its_successor_is_noticed() {
    revoked(Stage::rocketchat().await).await;
}

#[tokio::test(start_paused = true)]
async fn a_question_in_mattermost_is_answered_within_two_seconds_and_once() {
    let stage = Stage::mattermost().await;
    let Server::Mattermost(server) = &stage.server else {
        unreachable!()
    };
    let (channel, anna) = {
        let state = server.state();
        (state.channel("chantiers"), state.user("anna"))
    };
    asked(stage, move |id| {
        let body = format!("token=hook-canary&channel_id={channel}&user_id={anna}&post_id={id}&text=%21programme&trigger_word=%21programme");
        ("application/x-www-form-urlencoded", body)
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_question_in_rocketchat_is_answered_within_two_seconds_and_once() {
    let stage = Stage::rocketchat().await;
    let Server::RocketChat(server) = &stage.server else {
        unreachable!()
    };
    let (room, anna) = {
        let state = server.state();
        (state.room("chantiers"), state.user("anna"))
    };
    asked(stage, move |id| {
        let body = serde_json::json!({
            "token": "hook-canary", "channel_id": room, "user_id": anna, "message_id": id,
            "text": "!programme", "trigger_word": "!programme", "bot": false,
        });
        ("application/json", body.to_string())
    })
    .await;
}

/// Another program, under a person's account, asks again whenever it is answered.
async fn answered_back(stage: Stage) {
    let world = stage.world("chat", &sheet(3, "Halle")).await;
    world.pass(MINUTE * 8, SECOND * 5).await;
    stage.server.member_says("!programme");
    let mut answered = 0;
    for _ in 0..600 {
        world.pass(SECOND / 2, SECOND / 10).await;
        let answers = stage.server.threads().len();
        if answers > answered {
            answered = answers;
            stage.server.member_says("!programme");
        }
    }
    assert!((5..=20).contains(&answered), "answered {answered} times");
    assert_eq!(world.told("loop"), ["open"], "and it is said");
    let silent = stage.server.threads().len();
    world.pass(MINUTE * 5, SECOND).await;
    assert_eq!(stage.server.threads().len(), silent, "it ended there");
    // Whoever asks afterwards is answered again.
    stage.server.member_says("!programme");
    world.pass(SECOND * 3, SECOND / 10).await;
    assert_eq!(stage.server.threads().len(), silent + 1);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_program_that_answers_back_in_mattermost_stops_at_the_burst_breaker() {
    answered_back(Stage::mattermost().await).await;
}

#[tokio::test(start_paused = true)]
async fn a_program_that_answers_back_in_rocketchat_stops_at_the_burst_breaker() {
    answered_back(Stage::rocketchat().await).await;
}

/// Two Raccords listen to one room: each answers a person once, and neither the other.
async fn two_of_ours(stage: Stage) {
    let first = stage.world("chat", &sheet(3, "Halle")).await;
    stage.server.second();
    let second = stage.second_world(&sheet(3, "Halle")).await;
    for _ in 0..100 {
        first.pass(SECOND * 5, SECOND * 5).await;
        second.pass(SECOND * 5, SECOND * 5).await;
    }
    stage.server.member_says("!programme");
    for _ in 0..240 {
        first.pass(SECOND, SECOND).await;
        second.pass(SECOND, SECOND).await;
    }
    assert_eq!(stage.server.threads().len(), 2, "each answered, once");
    for world in [&first, &second] {
        assert_eq!(world.told("loop"), [""; 0]);
    }
    first.end().await;
    second.end().await;
}

#[tokio::test(start_paused = true)]
async fn two_of_ours_in_one_channel_of_mattermost_do_not_answer_each_other() {
    two_of_ours(Stage::mattermost().await).await;
}

#[tokio::test(start_paused = true)]
async fn two_of_ours_in_one_room_of_rocketchat_do_not_answer_each_other() {
    two_of_ours(Stage::rocketchat().await).await;
}

#[tokio::test(start_paused = true)]
async fn a_slash_command_of_mattermost_is_acknowledged_at_once_and_answered_in_its_channel() {
    let stage = Stage::mattermost().await;
    let world = stage.world("chat", &sheet(3, "Halle")).await;
    world.pass(MINUTE * 8, SECOND * 5).await;
    let Server::Mattermost(server) = &stage.server else {
        unreachable!()
    };
    let (channel, anna) = {
        let state = server.state();
        (state.channel("chantiers"), state.user("anna"))
    };
    let kind = "application/x-www-form-urlencoded";
    let body = format!(
        "token=hook-canary&command=%2Fprogramme&text=&channel_id={channel}&user_id={anna}&trigger_id=abc"
    );
    let (status, answer) = world.call_with("chat", kind, &body).await;
    assert_eq!(status, 200);
    assert!(
        answer.contains("\"response_type\":\"ephemeral\""),
        "{answer}"
    );
    world.pass(SECOND * 2, SECOND / 4).await;
    let said = server.standing("chantiers");
    assert_eq!(said.len(), 4, "three announcements and the answer");
    assert!(said[3].root_id.is_empty() && said[3].message.contains("Bal 0"));
    world.end().await;
}

/// Five hundred due at once: each is said, once, and nobody is asked faster than was declared.
async fn five_hundred(stage: Stage) {
    let world = stage.world("chat", &sheet(500, "Halle")).await;
    world.pass(MINUTE * 12, SECOND / 2).await;
    let standing = stage.server.standing();
    let different: std::collections::BTreeSet<&String> = standing.iter().collect();
    assert_eq!((standing.len(), different.len()), (500, 500));
    assert_eq!(world.told("outage"), [""; 0], "nobody was refused");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn five_hundred_at_once_stay_within_what_mattermost_takes_and_all_arrive() {
    let stage = Stage::mattermost().await;
    if let Server::Mattermost(server) = &stage.server {
        server.state().rate = Some(RateLimit {
            per_second: 10,
            burst: 100,
        });
    }
    five_hundred(stage).await;
}

#[tokio::test(start_paused = true)]
async fn five_hundred_at_once_arrive_in_rocketchat() {
    five_hundred(Stage::rocketchat().await).await;
}

#[tokio::test(start_paused = true)]
async fn without_the_role_bot_rocketchat_takes_ten_a_minute_and_all_arrive_once() {
    let stage = Stage::rocketchat().await;
    if let Server::RocketChat(server) = &stage.server {
        server.state().roles("raccord", &["user"]);
    }
    let world = stage.world("chat", &sheet(60, "Halle")).await;
    world.pass(MINUTE * 40, SECOND).await;
    let standing = stage.server.standing();
    let different: std::collections::BTreeSet<&String> = standing.iter().collect();
    assert_eq!((standing.len(), different.len()), (60, 60));
    assert_eq!(world.told("dead"), [""; 0]);
    world.end().await;
}
