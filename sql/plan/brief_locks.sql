-- From here on this transaction waits for a lock for a moment only. It is about to read both source tables: whoever locks the
-- second of them (a migration, a truncate) and then wants the first would wait for us while we wait for them, and it is their
-- transaction that the server would end, after its deadlock_timeout (1 s by default). So we give up before that, and try again.
select set_config('lock_timeout', '400ms', true)
