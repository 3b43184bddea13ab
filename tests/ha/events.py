"""What happens to the servers, and what has to hold afterwards."""

import os
import signal
import subprocess
import time

from stack import Stack, ask, until
from traffic import PROPERTIES, Receiver, Writers, seeded

# Of writing, before and after each event.
SECONDS = 2.0
EQUAL_WITHIN = 60.0


class Trial:
    """Everything that runs."""

    def __init__(self, place, binaries, relay, home, arguments):
        self.relay, self.seed = relay, arguments.seed
        # The shortest that Patroni's documentation names; shorter still where only the order of things is looked at.
        self.stack = Stack(place, binaries, arguments.isolated, 20 if arguments.all else 10)
        self.home, self.relays, self.receiver, self.told_then_lost = home, [], None, 0

    def start(self):
        self.stack.start()
        self.stack.query((self.home / "src/demo/schema.sql").read_text())
        seeded(self.stack)
        self.receiver = Receiver(self.stack, self.relay)
        installed = subprocess.run([self.relay, "install"], env=self.settings(0), capture_output=True, text=True, cwd="/")
        assert installed.returncode == 0, f"install: {installed.stderr}"
        self.relays = [self.start_relay(number) for number in (0, 1)]
        self.assert_equal()

    def settings(self, number):
        return {
            "DATABASE_URL": self.stack.urls()[number],
            "RELAY_RECEIVERS__MAIN__URL": self.receiver.url,
            "RELAY_SOURCE__AVAILABLE_STATUS_IDS": "[1]",
            "RELAY_HTTP__LISTEN": "none",
            # The writers remove units at random.
            "RELAY_GUARD__REMOVED_PERCENT_MAX": "100",
            "RELAY_GUARD__RECEIVER_REMOVED_PERCENT_MAX": "100",
            "PATH": os.environ["PATH"],
        }

    def start_relay(self, number):
        return self.stack.processes.start(f"relay{number}", [self.relay, "run"], env=self.settings(number))

    def assert_equal(self):
        until("the receiver has what the database has", lambda: self.receiver.differences(self.stack) == [], EQUAL_WITHIN)

    def assert_sound(self):
        """The receiver became equal and stays so, by its own word and by the relay's; no number has two bodies; nobody ended."""
        self.assert_equal()
        for number in (0, 1):
            verify = [self.relay, "verify"]
            until(
                f"relay {number}'s verify finds nothing",
                lambda: subprocess.run(verify, env=self.settings(number), capture_output=True, cwd="/").returncode == 0,
                EQUAL_WITHIN,
            )
            assert self.relays[number].poll() is None, f"relay {number} ended by itself, with {self.relays[number].returncode}"
        left = self.receiver.differences(self.stack)
        assert left == [], f"it was equal, and is no longer: {left[:5]}"
        return self.receiver.assert_record()

    def happens(self, name, event):
        writers, began = Writers(self.stack, f"{self.seed} {name}"), time.monotonic()
        time.sleep(SECONDS)
        try:
            note = event(self)
            until("the servers are whole again", self.stack.is_whole)
            time.sleep(SECONDS)
        finally:
            writers.stop()
        ended = time.monotonic()
        unwritten, undelivered = writers.gap(began, ended), self.receiver.gap(began, ended)
        lost = len(writers.lost())
        numbers = self.assert_sound()
        equal_after = time.monotonic() - ended
        print(
            f"{name}: nothing written for {unwritten:.1f} s, nothing delivered for {undelivered:.1f} s; {len(writers.commits)} changes "
            f"committed, {lost} of them lost{note or ''}; sound {equal_after:.1f} s after the last; {numbers} numbers",
            flush=True,
        )
        return lost


def next_leader(trial, old):
    """Another one leads, and takes writes."""
    def found():
        leader = trial.stack.leader(but=old)
        return leader if leader and trial.stack.query("select pg_is_in_recovery()") == [(False,)] else None

    return until("another leader", found)


def rewinds(node):
    return node.said().count("pg_rewind exit code=0")


def back_by_rewind(trial, node, rewound):
    until("the servers are whole again", trial.stack.is_whole)
    assert rewinds(node) > rewound, f"{node.name} came back without pg_rewind, though it had what the others lack"


def tell_what_gets_lost(trial):
    """A property that is new, a price, a unit that is removed: committed, received, and on no standby."""
    trial.told_then_lost += 1
    new, unit = 900 + trial.told_then_lost, 100 + trial.told_then_lost
    trial.stack.query(
        f"insert into projects (id, name, is_actived) values ({new}, 'Lost', true);"
        f"insert into project_rent_roll_units (id, project_id, unit_code, price) values ({new * 100}, {new}, 'lost', 1);"
        f"update project_rent_roll_units set unit_code = 'lost' where id = {unit};"
        f"delete from project_rent_roll_units where id = {unit + 100}"
    )

    def is_received():
        held = trial.receiver.held()
        return (new, new * 100) in held and held[(1, unit)][0] == "lost" and (2, unit + 100) not in held

    until("what gets lost is received", is_received)
    return new, unit


