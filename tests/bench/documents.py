"""What the benches ask for: networks of two segments, a tunnel and two peers each, and one of them changed."""

import copy

SECRETS = {"bench": "a-psk-for-the-bench"}
LIMITS = {"networks": 1000, "segments": 3000, "tunnels": 1000, "peers": 2000}
SHARE = 10  # networks of each of many tenants
VLANS_EACH = 3
FIRST_VLAN = 1001


def network(index, first_vlan):
    vlan = first_vlan + VLANS_EACH * index
    return {
        "name": f"net-{index}", "asn": 65010,
        "segments": [
            {"name": "campus", "attachments": [{"uplink": "sinet", "vlan": vlan}], "gateway": ["10.1.0.1/24"]},
            {"name": "dx", "attachments": [{"uplink": "sinet", "vlan": vlan + 1}], "gateway": ["169.254.10.1/30"]}],
        "tunnels": [{"name": "site", "uplink": "wan", "remote": f"203.0.113.{2 + vlan // VLANS_EACH % 250}", "remote_id": f"site-{vlan}.example",
                     "auth": {"psk": {"secret": "bench"}}, "inside": ["169.254.20.1/30"], "initiate": False}],
        "peers": [{"name": "aws", "via": "dx", "address": "169.254.10.2", "asn": 64512},
                  {"name": "site", "via": "site", "address": "169.254.20.2", "asn": 64513}]}


def topology(count, first_vlan=FIRST_VLAN):
    return {"version": 1, "networks": [network(index, first_vlan) for index in range(count)]}


def tenants(count):
    """{tenant: document} with so many networks in all, ten each."""
    return {f"group-{first // SHARE}": topology(min(SHARE, count - first), FIRST_VLAN + VLANS_EACH * first) for first in range(0, count, SHARE)}


def vlans(tenant):
    """The VLANs of one of tenants()."""
    first = FIRST_VLAN + VLANS_EACH * SHARE * int(tenant.split("-")[1])
    return f"{first}-{first + VLANS_EACH * SHARE - 1}"


def changed(document):
    """The same with one network of them altered."""
    document = copy.deepcopy(document)
    middle = document["networks"][len(document["networks"]) // 2]
    vlan = middle["segments"][0]["attachments"][0]["vlan"] + 2
    middle["segments"].append({"name": "more", "attachments": [{"uplink": "sinet", "vlan": vlan}], "gateway": ["10.7.0.1/24"]})
    middle["peers"][0]["import"] = {"max_prefixes": 77}
    middle["tunnels"][0]["remote_id"] = "another.example"
    return document
