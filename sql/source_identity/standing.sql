-- Why receiver $1 is paused (null: it is not), and where the numbering is. Reads only.
select r.paused_because, pg_sequence_last_value('rentsync.sync_sequence')
  from rentsync.receiver r
 where r.receiver = $1
