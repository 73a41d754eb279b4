//! A wire to a server, which a test may cut.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Passes everything on, until it is cut.
pub(crate) struct Wire {
    port: u16,
    cut: Arc<Mutex<Option<Cut>>>,
    carrier: JoinHandle<()>,
}

/// Once a client has sent this, nothing goes through any more.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cut {
    /// It does not arrive.
    Before(&'static str),
    /// It arrives, and its answer does not.
    After(&'static str),
}

impl Cut {
    fn is_by(self, sent: &[u8]) -> bool {
        let (Self::Before(word) | Self::After(word)) = self;
        sent.windows(word.len()).any(|part| part == word.as_bytes())
    }
}

impl Wire {
    /// To the port of a Postgres at that address.
    pub(crate) async fn to(address: Ipv4Addr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut = Arc::default();
        let carrier = tokio::spawn({
            let cut = Arc::clone(&cut);
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    let server = TcpStream::connect((address, 5432)).await.unwrap();
                    tokio::spawn(carry(client, server, Arc::clone(&cut)));
                }
            }
        });
        Self { port, cut, carrier }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The next one who sends that is cut off.
    pub(crate) fn cut(&self, cut: Cut) {
        *self.cut.lock().unwrap() = Some(cut);
    }

    /// Whether nobody was, so far.
    pub(crate) fn is_whole(&self) -> bool {
        self.cut.lock().unwrap().is_some()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}

async fn carry(mut client: TcpStream, mut server: TcpStream, cut: Arc<Mutex<Option<Cut>>>) {
    let (mut sent, mut answer) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            Ok(length) = client.read(&mut sent) => {
                let sent = &sent[..length];
                let now = cut.lock().unwrap().take_if(|cut| cut.is_by(sent));
                if length == 0 || matches!(now, Some(Cut::Before(_))) {
                    return;
                }
                server.write_all(sent).await.unwrap();
                if now.is_some() {
                    let _ = server.read(&mut answer).await;
                    return;
                }
            }
            Ok(length) = server.read(&mut answer) => {
                if length == 0 || client.write_all(&answer[..length]).await.is_err() {
                    return;
                }
            }
            else => return,
        }
    }
}
