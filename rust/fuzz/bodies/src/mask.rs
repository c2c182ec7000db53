//! Masking against a loop, RFC 6455 §5.3.

use std::mem::MaybeUninit;

use ws13::{Connection, Fin, Mask, Role};

use crate::cuts::take;
use crate::naive::frame::{Frame, masked};

/// See the README.
pub fn run(data: &[u8]) {
    let mut rest = data;
    let key = take::<4>(&mut rest);
    let [offset, at, room] = take(&mut rest).map(usize::from);
    let expected = masked(rest, key);

    // In two parts, anywhere; the first one into a place that is longer or shorter.
    let at = if rest.is_empty() { 0 } else { at % (rest.len() + 1) };
    let (one, two) = rest.split_at(at);
    let mut appended = b"before".to_vec();
    Mask::new(key).append(one, &mut appended);
    Mask::new(key).advanced(at).append(two, &mut appended);
    assert_eq!(appended, [b"before".as_slice(), &expected].concat());

    let mut target = vec![0x55; room % 64 + at / 2];
    Mask::new(key).copy(one, &mut target);
    let both = one.len().min(target.len());
    assert_eq!(target[..both], expected[..both]);
    assert!(target[both..].iter().all(|byte| *byte == 0x55), "what is behind stays as it is");

    // A place that nobody has written, at any alignment.
    let mut fresh = vec![MaybeUninit::new(0x55_u8); offset % 16 + rest.len()];
    let ascii = Mask::new(key).copy_ascii(rest, &mut fresh[offset % 16..]);
    assert_eq!(ascii, expected.iter().all(|byte| *byte < 0x80));
    let mut written = vec![0; rest.len()];
    let same = Mask::new(key).copy_ascii(rest, &mut written);
    assert_eq!((same, &written), (ascii, &expected));

    // Masked twice is not masked; the offset counts modulo four.
    let mut back = Vec::new();
    Mask::new(key).advanced(4 * offset).append(&expected, &mut back);
    assert_eq!(back, rest);

    // And on its way out. A server masks nothing.
    for role in [Role::Client, Role::Server] {
        let mut connection = Connection::new(role);
        let sent = connection.send_binary(rest, Fin::Yes, || key).expect("it is open");
        let wire = sent.to_vec();
        let frame = Frame::take(&mut wire.as_slice()).expect("it is whole");
        assert_eq!(frame.payload, rest);
        assert_eq!(frame.key, (role == Role::Client).then_some(key));
        assert_eq!(frame.encode(), wire);
        let mut copied = vec![0; wire.len() + 3];
        sent.copy_to(&mut copied);
        assert_eq!(copied[..wire.len()], wire);
        let mut payload = sent.payload().to_vec();
        assert_eq!(payload, wire[wire.len() - rest.len()..]);
        payload.clear();
        assert_eq!(sent.is_verbatim(), role == Role::Server || key == [0; 4]);
    }
}
