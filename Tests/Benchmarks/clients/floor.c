/* The physical floor of a durable enqueue: appends stdin to a file and flushes it, and does nothing else.

   floor FILE BYTES        one write and one fdatasync for every read of up to BYTES
   floor FILE BYTES echo   also writes the bytes to stdout after the flush: the floor of a receipt or a delivery */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 3) return 64;
  int file = open(argv[1], O_CREAT | O_APPEND | O_WRONLY, 0600);
  if (file < 0) return 73;
  size_t max = strtoul(argv[2], 0, 10);
  char *buffer = malloc(max);
  ssize_t n;
  while ((n = read(0, buffer, max)) > 0) {
    if (write(file, buffer, n) != n || fdatasync(file)) return 74;
    if (argc > 3 && write(1, buffer, n) != n) return 74;
  }
  return n < 0 ? 74 : 0;
}
