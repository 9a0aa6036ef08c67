"""BGP as a hub needs it: several ways at once, quick detection, policies that change under a running session."""

import json
import os
import re
import time

import pytest

import router
import shell
import traffic
import twin
from shell import run, until
from watch import difference, snapshot

CUTS = int(os.environ.get("ROUTERD_LAB_CUTS", "2"))
QUICK_SECONDS = 1.5       # of loss when a tunnel is cut, with BFD
SLACK_SECONDS = 1.5       # that emulation may take longer
TIMERS = {"keepalive": 1, "hold": 4}


@pytest.fixture(scope="module")
def far(world):
    made = twin.Twin("bio-twin", world.underlay, "203.0.113.1", 65010, world.bio.place.psk)
    made.start()
    yield made
    made.stop()


def peer_of(hub, name):
    return hub.routerd.object("bio", "genome", "peers", name)


def kernel_route(hub, prefix):
    vrf = hub.routerd.network("bio", "genome")["vrf"]
    found = json.loads(run(["ip", "-j", "route", "show", "vrf", vrf, prefix]) or "[]")
    return found[0] if found else {}


def next_hops(hub, prefix):
    route = kernel_route(hub, prefix)
    return sorted(hop["gateway"] for hop in route.get("nexthops", [route]) if "gateway" in hop)


def packets(hub):
    """Those sent into each of the two tunnels."""
    devices = [hub.routerd.object("bio", "genome", "tunnels", f"twin{n}")["interface"] for n in (1, 2)]
    shown = {link["ifname"]: link["stats64"]["tx"]["packets"] for link in json.loads(run("ip -j -s link show"))}
    return [shown[device] for device in devices]


BOTH = ["169.254.31.2", "169.254.32.2"]


def sinces(hub, *names):
    return [peer_of(hub, name)["since"] for name in names]


def cut_and_heal(hub, far, number, flows):
    """Seconds that the flow which was worst off got no answer, and what the peer's status said; None if the other
    tunnel's session went down, too, as happens when the emulated machine stands still for BFD's second."""
    other = f"twin{2 - number}"
    before = sinces(hub, other)
    with traffic.Background(flows, patience=0.5) as pings:
        time.sleep(0.3)
        far.cut(number)
        until(lambda: BOTH[number] not in next_hops(hub, "10.40.0.0/24"), 30, "the cut tunnel's next hop stays")
        time.sleep(1)
    gap = max(flow.longest_gap for flow in pings.flows)
    down = peer_of(hub, f"twin{number + 1}")
    assert down["state"] == "down" and down["reason"], down
    steady = sinces(hub, other) == before
    far.mend()
    hub.routerd.until_converged("bio", seconds=60)
    until(lambda: next_hops(hub, "10.40.0.0/24") == BOTH, 30, lambda: f"after healing: {kernel_route(hub, '10.40.0.0/24')}")
    if not steady:
        print(f"tunnel {number + 1} cut, {gap:.2f} s without an answer, but the other one was down, too: once more")
    return (gap, down) if steady else None


def cuts(hub, far, numbers, flows):
    """What each of the cuts gave, with as many tries more."""
    tries, found = 2 * len(numbers), []
    while len(found) < len(numbers):
        assert tries, "the tunnel that was not cut goes down again and again"
        tries -= 1
        result = cut_and_heal(hub, far, numbers[len(found)], flows)
        found += [result] if result else []
    return found


def shares(hub, flows):
    """How many packets each tunnel was sent while every flow was answered; None if packets were lost."""
    before = packets(hub)
    with traffic.Background(flows) as pings:
        time.sleep(1)
    return None if pings.lost else [after - was for was, after in zip(before, packets(hub))]


