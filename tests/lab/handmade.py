"""The router made by hand: the best script an engineer would write for the same topologies, from the same
documents that routerd gets. One ovs-vsctl transaction, one `ip -batch`, one swanctl call, one `vtysh -f`.

It proves the lab's world without routerd and is the bench's baseline."""

import ipaddress
import pathlib
import shutil

from router import VICI_SOCKET
from shell import run

FOLDER = pathlib.Path("/run/lab/handmade")
SWANCTL_ENV = "STRONGSWAN_CONF=/etc/strongswan.d/lab-router.conf"
TABLE_BASE = 2000
BRIDGE, TRUNK = "br-sinet", "sinet0"


class Network:
    """One network of the topology with the names that the script gives to its parts."""

    def __init__(self, index, document, psks):
        self.index, self.document, self.psks = index, document, psks
        self.vrf = f"hvrf{index}"
        self.segments = {s["name"]: s for s in document.get("segments", [])}
        self.tunnels = {t["name"]: (index * 16 + i + 1, t) for i, t in enumerate(document.get("tunnels", []))}

    def ovs(self):
        for segment in self.segments.values():
            vlan = segment["attachments"][0]["vlan"]
            yield ["--", "add-port", BRIDGE, f"hv{vlan}", f"tag={vlan}", "--",
                   "set", "interface", f"hv{vlan}", "type=internal", "mtu_request=1500"]

    def links(self):
        yield f"link add {self.vrf} type vrf table {TABLE_BASE + self.index}"
        yield f"link set {self.vrf} up"
        yield f"route add unreachable default metric 4278198272 vrf {self.vrf}"
        for if_id in (if_id for if_id, _ in self.tunnels.values()):
            yield f"link add hx{if_id} mtu 1400 master {self.vrf} type xfrm dev wan0 if_id {if_id}"
            yield f"link set hx{if_id} up"
        for segment in self.segments.values():
            yield f"link set hv{segment['attachments'][0]['vlan']} vrf {self.vrf} up"

    def addresses(self):
        for segment in self.segments.values():
            yield from (f"addr add {a} dev hv{segment['attachments'][0]['vlan']}" for a in segment.get("gateway", []))
        for if_id, tunnel in self.tunnels.values():
            yield from (f"addr add {address} dev hx{if_id}" for address in tunnel["inside"])

    def swanctl(self):
        """(connections, secrets)."""
        connections = secrets = ""
        for if_id, tunnel in self.tunnels.values():
            remote = tunnel["remote"]
            remote_id = tunnel.get("remote_id", remote)
            action = "start" if tunnel.get("initiate", True) else "none"
            connections += f"""
 h{if_id} {{ version = 2
  local_addrs = 203.0.113.1
  remote_addrs = {remote}
  proposals = aes256gcm16-prfsha384-ecp384,aes256-sha256-modp2048
  if_id_in = {if_id}
  if_id_out = {if_id}
  mobike = no
  dpd_delay = 10s
  local {{ auth = psk
   id = 203.0.113.1 }}
  remote {{ auth = psk
   id = {remote_id} }}
  children {{ net {{ local_ts = 0.0.0.0/0,::/0
    remote_ts = 0.0.0.0/0,::/0
    esp_proposals = aes256gcm16-ecp384,aes256-sha256-modp2048
    start_action = {action} }} }} }}"""
            secrets += f"\n ike-{if_id} {{ id = {remote_id}\n secret = \"{self.psks[tunnel['auth']['psk']['secret']]}\" }}"
        return connections, secrets

    def _own_prefixes(self, version):
        for segment in self.segments.values():
            for gateway in segment.get("gateway", []):
                interface = ipaddress.ip_interface(gateway)
                if interface.version == version and interface not in ipaddress.ip_network("169.254.0.0/16"):
                    yield interface.network

    def _policy(self):
        for version, word, top in ((4, "ip", "0.0.0.0/0"), (6, "ipv6", "::/0")):
            name = f"{self.vrf}-{version}"
            yield f"{word} prefix-list {name}-own seq 1 permit {top}"
            for number, prefix in enumerate(self._own_prefixes(version)):
                yield f"{word} prefix-list {name}-own seq {number + 2} permit {prefix}"
            yield f"route-map {name}-in deny 10\n match {word} address prefix-list {name}-own\nexit"
            yield f"route-map {name}-in permit 20\nexit"

    def frr(self):
        """Lines for vtysh -f."""
        yield from self._policy()
        yield f"router bgp {self.document['asn']} vrf {self.vrf}"
        yield " bgp router-id 192.0.2.1\n no bgp default ipv4-unicast\n no bgp ebgp-requires-policy"
        peers = self.document.get("peers", [])
        for peer in peers:
            yield f" neighbor {peer['address']} remote-as {peer['asn']}"
            yield f" neighbor {peer['address']} timers 10 30\n neighbor {peer['address']} timers connect 5"
            yield f" neighbor {peer['address']} advertisement-interval 0"
        for version, word in ((4, "ipv4"), (6, "ipv6")):
            yield f" address-family {word} unicast"
            yield from (f"  network {prefix}" for prefix in self._own_prefixes(version))
            for peer in peers:
                if ipaddress.ip_address(peer["address"]).version == version:
                    yield (f"  neighbor {peer['address']} activate\n"
                           f"  neighbor {peer['address']} route-map {self.vrf}-{version}-in in\n"
                           f"  neighbor {peer['address']} maximum-prefix "
                           f"{peer.get('import', {}).get('max_prefixes', 1000)}")
            yield " exit-address-family"
        yield "exit"


class Handmade:
    """The script for a set of topologies. `psks` is {secret's name: text}."""

    def __init__(self, topologies, psks):
        documents = [network for topology in topologies for network in topology["networks"]]
        self.networks = [Network(index, document, psks) for index, document in enumerate(documents)]

    def ovs_command(self):
        head = ["ovs-vsctl", "--may-exist", "add-br", BRIDGE, "--", "--may-exist", "add-port", BRIDGE, TRUNK]
        return head + [word for network in self.networks for words in network.ovs() for word in words]

    def ip_text(self):
        """Links first: zebra 8.4 drops the address of a link that it has not yet come to."""
        return "\n".join([line for network in self.networks for line in network.links()]
                         + [line for network in self.networks for line in network.addresses()]) + "\n"

    def swanctl_text(self):
        both = [network.swanctl() for network in self.networks]
        return ("connections {" + "".join(c for c, _ in both) + "\n}\n"
                "secrets {" + "".join(s for _, s in both) + "\n}\n")

    def frr_text(self):
        return "\n".join(line for network in self.networks for line in network.frr()) + "\nend\n"

    def write(self):
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        for name, text in (("ip", self.ip_text()), ("swanctl.conf", self.swanctl_text()), ("frr.conf", self.frr_text())):
            (FOLDER / name).write_text(text, encoding="utf-8")

    def apply(self):
        """From nothing to all of it; returns when every command has."""
        self.write()
        run(self.ovs_command(), timeout=600)
        run(["ip", "-batch", FOLDER / "ip"], timeout=600)
        run(["env", SWANCTL_ENV, "swanctl", "--load-all", "--noprompt", "--file", FOLDER / "swanctl.conf",
             "--uri", f"unix://{VICI_SOCKET}"], timeout=600)
        run(["vtysh", "-f", FOLDER / "frr.conf"], timeout=600)
