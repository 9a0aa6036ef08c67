"""PUT and its answers: `wait` means that traffic passes, an unchanged topology changes nothing."""

import pytest

import traffic
from api import outstanding


@pytest.mark.parametrize("attempt", range(3))
def test_a_ping_right_after_the_answer_succeeds(hub, attempt):
    """From nothing to all of it; one packet for each pair, no second try."""
    hub.clear()
    for tenant, document in hub.topologies.items():
        hub.push(tenant, document)
        failed = [(a, b) for a, b in hub.world.far[tenant].pairs() if not traffic.ping(a, b.address, 3)]
        assert not failed, f"{tenant}: converged, but {failed}"


def test_an_added_segment_is_there_at_the_answer(hub):
    document, network = hub.document("bio")
    network["segments"].append({"name": "lab", "attachments": [{"uplink": "sinet", "vlan": 1050}], "gateway": ["10.5.0.1/24"]})
    plan = hub.routerd.put("bio", document, dry_run=True).json
    with traffic.Background(hub.flows) as pings:
        answer = hub.push("bio", document)
        assert traffic.ping(hub.bio.campus, "10.5.0.1", 3), "the new gateway does not answer"
    assert not pings.lost, pings.lost
    assert answer["plan"]["create"] and not answer["plan"]["delete"] and not answer["plan"]["disruptive"], answer["plan"]
    named = {step["object"] for step in answer["plan"]["steps"]}
    touched = {"genome/segment/campus", "genome/segment/dx", "genome/tunnel/sakura"} & named
    assert "genome/segment/lab" in named and not touched, answer["plan"]
    assert {(s["backend"], s["object"]) for s in answer["plan"]["steps"]} <= {(s["backend"], s["object"]) for s in plan["plan"]["steps"]}


def test_dry_run_does_nothing(hub):
    before = hub.routerd.status("bio")["generation"]
    answer = hub.routerd.put("bio", {"version": 1, "networks": []}, dry_run=True)
    assert answer.status == 200 and answer.json["plan"]["delete"], answer
    status = hub.routerd.status("bio")
    assert status["generation"] == before and status["converged"]
    assert traffic.ping(hub.bio.campus, hub.bio.site.address, 3)


def test_an_unchanged_topology_is_no_change(hub):
    before = hub.routerd.status("bio")["generation"]
    answer = hub.routerd.put("bio", hub.topologies["bio"])
    assert answer.status == 200 and answer.json["generation"] == before and not answer.json["plan"]["steps"], answer


def test_if_match(hub):
    now = hub.routerd.status("bio")["generation"]
    assert hub.routerd.put("bio", {"version": 1, "networks": []}, if_match=now - 1).status == 412
    assert hub.routerd.put("bio", hub.topologies["bio"], if_match=now).status == 200
    assert hub.routerd.get("/v1/tenants/bio/topology").headers["ETag"] == f'"{now}"'


def test_refusal_changes_nothing(hub):
    document, network = hub.document("bio")
    network["segments"][0]["attachments"][0]["vlan"] = 1101  # the other tenant's
    answer = hub.routerd.put("bio", document)
    assert answer.status == 422 and answer.json["errors"][0]["path"].startswith("networks[0].segments[0]"), answer
    assert hub.routerd.get("/v1/tenants/bio/topology").status == 200
    assert not outstanding(hub.routerd.status("bio"))


REFUSED = {
    "profile": lambda network: network["tunnels"][0].update(profile="aws"),              # of pools only
    "egress": lambda network: network.update(egress={"uplink": "sinet", "nat": True}),   # a trunk
    "outer_vlan": lambda network: network["segments"][0]["attachments"][0].update(outer_vlan=1101),  # the other tenant's
}


@pytest.mark.parametrize("key", REFUSED)
def test_what_does_not_fit_is_refused(hub, key):
    document, network = hub.document("bio")
    REFUSED[key](network)
    answer = hub.routerd.put("bio", document)
    assert answer.status == 422 and any(key in error["path"] for error in answer.json["errors"]), answer
