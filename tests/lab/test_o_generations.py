"""Generations and events on the real daemons: the way back, also by itself and over kill -9; what is told when others
change the router; plans that are what happens; and a routerd that dies at any step of one."""

import copy
import http.client
import json
import os
import random
import re
import time

import pytest

import traffic
from api import BUILD, outstanding, routerctl
from shell import LOGS, Daemon, run, until
from watch import difference, snapshot

FAULTS = BUILD / "routerd/routerd_faults"
PLACES = 3  # of those where routerd may die; ROUTERD_ALL_PLACES=1 takes all
WALKS = int(os.environ.get("ROUTERD_LAB_WALKS", "8"))  # random topologies, one after the other


def with_segment(hub, name="lab", vlan=1050, net=5):
    document, network = hub.document("bio")
    network["segments"].append({"name": name, "attachments": [{"uplink": "sinet", "vlan": vlan}], "gateway": [f"10.{net}.0.1/24"]})
    return document


def segments(hub):
    return [segment["name"] for segment in hub.routerd.network("bio", "genome")["segments"]]


def happened(hub, since, kind, text="", obj=None):
    return [event for event in hub.routerd.events(since)
            if event["kind"] == kind and re.search(text, event["text"]) and (obj is None or event["object"] == obj)]


def until_happened(hub, since, kind, text="", obj=None, seconds=30):
    until(lambda: happened(hub, since, kind, text, obj), seconds,
          lambda: f"no event {kind} {text!r} in {json.dumps(hub.routerd.events(since), indent=1)}")
    return happened(hub, since, kind, text, obj)[0]


# ------------------------------------------------------------ the way back

def test_not_confirmed_and_killed(hub):
    """The end of the time comes while routerd is dead; nothing else is touched on the way there and back."""
    since = hub.routerd.last_event()
    with traffic.Background(hub.flows) as pings:
        answer, end = hub.routerd.put("bio", with_segment(hub), confirm=8), time.monotonic() + 8
        assert answer.status == 202 and answer.json["confirm"]["back_to"] == answer.json["generation"] - 1, answer
        until(lambda: hub.routerd.object("bio", "genome", "segments", "lab")["state"] == "up", 7, lambda: hub.routerd.status("bio"))
        assert hub.routerd.status("bio")["confirm"]
        hub.routerd.kill()
        time.sleep(max(0.0, end - time.monotonic()))
        hub.routerd.start()
        until(lambda: hub.routerd.status("bio")["generation"] == answer.json["generation"] + 1, 20, lambda: hub.routerd.status("bio"))
        hub.routerd.until_converged("bio", "phys")
        assert "lab" not in segments(hub) and "confirm" not in hub.routerd.status("bio")
        until_happened(hub, since, "rolled-back", "was not confirmed in time")
    assert not pings.lost, pings.lost
    late = hub.routerd.call("POST", "/v1/tenants/bio/topology/confirm")
    assert late.status == 409, late


def test_confirmed_and_rolled_back_by_hand(hub, tmp_path):
    base = hub.routerd.status("bio")["generation"]
    file = tmp_path / "topology.yaml"
    file.write_text(json.dumps(with_segment(hub)), encoding="utf-8")
    routerctl(hub.routerd, "apply", "--confirm", "1m", "--wait", "60s", str(file), tenant="bio")
    routerctl(hub.routerd, "confirm", tenant="bio")
    assert "confirm" not in hub.routerd.status("bio")
    assert "lab" in routerctl(hub.routerd, "diff", str(base), str(base + 1), tenant="bio")
    history = hub.routerd.get("/v1/tenants/bio/history").json["generations"]
    assert history[0]["number"] == base + 1 and history[0]["who"].startswith("uid 0")
    routerctl(hub.routerd, "rollback", str(base), "--wait", "60s", tenant="bio")
    assert "lab" not in segments(hub) and hub.routerd.status("bio")["generation"] == base + 2
    again = hub.routerd.get(f"/v1/tenants/bio/topology?generation={base}")
    assert again.status == 200 and again.headers["ETag"] == f'"{base}"'
    wrong = hub.routerd.put("bio", with_segment(hub), if_match=base)
    assert wrong.status == 412, wrong


# ------------------------------------------------------------ events

def test_what_others_change_is_told(hub):
    """Damage and dead daemons are told of, and a follower hears it."""
    since = hub.routerd.last_event()
    campus = hub.routerd.object("bio", "genome", "segments", "campus")["interface"]
    run(f"ovs-vsctl del-port {campus}")
    told = until_happened(hub, since, "drift", "deleted by hand", "genome/segment/campus")
    assert told["tenant"] == "bio" and told["network"] == "genome"
    hub.routerd.until_converged("bio")
    hub.world.router.charon.kill()
    until_happened(hub, since, "away", "charon", "ipsec")
    hub.world.router.charon.start()
    until_happened(hub, since, "back", obj="ipsec")
    until_happened(hub, since, "drift", "lost while its backend was away")
    hub.routerd.until_converged("bio", "phys", seconds=60)
    assert "drift" in routerctl(hub.routerd, "events", "--since", str(since))
    assert not any(place.psk in json.dumps(hub.routerd.events()) for place in (hub.bio.place, hub.phys.place))


# ------------------------------------------------------------ the plan is what happens

STEP = re.compile(r"^<6>([a-z]+): (create|update|delete): (.*?)(?: tenant=(\S+))?(?: network=\S+)?(?: object=(\S+))?$")


def steps_logged(text):
    return [match.groups()[:3] + (match.group(5),) for match in map(STEP.match, text.splitlines()) if match]


