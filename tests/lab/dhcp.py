"""A node that takes its addresses from its segment, as a VM does: busybox's DHCP client, a small DHCPv6 client (RFC 8415)
and a DNS question of our own, all in the node's namespace."""

import os
import pathlib
import re
import socket
import struct
import time

from farside import FarSide
from shell import ip_batch, netns, run

SCRIPT = """#!/bin/sh
env | grep -E '^(ip|router|dns|mtu|hostname|domain|mask|lease)=' >{folder}/$1
[ "$1" = bound ] || exit 0
ip addr replace "$ip/$mask" dev eth0
ip route replace default via "$router"
"""
SOLICIT, ADVERTISE, REQUEST, REPLY = 1, 2, 3, 7
CLIENT_ID, SERVER_ID, IA_NA, IA_ADDR, ORO, ELAPSED, DNS = 1, 2, 3, 5, 6, 8, 23
TYPES = {"A": 1, "PTR": 12, "AAAA": 28}


class Vm(FarSide):
    """`lease` is what the DHCP client was told last."""

    def __init__(self, name, sinet, vlan, mac):
        super().__init__(name)
        self.sinet, self.vlan, self.mac = sinet, vlan, mac

    def start(self):
        self.start_netns()
        self.sinet.attach(self.ns, self.vlan)
        run("sysctl -qw net.ipv6.conf.all.forwarding=0 net.ipv6.conf.eth0.accept_ra=2", ns=self.ns)
        self.set_mac(self.mac)
        (self.folder / "script").write_text(SCRIPT.format(folder=self.folder), encoding="ascii")
        (self.folder / "script").chmod(0o755)
        return self

    def set_mac(self, mac):
        self.mac = mac
        ip_batch(["link set eth0 down", f"link set eth0 address {mac}", "link set eth0 up", "addr flush dev eth0 scope global"],
                 ns=self.ns)

    # ------------------------------------------------------------ DHCP

    def boot(self, tries=4):
        """Asks for an address and uses it; None if nobody answers."""
        (self.folder / "bound").unlink(missing_ok=True)
        run(["busybox", "udhcpc", "-f", "-q", "-n", "-t", str(tries), "-T", "1", "-O", "mtu", "-i", "eth0", "-s", self.folder / "script"],
            ns=self.ns, check=False)
        try:
            lines = (self.folder / "bound").read_text(encoding="ascii").splitlines()
        except FileNotFoundError:
            return None
        return dict(line.split("=", 1) for line in lines)

    def boot6(self, tries=4):
        """Likewise by DHCPv6; (address, DNS servers)."""
        with netns(self.ns), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind(("::", 546))
            index = socket.if_nametoindex("eth0")
            mine = _option(CLIENT_ID, b"\0\3\0\1" + bytes.fromhex(self.mac.replace(":", "")))
            advertised = self._exchange(sock, index, SOLICIT, mine + _option(IA_NA, struct.pack("!III", 1, 0, 0)), tries)
            if not advertised or IA_ADDR not in _options(advertised.get(IA_NA, b"")[12:]):
                return None
            answer = self._exchange(sock, index, REQUEST, mine + _option(SERVER_ID, advertised[SERVER_ID])
                                    + _option(IA_NA, advertised[IA_NA]), tries)
        address = socket.inet_ntop(socket.AF_INET6, _options(answer[IA_NA][12:])[IA_ADDR][:16])
        ip_batch([f"addr replace {address}/128 dev eth0 nodad"], ns=self.ns)
        servers = answer.get(DNS, b"")
        return (address, [socket.inet_ntop(socket.AF_INET6, servers[i:i + 16]) for i in range(0, len(servers), 16)])

    @staticmethod
    def _exchange(sock, index, kind, options, tries):
        wanted = ADVERTISE if kind == SOLICIT else REPLY
        for _ in range(tries):
            transaction = os.urandom(3)
            message = bytes([kind]) + transaction + options + _option(ELAPSED, b"\0\0") + _option(ORO, struct.pack("!H", DNS))
            try:
                sock.sendto(message, ("ff02::1:2", 547, 0, index))
            except OSError:  # the link-local address is still being checked
                time.sleep(0.5)
                continue
            limit = time.monotonic() + 2
            while (left := limit - time.monotonic()) > 0:
                sock.settimeout(left)
                try:
                    answer = sock.recv(4096)
                except OSError:
                    break
                if answer[0] == wanted and answer[1:4] == transaction:
                    return _options(answer[4:])
        return None

    def has_default_route6(self):
        return "default via fe80" in run("ip -6 route show default", ns=self.ns)

    # ------------------------------------------------------------ DNS

    def resolve(self, name, kind="A", server="10.1.0.1", seconds=3.0):
        """The answers as texts; None if there is no answer at all, [] if the name is not known."""
        labels = name if kind != "PTR" else ".".join(reversed(name.split("."))) + ".in-addr.arpa"
        question = b"".join(bytes([len(label)]) + label.encode() for label in labels.split(".")) + b"\0"
        query = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + question + struct.pack("!HH", TYPES[kind], 1)
        with netns(self.ns):
            sock = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM)
        with sock:
            sock.settimeout(seconds)
            try:
                sock.sendto(query, (server, 53))
                return _answers(sock.recv(4096), len(query))
            except OSError:
                return None


def _option(code, data):
    return struct.pack("!HH", code, len(data)) + data


def _options(data):
    found, at = {}, 0
    while at + 4 <= len(data):
        code, length = struct.unpack_from("!HH", data, at)
        found[code] = data[at + 4:at + 4 + length]
        at += 4 + length
    return found


def _name(data, at):
    labels = []
    while data[at]:
        if data[at] >= 192:
            return ".".join(labels + [_name(data, struct.unpack_from("!H", data, at)[0] & 0x3fff)]).strip(".")
        labels.append(data[at + 1:at + 1 + data[at]].decode())
        at += 1 + data[at]
    return ".".join(labels)


def _answers(data, at):
    """Of a message whose question ends at `at`. Each answer's name is a pointer to the question."""
    found = []
    for _ in range(struct.unpack_from("!H", data, 6)[0]):
        kind, length = struct.unpack_from("!H", data, at + 2)[0], struct.unpack_from("!H", data, at + 10)[0]
        value = data[at + 12:at + 12 + length]
        found.append(_name(data, at + 12) if kind == TYPES["PTR"]
                     else socket.inet_ntop(socket.AF_INET if kind == TYPES["A"] else socket.AF_INET6, value))
        at += 12 + length
    return found


def servers(folder):
    """{folder's name: process number} of the dnsmasqs that serve it."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            match = re.search(rf"--conf-file={re.escape(str(folder))}/(\w+)/conf\.", path.read_text(encoding="utf-8"))
        except OSError:
            continue
        if match:
            found[match[1]] = int(path.parent.name)
    return found
