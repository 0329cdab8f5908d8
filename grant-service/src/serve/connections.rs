//! Connections: so many at once, and none that is open for nothing. What a request may cost once it is there, its turn bounds.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::serve::Listener;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use super::told;

/// How many connections, and how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// So many are open at once. Those beyond wait to be accepted: accepted without a file left, nobody would be served.
    pub(super) open: u32,
    /// So long a new one has for the head of its first request, from the first byte on.
    pub(super) head: Duration,
    /// So long each has for the first byte, and from an answer to the end of the next request's head.
    pub(super) idle: Duration,
    /// So long an answer waits for the other side to take more of it.
    pub(super) unread: Duration,
}

/// Serves whoever connects until it is told to stop, and returns once the requests that were under way have ended.
pub(super) async fn listen(
    mut listener: TcpListener,
    router: Router,
    bounds: Bounds,
    stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(bounds.open as usize));
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.idle);
    loop {
        let accepted = async {
            let place = places.clone().acquire_owned().await;
            (place, Listener::accept(&mut listener).await)
        };
        let (place, (stream, peer)) = tokio::select! {
            accepted = accepted => accepted,
            () = told(stop.clone()) => break,
        };
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(bounds.unread));
        let talk = talk(
            builder.clone(),
            router.clone(),
            (stream, peer),
            bounds,
            stop.clone(),
        );
        tokio::spawn(async move {
            talk.await;
            drop(place);
        });
    }
    drop(listener);
    // All places are free once nobody is connected.
    let _ = places.acquire_many(bounds.open).await;
}

