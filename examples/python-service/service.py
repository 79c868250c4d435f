"""A service of notes in Python, to which Fig can move the notes of a monolith.

DATABASE_URL is `file:` and a path, or `postgres:`. PORT 0 is any free port. FIG_TOKEN guards /fences.
"""

import hashlib
import json
import os
import signal
import sys

from flask import Flask, Response, request
from werkzeug.serving import make_server

from fence import Fenced, is_token, open_database

CAPABILITY = "notes"
SCHEMA = [
    "CREATE TABLE IF NOT EXISTS notes (id text PRIMARY KEY, owner text NOT NULL, body text NOT NULL)",
    "CREATE TABLE IF NOT EXISTS request_keys"
    " (key text PRIMARY KEY, hash text NOT NULL, status integer NOT NULL, answer text NOT NULL)",
]

app = Flask(__name__)
database = open_database(os.environ["DATABASE_URL"])


def answer(status, body, kind="application/json", **headers):
    return Response(json.dumps(body), status, {"content-type": kind, **headers})


def problem(status, code, detail):
    return answer(status, {"code": code, "status": status, "detail": detail}, "application/problem+json")


@app.errorhandler(Fenced)
def fenced(error):
    return answer(421, error.problem(), "application/problem+json")


@app.get("/livez")
def livez():
    return answer(200, {"status": "ok"})


@app.get("/readyz")
def readyz():
    try:
        database.read("SELECT id FROM notes LIMIT 1")
    except Exception:
        return answer(503, {"status": "not ready"})
    return answer(200, {"status": "ok"})


@app.get("/fences")
def fences():
    token = os.environ.get("FIG_TOKEN")
    if token and not is_token(request.headers.get("authorization"), token):
        return problem(401, "token_required", "send the token as authorization: Bearer <token>")
    names = ("capability", "key", "state", "epoch")
    return answer(200, {"fences": [dict(zip(names, row)) for row in database.fences()]})


@app.get("/notes")
def list_notes():
    rows = database.read("SELECT id, owner, body FROM notes ORDER BY id LIMIT 100")
    return answer(200, {"notes": [dict(zip(("id", "owner", "body"), row)) for row in rows]})


@app.get("/notes/<note>")
def read_note(note):
    rows = database.read("SELECT id, owner, body FROM notes WHERE id = ?", (note,))
    if not rows:
        return problem(404, "not_found", f"there is no note {note}")
    return answer(200, dict(zip(("id", "owner", "body"), rows[0])))


@app.post("/notes")
def create_note():
    note = request.get_json()

    def create(run):
        if not note["owner"]:
            return 422, {"code": "no_owner", "status": 422, "detail": "a note has an owner"}
        run("INSERT INTO notes (id, owner, body) VALUES (?, ?, ?)", (note["id"], note["owner"], note["body"]))
        return 201, note

    return once(create, note["owner"] or None)


def once(work, owner):
    """Fence, key, effect and answer in one transaction: a request that comes again gets the first one's answer."""
    key = request.headers.get("idempotency-key")
    digest = hashlib.sha256(f"{request.method} {request.path} ".encode() + request.get_data()).hexdigest()
    for attempt in (1, 2):
        try:
            with database.write(CAPABILITY, owner) as run:
                row = key and run("SELECT hash, status, answer FROM request_keys WHERE key = ?", (key,)).fetchone()
                if row and row[0] != digest:
                    return problem(422, "key_reused", "this Idempotency-Key was sent with another request")
                if row:
                    return answer(row[1], json.loads(row[2]), **{"idempotent-replayed": "true"})
                status, body = work(run)
                if key:
                    run("INSERT INTO request_keys VALUES (?, ?, ?, ?)", (key, digest, status, json.dumps(body)))
            return answer(status, body)
        except database.unique_violation:
            # The same key came twice at once: the other request was first, and has left its answer.
            if attempt == 2:
                return problem(409, "conflict", "there is such a note")


def create_schema():
    if os.environ["DATABASE_URL"].startswith("file:"):
        with database.connected() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            for statement in SCHEMA:
                connection.execute(statement)
    else:
        with database.transaction() as run:
            for statement in SCHEMA:
                run(statement)


if __name__ == "__main__":
    create_schema()
    server = make_server("127.0.0.1", int(os.environ.get("PORT", "5000")), app, threaded=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
