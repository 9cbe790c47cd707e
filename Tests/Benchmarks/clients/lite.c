/* SQLite as a durable queue, as fast as one client can make it: WAL, synchronous=FULL, prepared statements, an
   exclusive connection (no shared memory, no file locks per transaction), no mutexes, large pages, nothing zeroed
   on delete, bodies bound without a copy, and no final checkpoint: after a commit the WAL is the durable copy.

   lite put DB ROWS < lines     inserts every line, ROWS per transaction
   lite drain DB ROWS > lines   selects ROWS by id, writes them and deletes them, in one transaction each */
#include "common.h"
#include <sqlite3.h>

static sqlite3 *db;

static void check(int status) {
  if (status == SQLITE_OK || status == SQLITE_DONE || status == SQLITE_ROW) return;
  fprintf(stderr, "lite: %s\n", sqlite3_errmsg(db));
  exit(1);
}

static sqlite3_stmt *prepare(const char *sql) {
  sqlite3_stmt *s;
  check(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, 0));
  return s;
}

static void run(sqlite3_stmt *s) {
  check(sqlite3_step(s));
  sqlite3_reset(s);
}

static void put(long rows) {
  size_t size;
  const char *p = whole(&size), *end = p + size;
  sqlite3_stmt *begin = prepare("BEGIN IMMEDIATE"), *commit = prepare("COMMIT");
  sqlite3_stmt *insert = prepare("INSERT INTO queue(body) VALUES(?)");
  while (p < end) {
    run(begin);
    for (long i = 0; i < rows && p < end; i++) {
      size_t n = line_at(p, end);
      sqlite3_bind_blob(insert, 1, p, n - 1, SQLITE_STATIC);
      run(insert);
      p += n;
    }
    run(commit);
  }
}

static void drain(long rows) {
  static char out[1 << 22];
  sqlite3_stmt *begin = prepare("BEGIN IMMEDIATE"), *commit = prepare("COMMIT");
  sqlite3_stmt *select = prepare("SELECT id, body FROM queue ORDER BY id LIMIT ?");
  sqlite3_stmt *delete = prepare("DELETE FROM queue WHERE id <= ?");
  for (sqlite3_int64 last = 0; last >= 0;) {
    size_t used = 0;
    last = -1;
    run(begin);
    sqlite3_bind_int64(select, 1, rows);
    while (sqlite3_step(select) == SQLITE_ROW) {
      size_t n = sqlite3_column_bytes(select, 1);
      if (used + n + 1 > sizeof out) die("a batch is larger than 4 MiB");
      last = sqlite3_column_int64(select, 0);
      memcpy(out + used, sqlite3_column_blob(select, 1), n);
      out[used + n] = '\n';
      used += n + 1;
    }
    sqlite3_reset(select);
    if (last >= 0) {
      write_all(1, out, used);
      sqlite3_bind_int64(delete, 1, last);
      run(delete);
    }
    run(commit);
  }
}

int main(int argc, char **argv) {
  if (argc != 4) return 64;
  check(sqlite3_open_v2(argv[2], &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, 0));
  check(sqlite3_exec(db,
                     "PRAGMA page_size=32768; PRAGMA secure_delete=0; PRAGMA locking_mode=EXCLUSIVE;"
                     "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=300;"
                     "CREATE TABLE IF NOT EXISTS queue(id INTEGER PRIMARY KEY, body BLOB NOT NULL)",
                     0, 0, 0));
  if (!strcmp(argv[1], "put")) put(atol(argv[3]));
  else drain(atol(argv[3]));
  return 0;
}
