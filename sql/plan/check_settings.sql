-- Whether $2 is still the fingerprint of the settings that receiver $1 was registered with last. Reads only, under the
-- plan's own snapshot.
select coalesce((select settings = $2 from rentsync.receiver where receiver = $1), true)
