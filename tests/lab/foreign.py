"""Things made by hand beside routerd's, of every kind that routerd makes: they must stay as they are."""

import json

import vici
from farside import SCRATCH
from router import VICI_SOCKET, vty
from shell import ip_batch, run

LINES_FILE = SCRATCH / "byhand.conf"
FRR_LINES = """vrf red
 ip route 10.99.0.0/16 blackhole
exit-vrf
ip prefix-list FOREIGN seq 5 permit 10.0.0.0/8 le 24
route-map FOREIGN permit 10
 match ip address prefix-list FOREIGN
exit
router bgp 65010 vrf red
 bgp router-id 192.0.2.99
 no bgp ebgp-requires-policy
 neighbor 10.1.0.99 remote-as 64512
 neighbor 10.1.0.99 timers connect 100
 neighbor 10.1.0.99 description made by hand
 address-family ipv4 unicast
  neighbor 10.1.0.99 route-map FOREIGN in
 exit-address-family
exit
"""
CONNECTION = {"byhand": {
    "version": "2", "local_addrs": ["203.0.113.1"], "remote_addrs": ["203.0.113.200"],
    "local": {"auth": "psk", "id": "203.0.113.1"}, "remote": {"auth": "psk", "id": "203.0.113.200"},
    "if_id_in": "4242", "if_id_out": "4242",
    "children": {"byhand": {"local_ts": ["10.0.0.0/8"], "remote_ts": ["10.0.0.0/8"]}}}}
NFT = "table inet byhand {\n\tchain c {\n\t\tip saddr 192.0.2.77 drop\n\t}\n}\n"


def make():
    run(["ovs-vsctl", "add-br", "br-byhand", "--", "set", "bridge", "br-byhand", "external_ids:owner=me",
         "--", "add-port", "br-byhand", "byhand0", "tag=1001", "--", "set", "interface", "byhand0", "type=internal"])
    ip_batch(["link add red type vrf table 1777", "link set red up",
              "link add red0 type dummy", "link set red0 master red", "link set red0 up", "addr add 10.1.0.1/24 dev red0",
              "link set byhand0 up", "addr add 10.1.0.1/24 dev byhand0",
              "link add red-x mtu 1300 type xfrm dev lo if_id 4242", "link set red-x master red", "link set red-x up",
              "route add 10.98.0.0/16 via 10.1.0.98 dev red0 vrf red",
              "rule add pref 500 from 192.0.2.77 table 1777"])
    run("nft -f -", stdin=NFT)
    with vici.Vici(VICI_SOCKET) as session:
        session.request("load-conn", CONNECTION)
        session.request("load-shared", {"id": "byhand", "type": "IKE", "data": "by-hand", "owners": ["203.0.113.200"]})
    LINES_FILE.write_text(FRR_LINES, encoding="ascii")
    run(["vtysh", "-f", LINES_FILE])


def remove():
    run(["vtysh", "-c", "configure terminal", "-c", "no router bgp 65010 vrf red", "-c", "no ip prefix-list FOREIGN",
         "-c", "no route-map FOREIGN", "-c", "vrf red", "-c", "no ip route 10.99.0.0/16 blackhole"])
    with vici.Vici(VICI_SOCKET) as session:
        session.request("unload-conn", {"name": "byhand"})
        session.request("unload-shared", {"id": "byhand"})
    run("nft delete table inet byhand")
    ip_batch(["rule del pref 500", "link del red-x", "link del red0", "link del red"])
    run("ovs-vsctl del-br br-byhand")
    run(["vtysh", "-c", "configure terminal", "-c", "no vrf red"], check=False)


def look():
    """All of it as text, byte for byte, but for counters and timers."""
    bridge = run("ovs-vsctl --format=json --columns=_uuid,name,ports,external_ids,other_config list bridge br-byhand")
    port = run("ovs-vsctl --format=json --columns=_uuid,name,tag,external_ids,other_config,interfaces list port byhand0")
    links = "".join(run(f"ip -d addr show dev {name}") for name in ("red", "red0", "red-x", "byhand0"))
    routes = run("ip route show table 1777") + run("ip rule show pref 500") + run("nft list table inet byhand")
    connection = json.dumps(vici.connections(VICI_SOCKET)["byhand"], sort_keys=True)
    with vici.Vici(VICI_SOCKET) as session:
        secrets = str("byhand" in session.request("get-shared")["keys"])
    config = vty("bgpd", "show running-config") + vty("zebra", "show running-config") + vty("staticd", "show running-config")
    return {"bridge": bridge, "port": port, "links": links, "routes": routes, "connection": connection, "secrets": secrets,
            "frr": "\n".join(foreign_lines(config))}


def foreign_lines(config):
    """The lines of running configurations that are about `red` or FOREIGN, with what is indented below them."""
    lines, inside = [], False
    for line in config.splitlines():
        if not line.startswith(" "):
            inside = line.endswith("vrf red") or " red" in line or "FOREIGN" in line
        if inside:
            lines.append(line)
    return lines
