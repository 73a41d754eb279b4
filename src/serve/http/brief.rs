//! Connections that end by themselves: who asks and does not listen, or says nothing,
//! would else have one for ever, and the process has only so many.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};

/// How long one lives, whatever it is for: who asks again, connects again.
const LIFE: Duration = Duration::from_secs(30);

/// Takes such connections.
pub(super) struct Brief(pub(super) TcpListener);

/// One of them.
pub(super) struct Connection {
    stream: TcpStream,
    end: Pin<Box<Sleep>>,
}

impl Listener for Brief {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // It waits where there are too many.
        let (stream, address) = Listener::accept(&mut self.0).await;
        let end = Box::pin(sleep(LIFE));
        (Connection { stream, end }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connection {
    /// Lets it be used until its end.
    fn live<T>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        now: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let this = self.get_mut();
        if this.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        now(Pin::new(&mut this.stream), cx)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.live(cx, |stream, cx| stream.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.live(cx, |stream, cx| stream.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.live(cx, AsyncWrite::poll_flush)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.live(cx, AsyncWrite::poll_shutdown)
    }
}
