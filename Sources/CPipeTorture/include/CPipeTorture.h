#pragma once
#include <stdint.h>
#include <sys/types.h>

// Runs programs whose calls on files are answered by their supervisor, by seccomp user notification
// (seccomp_unotify(2)). Needs Linux 5.19 and no privileges.

// Which call a program has made. The kernel makes all other calls, and the supervisor does not learn of them:
// no program may change the tree by those.
enum cpipe_call_kind {
  cpipe_call_openat,     // args: directory, path, flags, mode
  cpipe_call_openat2,    // args: directory, path, struct open_how, its size
  cpipe_call_mkdirat,    // args: directory, path, mode
  cpipe_call_renameat2,  // args: directory, path, directory, path, flags
  cpipe_call_unlinkat,   // args: directory, path, flags
  cpipe_call_write,      // args: fd, bytes, count
  cpipe_call_pwrite,     // args: fd, bytes, count, offset
  cpipe_call_ftruncate,  // args: fd, size
  cpipe_call_fallocate,  // args: fd, mode, offset, size
  cpipe_call_fsync,      // args: fd
  cpipe_call_fdatasync,  // args: fd
  cpipe_call_syncfs,     // args: fd
  cpipe_call_unknown,
};

struct cpipe_call {
  uint64_t id;
  // The thread that made it.
  pid_t thread;
  enum cpipe_call_kind kind;
  uint64_t args[6];
};

struct cpipe_supervised {
  pid_t process;
  // Readable when a call waits for an answer; hangs up once no process is left that makes calls.
  int listener;
};

// Runs this program again with these words, in a process group of its own. `streams` become its standard
// descriptors; it inherits no other. Without `is_supervised` the kernel makes its calls, and there is no
// listener. Returns 0, or -1 with errno: ENOSYS, EINVAL, EPERM, EACCES or EBUSY if the kernel or a sandbox forbids it.
int cpipe_start(char *const *words, char *const *environment, const int streams[3],
                int is_supervised, struct cpipe_supervised *child);

// The next call. Returns -1 with errno ENOENT if the process died meanwhile.
int cpipe_receive_call(int listener, struct cpipe_call *call);

// Lets the kernel make the call.
int cpipe_continue_call(int listener, uint64_t id);

// Answers the call: with `value` if `error` is 0.
int cpipe_answer_call(int listener, uint64_t id, int64_t value, int error);

// Answers an open call with a copy of `fd`, which is closed on exec if `is_closed_on_exec`.
int cpipe_answer_with_descriptor(int listener, uint64_t id, int fd, int is_closed_on_exec);

// A copy of a descriptor of another process; -1 with errno.
int cpipe_copy_descriptor(pid_t thread, int fd);

// Reads memory of another process; the number of bytes, or -1 with errno.
ssize_t cpipe_read_memory(pid_t thread, uint64_t address, void *buffer, size_t size);

// openat2(2).
int cpipe_open_how(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

// write(2) at the position of `fd` if `offset` is negative, else pwrite(2).
ssize_t cpipe_write_at(int fd, const void *bytes, size_t size, int64_t offset);
