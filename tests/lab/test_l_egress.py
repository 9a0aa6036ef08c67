"""Egress and isolation: networks that use the same addresses get out at once and are answered, nothing gets in that is
not published, and nobody reaches of the router more than is meant for him."""

import pathlib
import socket

import pytest

import api
import services
import traffic
import watch
from farside import Outside
from shell import ip_batch, run, until, write_sysctl

TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
WEB, SSH = 8000, 2222
PUBLISHED = {"bio": 18022, "phys": 8023}
SERVER, SERVER6 = Outside.SERVERS
UPLINK, UPLINK6 = "203.0.113.1", "2001:db8:ffff::1"


@pytest.fixture(scope="module")
def outside(world):
    made = Outside(world.underlay)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def out(hub, outside):
    """Both tenants with egress, from the same addresses, and a published port each."""
    outside.lead("203.0.113.254")
    for tenant in hub.topologies:
        document, network = hub.document(tenant)
        network["egress"] = {"uplink": "wan", "nat": True, "publish": [
            {"protocol": "tcp", "port": PUBLISHED[tenant], "to": "10.1.0.10", "to_port": SSH},
            {"protocol": "tcp", "port": PUBLISHED[tenant], "to": "2001:db8:1::10", "to_port": SSH, "from": ["2001:db8:9::/48"]}]}
        hub.push(tenant, document)
    hub.outside = outside
    return hub


def callers(out, address, kind, source):
    """What the server tells both campuses that call it at once from the same address and port."""
    calls = [services.Call(far.campus.ns, address, WEB, kind, source) for far in (out.bio, out.phys)]
    answers = [made.answer() for made in calls]
    for made in calls:
        made.close()
    return answers


def test_the_same_addresses_and_ports_at_once(out):
    for address, own, kind in ((SERVER, UPLINK, TCP), (SERVER, UPLINK, UDP), (SERVER6, UPLINK6, TCP), (SERVER6, UPLINK6, UDP)):
        with services.Server("web", out.outside.ns, address, WEB, kind) as server:
            for source in (5000, 40000):
                answers = callers(out, address, kind, source)
                assert all(answers), f"from port {source} to {address}: {answers}"
                assert len(set(server.callers[-2:])) == 2, f"the server sees one flow: {server.callers}"
            assert {caller[0] for caller in server.callers} == {own}, server.callers
            assert min(caller[1] for caller in server.callers) >= 16384, server.callers


def test_what_else_gets_out_and_back(out):
    for far in (out.bio, out.phys):
        for address in (SERVER, SERVER6, "203.0.113.254"):
            assert traffic.ping(far.campus, address, 3), f"{far.campus} does not reach {address}"
        hops = traffic.traceroute(far.campus, SERVER)
        assert hops == ["10.1.0.1", SERVER], hops
        for a, b in far.pairs():
            assert traffic.ping(a, b.address, 3), f"{a} does not reach {b}"
    status = out.routerd.network("bio", "genome")
    assert status["egress"] == {"uplink": "wan", "state": "up", "interface": "wan0", "address": UPLINK, "addresses": [UPLINK, UPLINK6],
                                "gateways": ["203.0.113.254", "2001:db8:ffff::fe"]}
    for tenant, document in out.topologies.items():
        assert not {"0.0.0.0/0", "::/0"} & set(getattr(out, tenant).aws.bird.routes()), "the default route is announced unasked"


def test_nothing_gets_in_but_what_is_published(out):
    with services.Server("bio", out.bio.campus.ns, "10.1.0.10", SSH), services.Server("phys", out.phys.campus.ns, "10.1.0.10", SSH), \
            services.Server("bio6", out.bio.campus.ns, "2001:db8:1::10", SSH):
        for tenant, port in PUBLISHED.items():
            assert (services.call(out.outside.ns, UPLINK, port, source=5000) or "").startswith(f"{tenant} "), tenant
        assert services.call(out.outside.ns, UPLINK6, PUBLISHED["bio"], seconds=1) is None, "`from` does not keep others out"
        for address in ("10.1.0.10", "2001:db8:1::10", "10.1.0.1"):
            assert services.call(out.outside.ns, address, SSH, seconds=1) is None, f"{address} is reached from outside"
            assert not traffic.ping(out.outside, address, 0.5), f"{address} is reached from outside"
        for address in ("10.1.0.10", UPLINK):  # a tenant does not reach the other by way of the uplink
            answer = services.call(out.bio.aws.ns, address, PUBLISHED["phys"], seconds=0.5)
            assert answer is None, answer


