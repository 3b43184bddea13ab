#!/usr/bin/python3
"""Two relays beside three PostgreSQL servers under Patroni, with etcd and HAProxy, while each of these dies or is cut off.

Several writers change 50 units a second through HAProxy. One relay is given the list of all servers, the other HAProxy's address. After each
event the receiver has to become equal to the database by itself, no number may have been used for two bodies, and nothing that was
started may have ended. Each line says for how long nothing could be written and nothing was delivered, and how many changes were lost.

Usage: tests/ha/patroni.py [--all] [--seed SEED] [--one-network]

Without --all: a leader is killed, one is moved, one is cut off; that is what `cargo test --test ha` runs. RELAY names the binary to try, else
target/debug/rentsync-relay. Where a program is missing it says so in one line, and nothing is run.
"""

import argparse
import ctypes
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
HOME = Path(__file__).resolve().parents[2]
RELAY = os.environ.get("RELAY", str(HOME / "target/debug/rentsync-relay"))
PACKAGES = "apt-get install patroni etcd-server haproxy python3-psycopg2 postgresql"
# In seconds: the whole must be over, whatever hangs.
TAKES_MAX, ALL_TAKES_MAX = 240, 480
PR_SET_PDEATHSIG = 1
ISOLATED = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def missing():
    """Why nothing can be run here."""
    for program in ("patroni", "etcd", "haproxy", "setpriv", "ps"):
        if not shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin"):
            return f"{program} is not installed ({PACKAGES})"
    try:
        import psycopg2  # noqa: F401
    except ImportError:
        return f"this Python lacks psycopg2 ({PACKAGES}; /usr/bin/python3)"
    if not binaries():
        return f"there is no PostgreSQL server under /usr/lib/postgresql ({PACKAGES})"
    return None


def binaries():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[4]))
    return found[-1].parent if found else None


def dies_with_its_parent(number):
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def can_be_isolated():
    """Namespaces of its own: then what it does to a network touches no other, and whatever it starts ends with it."""
    trial = [*ISOLATED, "ip", "link", "add", "one", "type", "veth", "peer", "name", "two"]
    bridge = [*ISOLATED, "ip", "link", "add", "one", "type", "bridge"]
    tools = all(shutil.which(tool) for tool in ("unshare", "nsenter", "ip"))
    return os.geteuid() == 0 and tools and all(subprocess.run(one, capture_output=True).returncode == 0 for one in (trial, bridge))


def outside(arguments):
    """Runs the rest of this in a process of its own, and sees to it that nothing of it stays."""
    why = missing()
    if why:
        print(f"skipped: {why}")
        return 0
    if not Path(RELAY).exists():
        print(f"{RELAY} is not there: build it, or name another in RELAY", file=sys.stderr)
        return 1
    dies_with_its_parent(signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    is_isolated = not arguments.one_network and can_be_isolated()
    seed = arguments.seed if arguments.seed is not None else random.randrange(1 << 32)
    print(f"seed {seed}; {'each server has a network of its own' if is_isolated else 'all servers share one network'}", flush=True)
    place = Path(tempfile.mkdtemp(prefix="rentsync-ha-"))
    place.chmod(0o755)
    inside = [sys.executable, __file__, "--seed", str(seed), "--inside", str(place)] + ["--all"] * arguments.all
    last = signal.SIGKILL if is_isolated else signal.SIGTERM
    process = subprocess.Popen(
        (ISOLATED if is_isolated else []) + inside + ["--isolated"] * is_isolated,
        start_new_session=True,
        preexec_fn=lambda: dies_with_its_parent(last),
    )
    is_wanted = False
    try:
        code = process.wait(ALL_TAKES_MAX if arguments.all else TAKES_MAX)
        is_wanted = code != 0
    except subprocess.TimeoutExpired:
        code, is_wanted = 1, True
        print("it took too long, and was ended", file=sys.stderr)
    except KeyboardInterrupt:
        code = 130
    finally:
        if process.poll() is None:
            process.send_signal(last)
            process.wait()
        if is_wanted:
            print(f"what was said stands in {place}", file=sys.stderr)
        else:
            shutil.rmtree(place, ignore_errors=True)
    return code


def first_process(work):
    """Where this is the first process there is, it has to wait for those that lost their parents: a server that is a zombie looks alive."""
    if os.getpid() != 1:
        return work()
    child = os.fork()
    if child == 0:
        os._exit(work())
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def inside(arguments):
    import events

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        events.run_all(Path(arguments.inside), binaries(), RELAY, HOME, arguments)
        return 0
    except AssertionError as error:
        print(f"BROKEN: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception:
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="every event")
    parser.add_argument("--seed", type=int, help="which units are changed")
    parser.add_argument("--one-network", action="store_true", help="as where namespaces are not allowed: stopped in place of cut off")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    parser.add_argument("--isolated", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        return first_process(lambda: inside(arguments))
    began = time.monotonic()
    code = outside(arguments)
    if code == 0:
        print(f"{time.monotonic() - began:.0f} s in all")
    return code


if __name__ == "__main__":
    sys.exit(main())
