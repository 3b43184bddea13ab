#!/usr/bin/env python3
"""A receiver of AiGent's rent roll that keeps the whole contract: docs/partner-guide.md, "What to do with a body".

Python's standard library and SQLite, nothing else. For format "property", batch "per_property", with extensions.

    RECEIVER_KEY=secret python3 receiver.py --listen 127.0.0.1:8081 --database rentroll.db

POST /v1/rent-roll/sync takes syncs; GET /v1/rent-roll/properties/ID shows what is held.
"""
import argparse
import hashlib
import hmac
import json
import os
import sqlite3
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BYTES_MAX = 64 * 1024 * 1024
SCHEMA = """
    create table if not exists sync (sync_id text primary key, answer text not null, at integer not null);
    create index if not exists sync_at on sync (at);
    create table if not exists property (id text primary key, sequence integer not null, fields text, snapshot_id text);
    create table if not exists unit (property text, id integer, hash text not null, content text not null, primary key (property, id));
    create table if not exists part (property text, part integer, primary key (property, part));
    create table if not exists present (property text, id integer, primary key (property, id));
"""


class Refused(Exception):
    """Nothing is applied; the sender gets this status and why."""

    def __init__(self, status, why):
        super().__init__(why)
        self.status = status


def must(condition, why):
    if not condition:
        raise Refused(400, why)


def is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


def read(text, header):
    """The body, once it is what was agreed. Fields that are not known are passed over: more may come."""
    try:
        body = json.loads(text)
        sync, units, gone, keep = body["sync_metadata"], body["units"], body["removed_units"], body["keep"]
        must(sync["sync_id"] == header, "sync_id: is not that of the header X-Aigent-Sync-ID")
        must(sync["sync_type"] in ("delta", "snapshot", "replay"), "sync_type: expected delta, snapshot or replay")
        must(all(is_int(sync[key]) for key in ("sequence", "part", "parts")), "sequence, part, parts: expected integers")
        must(1 <= sync["part"] <= sync["parts"], "part: expected one of parts")
        must(sync["sync_type"] != "snapshot" or sync["snapshot_id"], "snapshot_id: is missing")
        must(isinstance(body["property"]["project_id"], (int, str)), "project_id: expected a number or a text")
        must(all(is_int(unit["unit_id"]) and isinstance(unit["content_hash"], str) for unit in units), "units: expected unit_id, content_hash")
        must(all(is_int(unit["unit_id"]) for unit in gone) and all(map(is_int, keep)), "removed_units, keep: expected unit ids")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Refused(400, f"the body is not as agreed: {type(error).__name__} {error}") from None
    return body


def cannot_take(unit):
    """What this receiver requires of a unit; yours may require something else."""
    if not unit.get("unit_code"):
        return "unit_code is required"
    return None


