-- Names and types (without length or precision) of a table's columns. Locks nothing.
select attname::text, format_type(atttypid, null)
  from pg_attribute
 where attrelid = $1::text::regclass and attnum > 0 and not attisdropped
