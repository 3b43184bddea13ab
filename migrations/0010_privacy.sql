-- Privacy: the names of a unit's lead are kept in the bodies that tell them and nowhere else, and bodies for a time only.

alter table rentsync.sync
    alter column body drop not null,
    add column body_gone text
        constraint body_gone_for_a_known_reason check (body_gone in ('pruned', 'erased')),
    add constraint body_or_why_not check ((body is null) = (body_gone is not null)),
    add constraint body_while_it_may_be_sent check (body is not null or settled_at is not null);
-- Of what is over, what still has a body: pruning empties it.
create index sync_body_over on rentsync.sync (settled_at) where settled_at is not null and body is not null;
comment on column rentsync.sync.body is
    'The JSON body, gzip; body_bytes is its size before that. `syncs show --body` prints it. Personal data (names of leads): null from retention.syncs after it was settled, or once a unit in it was erased.';
comment on column rentsync.sync.body_gone is 'Why there is no body: pruned, or erased by `erase --unit`; null: there is one.';

-- What a unit that went was told as last had its lead's names in it: they go, and where the receiver was told them of a unit
-- that is gone it is told that unit once more, without. A body is compact JSON, in which a quote within a string is
-- escaped: no value can look like one of these keys.
update rentsync.ledger
   set content = regexp_replace(regexp_replace(content,
           ',"lead_assignment":\{"lead_(first|last)_name":(null|"([^"\\]|\\.)*")(,"lead_last_name":(null|"([^"\\]|\\.)*"))?\}', '', 'g'),
           ',"lead_(first|last)_name":(null|"([^"\\]|\\.)*")', '', 'g'),
       owed = case when removed is not null and hash is not null then coalesce(owed, 'retell') else owed end
 where content like '%"lead\_%';
comment on column rentsync.ledger.content is
    'The unit as told last, without its lead: no personal data. Kept only for a receiver that is told a removal as an unavailable unit.';

-- A receiver's own words stay with the attempt. Those that are there already may hold names that nobody masked.
update rentsync.ledger set kept_back_because = 'the receiver refused it' where kept_back = 'refused';
update rentsync.attempt set answer = null where answer is not null;
comment on column rentsync.attempt.answer is
    'The beginning of the receiver''s answer, as it came but for our secrets and the names of the body''s leads, which are masked. Goes with the body. In no log, alert or other table.';
comment on column rentsync.ledger.kept_back_because is 'In the relay''s own words: no value of a field, no word of a receiver.';
