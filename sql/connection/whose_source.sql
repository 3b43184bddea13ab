-- Who of the source's owners a role that may become a superuser must not work for unasked: reading a table runs what its owner made
-- of it. Those of the tables $1 and $2 (full names), as far as they are there, and of what inherits from them; of a name without a
-- schema, because it can't be known whose is meant, those of every relation that has it. Superusers and the roles $3, which a
-- person named, are trusted. And which of the two is no table: what a view or a foreign table reads may be any role's. A row each: the
-- role, or the name. No row for any other role that asks. Asks the catalogs
-- alone, by their indexes.
with recursive asking as (
    select exists (select from pg_roles s where s.rolsuper and pg_has_role(session_user, s.oid, 'member')) as is_mighty
), source (oid) as (
    select c.oid
      from pg_class c
     where c.oid in (to_regclass($1), to_regclass($2))
     union
    select c.oid
      from unnest(array[$1, $2]) as asked (name)
      join pg_class c on c.relname = lower(asked.name)::name and c.relkind in ('r', 'p', 'v', 'm', 'f')
     where to_regclass(asked.name) is null
     union
    select h.inhrelid from source s join pg_inherits h on h.inhparent = s.oid
)
select distinct r.rolname::text as role_name, null::text as no_table
  from source s
  join pg_class c on c.oid = s.oid
  join pg_roles r on r.oid = c.relowner
  join asking a on a.is_mighty
 where not r.rolsuper and r.rolname::text <> all ($3::text[])
 union all
select null, c.oid::regclass::text
  from pg_class c
  join asking a on a.is_mighty
 where c.oid in (to_regclass($1), to_regclass($2)) and c.relkind not in ('r', 'p')
 order by 1, 2
