/* POSTs numbers to a gateway in an open loop: each at its scheduled time, whether earlier ones are answered or not.

   poster PORT COUNT WARMUP RATE     RATE: requests a second; prints "<number> <start in ns, CLOCK_MONOTONIC>"

   The start is taken before the request is written. Numbers of the warm-up are negative and not printed. */
#include "common.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum { CONNECTIONS = 64 };

static int to(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
  struct sockaddr_in address = {AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}, {0}};
  struct timeval patience = {20, 0};
  if (connect(fd, (struct sockaddr *)&address, sizeof address)) die("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

/* Whether the response is complete. */
static int whole_answer(const char *bytes, size_t used) {
  const char *end = strstr(bytes, "\r\n\r\n"), *length = strcasestr(bytes, "\ncontent-length:");
  return end && length && used >= (size_t)(end + 4 - bytes) + strtoul(length + 16, 0, 10);
}

/* Reads the response to the last request of a connection, which must be 202. */
static void hear(int fd) {
  static char bytes[4096];
  size_t used = 0;
  for (bytes[0] = 0; !whole_answer(bytes, used); bytes[used] = 0) {
    ssize_t n = read(fd, bytes + used, sizeof bytes - 1 - used);
    if (n <= 0) die("no answer");
    used += n;
  }
  if (strncmp(bytes, "HTTP/1.1 202", 12)) {
    fprintf(stderr, "poster: %.40s\n", bytes);
    exit(1);
  }
}

int main(int argc, char **argv) {
  if (argc != 5) return 64;
  int port = atoi(argv[1]), count = atoi(argv[2]), warmup = atoi(argv[3]), fd[CONNECTIONS];
  double rate = atof(argv[4]);
  int64_t *start = calloc(count, sizeof *start);
  for (int i = 0; i < CONNECTIONS; i++) fd[i] = to(port);
  struct timespec first, t;
  clock_gettime(CLOCK_MONOTONIC, &first);
  for (int i = 0; i < count + warmup; i++) {
    int64_t due = first.tv_nsec + (int64_t)(i / rate * 1e9);
    t = (struct timespec){first.tv_sec + due / 1000000000, due % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0);
    clock_gettime(CLOCK_MONOTONIC, &t);
    int one = fd[i % CONNECTIONS];
    if (i >= warmup) start[i - warmup] = t.tv_sec * 1000000000LL + t.tv_nsec;
    /* This connection was used 64 requests ago. A wait for that response counts towards this request. */
    if (i >= CONNECTIONS) hear(one);
    char body[16], request[256];
    int n = snprintf(body, sizeof body, "%d", i - warmup);
    n = snprintf(request, sizeof request, "POST /log HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                 "Content-Length: %d\r\n\r\n%s", n, body);
    write_all(one, request, n);
  }
  for (int i = 0; i < CONNECTIONS && i < count + warmup; i++) hear(fd[i]);
  for (int i = 0; i < count; i++) printf("%d %lld\n", i, (long long)start[i]);
  return 0;
}
