//! One HTTP client on a node port. Nothing is ever tried again: what a library
//! would repeat in silence has to be seen.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A client that asks one question after the other.
pub(super) struct Client {
    port: u16,
    keep_alive: bool,
    connection: Option<BufReader<TcpStream>>,
}

impl Client {
    /// A client of a port of this machine, on one connection for as long as
    /// the server keeps it, or on a new one for every request.
    pub(super) fn new(port: u16, keep_alive: bool) -> Self {
        Self {
            port,
            keep_alive,
            connection: None,
        }
    }

    /// Asks once. A failure is said in words, with the kind of connection.
    pub(super) fn get(&mut self) -> Result<Value, String> {
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
