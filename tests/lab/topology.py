"""The lab's topologies as the contract writes them, its configuration, and the far sides that go with them.

Every tenant has the same prefixes and the same AS numbers; only VLANs, the sites' outer addresses and secrets
differ, which is what keeps them apart."""

import dataclasses
import json

from farside import Campus, Cloud, Site

ASN, AWS_ASN, SITE_ASN = 65010, 64512, 64513
HUB_OUTER = "203.0.113.1"
CAMPUS_GATEWAYS = ["10.1.0.1/24", "2001:db8:1::1/64"]
DX_GATEWAYS = ["169.254.10.1/30", "2001:db8:10::1/64"]
INSIDE = ["169.254.20.1/30", "2001:db8:20::1/64"]
HUB_ADDRESSES = {"10.1.0.1", "169.254.10.1", "169.254.20.1"}


@dataclasses.dataclass
class Place:
    """Where one network of one tenant sits: what tells it from the others."""
    tenant: str
    network: str
    vlan: int          # of the campus; the cloud has the next one
    outer: str         # the site's address in the underlay

    @property
    def secret(self):
        return f"{self.tenant}-{self.network}-psk"

    @property
    def psk(self):
        return f"psk-of-{self.tenant}-{self.network}-0123456789"


BIO = Place("bio", "genome", 1001, "203.0.113.2")
PHYS = Place("phys", "genome", 1101, "203.0.113.3")


def network(place, ipv6=True):
    """The contract's example network at this place."""
    keep = (lambda addresses: addresses) if ipv6 else (lambda addresses: addresses[:1])
    peers = [{"name": "aws", "via": "dx", "address": "169.254.10.2", "asn": AWS_ASN},
             {"name": "sakura", "via": "sakura", "address": "169.254.20.2", "asn": SITE_ASN}]
    if ipv6:
        peers += [{"name": "aws6", "via": "dx", "address": "2001:db8:10::2", "asn": AWS_ASN},
                  {"name": "sakura6", "via": "sakura", "address": "2001:db8:20::2", "asn": SITE_ASN}]
    return {
        "name": place.network, "asn": ASN,
        "segments": [
            {"name": "campus", "attachments": [{"uplink": "sinet", "vlan": place.vlan}], "gateway": keep(CAMPUS_GATEWAYS)},
            {"name": "dx", "attachments": [{"uplink": "sinet", "vlan": place.vlan + 1}], "gateway": keep(DX_GATEWAYS)}],
        "tunnels": [
            {"name": "sakura", "profile": "generic", "uplink": "wan", "remote": place.outer,
             "auth": {"psk": {"secret": place.secret}}, "inside": keep(INSIDE)}],
        "peers": peers}


def topology(*networks):
    return {"version": 1, "networks": list(networks)}


def config(secrets, socket, profiles, tenants, metrics="127.0.0.1:9473"):
    """routerd's configuration. `tenants` is {name: [vlan range, ...]}."""
    return {
        "version": 1,
        "router": {"name": "vr1", "router_id": "192.0.2.1", "asn": ASN},
        "uplinks": {"sinet": {"type": "trunk", "interface": "sinet0", "bridge": "br-sinet", "mtu": 9000},
                    "wan": {"type": "routed", "interface": "wan0"}},
        "control": {"socket": {"path": str(socket), "group": "root", "mode": "0660"}},
        "tenants": {name: {"controllers": [], "vlans": {"sinet": ranges}} for name, ranges in tenants.items()},
        "secrets": {"directory": str(secrets)},
        "state": {"server": "unix:/run/openvswitch/db.sock", "database": "Router"},
        "profiles": {"directory": str(profiles)}}


def to_text(document):
    """JSON is YAML."""
    return json.dumps(document, indent=1)


class FarSides:
    """The campus, the AWS cloud and the IPsec site of one network."""

    def __init__(self, place, sinet, underlay, ipv6=True):
        self.place = place
        prefix = f"{place.tenant}-" + ("" if place.network == "genome" else f"{place.network}-")
        keep = (lambda things: things) if ipv6 else (lambda things: things[:1])
        gateways = keep(["10.1.0.1", "2001:db8:1::1"])
        self.campus = Campus(prefix + "campus", sinet, place.vlan, keep(["10.1.0.10/24", "2001:db8:1::10/64"]), gateways)
        self.aws = Cloud(prefix + "aws", sinet, place.vlan + 1, AWS_ASN, keep(["169.254.10.2/30", "2001:db8:10::2/64"]),
                         keep(["10.2.0.10/24", "2001:db8:2::10/64"]),
                         keep([{"local": "169.254.10.2", "remote": "169.254.10.1", "asn": ASN},
                               {"local": "2001:db8:10::2", "remote": "2001:db8:10::1", "asn": ASN}]))
        self.site = Site(prefix + "site", underlay, place.outer + "/24", HUB_OUTER, SITE_ASN,
                         keep(["169.254.20.2/30", "2001:db8:20::2/64"]), keep(["10.3.0.10/24", "2001:db8:3::10/64"]),
                         keep([{"local": "169.254.20.2", "remote": "169.254.20.1", "asn": ASN},
                               {"local": "2001:db8:20::2", "remote": "2001:db8:20::1", "asn": ASN}]), psk=place.psk)

    @property
    def all(self):
        return (self.campus, self.aws, self.site)

    def start(self):
        for side in self.all:
            side.start()

    def stop(self):
        for side in self.all:
            side.stop()

    def pairs(self):
        """Every ordered pair of two different far sides."""
        return [(a, b) for a in self.all for b in self.all if a is not b]

    def flows(self):
        """For traffic.Background: every pair once, IPv4."""
        return [(self.campus, self.aws.address), (self.campus, self.site.address), (self.aws, self.site.address)]
