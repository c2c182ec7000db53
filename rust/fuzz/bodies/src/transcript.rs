//! What came out of a connection, in a form that does not depend on how its bytes were cut.

use ws13::Ends;

/// A whole message, a control frame, or the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A Ping.
    Ping(Vec<u8>),
    /// A Pong.
    Pong(Vec<u8>),
    /// The peer's Close frame.
    Close(u16, String),
    /// The connection has failed, with this close code.
    Failed(u16),
    /// The stream ended without a Close frame.
    Eof,
}

/// What was given out of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Partial {
    /// Of a text message.
    Text(String),
    /// Of a binary message.
    Binary(Vec<u8>),
}

/// Everything that a connection gave out, messages joined over fragments and pieces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    /// In the order in which they were complete.
    pub items: Vec<Item>,
    /// A message whose end has not come.
    pub partial: Option<Partial>,
}

impl Transcript {
    /// A piece of a text message.
    pub fn text(&mut self, piece: &str, ends: Ends) {
        match self.partial.get_or_insert(Partial::Text(String::new())) {
            Partial::Text(text) => text.push_str(piece),
            Partial::Binary(_) => panic!("text inside a binary message"),
        }
        self.ends(ends);
    }

    /// A piece of a binary message.
    pub fn binary(&mut self, piece: &[u8], ends: Ends) {
        match self.partial.get_or_insert(Partial::Binary(Vec::new())) {
            Partial::Binary(bytes) => bytes.extend_from_slice(piece),
            Partial::Text(_) => panic!("bytes inside a text message"),
        }
        self.ends(ends);
    }

    fn ends(&mut self, ends: Ends) {
        assert!(ends.frame || !ends.message, "a message ends inside a frame");
        if ends.message {
            self.items.extend(self.partial.take().map(|partial| match partial {
                Partial::Text(text) => Item::Text(text),
                Partial::Binary(bytes) => Item::Binary(bytes),
            }));
        }
    }

    /// Without an unfinished message of which nothing came out.
    #[must_use]
    pub fn settled(mut self) -> Self {
        self.partial = self.partial.filter(|partial| match partial {
            Partial::Text(text) => !text.is_empty(),
            Partial::Binary(bytes) => !bytes.is_empty(),
        });
        self
    }

    /// The same without text messages.
    #[must_use]
    pub fn without_text(mut self) -> Self {
        self.items.retain(|item| !matches!(item, Item::Text(_)));
        self.partial = self.partial.filter(|partial| matches!(partial, Partial::Binary(_)));
        self.settled()
    }

    /// Whether nothing can come any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.items.last(), Some(Item::Close(..) | Item::Failed(_) | Item::Eof))
    }
}
