-- Words: what is withheld is called so, a feed left alone is in cooldown, what is sent in halves is bisected, and where a receiver was
-- told from is the source's identity.

alter table rentsync.ledger rename column kept_back to withheld;
alter table rentsync.ledger rename column kept_back_because to withheld_because;
alter table rentsync.ledger rename column kept_back_at to withheld_at;
alter table rentsync.ledger rename column kept_back_hash to refused_hash;
alter table rentsync.ledger rename column suspect to bisection;
alter table rentsync.ledger rename constraint kept_back_for_a_known_reason to withheld_for_a_known_reason;
alter table rentsync.ledger rename constraint kept_back_iff_because to withheld_iff_because;
alter table rentsync.ledger rename constraint suspect_only_while_owed to bisected_only_while_owed;
alter index rentsync.ledger_kept_back rename to ledger_withheld_unit;
alter table rentsync.withheld rename column kept_back to kind;

alter table rentsync.feed rename column suspect to bisection;
alter table rentsync.feed rename column suspects_waited to bisection_waited;
alter table rentsync.feed rename column halving to bisected_sync;
alter table rentsync.feed rename column halving_accepted to bisection_accepted;
alter table rentsync.feed rename column rest_until to cooldown_until;
alter table rentsync.feed rename column rest_because to cooldown_because;
alter table rentsync.feed rename constraint rests_iff_because to cooldown_iff_because;
alter index rentsync.feed_rest rename to feed_cooldown;
update rentsync.feed set snapshot_due = 'source_identity' where snapshot_due = 'lineage';
alter view rentsync.receiver_backlog rename column feeds_resting to feeds_cooling_down;
alter view rentsync.receiver_backlog rename column units_kept_back to units_withheld;

alter table rentsync.buried rename to purged_tombstone;
alter table rentsync.purged_tombstone rename column buried_at to purged_at;
alter table rentsync.purged_tombstone rename constraint buried_pkey to purged_tombstone_pkey;
alter index rentsync.buried_at rename to purged_tombstone_at;

alter table rentsync.lineage rename to source_identity;
alter table rentsync.source_identity rename constraint lineage_pkey to source_identity_pkey;
alter table rentsync.source_identity rename constraint lineage_receiver_fkey to source_identity_receiver_fkey;
update rentsync.alert set kind = 'source_identity' where kind = 'lineage';
update rentsync.alert_post set kind = 'source_identity' where kind = 'lineage';

comment on column rentsync.ledger.bisection is 'Sent only together with units of the same number: a request about them and others was rejected. Of one that is refused: it is not proved yet; 0: sent once more when the receiver acknowledges anything.';
comment on column rentsync.feed.bisection is 'Sent only together with feeds of the same number: a request about them and others was rejected.';
comment on column rentsync.feed.bisection_waited is 'Its last sync was about news while bisected units waited: the next is theirs.';
