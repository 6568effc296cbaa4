//! One place, its clock, and who is asked what and when.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use raccord_engine::{Engine, Input, Order, Reply};
use raccord_kit::hook::Hook;
use raccord_kit::{
    BoxFuture, Choice, Clock, Finding, Job, Made, ManualClock, Shared, Sink, Source, Titles, Tool,
};
use raccord_model::{
    ConnectorName, Context, Event, Failure, Found, Manifest, Observation, Rendered, Subject,
};
use raccord_web::{Face, Feed, Limits};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::connectors::{self, Tools};
use crate::runtime::at_work::publisher;
use crate::runtime::desk::Desk;
use crate::runtime::effects::Effects;
use crate::runtime::face::Here;
use crate::runtime::figures::Counted;
use crate::runtime::hands;
use crate::runtime::home::Home;
use crate::runtime::hooks::Hooks;
use crate::runtime::load;
use crate::runtime::node::Process;
use crate::runtime::secrets;
use crate::runtime::sources::SourceTask;
use crate::runtime::watching::Watching;
use crate::runtime::writer::{Sleep, Start, Writer, WriterOptions};
use crate::settings;

/// How long the machine may take for what takes no time here.
const PATIENCE: Duration = Duration::from_mins(2);

/// The hour everything begins at.
pub(crate) const BEGIN: &str = "2027-01-02T08:00:00Z";

/// A place at work.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) desk: Desk,
    /// Events of durable commits, oldest first.
    pub(crate) events: Arc<Mutex<Vec<Event>>>,
    address: SocketAddr,
    asked: Arc<Asked>,
    tasks: JoinSet<()>,
    stop: CancellationToken,
    writer: Option<Writer>,
    // While a blocking task runs, time stands still unless it is moved.
    _still: std::sync::mpsc::Sender<()>,
}

/// Which tools were asked something, and when.
#[derive(Default)]
struct Asked {
    at: Mutex<Vec<(ConnectorName, Timestamp)>>,
    now: AtomicUsize,
    /// No source is read any more: whoever asks waits.
    frozen: AtomicBool,
}

impl World {
    /// A place whose configuration, after its head, is `config`; `files` stand beside it. To be
    /// called in a paused runtime of one thread.
    pub(crate) async fn start(config: &str, files: &[(&str, &str)]) -> Self {
        Self::begin(config, files, false).await
    }

    /// The same, whose sources never answer.
    pub(crate) async fn start_frozen(config: &str) -> Self {
        Self::begin(config, &[], true).await
    }

    async fn begin(config: &str, files: &[(&str, &str)], frozen: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let head = "[place]\nid = 'lieu'\nname = 'Le lieu'\ntimezone = 'Europe/Paris'\nlanguage = 'fr'\ndata = 'data'\n";
        let file = folder.path().join("raccord.toml");
        std::fs::write(&file, format!("{head}{config}")).unwrap();
        for (name, text) in files {
            write(&folder.path().join(name), text);
        }
        let settings = settings::load(&file, &BTreeMap::new()).unwrap();
        let clock = Arc::new(ManualClock::at(BEGIN.parse().unwrap()));
        let (still, wait) = std::sync::mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || wait.recv().is_err());

        let shared: Arc<dyn Clock> = clock.clone();
        let asked = Arc::new(Asked::default());
        asked.frozen.store(frozen, Ordering::SeqCst);
        let watched = |(name, inner): (ConnectorName, Box<dyn Tool>)| {
            let tool: Box<dyn Tool> = Box::new(Watched {
                name: name.clone(),
                inner,
                clock: Arc::clone(&shared),
                asked: Arc::clone(&asked),
            });
            (name, tool)
        };
        let typesetter = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../connectors/programme/tests/children/echoes");
        let tools = connectors::build(&settings, &shared, &typesetter).unwrap();
        let tools: Arc<Tools> = Arc::new(tools.into_iter().map(watched).collect());

