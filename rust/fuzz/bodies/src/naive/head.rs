//! Heads of the opening handshake, RFC 9112 and RFC 6455 §4, and what must become of them. HTTP leaves
//! much open, so there are three verdicts.

use ws13::HandshakeLimits;
use ws13::handshake::MAX_LIST;

use super::extensions::{self, is_tchar};

/// What must become of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is accepted: there is nothing strange about it.
    Accept,
    /// It is refused: a rule says so.
    Refuse,
    /// The RFCs allow both, or this module does not know.
    Either,
}

/// A head that is complete.
#[derive(Debug, Clone)]
pub struct Head {
    /// Its first line.
    pub start: String,
    /// The lines behind it.
    lines: Vec<String>,
    /// Its length in bytes with the empty lines before it, and without them.
    pub end: usize,
    length: usize,
}

/// Each byte as the character of the same number.
fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

impl Head {
    /// The head at the beginning of `bytes`, if it is complete.
    #[must_use]
    pub fn take(bytes: &[u8]) -> Option<Self> {
        let mut begin = 0;
        while bytes[begin..].starts_with(b"\r\n") {
            begin += 2;
        }
        let head = &bytes[begin..];
        let length = head.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let text = latin1(&head[..length - 4]);
        let mut lines = text.split("\r\n").map(str::to_owned);
        let start = lines.next()?;
        Some(Self { start, lines: lines.collect(), end: begin + length, length })
    }

