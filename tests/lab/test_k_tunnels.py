"""Tunnels of every kind: certificates, IPv6, NAT traversal, IKEv1, names, and what their life is like."""

import pathlib
import re

import pytest

import api
import traffic
import vici
from branch import Authority, Branch, masquerade
from router import VICI_SOCKET
from shell import ip_batch, run, until
from topology import HUB_OUTER

HUB_OUTER6 = "2001:db8:ffff::1"
HUB_ID = "vr1.example.ac.jp"
PSK = "the-branch-s-pre-shared-key"
HOSTS = pathlib.Path("/etc/hosts")


class Net:
    """A network of tunnels to the branch: number N is rN inside 10.88.N.0/30 and fd88:N::/64."""

    def __init__(self, hub, branch):
        self.hub, self.branch, self.tunnels = hub, branch, []
        self.document, _ = hub.document("bio")

    def add(self, number, name, remote, keys=None, families=(4, 6), auth=None):
        inside = [a for f, a in ((4, f"10.88.{number}.1/30"), (6, f"fd88:{number}::1/64")) if f in families]
        self.tunnels.append({"name": name, "uplink": "wan", "remote": remote, "inside": inside,
                             "auth": auth or {"psk": {"secret": "branch-psk"}}, **(keys or {})})

    def documents(self):
        others = [network for network in self.document["networks"] if network["name"] != "wide"]
        return {**self.document, "networks": [*others, {"name": "wide", "tunnels": self.tunnels}]}

    def push(self, wait=40):
        answer = self.hub.routerd.put("bio", self.documents(), wait=wait)
        assert answer.status in (200, 202), answer
        return answer

    def state(self, name):
        found = self.hub.routerd.object("bio", "wide", "tunnels", name)
        return (found["state"], found.get("reason", "")) if found else ("absent", "")

    def until(self, name, states, reason="", seconds=40):
        def there():
            state, why = self.state(name)
            return state in states and re.search(reason, why, re.I)
        until(there, seconds, lambda: f"{name}: {self.state(name)}")

    def interface(self, name):
        return self.hub.routerd.object("bio", "wide", "tunnels", name)["interface"]

    def mtu(self, name):
        return int(re.search(r"mtu (\d+)", run(["ip", "-o", "link", "show", self.interface(name)])).group(1))

    def sas(self, name):
        if_id = self.hub.routerd.object("bio", "wide", "tunnels", name)["if_id"]
        return [sa for found, sa in vici.sas(VICI_SOCKET) if found == f"routerd-{if_id}"]


def inside(number, family=4):
    """The branch's address and prefix in tunnel N."""
    return f"10.88.{number}.2/30" if family == 4 else f"fd88:{number}::2/64"


class End:
    """Something to send pings from into one tunnel: the branch itself, by its route to the far inside address."""

    def __init__(self, branch):
        self.ns, self.name = branch.ns, branch.name

    def __repr__(self):
        return self.name


