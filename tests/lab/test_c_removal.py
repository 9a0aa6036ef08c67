"""Removing something leaves nothing of it behind and loses no packet anywhere else."""

import pytest

import router
import traffic
import vici
import watch
from shell import run, until


SAVED_SECONDS = 30  # vtysh takes seconds under emulation, and writes are put together


def names_of(hub, tenant="bio", network="genome"):
    """What the objects of a network are called in the backends."""
    status = hub.routerd.network(tenant, network)
    tunnel = status["tunnels"][0]
    return {"vrf": status["vrf"], "tunnel": tunnel["interface"], "if_id": tunnel["if_id"],
            **{segment["name"]: segment["interface"] for segment in status["segments"]}}


def assert_gone(*patterns):
    """Nothing in OVS, kernel, charon and FRR matches; nor, once FRR's configuration has been saved, in its boot file."""
    def left(*parts):
        seen = watch.snapshot(*parts)
        return [line for pattern in patterns for line in watch.matching(seen, pattern)]
    running = left("ovs", "kernel", "charon", "frr")
    assert not running, "left behind:\n" + "\n".join(running)
    until(lambda: not left("frr.conf"), SAVED_SECONDS, lambda: left("frr.conf"))


def without(network, *names):
    """Removes segments and tunnels of these names with the peers over them, or single peers."""
    network["segments"] = [s for s in network["segments"] if s["name"] not in names]
    network["tunnels"] = [t for t in network["tunnels"] if t["name"] not in names]
    network["peers"] = [p for p in network["peers"] if p["name"] not in names and p["via"] not in names]


def test_a_peer(hub):
    document, network = hub.document("bio")
    network["peers"] = [p for p in network["peers"] if p["name"] != "aws"]
    others = [(hub.bio.campus, hub.bio.site.address), *hub.phys.flows()]
    with traffic.Background(others) as pings:
        hub.push("bio", document)
        assert not traffic.ping(hub.bio.site, hub.bio.aws.address, 1)
    assert not pings.lost, pings.lost
    assert_gone(r"bio/genome/peer/aws\b")
    assert "169.254.10.2" not in router.vty("bgpd", f"show bgp vrf {names_of(hub)['vrf']} ipv4 unicast summary")
    assert hub.bio.aws.bird.established() == 1, "the other session of the cloud is gone, too"


def test_a_tunnel(hub):
    document, network = hub.document("bio")
    names = names_of(hub)
    without(network, "sakura")
    others = [(hub.bio.campus, hub.bio.aws.address), (hub.bio.aws, hub.bio.campus.address), *hub.phys.flows()]
    with traffic.Background(others) as pings:
        hub.push("bio", document)
    assert not pings.lost, pings.lost
    assert_gone(r"\b%s\b" % names["tunnel"], "bio/genome/(tunnel|peer)/sakura", r"\brouterd-%d\b" % names["if_id"])
    assert [name for name, _ in vici.sas(router.VICI_SOCKET)] and not [
        sa for _, sa in vici.sas(router.VICI_SOCKET) if sa["remote-host"] == hub.bio.place.outer]
    in_kernel = run("ip xfrm state") + run("ip xfrm policy")
    assert f"if_id {names['if_id']:#x}" not in in_kernel and hub.bio.place.outer not in in_kernel
    until(lambda: not hub.bio.site.child_up(), 10, "the site was not told that the tunnel is gone")


def test_a_segment(hub):
    document, network = hub.document("bio")
    names = names_of(hub)
    without(network, "dx")
    others = [(hub.bio.campus, hub.bio.site.address), (hub.bio.site, hub.bio.campus.address), *hub.phys.flows()]
    with traffic.Background(others) as pings:
        hub.push("bio", document)
    assert not pings.lost, pings.lost
    assert_gone(r"\b%s\b" % names["dx"], "bio/genome/segment/dx", "bio/genome/peer/aws")


def test_a_network(hub):
    """One of two networks of a tenant."""
    document, _ = hub.document("bio")
    document["networks"].append({"name": "proteome", "segments": [
        {"name": "campus", "attachments": [{"uplink": "sinet", "vlan": 1011}], "gateway": ["10.1.0.1/24"]}]})
    with traffic.Background(hub.flows) as pings:
        hub.push("bio", document)
        status = hub.routerd.network("bio", "proteome")
        document["networks"].pop()
        hub.push("bio", document)
    assert not pings.lost, pings.lost
    assert_gone("bio/proteome", r"\b%s\b" % status["vrf"], r"\b%s\b" % status["segments"][0]["interface"])


def test_a_tenant(hub):
    names = names_of(hub)
    with traffic.Background(hub.phys.flows()) as pings:
        answer = hub.routerd.delete("bio", wait=60)
        assert answer.status == 200, answer
    assert not pings.lost, pings.lost
    assert_gone(r"\bbio/", r"\b(%s)\b" % "|".join(names[key] for key in ("vrf", "tunnel", "campus", "dx")))


def test_everything(hub):
    """With everything removed the backends are as if routerd had never been here, and nobody's routes remain."""
    hub.clear()
    before = watch.snapshot("ovs", "kernel", "charon", "frr")
    assert_gone("routerd", r"\b(rvrf|rseg|rtun|rbr)\d", "genome")
    assert not vici.sas(router.VICI_SOCKET)
    assert not run("ip xfrm state").strip(), "SAs are left in the kernel"
    hub.restore()
    hub.clear()
    assert not watch.difference(before, watch.snapshot("ovs", "kernel", "charon", "frr"))


@pytest.mark.parametrize("what", ["vlan", "gateway", "asn", "remote"])
def test_a_change_loses_nothing_elsewhere(hub, what):
    """Something is changed in place: it works afterwards as asked, and nothing else notices."""
    document, network = hub.document("bio")
    flows = hub.phys.flows()
    if what == "vlan":
        network["segments"][1]["attachments"][0]["vlan"] = 1060
        flows.append((hub.bio.campus, hub.bio.site.address))
    elif what == "gateway":
        network["segments"][0]["gateway"].append("10.1.5.1/24")
        flows = hub.flows
    elif what == "asn":
        network["peers"][0]["asn"] = 64999
        flows.append((hub.bio.campus, hub.bio.site.address))
    else:
        network["tunnels"][0]["remote"] = "203.0.113.99"
        flows.append((hub.bio.campus, hub.bio.aws.address))
    with traffic.Background(flows) as pings:
        answer = hub.routerd.put("bio", document, wait=3)
        assert answer.status in (200, 202), answer
        hub.push("bio", hub.topologies["bio"])
    assert not pings.lost, pings.lost
    assert traffic.reach(hub.bio.campus, hub.bio.aws.address, 10) and traffic.reach(hub.bio.campus, hub.bio.site.address, 10)
