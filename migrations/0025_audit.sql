-- Audit: what a person had the relay change, from a command, the page or the API. The row is written in the transaction of the change,
-- so that none is without the other. Rows are added and read; only those that are older than any retention allows are ever deleted, by
-- a function of the owner's.

create table rentsync.audit (
    audit_id bigint generated always as identity primary key,
    at       timestamptz not null default clock_timestamp(),
    who      text        not null,
    through  text        not null check (through in ('command', 'page', 'api')),
    action   text        not null,
    receiver text,
    subject  text        not null,
    before   jsonb,
    after    jsonb
);
create index audit_at on rentsync.audit (at);
comment on table  rentsync.audit is 'What a person had the relay change: one row for each action, written in its transaction. No lead names and no secrets.';
comment on column rentsync.audit.who is 'Of a command the user of the operating system and the host; of page and API who signed in, or whom the proxy in front names.';
comment on column rentsync.audit.action is 'As the command is called that does the same, for example holds approve.';
comment on column rentsync.audit.receiver is 'The receiver that it is about; null: about none.';
comment on column rentsync.audit.subject is 'What it was done to, for example unit 12345.';
comment on column rentsync.audit.before is 'What of it was so before; null where it was not there.';
comment on column rentsync.audit.after is 'What of it is so since.';
