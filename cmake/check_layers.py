"""Refuses the includes that the compiler's include path cannot: those that climb out of their room
by path, and those of a library in a pure file. Prints FILE:LINE: sentence for each and exits 1.

Pure are the model, and every backend's X_want.c and X_diff.c with the headers of their own folder
that they reach: they may use the C library, the model and (a backend) backend/, nothing else."""

import os
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
LIBC = set("""assert ctype endian errno inttypes limits stdalign stdarg stdbool stddef stdint stdio
stdlib stdnoreturn string strings arpa/inet net/if netinet/in sys/param sys/socket sys/types
""".split())


def includes(path):
    with open(path, encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if match:
                yield number, match[1] == "<", match[2]


def climbing(path):
    for number, _, name in includes(path):
        if ".." in name.split("/") or name.startswith("/"):
            yield f'{path}:{number}: "{name}" leaves its room; include a room below as "room/file.h"'


def impure(path, room, rooms, libraries, seen):
    """Follows path's includes within its own room; rooms are the others it may use."""
    folder = os.path.dirname(path)
    if path in seen:
        return
    seen.add(path)
    for number, system, name in includes(path):
        if system:
            if name not in libraries and name.removesuffix(".h") not in LIBC:
                yield f"{path}:{number}: <{name}> in a pure file; it may use the C library only"
            continue
        head, _, rest = name.rpartition("/")
        if head in ("", room):
            own = os.path.join(folder, rest)
            if os.path.exists(own):
                yield from impure(own, room, rooms, libraries, seen)
        elif head not in rooms:
            allowed = ", ".join([*rooms, "its own folder"])
            yield f'{path}:{number}: "{name}" in a pure file; it may use {allowed}'


def check_room(path, room):
    name = os.path.basename(path)
    if room == "model":
        return impure(path, room, (), ("yaml.h",), set())
    if name.endswith(("_want.c", "_diff.c")):
        return impure(path, room, ("model", "backend"), (), set())
    return ()


def main(top):
    os.chdir(top)
    found = set()
    for root in ("routerd", "routerctl", "ovs", "net", "ipsec", "bgp", "dhcp"):
        for folder, _, names in os.walk(root):
            for name in names:
                if not name.endswith((".c", ".h")):
                    continue
                path = os.path.join(folder, name)
                found.update(climbing(path))
                found.update(check_room(path, os.path.relpath(folder, root) if root == "routerd" else root))
    for line in sorted(found):
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
