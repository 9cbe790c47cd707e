/* Times a beanstalkd "put" until it arrives at a connection that waits in "reserve". What follows (the response to
   the put, the delete) is not timed. The consumer is waiting again before the next put.

   beanstalk PORT LINES WARMUP PER_SECOND < lines     prints microseconds, one line per line */
#include "common.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static char buffer[1 << 17];

static int connection(int port) {
  int s = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(s, (void *)&to, sizeof to)) die("connect");
  setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return s;
}

/* Reads one response: its first line, then the number of bytes that it announces. */
static void answer(int s, const char *wanted) {
  size_t used = 0, body = 0;
  char *eol = 0;
  while (!eol || used < (size_t)(eol + 1 - buffer) + body) {
    ssize_t k = read(s, buffer + used, sizeof buffer - 1 - used);
    if (k <= 0) die("the server went away");
    buffer[used += k] = 0;
    if (!eol && (eol = strchr(buffer, '\n')) && sscanf(buffer, "RESERVED %*u %zu", &body) == 1) body += 2;
  }
  if (strncmp(buffer, wanted, strlen(wanted))) {
    fprintf(stderr, "beanstalkd: %s, not %s\n", buffer, wanted);
    exit(1);
  }
}

int main(int argc, char **argv) {
  if (argc != 5) return 64;
  int producer = connection(atoi(argv[1])), waiter = connection(atoi(argv[1]));
  int lines = atoi(argv[2]), warmup = atoi(argv[3]), rate = atoi(argv[4]);
  size_t size;
  const char *first = whole(&size), *end = first + size, *p = first;
  static char put[1 << 17];
  double *took = calloc(lines + 1, sizeof *took), next = now() + 0.5;
  for (int i = -warmup; i < lines; i++) {
    if (p == end) p = first;
    size_t n = line_at(p, end);
    int k = snprintf(put, sizeof put, "put 100 0 60 %zu\r\n%.*s\r\n", n - 1, (int)n - 1, p);
    write_all(waiter, "reserve\r\n", 9);
    struct timespec t = {(time_t)next, (long)((next - (time_t)next) * 1e9)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0);
    next += 1.0 / rate;
    double begin = now();
    write_all(producer, put, k);
    answer(waiter, "RESERVED");
    if (i >= 0) took[i] = now() - begin;
    unsigned long id;
    sscanf(buffer, "RESERVED %lu", &id);
    answer(producer, "INSERTED");
    k = snprintf(put, sizeof put, "delete %lu\r\n", id);
    write_all(waiter, put, k);
    answer(waiter, "DELETED");
    p += n;
  }
  for (int i = 0; i < lines; i++) printf("%.1f\n", took[i] * 1e6);
  return 0;
}
