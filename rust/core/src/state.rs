//! The lifecycle of a connection, RFC 6455 §4 and §7, as data: [`RULES`] is the only place that says
//! which step leads where. The lookup table, the diagram in `docs/lifecycle.md` and the exhaustive
//! test are made from it. Nothing else in this crate decides what a step does; `Connection::set_state` is
//! for callers that know better.

use core::fmt;

use crate::error::Misuse;

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum State {
    /// The opening handshake is under way.
    Connecting,
    /// The handshake ends in a rejection whose body is under way.
    Rejecting,
    /// Both ends may send.
    Open,
    /// The peer has sent its Close frame, we have not sent ours.
    RemoteClosing,
    /// We have sent our Close frame, the peer's has not come.
    LocalClosing,
    /// The peer broke a rule. What it sends is discarded; a Close frame may still be sent.
    Failed,
    /// The peer broke a rule and our Close frame is out.
    FailedClosing,
    /// Nothing can be sent or received any more.
    Closed,
}

/// What can happen to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Step {
    /// A client sends its request.
    SendRequest,
    /// A server receives a request.
    ReceiveRequest,
    /// A server accepts the request.
    SendAccept,
    /// A client receives the acceptance of its request.
    ReceiveAccept,
    /// A server rejects the request.
    SendReject,
    /// A client receives the rejection of its request.
    ReceiveReject,
    /// A server sends the end of the rejection's body.
    SendRejectEnd,
    /// A client receives the end of the rejection's body.
    ReceiveRejectEnd,
    /// A data frame, Ping or Pong is sent.
    SendFrame,
    /// A data frame, Ping or Pong is received.
    ReceiveFrame,
    /// A Close frame is sent.
    SendClose,
    /// A Close frame is received.
    ReceiveClose,
    /// The peer breaks a rule: _Fail the WebSocket Connection_.
    Fail,
    /// The TCP connection ends after the opening handshake.
    ReceiveEof,
}

/// One step that is possible, and the section that makes it so.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Before the step.
    pub from: State,
    /// What happens.
    pub step: Step,
    /// After the step.
    pub to: State,
    /// The section of RFC 6455.
    pub section: &'static str,
}

const fn rule(from: State, step: Step, to: State, section: &'static str) -> Rule {
    Rule { from, step, to, section }
}

/// Every step that is possible. A step that is not here is misuse when the caller takes it, and
/// discarded when the peer does.
pub const RULES: &[Rule] = {
    use State::{
        Closed, Connecting, Failed, FailedClosing, LocalClosing, Open, Rejecting, RemoteClosing,
    };
    use Step::{
        Fail, ReceiveAccept, ReceiveClose, ReceiveEof, ReceiveFrame, ReceiveReject,
        ReceiveRejectEnd, ReceiveRequest, SendAccept, SendClose, SendFrame, SendReject,
        SendRejectEnd, SendRequest,
    };
    &[
        rule(Connecting, SendRequest, Connecting, "4.1"),
        rule(Connecting, ReceiveRequest, Connecting, "4.2.1"),
        rule(Connecting, SendAccept, Open, "4.2.2"),
        rule(Connecting, ReceiveAccept, Open, "4.1"),
        rule(Connecting, SendReject, Rejecting, "4.2.2"),
        rule(Connecting, ReceiveReject, Rejecting, "4.1"),
        rule(Connecting, Fail, Closed, "4.1"),
        rule(Rejecting, SendRejectEnd, Closed, "4.2.2"),
        rule(Rejecting, ReceiveRejectEnd, Closed, "4.1"),
        rule(Rejecting, Fail, Closed, "4.1"),
        rule(Open, SendFrame, Open, "6.1"),
        rule(Open, ReceiveFrame, Open, "6.2"),
        rule(Open, SendClose, LocalClosing, "7.1.2"),
        rule(Open, ReceiveClose, RemoteClosing, "7.1.3"),
        rule(Open, Fail, Failed, "7.1.7"),
        rule(Open, ReceiveEof, Closed, "7.1.5"),
        // §5.5.1: after its own Close frame the peer sends no more data, and we only ours.
        rule(RemoteClosing, SendClose, Closed, "5.5.1"),
        rule(RemoteClosing, ReceiveEof, Closed, "7.1.4"),
        // §1.4: data that the peer sent before it saw our Close frame is still delivered.
        rule(LocalClosing, ReceiveFrame, LocalClosing, "1.4"),
        rule(LocalClosing, ReceiveClose, Closed, "5.5.1"),
        rule(LocalClosing, Fail, FailedClosing, "7.1.7"),
        rule(LocalClosing, ReceiveEof, Closed, "7.1.5"),
        rule(Failed, SendClose, FailedClosing, "7.1.7"),
        rule(Failed, ReceiveEof, Closed, "7.1.7"),
        rule(FailedClosing, ReceiveEof, Closed, "7.1.7"),
        rule(Closed, ReceiveEof, Closed, "7.1.4"),
    ]
};

const STATES: usize = State::Closed as usize + 1;
const STEPS: usize = Step::ReceiveEof as usize + 1;

/// [`RULES`], indexed by state and step.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which refuses a fault")]
const TABLE: [[Option<State>; STEPS]; STATES] = {
    let mut table = [[None; STEPS]; STATES];
    let mut i = 0;
    while i < RULES.len() {
        let Rule { from, step, to, .. } = RULES[i];
        assert!(table[from as usize][step as usize].is_none(), "two rules for one step");
        table[from as usize][step as usize] = Some(to);
        i += 1;
    }
    table
};

impl State {
    /// The state after `step`, if the step is possible.
    #[must_use]
    pub fn after(self, step: Step) -> Option<Self> {
        TABLE.get(self as usize).and_then(|row| row.get(step as usize)).copied().flatten()
    }

    /// Takes a step of the caller.
    ///
    /// # Errors
    /// [`Misuse::State`] if it is not possible; the state stays as it is.
    pub(crate) fn take(&mut self, step: Step) -> Result<(), Misuse> {
        *self = self.check(step)?;
        Ok(())
    }

    /// Whether the caller may take the step: the state after it.
    pub(crate) fn check(self, step: Step) -> Result<Self, Misuse> {
        self.after(step).ok_or(Misuse::State(self, step))
    }

    /// Takes a step of the peer; tells whether it was possible.
    pub(crate) fn advance(&mut self, step: Step) -> bool {
        let next = self.after(step);
        *self = next.unwrap_or(*self);
        next.is_some()
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
