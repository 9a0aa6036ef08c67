"""A topology that fails half-way: the rest is up, and the object says what is wrong."""

import re

import pytest

import traffic
import vici
from shell import ip_batch, run, until


DEAD_PEER_SECONDS = 150  # until a peer that went without a word is taken for dead: DPD and its retransmissions


def state_of(hub, kind, name, tenant="bio"):
    found = hub.routerd.object(tenant, "genome", kind, name)
    return (found["state"], found.get("reason", "")) if found else ("absent", "")


def until_state(hub, kind, name, states, reason="", seconds=40):
    """Waits for one of the states with a reason that matches."""
    def there():
        state, why = state_of(hub, kind, name)
        return state in states and re.search(reason, why, re.I)
    until(there, seconds, lambda: f"{kind} {name}: {state_of(hub, kind, name)}")


def assert_rest_is_up(hub, *broken):
    """All else of this tenant, at the latest when its peers have exchanged their routes; and the other tenant."""
    def wrong():
        return [(thing["name"], thing["state"], thing["reason"]) for net in hub.routerd.status("bio")["networks"]
                for kind in ("segments", "tunnels", "peers") for thing in net[kind]
                if thing["state"] != "up" and thing["name"] not in broken]
    until(lambda: not wrong(), 15, wrong)
    assert not hub.routerd.status("bio")["converged"]
    assert hub.routerd.status("phys")["converged"]


@pytest.fixture
def squatted(hub):
    """Dummies sit on the names that the next segments will get."""
    used = [int(re.sub(r"\D", "", segment["interface"])) for tenant in ("bio", "phys")
            for net in hub.routerd.status(tenant)["networks"] for segment in net["segments"]]
    used += [tunnel["if_id"] for tenant in ("bio", "phys") for net in hub.routerd.status(tenant)["networks"] for tunnel in net["tunnels"]]
    names = [f"rseg{number}" for number in range(max(used) + 1, max(used) + 60)]
    ip_batch([f"link add {name} type dummy" for name in names])
    yield names
    ip_batch([f"link del {name}" for name in names], force=True)


def test_a_port_that_cannot_be_made(hub, squatted):
    document, network = hub.document("bio")
    network["segments"].append({"name": "lab", "attachments": [{"uplink": "sinet", "vlan": 1050}], "gateway": ["10.5.0.1/24"]})
    with traffic.Background(hub.flows) as pings:
        answer = hub.routerd.put("bio", document, wait=5)
        assert answer.status == 202 and answer.json["converged"] is False, answer
        assert "lab" in answer.text, answer
        until_state(hub, "segments", "lab", ("error", "down", "pending"), r"rseg\d+")
        assert_rest_is_up(hub, "lab")
        ip_batch([f"link del {name}" for name in squatted])
        until_state(hub, "segments", "lab", ("up",))
        hub.routerd.until_converged("bio")
        assert traffic.ping(hub.bio.campus, "10.5.0.1", 3)
    assert not pings.lost, pings.lost


def test_a_wrong_psk(hub):
    assert hub.routerd.delete("bio", wait=30).status == 200
    hub.bio.site.set_psk("not what the router has")
    with traffic.Background(hub.phys.flows()) as pings:
        answer = hub.routerd.put("bio", hub.topologies["bio"], wait=5)
        assert answer.status == 202 and not answer.json["converged"], answer
        until_state(hub, "tunnels", "sakura", ("down", "error", "pending"), "auth|key|secret|PSK")
        until_state(hub, "peers", "aws", ("up",))
        assert traffic.reach(hub.bio.campus, hub.bio.aws.address, 20)
        assert_rest_is_up(hub, "sakura", "sakura6")
        hub.bio.site.set_psk(hub.bio.place.psk)
        hub.routerd.until_converged("bio", seconds=90)
        assert traffic.ping(hub.bio.campus, hub.bio.site.address, 3)
    assert not pings.lost, pings.lost


def test_a_changed_secret(hub):
    """The file is replaced by one with another secret, which the other side then has, too."""
    def change(secret):
        hub.routerd.write_secret(hub.bio.place.secret, secret)
        hub.bio.site.set_psk(secret)
        hub.routerd.reload()
        before = vici.spis(hub.bio.site.vici)
        hub.bio.site.close_sas()
        until(lambda: vici.spis(hub.bio.site.vici) not in ([], before), 60, "the tunnel does not come up with the new secret")
        assert traffic.reach(hub.bio.campus, hub.bio.site.address, 10)
        hub.routerd.until_converged("bio")

    with traffic.Background([(hub.bio.campus, hub.bio.aws.address), *hub.phys.flows()]) as pings:
        change("another secret, as long as the first")
        change(hub.bio.place.psk)
    assert not pings.lost, pings.lost


