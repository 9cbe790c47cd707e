"""A directory where positions in files are kept, by one process at a time."""
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
            # For as long as this runs: two of them would store every line twice.
            self.number = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(self.number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            intake.stop(75, f"{directory} is in use")
        except OSError as error:
            intake.unwritable(error, 73)

    def place(self, path):
        name = urllib.parse.quote(path, safe="")
        # As long as names may be, with .new behind.
        if len(name) > 250:
            name = hashlib.sha256(os.fsencode(path)).hexdigest()
        return os.path.join(self.directory, name)

    def load(self, path):
        """None: there was no such file yet."""
        try:
            with open(self.place(path)) as file:
                return json.load(file)
        except FileNotFoundError:
            return None
        except OSError as error:
            intake.stop(*intake.fault(error))
        except ValueError as error:
            intake.stop(74, f"{self.place(path)}: {error}")

    def save(self, path, position):
        """The new one or the old one is there, whatever happens; the new one when this returns."""
        try:
            with open(self.place(path) + ".new", "w") as file:
                json.dump(position, file)
                file.flush()
                os.fsync(file.fileno())
            os.rename(file.name, self.place(path))
            os.fsync(self.number)
        except OSError as error:
            intake.unwritable(error)

    def reject(self, line):
        intake.keep(os.path.join(self.directory, "rejected"), line)
