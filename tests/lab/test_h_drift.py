"""A backend dies: routerd notices by itself and repairs what it lost. What is changed by hand: test_p_damage.py."""

import pytest

import traffic
from shell import until

PATIENCE = 40


def unchanged(hub):
    """Nothing is left to do; while a backend is away there is no saying."""
    answers = [hub.routerd.put(tenant, document, dry_run=True) for tenant, document in hub.topologies.items()]
    return all(answer.status == 200 and answer.json["plan"]["steps"] == [] for answer in answers)


def assert_repaired(hub, seconds=PATIENCE):
    hub.routerd.until_converged("bio", "phys", seconds=seconds)
    until(lambda: unchanged(hub), seconds, lambda: hub.routerd.put("bio", hub.topologies["bio"], dry_run=True))
    for a, b in hub.bio.pairs():
        assert traffic.reach(a, b.address, seconds), f"{a} does not reach {b}"


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
