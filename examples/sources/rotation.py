"""A rotated log: which of its files is being read, how far, and which file comes next."""
import bz2
import errno
import gzip
import hashlib
import lzma
import os
import re
import secrets
import stat
import zlib

import intake
from watch import MODIFY

CHUNK = 4 << 20
TAIL = 1024

STAMP = "[0-9][0-9._:T+-]*Z?"
# A day, or seconds since 1970. Before the extension, a short number may also distinguish one log from another.
DATE = "(?:(?:19|20)[0-9]{2}[._-]?[0-9]{2}[._-]?[0-9]{2}|[0-9]{8,})[0-9._:T+-]*Z?"
DECOMPRESSORS = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
COMPRESSED = {*DECOMPRESSORS, ".zst", ".lz4", ".Z", ".zip"}


class RotatedLog:
    """The files of one log, one after another. The position records the file being read: its id for keys, the offset,
    a digest of the bytes before the offset, the time from which later files may exist, and the same about finished
    files."""

    def __init__(self, path, positions, events, others=()):
        """`others` are files that are followed themselves, and therefore do not belong to this log."""
        self.path, self.positions, self.events, self.others = path, positions, events, others
        self.fd = None
        self.position = positions.load(path)
        # Whether lines may be missing because a file was not found.
        self.has_gap = False

    def read(self):
        status = os.fstat(self.fd)
        data = os.pread(self.fd, CHUNK, self.position["offset"])
        # The tail is read last: a file that was truncated and has grown again is not read from the middle of a line.
        return data, self.read_tail(self.fd), status

    def advance(self, count, data, status):
        """Moves the offset by `count` bytes, the last of `data`. The path may already name another file."""
        offset, tail = self.position["offset"] + count, digest(data[-TAIL:])
        self.save(status, offset=offset, tail=tail, time=status.st_mtime_ns)

    def save(self, status, **changes):
        self.position.update(device=status.st_dev, inode=status.st_ino, **changes)
        self.positions.save(self.path, self.position)

    def read_tail(self, fd):
        """Returns the bytes that were read last, if this is the same file and it was not truncated."""
        return read_tail(fd, self.position["offset"])

    def open_matching(self, path, status):
        """Opens the file if it begins with what was read; else returns None."""
        fd = open_file(path, status)
        if matches(fd, self.position):
            return fd
        os.close(fd)
        return None

    def is_truncated(self, tail):
        if self.position["offset"]:
            return digest(tail) != self.position["tail"]
        return self.is_current() and self.unread_files(self.position["time"]) != []

    def is_current(self):
        """Whether the open file is the log itself, not a rotated file of it."""
        return os.path.exists(self.path) and os.path.samestat(os.fstat(self.fd), os.stat(self.path))

    def switch_to(self, fd):
        if self.fd is not None:
            os.close(self.fd)
        self.fd = fd
        # Watched by its descriptor, so that a rename does not matter.
        self.events.add(f"/proc/self/fd/{fd}", MODIFY)

    def start_file(self, path, status=None):
        """Starts a new file, or continues a finished one that has grown. Its id is saved before its first line is
        stored."""
        files = self.rotated_files()
        if self.position:
            since = os.fstat(self.fd).st_mtime_ns if self.fd is not None else self.position["time"]
            known = self.known_files(files)
        else:
            since = files[-1][1].st_mtime_ns if files else 0
            known = [as_finished(*file) for file in files]
        resumed = status and find_known(path, status, known)
        self.switch_to(open_file(path, status))
        self.position = {"id": secrets.token_hex(12), "offset": 0, "tail": digest(b"")}
        self.position.update(resumed or {}, done=[file for file in known if file is not resumed])
        # Files found later may have been rotated after the previous file was read to its end.
        self.save(os.fstat(self.fd), time=since)

    def rotated_files(self):
        """Returns the existing rotated files, the oldest first."""
        inodes = {file["inode"] for file in self.position["done"]} if self.position else set()
        if self.position:
            inodes.add(self.position["inode"])
        if self.fd is not None:
            inodes.add(os.fstat(self.fd).st_ino)
        return [file for file in rotated_files(self.path, inodes) if os.path.realpath(file[0]) not in self.others]

    def known_files(self, files):
        """Returns the finished files that still exist, and the file being read."""
        inodes = {status.st_ino for _, status in files}
        current = {name: self.position[name] for name in ("inode", "id", "offset", "tail")}
        if self.fd is not None:
            current["inode"] = os.fstat(self.fd).st_ino
        return [file for file in self.position["done"] if file["inode"] in inodes] + [current]

    def find(self):
        """After a start, finds the file that was read last, whatever its name is now."""
        if self.position is None:
            if os.path.exists(self.path):
                self.start_file(self.path)
            return self.fd is not None
        log = [(self.path, os.stat(self.path))] if os.path.exists(self.path) else []
        for path, status in log + self.rotated_files():
            if self.was_read_last(status):
                self.switch_to(open_file(path, status))
                self.prefer_copy()
                return True
        return self.find_by_inode() or self.find_copy()

    def was_read_last(self, status):
        return (status.st_dev, status.st_ino) == (self.position["device"], self.position["inode"])

    def find_by_inode(self):
        """Finds the file under any name. Its contents must match, since inode numbers are reused."""
        if not self.position["offset"]:
            return False
        files = siblings(self.path, lambda path, _: os.path.realpath(path) not in self.others)
        return self.use_matching(
            [(path, status) for (path, _), status in files.items() if self.was_read_last(status)])

    def prefer_copy(self):
        """Where lines repeat, a copy may match as well as the log does."""
        lines = self.read_tail(self.fd).splitlines()
        if self.is_current() and len(set(lines)) < len(lines):
            self.use_matching(self.unread_files(self.position["time"]))

    def use_matching(self, files):
        for path, status in files:
            fd = self.open_matching(path, status)
            if fd is not None:
                self.switch_to(fd)
                return True
        return False

    def find_copy(self):
        offset, since = self.position["offset"], self.position["time"]
        copies = self.unread_files(since) if offset or self.fd is not None else []
        # Then the other rotated files, the newest first: after a short read, several may begin the same way.
        if self.use_matching(copies + (self.rotated_files()[::-1] if offset else [])):
            self.save(os.fstat(self.fd), time=os.fstat(self.fd).st_mtime_ns)
            return True
        successor = self.next_file(since)
        if successor:
            compressed = self.compressed_files(since)
            if not any(self.is_fully_read(path) for path in compressed):
                ignored = "".join(f"; {path} is compressed and was not read" for path in compressed)
                intake.warn(f"{self.path}: the rest of its last file, after byte {offset}, was not found{ignored}; "
                            f"continuing with {successor[0]}")
                self.has_gap = True
            self.start_file(*successor)
        return bool(successor)

    def compressed_files(self, since):
        """Returns the compressed rotated files that may contain the rest."""
        def is_compressed(path, log):
            stem, end = os.path.splitext(path)
            return end in COMPRESSED and may_be_rotated(stem, log)
        files = siblings(self.path, is_compressed)
        # A compressor keeps the time of its input, sometimes only to the second.
        return sorted(path for (path, _), status in files.items() if status.st_mtime_ns >= since - 10**9)

    def is_fully_read(self, path):
        """Whether a compressed file contains exactly what was read."""
        decompress = DECOMPRESSORS.get(os.path.splitext(path)[1])
        if not decompress:
            return False
        size, tail = 0, b""
        try:
            with decompress(path) as file:
                while data := file.read(CHUNK):
                    size, tail = size + len(data), (tail + data)[-TAIL:]
        except (OSError, EOFError, zlib.error, lzma.LZMAError):
            return False
        return size == self.position["offset"] and digest(tail) == self.position["tail"]

    def successor(self):
        """At the end of a rotated file, returns the next file."""
        return None if self.is_current() else self.next_file(os.fstat(self.fd).st_mtime_ns)

    def next_file(self, since):
        """Returns the next file with something to read."""
        log = [(self.path, None)] if has_content(self.path) else []
        return next(iter(self.unread_files(since, grown=True) + log), None)

    def unread_files(self, since, grown=False):
        """Returns rotated files that were not read; with `grown`, also finished ones that have grown since."""
        files = self.rotated_files()
        known = self.known_files(files)
        current = self.fd is not None and os.fstat(self.fd)
        found = []
        for path, status in files:
            if current and os.path.samestat(status, current):
                continue
            file = find_known(path, status, known)
            if file:
                is_unread = grown and status.st_size > file["offset"]
            else:
                is_unread = status.st_size and status.st_mtime_ns >= since
            if is_unread:
                found.append((path, status))
        return found