def test_two_tunnels_carry_traffic_and_one_survives(hub, far):
    document, network = hub.document("bio")
    twin.add_to(network, hub.bio.place.secret, bfd=True)
    hub.push("bio", document)
    until(lambda: [peer_of(hub, name)["bfd_state"] for name in ("twin1", "twin2")] == ["up", "up"], 10, "BFD is not up")
    until(lambda: next_hops(hub, "10.40.0.0/24") == BOTH, 10, lambda: kernel_route(hub, "10.40.0.0/24"))
    flows = [(hub.bio.campus, address) for address in far.addresses()]
    sent = next(filter(None, (shares(hub, flows) for _ in range(3))), None)
    assert sent and all(count > 20 for count in sent), f"the tunnels share no traffic without loss: {sent}"
    clean = snapshot("frr")
    for gap, down in cuts(hub, far, [cut % 2 for cut in range(CUTS)], flows):
        print(f"BFD: {down['name']} cut, {gap:.2f} s without an answer; {down['reason']}")
        assert gap <= QUICK_SECONDS + SLACK_SECONDS
        assert "BFD" in down["reason"]
    assert not difference(clean, snapshot("frr"))
    assert hub.routerd.put("bio", document, dry_run=True).json["plan"]["steps"] == []

    for peer in network["peers"]:
        if peer["name"].startswith("twin"):
            peer.update(bfd=False, timers=TIMERS)
    hub.push("bio", document)
    far.bird.birdc("restart all")
    hub.routerd.until_converged("bio", seconds=60)
    until(lambda: next_hops(hub, "10.40.0.0/24") == BOTH, 30, "not both next hops")
    (gap, down), = cuts(hub, far, [0], flows)
    print(f"hold time {TIMERS['hold']} s: {down['name']} cut, {gap:.2f} s without an answer; {down['reason']}")
    assert gap <= TIMERS["hold"] + SLACK_SECONDS


# ---------------------------------------------------------------- everything at once

SESSION4 = {"local": "169.254.10.2", "remote": "169.254.10.1", "asn": 65010}
SESSION6 = {"local": "2001:db8:20::2", "remote": "2001:db8:20::1", "asn": 65010}
BOTH_FAMILIES = ["ipv4", "ipv6"]


@pytest.fixture
def birds(hub):
    """Those of the cloud and the site, which a test may change."""
    made = hub.bio.aws.bird, hub.bio.site.bird
    before = [bird.sessions for bird in made]
    yield made
    for bird, sessions in zip(made, before):
        bird.communities = {}
        bird.announce([])
        bird.change(sessions)


def all_keys(document, network):
    """The cloud in one session over IPv4, the site in one over IPv6, with everything that a peer can be told."""
    aws, site = network["peers"][0], network["peers"][3]
    network["peers"] = [aws, site]
    aws.update(
        families=BOTH_FAMILIES, bfd={"interval": 400, "multiplier": 3}, timers={"keepalive": 3, "hold": 9, "connect_retry": 3},
        graceful_restart=True, allowas_in=2, as_override=True,
        **{"import": {"prefixes": ["10.2.0.0/16 le 24", "2001:db8:2::/48 le 64"], "max_prefixes": 50,
                      "communities": ["65000:1", "65000:2", "4200000000:1:2", "no-export"], "local_preference": 150,
                      "set_communities": ["65000:7", "4200000000:7:7"]},
           "export": {"prefixes": ["10.0.0.0/8 le 24", "2001:db8::/32 le 64"], "max_prefixes": 40, "prepend": 2, "med": 30,
                      "set_communities": ["65000:9", "1:2:3"], "default_originate": True}})
    site.update(families=BOTH_FAMILIES, bfd=True, allowas_in=3,
                **{"import": {"local_preference": 90}, "export": {"communities": ["65000:7"], "med": 5}})
    network["aggregates"] = [{"prefix": "10.64.0.0/10", "summary_only": True}, {"prefix": "2001:db8:4000::/36"}]
    network["routes"] = [{"prefix": "10.64.1.0/24", "blackhole": True}, {"prefix": "2001:db8:4000::/48", "blackhole": True}]
    return document


