//! `ws13.handshake.H11Handshake`: the opening handshake over HTTP/1.1, RFC 6455 §4.

use std::collections::VecDeque;

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use ws13::handshake::{Accept, Reject, Request, Response, extensions};
use ws13::{HandshakeError, HandshakeLimits, Misuse, Role, Step};

use crate::alloc::{Next, Source};
use crate::config::Config;
use crate::connection::Connection;
use crate::engine::Engine;
use crate::events::{EventClass, bool_object};
use crate::extensions::hook;
use crate::guarded::{Fail, guarded};
use crate::{alloc, buffers, deflate, entropy, errors, events, headers, inject, names};

/// One end of an opening handshake over HTTP/1.1, RFC 6455 §4.
///
/// Args:
///     connection_type: CLIENT or SERVER.
///     config: limits of the handshake, and what the connection that comes of it is made with.
#[pyclass(subclass, weakref, module = "ws13.handshake")]
pub struct H11Handshake {
    engine: Engine,
    connection: Option<Py<Connection>>,
    /// Boxed, and let go when the connection is open and the program knows it: from then on nobody
    /// needs it, and servers hold many open connections.
    pending: Option<Box<Pending>>,
    /// The stream has ended.
    ended: bool,
}

#[derive(Default)]
struct Pending {
    events: VecDeque<Py<PyAny>>,
    /// The extensions that a client offers, or the texts of those that a server was offered.
    extensions: Vec<Py<PyAny>>,
    /// What to make the connection with.
    config: Option<Py<Config>>,
}

impl H11Handshake {
    fn with_role(role: Role, limits: HandshakeLimits) -> Self {
        let engine = Engine::new(role, limits);
        Self { engine, connection: None, pending: None, ended: false }
    }

    pub fn with_type(
        connection_type: &Bound<'_, PyAny>,
        config: Option<Bound<'_, Config>>,
    ) -> PyResult<Self> {
        let role = names::role(connection_type)?;
        let Some(config) = config else {
            return Ok(Self::with_role(role, HandshakeLimits::DEFAULT));
        };
        let mut handshake = Self::with_role(role, config.get().handshake_limits());
        handshake.pending.get_or_insert_default().config = Some(config.unbind());
        Ok(handshake)
    }

