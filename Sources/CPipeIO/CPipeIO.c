#define _GNU_SOURCE  // dup3

#include "CPipeIO.h"

#include <pthread.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>
#include <stdlib.h>

#if defined(__x86_64__)
#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#endif

int cpipe_has_sse42;

// Glibc has asked the processor already. To ask again costs 20 µs in a virtual machine: each CPUID
// is an exit to its host.
__attribute__((constructor)) static void find_sse42(void) {
#ifdef CPU_FEATURE_ACTIVE
  cpipe_has_sse42 = CPU_FEATURE_ACTIVE(SSE4_2);
#else
  cpipe_has_sse42 = __builtin_cpu_supports("sse4.2");
#endif
}
#endif

static int argument_count;
static char **arguments;

// Glibc passes the command line to every constructor.
__attribute__((constructor)) static void keep_arguments(int count, char **vector) {
  argument_count = count;
  arguments = vector;
}

// In a statically linked program, these two replace Swift's own, of stdlib/public/stubs/CommandLine.cpp,
// which search /proc/self/maps for the command line before main: a tenth of the instructions of a
// start. No code of this project calls them.
char **_swift_stdlib_getUnsafeArgvArgc(int *count) {
  *count = argument_count;
  return arguments;
}

void _swift_stdlib_overrideUnsafeArgvArgc(char **vector, int count) {
  keep_arguments(count, vector);
}

static const char *const backtrace = "SWIFT_BACKTRACE";
static const char *backtrace_of_user;

// At start, Swift's runtime looks in ten places for a program that prints backtraces, from its own
// path in /proc/self/exe, and aborts if it cannot read that: unless a setting names the program. A
// trap prints its message in any case. 101: before the constructors of a runtime that is linked
// statically.
__attribute__((constructor(101))) static void set_backtrace(void) {
  backtrace_of_user = getenv(backtrace);
  setenv(backtrace, "enable=no,color=no,interactive=no,swift-backtrace=/", 1);
}

void cpipe_restore_environment(void) {
  if (backtrace_of_user != NULL) {
    setenv(backtrace, backtrace_of_user, 1);
  } else {
    unsetenv(backtrace);
  }
}

char *const *cpipe_arguments(void) { return arguments; }
int cpipe_argument_count(void) { return argument_count; }

uid_t cpipe_effective_user(void) { return (uid_t)getauxval(AT_EUID); }

// struct open_how from linux/openat2.h, which older systems lack.
struct open_how_0 {
  uint64_t flags, mode, resolve;
};
enum { no_magic_links = 0x02, no_symlinks = 0x04, beneath = 0x08, number_of_openat2 = 437 };

static int lacks_openat2;

static int close_keeping_errno(int fd) {
  int code = errno;
  close(fd);
  errno = code;
  return -1;
}

// Component by component, for kernels before 5.6 and sandboxes without openat2.
static int open_stepwise(int dir, const char *path, int flags, unsigned int mode) {
  int at = dir;
  for (;;) {
    char name[256];
    size_t length = strcspn(path, "/");
    if (length == 0 || length >= sizeof name || strncmp(path, "..", length) == 0) {
      errno = EXDEV;
      return at == dir ? -1 : close_keeping_errno(at);
    }
    memcpy(name, path, length);
    name[length] = 0;
    int is_last = path[length] == 0;
    int next = is_last ? openat(at, name, flags | O_NOFOLLOW, mode)
                       : openat(at, name, cpipe_path_only | O_DIRECTORY);
    if (at != dir) {
      int code = errno;
      close(at);
      errno = code;
    }
    if (next < 0 || is_last) return next;
    at = next;
    path += length + 1;
  }
}

int cpipe_open_beneath(int dir, const char *path, int flags, unsigned int mode) {
  if (!__atomic_load_n(&lacks_openat2, __ATOMIC_RELAXED)) {
    struct open_how_0 how = {(unsigned int)flags, flags & O_CREAT ? mode : 0,
                             no_magic_links | no_symlinks | beneath};
    int fd = (int)syscall(number_of_openat2, dir, path, &how, sizeof how);
    // A sandbox may answer EPERM to an unknown system call, but an immutable file gives EPERM too.
    // Only ENOSYS is remembered.
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) return fd;
    if (errno == ENOSYS) __atomic_store_n(&lacks_openat2, 1, __ATOMIC_RELAXED);
  }
  return open_stepwise(dir, path, flags, mode);
}

int cpipe_reopen_directory(int dir) {
  int another = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (another < 0) return -1;
  int result;
  do result = dup3(another, dir, O_CLOEXEC);
  while (result < 0 && (errno == EINTR || errno == EBUSY));
  close(another);
  return result < 0 ? -1 : 0;
}

// All threads share the umask, so one thread at a time creates a file.
static pthread_mutex_t creating = PTHREAD_MUTEX_INITIALIZER;
static int known_mask = -1;

static int create_once(int dir, const char *path, int flags, const struct cpipe_origin *origin) {
  return flags < 0 ? mkdirat(dir, path, origin->mode)
                   : cpipe_open_beneath(dir, path, flags, origin->mode);
}

