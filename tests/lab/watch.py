"""What is there, and who wrote: snapshots to compare before and after, and watchers that catch every write.

A snapshot is a dictionary of sorted texts without anything that changes by itself (counters, timers,
neighbour caches), so two snapshots of an untouched router are equal and a difference is readable."""

import contextlib
import difflib
import json
import os
import re
import signal
import subprocess
import time

import vici
from ovsdb import Ovsdb
from router import VICI_SOCKET, vty
from shell import LOGS, run

OVS_COLUMNS = {
    "Open_vSwitch": "bridges,other_config,manager_options,ssl",
    "Bridge": "name,ports,datapath_type,fail_mode,external_ids,other_config,controller,mirrors,flood_vlans,protocols,stp_enable",
    "Port": "name,interfaces,tag,trunks,vlan_mode,external_ids,other_config,qos,bond_mode,mac",
    "Interface": "name,type,options,external_ids,other_config,mtu_request,mac,ofport_request",
}
FRR_DAEMONS = ("zebra", "staticd", "bgpd", "bfdd")
VICI_WRITES = re.compile(r"vici client \d+ requests: (load|unload|initiate|terminate|rekey|install|uninstall|clear|reset|flush|reload)")
VTY_WRITE = re.compile(r" (\w+): \[\S+\] vty\[\d+\]@\(config\S*\)# (?!end$|exit$|XFRR_|\s*$)(.*)")
VOLATILE = re.compile(r"^(Building configuration.*|Current configuration:|frr version .*|!|)$")


# ---------------------------------------------------------------- snapshots

def ovs():
    """Every bridge, port and interface of the switch: one line each."""
    lines = []
    for table, columns in OVS_COLUMNS.items():
        shown = json.loads(run(["ovs-vsctl", "--format=json", f"--columns=_uuid,{columns}", "list", table]))
        lines += [f"{table} " + json.dumps(dict(zip(shown["headings"], row)), sort_keys=True) for row in shown["data"]]
    return sorted(lines)


def _strip(item):
    """A link, address or rule without what changes by itself."""
    drop = {"stats", "stats64", "valid_life_time", "preferred_life_time", "num_tx_queues", "num_rx_queues", "gso_max_size"}
    if isinstance(item, dict):
        return {key: _strip(value) for key, value in item.items() if key not in drop}
    return [_strip(part) for part in item] if isinstance(item, list) else item


def kernel():
    """Links, addresses, routes of all tables, rules, nftables of the root namespace."""
    lines = []
    for name, command in (("link", "ip -j -d addr show"), ("rule", "ip -j rule"), ("rule6", "ip -j -6 rule"),
                          ("route", "ip -j -d route show table all"), ("route6", "ip -j -d -6 route show table all")):
        lines += [f"{name} " + json.dumps(_strip(item), sort_keys=True) for item in json.loads(run(command) or "[]")]
    return sorted(lines) + run("nft list ruleset").splitlines()


def xfrm_policies():
    return sorted(run("ip xfrm policy").splitlines())


def charon():
    """Connections and names of secrets."""
    loaded = [f"{name} " + json.dumps(settings, sort_keys=True) for name, settings in vici.connections(VICI_SOCKET).items()]
    return sorted(loaded) + [f"secret {name}" for name in vici.shared_names(VICI_SOCKET)]


def _by_section(lines):
    """Each line with the headers that it stands under: their order depends on history, their meaning does not."""
    headers, found = [], []
    for line in lines:
        depth = len(line) - len(line.lstrip())
        headers = [(d, text) for d, text in headers if d < depth] + [(depth, line.strip())]
        found.append(" / ".join(text for _, text in headers))
    return sorted(found)


def frr():
    """Each daemon's running configuration, sorted by section."""
    lines = []
    for daemon in FRR_DAEMONS:
        shown = [line for line in vty(daemon, "show running-config").splitlines() if not VOLATILE.match(line.strip())]
        lines += [f"{daemon}: {line}" for line in _by_section(shown)]
    return lines


def frr_file():
    """The boot file."""
    with open("/etc/frr/frr.conf", encoding="utf-8") as file:
        return [line for line in file.read().splitlines() if not VOLATILE.match(line.strip())]


PARTS = {"ovs": ovs, "kernel": kernel, "charon": charon, "frr": frr, "frr.conf": frr_file}


def snapshot(*parts):
    """{part: lines} of these parts, or of all."""
    return {part: PARTS[part]() for part in parts or PARTS}


def difference(before, after):
    """A readable difference of two snapshots; empty if they are equal."""
    return "\n".join(line for part in before for line in
                     difflib.unified_diff(before[part], after[part], f"{part} before", f"{part} after", lineterm="", n=0))


def matching(snap, pattern):
    """The lines of a snapshot in which the pattern occurs."""
    found = re.compile(pattern)
    return [f"{part}: {line}" for part, lines in snap.items() for line in lines if found.search(line)]


# ---------------------------------------------------------------- watchers

class Writes:
    """All that anybody writes to OVSDB, the kernel, charon and FRR while a block runs.

        with Writes() as writes:
            ...
        assert not writes.seen, writes

    The kernel's own and FRR's route changes count as well, so use it when the world is quiet."""

    def __init__(self, settle=0.5):
        self.settle = settle
        self.seen = []
        self.processes = []

    def _spawn(self, command):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        os.set_blocking(process.stdout.fileno(), False)
        self.processes.append(process)
        return process

    def __enter__(self):
        self.ovsdb = Ovsdb()
        self.ovsdb.monitor("Open_vSwitch", {table: columns.split(",") for table, columns in OVS_COLUMNS.items()})
        if "Router" in self.ovsdb.databases():
            self.ovsdb.monitor("Router")
        self.netlink = self._spawn(["ip", "monitor", "link", "address", "route", "rule"])
        self.nftables = self._spawn(["nft", "monitor"])
        self.charon_log = _Tail(LOGS / "charon.log")
        self.frr_log = _Tail(LOGS / "frr.log")
        time.sleep(self.settle)
        self._drain(self.netlink), self._drain(self.nftables)
        self.charon_log.read(), self.frr_log.read()
        return self

    @staticmethod
    def _drain(process):
        data = b""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(process.stdout.fileno(), 65536):
                data += piece
        return data.decode(errors="replace")

    def __exit__(self, *_):
        time.sleep(self.settle)
        self.ovsdb.close()
        self.seen += [f"ovsdb: {json.dumps(update)}" for update in self.ovsdb.updates]
        self.seen += [f"netlink: {line}" for line in self._drain(self.netlink).splitlines()]
        self.seen += [f"nftables: {line}" for line in self._drain(self.nftables).splitlines()]
        self.seen += [f"vici: {line}" for line in self.charon_log.read().splitlines() if VICI_WRITES.search(line)]
        self.seen += [f"frr: {line}" for line in self.frr_log.read().splitlines() if VTY_WRITE.search(line)]
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()

    def __repr__(self):
        return "written meanwhile:\n" + "\n".join(self.seen)


class _Tail:
    """What was appended to a file since the last look."""

    def __init__(self, path):
        self.path, self.at = path, path.stat().st_size if path.exists() else 0

    def read(self):
        if not self.path.exists():
            return ""
        with open(self.path, "rb") as file:
            file.seek(self.at)
            data = file.read()
            self.at += len(data)
        return data.decode(errors="replace")
