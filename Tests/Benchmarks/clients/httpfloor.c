/* The physical floor of a gateway: one thread, epoll, keep-alive. The bodies of all sockets that are ready are
   appended to a file with one write and one fdatasync, then each request is answered with 202.

   httpfloor FILE     listens on a free loopback port and prints it. Parses no header but Content-Length. */
#include "common.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { PEERS = 4096, ROUND = 256, MOST = 1 << 14 };

struct peer {
  size_t used;
  int due; /* requests of this round */
  char bytes[MOST];
};

static struct peer *peers[PEERS];
static char batch[ROUND * MOST];
static size_t filled;
static const char answer[] =
    "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 21\r\n\r\n{\"status\":\"accepted\"}";

static void leave(int fd) {
  free(peers[fd]);
  peers[fd] = 0;
  close(fd);
}

/* Extracts complete requests from what was read. */
static void take(struct peer *p) {
  size_t at = 0;
  for (;;) {
    char *head = p->bytes + at, *end = memmem(head, p->used - at, "\r\n\r\n", 4);
    if (!end) break;
    *end = 0;
    char *field = strcasestr(head, "\r\ncontent-length:");
    *end = '\r';
    size_t length = field ? strtoul(field + 17, 0, 10) : 0, whole = end + 4 - head + length;
    if (at + whole > p->used) break;
    memcpy(batch + filled, end + 4, length);
    filled += length;
    batch[filled++] = '\n';
    at += whole;
    p->due++;
  }
  p->used -= at;
  memmove(p->bytes, p->bytes + at, p->used);
}

static int serve(int fd) {
  struct peer *p = peers[fd];
  ssize_t n = read(fd, p->bytes + p->used, MOST - p->used);
  if (n < 0 && errno == EAGAIN) return 1;
  if (n <= 0) return 0;
  p->used += n;
  take(p);
  return p->used < MOST;
}

static void welcome(int listener, int poller) {
  int fd, yes = 1;
  while ((fd = accept4(listener, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    struct epoll_event event = {EPOLLIN, {.fd = fd}};
    if (fd >= PEERS || !(peers[fd] = calloc(1, sizeof **peers))) {
      close(fd);
      continue;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return 64;
  int file = open(argv[1], O_CREAT | O_APPEND | O_WRONLY, 0600), poller = epoll_create1(0);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {0}};
  socklen_t size = sizeof address;
  if (file < 0 || bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4096)) die("httpfloor");
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  struct epoll_event ready[ROUND], event = {EPOLLIN, {.fd = listener}};
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int count = epoll_wait(poller, ready, ROUND, -1);
    filled = 0;
    for (int i = 0; i < count; i++) {
      int fd = ready[i].data.fd;
      if (fd == listener) welcome(listener, poller);
      else if (!serve(fd)) leave(fd);
    }
    if (!filled) continue;
    write_all(file, batch, filled);
    if (fdatasync(file)) die("fdatasync");
    for (int i = 0; i < count; i++) {
      int fd = ready[i].data.fd;
      for (; fd != listener && peers[fd] && peers[fd]->due; peers[fd]->due--)
        if (write(fd, answer, sizeof answer - 1) < 0) break;
    }
  }
}
