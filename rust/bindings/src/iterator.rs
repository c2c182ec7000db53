//! What `events()` returns. It holds no borrow and no event between two steps: each step asks the
//! connection, so that iterators may be left, nested, and used while events are sent.

use core::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;

use crate::connection::Connection;
use crate::handshake::H11Handshake;
use crate::ws_connection::WSConnection;

/// An iterator over events.
#[pyclass(frozen, module = "ws13._native")]
pub struct Events {
    source: Source,
    /// Has said that there is no more; a later event belongs to the next iterator.
    exhausted: AtomicBool,
}

enum Source {
    Connection(Py<Connection>),
    Handshake(Py<H11Handshake>),
    Both(Py<WSConnection>),
}

impl Events {
    pub fn of_connection(connection: Py<Connection>) -> Self {
        Self { source: Source::Connection(connection), exhausted: AtomicBool::new(false) }
    }

    pub fn of_handshake(handshake: Py<H11Handshake>) -> Self {
        Self { source: Source::Handshake(handshake), exhausted: AtomicBool::new(false) }
    }

    pub fn of_both(connection: Py<WSConnection>) -> Self {
        Self { source: Source::Both(connection), exhausted: AtomicBool::new(false) }
    }
}

#[pymethods]
impl Events {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[inline]
    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        if self.exhausted.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let event = match &self.source {
            Source::Connection(connection) => Connection::next_event(connection.bind(py))?,
            Source::Handshake(handshake) => H11Handshake::next_event(handshake.bind(py))?,
            Source::Both(both) => WSConnection::next_event(both.bind(py))?,
        };
        if event.is_none() {
            self.exhausted.store(true, Ordering::Relaxed);
        }
        Ok(event)
    }
}
