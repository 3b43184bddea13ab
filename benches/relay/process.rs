//! The relay as its own process, the release's own program.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::sleep;

use crate::machine::peak_mb;

/// A relay that needs longer than this to come to rest is broken.
pub const REST_MAX: Duration = Duration::from_secs(60);

pub struct RelayProcess {
    child: Child,
    /// No settings file is in it.
    _directory: tempfile::TempDir,
}

impl RelayProcess {
    pub fn start(database: &str, receiver: &str) -> Result<Self> {
        Self::start_with(&["run"], database, receiver)
    }

    pub fn start_with(arguments: &[&str], database: &str, receiver: &str) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let child = Command::new(env!("CARGO_BIN_EXE_rentsync-relay"))
            .args(arguments)
            .current_dir(directory.path())
            .env_clear()
            .env("DATABASE_URL", database)
            .env("RELAY_LOG", "warn")
            .env("RELAY_HTTP__LISTEN", "none")
            .env("RELAY_SOURCE__AVAILABLE_STATUS_IDS", "[1]")
            .env("RELAY_RECEIVERS__MAIN__URL", receiver)
            .env("RELAY_RECEIVERS__MAIN__CONCURRENCY_MAX", "32")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Self {
            child,
            _directory: directory,
        })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has done what it was asked to. Says how much memory it took at most.
    pub async fn ended(mut self) -> Result<f64> {
        let mut peak = 0.0;
        loop {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the relay ended with {status}");
                return Ok(peak);
            }
            // It may just have ended.
            peak = peak_mb(self.id()).unwrap_or(peak);
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn stop(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let asked = Instant::now();
        while asked.elapsed() < REST_MAX {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the relay ended with {status}");
                return Ok(());
            }
            sleep(Duration::from_millis(5)).await;
        }
        anyhow::bail!("the relay did not stop")
    }
}

impl Drop for RelayProcess {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}
