// Linux calls that Swift cannot import (variadic calls, macros), helpers in C, and CRC32C by
// processor instruction.
#ifndef CPIPEIO_H
#define CPIPEIO_H

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Declared here because _GNU_SOURCE would change structures that Swift's own Glibc module also has.
int renameat2(int, const char *, int, const char *, unsigned int);
int memfd_create(const char *, unsigned int);
int syncfs(int);
void *memmem(const void *, size_t, const void *, size_t);
int pipe2(int *, int);
int ppoll(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);

int cpipe_argument_count(void);
// The words of the command line, and NULL.
char *const *cpipe_arguments(void);
// Sets SWIFT_BACKTRACE, which changes before main, to what the user set, or removes it.
void cpipe_restore_environment(void);

static inline int cpipe_rename_noreplace(int dir, const char *from, const char *to) {
  return renameat2(dir, from, dir, to, 1u /* RENAME_NOREPLACE */);
}

static inline int cpipe_rename_exchange(int dir, const char *a, const char *b) {
  return renameat2(dir, a, dir, b, 2u /* RENAME_EXCHANGE */);
}

static inline long cpipe_getdents(int fd, void *buffer, size_t size) {
  return syscall(SYS_getdents64, fd, buffer, size);
}

// Whether stdin, stdout or stderr may be closed.
static inline int cpipe_lacks_standard_descriptors(void) {
  struct pollfd all[] = {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}};
  if (poll(all, 3, 0) < 0) return 1;
  return (all[0].revents | all[1].revents | all[2].revents) & POLLNVAL;
}

static inline int cpipe_openat(int dir, const char *path, int flags, unsigned int mode) {
  return openat(dir, path, flags, mode);
}

// Whether no other process has the file open; fd must be open for writing. 0 also if the kernel does
// not say, as for another user's file.
static inline int cpipe_is_open_here_only(int fd) {
  // The kernel grants a write lease only then. <fcntl.h> has F_SETLEASE for _GNU_SOURCE alone.
  enum { set_lease = 1024 };
  return fcntl(fd, set_lease, F_WRLCK) == 0 && fcntl(fd, set_lease, F_UNLCK) == 0;
}

// The values that distinguish a file from a copy: its inode and, if the file system records one,
// its birth time in ns.
static inline int cpipe_birth(int fd, uint64_t *inode, uint64_t *birth) {
  struct statx found;
  if (syscall(SYS_statx, fd, "", 0x1000 /* AT_EMPTY_PATH */, STATX_INO | STATX_BTIME, &found) != 0) return -1;
  *inode = found.stx_ino;
  *birth = found.stx_mask & STATX_BTIME ? (uint64_t)found.stx_btime.tv_sec * 1000000000u + found.stx_btime.tv_nsec : 0;
  return 0;
}
// O_PATH, O_NOFOLLOW and O_CLOEXEC: for a file's status, not its contents.
static const int cpipe_path_only = 010000000 | O_NOFOLLOW | O_CLOEXEC;

// Opens `path` beneath `dir`. Follows no symbolic link in any component.
int cpipe_open_beneath(int dir, const char *path, int flags, unsigned int mode);

// Gives the directory a new open file under the same descriptor, without the locks of the old one.
int cpipe_reopen_directory(int dir);

// The owner of new files, and their mode whatever the umask.
struct cpipe_origin {
  uid_t user;
  gid_t group;
  unsigned int mode;
  int is_other;  // `user` is not the one that this process runs as
};

// Creates and opens a file that does not exist (adds O_CREAT and O_EXCL).
int cpipe_create_beneath(int dir, const char *path, int flags, const struct cpipe_origin *origin);
int cpipe_make_directory(int dir, const char *path, const struct cpipe_origin *origin);

// Makes no system call.
uid_t cpipe_effective_user(void);

int fallocate(int, int, off_t, off_t);
// Frees the disk space of bytes, which then are zeros; the size stays.
int cpipe_punch_hole(int fd, off_t start, off_t count);
// Sets the time of the last write (mtime).
int cpipe_set_written(int fd, struct timespec time);
// The first byte at or after `start` that may have disk space; -1 with ENXIO if there is none.
off_t cpipe_next_data(int fd, off_t start);
int fsetxattr(int, const char *, const void *, size_t, int);

static inline void cpipe_close_files(void) { syscall(SYS_close_range, 3u, ~0u, 0u); }

static const int cpipe_o_path = 010000000;  // O_PATH
// The command starts in this directory.
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *, const char *);

static inline int cpipe_start_in(posix_spawn_file_actions_t *actions, const char *directory) {
  return posix_spawn_file_actions_addchdir_np(actions, directory);
}

