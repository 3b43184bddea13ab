-- One install or uninstall at a time, until its transaction ends: a lock in our own schema, which nobody without rights there can
-- take, and which relays that run don't wait for.
lock table rentsync.migration in share row exclusive mode
