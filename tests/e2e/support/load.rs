//! Users: a bounded load on a node port of this machine, and what they were answered.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Failures that are kept in words.
const KEPT: usize = 5;

/// Clients that call hello-a until they are stopped. Nothing is ever tried again.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    served: Arc<Mutex<Served>>,
    clients: Vec<JoinHandle<()>>,
    began: Instant,
}

/// What the clients were answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Served {
    pub(crate) requests: usize,
    pub(crate) failed: usize,
    /// Answers of a hello-a of one colour with a hello-b of the other.
    pub(crate) mixed: usize,
    /// Answers by the versions of hello-a and hello-b in them.
    pub(crate) versions: BTreeMap<(String, String), usize>,
    /// The first failures, in words.
    pub(crate) failures: Vec<String>,
    pub(crate) lasted: Duration,
}

impl Load {
    /// Starts so many clients, every other one on kept-alive connections,
    /// each with a pause between its requests.
    pub(crate) fn start(port: u16, clients: usize, pause: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let served = Arc::new(Mutex::new(Served::default()));
        let start = |number: usize| {
            let (stop, served) = (Arc::clone(&stop), Arc::clone(&served));
            std::thread::spawn(move || {
                let mut client = Client {
                    port,
                    keep_alive: number.is_multiple_of(2),
                    connection: None,
                };
                while !stop.load(Ordering::Relaxed) {
                    let answer = client.get();
                    served.lock().unwrap().note(answer);
                    std::thread::sleep(pause);
                }
            })
        };
        let clients = (0..clients).map(start).collect();
        Self {
            stop,
            served,
            clients,
            began: Instant::now(),
        }
    }

    /// What they were answered so far.
    pub(crate) fn so_far(&self) -> Served {
        let mut served = self.served.lock().unwrap().clone();
        served.lasted = self.began.elapsed();
        served
    }

    /// Ends the clients and gives what they were answered.
    pub(crate) fn stop(mut self) -> Served {
        self.stop.store(true, Ordering::Relaxed);
        self.clients
            .drain(..)
            .for_each(|client| client.join().unwrap());
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
    Client {
        port,
        keep_alive: false,
        connection: None,
    }
    .get()
}

impl Served {
    fn note(&mut self, answer: Result<Value, String>) {
        self.requests += 1;
        match answer {
            Ok(answer) => {
                let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
                let b = &answer["hello-b"];
                let (a_pod, b_pod) = (text(&answer, "pod"), text(b, "pod"));
                let of = |pod: &str, app: &str| {
                    pod.strip_prefix(app).map(|rest| rest.starts_with("blue"))
                };
                self.mixed += usize::from(of(&a_pod, "hello-a-") != of(&b_pod, "hello-b-"));
                *self
                    .versions
                    .entry((text(&answer, "version"), text(b, "version")))
                    .or_default() += 1;
            }
            Err(failure) => {
                self.failed += 1;
                if self.failures.len() < KEPT {
                    self.failures
                        .push(format!("request {}: {failure}", self.requests));
                }
            }
        }
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

struct Client {
    port: u16,
    keep_alive: bool,
    connection: Option<BufReader<TcpStream>>,
}

impl Client {
    fn get(&mut self) -> Result<Value, String> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self
                .connect()
                .map_err(|error| format!("connecting: {error}"))?,
        };
        let reused = if self.keep_alive { "kept-alive" } else { "new" };
        self.exchange(connection)
            .map_err(|error| format!("on a {reused} connection: {error}"))
    }

    fn connect(&self) -> std::io::Result<BufReader<TcpStream>> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(BufReader::new(stream))
    }

    fn exchange(&mut self, mut connection: BufReader<TcpStream>) -> Result<Value, String> {
        let io = |error: std::io::Error| error.to_string();
        let wanted = if self.keep_alive {
            "keep-alive"
        } else {
            "close"
        };
        let request = format!(
            "GET / HTTP/1.1\r\nHost: hello\r\nUser-Agent: user\r\nConnection: {wanted}\r\n\r\n"
        );
        connection
            .get_mut()
            .write_all(request.as_bytes())
            .map_err(io)?;
        let mut line = || {
            let mut line = String::new();
            match connection.read_line(&mut line).map_err(io)? {
                0 => Err("closed before the answer was complete".to_owned()),
                _ => Ok(line.trim_end().to_ascii_lowercase()),
            }
        };
        let status = line()?;
        let (mut length, mut closes) = (None, false);
        loop {
            let header = line()?;
            match header
                .split_once(':')
                .map(|(name, value)| (name, value.trim()))
            {
                None => break,
                Some(("content-length", value)) => length = value.parse::<usize>().ok(),
                Some(("connection", value)) => closes = value == "close",
                Some(_) => {}
            }
        }
        let mut body = vec![0; length.ok_or("no content-length")?];
        connection.read_exact(&mut body).map_err(io)?;
        if self.keep_alive && !closes {
            self.connection = Some(connection);
        }
        let body = String::from_utf8_lossy(&body);
        if !status.starts_with("http/1.1 200") {
            return Err(format!("{status}: {}", body.trim()));
        }
        serde_json::from_str(&body).map_err(|error| error.to_string())
    }
}
