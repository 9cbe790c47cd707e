"""Sleeps until files change: Linux inotify, which Python's standard library does not provide."""
import ctypes
import errno
import os
import select

import intake

MODIFY, ATTRIB, MOVED_FROM, MOVED_TO, CREATE, DELETE = 0x2, 0x4, 0x40, 0x80, 0x100, 0x200
NAMES = MOVED_FROM | MOVED_TO | CREATE | DELETE
ADD = 0x20000000


class Watch:
    def __init__(self):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(os.O_CLOEXEC)

    def add(self, path, mask):
        """Watches a path. Adding a path again is harmless."""
        if self.libc.inotify_add_watch(self.fd, os.fsencode(path), mask | ADD) >= 0:
            return
        error = OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)
        if error.errno in (errno.ENOENT, errno.EACCES):
            raise error
        intake.die(74, f"{path}: cannot be watched: {error.strerror}")

    def wait(self):
        """Returns once anything has happened since the last call."""
        select.select([self.fd], [], [])
        os.read(self.fd, 1 << 16)
