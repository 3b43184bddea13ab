//! What a receiver can and can't do to the relay.
