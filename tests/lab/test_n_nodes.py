"""Nodes that take their addresses from their segment: DHCP, DNS, router advertisements, from the allocated ones alone."""

import json
import os
import signal

import pytest

import traffic
from dhcp import Vm, servers
from shell import run, until

MAC, OTHER_MAC = "02:00:5e:00:53:01", "02:00:5e:00:53:99"
POOL = {"name": "vms", "prefix": ["10.1.0.0/24", "2001:db8:1::/64"],
        "range": ["10.1.0.100-10.1.0.199", "2001:db8:1::100-2001:db8:1::1ff"], "dhcp": True, "dns": True, "domain": "vc.example"}
FAR_POOL = {"name": "aws", "prefix": "10.2.0.0/24", "domain": "vc.example"}
NODES = "/v1/tenants/bio/networks/genome/nodes"


def served(hub, tenant="bio", **more):
    document, network = hub.document(tenant)
    network["segments"][0]["router_advertisements"] = True
    network["pools"] = [{**POOL, **more}, FAR_POOL]
    return document


@pytest.fixture
def nodes(hub):
    """Functions that add and release nodes; all are released afterwards."""
    def add(name, status=201, **more):
        answer = hub.routerd.call("POST", NODES, json.dumps({"name": name, **more}))
        assert answer.status == status, answer
        return answer.json["nodes"][0] if status == 201 else answer.json

    def release(name):
        assert hub.routerd.call("DELETE", f"{NODES}/{name}").status == 204

    add.release = release
    yield add
    if not hub.routerd.daemon.alive():
        hub.routerd.start()
    listed = hub.routerd.get(NODES)
    for node in listed.json["nodes"] if listed.status == 200 else []:
        release(node["name"])


@pytest.fixture
def vm(hub):
    made = Vm("bio-vm", hub.world.sinet, 1001, MAC).start()
    yield made
    made.stop()


def processes(hub):
    return servers(hub.routerd.folder / "dhcp")


def test_a_vm_boots(hub, nodes, vm):
    hub.push("bio", served(hub))
    hub.push("phys", served(hub, "phys"))
    made = nodes("web-1", pool="vms", mac=MAC)
    nodes("db", pool="aws", address=hub.bio.aws.address)
    address, address6 = (item["address"] for item in made["addresses"])
    assert (made["gateway"], made["dns"]) == ("10.1.0.1", ["10.1.0.1", "2001:db8:1::1"]), made
    lease = until(vm.boot, 30, "no lease")
    assert lease["ip"] == address and lease["router"] == "10.1.0.1" and lease["dns"] == "10.1.0.1", lease
    assert lease["domain"] == "vc.example" and lease["mtu"] == str(made["mtu"]) and lease["hostname"] == "web-1", lease
    assert int(lease["lease"]) <= 120, lease
    until(vm.has_default_route6, 20, "no router advertisement")
    assert "2001:db8:1:" not in run("ip -6 addr show dev eth0 scope global", ns=vm.ns), "a managed segment has no SLAAC"
    assert until(vm.boot6, 30, "no DHCPv6") == (address6, ["2001:db8:1::1"])

    until(lambda: vm.resolve("db") == ["10.2.0.10"], 10, lambda: vm.resolve("db"))
    assert vm.resolve("web-1.vc.example") == [address]
    assert vm.resolve("web-1.vc.example", "AAAA", "2001:db8:1::1") == [address6]
    assert vm.resolve(address, "PTR") == ["web-1.vc.example"]
    assert vm.resolve("web-2.vc.example") == [] and vm.resolve("www.example.com") == []
    assert traffic.reach(vm, vm.resolve("db")[0]), "a VM with a lease does not reach the cloud"

    vm.set_mac(OTHER_MAC)
    assert vm.boot(2) is None and vm.boot6(1) is None, "an unknown MAC was served"
    with_phys = Vm("phys-vm", hub.world.sinet, 1101, MAC).start()
    try:
        assert with_phys.boot(1) is None, "another tenant's node was served"
        run("ip addr add 10.1.0.77/24 dev eth0", ns=with_phys.ns)
        until(lambda: with_phys.resolve("db") == [], 20, lambda: f"another tenant's name: {with_phys.resolve('db')}")
    finally:
        with_phys.stop()

    vm.set_mac(MAC)
    nodes.release("web-1")
    until(lambda: vm.resolve("web-1") in ([], None) and vm.boot(1) is None, 20, "a released node is served")


