//! What the relay promises whoever runs it, one test or more for each numbered promise of docs/promises.md.

mod limits;
mod planning;
mod privacy;
mod receivers;
mod rights;
mod size;
mod words;
