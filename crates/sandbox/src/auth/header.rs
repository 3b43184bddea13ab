//! Headers that prove something.

use axum::http::HeaderMap;
use subtle::ConstantTimeEq;

use super::super::refusal::Refusal;
use super::super::request;

/// The one value of a header; anything else is a failed proof.
pub(super) fn single<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, Refusal> {
    request::single(headers, name).map_err(|refusal| Refusal::unauthorized(refusal.message))
}

/// Equal, in a time that doesn't reveal where they differ.
pub(super) fn same(given: &str, expected: &str) -> bool {
    given.as_bytes().ct_eq(expected.as_bytes()).into()
}
