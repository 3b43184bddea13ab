//! Integration tests.
mod local_postgres;