// Creates the file with the owner's ids, so that a kill leaves no file that the owner cannot use.
// If these ids cannot be set, or the owner may not write to the directory, the file changes hands
// right after its creation.
static int create_as(int dir, const char *path, int flags, const struct cpipe_origin *origin) {
  int old_group = setfsgid(origin->group);
  int old_user = setfsuid(origin->user);
  int is_owner = (uid_t)setfsuid((uid_t)-1) == origin->user;
  int fd = is_owner ? create_once(dir, path, flags, origin) : -1;
  int code = is_owner ? errno : EACCES;
  setfsuid((uid_t)old_user);
  setfsgid((gid_t)old_group);
  errno = code;
  if (fd >= 0 || code != EACCES) return fd;
  fd = create_once(dir, path, flags, origin);
  if (fd < 0) return fd;
  // By descriptor: the name may refer to another file by now.
  int made = flags < 0 ? openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : fd;
  int is_given = made >= 0 && fchown(made, origin->user, origin->group) == 0;
  code = errno;
  if (made >= 0 && (flags < 0 || !is_given)) close(made);
  if (!is_given) unlinkat(dir, path, flags < 0 ? AT_REMOVEDIR : 0);
  errno = code;
  return is_given ? fd : -1;
}

static int create(int dir, const char *path, int flags, const struct cpipe_origin *origin) {
  pthread_mutex_lock(&creating);
  int is_masked = known_mask < 0 || (known_mask & (int)origin->mode) != 0;
  if (is_masked) known_mask = (int)umask(0);
  int fd = origin->is_other ? create_as(dir, path, flags, origin)
                            : create_once(dir, path, flags, origin);
  int code = errno;
  if (is_masked) umask((mode_t)known_mask);
  pthread_mutex_unlock(&creating);
  errno = code;
  return fd;
}

int cpipe_create_beneath(int dir, const char *path, int flags, const struct cpipe_origin *origin) {
  return create(dir, path, flags | O_CREAT | O_EXCL, origin);
}

int cpipe_make_directory(int dir, const char *path, const struct cpipe_origin *origin) {
  return create(dir, path, -1, origin);
}

static volatile sig_atomic_t caught[65];

static void catch_signal(int number) {
  if (number > 0 && number < 65) caught[number] = 1;
}

int cpipe_caught(int number) {
  int came = caught[number];
  caught[number] = 0;
  return came;
}

void cpipe_begin_interruption(struct cpipe_interruption *all, const sigset_t *stops) {
  sigset_t open = *stops;
  sigaddset(&open, SIGALRM);
  // No SA_RESTART: the blocked call ends with EINTR.
  struct sigaction action = {0};
  action.sa_handler = catch_signal;
  for (int number = 1; number < 65; number++)
    if (sigismember(&open, number) == 1) sigaction(number, &action, NULL);
  // For this thread alone: a signal to another thread would not interrupt this one's call.
  struct sigevent event = {0};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGALRM;
  event._sigev_un._tid = (int)syscall(SYS_gettid);
  all->has_timer = timer_create(CLOCK_BOOTTIME, &event, &all->timer) == 0;
  struct itimerspec second = {{1, 0}, {1, 0}};
  if (all->has_timer) timer_settime(all->timer, 0, &second, NULL);
  pthread_sigmask(SIG_UNBLOCK, &open, &all->mask);
}

void cpipe_end_interruption(struct cpipe_interruption *all) {
  pthread_sigmask(SIG_SETMASK, &all->mask, NULL);
  if (all->has_timer) timer_delete(all->timer);
}

// The value of each digit, plus 32; 0 for other bytes. The alphabet lacks I, L, O and U.
static const uint8_t base32_values[256] = {
    ['0'] = 32, ['1'] = 33, ['2'] = 34, ['3'] = 35, ['4'] = 36, ['5'] = 37, ['6'] = 38, ['7'] = 39,
    ['8'] = 40, ['9'] = 41, ['A'] = 42, ['B'] = 43, ['C'] = 44, ['D'] = 45, ['E'] = 46, ['F'] = 47,
    ['G'] = 48, ['H'] = 49, ['J'] = 50, ['K'] = 51, ['M'] = 52, ['N'] = 53, ['P'] = 54, ['Q'] = 55,
    ['R'] = 56, ['S'] = 57, ['T'] = 58, ['V'] = 59, ['W'] = 60, ['X'] = 61, ['Y'] = 62, ['Z'] = 63};

int cpipe_base32(const void *bytes, struct cpipe_base32_number *number) {
  const uint8_t *text = bytes;
  uint64_t first = 0, second = 0;
  uint8_t both = 32;
  for (int at = 0; at < 13; at++) {
    uint8_t one = base32_values[text[at]], other = base32_values[text[at + 13]];
    both &= one & other;
    first = first << 5 | (one & 31);
    second = second << 5 | (other & 31);
  }
  // The second half has 65 bits: its highest is the lowest of the first half.
  number->high = first << 1 | (base32_values[text[13]] >> 4 & 1);
  number->low = second;
  return both == 0 || text[0] > '7' ? -1 : 0;
}

int cpipe_punch_hole(int fd, off_t start, off_t count) {
  return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, count);
}

int cpipe_set_written(int fd, struct timespec time) {
  struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, time};
  return futimens(fd, times);
}

off_t cpipe_next_data(int fd, off_t start) { return lseek(fd, start, SEEK_DATA); }
