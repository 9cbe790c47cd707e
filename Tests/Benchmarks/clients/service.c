/* Sleeps for an exponentially distributed time and ends with 0.

   service SECONDS     the mean */
#include <math.h>
#include <stdint.h>
#include "common.h"

int main(int argc, char **argv) {
  struct timespec now;
  if (argc != 2) return 64;
  clock_gettime(CLOCK_MONOTONIC, &now);
  /* Two processes started in a row share the leading bits of the time, and drand48 mixes little. */
  uint64_t x = (uint64_t)now.tv_nsec * 0x9E3779B97F4A7C15u ^ (uint64_t)getpid() * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 31) * 0x94D049BB133111EBu;
  x ^= x >> 29;
  double seconds = -log(((double)(x >> 11) + 1) / 9007199254740993.0) * atof(argv[1]);
  struct timespec span = {(time_t)seconds, (long)(fmod(seconds, 1) * 1e9)};
  nanosleep(&span, NULL);
  return 0;
}