def killed_unseen(trial):
    """The leader dies, as a machine does, and its standbys lack what it committed and the relay sent."""
    leader = trial.stack.leader()
    rewound, senders = rewinds(leader), leader.servers("walsender")
    assert len(senders) == 2, f"two standbys are sent to: {senders}"
    for pid in senders:
        os.kill(pid, signal.SIGSTOP)
    new, unit = tell_what_gets_lost(trial)
    leader.signal(signal.SIGKILL)
    next_leader(trial, leader)
    question = (
        f"select not exists (select from projects where id = {new}), (select unit_code <> 'lost' from project_rent_roll_units where id = {unit}), "
        f"exists (select from project_rent_roll_units where id = {unit + 100})"
    )
    # HAProxy ends connections until it has seen who leads.
    gone = until("the new leader answers", lambda: trial.stack.query(question))
    assert gone == [(True, True, True)], f"what was to be lost is there: {gone}"
    leader.start()
    back_by_rewind(trial, leader, rewound)

    def is_put_right():
        held = trial.receiver.held()
        return new not in held and held[(1, unit)][0] != "lost" and (2, unit + 100) in held

    until("what was told and lost is put right", is_put_right, EQUAL_WITHIN)
    return ", and a property, a code and a removal that were told before"


def killed(trial):
    leader = trial.stack.leader()
    leader.signal(signal.SIGKILL)
    next_leader(trial, leader)
    leader.start()


def switched(trial):
    leader, candidate = trial.stack.leader(), trial.stack.replicas()[0]
    ask(f"http://{leader.address}:{leader.rest}/switchover", "POST", {"leader": leader.name, "candidate": candidate.name}, timeout=30)
    next_leader(trial, leader)


def write_unheard(leader):
    leader.query_inside(f"update project_rent_roll_units set unit_code = 'nobody hears' where project_id <= {PROPERTIES}")


def assert_unheard(trial, leader, rewound):
    back_by_rewind(trial, leader, rewound)
    heard = [what for what in trial.receiver.held().values() if what[0] == "nobody hears"]
    assert not heard, f"what the old leader wrote alone was sent: {heard[:3]}"


def cut_off(trial):
    """Nobody hears of it any more; it goes on, writes what nobody else has, and comes back."""
    leader = trial.stack.leader()
    if not leader.link:
        return stopped(trial)
    rewound = rewinds(leader)
    leader.is_cut(True)
    write_unheard(leader)
    next_leader(trial, leader)
    leader.is_cut(False)
    assert_unheard(trial, leader, rewound)


def stopped(trial):
    """It stops in the middle of everything, and goes on without its Patroni when another leads: both take writes."""
    leader = trial.stack.leader()
    rewound = rewinds(leader)
    leader.signal(signal.SIGSTOP)
    next_leader(trial, leader)
    leader.patroni.kill()
    for pid in leader.servers():
        os.kill(pid, signal.SIGCONT)
    write_unheard(leader)
    time.sleep(SECONDS)
    leader.start()
    assert_unheard(trial, leader, rewound)


def without_etcd(trial):
    """No leader without it: the database takes no writes until it is back."""
    trial.stack.etcd.kill()
    until("nobody leads", lambda: all(node.role() in ("replica", "sync_standby") for node in trial.stack.nodes))
    trial.stack.start_etcd()
    until("a leader", trial.stack.leader)


def without_etcd_in_failsafe_mode(trial):
    leader = trial.stack.leader()
    trial.stack.etcd.kill()
    time.sleep(3 * SECONDS)
    trial.stack.start_etcd()
    time.sleep(SECONDS)
    assert trial.stack.leader() is leader, "failsafe_mode keeps the leader"


def without_haproxy(trial):
    trial.stack.haproxy.kill()
    time.sleep(SECONDS)
    trial.stack.start_haproxy()


def without_relay(number):
    def event(trial):
        trial.relays[number].kill()
        time.sleep(3 * SECONDS)
        trial.relays[number] = trial.start_relay(number)

    return event


def synchronous(trial):
    trial.stack.set(synchronous_mode=True)
    states = "select count(*) from pg_stat_replication where sync_state in ('sync', 'quorum')"
    until("a synchronous standby", lambda: trial.stack.query(states) == [(1,)])


def run_all(place, binaries, relay, home, arguments):
    trial = Trial(place, binaries, relay, home, arguments)
    try:
        trial.start()
        trial.happens("leader killed, asynchronous", killed_unseen)
        trial.happens("switchover", switched)
        trial.happens("leader cut off and back", cut_off)
        if arguments.all:
            trial.happens("leader stopped and back", stopped)
            trial.happens("relay with all hosts killed", without_relay(0))
            trial.happens("relay behind HAProxy killed", without_relay(1))
            trial.happens("HAProxy killed", without_haproxy)
            trial.happens("etcd killed", without_etcd)
            trial.stack.set(failsafe_mode=True)
            trial.happens("etcd killed, failsafe_mode", without_etcd_in_failsafe_mode)
            synchronous(trial)
            lost = trial.happens("leader killed, synchronous", killed)
            assert lost == 0, f"synchronous_mode lost {lost} changes"
    finally:
        trial.stack.processes.end()
