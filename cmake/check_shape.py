"""Refuses what style forbids and a machine can see: functions over 100 lines, files over 800, marks
of unfinished work. Prints FILE:LINE: sentence for each and exits 1."""

import os
import re
import sys

FUNCTION_LINES = 100
FILE_LINES = 800
MARKS = re.compile(r"\b(TO" "DO|FIX" "ME|XX" "X)\\b")
FOLDERS = ("routerd", "ovs", "net", "ipsec", "bgp", "dhcp", "routerctl", "tests", "cmake", "image")


def functions(lines):
    """Yields (first line, length) of each body that opens in column one, as .clang-format makes them."""
    start = 0
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start:
            yield start, number - start
            start = 0


def check(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = file.readlines()
    for number, line in enumerate(lines, 1):
        mark = MARKS.search(line)
        if mark:
            yield f"{path}:{number}: {mark[0]} marks unfinished work"
    if not path.endswith((".c", ".h")):
        return
    if len(lines) > FILE_LINES:
        yield f"{path}:{len(lines)}: the file is over {FILE_LINES} lines"
    for number, length in functions(lines):
        if length > FUNCTION_LINES:
            yield f"{path}:{number}: the function is over {FUNCTION_LINES} lines"


def main(top):
    os.chdir(top)
    found = list(check("dev"))
    for root in FOLDERS:
        for folder, _, names in os.walk(root):
            for name in sorted(names):
                if name.endswith((".c", ".h", ".py", ".sh", ".cmake")):
                    found.extend(check(os.path.join(folder, name)))
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
