//! The same over HTTP/2.

use std::net::SocketAddr;

use h2::client;
use tokio::net::TcpStream;
use ureq::http::{Request, Response};

use crate::world::{token, world};

/// Sends one request over HTTP/2, spoken at once (prior knowledge), and returns the answer with its body.
pub(crate) fn ask(to: SocketAddr, request: Request<()>) -> Response<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (mut sender, connection) = client::handshake(TcpStream::connect(to).await.unwrap())
            .await
            .unwrap();
        tokio::spawn(connection);
        let (answer, _) = sender.send_request(request, true).unwrap();
        let (parts, mut body) = answer.await.unwrap().into_parts();
        let mut bytes = Vec::new();
        while let Some(chunk) = body.data().await {
            bytes.extend_from_slice(&chunk.unwrap());
        }
        Response::from_parts(parts, bytes)
    })
}

#[test]
fn http2_clients_are_refused_and_served_alike() {
    let world = world();
    let to = world.proxy.address();
    let request = |path: &str| Request::get(format!("http://{to}{path}"));

    let refused = ask(to, request("/orders/h2").body(()).unwrap());
    assert_eq!(refused.status(), 401);
    assert_eq!(
        refused.headers()["www-authenticate"],
        "Bearer realm=\"hallpass\""
    );

    world.grants.give("h2", "orders", "read", 600);
    let bearer = format!("Bearer {}", token("h2"));
    let request = request("/orders/h2")
        .header("authorization", bearer)
        .header("x-hallpass-subject", "root");
    let served = ask(to, request.body(()).unwrap());
    assert_eq!(served.status(), 200);
    let echoed: serde_json::Value = serde_json::from_slice(served.body()).unwrap();
    assert_eq!(echoed["headers"]["x-hallpass-subject"], "h2");
    assert_eq!(echoed["headers"].get("authorization"), None);
}
