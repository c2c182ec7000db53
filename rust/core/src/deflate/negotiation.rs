//! The parameters of permessage-deflate, RFC 7692 §7.1: pure functions from what stands in the header to
//! what is agreed, or to the reason why nothing is.

use super::{Direction, NAME, Parameters, Takeover, WindowBits};
use crate::handshake::extensions::Offer;

const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";

/// Why a set of parameters is not accepted, RFC 7692 §7.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterFault {
    /// A name that nobody defined.
    Unknown,
    /// A parameter that stands twice.
    Repeated,
    /// A value where none belongs.
    UnexpectedValue,
    /// No value where one belongs.
    MissingValue,
    /// A window that is not a number from 8 to 15, without leading zeros.
    WindowBits,
    /// A window larger than the one that was asked for.
    WindowTooLarge,
    /// A parameter that was asked for is missing.
    NotHonoured,
}

impl core::fmt::Display for ParameterFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown parameter",
            Self::Repeated => "repeated parameter",
            Self::UnexpectedValue => "parameter with an unexpected value",
            Self::MissingValue => "parameter without its value",
            Self::WindowBits => "window bits other than 8 to 15",
            Self::WindowTooLarge => "larger window than requested",
            Self::NotHonoured => "requested parameter missing in the answer",
        })
    }
}

/// The parameters that stand in an offer or an answer.
#[derive(Default)]
struct Given {
    client_takeover: Option<Takeover>,
    server_takeover: Option<Takeover>,
    /// The inner value is missing where the parameter has none.
    client_window: Option<Option<WindowBits>>,
    server_window: Option<Option<WindowBits>>,
}

impl Given {
    fn read(extension: &Offer<'_>) -> Result<Self, ParameterFault> {
        let mut given = Self::default();
        for parameter in extension.parameters() {
            let value = parameter.value.as_deref();
            match parameter.name {
                CLIENT_NO_CONTEXT_TAKEOVER => put(&mut given.client_takeover, flag(value)?)?,
                SERVER_NO_CONTEXT_TAKEOVER => put(&mut given.server_takeover, flag(value)?)?,
                CLIENT_MAX_WINDOW_BITS => put(&mut given.client_window, window(value)?)?,
                SERVER_MAX_WINDOW_BITS => {
                    // §7.1.2.1: "This parameter has a decimal integer value".
                    let bits = window(value)?.ok_or(ParameterFault::MissingValue)?;
                    put(&mut given.server_window, Some(bits))?;
                }
                _ => return Err(ParameterFault::Unknown),
            }
        }
        Ok(given)
    }
}

/// §7.1: a set of parameters with "more than one extension parameter with the same name" is invalid.
fn put<T>(place: &mut Option<T>, value: T) -> Result<(), ParameterFault> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(ParameterFault::Repeated),
    }
}

/// §7.1.1: "This parameter has no value."
fn flag(value: Option<&str>) -> Result<Takeover, ParameterFault> {
    match value {
        None => Ok(Takeover::NoContext),
        Some(_) => Err(ParameterFault::UnexpectedValue),
    }
}

/// §7.1.2: "a decimal integer value without leading zeroes between 8 to 15, inclusive".
fn window(value: Option<&str>) -> Result<Option<WindowBits>, ParameterFault> {
    let Some(value) = value else { return Ok(None) };
    let bits = match value.as_bytes() {
        [ones @ b'8'..=b'9'] => ones.checked_sub(b'0'),
        [b'1', ones @ b'0'..=b'5'] => ones.checked_sub(b'0').and_then(|ones| ones.checked_add(10)),
        _ => None,
    };
    bits.and_then(WindowBits::new).map(Some).ok_or(ParameterFault::WindowBits)
}

fn stricter(one: Takeover, other: Option<Takeover>) -> Takeover {
    match (one, other) {
        (Takeover::Context, None | Some(Takeover::Context)) => Takeover::Context,
        _ => Takeover::NoContext,
    }
}

/// Makes the text of the extension out of those of its parameters that are there.
fn text(parameters: [Option<String>; 4]) -> String {
    parameters.into_iter().flatten().fold(NAME.to_owned(), |text, next| text + "; " + &next)
}

fn flag_text(name: &str, takeover: Takeover) -> Option<String> {
    (takeover == Takeover::NoContext).then(|| name.to_owned())
}

fn window_text(name: &str, window: WindowBits) -> String {
    format!("{name}={}", window.bits())
}

