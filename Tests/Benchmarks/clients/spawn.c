/* The floor of "a command per record": posix_spawn of the same command, PARALLEL at a time, without a queue.

   spawn TIMES PARALLEL -- COMMAND … */
#include "common.h"

int main(int argc, char **argv) {
  char **command[1] = {0};
  if (commands(argv, command, 1) != 1 || argc < 5) return 64;
  int times = atoi(argv[1]), parallel = atoi(argv[2]), running = 0, status;
  for (int i = 0; i < times; i++, running++) {
    pid_t pid;
    if (running == parallel && wait(&status) > 0) running--;
    if ((errno = posix_spawn(&pid, command[0][0], 0, 0, command[0], environ))) die(command[0][0]);
  }
  while (wait(&status) > 0) continue;
  return 0;
}
