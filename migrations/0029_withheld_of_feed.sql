-- What a feed withholds is looked up by the index that begins with the feed, and nothing else may look as good: as long as
-- rentsync.withheld was empty when it was vacuumed, the index by kinds did, and was read whole for each feed. So that one serves
-- nobody any more who does not name a kind. Locks the table for a moment.

drop index rentsync.withheld_by_kind;
create index withheld_by_kind on rentsync.withheld (receiver, kind, feed_id)
 where feed_id is not null and kind in ('held', 'guarded', 'rejected', 'invalid', 'elsewhere');
