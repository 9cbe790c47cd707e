/* A handler that records when it was started. It reads the clock first.

   started FILE     appends "<the line on stdin> <ns, CLOCK_MONOTONIC>" */
#include "common.h"

int main(int argc, char **argv) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  char line[64];
  ssize_t n = read(0, line, 20);
  int file = argc == 2 ? open(argv[1], O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
  if (n < 2 || file < 0) return 64;
  n += snprintf(line + n - 1, sizeof line - n, " %lld\n", t.tv_sec * 1000000000LL + t.tv_nsec) - 1;
  return write(file, line, n) != n;
}