def every_key_misses(hub, aws, site):
    """What of all_keys() is not to be seen at the two far sides yet, or any more."""
    found = [f"{name}: BFD" for name in ("aws", "sakura6") if peer_of(hub, name)["bfd_state"] != "up"]
    expected = {"0.0.0.0/0", "::/0", "10.1.0.0/24", "10.3.0.0/24", "2001:db8:1::/64", "2001:db8:3::/64", "10.64.0.0/10",
                "2001:db8:4000::/36", "2001:db8:4000::/48"}
    told = set(aws.routes())
    found += [f"aws: without {prefix}" for prefix in expected - told] + [f"aws: {prefix}" for prefix in {"10.64.1.0/24"} & told]
    # only what has a community comes in and goes on, with ours added; the site is told only that
    told = set(site.routes())
    found += [f"site: without {prefix}" for prefix in {"10.2.77.0/24", "2001:db8:2:1::/64"} - told]
    found += [f"site: {prefix}" for prefix in {"10.2.78.0/24", "10.2.0.0/24", "10.1.0.0/24"} & told]
    # IPv6 over a session of IPv4 and the other way round
    for bird, prefix, texts in ((aws, "10.1.0.0/24", ("65010 65010 65010", "BGP.med: 30", "(65000,9)", "(1, 2, 3)")),
                                (aws, "2001:db8:1::/64", ("next_hop: 2001:db8:10::1",)),
                                (site, "10.2.77.0/24", ("(65000,1) (65000,7)", "next_hop: 169.254.20.1"))):
        shown = bird.birdc(f"show route all {prefix}")
        found += [f"{prefix}: {text!r} is not in {shown}" for text in texts if text not in shown]
    if next_hops(hub, "10.3.0.0/24") != ["169.254.20.2"]:
        found.append(f"10.3.0.0/24: {kernel_route(hub, '10.3.0.0/24')}")
    return found


def test_every_key_settles(hub, birds):
    aws, site = birds
    document = all_keys(*hub.document("bio"))
    aws.communities = {"10.2.77.0/24": ["65000:1"], "10.2.78.0/24": ["65000:3"], "2001:db8:2:1::/64": ["65000:2"]}
    aws.announce(["10.2.77.0/24", "10.2.78.0/24", "2001:db8:2:1::/64"])
    aws.change([{**SESSION4, "families": BOTH_FAMILIES, "bfd": True}])
    site.change([{**SESSION6, "families": BOTH_FAMILIES, "bfd": True}])
    hub.push("bio", document)
    assert hub.routerd.put("bio", document, dry_run=True).json["plan"]["steps"] == []
    until(lambda: not every_key_misses(hub, aws, site), 30, lambda: every_key_misses(hub, aws, site))
    before = snapshot("frr")
    saved = next(line for line in before["frr"] if "profile routerd-400x3" in line)
    until(lambda: saved.split(" / ")[1] in run("cat /etc/frr/frr.conf"), 20, "BFD's profiles are not saved")
    time.sleep(2)
    assert not difference(before, snapshot("frr")), "something is written again and again"
    # and back again
    aws.change([SESSION4, {"local": "2001:db8:10::2", "remote": "2001:db8:10::1", "asn": 65010}])
    site.change([{"local": "169.254.20.2", "remote": "169.254.20.1", "asn": 65010}, SESSION6])
    hub.push("bio", hub.topologies["bio"])
    shown = router.vty("bgpd", "show running-config") + router.vty("bfdd", "show running-config")
    for word in ("bfd profile routerd", "profile routerd-", "community-list", "aggregate-address", "allowas-in", "preserve-fw"):
        assert word not in shown, shown


# ---------------------------------------------------------------- policies

def policies():
    """None lets 10.66.0.0/24 out or 10.67.0.0/24 in."""
    some = ["10.3.0.0/16 le 24"]
    tagged = ["10.0.0.0/8 le 24"]
    return [
        {"import": {"prefixes": some}, "export": {"prefixes": ["10.1.0.0/16 le 24", "10.2.0.0/16 le 24"]}},
        {"import": {"prefixes": tagged, "communities": ["65000:3"]}, "export": {"prefixes": tagged, "communities": ["65000:3"]}},
        {"import": {"prefixes": some, "local_preference": 120}, "export": {"prefixes": ["10.1.0.0/24"], "med": 3, "prepend": 1}},
        {"import": {"communities": ["65000:3"], "set_communities": ["65000:8"]}, "export": {"communities": ["65000:3"]}},
        {"import": {"prefixes": some, "max_prefixes": 33}, "export": {"prefixes": [], "max_prefixes": 9}},
        {"import": {"prefixes": ["10.3.0.0/24"], "communities": ["65000:3", "1:2:3"]}, "export": {"prefixes": ["10.2.0.0/24"]}},
    ]