def test_servers_outlive_routerd_and_are_kept(hub, nodes, vm):
    hub.push("bio", served(hub))
    address = nodes("web-1", pool="vms", mac=MAC)["address"]
    assert until(vm.boot, 30, "no lease")["ip"] == address
    before = processes(hub)
    assert len(before) == 2, before
    hub.routerd.kill()
    assert vm.boot()["ip"] == address and vm.resolve("web-1") == [address]
    hub.routerd.start()
    hub.routerd.until_converged("bio")
    assert processes(hub) == before
    assert hub.routerd.put("bio", served(hub), dry_run=True).json["plan"]["steps"] == []
    other = nodes("web-2", pool="vms", mac=OTHER_MAC)["address"]
    until(lambda: vm.resolve("web-2") == [other], 10, "a node made after the restart is not known")
    assert processes(hub) == before

    for number in before.values():
        os.kill(number, signal.SIGKILL)
    until(lambda: len(processes(hub)) == 2 and not set(processes(hub).values()) & set(before.values()), 30,
          lambda: f"killed servers do not come back: {processes(hub)}")
    hub.routerd.until_converged("bio")
    assert until(vm.boot, 30, "no lease")["ip"] == address

    running = processes(hub)
    campus = hub.routerd.object("bio", "genome", "segments", "campus")["interface"]
    run(f"ovs-vsctl del-port {campus}")
    until(lambda: processes(hub).get(campus, running[campus]) != running[campus], 40, "the server has a lost interface")
    hub.routerd.until_converged("bio")
    assert until(vm.boot, 30, "no lease")["ip"] == address

    running = processes(hub)
    plan = hub.push("bio", served(hub, domain="other.example"))["plan"]
    assert [step["action"] for step in plan["steps"]] == ["update", "update"] and plan["disruptive"] == 2, plan
    until(lambda: vm.resolve("web-1.other.example") == [address], 10, "the new domain is not known")
    assert not set(processes(hub).values()) & set(running.values())

    foreign = hub.routerd.folder / "foreign"
    foreign.write_text("port=5353\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\n", encoding="ascii")
    run(["dnsmasq", f"--conf-file={foreign}", f"--pid-file={foreign}.pid"])
    number = int((hub.routerd.folder / "foreign.pid").read_text(encoding="ascii"))
    nodes.release("web-1")
    nodes.release("web-2")
    hub.push("bio", hub.topologies["bio"])
    assert not processes(hub) and not list((hub.routerd.folder / "dhcp").iterdir())
    os.kill(number, signal.SIGTERM)


def test_addresses_that_others_use(hub, nodes, vm):
    """`vm` uses addresses that it was not given."""
    def conflicts(*words):
        events = [json.loads(line) for line in hub.routerd.get("/v1/events").text.splitlines()]
        return [event for event in events if event["kind"] == "conflict" and all(word in event["text"] for word in words)]

    def use(address):
        run(f"ip addr add {address}/24 dev eth0", ns=vm.ns)

    hub.push("bio", served(hub, probe=True, dhcp=False))
    first = nodes("one", pool="vms")["address"]
    following = first.rpartition(".")[0] + f".{int(first.rpartition('.')[2]) + 1}"
    use("10.1.0.190")
    use(following)
    assert MAC in nodes("fixed", 409, pool="vms", address="10.1.0.190")["detail"]
    assert nodes("two", pool="vms")["address"] not in (first, following)
    assert nodes("itself", pool="vms", address="10.1.0.190", mac=MAC)["address"] == "10.1.0.190"
    batch = json.dumps([{"name": f"many-{i}", "pool": "vms"} for i in range(5)])
    answer = hub.routerd.call("POST", NODES, batch)
    assert answer.status == 201 and following not in [node["address"] for node in answer.json["nodes"]], answer
    until(lambda: conflicts(MAC, f"{following},", "free in pool vms"), 20, lambda: hub.routerd.get("/v1/events").text)

    taken = nodes("robbed", pool="vms", mac=OTHER_MAC)["address"]
    use(taken)
    assert traffic.ping(vm, "10.1.0.1", 5, bind=taken)
    until(lambda: conflicts(MAC, f"{taken},", "node robbed"), 20, lambda: hub.routerd.get("/v1/events").text)
    assert not conflicts("10.1.0.190,", "node itself")
