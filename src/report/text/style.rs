//! Colour and weight, where the reader can show them.

/// Whether to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// The reader is a terminal that wants colour.
    pub colour: bool,
}

impl Style {
    /// Letters only.
    pub const PLAIN: Self = Self { colour: false };

    /// What stands out.
    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// What only labels.
    pub fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    /// What is bad.
    pub fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    /// `text`, red if `bad`.
    pub fn red_if(self, bad: bool, text: &str) -> String {
        if bad { self.red(text) } else { text.to_owned() }
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.colour {
            return format!("\x1b[{code}m{text}\x1b[0m");
        }
        text.to_owned()
    }
}
