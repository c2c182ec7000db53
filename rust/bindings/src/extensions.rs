//! Extensions that are written in Python, as links of the engine's chain.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use ws13::extension::{Extension, Flow, Outbound, Part, Refused};
use ws13::{CloseCode, Header, Opcode, Role, Rsv, Violation};

use crate::{buffers, deflate, headers};

/// What a hook raised: it leaves the call of the connection that ran the hook, as it is.
#[derive(Clone, Default)]
pub struct Raised(Option<Arc<Mutex<Option<PyErr>>>>);

impl Raised {
    /// Whether there are hooks that can raise.
    pub const fn is_used(&self) -> bool {
        self.0.is_some()
    }

    /// The exception, once.
    #[inline]
    pub fn take(&self) -> Option<PyErr> {
        self.0.as_ref().and_then(|slot| slot.lock().unwrap_or_else(PoisonError::into_inner).take())
    }
}

/// The extensions among `extensions` that are enabled, ready for use.
pub fn enabled(
    role: Role,
    extensions: Option<&Bound<'_, PyAny>>,
    raised: &mut Raised,
) -> PyResult<Vec<Box<dyn Extension>>> {
    let mut chain: Vec<Box<dyn Extension>> = Vec::new();
    let Some(extensions) = extensions.filter(|extensions| !extensions.is_none()) else {
        return Ok(chain);
    };
    let mut in_use = Vec::new();
    for extension in extensions.try_iter()? {
        let extension = extension?;
        if hook(&extension, "enabled")?.call0()?.is_truthy()? {
            in_use.push(extension);
        }
    }
    let mut proto = None;
    for extension in &in_use {
        if let Some(native) = deflate::native(role, extension)? {
            chain.push(native);
            continue;
        }
        let proto = match &mut proto {
            Some(proto) => proto,
            None => proto.insert(Proto::new(extension.py(), role, &in_use)?),
        };
        let slot = raised.0.get_or_insert_default().clone();
        chain.push(Box::new(PythonExtension::new(extension, proto, slot)));
    }
    Ok(chain)
}

/// An attribute that every extension has; `TypeError` if the object is none.
pub fn hook<'py>(extension: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    extension.getattr_opt(name)?.ok_or_else(|| {
        PyTypeError::new_err(format!("expected an Extension, got {}", extension.get_type()))
    })
}

/// What the hooks of a connection get as `proto`: a `FrameDecoder` for what comes in, a `FrameProtocol`
/// for what goes out. They tell which end it is and which extensions are in use.
struct Proto {
    inbound: Py<PyAny>,
    outbound: Py<PyAny>,
}

impl Proto {
    fn new(py: Python<'_>, role: Role, in_use: &[Bound<'_, PyAny>]) -> PyResult<Self> {
        let module = py.import("ws13.frame_protocol")?;
        let make = |class: &str| -> PyResult<Py<PyAny>> {
            let end = module.getattr(class)?.call1((role == Role::Client, PyList::empty(py)))?;
            end.setattr("extensions", PyList::new(py, in_use)?)?;
            Ok(end.unbind())
        };
        Ok(Self { inbound: make("FrameDecoder")?, outbound: make("FrameProtocol")? })
    }
}

/// An object with the hooks of `ws13.extensions.Extension`.
struct PythonExtension {
    hooks: Py<PyAny>,
    proto: Proto,
    raised: Arc<Mutex<Option<PyErr>>>,
    /// What the hooks have made of the last piece, and how much of it was given out.
    held: Vec<u8>,
    given: usize,
}

impl PythonExtension {
    fn new(hooks: &Bound<'_, PyAny>, proto: &Proto, raised: Arc<Mutex<Option<PyErr>>>) -> Self {
        let py = hooks.py();
        let inbound = proto.inbound.clone_ref(py);
        let outbound = proto.outbound.clone_ref(py);
        let proto = Proto { inbound, outbound };
        Self { hooks: hooks.clone().unbind(), proto, raised, held: Vec::new(), given: 0 }
    }

    /// Lets the hooks work on a piece of payload.
    fn run_inbound(&self, data: &[u8], part: Part) -> Result<Vec<u8>, Refused> {
        self.run(|hooks| {
            let proto = &self.proto.inbound;
            let data = PyBytes::new(hooks.py(), data);
            let result = hooks.call_method1("frame_inbound_payload_data", (proto, data))?;
            if let Some(refused) = refusal(&result)? {
                return Ok(Err(refused));
            }
            let mut output = buffers::bytes(&result)?.into_owned();
            if part == Part::Inside {
                return Ok(Ok(output));
            }
            let fin = part == Part::MessageEnd;
            let result = hooks.call_method1("frame_inbound_complete", (proto, fin))?;
            if let Some(refused) = refusal(&result)? {
                return Ok(Err(refused));
            }
            if !result.is_none() {
                output.extend_from_slice(&buffers::bytes(&result)?);
            }
            Ok(Ok(output))
        })
    }

