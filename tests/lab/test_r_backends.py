"""Every daemon stands still for a while (SIGSTOP), and every one dies (SIGKILL), one at a time and all at once: routerd says which,
goes on with the rest, never hangs, and when they are back all is up, without a restart of routerd. Packets lost are counted, for each
case, in the results: backends.txt."""

import os
import pathlib
import signal
import time

import pytest

import traffic
from router import vty
from shell import run, until

STOP_S = int(os.environ.get("ROUTERD_LAB_STOP", "9"))  # the matrix: 30
TOLD = {"ovsdb-server": "ovs", "ovs-vswitchd": "ovs", "zebra": "bgp", "bgpd": "bgp", "charon": "ipsec"}
LOSSLESS_S = 20  # the far sides' hold times end sessions that have stood still longer
RESULTS = pathlib.Path("/results")


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


def note(hub, what, told, pings):
    """The longest silence of a flow tells how long it took to come back."""
    lost = "; ".join(f"{flow.name}: {flow.lost} of {flow.sent}, {flow.longest_gap:.1f} s" for flow in pings.lost)
    line = f"{what}: told after {', '.join(f'{name} {seconds:.1f} s' for name, seconds in told.items()) or '-'}; lost: {lost or 'nothing'}"
    print(line)
    with open(RESULTS / "backends.txt", "a", encoding="utf-8") as file:
        file.write(line + "\n")


def assert_whole(hub, pid):
    """Nothing is left to do, which routerd cannot say before every daemon has answered, and all is up."""
    assert hub.routerd.daemon.pid == pid
    for tenant, document in hub.topologies.items():
        until(lambda: hub.routerd.put(tenant, document, dry_run=True).json.get("plan", {}).get("steps") == [], 40, "a plan is left")
    hub.routerd.until_converged("bio", "phys", seconds=90)
    for a, b in hub.bio.pairs():
        assert traffic.reach(a, b.address, 40), f"{a} does not reach {b}"


NAMES = ["ovsdb-server", "ovs-vswitchd", "zebra", "bgpd", "bfdd", "staticd", "charon"]


def forget_neighbours():
    """Everywhere: those that are resolved next are good for 15 s and more. One that has to be resolved anew while ovs-vswitchd stands
    still cannot be, since that question is no flow of the kernel's datapath any more."""
    for namespace in [None, *(line.split()[0] for line in run("ip netns list").splitlines())]:
        for family in ("-4", "-6"):
            run(f"ip {family} neigh flush all", ns=namespace)


@pytest.mark.parametrize("names", [[name] for name in NAMES] + [NAMES], ids=[*NAMES, "all"])
def test_a_daemon_stands_still(hub, names):
    hub.settle()
    pid = hub.routerd.daemon.pid
    forget_neighbours()
    with traffic.Background(hub.flows) as pings:
        time.sleep(0.5)
        told = stop_and_go(hub, names)
        until(hub.routerd.healthy, 60, lambda: hub.routerd.get("/v1/health"))
        hub.routerd.until_converged("bio", "phys", seconds=90)
    note(hub, f"{'+'.join(names)} stands still for {STOP_S} s", told, pings)
    assert set(told) == set(names) & set(TOLD), told
    assert STOP_S > LOSSLESS_S or not pings.lost, pings.lost
    assert_whole(hub, pid)


def start_dead(router):
    """As its supervisor would: zebra takes the others of FRR with it, and 8.4's crashes now and then when a client of its dies."""
    router.heal()
    return True


# What forwards is the kernel, so most deaths lose nothing. ovs-vswitchd takes the flows of its datapath with it when it starts anew; charon
# leaves its SAs, which the new one replaces; the far sides withdraw their routes when bgpd's sessions end.
LOSSLESS_DEATHS = ["ovsdb-server", "bfdd", "staticd"]


