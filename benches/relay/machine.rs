//! The machine, its processors' time and memory; printing.

use anyhow::{Context, Result};
use chrono::Utc;
use local_postgres::Server;
use sqlx::{Connection, PgConnection};

use crate::bed::connect;

/// What /proc counts processor time in: Linux shows 100 to every program, whatever its kernel ticks at.
const PROC_TICKS_PER_SECOND: f64 = 100.0;

pub async fn print_machine(server: &Server) -> Result<()> {
    let mut conn = connect(server, "postgres").await?;
    let version: String = sqlx::query_scalar("select current_setting('server_version')")
        .fetch_one(&mut conn)
        .await?;
    let cores = std::thread::available_parallelism()?;
    let model = proc_field("/proc/cpuinfo", "model name").unwrap_or_else(|_| "unknown processor".to_owned());
    let memory_kb: f64 = kilobytes("/proc/meminfo", "MemTotal")?;
    println!("{cores} cores, {model}, {:.0} GiB memory", memory_kb / 1024.0 / 1024.0);
    println!("PostgreSQL {version}, private, commits durable unless said otherwise");
    println!("{}", Utc::now().format("%Y-%m-%d %H:%M UTC"));
    Ok(conn.close().await?)
}

pub fn proc_field(path: &str, name: &str) -> Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| path.to_owned())?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.split_once(':'));
    let (_, value) = value.with_context(|| format!("{path} has no {name}"))?;
    Ok(value.trim().to_owned())
}

pub fn kilobytes(path: &str, name: &str) -> Result<f64> {
    Ok(proc_field(path, name)?.trim_end_matches(" kB").parse()?)
}

pub fn peak_mb(process: u32) -> Result<f64> {
    Ok(kilobytes(&format!("/proc/{process}/status"), "VmHWM")? / 1024.0)
}

/// Both in user and in kernel mode, since the process began.
pub fn cpu_seconds(process: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may hold anything; the 14th and 15th fields are the 12th and 13th behind it.
    let (_, fields) = stat.rsplit_once(')').context("/proc/PID/stat has no name")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / PROC_TICKS_PER_SECOND)
}

/// Of the relay's connections that are open now.
pub async fn backends_cpu_seconds(conn: &mut PgConnection) -> Result<f64> {
    let backends: Vec<i32> =
        sqlx::query_scalar("select pid from pg_stat_activity where application_name like 'rentsync-relay%'")
            .fetch_all(conn)
            .await?;
    backends
        .into_iter()
        .map(|backend| cpu_seconds(backend.unsigned_abs()))
        .sum()
}

pub fn heading(what: &str) {
    println!("\n{what}");
}

/// The nearest rank.
pub fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() as f64 * part).ceil() as usize;
    values[rank.max(1) - 1]
}
