-- What a receiver calls a unit where that is not the source's code: as many as a partner's own list has, so no setting can hold them.
-- What it calls a property stands in rentsync.feed.external_id already.

create table rentsync.unit_mapping (
    receiver  text   not null references rentsync.receiver,
    unit_id   bigint not null,
    unit_code text   not null check (char_length(unit_code) between 1 and 200),
    primary key (receiver, unit_id)
);
comment on table  rentsync.unit_mapping is 'The codes that receivers know units by, where these are not the source''s (`map import`).';
comment on column rentsync.unit_mapping.unit_id is 'The source''s id; the source may have no such unit any more.';
comment on column rentsync.unit_mapping.unit_code is 'What the receiver is sent as unit_code.';
