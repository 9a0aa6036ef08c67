"""What the router is connected to, in network namespaces: SINET, the wide-area underlay, campuses, clouds
with BIRD, and sites with a charon and BIRD.

Each far side is one object with start and stop and with ways to break it; none of them knows anything about
how the router is configured beyond the addresses that the two sides have agreed on."""

import ipaddress
import pathlib
import re

import vici
from router import answers, start_charon
from shell import LOGS, Daemon, add_netns, ip_batch, run, until

SCRATCH = pathlib.Path("/run/lab")
PSK = "the-lab-s-pre-shared-key"
IKE_PROPOSALS = ["aes256gcm16-prfsha384-ecp384", "aes256gcm16-prfsha256-ecp256", "aes128gcm16-prfsha256-ecp256",
                 "aes256-sha256-modp2048", "default"]
ESP_PROPOSALS = ["aes256gcm16-ecp384", "aes256gcm16-ecp256", "aes128gcm16-ecp256", "aes256-sha256-modp2048", "default"]


class Sinet:
    """The L2VPN service: a VLAN-aware bridge. The router's trunk is `sinet0`; customers have access ports."""

    def __init__(self, ns="sinet", trunk="sinet0", vlans="1001-1999"):
        self.ns, self.trunk, self.vlans = ns, trunk, vlans
        self.ports = 0

    def start(self):
        add_netns(self.ns)
        ip_batch(["link add br0 type bridge vlan_filtering 1 vlan_default_pvid 0 mcast_snooping 0",
                  "link add trunk mtu 9000 type veth peer name to-router mtu 9000",
                  "link set trunk master br0", "link set br0 up", "link set trunk up"], ns=self.ns)
        run(f"bridge -n {self.ns} vlan add dev trunk vid {self.vlans}")
        self.plug_router()

    def plug_router(self):
        ip_batch([f"link set to-router netns 1 name {self.trunk}"], ns=self.ns)
        ip_batch([f"link set {self.trunk} up"])

    def attach(self, ns, vlan, interface="eth0"):
        """Gives the namespace an interface in a VLAN."""
        self.ports += 1
        port = f"p{vlan}-{self.ports}"
        ip_batch([f"link add {port} type veth peer name {interface} netns {ns}",
                  f"link set {port} master br0", f"link set {port} up"], ns=self.ns)
        run(f"bridge -n {self.ns} vlan add dev {port} vid {vlan} pvid untagged")


class Underlay:
    """The wide area between the router's `wan0`, which the host addresses, and the sites."""

    def __init__(self, ns="internet", uplink="wan0", addresses=("203.0.113.1/24", "2001:db8:ffff::1/64")):
        self.ns, self.uplink, self.addresses = ns, uplink, addresses
        self.ports = 0

    def start(self):
        add_netns(self.ns)
        ip_batch(["link add br0 type bridge mcast_snooping 0", "link set br0 up",
                  f"link add router type veth peer name {self.uplink} netns 1",
                  "link set router master br0", "link set router up"], ns=self.ns)
        ip_batch([f"addr add {address} dev {self.uplink}" for address in self.addresses]
                 + [f"link set {self.uplink} up"])

    def attach(self, ns, interface="eth0"):
        self.ports += 1
        ip_batch([f"link add p{self.ports} type veth peer name {interface} netns {ns}",
                  f"link set p{self.ports} master br0", f"link set p{self.ports} up"], ns=self.ns)