@pytest.fixture(scope="module")
def branch(world):
    made = Branch("branch")
    made.start(lambda: world.underlay.attach("branch"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return (Authority("cloud", tmp_path_factory.mktemp("cloud")), Authority("other", tmp_path_factory.mktemp("other")))


@pytest.fixture
def net(hub, branch):
    secret = hub.routerd.secrets / "branch-psk"
    if not secret.exists() or secret.read_text() != PSK:  # one that is written anew is loaded anew
        hub.routerd.write_secret("branch-psk", PSK)
    yield Net(hub, branch)
    hub.push("bio", hub.topologies["bio"])


def answers(branch, number, family=4, seconds=20):
    """The hub's inside address of tunnel N answers the branch through it."""
    return traffic.reach(End(branch), f"10.88.{number}.1" if family == 4 else f"fd88:{number}::1", seconds)


def test_certificates(hub, net, branch, pki):
    cloud, other = pki
    own, key = cloud.certify("vr1", f"DNS:{HUB_ID}")
    hub.routerd.write_secret("vr1.pem", own)
    hub.routerd.write_secret("vr1.key", key)
    hub.routerd.write_secret("cloud.pem", cloud.certificate)
    for number, name, authority in ((1, "good", cloud), (2, "revoked", cloud), (3, "stranger", other)):
        certificate, far_key = authority.certify(f"{name}.example", f"DNS:{name}.example")
        branch.add(name, 100 + number, f"203.0.113.{20 + number}/24", HUB_OUTER, [inside(number), inside(number, 6)],
                   certificate=certificate, key=far_key, authority=cloud.certificate, ids=(f"{name}.example", HUB_ID))
        net.add(number, name, f"203.0.113.{20 + number}", {"remote_id": f"{name}.example", "local_id": HUB_ID},
                auth={"certificate": "vr1", "ca": "cloud"})
    hub.routerd.write_secret("cloud.crl", cloud.revoke("revoked.example"))
    net.push(wait=5)
    net.until("good", ("up",))
    assert answers(branch, 1) and answers(branch, 1, 6)
    net.until("revoked", ("down",), "revoked")
    net.until("stranger", ("down",), "authority|refused")
    keys = vici_keys()
    assert len(keys) == 1, keys
    # Nothing is written by another pass or another routerd, and the key is told to nobody.
    before = hub.world.router.charon.log.read_text().count("requests: load-")
    spis = vici.spis(VICI_SOCKET)
    hub.routerd.kill()
    hub.routerd.start()
    net.until("good", ("up",))
    api.wait_a_pass()
    assert hub.world.router.charon.log.read_text().count("requests: load-") == before
    assert [spi for spi in vici.spis(VICI_SOCKET) if spi in spis] == spis
    told = hub.routerd.daemon.tail(1_000_000) + str(hub.routerd.status("bio"))
    assert not any(line in told for line in key.splitlines() if "--" not in line)
    # One that is renewed is followed, and one that does not fit is told of and changes nothing.
    own, other_key = cloud.certify("vr1", f"DNS:{HUB_ID}")
    hub.routerd.write_secret("vr1.key", other_key)
    plan = until(lambda: hub.routerd.put("bio", net.documents(), dry_run=True), 5, "no plan")
    assert net.state("good")[0] == "up", plan
    hub.routerd.write_secret("vr1.pem", own)
    until(lambda: vici_keys() not in ([], keys) and len(vici_keys()) == 1, 20, vici_keys)
    assert net.state("good")[0] == "up"
    # A key whose connections somebody has unloaded goes with the tunnels, too.
    hub.routerd.write_secret("vr1.pem", "none, so they cannot be loaded again")
    with vici.Vici(VICI_SOCKET) as session:
        for name, connection in vici.connections(VICI_SOCKET).items():
            if connection["local-1"]["class"] == "public key":
                session.request("unload-conn", {"name": name})
    assert len(vici_keys()) == 1
    hub.push("bio", hub.topologies["bio"])
    assert not vici_keys()


def vici_keys():
    with vici.Vici(VICI_SOCKET) as session:
        return session.request("get-keys").get("keys", [])


def test_every_kind(hub, net, branch, world):
    """IPv6 outside, UDP always, IKEv1, a DNS name, waiting for the other end, and one behind a NAT."""
    branch.add("v6", 111, "2001:db8:ffff::31/64", HUB_OUTER6, [inside(11), inside(11, 6)], psk=PSK)
    net.add(11, "v6", "2001:db8:ffff::31")
    branch.add("udp", 112, "203.0.113.32/24", HUB_OUTER, [inside(12)], psk=PSK, encap="yes")
    net.add(12, "udp", "203.0.113.32", {"nat_traversal": "force", "esp": {"proposals": ["aes256gcm16-ecp256"],
                                                                        "replay_window": 512}}, families=(4,))
    branch.add("old", 113, "203.0.113.33/24", HUB_OUTER, [inside(13)], psk=PSK, version="1",
               proposals=["aes128-sha1-modp1024"], esp=["aes128-sha1-modp1024"],
               child={"local_ts": ["0.0.0.0/0"], "remote_ts": ["0.0.0.0/0"]})
    net.add(13, "old", "203.0.113.33", {"profile": "sakura", "legacy": True}, families=(4,))
    branch.add("named", 114, "203.0.113.34/24", HUB_OUTER, [inside(14)], psk=PSK, ids=("named.example", HUB_OUTER))
    branch.add("moved", 114 + 20, "203.0.113.44/24", HUB_OUTER, [], psk=PSK, ids=("named.example", HUB_OUTER))
    net.add(14, "named", "named.example", families=(4,))
    branch.add("caller", 115, "203.0.113.35/24", HUB_OUTER, [inside(15)], psk=PSK)
    net.add(15, "caller", "203.0.113.35", {"initiate": False}, families=(4,))
    home = Branch("home")
    home.start(lambda: masquerade("home-nat", "home", world.underlay, "203.0.113.36/24", "192.168.77.1/24",
                                  "192.168.77.2/24"))
    hosts = HOSTS.read_text()
    HOSTS.write_text(hosts + "203.0.113.34 named.example\n")
    try:
        home.add("home", 116, "192.168.77.2/24", HUB_OUTER, [inside(16)], psk=PSK, ids=("home.example", HUB_OUTER))
        net.add(16, "home", "203.0.113.36", {"initiate": False, "remote_id": "home.example"}, families=(4,))
        net.push(wait=5)
        net.until("caller", ("pending",), "initiate")
        branch.initiate("caller")
        home.initiate("home")
        for name in ("v6", "udp", "old", "named", "caller", "home"):
            net.until(name, ("up",))
        for number in (11, 12, 13, 14, 15):
            assert answers(branch, number), number
        assert answers(branch, 11, 6) and answers(home, 16)
        assert net.mtu("v6") == 1426 and net.mtu("udp") == 1438 and net.mtu("caller") == 1446
        udp = net.sas("udp")[0]["child-sas"].popitem()[1]
        assert udp["encap"] == "yes" and net.sas("home")[0]["nat-remote"] == "yes"
        assert re.search("replay_window 512|replay-window 512", run(["ip", "-s", "xfrm", "state"]))
        assert net.sas("old")[0]["version"] == "1"
        assert not hub.routerd.put("bio", net.documents(), dry_run=True).json["plan"]["steps"]
        follow_the_name(net, branch, hosts)
    finally:
        HOSTS.write_text(hosts)
        home.stop()
        run(["ip", "netns", "del", "home-nat"], check=False)


def follow_the_name(net, branch, hosts):
    """The name gets another address, where the same office answers."""
    ip_batch([f"addr del {inside(14)} dev named", f"addr add {inside(14)} dev moved"], ns=branch.ns)
    HOSTS.write_text(hosts + "203.0.113.44 named.example\n")
    until(lambda: any(sa["remote-host"] == "203.0.113.44" for sa in net.sas("named")), 60,
          lambda: f"the tunnel does not follow: {net.state('named')}")
    net.until("named", ("up",))
    assert answers(branch, 14)


def test_rekeys_lose_nothing(net, branch):
    branch.add("quick", 121, "203.0.113.51/24", HUB_OUTER, [inside(21)], psk=PSK)
    net.add(21, "quick", "203.0.113.51", {"ike": {"lifetime": 14}, "esp": {"lifetime": 10}}, families=(4,))
    net.push(wait=20)
    net.until("quick", ("up",))
    assert answers(branch, 21)
    first, spis = {sa["uniqueid"] for sa in net.sas("quick")}, set()

    def rekeyed():
        spis.update(child["spi-in"] for sa in net.sas("quick") for child in sa.get("child-sas", {}).values())
        return len(spis) >= 4 and {sa["uniqueid"] for sa in net.sas("quick")} - first

    with traffic.Background([(End(branch), "10.88.21.1")], interval=0.008) as pings:
        until(rekeyed, 60, lambda: f"only {spis}", interval=0.5)
    assert pings.flows[0].sent > 500 and not pings.lost, pings.flows


def test_a_dead_peer(net, branch):
    """The far end goes without a word: that is told soon. When it is back before charon has given it up, its SAs are
    used on. (That a new one comes up with an end that has lost them is in test_f_faults.)"""
    branch.add("frail", 122, "203.0.113.52/24", HUB_OUTER, [inside(22)], psk=PSK)
    net.add(22, "frail", "203.0.113.52", {"ike": {"dpd": 2}}, families=(4,))
    net.push(wait=20)
    net.until("frail", ("up",))
    assert answers(branch, 22)
    spis = [child["spi-in"] for sa in net.sas("frail") for child in sa["child-sas"].values()]
    branch.cut()
    net.until("frail", ("down",), "no answer from 203.0.113.52", seconds=30)
    branch.mend()
    net.until("frail", ("up",), seconds=30)
    assert answers(branch, 22)
    assert spis == [child["spi-in"] for sa in net.sas("frail") for child in sa["child-sas"].values()]


def test_changes_in_place(hub, net, branch):
    """More inside addresses do not touch charon; other proposals and another secret are loaded and used at the next
    rekey. The moment in which the branch sends by the new SA and the hub is not yet done with it costs a packet or two
    on a slow machine."""
    branch.add("steady", 123, "203.0.113.53/24", HUB_OUTER, [inside(23), inside(23, 6)], psk=PSK)
    net.add(23, "steady", "203.0.113.53", {"esp": {"lifetime": 12}}, families=(4,))
    net.push(wait=20)
    net.until("steady", ("up",))
    assert answers(branch, 23)
    log = hub.world.router.charon.log
    loaded = log.read_text().count("vici connection: routerd-")
    with traffic.Background([(End(branch), "10.88.23.1")]) as pings:
        net.tunnels[0]["inside"].append("fd88:23::1/64")
        assert net.push().status == 200
        assert log.read_text().count("vici connection: routerd-") == loaded
        net.tunnels[0]["esp"] = {"lifetime": 12, "proposals": ["aes128gcm16-ecp256"]}
        hub.routerd.write_secret("branch-psk", PSK + "-new")
        answer = net.push()
        assert answer.status == 200 and answer.json["plan"]["disruptive"] == 0, answer
        until(lambda: log.read_text().count("vici connection: routerd-") - loaded in (1, 2), 10, "it is not loaded anew")
        assert answer.json["plan"]["steps"] and "at the next rekey" in str(answer.json["plan"]), answer
        branch.secret(PSK + "-new", "steady")
        until(lambda: [c["encr-keysize"] for sa in net.sas("steady") for c in sa["child-sas"].values()
                       if c["state"] == "INSTALLED"] == ["128"], 40, lambda: net.sas("steady"))
        assert net.state("steady")[0] == "up"
    assert pings.flows[0].lost <= 8 and pings.flows[0].longest_gap < 1, pings.flows
    hub.routerd.write_secret("branch-psk", PSK)
