"""What others made stays as it is, byte for byte, whatever routerd does beside it."""

import pytest

import foreign
import traffic
from shell import run


@pytest.fixture
def byhand(hub):
    foreign.make()
    yield foreign.look()
    foreign.remove()


def test_foreign_objects_survive_everything(hub, byhand):
    document, network = hub.document("bio")
    network["peers"] = network["peers"][:1]
    network["tunnels"] = []
    hub.push("bio", document)
    assert foreign.look() == byhand
    hub.clear()
    assert foreign.look() == byhand
    hub.restore()
    assert foreign.look() == byhand
    hub.routerd.kill()
    hub.routerd.start()
    hub.routerd.until_converged("bio", "phys")
    assert foreign.look() == byhand
    boot = open("/etc/frr/frr.conf", encoding="utf-8").read()
    assert "FOREIGN" in boot and "made by hand" in boot, "what is saved for FRR's next start lacks what others configured"


def test_a_foreign_port_on_the_uplinks_bridge_survives(hub):
    run("ovs-vsctl add-port br-sinet byhand1 tag=1077 -- set interface byhand1 type=internal")
    try:
        before = run("ovs-vsctl --columns=_uuid,name,tag,external_ids list port byhand1")
        hub.clear()
        assert run("ovs-vsctl --columns=_uuid,name,tag,external_ids list port byhand1") == before
        hub.restore()
        assert run("ovs-vsctl --columns=_uuid,name,tag,external_ids list port byhand1") == before
        assert traffic.ping(hub.bio.campus, hub.bio.aws.address, 3)
    finally:
        run("ovs-vsctl --if-exists del-port byhand1")
