/* Prints the largest resident size of a command, in KiB, as the last line on stderr. A small static program measures
   it, because a child starts with the size of the process that spawned it.

   resident -- COMMAND …     passes on stdin, stdout and the exit status */
#include "common.h"
#include <sys/resource.h>

int main(int argc, char **argv) {
  char **command[1] = {0};
  struct rusage used;
  int status;
  if (argc < 3 || commands(argv, command, 1) != 1) return 64;
  if (wait4(start(command[0], 0, 1), &status, 0, &used) < 0) die("wait4");
  fprintf(stderr, "%ld\n", used.ru_maxrss);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
