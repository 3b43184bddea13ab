--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: rentsync; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA rentsync;


--
-- Name: attach(regclass, regclass, boolean); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.attach(properties regclass, units regclass, tolerant boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    elsewhere record;
begin
    for elsewhere in
        select * from rentsync.attachment a
         where a.table_name <> case a.source when 'property' then properties else units end
    loop
        raise exception 'rentsync: the triggers are on % already', elsewhere.table_name
            using hint = 'Call rentsync.detach() for the tables they are on first.';
    end loop;
    perform rentsync.lock_source(properties, units, 'share row exclusive');
    perform rentsync.attach_one('property', properties, tolerant);
    perform rentsync.attach_one('unit', units, tolerant);
    insert into rentsync.attachment (source, table_name, tolerant)
    values ('property', properties, tolerant), ('unit', units, tolerant)
    on conflict (source) do update set tolerant = excluded.tolerant, attached_at = excluded.attached_at;
    -- Whatever was written while no trigger stood is in no change: compare everything once.
    insert into rentsync.outbox (property_id, op) values (null, 'attach');
end
$$;


--
-- Name: FUNCTION attach(properties regclass, units regclass, tolerant boolean); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.attach(properties regclass, units regclass, tolerant boolean) IS 'Puts the triggers on the two source tables. Can be called again at any time, and must be for a new partition.';


--
-- Name: attach_one(text, regclass, boolean); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.attach_one(kind text, target regclass, tolerant boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    wanted record;
    partition regclass;
begin
    for wanted in
        select t.* from rentsync.capture_trigger t, pg_class c
         where t.source = kind and c.oid = target
           and (t.partitioned is null or t.partitioned = (c.relkind = 'p'))
    loop
        execute format('create or replace trigger %I %s on %s %s for each %s %s execute function rentsync.%I()',
            wanted.trigger_name, wanted.event, target,
            coalesce('referencing ' || wanted.transition, ''), wanted.level,
            coalesce('when ' || wanted.condition, ''),
            wanted.function_name || case when tolerant then '_tolerant' else '' end);
        execute format('alter table %s enable %s trigger %I', target, wanted.enabled, wanted.trigger_name);
    end loop;
    -- A statement that names a partition fires only that partition's statement triggers.
    for partition in
        select inhrelid::regclass from pg_inherits i join pg_class c on c.oid = i.inhparent
         where i.inhparent = target and c.relkind = 'p'
    loop
        perform rentsync.attach_partition(kind, partition, tolerant);
    end loop;
end
$$;


--
-- Name: FUNCTION attach_one(kind text, target regclass, tolerant boolean); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.attach_one(kind text, target regclass, tolerant boolean) IS 'Part of rentsync.attach.';


--
-- Name: attach_partition(text, regclass, boolean); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.attach_partition(kind text, target regclass, tolerant boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    wanted record;
    partition regclass;
begin
    for wanted in
        select t.* from rentsync.capture_trigger t
         where t.source = kind and t.level = 'statement' and coalesce(t.partitioned, true)
    loop
        execute format('create or replace trigger %I %s on %s %s for each statement execute function rentsync.%I()',
            wanted.trigger_name, wanted.event, target, coalesce('referencing ' || wanted.transition, ''),
            wanted.function_name || case when tolerant then '_tolerant' else '' end);
        execute format('alter table %s enable %s trigger %I', target, wanted.enabled, wanted.trigger_name);
    end loop;
    for partition in select inhrelid::regclass from pg_inherits where inhparent = target loop
        perform rentsync.attach_partition(kind, partition, tolerant);
    end loop;
end
$$;


--
-- Name: FUNCTION attach_partition(kind text, target regclass, tolerant boolean); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.attach_partition(kind text, target regclass, tolerant boolean) IS 'Part of rentsync.attach.';


--
-- Name: capture_properties(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.capture_properties() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
begin
    if tg_relid operator(pg_catalog.<>) 16385::pg_catalog.oid then
        perform from (select tg_relid union all select relid from pg_catalog.pg_partition_ancestors(tg_relid)) as s (place)
          where place::pg_catalog.oid operator(pg_catalog.=) 16385::pg_catalog.oid
             or exists (select from rentsync.attachment a where a.table_name::pg_catalog.oid operator(pg_catalog.=) place::pg_catalog.oid);
        if not found then
            return null;
        end if;
    end if;
    insert into rentsync.outbox (property_id, op)
    select id, pg_catalog.lower(tg_op) from touched;
    return null;
end;
$$;


--
-- Name: FUNCTION capture_properties(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.capture_properties() IS 'Properties touched by one statement: one change each, for the whole property.';


--
-- Name: capture_properties_both_sides(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.capture_properties_both_sides() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
begin
    if tg_relid operator(pg_catalog.<>) 16385::pg_catalog.oid then
        perform from (select tg_relid union all select relid from pg_catalog.pg_partition_ancestors(tg_relid)) as s (place)
          where place::pg_catalog.oid operator(pg_catalog.=) 16385::pg_catalog.oid
             or exists (select from rentsync.attachment a where a.table_name::pg_catalog.oid operator(pg_catalog.=) place::pg_catalog.oid);
        if not found then
            return null;
        end if;
    end if;
    insert into rentsync.outbox (property_id, op)
    select id, 'update' from (select id from touched union select id from untouched) as either;
    return null;
end;
$$;


--
-- Name: FUNCTION capture_properties_both_sides(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.capture_properties_both_sides() IS 'The same for UPDATE of a partitioned table.';


--
-- Name: capture_properties_both_sides_tolerant(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.capture_properties_both_sides_tolerant() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
begin
    if tg_relid operator(pg_catalog.<>) 16385::pg_catalog.oid then
        perform from (select tg_relid union all select relid from pg_catalog.pg_partition_ancestors(tg_relid)) as s (place)
          where place::pg_catalog.oid operator(pg_catalog.=) 16385::pg_catalog.oid
             or exists (select from rentsync.attachment a where a.table_name::pg_catalog.oid operator(pg_catalog.=) place::pg_catalog.oid);
        if not found then
            return null;
        end if;
    end if;
    begin
    insert into rentsync.outbox (property_id, op)
    select id, 'update' from (select id from touched union select id from untouched) as either;
    exception when others then
        raise warning 'rentsync: capture on %.% failed (%), every property will be compared',
            tg_table_schema, tg_table_name, sqlerrm;
        begin
            insert into rentsync.outbox (property_id, op) values (null, 'failed');
        exception when others then
            raise warning 'rentsync: that could not be noted (%), the next snapshot finds what changed', sqlerrm;
        end;
    end;
    return null;
end;
$$;


--
-- Name: FUNCTION capture_properties_both_sides_tolerant(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.capture_properties_both_sides_tolerant() IS 'The same for UPDATE of a partitioned table. A failure becomes a change of every property instead of an error, or a warning where not even that can be noted.';


--
-- Name: capture_properties_tolerant(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.capture_properties_tolerant() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
begin
    if tg_relid operator(pg_catalog.<>) 16385::pg_catalog.oid then
        perform from (select tg_relid union all select relid from pg_catalog.pg_partition_ancestors(tg_relid)) as s (place)
          where place::pg_catalog.oid operator(pg_catalog.=) 16385::pg_catalog.oid
             or exists (select from rentsync.attachment a where a.table_name::pg_catalog.oid operator(pg_catalog.=) place::pg_catalog.oid);
        if not found then
            return null;
        end if;
    end if;
    begin
    insert into rentsync.outbox (property_id, op)
    select id, pg_catalog.lower(tg_op) from touched;
    exception when others then
        raise warning 'rentsync: capture on %.% failed (%), every property will be compared',
            tg_table_schema, tg_table_name, sqlerrm;
        begin
            insert into rentsync.outbox (property_id, op) values (null, 'failed');
        exception when others then
            raise warning 'rentsync: that could not be noted (%), the next snapshot finds what changed', sqlerrm;
        end;
    end;
    return null;
end;
$$;


--
-- Name: FUNCTION capture_properties_tolerant(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.capture_properties_tolerant() IS 'Properties touched by one statement: one change each, for the whole property. A failure becomes a change of every property instead of an error, or a warning where not even that can be noted.';


--
-- Name: capture_property_renumbered(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.capture_property_renumbered() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
begin
    if tg_relid operator(pg_catalog.<>) 16385::pg_catalog.oid then
        perform from (select tg_relid union all select relid from pg_catalog.pg_partition_ancestors(tg_relid)) as s (place)
          where place::pg_catalog.oid operator(pg_catalog.=) 16385::pg_catalog.oid
             or exists (select from rentsync.attachment a where a.table_name::pg_catalog.oid operator(pg_catalog.=) place::pg_catalog.oid);
        if not found then
            return null;
        end if;
    end if;
    insert into rentsync.outbox (property_id, op) values (old.id, 'move');
    return null;
end;
$$;


--
-- Name: FUNCTION capture_property_renumbered(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.capture_property_renumbered() IS 'The id that a property had before.';


--
-- Name: capture_property_renumbered_tolerant(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.capture_property_renumbered_tolerant() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
begin
    if tg_relid operator(pg_catalog.<>) 16385::pg_catalog.oid then
        perform from (select tg_relid union all select relid from pg_catalog.pg_partition_ancestors(tg_relid)) as s (place)
          where place::pg_catalog.oid operator(pg_catalog.=) 16385::pg_catalog.oid
             or exists (select from rentsync.attachment a where a.table_name::pg_catalog.oid operator(pg_catalog.=) place::pg_catalog.oid);
        if not found then
            return null;
        end if;
    end if;
    begin
    insert into rentsync.outbox (property_id, op) values (old.id, 'move');
    exception when others then
        raise warning 'rentsync: capture on %.% failed (%), every property will be compared',
            tg_table_schema, tg_table_name, sqlerrm;
        begin
            insert into rentsync.outbox (property_id, op) values (null, 'failed');
        exception when others then
            raise warning 'rentsync: that could not be noted (%), the next snapshot finds what changed', sqlerrm;
        end;
    end;
    return null;
end;
$$;


--
-- Name: FUNCTION capture_property_renumbered_tolerant(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.capture_property_renumbered_tolerant() IS 'The id that a property had before. A failure becomes a change of every property instead of an error, or a warning where not even that can be noted.';


--
-- Name: capture_property_row(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.capture_property_row() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
begin
    if tg_relid operator(pg_catalog.<>) 16385::pg_catalog.oid then
        perform from (select tg_relid union all select relid from pg_catalog.pg_partition_ancestors(tg_relid)) as s (place)
          where place::pg_catalog.oid operator(pg_catalog.=) 16385::pg_catalog.oid
             or exists (select from rentsync.attachment a where a.table_name::pg_catalog.oid operator(pg_catalog.=) place::pg_catalog.oid);
        if not found then
            return null;
        end if;
    end if;
    insert into rentsync.outbox (property_id, op) values (coalesce(new.id, old.id), pg_catalog.lower(tg_op));
    return null;
end;
$$;


--
-- Name: FUNCTION capture_property_row(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.capture_property_row() IS 'One property; for logical replication.';


--
-- Name: capture_property_row_tolerant(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.capture_property_row_tolerant() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
begin
    if tg_relid operator(pg_catalog.<>) 16385::pg_catalog.oid then
        perform from (select tg_relid union all select relid from pg_catalog.pg_partition_ancestors(tg_relid)) as s (place)
          where place::pg_catalog.oid operator(pg_catalog.=) 16385::pg_catalog.oid
             or exists (select from rentsync.attachment a where a.table_name::pg_catalog.oid operator(pg_catalog.=) place::pg_catalog.oid);
        if not found then
            return null;
        end if;
    end if;
    begin
    insert into rentsync.outbox (property_id, op) values (coalesce(new.id, old.id), pg_catalog.lower(tg_op));
    exception when others then
        raise warning 'rentsync: capture on %.% failed (%), every property will be compared',
            tg_table_schema, tg_table_name, sqlerrm;
        begin
            insert into rentsync.outbox (property_id, op) values (null, 'failed');
        exception when others then
            raise warning 'rentsync: that could not be noted (%), the next snapshot finds what changed', sqlerrm;
        end;
    end;
    return null;
end;
$$;


--
-- Name: FUNCTION capture_property_row_tolerant(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.capture_property_row_tolerant() IS 'One property; for logical replication. A failure becomes a change of every property instead of an error, or a warning where not even that can be noted.';


--
-- Name: capture_truncate(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.capture_truncate() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
begin
    if tg_relid operator(pg_catalog.<>) 16392::pg_catalog.oid and tg_relid operator(pg_catalog.<>) 16385::pg_catalog.oid then
        perform from (select tg_relid union all select relid from pg_catalog.pg_partition_ancestors(tg_relid)) as s (place)
          where place::pg_catalog.oid operator(pg_catalog.=) 16392::pg_catalog.oid
             or exists (select from rentsync.attachment a where a.table_name::pg_catalog.oid operator(pg_catalog.=) place::pg_catalog.oid);
        if not found then
            return null;
        end if;
    end if;
    insert into rentsync.outbox (property_id, op) values (null, 'truncate');
    return null;
end;
$$;


--
-- Name: FUNCTION capture_truncate(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.capture_truncate() IS 'TRUNCATE, also by cascade: every property.';


--
-- Name: capture_truncate_tolerant(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.capture_truncate_tolerant() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
begin
    if tg_relid operator(pg_catalog.<>) 16392::pg_catalog.oid and tg_relid operator(pg_catalog.<>) 16385::pg_catalog.oid then
        perform from (select tg_relid union all select relid from pg_catalog.pg_partition_ancestors(tg_relid)) as s (place)
          where place::pg_catalog.oid operator(pg_catalog.=) 16392::pg_catalog.oid
             or exists (select from rentsync.attachment a where a.table_name::pg_catalog.oid operator(pg_catalog.=) place::pg_catalog.oid);
        if not found then
            return null;
        end if;
    end if;
    begin
    insert into rentsync.outbox (property_id, op) values (null, 'truncate');
    exception when others then
        raise warning 'rentsync: capture on %.% failed (%), every property will be compared',
            tg_table_schema, tg_table_name, sqlerrm;
        begin
            insert into rentsync.outbox (property_id, op) values (null, 'failed');
        exception when others then
            raise warning 'rentsync: that could not be noted (%), the next snapshot finds what changed', sqlerrm;
        end;
    end;
    return null;
end;
$$;


--
-- Name: FUNCTION capture_truncate_tolerant(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.capture_truncate_tolerant() IS 'TRUNCATE, also by cascade: every property. A failure becomes a change of every property instead of an error, or a warning where not even that can be noted.';


--
-- Name: capture_unit_moved(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.capture_unit_moved() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
begin
    if tg_relid operator(pg_catalog.<>) 16392::pg_catalog.oid then
        perform from (select tg_relid union all select relid from pg_catalog.pg_partition_ancestors(tg_relid)) as s (place)
          where place::pg_catalog.oid operator(pg_catalog.=) 16392::pg_catalog.oid
             or exists (select from rentsync.attachment a where a.table_name::pg_catalog.oid operator(pg_catalog.=) place::pg_catalog.oid);
        if not found then
            return null;
        end if;
    end if;
    insert into rentsync.outbox (property_id, op, unit_ids)
    select old.project_id, 'move', array[old.id::bigint]
     where old.project_id is not null;
    return null;
end;
$$;


--
-- Name: FUNCTION capture_unit_moved(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.capture_unit_moved() IS 'The key that a moved or renumbered unit had before.';


--
-- Name: capture_unit_moved_tolerant(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.capture_unit_moved_tolerant() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
begin
    if tg_relid operator(pg_catalog.<>) 16392::pg_catalog.oid then
        perform from (select tg_relid union all select relid from pg_catalog.pg_partition_ancestors(tg_relid)) as s (place)
          where place::pg_catalog.oid operator(pg_catalog.=) 16392::pg_catalog.oid
             or exists (select from rentsync.attachment a where a.table_name::pg_catalog.oid operator(pg_catalog.=) place::pg_catalog.oid);
        if not found then
            return null;
        end if;
    end if;
    begin
    insert into rentsync.outbox (property_id, op, unit_ids)
    select old.project_id, 'move', array[old.id::bigint]
     where old.project_id is not null;
    exception when others then
        raise warning 'rentsync: capture on %.% failed (%), every property will be compared',
            tg_table_schema, tg_table_name, sqlerrm;
        begin
            insert into rentsync.outbox (property_id, op) values (null, 'failed');
        exception when others then
            raise warning 'rentsync: that could not be noted (%), the next snapshot finds what changed', sqlerrm;
        end;
    end;
    return null;
end;
$$;


--
-- Name: FUNCTION capture_unit_moved_tolerant(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.capture_unit_moved_tolerant() IS 'The key that a moved or renumbered unit had before. A failure becomes a change of every property instead of an error, or a warning where not even that can be noted.';


--
-- Name: capture_unit_row(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.capture_unit_row() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
begin
    if tg_relid operator(pg_catalog.<>) 16392::pg_catalog.oid then
        perform from (select tg_relid union all select relid from pg_catalog.pg_partition_ancestors(tg_relid)) as s (place)
          where place::pg_catalog.oid operator(pg_catalog.=) 16392::pg_catalog.oid
             or exists (select from rentsync.attachment a where a.table_name::pg_catalog.oid operator(pg_catalog.=) place::pg_catalog.oid);
        if not found then
            return null;
        end if;
    end if;
    insert into rentsync.outbox (property_id, op, unit_ids)
    select coalesce(new.project_id, old.project_id), pg_catalog.lower(tg_op), array[coalesce(new.id, old.id)::bigint]
     where coalesce(new.project_id, old.project_id) is not null;
    return null;
end;
$$;


--
-- Name: FUNCTION capture_unit_row(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.capture_unit_row() IS 'One unit; for logical replication, whose apply workers fire row triggers only.';


--
-- Name: capture_unit_row_tolerant(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.capture_unit_row_tolerant() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
begin
    if tg_relid operator(pg_catalog.<>) 16392::pg_catalog.oid then
        perform from (select tg_relid union all select relid from pg_catalog.pg_partition_ancestors(tg_relid)) as s (place)
          where place::pg_catalog.oid operator(pg_catalog.=) 16392::pg_catalog.oid
             or exists (select from rentsync.attachment a where a.table_name::pg_catalog.oid operator(pg_catalog.=) place::pg_catalog.oid);
        if not found then
            return null;
        end if;
    end if;
    begin
    insert into rentsync.outbox (property_id, op, unit_ids)
    select coalesce(new.project_id, old.project_id), pg_catalog.lower(tg_op), array[coalesce(new.id, old.id)::bigint]
     where coalesce(new.project_id, old.project_id) is not null;
    exception when others then
        raise warning 'rentsync: capture on %.% failed (%), every property will be compared',
            tg_table_schema, tg_table_name, sqlerrm;
        begin
            insert into rentsync.outbox (property_id, op) values (null, 'failed');
        exception when others then
            raise warning 'rentsync: that could not be noted (%), the next snapshot finds what changed', sqlerrm;
        end;
    end;
    return null;
end;
$$;


--
-- Name: FUNCTION capture_unit_row_tolerant(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.capture_unit_row_tolerant() IS 'One unit; for logical replication, whose apply workers fire row triggers only. A failure becomes a change of every property instead of an error, or a warning where not even that can be noted.';


--
-- Name: capture_units(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.capture_units() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
begin
    if tg_relid operator(pg_catalog.<>) 16392::pg_catalog.oid then
        perform from (select tg_relid union all select relid from pg_catalog.pg_partition_ancestors(tg_relid)) as s (place)
          where place::pg_catalog.oid operator(pg_catalog.=) 16392::pg_catalog.oid
             or exists (select from rentsync.attachment a where a.table_name::pg_catalog.oid operator(pg_catalog.=) place::pg_catalog.oid);
        if not found then
            return null;
        end if;
    end if;
    insert into rentsync.outbox (property_id, op, unit_ids)
    select project_id, pg_catalog.lower(tg_op), pg_catalog.array_agg(id::bigint)
      from touched
     where project_id is not null
     group by project_id;
    return null;
end;
$$;


--
-- Name: FUNCTION capture_units(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.capture_units() IS 'Units touched by one statement: one change per property.';


--
-- Name: capture_units_both_sides(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.capture_units_both_sides() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
begin
    if tg_relid operator(pg_catalog.<>) 16392::pg_catalog.oid then
        perform from (select tg_relid union all select relid from pg_catalog.pg_partition_ancestors(tg_relid)) as s (place)
          where place::pg_catalog.oid operator(pg_catalog.=) 16392::pg_catalog.oid
             or exists (select from rentsync.attachment a where a.table_name::pg_catalog.oid operator(pg_catalog.=) place::pg_catalog.oid);
        if not found then
            return null;
        end if;
    end if;
    insert into rentsync.outbox (property_id, op, unit_ids)
    select project_id, 'update', pg_catalog.array_agg(id::bigint)
      from (select id, project_id from touched union select id, project_id from untouched) as either
     where project_id is not null
     group by project_id;
    return null;
end;
$$;


--
-- Name: FUNCTION capture_units_both_sides(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.capture_units_both_sides() IS 'The same for UPDATE of a partitioned table, where no row trigger sees a row change its partition.';


--
-- Name: capture_units_both_sides_tolerant(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.capture_units_both_sides_tolerant() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
begin
    if tg_relid operator(pg_catalog.<>) 16392::pg_catalog.oid then
        perform from (select tg_relid union all select relid from pg_catalog.pg_partition_ancestors(tg_relid)) as s (place)
          where place::pg_catalog.oid operator(pg_catalog.=) 16392::pg_catalog.oid
             or exists (select from rentsync.attachment a where a.table_name::pg_catalog.oid operator(pg_catalog.=) place::pg_catalog.oid);
        if not found then
            return null;
        end if;
    end if;
    begin
    insert into rentsync.outbox (property_id, op, unit_ids)
    select project_id, 'update', pg_catalog.array_agg(id::bigint)
      from (select id, project_id from touched union select id, project_id from untouched) as either
     where project_id is not null
     group by project_id;
    exception when others then
        raise warning 'rentsync: capture on %.% failed (%), every property will be compared',
            tg_table_schema, tg_table_name, sqlerrm;
        begin
            insert into rentsync.outbox (property_id, op) values (null, 'failed');
        exception when others then
            raise warning 'rentsync: that could not be noted (%), the next snapshot finds what changed', sqlerrm;
        end;
    end;
    return null;
end;
$$;


--
-- Name: FUNCTION capture_units_both_sides_tolerant(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.capture_units_both_sides_tolerant() IS 'The same for UPDATE of a partitioned table, where no row trigger sees a row change its partition. A failure becomes a change of every property instead of an error, or a warning where not even that can be noted.';


--
-- Name: capture_units_tolerant(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.capture_units_tolerant() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    AS $$
begin
    if tg_relid operator(pg_catalog.<>) 16392::pg_catalog.oid then
        perform from (select tg_relid union all select relid from pg_catalog.pg_partition_ancestors(tg_relid)) as s (place)
          where place::pg_catalog.oid operator(pg_catalog.=) 16392::pg_catalog.oid
             or exists (select from rentsync.attachment a where a.table_name::pg_catalog.oid operator(pg_catalog.=) place::pg_catalog.oid);
        if not found then
            return null;
        end if;
    end if;
    begin
    insert into rentsync.outbox (property_id, op, unit_ids)
    select project_id, pg_catalog.lower(tg_op), pg_catalog.array_agg(id::bigint)
      from touched
     where project_id is not null
     group by project_id;
    exception when others then
        raise warning 'rentsync: capture on %.% failed (%), every property will be compared',
            tg_table_schema, tg_table_name, sqlerrm;
        begin
            insert into rentsync.outbox (property_id, op) values (null, 'failed');
        exception when others then
            raise warning 'rentsync: that could not be noted (%), the next snapshot finds what changed', sqlerrm;
        end;
    end;
    return null;
end;
$$;


--
-- Name: FUNCTION capture_units_tolerant(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.capture_units_tolerant() IS 'Units touched by one statement: one change per property. A failure becomes a change of every property instead of an error, or a warning where not even that can be noted.';


--
-- Name: count_withheld(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.count_withheld() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    feeds bigint[];
    kinds text[];
    units bigint[];
begin
    if tg_op = 'INSERT' then
        select array_agg(c.feed_id), array_agg(c.kept_back), array_agg(c.units) into feeds, kinds, units
          from (select w.feed_id, w.kept_back, count(*) as units from written w
                 where w.kept_back is not null group by w.feed_id, w.kept_back) as c;
    elsif tg_op = 'DELETE' then
        select array_agg(c.feed_id), array_agg(c.kept_back), array_agg(c.units) into feeds, kinds, units
          from (select s.feed_id, s.kept_back, -count(*) as units from stood s
                 where s.kept_back is not null group by s.feed_id, s.kept_back) as c;
    else
        select array_agg(c.feed_id), array_agg(c.kept_back), array_agg(c.units) into feeds, kinds, units
          from (select b.feed_id, b.kept_back, sum(b.units)::bigint as units
                  from (select w.feed_id, w.kept_back, 1 as units from written w where w.kept_back is not null
                         union all
                        select s.feed_id, s.kept_back, -1 from stood s where s.kept_back is not null) as b
                 group by b.feed_id, b.kept_back having sum(b.units) <> 0) as c;
    end if;
    if feeds is not null then
        with change as materialized (
            select f.receiver, c.feed_id, c.kept_back, c.units
              from unnest(feeds, kinds, units) as c (feed_id, kept_back, units)
              join rentsync.feed f using (feed_id)
        )
        insert into rentsync.withheld (receiver, feed_id, kept_back, units)
        select c.receiver, c.feed_id, c.kept_back, c.units from change c
         union all
        select c.receiver, null, c.kept_back, sum(c.units) from change c group by c.receiver, c.kept_back;
    end if;
    return null;
end
$$;


--
-- Name: FUNCTION count_withheld(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.count_withheld() IS 'Keeps rentsync.withheld right, whatever writes to the ledger.';


--
-- Name: detach(regclass, regclass); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.detach(properties regclass, units regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    standing record;
begin
    -- Dropping a trigger makes readers wait as well, and waits for them.
    perform rentsync.lock_source(properties, units, 'access exclusive');
    for standing in
        select t.tgname, t.tgrelid::regclass as target
          from pg_trigger t join pg_proc p on p.oid = t.tgfoid
         where p.pronamespace = 'rentsync'::regnamespace and t.tgparentid = 0 and not t.tgisinternal
           and (t.tgrelid in (select relid from pg_partition_tree(properties)) or t.tgrelid = properties
             or t.tgrelid in (select relid from pg_partition_tree(units)) or t.tgrelid = units)
    loop
        execute format('drop trigger %I on %s', standing.tgname, standing.target);
    end loop;
    delete from rentsync.attachment where table_name in (properties, units);
end
$$;


--
-- Name: FUNCTION detach(properties regclass, units regclass); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.detach(properties regclass, units regclass) IS 'Takes the triggers off again; the outbox stays.';


--
-- Name: forget_changes(timestamp with time zone, bigint); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.forget_changes(before timestamp with time zone, changes_max bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    forgotten bigint;
begin
    with oldest as materialized (
        select ctid as place, occurred_at
          from rentsync.outbox
         where xid < coalesce((select pg_snapshot_xmin(cursor) from rentsync.feed where cursor is not null order by 1 limit 1),
                              pg_snapshot_xmin(pg_current_snapshot()))
         order by xid
         limit changes_max
    ), locked as materialized (
        select o.ctid as place
          from rentsync.outbox o
         where o.ctid = any (array(select place from oldest where occurred_at < before))
           for update skip locked
    ), pruned as (
        delete from rentsync.outbox o where o.ctid = any (array(select place from locked))
        returning o.occurred_at
    ), gone as (
        select count(*) as changes, max(occurred_at) + interval '1 microsecond' as horizon from pruned
    ), noted as (
        update rentsync.horizon h set pruned_before = greatest(h.pruned_before, gone.horizon) from gone where gone.changes > 0
    )
    select changes into forgotten from gone;
    return forgotten;
end
$$;


--
-- Name: FUNCTION forget_changes(before timestamp with time zone, changes_max bigint); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.forget_changes(before timestamp with time zone, changes_max bigint) IS 'Deletes changes from before a moment that every cursor sees, of so many oldest, and notes the horizon. Says how many.';


--
-- Name: forget_future(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.forget_future() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    forgotten bigint;
begin
    delete from rentsync.outbox where xid >= pg_snapshot_xmax(pg_current_snapshot());
    get diagnostics forgotten = row_count;
    return forgotten;
end
$$;


--
-- Name: FUNCTION forget_future(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.forget_future() IS 'Deletes changes of transactions that this server has yet to begin. Says how many.';


--
-- Name: kept_because(bigint); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.kept_because(hold_id bigint) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN (('a person wants it kept (hold '::text || hold_id) || ')'::text);


--
-- Name: FUNCTION kept_because(hold_id bigint); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.kept_because(hold_id bigint) IS 'What the ledger says of a unit whose removal was rejected.';


--
-- Name: lock_source(regclass, regclass, text); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.lock_source(properties regclass, units regclass, mode text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    for attempt in 1 .. 100 loop
        begin
            -- Stays set: whatever this transaction has yet to lock, it asks for as briefly.
            perform set_config('lock_timeout', '100ms', true);
            execute format('lock table %s, %s in %s mode', properties, units, mode);
            return;
        exception when lock_not_available then
            perform pg_sleep(0.1 + random() * 0.2);
        end;
    end loop;
    raise exception 'rentsync: % and % are in use by a long transaction', properties, units
        using errcode = 'lock_not_available',
              hint = 'Try again when it has ended; see pg_stat_activity for transactions that are open for long.';
end
$$;


--
-- Name: FUNCTION lock_source(properties regclass, units regclass, mode text); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.lock_source(properties regclass, units regclass, mode text) IS 'Part of rentsync.attach and rentsync.detach.';


--
-- Name: source_property(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.source_property() RETURNS TABLE(property_id integer, name text, address text, project_group_id bigint, is_active boolean, is_lease_up boolean)
    LANGUAGE sql STABLE
    AS $$
-- written by rentsync-relay install; leave this line out of your own version
select t."id", t."name"::text, t."full_address"::text, t."project_group_id"::bigint, t."is_actived", t."is_lease_up"
  from public.projects t
$$;


--
-- Name: FUNCTION source_property(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.source_property() IS 'What the relay reads of public.projects. Replace it where columns have other names.';


--
-- Name: source_unit(); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.source_unit() RETURNS TABLE(unit_id integer, property_id integer, unit_code text, building text, floor bigint, floorplan text, type text, dwelling_type text, status_id bigint, status_name text, when_available text, base_rent double precision, price_amortized double precision, size_sqft bigint, bedrooms double precision, bathrooms double precision, dens bigint, exposure text, view text, has_garage boolean, pets_allowed bigint, parking_stalls bigint, storage_boxes bigint, lead_first_name text, lead_last_name text)
    LANGUAGE sql STABLE
    AS $$
-- written by rentsync-relay install; leave this line out of your own version
select t."id", t."project_id", t."unit_code"::text, t."building"::text, t."floor"::bigint, t."floorplan"::text, t."type"::text, t."dwelling_type"::text, t."rentroll_status_id"::bigint, t."rentroll_status"::text, t."when_available"::text, t."price"::float8, t."price_amortized"::float8, t."size"::bigint, t."bedrooms"::float8, t."bathrooms"::float8, t."dens"::bigint, t."exposure"::text, t."view"::text, t."has_garage", t."pets"::bigint, t."parking_stalls"::bigint, t."storage_boxes"::bigint, t."lead_first_name"::text, t."lead_last_name"::text
  from public.project_rent_roll_units t
$$;


--
-- Name: FUNCTION source_unit(); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.source_unit() IS 'What the relay reads of public.project_rent_roll_units. Replace it where columns have other names.';


--
-- Name: hold_sequence; Type: SEQUENCE; Schema: rentsync; Owner: -
--

CREATE SEQUENCE rentsync.hold_sequence
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: hold; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.hold (
    hold_id bigint DEFAULT nextval('rentsync.hold_sequence'::regclass) NOT NULL,
    receiver text NOT NULL,
    feed_id bigint,
    state text DEFAULT 'open'::text NOT NULL,
    units bigint NOT NULL,
    gone bigint NOT NULL,
    of_units bigint NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    grown_at timestamp with time zone NOT NULL,
    settled_at timestamp with time zone,
    CONSTRAINT settled_unless_open CHECK (((state = 'open'::text) = (settled_at IS NULL))),
    CONSTRAINT state_is_known CHECK ((state = ANY (ARRAY['open'::text, 'approved'::text, 'rejected'::text, 'cleared'::text])))
);


--
-- Name: TABLE hold; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.hold IS 'Removals kept back until a person approves them. Its units are those that the ledger says are held (of its feed) or guarded.';


--
-- Name: COLUMN hold.hold_id; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.hold.hold_id IS 'Changes whenever units join, never when one leaves.';


--
-- Name: COLUMN hold.feed_id; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.hold.feed_id IS 'null: a hold over the receiver as a whole.';


--
-- Name: COLUMN hold.state; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.hold.state IS 'cleared: by itself, because units came back, or settings allow what was left.';


--
-- Name: COLUMN hold.units; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.hold.units IS 'Removals that it held when one joined last; when it was decided about, those that were left.';


--
-- Name: COLUMN hold.gone; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.hold.gone IS 'Removals told within the 24 hours before that, not counting those that a person approved.';


--
-- Name: COLUMN hold.of_units; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.hold.of_units IS 'How many units there were when those 24 hours began.';


--
-- Name: COLUMN hold.grown_at; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.hold.grown_at IS 'When a unit joined last.';


--
-- Name: units_of_hold(rentsync.hold); Type: FUNCTION; Schema: rentsync; Owner: -
--

CREATE FUNCTION rentsync.units_of_hold(of_hold rentsync.hold) RETURNS TABLE(feed_id bigint, unit_id bigint, unit_code text, since timestamp with time zone)
    LANGUAGE sql STABLE
    AS $$
    select l.feed_id, l.unit_id, l.unit_code, l.kept_back_at
      from rentsync.ledger l
     where of_hold.state = 'open' and l.feed_id = of_hold.feed_id and l.kept_back = 'held'
     union all
    select l.feed_id, l.unit_id, l.unit_code, l.kept_back_at
      from (select distinct w.feed_id
              from rentsync.withheld w
             where of_hold.state = 'open' and of_hold.feed_id is null
               and w.receiver = of_hold.receiver and w.kept_back = 'guarded' and w.feed_id is not null) as feed
     cross join lateral (
           select l.feed_id, l.unit_id, l.unit_code, l.kept_back_at
             from rentsync.ledger l
            where l.feed_id = feed.feed_id and l.kept_back = 'guarded'
           offset 0
           ) as l
     union all
    select l.feed_id, l.unit_id, l.unit_code, l.kept_back_at
      from (select distinct w.feed_id
              from rentsync.withheld w
             where of_hold.state = 'rejected'
               and w.receiver = of_hold.receiver and w.kept_back = 'rejected'
               and w.feed_id = coalesce(of_hold.feed_id, w.feed_id)) as feed
     cross join lateral (
           select l.feed_id, l.unit_id, l.unit_code, l.kept_back_at
             from rentsync.ledger l
            where l.feed_id = feed.feed_id and l.kept_back = 'rejected'
              and l.kept_back_because = rentsync.kept_because(of_hold.hold_id)
           offset 0
           ) as l
$$;


--
-- Name: FUNCTION units_of_hold(of_hold rentsync.hold); Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON FUNCTION rentsync.units_of_hold(of_hold rentsync.hold) IS 'The removals that an open hold keeps waiting, or that a rejected one keeps at the receiver. Part of the statement that asks, and looks at the feeds of that hold alone.';


--
-- Name: project_rent_roll_units; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.project_rent_roll_units (
    id integer NOT NULL,
    project_id integer,
    unit_code text,
    building text,
    floor integer,
    floorplan text,
    type text,
    rentroll_status_id integer,
    rentroll_status text,
    when_available text,
    price double precision,
    price_amortized double precision,
    size integer,
    bedrooms double precision,
    bathrooms double precision,
    dens integer,
    dwelling_type text,
    exposure text,
    view text,
    has_garage boolean,
    pets integer,
    parking_stalls integer,
    storage_boxes integer,
    lead_first_name text,
    lead_last_name text
);


--
-- Name: projects; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.projects (
    id integer NOT NULL,
    name text,
    project_group_id integer,
    full_address text,
    is_actived boolean,
    is_lease_up boolean
);


--
-- Name: alert; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.alert (
    alert_id bigint NOT NULL,
    kind text NOT NULL,
    receiver text,
    property_id bigint,
    message text NOT NULL,
    times integer DEFAULT 1 NOT NULL,
    raised_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    acked_at timestamp with time zone
);


--
-- Name: TABLE alert; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.alert IS 'What a person should know; the same thing again only counts up until it is acknowledged.';


--
-- Name: alert_alert_id_seq; Type: SEQUENCE; Schema: rentsync; Owner: -
--

ALTER TABLE rentsync.alert ALTER COLUMN alert_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rentsync.alert_alert_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: alert_post; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.alert_post (
    kind text NOT NULL,
    receiver text NOT NULL,
    told_at timestamp with time zone,
    due_at timestamp with time zone NOT NULL
);


--
-- Name: TABLE alert_post; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.alert_post IS 'What the webhook knows of alerts of a kind about a receiver.';


--
-- Name: COLUMN alert_post.told_at; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.alert_post.told_at IS 'When the newest alert that was posted was raised last; null: none was posted yet.';


--
-- Name: COLUMN alert_post.due_at; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.alert_post.due_at IS 'Nothing is posted before: an hour after a post; a minute after a relay took it on, should it fail or die.';


--
-- Name: attachment; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.attachment (
    source text NOT NULL,
    table_name regclass NOT NULL,
    tolerant boolean NOT NULL,
    attached_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT attachment_source_check CHECK ((source = ANY (ARRAY['property'::text, 'unit'::text])))
);


--
-- Name: TABLE attachment; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.attachment IS 'The tables that carry the triggers. A trigger function does nothing for any other table, so only the owner writes here.';


--
-- Name: attempt; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.attempt (
    sequence bigint NOT NULL,
    lease integer NOT NULL,
    relay text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    outcome text,
    status integer,
    error text,
    answer text,
    CONSTRAINT finished_iff_outcome CHECK (((finished_at IS NULL) = (outcome IS NULL)))
);


--
-- Name: TABLE attempt; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.attempt IS 'One row a try, written before anything is sent.';


--
-- Name: COLUMN attempt.relay; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.attempt.relay IS 'Host and process that made it.';


--
-- Name: COLUMN attempt.outcome; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.attempt.outcome IS 'What the relay made of it; null: under way, or its relay died.';


--
-- Name: COLUMN attempt.answer; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.attempt.answer IS 'The beginning of the receiver''s answer, as it came but for our secrets and the names of the body''s leads, which are masked. Goes with the body. In no log, alert or other table.';


--
-- Name: buried; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.buried (
    feed_id bigint NOT NULL,
    unit_id bigint NOT NULL,
    unit_code text,
    sequence bigint NOT NULL,
    buried_at timestamp with time zone NOT NULL
);


--
-- Name: TABLE buried; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.buried IS 'Removals that were acknowledged, so that a replay can tell them again; gone after retention.syncs.';


--
-- Name: COLUMN buried.unit_code; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.buried.unit_code IS 'As told last.';


--
-- Name: COLUMN buried.sequence; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.buried.sequence IS 'The sync that told the removal.';


--
-- Name: capture_trigger; Type: VIEW; Schema: rentsync; Owner: -
--

CREATE VIEW rentsync.capture_trigger AS
 SELECT v.source,
    v.trigger_name,
    v.event,
    v.level,
    v.transition,
    v.condition,
    v.function_name,
    v.enabled,
    v.partitioned
   FROM ( VALUES ('unit'::text,'rentsync_insert'::text,'after insert'::text,'statement'::text,'new table as touched'::text,NULL::text,'capture_units'::text,'always'::text,NULL::boolean), ('unit'::text,'rentsync_delete'::text,'after delete'::text,'statement'::text,'old table as touched'::text,NULL::text,'capture_units'::text,'always'::text,NULL::boolean), ('unit'::text,'rentsync_update'::text,'after update'::text,'statement'::text,'new table as touched'::text,NULL::text,'capture_units'::text,'always'::text,false), ('unit'::text,'rentsync_update'::text,'after update'::text,'statement'::text,'new table as touched old table as untouched'::text,NULL::text,'capture_units_both_sides'::text,'always'::text,true), ('unit'::text,'rentsync_move'::text,'after update'::text,'row'::text,NULL::text,'((old.id, old.project_id) is distinct from (new.id, new.project_id))'::text,'capture_unit_moved'::text,'always'::text,false), ('unit'::text,'rentsync_truncate'::text,'after truncate'::text,'statement'::text,NULL::text,NULL::text,'capture_truncate'::text,'always'::text,NULL::boolean), ('unit'::text,'rentsync_replica'::text,'after insert or update or delete'::text,'row'::text,NULL::text,NULL::text,'capture_unit_row'::text,'replica'::text,NULL::boolean), ('property'::text,'rentsync_insert'::text,'after insert'::text,'statement'::text,'new table as touched'::text,NULL::text,'capture_properties'::text,'always'::text,NULL::boolean), ('property'::text,'rentsync_delete'::text,'after delete'::text,'statement'::text,'old table as touched'::text,NULL::text,'capture_properties'::text,'always'::text,NULL::boolean), ('property'::text,'rentsync_update'::text,'after update'::text,'statement'::text,'new table as touched'::text,NULL::text,'capture_properties'::text,'always'::text,false), ('property'::text,'rentsync_update'::text,'after update'::text,'statement'::text,'new table as touched old table as untouched'::text,NULL::text,'capture_properties_both_sides'::text,'always'::text,true), ('property'::text,'rentsync_move'::text,'after update'::text,'row'::text,NULL::text,'(old.id is distinct from new.id)'::text,'capture_property_renumbered'::text,'always'::text,false), ('property'::text,'rentsync_truncate'::text,'after truncate'::text,'statement'::text,NULL::text,NULL::text,'capture_truncate'::text,'always'::text,NULL::boolean), ('property'::text,'rentsync_replica'::text,'after insert or update or delete'::text,'row'::text,NULL::text,NULL::text,'capture_property_row'::text,'replica'::text,NULL::boolean)) v(source, trigger_name, event, level, transition, condition, function_name, enabled, partitioned);


--
-- Name: VIEW capture_trigger; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON VIEW rentsync.capture_trigger IS 'The triggers of the two source tables; partitioned: null = both kinds of table.';


--
-- Name: drift; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.drift (
    drift_id bigint NOT NULL,
    run_id bigint,
    feed_id bigint NOT NULL,
    unit_id bigint,
    ledger_hash bytea,
    source_hash bytea,
    differs text,
    found_at timestamp with time zone NOT NULL
);


--
-- Name: TABLE drift; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.drift IS 'A unit that differed though no change was waiting for it: a bypassed trigger, a joined table.';


--
-- Name: COLUMN drift.unit_id; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.drift.unit_id IS 'Null: the property''s own fields.';


--
-- Name: COLUMN drift.ledger_hash; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.drift.ledger_hash IS 'SHA-256 of what the receiver was told last; null: nothing.';


--
-- Name: COLUMN drift.source_hash; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.drift.source_hash IS 'SHA-256 of what the source had; null: nothing.';


--
-- Name: COLUMN drift.differs; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.drift.differs IS 'The names of the fields that differed, or why they can''t be named; never a value.';


--
-- Name: drift_drift_id_seq; Type: SEQUENCE; Schema: rentsync; Owner: -
--

ALTER TABLE rentsync.drift ALTER COLUMN drift_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rentsync.drift_drift_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: duplicate; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.duplicate (
    feed_id bigint NOT NULL,
    unit_code text NOT NULL,
    unit_ids bigint[] NOT NULL,
    since timestamp with time zone NOT NULL,
    CONSTRAINT several_units CHECK ((cardinality(unit_ids) > 1))
);


--
-- Name: TABLE duplicate; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.duplicate IS 'Codes that several units of one property carry. All of them are told; a person is told of them.';


--
-- Name: COLUMN duplicate.unit_code; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.duplicate.unit_code IS 'As the receiver is told it.';


--
-- Name: COLUMN duplicate.unit_ids; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.duplicate.unit_ids IS 'The units of the source that carry it, told or not.';


--
-- Name: COLUMN duplicate.since; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.duplicate.since IS 'When a plan first found that several units carry it.';


--
-- Name: feed; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.feed (
    feed_id bigint NOT NULL,
    receiver text NOT NULL,
    property_id bigint NOT NULL,
    external_id text,
    enabled boolean DEFAULT true NOT NULL,
    paused_because text,
    cursor pg_snapshot,
    property_hash bytea,
    property_owed text,
    property_sequence bigint,
    digest bytea DEFAULT decode(repeat('00'::text, 32), 'hex'::text) NOT NULL,
    units bigint DEFAULT 0 NOT NULL,
    snapshot_due text,
    suspect bigint,
    suspects_waited boolean DEFAULT false NOT NULL,
    halving bigint,
    halving_accepted boolean DEFAULT false NOT NULL,
    mismatch_at timestamp with time zone,
    owed_since timestamp with time zone,
    rest_until timestamp with time zone,
    rest_because text,
    enrolled_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    snapshot_run bigint,
    of_units bigint DEFAULT 0 NOT NULL,
    sequence_offset bigint DEFAULT 0 NOT NULL,
    stale_at timestamp with time zone,
    mismatch_again boolean DEFAULT false NOT NULL,
    CONSTRAINT digest_is_sha256 CHECK ((length(digest) = 32)),
    CONSTRAINT property_hash_is_sha256 CHECK ((length(property_hash) = 32)),
    CONSTRAINT rests_iff_because CHECK (((rest_until IS NULL) = (rest_because IS NULL))),
    CONSTRAINT sequence_offset_only_adds CHECK ((sequence_offset >= 0))
)
WITH (fillfactor='80');


--
-- Name: TABLE feed; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.feed IS 'One property''s ordered stream to one receiver.';


--
-- Name: COLUMN feed.external_id; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.external_id IS 'What the receiver calls the property; null: as the source does.';


--
-- Name: COLUMN feed.enabled; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.enabled IS 'False: the receiver is told that every unit is removed.';


--
-- Name: COLUMN feed.paused_because; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.paused_because IS 'Not null: nothing is planned until `feeds resume`; changes keep gathering.';


--
-- Name: COLUMN feed.cursor; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.cursor IS 'Every transaction visible in this snapshot is planned; null: never planned, compare everything.';


--
-- Name: COLUMN feed.property_hash; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.property_hash IS 'SHA-256 of the property''s own fields as told last.';


--
-- Name: COLUMN feed.property_owed; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.property_owed IS 'Why the property''s fields must be told whatever their hash; null: they need not be.';


--
-- Name: COLUMN feed.property_sequence; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.property_sequence IS 'The sync that told the property''s fields last.';


--
-- Name: COLUMN feed.digest; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.digest IS 'XOR over the ledger''s units of SHA-256("unit_id:content_hash"): what the receiver should hold.';


--
-- Name: COLUMN feed.units; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.units IS 'How many units the receiver should hold, those told as unavailable not counted.';


--
-- Name: COLUMN feed.snapshot_due; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.snapshot_due IS 'Why its next sync is a snapshot; null: it is a delta.';


--
-- Name: COLUMN feed.suspect; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.suspect IS 'Told only together with feeds of the same number: a request about them and others was rejected.';


--
-- Name: COLUMN feed.suspects_waited; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.suspects_waited IS 'Its last sync told news while suspect units waited: the next is theirs.';


--
-- Name: COLUMN feed.halving; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.halving IS 'The rejected sync whose units are told again in halves, until the bad ones stand alone.';


--
-- Name: COLUMN feed.halving_accepted; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.halving_accepted IS 'Some half was accepted: it is units that are bad, not the property.';


--
-- Name: COLUMN feed.mismatch_at; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.mismatch_at IS 'When its newest snapshot was made due because the receiver''s digest was another than ours: the next is not within the hour after.';


--
-- Name: COLUMN feed.owed_since; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.owed_since IS 'When the oldest change was made of what it has planned and still owes.';


--
-- Name: COLUMN feed.rest_until; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.rest_until IS 'After giving up: not planned before then. exhausted: or until the receiver takes anything.';


--
-- Name: COLUMN feed.snapshot_run; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.snapshot_run IS 'The run that its snapshot belongs to, until that is delivered or given up.';


--
-- Name: COLUMN feed.of_units; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.of_units IS 'How many units it had when the last 24 hours began, as far as rentsync.removed goes back; what a person approved is not among them.';


--
-- Name: COLUMN feed.sequence_offset; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.sequence_offset IS 'Added to the sequence of each of its syncs in their bodies: the receiver has newer numbers of this property than ours. Never lowered.';


--
-- Name: COLUMN feed.stale_at; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.stale_at IS 'When its newest snapshot was made due because the receiver called it stale: the next is not within the hour after.';


--
-- Name: COLUMN feed.mismatch_again; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.feed.mismatch_again IS 'It was so once more within that hour: a snapshot is due when it is over.';


--
-- Name: feed_feed_id_seq; Type: SEQUENCE; Schema: rentsync; Owner: -
--

ALTER TABLE rentsync.feed ALTER COLUMN feed_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rentsync.feed_feed_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: ledger; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.ledger (
    feed_id bigint NOT NULL,
    unit_id bigint NOT NULL,
    unit_code text,
    hash bytea,
    removed text,
    sequence bigint,
    owed text,
    suspect bigint,
    kept_back text,
    kept_back_because text,
    kept_back_hash bytea,
    kept_back_at timestamp with time zone,
    content text,
    codes_before text[],
    CONSTRAINT hash_is_sha256 CHECK ((length(hash) = 32)),
    CONSTRAINT kept_back_for_a_known_reason CHECK ((kept_back = ANY (ARRAY['invalid'::text, 'refused'::text, 'elsewhere'::text, 'held'::text, 'guarded'::text, 'rejected'::text]))),
    CONSTRAINT kept_back_iff_because CHECK (((kept_back IS NULL) = (kept_back_because IS NULL))),
    CONSTRAINT owed_for_a_known_reason CHECK ((owed = ANY (ARRAY['in_doubt'::text, 'over_limit'::text, 'removal'::text, 'replay'::text, 'retry'::text, 'retell'::text, 'approved'::text]))),
    CONSTRAINT refused_hash_only_while_refused CHECK (((kept_back_hash IS NULL) OR (kept_back = 'refused'::text))),
    CONSTRAINT removed_for_a_known_reason CHECK ((removed = ANY (ARRAY['deleted'::text, 'moved'::text, 'property_inactive'::text, 'feed_disabled'::text]))),
    CONSTRAINT suspect_only_while_owed CHECK (((suspect IS NULL) OR (owed IS NOT NULL))),
    CONSTRAINT told_iff_in_a_sync CHECK ((((hash IS NULL) AND (removed IS NULL)) = (sequence IS NULL)))
)
WITH (fillfactor='80');


--
-- Name: TABLE ledger; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.ledger IS 'Per feed and unit: what the receiver was told last. No reference to feed: it would be checked for every unit told.';


--
-- Name: COLUMN ledger.unit_code; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.ledger.unit_code IS 'As told last; a removal names it, because the receiver may know nothing else.';


--
-- Name: COLUMN ledger.hash; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.ledger.hash IS 'SHA-256 of the content told last; null: nothing, or a removal.';


--
-- Name: COLUMN ledger.removed; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.ledger.removed IS 'The reason of the removal told last: a tombstone until that is acknowledged. With a hash: told as unavailable, for good.';


--
-- Name: COLUMN ledger.sequence; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.ledger.sequence IS 'The sync that told it.';


--
-- Name: COLUMN ledger.owed; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.ledger.owed IS 'Why it must be told at the next plan whatever its hash; null: it need not be. removal: put off until everything living is told; approved: a removal that a person let go.';


--
-- Name: COLUMN ledger.suspect; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.ledger.suspect IS 'Told only together with units of the same number: a request about them and others was rejected.';


--
-- Name: COLUMN ledger.kept_back; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.ledger.kept_back IS 'Why the source''s present state is not told; invalid: our own check, refused: the receiver''s, elsewhere: another feed still has the unit, held and guarded: its removal waits for a person, rejected: who wants it kept until it is back.';


--
-- Name: COLUMN ledger.kept_back_because; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.ledger.kept_back_because IS 'In the relay''s own words: no value of a field, no word of a receiver.';


--
-- Name: COLUMN ledger.kept_back_hash; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.ledger.kept_back_hash IS 'refused: SHA-256 of the refused content; null: its removal was refused.';


--
-- Name: COLUMN ledger.content; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.ledger.content IS 'The unit as told last, without its lead: no personal data. Kept only for a receiver that is told a removal as an unavailable unit.';


--
-- Name: COLUMN ledger.codes_before; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.ledger.codes_before IS 'Other codes that the receiver may still have it under, while what was told last is in doubt or refused; else they mean nothing.';


--
-- Name: held_unit; Type: VIEW; Schema: rentsync; Owner: -
--

CREATE VIEW rentsync.held_unit AS
 SELECT h.hold_id,
    h.receiver,
    h.state,
    l.feed_id,
    f.property_id,
    l.unit_id,
    l.unit_code,
    l.kept_back_at AS since
   FROM ((rentsync.hold h
     JOIN rentsync.ledger l ON (((l.feed_id = h.feed_id) AND (l.kept_back = 'held'::text))))
     JOIN rentsync.feed f ON ((f.feed_id = l.feed_id)))
  WHERE (h.state = 'open'::text)
UNION ALL
 SELECT h.hold_id,
    h.receiver,
    h.state,
    l.feed_id,
    f.property_id,
    l.unit_id,
    l.unit_code,
    l.kept_back_at AS since
   FROM ((rentsync.hold h
     JOIN rentsync.feed f ON ((f.receiver = h.receiver)))
     JOIN rentsync.ledger l ON (((l.feed_id = f.feed_id) AND (l.kept_back = 'guarded'::text))))
  WHERE ((h.state = 'open'::text) AND (h.feed_id IS NULL))
UNION ALL
 SELECT h.hold_id,
    h.receiver,
    h.state,
    l.feed_id,
    f.property_id,
    l.unit_id,
    l.unit_code,
    l.kept_back_at AS since
   FROM ((rentsync.ledger l
     JOIN rentsync.feed f ON ((f.feed_id = l.feed_id)))
     JOIN rentsync.hold h ON (((rentsync.kept_because(h.hold_id) = l.kept_back_because) AND (h.receiver = f.receiver) AND (l.feed_id = COALESCE(h.feed_id, l.feed_id)))))
  WHERE ((h.state = 'rejected'::text) AND (l.kept_back = 'rejected'::text));


--
-- Name: VIEW held_unit; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON VIEW rentsync.held_unit IS 'The units of each hold: removals that wait for a person, or that one rejected and whose unit is not back yet.';


--
-- Name: horizon; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.horizon (
    only_one boolean DEFAULT true NOT NULL,
    pruned_before timestamp with time zone NOT NULL,
    CONSTRAINT horizon_only_one_check CHECK (only_one)
);


--
-- Name: TABLE horizon; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.horizon IS 'How far back a replay can go. One row, always.';


--
-- Name: COLUMN horizon.pruned_before; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.horizon.pruned_before IS 'Outbox rows and syncs older than this may have been pruned; -infinity: nothing was yet.';


--
-- Name: lineage; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.lineage (
    receiver text NOT NULL,
    system_identifier bigint,
    database_oid bigint,
    timeline text,
    noted_at timestamp with time zone NOT NULL,
    waits_since timestamp with time zone
);


--
-- Name: TABLE lineage; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.lineage IS 'The database that each receiver was told from: a restored backup or a promoted standby is another.';


--
-- Name: COLUMN lineage.system_identifier; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.lineage.system_identifier IS 'As pg_control_system() has it; null: the server does not say.';


--
-- Name: COLUMN lineage.database_oid; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.lineage.database_oid IS 'Of pg_database: a dump restored into the same cluster is another database there.';


--
-- Name: COLUMN lineage.timeline; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.lineage.timeline IS 'The first eight digits of a WAL file''s name; null: the server does not say.';


--
-- Name: COLUMN lineage.waits_since; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.lineage.waits_since IS 'Since when this is another database and a person has yet to accept it: `receivers resync`.';


--
-- Name: relay; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.relay (
    relay_id bigint NOT NULL,
    name text NOT NULL,
    receivers text[] NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    beat_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
)
WITH (fillfactor='50');


--
-- Name: TABLE relay; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.relay IS 'A row for each process that plans or sends. It goes at a clean end; what a killed one left is forgotten after an hour.';


--
-- Name: COLUMN relay.name; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.relay.name IS 'Host and process, as attempts name it.';


--
-- Name: COLUMN relay.receivers; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.relay.receivers IS 'Those that it sends to: the relays that live share a receiver''s places.';


--
-- Name: COLUMN relay.beat_at; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.relay.beat_at IS 'Refreshed every second. Five seconds after the last beat it counts as dead.';


--
-- Name: live_relay; Type: VIEW; Schema: rentsync; Owner: -
--

CREATE VIEW rentsync.live_relay AS
 SELECT relay.relay_id,
    relay.name,
    relay.receivers
   FROM rentsync.relay
  WHERE (relay.beat_at > (clock_timestamp() - '00:00:05'::interval));


--
-- Name: VIEW live_relay; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON VIEW rentsync.live_relay IS 'Relays that beat within the last five seconds: only their leases count.';


--
-- Name: migration; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.migration (
    version bigint NOT NULL,
    description text NOT NULL,
    installed_on timestamp with time zone DEFAULT now() NOT NULL,
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);


--
-- Name: outbox; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.outbox (
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    occurred_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    property_id bigint,
    op text NOT NULL,
    unit_ids bigint[]
);


--
-- Name: TABLE outbox; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.outbox IS 'Append-only: a row says that these units of this property were touched. Keys only, never a field''s value.';


--
-- Name: COLUMN outbox.xid; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.outbox.xid IS 'The top-level transaction that made the change; what cursors are compared with.';


--
-- Name: COLUMN outbox.property_id; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.outbox.property_id IS 'Null: every property (TRUNCATE).';


--
-- Name: COLUMN outbox.op; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.outbox.op IS 'insert, update, delete, move (the key a unit had before) or truncate; feed, settings, replay and approve: what a command or new settings ask for.';


--
-- Name: COLUMN outbox.unit_ids; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.outbox.unit_ids IS 'Null: the whole property.';


--
-- Name: planner; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.planner (
    receiver text NOT NULL,
    relay_id bigint,
    fence bigint DEFAULT 0 NOT NULL,
    taken_at timestamp with time zone,
    planned_at timestamp with time zone,
    marked bigint DEFAULT 0 NOT NULL,
    pid integer,
    session_began timestamp with time zone,
    CONSTRAINT taken_iff_held CHECK (((relay_id IS NULL) = (taken_at IS NULL)))
)
WITH (fillfactor='50');


--
-- Name: TABLE planner; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.planner IS 'The right to plan for a receiver. A plan locks this row from its first statement to its commit, so whoever finds it free of locks finds no plan under way. Heartbeats never touch it: each would fail a plan.';


--
-- Name: COLUMN planner.relay_id; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.planner.relay_id IS 'Who plans at this moment; null: nobody.';


--
-- Name: COLUMN planner.fence; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.planner.fence IS 'Rises whenever the right is taken: a plan that lost it meanwhile finds another number and does nothing.';


--
-- Name: COLUMN planner.taken_at; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.planner.taken_at IS 'Since when. After five seconds without a plan that holds the row it is anybody''s.';


--
-- Name: COLUMN planner.planned_at; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.planner.planned_at IS 'When a plan last came to its end, whether or not it sealed anything; null: never.';


--
-- Name: COLUMN planner.marked; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.planner.marked IS 'Rises whenever a command marks what is owed behind a plan''s back: a plan that waited for that starts anew.';


--
-- Name: COLUMN planner.pid; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.planner.pid IS 'The server process of the session that took the right last.';


--
-- Name: COLUMN planner.session_began; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.planner.session_began IS 'When that session began: the same number may be another''s later.';


--
-- Name: receiver; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.receiver (
    receiver text NOT NULL,
    settings text,
    paused_at timestamp with time zone,
    paused_because text,
    probe_at timestamp with time zone,
    probes integer DEFAULT 0 NOT NULL,
    wait_until timestamp with time zone,
    failures integer DEFAULT 0 NOT NULL,
    concurrency integer,
    paced_until timestamp with time zone,
    registered_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    waits integer DEFAULT 0 NOT NULL,
    waiting_since timestamp with time zone,
    CONSTRAINT concurrency_is_at_least_one CHECK ((concurrency >= 1)),
    CONSTRAINT paused_iff_because CHECK (((paused_at IS NULL) = (paused_because IS NULL))),
    CONSTRAINT probed_iff_paused CHECK (((paused_at IS NULL) = (probe_at IS NULL))),
    CONSTRAINT receiver_name_is_an_identifier CHECK ((receiver ~ '^[a-z][a-z0-9_]*$'::text))
);


--
-- Name: TABLE receiver; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.receiver IS 'A configured endpoint, and whether it may be sent to. All relays go by this row.';


--
-- Name: COLUMN receiver.settings; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.receiver.settings IS 'Fingerprint of the settings that decide what a unit looks like; a change compares every feed.';


--
-- Name: COLUMN receiver.paused_at; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.receiver.paused_at IS 'Since when its breaker is open: nothing is sealed or sent but probes.';


--
-- Name: COLUMN receiver.probe_at; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.receiver.probe_at IS 'While paused: when one feed is planned and sent to find out whether it answers again; infinity: only by command.';


--
-- Name: COLUMN receiver.probes; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.receiver.probes IS 'While paused: probes that failed, one after another.';


--
-- Name: COLUMN receiver.wait_until; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.receiver.wait_until IS 'The receiver asked for silence until then (Retry-After).';


--
-- Name: COLUMN receiver.failures; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.receiver.failures IS 'Deliveries in a row that failed in a way that is worth a retry.';


--
-- Name: COLUMN receiver.concurrency; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.receiver.concurrency IS 'How many requests at once it bears at present; null: as many as the settings allow.';


--
-- Name: COLUMN receiver.paced_until; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.receiver.paced_until IS 'When the next request may begin, where requests a second are limited.';


--
-- Name: COLUMN receiver.waits; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.receiver.waits IS 'How often it answered 429 since it last took anything: the step of the schedule that the next wait lasts.';


--
-- Name: COLUMN receiver.waiting_since; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.receiver.waiting_since IS 'When it first did so since it last took anything; null where it did not.';


--
-- Name: sync; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.sync (
    sequence bigint NOT NULL,
    sync_id text NOT NULL,
    receiver text NOT NULL,
    sync_type text NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    snapshot_id uuid,
    part integer DEFAULT 1 NOT NULL,
    parts integer DEFAULT 1 NOT NULL,
    probe boolean DEFAULT false NOT NULL,
    units integer NOT NULL,
    removed_units integer NOT NULL,
    body_bytes integer NOT NULL,
    body bytea,
    oldest_change timestamp with time zone,
    sealed_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone,
    lease integer DEFAULT 0 NOT NULL,
    leased_until timestamp with time zone,
    lost integer DEFAULT 0 NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    settled_at timestamp with time zone,
    run_id bigint,
    redelivered_at timestamp with time zone,
    relay_id bigint,
    body_gone text,
    sequence_offset bigint DEFAULT 0 NOT NULL,
    CONSTRAINT body_gone_for_a_known_reason CHECK ((body_gone = ANY (ARRAY['pruned'::text, 'erased'::text]))),
    CONSTRAINT body_or_why_not CHECK (((body IS NULL) = (body_gone IS NOT NULL))),
    CONSTRAINT body_while_it_may_be_sent CHECK (((body IS NOT NULL) OR (settled_at IS NOT NULL))),
    CONSTRAINT due_iff_open CHECK (((state = 'open'::text) = (due_at IS NOT NULL))),
    CONSTRAINT leased_only_while_open CHECK (((state = 'open'::text) OR (leased_until IS NULL))),
    CONSTRAINT part_of_parts CHECK (((part >= 1) AND (part <= parts))),
    CONSTRAINT parts_only_of_a_snapshot CHECK (((parts = 1) OR (sync_type = 'snapshot'::text))),
    CONSTRAINT settled_iff_over CHECK (((state = ANY (ARRAY['waiting'::text, 'open'::text])) = (settled_at IS NULL))),
    CONSTRAINT snapshot_iff_id CHECK (((sync_type = 'snapshot'::text) = (snapshot_id IS NOT NULL))),
    CONSTRAINT state_is_known CHECK ((state = ANY (ARRAY['waiting'::text, 'open'::text, 'delivered'::text, 'rejected'::text, 'exhausted'::text, 'cancelled'::text]))),
    CONSTRAINT sync_type_is_known CHECK ((sync_type = ANY (ARRAY['delta'::text, 'snapshot'::text, 'replay'::text])))
);
ALTER TABLE ONLY rentsync.sync ALTER COLUMN body SET STORAGE EXTERNAL;


--
-- Name: TABLE sync; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.sync IS 'A sealed body under one sync ID; never changed, however often it is sent.';


--
-- Name: COLUMN sync.state; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.sync.state IS 'waiting: a snapshot''s later part, sent after the ones before it; cancelled: given up because the receiver was.';


--
-- Name: COLUMN sync.snapshot_id; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.sync.snapshot_id IS 'Common to the parts of one snapshot.';


--
-- Name: COLUMN sync.probe; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.sync.probe IS 'Sealed to find out whether a paused receiver answers again: one try.';


--
-- Name: COLUMN sync.body; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.sync.body IS 'The JSON body, gzip; body_bytes is its size before that. `syncs show --body` prints it. Personal data (names of leads): null from retention.syncs after it was settled, or once a unit in it was erased.';


--
-- Name: COLUMN sync.oldest_change; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.sync.oldest_change IS 'When the oldest change in it was made; null where no change asked for it.';


--
-- Name: COLUMN sync.lease; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.sync.lease IS 'Rises each time a relay takes it; a failure counts only under the newest.';


--
-- Name: COLUMN sync.lost; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.sync.lost IS 'Leases that ended without any outcome, one after another.';


--
-- Name: COLUMN sync.attempts; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.sync.attempts IS 'Tries that count against the schedule.';


--
-- Name: COLUMN sync.run_id; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.sync.run_id IS 'The snapshot run that asked for it.';


--
-- Name: COLUMN sync.redelivered_at; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.sync.redelivered_at IS 'When `redeliver` opened it again; null: never.';


--
-- Name: COLUMN sync.relay_id; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.sync.relay_id IS 'The relay that leased it last: its lease is over as soon as that one is dead. Null: a release before this column.';


--
-- Name: COLUMN sync.body_gone; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.sync.body_gone IS 'Why there is no body: pruned, or erased by `erase --unit`; null: there is one.';


--
-- Name: COLUMN sync.sequence_offset; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.sync.sequence_offset IS 'Its body says sequence + sequence_offset.';


--
-- Name: sync_feed; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.sync_feed (
    sequence bigint NOT NULL,
    feed_id bigint NOT NULL,
    is_open boolean NOT NULL,
    units bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    gone bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    digest bytea,
    digest_said text
);


--
-- Name: TABLE sync_feed; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.sync_feed IS 'Which feeds a sync is about; more than one only where a request tells all properties.';


--
-- Name: COLUMN sync_feed.is_open; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.sync_feed.is_open IS 'The feed waits for this sync: it has no other that is open.';


--
-- Name: COLUMN sync_feed.units; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.sync_feed.units IS 'The units it tells, those told as unavailable with them.';


--
-- Name: COLUMN sync_feed.gone; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.sync_feed.gone IS 'The units it tells as gone, in words or by absence.';


--
-- Name: COLUMN sync_feed.digest; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.sync_feed.digest IS 'What the receiver will hold of the property afterwards, as the body says it; null: it says none, because something is left to be told or is kept back.';


--
-- Name: COLUMN sync_feed.digest_said; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.sync_feed.digest_said IS 'What its answer says that it holds.';


--
-- Name: receiver_backlog; Type: VIEW; Schema: rentsync; Owner: -
--

CREATE VIEW rentsync.receiver_backlog AS
 SELECT r.receiver,
    feeds.feeds,
    feeds.feeds_behind,
    feeds.feeds_resting,
    feeds.feeds_paused,
    feeds.oldest_change
   FROM (rentsync.receiver r
     CROSS JOIN LATERAL ( SELECT count(*) AS feeds,
            count(*) FILTER (WHERE ((f.cursor IS NULL) OR (news.oldest_change IS NOT NULL) OR owes.anything)) AS feeds_behind,
            count(f.rest_until) AS feeds_resting,
            count(f.paused_because) AS feeds_paused,
            LEAST(min(news.oldest_change), min(given_up.oldest_change), min(f.owed_since)) AS oldest_change
           FROM (((rentsync.feed f
             CROSS JOIN LATERAL ( SELECT min(change.occurred_at) AS oldest_change
                   FROM ( SELECT o.occurred_at
                           FROM rentsync.outbox o
                          WHERE ((o.property_id = f.property_id) AND (o.xid >= pg_snapshot_xmax(f.cursor)))
                        UNION ALL
                         SELECT o.occurred_at
                           FROM (pg_snapshot_xip(f.cursor) running(xid)
                             JOIN rentsync.outbox o ON (((o.property_id = f.property_id) AND (o.xid = running.xid))))
                        UNION ALL
                         SELECT o.occurred_at
                           FROM rentsync.outbox o
                          WHERE ((o.property_id IS NULL) AND (o.xid >= pg_snapshot_xmax(f.cursor)))
                        UNION ALL
                         SELECT o.occurred_at
                           FROM (pg_snapshot_xip(f.cursor) running(xid)
                             JOIN rentsync.outbox o ON (((o.property_id IS NULL) AND (o.xid = running.xid))))) change) news)
             CROSS JOIN LATERAL ( SELECT ((f.rest_until IS NOT NULL) OR (f.property_owed IS NOT NULL) OR (EXISTS ( SELECT
                           FROM rentsync.ledger l
                          WHERE ((l.feed_id = f.feed_id) AND (l.owed IS NOT NULL) AND (l.kept_back IS NULL))))) AS anything) owes)
             LEFT JOIN LATERAL ( SELECT min(s.oldest_change) AS oldest_change
                   FROM (rentsync.sync_feed sf
                     JOIN rentsync.sync s USING (sequence))
                  WHERE (owes.anything AND (sf.feed_id = f.feed_id) AND (s.state = ANY (ARRAY['rejected'::text, 'exhausted'::text, 'cancelled'::text])) AND (sf.sequence > COALESCE(( SELECT max(d.sequence) AS max
                           FROM (rentsync.sync_feed d
                             JOIN rentsync.sync s_1 USING (sequence))
                          WHERE ((d.feed_id = f.feed_id) AND (s_1.state = 'delivered'::text))), (0)::bigint)))) given_up ON (true))
          WHERE (f.receiver = r.receiver)) feeds);


--
-- Name: VIEW receiver_backlog; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON VIEW rentsync.receiver_backlog IS 'How far each receiver''s feeds are. A change is not delivered while it lies beyond its feed''s cursor, or in a sync that was given up after the last that was taken, as long as the feed owes anything; open syncs are not looked at. Changes are looked for as a plan does, so that a long transaction costs nothing.';


--
-- Name: receiver_count; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.receiver_count (
    receiver text NOT NULL,
    of_units bigint DEFAULT 0 NOT NULL,
    gone bigint DEFAULT 0 NOT NULL,
    ahead bigint DEFAULT 0 NOT NULL,
    ahead_seen pg_snapshot,
    doubted_at timestamp with time zone
)
WITH (fillfactor='50');


--
-- Name: TABLE receiver_count; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.receiver_count IS 'What the hold over the whole goes by. Written by the planner alone; counted again when a relay starts.';


--
-- Name: COLUMN receiver_count.of_units; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.receiver_count.of_units IS 'The sum over its feeds.';


--
-- Name: COLUMN receiver_count.gone; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.receiver_count.gone IS 'Removals in rentsync.removed.';


--
-- Name: COLUMN receiver_count.ahead; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.receiver_count.ahead IS 'At most so many units are gone from the source that no plan has looked at yet.';


--
-- Name: COLUMN receiver_count.ahead_seen; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.receiver_count.ahead_seen IS 'Changes that are visible in this snapshot are among them; null: any unit may be gone.';


--
-- Name: COLUMN receiver_count.doubted_at; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.receiver_count.doubted_at IS 'When so many were found to be gone from the source that none may be told; null: when it was last counted they were fewer.';


--
-- Name: relay_relay_id_seq; Type: SEQUENCE; Schema: rentsync; Owner: -
--

ALTER TABLE rentsync.relay ALTER COLUMN relay_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rentsync.relay_relay_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: relay_role; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.relay_role (
    role_name text NOT NULL,
    noted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: TABLE relay_role; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.relay_role IS 'The roles that the relay runs as. Every install grants them what that release adds, and takes back from every other role what is more than reading. Only the owner writes here.';


--
-- Name: COLUMN relay_role.role_name; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.relay_role.role_name IS 'As `install --grant-to` named it, or found by install where README''s grants of a release before this table were typed. A role that is gone is forgotten by the next install.';


--
-- Name: removed; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.removed (
    feed_id bigint NOT NULL,
    sequence bigint NOT NULL,
    receiver text NOT NULL,
    told_at timestamp with time zone NOT NULL,
    units bigint NOT NULL,
    uncovered bigint NOT NULL,
    units_before bigint NOT NULL
);


--
-- Name: TABLE removed; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.removed IS 'How many removals each sync told for the first time, without those that a person approved: what holds go by. Pruned with the syncs.';


--
-- Name: COLUMN removed.units; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.removed.units IS 'Deleted or moved.';


--
-- Name: COLUMN removed.uncovered; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.removed.uncovered IS 'Property inactive or outside the portfolio, or its feed disabled.';


--
-- Name: COLUMN removed.units_before; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.removed.units_before IS 'Units that the receiver should have held before.';


--
-- Name: snapshot_run; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.snapshot_run (
    run_id bigint NOT NULL,
    receiver text NOT NULL,
    reason text NOT NULL,
    property_id bigint,
    scheduled_for date,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    feeds integer DEFAULT 0 NOT NULL,
    feeds_done integer DEFAULT 0 NOT NULL,
    units bigint DEFAULT 0 NOT NULL,
    drift bigint DEFAULT 0 NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    superseded_by bigint,
    CONSTRAINT done_of_feeds CHECK ((feeds_done <= feeds)),
    CONSTRAINT scheduled_runs_are_whole CHECK (((scheduled_for IS NULL) OR (property_id IS NULL)))
);


--
-- Name: TABLE snapshot_run; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.snapshot_run IS 'One comparison of every feed, by schedule or by command; can be watched while it goes.';


--
-- Name: COLUMN snapshot_run.property_id; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.snapshot_run.property_id IS 'Only this property; null: all.';


--
-- Name: COLUMN snapshot_run.scheduled_for; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.snapshot_run.scheduled_for IS 'The night it is the scheduled run of, by the receiver''s time zone; null: by command.';


--
-- Name: COLUMN snapshot_run.feeds_done; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.snapshot_run.feeds_done IS 'Feeds whose snapshot was delivered or given up.';


--
-- Name: COLUMN snapshot_run.units; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.snapshot_run.units IS 'Units told so far.';


--
-- Name: COLUMN snapshot_run.drift; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.snapshot_run.drift IS 'Differences that no change had announced.';


--
-- Name: COLUMN snapshot_run.failures; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.snapshot_run.failures IS 'Feeds whose snapshot was given up; they fall back to deltas.';


--
-- Name: COLUMN snapshot_run.superseded_by; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.snapshot_run.superseded_by IS 'A later run that took feeds of it over before they were done.';


--
-- Name: snapshot_run_run_id_seq; Type: SEQUENCE; Schema: rentsync; Owner: -
--

ALTER TABLE rentsync.snapshot_run ALTER COLUMN run_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rentsync.snapshot_run_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: withheld; Type: TABLE; Schema: rentsync; Owner: -
--

CREATE TABLE rentsync.withheld (
    receiver text NOT NULL,
    feed_id bigint,
    kept_back text NOT NULL,
    units bigint NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='2000');


--
-- Name: TABLE withheld; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON TABLE rentsync.withheld IS 'How many units each feed keeps back and why: the sum of its rows. Written by the ledger''s triggers.';


--
-- Name: COLUMN withheld.feed_id; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.withheld.feed_id IS 'null: of all the receiver''s feeds together.';


--
-- Name: COLUMN withheld.kept_back; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.withheld.kept_back IS 'As the ledger has it.';


--
-- Name: COLUMN withheld.units; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON COLUMN rentsync.withheld.units IS 'So many more than the other rows say, or fewer.';


--
-- Name: standing_hold; Type: VIEW; Schema: rentsync; Owner: -
--

CREATE VIEW rentsync.standing_hold AS
 SELECT h.hold_id,
    h.receiver,
    h.feed_id,
    h.of_units,
    kept.units,
    (h.gone +
        CASE
            WHEN (h.feed_id IS NULL) THEN kept.of_all
            ELSE kept.units
        END) AS removed
   FROM (rentsync.hold h
     CROSS JOIN LATERAL ( SELECT (COALESCE(sum(w.units) FILTER (WHERE (w.kept_back =
                CASE
                    WHEN (h.feed_id IS NULL) THEN 'guarded'::text
                    ELSE 'held'::text
                END)), (0)::numeric))::bigint AS units,
            (COALESCE(sum(w.units) FILTER (WHERE (w.kept_back = ANY (ARRAY['held'::text, 'guarded'::text, 'rejected'::text]))), (0)::numeric))::bigint AS of_all
           FROM ( SELECT w_1.kept_back,
                    w_1.units
                   FROM rentsync.withheld w_1
                  WHERE ((h.feed_id IS NOT NULL) AND (w_1.feed_id = h.feed_id))
                UNION ALL
                 SELECT w_1.kept_back,
                    w_1.units
                   FROM rentsync.withheld w_1
                  WHERE ((h.feed_id IS NULL) AND (w_1.receiver = h.receiver) AND (w_1.feed_id IS NULL))) w) kept)
  WHERE (h.state = 'open'::text);


--
-- Name: VIEW standing_hold; Type: COMMENT; Schema: rentsync; Owner: -
--

COMMENT ON VIEW rentsync.standing_hold IS 'How each open hold stands: how many removals it keeps back (units), and how many there are with those told within the 24 hours before (removed) of how many units.';


--
-- Name: sync_sequence; Type: SEQUENCE; Schema: rentsync; Owner: -
--

CREATE SEQUENCE rentsync.sync_sequence
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Data for Name: project_rent_roll_units; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.project_rent_roll_units VALUES (12, 1, '12', NULL, NULL, NULL, NULL, 1, NULL, NULL, 1200, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.project_rent_roll_units VALUES (23, 2, '23', NULL, NULL, NULL, NULL, 2, NULL, NULL, 2300, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.project_rent_roll_units VALUES (22, 2, '22', NULL, NULL, NULL, NULL, 1, NULL, NULL, 'NaN', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.project_rent_roll_units VALUES (21, 2, '21', NULL, NULL, NULL, NULL, 1, NULL, NULL, 5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.project_rent_roll_units VALUES (11, 1, '11', NULL, NULL, NULL, NULL, 1, NULL, NULL, 6, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);


--
-- Data for Name: projects; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.projects VALUES (1, 'One', 7, '1 First Street', true, NULL);
INSERT INTO public.projects VALUES (2, 'Two', 8, '2 Second Street', true, NULL);
INSERT INTO public.projects VALUES (3, 'Three', 7, '3 Third Street', true, NULL);


--
-- Data for Name: alert; Type: TABLE DATA; Schema: rentsync; Owner: -
--

INSERT INTO rentsync.alert OVERRIDING SYSTEM VALUE VALUES (1, 'hold', 'main', NULL, '40 removals wait for a person, of 1 property with 40 units: too many within 24 hours to be told unasked. See `holds list`, then `holds approve ID` to remove them at the receiver or `holds reject ID` to keep them there; a hold clears itself when the units come back (1 open)', 1, '2026-11-29 07:11:03.496342+00', '2026-11-29 07:11:03.496342+00', NULL);
INSERT INTO rentsync.alert OVERRIDING SYSTEM VALUE VALUES (2, 'invalid', 'main', NULL, '1 unit of 1 property can''t be told as the source has it. At the receiver it stays as it was told last, if it ever was. See `refused list --invalid` for the reasons; each is told once it is put right in the source, or the settings of receivers.main let it through (require, body_bytes_max)', 1, '2026-11-29 07:11:03.496342+00', '2026-11-29 07:11:03.496342+00', NULL);


--
-- Data for Name: alert_post; Type: TABLE DATA; Schema: rentsync; Owner: -
--



--
-- Data for Name: attachment; Type: TABLE DATA; Schema: rentsync; Owner: -
--

INSERT INTO rentsync.attachment VALUES ('property', 'public.projects', false, '2026-11-29 07:11:02.298316+00');
INSERT INTO rentsync.attachment VALUES ('unit', 'public.project_rent_roll_units', false, '2026-11-29 07:11:02.298348+00');


--
-- Data for Name: attempt; Type: TABLE DATA; Schema: rentsync; Owner: -
--

INSERT INTO rentsync.attempt VALUES (1795936262178881, 1, 'test:1', '2026-11-29 07:11:02.932126+00', '2026-11-29 07:11:02.965495+00', 'delivered', 200, NULL, '{"property_digest":"ecc6d8bc650c820a7e586421719885098410b3c85e5d922a7de2d2c47be90097","errors":[]}');
INSERT INTO rentsync.attempt VALUES (1795936262178882, 1, 'test:1', '2026-11-29 07:11:02.932126+00', '2026-11-29 07:11:02.965495+00', 'delivered', 200, NULL, '{"property_digest":"f0a2182feb876a79e3ccbb79bd87396528d85ede3686725f29037cd8f0578a22","errors":[]}');
INSERT INTO rentsync.attempt VALUES (1795936262178883, 1, 'test:1', '2026-11-29 07:11:02.932126+00', '2026-11-29 07:11:02.965495+00', 'delivered', 200, NULL, '{"property_digest":"d20edfffb8535ef4ff03d887fa2e1c6f2afd3e149df2922a6b37548ffc47ff8e","errors":[]}');
INSERT INTO rentsync.attempt VALUES (1795936262178884, 1, 'test:1', '2026-11-29 07:11:03.225142+00', '2026-11-29 07:11:03.250649+00', 'delivered', 200, NULL, '{"property_digest":"6a462b237a6adb26e98044ca173d6c7be2a5d3bcd39d5f570ee124f6f8fa7ae8","errors":[]}');
INSERT INTO rentsync.attempt VALUES (1795936262178885, 1, 'test:1', '2026-11-29 07:11:03.749768+00', '2026-11-29 07:11:03.775265+00', 'retry', 503, NULL, '{"error":"fault: status 503"}');


--
-- Data for Name: buried; Type: TABLE DATA; Schema: rentsync; Owner: -
--

INSERT INTO rentsync.buried VALUES (1, 13, '13', 1795936262178884, '2026-11-29 07:11:03.250649+00');


--
-- Data for Name: drift; Type: TABLE DATA; Schema: rentsync; Owner: -
--



--
-- Data for Name: duplicate; Type: TABLE DATA; Schema: rentsync; Owner: -
--



--
-- Data for Name: feed; Type: TABLE DATA; Schema: rentsync; Owner: -
--

INSERT INTO rentsync.feed OVERRIDING SYSTEM VALUE VALUES (1, 'main', 1, NULL, true, NULL, '782:782:', '\x20380441fd40f1bc53cc04a0e808083457bdd6b4b8213825e369307cf9ae9b50', NULL, 1795936262178881, '\x6a462b237a6adb26e98044ca173d6c7be2a5d3bcd39d5f570ee124f6f8fa7ae8', 2, NULL, NULL, false, NULL, false, NULL, NULL, NULL, NULL, '2026-11-29 07:11:02.83247+00', NULL, 3, 0, NULL, false);
INSERT INTO rentsync.feed OVERRIDING SYSTEM VALUE VALUES (3, 'main', 3, NULL, true, NULL, '807:807:', '\xb63ee07c498e7f6fa68a0525d5df3b9d9f0f0c979c7b17b24b887e06b2a66491', NULL, 1795936262178883, '\xd20edfffb8535ef4ff03d887fa2e1c6f2afd3e149df2922a6b37548ffc47ff8e', 40, NULL, NULL, false, NULL, false, NULL, NULL, NULL, NULL, '2026-11-29 07:11:02.832809+00', NULL, 40, 0, NULL, false);
INSERT INTO rentsync.feed OVERRIDING SYSTEM VALUE VALUES (2, 'main', 2, NULL, true, NULL, '822:822:', '\xa459a82405ed0345b59cdbbd35f21b189158c057aa7c6b308e50933135f94d94', NULL, 1795936262178882, '\x675d39590a52461eecf2aa679ae3061efa1c2a424e1dceb1b8f5825a5e7569bc', 3, NULL, NULL, false, NULL, false, NULL, NULL, NULL, NULL, '2026-11-29 07:11:02.832785+00', NULL, 3, 0, NULL, false);


--
-- Data for Name: hold; Type: TABLE DATA; Schema: rentsync; Owner: -
--

INSERT INTO rentsync.hold VALUES (1, 'main', 3, 'open', 40, 0, 40, '2026-11-29 07:11:03.496342+00', '2026-11-29 07:11:03.496342+00', NULL);


--
-- Data for Name: horizon; Type: TABLE DATA; Schema: rentsync; Owner: -
--

INSERT INTO rentsync.horizon VALUES (true, '-infinity');


--
-- Data for Name: ledger; Type: TABLE DATA; Schema: rentsync; Owner: -
--

INSERT INTO rentsync.ledger VALUES (1, 11, '11', '\xa3fd26ed9dbfbd1e22da7ddc4195dbf76371bf5df1135634d8815dc7896b4908', NULL, 1795936262178881, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO rentsync.ledger VALUES (2, 23, '23', '\x83601b170fa987cde3c492ac011b23c703194668486140978a600cd8211853c9', NULL, 1795936262178882, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO rentsync.ledger VALUES (2, 22, '22', '\x7faa2122875aa33a845c1505a8a5cb461db0319bb468654434d9c5460efa68dc', NULL, 1795936262178882, NULL, NULL, 'invalid', 'base_rent is not a finite number', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 301, '1', '\x408cbbb5486be65b367b43bd51ce0e4804004d35d8acf8ead3acd245c48e77bc', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 302, '2', '\xc144d669a8381b7cd345c4e20ec50830b6b8ea6d5793fccd21ddd68ba7e2b74f', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 303, '3', '\x8b687477621fc4e1e416bf08004eccab4c64e4ebf7371afe5d8c07527100bdf4', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 304, '4', '\xc48d2f882825fcdbb882decc53b61dae1a3ee590e3fbf7a1524e50b7a9f4266f', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 305, '5', '\x3212113029ce7a911eefe857948b1f11f2229ab4f2a40f14471c2ab20a63310f', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 306, '6', '\xe9a12583e7b6aa3633163fbc480f8e49975e04857c1ab910ff939d931fba6cb0', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 307, '7', '\x173b8fb2aa6ed6e44b22692c91a4858d69707a14f7bce366eb0cefb96f43c672', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 308, '8', '\xfaecfece83d9e32b6bef1d943fb812f4703e4642a8e8d5693e81e2511736f5e3', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 309, '9', '\x2d2b35b55ce759d864b1e18426481b72525b82b4bfaaf43e648c64e667daae30', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 310, '10', '\xdaaa8b5be3c7c8bbbbdd25895eb4c682408d59e0b8e0142e9c1176c8887533fe', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 311, '11', '\x80d3af8e0f89f75410cb1fab226e1993a4c184f004370122ec7e0fff472787d4', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 312, '12', '\xba5113c6f6e709ec70b14df185fd5c1f231acea909face1b2f859abbae20a93b', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 313, '13', '\xb4e0a37d88c398772a5847906ed5540bdbe9a47de2d68cd391182d38a4e5ff11', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 314, '14', '\xce728430eaab49e0b6e5d72e4c5590be1d856d877a87f64a26f2a2e2e73154f7', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 315, '15', '\x8dfe2ceb97d8efffa90d098aeb2c75d148bd8f1e881a7c109cb5088363c3c8c1', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 316, '16', '\xd69e27f574e901f28560cf99f42ede350370ffa108dd37203a3d66e047340ce9', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 317, '17', '\x39c9c61a26161774af1d9ca5ffce9a3a7867680f85d2433c7cd503346d324015', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 318, '18', '\x7c809237667627bf07837c0ad5b629fbf8c26299dbebdc533bb9ebcefe88951c', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (2, 21, '21', '\x933fc8e75ab19610311e1efc1f2318d94863bb309ce46737cd3b2d84aa28fef6', NULL, 1795936262178885, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO rentsync.ledger VALUES (1, 12, '12', '\xcc9a53d5d1b0d9d234f60f0763e821fe79a353597c8681c23ef948462ea89ba3', NULL, 1795936262178881, 'retry', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 319, '19', '\x3a7140d55e7b82ee0a318ecd77f915f4ff57a5809783af5578d739dc4cff1970', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 320, '20', '\xedb6a19ed729c8d8ae4301059446c675566d0b5163eb21aa401edef9aa3555a0', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 321, '21', '\xe6bd031ae03d85c7110eae4be37757734c5ad9c2c66a0e983e7132b6fc5b9474', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 322, '22', '\x97adf5426924ed5ab93bd291daabba36a5bf3c38ee485fa9aaf81e6e34241195', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 323, '23', '\xb8dcdcdf9d4b870934f6e26cece7ad035143337f1c2e290205c038d96aa8c592', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 324, '24', '\x4771a0be9055deea79070c2ef9324c2e72407095bfd25203591a07a5728b2973', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 325, '25', '\xc860776b59031883bc51c0a66a62db5ea16e757e8969bb8862c6048d6283ec0a', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 326, '26', '\x29d87841cd1e162ad082d25d3fcc5815530619fdef5294cadf1806b52e09c501', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 327, '27', '\x8a62c590713dcde81d9ad526805ffce8b04a92939a8d076ccadfc07ceea5b4e6', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 328, '28', '\x7bd1e17f0a7e40e29145ee635bcf9cff5743159de7ce7d5e8f938642ca058f3c', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 329, '29', '\x59e03a7c153f2605c396c83748d0e39e5e1c748170f9e931edc9af0b14b25a9e', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 330, '30', '\xc69c56f925919ba0617d1ea74557c26bc63eeb5d6cc72380b8442dbc98d4bf45', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 331, '31', '\x69e1d4f5cc3861bee77abfb43fde4d9143269cbe30d1d8731b97dac71b278d5b', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 332, '32', '\x5877f2835a2a11bb8c7e39bd619988b4760e5be08cc50c49f22b892d43813577', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 333, '33', '\x2b518e72ac899b6b354d8049fd494ae61f8cd9b1e95b7ed83f09bc79a8f6a3b3', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 334, '34', '\x4e787521a295cb3d1e36e518c8a5f385a0ea9791573409a6dc5c2f4afffa499c', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 335, '35', '\xc32d655f7cb9d33e317ac26d2f24cd0f37ea5155a8b6eff754741d8cb69ea0e4', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 336, '36', '\xe74f55d94eeb9e07cab67a9071510947a223a8faea5ef1ca71a81721e176fd05', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 337, '37', '\xc4e63c09b8349a663d00448485bdb96e124c0192aeb2fb5bb0b926fb771f996f', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 338, '38', '\xa65c60da808a0f7c719e337e6593d3f0fd981b2323fba6b692262625986f09b0', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 339, '39', '\x661e70302771897e7dd7b13bf193fb5e2f516550de0a037a582e93f43377f98b', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);
INSERT INTO rentsync.ledger VALUES (3, 340, '40', '\xb8965949fa4304d42e2076a849a223910d03a1586fdb201ac5be149c1acdad5c', NULL, 1795936262178883, NULL, NULL, 'held', 'too many units of its property went at once; see `holds list`', NULL, '2026-11-29 07:11:03.496342+00', NULL, NULL);


--
-- Data for Name: lineage; Type: TABLE DATA; Schema: rentsync; Owner: -
--



--
-- Data for Name: migration; Type: TABLE DATA; Schema: rentsync; Owner: -
--

INSERT INTO rentsync.migration VALUES (1, 'capture', '2026-11-29 07:11:01.855246+00', true, '\xc4aef1f12c44943ae30393c1ddfa2059d8b530ea13629359b21b8d35fa0d35874f78bbfeef99d8363d54d99d6db06812', 17021056);
INSERT INTO rentsync.migration VALUES (2, 'plan', '2026-11-29 07:11:01.855246+00', true, '\xdecb72e6a26cbf31c84bd467b8d3016eb00bde091e6c44df553d3a289c1431fc5ef1c512c8a3693c923d45041f3c64a1', 42127207);
INSERT INTO rentsync.migration VALUES (3, 'deliver', '2026-11-29 07:11:01.855246+00', true, '\xefdcb2019aa8e5b60e679bd06f72994d7b710b48715d4d119b032b4f981a635795a05614bb56981db060d877cdc21fcb', 54883606);
INSERT INTO rentsync.migration VALUES (4, 'snapshot', '2026-11-29 07:11:01.855246+00', true, '\xbeb4c6c7fbeea346e6cd5994de3e6ff6aa70ed79232337bfdfe3c44d5414a140304c856bd1f71fb0365a98c703b80c28', 42825553);
INSERT INTO rentsync.migration VALUES (5, 'replay', '2026-11-29 07:11:01.855246+00', true, '\x1f0883b3032002f1ed0517fd442a3fb325cd1220234436a97b3c1efdabda433d0c84290fb5d1e0e01dbc03ad6ce2c9a2', 21442129);
INSERT INTO rentsync.migration VALUES (6, 'hold', '2026-11-29 07:11:01.855246+00', true, '\xa99d4928af65ddf306c9879c31cffe2673174855ce697c634968a8da2339bd3d3eb5b884140d1301f2bc6abeab639ace', 26503657);
INSERT INTO rentsync.migration VALUES (7, 'rights', '2026-11-29 07:11:01.855246+00', true, '\xe7a28b5acbf4345dcc86b4da305859e00a0c27c9b025b00f7d220304e8ed63eab85778711e7e4fed8a589595b9844e5f', 7452585);
INSERT INTO rentsync.migration VALUES (8, 'relay', '2026-11-29 07:11:01.855246+00', true, '\x49b9b7ea652e871de30320ae69ff6c6ae6fabff8536b384943cef1399649d7fb99cc2f81432d3424e762ae28077b581d', 21479609);
INSERT INTO rentsync.migration VALUES (9, 'counts', '2026-11-29 07:11:01.855246+00', true, '\x0c55f9a33f3506dac47e29e03cbf894e637aab2872c4e203ad5d4ac0b75b992ff062aa84659caddefeb2fcb7aebf9855', 33538047);
INSERT INTO rentsync.migration VALUES (10, 'privacy', '2026-11-29 07:11:01.855246+00', true, '\x0972c51211fb3fe4cac289ccb562a4a0b79b0c11aa2deaa8d74e22ba4337de1e4867503741fecec394ac746f8442c037', 8864358);
INSERT INTO rentsync.migration VALUES (11, 'receiver', '2026-11-29 07:11:01.855246+00', true, '\xa0f1334d5a3137a3f71a0539c0e09f9d368d22c64bd9711f6c86a2b6d727049ec2f332d0855d9d1df65958f9286f9823', 9284471);
INSERT INTO rentsync.migration VALUES (12, 'relay role', '2026-11-29 07:11:01.855246+00', true, '\x854a1af9164fd6297b55119188bdc147a080d927ff5bf9fa1b5df40d135b0be0978c47a63144909b91cd149b0227f5cd', 6753481);
INSERT INTO rentsync.migration VALUES (13, 'waits', '2026-11-29 07:11:01.855246+00', true, '\x2c51bc18d8b3378439f4e527d2785d0cc7ede68b8b5c79b902c074fe1b83c0145f498b1da0f40a858acd8e271daf5b45', 4478740);
INSERT INTO rentsync.migration VALUES (14, 'plan', '2026-11-29 07:11:01.855246+00', true, '\xcd5f2e5871e581a80c31a16b10febfb4989f8c44e74f1aa89da2a60956b486d113724fd5cd14760f585df2ec2e7097e3', 9323875);
INSERT INTO rentsync.migration VALUES (15, 'hold units', '2026-11-29 07:11:01.855246+00', true, '\x77b9dcc23a8d376846c780c61ef95d8acd3cd93d3e0435da54a2e223813cb87cfaebe6afa47811907414d9e0942a476c', 3990339);


--
-- Data for Name: outbox; Type: TABLE DATA; Schema: rentsync; Owner: -
--

INSERT INTO rentsync.outbox OVERRIDING SYSTEM VALUE VALUES ('726', '2026-11-29 07:11:02.29843+00', NULL, 'attach', NULL);
INSERT INTO rentsync.outbox OVERRIDING SYSTEM VALUE VALUES ('746', '2026-11-29 07:11:02.746855+00', 1, 'insert', NULL);
INSERT INTO rentsync.outbox OVERRIDING SYSTEM VALUE VALUES ('746', '2026-11-29 07:11:02.747041+00', 2, 'insert', NULL);
INSERT INTO rentsync.outbox OVERRIDING SYSTEM VALUE VALUES ('746', '2026-11-29 07:11:02.749027+00', 1, 'insert', '{11,12,13}');
INSERT INTO rentsync.outbox OVERRIDING SYSTEM VALUE VALUES ('746', '2026-11-29 07:11:02.749052+00', 2, 'insert', '{21,22,23}');
INSERT INTO rentsync.outbox OVERRIDING SYSTEM VALUE VALUES ('747', '2026-11-29 07:11:02.762968+00', 3, 'insert', NULL);
INSERT INTO rentsync.outbox OVERRIDING SYSTEM VALUE VALUES ('747', '2026-11-29 07:11:02.765111+00', 3, 'insert', '{301,302,303,304,305,306,307,308,309,310,311,312,313,314,315,316,317,318,319,320,321,322,323,324,325,326,327,328,329,330,331,332,333,334,335,336,337,338,339,340}');
INSERT INTO rentsync.outbox OVERRIDING SYSTEM VALUE VALUES ('773', '2026-11-29 07:11:03.061106+00', 1, 'delete', '{13}');
INSERT INTO rentsync.outbox OVERRIDING SYSTEM VALUE VALUES ('798', '2026-11-29 07:11:03.377936+00', 3, 'delete', '{301,302,303,304,305,306,307,308,309,310,311,312,313,314,315,316,317,318,319,320,321,322,323,324,325,326,327,328,329,330,331,332,333,334,335,336,337,338,339,340}');
INSERT INTO rentsync.outbox OVERRIDING SYSTEM VALUE VALUES ('798', '2026-11-29 07:11:03.37883+00', 2, 'update', '{22}');
INSERT INTO rentsync.outbox OVERRIDING SYSTEM VALUE VALUES ('819', '2026-11-29 07:11:03.641698+00', 2, 'update', '{21}');
INSERT INTO rentsync.outbox OVERRIDING SYSTEM VALUE VALUES ('826', '2026-11-29 07:11:03.838665+00', 1, 'update', '{11}');


--
-- Data for Name: planner; Type: TABLE DATA; Schema: rentsync; Owner: -
--

INSERT INTO rentsync.planner VALUES ('main', NULL, 15, NULL, '2026-11-29 07:11:03.718611+00', 0, 32059, '2026-11-29 07:11:03.643818+00');


--
-- Data for Name: receiver; Type: TABLE DATA; Schema: rentsync; Owner: -
--

INSERT INTO rentsync.receiver VALUES ('main', '6934f954a7b7f9ffd68fc99fc75e656e64e71592598c5f4a47cdf636ce9ec800', NULL, NULL, NULL, 0, NULL, 1, 4, NULL, '2026-11-29 07:11:02.785759+00', 0, NULL);


--
-- Data for Name: receiver_count; Type: TABLE DATA; Schema: rentsync; Owner: -
--

INSERT INTO rentsync.receiver_count VALUES ('main', 46, 1, 1000042, '811:811:', NULL);


--
-- Data for Name: relay; Type: TABLE DATA; Schema: rentsync; Owner: -
--

INSERT INTO rentsync.relay OVERRIDING SYSTEM VALUE VALUES (1, 'test:1', '{}', '2026-11-29 07:11:02.731812+00', 'infinity');


--
-- Data for Name: relay_role; Type: TABLE DATA; Schema: rentsync; Owner: -
--



--
-- Data for Name: removed; Type: TABLE DATA; Schema: rentsync; Owner: -
--

INSERT INTO rentsync.removed VALUES (1, 1795936262178884, 'main', '2026-11-29 07:11:03.162982+00', 1, 0, 3);


--
-- Data for Name: snapshot_run; Type: TABLE DATA; Schema: rentsync; Owner: -
--



--
-- Data for Name: sync; Type: TABLE DATA; Schema: rentsync; Owner: -
--

INSERT INTO rentsync.sync VALUES (1795936262178884, 'sync-2026-11-29-07-11-03-01a226249bfa7b3ca578cbbc99e29289', 'main', 'delta', 'delivered', NULL, 1, 1, false, 0, 1, 541, '\x1f8b08000000000004ffaa562aaecc4b8ecf4d2d494c492c4954b2820a64a6285981a5748d0c8ccc740d0d758d2c750dcc410c03635d03c3442323332313cba4b444f324e3e44453738be4a4a4644bcb54234b230b4b251db0def892ccdcd4e292c4dc02252b2584392106e65686865606c6512075f9a545c9a94a564a8999e9a97925201190834a2a0b408229a939258920b1d4c2d2d43c903a43734b534b633323332343730b0b0b131da5e2bcc482e28cfc9278909bf34a737274940a128b4a94ac0c218c62252bc35a1da582a2fc82d4a2924a90170b8af2b35293213a40aaa0dcbcc45c90a5fe79a94a80e92825a6a414a516172b5929192ab86516159728049714a5a6825c08d39e5e945f5a00b6d65c4729b3383e31b924b32c55c9aaa4a834152c90939a589c1a5f5aa064057257ad8e52695e6649b1925574ac8e52516a6e7e596a4a3c4ca81a2c0936cdd018a2323e393f05e42043632590fac4e2fc3c252ba594d49cd492d414a5da581da5ecd4d402887130efc5a764a6a7169728592999259a98192519199b279a25a6241999a55a5a18989824271a9a1ba798259b27a51a259aa6182725a7185ba698a6999a1ba4a61a1a99a499a559a4259a27a65a28d50200ca40f82e1d020000', '2026-11-29 07:11:03.061106+00', '2026-11-29 07:11:03.162982+00', NULL, 1, NULL, 0, 1, '2026-11-29 07:11:03.250649+00', NULL, NULL, 1, NULL, 0);
INSERT INTO rentsync.sync VALUES (1795936262178881, 'sync-2026-11-29-07-11-02-01a226249ad97565b3518bf3b784831d', 'main', 'delta', 'delivered', NULL, 1, 1, false, 3, 0, 1934, '\x1f8b08000000000004ffaa562aaecc4b8ecf4d2d494c492c4954b2820a64a6285981a5748d0c8ccc740d0d758d2c750dcc410c03235d03c3442323332313cbc4144b735333d3246353438ba434e324730b130b63c314251db0def892ccdcd4e292c4dc02252b2584392106e6568686560646512075f9a545c9a94a564a8999e9a97925201190834a2a0b408229a939258920b1d4c2d2d43c903a43734b534b633323332343730b0b0b431da5e2bcc482e28cfc9278909bf34a737274940a128b4a94ac0c218c62252bc35a1da582a2fc82d4a2924a90170b8af2b35293213a40aaa0dcbcc45c90a5fe79a94a3a4a89292945a9c5c54a564a860a6e9945c5250ac12545a9a92017c2b4a717e5971680ad35d751ca2c8e4f4c2ec92c4b55b22a292a4d050be4a42616a7c69716285981dc55aba3549a975952ac64155d0d6681b51a1a4284e393f35340b61b1a2ae928259566e6a464e6a54334ea28a5e5e4e717a1700a7212f3600290c00259a1a394529e9a939399971e8f2c585c9258525a0cb14e4709ca83f816a20be4f8b2c4cc9cc4a41cb8fbcb3352f3e21311a2109549201f158162cacad0d0c040cf0014b299c9a9f189b9f945259955a9293057156756a5c61717a695c0049252538af2f3738be1fcc4920c148194d43cb8646a45417e7169512a4c7159666a398c9d91581c9f9e5894980e972d482d298e4fccc9c92f47d85f9058940d0a88e292c49c1cb8b9c525f9208df149f915a970c1e4fcbc92d4bc92f88cc4e20c5052344e4b31324b4db14c494a4b4a314c35324a49344f49493631b4344d494a33373336374c4a334d493334343635333649b1b030344d4936b7b0344b32b134b050aad5418e6023b408361a32116c344c233839d932d1d438c534c530c920c532c5c8d824cdcc20cdc0dccc38d5c2c8302dd5dc32d1d8d4d8d4d23cd9c2ccc230d9c83835cdd2c4c2c4cc2835d1c23229d1182d828dd122d898a6116c44440e4e4bcc294ed551229c858d87690c03969498966292649a929866646e94986c6e626299926299949c6498669a646060909c6a6060629296926c649268616a9868606a9c6c9468909a62929498629e9ca8541baba354949a9b5f969a120f2bb5637594b253530b94aca26341a51ea43e894fc94c4f2d2e51b2524a4d4e364bb1484a36333548b6303248344f35b5303331323437b4b4b03035b0b430313448324eb6304d354db134324a344f49354a314a36314f4ab53430b03457aa050085ea7bc78e070000', NULL, '2026-11-29 07:11:02.873092+00', NULL, 1, NULL, 0, 1, '2026-11-29 07:11:02.965495+00', NULL, NULL, 1, NULL, 0);
INSERT INTO rentsync.sync VALUES (1795936262178882, 'sync-2026-11-29-07-11-02-01a226249ad97dfabefee439afd05fda', 'main', 'delta', 'delivered', NULL, 1, 1, false, 3, 0, 1935, '\x1f8b08000000000004ffaa562aaecc4b8ecf4d2d494c492c4954b2820a64a6285981a5748d0c8ccc740d0d758d2c750dcc410c03235d03c3442323332313cbc4144bf394b4c4a4d4b4d4541363cbc4b41403d3b49444251db0def892ccdcd4e292c4dc02252b2584392106e6568686560646512075f9a545c9a94a564a8999e9a97925201190834a2a0b408229a9392560d3520b4b53f340ea0ccd2d4d2d8dcd8ccc8c0ccd2d2c2c8c74948af3120b8a33f24be2416ece2bcdc9d1512a482c2a51b23284308a95ac0c6b75940a8af20b528b4a2a415e2c28cacf4a4d86e830024b81b97989b9204b43caf39574941253528a528b8b412e57084e4dcecf4b51082e294a4d053911a63fbd28bfb4006caf858e5266717c6272496659aa92554951692a58202735b13835beb440c90ae4b05a1da5d2bccc926225abe86a300bacd5c810221c9f9c9f02b2dec850494729a934332725332f1da25147292d273fbf0885539093980713808416c80a1da594f2d49c9cccbcf47864c1e292c492d262b075863a4a501ec4bb105d20c7972566e62426e5c0dd5f9e919a179f881085a84c02f9a808145556468606067a06a0f0cb4c4e8d4fcccd2f2ac9ac4a4d81b9aa38b32a35beb830ad042690949a52949f9f5b0ce7279664a008a4a4e6c125532b0af28b4b8b52618acb3253cb61ec8cc4e2f8f4c4a2c474b86c416a49717c624e4e7e39c2fe82c4a26c5040149724e6e4c0cd2d2ec907698c4fcaaf48850b26e7e795a4e695c467241667285929999b9b26a65a249b1a18a4a4241a25a6a51919591898251a249b9a599a1b9aa71a589a9b9999592425271b1924255a1a98a6592625a7a5a6181a99982459589a29d5ea2047b0115a041b0d9908361aae119c96986864686464616e9a98686c9c6861629a6c686a609a6891689a9c646266989264606c68999464626661666a62626c9262996c6a6266909a96686691928c16c1c668116c4cd30806957990fc8c3b07a725e614a7ea2811cec2c6c3348601b3303633304c323437484bb4b4304f4e49354e36b1344a4c3630344c32324e360745af89999985898599a18981a5b945a2998141728a8591a1a185a971b2a5526dac8e52516a6e7e596a4a3cacd48ed551ca4e4d2d50b28a8e05957a900a253e25333db5b844c94a29cd20d1c8d0c2282d35c9c2dc2cd1dc32d538393929c9dc3229c5c2dcd8d2ccd4c822c5c2343525d5d8ccc2ccdcc834cdc8d2c0d83c39c522cdc0d4dc22d1c848a91600cda1ca948f070000', NULL, '2026-11-29 07:11:02.873092+00', NULL, 1, NULL, 0, 1, '2026-11-29 07:11:02.965495+00', NULL, NULL, 1, NULL, 0);
INSERT INTO rentsync.sync VALUES (1795936262178883, 'sync-2026-11-29-07-11-02-01a226249ad979499bc407de8b3a0942', 'main', 'delta', 'delivered', NULL, 1, 1, false, 40, 0, 19763, '\x1f8b08000000000004ffaa562aaecc4b8ecf4d2d494c492c4954b2820a64a6285981a5748d0c8ccc740d0d758d2c750dcc410c03235d03c3442323332313cbc4144b734b134bcba4641303f394548b24e344034b1323251db0def892ccdcd4e292c4dc02252b2584392106e6568686560646512075f9a545c9a94a564a8999e9a97925201190834a2a0b408229a939258920b1d4c2d2d43c903a43734b534b633323332343730b0b0b631da5e2bcc482e28cfc9278909bf34a737274940a128b4a94ac0c218c62252bc35a1da582a2fc82d4a2924a90170b8af2b35293213a8cc152606e5e622ec8d2908ca2d454251da5c49494a2d4e262252b256385908ccca21485e092a2d454901b6106a417e59716802d36d751ca2c8e4f4c2ec92c4b55b22a292a4d050be4a42616a7c697162859815c56aba3549a975952ac64155d0d6681b51a1b1842c4e393f353400e3054d2514a2acdcc49c9cc4b8768d4514acbc9cf2f42e114e424e6c10420c105b2424729a53c352727332f3d1e59b0b824b1a4b4186c9da18e129407f12f4417c8f16589993989493970f79767a4e6c5272244212a93403e2a02c59595b18181a19e012800339353e31373f38b4a32ab525360ae2aceac4a8d2f2e4c2b810924a5a614e5e7e716c3f9892519280229a97970c9d48a82fce2d2a25498e2b2ccd472183b23b1383e3db128311d2e5b905a521c9f9893935f8eb0bf20b1281b1410c52589393970738b4bf2411ae393f22b52e182c9f97925a97925f11989c5194a564a260616c9494949a626166649a966a649c666e64926c64929a686c9a906a92616062606062629c6a6291689c96916a98929c689c9294626a6c92616a9e6e649c94ab53a28116c841ac1a00c325422d868584670b2a189498a999965a285b185619279728a3128f2528d0c52934d0d2c8c0d92cc922c5213cd524ccd2d8dd39293538c0c535252cc2c9212cd538d92cc4dd2d023d81835828d87500e361e96116c916466616e626e6e666498966c926a986a626896946660616060929a9c9c9864926c66926a929a94666e6c6e9898966a9a62916c606e6a646e686090949266821ec126a8116c328422d864584670b289458a519a8585918591695a724a52928585514a6a72b2a9719299614a62aa61a2716aaaa9a541aa715a529a79a2a1a99149aaa9419279a2659a89919919460e36458d60d32114c1a6c332828d8d0c8d0c0d8d0d8c2c9353cd132d0d0d5353d3522d4ccd2d4d2c920cd30c0dd38c8c8c2c13934cd28c124d0cd20c4d4ccc0d938d12938c0c12cd8c8d0d0d3022d80c3582cd8650049b0dcb084eb54c343432b5304e354f324b4c3406c59a99715a52b28985419a45aa89a5a5b969aa818985a979b2616292a5a1415a9aa5b1658aa5b1615a52a2597292017a116d8e1ac1e6432882cd8765041b9a1b2759a4251925269aa5a698a59a9824191999591a255b1a269a58985aa498599a1b98271a9aa4992725a71a9b99a5261924a7a625599aa59918279b991ba147b0056a045b0ca108b61896119c96989a9c969a9c6a619c62996a6c946496949a66986269629c966461689466626e609c6a6266629468916a91626a66699c6a61986a646a68686e6c96669a6a8c1ec196a8116c398422d8725846b0518a5192b16992a96972aab9a9658a8599499261aaa18589919909a8db64646a649a64619464929496989866629c6a6662016a579b9999a72426a61aa317d18606a8116c68307462d8d06058c6704a6262a245926952aa71b279b245525252524a8a91a985a5692aa88b646164626091626a996a9064916a606862946a996c68686e966c6161616e6a6c9c968a96850dd187b20c87500c0fcfb12c0b8314e3c4348b5483340bcb347353134383e424c3b444505d9c6a6869699c68926c686192666060626c6e606864949a6c9e6a90969666626e646e619e82de1336441bcb321c42835986c373302b29d1d4d0d038d92ccd2cd5dcc03235d9dc20c9d02425cdd0c2342dc534d930cdc8d830313935d1d2c0322d3139d530c928cdc2d43231292931d5c820d1d238093d0fa30d66190ea1d12cc3e1399a9564926a90686c9e6261916c6c69616e6e94686a61626e6960969a626a6a62909492946a9968629e926a946266919c626c6968686194626c9168926a9a966668881ec368a35986436838cb70980e67a59a1b5998181ba42626269980ea5bb354d31473a354936453534b83a454c3140b53b3140b73f3440bf33433934423b334a344a354a35473634353933473f418461bce321c42e35986c3733ccb22252dd5283935c9d23cc522352d2d2dd1d220c5c0d2223135c928d9dc34c5d0c42229c522cd30d5c2c230d13cd9d0c03239c9d4c0c2c2d8cc38d938d92219230fa38d67190ea1012dc3e139a0956266996a649e666a6e926a6960986664616a66909c66091a704e4d49353635303637484b4b3434b0484931363732304e344e31334b353031373631484eb544cfc368035a86436844cb70788e68195b265b269b19261a99199a199a9b9b2482863b92134dd3d292532d138d13cd2dcccccd40c397a6294626c6a02e558aa981b1b189598ab1918981a1297a0ca38d68190ea1212dc3e139a4659e6c616069646c6e66666e66649e9466606e616c9e6c9098629a64666499969466916c646664699992949a94926c6a6c9c9464999a940c9a9ab0b03435449ff937441bd2321c42635a86c3734ccb38d1dcd0c420c5d434d53cc9c22815d4b036b4484d4e31374fb334344d33494b33354f34b530b034b7304e4c333535b7483137b64c4936494e4b33b434471fd332421bd3321a42635a46c3734c2b3525c92cd1d03235c5dcc832d922c52231d5c4d8c0d0c0d4d2c4c42cd9ccdcd4d4cc2cc520c9d4d0cc3835c9c83031d1c4c030352535cd3231d1d8d4d4341123860d51472d8d86d09896d1f01cd34a354b4a3130364c4c35304eb1304d36373434484d4c35494a353637373537373649364d4cb14c364a36334b3448b504cd311a82e627d2924d932c4dccd1c7b48cd0c6b48c86d09896d1f01cd3b2344f4c49333501cd179aa4a6982626591a27a518591aa6248206ae8ccd124d93d28c938d2d52534d2c4cd3122d1313d32c0c53cd528d4d8c4c0c0d2dd15b5a4668635a4643684ccb68988e6959a424a724a7a459a6982459981b581a9ba499a51a9925a782967ba418189b1a9a181b1b9ba719261ba51a591a181998261b185ba4589a25265a249b5aa2cf0e1ba18d69190da1312da3e139a665626e6e986890946a69606a9a929a9a686e69606e906c949a66696c64926c946a6e6462606e60699a949662646a64606c6a699868609e686a6e64916464698e3e3d6c8436a6653484c6b48c86e79856b2859981b9b95992a9a581b1a185857152b2a961b241a29959a299514a92696aa2a159aab9a979aa85a5992568859e9951b2998189458a999185716ab241225a7fd8086d4ccb68088d69190dcf312d23cb140b730b13c3e414c3544333a3c414030ba31423d314d0aa68530b43535363033343cbb494d43453234b93e444d0b493815992a951aa8165b2a901faa8a511da9896d1101ad3321a9e635a16896646c9a69606e686c629c929a9168629968929a646661606e0612d8b240393444b234b63cb448b140373b364501c271b9827a7a6269a2699a49aa1e761b4312da32134a665344cc7b4924099d73ccd20d13cd5c420d5c8d2d0c43435d5ccd8342939cd321934de61626c686a99926a9e9c6a9e629a6a9166696c616662949c68606a91668c3ea6658436a6653484c6b48c86e7981668858e3168d6c8d438cdc8ccc034d9d8d22cd9c2d8dcc422c520d5d832d534d530d9dcc4c2d0dc20cd32d5d2d8303525d932310db44c20c9c834d1127d158f31da9896f1101ad3321e9e635ac96696c9a666699646a69686964989066686e62986a989e626a6a6e6c9466649c966c6a9a949a62966c9c9e646c6160649162626462949c996162926496926e8fd6163b4312de32134a6653c3cc7b4cc2c530d534cd24c93938d2dcc0c935253cdcd1393d2924c8cd352524d522c0d4d8c8dcc2c9393528d0d520c532ccc8d0d4133c989c9e6864946e61629a6e8ab788cd1c6b48c87d09896f1f01cd332b530374f33b230364d344a34344c4ab248364f35b64c4a3133b4b4b4b0483231373348354d4a35b0484e36354836b14c33324ab2b0344a3131b630343635475fe3618c36a6653c84c6b48c8d87e56a5aa32453438b5473a3c4640b4bcb24b324635393140b0313cbb414134b93c45433c3348be414cb24c3544bd324f3d4140be33403cba46473cb448b34b344e324f4110f63b4312de32134a6653c4cc7b452cd2dcc4d8d0c138d2c4d93938c530c538dcd524d0d2d922d124dd38c2d4c130d52132dcd2d0d4d416b3a2c13cd52924d938dd24c12410b7e4c2c2dd1dbd2c668635ac643684ccb78988e69191ba598999aa699272759a6181ba71a1b9a27261b99a518a5199924a718a4199ba7269a1a9a9a265a2499a5a68156549b9b18a65824279959a6261aa4a2cf2d19a38d69190fa1312de3e139a6956a6e92666a9a6269929a9a64996a609e9c9864669e081a01313534b034314f3432324eb4484b4c4d344d4d334c4e34374cb4303437324c3534374b4b31c0684ba38d69190fa1312de3e139a6956c926a669c6c609964616c62996866669c62606062626162619a94926469966a6864926c606869045a7c9996649a9464906469649696646e6e98666989b139dc186d4ccb78088d69190fcf31ad4433d364338394440b038b448334f3647343cb546363f35433534be314e33483b4144b0bc32423632363d06ee124334bd081456646a6961666a03617fa1a0f63b4312de32134a6653c3cc7b4cccc0c53cd0d8c0d8ccccd0d2d2ccd53cd5352cc930c8d93d20c2d8dd3924c538dd24c0dcd4c4d0d52520d120d8c414bb68c522d8dd34c8c8d412bb92cd0fbc32668635a2643684ccb64788e690196646169666a6962999668626c60926262946a64606e9668616209aa812d0d0d520c8c130d4d2dccd252928c0c0c13934d93520d4d2c930d13935312534c93956a6375948a5273f3cb5253e261076bc5ea2865a7a616285945c7820ea6821cfa159f92999e5a5ca264a5946264909a9296969664616a6c9a0a5aed075a4264619e9668946a980cda549196620cb22525cdc8d2c828d12cc9d8dcd4c4222d2dd9c43c2dcd2255a916005d074741334d0000', NULL, '2026-11-29 07:11:02.873092+00', NULL, 1, NULL, 0, 1, '2026-11-29 07:11:02.965495+00', NULL, NULL, 1, NULL, 0);
INSERT INTO rentsync.sync VALUES (1795936262178885, 'sync-2026-11-29-07-11-03-01a226249def7d9487726f14ab69f21f', 'main', 'delta', 'open', NULL, 1, 1, false, 1, 0, 907, '\x1f8b08000000000004ffaa562aaecc4b8ecf4d2d494c492c4954b2820a64a6285981a5748d0c8ccc740d0d758d2c750dcc410c03635d03c3442323332313cb94d434f3144b130b737323b3344393c42433cb3423c334251db0def892ccdcd4e292c4dc02252b2584392106e65686865606c6512075f9a545c9a94a564a8999e9a97925201190834a2a0b408229a939258920b1d4c2d2d43c903a43734b534b633323332343730b0b0b531da5e2bcc482e28cfc9278909bf34a737274940a128b4a94ac0c218c62252bc35a1da582a2fc82d4a2924a90170b8af2b35293213a8cc052606e5e622ec8d290f27c251da5c49494a2d4e26290cb15825393f3f35214824b8a5253414e84e94f2fca2f2d00db6ba1a394591c9f985c925996aa645552549a0a16c8494d2c4e8d2f2d50b20239ac5647a9342fb3a458c92aba1acc026b35328408c727e7a780ac373254d2514a2acdcc49c9cc4b8768d4514acbc9cf2f42e114e424e6c10420a105b2424729a53c352727332f3d1e59b0b824b1a4b4186c9da18e129407f12e4417c8f16589993989493970f79767a4e6c5272244212a93403e2a02459595a99e0128f0329353e31373f38b4a32ab5253604e2aceac4a8d2f2e4c2b810924a5a614e5e7e716c3f9892519280280a5a4e6c125532b0af28b4b8b52618acb3253cb61ec8cc4e2f8f4c4a2c474b86c416a49717c624e4e7e39c2fe82c4a26c5028149724e6e4c0cd2d2ec907698c4fcaaf48850b26e7e795a4e695c467241667285929591a1ba7255ba49a9b2626195a9a191a181b1aa61aa6a6251ba619191b5a8052bb99715292b1816572aa8999b9b179728a7192518a854962a291455a6a9a99526dac8e52516a6e7e596a4a3c2cbe637594b253530b94aca263414106498af12999e9a9c5d010aa0500b868f6808b030000', '2026-11-29 07:11:03.641698+00', '2026-11-29 07:11:03.663809+00', '2026-11-29 07:12:03.775265+00', 1, NULL, 0, 1, NULL, NULL, NULL, 1, NULL, 0);


--
-- Data for Name: sync_feed; Type: TABLE DATA; Schema: rentsync; Owner: -
--

INSERT INTO rentsync.sync_feed VALUES (1795936262178883, 3, false, '{301,302,303,304,305,306,307,308,309,310,311,312,313,314,315,316,317,318,319,320,321,322,323,324,325,326,327,328,329,330,331,332,333,334,335,336,337,338,339,340}', '{}', '\xd20edfffb8535ef4ff03d887fa2e1c6f2afd3e149df2922a6b37548ffc47ff8e', 'd20edfffb8535ef4ff03d887fa2e1c6f2afd3e149df2922a6b37548ffc47ff8e');
INSERT INTO rentsync.sync_feed VALUES (1795936262178881, 1, false, '{11,12,13}', '{}', '\xecc6d8bc650c820a7e586421719885098410b3c85e5d922a7de2d2c47be90097', 'ecc6d8bc650c820a7e586421719885098410b3c85e5d922a7de2d2c47be90097');
INSERT INTO rentsync.sync_feed VALUES (1795936262178882, 2, false, '{21,22,23}', '{}', '\xf0a2182feb876a79e3ccbb79bd87396528d85ede3686725f29037cd8f0578a22', 'f0a2182feb876a79e3ccbb79bd87396528d85ede3686725f29037cd8f0578a22');
INSERT INTO rentsync.sync_feed VALUES (1795936262178884, 1, false, '{}', '{13}', '\x6a462b237a6adb26e98044ca173d6c7be2a5d3bcd39d5f570ee124f6f8fa7ae8', '6a462b237a6adb26e98044ca173d6c7be2a5d3bcd39d5f570ee124f6f8fa7ae8');
INSERT INTO rentsync.sync_feed VALUES (1795936262178885, 2, true, '{21}', '{}', NULL, NULL);


--
-- Data for Name: withheld; Type: TABLE DATA; Schema: rentsync; Owner: -
--

INSERT INTO rentsync.withheld VALUES ('main', 3, 'held', 40);
INSERT INTO rentsync.withheld VALUES ('main', 2, 'invalid', 1);
INSERT INTO rentsync.withheld VALUES ('main', NULL, 'invalid', 1);
INSERT INTO rentsync.withheld VALUES ('main', NULL, 'held', 40);


--
-- Name: alert_alert_id_seq; Type: SEQUENCE SET; Schema: rentsync; Owner: -
--

SELECT pg_catalog.setval('rentsync.alert_alert_id_seq', 2, true);


--
-- Name: drift_drift_id_seq; Type: SEQUENCE SET; Schema: rentsync; Owner: -
--

SELECT pg_catalog.setval('rentsync.drift_drift_id_seq', 1, false);


--
-- Name: feed_feed_id_seq; Type: SEQUENCE SET; Schema: rentsync; Owner: -
--

SELECT pg_catalog.setval('rentsync.feed_feed_id_seq', 3, true);


--
-- Name: hold_sequence; Type: SEQUENCE SET; Schema: rentsync; Owner: -
--

SELECT pg_catalog.setval('rentsync.hold_sequence', 1, true);


--
-- Name: relay_relay_id_seq; Type: SEQUENCE SET; Schema: rentsync; Owner: -
--

SELECT pg_catalog.setval('rentsync.relay_relay_id_seq', 1, true);


--
-- Name: snapshot_run_run_id_seq; Type: SEQUENCE SET; Schema: rentsync; Owner: -
--

SELECT pg_catalog.setval('rentsync.snapshot_run_run_id_seq', 1, false);


--
-- Name: sync_sequence; Type: SEQUENCE SET; Schema: rentsync; Owner: -
--

SELECT pg_catalog.setval('rentsync.sync_sequence', 1795936262178885, true);


--
-- Name: project_rent_roll_units project_rent_roll_units_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.project_rent_roll_units
    ADD CONSTRAINT project_rent_roll_units_pkey PRIMARY KEY (id);


--
-- Name: projects projects_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_pkey PRIMARY KEY (id);


--
-- Name: alert alert_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.alert
    ADD CONSTRAINT alert_pkey PRIMARY KEY (alert_id);


--
-- Name: alert_post alert_post_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.alert_post
    ADD CONSTRAINT alert_post_pkey PRIMARY KEY (kind, receiver);


--
-- Name: attachment attachment_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.attachment
    ADD CONSTRAINT attachment_pkey PRIMARY KEY (source);


--
-- Name: attempt attempt_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.attempt
    ADD CONSTRAINT attempt_pkey PRIMARY KEY (sequence, lease);


--
-- Name: buried buried_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.buried
    ADD CONSTRAINT buried_pkey PRIMARY KEY (feed_id, unit_id);


--
-- Name: drift drift_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.drift
    ADD CONSTRAINT drift_pkey PRIMARY KEY (drift_id);


--
-- Name: duplicate duplicate_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.duplicate
    ADD CONSTRAINT duplicate_pkey PRIMARY KEY (feed_id, unit_code);


--
-- Name: feed feed_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.feed
    ADD CONSTRAINT feed_pkey PRIMARY KEY (feed_id);


--
-- Name: hold hold_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.hold
    ADD CONSTRAINT hold_pkey PRIMARY KEY (hold_id);


--
-- Name: horizon horizon_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.horizon
    ADD CONSTRAINT horizon_pkey PRIMARY KEY (only_one);


--
-- Name: ledger ledger_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (feed_id, unit_id);


--
-- Name: lineage lineage_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.lineage
    ADD CONSTRAINT lineage_pkey PRIMARY KEY (receiver);


--
-- Name: migration migration_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (version);


--
-- Name: feed one_feed_per_receiver_and_property; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.feed
    ADD CONSTRAINT one_feed_per_receiver_and_property UNIQUE (receiver, property_id);


--
-- Name: snapshot_run one_scheduled_run_per_night; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.snapshot_run
    ADD CONSTRAINT one_scheduled_run_per_night UNIQUE (receiver, scheduled_for);


--
-- Name: planner planner_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.planner
    ADD CONSTRAINT planner_pkey PRIMARY KEY (receiver);


--
-- Name: receiver_count receiver_count_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.receiver_count
    ADD CONSTRAINT receiver_count_pkey PRIMARY KEY (receiver);


--
-- Name: receiver receiver_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.receiver
    ADD CONSTRAINT receiver_pkey PRIMARY KEY (receiver);


--
-- Name: relay relay_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.relay
    ADD CONSTRAINT relay_pkey PRIMARY KEY (relay_id);


--
-- Name: relay_role relay_role_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.relay_role
    ADD CONSTRAINT relay_role_pkey PRIMARY KEY (role_name);


--
-- Name: removed removed_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.removed
    ADD CONSTRAINT removed_pkey PRIMARY KEY (feed_id, sequence);


--
-- Name: snapshot_run snapshot_run_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.snapshot_run
    ADD CONSTRAINT snapshot_run_pkey PRIMARY KEY (run_id);


--
-- Name: sync_feed sync_feed_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.sync_feed
    ADD CONSTRAINT sync_feed_pkey PRIMARY KEY (sequence, feed_id);


--
-- Name: sync sync_id_is_unique; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.sync
    ADD CONSTRAINT sync_id_is_unique UNIQUE (sync_id);


--
-- Name: sync sync_pkey; Type: CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.sync
    ADD CONSTRAINT sync_pkey PRIMARY KEY (sequence);


--
-- Name: project_rent_roll_units_project_id_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX project_rent_roll_units_project_id_idx ON public.project_rent_roll_units USING btree (project_id);


--
-- Name: alert_last; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX alert_last ON rentsync.alert USING btree (last_at);


--
-- Name: attempt_started; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX attempt_started ON rentsync.attempt USING btree (started_at);


--
-- Name: buried_at; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX buried_at ON rentsync.buried USING btree (buried_at);


--
-- Name: drift_run; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX drift_run ON rentsync.drift USING btree (run_id);


--
-- Name: feed_mismatch; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX feed_mismatch ON rentsync.feed USING btree (receiver) WHERE mismatch_again;


--
-- Name: feed_rest; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX feed_rest ON rentsync.feed USING btree (receiver) WHERE (rest_until IS NOT NULL);


--
-- Name: feed_snapshot_run; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX feed_snapshot_run ON rentsync.feed USING btree (snapshot_run) WHERE (snapshot_run IS NOT NULL);


--
-- Name: feed_walk; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX feed_walk ON rentsync.feed USING btree (receiver, feed_id);


--
-- Name: hold_grown; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX hold_grown ON rentsync.hold USING btree (receiver, grown_at) WHERE (state = 'open'::text);


--
-- Name: hold_settled; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX hold_settled ON rentsync.hold USING btree (settled_at) WHERE (settled_at IS NOT NULL);


--
-- Name: ledger_kept_back; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX ledger_kept_back ON rentsync.ledger USING btree (unit_id) WHERE (kept_back = ANY (ARRAY['invalid'::text, 'refused'::text, 'elsewhere'::text]));


--
-- Name: ledger_owed; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX ledger_owed ON rentsync.ledger USING btree (feed_id, ((owed = 'removal'::text)), ((suspect IS NOT NULL)), suspect, unit_id) WHERE ((owed IS NOT NULL) AND (kept_back IS NULL));


--
-- Name: ledger_rejected; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX ledger_rejected ON rentsync.ledger USING btree (kept_back_because) WHERE (kept_back = 'rejected'::text);


--
-- Name: ledger_tombstone; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX ledger_tombstone ON rentsync.ledger USING btree (feed_id, sequence) WHERE (removed IS NOT NULL);


--
-- Name: ledger_withheld; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX ledger_withheld ON rentsync.ledger USING btree (feed_id, kept_back) WHERE (kept_back IS NOT NULL);


--
-- Name: one_open_alert_per_kind; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE UNIQUE INDEX one_open_alert_per_kind ON rentsync.alert USING btree (kind, COALESCE(receiver, ''::text), COALESCE(property_id, ('-1'::integer)::bigint)) WHERE (acked_at IS NULL);


--
-- Name: one_open_hold; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE UNIQUE INDEX one_open_hold ON rentsync.hold USING btree (receiver, COALESCE(feed_id, ('-1'::integer)::bigint)) WHERE (state = 'open'::text);


--
-- Name: one_open_sync_per_feed; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE UNIQUE INDEX one_open_sync_per_feed ON rentsync.sync_feed USING btree (feed_id) WHERE is_open;


--
-- Name: outbox_property_xid; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX outbox_property_xid ON rentsync.outbox USING btree (property_id, xid);


--
-- Name: outbox_xid; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX outbox_xid ON rentsync.outbox USING btree (xid) INCLUDE (property_id);


--
-- Name: removed_recently; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX removed_recently ON rentsync.removed USING btree (receiver, told_at);


--
-- Name: snapshot_run_unfinished; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX snapshot_run_unfinished ON rentsync.snapshot_run USING btree (receiver) WHERE (finished_at IS NULL);


--
-- Name: sync_body_over; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX sync_body_over ON rentsync.sync USING btree (settled_at) WHERE ((settled_at IS NOT NULL) AND (body IS NOT NULL));


--
-- Name: sync_due; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX sync_due ON rentsync.sync USING btree (receiver, due_at) WHERE (state = 'open'::text);


--
-- Name: sync_feed_newest; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX sync_feed_newest ON rentsync.sync_feed USING btree (feed_id, sequence);


--
-- Name: sync_over; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX sync_over ON rentsync.sync USING btree (settled_at) WHERE (settled_at IS NOT NULL);


--
-- Name: sync_run; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX sync_run ON rentsync.sync USING btree (run_id) WHERE (run_id IS NOT NULL);


--
-- Name: sync_settled; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX sync_settled ON rentsync.sync USING btree (receiver, settled_at) WHERE (state = 'delivered'::text);


--
-- Name: sync_waiting; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX sync_waiting ON rentsync.sync USING btree (snapshot_id, part) WHERE (state = 'waiting'::text);


--
-- Name: withheld_by_kind; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX withheld_by_kind ON rentsync.withheld USING btree (receiver, kept_back, feed_id) WHERE (feed_id IS NOT NULL);


--
-- Name: withheld_of_feed; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX withheld_of_feed ON rentsync.withheld USING btree (feed_id, kept_back);


--
-- Name: withheld_of_receiver; Type: INDEX; Schema: rentsync; Owner: -
--

CREATE INDEX withheld_of_receiver ON rentsync.withheld USING btree (receiver, kept_back) WHERE (feed_id IS NULL);


--
-- Name: project_rent_roll_units rentsync_delete; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER rentsync_delete AFTER DELETE ON public.project_rent_roll_units REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION rentsync.capture_units();

ALTER TABLE public.project_rent_roll_units ENABLE ALWAYS TRIGGER rentsync_delete;


--
-- Name: projects rentsync_delete; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER rentsync_delete AFTER DELETE ON public.projects REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION rentsync.capture_properties();

ALTER TABLE public.projects ENABLE ALWAYS TRIGGER rentsync_delete;


--
-- Name: project_rent_roll_units rentsync_insert; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER rentsync_insert AFTER INSERT ON public.project_rent_roll_units REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION rentsync.capture_units();

ALTER TABLE public.project_rent_roll_units ENABLE ALWAYS TRIGGER rentsync_insert;


--
-- Name: projects rentsync_insert; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER rentsync_insert AFTER INSERT ON public.projects REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION rentsync.capture_properties();

ALTER TABLE public.projects ENABLE ALWAYS TRIGGER rentsync_insert;


--
-- Name: project_rent_roll_units rentsync_move; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER rentsync_move AFTER UPDATE ON public.project_rent_roll_units FOR EACH ROW WHEN (((old.id IS DISTINCT FROM new.id) OR (old.project_id IS DISTINCT FROM new.project_id))) EXECUTE FUNCTION rentsync.capture_unit_moved();

ALTER TABLE public.project_rent_roll_units ENABLE ALWAYS TRIGGER rentsync_move;


--
-- Name: projects rentsync_move; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER rentsync_move AFTER UPDATE ON public.projects FOR EACH ROW WHEN ((old.id IS DISTINCT FROM new.id)) EXECUTE FUNCTION rentsync.capture_property_renumbered();

ALTER TABLE public.projects ENABLE ALWAYS TRIGGER rentsync_move;


--
-- Name: project_rent_roll_units rentsync_replica; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER rentsync_replica AFTER INSERT OR DELETE OR UPDATE ON public.project_rent_roll_units FOR EACH ROW EXECUTE FUNCTION rentsync.capture_unit_row();

ALTER TABLE public.project_rent_roll_units ENABLE REPLICA TRIGGER rentsync_replica;


--
-- Name: projects rentsync_replica; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER rentsync_replica AFTER INSERT OR DELETE OR UPDATE ON public.projects FOR EACH ROW EXECUTE FUNCTION rentsync.capture_property_row();

ALTER TABLE public.projects ENABLE REPLICA TRIGGER rentsync_replica;


--
-- Name: project_rent_roll_units rentsync_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER rentsync_truncate AFTER TRUNCATE ON public.project_rent_roll_units FOR EACH STATEMENT EXECUTE FUNCTION rentsync.capture_truncate();

ALTER TABLE public.project_rent_roll_units ENABLE ALWAYS TRIGGER rentsync_truncate;


--
-- Name: projects rentsync_truncate; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER rentsync_truncate AFTER TRUNCATE ON public.projects FOR EACH STATEMENT EXECUTE FUNCTION rentsync.capture_truncate();

ALTER TABLE public.projects ENABLE ALWAYS TRIGGER rentsync_truncate;


--
-- Name: project_rent_roll_units rentsync_update; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER rentsync_update AFTER UPDATE ON public.project_rent_roll_units REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION rentsync.capture_units();

ALTER TABLE public.project_rent_roll_units ENABLE ALWAYS TRIGGER rentsync_update;


--
-- Name: projects rentsync_update; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER rentsync_update AFTER UPDATE ON public.projects REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION rentsync.capture_properties();

ALTER TABLE public.projects ENABLE ALWAYS TRIGGER rentsync_update;


--
-- Name: ledger count_delete; Type: TRIGGER; Schema: rentsync; Owner: -
--

CREATE TRIGGER count_delete AFTER DELETE ON rentsync.ledger REFERENCING OLD TABLE AS stood FOR EACH STATEMENT EXECUTE FUNCTION rentsync.count_withheld();


--
-- Name: ledger count_insert; Type: TRIGGER; Schema: rentsync; Owner: -
--

CREATE TRIGGER count_insert AFTER INSERT ON rentsync.ledger REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION rentsync.count_withheld();


--
-- Name: ledger count_update; Type: TRIGGER; Schema: rentsync; Owner: -
--

CREATE TRIGGER count_update AFTER UPDATE ON rentsync.ledger REFERENCING OLD TABLE AS stood NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION rentsync.count_withheld();


--
-- Name: project_rent_roll_units project_rent_roll_units_project_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.project_rent_roll_units
    ADD CONSTRAINT project_rent_roll_units_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id) ON UPDATE CASCADE ON DELETE CASCADE;


--
-- Name: attempt attempt_sequence_fkey; Type: FK CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.attempt
    ADD CONSTRAINT attempt_sequence_fkey FOREIGN KEY (sequence) REFERENCES rentsync.sync(sequence) ON DELETE CASCADE;


--
-- Name: drift drift_feed_id_fkey; Type: FK CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.drift
    ADD CONSTRAINT drift_feed_id_fkey FOREIGN KEY (feed_id) REFERENCES rentsync.feed(feed_id);


--
-- Name: drift drift_run_id_fkey; Type: FK CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.drift
    ADD CONSTRAINT drift_run_id_fkey FOREIGN KEY (run_id) REFERENCES rentsync.snapshot_run(run_id) ON DELETE CASCADE;


--
-- Name: duplicate duplicate_feed_id_fkey; Type: FK CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.duplicate
    ADD CONSTRAINT duplicate_feed_id_fkey FOREIGN KEY (feed_id) REFERENCES rentsync.feed(feed_id);


--
-- Name: feed feed_receiver_fkey; Type: FK CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.feed
    ADD CONSTRAINT feed_receiver_fkey FOREIGN KEY (receiver) REFERENCES rentsync.receiver(receiver);


--
-- Name: feed feed_snapshot_run_fkey; Type: FK CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.feed
    ADD CONSTRAINT feed_snapshot_run_fkey FOREIGN KEY (snapshot_run) REFERENCES rentsync.snapshot_run(run_id);


--
-- Name: hold hold_feed_id_fkey; Type: FK CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.hold
    ADD CONSTRAINT hold_feed_id_fkey FOREIGN KEY (feed_id) REFERENCES rentsync.feed(feed_id);


--
-- Name: hold hold_receiver_fkey; Type: FK CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.hold
    ADD CONSTRAINT hold_receiver_fkey FOREIGN KEY (receiver) REFERENCES rentsync.receiver(receiver);


--
-- Name: lineage lineage_receiver_fkey; Type: FK CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.lineage
    ADD CONSTRAINT lineage_receiver_fkey FOREIGN KEY (receiver) REFERENCES rentsync.receiver(receiver);


--
-- Name: planner planner_receiver_fkey; Type: FK CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.planner
    ADD CONSTRAINT planner_receiver_fkey FOREIGN KEY (receiver) REFERENCES rentsync.receiver(receiver);


--
-- Name: receiver_count receiver_count_receiver_fkey; Type: FK CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.receiver_count
    ADD CONSTRAINT receiver_count_receiver_fkey FOREIGN KEY (receiver) REFERENCES rentsync.receiver(receiver);


--
-- Name: removed removed_feed_id_fkey; Type: FK CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.removed
    ADD CONSTRAINT removed_feed_id_fkey FOREIGN KEY (feed_id) REFERENCES rentsync.feed(feed_id);


--
-- Name: snapshot_run snapshot_run_receiver_fkey; Type: FK CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.snapshot_run
    ADD CONSTRAINT snapshot_run_receiver_fkey FOREIGN KEY (receiver) REFERENCES rentsync.receiver(receiver);


--
-- Name: snapshot_run snapshot_run_superseded_by_fkey; Type: FK CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.snapshot_run
    ADD CONSTRAINT snapshot_run_superseded_by_fkey FOREIGN KEY (superseded_by) REFERENCES rentsync.snapshot_run(run_id);


--
-- Name: sync_feed sync_feed_feed_id_fkey; Type: FK CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.sync_feed
    ADD CONSTRAINT sync_feed_feed_id_fkey FOREIGN KEY (feed_id) REFERENCES rentsync.feed(feed_id);


--
-- Name: sync_feed sync_feed_sequence_fkey; Type: FK CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.sync_feed
    ADD CONSTRAINT sync_feed_sequence_fkey FOREIGN KEY (sequence) REFERENCES rentsync.sync(sequence) ON DELETE CASCADE;


--
-- Name: sync sync_receiver_fkey; Type: FK CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.sync
    ADD CONSTRAINT sync_receiver_fkey FOREIGN KEY (receiver) REFERENCES rentsync.receiver(receiver);


--
-- Name: sync sync_run_id_fkey; Type: FK CONSTRAINT; Schema: rentsync; Owner: -
--

ALTER TABLE ONLY rentsync.sync
    ADD CONSTRAINT sync_run_id_fkey FOREIGN KEY (run_id) REFERENCES rentsync.snapshot_run(run_id);


--
-- PostgreSQL database dump complete
--

