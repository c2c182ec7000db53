//! Decoding and encoding beside other crates: the same bytes, in one process, minima of samples.
//!
//! What each does with a received message is what its users get: the payload unmasked, in memory of its
//! own, and text checked. ws13 lends what it receives; the second line is a caller that unmasks all of it
//! into one buffer, one message after the other.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ws13::{Connection, Event, Fin, Role};

/// Bytes to be read, and a place where what is written vanishes.
struct Wire<'a>(&'a [u8]);

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(std::hint::black_box(bytes).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Wire<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(std::hint::black_box(bytes).len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Messages to receive: how many, and their frames one behind the other.
struct Workload {
    title: &'static str,
    count: usize,
    stream: Vec<u8>,
}

impl Workload {
    fn new(title: &'static str, size: usize, text: bool) -> Self {
        let count = ((1 << 20) / (size + 64)).clamp(8, 4096);
        let mut client = Connection::new(Role::Client);
        let mut stream = Vec::new();
        for index in 0..count {
            let payload: Vec<u8> =
                (0..size).map(|at| b'a' + u8::try_from((at + index) % 26).unwrap_or(0)).collect();
            let key = || [0x37, 0xFA, 0x21, u8::try_from(index % 251).unwrap_or(0)];
            let sent = match text {
                true => {
                    let text = String::from_utf8(payload).expect("letters");
                    client.send_text(&text, Fin::Yes, key).expect("it is open").to_vec()
                }
                false => client.send_binary(&payload, Fin::Yes, key).expect("it is open").to_vec(),
            };
            stream.extend(sent);
        }
        Self { title, count, stream }
    }
}

/// The least of many passes, in nanoseconds a message.
fn least(count: usize, mut pass: impl FnMut() -> usize) -> f64 {
    let expected = pass();
    let begin = Instant::now();
    let mut best = f64::INFINITY;
    while begin.elapsed().as_millis() < 700 {
        let start = Instant::now();
        let bytes = std::hint::black_box(pass());
        best = best.min(start.elapsed().as_nanos() as f64 / count as f64);
        assert_eq!(bytes, expected);
    }
    best
}

/// `buffer` gives the memory for a message and takes it back.
/// `buffer` gives the memory for a message, and gets that of the last one.
fn ws13_receives(stream: &[u8], mut buffer: impl FnMut(Vec<u8>) -> Vec<u8>) -> usize {
    let mut server = Connection::new(Role::Server);
    let (mut input, mut bytes, mut payload) = (stream, 0, Vec::new());
    while let Some(event) = server.receive(&mut input) {
        payload = buffer(payload);
        match event {
            Event::Binary(piece) => piece.payload.append_to(&mut payload),
            Event::Text(text) => {
                text.decode(&mut payload).expect("it is text");
            }
            other => panic!("{other:?}"),
        }
        bytes += std::hint::black_box(&payload).len();
    }
    bytes
}

fn fresh(_last: Vec<u8>) -> Vec<u8> {
    Vec::new()
}

fn same(mut last: Vec<u8>) -> Vec<u8> {
    last.clear();
    last
}

fn tungstenite_receives(stream: &[u8]) -> usize {
    let role = tungstenite::protocol::Role::Server;
    let mut server = tungstenite::WebSocket::from_raw_socket(Wire(stream), role, None);
    let mut bytes = 0;
    while let Ok(message) = server.read() {
        bytes += std::hint::black_box(message).len();
    }
    bytes
}

async fn fastwebsockets_receives(stream: &[u8], count: usize) -> usize {
    let server =
        fastwebsockets::WebSocket::after_handshake(Wire(stream), fastwebsockets::Role::Server);
    let mut server = FragmentCollector::new(server);
    let mut bytes = 0;
    for _ in 0..count {
        let frame = server.read_frame().await.expect("a frame");
        bytes += std::hint::black_box(frame).payload.len();
    }
    bytes
}

async fn tokio_websockets_receives(stream: &'static [u8]) -> usize {
    let limits = tokio_websockets::Limits::unlimited();
    let mut server = tokio_websockets::ServerBuilder::new().limits(limits).serve(Wire(stream));
    let mut bytes = 0;
    while let Some(Ok(message)) = server.next().await {
        bytes += std::hint::black_box(message).into_payload().len();
    }
    bytes
}

fn ws13_sends(payload: &[u8], count: usize) -> usize {
    let mut client = Connection::new(Role::Client);
    let mut seed = 1_u32;
    for _ in 0..count {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let key = || seed.to_le_bytes();
        let sent = client.send_binary(payload, Fin::Yes, key).expect("it is open");
        std::hint::black_box(sent.to_vec());
    }
    count
}

fn tungstenite_sends(payload: &[u8], count: usize) -> usize {
    let role = tungstenite::protocol::Role::Client;
    let mut client = tungstenite::WebSocket::from_raw_socket(Wire(&[]), role, None);
    for _ in 0..count {
        client.send(tungstenite::Message::binary(payload.to_vec())).expect("it is open");
    }
    count
}

async fn fastwebsockets_sends(payload: &[u8], count: usize) -> usize {
    let mut client =
        fastwebsockets::WebSocket::after_handshake(Wire(&[]), fastwebsockets::Role::Client);
    for _ in 0..count {
        let payload = Payload::Owned(payload.to_vec());
        let frame = Frame::new(true, OpCode::Binary, None, payload);
        client.write_frame(frame).await.expect("it is open");
    }
    count
}

async fn tokio_websockets_sends(payload: &[u8], count: usize) -> usize {
    let mut client = tokio_websockets::ClientBuilder::new().take_over(Wire(&[]));
    for _ in 0..count {
        let message = tokio_websockets::Message::binary(payload.to_vec());
        client.send(message).await.expect("it is open");
    }
    count
}

fn show<const N: usize>(title: &str, figures: [(&str, f64); N]) {
    println!("\n{title}");
    let ours = figures[0].1;
    for (name, nanoseconds) in figures {
        println!("    {name:<24}{nanoseconds:>10.1} ns{:>8.2}x", nanoseconds / ours);
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for workload in [
        Workload::new("binary of 16 B received", 16, false),
        Workload::new("binary of 1 KiB received", 1024, false),
        Workload::new("binary of 64 KiB received", 65536, false),
        Workload::new("text of 1 KiB received", 1024, true),
        Workload::new("text of 64 KiB received", 65536, true),
    ] {
        let Workload { title, count, stream } = workload;
        let stream: &'static [u8] = stream.leak();
        show(
            title,
            [
                ("ws13", least(count, || ws13_receives(stream, fresh))),
                ("ws13, into one buffer", least(count, || ws13_receives(stream, same))),
                ("tungstenite", least(count, || tungstenite_receives(stream))),
                (
                    "fastwebsockets",
                    least(count, || runtime.block_on(fastwebsockets_receives(stream, count))),
                ),
                (
                    "tokio-websockets",
                    least(count, || runtime.block_on(tokio_websockets_receives(stream))),
                ),
            ],
        );
    }
    for (title, size, count) in [
        ("a client sends binary of 16 B", 16, 4096),
        ("a client sends binary of 64 KiB", 65536, 16),
    ] {
        let payload = vec![b'x'; size];
        show(
            title,
            [
                ("ws13", least(count, || ws13_sends(&payload, count))),
                ("tungstenite", least(count, || tungstenite_sends(&payload, count))),
                (
                    "fastwebsockets",
                    least(count, || runtime.block_on(fastwebsockets_sends(&payload, count))),
                ),
                (
                    "tokio-websockets",
                    least(count, || runtime.block_on(tokio_websockets_sends(&payload, count))),
                ),
            ],
        );
    }
}