def random_network(chance):
    """Another network of bio, with something of everything that needs no far side."""
    name = chance.choice(["walk-a", "walk-b"])
    vlan = 1060 if name == "walk-a" else 1065
    network = {"name": name, "segments": [], "peers": [], "routes": [], "pools": []}
    for i in range(chance.randint(1, 3)):
        attachments = [{"uplink": "sinet", "vlan": vlan + i + join} for join in range(0, 20 * chance.randint(1, 2), 20)]
        network["segments"].append({"name": f"s{i}", "attachments": attachments,
                                    "gateway": [f"10.8{i}.0.{chance.choice([1, 2])}/24"] + [f"2001:db8:8{i}::1/64"] * chance.randint(0, 1)})
    for i in range(chance.randint(0, 2)):
        network["peers"].append({"name": f"p{i}", "via": "s0", "address": f"10.80.0.{10 + i}", "asn": 64512 + chance.randint(0, 1)})
    for i in range(chance.randint(0, 2)):
        network["routes"].append({"prefix": f"10.9{i}.0.0/16", "via": f"10.80.0.{chance.choice([20, 21])}"})
    return network


def applied(hub, tenant="bio"):
    try:
        status = hub.routerd.status(tenant)
    except (OSError, http.client.HTTPException):
        return False
    return status["applied"] == status["generation"]


def test_the_plan_is_what_happens(hub):
    chance, log = random.Random(4), LOGS / "routerd.log"
    for _ in range(WALKS):
        document, _network = hub.document("bio")
        for _ in range(chance.randint(0, 2)):
            network = random_network(chance)
            if network["name"] not in [other["name"] for other in document["networks"]]:
                document["networks"].append(network)
        plan = hub.routerd.put("bio", document, dry_run=True).json["plan"]["steps"]
        size = log.stat().st_size
        assert hub.routerd.put("bio", document).status in (200, 202)
        until(lambda: applied(hub), 30, lambda: outstanding(hub.routerd.status("bio")))
        done = steps_logged(log.read_bytes()[size:].decode())
        planned = [(step["backend"], step["action"], step["summary"], step["object"]) for step in plan]
        assert done == planned, (sorted(set(done) - set(planned)), sorted(set(planned) - set(done)))
        assert not hub.routerd.put("bio", document, dry_run=True).json["plan"]["steps"]


# ------------------------------------------------------------ dying at any step

def everything(hub):
    """bio's topology with one more network that has every kind of object."""
    document, network = hub.document("bio")
    other = copy.deepcopy(network)
    other.update(name="crash", pools=[{"name": "pool", "prefix": "10.61.0.0/24"}],
                 routes=[{"prefix": "10.91.0.0/16", "via": "10.61.0.9"}, {"prefix": "10.92.0.0/16", "blackhole": True}])
    other["segments"] = [{"name": "s", "attachments": [{"uplink": "sinet", "vlan": 1061}], "gateway": ["10.61.0.1/24", "2001:db8:61::1/64"]},
                         {"name": "two", "attachments": [{"uplink": "sinet", "vlan": 1062}, {"uplink": "sinet", "vlan": 1063}]}]
    other["tunnels"][0].update(name="far", remote="203.0.113.77")
    other["peers"] = [{"name": "p", "via": "s", "address": "10.61.0.2", "asn": 64512, "export": {"prefixes": ["10.0.0.0/8 le 24"]}},
                      {"name": "q", "via": "far", "address": "169.254.20.2", "asn": 64513}]
    document["networks"].append(other)
    return document


def start_faulty(hub, place):
    hub.routerd.stop()
    daemon = hub.routerd.daemon
    hub.routerd.daemon = Daemon("routerd", [str(FAULTS), *daemon.command[1:]], env={"ROUTERD_FAULT": str(place)})
    hub.routerd.start()
    return daemon


def put_until_death(hub, document, place):
    """Puts it to a routerd that dies at this place, and starts one that does not: it takes up what is durable, which
    is the new generation if that was answered, and either if not."""
    before = hub.routerd.status("bio")["generation"]
    good, accepted = start_faulty(hub, place), None
    try:
        answer = hub.routerd.put("bio", document)
        accepted = answer.json["generation"]
        until(lambda: not hub.routerd.daemon.alive() or applied(hub), 40, "it neither died nor came to an end")
    except (OSError, http.client.HTTPException, ValueError):
        pass  # it died before it answered
    hub.routerd.kill()
    hub.routerd.daemon = good
    hub.routerd.start()
    until(lambda: applied(hub), 40, lambda: outstanding(hub.routerd.status("bio")))
    generation = hub.routerd.status("bio")["generation"]
    assert generation == (accepted or generation) and before <= generation <= before + 1
    if generation == before:
        assert hub.routerd.put("bio", document).status == 202
        until(lambda: applied(hub), 40, lambda: outstanding(hub.routerd.status("bio")))
    assert not hub.routerd.put("bio", document, dry_run=True).json["plan"]["steps"]


@pytest.mark.skipif(not FAULTS.exists(), reason="routerd_faults is not built")
def test_dies_at_any_step(hub):
    small, large = hub.topologies["bio"], everything(hub)
    steps = len(hub.routerd.put("bio", large, dry_run=True).json["plan"]["steps"])
    places = range(1, 2 * steps + 4)
    if not os.environ.get("ROUTERD_ALL_PLACES"):
        places = random.Random(7).sample(list(places), PLACES)
    before = snapshot("ovs", "kernel", "charon", "frr")
    with traffic.Background(hub.flows) as pings:
        for place in places:
            put_until_death(hub, large, place)
            put_until_death(hub, small, place)
        hub.routerd.until_converged("bio", "phys")
    assert not pings.lost, pings.lost
    until(lambda: not difference(before, snapshot(*before)), 20, lambda: difference(before, snapshot(*before)))
