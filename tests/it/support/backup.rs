//! Copies of a running server: restored, promoted, following it.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::PgConnection;

const LIMIT: Duration = Duration::from_secs(60);

/// Where these programs of the server's own release are, if they are on this machine.
pub async fn programs(conn: &mut PgConnection, names: &[&str]) -> Option<PathBuf> {
    let bin: Option<String> = sqlx::query_scalar("select setting from pg_config where name = 'BINDIR'")
        .fetch_optional(conn)
        .await
        .ok()?;
    let bin = PathBuf::from(bin?);
    names.iter().all(|name| bin.join(name).is_file()).then_some(bin)
}

/// A copy of a running server's files, which comes up on a timeline of its own when asked to. Tied to this process as the
/// private servers are: it goes when the other end of its standard input closes.
pub struct Backup {
    supervisor: Child,
    directory: PathBuf,
}

const RESTORE: &str = r#"
trap '' HUP INT QUIT TERM
umask 077
bin=$1 from=$2 directory=$3 signal=$4
shift 4
exec 3<&0 </dev/null
mkdir "$directory" || exit 1
exec >"$directory/log" 2>&1
"$bin/pg_basebackup" -h "$from" -p 5432 -U postgres -D "$directory/data" -c fast -X stream &&
    touch "$directory/data/$signal" "$directory/copied" || touch "$directory/failed"
if read -r go <&3; then
    "$bin/postgres" -D "$directory/data" -k "$directory" -c listen_addresses= -c max_connections=200 -c max_prepared_transactions=20 -c restore_command=false "$@" &
    server=$!
    cat <&3
    while kill -QUIT "$server" 2>/dev/null; do sleep 0.01; done
    wait
fi
rm -rf "$directory"
"#;

impl Backup {
    /// Comes up as a primary on a timeline of its own. As each of these: made when this returns.
    pub fn of(server: &Path, bin: &Path) -> Self {
        Self::made(server, bin, "restored", "recovery.signal", &["hot_standby=off"])
    }

    /// Comes up as the server that was copied: a disk image that is set back.
    pub fn image(server: &Path, bin: &Path) -> Self {
        Self::made(server, bin, "image", "nothing", &[])
    }

    /// Comes up as a standby that can be read.
    pub fn standby(server: &Path, bin: &Path) -> Self {
        Self::made(server, bin, "restored", "standby.signal", &["hot_standby=on"])
    }

    /// The same under a name, beside others.
    pub fn standby_named(server: &Path, bin: &Path, name: &str) -> Self {
        let settings = ["hot_standby=on", "wal_retrieve_retry_interval=10ms"];
        Self::made(server, bin, name, "standby.signal", &settings)
    }

    fn made(server: &Path, bin: &Path, name: &str, signal: &str, settings: &[&str]) -> Self {
        let server = std::fs::canonicalize(server).unwrap();
        let owner = std::fs::metadata(&server).unwrap();
        let directory = PathBuf::from(format!("{}-{name}", server.display()));
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", RESTORE, "restore"])
            .args([bin, &server, &directory])
            .arg(signal)
            .args(settings.iter().flat_map(|setting| ["-c", setting]));
        command
            .current_dir("/")
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .process_group(0);
        if rustix::process::geteuid().is_root() {
            command.gid(owner.gid()).uid(owner.uid());
        }
        let supervisor = command.spawn().expect("sh");
        let backup = Self { supervisor, directory };
        let began = Instant::now();
        while !backup.directory.join("copied").exists() {
            let log = || std::fs::read_to_string(backup.directory.join("log")).unwrap_or_default();
            assert!(
                !backup.directory.join("failed").exists() && began.elapsed() < LIMIT,
                "{}",
                log()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        backup
    }

    /// Where its socket is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Has it come up.
    pub fn start(&self) {
        use std::io::Write;
        let mut stdin = self.supervisor.stdin.as_ref().expect("piped");
        stdin.write_all(b"go\n").expect("it listens");
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        self.supervisor.wait().ok();
    }
}
