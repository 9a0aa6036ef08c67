"""The router's own daemons, in the guest's root namespace: Open vSwitch, FRRouting, charon.

This is the machine that routerd finds, not what routerd makes of it. Every daemon can be killed and started
again on its own, as systemd or watchfrr would do it."""

import os
import pathlib
import shutil
import socket
import time

from shell import LOGS, Daemon, run, succeeds, until

OVS_SAFE_UPTIME = 10.5
OVS_SOCKET = "unix:/run/openvswitch/db.sock"
OVS_DATABASE = pathlib.Path("/etc/openvswitch/conf.db")
VICI_SOCKET = "/run/charon.vici"
FRR_CONF = pathlib.Path("/etc/frr/frr.conf")
FRR_BASE = """frr defaults traditional
log file {logs}/frr.log informational
service integrated-vtysh-config
"""
STRONGSWAN_CONF = """charon-systemd {{
  load = random nonce openssl pem revocation constraints kdf kernel-netlink socket-default vici
  install_routes = no
  install_virtual_ip = no
  threads = 8
  retransmit_timeout = 2.0
  retransmit_base = 1.5
  plugins {{ vici {{ socket = unix://{vici} }} }}
  filelog {{ log {{ path = {log}
    time_format = %T
    flush_line = yes
    default = 1
    cfg = {cfg} }} }}
}}
swanctl {{ load = random openssl }}
"""


def uptime():
    return float(pathlib.Path("/proc/uptime").read_text(encoding="ascii").split()[0])


def answers(path):
    """Whether a daemon listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def start_charon(daemon, conf, vici_socket, log, cfg=1):
    """Starts a charon, the router's or a site's, with nothing loaded but what the lab needs."""
    conf.write_text(STRONGSWAN_CONF.format(vici=vici_socket, log=log, cfg=cfg), encoding="ascii")
    pathlib.Path(vici_socket).unlink(missing_ok=True)
    daemon.start()
    until(lambda: answers(vici_socket), 60, f"{daemon.name} does not answer")


class OpenVSwitch:
    """ovsdb-server, with Open vSwitch's own database only as Debian starts it, and ovs-vswitchd with the
    kernel's datapath."""

    def __init__(self):
        self.server = Daemon("ovsdb-server", [
            "ovsdb-server", str(OVS_DATABASE), f"--remote=p{OVS_SOCKET}", "-vconsole:off", f"--log-file={LOGS}/ovsdb-server.log"])
        self.switch = Daemon("ovs-vswitchd", [
            "ovs-vswitchd", OVS_SOCKET, "-vconsole:off", f"--log-file={LOGS}/ovs-vswitchd.log"])

    @staticmethod
    def _create(database, schema):
        database.parent.mkdir(parents=True, exist_ok=True)
        if not database.exists():
            run(["ovsdb-tool", "create", database, schema])

    def start(self):
        self.start_server()
        self.start_switch()

    def start_server(self):
        pathlib.Path("/run/openvswitch").mkdir(exist_ok=True)
        OVS_DATABASE.parent.mkdir(exist_ok=True)
        self._create(OVS_DATABASE.resolve(), "/usr/share/openvswitch/vswitch.ovsschema")
        self.server.start()
        until(lambda: succeeds(["ovs-vsctl", "--no-wait", "--timeout=5", "init"]), 20, "ovsdb-server does not answer")

    def start_switch(self):
        """Not before its clock trick works: see OVS_SAFE_UPTIME's fact, no handler threads, nothing forwarded."""
        time.sleep(max(0.0, OVS_SAFE_UPTIME - uptime()))
        self.switch.start()
        run("ovs-vsctl --timeout=30 set Open_vSwitch . external_ids:hostname=guest")

    def stop(self):
        self.switch.end()
        self.server.end()

    def kill_switch(self):
        self.switch.kill()

    def kill_server(self):
        self.server.kill()


