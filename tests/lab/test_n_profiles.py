"""Each cloud's profile against a far side that is configured as that cloud's documentation says: its proposals only,
its lifetimes and timers only. One charon and one BIRD play all of the clouds, each at an address of its own."""

import dataclasses

import pytest

import vici
from farside import Bird, FarSide
from router import start_charon
from shell import LOGS, Daemon, ip_batch, until
from topology import ASN, HUB_OUTER

PSK = "CloudKey.2026_lab"
TRAFFIC = ["0.0.0.0/0"]


@dataclasses.dataclass
class Cloud:
    """What one cloud's gateway is set to. `link` is its end of the inside subnet, then the router's."""
    profile: str
    asn: int
    link: tuple
    ike: list
    esp: list
    timers: tuple          # keepalive, hold
    version: str = "2"
    legacy: bool = False   # the router's tunnel must say so
    ike_lifetime: int = 28800
    child_lifetime: int = 3600


CLOUDS = [
    Cloud("aws-vpn", 64512, ("169.254.6.1/30", "169.254.6.2/30"), ["aes128-sha256-modp2048"], ["aes128-sha256-modp2048"], (10, 30)),
    Cloud("azure-vpn", 65515, ("169.254.21.1/30", "169.254.21.2/30"), ["aes256-sha256-modp1024"], ["aes256gcm16"], (60, 180),
          legacy=True, child_lifetime=27000),
    Cloud("gcp-ha-vpn", 64514, ("169.254.40.1/30", "169.254.40.2/30"), ["aes256gcm16-prfsha512-modp4096"],
          ["aes256gcm16-modp4096"], (20, 60), ike_lifetime=36000, child_lifetime=10800),
    Cloud("oracle-vpn", 31898, ("169.254.50.0/31", "169.254.50.1/31"), ["aes256-sha384-ecp384"], ["aes256gcm16-modp1536"], (60, 180),
          legacy=True),
    Cloud("sakura", 64600, ("169.254.60.1/30", "169.254.60.2/30"), ["aes128-sha1-modp1024"], ["aes128-sha1-modp1024"], (10, 30),
          version="1", legacy=True, child_lifetime=1800),
    Cloud("openstack", 64601, ("169.254.61.1/30", "169.254.61.2/30"), ["aes256-sha256-modp2048"], ["aes256-sha256-modp2048"],
          (30, 90), ike_lifetime=3600),
    Cloud("vsphere", 64602, ("169.254.62.1/30", "169.254.62.2/30"), ["aes128gcm16-prfsha256-modp2048"], ["aes128gcm16-modp2048"],
          (60, 180), ike_lifetime=86400),
]


@dataclasses.dataclass
class Circuit:
    """What one cloud's router at the other end of a VLAN is set to."""
    profile: str
    asn: int
    vlan: int
    link: tuple            # its end, the router's
    timers: tuple
    bfd: tuple = None      # interval in ms, multiplier
    password: str = None
    outer: int = None      # its VLAN comes inside of this one


CIRCUITS = [
    Circuit("aws-dx", 64512, 1071, ("169.254.101.2/30", "169.254.101.1/30"), (30, 90), (300, 3), password="Md5-of-the-circuit"),
    Circuit("azure-expressroute", 12076, 100, ("192.168.100.2/30", "192.168.100.1/30"), (60, 180), (300, 3), outer=1072),
    Circuit("gcp-interconnect", 16550, 1073, ("169.254.103.1/29", "169.254.103.2/29"), (20, 60), (1000, 5)),
    Circuit("oracle-fastconnect", 31898, 1074, ("10.104.0.1/30", "10.104.0.2/30"), (60, 180), (300, 3)),
    Circuit("mdx", 64603, 1075, ("10.105.0.1/30", "10.105.0.2/30"), (10, 30)),
]
MANY = [f"10.200.{number}.0/24" for number in range(101)]


