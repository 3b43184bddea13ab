//! Writing JSON piece by piece: what is JSON already is copied, everything else serialised. Compact, keys in the order
//! in which they are written.

use serde::Serialize;
use serde_json::Result;

/// JSON text under construction.
pub(super) struct Text(Vec<u8>);

impl Text {
    pub fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// Copies what is JSON already, or a piece of it.
    pub fn raw(&mut self, json: &str) {
        self.0.extend_from_slice(json.as_bytes());
    }

    /// Serialises a value.
    pub fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        serde_json::to_writer(&mut self.0, value)
    }

    /// Bytes as a string of hexadecimal digits.
    pub fn hex(&mut self, bytes: &[u8]) {
        self.raw("\"");
        let start = self.0.len();
        self.0.resize(start + 2 * bytes.len(), 0);
        hex::encode_to_slice(bytes, &mut self.0[start..]).expect("there is room for two digits a byte");
        self.raw("\"");
    }

    /// An array, with a comma between its elements.
    pub fn array<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T) -> Result<()>,
    ) -> Result<()> {
        self.raw("[");
        for (position, item) in items.into_iter().enumerate() {
            if position > 0 {
                self.raw(",");
            }
            write(self, item)?;
        }
        self.raw("]");
        Ok(())
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub fn into_string(self) -> String {
        String::from_utf8(self.0).expect("only strings and JSON were written")
    }
}

/// A value as JSON.
pub(super) fn text<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value)
}
