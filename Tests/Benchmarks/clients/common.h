/* Shared by the clients: a clock, an error exit, the lines on stdin, and commands split at "--". */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static inline double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

static inline void die(const char *what) {
  perror(what);
  exit(1);
}

/* Maps the file on stdin. */
static inline const char *whole(size_t *size) {
  struct stat s;
  if (fstat(0, &s)) die("stdin");
  *size = s.st_size;
  const char *p = mmap(0, s.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, 0, 0);
  if (p == MAP_FAILED) die("stdin must be a file");
  return p;
}

/* Returns the length of the line at p, including its newline; `end` is the end of the input. */
static inline size_t line_at(const char *p, const char *end) {
  const char *e = memchr(p, '\n', end - p);
  return (e ? e + 1 : end) - p;
}

static inline void write_all(int fd, const char *p, size_t n) {
  while (n) {
    ssize_t k = write(fd, p, n);
    if (k < 0) die("write");
    p += k;
    n -= k;
  }
}

/* Splits "-- a b -- c" into {a b} {c}. Returns the number of commands. */
static inline int commands(char **argv, char **out[], int max) {
  int n = 0;
  for (; *argv; argv++)
    if (!strcmp(*argv, "--")) {
      *argv = 0;
      if (argv[1] && n < max) out[n++] = argv + 1;
    }
  return n;
}

/* Starts a command with these files as stdin and stdout. */
static inline pid_t start(char **argv, int in, int out) {
  pid_t pid;
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in, 0);
  posix_spawn_file_actions_adddup2(&files, out, 1);
  if ((errno = posix_spawnp(&pid, argv[0], &files, 0, argv, environ))) die(argv[0]);
  posix_spawn_file_actions_destroy(&files);
  return pid;
}

static inline void settle(pid_t pid, const char *name) {
  int status;
  if (waitpid(pid, &status, 0) < 0 || status) {
    fprintf(stderr, "%s: wait status %#x\n", name, status);
    exit(1);
  }
}
