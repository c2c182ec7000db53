//! Heads of HTTP/1.1 read naively.

/// A head and what stands behind it.
#[derive(Debug)]
pub struct Head {
    pub start: String,
    pub fields: Vec<(String, String)>,
    pub rest: Vec<u8>,
}

impl Head {
    pub fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
        let text = from_latin1(&bytes[..end]);
        let mut lines = text.split("\r\n");
        let start = lines.next().unwrap().to_owned();
        let fields = lines.map(|line| {
            let (name, value) = line.split_once(": ").expect("a colon and a space");
            (name.to_ascii_lowercase(), value.to_owned())
        });
        Self { start, fields: fields.collect(), rest: bytes[end + 4..].to_vec() }
    }

    /// The values of all fields of this name.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let named = self.fields.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }
}

/// Each byte as the character of the same number.
pub fn from_latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// Each character as the byte of the same number.
pub fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).expect("one character a byte")).collect()
}