class Events:
    """What passes meanwhile: the kernel's routes of the router, and what the cloud's BIRD imports."""

    def __init__(self, bird):
        self.bird = bird

    def __enter__(self):
        self.bird.birdc("debug hub0 { routes }")
        self.start = len(self.bird.daemon.tail(1_000_000))
        self.monitor = shell.Daemon("routes", ["ip", "monitor", "route"]).start()
        return self

    def __exit__(self, *_):
        self.monitor.end()
        self.bird.birdc("debug hub0 off")

    def imported(self):
        return self.bird.daemon.tail(1_000_000)[self.start:]

    def routed(self):
        """What came; that something goes, which was there before, is no harm."""
        return "".join(line for line in self.monitor.tail(1_000_000).splitlines(True) if not line.startswith("Deleted"))


def test_policies_change_within_a_session(hub, birds):
    aws, site = birds
    document, network = hub.document("bio")
    network["peers"] = network["peers"][:2]
    cloud, sakura = network["peers"]
    site.communities = {"10.3.5.0/24": ["65000:3"], "10.66.0.0/24": ["65000:4"], "10.67.0.0/24": ["65000:5"]}
    site.announce(["10.3.5.0/24", "10.66.0.0/24", "10.67.0.0/24", "10.68.0.0/24"])
    cloud["export"] = policies()[0]["export"]
    sakura["import"] = policies()[0]["import"]
    hub.push("bio", document)
    before = sinces(hub, "aws", "sakura")
    with Events(aws) as events:
        for policy in policies()[1:] + policies()[:1]:
            cloud["export"], sakura["import"] = policy["export"], policy["import"]
            plan = hub.push("bio", document)["plan"]
            assert plan["disruptive"] == 0 and plan["update"] >= 2, plan
            time.sleep(0.3)
        until(lambda: {"10.1.0.0/24", "10.2.0.0/24"} & set(aws.routes()), 10, aws.routes)
        assert "10.1.0.0/24" in events.imported(), "the events were not seen"
        assert "10.3.5.0" in events.routed(), "the events were not seen"
        for prefix in ("10.66.0.0", "10.67.0.0", "10.68.0.0"):
            assert prefix not in events.imported() and prefix not in events.routed(), f"{prefix} has passed"
    assert before == sinces(hub, "aws", "sakura")


def test_a_changed_import_is_converged_when_it_holds(hub, birds):
    """A filter holds for what the peer tells from then on, and it is asked to tell all."""
    _, site = birds
    document, network = hub.document("bio")
    network["peers"] = network["peers"][:2]
    site.announce([f"10.90.{n}.0/24" for n in range(50)])
    for prefixes, expected in ((["10.0.0.0/8 le 24"], 51), (["10.3.0.0/16 le 24"], 1), (["10.0.0.0/8 le 24"], 51)):
        network["peers"][1]["import"] = {"prefixes": prefixes, "max_prefixes": 100}
        hub.push("bio", document)
        vrf = hub.routerd.network("bio", "genome")["vrf"]
        routes = run(["ip", "route", "show", "vrf", vrf, "proto", "bgp"]).splitlines()
        assert len([route for route in routes if "169.254.20.2" in route]) == expected, routes


# ---------------------------------------------------------------- what goes wrong