    /// Runs a hook; an exception fails the connection and is raised when the engine is through.
    fn run<T>(
        &self,
        hook: impl for<'py> FnOnce(&Bound<'py, PyAny>) -> PyResult<Result<T, Refused>>,
    ) -> Result<T, Refused> {
        Python::attach(|py| {
            hook(self.hooks.bind(py)).unwrap_or_else(|error| {
                *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Err(Refused(CloseCode::INTERNAL_ERROR))
            })
        })
    }
}

fn violation(Refused(code): Refused) -> Violation {
    Violation::Extension(code)
}

/// A hook refuses a frame by returning a member of `CloseReason`.
fn refusal(result: &Bound<'_, PyAny>) -> PyResult<Option<Refused>> {
    let class = result.py().import("ws13.frame_protocol")?.getattr("CloseReason")?;
    if !result.is_instance(&class)? {
        return Ok(None);
    }
    Ok(Some(Refused(CloseCode(result.extract::<u16>()?))))
}

fn opcode_object<'py>(py: Python<'py>, opcode: Opcode) -> PyResult<Bound<'py, PyAny>> {
    py.import("ws13.frame_protocol")?.getattr("Opcode")?.call1((opcode.bits(),))
}

/// RSV1, RSV2 and RSV3.
pub fn rsv_bits(rsv: Rsv) -> (bool, bool, bool) {
    let set = |bit: Rsv| rsv.bits() & bit.bits() != 0;
    (set(Rsv::RSV1), set(Rsv::RSV2), set(Rsv::RSV3))
}

fn rsv_object<'py>(py: Python<'py>, rsv: Rsv) -> PyResult<Bound<'py, PyAny>> {
    py.import("ws13.frame_protocol")?.getattr("RsvBits")?.call1(rsv_bits(rsv))
}

fn rsv_from(bits: &Bound<'_, PyAny>) -> PyResult<Rsv> {
    let mut rsv = Rsv::NONE;
    for (bit, used) in [Rsv::RSV1, Rsv::RSV2, Rsv::RSV3].into_iter().zip(bits.try_iter()?) {
        if used?.is_truthy()? {
            rsv = rsv.with(bit);
        }
    }
    Ok(rsv)
}

impl Extension for PythonExtension {
    fn claims(&self) -> Rsv {
        Rsv::ALL
    }

    fn inbound_header(&mut self, header: &Header) -> Result<Rsv, Violation> {
        let result = self.run(|hooks| {
            let py = hooks.py();
            let opcode = opcode_object(py, header.opcode)?;
            let rsv = rsv_object(py, header.rsv)?;
            let arguments = (&self.proto.inbound, opcode, rsv, header.payload_length);
            let result = hooks.call_method1("frame_inbound_header", arguments)?;
            match refusal(&result)? {
                Some(refused) => Ok(Err(refused)),
                None => rsv_from(&result).map(Ok),
            }
        });
        result.map_err(violation)
    }

    fn inbound(
        &mut self,
        input: &mut &[u8],
        part: Part,
        most: usize,
        output: &mut Vec<u8>,
    ) -> Result<Flow, Violation> {
        // What the hooks have made of a piece is given out bit by bit.
        if self.given == self.held.len() {
            self.held = self.run_inbound(std::mem::take(input), part).map_err(violation)?;
            self.given = 0;
        }
        let rest = &self.held[self.given..];
        let piece = &rest[..most.min(rest.len())];
        output.extend_from_slice(piece);
        self.given += piece.len();
        if self.given < self.held.len() {
            return Ok(Flow::More);
        }
        (self.held, self.given) = (Vec::new(), 0);
        Ok(Flow::Done)
    }

    fn outbound(
        &mut self,
        frame: &mut Outbound,
        payload: &mut Cow<'_, [u8]>,
    ) -> Result<(), Refused> {
        self.run(|hooks| {
            let py = hooks.py();
            let opcode = opcode_object(py, frame.opcode)?;
            let rsv = rsv_object(py, frame.rsv)?;
            let data = PyBytes::new(py, payload);
            let arguments = (&self.proto.outbound, opcode, rsv, data, frame.fin);
            let result = hooks.call_method1("frame_outbound", arguments)?;
            let (rsv, data) = headers::pair_of(&result)?;
            frame.rsv = rsv_from(&rsv)?;
            *payload = Cow::Owned(buffers::bytes(&data)?.into_owned());
            Ok(Ok(()))
        })
    }
}
