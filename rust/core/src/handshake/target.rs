//! Request targets and hosts, RFC 6455 §3, RFC 9112 §3.2, RFC 3986 §3.2.2.

use std::net::Ipv6Addr;

/// Whether this is a path, or the absolute URI of one, as RFC 9112 §3.2.1 and §3.2.2 have it.
///
/// RFC 6455 §3: "Fragment identifiers are meaningless in the context of WebSocket URIs and MUST NOT
/// be used".
pub(super) fn is_target(target: &[u8]) -> bool {
    let visible = target.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#');
    let path = target.starts_with(b"/");
    let uri = [b"http://".as_slice(), b"https://", b"ws://", b"wss://"].iter().any(|scheme| {
        target.split_at_checked(scheme.len()).is_some_and(|(start, authority)| {
            start.eq_ignore_ascii_case(scheme)
                && authority.first().is_some_and(|byte| !matches!(byte, b'/' | b'?'))
        })
    });
    visible && (path || uri)
}

/// Whether this is a host and perhaps a port.
///
/// // Choice: RFC 3986 lets a registered name be nearly anything. Hosts that are no names of DNS, with
/// empty labels or labels of more than 63 bytes, are refused, as there is nothing to reach there.
pub(super) fn is_host(host: &[u8]) -> bool {
    let (name, port) = match host.strip_prefix(b"[") {
        Some(rest) => {
            let Some(end) = rest.iter().position(|byte| *byte == b']') else { return false };
            let (address, behind) = rest.split_at_checked(end).unwrap_or_default();
            let address =
                str::from_utf8(address).ok().and_then(|text| text.parse::<Ipv6Addr>().ok());
            if address.is_none() {
                return false;
            }
            (b"literal".as_slice(), behind.get(1..).unwrap_or_default())
        }
        None => {
            let end = host.iter().position(|byte| *byte == b':').unwrap_or(host.len());
            host.split_at_checked(end).unwrap_or_default()
        }
    };
    is_name(name) && is_port(port)
}

fn is_name(name: &[u8]) -> bool {
    let labels = name.strip_suffix(b".").unwrap_or(name);
    name.len() <= 255
        && labels
            .split(|byte| *byte == b'.')
            .all(|label| (1..=63).contains(&label.len()) && is_label(label))
}

/// RFC 3986 §3.2.2: `reg-name = *( unreserved / pct-encoded / sub-delims )`, between its dots.
fn is_label(label: &[u8]) -> bool {
    let mut rest = label;
    loop {
        rest = match rest {
            [] => return true,
            // §2.1: pct-encoded = "%" HEXDIG HEXDIG
            [b'%', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                rest
            }
            [b'-' | b'_' | b'~' | b'!' | b'$' | b'&'..=b',' | b';' | b'=', rest @ ..] => rest,
            [byte, rest @ ..] if byte.is_ascii_alphanumeric() => rest,
            _ => return false,
        }
    }
}

/// Nothing, or a colon and a port number, which may be left out behind it.
fn is_port(port: &[u8]) -> bool {
    match port.split_first() {
        None => true,
        Some((b':', digits)) => {
            digits.iter().all(u8::is_ascii_digit)
                && (digits.is_empty()
                    || str::from_utf8(digits).is_ok_and(|text| text.parse::<u16>().is_ok()))
        }
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses_with_perhaps_a_port() {
        let long = ["a".repeat(63), "com".to_owned()].join(".");
        for good in [
            "example.com",
            "example.com.",
            "a_b",
            "a%2Fb",
            "localhost:80",
            "h:",
            "127.0.0.1:65535",
            "[::1]",
            "[::1]:8080",
            &long,
        ] {
            assert!(is_host(good.as_bytes()), "{good}");
        }
        let long = "a".repeat(64);
        for bad in [
            "", ".", "a..b", "a b", "a/b", "a@b", "a?b", "a#b", "h:x", "h:65536", "h:1:2", "[::1",
            "[::1]x", "[x]", "[]", ":80", "é", "%zz", "a%2", "%", &long,
        ] {
            assert!(!is_host(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn targets_are_paths_or_absolute_uris_without_fragment() {
        for good in ["/", "/chat?x=1", "http://h/", "WSS://h", "//x"] {
            assert!(is_target(good.as_bytes()), "{good}");
        }
        for bad in ["", "*", "chat", "/#x", "/a b", "/é", "/\x7f", "http:///x", "ftp://h/", "ws://"]
        {
            assert!(!is_target(bad.as_bytes()), "{bad}");
        }
    }
}
