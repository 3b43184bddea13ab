-- The list of migrations, as the library that runs them makes it: `install --print` shows it. A table of its own, which nobody waits for.
create table if not exists rentsync.migration (
    version        bigint      primary key,
    description    text        not null,
    installed_on   timestamptz not null default now(),
    success        boolean     not null,
    checksum       bytea       not null,
    execution_time bigint      not null
)
