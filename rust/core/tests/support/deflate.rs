//! permessage-deflate and limits as the vectors name them.

use serde_json::Value;
use ws13::deflate::{Direction, Parameters, Takeover, WindowBits, finalize};
use ws13::handshake::extensions::parse;
use ws13::{Limits, Role};

/// What was agreed, out of the text of a server's answer, or of one for each role.
pub fn agreed(extension: &Value, role: Role) -> Option<Parameters> {
    let name = match role {
        Role::Server => "server",
        Role::Client => "client",
    };
    let text = extension.as_str().or(extension[name].as_str())?;
    let answers = parse(text.as_bytes()).expect("an answer");
    Some(finalize(&answers[0], &Parameters::DEFAULT).expect("an answer that fits"))
}

/// What one end wants, with the names of Python's arguments.
pub fn wishes(own: &Value) -> Parameters {
    let direction = |end: &str| Direction {
        takeover: match own[format!("{end}_no_context_takeover")].as_bool() {
            Some(true) => Takeover::NoContext,
            _ => Takeover::Context,
        },
        max_window: match own[format!("{end}_max_window_bits")].as_u64() {
            Some(bits) => WindowBits::new(u8::try_from(bits).unwrap()).expect("a window"),
            None => WindowBits::MAX,
        },
    };
    Parameters { client: direction("client"), server: direction("server") }
}

/// The limits of a case, with the names of Python's `Config`.
pub fn limits(config: &Value) -> Limits {
    let piece = match &config["piece_size"] {
        Value::Null => Limits::DEFAULT.piece,
        size => usize::try_from(size.as_u64().expect("a size")).unwrap(),
    };
    Limits {
        message: config["max_message_size"].as_u64(),
        frame: config["max_frame_size"].as_u64(),
        fragments: config["max_fragments"].as_u64(),
        piece,
    }
}
