//! What is kept with each change is what counting again gives.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// What feeds and receivers owe and withhold: what differs, a line each.
const WITHHELD: &str = "
    with kept as (
        select receiver, feed_id, kind, sum(units)::bigint as units from rentsync.withheld group by 1, 2, 3 having sum(units) <> 0
    ), of_feed as (
        select f.receiver, l.feed_id, coalesce(l.withheld, l.owed) as kind, count(*) as units
          from rentsync.ledger l join rentsync.feed f using (feed_id)
         where coalesce(l.withheld, l.owed) is not null
         group by 1, 2, 3
    ), counted as (
        select * from of_feed union all select receiver, null, kind, sum(units)::bigint from of_feed group by receiver, kind
    )
    (select 'kept: ' || to_jsonb(kept)::text from kept except select 'kept: ' || to_jsonb(counted)::text from counted)
    union all
    (select 'counted: ' || to_jsonb(counted)::text from counted except select 'counted: ' || to_jsonb(kept)::text from kept)";

/// Tries of the minutes after $1.
const ATTEMPTS: &str = "
    with kept as (
        select receiver, outcome, began, tries from rentsync.attempt_count where began > $1
    ), counted as (
        select s.receiver, a.outcome, date_trunc('minute', a.started_at) as began, count(*) as tries
          from rentsync.attempt a join rentsync.sync s using (sequence)
         where a.outcome is not null and date_trunc('minute', a.started_at) > $1
         group by 1, 2, 3
    )
    (select 'kept: ' || to_jsonb(kept)::text from kept except select 'kept: ' || to_jsonb(counted)::text from counted)
    union all
    (select 'counted: ' || to_jsonb(counted)::text from counted except select 'counted: ' || to_jsonb(kept)::text from kept)";

/// Syncs acknowledged in the minutes after $1, by how old the oldest change in them was.
const LAG: &str = "
    with kept as (
        select receiver, step::integer, began, syncs from rentsync.lag_count where began > $1
    ), counted as (
        select s.receiver, least(greatest(ceil(4 * log(2, greatest(extract(epoch from s.settled_at - s.oldest_change) * 1000, 1)::numeric)), 0), 127)::integer as step,
               date_trunc('minute', s.settled_at) as began, count(*) as syncs
          from rentsync.sync s
         where s.state = 'delivered' and s.oldest_change is not null and s.redelivered_at is null and date_trunc('minute', s.settled_at) > $1
         group by 1, 2, 3
    )
    (select 'kept: ' || to_jsonb(kept)::text from kept except select 'kept: ' || to_jsonb(counted)::text from counted)
    union all
    (select 'counted: ' || to_jsonb(counted)::text from counted except select 'counted: ' || to_jsonb(kept)::text from kept)";

pub async fn assert_withheld_is_counted(conn: &mut PgConnection) {
    let wrong: Vec<String> = sqlx::query_scalar(WITHHELD)
        .fetch_all(conn)
        .await
        .expect("what is kept");
    assert_eq!(wrong, [] as [String; 0]);
}

/// By the clock that the tries were given, or the server's.
pub async fn assert_attempts_are_counted(conn: &mut PgConnection, now: Option<DateTime<Utc>>) {
    let since = now.unwrap_or_else(Utc::now) - chrono::TimeDelta::minutes(58);
    let wrong: Vec<String> = sqlx::query_scalar(ATTEMPTS)
        .bind(since)
        .fetch_all(conn)
        .await
        .expect("what is kept");
    assert_eq!(wrong, [] as [String; 0]);
}

/// Where nothing was redelivered: by the clock that the answers were given, or the server's.
pub async fn assert_lag_is_counted(conn: &mut PgConnection, now: Option<DateTime<Utc>>) {
    let since = now.unwrap_or_else(Utc::now) - chrono::TimeDelta::minutes(58);
    let wrong: Vec<String> = sqlx::query_scalar(LAG)
        .bind(since)
        .fetch_all(conn)
        .await
        .expect("what is kept");
    assert_eq!(wrong, [] as [String; 0]);
}
