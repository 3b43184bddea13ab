//! What a ledger costs that has a row a unit, beside one that has a row a run of units, packed: written by the two alone, without the
//! rest of the relay.

use std::time::Instant;

use anyhow::Result;
use local_postgres::Server;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::bed::{connect, execute};
use crate::machine::heading;

const DATABASE: &str = "bench_ledger";

/// 2,000 feeds of 100 units, and one of 50,000. A run has up to 128 units, 54 bytes each: id, hash, sequence, code.
const TABLES: &str = "
create table unit_row (feed_id bigint, unit_id bigint, unit_code text, hash bytea, sequence bigint, primary key (feed_id, unit_id))
  with (fillfactor = 85);
create table unit_run (feed_id bigint, first bigint, packed bytea, primary key (feed_id, first)) with (fillfactor = 60, toast_tuple_target = 8160);
alter table unit_run alter packed set storage external;
insert into unit_row
select f, f * 1000 + u, 'A-' || u, sha256(int8send(f * 1000 + u)), 1 from generate_series(1, 2000) f, generate_series(1, 100) u
 union all
select 0, u, 'B-' || u, sha256(int8send(u)), 1 from generate_series(1, 50000) u;
insert into unit_run
select feed_id, min(unit_id),
       string_agg(int8send(unit_id) || hash || int8send(sequence) || convert_to(rpad(unit_code, 6), 'UTF8'), '' order by unit_id)
  from unit_row group by feed_id, unit_id % 1000000 / case when feed_id = 0 then 128 else 1000000 end;
create table every_row as
select feed_id / 100 as batch, array_agg(feed_id) as feeds, array_agg(unit_id) as units, array_agg(unit_code) as codes,
       array_agg(sha256(hash)) as hashes
  from unit_row where feed_id > 0 group by 1;
create table every_run as
select feed_id / 100 as batch, array_agg(feed_id) as feeds, array_agg(first) as firsts,
       array_agg(overlay(packed placing sha256(packed) from 9)) as packed
  from unit_run where feed_id > 0 group by 1;
create table one_row as
select feed_id / 100 as batch, array_agg(feed_id) as feeds, array_agg(unit_id) as units, array_agg(unit_code) as codes,
       array_agg(sha256(hash)) as hashes
  from unit_row where feed_id > 0 and unit_id % 1000 = 50 group by 1;
";

const ROWS: &str = "do $$ declare b record; begin for b in select * from $FROM loop
    update unit_row l set unit_code = w.code, hash = w.hash, sequence = l.sequence + 1
      from unnest(b.feeds, b.units, b.codes, b.hashes) as w (feed_id, unit_id, code, hash)
     where l.feed_id = w.feed_id and l.unit_id = w.unit_id;
end loop; end $$";
const RUNS: &str = "do $$ declare b record; begin for b in select * from every_run loop
    update unit_run l set packed = w.packed from unnest(b.feeds, b.firsts, b.packed) as w (feed_id, first, packed)
     where l.feed_id = w.feed_id and l.first = w.first;
end loop; end $$";
const SINGLE_ROWS: &str = "do $$ begin for n in 1..2000 loop
    update unit_row set hash = sha256(hash), sequence = sequence + 1 where feed_id = 0 and unit_id = n * 25;
end loop; end $$";
const SINGLE_RUNS: &str = "do $$ declare firsts bigint[]; begin
    select array_agg(first) into firsts from unit_run where feed_id = 0;
    for n in 1..2000 loop
        update unit_run set packed = overlay(packed placing sha256(packed) from 9) where feed_id = 0 and first = firsts[1 + n % cardinality(firsts)];
    end loop;
end $$";

pub async fn ledger(server: &Server) -> Result<()> {
    heading("ledger: written alone, a row a unit beside a row a run of units");
    server.create_database(DATABASE, None).await?;
    let mut conn = connect(server, DATABASE).await?;
    execute(&mut conn, TABLES).await?;
    println!(
        "{:<44} {:>10} {:>10} {:>10} {:>10}",
        "", "rows ms", "WAL MB", "runs ms", "WAL MB"
    );
    let every = ROWS.replace("$FROM", "every_row");
    let one = ROWS.replace("$FROM", "one_row");
    for (what, rows, runs) in [
        ("200,000 of 200,000 units", &*every, RUNS),
        ("1 of 100 units in each of 2,000 feeds", &*one, RUNS),
        ("1 of 50,000 units, 2,000 times", SINGLE_ROWS, SINGLE_RUNS),
    ] {
        let (rows, runs) = (written(&mut conn, rows).await?, written(&mut conn, runs).await?);
        println!(
            "{what:<44} {:>10.0} {:>10.1} {:>10.0} {:>10.1}",
            rows.0, rows.1, runs.0, runs.1
        );
    }
    Ok(conn.close().await?)
}

/// Milliseconds and megabytes of the write-ahead log, of the fastest of three.
async fn written(conn: &mut PgConnection, statement: &str) -> Result<(f64, f64)> {
    let mut best = (f64::MAX, f64::MAX);
    for _ in 0..3 {
        // What autovacuum would do in between; the first write of a page after a checkpoint is the whole page.
        execute(conn, "vacuum unit_row").await?;
        execute(conn, "vacuum unit_run").await?;
        let before: String = sqlx::query_scalar("select pg_current_wal_insert_lsn()::text")
            .fetch_one(&mut *conn)
            .await?;
        let began = Instant::now();
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
            .execute(&mut *conn)
            .await?;
        let ms = began.elapsed().as_secs_f64() * 1000.0;
        let wal: f64 =
            sqlx::query_scalar("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1::text::pg_lsn)::float8 / 1e6")
                .bind(before)
                .fetch_one(&mut *conn)
                .await?;
        best = (best.0.min(ms), best.1.min(wal));
    }
    Ok(best)
}