class Clouds(FarSide):
    """The far side of all of them."""

    def __init__(self, underlay):
        super().__init__("clouds")
        self.underlay = underlay
        self.vici = str(self.folder / "charon.vici")
        self.daemon = Daemon("charon-clouds-out", ["charon-systemd"], ns=self.ns,
                             env={"STRONGSWAN_CONF": str(self.folder / "strongswan.conf")})
        sessions = [{"local": cloud.link[0].split("/")[0], "remote": cloud.link[1].split("/")[0], "asn": ASN,
                     "local_asn": cloud.asn, "more": f"keepalive time {cloud.timers[0]}; hold time {cloud.timers[1]};"}
                    for cloud in CLOUDS]
        self.bird = Bird(self.ns, 64999, "203.0.113.41", sessions, {})

    @staticmethod
    def outer(number):
        return f"203.0.113.{41 + number}"

    def connection(self, number, cloud):
        return {cloud.profile: {
            "version": cloud.version, "mobike": "no", "local_addrs": [self.outer(number)], "remote_addrs": [HUB_OUTER],
            "proposals": cloud.ike, "rekey_time": f"{cloud.ike_lifetime}s", "dpd_delay": "10s", "unique": "replace",
            "if_id_in": str(100 + number), "if_id_out": str(100 + number),
            "local": {"auth": "psk", "id": self.outer(number)}, "remote": {"auth": "psk"},
            "children": {cloud.profile: {"local_ts": TRAFFIC, "remote_ts": TRAFFIC, "esp_proposals": cloud.esp,
                                         "rekey_time": f"{cloud.child_lifetime}s"}}}}

    def start(self):
        self.start_netns()
        self.underlay.attach(self.ns)
        ip_batch(["link set eth0 up", "link add lan type dummy", "link set lan up", "addr add 10.41.0.1/24 dev lan"], ns=self.ns)
        for number, cloud in enumerate(CLOUDS):
            ip_batch([f"addr add {self.outer(number)}/24 dev eth0",
                      f"link add ipsec{number} mtu 1400 type xfrm dev eth0 if_id {100 + number}", f"link set ipsec{number} up",
                      f"addr add {cloud.link[0]} dev ipsec{number}"], ns=self.ns)
        start_charon(self.daemon, self.folder / "strongswan.conf", self.vici, LOGS / "charon-clouds.log")
        with vici.Vici(self.vici) as session:
            session.request("load-shared", {"id": "hub", "type": "IKE", "data": PSK})
            for number, cloud in enumerate(CLOUDS):
                session.request("load-conn", self.connection(number, cloud))
        self.bird.start()

    def stop(self):
        self.bird.kill()
        self.daemon.kill()
        super().stop()


def network(clouds):
    """What a controller says of them: the profile and the addresses."""
    tunnels, peers = [], []
    for number, cloud in enumerate(CLOUDS):
        tunnel = {"name": cloud.profile, "profile": cloud.profile, "uplink": "wan", "remote": clouds.outer(number),
                  "auth": {"psk": {"secret": "clouds"}}, "inside": [cloud.link[1]]}
        tunnels.append({**tunnel, "legacy": True} if cloud.legacy else tunnel)
        peers.append({"name": cloud.profile, "via": cloud.profile, "address": cloud.link[0].split("/")[0], "asn": cloud.asn})
    return {"name": "clouds", "asn": ASN, "tunnels": tunnels, "peers": peers}


class Exchange(FarSide):
    """Where the circuits of all clouds end: an interface and a session for each."""

    def __init__(self, sinet):
        super().__init__("exchange")
        self.sinet = sinet
        sessions = [{"local": c.link[0].split("/")[0], "remote": c.link[1].split("/")[0], "asn": ASN, "local_asn": c.asn,
                     "password": c.password, "bfd": c.bfd, "more": f"keepalive time {c.timers[0]}; hold time {c.timers[1]};"}
                    for c in CIRCUITS]
        self.bird = Bird(self.ns, 64999, "203.0.113.71", sessions, {})

    def start(self):
        self.start_netns()
        ip_batch(["link add lan type dummy", "link set lan up", "addr add 10.71.0.1/24 dev lan"], ns=self.ns)
        for number, circuit in enumerate(CIRCUITS):
            name = f"eth{number}"
            if circuit.outer:
                ip_batch([f"link add link trunk name x{circuit.outer} type vlan proto 802.1ad id {circuit.outer}", f"link set x{circuit.outer} up",
                          f"link add link x{circuit.outer} name {name} netns {self.ns} type vlan id {circuit.vlan}"], ns=self.sinet.ns)
            else:
                self.sinet.attach(self.ns, circuit.vlan, name)
            ip_batch([f"link set {name} address 02:58:00:00:00:{number:02x}", f"link set {name} up",
                      f"addr add {circuit.link[0]} dev {name}"], ns=self.ns)
        self.bird.start()

    def stop(self):
        self.bird.kill()
        ip_batch([f"link del x{circuit.outer}" for circuit in CIRCUITS if circuit.outer], ns=self.sinet.ns, force=True)
        super().stop()


