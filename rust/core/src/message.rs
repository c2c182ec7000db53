//! Messages out of frames, RFC 6455 §5.4: which data frame may follow which.

use crate::error::{Misuse, Violation};
use crate::opcode::{DataKind, Opcode};

/// The message that is under way in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Message {
    kind: Option<DataKind>,
}

impl Message {
    pub const NONE: Self = Self { kind: None };

    /// Takes the header of a received data frame and tells what its payload belongs to.
    ///
    /// Control frames never come here: §5.5 lets them stand in the middle of a message.
    pub fn receive(&mut self, opcode: Opcode) -> Result<DataKind, Violation> {
        let kind = match (self.kind, opcode) {
            (Some(kind), Opcode::Continuation) => kind,
            (None, Opcode::Text) => DataKind::Text,
            (None, Opcode::Binary) => DataKind::Binary,
            // §5.4: the first frame has "an opcode other than 0", the others have 0.
            (Some(_), Opcode::Text) => return Err(Violation::ExpectedContinuation(DataKind::Text)),
            (Some(_), _) => return Err(Violation::ExpectedContinuation(DataKind::Binary)),
            (None, _) => return Err(Violation::UnexpectedContinuation),
        };
        self.kind = Some(kind);
        Ok(kind)
    }

    /// The opcode of the next frame when `kind` is sent.
    pub fn next_opcode(&self, kind: DataKind) -> Result<Opcode, Misuse> {
        match self.kind {
            None => Ok(kind.opcode()),
            Some(current) if current == kind => Ok(Opcode::Continuation),
            Some(_) => Err(Misuse::DataKindChanged),
        }
    }

    /// A frame of `kind` was sent, with or without FIN.
    pub fn sent(&mut self, kind: DataKind, fin: bool) {
        self.kind = (!fin).then_some(kind);
    }

    /// The last frame of the message has come.
    pub fn finish(&mut self) {
        self.kind = None;
    }
}