    fn this<'py>(slf: &Bound<'py, Self>) -> PyResult<PyRefMut<'py, Self>> {
        let this = slf.try_borrow_mut()?;
        inject::point();
        Ok(this)
    }

    /// Makes the connection that comes of the handshake.
    fn open(
        slf: &Bound<'_, Self>,
        extensions: &Bound<'_, PyAny>,
        early_data: &[u8],
    ) -> PyResult<Py<Connection>> {
        let py = slf.py();
        let (role, config) = {
            let this = slf.try_borrow()?;
            let config = this.pending.as_ref().and_then(|pending| pending.config.as_ref());
            (this.engine.role(), config.map(|config| config.clone_ref(py)))
        };
        let config = config.as_ref().map(Py::get);
        let connection = Connection::open(py, role, Some(extensions), early_data, config)?;
        let connection = Bound::new(py, connection)?;
        alloc::drop_empty_dict(&connection);
        Ok(connection.unbind())
    }

    /// The connection that has come of the handshake.
    pub fn established(slf: &Bound<'_, Self>) -> PyResult<Option<Py<Connection>>> {
        let this = slf.try_borrow()?;
        Ok(this.connection.as_ref().map(|connection| connection.clone_ref(slf.py())))
    }

    pub fn is_client(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Ok(slf.try_borrow()?.engine.role() == Role::Client)
    }

    pub fn engine_state(slf: &Bound<'_, Self>) -> PyResult<ws13::State> {
        Ok(slf.try_borrow()?.engine.state())
    }

    pub fn public_state(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        names::state(slf.py(), slf.try_borrow()?.engine.state())
    }

    #[inline]
    pub fn next_event(slf: &Bound<'_, Self>) -> PyResult<Option<Py<PyAny>>> {
        let mut this = Self::this(slf)?;
        let Some(pending) = &mut this.pending else { return Ok(None) };
        let event = pending.events.pop_front();
        if matches!(this.engine, Engine::Done(_)) && event.is_none() {
            this.pending = None;
        }
        Ok(event)
    }

    fn queue(slf: &Bound<'_, Self>, event: Py<PyAny>) -> PyResult<()> {
        Self::this(slf)?.pending.get_or_insert_default().events.push_back(event);
        Ok(())
    }

    /// What was offered, as a list.
    fn offered<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyList>> {
        let this = slf.try_borrow()?;
        let offered = this.pending.as_ref().map_or(&[][..], |pending| &pending.extensions);
        PyList::new(slf.py(), offered)
    }

    pub fn receive(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        if data.is_none() {
            return Self::receive_eof(slf);
        }
        let data = buffers::owned(data)?;
        // Choice: an empty read is nothing, but where the end of the stream is all that is missing it is
        // that end, as sockets tell it and as wsproto takes it.
        if data.as_bytes().is_empty() && Self::awaits_eof(slf)? {
            return Self::receive_eof(slf);
        }
        match Self::is_client(slf)? {
            true => Self::receive_response(slf, data.as_bytes()),
            false => Self::receive_request(slf, data.as_bytes()),
        }
    }

    fn awaits_eof(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Ok(matches!(&slf.try_borrow()?.engine, Engine::Client(client) if client.awaits_eof()))
    }

    fn receive_eof(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let mut this = Self::this(slf)?;
        if std::mem::replace(&mut this.ended, true) {
            return Ok(());
        }
        match &mut this.engine {
            Engine::Server(server) => {
                let result = server.receive_eof();
                drop(this);
                result.map_err(|error| errors::bad_request(py, &error))
            }
            Engine::Client(client) => {
                let result = client.receive_eof();
                drop(this);
                match result.map_err(|error| errors::bad_response(py, &error))? {
                    Some(response) => Self::take_response(slf, response),
                    None => Ok(()),
                }
            }
            Engine::Done(_) => Ok(()),
        }
    }

    fn receive_request(slf: &Bound<'_, Self>, data: &[u8]) -> PyResult<()> {
        let py = slf.py();
        let result = match &mut Self::this(slf)?.engine {
            Engine::Server(server) => server.receive(data),
            Engine::Client(_) | Engine::Done(_) => Ok(None),
        };
        match result.map_err(|error| errors::bad_request(py, &error))? {
            Some(request) => Self::take_request(slf, request),
            None => Ok(()),
        }
    }

    fn take_request(slf: &Bound<'_, Self>, request: Request) -> PyResult<()> {
        let py = slf.py();
        let mut offers = Vec::new();
        for offer in &request.extensions {
            offers.push(PyString::new(py, offer).into_any().unbind());
        }
        let event = events::Request::object(
            py,
            [
                headers::decode_host(py, &request.host)?,
                PyString::new(py, &request.target).into_any().unbind(),
                PyList::new(py, &offers)?.into_any().unbind(),
                headers::to_python(py, &request.fields)?,
                PyList::new(py, &request.subprotocols)?.into_any().unbind(),
            ],
        )?;
        Self::this(slf)?.pending.get_or_insert_default().extensions = offers;
        Self::queue(slf, event)
    }

    fn receive_response(slf: &Bound<'_, Self>, data: &[u8]) -> PyResult<()> {
        let py = slf.py();
        let mut data = data;
        loop {
            let result = match &mut Self::this(slf)?.engine {
                Engine::Client(client) => client.receive(std::mem::take(&mut data)),
                Engine::Server(_) | Engine::Done(_) => Ok(None),
            };
            match result.map_err(|error| errors::bad_response(py, &error))? {
                Some(response) => Self::take_response(slf, response)?,
                None => return Ok(()),
            }
        }
    }

    fn take_response(slf: &Bound<'_, Self>, response: Response) -> PyResult<()> {
        let py = slf.py();
        let body = |data: &[u8], finished: bool| {
            let data = PyBytes::new(py, data).into_any().unbind();
            events::RejectData::object(py, [data, bool_object(py, finished)])
        };
        let event = match response {
            Response::Accept(accept) => return Self::take_acceptance(slf, accept),
            Response::Reject(Reject { status, fields, has_body }) => {
                let headers = headers::to_python(py, &fields)?;
                let fields = [events::number(py, status), headers, bool_object(py, has_body)];
                events::RejectConnection::object(py, fields)?
            }
            Response::Body(data) => body(&data, false)?,
            Response::BodyEnd => body(b"", true)?,
        };
        Self::queue(slf, event)
    }

    fn take_acceptance(slf: &Bound<'_, Self>, accept: Accept) -> PyResult<()> {
        let py = slf.py();
        let chosen = Self::finalize(slf, &accept.extensions).inspect_err(|_| Self::fail(slf))?;
        let early_data = match &mut Self::this(slf)?.engine {
            Engine::Client(client) => client.take_early_data(),
            Engine::Server(_) | Engine::Done(_) => Vec::new(),
        };
        let connection = Self::open(slf, &chosen, &early_data).inspect_err(|_| Self::fail(slf))?;
        let subprotocol = match &accept.subprotocol {
            Some(name) => PyString::new(py, name).into_any().unbind(),
            None => py.None(),
        };
        let headers = headers::to_python(py, &accept.fields)?;
        let event = events::AcceptConnection::object(py, [subprotocol, chosen.unbind(), headers])?;
        {
            let mut this = Self::this(slf)?;
            this.engine = Engine::Done(Role::Client);
            this.connection = Some(connection);
        }
        Self::queue(slf, event)
    }

    /// Tells the offered extensions what the server has chosen; those in use, in its order.
    fn finalize<'py>(slf: &Bound<'py, Self>, chosen: &[String]) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        if chosen.is_empty() {
            return Ok(PyList::empty(py).into_any());
        }
        let offered = Self::offered(slf)?;
        let function = py.import("ws13.handshake")?.getattr("client_extensions_handshake")?;
        function.call1((chosen.to_vec(), offered))
    }

    pub fn upgrade(
        slf: &Bound<'_, Self>,
        headers: &Bound<'_, PyAny>,
        path: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let py = slf.py();
        if Self::is_client(slf)? {
            let message = "Cannot initiate an upgrade connection when acting as the client";
            return Err(names::local_error(py, message));
        }
        let fields = headers::from_python(headers)?;
        let target = headers::text_or_bytes(path)?;
        let target = String::from_utf8(target)
            .map_err(|_| errors::bad_request(py, &HandshakeError::Target))?;
        let result = Self::this(slf)?
            .engine
            .server(Step::ReceiveRequest)
            .and_then(|server| server.receive_parsed(&target, fields))
            .map_err(|misuse| errors::misuse(py, &misuse))?;
        Self::take_request(slf, result.map_err(|error| errors::bad_request(py, &error))?)
    }

    pub fn send_event<'py>(
        slf: &Bound<'py, Self>,
        event: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let py = slf.py();
        let bytes = if let Some(fields) = events::Request::fields(event) {
            Self::send_request(slf, fields)?
        } else if let Some(fields) = events::AcceptConnection::fields(event) {
            Self::send_accept(slf, fields)?
        } else if let Some(fields) = events::RejectConnection::fields(event) {
            Self::send_reject(slf, fields)?
        } else if let Some([data, body_finished]) = events::RejectData::fields(event) {
            let bytes = buffers::bytes(data.bind(py))?;
            let last = body_finished.bind(py).is_truthy()?;
            Self::this(slf)?
                .engine
                .server(Step::SendRejectEnd)
                .and_then(|server| server.reject_data(&bytes, last))
                .map_err(|misuse| errors::misuse(py, &misuse))?
        } else {
            let message = format!("Event {} cannot be sent during the handshake", event.str()?);
            return Err(names::local_error(py, message));
        };
        Ok(PyBytes::new(py, &bytes))
    }

    fn send_request(slf: &Bound<'_, Self>, fields: &[Py<PyAny>; 5]) -> PyResult<Vec<u8>> {
        let py = slf.py();
        let [host, target, extensions, extra_headers, subprotocols] = fields;
        let mut offered = Vec::new();
        let mut offers = Vec::new();
        for extension in items(extensions.bind(py))? {
            let name: String = hook(&extension, "name")?.extract()?;
            // permessage-deflate goes out as browsers offer it, whatever wsproto's method says.
            let offer = match deflate::is_instance(&extension)? {
                true => extension.getattr("_offer")?,
                false => hook(&extension, "offer")?,
            };
            let parameters = offer.call0()?;
            match parameters.cast::<PyString>() {
                Ok(parameters) => {
                    let parameters = parameters.to_str()?;
                    offers.push(match parameters.is_empty() {
                        true => name,
                        false => format!("{name}; {parameters}"),
                    });
                }
                Err(_) if parameters.is_truthy()? => offers.push(name),
                Err(_) => {}
            }
            offered.push(extension.unbind());
        }
        let request = Request {
            host: headers::encode_host(host.bind(py))?,
            target: headers::ascii(target.bind(py), Misuse::Target)?,
            subprotocols: headers::names(subprotocols.bind(py), Misuse::Subprotocol)?,
            extensions: offers,
            fields: headers::from_python(extra_headers.bind(py))?,
        };
        let nonce = entropy::nonce(py)?;
        let mut this = Self::this(slf)?;
        let bytes = this
            .engine
            .client()
            .and_then(|client| client.request(&request, nonce))
            .map_err(|misuse| errors::misuse(py, &misuse))?;
        this.pending.get_or_insert_default().extensions = offered;
        Ok(bytes)
    }

    fn send_accept(slf: &Bound<'_, Self>, fields: &[Py<PyAny>; 3]) -> PyResult<Vec<u8>> {
        let py = slf.py();
        let [subprotocol, extensions, extra_headers] = fields;
        let subprotocol = subprotocol.bind(py);
        let mut accept = Accept {
            subprotocol: match subprotocol.is_none() {
                true => None,
                false => Some(headers::ascii(subprotocol, Misuse::SubprotocolNotOffered)?),
            },
            extensions: Vec::new(),
            fields: headers::from_python(extra_headers.bind(py))?,
        };
        // Refuse what can be refused before an extension is told that it is in use.
        Self::this(slf)?
            .engine
            .server(Step::SendAccept)
            .and_then(|server| server.check_accept(&accept))
            .map_err(|misuse| errors::misuse(py, &misuse))?;
        let extensions = extensions.bind(py);
        for extension in items(extensions)? {
            hook(&extension, "accept")?;
        }
        accept.extensions = Self::negotiate(slf, extensions)?;

        let connection = Self::open(slf, extensions, &[])?;
        let mut this = Self::this(slf)?;
        let server =
            this.engine.server(Step::SendAccept).map_err(|misuse| errors::misuse(py, &misuse))?;
        let bytes = server.accept(&accept).map_err(|misuse| errors::misuse(py, &misuse))?;
        let early_data = server.take_early_data();
        let ended = this.ended;
        this.engine = Engine::Done(Role::Server);
        this.connection = Some(connection.clone_ref(py));
        this.pending.take_if(|pending| pending.events.is_empty());
        drop(this);
        Connection::take_data(connection.bind(py), PyBytes::new(py, &early_data).as_any())?;
        if ended {
            Connection::take_data(connection.bind(py), py.None().bind(py))?;
        }
        Ok(bytes)
    }

    /// Lets the extensions answer the client's offers: the texts of those in use.
    fn negotiate(slf: &Bound<'_, Self>, supported: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
        let py = slf.py();
        if !supported.is_truthy()? {
            return Ok(Vec::new());
        }
        let offers = Self::offered(slf)?;
        let function = py.import("ws13.handshake")?.getattr("server_extensions_handshake")?;
        let answer = function.call1((offers, supported))?;
        if answer.is_none() {
            return Ok(Vec::new());
        }
        let answer = answer.cast_into::<PyBytes>()?;
        let texts = extensions::parse(answer.as_bytes()).map_err(|_| {
            let text = answer.as_bytes().escape_ascii().to_string();
            errors::misuse(py, &Misuse::ExtensionHeader(text))
        })?;
        Ok(texts.iter().map(|extension| extension.text.to_owned()).collect())
    }

    fn send_reject(slf: &Bound<'_, Self>, fields: &[Py<PyAny>; 3]) -> PyResult<Vec<u8>> {
        let py = slf.py();
        let [status, headers, has_body] = fields;
        let status = status.bind(py);
        let reject = Reject {
            status: match status.extract::<u16>() {
                Ok(status) => status,
                Err(error) if error.is_instance_of::<PyTypeError>(py) => return Err(error),
                Err(_) => {
                    let message = format!("status code {status} rejects nothing");
                    return Err(names::local_error(py, message));
                }
            },
            fields: headers::from_python(headers.bind(py))?,
            has_body: has_body.bind(py).is_truthy()?,
        };
        Self::this(slf)?
            .engine
            .server(Step::SendReject)
            .and_then(|server| server.reject(&reject))
            .map_err(|misuse| errors::misuse(py, &misuse))
    }
}

