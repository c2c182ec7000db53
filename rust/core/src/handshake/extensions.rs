//! The grammar of Sec-WebSocket-Extensions, RFC 6455 §9.1.
//!
//! ```text
//! Sec-WebSocket-Extensions = extension-list
//! extension-list  = 1#extension
//! extension       = extension-token *( ";" extension-param )
//! extension-param = token [ "=" (token | quoted-string) ]
//! ```

use super::fields::{is_tchar, trim};
use crate::error::{HandshakeError, Misuse};

/// An extension as it stands in the header: offered by a client or chosen by a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer<'h> {
    /// Its name.
    pub name: &'h str,
    /// Its parameters in their order.
    pub parameters: Vec<Parameter<'h>>,
    /// All of it as it was sent.
    pub text: &'h str,
}

/// A parameter of an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter<'h> {
    /// Its name.
    pub name: &'h str,
    /// Its value without quotes and escapes; `None` if it has none.
    pub value: Option<String>,
}

/// Reads the value of one field. Empty elements do not count, RFC 9110 §5.6.1.2.
///
/// # Errors
/// [`HandshakeError::MalformedExtensions`] if the value does not follow the grammar: §9.1, "the
/// recipient of such malformed data MUST immediately _Fail the WebSocket Connection_".
pub fn parse(value: &[u8]) -> Result<Vec<Offer<'_>>, HandshakeError> {
    let value = str::from_utf8(value)
        .ok()
        .filter(|value| value.is_ascii())
        .ok_or(HandshakeError::MalformedExtensions)?;
    let mut scanner = Scanner { rest: value };
    let mut offers = Vec::new();
    loop {
        scanner.skip_white_space();
        if !matches!(scanner.peek(), Some(b',') | None) {
            offers.push(scanner.extension().ok_or(HandshakeError::MalformedExtensions)?);
        }
        match scanner.next() {
            None => return Ok(offers),
            Some(b',') => {}
            Some(_) => return Err(HandshakeError::MalformedExtensions),
        }
    }
}

/// Checks what is to be sent and makes the value of the field of it.
pub(super) fn join(extensions: &[String]) -> Result<String, Misuse> {
    match extensions.iter().find(|text| parse(text.as_bytes()).map_or(0, |all| all.len()) != 1) {
        Some(text) => Err(Misuse::ExtensionHeader(text.clone())),
        None => Ok(extensions.join(", ")),
    }
}

/// The names of the extensions in texts that [`join`] has found good.
pub(super) fn names(extensions: &[String]) -> Vec<String> {
    let parsed = extensions.iter().filter_map(|text| parse(text.as_bytes()).ok());
    parsed.flatten().map(|offer| offer.name.to_owned()).collect()
}

/// What has not been read yet; ASCII.
struct Scanner<'h> {
    rest: &'h str,
}

impl<'h> Scanner<'h> {
    fn peek(&self) -> Option<u8> {
        self.rest.as_bytes().first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.rest = self.rest.get(1..)?;
        Some(byte)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.next();
        }
        found
    }

    fn skip_white_space(&mut self) {
        while self.eat(b' ') || self.eat(b'\t') {}
    }

    fn token(&mut self) -> Option<&'h str> {
        let end = self.rest.bytes().position(|byte| !is_tchar(byte)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!token.is_empty()).then_some(token)
    }

    fn extension(&mut self) -> Option<Offer<'h>> {
        let start = self.rest;
        let name = self.token()?;
        let mut parameters = Vec::new();
        self.skip_white_space();
        while self.eat(b';') {
            self.skip_white_space();
            parameters.push(self.parameter()?);
            self.skip_white_space();
        }
        let length = start.len().saturating_sub(self.rest.len());
        let text = trim(start.as_bytes().get(..length)?);
        Some(Offer { name, parameters, text: str::from_utf8(text).ok()? })
    }

    fn parameter(&mut self) -> Option<Parameter<'h>> {
        let name = self.token()?;
        self.skip_white_space();
        if !self.eat(b'=') {
            return Some(Parameter { name, value: None });
        }
        self.skip_white_space();
        let value = match self.eat(b'"') {
            true => self.quoted()?,
            false => self.token()?.to_owned(),
        };
        Some(Parameter { name, value: Some(value) })
    }

    /// §9.1: "the value after quoted-string unescaping MUST conform to the 'token' ABNF."
    ///
    /// // Choice: that is left to whoever knows the extension. Others' values are none of our business,
    /// and a comma or a semicolon in them must not end them.
    fn quoted(&mut self) -> Option<String> {
        let mut value = String::new();
        loop {
            match self.next()? {
                b'"' => return Some(value),
                b'\\' => value.push(char::from(self.next()?)),
                byte => value.push(char::from(byte)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(value: &str) -> Option<Vec<String>> {
        let offers = parse(value.as_bytes()).ok()?;
        Some(
            offers
                .iter()
                .map(|offer| {
                    let parameters = offer.parameters.iter().map(|p| match &p.value {
                        Some(value) => format!("{}={value}", p.name),
                        None => p.name.to_owned(),
                    });
                    [offer.name.to_owned()]
                        .into_iter()
                        .chain(parameters)
                        .collect::<Vec<_>>()
                        .join(";")
                })
                .collect(),
        )
    }

    #[test]
    fn lists_with_quoted_strings_are_read() {
        for (value, want) in [
            ("", vec![]),
            (" ,, ", vec![]),
            ("foo", vec!["foo"]),
            ("foo ; a ; b = c,bar", vec!["foo;a;b=c", "bar"]),
            (r#"foo; a="1\0", bar"#, vec!["foo;a=10", "bar"]),
            (r#"foo; a="1, \";b", bar; c="""#, vec!["foo;a=1, \";b", "bar;c="]),
        ] {
            assert_eq!(
                shape(value).as_deref(),
                Some(want.as_slice())
                    .map(|w| w.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>())
                    .as_deref(),
                "{value}"
            );
        }
        assert_eq!(parse(b" foo; a=\"1\" , bar").expect("it is legal")[0].text, "foo; a=\"1\"");
    }

    #[test]
    fn what_breaks_the_grammar_is_refused() {
        for bad in [
            "foo;",
            "foo; =1",
            "foo; a=",
            "foo bar",
            "foo; a=\"1",
            "f(oo",
            "foo; a b",
            "\"foo\"",
            "foo; a=\"\\",
            "fé",
        ] {
            assert_eq!(shape(bad), None, "{bad}");
        }
    }
}
