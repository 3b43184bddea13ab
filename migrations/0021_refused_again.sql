-- What is refused is tried again by itself, after longer and longer waits, so nothing has to be proved: no more units that wait for a
-- proof, and no feed that waits for a person because the receiver rejects all of its property.

alter table rentsync.ledger
    add column refusals smallint not null default 0,
    add column retry_at timestamptz;
comment on column rentsync.ledger.refusals is 'How often in a row the receiver refused this content, since it last took any of it.';
comment on column rentsync.ledger.retry_at is 'When a refused unit is tried again.';
comment on column rentsync.ledger.bisection is 'Sent only together with units of the same number: a request about them and others was rejected. Below zero: sent by itself, because it was refused before. Of a refused unit: it stood alone, and the search for bad units is not over.';

alter table rentsync.feed
    add column failures integer not null default 0,
    add column searched integer not null default 0,
    add column refused_at timestamptz,
    add column retry_at timestamptz;
comment on column rentsync.feed.refused_at is 'When a unit of it was refused last.';
comment on column rentsync.feed.failures is 'How often in a row the receiver took nothing of this property while it took others.';
comment on column rentsync.feed.searched is 'Requests of the search for bad units in a row of which none was taken.';
comment on column rentsync.feed.retry_at is 'When the first of its refused units is tried again.';
comment on column rentsync.feed.bisected_sync is 'The rejected sync with which the search for its bad units began: those are sent again in halves, until the bad ones stand alone.';

-- The counts go by why a row is withheld, or else owed: none of that changes. The trigger may be an older release's.
alter table rentsync.ledger disable trigger user;
update rentsync.ledger
   set refusals = 1, retry_at = clock_timestamp(), owed = 'retry', bisection = null
 where withheld = 'refused';
update rentsync.feed f
   set failures = 1, paused_because = null
 where failing or paused_because = 'the receiver rejects everything about it';
update rentsync.feed f
   set retry_at = clock_timestamp(), refused_at = clock_timestamp()
 where exists (select from rentsync.ledger l where l.feed_id = f.feed_id and l.withheld = 'refused');
-- Searches begin anew.
update rentsync.feed set bisected_sync = null, bisection_accepted = false where bisected_sync is not null;
update rentsync.ledger set bisection = null where bisection is not null;
alter table rentsync.ledger enable trigger user;
update rentsync.alert set acked_at = clock_timestamp() where kind = 'feed_paused' and acked_at is null;

drop index rentsync.ledger_unproved;
alter table rentsync.feed drop column failing;
create index ledger_refused_before on rentsync.ledger (feed_id) where refusals > 0;
-- The smallest groups first, so that something of a property is taken soon.
drop index rentsync.ledger_owed;
create index ledger_owed on rentsync.ledger (feed_id, (owed = 'removal'), (bisection is not null), bisection desc, unit_id)
 where owed is not null and withheld is null;
-- Of a unit by its id, for receivers that know units by nothing else.
create index ledger_unit on rentsync.ledger (unit_id);

drop index rentsync.feed_cooldown;
create index feed_cooldown on rentsync.feed (receiver, cooldown_because) where cooldown_until is not null;
create index feed_refused on rentsync.feed (receiver, refused_at) where retry_at is not null;
create index feed_searched on rentsync.feed (receiver) where bisected_sync is not null;
create index feed_retry on rentsync.feed (receiver, retry_at) where retry_at is not null;
