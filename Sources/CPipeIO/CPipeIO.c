#include "CPipeIO.h"

static int argument_count;
static char **arguments;

// Swift finds the command line by way of /proc/self/maps, and takes it for empty where that cannot be
// opened. Glibc gives it to every constructor.
__attribute__((constructor)) static void keep_arguments(int count, char **vector) {
  argument_count = count;
  arguments = vector;
}

int cpipe_argument_count(void) { return argument_count; }
const char *cpipe_argument(int index) { return arguments[index]; }
