"""A branch office: one namespace with one charon that is the far end of many tunnels, each with its own outer
address, xfrm interface and settings; and an authority that makes certificates for both ends."""

import ipaddress
import pathlib

import vici
from farside import ESP_PROPOSALS, IKE_PROPOSALS, FarSide
from router import start_charon
from shell import LOGS, Daemon, add_netns, ip_batch, run

ANYTHING = ["0.0.0.0/0", "::/0"]


class Branch(FarSide):
    """`connect` is told how the namespace gets its eth0."""

    def __init__(self, name):
        super().__init__(name)
        self.vici = str(self.folder / "charon.vici")
        self.conf = self.folder / "strongswan.conf"
        self.daemon = Daemon(f"charon-{name}-out", ["charon-systemd"], ns=name, env={"STRONGSWAN_CONF": str(self.conf)})
        self.ends = {}

    def start(self, attach):
        self.start_netns()
        attach()
        ip_batch(["link set eth0 up"], ns=self.ns)
        self.start_charon()

    def start_charon(self):
        start_charon(self.daemon, self.conf, self.vici, LOGS / f"charon-{self.name}.log")
        for settings in self.ends.values():
            self._load(settings)

    def stop(self):
        self.daemon.kill()
        super().stop()

    def add(self, name, if_id, outer, hub, inside, psk="", certificate="", key="", authority="", **more):
        """The far end of a tunnel. `more` are keys of the connection; `version`, `ids`, `esp` and `start` are told
        apart from them."""
        local_id, remote_id = more.pop("ids", (str(ipaddress.ip_interface(outer).ip), hub))
        child = {"local_ts": ANYTHING, "remote_ts": ANYTHING, "esp_proposals": more.pop("esp", ESP_PROPOSALS),
                 "start_action": "start" if more.pop("start", False) else "none", **more.pop("child", {})}
        auth = "psk" if psk else "pubkey"
        local, remote = {"auth": auth, "id": local_id}, {"auth": auth, "id": remote_id}
        if certificate:
            local["certs"], remote["cacerts"] = [certificate], [authority]
        connection = {"version": "2", "mobike": "no", "local_addrs": [str(ipaddress.ip_interface(outer).ip)],
                      "remote_addrs": [hub], "proposals": IKE_PROPOSALS, "if_id_in": if_id, "if_id_out": if_id,
                      "local": local, "remote": remote, "children": {name: child}, **more}
        ip_batch([f"addr replace {outer} dev eth0", f"link add {name} mtu 1400 type xfrm dev eth0 if_id {if_id}",
                  f"link set {name} up", *[f"addr add {a} dev {name}" for a in inside]], ns=self.ns)
        self.ends[name] = {"name": name, "connection": connection, "psk": psk, "key": key,
                           "owners": [local_id, remote_id]}
        self._load(self.ends[name])

    def _load(self, end):
        with vici.Vici(self.vici) as session:
            if end["psk"]:
                session.request("load-shared", {"id": end["name"], "type": "IKE", "data": end["psk"],
                                                "owners": end["owners"]})
            if end["key"]:
                session.request("load-key", {"type": "any", "data": end["key"]})
            session.request("load-conn", {end["name"]: end["connection"]})

    def secret(self, psk, name):
        """Another one for an end that has one."""
        self.ends[name]["psk"] = psk
        with vici.Vici(self.vici) as session:
            session.request("load-shared", {"id": name, "type": "IKE", "data": psk,
                                            "owners": self.ends[name]["owners"]})

    def initiate(self, name):
        with vici.Vici(self.vici) as session:
            session.request("initiate", {"child": name, "ike": name, "timeout": -1})

    def sas(self, name):
        return [sa for found, sa in vici.sas(self.vici) if found == name]


class Authority:
    """Certificates for an hour, with elliptic curves, since they are quick to make here."""

    def __init__(self, name, folder):
        self.name, self.folder, self.serials = name, pathlib.Path(folder), {}
        self.folder.mkdir(parents=True, exist_ok=True)
        self._request(name, f"/C=JP/CN={name}", [])

    def _path(self, name, suffix):
        return self.folder / f"{name}.{suffix}"

    def _request(self, name, subject, options):
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
             "-subj", subject, "-keyout", self._path(name, "key"), "-out", self._path(name, "pem"), *options])

    def certify(self, name, alternatives):
        """(certificate, key), as PEM."""
        self.serials[name] = len(self.serials) + 10
        self._request(name, f"/C=JP/CN={name}", [
            "-CA", self._path(self.name, "pem"), "-CAkey", self._path(self.name, "key"),
            "-set_serial", str(self.serials[name]),
            "-addext", f"subjectAltName={alternatives}", "-addext", "basicConstraints=critical,CA:FALSE"])
        return self._path(name, "pem").read_text(), self._path(name, "key").read_text()

    @property
    def certificate(self):
        return self._path(self.name, "pem").read_text()

    def revoke(self, *names):
        """A list of these, as PEM."""
        index = self.folder / "index.txt"
        index.write_text("".join(f"R\t491231235959Z\t260101000000Z\t{self.serials[name]:02X}\tunknown\t/C=JP/CN={name}\n"
                                 for name in names))
        (self.folder / "ca.conf").write_text(f"[ca]\ndefault_ca = it\n[it]\ndatabase = {index}\ndefault_md = sha256\n"
                                             "default_crl_days = 1\ncrl_extensions = more\n"
                                             "[more]\nauthorityKeyIdentifier = keyid\n")
        return run(["openssl", "ca", "-config", self.folder / "ca.conf", "-gencrl", "-cert",
                    self._path(self.name, "pem"), "-keyfile", self._path(self.name, "key")])


def masquerade(ns, inner_ns, underlay, outer, inner, inner_peer):
    """A home router: `ns` is on the underlay and hides `inner_ns` behind its own address."""
    add_netns(ns)
    underlay.attach(ns)
    ip_batch(["link set eth0 up", f"addr add {outer} dev eth0",
              f"link add lan0 type veth peer name eth0 netns {inner_ns}", "link set lan0 up",
              f"addr add {inner} dev lan0"], ns=ns)
    gateway = str(ipaddress.ip_interface(inner).ip)
    ip_batch([f"addr add {inner_peer} dev eth0", "link set eth0 up", f"route add default via {gateway}"], ns=inner_ns)
    run(["nft", "-f", "-"], ns=ns, stdin="""table ip nat {
        chain post {
            type nat hook postrouting priority 100
            oifname "eth0" masquerade
        }
    }
    """)