class Outside:
    """The rest of the world behind the underlay: the uplink's router with a server behind it, in one namespace. It
    even has routes to the tenants' prefixes by way of our router, as somebody with bad intentions would."""

    ROUTERS = ("203.0.113.254", "203.0.113.253", "2001:db8:ffff::fe")
    SERVERS = ("198.51.100.10", "2001:db8:9::10")

    def __init__(self, underlay, ns="outside"):
        self.underlay, self.ns = underlay, ns

    def start(self):
        add_netns(self.ns)
        self.underlay.attach(self.ns)
        ip_batch(["link set eth0 up", *(f"addr add {a}/{'64' if ':' in a else '24'} dev eth0" for a in self.ROUTERS),
                  *(f"addr add {a}/{'128' if ':' in a else '32'} dev lo" for a in self.SERVERS),
                  "route add 10.0.0.0/8 via 203.0.113.1", "route add 2001:db8:1::/48 via 2001:db8:ffff::1"], ns=self.ns)
        self.lead("203.0.113.254")
        ip_batch(["route replace default via 2001:db8:ffff::fe dev wan0"])

    @staticmethod
    def lead(gateway):
        """The host's default route is by this router; None: it has none."""
        run(["ip", "route", "replace", "default", "via", gateway, "dev", "wan0"] if gateway
            else ["ip", "route", "del", "default", "dev", "wan0"])

    def stop(self):
        ip_batch(["route del default dev wan0"], force=True)
        run(["ip", "-6", "route", "del", "default", "dev", "wan0"], check=False)
        run(["ip", "netns", "del", self.ns], check=False)


