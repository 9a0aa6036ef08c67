"""Processes, namespaces and waiting: what the lab's other modules are made of. Only used inside the guest.

Emulation makes a fork expensive, so what is asked often (sockets in another namespace) is done in this
process and everything else in batches."""

import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import time

LOGS = pathlib.Path("/var/log/lab")
CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


class CommandFailed(AssertionError):
    """A command that had to succeed did not; the text says all that is known about it."""


def run(command, ns=None, check=True, stdin=None, timeout=60):
    """Runs a command (a list or a line) in a network namespace and returns its stdout."""
    command = command.split() if isinstance(command, str) else [str(word) for word in command]
    full = ["ip", "netns", "exec", ns, *command] if ns else command
    done = subprocess.run(full, input=stdin, capture_output=True, text=True, timeout=timeout, check=False)
    if check and done.returncode != 0:
        raise CommandFailed(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def succeeds(command, ns=None, timeout=60):
    try:
        run(command, ns=ns, timeout=timeout)
    except (CommandFailed, subprocess.TimeoutExpired):
        return False
    return True


def ip_batch(lines, ns=None, force=False):
    """Many `ip` commands in one process. With force a command that fails does not stop the rest."""
    options = ["-n", ns] if ns else []
    options += ["-force"] if force else []
    return run(["ip", *options, "-batch", "-"], stdin="\n".join(lines) + "\n", check=not force)


def until(predicate, seconds, what, interval=0.05):
    """Polls until predicate() is true and returns its value; fails with `what`, or what it returns if callable."""
    limit = time.monotonic() + seconds
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > limit:
            raise AssertionError(f"after {seconds} s: {what() if callable(what) else what}")
        time.sleep(interval)


@contextlib.contextmanager
def netns(name):
    """This thread is in the namespace within the block; a socket made there stays there."""
    if name is None:
        yield
        return
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    away = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        _setns(away)
        yield
    finally:
        _setns(home)
        os.close(home)
        os.close(away)


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def add_netns(*names):
    """Namespaces that route, answer quickly and let anybody ping."""
    ip_batch([f"netns add {name}" for name in names])
    for name in names:
        with netns(name):
            for key, value in {"ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1",
                               "ipv4/conf/all/rp_filter": "0", "ipv4/conf/default/rp_filter": "0",
                               "ipv6/conf/all/accept_dad": "0", "ipv6/conf/default/accept_dad": "0",
                               "ipv4/fib_multipath_hash_policy": "1",
                               "ipv4/ping_group_range": "0 2147483647"}.items():
                write_sysctl(key, value)
        ip_batch(["link set lo up"], ns=name)


def write_sysctl(key, value):
    """/proc/sys/net follows the reader's own namespace."""
    pathlib.Path("/proc/sys/net", key).write_text(value, encoding="ascii")


class Daemon:
    """A program in the foreground whose output goes to LOGS/NAME.log."""

    def __init__(self, name, command, ns=None, env=None):
        self.name = name
        self.command = ["ip", "netns", "exec", ns, *command] if ns else list(command)
        self.env = {**os.environ, **(env or {})}
        self.process = None

    def start(self):
        LOGS.mkdir(parents=True, exist_ok=True)
        with open(LOGS / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=self.env, start_new_session=True)
        return self

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def end(self, signum=signal.SIGTERM, seconds=20):
        """Ends it and waits; returns its exit status."""
        if self.process is None:
            return None
        if self.alive():
            self.process.send_signal(signum)
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} did not end on signal {signum}") from None
        self.process = None
        return status

    def kill(self):
        return self.end(signal.SIGKILL)

    def tail(self, lines=20):
        path = LOGS / f"{self.name}.log"
        return "".join(path.read_text(errors="replace").splitlines(keepends=True)[-lines:]) if path.exists() else ""


def keep_logs(folder):
    """Copies every daemon's log into the results."""
    shutil.copytree(LOGS, folder, dirs_exist_ok=True, ignore_dangling_symlinks=True)
