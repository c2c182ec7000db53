//! The engine of an opening handshake, for the end that it is, RFC 6455 §4.

use ws13::handshake::{ClientHandshake, ServerHandshake};
use ws13::{HandshakeLimits, Misuse, Role, State, Step};

/// The engine of one end.
pub enum Engine {
    Client(Box<ClientHandshake>),
    Server(Box<ServerHandshake>),
    /// The connection has taken over.
    Done(Role),
}

impl Engine {
    /// An end in this role that has done nothing yet.
    pub fn new(role: Role, limits: HandshakeLimits) -> Self {
        match role {
            Role::Client => Self::Client(Box::new(ClientHandshake::new(limits))),
            Role::Server => Self::Server(Box::new(ServerHandshake::new(limits))),
        }
    }

    /// Which end it is.
    pub const fn role(&self) -> Role {
        match self {
            Self::Client(_) => Role::Client,
            Self::Server(_) => Role::Server,
            Self::Done(role) => *role,
        }
    }

    /// Where the connection stands.
    pub fn state(&self) -> State {
        match self {
            Self::Client(client) => client.state(),
            Self::Server(server) => server.state(),
            Self::Done(_) => State::Open,
        }
    }

    /// A client's, which sends a request.
    pub fn client(&mut self) -> Result<&mut ClientHandshake, Misuse> {
        let state = self.state();
        match self {
            Self::Client(client) => Ok(client),
            Self::Server(_) | Self::Done(_) => Err(Misuse::State(state, Step::SendRequest)),
        }
    }

    /// A server's, which takes `step`.
    pub fn server(&mut self, step: Step) -> Result<&mut ServerHandshake, Misuse> {
        let state = self.state();
        match self {
            Self::Server(server) => Ok(server),
            Self::Client(_) | Self::Done(_) => Err(Misuse::State(state, step)),
        }
    }
}