def test_port_scans(out):
    """With sockets of the router that take from every VRF, only the filter keeps networks away from them."""
    sysctl = "ipv4/tcp_l3mdev_accept", "ipv4/udp_l3mdev_accept"
    for key in sysctl:
        write_sysctl(key, "1")
    ports = [22, 53, 80, 179, 2601, 2605, 2616, 6640, 8443, 9473, 9999, SSH, *PUBLISHED.values()]
    try:
        with services.Server("router", None, "0.0.0.0", 9999), services.Server("router6", None, "::", 9999), \
                services.Server("routeru", None, "0.0.0.0", 9999, UDP):
            for side, addresses in ((out.bio.campus, ("10.1.0.1", "2001:db8:1::1", UPLINK, "169.254.10.1")), (out.phys.site, ("10.1.0.1",))):
                for address in addresses:
                    assert services.scan(side.ns, address, ports) == set(), f"{side} to {address}"
                assert services.call(side.ns, addresses[0], 9999, UDP, seconds=0.5) is None
                assert traffic.ping(side, "10.1.0.1", 3), f"{side} may ping its gateway"
            others = [port for port in ports if port != 179]  # where a session is up, and stays
            assert services.scan(out.bio.aws.ns, "169.254.10.1", others) == set(), "a peer may speak BGP and no more"
            assert 9999 in services.scan(out.outside.ns, UPLINK, ports), "the admin is locked out of the uplink"
            assert services.call(out.outside.ns, UPLINK, 9999, UDP)
    finally:
        for key in sysctl:
            write_sysctl(key, "0")


def test_given_addresses_and_plain_routing(out):
    """NAT to an address and to a prefix for one, none for the other, who then is seen as he is."""
    egress = {"bio": {"uplink": "wan", "address": "203.0.113.9", "prefix6": "2001:db8:5::/64", "publish": [
        {"protocol": "tcp", "port": SSH, "to": "10.1.0.10"}]}, "phys": {"uplink": "wan", "nat": False}}
    ip_batch(["addr add 203.0.113.9/32 dev wan0"])
    ip_batch(["route add 2001:db8:5::/64 via 2001:db8:ffff::1"], ns=out.outside.ns)
    try:
        for tenant, wanted in egress.items():
            document, network = out.document(tenant)
            network["egress"] = wanted
            out.push(tenant, document)
        for address, bio, phys in ((SERVER, "203.0.113.9", "10.1.0.10"), (SERVER6, "2001:db8:5::10", "2001:db8:1::10")):
            with services.Server("web", out.outside.ns, address, WEB) as server:
                assert all(callers(out, address, TCP, 5000)), server.callers
                assert {caller[0] for caller in server.callers} == {bio, phys}, server.callers
        with services.Server("bio", out.bio.campus.ns, "10.1.0.10", SSH), services.Server("phys", out.phys.campus.ns, "10.1.0.10", SSH):
            assert (services.call(out.outside.ns, "203.0.113.9", SSH) or "").startswith("bio ")
            for address in ("10.1.0.10", UPLINK):
                assert services.call(out.outside.ns, address, SSH, seconds=1) is None, f"{address} is reached from outside"
    finally:
        ip_batch(["addr del 203.0.113.9/32 dev wan0"])
        ip_batch(["route del 2001:db8:5::/64"], ns=out.outside.ns)


def strict(out, wanted):
    document, network = out.document("bio")
    network["segments"][0]["strict_source"] = wanted
    network["tunnels"][0]["mss"] = 1200
    out.push("bio", document)


def test_strict_source_and_mss(out):
    """A source that is not behind the segment is dropped, what belongs there passes; SYNs by a tunnel are clamped."""
    far = out.bio
    ip_batch(["addr add 10.2.0.99/32 dev lo"], ns=far.campus.ns)
    try:
        strict(out, True)
        for address in (far.site.address, far.site.address6, "10.1.0.1", "2001:db8:1::1"):
            assert traffic.ping(far.campus, address, 3), address
        before = counted()
        assert not traffic.ping(far.campus, "10.1.0.1", 0.5, bind="10.2.0.99")
        assert counted() == before, "a packet with a wrong source came to the router"
        strict(out, False)
        traffic.ping(far.campus, "10.1.0.1", 0.5, bind="10.2.0.99")
        assert counted() > before, "loose: it comes"
        with services.Server("site", far.site.ns, far.site.address, WEB):
            calls = []
            seen = services.first_mss(far.site.ns, WEB, lambda: calls.append(services.Call(far.campus.ns, far.site.address, WEB)))
            seen |= services.first_mss(far.campus.ns, WEB, lambda: calls.append(services.Call(far.campus.ns, far.site.address, WEB)))
            for made in calls:
                made.close()
        assert seen == {"SYN": 1200, "SYN-ACK": 1200}, seen
    finally:
        ip_batch(["addr del 10.2.0.99/32 dev lo"], ns=far.campus.ns, force=True)


