"""What changes the database, what receives, and what is held against it."""

import gzip
import hashlib
import http.client
import json
import random
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2

from stack import ask, until

CHANGES_A_SECOND = 50
WRITERS = 4
PROPERTIES, UNITS = 20, 12


def longest_gap(moments, began, ended):
    moments = [began, *sorted(at for at in moments if began <= at <= ended), ended]
    return max(later - earlier for earlier, later in zip(moments, moments[1:]))


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A relay that was killed leaves its connections."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Receiver:
    """The sandbox, and before it a record of every request."""

    def __init__(self, stack, relay):
        self.sandbox = f"127.0.0.1:{stack.free_port()}"
        stack.processes.start("sandbox", [relay, "sandbox", "--listen", self.sandbox])
        until("the sandbox answers", lambda: ask(f"http://{self.sandbox}/v1/rent-roll/syncs") == [])
        self.requests, self.lock = [], threading.Lock()
        server = Server(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{server.server_port}/v1/rent-roll/sync"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def handler(self):
        receiver, upstream = self, threading.local()

        class Handler(BaseHTTPRequestHandler):
            protocol_version, disable_nagle_algorithm, wbufsize = "HTTP/1.1", True, -1

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if not hasattr(upstream, "conn"):
                    upstream.conn = http.client.HTTPConnection(receiver.sandbox, timeout=30)
                headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length")}
                upstream.conn.request("POST", self.path, body, headers)
                answer = upstream.conn.getresponse()
                said = answer.read()
                receiver.note(self.headers, body, answer.status, said)
                self.send_response(answer.status)
                self.send_header("content-type", answer.getheader("content-type", "application/json"))
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *arguments):
                pass

        return Handler

    def note(self, headers, body, status, said):
        text = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        content = json.loads(text)
        sync = content["sync_metadata"]
        entry = (time.monotonic(), sync["sync_id"], sync["sequence"], content["property"]["project_id"], hashlib.sha256(text).digest(),
                 status, said)
        with self.lock:
            self.requests.append(entry)

    def all(self):
        with self.lock:
            return list(self.requests)

    def gap(self, began, ended):
        """The longest time in which nothing was acknowledged, in seconds."""
        return longest_gap([entry[0] for entry in self.all() if entry[5] == 200], began, ended)

    def assert_record(self):
        """How many numbers were used: each by one sync with one body, whichever relay sent it and however often."""
        bodies, syncs = {}, {}
        for _, sync_id, number, _, digest, status, said in self.all():
            assert status == 200, f"sync {sync_id} broke the contract: {status} {said[:300]}"
            bodies.setdefault(number, set()).add((sync_id, digest))
            syncs.setdefault(sync_id, set()).add((number, digest))
        for what, used in (("number", bodies), ("sync ID", syncs)):
            twice = {key: {other for other, _ in found} for key, found in used.items() if len(found) > 1}
            assert not twice, f"one {what}, several bodies: {twice}"
        return len(bodies)

    def held(self):
        held = {}
        for project in {entry[3] for entry in self.all()}:
            state = ask(f"http://{self.sandbox}/v1/rent-roll/properties/{project}")
            if state["units"]:
                held[int(project)] = state["property"]["project_name"]
            for unit, content in state["units"].items():
                held[(int(project), int(unit))] = (content["unit_code"], content["base_rent"])
        return held

    def differences(self, stack):
        source = dict(stack.query("select id, name from projects where exists (select from project_rent_roll_units where project_id = projects.id)"))
        for project, unit, code, price in stack.query("select project_id, id, unit_code, price from project_rent_roll_units"):
            source[(project, unit)] = (code, price)
        held = self.held()
        return [f"{key}: {source.get(key)} in the database, {held.get(key)} at the receiver"
                for key in source.keys() | held.keys() if source.get(key) != held.get(key)]


def seeded(stack):
    stack.query("create table written (number bigint primary key)")
    stack.query(f"insert into projects (id, name, is_actived) select n, 'Property ' || n, true from generate_series(1, {PROPERTIES}) n")
    stack.query(
        "insert into project_rent_roll_units (id, project_id, unit_code, rentroll_status_id, price) "
        f"select p * 100 + u, p, u::text, 1, u from generate_series(1, {PROPERTIES}) p, generate_series(1, {UNITS}) u"
    )


class Writers:
    """Several, each with units of its own, through HAProxy; they remember which changes were committed."""

    def __init__(self, stack, seed):
        self.stack, self.stopping, self.lock = stack, threading.Event(), threading.Lock()
        self.commits, self.failed = {}, 0
        self.threads = [threading.Thread(target=self.write, args=(number, random.Random(f"{seed} {number}")), daemon=True)
                        for number in range(WRITERS)]
        for thread in self.threads:
            thread.start()

    def write(self, writer, chance):
        conn, due = None, time.monotonic() + writer / CHANGES_A_SECOND
        # Unique among all writers of all events, and a price that a double has exactly.
        number = time.time_ns() // 1_000_000 * WRITERS + writer
        units = [p * 100 + u for p in range(1, PROPERTIES + 1) for u in range(1, UNITS + 1) if u % WRITERS == writer]
        added = []
        while not self.stopping.wait(max(0.0, due - time.monotonic())):
            # What could not be written meanwhile is not made up for.
            due = max(due + WRITERS / CHANGES_A_SECOND, time.monotonic() - 1)
            number, kind = number + WRITERS, chance.random()
            if kind < 0.9 or (kind >= 0.95 and not added):
                change = f"update project_rent_roll_units set price = {number} where id = {chance.choice(units)}"
            elif kind < 0.95:
                added.append(10_000 + number % 1_000_000_000)
                change = ("insert into project_rent_roll_units (id, project_id, unit_code, rentroll_status_id, price) "
                          f"values ({added[-1]}, {chance.randint(1, PROPERTIES)}, 'added-{added[-1]}', 1, {number})")
            else:
                change = f"delete from project_rent_roll_units where id = {added.pop(chance.randrange(len(added)))}"
            conn = self.commit(conn, number, f"with noted as (insert into written values ({number})) {change}")

    def commit(self, conn, number, statement):
        """The connection, unless it has to be made anew."""
        try:
            conn = conn or self.stack.connect()
            with conn.cursor() as cursor:
                cursor.execute(statement)
        except psycopg2.Error:
            self.failed += 1
            self.stopping.wait(0.1)
            return None
        with self.lock:
            self.commits[number] = time.monotonic()
        return conn

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive(), "a writer hangs"

    def gap(self, began, ended):
        return longest_gap(self.commits.values(), began, ended)

    def lost(self):
        """Changes that were committed, and that the database has no more."""
        return self.commits.keys() - {number for number, in self.stack.query("select number from written")}