/// The items of a list; none if it is None.
fn items<'py>(list: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    if list.is_none() {
        return Ok(Vec::new());
    }
    list.try_iter()?.collect()
}

impl Fail for H11Handshake {
    fn fail(slf: &Bound<'_, Self>) {
        let Ok(mut this) = slf.try_borrow_mut() else { return };
        match &mut this.engine {
            Engine::Client(client) => client.fail(),
            Engine::Server(server) => server.fail(),
            Engine::Done(_) => {}
        }
        // Perhaps nobody has heard of it yet.
        if let Some(connection) = &this.connection {
            Connection::fail(connection.bind(slf.py()));
        }
    }
}

impl Source for H11Handshake {
    fn next(slf: &Bound<'_, Self>) -> PyResult<Next> {
        Ok(Self::next_event(slf)?.map_or(Next::Nothing, Next::Event))
    }
}

#[pymethods]
impl H11Handshake {
    /// Takes any arguments: `__init__` reads them, and that of a subclass may have others.
    #[new]
    #[pyo3(signature = (*_args, **_kwargs), text_signature = "(connection_type, *, config=None)")]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self::with_role(Role::Server, HandshakeLimits::DEFAULT)
    }

    #[pyo3(signature = (connection_type, *, config = None))]
    fn __init__(
        slf: &Bound<'_, Self>,
        connection_type: &Bound<'_, PyAny>,
        config: Option<Bound<'_, Config>>,
    ) -> PyResult<()> {
        let fresh = Self::with_type(connection_type, config)?;
        *Self::this(slf)? = fresh;
        Ok(())
    }

    /// Whether this is the client's end.
    #[getter]
    fn client(slf: &Bound<'_, Self>) -> PyResult<bool> {
        guarded(slf, || Self::is_client(slf))
    }

    /// Where the connection stands, a `ConnectionState`.
    #[getter]
    fn state(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        guarded(slf, || Self::public_state(slf))
    }

    /// The connection that has come of the handshake, None before.
    #[getter]
    fn connection(slf: &Bound<'_, Self>) -> PyResult<Option<Py<Connection>>> {
        guarded(slf, || Self::established(slf))
    }

    /// Takes a request that an HTTP server has parsed already; a server's end only.
    ///
    /// Args:
    ///     headers: pairs of name and value, bytes or ASCII str.
    ///     path: the request target.
    ///
    /// Raises:
    ///     RemoteProtocolError: the request breaks a rule of RFC 6455 §4.2.1.
    ///     LocalProtocolError: this is a client, or there was a request before.
    fn initiate_upgrade_connection(
        slf: &Bound<'_, Self>,
        headers: &Bound<'_, PyAny>,
        path: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        guarded(slf, || Self::upgrade(slf, headers, path))
    }

    /// Returns the bytes that tell the peer of `event`.
    ///
    /// Args:
    ///     event: a Request, AcceptConnection, RejectConnection or RejectData.
    ///
    /// Raises:
    ///     LocalProtocolError: the event cannot be sent now, or not as it is. Nothing has changed then.
    fn send<'py>(
        slf: &Bound<'py, Self>,
        event: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        guarded(slf, || Self::send_event(slf, event))
    }

    /// Takes bytes that the peer sent; what they bring comes out of `events()`.
    ///
    /// Args:
    ///     data: any number of bytes, cut anywhere; None when the stream has ended.
    ///
    /// Raises:
    ///     RemoteProtocolError: the peer's part of the handshake breaks a rule. Its `event_hint` is the
    ///         answer that a server may send.
    fn receive_data(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(slf, || Self::receive(slf, data))
    }

    /// Iterates over what the peer did.
    fn events(slf: Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        alloc::Iterator::over(&slf)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let client = if Self::is_client(slf)? { "True" } else { "False" };
        let state = Self::public_state(slf)?;
        let state = state.bind(slf.py()).str()?;
        Ok(format!("{}(client={client}, state={state})", slf.get_type().name()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.connection)?;
        if let Some(pending) = &self.pending {
            pending.events.iter().try_for_each(|event| visit.call(event))?;
            pending.extensions.iter().try_for_each(|extension| visit.call(extension))?;
        }
        Ok(())
    }

    fn __clear__(&mut self) {
        self.connection = None;
        self.pending = None;
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a connection cannot be copied or pickled"))
    }

    fn __copy__(&self) -> PyResult<()> {
        self.__reduce__()
    }

    fn __deepcopy__(&self, _memo: &Bound<'_, PyAny>) -> PyResult<()> {
        self.__reduce__()
    }
}
