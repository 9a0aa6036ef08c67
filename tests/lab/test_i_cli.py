"""routerctl against the real thing."""

import json
import subprocess

import pytest

from api import BUILD, routerctl
from topology import to_text

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
