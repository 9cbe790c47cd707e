/* Holds connections that send GET /health once and then stay idle.

   idle PORT COUNT     prints "open" once all are answered; at the end of stdin, the number that are still open */
#include "common.h"
#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/socket.h>

static const char question[] = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

int main(int argc, char **argv) {
  if (argc != 3) return 64;
  int count = atoi(argv[2]), open_ones = 0, *fd = calloc(count, sizeof *fd);
  struct rlimit files = {count + 64, count + 64};
  struct sockaddr_in address = {AF_INET, htons(atoi(argv[1])), {htonl(INADDR_LOOPBACK)}, {0}};
  struct timeval patience = {20, 0};
  char bytes[4096];
  if (setrlimit(RLIMIT_NOFILE, &files)) die("ulimit -n");
  for (int i = 0; i < count; i++) {
    fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd[i], (struct sockaddr *)&address, sizeof address)) die("connect");
    write_all(fd[i], question, sizeof question - 1);
    /* The response is small and arrives in one piece. */
    if (read(fd[i], bytes, sizeof bytes) < 12 || memcmp(bytes, "HTTP/1.1 200", 12)) die("no answer");
  }
  puts("open");
  fflush(stdout);
  while (read(0, bytes, sizeof bytes) > 0) {
  }
  for (int i = 0; i < count; i++)
    open_ones += recv(fd[i], bytes, sizeof bytes, MSG_DONTWAIT) < 0 && errno == EAGAIN;
  printf("%d\n", open_ones);
  return 0;
}