/// Serves one connection until its end.
async fn talk(
    builder: Builder<TokioExecutor>,
    router: Router,
    (stream, peer): (TimeoutStream<TcpStream>, SocketAddr),
    bounds: Bounds,
    stop: watch::Receiver<bool>,
) {
    // One on which nothing has come is as good as idle: a proxy opens connections that it has no use for yet.
    let mut byte = [0];
    let first = timeout(bounds.idle, stream.get_ref().peek(&mut byte));
    tokio::select! {
        came = first => if !matches!(came, Ok(Ok(1))) {
            return;
        },
        () = told(stop.clone()) => return,
    }
    let has_asked = Arc::new(AtomicBool::new(false));
    let asks = has_asked.clone();
    let service =
        ServiceExt::<Request>::map_request(router, move |request: axum::http::Request<_>| {
            asks.store(true, Ordering::Relaxed);
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            request
        });
    let service = TowerToHyperService::new(service);
    let stream = TokioIo::new(Box::pin(stream));
    let mut connection = pin!(builder.serve_connection(stream, service));
    let (mut late, mut told) = (pin!(sleep(bounds.head)), pin!(told(stop)));
    let (mut is_new, mut is_leaving) = (true, false);
    loop {
        tokio::select! {
            // An end that is an error is one that the other side knows of, or has brought about.
            _ = connection.as_mut() => return,
            () = told.as_mut(), if !is_leaving => {
                is_leaving = true;
                connection.as_mut().graceful_shutdown();
            }
            () = late.as_mut(), if is_new => {
                if !has_asked.load(Ordering::Relaxed) {
                    return;
                }
                is_new = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::task::JoinHandle;

    use super::*;

    /// Nothing is bounded that a test does not bound.
    const BOUNDS: Bounds = Bounds {
        open: 64,
        head: Duration::from_hours(1),
        idle: Duration::from_hours(1),
        unread: Duration::from_hours(1),
    };
    const SHORT: Duration = Duration::from_millis(200);
    /// More than what lies between two programs that nobody reads.
    const LARGE: usize = 64 * 1024 * 1024;
    /// Longer than any bound here, and shorter than what is not bounded.
    const LONG: Duration = Duration::from_secs(10);

    struct Listening {
        address: SocketAddr,
        stop: watch::Sender<bool>,
        ended: JoinHandle<()>,
    }

    async fn listening(bounds: Bounds) -> Listening {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/", get(async || "here"))
            .route(
                "/slow",
                get(async || {
                    sleep(Duration::from_millis(1_500)).await;
                    "at last"
                }),
            )
            .route("/large", get(async || vec![b'x'; LARGE]))
            .route(
                "/peer",
                get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()),
            );
        let (stop, stopped) = watch::channel(false);
        Listening {
            address,
            stop,
            ended: tokio::spawn(listen(listener, router, bounds, stopped)),
        }
    }

    impl Listening {
        async fn send(&self, text: &str) -> TcpStream {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
            stream
        }
    }

    /// Everything that comes until the connection is closed.
    async fn rest(stream: &mut TcpStream) -> String {
        let mut text = Vec::new();
        // A connection that is cut may also be reset.
        let _ = timeout(LONG, stream.read_to_end(&mut text))
            .await
            .expect("it is closed");
        String::from_utf8(text).unwrap()
    }

    async fn answer(stream: &mut TcpStream, expected: &str) {
        let mut text = String::new();
        while !text.ends_with(expected) {
            let byte = timeout(LONG, stream.read_u8()).await.expect("in time");
            text.push(
                byte.unwrap_or_else(|_| panic!("closed after {text:?}"))
                    .into(),
            );
        }
    }

    #[tokio::test]
    async fn a_head_that_does_not_come_whole_is_not_waited_for() {
        let begun = (
            "GET / HTTP/1.1\r\nhost: a\r\nx-never: e",
            Bounds {
                head: SHORT,
                ..BOUNDS
            },
        );
        let not_begun = (
            "",
            Bounds {
                idle: SHORT,
                ..BOUNDS
            },
        );
        for (sent, bounds) in [begun, not_begun] {
            let listening = listening(bounds).await;
            let mut stream = listening.send(sent).await;
            assert_eq!(rest(&mut stream).await, "", "{sent:?}");
        }
    }

    #[tokio::test]
    async fn a_connection_that_was_opened_ahead_of_time_is_kept_until_it_is_used() {
        let bounds = Bounds {
            head: SHORT,
            ..BOUNDS
        };
        let listening = listening(bounds).await;
        let mut stream = listening.send("").await;
        sleep(bounds.head * 2).await;
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .unwrap();
        answer(&mut stream, "here").await;
    }

    #[tokio::test]
    async fn a_connection_is_kept_between_requests_but_not_for_ever() {
        let bounds = Bounds {
            head: SHORT * 5,
            idle: SHORT * 15,
            ..BOUNDS
        };
        let listening = listening(bounds).await;
        for then in ["", "GET / HT"] {
            let mut stream = listening.send("").await;
            for _ in 0..2 {
                let asked = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
                stream.write_all(asked).await.unwrap();
                answer(&mut stream, "here").await;
                sleep(bounds.head * 6 / 5).await;
            }
            stream.write_all(then.as_bytes()).await.unwrap();
            assert_eq!(rest(&mut stream).await, "", "{then:?}");
        }
    }

    #[tokio::test]
    async fn an_answer_may_take_longer_than_a_connection_may_be_idle() {
        let bounds = Bounds {
            idle: SHORT,
            ..BOUNDS
        };
        let listening = listening(bounds).await;
        let mut stream = listening
            .send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
            .await;
        answer(&mut stream, "at last").await;
    }

    #[tokio::test]
    async fn an_answer_that_nobody_takes_keeps_no_place_for_ever() {
        let bounds = Bounds {
            open: 1,
            unread: SHORT,
            ..BOUNDS
        };
        let listening = listening(bounds).await;
        let _unread = listening
            .send("GET /large HTTP/1.1\r\nhost: a\r\n\r\n")
            .await;
        let mut next = listening.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        answer(&mut next, "here").await;
    }

    #[tokio::test]
    async fn an_answer_that_is_taken_slowly_comes_whole() {
        let bounds = Bounds {
            unread: SHORT * 5,
            ..BOUNDS
        };
        let listening = listening(bounds).await;
        let mut stream = listening
            .send("GET /large HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            .await;
        let mut piece = vec![0; LARGE / 16];
        for _ in 0..16 {
            stream.read_exact(&mut piece).await.expect("more of it");
            sleep(SHORT / 2).await;
        }
    }

    #[tokio::test]
    async fn who_comes_when_all_places_are_taken_is_served_once_one_is_free() {
        let listening = listening(Bounds { open: 2, ..BOUNDS }).await;
        let (idle, _idle) = (listening.send("").await, listening.send("").await);
        let mut stream = listening.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let too_soon = timeout(SHORT, stream.read_u8()).await;
        assert!(too_soon.is_err(), "no place is free: {too_soon:?}");
        drop(idle);
        answer(&mut stream, "here").await;
    }

    #[tokio::test]
    async fn what_is_under_way_ends_before_the_service_does_and_idle_connections_do_not_hold_it() {
        let listening = listening(BOUNDS).await;
        let mut idle = listening.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        answer(&mut idle, "here").await;
        let mut slow = listening
            .send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
            .await;
        sleep(Duration::from_millis(300)).await;
        listening.stop.send_replace(true);
        assert!(rest(&mut slow).await.ends_with("at last"));
        assert_eq!(rest(&mut idle).await, "");
        timeout(LONG, listening.ended)
            .await
            .expect("it ends")
            .unwrap();
    }

    #[tokio::test]
    async fn the_address_of_the_other_end_is_known() {
        let listening = listening(BOUNDS).await;
        let mut stream = listening
            .send("GET /peer HTTP/1.1\r\nhost: a\r\n\r\n")
            .await;
        let own = stream.local_addr().unwrap().to_string();
        answer(&mut stream, &own).await;
    }
}
