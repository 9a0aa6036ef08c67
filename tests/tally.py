"""Counts what a stage of `./dev test` passed and failed and prints "PASSED FAILED".

    tally.py EXIT_STATUS LOG [JUNIT.xml...]

With ctest's JUnit files each cmocka or pytest case counts, else what the last line of the log with
"N passed" or "N failed" says, else the stage is one test. A stage that exits non-zero has at least
one failure, whatever it printed."""

import re
import sys
import xml.etree.ElementTree

CMOCKA_PASSED = re.compile(r"\[  PASSED  \] (\d+) test\(s\)")
CMOCKA_FAILED = re.compile(r"\[  FAILED  \] (?:tests: |\S+: )?(\d+) test\(s\)")
WORDS = {"passed": re.compile(r"\b(\d+) passed\b"), "failed": re.compile(r"\b(\d+) (?:failed|errors?)\b")}
SUMMARY = re.compile(r"\b\d+ (?:passed|failed|errors?)\b")


def of_summary(text):
    """The counts of the last summary line, or None."""
    lines = [line for line in text.splitlines() if SUMMARY.search(line)]
    if not lines:
        return None
    return tuple(sum(map(int, WORDS[word].findall(lines[-1]))) for word in ("passed", "failed"))


def of_program(text):
    passed = sum(map(int, CMOCKA_PASSED.findall(text)))
    failed = sum(map(int, CMOCKA_FAILED.findall(text)))
    return (passed, failed) if passed + failed else of_summary(text)


def of_junit(path):
    total = [0, 0]
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        good = case.get("status") == "run"
        passed, failed = of_program(case.findtext("system-out") or "") or (1 if good else 0, 0)
        total[0] += passed
        total[1] += failed if good else max(failed, 1)
    return total


def main(status, log, *junits):
    counts = [of_junit(path) for path in junits]
    if not counts:
        with open(log, encoding="utf-8", errors="replace") as file:
            counts.append(of_summary(file.read()) or (1 if status == "0" else 0, 0))
    passed, failed = (sum(column) for column in zip(*counts))
    if status != "0" and failed == 0:
        failed = 1
    print(passed, failed)


if __name__ == "__main__":
    main(*sys.argv[1:])
