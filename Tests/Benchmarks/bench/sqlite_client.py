"""The durable queue of lite.c, through Python's sqlite3 module: the same table and the same statements.

python3 sqlite_client.py put DB ROWS < lines
python3 sqlite_client.py drain DB ROWS > lines
"""
import itertools
import sqlite3
import sys

SETUP = ("PRAGMA page_size=32768; PRAGMA secure_delete=0; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
         "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=300;"
         "CREATE TABLE IF NOT EXISTS queue(id INTEGER PRIMARY KEY, body BLOB NOT NULL)")


def put(db, rows):
    while chunk := [(line[:-1],) for line in itertools.islice(sys.stdin.buffer, rows)]:
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO queue(body) VALUES(?)", chunk)
        db.execute("COMMIT")


def drain(db, rows):
    while True:
        db.execute("BEGIN IMMEDIATE")
        taken = db.execute("SELECT id, body FROM queue ORDER BY id LIMIT ?", (rows,)).fetchall()
        if taken:
            sys.stdout.buffer.write(b"\n".join(body for _, body in taken) + b"\n")
            sys.stdout.buffer.flush()
            db.execute("DELETE FROM queue WHERE id <= ?", (taken[-1][0],))
        db.execute("COMMIT")
        if not taken:
            return


if __name__ == "__main__":
    connection = sqlite3.connect(sys.argv[2], isolation_level=None)
    connection.executescript(SETUP)
    {"put": put, "drain": drain}[sys.argv[1]](connection, int(sys.argv[3]))
