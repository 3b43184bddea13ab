-- The columns of table $1: name, type (without length or precision), the type that a domain stands for or the same again, whether
-- that is an enum, and whether a numeric column holds integers of at most 18 digits. Locks nothing.
select a.attname::text as name, format_type(a.atttypid, null) as shown, format_type(base.oid, null) as base,
       base.typtype = 'e' as is_enum,
       -- numeric's precision and scale, as its type modifier has them; the scale lies in the lower bits.
       a.atttypid = 'pg_catalog.numeric'::regtype and a.atttypmod >= 4
          and ((a.atttypmod - 4) & 2047) = 0 and ((a.atttypmod - 4) >> 16) <= 18 as is_integral
  from pg_attribute a
 cross join lateral (
       with recursive behind as (
           select t.oid, t.typtype, t.typbasetype from pg_type t where t.oid = a.atttypid
            union all
           select t.oid, t.typtype, t.typbasetype from behind join pg_type t on t.oid = behind.typbasetype where behind.typtype = 'd'
       )
       select oid, typtype from behind where typtype <> 'd'
       ) as base
 where a.attrelid = $1::text::regclass and a.attnum > 0 and not a.attisdropped