@pytest.mark.parametrize("names", [[name] for name in NAMES] + [["zebra", "bgpd", "bfdd", "staticd"], NAMES], ids=[*NAMES, "frr", "all"])
def test_a_daemon_dies(hub, names):
    hub.settle()
    router, pid = hub.world.router, hub.routerd.daemon.pid
    expected, told = set(names) & set(TOLD) - {"bgpd" if "zebra" in names else ""}, {}
    with traffic.Background(hub.flows) as pings:
        for name in names:
            if name in router.frr.NAMES:
                router.frr.kill(name)
            else:
                daemons(hub)[name].kill()
        started = time.monotonic()

        def all_told():
            away = {backend["name"] for backend in hub.routerd.get("/v1/health").json["backends"] if not backend["answers"]}
            told.update({name: time.monotonic() - started for name in expected - set(told) if TOLD[name] in away})
            return set(told) == expected
        until(all_told, 20, lambda: f"health tells only of {told}")
        time.sleep(2)
        until(lambda: start_dead(router) and hub.routerd.healthy(), 60, lambda: hub.routerd.get("/v1/health"))
        hub.routerd.until_converged("bio", "phys", seconds=90)
    note(hub, f"{'+'.join(names)} dies", told, pings)
    assert not set(names) <= set(LOSSLESS_DEATHS) or not pings.lost, pings.lost
    if names == ["charon"]:  # what no tunnel is in the way of
        wired = {f"{tenant.campus} -> {tenant.aws.address}" for tenant in (hub.bio, hub.phys)}
        assert not [flow for flow in pings.lost if flow.name in wired], pings.lost
    assert_whole(hub, pid)


def test_packets_pass_while_bgpd_is_dead(hub):
    """With graceful_restart, that is (RFC 4724). When it is back FRR 8.4 takes the old routes away before it has resolved the next hops of
    the new ones: that gap is all there may be."""
    router, pid, dead_s = hub.world.router, hub.routerd.daemon.pid, 6
    document, network = hub.document("bio")
    for peer in network["peers"]:
        peer["graceful_restart"] = True
    hub.push("bio", document)
    vty("bgpd", f"clear bgp vrf {hub.routerd.status('bio')['networks'][0]['vrf']} *")  # it holds from the next session on
    until(lambda: not hub.routerd.status("bio")["converged"], 10, "the sessions have not ended")
    hub.routerd.until_converged("bio", "phys", seconds=60)
    with traffic.Background(hub.bio.flows()) as pings:
        router.frr.kill("bgpd")
        time.sleep(dead_s)
        assert not pings.missing(), pings.flows
        router.frr.restart("bgpd")
        until(hub.routerd.healthy, 60, lambda: hub.routerd.get("/v1/health"))
        hub.routerd.until_converged("bio", "phys", seconds=90)
    note(hub, "bgpd dies, with graceful_restart", {}, pings)
    assert all(flow.longest_gap < dead_s for flow in pings.flows), pings.flows
    assert hub.routerd.daemon.pid == pid


def test_bgpd_comes_back_without_its_boot_file(hub):
    router, pid = hub.world.router, hub.routerd.daemon.pid
    router.frr.kill("bgpd")
    router.frr.daemons["bgpd"].start()
    assert_whole(hub, pid)


def test_a_put_while_charon_is_away(hub):
    """It is accepted, says what is outstanding, and is carried out when charon is back."""
    document, network = hub.document("bio")
    network["segments"].append({"name": "lab", "attachments": [{"uplink": "sinet", "vlan": 1050}], "gateway": ["10.5.0.1/24"]})
    charon = hub.world.router.charon
    charon.kill()
    answer = hub.routerd.put("bio", document, wait=3)
    assert answer.status in (202, 503), answer
    charon.start()
    until(hub.routerd.healthy, 20, lambda: hub.routerd.get("/v1/health"))
    hub.push("bio", document, wait=90)
    assert traffic.ping(hub.bio.campus, "10.5.0.1", 3)
