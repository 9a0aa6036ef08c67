"""Somebody changes the backends by hand, or a backend dies: routerd notices by itself and repairs it."""

import pytest

import router
import traffic
import vici
from shell import run, until
from watch import difference, snapshot

PATIENCE = 40


def parts(hub):
    """How the parts of bio's network are called."""
    network = hub.routerd.network("bio", "genome")
    segments = {segment["name"]: segment["interface"] for segment in network["segments"]}
    return {"vrf": network["vrf"], "campus": segments["campus"], "dx": segments["dx"], "asn": 65010,
            "tunnel": network["tunnels"][0]["interface"], "connection": f"routerd-{network['tunnels'][0]['if_id']}"}


def vtysh(*lines):
    run(["vtysh", "-c", "configure terminal", *(word for line in lines for word in ("-c", line))])


def charon(command, message):
    with vici.Vici(router.VICI_SOCKET) as session:
        session.request(command, message)


DAMAGE = {
    "the tunnel's interface is deleted": lambda p: run(f"ip link del {p['tunnel']}"),
    "the tunnel's interface is down": lambda p: run(f"ip link set {p['tunnel']} down"),
    "the tunnel's interface has another MTU": lambda p: run(f"ip link set {p['tunnel']} mtu 1280"),
    "the tunnel has no address": lambda p: run(f"ip addr flush dev {p['tunnel']}"),
    "the VRF is deleted": lambda p: run(f"ip link del {p['vrf']}"),
    "a gateway address is deleted": lambda p: run(f"ip addr del 10.1.0.1/24 dev {p['campus']}"),
    "an address too many": lambda p: run(f"ip addr add 10.1.9.1/24 dev {p['campus']}"),
    "a segment's port is out of the VRF": lambda p: run(f"ip link set {p['campus']} nomaster"),
    "a segment's port is down": lambda p: run(f"ip link set {p['dx']} down"),
    "a segment's port is deleted": lambda p: run(f"ovs-vsctl del-port {p['campus']}"),
    "a segment's port has another tag": lambda p: run(f"ovs-vsctl set port {p['dx']} tag=999"),
    "the uplink is out of the bridge": lambda p: run("ovs-vsctl del-port br-sinet sinet0"),
    "the bridge is deleted": lambda p: run("ovs-vsctl del-br br-sinet"),
    "the connection is unloaded": lambda p: charon("unload-conn", {"name": p["connection"]}),
    "the secret is unloaded": lambda p: charon("clear-creds", {}),
    "the SAs are terminated": lambda p: charon("terminate", {"ike": p["connection"], "force": "yes"}),
    "the BGP instance is deleted": lambda p: vtysh(f"no router bgp {p['asn']} vrf {p['vrf']}"),
    "a neighbor is deleted": lambda p: vtysh(f"router bgp {p['asn']} vrf {p['vrf']}", "no neighbor 169.254.10.2"),
    "a neighbor is shut down": lambda p: vtysh(f"router bgp {p['asn']} vrf {p['vrf']}", "neighbor 169.254.10.2 shutdown"),
    "a network statement is deleted": lambda p: vtysh(f"router bgp {p['asn']} vrf {p['vrf']}", "address-family ipv4 unicast", "no network 10.1.0.0/24"),
    "a route map is taken off": lambda p: vtysh(f"router bgp {p['asn']} vrf {p['vrf']}", "address-family ipv4 unicast", "neighbor 169.254.10.2 maximum-prefix 7"),
}


def unchanged(hub):
    return all(hub.routerd.put(tenant, document, dry_run=True).json["plan"]["steps"] == []
               for tenant, document in hub.topologies.items())


def assert_repaired(hub, seconds=PATIENCE):
    hub.routerd.until_converged("bio", "phys", seconds=seconds)
    until(lambda: unchanged(hub), seconds, lambda: hub.routerd.put("bio", hub.topologies["bio"], dry_run=True))
    for a, b in hub.bio.pairs():
        assert traffic.reach(a, b.address, seconds), f"{a} does not reach {b}"


@pytest.mark.parametrize("damage", DAMAGE)
def test_repaired_by_itself(hub, damage):
    before = snapshot("frr", "charon")
    shared = "bridge" in damage
    with traffic.Background([] if shared else hub.phys.flows()) as pings:
        DAMAGE[damage](parts(hub))
        traffic.time.sleep(0.5)
        assert_repaired(hub)
    assert not pings.lost, pings.lost
    assert not difference(before, snapshot("frr", "charon"))


@pytest.fixture
def backends(hub):
    return hub.world.router


def test_charon_is_killed(hub, backends):
    with traffic.Background([(hub.bio.campus, hub.bio.aws.address), (hub.phys.campus, hub.phys.aws.address)]) as pings:
        backends.charon.kill()
        until(lambda: hub.routerd.backend_reason("ipsec"), 10, "health does not say that charon is away")
        backends.charon.start()
        assert_repaired(hub, 90)
    assert not pings.lost, pings.lost


def supervised(backends):
    """zebra 8.4 now and then crashes when a client of its dies; as watchfrr would, what is dead is started."""
    backends.heal()
    return True


@pytest.mark.parametrize("name", ["bgpd", "zebra", "staticd"])
def test_an_frr_daemon_is_killed(hub, backends, name):
    backends.frr.kill(name)
    traffic.time.sleep(1)
    backends.frr.restart(name)
    until(lambda: supervised(backends) and hub.routerd.healthy(), 60, lambda: hub.routerd.get("/v1/health"))
    assert_repaired(hub, 90)


def test_frr_is_restarted_as_a_whole(hub, backends):
    for name in backends.frr.NAMES:
        backends.frr.kill(name)
    until(lambda: hub.routerd.backend_reason("bgp"), 15, "health does not say that FRR is away")
    backends.frr.start_again()
    assert_repaired(hub, 90)


def test_bgpd_comes_back_without_its_boot_file(hub, backends):
    backends.frr.kill("bgpd")
    backends.frr.daemons["bgpd"].start()
    assert_repaired(hub, 90)


def test_the_switch_is_killed(hub, backends):
    backends.ovs.kill_switch()
    until(lambda: hub.routerd.backend_reason("ovs"), 20, "health does not say that ovs-vswitchd is away")
    backends.ovs.start_switch()
    assert_repaired(hub, 60)


def test_the_switchs_database_is_killed(hub, backends):
    with traffic.Background(hub.flows) as pings:
        backends.ovs.kill_server()
        until(lambda: hub.routerd.backend_reason("ovs"), 20, "health does not say that ovsdb-server is away")
        backends.ovs.start_server()
        until(hub.routerd.healthy, 30, lambda: hub.routerd.get("/v1/health"))
        assert_repaired(hub, 60)
    assert not pings.lost, pings.lost


def test_a_put_while_charon_is_away(hub, backends):
    """It is accepted, says what is outstanding, and is carried out when charon is back."""
    document, network = hub.document("bio")
    network["segments"].append({"name": "lab", "attachments": [{"uplink": "sinet", "vlan": 1050}], "gateway": ["10.5.0.1/24"]})
    backends.charon.kill()
    answer = hub.routerd.put("bio", document, wait=3)
    assert answer.status in (202, 503), answer
    backends.charon.start()
    until(hub.routerd.healthy, 20, lambda: hub.routerd.get("/v1/health"))
    hub.push("bio", document, wait=90)
    assert traffic.ping(hub.bio.campus, "10.5.0.1", 3)
