"""The main job: the sites of a tenant reach each other through the hub, and tenants never meet."""

import pytest

import traffic
from shell import ip_batch, until
from topology import HUB_ADDRESSES


@pytest.fixture(params=["bio", "phys"])
def far(hub, request):
    return hub.world.far[request.param]


def test_every_site_pings_every_other(far):
    for a, b in far.pairs():
        assert traffic.ping(a, b.address, 3), f"{a} does not reach {b}"


def test_every_site_pings_every_other_over_ipv6(far):
    for a, b in far.pairs():
        assert traffic.ping(a, b.address6, 3), f"{a} does not reach {b}"


def test_tcp_passes(far):
    for a, b in far.pairs():
        assert traffic.tcp_passes(a, b, b.address), f"{a} -> {b}"
        assert traffic.tcp_passes(a, b, b.address6), f"{a} -> {b} over IPv6"


def test_traceroute_shows_the_hub(far):
    for a, b in far.pairs():
        hops = traffic.traceroute(a, b.address)
        assert len(hops) == 2 and hops[0] in HUB_ADDRESSES and hops[1] == b.address, f"{a} -> {b}: {hops}"


def test_clouds_learn_the_campus_and_each_other_and_no_more(far):
    """Link networks may be announced; the default route and one's own prefix may not come back."""
    for cloud, others in ((far.aws, {"10.1.0.0/24", "10.3.0.0/24"}), (far.site, {"10.1.0.0/24", "10.2.0.0/24"})):
        learned = {prefix for prefix in cloud.bird.routes() if ":" not in prefix}
        links = {"169.254.10.0/30", "169.254.20.0/30"}
        assert others <= learned <= others | links, f"{cloud} learned {learned}"


def test_tenants_never_meet(hub):
    """What only one tenant has, an address or a prefix, cannot be reached or seen by the other."""
    ip_batch(["addr add 10.1.0.77/24 dev eth0"], ns=hub.bio.campus.ns)
    hub.bio.aws.bird.announce(["10.77.0.0/16"])
    try:
        until(lambda: "10.77.0.0/16" in hub.bio.site.bird.routes(), 20, "the tenant itself does not learn 10.77.0.0/16")
        for side in (hub.bio.aws, hub.bio.site):
            assert traffic.ping(side, "10.1.0.77", 3), f"{side} does not reach its own campus"
        for side in hub.phys.all:
            assert not traffic.ping(side, "10.1.0.77", 1), f"{side} reaches the other tenant's campus"
        assert not traffic.ping(None, "10.1.0.77", 1), "the router itself is in a tenant's network"
        for cloud in (hub.phys.aws, hub.phys.site):
            assert "10.77.0.0/16" not in cloud.bird.routes(), f"{cloud} learned the other tenant's prefix"
    finally:
        hub.bio.aws.bird.announce([])
        ip_batch(["addr del 10.1.0.77/24 dev eth0"], ns=hub.bio.campus.ns)


def test_import_defaults_are_safe(hub):
    """Without `import` a peer may announce anything but the network's own prefixes and the default route."""
    hub.bio.aws.bird.announce(["0.0.0.0/0", "10.1.0.0/24", "10.78.0.0/16", "::/0", "2001:db8:78::/48"])
    try:
        until(lambda: {"10.78.0.0/16", "2001:db8:78::/48"} <= set(hub.bio.site.bird.routes()), 20, "10.78.0.0/16 does not come through")
        assert not {"0.0.0.0/0", "::/0"} & set(hub.bio.site.bird.routes())
        assert traffic.ping(hub.bio.site, hub.bio.campus.address, 3), "the campus was taken over by a peer's announcement"
    finally:
        hub.bio.aws.bird.announce([])


def test_status_tells_what_there_is(hub):
    def received():
        return hub.routerd.object("bio", "genome", "peers", "aws")["prefixes_received"]

    # what was announced for a moment is counted a little longer
    until(lambda: received() == 1, 10, lambda: f"{received()} prefixes received")
    status = hub.routerd.status("bio")
    assert status["converged"] and status["applied"] == status["generation"]
    network = status["networks"][0]
    assert network["state"] == "up" and network["vrf"] and network["table"]
    assert {s["name"]: s["state"] for s in network["segments"]} == {"campus": "up", "dx": "up"}
    assert [t["state"] for t in network["tunnels"]] == ["up"] and network["tunnels"][0]["if_id"]
    aws = next(peer for peer in network["peers"] if peer["name"] == "aws")
    assert (aws["bgp_state"], aws["asn"]) == ("Established", 64512)
    routes = hub.routerd.get("/v1/tenants/bio/networks/genome/routes").json
    assert "10.2.0.0/24" in {route["prefix"] for route in routes["routes" if isinstance(routes, dict) else slice(None)]}
