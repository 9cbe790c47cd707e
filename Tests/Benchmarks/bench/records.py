"""The payload: JSON Lines of 205 bytes each, newline included. The same count always gives the same bytes."""

SIZE = 205
WORDS = ("valve", "pump", "rotor", "within", "limits", "pressure", "drift", "sample",
         "stable", "retry", "window", "closed", "opened", "sensor", "reading", "batch")


def lines(count):
    x = 88172645463325252
    for i in range(count):
        x = (x * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        a = x >> 20
        head = ('{"source":"sensor-%s-%03d","timestamp":"2026-11-21T%02d:%02d:%02d.%06dZ","data":{"sequence":%d,'
                '"temperature":%d.%d,"humidity":%d.%d,"state":"%s","message":"'
                % ("ABCDEFGH"[a >> 20 & 7], a >> 23 & 511, i // 3600 % 24, i // 60 % 60, i % 60, a % 1000000, i,
                   15 + (a >> 34 & 15), a % 10, 30 + (a >> 38 & 31), a // 10 % 10, WORDS[a >> 4 & 15]))
        text = " ".join((WORDS[a & 15], WORDS[a >> 8 & 15], WORDS[a >> 12 & 15], WORDS[a >> 16 & 15]))
        room = SIZE - len(head) - 4
        yield head + text[:room].ljust(room, ".") + '"}}\n'


def write(path, count):
    with open(path, "w", encoding="ascii", newline="\n") as out:
        out.writelines(lines(count))
