-- Whether anything of property $2 was sealed for receiver $1 under another id than $3, and it may still hold that. Reads only.
select exists (
       select from rentsync.feed f
         join rentsync.ledger l using (feed_id)
        where f.receiver = $1 and f.property_id = $2 and f.external_id is distinct from $3 and l.sequence is not null)