def vty(daemon, *commands):
    """What an FRR daemon answers to commands: its own socket's protocol, since vtysh takes 0.3 s to start here."""
    text = ""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(30)
        sock.connect(f"/run/frr/{daemon}.vty")
        for command in ("enable", *commands):
            sock.sendall(command.encode() + b"\0")
            answer = b""
            while answer[-4:-1] != b"\0\0\0":
                piece = sock.recv(65536)
                if not piece:
                    raise ConnectionError(f"{daemon} closed its vty")
                answer += piece
            text += answer[:-4].decode()
    return text


class Frr:
    """zebra, staticd, bgpd and bfdd, started as Debian's frrinit does, each configured from the boot file."""

    NAMES = ("zebra", "staticd", "bfdd", "bgpd")

    def __init__(self):
        options = {"zebra": ["-s", "90000000"]}
        self.daemons = {name: Daemon(name, [
            f"/usr/lib/frr/{name}", "-A", "127.0.0.1", "-P", "0", "--command-log-always",
            *options.get(name, [])]) for name in self.NAMES}

    def start(self):
        LOGS.mkdir(parents=True, exist_ok=True)
        os.chmod(LOGS, 0o1777)
        run_dir = pathlib.Path("/run/frr")
        run_dir.mkdir(exist_ok=True)
        shutil.chown(run_dir, "frr", "frr")
        FRR_CONF.write_text(FRR_BASE.format(logs=LOGS), encoding="ascii")
        shutil.chown(FRR_CONF, "frr", "frr")
        for name in self.NAMES:
            self.daemons[name].start()
        for name in self.NAMES:
            self._wait(name)
        run("vtysh -b", timeout=120)

    @staticmethod
    def _wait(name):
        until(lambda: answers(f"/run/frr/{name}.vty"), 60, f"{name} does not answer")

    def restart(self, name):
        """A daemon that died comes back as under watchfrr: alone and with its part of the boot file, but all of
        them with zebra, since the others do not tell a new zebra what they told the old one."""
        if name == "zebra":
            for other in self.NAMES:
                self.kill(other)
            self.start_again()
            return
        self.daemons[name].start()
        self._wait(name)
        run(["vtysh", "-b", "-d", name], timeout=120)

    def start_again(self):
        for name in self.NAMES:
            self.daemons[name].start()
        for name in self.NAMES:
            self._wait(name)
        run("vtysh -b", timeout=120)

    def kill(self, name):
        self.daemons[name].kill()
        pathlib.Path(f"/run/frr/{name}.vty").unlink(missing_ok=True)

    def stop(self):
        for name in reversed(self.NAMES):
            self.daemons[name].end()


class Charon:
    """The router's IKE daemon. Its log has every vici request, which is how tests see that none was made."""

    def __init__(self):
        self.conf = pathlib.Path("/etc/strongswan.d/lab-router.conf")
        self.log = LOGS / "charon.log"
        self.daemon = Daemon("charon-out", ["charon-systemd"], env={"STRONGSWAN_CONF": str(self.conf)})

    def start(self):
        start_charon(self.daemon, self.conf, VICI_SOCKET, self.log, cfg=2)

    def kill(self):
        """kill -9 leaves its SAs and policies in the kernel, where the next charon finds them."""
        self.daemon.kill()

    def stop(self):
        self.daemon.end()


class Router:
    """All of them."""

    def __init__(self):
        self.ovs = OpenVSwitch()
        self.frr = Frr()
        self.charon = Charon()

    def start(self):
        """Those that need not wait for the uptime go first."""
        LOGS.mkdir(parents=True, exist_ok=True)
        self.frr.start()
        self.charon.start()
        self.ovs.start()

    def heal(self):
        """Starts what a test left dead."""
        for name in self.frr.NAMES:
            if not self.frr.daemons[name].alive():
                self.frr.restart(name)
        if not self.charon.daemon.alive():
            self.charon.start()
        if not self.ovs.server.alive():
            self.ovs.start_server()
        if not self.ovs.switch.alive():
            self.ovs.start_switch()

    def start_again(self):
        """As after a restart of the machine: every daemon with the files that it finds."""
        self.frr.start_again()
        self.charon.start()
        self.ovs.start()

    def stop(self):
        self.charon.stop()
        self.frr.stop()
        self.ovs.stop()
