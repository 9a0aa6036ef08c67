"""What somebody may do to the router by hand: the damage matrix.

Every kind of object that routerd makes is deleted, and each of its attributes altered, with the tools that admins
use (or their sockets, where the tool takes seconds under emulation). Each damage comes with the look that tells
when it has been repaired: a picture of that backend without what changes by itself (uuids, interface numbers,
counters), cheap enough to be taken many times a second."""

import dataclasses
import json
import re
import time
from typing import Callable

import router
import vici
import watch
from ovsdb import Ovsdb
from shell import run

VOLATILE_LINK = {"ifindex", "link_index", "stats", "stats64", "valid_life_time", "preferred_life_time", "num_tx_queues",
                 "num_rx_queues", "gso_max_size", "gso_max_segs", "tso_max_size", "tso_max_segs", "qdisc", "txqlen", "operstate",
                 "group", "link_netnsid", "promiscuity", "allmulti", "min_mtu", "max_mtu"}
OVS_ROWS = {"Bridge": ["name", "ports", "datapath_type", "fail_mode", "external_ids", "other_config", "stp_enable", "rstp_enable"],
            "Port": ["name", "interfaces", "tag", "trunks", "vlan_mode", "external_ids"],
            "Interface": ["name", "type", "options", "external_ids", "mtu_request", "mac"]}


# ---------------------------------------------------------------- looks

class SwitchLook:
    """The switch's configuration by names; one connection for many looks."""

    def __init__(self):
        self.ovsdb = Ovsdb()

    def __call__(self):
        selects = [{"op": "select", "table": table, "where": [], "columns": ["_uuid", *columns]} for table, columns in OVS_ROWS.items()]
        tables = dict(zip(OVS_ROWS, (answer["rows"] for answer in self.ovsdb.call("transact", "Open_vSwitch", *selects))))
        names = {row["_uuid"][1]: row["name"] for rows in tables.values() for row in rows}

        def named(value):
            if isinstance(value, list) and len(value) == 2 and value[0] == "uuid":
                return names.get(value[1], "?")
            return sorted((named(item) for item in value), key=str) if isinstance(value, list) else value
        return sorted(f"{table} " + json.dumps({key: named(value) for key, value in row.items() if key != "_uuid"}, sort_keys=True)
                      for table, rows in tables.items() for row in rows)


def _plain(item):
    if isinstance(item, dict):
        return {key: _plain(value) for key, value in item.items() if key not in VOLATILE_LINK}
    return [_plain(part) for part in item] if isinstance(item, list) else item


def _link_line(link):
    """A link by its name, addresses in order; its link-local IPv6 address may be a random one."""
    link = _plain(link)
    link["addr_info"] = sorted((address for address in link.get("addr_info", []) if address.get("scope") != "link"), key=str)
    link["flags"] = sorted(set(link.get("flags", [])) & {"UP", "NOARP", "MASTER"})
    if not link["ifname"].startswith("rseg"):
        link.pop("address", None)  # the kernel's choice
    return "link " + json.dumps(link, sort_keys=True)


def kernel_look():
    """Links with addresses; the routes and rules that routerd made."""
    links = [_link_line(link) for link in json.loads(run("ip -j -d addr show")) if link["ifname"].startswith(("rvrf", "rseg", "rtun"))]
    routes = run("ip route show table all proto 111").splitlines() + run("ip -6 route show table all proto 111").splitlines()
    return sorted(links + [f"route {' '.join(line.split())}" for line in routes])


def charon_look():
    """Connections, names of secrets, and which connections have an SA."""
    up = {name for name, sa in vici.sas(router.VICI_SOCKET)
          if any(child["state"] == "INSTALLED" for child in sa.get("child-sas", {}).values())}
    loaded = [re.sub(r'"aaa_id": "[^"]*"', "", line) for line in watch.charon()]  # the mark says when it was loaded
    return loaded + sorted(f"up {name}" for name in up)


def frr_look():
    """Lists go by what they say: one that takes the place of a lost one may have a number more in its name."""
    return sorted(re.sub(r"(routerd-[0-9a-f]{16})-\d+", r"\1", line) for line in watch.frr())


def nft_look():
    """Our table without counters; elements of sets in order."""
    return sorted(" ".join(line.split()) for line in run("nft --stateless list table inet routerd").splitlines())


# ---------------------------------------------------------------- damages

@dataclasses.dataclass
class Damage:
    part: str                     # whose look tells: ovs, kernel, charon, frr, nft
    name: str
    do: Callable[[dict], object]  # takes parts()
    shared: bool = False          # the other tenant feels it, too


def parts(hub):
    """How the parts of bio's network are called."""
    network = hub.routerd.network("bio", "genome")
    segments = {segment["name"]: segment["interface"] for segment in network["segments"]}
    tunnel = network["tunnels"][0]
    return {"vrf": network["vrf"], "table": network["table"], "campus": segments["campus"], "dx": segments["dx"], "asn": 65010,
            "tunnel": tunnel["interface"], "connection": f"routerd-{tunnel['if_id']}"}


