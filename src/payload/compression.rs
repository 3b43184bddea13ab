//! Bodies as they are stored: gzip.

use std::io::{Read, Write};

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// The fastest level: rent rolls repeat themselves, nine tenths go even so.
pub fn compressed(body: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 6), Compression::fast());
    encoder.write_all(body)?;
    Ok(encoder.finish()?)
}

/// The JSON that a stored body holds.
pub fn decompressed(body: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(body.len() * 8);
    GzDecoder::new(body)
        .read_to_end(&mut bytes)
        .context("a stored body is damaged")?;
    Ok(bytes)
}
