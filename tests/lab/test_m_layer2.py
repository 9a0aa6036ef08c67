"""Layer 2: Q-in-Q, VLANs joined to one segment, jumbo frames, what must not pass between them, and limits."""

import pathlib
import socket
import threading
import time

import pytest

import traffic
from farside import FarSide
from shell import ip_batch, netns, run, until

OUTER, OUTER_Q, INNER = 1061, 1062, 5
JOINED = (1063, 1064)
BROADCAST = "ffffffffffff"
LINK_LOCAL = ("0180c2000000", "0180c2000002", "0180c2000003", "0180c200000e", "01000ccccccc", "01000ccccccd")
ETHERTYPE = 0x88b5  # for experiments (IEEE 802)
LIMIT, STORM = 50, 1000
PACKET_OUTGOING = 4


class Host(FarSide):
    """A namespace with an interface `eth0` on the L2VPN. With `outer` its frames have two tags on the trunk: VLAN
    interfaces on the trunk get them before the bridge does."""

    def __init__(self, name, sinet, vlan, address, outer=None, proto="802.1q"):
        super().__init__(name)
        self.sinet, self.vlan, self.cidr, self.outer, self.proto = sinet, vlan, address, outer, proto

    def start(self):
        self.start_netns()
        mtu = 9000 if self.outer is None else 8996
        if self.outer is None:
            self.sinet.attach(self.ns, self.vlan)
            ip_batch([f"link set p{self.vlan}-{self.sinet.ports} mtu 9000"], ns=self.sinet.ns)
        else:
            outer = f"o{self.outer}"
            ip_batch([f"link add link trunk name {outer} type vlan proto {self.proto} id {self.outer}",
                      f"link set {outer} up",
                      f"link add link {outer} name eth0 netns {self.ns} type vlan id {self.vlan}"], ns=self.sinet.ns)
        # A VLAN interface would have the address of the trunk, and so would the other one.
        ip_batch([f"link set eth0 address 02:4c:32:{len(self.name):02x}:{self.vlan >> 8:02x}:{(self.outer or self.vlan) & 255:02x}",
                  f"link set eth0 mtu {mtu} up", f"addr add {self.cidr} dev eth0"], ns=self.ns)

    def stop(self):
        if self.outer is not None:
            ip_batch([f"link del o{self.outer}"], ns=self.sinet.ns, force=True)
        super().stop()


def packet_socket(ns, interface):
    with netns(ns):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.bind((interface, 0))
    sock.settimeout(0.1)
    return sock


def frame(destination, source, vlan=None):
    tag = b"" if vlan is None else b"\x81\x00" + vlan.to_bytes(2, "big")
    return bytes.fromhex(destination) + bytes.fromhex(source) + tag + ETHERTYPE.to_bytes(2, "big") + bytes(46)


class Ear:
    """Counts the frames from one source address that come in at an interface, by destination."""

    def __init__(self, ns, interface, source):
        self.source, self.counts, self.done = bytes.fromhex(source), {}, False
        self.sock = packet_socket(ns, interface)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.thread = threading.Thread(target=self._listen)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *problem):
        time.sleep(1)
        self.done = True
        self.thread.join()
        self.sock.close()

    def _listen(self):
        while not self.done:
            try:
                data, address = self.sock.recvfrom(2048)
            except TimeoutError:
                continue
            if data[6:12] == self.source and address[2] != PACKET_OUTGOING:
                name = data[:6].hex()
                self.counts[name] = self.counts.get(name, 0) + 1


def shout(ns, interface, frames):
    with packet_socket(ns, interface) as sock:
        for number, data in enumerate(frames):
            sock.send(data)
            if number % 20 == 19:
                time.sleep(0.01)


def df_ping(host, address, size):
    """A ping of so many bytes of IP that no router may fragment."""
    return run(["ping", "-c1", "-W2", "-M", "do", "-s", str(size - 28), address], ns=host.ns, check=False).count(" 0% packet loss")


def attachment(vlan, **more):
    return {"uplink": "sinet", "vlan": vlan, **more}


def with_layer2(hub, **joined):
    """bio's topology with a second network: a segment inside of two outer VLANs, one of two VLANs. `joined` is said of
    the first of these."""
    document, _ = hub.document("bio")
    document["networks"].append({"name": "l2", "segments": [
        {"name": "inside", "gateway": ["10.61.0.1/24"], "attachments": [
            attachment(INNER, outer_vlan=OUTER, **joined),
            attachment(INNER, outer_vlan=OUTER_Q, outer_ethertype="802.1q")]},
        {"name": "joined", "gateway": ["10.63.0.1/24"], "mac_limit": 100, "attachments": [
            attachment(JOINED[0], **joined), attachment(JOINED[1])]},
        {"name": "alone", "gateway": ["10.65.0.1/24"], "mtu": 1400, "attachments": [attachment(6, outer_vlan=OUTER)]}]})
    return document


@pytest.fixture(scope="module")
def hosts(world):
    made = {
        "ad": Host("l2-ad", world.sinet, INNER, "10.61.0.2/24", OUTER, "802.1ad"),
        "q": Host("l2-q", world.sinet, INNER, "10.61.0.3/24", OUTER_Q, "802.1q"),
        "a": Host("l2-a", world.sinet, JOINED[0], "10.63.0.2/24"),
        "b": Host("l2-b", world.sinet, JOINED[1], "10.63.0.3/24"),
    }
    for host in made.values():
        host.start()
    yield made
    for host in made.values():
        host.stop()