def read_tail(fd, offset):
    return os.pread(fd, min(TAIL, offset), max(0, offset - TAIL))


def matches(fd, file):
    return digest(read_tail(fd, file["offset"])) == file["tail"]


def as_finished(path, status):
    """Returns what is recorded about a file that existed before the first run, as if it had been read."""
    fd = open_file(path, status)
    tail = digest(read_tail(fd, status.st_size))
    os.close(fd)
    return {"inode": status.st_ino, "id": secrets.token_hex(12), "offset": status.st_size, "tail": tail}


def find_known(path, status, known):
    """Returns what is recorded about a file. A new file may reuse an inode number, but not have the same contents."""
    files = [file for file in known if file["inode"] == status.st_ino]
    if not files:
        return None
    fd = open_file(path, status)
    found = next((file for file in files if matches(fd, file)), None)
    os.close(fd)
    return found


def digest(data):
    return hashlib.sha256(data).hexdigest()


def is_rotated(path, log):
    """app.log.1, app.log-20261121, app.1.log, app-2026-11-21.log: an uncompressed rotated file of app.log."""
    stem, end = map(re.escape, os.path.splitext(log))
    form = f"{stem}{end}[._-]{STAMP}|{stem}(?:[._-]{DATE}|[.][0-9]{{1,3}}){end}"
    return re.fullmatch(form, path) is not None