def counted():
    """ICMP echo requests that reached the router's own stack."""
    lines = [line.split() for line in pathlib.Path("/proc/net/snmp").read_text(encoding="ascii").splitlines() if line.startswith("Icmp:")]
    return int(dict(zip(*lines))["InEchos"])


def ruleset():
    return sorted(run("nft list table inet routerd", check=False).splitlines())


def test_what_is_changed_by_hand_comes_back(out):
    """Within half a second, and nothing of others is touched. `nft` itself takes most of the time here."""
    run("nft -f -", stdin="table inet byhand2 {\n chain c {\n ip saddr 192.0.2.77 drop\n }\n}\n")
    foreign, good = run("nft list table inet byhand2"), ruleset()
    rule = next(line for line in run("nft -a list chain inet routerd input").splitlines() if "rseg" in line).split()[-1]
    edited = run("nft list table inet routerd").replace("tcp dport 179", "tcp dport 22")
    assert sorted(edited.splitlines()) != good
    try:
        for commands in (f"delete rule inet routerd input handle {rule}\nadd chain inet routerd mine\n"
                         "add element inet routerd peers4 { rvrf1 . 9.9.9.9 }\n",
                         "flush chain inet routerd isolation\nadd rule inet routerd forward drop\n", "delete table inet routerd\n",
                         "delete table inet routerd\n" + edited):
            run("nft -f -", stdin=commands)
            until(lambda: ruleset() == good, 5, f"not repaired: {commands}")
        assert run("nft list table inet byhand2") == foreign
        assert traffic.ping(out.bio.campus, SERVER, 3)
    finally:
        run("nft delete table inet byhand2")


def test_a_foreign_table_of_our_name_stays(out):
    out.routerd.stop()
    run("nft delete table inet routerd")
    run("nft add table inet routerd")
    out.routerd.start()
    until(lambda: "not routerd's" in str(out.routerd.network("bio", "genome").get("reason")), 10,
          lambda: out.routerd.network("bio", "genome"))
    assert len(ruleset()) <= 2, "the foreign table was changed"
    run("nft delete table inet routerd")
    out.routerd.until_converged("bio", "phys")


def test_the_hosts_default_route_is_followed(out):
    table = out.routerd.network("bio", "genome")["table"]
    show = lambda: run(f"ip route show table {table} 0.0.0.0/0")
    out.outside.lead("203.0.113.253")
    until(lambda: "via 203.0.113.253" in show(), 5, show)
    assert traffic.ping(out.bio.campus, SERVER, 3)
    out.outside.lead(None)
    until(lambda: "wan0" not in show(), 5, show)
    until(lambda: "no default route" in out.routerd.network("bio", "genome")["egress"].get("reason", ""), 5,
          lambda: out.routerd.network("bio", "genome")["egress"])
    assert traffic.ping(out.bio.campus, "203.0.113.254", 3), "the uplink's own subnet"
    out.outside.lead("203.0.113.254")
    until(lambda: "via 203.0.113.254" in show(), 5, show)
    assert traffic.ping(out.bio.campus, SERVER, 3)


def test_a_restart_breaks_no_connection(out):
    out.settle()  # what has been told of the push is written a moment after it
    flows = [(far.campus, address) for far in (out.bio, out.phys) for address in (SERVER, SERVER6)]
    with services.Server("web", out.outside.ns, SERVER, WEB) as server:
        made = services.Call(out.bio.campus.ns, SERVER, WEB)
        assert made.answer()
        with watch.Writes() as writes, traffic.Background(flows) as pings:
            out.routerd.stop()
            out.routerd.start()
            out.routerd.until_converged("bio", "phys")
            api.wait_a_pass()
        assert len(server.callers) == 1
        made.close()
    assert not pings.lost, pings.lost
    kept = [line for line in writes.seen if not line.startswith('ovsdb: {"Router')]
    assert not kept, writes


def test_egress_goes_without_a_trace(out):
    before = set(ruleset())
    for tenant, document in out.topologies.items():
        out.push(tenant, document)
    assert "forward" in str(before) and not any("chain forward" in line for line in ruleset())
    assert "0x52" not in run("ip rule") + run("ip -6 rule")
    assert not traffic.ping(out.bio.campus, SERVER, 0.5)
