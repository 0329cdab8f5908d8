//! An upstream whose answers do not end by themselves. It speaks just enough HTTP/1.1 for that.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How often an event comes.
const PACE: Duration = Duration::from_millis(20);

/// A server for as long as the process lives. What it answers is chosen by the end of the path: `/socket` takes the upgrade and echoes,
/// `/events` sends events, `/echo` sends the body back as it comes, `/upload` only reads.
pub(crate) struct LongServer {
    address: SocketAddr,
    open: Arc<Mutex<Vec<String>>>,
}

impl LongServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let open = Arc::new(Mutex::new(Vec::new()));
        let shared = open.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let open = shared.clone();
                thread::spawn(move || serve(&client?, &open));
            }
        });
        Self { address, open }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether a request for `path` is being served.
    pub(crate) fn serves(&self, path: &str) -> bool {
        let open = self.open.lock().unwrap();
        open.iter().any(|other| other == path)
    }
}

fn serve(client: &TcpStream, open: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut reader = BufReader::new(client);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    while line != "\r\n" {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
    }
    open.lock().unwrap().push(path.clone());
    // However it goes wrong, the client has left.
    let _ = answer(&path, &mut reader, client);
    let _ = client.shutdown(Shutdown::Both);
    open.lock().unwrap().retain(|other| *other != path);
    Ok(())
}

fn answer(path: &str, body: &mut impl Read, mut client: &TcpStream) -> io::Result<()> {
    let kind = path.rsplit('/').next().unwrap_or_default();
    match kind {
        "socket" => {
            client.write_all(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")?;
            io::copy(body, &mut client).map(drop)
        }
        "events" => {
            client.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")?;
            loop {
                client.write_all(b"9\r\ndata: x\n\n\r\n")?;
                thread::sleep(PACE);
            }
        }
        // The chunks of the body are sent back as they are: they are chunks of the answer then.
        "echo" => {
            client.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ntransfer-encoding: chunked\r\n\r\n")?;
            io::copy(body, &mut client).map(drop)
        }
        _ => io::copy(body, &mut io::sink()).map(drop),
    }
}
