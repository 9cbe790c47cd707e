#include <postgresql/libpq-fe.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

// A descriptor that is readable while any of those added to it is.
static inline int cpq_set(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline int cpq_add(int set, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
  return epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

static inline int cpq_remove(int set, int fd) {
  return epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL);
}

// A descriptor that is readable from `cpq_raise` to `cpq_clear`.
static inline int cpq_flag(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline void cpq_raise(int flag) { eventfd_write(flag, 1); }
static inline void cpq_clear(int flag) {
  eventfd_t count;
  eventfd_read(flag, &count);
}
