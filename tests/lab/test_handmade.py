"""The world itself: with a router made by a script everything that routerd has to reach can be reached."""

import pytest

import handmade
import traffic
from shell import until
from topology import BIO, HUB_ADDRESSES, PHYS, network, topology

pytestmark = pytest.mark.handmade


@pytest.fixture(scope="module")
def scripted(world):
    script = handmade.Handmade([topology(network(place)) for place in (BIO, PHYS)],
                               {place.secret: place.psk for place in (BIO, PHYS)})
    script.apply()
    for far in world.far.values():
        until(lambda: far.aws.bird.established() == 2 and far.site.bird.established() == 2, 60,
              lambda: f"{far.aws.bird.birdc('show protocols')}{far.site.bird.birdc('show protocols')}")
    return world


@pytest.mark.parametrize("tenant", ["bio", "phys"])
def test_every_site_reaches_every_other(scripted, tenant):
    for a, b in scripted.far[tenant].pairs():
        assert traffic.reach(a, b.address, 20), f"{a} does not reach {b}"
        assert traffic.reach(a, b.address6, 20), f"{a} does not reach {b} over IPv6"


@pytest.mark.parametrize("tenant", ["bio", "phys"])
def test_tcp_passes(scripted, tenant):
    for a, b in scripted.far[tenant].pairs():
        assert traffic.tcp_passes(a, b, b.address), f"{a} -> {b}"


def test_traceroute_shows_the_hub(scripted):
    for a, b in scripted.bio.pairs():
        hops = traffic.traceroute(a, b.address)
        assert hops[0] in HUB_ADDRESSES and hops[-1] == b.address, hops


def test_tenants_do_not_meet(scripted):
    scripted.bio.aws.bird.announce(["10.77.0.0/16"])
    until(lambda: "10.77.0.0/16" in scripted.bio.site.bird.routes(), 20, "10.77.0.0/16 does not come through")
    assert "10.77.0.0/16" not in scripted.phys.site.bird.routes()
