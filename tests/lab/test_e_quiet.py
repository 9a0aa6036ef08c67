"""An unchanged topology writes nothing anywhere: watched on OVSDB, netlink, vici and FRR."""

import time

import api
import watch


def test_a_second_put_writes_nothing(hub):
    hub.settle()
    with watch.Writes() as writes:
        for tenant, document in hub.topologies.items():
            assert hub.routerd.put(tenant, document, wait=10).json["plan"]["steps"] == []
        api.wait_a_pass()
    assert not writes.seen, writes


def test_a_second_pass_writes_nothing(hub):
    """The configuration is read again, which makes a pass over everything; then time goes by."""
    hub.settle()
    with watch.Writes() as writes:
        hub.routerd.reload()
        api.wait_a_pass(3)
    assert not writes.seen, writes


def test_a_restart_writes_nothing(hub):
    hub.settle()
    with watch.Writes() as writes:
        hub.routerd.stop()
        hub.routerd.start()
        hub.routerd.until_converged("bio", "phys")
        api.wait_a_pass()
    kept = [line for line in writes.seen if not line.startswith('ovsdb: {"Router')]
    assert not kept, writes


def test_an_idle_routerd_costs_little(hub):
    hub.settle()
    before, started = hub.routerd.cpu_seconds(), time.monotonic()
    time.sleep(5)
    share = (hub.routerd.cpu_seconds() - before) / (time.monotonic() - started)
    assert share < 0.25, f"{share:.0%} of a processor (under emulation) for doing nothing"
