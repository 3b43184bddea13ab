-- This transaction waits for a lock no longer than writers of the source may be made to wait.
select set_config('lock_timeout', '100ms', true)