def test_no_secret_is_told(hub):
    """Not in the log, the status, the plan, nor the process list."""
    told = hub.routerd.daemon.tail(1_000_000) + str(hub.routerd.status("bio")) + run("ps axww -o args")
    told += hub.routerd.put("bio", {"version": 1, "networks": []}, dry_run=True).text
    assert hub.bio.place.psk not in told


def test_a_peer_that_never_answers(hub):
    document, network = hub.document("bio")
    network["peers"].append({"name": "ghost", "via": "campus", "address": "10.1.0.99", "asn": 64999})
    with traffic.Background(hub.flows) as pings:
        answer = hub.routerd.put("bio", document, wait=3)
        assert answer.status == 202 and answer.json["converged"] is False and "ghost" in answer.text, answer
        until_state(hub, "peers", "ghost", ("down", "pending"), r"\w")
        assert_rest_is_up(hub, "ghost")
    assert not pings.lost, pings.lost


def test_a_site_that_never_answers(hub):
    document, network = hub.document("bio")
    network["tunnels"].append({"name": "ghost", "profile": "generic", "uplink": "wan", "remote": "203.0.113.250",
                               "auth": {"psk": {"secret": hub.bio.place.secret}}, "inside": ["169.254.30.1/30"]})
    with traffic.Background(hub.flows) as pings:
        answer = hub.routerd.put("bio", document, wait=3)
        assert answer.status == 202 and "ghost" in answer.text, answer
        until_state(hub, "tunnels", "ghost", ("down", "pending"), r"203\.0\.113\.250|answer")
        assert_rest_is_up(hub, "ghost")
        hub.push("bio", hub.topologies["bio"])
    assert not pings.lost, pings.lost


def test_an_uplink_that_is_not_there(hub):
    """The interface of a configured trunk is missing: its segment says so, and is up when it comes."""
    hub.routerd.document["uplinks"]["spare"] = {"type": "trunk", "interface": "spare0", "bridge": "br-spare"}
    hub.routerd.document["tenants"]["bio"]["vlans"]["spare"] = ["100-199"]
    hub.routerd.write_config()
    hub.routerd.reload()
    document, network = hub.document("bio")
    network["segments"].append({"name": "lab", "attachments": [{"uplink": "spare", "vlan": 100}], "gateway": ["10.5.0.1/24"]})
    try:
        until(lambda: hub.routerd.put("bio", document, dry_run=True).status == 200, 10, "the new uplink is not known")
        with traffic.Background(hub.flows) as pings:
            answer = hub.routerd.put("bio", document, wait=3)
            assert answer.status == 202, answer
            until_state(hub, "segments", "lab", ("error", "down", "pending"), "spare")
            assert_rest_is_up(hub, "lab")
            ip_batch(["link add spare0 type dummy", "link set spare0 up"])
            until_state(hub, "segments", "lab", ("up",))
        assert not pings.lost, pings.lost
        hub.push("bio", hub.topologies["bio"])
    finally:
        ip_batch(["link del spare0"], force=True)
        hub.push("bio", hub.topologies["bio"])
        del hub.routerd.document["uplinks"]["spare"], hub.routerd.document["tenants"]["bio"]["vlans"]["spare"]
        hub.routerd.write_config()
        hub.routerd.reload()


def test_a_secret_that_is_not_there(hub):
    document, network = hub.document("bio")
    network["tunnels"][0]["auth"]["psk"]["secret"] = "no-such-secret"
    answer = hub.routerd.put("bio", document, wait=3)
    if answer.status != 422:
        until_state(hub, "tunnels", "sakura", ("error", "down", "pending", "up"), "no-such-secret")
    assert "no-such-secret" in answer.text, answer
    assert traffic.reach(hub.bio.campus, hub.bio.aws.address, 10)


def test_the_tunnel_comes_back_after_the_site_restarts(hub):
    with traffic.Background([(hub.bio.campus, hub.bio.aws.address), *hub.phys.flows()]) as pings:
        hub.bio.site.crash()
        assert traffic.reach(hub.bio.campus, hub.bio.site.address, DEAD_PEER_SECONDS)
        hub.routerd.until_converged("bio")
    assert not pings.lost, pings.lost


def test_a_session_that_ends_and_comes_back(hub):
    hub.bio.aws.bird.stop()
    try:
        until_state(hub, "peers", "aws", ("down", "pending"), r"\w", seconds=20)
        assert_rest_is_up(hub, "aws", "aws6")
    finally:
        hub.bio.aws.bird.start()
    hub.routerd.until_converged("bio")
    assert traffic.ping(hub.bio.campus, hub.bio.aws.address, 3)
