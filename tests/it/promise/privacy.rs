//! Where personal data is, and that it is nowhere else.
