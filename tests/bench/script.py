"""The engineer's way, for the benches: the script of tests/lab/handmade.py with what else he would do."""

import contextlib
import time

import handmade
import shell
import vici
from router import VICI_SOCKET


class Script:
    """Topologies, made, changed and taken away."""

    def __init__(self, documents, secrets):
        self.secrets = secrets
        self.made = handmade.Handmade(documents, secrets)

    def build(self):
        started = time.monotonic()
        self.made.apply()
        return time.monotonic() - started

    def change(self, documents):
        """What is the whole file for charon and FRR, and the difference, known by heart, for OVS and ip."""
        other = handmade.Handmade(documents, self.secrets)
        before = {s: n for n in self.made.networks for s in ((n.vrf, name) for name in n.segments)}
        started = time.monotonic()
        other.write()
        for net in other.networks:
            for name, segment in net.segments.items():
                if (net.vrf, name) not in before:
                    self._add(net, segment)
        after = {(n.vrf, name) for n in other.networks for name in n.segments}
        for (vrf, name), net in before.items():
            if (vrf, name) not in after:
                shell.run(["ovs-vsctl", "del-port", f"hv{net.segments[name]['attachments'][0]['vlan']}"])
        self._load()
        spent = time.monotonic() - started
        self.made = other
        return spent

    @staticmethod
    def _add(net, segment):
        vlan = segment["attachments"][0]["vlan"]
        shell.run(["ovs-vsctl", "add-port", handmade.BRIDGE, f"hv{vlan}", f"tag={vlan}", "--", "set", "interface",
                   f"hv{vlan}", "type=internal", "mtu_request=1500"])
        shell.ip_batch([f"link set hv{vlan} vrf {net.vrf} up", *(f"addr add {a} dev hv{vlan}" for a in segment["gateway"])])

    @staticmethod
    def _load():
        shell.run(["env", handmade.SWANCTL_ENV, "swanctl", "--load-all", "--noprompt", "--file", handmade.FOLDER / "swanctl.conf",
                   "--uri", f"unix://{VICI_SOCKET}"], timeout=600)
        shell.run(["/usr/lib/frr/frr-reload.py", "--reload", handmade.FOLDER / "frr.conf"], timeout=600)

    def clear(self):
        handmade.FOLDER.mkdir(parents=True, exist_ok=True)
        (handmade.FOLDER / "swanctl.conf").write_text("connections {\n}\nsecrets {\n}\n", encoding="ascii")
        links = [f"link del hx{if_id}" for net in self.made.networks for if_id, _ in net.tunnels.values()]
        shell.run(["vtysh", "-f", self._undo()], timeout=600)
        shell.ip_batch([*links, *(f"link del {net.vrf}" for net in self.made.networks),
                        *(f"route flush table {handmade.TABLE_BASE + net.index}" for net in self.made.networks)], force=True)
        shell.run(["env", handmade.SWANCTL_ENV, "swanctl", "--load-all", "--noprompt", "--file", handmade.FOLDER / "swanctl.conf",
                   "--uri", f"unix://{VICI_SOCKET}"], timeout=600)
        with vici.Vici(VICI_SOCKET) as session:
            for name in {name for name, _ in vici.sas(VICI_SOCKET)}:
                with contextlib.suppress(AssertionError):  # it has gone meanwhile
                    session.request("terminate", {"ike": name, "force": "yes"})
        shell.run(["ovs-vsctl", "--if-exists", "del-br", handmade.BRIDGE], timeout=600)

    def _undo(self):
        path = handmade.FOLDER / "undo.conf"
        lines = [f"no router bgp 65010 vrf {net.vrf}" for net in self.made.networks]
        path.write_text("\n".join(lines) + "\n", encoding="ascii")
        return path
