-- Hashes over the names of unit $2's lead, by which whoever has a list of names could find them, go: the digests of every
-- sync of the feeds $1, which have or had the unit (two of them, one before and one after, give the unit's own), the hash that was refused, and
-- what drift noted. What is sealed now keeps its hash until it is sealed anew. Locks these rows. Says how many it emptied.
with fed as materialized (
    select feed_id from unnest($1::bigint[]) as fed (feed_id)
), digests as (
    update rentsync.sync_feed sf set digest = null, digest_said = null
      from fed
     where sf.feed_id = fed.feed_id and (sf.digest is not null or sf.digest_said is not null)
    returning 1
), refused as (
    update rentsync.ledger l set refused_hash = null
      from fed
     where l.feed_id = fed.feed_id and l.unit_id = $2 and l.refused_hash is not null
    returning 1
), drift as (
    update rentsync.drift d set ledger_hash = null, source_hash = null
      from fed
     where d.feed_id = fed.feed_id and d.unit_id = $2 and (d.ledger_hash is not null or d.source_hash is not null)
    returning 1
)
select (select count(*) from digests) + (select count(*) from refused) + (select count(*) from drift)
