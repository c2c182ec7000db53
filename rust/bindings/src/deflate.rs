//! permessage-deflate: the class in `python/ws13/extensions.py` holds what is wanted and what was agreed,
//! the engine does the work.

use std::sync::{Arc, OnceLock};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyType};
use ws13::deflate::{
    self, Direction, Level, NAME, Options, Parameters, PerMessageDeflate, Pool, Takeover,
    WindowBits,
};
use ws13::extension::Extension;
use ws13::handshake::extensions;
use ws13::{HandshakeError, Role};

use crate::alloc::GilCell;
use crate::{buffers, errors, inject};

/// The attributes of an instance in which a program can put a hook or a codec of its own.
const HOOKS: [&str; 4] = [
    "frame_inbound_header",
    "frame_inbound_payload_data",
    "frame_inbound_complete",
    "frame_outbound",
];

/// One store for all connections: the GIL lets one of them work at a time.
fn pool() -> &'static Arc<Pool> {
    static POOL: OnceLock<Arc<Pool>> = OnceLock::new();
    POOL.get_or_init(Arc::default)
}

fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS.import(py, "ws13.extensions", "PerMessageDeflate")
}

/// Whether `extension` is a `PerMessageDeflate` or one of a class below it.
pub fn is_instance(extension: &Bound<'_, PyAny>) -> PyResult<bool> {
    extension.is_instance(class(extension.py())?)
}

/// The native codec, if `extension` is a `PerMessageDeflate` that nobody has changed the hooks of.
pub fn native(role: Role, extension: &Bound<'_, PyAny>) -> PyResult<Option<Box<dyn Extension>>> {
    if !extension.get_type().is(class(extension.py())?) {
        return Ok(None);
    }
    let attributes = extension.getattr("__dict__")?.cast_into::<PyDict>()?;
    for name in HOOKS {
        if attributes.contains(name)? {
            return Ok(None);
        }
    }
    for name in ["_compressor", "_decompressor"] {
        if !extension.getattr(name)?.is_none() {
            return Ok(None);
        }
    }
    let parameters = parameters(extension.getattr("_parameters")?.extract()?)?;
    let options = Options {
        level: Level::new(extension.getattr("level")?.extract()?)
            .ok_or_else(|| PyValueError::new_err("level must be between 1 and 9"))?,
        threshold: extension.getattr("threshold")?.extract()?,
    };
    Ok(Some(Box::new(PerMessageDeflate::new(role, &parameters, options, pool()))))
}

/// As the class has them: client_no_context_takeover, client_max_window_bits, and the server's.
type Flat = (bool, u8, bool, u8);

fn parameters((client_flag, client_bits, server_flag, server_bits): Flat) -> PyResult<Parameters> {
    let direction = |flag, bits| {
        let max_window = WindowBits::new(bits)
            .ok_or_else(|| PyValueError::new_err("window bits must be between 8 and 15"))?;
        let takeover = if flag { Takeover::NoContext } else { Takeover::Context };
        Ok::<_, PyErr>(Direction { takeover, max_window })
    };
    Ok(Parameters {
        client: direction(client_flag, client_bits)?,
        server: direction(server_flag, server_bits)?,
    })
}

const fn flat(parameters: &Parameters) -> Flat {
    let Parameters { client, server } = parameters;
    (
        matches!(client.takeover, Takeover::NoContext),
        client.max_window.bits(),
        matches!(server.takeover, Takeover::NoContext),
        server.max_window.bits(),
    )
}

/// The parameters in the text of the extension, without its name.
fn without_name(text: &str) -> &str {
    text.strip_prefix(NAME).unwrap_or(text).trim_start_matches([';', ' '])
}

/// A client's offer, without the name of the extension.
#[pyfunction]
pub fn offer_deflate(wanted: Flat) -> PyResult<String> {
    inject::point();
    Ok(without_name(&deflate::offer(&parameters(wanted)?)).to_owned())
}

/// What a server that wants at most `wanted` agrees to with a client that offers `offer`, and its answer
/// without the name of the extension; None if the offer is declined.
#[pyfunction]
pub fn accept_deflate(offer: &str, wanted: Flat) -> PyResult<Option<(Flat, String)>> {
    inject::point();
    let wanted = parameters(wanted)?;
    let Ok(offers) = extensions::parse(offer.as_bytes()) else { return Ok(None) };
    let [offer] = offers.as_slice() else { return Ok(None) };
    Ok(deflate::accept(offer, &wanted)
        .ok()
        .map(|(agreed, answer)| (flat(&agreed), without_name(&answer).to_owned())))
}

/// What is agreed when a server answers the offer of `wanted` with `answer`.
#[pyfunction]
pub fn finalize_deflate(py: Python<'_>, answer: &str, wanted: Flat) -> PyResult<Flat> {
    inject::point();
    let wanted = parameters(wanted)?;
    let agreed = extensions::parse(answer.as_bytes()).and_then(|answers| match &answers[..] {
        [answer] => deflate::finalize(answer, &wanted).map_err(HandshakeError::DeflateParameter),
        _ => Err(HandshakeError::MalformedExtensions),
    });
    Ok(flat(&agreed.map_err(|error| errors::bad_response(py, &error))?))
}

/// Inflates messages for the hooks of `PerMessageDeflate`, with the interface of `zlib.decompressobj()`.
#[pyclass(frozen, module = "ws13._native")]
pub struct Inflater(GilCell<deflate::Inflater>);

#[pymethods]
impl Inflater {
    #[new]
    fn new(window_bits: u8) -> PyResult<Self> {
        let direction = parameters((false, window_bits, false, window_bits))?.client;
        Ok(Self(GilCell::new(deflate::Inflater::new(direction, Arc::clone(pool())))))
    }

    /// Inflates a piece of a message's payload; `zlib.error` if it is no DEFLATE.
    fn decompress<'py>(
        &self,
        py: Python<'py>,
        data: &Bound<'_, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        inject::point();
        let data = buffers::bytes(data)?;
        let (mut input, mut output) = (&*data, Vec::new());
        self.0
            .borrow_mut(py)?
            .inflate(&mut input, usize::MAX, &mut output)
            .map_err(|violation| zlib_error(py, &violation))?;
        Ok(PyBytes::new(py, &output))
    }

    /// Ends the message; `zlib.error` if its payload stops inside a block.
    fn flush<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.0.borrow_mut(py)?.finish().map_err(|violation| zlib_error(py, &violation))?;
        Ok(PyBytes::new(py, b""))
    }
}

fn zlib_error(py: Python<'_>, violation: &ws13::Violation) -> PyErr {
    let class = py.import("zlib").and_then(|zlib| zlib.getattr("error"));
    match class.and_then(|class| class.call1((violation.to_string(),))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}
