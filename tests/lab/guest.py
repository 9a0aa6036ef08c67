#!/usr/bin/python3
"""Run a command in a throw-away virtual machine that has this machine's root file system.

    guest.py [--results DIR] [--timeout S] [--mem MB] [--cpus N] [--accel tcg|kvm] [--tty] -- COMMAND [ARGUMENT...]

The machine boots Debian's cloud kernel (package linux-image-cloud-amd64), which has the VRFs, xfrm
interfaces, ESP and openvswitch that a development machine's kernel may lack. It sees the host's files as
they are, so a binary that was just built is there under its own path; what it writes goes to memory and is
gone afterwards. Only DIR is shared for writing: it is /results inside, and $RESULTS names it.

The command runs as root, in the caller's working directory, with the caller's ROUTERD_* variables, stdin
empty, and GUEST=1. Its output comes out of ours as it is written and its exit status is ours (124: the
deadline passed, 125: the machine did not come up or died, with its console on stderr). With --tty our
terminal is the command's, for shells and the like. Nothing but the
kernel, the modules and /proc, /sys, /dev, /run, cgroup2 has been set up: /run is empty, no daemon runs.
Mind that ovs-vswitchd must not be started before the guest's /proc/uptime says 10 s (world.py waits).

For example, to try something by hand against a real kernel:

    tests/lab/guest.py -- sh -c 'ip link add red type vrf table 7 && ip -d link show red'

Guests take turns, one for each core: the others wait, and their time does not run meanwhile. KVM is used where a quick probe shows that a guest
comes up in it, otherwise QEMU's software emulation. The initramfs and the probe's outcome are cached in
${XDG_CACHE_HOME:-~/.cache}/routerd.
"""

import argparse
import ctypes
import fcntl
import gzip
import hashlib
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

HERE = pathlib.Path(__file__).resolve().parent
VIRTIOFSD = "/usr/lib/qemu/virtiofsd"
QEMU = "qemu-system-x86_64"
MODULES = ("virtio_pci", "virtio_console", "virtio-rng", "virtiofs", "overlay")
PROBE_SECONDS = 10
TIMED_OUT = 124
NO_GUEST = 125
PR_SET_PDEATHSIG = 1


class GuestError(Exception):
    """The machine could not be made or run."""


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = pathlib.Path(base) / "routerd"
    path.mkdir(parents=True, exist_ok=True)
    return path


def write_atomically(path, data):
    """Several guests may fill the cache at once: the last one wins, and nobody reads half a file."""
    fd, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(fd, "wb") as out:
        out.write(data)
    os.replace(temporary, path)


def kernel_version():
    images = sorted(pathlib.Path("/boot").glob("vmlinuz-*-cloud-amd64"),
                    key=lambda path: [int(n) for n in path.name.split("-")[1].split(".")] + [path.name])
    if not images:
        raise GuestError("no /boot/vmlinuz-*-cloud-amd64: install linux-image-cloud-amd64")
    return images[-1].name.removeprefix("vmlinuz-")


# ---------------------------------------------------------------- initramfs

def module_files(version):
    """The kernel modules of MODULES with what they need, in the order of loading."""
    files = []
    for module in MODULES:
        shown = subprocess.run(["modprobe", "-S", version, "--show-depends", module],
                               check=True, capture_output=True, text=True).stdout
        for line in shown.splitlines():
            words = line.split()
            if words[0] == "insmod" and words[1] not in files:
                files.append(words[1])
    return files


def fill_initramfs(root, version):
    for folder in ("bin", "dev", "proc", "sys", "modules"):
        (root / folder).mkdir()
    shutil.copy("/bin/busybox", root / "bin/busybox")
    shutil.copy(HERE / "guest-initramfs.sh", root / "init")
    (root / "init").chmod(0o755)
    files = module_files(version)
    for path in files:
        shutil.copy(path, root / "modules")
    (root / "modules/order").write_text("".join(os.path.basename(path) + "\n" for path in files))