        let events = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&events);
        let feed = Feed::new(16);
        let counted = Arc::new(Counted::of(settings.connectors.keys()));
        let publish = publisher(&feed, &counted, settings.place.id.clone());
        let stop = CancellationToken::new();
        let home = Home::folder(&settings.place.id, &settings.data);
        let effects = Effects::new(
            Arc::clone(&tools),
            Arc::clone(&shared),
            home.clone(),
            stop.clone(),
        );
        let options = WriterOptions {
            set: hands::set(&settings, &tools),
            clock: Arc::clone(&shared),
            publish: Some(Box::new(move |commit, new, vault| {
                kept.lock().unwrap().extend_from_slice(new);
                publish(commit, new, vault);
            })),
            start: Start::AtOnce,
            sleep: Some(Sleep {
                after: Duration::from_secs(60),
                turns: Arc::new(Semaphore::new(1)),
            }),
            turn: None,
        };
        let loaded = load::open_writer(&home).unwrap();
        let (writer, desk) = Writer::start(loaded, options, effects).unwrap();
        let (watch, replaced) = secrets::watch(
            settings.clone(),
            Arc::clone(&tools),
            desk.clone(),
            stop.clone(),
        );
        let watching = Watching::start();
        let hooks = Arc::new(Hooks::of(&tools, &Hooks::default()));
        let mut tasks = JoinSet::new();
        tasks.spawn(watch);
        for name in tools.keys().filter(|name| tools[*name].source().is_some()) {
            let task = SourceTask {
                name: name.clone(),
                tools: Arc::clone(&tools),
                desk: desk.clone(),
                clock: Arc::clone(&shared),
                watching: Arc::clone(&watching),
                stop: stop.clone(),
                replaced: replaced.clone(),
                hinted: hooks.hints(name),
            };
            tasks.spawn(task.run());
        }
        let address = {
            let node = Arc::new(Process::new(shared.clone(), false, false));
            let slot = node.adds(&settings);
            node.has_begun();
            let face = Face::new(node.clone(), Limits::default(), stop.clone());
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tasks.spawn(async move { face.serve(listener).await });
            let here = Here::new(settings, home, desk.clone(), shared, (feed, counted), 100);
            here.opens(hooks);
            let here = Arc::new(here);
            slot.runs(here.clone());
            tasks.spawn(here.keep_fresh(stop.clone()));
            address
        };
        let world = Self {
            address,
            folder,
            clock,
            desk,
            events,
            asked,
            tasks,
            stop,
            writer: Some(writer),
            _still: still,
        };
        world.settle().await;
        world
    }

    /// A path in its folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Changes a file, in one step as programs save.
    pub(crate) fn write(&self, name: &str, text: &str) {
        write(&self.path(name), text);
    }

    /// Lets time pass, in steps of at most `step`.
    pub(crate) async fn pass(&self, time: SignedDuration, step: SignedDuration) {
        let until = self.now().checked_add(time).unwrap();
        while self.now() < until {
            let step = until.duration_since(self.now()).min(step);
            self.clock.advance(step);
            tokio::time::advance(Duration::try_from(step).unwrap()).await;
            self.settle().await;
        }
    }

    /// Waits until nothing is under way that needs no time.
    pub(crate) async fn settle(&self) {
        for _ in 0..4 {
            for _ in 0..16 {
                tokio::task::yield_now().await;
            }
            let began = std::time::Instant::now();
            while self.asked.now.load(Ordering::SeqCst) > 0 {
                // By the machine's clock: the other one stands still meanwhile.
                let waited = began.elapsed();
                assert!(waited < PATIENCE, "a tool does not answer");
                tokio::task::yield_now().await;
            }
            if !self.sleeps() {
                self.desk.peek(|_, _| ()).await.unwrap();
            }
        }
    }

    /// Lets time pass until the place sleeps; gives how long that took.
    pub(crate) async fn until_it_sleeps(&self) -> SignedDuration {
        let began = self.now();
        while !self.sleeps() {
            let passed = self.now().duration_since(began);
            assert!(
                passed < SignedDuration::from_mins(5),
                "it does not fall asleep"
            );
            let step = SignedDuration::from_secs(1);
            self.clock.advance(step);
            tokio::time::advance(Duration::try_from(step).unwrap()).await;
            // Its thread falls asleep in its own time, and asking would keep it awake.
            for _ in 0..100 {
                tokio::task::yield_now().await;
                std::thread::yield_now();
            }
        }
        self.now().duration_since(began)
    }

    /// Whether the place sleeps.
    pub(crate) fn sleeps(&self) -> bool {
        self.desk.pulse().borrow().asleep
    }

    /// Asks its web face: the status, and what it says.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        self.talk(&format!("GET {path}"), "", "").await
    }

    /// A call of a tool that shows `secret`.
    pub(crate) async fn call(&self, connector: &str, secret: &str) -> (u16, String) {
        let head = format!("authorization: Bearer {secret}\r\n");
        self.talk(&format!("POST /hooks/{connector}"), &head, "")
            .await
    }

    /// A call of a tool that shows `secret` and says something.
    pub(crate) async fn call_about(
        &self,
        connector: &str,
        secret: &str,
        body: &str,
    ) -> (u16, String) {
        let head = format!("authorization: Bearer {secret}\r\ncontent-type: application/json\r\n");
        self.talk(&format!("POST /hooks/{connector}"), &head, body)
            .await
    }

    /// A call of a tool that shows its secret in what it says.
    pub(crate) async fn call_with(&self, connector: &str, kind: &str, body: &str) -> (u16, String) {
        let head = format!("content-type: {kind}\r\n");
        self.talk(&format!("POST /hooks/{connector}"), &head, body)
            .await
    }

    async fn talk(&self, line: &str, head: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let length = body.len();
        let request = format!(
            "{line} HTTP/1.1\r\nhost: lieu\r\n{head}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        (answer[9..12].parse().unwrap(), answer)
    }

    /// The hour it is.
    pub(crate) fn now(&self) -> Timestamp {
        Clock::now(&*self.clock)
    }

    /// When `connector` was asked something.
    pub(crate) fn asked(&self, connector: &str) -> Vec<Timestamp> {
        let all = self.asked.at.lock().unwrap();
        let ours = all.iter().filter(|(name, _)| name.as_str() == connector);
        ours.map(|(_, at)| *at).collect()
    }

    /// From now on a source that is asked does not answer, and says no error either.
    pub(crate) fn freeze(&self) {
        self.asked.frozen.store(true, Ordering::SeqCst);
    }

    /// A look at the engine.
    pub(crate) async fn state<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Engine) -> T + Send + 'static,
    ) -> T {
        self.desk.ask(move |engine, _| look(engine)).await.unwrap()
    }

    /// A person decides.
    pub(crate) async fn order(&self, order: Order) {
        assert_eq!(self.asks(order).await, Reply::Taken);
    }

    /// Somebody asks for something; what they are answered.
    pub(crate) async fn asks(&self, order: Order) -> Reply {
        let reply = self.desk.input(Input::Order(order)).await.unwrap();
        self.settle().await;
        reply
    }

    /// What notices of this code say, each change of one: `open` or `closed`.
    pub(crate) fn told(&self, code: &str) -> Vec<String> {
        let events = self.events.lock().unwrap();
        let notices = events
            .iter()
            .filter(|event| event.data.get("code").is_some_and(|found| found == code));
        notices
            .map(|notice| notice.data["state"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Ends it, as a daemon is stopped.
    pub(crate) async fn end(mut self) {
        self.stop.cancel();
        let writer = self.writer.take().unwrap();
        // One that waits for a source which never answers does not end by itself.
        self.tasks.shutdown().await;
        drop(self.desk);
        assert!(writer.ended().await);
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let part = path.with_extension("part");
    std::fs::write(&part, text).unwrap();
    let mine = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&part, mine).unwrap();
    std::fs::rename(part, path).unwrap();
}

/// A tool whose being asked is written down.
struct Watched {
    name: ConnectorName,
    inner: Box<dyn Tool>,
    clock: Arc<dyn Clock>,
    asked: Arc<Asked>,
}

/// Something is asked of a tool, as long as this lives.
struct UnderWay<'a>(&'a Asked);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Watched {
    fn ask(&self) -> UnderWay<'_> {
        let now = self.clock.now();
        let mut all = self.asked.at.lock().unwrap();
        all.push((self.name.clone(), now));
        self.asked.now.fetch_add(1, Ordering::SeqCst);
        UnderWay(&self.asked)
    }
}

