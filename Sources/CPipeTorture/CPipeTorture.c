#define _GNU_SOURCE
#include "include/CPipeTorture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

static const int numbers[cpipe_call_unknown] = {
    [cpipe_call_openat] = SYS_openat,       [cpipe_call_openat2] = SYS_openat2,
    [cpipe_call_mkdirat] = SYS_mkdirat,     [cpipe_call_renameat2] = SYS_renameat2,
    [cpipe_call_unlinkat] = SYS_unlinkat,   [cpipe_call_write] = SYS_write,
    [cpipe_call_pwrite] = SYS_pwrite64,     [cpipe_call_ftruncate] = SYS_ftruncate,
    [cpipe_call_fsync] = SYS_fsync,         [cpipe_call_fdatasync] = SYS_fdatasync,
    [cpipe_call_syncfs] = SYS_syncfs,       [cpipe_call_fallocate] = SYS_fallocate,
};

// WAIT_KILLABLE_RECV: only a fatal signal interrupts a call that the supervisor has received. Otherwise the
// program would repeat a call that was already made.
static int install_filter(void) {
  struct sock_filter filter[cpipe_call_unknown + 3];
  int count = 0;
  filter[count++] =
      (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (int kind = 0; kind < cpipe_call_unknown; kind++)
    filter[count++] = (struct sock_filter)BPF_JUMP(
        BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)numbers[kind], cpipe_call_unknown - kind, 0);
  filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
  struct sock_fprog program = {(unsigned short)count, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                      SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
                      &program);
}

// By sendmsg, which the filter lets pass. Sends errno if there is no listener.
static void send_listener(int socket, int listener) {
  int code = listener < 0 ? errno : 0;
  char space[CMSG_SPACE(sizeof(int))] = {0};
  struct iovec part = {&code, sizeof code};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (listener >= 0) {
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &listener, sizeof(int));
  }
  sendmsg(socket, &message, MSG_NOSIGNAL);
}

static int receive_listener(int socket) {
  // A child that dies before it sends had no descriptors left.
  int code = EMFILE;
  char space[CMSG_SPACE(sizeof(int))] = {0};
  struct iovec part = {&code, sizeof code};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
  ssize_t count;
  do count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (count < 0 && errno == EINTR);
  struct cmsghdr *header = count > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  if (header == NULL) {
    errno = code;
    return -1;
  }
  int listener;
  memcpy(&listener, CMSG_DATA(header), sizeof(int));
  return listener;
}

int cpipe_start(char *const *words, char *const *environment, const int streams[3],
                int is_supervised, struct cpipe_supervised *child) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return -1;
  child->listener = -1;
  child->process = fork();
  if (child->process == 0) {
    // Only async-signal-safe calls from here to exec.
    setpgid(0, 0);
    // No program outlives its supervisor.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == 1) _exit(127);
    // Above the standard descriptors first, so that none of them is overwritten before it is copied.
    int wanted[4] = {fcntl(streams[0], F_DUPFD, 16), fcntl(streams[1], F_DUPFD, 16),
                     fcntl(streams[2], F_DUPFD, 16), fcntl(ends[1], F_DUPFD, 16)};
    for (int fd = 0; fd < 4; fd++)
      if (dup2(wanted[fd], fd) != fd) _exit(126);
    syscall(SYS_close_range, 4u, ~0u, 0u);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (is_supervised) {
      int listener = install_filter();
      send_listener(3, listener);
      if (listener < 0) _exit(127);
    }
    syscall(SYS_close_range, 3u, ~0u, 0u);
    execve("/proc/self/exe", words, environment);
    _exit(127);
  }
  int code = errno;
  int is_started = child->process > 0;
  close(ends[1]);
  if (is_started && is_supervised) {
    child->listener = receive_listener(ends[0]);
    is_started = child->listener >= 0;
    code = errno;
    if (!is_started) waitpid(child->process, NULL, 0);
  }
  close(ends[0]);
  errno = code;
  return is_started ? 0 : -1;
}

int cpipe_receive_call(int listener, struct cpipe_call *call) {
  struct seccomp_notif notification;
  memset(&notification, 0, sizeof notification);
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notification) != 0) return -1;
  call->id = notification.id;
  call->thread = (pid_t)notification.pid;
  call->kind = cpipe_call_unknown;
  for (int kind = 0; kind < cpipe_call_unknown; kind++)
    if (numbers[kind] == notification.data.nr) call->kind = (enum cpipe_call_kind)kind;
  memcpy(call->args, notification.data.args, sizeof call->args);
  return 0;
}

static int send_response(int listener, struct seccomp_notif_resp *response) {
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, response);
}

int cpipe_continue_call(int listener, uint64_t id) {
  struct seccomp_notif_resp response = {.id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
  return send_response(listener, &response);
}

int cpipe_answer_call(int listener, uint64_t id, int64_t value, int error) {
  struct seccomp_notif_resp response = {.id = id, .val = error ? 0 : value, .error = -error};
  return send_response(listener, &response);
}

int cpipe_answer_with_descriptor(int listener, uint64_t id, int fd, int is_closed_on_exec) {
  struct seccomp_notif_addfd answer = {.id = id,
                                       .flags = SECCOMP_ADDFD_FLAG_SEND,
                                       .srcfd = (uint32_t)fd,
                                       .newfd_flags = is_closed_on_exec ? O_CLOEXEC : 0};
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &answer) < 0 ? -1 : 0;
}

// pidfd_open(2) takes the number of a process, and a call may be that of a thread.
static pid_t process_of(pid_t thread) {
  char path[48], text[4096];
  snprintf(path, sizeof path, "/proc/%d/status", thread);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t count = read(fd, text, sizeof text - 1);
  close(fd);
  text[count > 0 ? count : 0] = 0;
  char *line = strstr(text, "\nTgid:");
  return line ? (pid_t)strtol(line + 6, NULL, 10) : -1;
}

int cpipe_copy_descriptor(pid_t thread, int fd) {
  int process = (int)syscall(SYS_pidfd_open, thread, 0);
  if (process < 0) process = (int)syscall(SYS_pidfd_open, process_of(thread), 0);
  if (process < 0) return -1;
  int copy = (int)syscall(SYS_pidfd_getfd, process, fd, 0);
  int code = errno;
  close(process);
  errno = code;
  return copy;
}

ssize_t cpipe_read_memory(pid_t thread, uint64_t address, void *buffer, size_t size) {
  struct iovec here = {buffer, size}, there = {(void *)(uintptr_t)address, size};
  return process_vm_readv(thread, &here, 1, &there, 1, 0);
}

int cpipe_open_how(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  uint64_t how[3] = {flags, mode, resolve};
  return (int)syscall(SYS_openat2, dir, path, how, sizeof how);
}

ssize_t cpipe_write_at(int fd, const void *bytes, size_t size, int64_t offset) {
  return offset < 0 ? write(fd, bytes, size) : pwrite(fd, bytes, size, offset);
}
