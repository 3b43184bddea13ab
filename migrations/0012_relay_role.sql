-- Relay roles: whom the owner named, so that no release has to guess it from the catalogs.

create table rentsync.relay_role (
    role_name text        primary key,
    noted_at  timestamptz not null default clock_timestamp()
);
comment on table  rentsync.relay_role is 'The roles that the relay runs as. Every install grants them what that release adds, and takes back from every other role what is more than reading. Only the owner writes here.';
comment on column rentsync.relay_role.role_name is 'As `install --grant-to` named it, or found by install where README''s grants of a release before this table were typed. A role that is gone is forgotten by the next install.';
