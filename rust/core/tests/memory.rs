//! What a connection keeps, and what its calls take beside that, in each of its states. RFC 6455 §10.4
//! asks for limits and leaves the figures to us; docs/compression.md has those of compression.

#![cfg(test)]
#![expect(clippy::arithmetic_side_effects, reason = "tests count without fear")]

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::sync::Arc;

use support::frames::Frame;
use support::pipe::{cut, peer};
use ws13::deflate::{Options, Parameters, PerMessageDeflate, Pool};
use ws13::{CloseCode, Connection, Event, Fin, Limits, Role, State};
use ws13_ledger::Ledger;

const KIB: isize = 1024;
/// What an open connection keeps, its own size included, and what any of its calls takes.
const IDLE: isize = 2 * KIB;
/// What a connection keeps while a compressed message is under way, the state of DEFLATE included; and what
/// any of its calls takes beside that.
const STREAMING: isize = 128 * KIB;
/// What a compressed connection keeps between messages: the windows of docs/compression.md.
const WINDOWS: isize = 40 * KIB;
/// What is kept when nothing can come any more.
const OVER: isize = KIB;

const ROLES: [Role; 2] = [Role::Client, Role::Server];
const CUTS: [&[usize]; 5] = [&[], &[1], &[7], &[1000], &[4096]];

/// A connection, and the most that any of its calls has taken.
struct Watched {
    connection: Connection,
    taken: isize,
    /// Whether an event came that ends it.
    over: bool,
}

impl Watched {
    fn of(connection: Connection) -> Self {
        Self { connection, taken: 0, over: false }
    }

    fn plain(role: Role) -> Self {
        Self::of(Connection::new(role))
    }

    fn compressed(role: Role, pool: &Arc<Pool>) -> Self {
        let deflate = PerMessageDeflate::new(role, &Parameters::DEFAULT, Options::DEFAULT, pool);
        Self::of(Connection::with_extensions(role, vec![Box::new(deflate)]))
    }

    fn limited(mut self) -> Self {
        let limits = Limits { message: Some(60_000), ..Limits::DEFAULT };
        self.connection = self.connection.with_limits(&limits);
        self
    }

    fn watch<T>(&mut self, call: impl FnOnce(&mut Connection) -> T) -> T {
        let mut ledger = Ledger::default();
        let mark = ledger.open();
        let result = call(&mut self.connection);
        ledger.close(mark);
        self.taken = self.taken.max(ledger.most);
        result
    }

    fn feed(&mut self, chunk: &[u8]) {
        let mut input = chunk;
        loop {
            // The event is dropped inside: what that takes counts.
            let over = self.watch(|connection| {
                let event = connection.receive(&mut input);
                event.map(|event| matches!(event, Event::Close(..) | Event::Failed(_)))
            });
            match over {
                Some(over) => self.over |= over,
                None => break,
            }
        }
    }

    fn feed_all(&mut self, bytes: &[u8], sizes: &[usize]) {
        cut(bytes, sizes).into_iter().for_each(|chunk| self.feed(chunk));
    }

    fn send(&mut self, payload: &[u8]) -> Vec<u8> {
        let sent = self.connection.send_binary(payload, Fin::Yes, || [1, 2, 3, 4]);
        sent.expect("it is open").to_vec()
    }

    fn close(&mut self) {
        let sent = self.connection.send_close(CloseCode(1000), "bye", || [1, 2, 3, 4]);
        assert!(!sent.expect("it can be sent").to_vec().is_empty());
    }

    /// What is freed when it is dropped: what it has kept, and nothing that belongs to others.
    fn keeps(self) -> isize {
        let mut ledger = Ledger::default();
        let connection = self.connection;
        let mark = ledger.open();
        drop(connection);
        ledger.close(mark);
        isize::try_from(size_of::<Connection>()).expect("it is small") - ledger.kept
    }
}

/// A pool that has made all the states it keeps, which belong to no connection.
fn warm_pool() -> Arc<Pool> {
    let pool = Arc::new(Pool::new());
    let mut message = Vec::new();
    for _ in 0..8 {
        message = Watched::compressed(Role::Client, &pool).send(&noise(100_000));
    }
    let (beginning, rest) = message.split_at(50_000);
    let mut busy: Vec<_> = (0..20).map(|_| Watched::compressed(Role::Server, &pool)).collect();
    busy.iter_mut().for_each(|end| end.feed(beginning));
    busy.iter_mut().for_each(|end| end.feed(rest));
    pool
}

