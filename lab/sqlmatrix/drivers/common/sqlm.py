"""The loop of a driver program: reads a job, lets a player do its operations, and says what was sent for each label."""
import os
import re
import sys
import uuid

ENGINE = os.environ["SQLM_ENGINE"]
TRANSPORT = os.environ["SQLM_TRANSPORT"]
HOST = os.environ["SQLM_HOST"]
PORT = int(os.environ["SQLM_PORT"])
SOCKET = os.environ["SQLM_SOCKET"]
USER = os.environ["SQLM_USER"]
PASSWORD = os.environ["SQLM_PASSWORD"]
DATABASE = os.environ["SQLM_DATABASE"]
CA = os.environ["SQLM_CA"]


class NotOffered(Exception):
    """The driver has no API for an operation."""


class Json(str):
    """A text that is JSON."""


def unescape(field):
    out, escaped = [], False
    for c in field:
        if escaped:
            out.append({"t": "\t", "n": "\n"}.get(c, c))
            escaped = False
        elif c == "\\":
            escaped = True
        else:
            out.append(c)
    return "".join(out)


def value(arg):
    kind, _, text = arg.partition(":")
    if kind == "i":
        return int(text)
    if kind == "f":
        return float(text)
    if kind == "b":
        return text == "true"
    if kind == "n":
        return None
    if kind == "u":
        return uuid.UUID(text)
    if kind == "j":
        return Json(text)
    if kind == "T":
        return text.split(",")
    if kind == "I":
        return [int(part) for part in text.split(",")]
    if kind == "x":
        return bytes.fromhex(text)
    return text


def values(args):
    return [value(a) for a in args]


def sets(args):
    out = [[]]
    for a in args:
        if a == ";":
            out.append([])
        else:
            out[-1].append(value(a))
    return out


def read_job():
    """Waits for the job. Gives (label, operations), each operation a list of its fields."""
    print("ready", flush=True)
    label, operations = None, []
    for line in sys.stdin.buffer.read().decode().split("\n"):
        fields = [unescape(f) for f in line.split("\t")]
        if fields[0] == "label":
            label, operations = fields[1], []
        elif fields[0] == "end":
            yield label, operations
        elif fields[0]:
            operations.append(fields)


def comments(operations):
    """The comments of a label's texts, in order."""
    return [c for f in operations for c in re.findall(r"/\* m:.*? \*/", "\t".join(f))]


def says(label, n, why):
    print("na\t%s\t%s" % (label, why) if why else "sent\t%s\t%d" % (label, n), flush=True)


def play(connect):
    """Plays the job. connect makes the player, once the job is there. An operation NAME is its method do_NAME, which gives the number of statements sent
    (None: one). A method label_NAME plays all operations of a label."""
    job = list(read_job())
    player = connect()
    for label, operations in job:
        own = getattr(player, "label_" + label.replace("-", "_"), None)
        why, n = None if own else next((player.lacks(f) for f in operations if player.lacks(f)), None), 0
        if own:
            n = own(operations)
        elif not why:
            for f in operations:
                sent = getattr(player, "do_" + f[0])(*f[1:])
                n += 1 if sent is None else sent
        says(label, n, why)
    player.close()


class Player:
    """What all players have in common. missing: operation -> why the driver does not offer it; missing_types: the same by kind of argument."""

    missing = {}
    missing_types = {}

    def lacks(self, fields):
        operation = fields[0]
        for kind, why in self.missing_types.items():
            if any(f.startswith(kind + ":") for f in fields[2:]):
                return why
        if operation in self.missing:
            return self.missing[operation]
        if not hasattr(self, "do_" + operation):
            return "no API for " + operation
        return None
