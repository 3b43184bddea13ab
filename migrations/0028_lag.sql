-- How long changes take to be acknowledged, kept and not counted: whoever settles adds one, and has locked the receiver's row before, so
-- nobody waits for these.
create table rentsync.lag_count (
    receiver       text        not null references rentsync.receiver,
    step           smallint    not null,
    minute_of_hour smallint    not null,
    began          timestamptz not null,
    syncs          bigint      not null,
    primary key (receiver, step, minute_of_hour),
    constraint minutes_go_round check (minute_of_hour between 0 and 59),
    constraint steps_are_bounded check (step between 0 and 127)
) with (fillfactor = 50);
comment on table  rentsync.lag_count is 'How many syncs were acknowledged in each minute of the last hour, by how old the oldest change in them was. A row is used again an hour later, so there is nothing to prune.';
comment on column rentsync.lag_count.step is 'That age was at most 2 ^ (step / 4) milliseconds, and more than that of the step before; 127 is all beyond.';
comment on column rentsync.lag_count.minute_of_hour is 'Of began, in UTC.';
comment on column rentsync.lag_count.began is 'The minute that it counts; one of more than an hour ago counts no longer.';
