//! An upstream that reports what it saw, byte by byte: it reads nothing into a request, and refuses none.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request without a body, as it arrived.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrival {
    lines: Vec<Vec<u8>>,
}

impl Arrival {
    /// What stands between the method and the version.
    pub(super) fn target(&self) -> String {
        let line = self.lines.first().map(Vec::as_slice).unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let behind_method = line.split_once(' ').map_or("", |(_, rest)| rest);
        let target = behind_method
            .rsplit_once(' ')
            .map_or("", |(target, _)| target);
        target.to_owned()
    }

    /// The values of a header, joined if there are several.
    pub(super) fn header(&self, name: &str) -> String {
        let fields = self
            .lines
            .iter()
            .skip(1)
            .map(|line| String::from_utf8_lossy(line));
        let values: Vec<String> = fields
            .filter_map(|line| {
                let (other, value) = line.split_once(':')?;
                other
                    .eq_ignore_ascii_case(name)
                    .then(|| value.trim().to_owned())
            })
            .collect();
        values.join(", ")
    }
}

/// A server for as long as the process lives.
pub(super) struct Recorder {
    address: SocketAddr,
    arrived: Arc<Mutex<Vec<Arrival>>>,
}

impl Recorder {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let arrived = Arc::<Mutex<Vec<Arrival>>>::default();
        let shared = arrived.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let arrived = shared.clone();
                thread::spawn(move || serve(&client?, &arrived));
            }
            io::Result::Ok(())
        });
        Self { address, arrived }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What arrived since this was last asked.
    pub(super) fn take(&self) -> Vec<Arrival> {
        std::mem::take(&mut self.arrived.lock().unwrap())
    }
}

fn serve(mut client: &TcpStream, arrived: &Mutex<Vec<Arrival>>) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut arrival = Arrival::default();
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line == b"\r\n" {
            arrived.lock().unwrap().push(std::mem::take(&mut arrival));
            client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
        } else {
            line.truncate(line.len().saturating_sub(2));
            arrival.lines.push(line);
        }
    }
}
