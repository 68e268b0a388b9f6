//! Where connections arrive: within limits, and until nobody new is let in.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};

/// How many connections are open at a time, where the system allows it; more wait to be accepted.
const MOST_CONNECTIONS: usize = 16_384;

/// Files and sockets that are no clients' connections: the database's, and the program's own.
const RESERVED_FILES: usize = 128;

/// How long to wait when the system has no room for another connection.
const BREATH: Duration = Duration::from_millis(50);

/// Where connections arrive.
pub(super) struct Listener {
    socket: TcpListener,
    places: Arc<Semaphore>,
}

/// One that arrived, and its place, which is free again when this is dropped.
pub(super) struct Arrival {
    pub(super) stream: TcpStream,
    pub(super) from: SocketAddr,
    pub(super) place: OwnedSemaphorePermit,
}

impl Listener {
    pub(super) fn new(socket: TcpListener) -> Self {
        Self { socket, places: Arc::new(Semaphore::new(room())) }
    }

    /// The next connection, as soon as there is a place for it.
    pub(super) async fn accept(&self) -> Arrival {
        let place = self.places.clone().acquire_owned().await;
        let place = place.expect("the semaphore is never closed");
        loop {
            match self.socket.accept().await {
                Ok((stream, from)) => {
                    // Answers are short: waiting to fill a packet would only delay them.
                    let _ = stream.set_nodelay(true);
                    return Arrival { stream, from, place };
                }
                Err(why) if is_of_one_connection(&why) => {}
                Err(why) => {
                    tracing::error!(cause = %why, "a connection could not be accepted");
                    sleep(BREATH).await;
                }
            }
        }
    }

    /// Let nobody new in, while those go on to arrive who are in already: the system has said yes to
    /// them, and would break off whoever was not accepted when the socket is closed. Where this is
    /// more than the system can do, those are broken off.
    pub(super) fn bar(&self) {
        #[cfg(target_os = "linux")]
        if let Err(why) = socket2::SockRef::from(&self.socket).attach_filter(&BAR) {
            tracing::debug!(cause = %why, "new connections cannot be kept away");
        }
    }
}

/// Drop what asks for a connection (SYN), and let everything else through. Whoever asked asks again
/// after a second, and is then refused.
#[cfg(target_os = "linux")]
const BAR: [socket2::SockFilter; 4] = {
    use socket2::SockFilter;
    const LOAD_BYTE: u16 = 0x30;
    const JUMP_IF_SET: u16 = 0x45;
    const RETURN: u16 = 0x06;
    const FLAGS: u32 = 13;
    const SYN: u32 = 0x02;
    [
        SockFilter::new(LOAD_BYTE, 0, 0, FLAGS),
        SockFilter::new(JUMP_IF_SET, 0, 1, SYN),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ]
};

fn is_of_one_connection(why: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(why.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// How many connections there is room for, after asking the system for as much as it gives.
fn room() -> usize {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    let files = usize::try_from(files).unwrap_or(usize::MAX);
    files.saturating_sub(RESERVED_FILES).clamp(16, MOST_CONNECTIONS)
}
