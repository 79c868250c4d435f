"""The fence, read in the write's own transaction: all that Fig asks of a service's writes.

docs/your-service.md explains the statements. Two classes stand for the two kinds of database; a service needs one.
"""

import hashlib
import hmac
import sqlite3
from contextlib import contextmanager


class Fenced(Exception):
    """This database does not own the capability, or the key. Nothing has happened."""

    def __init__(self, capability, state, epoch, key=None):
        what = capability if key is None else f"{capability} of {key!r}"
        super().__init__(f"{what} is {state} here at epoch {epoch}; ask its owner")
        self.capability, self.state, self.epoch, self.key = capability, state, epoch, key

    def problem(self):
        members = {"capability": self.capability, "state": self.state, "epoch": self.epoch}
        if self.key is not None:
            members["key"] = self.key
        return {
            "type": "urn:fig:problem:fenced",
            "title": "fenced",
            "status": 421,
            "code": "fenced",
            "detail": str(self),
            **members,
        }


FENCES = "SELECT key, state, epoch FROM fig_fence WHERE capability = ? AND key IN (?, '*')"


def require_open(capability, rows, key=None):
    """Raises Fenced unless the fence that counts is open: the key's own, or else that of all others, `*`."""
    fences = {row[0]: row[1:] for row in rows}
    own = key is not None and key in fences
    # A service owns nothing before it has been handed anything.
    state, epoch = fences[key] if own else fences.get("*", ("closed", 0))
    if state != "open":
        raise Fenced(capability, state, int(epoch), key if own else None)


class Sqlite:
    """A transaction that begins IMMEDIATE holds the write lock, so the fence stays as it was read."""

    unique_violation = sqlite3.IntegrityError

    def __init__(self, url):
        self.file = url.removeprefix("file:")

    @contextmanager
    def connected(self):
        connection = sqlite3.connect(self.file, timeout=10, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def write(self, capability, key=None):
        """A transaction behind the fence. It commits at the end, and rolls back on an exception."""
        with self.connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                run = connection.execute
                fences = self._has_fences(run)
                require_open(capability, run(FENCES, (capability, key or "*")) if fences else [], key)
                # While `fig shadow-fence` audits writes, each of the application's own says that it is.
                mark = "UPDATE fig_fence SET watch = ? WHERE capability = ? AND key = '*' AND watch <> 0"
                if fences:
                    run(mark, (2, capability))
                yield run
                if fences:
                    run(mark, (1, capability))
                run("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def read(self, sql, values=()):
        with self.connected() as connection:
            return connection.execute(sql, values).fetchall()

    def fences(self):
        with self.connected() as connection:
            if not self._has_fences(connection.execute):
                return []
            return connection.execute("SELECT capability, key, state, epoch FROM fig_fence").fetchall()

    @staticmethod
    def _has_fences(run):
        return run("SELECT 1 FROM sqlite_schema WHERE name = 'fig_fence'").fetchone() is not None


class Postgres:
    """fig_fence_held takes a lock that writers share: the fence can't close until the transaction ends."""

    def __init__(self, url):
        import psycopg2

        self.psycopg2, self.url = psycopg2, url
        self.unique_violation = psycopg2.errors.UniqueViolation

    @contextmanager
    def transaction(self):
        # A service with more to do takes the connection from a pool.
        connection = self.psycopg2.connect(self.url)
        try:
            with connection, connection.cursor() as cursor:

                def run(sql, values=()):
                    cursor.execute(sql.replace("?", "%s"), values)
                    return cursor

                yield run
        finally:
            connection.close()

    @contextmanager
    def write(self, capability, key=None):
        """A transaction behind the fence. It commits at the end, and rolls back on an exception."""
        with self.transaction() as run:
            rows = []
            if self._has_fences(run):
                # First the lock, then the rows. `fig.door` says that the write is the application's own.
                run("SELECT state, set_config('fig.door', ?, true) FROM fig_fence_held(?)", (capability, capability))
                rows = run(FENCES, (capability, key or "*")).fetchall()
            require_open(capability, rows, key)
            yield run

    def read(self, sql, values=()):
        with self.transaction() as run:
            return run(sql, values).fetchall()

    def fences(self):
        with self.transaction() as run:
            if not self._has_fences(run):
                return []
            return run("SELECT capability, key, state, epoch FROM fig_fence").fetchall()

    @staticmethod
    def _has_fences(run):
        return run("SELECT to_regclass('fig_fence') IS NOT NULL").fetchone()[0]


def open_database(url):
    return Sqlite(url) if url.startswith("file:") else Postgres(url)


def is_token(authorization, token):
    """Whether a request for the fences has the operators' token, or the one for fences that is derived from it."""
    import base64

    digest = hmac.new(token.encode(), b"fences", hashlib.sha256).digest()
    for_fences = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    given = (authorization or "").removeprefix("Bearer ").strip()
    return any(hmac.compare_digest(given.encode(), wanted.encode()) for wanted in (token, for_fences))
