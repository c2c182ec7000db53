//! The grammar of Sec-WebSocket-Extensions, RFC 6455 §9.1.
//!
//! ```text
//! Sec-WebSocket-Extensions = extension-list
//! extension-list  = 1#extension
//! extension       = extension-token *( ";" extension-param )
//! extension-param = token [ "=" (token | quoted-string) ]
//! ```

use std::borrow::Cow;

use super::MAX_LIST;
use super::fields::{is_tchar, trim};
use crate::error::{HandshakeError, Misuse};

/// An extension as it stands in the header: offered by a client or chosen by a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer<'h> {
    /// Its name.
    pub name: &'h str,
    /// All of it as it was sent.
    pub text: &'h str,
}

impl<'h> Offer<'h> {
    /// Its parameters in their order, read out of its text one by one.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'h>> + use<'h> {
        let mut scanner = Scanner { rest: self.text.strip_prefix(self.name).unwrap_or_default() };
        core::iter::from_fn(move || {
            let (name, value) = scanner.parameter().ok()??;
            Some(Parameter { name, value: value.map(unquoted) })
        })
    }
}

/// A parameter of an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter<'h> {
    /// Its name.
    pub name: &'h str,
    /// Its value without quotes and escapes; `None` if it has none.
    pub value: Option<Cow<'h, str>>,
}

/// Reads the value of one field. Empty elements do not count, RFC 9110 §5.6.1.2.
///
/// # Errors
/// [`HandshakeError::MalformedExtensions`] if the value does not follow the grammar: §9.1, "the
/// recipient of such malformed data MUST immediately _Fail the WebSocket Connection_".
pub fn parse(value: &[u8]) -> Result<Vec<Offer<'_>>, HandshakeError> {
    offers(value).collect()
}

/// Reads the value of one field as [`parse`] does, one extension when it is asked for, and without
/// allocating anything. An error is the last item.
pub fn offers(value: &[u8]) -> impl Iterator<Item = Result<Offer<'_>, HandshakeError>> {
    let ascii = str::from_utf8(value).ok().filter(|value| value.is_ascii());
    let mut unread = Some(ascii.map(|rest| Scanner { rest }).ok_or(Malformed));
    core::iter::from_fn(move || {
        // Put back where more may follow.
        let offer = unread.take()?.and_then(|mut scanner| {
            let offer = scanner.element()?;
            unread = Some(Ok(scanner));
            Ok(offer)
        });
        offer.map_err(|Malformed| HandshakeError::MalformedExtensions).transpose()
    })
}

/// What the values of all such fields offer; of what stands behind the first [`MAX_LIST`] extensions only
/// the grammar is looked at.
pub(super) fn read<'v>(
    values: impl Iterator<Item = &'v [u8]>,
) -> Result<Vec<String>, HandshakeError> {
    let mut offered = Vec::new();
    for offer in values.flat_map(offers) {
        let offer = offer?;
        if offered.len() < MAX_LIST {
            offered.push(offer.text.to_owned());
        }
    }
    Ok(offered)
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

/// It does not follow the grammar.
struct Malformed;

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

    /// What was read since `start` was left.
    fn read_since(&self, start: &'h str) -> &'h str {
        start.get(..start.len().saturating_sub(self.rest.len())).unwrap_or_default()
    }

    fn token(&mut self) -> Result<&'h str, Malformed> {
        let end = self.rest.bytes().position(|byte| !is_tchar(byte)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at_checked(end).ok_or(Malformed)?;
        self.rest = rest;
        if token.is_empty() { Err(Malformed) } else { Ok(token) }
    }

    /// The next element that is not empty, up to the comma behind it.
    fn element(&mut self) -> Result<Option<Offer<'h>>, Malformed> {
        loop {
            self.skip_white_space();
            match self.peek() {
                None => return Ok(None),
                Some(b',') => self.next(),
                Some(_) => break,
            };
        }
        let start = self.rest;
        let name = self.token()?;
        while self.parameter()?.is_some() {}
        let text = trim(self.read_since(start).as_bytes());
        match self.peek() {
            None | Some(b',') => {}
            Some(_) => return Err(Malformed),
        }
        Ok(Some(Offer { name, text: str::from_utf8(text).map_err(|_| Malformed)? }))
    }

    /// The next parameter, if there is one: its name, and its value as it stands there.
    fn parameter(&mut self) -> Result<Option<(&'h str, Option<&'h str>)>, Malformed> {
        self.skip_white_space();
        if !self.eat(b';') {
            return Ok(None);
        }
        self.skip_white_space();
        let name = self.token()?;
        self.skip_white_space();
        if !self.eat(b'=') {
            return Ok(Some((name, None)));
        }
        self.skip_white_space();
        let value = match self.peek() {
            Some(b'"') => self.quoted()?,
            _ => self.token()?,
        };
        Ok(Some((name, Some(value))))
    }

    /// A quoted string, with its quotes.
    fn quoted(&mut self) -> Result<&'h str, Malformed> {
        let start = self.rest;
        self.next();
        loop {
            match self.next().ok_or(Malformed)? {
                b'"' => return Ok(self.read_since(start)),
                b'\\' => self.next().ok_or(Malformed)?,
                byte => byte,
            };
        }
    }
}

/// A value without quotes and escapes.
///
/// §9.1: "the value after quoted-string unescaping MUST conform to the 'token' ABNF."
///
/// // Choice: that is left to whoever knows the extension. Others' values are none of our business,
/// and a comma or a semicolon in them must not end them.
fn unquoted(value: &str) -> Cow<'_, str> {
    let Some(inner) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else {
        return Cow::Borrowed(value);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut characters = inner.chars();
    let unescaped = core::iter::from_fn(|| match characters.next()? {
        '\\' => characters.next(),
        character => Some(character),
    });
    Cow::Owned(unescaped.collect())
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
                    let parameters = offer.parameters().map(|p| match &p.value {
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
