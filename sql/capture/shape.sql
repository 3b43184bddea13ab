-- Whatever in schema rentsync decides what code runs, what it finds and what is kept: relations, columns, sequences, constraints,
-- indexes, functions, triggers, rules, policies, statistics, types and what inherits, a row each, in words that every supported version
-- of PostgreSQL has for it. No word is cut out of a definition, because a name or a literal may look like any part of one.
-- `migrations/shape.txt` is what this release makes. An index that neither computes nor forbids anything is a kind of its own: a DBA may
-- add such. What a view says is left out, because versions word it differently: `install` writes views anew. Functions carry oids of the
-- tables that they stand on, which are any database's own. The two source functions are the site's, and the settings of a table are its
-- DBA's. Asks the catalogs alone.
with given as (
    select n.oid, n.nspowner from pg_namespace n where n.nspname = 'rentsync'
), relation as (
    select c.oid, c.relname as name, c.relkind as kind from pg_class c join given g on g.oid = c.relnamespace where c.relkind not in ('i', 'I')
), part (kind, name, detail) as (
    select 'relation', r.name::text,
           concat(r.kind, case when c.relrowsecurity then ' with policies' end, case when c.relpersistence <> 'p' then ' not permanent' end,
                  case when c.reloftype <> 0 then ' of a type' end,
                  case when r.kind in ('r', 'p') and c.relreplident = 'n' then ' without replica identity' end,
                  case when c.relowner <> g.nspowner then format(' is %s''s', c.relowner::regrole) end)
      from relation r
      join pg_class c using (oid)
      join given g on g.oid = c.relnamespace
     union all
    select 'column', r.name || '.' || a.attname,
           concat(format_type(a.atttypid, a.atttypmod), case when a.attcollation <> t.typcollation then format(' collate %s', a.attcollation::regcollation) end,
                  case when a.attnotnull then ' not null' end, case when a.attidentity <> '' then ' identity' end,
                  case when a.attgenerated <> '' then ' generated' end, case when a.attstattarget = 0 then ' without statistics' end,
                  ' default ' || pg_get_expr(d.adbin, d.adrelid))
      from relation r
      join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
      join pg_type t on t.oid = a.atttypid
      left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
     where r.kind <> 'S'
     union all
    select 'sequence', r.name::text,
           concat(format_type(q.seqtypid, null), ' ', q.seqstart, ' by ', q.seqincrement, ' from ', q.seqmin, ' to ', q.seqmax,
                  case when q.seqcycle then ' cycle' end)
      from relation r
      join pg_sequence q on q.seqrelid = r.oid
     union all
    select 'constraint', r.name || '.' || n.conname, pg_get_constraintdef(n.oid)
      from relation r
      join pg_constraint n on n.conrelid = r.oid and n.contype <> 'n'
     union all
    select case when i.indexprs is null and i.indpred is null and not i.indisunique then 'plain index' else 'index' end, c.relname,
           concat(r.name, ' ', m.amname, ' (', keys.all_of_them, ')', ' including (' || included.all_of_them || ')',
                  ' where ' || pg_get_expr(i.indpred, i.indrelid), case when i.indisunique then ' unique' end,
                  case when (to_jsonb(i) ->> 'indnullsnotdistinct')::boolean then ' nulls not distinct' end,
                  case when not i.indimmediate then ' not immediate' end, case when not (i.indisvalid and i.indisready) then ' not valid' end)
      from relation r
      join pg_index i on i.indrelid = r.oid
      join pg_class c on c.oid = i.indexrelid
      join pg_am m on m.oid = c.relam
     cross join lateral (
           select string_agg(concat(pg_get_indexdef(i.indexrelid, k, false), case when not o.opcdefault then ' ' || o.opcname end,
                                    case when a.attcollation <> t.typcollation then format(' collate %s', a.attcollation::regcollation) end,
                                    case i.indoption[k - 1] & 3 when 1 then ' desc nulls last' when 2 then ' nulls first' when 3 then ' desc' end),
                             ', ' order by k) as all_of_them
             from generate_series(1, i.indnkeyatts) k
             join pg_opclass o on o.oid = i.indclass[k - 1]
             join pg_attribute a on a.attrelid = i.indexrelid and a.attnum = k
             join pg_type t on t.oid = a.atttypid
           ) as keys
     cross join lateral (
           select string_agg(pg_get_indexdef(i.indexrelid, k, false), ', ' order by k) as all_of_them
             from generate_series(i.indnkeyatts + 1, i.indnatts) k
           ) as included
     union all
    select 'function', format('%s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)),
           format('%s %s %s %s%s%s%s%s%s', pg_get_function_result(p.oid), l.lanname, p.provolatile, case when p.prosecdef then 'definer ' end,
                  case when p.proisstrict then 'strict ' end, case when p.proparallel <> 'u' then format('parallel %s ', p.proparallel) end,
                  case when p.proleakproof then 'leakproof ' end, p.proconfig::text || ' ',
                  md5(concat(regexp_replace(p.prosrc, '\d+::pg_catalog\.oid', 'oid', 'g'), pg_get_function_sqlbody(p.oid))))
               || case when p.proowner <> g.nspowner then format(' is %s''s', p.proowner::regrole) else '' end
      from pg_proc p
      join given g on g.oid = p.pronamespace
      join pg_language l on l.oid = p.prolang
     where not (p.proname in ('source_property', 'source_unit') and p.pronargs = 0)
     union all
    select 'trigger', r.name || '.' || t.tgname, substr(pg_get_triggerdef(t.oid), length(format('CREATE TRIGGER %I ', t.tgname)) + 1) || ' ' || t.tgenabled::text
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
     where t.typrelid = 0 and not exists (select from pg_type e where e.typarray = t.oid)
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