class FarSide:
    """A namespace with an interface `eth0`; `address` is what the others ping."""

    def __init__(self, name):
        self.name = self.ns = name
        self.folder = SCRATCH / name

    def __repr__(self):
        return self.name

    def start_netns(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        add_netns(self.ns)

    def stop(self):
        # The kernel takes its time to end a namespace, and another far side may have its addresses by then.
        run(["ip", "-n", self.ns, "link", "set", "eth0", "down"], check=False)
        run(["ip", "netns", "del", self.ns], check=False)

    def heal(self):
        self.mend()

    def cut(self):
        ip_batch(["link set eth0 down"], ns=self.ns)

    def mend(self):
        ip_batch(["link set eth0 up"], ns=self.ns)


class Campus(FarSide):
    """A host in a campus network whose default gateway is the router."""

    def __init__(self, name, sinet, vlan, addresses, gateways):
        super().__init__(name)
        self.sinet, self.vlan, self.addresses, self.gateways = sinet, vlan, addresses, gateways

    @property
    def address(self):
        return self.addresses[0].split("/")[0]

    @property
    def address6(self):
        return self.addresses[1].split("/")[0]

    def start(self):
        self.start_netns()
        self.sinet.attach(self.ns, self.vlan)
        self.mend()

    def mend(self):
        ip_batch(["link set eth0 up"]
                 + [f"addr replace {address} dev eth0" for address in self.addresses]
                 + [f"route replace default via {gateway}" for gateway in self.gateways], ns=self.ns)


class Bird:
    """A BGP speaker in a namespace that announces what is on its interface `lan`."""

    def __init__(self, ns, asn, router_id, sessions, source):
        self.ns, self.asn, self.router_id, self.sessions, self.source = ns, asn, router_id, sessions, source
        self.bfd = any(session.get("bfd") for session in sessions)
        self.folder = SCRATCH / ns
        self.announced = []
        self.communities = {}  # of prefixes to be announced: {prefix: ["65000:1"]}
        self.daemon = Daemon(f"bird-{ns}", ["bird", "-f", "-c", str(self.folder / "bird.conf"),
                                            "-s", str(self.folder / "bird.ctl")], ns=ns)

    def _session(self, number, session):
        local, remote, remote_asn = session["local"], session["remote"], session["asn"]
        channels = session.get("families") or ["ipv6" if ":" in local else "ipv4"]
        bfd = "bfd on;" if session.get("bfd") else ""
        more = session.get("more", "")
        password = f'password "{session["password"]}";' if session.get("password") else ""
        return f"""
protocol bgp hub{number} {{
  local {local} as {session.get("local_asn", self.asn)}; neighbor {remote} as {remote_asn}; {password} {bfd} {more}
  connect delay time 1; connect retry time 2; error wait time 1, 4; startup hold time 30;
  {" ".join(f"{channel} {{ import all; export filter {{ {self._export()} }}; }};" for channel in channels)}
}}
"""

    @staticmethod
    def _export():
        return "if source = RTS_DEVICE then accept; if source = RTS_STATIC then accept; reject;"

    def config(self):
        """A far side's own links win over what it learns: IPv6's connected routes have metric 256."""
        kernel = "".join(f"""
protocol kernel {{ metric {metric}; merge paths on; {family} {{ import none; export filter {{
  if source != RTS_BGP then reject; {f"krt_prefsrc = {self.source[family]};" if family in self.source else ""} accept; }}; }}; }}
""" for family, metric in (("ipv4", 32), ("ipv6", 1024)))
        sessions = "".join(self._session(number, session) for number, session in enumerate(self.sessions))
        bfd = 'protocol bfd { interface "*" { interval 300 ms; multiplier 3; }; }\n' if self.bfd else ""
        return (f"log stderr all;\n{bfd}router id {self.router_id};\nprotocol device {{ scan time 1; }}\n"
                f'protocol direct {{ ipv4; ipv6; interface "lan"; }}\n{kernel}{sessions}'
                f'include "{self.folder}/more*.conf";\n')

    def start(self):
        self.write()
        self.daemon.start()
        until(lambda: answers(self.folder / "bird.ctl"), 30, lambda: f"bird in {self.ns}: {self.daemon.tail()}")

    def write(self):
        (self.folder / "bird.conf").write_text(self.config(), encoding="ascii")

    def change(self, sessions):
        """Speaks so from now on; sessions that are as before stay."""
        self.sessions = sessions
        self.bfd = any(session.get("bfd") for session in sessions)
        self.write()
        self.birdc("configure")

    def stop(self):
        """Goes with a notification, so that the router sees it at once."""
        self.daemon.end()

    def kill(self):
        self.daemon.kill()

    def birdc(self, command):
        return run(["birdc", "-s", self.folder / "bird.ctl", *command.split()], check=False)

    def _tagged(self, prefix):
        pairs = [f"bgp_community.add(({community.replace(':', ',')}));" for community in self.communities.get(prefix, [])]
        return f" {{ {' '.join(pairs)} }}" if pairs else ""

    def announce(self, prefixes):
        """Announces these prefixes besides the `lan`'s, and no others any more."""
        if self.announced == prefixes:
            return
        self.announced = prefixes
        family = {True: "ipv6", False: "ipv4"}
        text = "".join(f"protocol static {{ {family[v6]}; "
                       + " ".join(f"route {p} blackhole{self._tagged(p)};" for p in prefixes if (":" in p) == v6) + " }\n"
                       for v6 in (False, True) if any((":" in p) == v6 for p in prefixes))
        (self.folder / "more.conf").write_text(text, encoding="ascii")
        self.birdc("configure")

    def routes(self):
        """The prefixes learned from the router."""
        return sorted(set(re.findall(r"^([0-9a-f.:]+/\d+)", self.birdc("show route where source=RTS_BGP"), re.M)))

    def established(self):
        return self.birdc("show protocols").count("Established")


class BgpSite(FarSide):
    """What a cloud and an IPsec site have in common: a network behind, announced by BIRD."""

    def __init__(self, name, asn, behind, sessions):
        super().__init__(name)
        self.behind = behind
        source = {"ipv6" if ":" in a else "ipv4": a.split("/")[0] for a in behind}
        self.bird = Bird(name, asn, source["ipv4"], sessions, source)

    @property
    def address(self):
        return self.behind[0].split("/")[0]

    @property
    def address6(self):
        return self.behind[1].split("/")[0]

    def heal(self):
        self.mend()
        if not self.bird.daemon.alive():
            self.bird.start()
        self.bird.announce([])

    def lan_lines(self):
        return ["link add lan type dummy", "link set lan up", *[f"addr add {a} dev lan" for a in self.behind]]


class Cloud(BgpSite):
    """A cloud behind a SINET VLAN (AWS Direct Connect and the like): it routes by BGP over the VLAN."""

    def __init__(self, name, sinet, vlan, asn, link, behind, sessions):
        super().__init__(name, asn, behind, sessions)
        self.sinet, self.vlan, self.link = sinet, vlan, link

    def start(self):
        self.start_netns()
        self.sinet.attach(self.ns, self.vlan)
        ip_batch(["link set eth0 up", *[f"addr add {a} dev eth0" for a in self.link], *self.lan_lines()], ns=self.ns)
        self.bird.start()

    def stop(self):
        self.bird.kill()
        super().stop()

    def mend(self):
        ip_batch(["link set eth0 up", *[f"addr replace {a} dev eth0" for a in self.link]], ns=self.ns)


class Site(BgpSite):
    """A cloud or site reached by an IPsec tunnel: its own charon, an xfrm interface `ipsec0`, BIRD over it."""

    IF_ID = 42

    def __init__(self, name, underlay, outer, hub, asn, inside, behind, sessions, initiate=False, psk=PSK):
        super().__init__(name, asn, behind, sessions)
        self.underlay, self.outer, self.hub, self.inside = underlay, outer, hub, inside
        self.initiate, self.psk = initiate, psk
        self.vici = str(self.folder / "charon.vici")
        self.conf = self.folder / "strongswan.conf"
        self.daemon = Daemon(f"charon-{name}-out", ["charon-systemd"], ns=name, env={"STRONGSWAN_CONF": str(self.conf)})

    def connection(self):
        plen = ipaddress.ip_interface(self.outer)
        traffic = ["0.0.0.0/0", "::/0"]
        return {"hub": {
            "version": "2", "mobike": "no", "local_addrs": [str(plen.ip)], "remote_addrs": [self.hub],
            "proposals": IKE_PROPOSALS, "unique": "replace", "if_id_in": self.IF_ID, "if_id_out": self.IF_ID,
            "local": {"auth": "psk", "id": str(plen.ip)}, "remote": {"auth": "psk"},
            "children": {"net": {"local_ts": traffic, "remote_ts": traffic, "esp_proposals": ESP_PROPOSALS,
                                 "start_action": "start" if self.initiate else "none"}}}}

    def start(self):
        self.start_netns()
        self.underlay.attach(self.ns)
        ip_batch(["link set eth0 up", f"addr add {self.outer} dev eth0",
                  f"link add ipsec0 mtu 1400 type xfrm dev eth0 if_id {self.IF_ID}", "link set ipsec0 up",
                  *[f"addr add {a} dev ipsec0" for a in self.inside], *self.lan_lines()], ns=self.ns)
        self.start_charon()
        self.bird.start()

    def start_charon(self):
        start_charon(self.daemon, self.conf, self.vici, LOGS / f"charon-{self.name}.log")
        self.set_psk(self.psk)
        with vici.Vici(self.vici) as session:
            session.request("load-conn", self.connection())

    def set_psk(self, psk):
        """Without owners it is every peer's."""
        with vici.Vici(self.vici) as session:
            session.request("load-shared", {"id": "hub", "type": "IKE", "data": psk})

    def close_sas(self):
        """Ends the SAs and tells the router."""
        with vici.Vici(self.vici) as session:
            session.request("terminate", {"ike": "hub"})

    def crash(self):
        """charon dies and starts again: its SAs are gone and the router is not told."""
        self.daemon.kill()
        ip_batch(["xfrm state flush", "xfrm policy flush"], ns=self.ns)
        self.start_charon()

    def stop(self):
        self.bird.kill()
        self.daemon.kill()
        super().stop()

    def mend(self):
        ip_batch(["link set eth0 up", f"addr replace {self.outer} dev eth0"], ns=self.ns)

    def heal(self):
        """As it was after start, whatever a test did to it."""
        super().heal()
        if not self.daemon.alive():
            self.start_charon()
        self.set_psk(self.psk)

    def child_up(self):
        return bool(vici.spis(self.vici))