class Store:
    """What is held. One sync is one transaction, one after the other."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.executescript("pragma journal_mode = wal;" + SCHEMA)

    def receive(self, sync_id, body):
        with self.lock:
            self.db.execute("begin immediate")
            try:
                known = self.db.execute("select answer from sync where sync_id = ?", [sync_id]).fetchone()
                answer = known[0] if known else self.remember(sync_id, self.apply(body))
                self.db.execute("commit")
                return answer
            except BaseException:
                self.db.execute("rollback")
                raise

    def remember(self, sync_id, answer):
        # What is older than these is stale by its sequence.
        now, text = int(time.time()), json.dumps(answer)
        self.db.execute("delete from sync where at < ?", [now - 14 * 86400])
        self.db.execute("insert into sync (sync_id, answer, at) values (?, ?, ?)", [sync_id, text, now])
        return text

    def apply(self, body):
        sync, run = body["sync_metadata"], self.db.execute
        of = json.dumps(body["property"]["project_id"])
        newest, pending = run("select sequence, snapshot_id from property where id = ?", [of]).fetchone() or (0, None)
        if sync["sequence"] < newest:
            return {"status": "stale", "sequence": newest}
        errors = []
        for gone in body["removed_units"]:
            run("delete from unit where property = ? and id = ?", [of, gone["unit_id"]])
        for unit in body["units"]:
            if why := cannot_take(unit):
                errors.append({"unit_id": unit["unit_id"], "message": why})
            else:
                row = [of, unit["unit_id"], unit["content_hash"], json.dumps(unit)]
                run("insert or replace into unit (property, id, hash, content) values (?, ?, ?, ?)", row)
        snapshot = sync["snapshot_id"] if sync["sync_type"] == "snapshot" else None
        if snapshot is None or snapshot != pending:
            run("delete from part where property = ?", [of])
            run("delete from present where property = ?", [of])
        if snapshot is not None:
            snapshot = self.collect(of, sync, body)
        row = [of, sync["sequence"], json.dumps(body["property"]), snapshot]
        run("insert or replace into property (id, sequence, fields, snapshot_id) values (?, ?, ?, ?)", row)
        answer = {"errors": errors}
        if sync["part"] == sync["parts"]:
            answer["property_digest"] = self.digest(of)
        return answer

    def collect(self, of, sync, body):
        """Notes a part of a snapshot; after the last one what is in none of them is dropped, and it is over."""
        run = self.db.execute
        run("insert or ignore into part values (?, ?)", [of, sync["part"]])
        present = [unit["unit_id"] for unit in body["units"]] + body["keep"]
        self.db.executemany("insert or ignore into present values (?, ?)", [(of, unit_id) for unit_id in present])
        if run("select count(*) from part where property = ?", [of]).fetchone()[0] < sync["parts"]:
            return sync["snapshot_id"]
        run("delete from unit where property = ?1 and id not in (select id from present where property = ?1)", [of])
        return None

    def digest(self, of):
        digest = 0
        for unit_id, content_hash in self.db.execute("select id, hash from unit where property = ?", [of]):
            digest ^= int.from_bytes(hashlib.sha256(f"{unit_id}:{content_hash}".encode()).digest(), "big")
        return f"{digest:064x}"

    def show(self, of):
        with self.lock:
            found = self.db.execute("select fields, sequence from property where id = ?", [of]).fetchone()
            units = self.db.execute("select id, content from unit where property = ? order by id", [of]).fetchall()
            if found is None:
                raise Refused(404, f"property {of} was never received")
            return {"property": json.loads(found[0]), "units": {unit_id: json.loads(content) for unit_id, content in units},
                    "property_digest": self.digest(of), "sequence": found[1]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store, key = None, ""

    def do_POST(self):
        self.answer(lambda: (self.body(), self.known_sender(), self.sync())[2])

    def do_GET(self):
        self.answer(lambda: (self.known_sender(), self.shown())[1])

    def answer(self, handle):
        try:
            status, text = 200, handle()
        except Refused as refused:
            status, text = refused.status, json.dumps({"error": str(refused)})
            self.close_connection = status == 413
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def body(self):
        """All of it first: what is left unread would be taken for the next request."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > BYTES_MAX:
            raise Refused(413, f"expected at most {BYTES_MAX} bytes")
        self.bytes = self.rfile.read(length)

    def known_sender(self):
        if self.key and not hmac.compare_digest(self.headers.get("X-API-Key", "").encode(), self.key.encode()):
            raise Refused(401, "X-API-Key: is not the agreed one")

    def sync(self):
        if self.path != "/v1/rent-roll/sync":
            raise Refused(404, "expected POST /v1/rent-roll/sync")
        text = self.bytes
        if self.headers.get("Content-Encoding") == "gzip":
            try:
                unpacking = zlib.decompressobj(wbits=31)
                text = unpacking.decompress(text, BYTES_MAX)
            except zlib.error as error:
                raise Refused(400, f"the body is not gzip: {error}") from None
            if not unpacking.eof:
                raise Refused(413, f"expected at most {BYTES_MAX} bytes, unpacked")
        sync_id = self.headers.get("X-Aigent-Sync-ID", "")
        return self.store.receive(sync_id, read(text, sync_id))

    def shown(self):
        path, _, of = self.path.rpartition("/")
        if path != "/v1/rent-roll/properties":
            raise Refused(404, "expected GET /v1/rent-roll/properties/ID")
        return json.dumps(self.store.show(of if of.lstrip("-").isdigit() else json.dumps(of)))

    def log_message(self, *_):
        """Nothing: a body may hold a lead's name."""


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--listen", default="127.0.0.1:8081")
    options.add_argument("--database", default="rentroll.db")
    given = options.parse_args()
    host, port = given.listen.rsplit(":", 1)
    Handler.store, Handler.key = Store(given.database), os.environ.get("RECEIVER_KEY", "")
    server = ThreadingHTTPServer((host, int(port)), Handler)
    print(f"receiver at http://{host}:{server.server_port}/v1/rent-roll/sync", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
