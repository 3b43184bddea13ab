-- Whatever in schema rentsync decides what code runs and what it finds: columns, constraints, indexes, functions, triggers, rules,
-- policies, statistics, types and what inherits, a row each, in words that every supported version of PostgreSQL has for it.
-- `migrations/shape.txt` is what this release makes. What a view says is left out, because versions word it differently: `install` writes
-- views anew. Functions carry oids of the tables that they stand on, which are any database's own. The two source functions are the
-- site's, and the settings of a table are its DBA's. Asks the catalogs alone.
with given as (
    select n.oid from pg_namespace n where n.nspname = 'rentsync'
), relation as (
    select c.oid, c.relname as name, c.relkind as kind from pg_class c join given g on g.oid = c.relnamespace where c.relkind not in ('i', 'I')
), part (kind, name, detail) as (
    select 'relation', r.name::text, format('%s%s', r.kind, case when c.relrowsecurity then ' with policies' end)
      from relation r
      join pg_class c using (oid)
     union all
    select 'column', r.name || '.' || a.attname,
           format('%s%s%s', format_type(a.atttypid, a.atttypmod), case when a.attnotnull then ' not null' end, ' default ' || pg_get_expr(d.adbin, d.adrelid))
      from relation r
      join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
     where r.kind <> 'S'
     union all
    select 'constraint', r.name || '.' || n.conname, pg_get_constraintdef(n.oid)
      from relation r
      join pg_constraint n on n.conrelid = r.oid and n.contype <> 'n'
     union all
    select 'index', c.relname, regexp_replace(pg_get_indexdef(c.oid), '^.* ON ', '')
      from relation r
      join pg_index i on i.indrelid = r.oid
      join pg_class c on c.oid = i.indexrelid
     union all
    select 'function', format('%s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)),
           format('%s %s %s %s%s%s', pg_get_function_result(p.oid), l.lanname, p.provolatile, case when p.prosecdef then 'definer ' end,
                  array_to_string(p.proconfig, ' ') || ' ',
                  md5(concat(regexp_replace(p.prosrc, '\d+::pg_catalog\.oid', 'oid', 'g'), pg_get_function_sqlbody(p.oid))))
      from pg_proc p
      join given g on g.oid = p.pronamespace
      join pg_language l on l.oid = p.prolang
     where not (p.proname in ('source_property', 'source_unit') and p.pronargs = 0)
     union all
    select 'trigger', r.name || '.' || t.tgname, regexp_replace(pg_get_triggerdef(t.oid), '^.* (BEFORE|AFTER|INSTEAD)', '\1') || t.tgenabled::text
      from relation r
      join pg_trigger t on t.tgrelid = r.oid and not t.tgisinternal
     union all
    select 'rule', r.name || '.' || w.rulename, ''
      from relation r
      join pg_rewrite w on w.ev_class = r.oid and not (r.kind = 'v' and w.rulename = '_RETURN')
     union all
    select 'policy', r.name || '.' || y.polname, ''
      from relation r
      join pg_policy y on y.polrelid = r.oid
     union all
    select 'statistics', s.stxname, ''
      from relation r
      join pg_statistic_ext s on s.stxrelid = r.oid
     union all
    select 'inheritance', format('%s of %s', h.inhrelid::regclass, h.inhparent::regclass), ''
      from pg_inherits h
     where exists (select from relation r where r.oid in (h.inhrelid, h.inhparent))
     union all
    select 'type', t.typname, t.typtype::text
      from pg_type t
      join given g on g.oid = t.typnamespace
     where t.typrelid = 0 and t.typelem = 0
     union all
    select 'cast', format('%s as %s', t.castsource::regtype, t.casttarget::regtype), ''
      from pg_cast t
     where exists (select from pg_type y join given g on g.oid = y.typnamespace where y.oid in (t.castsource, t.casttarget))
     union all
    select 'operator', o.oprname, ''
      from pg_operator o
      join given g on g.oid = o.oprnamespace
)
select kind::text, name::text, detail::text from part order by kind, name collate "C", detail
