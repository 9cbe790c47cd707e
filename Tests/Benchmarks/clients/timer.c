/* Runs commands one after another, each once per round, and times each run from its spawn to its end.
   The stdin of a run is a memory file with the next line of this program's stdin; its stdout is /dev/null.

   timer ROUNDS -- A … [-- B …]… < lines     prints "<index of the command> <microseconds>" for every run */
#include "common.h"

int main(int argc, char **argv) {
  char **command[16];
  size_t size;
  int count = commands(argv, command, 16), rounds = argc > 1 ? atoi(argv[1]) : 0;
  const char *lines = whole(&size), *end = lines + size, *p = lines;
  int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  double *took = calloc((size_t)rounds * count + 1, sizeof *took);
  for (int i = 0; i < rounds * count; i++) {
    if (p == end) p = lines;
    size_t n = line_at(p, end);
    int in = memfd_create("line", MFD_CLOEXEC);
    write_all(in, p, n);
    lseek(in, 0, SEEK_SET);
    p += n;
    double from = now();
    settle(start(command[i % count], in, null), command[i % count][0]);
    took[i] = now() - from;
    close(in);
  }
  for (int i = 0; i < rounds * count; i++) printf("%d %.1f\n", i % count, took[i] * 1e6);
  return 0;
}
