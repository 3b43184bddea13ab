//! Who may do what in the database and on the host.