def may_be_rotated(path, log):
    """Also app-1.log and app2.log, which may be other logs: they count once a file that was read has such a name."""
    stem, end = map(re.escape, os.path.splitext(log))
    return is_rotated(path, log) or re.fullmatch(f"{stem}[._-]?{STAMP}{end}", path) is not None


def rotated_files(log, inodes):
    """Returns the existing rotated files, the oldest first. `inodes` are those of files that were read."""
    found, previous = list_rotated(log, inodes), None
    # Listing a directory while names change may miss a file.
    while previous is None or found.keys() != previous.keys():
        found, previous = list_rotated(log, inodes), found
    return sorted(((path, status) for (path, _), status in found.items()), key=modified)


def list_rotated(log, inodes):
    files = siblings(log, may_be_rotated)
    certain = {(path, inode) for path, inode in files if any(is_rotated(path, name) for name in names(log))}
    if any(inode in inodes for _, inode in files.keys() - certain):
        return files
    return {key: status for key, status in files.items() if key in certain}


def names(log):
    """The path, and the path of the file if it is a link."""
    return {log, os.path.realpath(log)}


def siblings(log, is_wanted):
    """Returns files in the directory of the log, by path and inode."""
    return {key: status for name in names(log) for key, status in list_directory(name, is_wanted).items()}


def list_directory(log, is_wanted):
    try:
        with os.scandir(os.path.dirname(log)) as files:
            return {(file.path, file.inode()): status_of(file) for file in files
                    if is_wanted(file.path, log) and file.path != log and file.is_file(follow_symlinks=False)}
    except FileNotFoundError:
        if os.path.isdir(os.path.dirname(log)):
            raise
        return {}


def status_of(file):
    status = file.stat(follow_symlinks=False)
    return status if status.st_ino == file.inode() else raise_renamed(file.path)


def raise_renamed(path):
    """Another file has this name now; the caller starts over."""
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


def open_file(path, status=None):
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise IsADirectoryError(errno.EISDIR, "not a regular file", path)
    if status and not os.path.samestat(status, os.fstat(fd)):
        os.close(fd)
        raise_renamed(path)
    return fd


def modified(file):
    return file[1].st_mtime_ns


def has_content(path):
    return os.path.exists(path) and os.path.getsize(path) > 0
