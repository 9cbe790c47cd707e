"""A log that is rotated: which file of it is read, how far, and what comes after."""
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
# A day, or seconds since 1970: before the extension a short number may as well tell one log from another.
DATE = "(?:(?:19|20)[0-9]{2}[._-]?[0-9]{2}[._-]?[0-9]{2}|[0-9]{8,})[0-9._:T+-]*Z?"
UNPACKED = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
PACKED = {*UNPACKED, ".zst", ".lz4", ".Z", ".zip"}


class Trail:
    """The files of one log, one after the other. The position tells which one is read: its id for keys, the offset, a
    digest of what stands before that, since when others may be there, and of those that were left the same."""

    def __init__(self, path, positions, events, others=()):
        """`others`: files that are followed themselves, and so are none of this log's."""
        self.path, self.positions, self.events, self.others = path, positions, events, others
        self.number = None
        self.position = positions.load(path)
        # Whether lines may be missing, because a file of it was not found.
        self.has_lost = False

    def read(self):
        status = os.fstat(self.number)
        data = os.pread(self.number, CHUNK, self.position["offset"])
        # Asked afterwards: a file that was cut, and has grown again, is not read in the middle of a line.
        return data, self.before(self.number), status

    def move(self, count, data, status):
        """By so many bytes, the last of these, which were read; the file itself may be another by now."""
        offset, tail = self.position["offset"] + count, digest(data[-TAIL:])
        self.keep(status, offset=offset, tail=tail, time=status.st_mtime_ns)

    def keep(self, status, **changes):
        self.position.update(device=status.st_dev, inode=status.st_ino, **changes)
        self.positions.save(self.path, self.position)

    def before(self, number):
        """What was read last, if it is the same file, and not cut."""
        return before(number, self.position["offset"])

    def fitting(self, path, status):
        """The file, opened, if it begins as what was read does."""
        number = opened(path, status)
        if fits(number, self.position):
            return number
        os.close(number)
        return None

    def is_cut(self, before):
        if self.position["offset"]:
            return digest(before) != self.position["tail"]
        return self.is_log() and self.later(self.position["time"]) != []

    def is_log(self):
        """Not an older file of it."""
        return os.path.exists(self.path) and os.path.samestat(os.fstat(self.number), os.stat(self.path))

    def adopt(self, number):
        if self.number is not None:
            os.close(self.number)
        self.number = number
        # By its number, wherever it is moved.
        self.events.add(f"/proc/self/fd/{number}", MODIFY)

    def begin(self, path, status=None):
        """A new file, or one that was left and has more. Its id is kept before the first of its lines goes."""
        files = self.older()
        if self.position:
            since = os.fstat(self.number).st_mtime_ns if self.number is not None else self.position["time"]
            known = self.known(files)
        else:
            since = files[-1][1].st_mtime_ns if files else 0
            known = [as_left(*file) for file in files]
        again = status and left(path, status, known)
        self.adopt(opened(path, status))
        self.position = {"id": secrets.token_hex(12), "offset": 0, "tail": digest(b"")}
        self.position.update(again or {}, done=[file for file in known if file is not again])
        # What is found later may have been rotated since the file before was at its end.
        self.keep(os.fstat(self.number), time=since)

    def older(self):
        """Its older files that are there, the oldest first."""
        numbers = {file["inode"] for file in self.position["done"]} if self.position else set()
        if self.position:
            numbers.add(self.position["inode"])
        if self.number is not None:
            numbers.add(os.fstat(self.number).st_ino)
        return [file for file in older(self.path, numbers) if os.path.realpath(file[0]) not in self.others]

    def known(self, files):
        """Those that were left, while they are there, and the one that is read."""
        numbers = {status.st_ino for _, status in files}
        this = {name: self.position[name] for name in ("inode", "id", "offset", "tail")}
        if self.number is not None:
            this["inode"] = os.fstat(self.number).st_ino
        return [file for file in self.position["done"] if file["inode"] in numbers] + [this]

    def find(self):
        """After a start: the file that was read, whatever it is called now."""
        if self.position is None:
            if os.path.exists(self.path):
                self.begin(self.path)
            return self.number is not None
        log = [(self.path, os.stat(self.path))] if os.path.exists(self.path) else []
        for path, status in log + self.older():
            if self.was_read(status):
                self.adopt(opened(path, status))
                self.prefer_twin()
                return True
        return self.find_by_number() or self.look_for_copy()

    def was_read(self, status):
        return (status.st_dev, status.st_ino) == (self.position["device"], self.position["inode"])

    def find_by_number(self):
        """Under any name, if what was read is in it: numbers are used again."""
        if not self.position["offset"]:
            return False
        files = beside(self.path, lambda path, _: os.path.realpath(path) not in self.others)
        return self.adopt_fitting([(path, status) for (path, _), status in files.items() if self.was_read(status)])

    def prefer_twin(self):
        """A copy that fits as well as the log, where lines repeat."""
        lines = self.before(self.number).splitlines()
        if self.is_log() and len(set(lines)) < len(lines):
            self.adopt_fitting(self.later(self.position["time"]))

    def adopt_fitting(self, files):
        for path, status in files:
            number = self.fitting(path, status)
            if number is not None:
                self.adopt(number)
                return True
        return False

    def look_for_copy(self):
        offset, since = self.position["offset"], self.position["time"]
        copies = self.later(since) if offset or self.number is not None else []
        # Else the newest first: where little was read, others may begin in the same way.
        if self.adopt_fitting(copies + (self.older()[::-1] if offset else [])):
            self.keep(os.fstat(self.number), time=os.fstat(self.number).st_mtime_ns)
            return True
        successor = self.following(since)
        if successor:
            packed = self.packed(since)
            if not any(self.was_whole(path) for path in packed):
                place = f"what came after byte {offset} of its last file"
                beside_it = "".join(f"; {path} is compressed, and not read" for path in packed)
                intake.warn(f"{self.path}: {place} is not found{beside_it}; going on with {successor[0]}")
                self.has_lost = True
            self.begin(*successor)
        return bool(successor)

    def packed(self, since):
        """Compressed older files that may have it."""
        def is_packed(path, log):
            stem, end = os.path.splitext(path)
            return end in PACKED and may_be_older(stem, log)
        files = beside(self.path, is_packed)
        # A compressor keeps the time of what it read, perhaps only its seconds.
        return sorted(path for (path, _), status in files.items() if status.st_mtime_ns >= since - 10**9)

    def was_whole(self, path):
        """Whether this is what was read, and no more."""
        unpacked = UNPACKED.get(os.path.splitext(path)[1])
        if not unpacked:
            return False
        size, tail = 0, b""
        try:
            with unpacked(path) as file:
                while data := file.read(CHUNK):
                    size, tail = size + len(data), (tail + data)[-TAIL:]
        except (OSError, EOFError, zlib.error, lzma.LZMAError):
            return False
        return size == self.position["offset"] and digest(tail) == self.position["tail"]

    def successor(self):
        """The file after this one, at its end."""
        return None if self.is_log() else self.following(os.fstat(self.number).st_mtime_ns)

    def following(self, since):
        """The next one with something to read."""
        log = [(self.path, None)] if has_content(self.path) else []
        return next(iter(self.later(since, grown=True) + log), None)

    def later(self, since, grown=False):
        """Older files of the log that were not read; with `grown` also those that have more since they were left."""
        files = self.older()
        known = self.known(files)
        here = self.number is not None and os.fstat(self.number)
        found = []
        for path, status in files:
            if here and os.path.samestat(status, here):
                continue
            file = left(path, status, known)
            if file:
                is_due = grown and status.st_size > file["offset"]
            else:
                is_due = status.st_size and status.st_mtime_ns >= since
            if is_due:
                found.append((path, status))
        return found


