//! What a `Connection` holds: the engine, its input, and what few connections need.
//!
//! Invariant: no Python code runs here, except the hooks of an extension that is written in Python.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use ws13::{CloseCode, Role, State};

use crate::alloc::Raised;
use crate::config::Config;
use crate::input::Input;
use crate::taken::{Taken, convert, convert_whole};
use crate::whole::Whole;
use crate::{entropy, extensions, inject};

/// See the module.
pub struct Inner {
    pub engine: ws13::Connection,
    pub input: Input,
    /// Boxed, so that a connection without it stays small.
    pub rare: Option<Box<Rare>>,
    pub stream: Stream,
    /// `events()` has run to its end behind the last event: the program knows that it is over.
    pub told: bool,
    /// A program has put functions of its own in the place of methods of this object.
    pub replaced: bool,
}

/// What few connections need.
#[derive(Default)]
pub struct Rare {
    /// Events that a program wants `events()` to give out first: a `deque`, made when it is asked for.
    pub injected: Option<Py<PyAny>>,
    /// What a hook of an extension raised.
    pub raised: extensions::Raised,
    /// What `send_all` had made when an event was refused.
    pub unsent: Vec<u8>,
    /// The message that is under way, where messages are given out whole, and how long it may become, in
    /// bytes.
    pub whole: Option<(Whole, usize)>,
}

/// What is known of the byte stream from the peer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Open,
    /// It has ended, and what came before has not all been taken.
    Ended,
    /// It has ended without a closing handshake, which is the next and last event.
    Abnormal,
    /// It has ended, and that is dealt with.
    Over,
}

/// What becomes of bytes from the peer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Taken,
    Discarded,
    /// The program has not seen that the connection is closed.
    Refused,
}

impl Inner {
    /// An open connection.
    pub fn open(
        py: Python<'_>,
        role: Role,
        extensions: Option<&Bound<'_, PyAny>>,
        early_data: &[u8],
        config: Option<&Config>,
    ) -> PyResult<Self> {
        let mut raised = extensions::Raised::default();
        let extensions = extensions::enabled(role, extensions, &mut raised)?;
        let mut engine = ws13::Connection::with_extensions(role, extensions);
        let mut rare = None;
        if raised.is_used() {
            rare.get_or_insert_with(Box::<Rare>::default).raised = raised;
        }
        if let Some(config) = config {
            let limits = config.limits();
            engine = engine.with_limits(&limits);
            if config.has_whole_messages() {
                let rare = rare.get_or_insert_with(Box::<Rare>::default);
                let most = limits.message.and_then(|most| usize::try_from(most).ok());
                rare.whole = Some((Whole::Nothing, most.unwrap_or(usize::MAX)));
            }
        }
        let mut input = Input::default();
        input.push(PyBytes::new(py, early_data));
        let stream = Stream::Open;
        Ok(Self { engine, input, rare, stream, told: false, replaced: false })
    }

    /// The next event. With `events`, events are added there until there is none, or one that is not
    /// made here.
    pub fn take<'py>(
        &mut self,
        py: Python<'py>,
        mut events: Option<&mut Vec<Py<PyAny>>>,
    ) -> Result<Taken, Raised<'py>> {
        if self.input.is_empty() && !self.engine.holds_event() {
            return Ok(self.end_event(py));
        }
        let input = std::mem::take(&mut self.input);
        let mut rest = input.rest(py);
        // A panic from here on loses what was not taken: it fails the connection, `guarded`.
        let taken = loop {
            if rest.is_empty() && !self.engine.holds_event() {
                break Ok(Taken::Nothing);
            }
            // Before the event is taken, so that none is lost.
            if events.as_mut().is_some_and(|events| events.try_reserve(1).is_err()) {
                break Err(Raised::out_of_memory(py));
            }
            match (self.take_from(py, &mut rest, input.object()), &mut events) {
                (Ok(Taken::NoEvent), _) => {}
                (Ok(Taken::Event(event)), Some(events)) => events.push(event),
                (other, _) => break other,
            }
        };
        let left = rest.len();
        self.input = input.last(py, left);
        match taken? {
            Taken::Nothing => Ok(self.end_event(py)),
            taken => Ok(taken),
        }
    }

    /// A piece of the stream is lost, as memory ran out or by a panic.
    #[cold]
    pub fn give_up(&mut self) {
        self.engine.give_up();
    }

    /// Takes what comes next off the beginning of `input`, which stands in `object`, if in any.
    #[inline(always)]
    fn take_from<'py>(
        &mut self,
        py: Python<'py>,
        input: &mut &[u8],
        object: Option<&Py<PyBytes>>,
    ) -> Result<Taken, Raised<'py>> {
        inject::point();
        let taken = match self.engine.receive(input) {
            None => Ok(Taken::Nothing),
            Some(event) => match self.rare.as_mut().and_then(|rare| rare.whole.as_mut()) {
                None => convert(py, event),
                Some(whole) => convert_whole(py, event, whole, object),
            },
        };
        self.engine.release();
        if let Some(error) = self.raised() {
            return Err(Raised::new(py, error));
        }
        // Where memory ran out, a piece of the stream is gone with it.
        taken.inspect_err(|_| self.engine.give_up())
    }

    /// Takes bytes from the peer, and tells what became of them.
    #[inline]
    pub fn take_data(&mut self, data: Bound<'_, PyBytes>) -> Fate {
        match (self.engine.state(), self.stream) {
            (State::Open | State::LocalClosing, Stream::Open) => {
                self.input.push(data);
                Fate::Taken
            }
            // Choice: a program that has left the loop at the last event is told that it is over, as
            // wsproto tells it. One that just reads on is not: RFC 6455 §1.4 has it discard the data.
            (State::Closed, _) if !self.told => Fate::Refused,
            _ => Fate::Discarded,
        }
    }

    /// The stream from the peer has ended.
    pub fn take_end(&mut self, py: Python<'_>) {
        if matches!(self.stream, Stream::Open | Stream::Ended) {
            self.stream = Stream::Ended;
            if self.input.is_empty() && !self.engine.holds_event() {
                self.receive_eof(py);
            }
        }
    }

    /// What comes when all input is used: perhaps the end.
    #[inline]
    fn end_event(&mut self, py: Python<'_>) -> Taken {
        if self.stream == Stream::Ended {
            self.receive_eof(py);
        }
        if self.stream == Stream::Abnormal {
            self.stream = Stream::Over;
            return Taken::close(CloseCode::ABNORMAL_CLOSURE, None);
        }
        self.told = !matches!(self.engine.state(), State::Open | State::LocalClosing);
        Taken::Nothing
    }

    /// What a hook has raised, once.
    #[inline]
    fn raised(&self) -> Option<PyErr> {
        self.rare.as_ref().and_then(|rare| rare.raised.take())
    }

    fn receive_eof(&mut self, py: Python<'_>) {
        self.stream = match self.engine.receive_eof() {
            true => Stream::Abnormal,
            false => Stream::Over,
        };
        if let Some((whole, _)) = self.rare.as_mut().and_then(|rare| rare.whole.as_mut()) {
            whole.clear(py);
        }
    }

    #[inline]
    pub fn masking_key(&self, py: Python<'_>) -> PyResult<ws13::MaskingKey> {
        match self.engine.role() {
            Role::Client => entropy::masking_key(py),
            Role::Server => Ok([0; 4]),
        }
    }
}