def circuits_network():
    """What a controller says of the circuits."""
    segments, peers = [], []
    for circuit in CIRCUITS:
        attachment = {"uplink": "sinet", "vlan": circuit.vlan}
        segments.append({"name": circuit.profile, "gateway": [circuit.link[1]],
                         "attachments": [{**attachment, "outer_vlan": circuit.outer} if circuit.outer else attachment]})
        peer = {"name": circuit.profile, "via": circuit.profile, "profile": circuit.profile, "address": circuit.link[0].split("/")[0],
                "asn": circuit.asn, "bfd": bool(circuit.bfd)}
        peers.append({**peer, "password": {"secret": "circuit"}} if circuit.password else peer)
    peers[-1]["import"] = {"max_prefixes": 200}
    return {"name": "circuits", "asn": ASN, "segments": segments, "peers": peers}


@pytest.fixture
def exchange(world):
    made = Exchange(world.sinet)
    made.start()
    yield made
    made.stop()


def test_every_circuit_comes_up_and_keeps_its_limits(hub, exchange):
    hub.routerd.write_secret("circuit", CIRCUITS[0].password)
    document, _ = hub.document("bio")
    document["networks"].append(circuits_network())
    hub.push("bio", document, wait=90)
    peers = {peer["name"]: peer for peer in hub.routerd.network("bio", "circuits")["peers"]}
    assert {name: peer["bgp_state"] for name, peer in peers.items()} == {circuit.profile: "Established" for circuit in CIRCUITS}
    assert {name for name, peer in peers.items() if peer.get("bfd_state") == "up"} == {c.profile for c in CIRCUITS if c.bfd}

    # AWS would end the session at the 101st prefix: it gets 100, the session stays, and the status says why.
    exchange.bird.announce(MANY)
    try:
        def limited():
            peer = hub.routerd.object("bio", "circuits", "peers", "aws-dx")
            return peer["state"] == "up" and peer["prefixes_sent"] == 100 and "100 IPv4 prefixes" in peer.get("reason", "")
        until(limited, 30, lambda: hub.routerd.network("bio", "circuits")["peers"])
    finally:
        exchange.bird.announce([])
    until(lambda: "reason" not in hub.routerd.object("bio", "circuits", "peers", "aws-dx"), 30,
          lambda: hub.routerd.object("bio", "circuits", "peers", "aws-dx"))


@pytest.fixture
def clouds(world):
    made = Clouds(world.underlay)
    made.start()
    yield made
    made.stop()


def test_every_profile_comes_up(hub, clouds):
    hub.routerd.write_secret("clouds", PSK)
    document, _ = hub.document("bio")
    document["networks"].append(network(clouds))
    hub.push("bio", document)
    status = hub.routerd.network("bio", "clouds")
    assert {tunnel["name"]: tunnel["state"] for tunnel in status["tunnels"]} == {cloud.profile: "up" for cloud in CLOUDS}
    assert {peer["name"]: peer["bgp_state"] for peer in status["peers"]} == {cloud.profile: "Established" for cloud in CLOUDS}

    # A key that the cloud would not take is refused by name, and not shown.
    hub.routerd.write_secret("clouds", "0 is first")
    try:
        until(lambda: "may not begin" in str(hub.routerd.object("bio", "clouds", "tunnels", "aws-vpn")), 30,
              lambda: hub.routerd.object("bio", "clouds", "tunnels", "aws-vpn"))
        assert "0 is first" not in str(hub.routerd.status("bio"))
    finally:
        hub.routerd.write_secret("clouds", PSK)
