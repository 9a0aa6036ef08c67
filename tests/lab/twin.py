"""A cloud that is reached by two IPsec tunnels at once, as the big ones are: two outer addresses, one network behind.

Its two ends have AS numbers of their own, and speak BGP with BFD. A tunnel is cut silently: packets are dropped and
nobody is told."""

from farside import ESP_PROPOSALS, IKE_PROPOSALS, Site
from shell import ip_batch, run

OUTERS = ["203.0.113.21", "203.0.113.22"]
HUB_INSIDES = ["169.254.31.1/30", "169.254.32.1/30"]
INSIDES = ["169.254.31.2/30", "169.254.32.2/30"]
ASNS = [64521, 64522]
BEHIND = [f"10.40.0.{host}/24" for host in range(10, 18)]
DROP = """table inet cut {{
  chain input {{ type filter hook input priority 0; ip daddr {0} drop; }}
  chain output {{ type filter hook output priority 0; ip saddr {0} drop; }}
}}
"""


class Twin(Site):
    def __init__(self, name, underlay, hub, asn, psk, bfd=True):
        sessions = [{"local": inside.split("/")[0], "remote": outer.split("/")[0], "asn": asn, "local_asn": local_asn,
                     "bfd": bfd} for inside, outer, local_asn in zip(INSIDES, HUB_INSIDES, ASNS)]
        super().__init__(name, underlay, OUTERS[0] + "/24", hub, ASNS[0], [], BEHIND, sessions, psk=psk)

    def connection(self):
        traffic = ["0.0.0.0/0", "::/0"]
        return {f"hub{number}": {
            "version": "2", "mobike": "no", "local_addrs": [outer], "remote_addrs": [self.hub],
            "proposals": IKE_PROPOSALS, "unique": "replace", "if_id_in": str(number), "if_id_out": str(number),
            "local": {"auth": "psk", "id": outer}, "remote": {"auth": "psk"},
            "children": {"net": {"local_ts": traffic, "remote_ts": traffic, "esp_proposals": ESP_PROPOSALS,
                                 "start_action": "none"}}} for number, outer in enumerate(OUTERS, 1)}

    def start(self):
        self.start_netns()
        self.underlay.attach(self.ns)
        ip_batch(["link set eth0 up", *[f"addr add {outer}/24 dev eth0" for outer in OUTERS], *self.lan_lines()]
                 + [line for number, inside in enumerate(INSIDES, 1) for line in (
                     f"link add ipsec{number} mtu 1400 type xfrm dev eth0 if_id {number}",
                     f"link set ipsec{number} up", f"addr add {inside} dev ipsec{number}")], ns=self.ns)
        self.start_charon()
        self.bird.start()

    def cut(self, number):
        run("nft -f -", ns=self.ns, stdin=DROP.format(OUTERS[number]))

    def mend(self):
        run("nft delete table inet cut", ns=self.ns, check=False)

    def addresses(self):
        return [address.split("/")[0] for address in self.behind]


def add_to(network, secret, **keys):
    """Both tunnels and their peers; `keys` are the peers'."""
    for number, (outer, inside, far, asn) in enumerate(zip(OUTERS, HUB_INSIDES, INSIDES, ASNS), 1):
        network["tunnels"].append({"name": f"twin{number}", "uplink": "wan", "remote": outer, "inside": [inside],
                                   "auth": {"psk": {"secret": secret}}})
        network["peers"].append({"name": f"twin{number}", "via": f"twin{number}", "address": far.split("/")[0],
                                 "asn": asn, **keys})
