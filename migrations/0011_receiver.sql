-- Receiver: what one receiver says of its numbers for one property touches no other property and no other receiver.

alter table rentsync.feed add column sequence_offset bigint not null default 0
    constraint sequence_offset_only_adds check (sequence_offset >= 0);
alter table rentsync.feed add column stale_at timestamptz;
comment on column rentsync.feed.sequence_offset is 'Added to the sequence of each of its syncs in their bodies: the receiver has newer numbers of this property than ours. Never lowered.';
comment on column rentsync.feed.stale_at is 'When its newest snapshot was made due because the receiver called it stale: the next is not within the hour after.';

alter table rentsync.feed add column mismatch_again boolean not null default false;
comment on column rentsync.feed.mismatch_at is 'When its newest snapshot was made due because the receiver''s digest was another than ours: the next is not within the hour after.';
comment on column rentsync.feed.mismatch_again is 'It was so once more within that hour: a snapshot is due when it is over.';
create index feed_mismatch on rentsync.feed (receiver) where mismatch_again;

alter table rentsync.sync add column sequence_offset bigint not null default 0;
comment on column rentsync.sync.sequence_offset is 'Its body says sequence + sequence_offset.';

-- Numbers begin at the clock's microseconds: an installation after a purge goes on above whatever the one before has told.
select setval('rentsync.sync_sequence', begin.number)
  from (select (extract(epoch from clock_timestamp()) * 1e6)::bigint as number) as begin
 where coalesce(pg_sequence_last_value('rentsync.sync_sequence'), 0) < begin.number;
