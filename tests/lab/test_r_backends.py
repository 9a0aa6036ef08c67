"""Every daemon stands still for a while (SIGSTOP), one at a time and all at once: routerd says which, goes on with the rest, never
hangs, and when they go on all is up, without a restart of routerd. Packets lost are counted."""

import os
import signal
import time

import pytest

import traffic
from shell import until

STOP_S = int(os.environ.get("ROUTERD_LAB_STOP", "9"))  # the matrix: 30
TOLD = {"ovsdb-server": "ovs", "ovs-vswitchd": "ovs", "zebra": "bgp", "bgpd": "bgp", "charon": "ipsec"}
LOSSLESS_S = 20  # the far sides' hold times end sessions that have stood still longer


def daemons(hub):
    router = hub.world.router
    return {"ovsdb-server": router.ovs.server, "ovs-vswitchd": router.ovs.switch, "charon": router.charon.daemon,
            **{name: router.frr.daemons[name] for name in router.frr.NAMES}}


def stop_and_go(hub, names):
    """Seconds until health told of each that it must tell of."""
    told, processes = {}, [daemons(hub)[name] for name in names]
    for process in processes:
        os.kill(process.pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        while time.monotonic() - started < STOP_S:
            asked = time.monotonic()
            health = hub.routerd.get("/v1/health").json
            assert hub.routerd.get("/v1/tenants").status in (200, 503)
            assert time.monotonic() - asked < 5, "the API hangs"
            for name in names:
                if any(backend["name"] == TOLD.get(name) and not backend["answers"] for backend in health["backends"]):
                    told.setdefault(name, time.monotonic() - started)
            time.sleep(0.5)
    finally:
        for process in processes:
            os.kill(process.pid, signal.SIGCONT)
    return told


NAMES = ["ovsdb-server", "ovs-vswitchd", "zebra", "bgpd", "bfdd", "staticd", "charon"]


@pytest.mark.parametrize("names", [[name] for name in NAMES] + [NAMES], ids=[*NAMES, "all"])
def test_a_daemon_stands_still(hub, names):
    hub.settle()
    pid = hub.routerd.daemon.pid
    with traffic.Background(hub.flows) as pings:
        told = stop_and_go(hub, names)
        until(hub.routerd.healthy, 60, lambda: hub.routerd.get("/v1/health"))
        hub.routerd.until_converged("bio", "phys", seconds=90)
    lost = {flow.name: flow.lost for flow in pings.lost}
    print(f"{'+'.join(names)}: told after {told}, lost {lost}")
    assert hub.routerd.daemon.pid == pid
    assert set(told) == set(names) & set(TOLD), told
    assert STOP_S > LOSSLESS_S or not lost, pings.lost
    for tenant, document in hub.topologies.items():
        until(lambda: hub.routerd.put(tenant, document, dry_run=True).json["plan"]["steps"] == [], 30, "a plan is left")
    for a, b in hub.bio.pairs():
        assert traffic.reach(a, b.address, 30), f"{a} does not reach {b}"