def address_of(host):
    return host.cidr.split("/")[0]


def test_frames_pass(hub, hosts):
    """Between VLANs of a segment and to its gateway, with one tag and with two of either type, as large as they may be."""
    hub.push("bio", with_layer2(hub))
    for one, other, gateway, mtu in (("ad", "q", "10.61.0.1", 8996), ("a", "b", "10.63.0.1", 9000)):
        for host, address in ((hosts[one], gateway), (hosts[other], gateway), (hosts[one], address_of(hosts[other]))):
            until(lambda host=host, address=address: traffic.ping(host, address), 20, f"{host} does not reach {address}")
            assert df_ping(host, address, mtu), f"{host}: {mtu} bytes do not reach {address}"
    status = hub.routerd.network("bio", "l2")
    interfaces = {one["name"]: one["interface"] for one in status["segments"]}
    mtus = {name: int(pathlib.Path(f"/sys/class/net/{interface}/mtu").read_text(encoding="ascii"))
            for name, interface in interfaces.items()}
    assert mtus == {"inside": 8996, "joined": 9000, "alone": 1400}
    assert not traffic.ping(hosts["a"], "10.61.0.2", 0.5)


def controls_pass(hosts, sinet, interface):
    """What comes out of the router of frames that are sent to it and by it, as {destination: count}."""
    frames = [frame(destination, "02aabbccdd01", JOINED[0]) for destination in (*LINK_LOCAL, BROADCAST)]
    own = [frame(destination, "02aabbccdd01") for destination in LINK_LOCAL]
    with Ear(sinet.ns, "trunk", "02aabbccdd01") as trunk, Ear(hosts["b"].ns, "eth0", "02aabbccdd01") as host:
        shout(sinet.ns, "trunk", frames)
        shout(None, interface, own)
    return trunk.counts, host.counts


def storm(hosts, sinet, host, vlan):
    """How many of a storm's frames from one VLAN come out at a host."""
    with Ear(hosts[host].ns, "eth0", "02aabbccdd02") as ear:
        shout(sinet.ns, vlan, [frame(BROADCAST, "02aabbccdd02", INNER if vlan != "trunk" else JOINED[0])] * STORM)
    return ear.counts.get(BROADCAST, 0)


def learned(bridge):
    control = next(pathlib.Path("/run/openvswitch").glob("ovs-vswitchd.*.ctl"))
    return len(run(["ovs-appctl", "-t", str(control), "fdb/show", bridge]).splitlines()) - 1


def test_what_must_not_pass_and_limits(hub, hosts):
    sinet = hub.world.sinet
    hub.push("bio", with_layer2(hub))
    joined = hub.routerd.object("bio", "l2", "segments", "joined")
    trunk, host = controls_pass(hosts, sinet, joined["interface"])
    assert trunk == {BROADCAST: 1} and host == {BROADCAST: 1}, (trunk, host)

    shout(sinet.ns, "trunk", [frame(BROADCAST, f"0200000a{number:04x}", JOINED[0]) for number in range(300)])
    assert 0 < learned(joined["bridge"]) <= 100

    assert storm(hosts, sinet, "b", "trunk") > STORM / 2
    limited = with_layer2(hub, broadcast_limit=LIMIT)
    plan = hub.routerd.put("bio", limited, dry_run=True).json["plan"]
    assert plan["disruptive"] == 0 and len(plan["steps"]) == 1, plan
    hub.push("bio", limited)
    for out, into in (("b", "trunk"), ("q", f"o{OUTER}")):
        started = time.monotonic()
        count = storm(hosts, sinet, out, into)
        assert 0 < count <= LIMIT * (time.monotonic() - started + 2), count
    assert hub.routerd.put("bio", limited, dry_run=True).json["plan"]["steps"] == []
    listed = run("nft list table netdev routerd")
    slack = listed.replace(f"over {LIMIT}/second", f"over {LIMIT * 100}/second")
    assert slack != listed
    run(["nft", "-f", "-"], stdin="flush table netdev routerd\n" + slack)
    until(lambda: run("nft list table netdev routerd") == listed, 20, "limits that were raised by hand, comments kept, stay")
    run("nft delete table netdev routerd")
    until(lambda: "50" in run("nft list table netdev routerd", check=False), 20, "deleted limits do not come back")
    hub.restore()
    assert "netdev" not in run("nft list tables")


def vlan_limit():
    return run("ovs-vsctl --if-exists get Open_vSwitch . other_config:vlan-limit").strip()


def test_the_number_of_tags_is_not_ours(hub):
    """Set where nobody has set it, taken back, and left alone where somebody has, with a reason that says so."""
    assert vlan_limit() == ""
    hub.push("bio", with_layer2(hub))
    assert vlan_limit() == '"2"'
    hub.restore()
    assert vlan_limit() == ""
    run("ovs-vsctl set Open_vSwitch . other_config:vlan-limit=1")
    try:
        hub.routerd.put("bio", with_layer2(hub))
        until(lambda: "vlan-limit=2" in str(hub.routerd.object("bio", "l2", "segments", "inside")), 20, "no reason is told")
        assert vlan_limit() == '"1"'
    finally:
        run("ovs-vsctl remove Open_vSwitch . other_config vlan-limit")
    hub.routerd.until_converged("bio")