/// A client's offer that asks for `wanted`.
///
/// `client_max_window_bits` always stands in it, without a value where the client has no wish, so that
/// the server may ask for a smaller window (§7.1.2.2), as browsers let it.
#[must_use]
pub fn offer(wanted: &Parameters) -> String {
    let limited = |window: WindowBits| window < WindowBits::MAX;
    text([
        flag_text(CLIENT_NO_CONTEXT_TAKEOVER, wanted.client.takeover),
        flag_text(SERVER_NO_CONTEXT_TAKEOVER, wanted.server.takeover),
        Some(match limited(wanted.client.max_window) {
            true => window_text(CLIENT_MAX_WINDOW_BITS, wanted.client.max_window),
            false => CLIENT_MAX_WINDOW_BITS.to_owned(),
        }),
        limited(wanted.server.max_window)
            .then(|| window_text(SERVER_MAX_WINDOW_BITS, wanted.server.max_window)),
    ])
}

/// A server's answer to `offer`, with what is then agreed. `wanted` is what the server has at most: it
/// asks for less where the offer lets it.
///
/// # Errors
/// Why the offer is to be declined, §7.1.
pub fn accept(
    offer: &Offer<'_>,
    wanted: &Parameters,
) -> Result<(Parameters, String), ParameterFault> {
    let given = Given::read(offer)?;
    let client_window = given.client_window.map(|bits| {
        bits.map_or(wanted.client.max_window, |bits| bits.min(wanted.client.max_window))
    });
    let server_window = match given.server_window.flatten() {
        Some(bits) => bits.min(wanted.server.max_window),
        None => wanted.server.max_window,
    };
    let agreed = Parameters {
        client: Direction {
            takeover: stricter(wanted.client.takeover, given.client_takeover),
            // §7.1.2.2: without an offer the server must not ask, and the client has the full window.
            max_window: client_window.unwrap_or(WindowBits::MAX),
        },
        server: Direction {
            takeover: stricter(wanted.server.takeover, given.server_takeover),
            max_window: server_window,
        },
    };
    let tells_server_window = given.server_window.is_some() || server_window < WindowBits::MAX;
    let answer = text([
        flag_text(CLIENT_NO_CONTEXT_TAKEOVER, agreed.client.takeover),
        flag_text(SERVER_NO_CONTEXT_TAKEOVER, agreed.server.takeover),
        client_window.map(|bits| window_text(CLIENT_MAX_WINDOW_BITS, bits)),
        tells_server_window.then(|| window_text(SERVER_MAX_WINDOW_BITS, server_window)),
    ]);
    Ok((agreed, answer))
}

/// What is agreed when a server gives `answer` to the [`offer`] that asked for `wanted`.
///
/// # Errors
/// Why the answer does not fit: the client must fail the connection, §7.1.
pub fn finalize(answer: &Offer<'_>, wanted: &Parameters) -> Result<Parameters, ParameterFault> {
    let given = Given::read(answer)?;
    // §7.1.1.1: the server "accepts" the request "by including" the parameter in its answer.
    if wanted.server.takeover == Takeover::NoContext && given.server_takeover.is_none() {
        return Err(ParameterFault::NotHonoured);
    }
    let server_window = match given.server_window.flatten() {
        // §7.1.2.1: "the same or smaller value".
        Some(bits) if bits > wanted.server.max_window => {
            return Err(ParameterFault::WindowTooLarge);
        }
        Some(bits) => bits,
        None if wanted.server.max_window < WindowBits::MAX => {
            return Err(ParameterFault::NotHonoured);
        }
        None => WindowBits::MAX,
    };
    let client_window = match given.client_window {
        // §7.1.2.2: in an answer the parameter has a value.
        Some(None) => return Err(ParameterFault::MissingValue),
        // Choice: §7.1.2.2 lets the server ignore the value of the offer, or answer with one that is "equal
        // to or smaller". One that is larger asks nothing of us: the smaller of the two holds.
        Some(Some(bits)) => bits.min(wanted.client.max_window),
        None => wanted.client.max_window,
    };
    Ok(Parameters {
        client: Direction {
            takeover: stricter(wanted.client.takeover, given.client_takeover),
            max_window: client_window,
        },
        server: Direction {
            takeover: stricter(wanted.server.takeover, given.server_takeover),
            max_window: server_window,
        },
    })
}
