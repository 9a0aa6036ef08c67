"""routerctl against the real thing."""

import json
import subprocess

import pytest

from api import BUILD, routerctl
from topology import BIO, to_text
from traffic import Background

pytestmark = pytest.mark.skipif(not (BUILD / "routerctl/routerctl").exists(), reason="routerctl is not built")


@pytest.mark.parametrize("words, expected", [
    (["status"], "bio"), (["network", "genome"], "campus"), (["segments"], "dx"), (["tunnels"], "sakura"),
    (["peers"], "Established"), (["routes", "genome"], "10.2.0.0/24"), (["version"], "routerd")])
def test_tables(hub, words, expected):
    shown = routerctl(hub.routerd, *words, tenant="bio")
    assert expected in shown and "\x1b" not in shown


def test_json(hub):
    assert json.loads(routerctl(hub.routerd, "status", "-o", "json", tenant="bio"))


def test_plan_and_apply(hub, tmp_path):
    document, network = hub.document("bio")
    network["segments"].append({"name": "lab", "attachments": [{"uplink": "sinet", "vlan": 1050}], "gateway": ["10.5.0.1/24"]})
    file = tmp_path / "topology.yaml"
    file.write_text(to_text(document), encoding="utf-8")
    assert "lab" in routerctl(hub.routerd, "plan", str(file), tenant="bio")
    routerctl(hub.routerd, "apply", "--wait", "60s", str(file), tenant="bio")
    assert hub.routerd.object("bio", "genome", "segments", "lab")["state"] == "up"


@pytest.mark.parametrize("words, status", [(["no-such-command"], 2), (["network", "no-such-network"], 1)])
def test_exit_codes(hub, words, status):
    done = subprocess.run([str(BUILD / "routerctl/routerctl"), "-s", str(hub.routerd.socket), "-t", "bio", *words],
                          capture_output=True, check=False)
    assert done.returncode == status, done


def test_exit_code_without_routerd():
    done = subprocess.run([str(BUILD / "routerctl/routerctl"), "-s", "/run/no-such-socket", "status"], capture_output=True, check=False)
    assert done.returncode == 3, done


@pytest.mark.parametrize("host", ["10.3.0.10", "2001:db8:3::10"])
def test_ping_and_trace_in_the_vrf(hub, host):
    """From where the network is, not from where the router is: both tenants have these addresses."""
    for tenant in ("bio", "phys"):
        vrf = hub.routerd.network(tenant, "genome")["vrf"]
        assert f" {vrf}: " in routerctl(hub.routerd, "ping", "genome", host, "--", "-c", "1", "-W", "10", tenant=tenant)
        hops = routerctl(hub.routerd, "trace", "genome", host, "--", "-n", "-w", "10", tenant=tenant).splitlines()[1:]
        assert len(hops) == 1 and hops[0].split()[:2] == ["1", host], hops


@pytest.mark.parametrize("what, key", [("campus", "segments"), ("genome/sakura", "tunnels"), ("genome", None)])
def test_capture(hub, what, key):
    """tcpdump says on standard error which interface it has, and what passed by it on standard output."""
    interface = hub.routerd.object("bio", "genome", key, what.split("/")[-1])["interface"] if key \
        else hub.routerd.network("bio", "genome")["vrf"]
    with Background([(hub.bio.campus, hub.bio.site.address)]):
        done = subprocess.run([str(BUILD / "routerctl/routerctl"), "-s", str(hub.routerd.socket), "-t", "bio", "capture", what,
                               "--", "-n", "-c", "2", "icmp"], capture_output=True, text=True, timeout=60, check=True)
    assert f"listening on {interface}," in done.stderr, done
    assert "10.1.0.10 > 10.3.0.10: ICMP echo request" in done.stdout, done


def test_support(hub, tmp_path):
    file = tmp_path / "support.json"
    routerctl(hub.routerd, "support", str(file))
    bundle = json.loads(file.read_text(encoding="utf-8"))
    bio = bundle["tenants"]["bio"]
    assert bundle["health"]["status"] == "ok" and bundle["events"] and set(bundle["tenants"]) == {"bio", "phys"}
    assert bio["status"]["converged"] and bio["history"]["generation"] == bio["status"]["generation"]
    assert json.loads(bio["topology"]) == hub.topologies["bio"]
    assert "10.3.0.0/24" in {route["prefix"] for route in bio["routes"]["genome"]["routes"]}
    assert BIO.psk not in file.read_text(encoding="utf-8") and file.stat().st_mode & 0o777 == 0o600
