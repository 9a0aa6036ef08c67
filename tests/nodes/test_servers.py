"""Which DHCP servers routerd takes for its own when it starts, by processes that only look like such."""

import subprocess
import time

import native

TOPOLOGY = "version: 1\nnetworks: [{name: genome}]\n"


def pretend(folder, key):
    """A process with the command line of a server in the folder."""
    return subprocess.Popen(["/usr/bin/python3", "-c", "import time; time.sleep(100)",
                             f"--conf-file={folder}/{key}/conf.0123456789abcdef"])


def ended(process, seconds=20):
    limit = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < limit:
        time.sleep(0.05)
    return process.poll() is not None


def test_servers_that_are_found():
    router = native.Router(TOPOLOGY)
    folder = router.dir / "dhcp"
    for key in ("rseg8", "rseg9"):
        (folder / key).mkdir(parents=True)
        (folder / key / "conf.0123456789abcdef").write_text("# routerd: DHCP of bio/genome/segment/gone\n")
    started = {"unwanted": pretend(folder, "rseg8"), "one too many": pretend(folder, "rseg9"),
               "foreign": pretend(router.dir / "other", "rseg8")}
    (folder / "rseg8" / "pid").write_text(f"{started['unwanted'].pid}\n")
    try:
        with router:
            assert ended(started["unwanted"]), "a server of a segment that is gone goes on"
            assert ended(started["one too many"]), "a server that nobody knows goes on"
            limit = time.monotonic() + 10
            while (folder / "rseg8").exists() and time.monotonic() < limit:
                time.sleep(0.05)
            assert not (folder / "rseg8").exists()
            assert started["foreign"].poll() is None
    finally:
        for process in started.values():
            process.kill()
            process.wait()
