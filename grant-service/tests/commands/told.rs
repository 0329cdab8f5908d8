//! The running service tells a webhook what happens.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::service::Service;

#[test]
fn a_webhook_of_the_configuration_is_told_what_happens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let service = Service::with(&json!([{
        "name": "chat",
        "url": url,
        "secret": "a secret of the chat",
        "events": ["request_opened"],
    }]));
    let request = service.asked("read");
    let (mut connection, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        reader.read_line(&mut head).unwrap();
    }
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("post /hook "), "{head}");
    assert!(head.contains("webhook-id: 1-"), "{head}");
    assert!(head.contains("webhook-signature: v1,"), "{head}");
    let (_, length) = head.split_once("content-length: ").unwrap();
    let length: usize = length.lines().next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    connection
        .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
        .unwrap();
    let message: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(message["entry"]["request"], request.as_str());
}