/// Bytes that DEFLATE makes no shorter.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

/// Headers of data frames that announce much, each with two bytes of its payload.
fn announcements(from: Role, rsv: u8) -> Vec<Vec<u8>> {
    let lengths = [1 << 16, 1 << 20, (1 << 31) - 1, 1 << 32, 1 << 62, i64::MAX as u64];
    let start = |opcode: u8, length: u64| {
        let masked = u8::from(from == Role::Client);
        let mut bytes = vec![0x80 | rsv << 4 | opcode, masked << 7 | 127];
        bytes.extend(length.to_be_bytes());
        bytes.extend(&[0; 4][..usize::from(masked) * 4]);
        bytes.extend(*b"JL");
        bytes
    };
    [1, 2].into_iter().flat_map(|opcode| lengths.map(|length| start(opcode, length))).collect()
}

#[track_caller]
fn assert_within(figure: isize, most: isize, what: &str) {
    assert!(figure <= most, "{figure} bytes for {what}, {most} allowed");
}

#[test]
fn an_idle_connection_keeps_next_to_nothing_whatever_it_has_sent_and_received() {
    for role in ROLES {
        for size in [0, 1, 125, 126, 65_535, 65_536, 1 << 20] {
            let mut end = Watched::plain(role);
            for sizes in CUTS.into_iter().filter(|sizes| size <= 65_536 || *sizes != [1]) {
                end.feed_all(&Frame::sent_by(peer(role), 2, &vec![b'x'; size]).encode(), sizes);
                end.feed_all(&Frame::sent_by(peer(role), 1, &vec![b'x'; size]).encode(), sizes);
            }
            end.feed_all(&Frame::sent_by(peer(role), 9, &[7; 125]).encode(), &[3]);
            end.send(&vec![0; size]);
            assert!(!end.over && end.connection.state() == State::Open);
            assert_within(end.taken, IDLE, "a call");
            assert_within(end.keeps(), IDLE, "an idle connection");
        }
    }
}

#[test]
fn nothing_is_kept_of_what_streams_through_nor_set_aside_for_what_is_announced() {
    for role in ROLES {
        for start in announcements(peer(role), 0) {
            for sizes in CUTS {
                let mut end = Watched::plain(role);
                end.feed_all(&start, sizes);
                (0..60).for_each(|_| end.feed(&[b'x'; 1000]));
                assert_eq!(end.connection.state(), State::Open);
                assert_within(end.taken, IDLE, "a call");
                assert_within(end.keeps(), IDLE, "a message that was announced");
            }
        }
        let mut end = Watched::plain(role);
        let frame = |opcode: u8| Frame::sent_by(peer(role), opcode, b"x");
        let (fragment, ping) = (frame(0).unfinished().encode(), frame(9).encode());
        end.feed(&frame(2).unfinished().encode());
        for _ in 0..50_000 {
            end.feed(&fragment);
            end.feed_all(&ping, &[2]);
        }
        assert!(!end.over);
        assert_within(end.taken, IDLE, "a call");
        assert_within(end.keeps(), IDLE, "a message of many fragments");
    }
}

#[test]
fn a_compressed_message_streams_through_a_bounded_amount_of_memory_whatever_arrives() {
    let pool = warm_pool();
    for role in ROLES {
        let from = peer(role);
        let bomb = Watched::compressed(from, &pool).send(&vec![0; 32 << 20]);
        let noise = Watched::compressed(from, &pool).send(&noise(300_000));
        let blocks = [0, 0, 0, 0xFF, 0xFF].repeat(13_000);
        let blocks = Frame::sent_by(from, 2, &blocks).unfinished().with_rsv(4).encode();
        let streams = [("a bomb", bomb), ("noise", noise), ("empty blocks", blocks)];
        for (name, bytes) in &streams {
            for sizes in [&[][..], &[1], &[1000]] {
                let mut end = Watched::compressed(role, &pool);
                end.feed_all(&bytes[..bytes.len() - 1], sizes);
                assert_eq!(end.connection.state(), State::Open);
                assert_within(end.taken, STREAMING, name);
                assert_within(end.keeps(), STREAMING, name);
            }
        }
        for start in announcements(from, 4) {
            for sizes in [&[][..], &[1]] {
                let mut end = Watched::compressed(role, &pool);
                end.feed_all(&start, sizes);
                assert_eq!(end.connection.state(), State::Open);
                assert_within(end.taken, STREAMING, "what was announced");
                assert_within(end.keeps(), STREAMING, "what was announced");
            }
        }
    }
}

