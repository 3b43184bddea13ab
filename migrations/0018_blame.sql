-- Blame: whose trouble an answer is, and what is believed of that until the receiver acknowledges something.

alter table rentsync.receiver add column doubted_at timestamptz;
comment on column rentsync.receiver.doubted_at is 'When it was last paused for an answer that may be one property''s (3xx, 403, 404, 410). What it acknowledged since shows that it takes others.';

alter table rentsync.feed add column failing boolean not null default false;
comment on column rentsync.feed.failing is 'All of it was answered as a property is that the receiver does not know, though it takes others: one request a rest, until something of it is acknowledged.';
comment on column rentsync.feed.halving is 'The rejected sync with which the search for its bad units began: those are told again in halves, until the bad ones stand alone. It lasts until what stood alone is judged.';

-- What stood alone and was rejected stays suspect until the search is over. 0: it is over, and nothing the receiver acknowledged says
-- whether it is the unit; told once more when it acknowledges anything.
comment on column rentsync.ledger.suspect is 'Told only together with units of the same number: a request about them and others was rejected. Of one that is refused: it is not proved yet; 0: told once more when the receiver acknowledges anything.';
create index ledger_unproved on rentsync.ledger (feed_id) where suspect = 0 and kept_back = 'refused';
