/* Writes numbered lines at the times of a Poisson process, each with its own write. If it is late, it writes the
   next line at once, so that the rate holds.

   arrivals COUNT RATE     RATE: lines a second */
#include <math.h>
#include "common.h"

int main(int argc, char **argv) {
  if (argc != 3) return 64;
  long count = atol(argv[1]);
  double rate = atof(argv[2]), at = 0;
  struct timespec start;
  srand48(1);
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (long i = 0; i < count; i++) {
    at += -log(1 - drand48()) / rate;
    long nanos = start.tv_nsec + (long)(fmod(at, 1) * 1e9);
    struct timespec due = {start.tv_sec + (time_t)at + nanos / 1000000000, nanos % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    char line[32];
    int n = snprintf(line, sizeof line, "%ld\n", i);
    write_all(1, line, (size_t)n);
  }
  return 0;
}
