//! What a request must look like around its body: headers, encoding, size.
//! The body itself is the business of [`super::check`].

use std::io::Read;

use axum::http::HeaderMap;
use flate2::read::MultiGzDecoder;

use super::refusal::Refusal;

/// The largest body that is read, on the wire and unpacked.
pub const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Checks the headers that are the same for every format; answers the sync ID.
pub fn headers(headers: &HeaderMap) -> Result<&str, Refusal> {
    expect(headers, "Content-Type", "application/json")?;
    expect(headers, "User-Agent", "AiGent/1.0")?;
    sync_id(headers)
}

/// The sync ID beside the body.
pub fn sync_id(headers: &HeaderMap) -> Result<&str, Refusal> {
    single(headers, "X-Aigent-Sync-ID")
}

/// How a body is packed.
#[derive(Clone, Copy)]
pub enum Encoding {
    /// Not at all.
    None,
    /// RFC 9110, section 8.4.1.3.
    Gzip,
}

impl Encoding {
    /// The setting's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
        }
    }

    /// The body as the sender wrote it.
    pub fn decode(self, wire: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        match self {
            Self::None => Ok(wire),
            Self::Gzip => unpack(&wire, BODY_BYTES_MAX),
        }
    }
}

/// How the body is packed by its header.
pub fn encoding(headers: &HeaderMap) -> Result<Encoding, Refusal> {
    if !headers.contains_key("content-encoding") {
        return Ok(Encoding::None);
    }
    match single(headers, "Content-Encoding")? {
        "identity" => Ok(Encoding::None),
        "gzip" => Ok(Encoding::Gzip),
        other => Err(Refusal::breach(
            "header Content-Encoding",
            format!("is {other:?}; expected gzip or no such header"),
        )),
    }
}

/// Unpacks no more than `bytes_max`, however small the packed form is.
fn unpack(wire: &[u8], bytes_max: usize) -> Result<Vec<u8>, Refusal> {
    let mut body = Vec::new();
    MultiGzDecoder::new(wire)
        .take(bytes_max as u64 + 1)
        .read_to_end(&mut body)
        .map_err(|error| Refusal::breach("$", format!("is not gzip ({error}), as its header says")))?;
    if body.len() > bytes_max {
        return Err(too_large());
    }
    Ok(body)
}

/// The refusal of a body beyond [`BODY_BYTES_MAX`].
pub fn too_large() -> Refusal {
    Refusal::too_large(format!(
        "$: is larger than {BODY_BYTES_MAX} bytes, or could not be read to its end"
    ))
}

fn expect(headers: &HeaderMap, name: &str, expected: &str) -> Result<(), Refusal> {
    let value = single(headers, name)?;
    if value == expected {
        return Ok(());
    }
    Err(Refusal::breach(
        format!("header {name}"),
        format!("is {value:?}; expected {expected:?}"),
    ))
}

/// The one value of a header.
pub fn single<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, Refusal> {
    let wrong = |what: &str| Refusal::breach(format!("header {name}"), what);
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or_else(|| wrong("is missing"))?;
    if values.next().is_some() {
        return Err(wrong("appears twice; expected it once"));
    }
    value.to_str().map_err(|_| wrong("has bytes that are not ASCII text"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn pack(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_body_is_unpacked_up_to_its_limit_and_no_further() {
        assert_eq!(unpack(&pack(&[7; 100]), 100).unwrap(), [7; 100]);
        assert_eq!(unpack(&pack(&[7; 101]), 100).unwrap_err().status, 413);
    }

    #[test]
    fn what_is_not_gzip_is_refused() {
        let mut cut_off = pack(b"{}");
        cut_off.truncate(cut_off.len() - 1);
        assert_eq!(unpack(&cut_off, 100).unwrap_err().status, 400);
        let mut trailing = pack(b"{}");
        trailing.extend_from_slice(b"more");
        assert_eq!(unpack(&trailing, 100).unwrap_err().status, 400);
    }
}
