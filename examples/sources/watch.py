"""Sleeps until something happens to files: inotify of Linux, which the standard library does not have."""
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
        self.number = self.libc.inotify_init1(os.O_CLOEXEC)

    def add(self, path, mask):
        """One that is watched already may be added again."""
        if self.libc.inotify_add_watch(self.number, os.fsencode(path), mask | ADD) >= 0:
            return
        error = OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)
        if error.errno in (errno.ENOENT, errno.EACCES):
            raise error
        intake.stop(74, f"{path}: cannot be watched: {error.strerror}")

    def wait(self):
        """Until something has happened since it was last called."""
        select.select([self.number], [], [])
        os.read(self.number, 1 << 16)
