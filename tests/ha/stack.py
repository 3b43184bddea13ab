"""Three PostgreSQL servers under Patroni, etcd and HAProxy; and what can be done to them.

Where the machine lets a process have network namespaces, each server has one, so that it can be cut off from the others; else all
share the loopback address, and one that is to be cut off is stopped in place of it.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import psycopg2

LIMIT = 90.0
DATABASE = "rent_roll"
NETWORK = "10.77.0"
IS_ROOT = os.geteuid() == 0


def until(what, question, limit=LIMIT):
    """What the question answers, once that is something."""
    began, last = time.monotonic(), None
    while time.monotonic() - began < limit:
        try:
            answer = question()
            if answer:
                return answer
            last = answer
        except (OSError, ValueError, KeyError, psycopg2.Error) as error:  # It is asked again.
            last = error
        time.sleep(0.1)
    raise AssertionError(f"not within {limit:.0f} s: {what} (last: {last})")


def ask(url, method="GET", body=None, timeout=2):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, method=method, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        said = answer.read()
    return json.loads(said) if said[:1] in (b"{", b"[") else said.decode()


def run(*arguments):
    subprocess.run(arguments, check=True, capture_output=True, timeout=20)


def kill(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


class Processes:
    """Whatever was started; each leads a session of its own, and what it says goes to a file."""

    def __init__(self, place):
        self.place, self.started, self.pid_files = place, [], []

    def start(self, name, arguments, env=None):
        with open(self.place / f"{name}.log", "ab") as log:
            process = subprocess.Popen(
                arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, cwd="/", env=env
            )
        self.started.append(process)
        return process

    def end(self):
        for process in reversed(self.started):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGCONT)
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        # A server outlives the Patroni that started it.
        for pid_file in self.pid_files:
            pid = postmaster(pid_file)
            if pid and b"postgres" in command_line(pid):
                kill(pid, signal.SIGCONT)
                kill(pid, signal.SIGQUIT)


def postmaster(pid_file):
    try:
        return int(pid_file.read_text().split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


class Node:
    """A server and its Patroni."""

    def __init__(self, number, stack):
        self.name, self.stack = f"n{number}", stack
        self.address, self.link, self.within = "127.0.0.1", None, []
        if stack.is_isolated:
            self.join_network(number)
        self.port, self.rest = stack.free_port(), stack.free_port()
        self.data = stack.place / self.name / "data"
        self.data.parent.mkdir()
        if IS_ROOT:
            shutil.chown(self.data.parent, "postgres", "postgres")
            self.within += ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        stack.processes.pid_files.append(self.data / "postmaster.pid")
        # JSON is YAML.
        self.config = stack.place / f"{self.name}.yml"
        self.config.write_text(json.dumps(self.settings()))
        self.patroni = None

    def join_network(self, number):
        holder = self.stack.processes.start(f"{self.name}-network", ["unshare", "--net", "sleep", "infinity"])
        ours = os.readlink("/proc/self/ns/net")
        until("a network of its own", lambda: os.readlink(f"/proc/{holder.pid}/ns/net") != ours)
        self.address, self.link = f"{NETWORK}.{number}", f"to-{self.name}"
        self.within = ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]
        run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
        run("ip", "link", "set", self.link, "master", "rentsync", "up")
        run(*self.within, "ip", "addr", "add", f"{self.address}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            run(*self.within, "ip", "link", "set", device, "up")

    def settings(self):
        users = {kind: {"username": "postgres"} for kind in ("superuser", "replication", "rewind")}
        rest = f"{self.address}:{self.rest}"
        anywhere = "0.0.0.0/0"
        return {
            "scope": "rentsync",
            "name": self.name,
            "restapi": {"listen": rest, "connect_address": rest},
            "etcd3": {"host": self.stack.etcd_at},
            "bootstrap": {
                "dcs": {
                    "ttl": self.stack.ttl,
                    "loop_wait": 1,
                    "retry_timeout": 3,
                    "primary_start_timeout": 0,
                    "maximum_lag_on_failover": 1 << 30,
                    "postgresql": {"use_pg_rewind": True, "parameters": {"wal_keep_size": "512MB"}},
                },
                "initdb": [{"encoding": "UTF8"}, "data-checksums", {"auth": "trust"}],
            },
            "postgresql": {
                "listen": f"{self.address}:{self.port}",
                "connect_address": f"{self.address}:{self.port}",
                "data_dir": str(self.data),
                "bin_dir": str(self.stack.bin),
                "pgpass": str(self.data.parent / "pgpass"),
                "authentication": users,
                "pg_hba": ["local all all trust", f"host all all {anywhere} trust", f"host replication all {anywhere} trust"],
                "parameters": {"unix_socket_directories": str(self.data.parent), "shared_buffers": "32MB"},
            },
        }

    def start(self):
        self.patroni = self.stack.processes.start(self.name, [*self.within, "patroni", str(self.config)])

    def servers(self, title=""):
        """The processes of the server; those whose title has this."""
        leader = postmaster(self.data / "postmaster.pid")
        if not leader:
            return []
        found = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(leader)], capture_output=True, text=True)
        children = [line.split(None, 1) for line in found.stdout.splitlines()]
        of_title = [int(pid) for pid, args in children if title in args]
        return of_title if title else [leader, *of_title]

    def signal(self, number):
        """To Patroni, the server and all of its processes."""
        for pid in [self.patroni.pid, *self.servers()]:
            kill(pid, number)

    def role(self):
        try:
            state = ask(f"http://{self.address}:{self.rest}/patroni", timeout=1)
        except urllib.error.HTTPError as error:
            state = json.load(error)
        except (OSError, ValueError):
            return None
        return state["role"] if state.get("state") == "running" else None

    def query_inside(self, statement):
        """From the machine itself, whatever its network does."""
        conn = psycopg2.connect(host=str(self.data.parent), port=self.port, user="postgres", dbname=DATABASE, connect_timeout=3)
        conn.autocommit = True
        with conn.cursor() as cursor:
            cursor.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
        conn.close()
        return rows

    def is_cut(self, is_cut):
        run("ip", "link", "set", self.link, "down" if is_cut else "up")

    def said(self):
        return (self.stack.place / f"{self.name}.log").read_text(errors="replace")


class Stack:
    def __init__(self, place, binaries, is_isolated, ttl):
        self.place, self.bin, self.is_isolated, self.ttl = place, binaries, is_isolated, ttl
        self.processes, self.ports = Processes(place), set()
        self.address = f"{NETWORK}.254" if is_isolated else "127.0.0.1"
        if is_isolated:
            run("ip", "link", "set", "lo", "up")
            run("ip", "link", "add", "rentsync", "type", "bridge")
            run("ip", "addr", "add", f"{self.address}/24", "dev", "rentsync")
            run("ip", "link", "set", "rentsync", "up")
        self.etcd_port, self.peer_port, self.haproxy_port = self.free_port(), self.free_port(), self.free_port()
        self.etcd_at = f"{self.address}:{self.etcd_port}"
        self.etcd = self.haproxy = None
        self.nodes = []

    def free_port(self):
        while True:
            with socket.socket() as listener:
                listener.bind(("", 0))
                port = listener.getsockname()[1]
            if port not in self.ports:
                self.ports.add(port)
                return port

    def start(self):
        self.start_etcd()
        self.nodes = [Node(number, self) for number in (1, 2, 3)]
        for node in self.nodes:
            node.start()
        until("three servers run", lambda: self.leader() and len(self.replicas()) == 2)
        servers = "".join(f"    server {node.name} {node.address}:{node.port} check port {node.rest}\n" for node in self.nodes)
        (self.place / "haproxy.cfg").write_text(
            "defaults\n    mode tcp\n    timeout connect 2s\n    timeout check 1s\n    timeout client 1h\n    timeout server 1h\n"
            f"listen primary\n    bind {self.address}:{self.haproxy_port}\n    option httpchk OPTIONS /primary\n"
            "    http-check expect status 200\n"
            "    default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions\n" + servers
        )
        self.start_haproxy()
        # Before its first checks HAProxy leads to any server.
        until("HAProxy leads to the primary", self.is_whole)
        self.query(f"create database {DATABASE}", "postgres")

    def start_etcd(self):
        client, peer = f"http://{self.etcd_at}", f"http://{self.address}:{self.peer_port}"
        self.etcd = self.processes.start(
            "etcd",
            ["etcd", "--data-dir", str(self.place / "etcd"), "--listen-client-urls", client, "--advertise-client-urls", client,
             "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}"],
            env={**os.environ, "ETCD_UNSUPPORTED_ARCH": os.uname().machine.replace("aarch64", "arm64")},
        )
        until("etcd answers", lambda: ask(f"{client}/health"))

    def start_haproxy(self):
        program = shutil.which("haproxy") or "/usr/sbin/haproxy"
        self.haproxy = self.processes.start("haproxy", [program, "-db", "-f", str(self.place / "haproxy.cfg")])

    def leader(self, but=None):
        leaders = [node for node in self.nodes if node is not but and node.role() in ("master", "primary")]
        return leaders[0] if len(leaders) == 1 else None

    def replicas(self):
        return [node for node in self.nodes if node.role() in ("replica", "sync_standby")]

    def is_whole(self, database="postgres"):
        """One leader, which HAProxy leads to and to no other, and two standbys that have what it has."""
        state = "select pg_is_in_recovery(), (select count(*) from pg_stat_replication where state = 'streaming')"
        if not self.leader() or len(self.replicas()) != 2:
            return False
        # It takes the servers in turns that it takes for alive.
        return all(self.query(state, database) == [(False, 2)] for _ in self.nodes)

    def connect(self, database=DATABASE):
        conn = psycopg2.connect(
            host=self.address, port=self.haproxy_port, user="postgres", dbname=database, connect_timeout=2,
            options="-c statement_timeout=10000",
        )
        conn.autocommit = True
        return conn

    def query(self, statement, database=DATABASE):
        conn = self.connect(database)
        try:
            with conn.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            conn.close()

    def set(self, **settings):
        leader = self.leader()
        ask(f"http://{leader.address}:{leader.rest}/config", "PATCH", settings)

    def urls(self):
        """The list of all servers, and the address of HAProxy."""
        hosts = ",".join(f"{node.address}:{node.port}" for node in self.nodes)
        return [f"postgres://postgres@{at}/{DATABASE}?sslmode=disable" for at in (hosts, f"{self.address}:{self.haproxy_port}")]