#[test]
fn an_idle_compressed_connection_keeps_its_windows_and_no_state() {
    let pool = warm_pool();
    for (size, most) in [(5, 2 * KIB), (1000, 6 * KIB), (40_000, WINDOWS), (300_000, WINDOWS)] {
        let mut client = Watched::compressed(Role::Client, &pool);
        let mut server = Watched::compressed(Role::Server, &pool);
        for count in 1..=10 {
            let (there, back) = (client.send(&noise(size)), server.send(&noise(size)));
            server.feed(&there);
            client.feed(&back);
            if count == 1 {
                assert_within(client.taken.max(server.taken), STREAMING, "a call");
            }
        }
        let most = if size < 2000 { WINDOWS.min(10 * most) } else { most };
        for end in [client, server] {
            assert!(!end.over);
            assert_within(end.keeps(), most, "an idle connection");
        }
    }
}

#[test]
fn nothing_is_kept_behind_a_violation_a_close_or_the_end_of_the_stream() {
    let pool = warm_pool();
    for role in ROLES {
        let from = peer(role);
        let frame = |opcode: u8, payload: &[u8]| Frame::sent_by(from, opcode, payload);
        let ends = [
            ("a reserved opcode", frame(3, b"")),
            ("a second message", frame(2, b"")),
            ("a reserved bit", frame(0, b"").with_rsv(2)),
            ("a bad Close frame", frame(8, b"\x00\x01bye")),
            ("a long control frame", frame(9, &[0; 126])),
            ("a message beyond the limit", frame(0, &noise(100_000))),
            ("a Close frame", frame(8, b"\x03\xe8bye")),
        ];
        // A block of 32 KiB that is stored as it is.
        let stored = [&[0, 0x00, 0x80, 0xFF, 0x7F][..], &noise(0x8000)].concat();
        for (name, last) in &ends {
            for (make, first) in [
                (Watched::plain(role), frame(2, &noise(50_000))),
                (Watched::compressed(role, &pool), frame(2, &stored).with_rsv(4)),
            ] {
                let mut end = make.limited();
                end.feed_all(&first.unfinished().encode(), &[1000]);
                assert!(!end.over);
                end.feed_all(&last.encode(), &[11]);
                assert!(end.over, "{name}");
                let mut failed = end;
                (0..50).for_each(|_| failed.feed(&noise(1000)));
                assert_within(failed.taken, STREAMING, name);
                failed.close();
                failed.connection.receive_eof();
                failed.feed(&noise(1000));
                assert_eq!(failed.connection.state(), State::Closed);
                assert_within(failed.keeps(), OVER, name);
            }
        }
    }
}

#[test]
fn a_failed_connection_keeps_nothing_before_it_is_closed_either() {
    let pool = warm_pool();
    for role in ROLES {
        let frame = |opcode: u8, payload: &[u8]| Frame::sent_by(peer(role), opcode, payload);
        for (mut end, first) in [
            (Watched::plain(role), frame(2, &noise(50_000))),
            (Watched::compressed(role, &pool), frame(2, b"J").with_rsv(4)),
        ] {
            end.feed_all(&first.unfinished().encode(), &[1000]);
            end.feed(&frame(3, b"").encode());
            assert_eq!(end.connection.state(), State::Failed);
            end.feed(&noise(1000));
            assert_within(end.keeps(), OVER, "a failed connection");
        }
    }
}

#[test]
fn a_connection_that_has_sent_its_close_frame_takes_no_more_than_an_open_one() {
    let pool = warm_pool();
    for role in ROLES {
        for (mut end, most) in
            [(Watched::plain(role), IDLE), (Watched::compressed(role, &pool), STREAMING)]
        {
            end.close();
            assert_eq!(end.connection.state(), State::LocalClosing);
            for _ in 0..100 {
                end.feed(&Frame::sent_by(peer(role), 2, &noise(50_000)).encode());
                end.feed(&Frame::sent_by(peer(role), 9, b"ping").encode());
            }
            assert!(!end.over);
            assert_within(end.taken, most, "a call");
            end.feed(&Frame::sent_by(peer(role), 8, b"\x03\xe8").encode());
            assert_eq!(end.connection.state(), State::Closed);
            assert_within(end.keeps(), OVER, "a closed connection");
        }
    }
}