def ip(text):
    """A damage by `ip`, with the parts' names filled in."""
    return lambda p: run("ip " + text.format(**p))


def switch(text):
    return lambda p: run("ovs-vsctl " + text.format(**p))


def nft(text):
    return lambda p: run(["nft", text.format(**p)])


def configure(*lines):
    """Configures bgpd; a line that it does not take is no damage."""
    told = router.vty("bgpd", "configure terminal", *lines)
    assert "%" not in told, told


def vtysh(*lines):
    return lambda p: configure(*(line.format(**p) for line in lines))


def bgp(*lines):
    return vtysh("router bgp {asn} vrf {vrf}", *lines)


def ipv4(*lines):
    return bgp("address-family ipv4 unicast", *lines)


def charon(command, **message):
    def do(p):
        with vici.Vici(router.VICI_SOCKET) as session:
            session.request(command, {key: value.format(**p) for key, value in message.items()})
    return do


def clear_all_secrets(_):
    with vici.Vici(router.VICI_SOCKET) as session:
        session.request("clear-creds")


def policies_named(kind):
    """The names of our prefix lists or route maps that bgpd has now."""
    shown = router.vty("bgpd", "show running-config").splitlines()
    return sorted({line.split()[len(kind.split())] for line in shown if line.startswith(kind + " routerd-")})


def drop_policies(kind):
    def do(_):
        names = policies_named(kind)
        assert names, f"no {kind} of routerd's"
        configure(*(f"no {kind} {name}" for name in names))
    return do


def filters_off(p):
    """Whatever filters the neighbor has, prefix lists or route maps, in and out."""
    shown = [line.split() for line in router.vty("bgpd", "show running-config").splitlines()]
    filters = {" ".join(words) for words in shown if words[:2] == ["neighbor", "169.254.10.2"] and words[2:3] in (["prefix-list"], ["route-map"])}
    assert filters, "the neighbor has no filters"
    ipv4(*(f"no {line}" for line in sorted(filters)))(p)


def empty_rule(_):
    """A rule of somebody's in front of one of ours."""
    configure(f"ip prefix-list {policies_named('ip prefix-list')[0]} seq 1 permit 192.0.2.0/24")



