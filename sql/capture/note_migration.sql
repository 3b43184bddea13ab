-- Notes that migration $1, called $2, whose text has the hash $3, was run: `install --print` shows it, as the library that runs them does it.
insert into rentsync.migration (version, description, success, checksum, execution_time)
values ($1::bigint, $2::text, true, $3::text::bytea, -1)