def test_what_was_refused_meanwhile_comes_back(hub):
    """A filter that is not there refuses everything, and FRR 8.4 does not look again when it is. Both happen when bgpd starts anew and reads
    its boot file, which has the filters last, while sessions come up; routerd then finds nothing to change."""
    vrf = hub.routerd.network("bio", "genome")["vrf"]
    assert next_hops(hub, "10.2.0.0/24") == ["169.254.10.2"]
    shown = router.vty("bgpd", "show running-config")
    name = re.search(r"neighbor 169.254.10.2 prefix-list (\S+) in", shown[shown.index(f"vrf {vrf}"):]).group(1)
    other = name.removesuffix("-2") if name.endswith("-2") else f"{name}-2"
    lines = [line.strip().replace(name, other) for line in shown.splitlines() if line.startswith(f"ip prefix-list {name} ")]
    router.vty("bgpd", "configure terminal", f"router bgp 65010 vrf {vrf}", "address-family ipv4 unicast",
               f"neighbor 169.254.10.2 prefix-list {other} in", "end")
    for _ in range(10):
        if not next_hops(hub, "10.2.0.0/24"):
            break
    router.vty("bgpd", "configure terminal", *lines, "end")
    time.sleep(2)
    until(lambda: next_hops(hub, "10.2.0.0/24") == ["169.254.10.2"], 30, lambda: f"10.2.0.0/24: {kernel_route(hub, '10.2.0.0/24')}")
    hub.routerd.until_converged("bio")


def test_a_wrong_key_does_not_come_up(hub, birds):
    aws, _ = birds
    document, network = hub.document("bio")
    network["peers"] = network["peers"][:1]
    network["peers"][0]["password"] = {"secret": "aws-md5"}
    hub.routerd.write_secret("aws-md5", "the-right-key")
    aws.change([{**SESSION4, "password": "the-right-key"}])
    hub.push("bio", document)
    aws.change([{**SESSION4, "password": "another-key"}])
    until(lambda: peer_of(hub, "aws")["state"] == "down", 20, lambda: peer_of(hub, "aws"))
    limit = time.monotonic() + 8
    while time.monotonic() < limit:
        assert peer_of(hub, "aws")["bgp_state"] != "Established" and aws.established() == 0
        time.sleep(0.5)
    assert "password" in peer_of(hub, "aws")["reason"], peer_of(hub, "aws")
    hub.routerd.write_secret("aws-md5", "another-key")
    hub.routerd.until_converged("bio", seconds=30)
    aws.change([SESSION4])
    until(lambda: peer_of(hub, "aws")["state"] == "down", 20, lambda: peer_of(hub, "aws"))
    told = json.dumps(hub.routerd.status("bio")) + hub.routerd.daemon.tail(2000)
    assert "the-right-key" not in told and "another-key" not in told


def test_too_many_prefixes_end_the_session(hub, birds):
    _, site = birds
    document, network = hub.document("bio")
    network["peers"][1]["import"] = {"max_prefixes": 100}
    hub.push("bio", document)
    site.announce([f"10.90.{n}.0/24" for n in range(100)])  # and its own
    until(lambda: peer_of(hub, "sakura")["state"] == "down", 30, lambda: peer_of(hub, "sakura"))
    until(lambda: "100 prefixes" in (peer_of(hub, "sakura").get("reason") or ""), 10, lambda: peer_of(hub, "sakura"))
    network["peers"][1]["import"] = {"max_prefixes": 101}
    hub.push("bio", document)
    assert peer_of(hub, "sakura")["prefixes_received"] == 101


def test_bfdd_is_away(hub, birds):
    aws, _ = birds
    document, network = hub.document("bio")
    network["peers"] = network["peers"][:1]
    network["peers"][0]["bfd"] = True
    aws.change([{**SESSION4, "bfd": True}])
    hub.push("bio", document)
    hub.world.router.frr.kill("bfdd")
    until(lambda: "bfdd" in (peer_of(hub, "aws").get("reason") or ""), 20, lambda: peer_of(hub, "aws"))
    backend = next(b for b in hub.routerd.get("/v1/health").json["backends"] if b["name"] == "bgp")
    assert backend["answers"] and "bfdd" in backend["reason"], backend
    network["peers"][0]["timers"] = {"connect_retry": 7}
    assert hub.routerd.put("bio", document, wait=2).status == 202
    hub.world.router.frr.daemons["bfdd"].start()
    hub.routerd.until_converged("bio", seconds=60)
    assert peer_of(hub, "aws")["bfd_state"] == "up"