def initramfs(version):
    """The path of the cached initramfs, made if it is not there."""
    key = hashlib.sha256((HERE / "guest-initramfs.sh").read_bytes()
                         + " ".join(MODULES).encode()).hexdigest()[:12]
    path = cache_dir() / f"initramfs-{version}-{key}"
    if path.exists():
        return path
    with tempfile.TemporaryDirectory(prefix="routerd-initramfs-") as folder:
        root = pathlib.Path(folder)
        fill_initramfs(root, version)
        names = "\n".join(str(p.relative_to(root)) for p in sorted(root.rglob("*")))
        archive = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=root, check=True,
                                 input=names.encode(), stdout=subprocess.PIPE).stdout
    write_atomically(path, gzip.compress(archive, 1))
    return path


# ---------------------------------------------------------------- processes

def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def spawn(command, stdin=subprocess.PIPE, **options):
    """stdin is a pipe that stays empty: at an end of file qemu would take the output's reader for gone."""
    return subprocess.Popen(command, stdin=stdin, start_new_session=True, preexec_fn=die_with_parent, **options)


def end(process):
    if process.poll() is None:
        process.kill()
    process.wait()


def qemu_command(version, accel, cpus, arguments, extra):
    acceleration = ["-accel", "kvm", "-cpu", "host"] if accel == "kvm" else \
        ["-accel", "tcg,thread=multi,tb-size=256", "-cpu", "max,la57=off"]
    quiet = "console=ttyS0 quiet loglevel=0 panic=-1 audit=0 apparmor=0 net.ifnames=0"
    quick = "mitigations=off nokaslr random.trust_cpu=on init_on_alloc=0 no_timer_check cryptomgr.notests=1 rcupdate.rcu_expedited=1"
    return [QEMU, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", *acceleration,
            "-smp", str(cpus), "-kernel", f"/boot/vmlinuz-{version}", "-initrd", str(initramfs(version)),
            "-append", f"{quiet} {quick} {arguments}", *extra]


