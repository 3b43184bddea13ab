-- Whether the outbox still has the number that older releases gave it. Asks the catalogs alone.
select exists (select from pg_attribute where attrelid = 'rentsync.outbox'::regclass and attname = 'id' and not attisdropped)
