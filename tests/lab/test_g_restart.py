"""routerd is stopped, killed, started; the machine goes down and comes up."""

import calendar
import json
import time

import pytest

import router
import traffic
import vici
from shell import ip_batch, run, until


def sessions():
    """{(vrf, peer): when the session came up}."""
    shown = json.loads(router.vty("bgpd", "show bgp vrf all summary json"))
    found = {}
    for vrf, families in shown.items():
        for family in (families or {}).values():
            for peer, facts in (family.get("peers", {}) if isinstance(family, dict) else {}).items():
                found[vrf, peer] = (facts["state"], facts.get("connectionsEstablished"))
    return found


def since(hub):
    """When each object came up, in seconds."""
    return {(tenant, kind, thing["name"]): calendar.timegm(time.strptime(thing["since"], "%Y-%m-%dT%H:%M:%SZ"))
            for tenant in hub.topologies for net in hub.routerd.status(tenant)["networks"]
            for kind in ("segments", "tunnels", "peers") for thing in net[kind]}


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_restart_is_not_noticed(hub, how):
    hub.settle()
    generations = {tenant: hub.routerd.status(tenant)["generation"] for tenant in hub.topologies}
    before, came_up = (sessions(), vici.spis(router.VICI_SOCKET)), since(hub)
    assert before[0] and before[1]
    with traffic.Background(hub.flows) as pings:
        getattr(hub.routerd, how)()
        time.sleep(1)
        hub.routerd.start()
        hub.routerd.until_converged("bio", "phys")
        time.sleep(1)
    assert not pings.lost, pings.lost
    assert (sessions(), vici.spis(router.VICI_SOCKET)) == before
    assert {tenant: hub.routerd.status(tenant)["generation"] for tenant in hub.topologies} == generations
    moved = {name: (came_up[name], now) for name, now in since(hub).items() if abs(now - came_up[name]) > 1}
    assert not moved, f"`since` has changed: {moved}"


def test_killed_in_the_middle_of_a_change(hub):
    """Whatever was answered 202 is in force after the restart."""
    document, network = hub.document("bio")
    network["segments"] += [{"name": f"extra{i}", "attachments": [{"uplink": "sinet", "vlan": 1070 + i}],
                             "gateway": [f"10.50.{i}.1/24"]} for i in range(5)]
    with traffic.Background(hub.flows) as pings:
        answer = hub.routerd.put("bio", document)
        assert answer.status == 202, answer
        hub.routerd.kill()
        hub.routerd.start()
        hub.routerd.until_converged("bio", "phys")
        assert hub.routerd.status("bio")["generation"] == answer.json["generation"]
        for i in range(5):
            assert traffic.ping(hub.bio.campus, f"10.50.{i}.1", 3)
    assert not pings.lost, pings.lost


def power_off(hub):
    """All daemons killed, and all that only the kernel knew is gone."""
    hub.routerd.kill()
    world = hub.world.router
    for name in world.frr.NAMES:
        world.frr.kill(name)
    world.charon.kill()
    world.ovs.kill_switch()
    world.ovs.kill_server()
    run("ovs-dpctl del-dp system@ovs-system", check=False)
    links = json.loads(run("ip -j -d link show"))
    ip_batch([f"link del {link['ifname']}" for link in links
              if link.get("linkinfo", {}).get("info_kind") in ("vrf", "xfrm", "dummy", "openvswitch")], force=True)
    run("ip xfrm state flush")
    run("ip xfrm policy flush")
    run("nft flush ruleset")
    for path in ("/run/openvswitch", "/run/frr"):
        run(["sh", "-c", f"rm -rf {path}/*"])


def test_the_machine_restarts(hub):
    """The same topology is in force with no controller present."""
    generations = {tenant: hub.routerd.status(tenant)["generation"] for tenant in hub.topologies}
    power_off(hub)
    for far in (hub.bio, hub.phys):
        assert not traffic.ping(far.campus, far.aws.address, 0.5), "the router is not off"
    hub.world.router.start_again()
    hub.routerd.start()
    hub.routerd.until_converged("bio", "phys", seconds=120)
    assert {tenant: hub.routerd.status(tenant)["generation"] for tenant in hub.topologies} == generations
    for far in (hub.bio, hub.phys):
        for a, b in far.pairs():
            assert traffic.ping(a, b.address, 3), f"{a} does not reach {b}"


def test_routerd_is_up_before_its_backends(hub):
    """Started with nothing there it waits, says so, and goes on when they come."""
    power_off(hub)
    hub.routerd.daemon.start()
    until(lambda: hub.routerd.daemon.alive() and hub.routerd.socket.exists() and router.answers(hub.routerd.socket), 20, "no control socket")
    health = hub.routerd.get("/v1/health")
    assert health.status == 200 and health.json["status"] != "ok", health
    assert all(backend.get("reason") for backend in health.json["backends"] if not backend["answers"]), health
    hub.world.router.start_again()
    until(hub.routerd.healthy, 60, lambda: hub.routerd.get("/v1/health"))
    hub.routerd.until_converged("bio", "phys", seconds=120)
    for far in (hub.bio, hub.phys):
        assert traffic.ping(far.campus, far.site.address, 3)
