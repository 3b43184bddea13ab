-- How long a beat waits for a lock: shorter than an answer may take, so that whoever locks the relay's row does not pass for a
-- database that is silent. For this session. Locks nothing.
set lock_timeout = '1s'