MATRIX = [
    Damage("ovs", "the port of a segment is deleted", switch("del-port {campus}")),
    Damage("ovs", "a port has another tag", switch("set port {dx} tag=999")),
    Damage("ovs", "a port has no tag", switch("clear port {dx} tag")),
    Damage("ovs", "a port has trunks", switch("set port {dx} trunks=5,6")),
    Damage("ovs", "a port has another VLAN mode", switch("set port {dx} vlan_mode=native-untagged")),
    Damage("ovs", "a port has lost its mark", switch("remove port {dx} external_ids routerd")),
    Damage("ovs", "an interface has lost its mark", switch("remove interface {dx} external_ids routerd")),
    Damage("ovs", "an interface has another MTU", switch("set interface {dx} mtu_request=1400")),
    Damage("ovs", "an interface has another MAC", switch('set interface {dx} mac="02:00:00:00:00:99"')),
    Damage("ovs", "the uplink is out of the bridge", switch("del-port br-sinet sinet0"), True),
    Damage("ovs", "the uplink is an access port", switch("set port sinet0 tag=7"), True),
    Damage("ovs", "the bridge is deleted", switch("del-br br-sinet"), True),
    Damage("ovs", "the bridge fails securely", switch("set bridge br-sinet fail_mode=secure"), True),
    Damage("ovs", "the bridge speaks STP", switch("set bridge br-sinet stp_enable=true"), True),
    Damage("ovs", "the bridge speaks RSTP", switch("set bridge br-sinet rstp_enable=true"), True),
    Damage("ovs", "the bridge forwards BPDUs", switch("set bridge br-sinet other_config:forward-bpdu=true")),
    Damage("ovs", "the bridge learns few addresses", switch("set bridge br-sinet other_config:mac-table-size=20")),

    Damage("kernel", "the VRF is deleted", ip("link del {vrf}")),
    Damage("kernel", "the VRF is down", ip("link set {vrf} down")),
    Damage("kernel", "the VRF has another alias", ip("link set {vrf} alias somebody")),
    Damage("kernel", "the VRF's last resort is deleted", ip("route del unreachable default table {table} metric 4278198272")),
    Damage("kernel", "a static route is deleted", ip("route del 10.9.0.0/16 table {table}")),
    Damage("kernel", "a blackhole is deleted", ip("route del blackhole 10.8.0.0/16 table {table}")),
    Damage("kernel", "a route too many, with our mark", ip("route add 10.7.0.0/16 dev {campus} table {table} proto 111")),
    Damage("kernel", "the tunnel's interface is deleted", ip("link del {tunnel}")),
    Damage("kernel", "the tunnel's interface is down", ip("link set {tunnel} down")),
    Damage("kernel", "the tunnel's interface has another MTU", ip("link set {tunnel} mtu 1280")),
    Damage("kernel", "the tunnel's interface is out of the VRF", ip("link set {tunnel} nomaster")),
    Damage("kernel", "the tunnel's interface has another alias", ip("link set {tunnel} alias somebody")),
    Damage("kernel", "the tunnel has no address", ip("addr flush dev {tunnel} scope global")),
    Damage("kernel", "a gateway address is deleted", ip("addr del 10.1.0.1/24 dev {campus}")),
    Damage("kernel", "an IPv6 gateway address is deleted", ip("addr del 2001:db8:1::1/64 dev {campus}")),
    Damage("kernel", "an address too many", ip("addr add 10.1.9.1/24 dev {campus}")),
    Damage("kernel", "a segment's port is out of the VRF", ip("link set {campus} nomaster")),
    Damage("kernel", "a segment's port is down", ip("link set {dx} down")),
    Damage("kernel", "a segment's port has another MTU", ip("link set {dx} mtu 1300")),
    Damage("kernel", "a segment's port has another alias", ip("link set {dx} alias somebody")),

    Damage("charon", "the connection is unloaded", charon("unload-conn", name="{connection}")),
    Damage("charon", "all secrets are cleared", clear_all_secrets),
    Damage("charon", "the IKE SA is terminated", charon("terminate", ike="{connection}", force="yes")),
    Damage("charon", "the child SA is terminated", charon("terminate", child="{connection}", force="yes")),

    Damage("nft", "the table is deleted", nft("delete table inet routerd")),
    Damage("nft", "the table is empty", nft("flush table inet routerd")),
    Damage("nft", "a chain lets everything in", nft("insert rule inet routerd input accept")),
    Damage("nft", "the chain of what comes in is empty", nft("flush chain inet routerd input")),
    Damage("nft", "the peers are not known", nft("flush set inet routerd peers4")),
    Damage("nft", "a peer too many", nft('add element inet routerd peers4 {{ "{campus}" . 10.1.0.77 }}')),

    Damage("frr", "the BGP instance is deleted", vtysh("no router bgp {asn} vrf {vrf}")),
    Damage("frr", "the instance has another router id", bgp("bgp router-id 192.0.2.99")),
    Damage("frr", "the instance checks its networks", bgp("bgp network import-check")),
    Damage("frr", "the instance has a line too many", bgp("bgp always-compare-med")),
    Damage("frr", "a neighbor is deleted", bgp("no neighbor 169.254.10.2")),
    Damage("frr", "a neighbor too many", bgp("neighbor 169.254.10.9 remote-as 64999")),
    Damage("frr", "a neighbor is shut down", bgp("neighbor 169.254.10.2 shutdown")),
    Damage("frr", "a neighbor has another AS", bgp("neighbor 169.254.10.2 remote-as 64777")),
    Damage("frr", "a neighbor has other timers", bgp("neighbor 169.254.10.2 timers 7 21")),
    Damage("frr", "a neighbor connects seldom", bgp("neighbor 169.254.10.2 timers connect 99")),
    Damage("frr", "a neighbor has no description", bgp("no neighbor 169.254.10.2 description")),
    Damage("frr", "a neighbor has a password", bgp("neighbor 169.254.10.2 password nobody-has-this")),
    Damage("frr", "a neighbor is not activated", ipv4("no neighbor 169.254.10.2 activate")),
    Damage("frr", "a neighbor has another limit", ipv4("neighbor 169.254.10.2 maximum-prefix 7")),
    Damage("frr", "a neighbor's filters are off", filters_off),
    Damage("frr", "a neighbor has a route map of nobody's", ipv4("neighbor 169.254.10.2 route-map nobody out")),
    Damage("frr", "a network statement is deleted", ipv4("no network 10.1.0.0/24")),
    Damage("frr", "a network statement too many", ipv4("network 198.51.100.0/24")),
    Damage("frr", "the prefix lists are deleted", drop_policies("ip prefix-list"), True),
    Damage("frr", "a prefix list has a rule too many", empty_rule, True),
]


class Looks:
    """The pictures of all backends."""

    def __init__(self):
        self.takers = {"ovs": SwitchLook(), "kernel": kernel_look, "charon": charon_look, "frr": frr_look, "nft": nft_look}

    def take(self, part):
        """A picture, or None while the backend is in the middle of something."""
        try:
            return self.takers[part]()
        except (AssertionError, OSError, ValueError):
            return None

    def all(self):
        return {part: self.take(part) for part in self.takers}

    def close(self):
        self.takers["ovs"].ovsdb.close()

    def until(self, part, picture, seconds):
        """Seconds until the backend looks so again, or None with what it looks like at last."""
        started = time.monotonic()
        while True:
            seen = self.take(part)
            spent = time.monotonic() - started
            if seen == picture:
                return spent, seen
            if spent > seconds:
                return None, seen
            time.sleep(0.02)
