//! Users: a bounded load on a node port of this machine, and what they were answered.

mod client;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use client::Client;

/// Requests after which clients stop by themselves, whatever became of the test.
const MOST: usize = 300_000;
/// Failures that are kept in words.
const KEPT: usize = 5;

/// Clients that call hello-a until they are stopped. Nothing is ever tried again.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    heard: Arc<Mutex<Heard>>,
    clients: Vec<JoinHandle<()>>,
    began: Instant,
}

/// What the clients were answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Served {
    pub(crate) requests: usize,
    pub(crate) failed: usize,
    /// Answers that are not of a hello-a and a hello-b of the same colour.
    pub(crate) mixed: usize,
    /// Answers by the versions of hello-a and hello-b in them.
    pub(crate) versions: BTreeMap<(String, String), usize>,
    /// The first failures, in words.
    pub(crate) failures: Vec<String>,
    pub(crate) lasted: Duration,
}

/// What was answered to the requests of a stretch of time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stretch {
    pub(crate) requests: usize,
    pub(crate) failed: usize,
    pub(crate) mixed: usize,
    /// The longest that one of them took, failed ones included.
    pub(crate) slowest: Duration,
}

#[derive(Default)]
struct Heard {
    served: Served,
    requests: Vec<Request>,
}

/// One request: when it was sent, how long it took, and what came of it.
struct Request {
    at: Timestamp,
    took: Duration,
    end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Answered,
    Mixed,
    Failed,
}

impl Load {
    /// Starts so many clients, every other one on kept-alive connections. Each
    /// sends a request every so often, and never one before the last was answered.
    pub(crate) fn start(port: u16, clients: usize, every: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let heard = Arc::new(Mutex::new(Heard::default()));
        let began = Instant::now();
        let start = |number: usize| {
            let (stop, heard) = (Arc::clone(&stop), Arc::clone(&heard));
            // One after the other, not all at the same moment.
            let share = u32::try_from(number).unwrap() * every / u32::try_from(clients).unwrap();
            std::thread::spawn(move || {
                let mut client = Client::new(port, number.is_multiple_of(2));
                let mut due = began + share;
                while !stop.load(Ordering::Relaxed) {
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    let (at, sent) = (Timestamp::now(), Instant::now());
                    let answer = client.get();
                    let so_far = heard.lock().unwrap().note(at, sent.elapsed(), answer);
                    if so_far >= MOST {
                        break;
                    }
                    // What was missed is not made up for by a burst.
                    due = (due + every).max(Instant::now());
                }
            })
        };
        let clients = (0..clients).map(start).collect();
        Self {
            stop,
            heard,
            clients,
            began,
        }
    }

    /// What they were answered so far.
    pub(crate) fn so_far(&self) -> Served {
        let mut served = self.heard.lock().unwrap().served.clone();
        served.lasted = self.began.elapsed();
        served
    }

    /// What came of the requests sent from one moment up to another.
    pub(crate) fn between(&self, from: Timestamp, until: Timestamp) -> Stretch {
        let heard = self.heard.lock().unwrap();
        let sent = |request: &&Request| from <= request.at && request.at < until;
        let mut stretch = Stretch::default();
        for request in heard.requests.iter().filter(sent) {
            stretch.requests += 1;
            stretch.failed += usize::from(request.end == End::Failed);
            stretch.mixed += usize::from(request.end == End::Mixed);
            stretch.slowest = stretch.slowest.max(request.took);
        }
        stretch
    }

    /// Ends the clients and waits for their last answers.
    pub(crate) fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.clients
            .drain(..)
            .for_each(|client| client.join().unwrap());
    }

    /// Ends the clients and gives what they were answered.
    pub(crate) fn stop(mut self) -> Served {
        self.end();
        self.so_far()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// One answer of hello-a, right now.
pub(crate) fn get(port: u16) -> Result<Value, String> {
    Client::new(port, false).get()
}

impl Heard {
    /// Takes note of an answer, and says how many there are.
    fn note(&mut self, at: Timestamp, took: Duration, answer: Result<Value, String>) -> usize {
        let answer = answer.map_err(|failure| format!("sent {at}, after {took:.1?}: {failure}"));
        let end = self.served.note(answer);
        self.requests.push(Request { at, took, end });
        self.requests.len()
    }
}

impl Served {
    fn note(&mut self, answer: Result<Value, String>) -> End {
        self.requests += 1;
        let answer = match answer {
            Ok(answer) => answer,
            Err(failure) => {
                self.failed += 1;
                if self.failures.len() < KEPT {
                    self.failures
                        .push(format!("request {}: {failure}", self.requests));
                }
                return End::Failed;
            }
        };
        let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
        let b = &answer["hello-b"];
        let (a_pod, b_pod) = (text(&answer, "pod"), text(b, "pod"));
        let of = |pod: &str, app: &str| pod.strip_prefix(app).map(|rest| rest.starts_with("blue"));
        let (a, b_of) = (of(&a_pod, "hello-a-"), of(&b_pod, "hello-b-"));
        let is_mixed = a.is_none() || a != b_of;
        self.mixed += usize::from(is_mixed);
        let versions = (text(&answer, "version"), text(b, "version"));
        *self.versions.entry(versions).or_default() += 1;
        if is_mixed { End::Mixed } else { End::Answered }
    }

    /// Fails unless every request was answered, each by one version of the group.
    #[track_caller]
    pub(crate) fn assert_undisturbed(&self) {
        assert_eq!((self.failed, self.mixed), (0, 0), "{self}");
    }
}

impl fmt::Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (requests, seconds) = (self.requests, self.lasted.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        let rate = requests as f64 / seconds;
        write!(f, "{requests} requests in {seconds:.0} s ({rate:.0}/s), ")?;
        write!(f, "{} failed, {} mixed", self.failed, self.mixed)?;
        for ((a, b), count) in &self.versions {
            write!(f, "\n  {count} from hello-a {a}, hello-b {b}")?;
        }
        self.failures
            .iter()
            .try_for_each(|failure| write!(f, "\n  {failure}"))
    }
}
