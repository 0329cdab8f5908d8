//! The same over HTTP/2, where many requests share a connection: each is cut for itself.

use std::time::Duration;

use h2::client::{self, SendRequest};
use h2::{RecvStream, SendStream};
use tokio::net::TcpStream;
use tokio::time::timeout;
use ureq::http::Request;

use super::{LATE, PATIENCE, assert_just_over, brief, clock, cut_record, long_world};

type Sender = SendRequest<&'static [u8]>;
type Sending = SendStream<&'static [u8]>;

/// Opens a gRPC call whose messages are sent back.
async fn call(sender: &mut Sender, path: &str, token: &str) -> (Sending, RecvStream) {
    let to = long_world().world.proxy.address();
    let request = Request::post(format!("http://{to}{path}"))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .unwrap();
    let (answer, mut sending) = sender.send_request(request, false).unwrap();
    sending.send_data(b"hello", false).unwrap();
    let answer = timeout(PATIENCE, answer).await.expect("an answer").unwrap();
    assert_eq!(answer.status(), 200);
    let mut receiving = answer.into_body();
    await_echo(&mut receiving).await;
    (sending, receiving)
}

async fn await_echo(receiving: &mut RecvStream) {
    let data = timeout(PATIENCE, receiving.data()).await;
    let data = data.expect("an echo").expect("a message").unwrap();
    assert_eq!(&data[..], b"hello");
}

/// Waits until the stream is reset.
async fn await_reset(receiving: &mut RecvStream) {
    let ended = timeout(PATIENCE, receiving.data()).await;
    match ended.expect("the stream goes on") {
        Some(Err(fault)) => assert!(fault.is_reset(), "{fault}"),
        other => panic!("not reset, but {other:?}"),
    }
}

#[test]
fn grpc_calls_on_one_connection_are_reset_and_one_that_is_to_be_kept_lives_on() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let to = long_world().world.proxy.address();
        let connection = TcpStream::connect(to).await.unwrap();
        let (mut sender, connection) = client::Builder::new().handshake(connection).await.unwrap();
        tokio::spawn(connection);

        let (token, end) = brief("caller");
        let (_first, mut first) = call(&mut sender, "/orders/first/echo", &token).await;
        let (_second, mut second) = call(&mut sender, "/orders/second/echo", &token).await;
        let (mut kept, mut kept_answer) = call(&mut sender, "/kept/echo", &token).await;

        await_reset(&mut first).await;
        assert_just_over(end);
        await_reset(&mut second).await;
        assert_just_over(end);
        for path in ["/orders/first/echo", "/orders/second/echo"] {
            cut_record(path);
        }
        let late = Duration::from_secs(end.try_into().unwrap()) + LATE;
        tokio::time::sleep(late.saturating_sub(clock())).await;
        kept.send_data(b"hello", false).unwrap();
        await_echo(&mut kept_answer).await;
    });
}