    /// Names in lower case and values without white space around them.
    fn fields(&self) -> impl Iterator<Item = (String, &str)> {
        self.lines.iter().filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim_matches([' ', '\t'])))
        })
    }

    /// The values of all fields of this name.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.fields().filter(|(other, _)| other == name).map(|(_, value)| value).collect()
    }

    /// The elements of a list that may stand in several fields.
    #[must_use]
    pub fn elements(&self, name: &str) -> Vec<String> {
        let all = self.all(name).join(",");
        let elements = all.split(',').map(|one| one.trim_matches([' ', '\t']).to_owned());
        elements.filter(|one| !one.is_empty()).collect()
    }

    /// Whether a line is none, RFC 9112 §5, or holds what no line may hold, RFC 9110 §5.5.
    fn is_broken(&self) -> bool {
        let control = |c: char| c != '\t' && c.is_ascii_control();
        self.start.contains(control)
            || self.lines.iter().any(|line| {
                let name = line.split_once(':').map_or("", |(name, _)| name);
                name.is_empty() || !name.chars().all(is_tchar) || line.contains(control)
            })
    }

    /// Whether all of it is visible ASCII, and white space stands only where everybody has it.
    fn is_plain(&self) -> bool {
        let visible = |text: &str| text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        visible(&self.start)
            && self.lines.iter().all(|line| {
                visible(line) && line.split_once(": ").is_some_and(|(_, value)| !value.is_empty())
            })
    }

    fn is_beyond(&self, limits: &HandshakeLimits) -> bool {
        self.length > limits.head || self.lines.len() > limits.fields
    }

    fn is_within(&self, limits: &HandshakeLimits) -> bool {
        self.end <= limits.head && self.lines.len() <= limits.fields
    }

    /// What a server must do with it, §4.2.1.
    #[must_use]
    pub fn as_request(&self, limits: &HandshakeLimits) -> Verdict {
        let parts: Vec<&str> = self.start.split(' ').collect();
        let ["GET", target, "HTTP/1.1"] = parts.as_slice() else { return Verdict::Refuse };
        let upgrades = self.has("upgrade", "websocket") && self.has("connection", "upgrade");
        let keys = self.all("sec-websocket-key");
        let protocols = self.elements("sec-websocket-protocol");
        let read = &protocols[..protocols.len().min(MAX_LIST)];
        let distinct = (0..read.len()).all(|at| !read[..at].contains(&read[at]));
        let hosts = self.all("host");
        let good = upgrades
            && self.all("sec-websocket-version") == ["13"]
            && matches!(keys.as_slice(), [key] if is_key(key))
            && hosts.len() == 1
            && !target.contains('#')
            && protocols.iter().all(|name| name.chars().all(is_tchar))
            && distinct
            && self.extensions().is_some()
            && !self.has_body();
        if !good || self.is_broken() || self.is_beyond(limits) {
            return Verdict::Refuse;
        }
        let plain_target = target.starts_with('/') && target.chars().all(is_plain_in_target);
        match self.is_plain() && plain_target && is_plain_host(hosts[0]) && self.is_within(limits) {
            true if self.elements("connection").iter().all(|o| o.chars().all(is_tchar)) => {
                Verdict::Accept
            }
            _ => Verdict::Either,
        }
    }

    /// What a client must do with a response of status 101, §4.1, when it has offered this and expects
    /// the token.
    #[must_use]
    pub fn as_acceptance(
        &self,
        limits: &HandshakeLimits,
        token: &str,
        subprotocols: &[&str],
        offered: &[&str],
    ) -> Verdict {
        let upgrade = self.elements("upgrade");
        let protocol = match self.all("sec-websocket-protocol").as_slice() {
            [] => true,
            [name] => subprotocols.contains(name),
            _ => false,
        };
        let chosen = self.extensions();
        let known = chosen.is_some_and(|chosen| {
            let names: Vec<&str> = chosen.iter().map(|one| one.name.as_str()).collect();
            (0..names.len())
                .all(|at| offered.contains(&names[at]) && !names[..at].contains(&names[at]))
        });
        let good = self.start.starts_with("HTTP/1.1 101")
            && matches!(upgrade.as_slice(), [one] if one.eq_ignore_ascii_case("websocket"))
            && self.has("connection", "upgrade")
            && self.all("sec-websocket-accept") == [token]
            && protocol
            && known;
        if !good || self.is_broken() || self.is_beyond(limits) {
            return Verdict::Refuse;
        }
        match self.is_plain() && self.is_within(limits) && self.start.starts_with("HTTP/1.1 101 ") {
            true if self.elements("connection").iter().all(|o| o.chars().all(is_tchar)) => {
                Verdict::Accept
            }
            _ => Verdict::Either,
        }
    }

    /// The status of a response whose first line and fields nobody could find fault with.
    #[must_use]
    pub fn plain_status(&self, limits: &HandshakeLimits) -> Option<u16> {
        let (status, phrase) = self.start.strip_prefix("HTTP/1.1 ")?.split_once(' ')?;
        let good = self.is_plain() && self.is_within(limits) && !self.is_broken();
        let status = status.parse().ok().filter(|_| status.len() == 3)?;
        (good && phrase.is_ascii() && (100..600).contains(&status)).then_some(status)
    }

    /// The extensions in all fields; `None` if one breaks the grammar.
    fn extensions(&self) -> Option<Vec<extensions::Extension>> {
        let all = self.all("sec-websocket-extensions");
        let lists: Option<Vec<_>> =
            all.iter().map(|value| extensions::parse(&bytes_of(value))).collect();
        lists.map(|lists| lists.concat())
    }

    fn has(&self, list: &str, token: &str) -> bool {
        self.elements(list).iter().any(|one| one.eq_ignore_ascii_case(token))
    }

    fn has_body(&self) -> bool {
        let (told, lengths) = (self.all("content-length"), self.elements("content-length"));
        let zeros = |length: &String| length.chars().all(|c| c == '0');
        let none = told.is_empty() || (!lengths.is_empty() && lengths.iter().all(zeros));
        !none || !self.all("transfer-encoding").is_empty()
    }

    /// The body of a response behind this head, as far as it is there, and whether it has ended; `None`
    /// where its framing has anything strange about it.
    #[must_use]
    pub fn body(&self, status: u16, rest: &[u8], eof: bool) -> Option<(Vec<u8>, bool)> {
        let (length, coding) = (self.all("content-length"), self.all("transfer-encoding"));
        match (length.as_slice(), coding.as_slice()) {
            _ if status == 204 || status == 304 => Some((Vec::new(), true)),
            ([], []) => Some((rest.to_vec(), eof)),
            ([length], []) if length.len() < 6 && length.bytes().all(|b| b.is_ascii_digit()) => {
                let length: usize = length.parse().ok()?;
                let there = length.min(rest.len());
                Some((rest[..there].to_vec(), there == length))
            }
            ([], ["chunked"]) => dechunked(rest),
            _ => None,
        }
    }
}

/// RFC 9112 §7.1, of chunks without extensions and trailers, and as far as whole chunks go.
fn dechunked(mut rest: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n")?;
        let digits = str::from_utf8(&rest[..line]).ok()?;
        let plain = (1..5).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let size = usize::from_str_radix(digits, 16).ok().filter(|_| plain)?;
        rest = &rest[line + 2..];
        let end = rest.get(size..size + 2)?;
        if end != b"\r\n" {
            return None;
        }
        body.extend(&rest[..size]);
        rest = &rest[size + 2..];
        if size == 0 {
            return Some((body, true));
        }
    }
}

fn bytes_of(latin1: &str) -> Vec<u8> {
    latin1.chars().map(|c| u8::try_from(u32::from(c)).expect("one character a byte")).collect()
}

/// §4.2.1 (5): sixteen bytes in base64.
fn is_key(key: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
    key.len() == 24 && key.strip_suffix("==").is_some_and(|key| key.chars().all(letter))
}

fn is_plain_in_target(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/-._~?&=".contains(c)
}

fn is_plain_host(host: &str) -> bool {
    host.len() < 60
        && host.split('.').all(|label| {
            !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        })
}