impl Tool for Watched {
    fn describe(&self) -> Manifest {
        self.inner.describe()
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        self.inner.check()
    }

    fn choices(&self) -> BoxFuture<'_, Result<Vec<Choice>, Failure>> {
        self.inner.choices()
    }

    fn source(&self) -> Option<&dyn Source> {
        self.inner.source().map(|_| self as &dyn Source)
    }

    fn sink(&self) -> Option<&dyn Sink> {
        self.inner.sink().map(|_| self as &dyn Sink)
    }

    fn shared(&self) -> Option<&dyn Shared> {
        self.inner.shared()
    }

    fn hook(&self) -> Option<&dyn Hook> {
        self.inner.hook()
    }
}

impl Source for Watched {
    fn observe<'a>(
        &'a self,
        cursor: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Observation, Failure>> {
        Box::pin(async move {
            if self.asked.frozen.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            let _under_way = self.ask();
            self.inner.source().unwrap().observe(cursor).await
        })
    }

    fn news<'a>(&'a self, cursor: Option<&'a str>) -> BoxFuture<'a, bool> {
        self.inner.source().unwrap().news(cursor)
    }

    fn counts(&self) -> bool {
        self.inner.source().unwrap().counts()
    }

    fn titles(&self) -> Option<&dyn Titles> {
        self.inner.source().unwrap().titles()
    }

    fn every(&self) -> (Duration, Option<PathBuf>) {
        // Files are looked at by their period only: what the machine tells of them comes whenever
        // it likes.
        (self.inner.source().unwrap().every().0, None)
    }
}

impl Sink for Watched {
    fn target(&self) -> String {
        self.inner.sink().unwrap().target()
    }

    fn lost(&self, objects: &[String]) -> Vec<String> {
        self.inner.sink().unwrap().lost(objects)
    }

    fn missing<'a>(&'a self, objects: &'a [String]) -> BoxFuture<'a, Vec<String>> {
        self.inner.sink().unwrap().missing(objects)
    }

    fn render(&self, subject: Subject<'_>, context: &Context<'_>) -> Rendered {
        self.inner.sink().unwrap().render(subject, context)
    }

    fn find<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Found, Failure>> {
        Box::pin(async move {
            let _under_way = self.ask();
            self.inner.sink().unwrap().find(job).await
        })
    }

    fn apply<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Made, Failure>> {
        Box::pin(async move {
            let _under_way = self.ask();
            self.inner.sink().unwrap().apply(job).await
        })
    }
}