def kvm_works(version):
    """Whether a guest comes up in KVM here: /dev/kvm may be there and yet hang. Tried once per boot of the host."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    outcome = cache_dir() / f"kvm-{version}-{boot}"
    if outcome.exists():
        return outcome.read_text() == "yes"
    with tempfile.NamedTemporaryFile(prefix="routerd-probe-") as console:
        probe = spawn(qemu_command(version, "kvm", 1, "guest.probe",
                                   ["-machine", "q35", "-m", "256", "-serial", f"file:{console.name}"]),
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            probe.wait(PROBE_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            end(probe)
        works = b"guest: probe ok" in console.read()
    write_atomically(outcome, b"yes" if works else b"no")
    return works


# ---------------------------------------------------------------- the guest

class Guest:
    """One run of one command. Use as a context manager: leaving it ends every process that it started."""

    def __init__(self, options):
        self.options = options
        self.version = kernel_version()
        self.accel = options.accel or ("kvm" if kvm_works(self.version) else "tcg")
        self.processes = []
        self.terminal = termios.tcgetattr(sys.stdin) if options.tty else None

    def __enter__(self):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="routerd-guest-"))
        self.results = pathlib.Path(self.options.results or self.scratch / "results").resolve()
        self.results.mkdir(parents=True, exist_ok=True)
        self.control = pathlib.Path(tempfile.mkdtemp(prefix=".guest-", dir=self.results))
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            end(process)
        if self.terminal:
            termios.tcsetattr(sys.stdin, termios.TCSANOW, self.terminal)
        shutil.rmtree(self.control, ignore_errors=True)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def write_control(self):
        exported = {name: value for name, value in os.environ.items()
                    if name.startswith("ROUTERD_") or name in ("LANG", "PYTHONPATH")}
        exported.update(GUEST="1", RESULTS="/results")
        lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(exported.items())]
        if self.options.tty:
            size = os.get_terminal_size(sys.stdin.fileno())
            lines += [f"stty rows {size.lines} cols {size.columns}", f"export TERM={shlex.quote(os.environ.get('TERM', 'linux'))}"]
        lines += [f"cd {shlex.quote(os.getcwd())}", "exec " + shlex.join(self.options.command)]
        (self.control / "command").write_text("\n".join(lines) + "\n")
        shutil.copy(HERE / "guest-init.sh", self.control / "init")

    def share(self, tag, source, cache):
        """Starts the file server of one directory and returns the arguments by which qemu offers it."""
        socket = self.scratch / f"{tag}.sock"
        with open(self.scratch / f"{tag}.log", "wb") as log:
            self.processes.append(spawn([VIRTIOFSD, f"--socket-path={socket}", "-o", f"source={source}",
                                         "-o", f"cache={cache}", "-o", "sandbox=chroot"],
                                        stdout=log, stderr=log))
        limit = time.monotonic() + 10
        while not socket.exists():
            if self.processes[-1].poll() is not None or time.monotonic() > limit:
                raise GuestError("virtiofsd: " + (self.scratch / f"{tag}.log").read_text())
            time.sleep(0.01)
        return ["-chardev", f"socket,id={tag},path={socket}",
                "-device", f"vhost-user-fs-pci,chardev={tag},tag={tag}"]

    def start(self):
        memory = f"{self.options.mem}M"
        extra = ["-machine", "q35,memory-backend=mem", "-m", memory,
                 "-object", f"memory-backend-memfd,id=mem,size={memory},share=on",
                 "-serial", f"file:{self.scratch / 'console'}",
                 "-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
                 "-chardev", "stdio,id=output,signal=off",
                 "-device", ("virtconsole" if self.options.tty else "virtserialport") + ",chardev=output,name=guest.output"]
        extra += self.share("root", "/", "always") + self.share("results", self.results, "none")
        self.machine = spawn(qemu_command(self.version, self.accel, self.options.cpus,
                                          f"guest.control={self.control.name}", extra),
                             stdin=None if self.options.tty else subprocess.PIPE)
        self.processes.append(self.machine)

    def wait(self):
        try:
            self.machine.wait(self.options.timeout)
        except subprocess.TimeoutExpired:
            print(f"guest: not done after {self.options.timeout} s", file=sys.stderr)
            return TIMED_OUT
        try:
            return int((self.control / "status").read_text())
        except (FileNotFoundError, ValueError):
            console = (self.scratch / "console").read_text(errors="replace")
            print("guest: died; its console said:\n" + console[-8000:], file=sys.stderr)
            return NO_GUEST


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", metavar="DIR", help="a directory shared with the guest, there /results")
    parser.add_argument("--timeout", metavar="S", type=float, default=600, help="deadline in seconds (600)")
    parser.add_argument("--mem", metavar="MB", type=int, default=2048, help="the guest's memory (2048)")
    parser.add_argument("--cpus", metavar="N", type=int, default=2, help="the guest's processors (2)")
    parser.add_argument("--accel", choices=("tcg", "kvm"), help="do not probe for KVM")
    parser.add_argument("--tty", action="store_true", help="give our terminal to the command")
    parser.add_argument("command", nargs="+", metavar="COMMAND")
    return parser.parse_args(arguments)


def leave(signum, _frame):
    sys.exit(128 + signum)


def take_turn():
    """Emulated machines that outnumber the cores starve each other until nothing keeps its deadlines; so there is one
    turn for each core, and the others wait. The lock goes with this process."""
    turns = os.cpu_count() or 1
    waiting = False
    while True:
        for number in range(turns):
            lock = os.open(cache_dir() / f"turn-{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock
            except BlockingIOError:
                os.close(lock)
        if not waiting:
            print("guest: waits for another guest to end", file=sys.stderr, flush=True)
            waiting = True
        time.sleep(0.5)


def main():
    options = parse(sys.argv[1:])
    turn = take_turn()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, leave)
    try:
        with Guest(options) as guest:
            guest.write_control()
            guest.start()
            return guest.wait()
    except (GuestError, subprocess.CalledProcessError, OSError) as problem:
        print(f"guest: {problem}", file=sys.stderr)
        return NO_GUEST
    finally:
        os.close(turn)


if __name__ == "__main__":
    sys.exit(main())
