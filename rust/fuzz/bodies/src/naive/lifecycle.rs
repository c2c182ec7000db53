//! The closing of a connection, RFC 6455 §7, as four things that can have happened.

use ws13::State;

/// See the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lifecycle {
    /// Our Close frame is sent.
    pub sent_close: bool,
    /// The peer's has come.
    pub received_close: bool,
    /// The peer broke a rule.
    pub failed: bool,
    /// The TCP connection is gone.
    pub gone: bool,
}

impl Lifecycle {
    /// §7.1.4: both Close frames, or the end of TCP.
    #[must_use]
    pub fn is_closed(self) -> bool {
        self.gone || (self.sent_close && self.received_close)
    }

    /// §5.5.1: no frame follows our Close frame, and none but that follows the peer's, or a failure.
    #[must_use]
    pub fn may_send(self) -> bool {
        !(self.sent_close || self.received_close || self.failed || self.gone)
    }

    /// §7.1.2: once.
    #[must_use]
    pub fn may_close(self) -> bool {
        !(self.sent_close || self.gone)
    }

    /// §1.4, §7.1.7: until the peer's Close frame or a failure.
    #[must_use]
    pub fn may_receive(self) -> bool {
        !(self.received_close || self.failed || self.gone)
    }

    /// The name of all that.
    #[must_use]
    pub fn state(self) -> State {
        match self {
            _ if self.is_closed() => State::Closed,
            Self { failed: true, sent_close: true, .. } => State::FailedClosing,
            Self { failed: true, .. } => State::Failed,
            Self { received_close: true, .. } => State::RemoteClosing,
            Self { sent_close: true, .. } => State::LocalClosing,
            _ => State::Open,
        }
    }
}