// Whether this user may execute the regular file.
static inline int cpipe_is_executable(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && S_ISREG(status.st_mode)
    && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

static const int cpipe_o_tmpfile = 020200000;  // O_TMPFILE

// A descriptor that keeps a file open but neither end of a pipe.
static inline int cpipe_open_path(const char *path) {
  return open(path, 010000000 /* O_PATH */ | O_CLOEXEC);
}

static inline int cpipe_unread_bytes(int fd, int *count) { return ioctl(fd, FIONREAD, count); }

static inline int cpipe_memfd(const char *name) { return memfd_create(name, 1u /* MFD_CLOEXEC */); }

static inline int cpipe_pipe(int *ends) { return pipe2(ends, O_CLOEXEC); }
static inline int cpipe_set_nonblocking(int fd) {
  return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static inline int cpipe_resize_pipe(int fd, int size) {
  return fcntl(fd, 1031 /* F_SETPIPE_SZ */, size);
}

// Waits at most `microseconds`, or without limit if negative.
static inline int cpipe_poll(struct pollfd *entries, nfds_t count, int64_t microseconds) {
  struct timespec limit = {microseconds / 1000000, microseconds % 1000000 * 1000};
  return ppoll(entries, count, microseconds < 0 ? NULL : &limit, NULL);
}

// From now on orphaned descendants become children of this process.
static inline void cpipe_become_subreaper(void) { prctl(36 /* PR_SET_CHILD_SUBREAPER */, 1ul); }
// Whether there are children, running or ended. Reaps none.
static inline int cpipe_has_children(void) {
  siginfo_t info;
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static inline void cpipe_sharpen_timers(void) { prctl(PR_SET_TIMERSLACK, 1ul); }

static inline int cpipe_inotify(void) { return inotify_init1(IN_NONBLOCK | IN_CLOEXEC); }
static inline int cpipe_signalfd(const sigset_t *set) {
  return signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
}

// State of an interruption of one thread's blocking calls.
struct cpipe_interruption {
  timer_t timer;
  int has_timer;
  sigset_t mask;
};
// Until cpipe_end_interruption, SIGALRM every second and the signals in `stops` interrupt a blocked
// call of this thread with EINTR. cpipe_caught reports the signals.
void cpipe_begin_interruption(struct cpipe_interruption *, const sigset_t *stops);
void cpipe_end_interruption(struct cpipe_interruption *);
// Whether the signal arrived during an interruption. Reports it once.
int cpipe_caught(int number);

static inline int cpipe_is_ignored(int number) {
  struct sigaction action;
  return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

// A descriptor that is readable once the wall clock was set. Read it to rearm it.
static inline int cpipe_clock_steps(void) {
  int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  struct itimerspec never = {{0, 0}, {INT64_MAX / 1000000000, 0}};
  if (fd >= 0) timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
  return fd;
}
// A descriptor that becomes readable every `milliseconds`.
static inline int cpipe_ticks(long milliseconds) {
  int fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  struct timespec every = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  struct itimerspec timer = {every, every};
  if (fd >= 0) timerfd_settime(fd, 0, &timer, NULL);
  return fd;
}

static inline char **cpipe_environment(void) {
  extern char **environ;
  return environ;
}

static inline int cpipe_exited(int status) { return WIFEXITED(status); }
static inline int cpipe_exit_status(int status) { return WEXITSTATUS(status); }
static inline int cpipe_term_signal(int status) { return WTERMSIG(status); }
static inline int cpipe_stop_signal(int status) { return WIFSTOPPED(status) ? WSTOPSIG(status) : 0; }

static inline int cpipe_is_regular(const struct stat *s) { return S_ISREG(s->st_mode); }
static inline int cpipe_is_character_device(const struct stat *s) { return S_ISCHR(s->st_mode); }
static inline int cpipe_is_pipe(const struct stat *s) { return S_ISFIFO(s->st_mode); }
static inline int cpipe_is_socket(const struct stat *s) { return S_ISSOCK(s->st_mode); }
static inline int cpipe_is_read_only(int fd) { return (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY; }

static inline int cpipe_default_signal(int number) {
  return signal(number, SIG_DFL) == SIG_ERR ? -1 : 0;
}
static inline int cpipe_ignore_signal(int number) {
  return signal(number, SIG_IGN) == SIG_ERR ? -1 : 0;
}

// CRC32C (Castagnoli, RFC 3720 appendix B.4). `crc` of cpipe_crc32c is the CRC of the preceding
// bytes, 0 at the start.
static inline uint32_t cpipe_crc32c_bytewise(uint32_t crc, const uint8_t *p, size_t n) {
  while (n--) {
    crc ^= *p++;
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0x82F63B78u & (0u - (crc & 1u)));
  }
  return crc;
}

#if defined(__x86_64__)
// Set before main.
extern int cpipe_has_sse42;

__attribute__((target("sse4.2"))) static inline uint32_t cpipe_crc32c_sse42(
    uint32_t crc, const uint8_t *p, size_t n) {
  uint64_t wide = crc;
  while (n >= 8) {
    uint64_t word;
    memcpy(&word, p, 8);
    wide = __builtin_ia32_crc32di(wide, word);
    p += 8, n -= 8;
  }
  crc = (uint32_t)wide;
  while (n--) crc = __builtin_ia32_crc32qi(crc, *p++);
  return crc;
}
#elif defined(__aarch64__)
__attribute__((target("crc"))) static inline uint32_t cpipe_crc32c_armv8(
    uint32_t crc, const uint8_t *p, size_t n) {
  while (n >= 8) {
    uint64_t word;
    memcpy(&word, p, 8);
    crc = __builtin_arm_crc32cd(crc, word);
    p += 8, n -= 8;
  }
  while (n--) crc = __builtin_arm_crc32cb(crc, *p++);
  return crc;
}
#endif

static inline uint32_t cpipe_crc32c(uint32_t crc, const void *bytes, size_t n) {
  const uint8_t *p = (const uint8_t *)bytes;
  crc = ~crc;
#if defined(__x86_64__)
  crc = cpipe_has_sse42 ? cpipe_crc32c_sse42(crc, p, n) : cpipe_crc32c_bytewise(crc, p, n);
#elif defined(__aarch64__)
  crc = cpipe_crc32c_armv8(crc, p, n);  // every 64-bit Arm server since ARMv8.1 has it
#else
  crc = cpipe_crc32c_bytewise(crc, p, n);
#endif
  return ~crc;
}

struct cpipe_base32_number {
  uint64_t high, low;
};

// Parses 26 upper-case digits of Crockford's base 32 into a number of 128 bits. Returns 0, or -1 if a byte is no digit
// or the number has more bits.
int cpipe_base32(const void *text, struct cpipe_base32_number *number);

#endif