def before(number, offset):
    return os.pread(number, min(TAIL, offset), max(0, offset - TAIL))


def fits(number, file):
    return digest(before(number, file["offset"])) == file["tail"]


def as_left(path, status):
    """One that was there before the first run, as if it had been read."""
    number = opened(path, status)
    tail = digest(before(number, status.st_size))
    os.close(number)
    return {"inode": status.st_ino, "id": secrets.token_hex(12), "offset": status.st_size, "tail": tail}


def left(path, status, known):
    """What is known of this file: a new one may have an old number, but not what was read there."""
    files = [file for file in known if file["inode"] == status.st_ino]
    if not files:
        return None
    number = opened(path, status)
    found = next((file for file in files if fits(number, file)), None)
    os.close(number)
    return found


def digest(data):
    return hashlib.sha256(data).hexdigest()


def is_older(path, log):
    """app.log.1, app.log-20261121, app.1.log, app-2026-11-21.log: an older file of app.log, not compressed."""
    stem, end = map(re.escape, os.path.splitext(log))
    form = f"{stem}{end}[._-]{STAMP}|{stem}(?:[._-]{DATE}|[.][0-9]{{1,3}}){end}"
    return re.fullmatch(form, path) is not None


def may_be_older(path, log):
    """app-1.log, app2.log too, which may as well be other logs: they count once a file that was read has such a name."""
    stem, end = map(re.escape, os.path.splitext(log))
    return is_older(path, log) or re.fullmatch(f"{stem}[._-]?{STAMP}{end}", path) is not None


def older(log, numbers):
    """Those that are there, the oldest first. `numbers`: of files that were read."""
    found, before = listed(log, numbers), None
    # A directory that is read while names change may not show a file.
    while before is None or found.keys() != before.keys():
        found, before = listed(log, numbers), found
    return sorted(((path, status) for (path, _), status in found.items()), key=modified)


def listed(log, numbers):
    files = beside(log, may_be_older)
    sure = {(path, number) for path, number in files if any(is_older(path, place) for place in places(log))}
    if any(number in numbers for _, number in files.keys() - sure):
        return files
    return {key: status for key, status in files.items() if key in sure}


def places(log):
    """Where it is a link, also the file that it leads to."""
    return {log, os.path.realpath(log)}


def beside(log, is_wanted):
    """Files beside it, by path and number."""
    return {key: status for place in places(log) for key, status in listing(place, is_wanted).items()}


def listing(log, is_wanted):
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
    return status if status.st_ino == file.inode() else another(file.path)


def another(path):
    """Has this name now: to be looked for anew."""
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


def opened(path, status=None):
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise IsADirectoryError(errno.EISDIR, "no file", path)
    if status and not os.path.samestat(status, os.fstat(number)):
        os.close(number)
        another(path)
    return number


def modified(file):
    return file[1].st_mtime_ns


def has_content(path):
    return os.path.exists(path) and os.path.getsize(path) > 0
