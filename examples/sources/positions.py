"""A directory that keeps positions in files, for one process at a time."""
import fcntl
import hashlib
import json
import os
import urllib.parse

import intake


class Positions:
    def __init__(self, directory):
        self.directory = directory
        try:
            os.makedirs(directory, exist_ok=True)
            # Locked until this process ends: two processes would store every line twice.
            self.fd = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            intake.die(75, f"{directory} is in use")
        except OSError as error:
            intake.die_unwritable(error, 73)

    def file_of(self, path):
        name = urllib.parse.quote(path, safe="")
        # A file name has at most 255 bytes, including the suffix .new.
        if len(name) > 250:
            name = hashlib.sha256(os.fsencode(path)).hexdigest()
        return os.path.join(self.directory, name)

    def load(self, path):
        """Returns None if no position was saved yet."""
        try:
            with open(self.file_of(path)) as file:
                return json.load(file)
        except FileNotFoundError:
            return None
        except OSError as error:
            intake.die(*intake.describe(error))
        except ValueError as error:
            intake.die(74, f"{self.file_of(path)}: {error}")

    def save(self, path, position):
        """On return the new position is on disk. After a crash the file holds the new one or the old one."""
        try:
            with open(self.file_of(path) + ".new", "w") as file:
                json.dump(position, file)
                file.flush()
                os.fsync(file.fileno())
            os.rename(file.name, self.file_of(path))
            os.fsync(self.fd)
        except OSError as error:
            intake.die_unwritable(error)

    def reject(self, line):
        intake.append_durably(os.path.join(self.directory, "rejected"), line)
