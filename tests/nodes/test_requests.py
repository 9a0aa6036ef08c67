"""The nodes API, request by request, on a routerd that runs alone on this machine."""

import os
import time

import native
import pytest

TOPOLOGY = """\
version: 1
networks:
- name: genome
  pools:
  - {name: aws, prefix: 10.2.0.0/24, provider: aws, dns: [10.2.0.2, 10.2.0.3], domain: genome.example, mtu: 1400}
  - {name: tiny, prefix: 10.9.0.0/29, range: 10.9.0.2-10.9.0.4, quarantine: 1}
  - {name: both, prefix: ["2001:db8:5::/64", 10.5.0.0/24], gateway: ["2001:db8:5::1", 10.5.0.1], quarantine: 0}
- name: brain
  pools: [{name: only, prefix: 10.2.0.0/24}]
- {name: bare}
"""
BRAIN = native.PATH.replace("genome", "brain")
BARE = native.PATH.replace("genome", "bare")
OTHER = native.PATH.replace("genome", "nowhere")


@pytest.fixture(name="router", scope="module")
def _router():
    with native.Router(TOPOLOGY) as router:
        yield router


@pytest.fixture(name="ask")
def _ask(router):
    client = router.client()

    def ask(method, path, body=None):
        return client.ask(method, path if path.startswith("/") else native.PATH + path, body)

    yield ask
    listed = ask("GET", "")[1]["nodes"]
    for node in listed:
        assert ask("DELETE", f"/{node['name']}".replace("/", native.PATH + "/"))[0] == 204
    client.close()


def post(ask, body, path=native.PATH):
    return ask("POST", path, body)


def one(ask, path=native.PATH, **want):
    status, answer = post(ask, want, path)
    assert status == 201, answer
    assert len(answer["nodes"]) == 1
    return answer["nodes"][0]


def refused(ask, status, body, words, path=native.PATH):
    seen, problem = post(ask, body, path)
    assert (seen, problem["status"]) == (status, status), problem
    assert words in str(problem), problem
    return problem


def test_an_answer_says_all_that_a_node_needs(ask):
    node = one(ask, name="web-1", pool="aws", mac="02:00:5E:00:53:01", labels={"b": "2", "a": "\"1\""})
    entry = {"address": node["address"], "prefix_len": 24, "gateway": "10.2.0.1"}
    assert node == {"name": "web-1", "pool": "aws", **entry, "addresses": [entry], "mtu": 1400,
                    "dns": ["10.2.0.2", "10.2.0.3"], "domain": "genome.example", "mac": "02:00:5e:00:53:01",
                    "labels": {"a": "\"1\"", "b": "2"}}
    assert ask("GET", native.PATH + "/web-1") == (200, node)
    assert ask("GET", f"{native.PATH}?address={node['address']}") == (200, {"nodes": [node]})
    assert ask("GET", native.PATH + "?mac=02:00:5e:00:53:01") == (200, {"nodes": [node]})
    assert ask("GET", native.PATH + "?mac=02:00:5e:00:53:02") == (200, {"nodes": []})
    assert ask("GET", f"{native.PATH}?address={node['address']}&pool=tiny") == (200, {"nodes": []})


def test_the_same_again_is_the_same(ask):
    node = one(ask, name="web-1", pool="aws", address="10.2.0.70", mac="02:00:00:00:00:01", labels={"a": "b"})
    for again in ({}, {"pool": "aws"}, {"address": "10.2.0.70"}, {"mac": "02:00:00:00:00:01"}, {"labels": {"a": "b"}}):
        assert post(ask, {"name": "web-1", **again}) == (200, {"nodes": [node]})
    for other in ({"pool": "tiny"}, {"address": "10.2.0.78"}, {"mac": "02:00:00:00:00:02"}, {"labels": {"a": "c"}}):
        refused(ask, 409, {"name": "web-1", **other}, "web-1 is there already")


def test_dual_stack(ask):
    node = one(ask, name="six", pool="both")
    assert [a["address"] for a in node["addresses"]] == ["10.5.0.2", "2001:db8:5::2"]
    assert [a["gateway"] for a in node["addresses"]] == ["10.5.0.1", "2001:db8:5::1"]
    assert [a["prefix_len"] for a in node["addresses"]] == [24, 64]
    assert node["address"] == "10.5.0.2"
    fixed = one(ask, name="fixed", address=["2001:db8:5::99", "10.5.0.99"])
    assert [a["address"] for a in fixed["addresses"]] == ["10.5.0.99", "2001:db8:5::99"]
    half = one(ask, name="half", address="2001:db8:5::98")
    assert [a["address"] for a in half["addresses"]] == ["10.5.0.3", "2001:db8:5::98"]
    refused(ask, 409, {"name": "x", "address": "2001:db8:5::99"}, "taken by node fixed")
    assert ask("GET", native.PATH + "?address=2001:db8:5:0::99")[1]["nodes"] == [fixed]


def test_all_or_none(ask):
    one(ask, name="there", address="10.2.0.9")
    refused(ask, 409, [{"name": "a", "pool": "aws"}, {"name": "b", "address": "10.2.0.9"}], "taken by node there")
    refused(ask, 409, [{"name": "a", "address": "10.2.0.8"}, {"name": "b", "address": "10.2.0.8"}], "taken by node a")
    refused(ask, 409, [{"name": "a", "pool": "aws", "mac": "02:00:00:00:00:07"},
                       {"name": "b", "pool": "aws", "mac": "02:00:00:00:00:07"}], "that of node a")
    assert [n["name"] for n in ask("GET", native.PATH)[1]["nodes"]] == ["there"]
    status, answer = post(ask, [{"name": "b", "pool": "aws"}, {"name": "there"}, {"name": "a", "pool": "tiny"}])
    assert status == 201
    assert [n["name"] for n in answer["nodes"]] == ["b", "there", "a"]
    assert post(ask, [{"name": "a"}, {"name": "b"}])[0] == 200


def test_a_full_pool(ask):
    time.sleep(1.1)  # another test may have used it
    status, answer = post(ask, [{"name": f"t{i}", "pool": "tiny"} for i in range(3)])
    assert status == 201
    assert [n["address"] for n in answer["nodes"]] == ["10.9.0.2", "10.9.0.3", "10.9.0.4"]
    assert refused(ask, 409, {"name": "t3", "pool": "tiny"}, "no free address")["type"] == "pool-exhausted"
    assert ask("DELETE", native.PATH + "/t1")[0] == 204
    assert ask("DELETE", native.PATH + "/t1")[0] == 404
    refused(ask, 409, {"name": "t3", "pool": "tiny"}, "pool-exhausted")
    refused(ask, 409, {"name": "t3", "address": "10.9.0.3"}, "in quarantine")
    time.sleep(1.1)
    assert one(ask, name="t3", pool="tiny")["address"] == "10.9.0.3"
    for name in ("t0", "t2", "t3"):
        ask("DELETE", f"{native.PATH}/{name}")
    time.sleep(1.1)


def test_no_quarantine_if_none_is_wanted(ask):
    assert one(ask, name="a", address="10.5.0.7")["address"] == "10.5.0.7"
    assert ask("DELETE", native.PATH + "/a")[0] == 204
    assert one(ask, name="b", address="10.5.0.7")["address"] == "10.5.0.7"


@pytest.mark.parametrize("address", ["10.2.0.0", "10.2.0.1", "10.2.0.3", "10.2.0.255", "10.9.0.1", "10.9.0.5"])
def test_what_is_never_given_out(ask, address):
    problem = refused(ask, 422, {"name": "a", "address": address}, "never given out")
    assert problem["errors"][0]["path"] == "address"


@pytest.mark.parametrize("body,path,words", [
    ({}, "", "`name` is missing"),
    ({"name": "A"}, "name", "must be 1 to 63"),
    ({"name": "a..b"}, "name", "dots between"),
    ({"name": "a" * 64}, "name", "must be 1 to 63"),
    ({"name": "a", "colour": "red"}, "colour", "unknown key"),
    ({"name": "a", "pool": "nix"}, "pool", "there is no pool"),
    ({"name": "a"}, "", "`pool` is missing"),
    ({"name": "a", "address": "10.2.0"}, "address", "must be an address"),
    ({"name": "a", "address": "10.77.0.1"}, "", "`pool` is missing"),
    ({"name": "a", "pool": "aws", "address": "10.77.0.1"}, "address", "not in pool aws"),
    ({"name": "a", "pool": "aws", "address": "2001:db8::1"}, "address", "no IPv6"),
    ({"name": "a", "address": ["10.5.0.9", "10.5.0.8"]}, "address[1]", "second IPv4"),
    ({"name": "a", "address": []}, "address", "one of each family"),
    ({"name": "a", "pool": "aws", "mac": "01:00:00:00:00:01"}, "mac", "MAC address of a host"),
    ({"name": "a", "pool": "aws", "labels": {"x": {}}}, "labels.x", "must be"),
    ({"name": "a", "pool": "aws", "labels": {"\n": "x"}}, "labels.?", "a label's name"),
    ({"name": "a", "pool": "aws", "labels": {"x": "\n"}}, "labels.x", "control characters"),
    ({"name": "a", "pool": "aws", "labels": {"x": "y" * 1025}}, "labels.x", "up to 1024"),
    ({"name": "a", "pool": "aws", "labels": {str(i): "" for i in range(65)}}, "labels", "up to 64"),
    ([], "", "at least one"),
    ([{"name": "a"}, {"name": "a"}], "[1].name", "also the name of"),
    ([{"name": "a", "pool": "x"}, {"name": "b", "pool": "y"}], "[1].pool", "there is no pool `y`"),
    (7, "", "must be"),
])
def test_what_is_wrong(ask, body, path, words):
    problem = refused(ask, 422, body, words)
    assert path in [error["path"] for error in problem["errors"]], problem


def test_what_is_unreadable(router, ask):
    client = router.client()
    client.request("POST", native.PATH, "{name: [")
    assert client.getresponse().status == 400
    for query in ("?limit=0", "?limit=x", "?address=x", "?mac=x", "?address=10.2.0.1&mac=02:00:00:00:00:01", "?x=y"):
        assert ask("GET", native.PATH + query)[0] == 400, query


def test_networks_are_worlds_of_their_own(ask):
    assert one(ask, name="a", pool="aws", address="10.2.0.50")["pool"] == "aws"
    assert one(ask, BRAIN, name="a", address="10.2.0.50", mac="02:00:00:00:00:50")["pool"] == "only"
    assert one(ask, name="b", pool="aws", mac="02:00:00:00:00:50")["name"] == "b"
    assert ask("DELETE", BRAIN + "/a")[0] == 204
    assert ask("GET", native.PATH + "/a")[0] == 200
    refused(ask, 422, {"name": "a"}, "has no pool", BARE)
    refused(ask, 404, {"name": "a"}, "no network nowhere", OTHER)
    for path in (OTHER, OTHER + "/a"):
        assert ask("GET", path)[0] == 404
    assert ask("GET", BARE) == (200, {"nodes": []})


def test_pages(ask):
    names = sorted(f"{prefix}{i}" for prefix in ("p", "p.q", "pp-") for i in range(20))
    assert post(ask, [{"name": name, "pool": "both" if i % 3 else "aws"} for i, name in enumerate(names)])[0] == 201
    seen, after, pages = [], "", 0
    while True:
        answer = ask("GET", f"{native.PATH}?limit=7{after}")[1]
        seen += [node["name"] for node in answer["nodes"]]
        pages += 1
        if "next" not in answer:
            break
        after = f"&after={answer['next']}"
    assert (seen, pages) == (names, 9)
    assert "next" not in ask("GET", f"{native.PATH}?limit=60")[1]
    assert [n["name"] for n in ask("GET", f"{native.PATH}?pool=aws&limit=10000")[1]["nodes"]] == names[::3]
    assert [n["name"] for n in ask("GET", f"{native.PATH}?after=p.zzz")[1]["nodes"]] == [
        n for n in names if n > "p.zzz"]
    assert ask("GET", f"{native.PATH}?after=zzz")[1] == {"nodes": []}


def test_it_survives(router):
    """kill -9 of everything; what was in quarantine still is."""
    client = router.client()
    status, answer = client.ask("POST", native.PATH, [{"name": "a", "pool": "aws", "labels": {"x": "\u00e9 \"\\"}},
                                                      {"name": "b", "address": "10.2.0.200"}])
    assert status == 201, answer
    assert client.ask("DELETE", native.PATH + "/b")[0] == 204
    before = client.ask("GET", native.PATH)
    router.kill_db()
    router.kill_routerd()
    router.start()
    client = router.client()
    assert client.ask("GET", native.PATH) == before
    assert client.ask("POST", native.PATH, {"name": "c", "address": "10.2.0.200"})[0] == 409
    assert client.ask("DELETE", native.PATH + "/a")[0] == 204


def test_without_the_state_server_nothing_is_promised(router):
    client = router.client()
    assert client.ask("POST", native.PATH, {"name": "a", "pool": "aws"})[0] == 201
    router.kill_db()
    start = time.monotonic()
    status, problem = client.ask("POST", native.PATH, {"name": "b", "pool": "aws"})
    assert (status, problem["type"]) == (503, "away")
    assert time.monotonic() - start < 10
    router.start_db()
    router.wait(router.answers, "routerd")
    client = router.client()
    assert [n["name"] for n in client.ask("GET", native.PATH)[1]["nodes"]] in (["a"], ["a", "b"])
    for name in ("a", "b"):
        client.ask("DELETE", f"{native.PATH}/{name}")


# --- topologies ---------------------------------------------------------------------------------

def put(router, topology):
    client = router.client()
    client.request("PUT", "/v1/tenants/bio/topology?dry_run=true", topology)
    answer = client.getresponse()
    return answer.status, answer.read().decode()


TAKEN_AWAY = [
    ("prefix: 10.2.0.0/24, provider", "prefix: 10.2.0.0/26, provider", ["networks[0].pools[0]", "web-1 has 10.2.0.77"]),
    ("mtu: 1400}", "reserved: 10.2.0.77}", ["web-1 has 10.2.0.77 of pool aws"]),
    ("name: aws", "name: amazon", ["networks[0]", "web-1 has 10.2.0.77 of pool aws"]),
    ("name: genome", "name: genes", ["web-1 has 10.2.0.77 of pool aws in network genome"]),
    ("[\"2001:db8:5::/64\", 10.5.0.0/24]", "10.5.0.0/24", ["six has 2001:db8:5::2"]),
]


def test_a_pool_is_not_taken_from_under_a_node(router, ask):
    one(ask, name="web-1", address="10.2.0.77")
    one(ask, name="six", pool="both")
    for old, new, words in TAKEN_AWAY:
        changed = TOPOLOGY.replace("gateway: [\"2001:db8:5::1\", 10.5.0.1], ", "").replace(old, new, 1)
        status, text = put(router, changed)
        assert status == 422, text
        for word in words:
            assert word in text
    assert put(router, "version: 1\nnetworks: []\n")[0] == 422
    assert put(router, TOPOLOGY.replace("10.9.0.0/29, range: 10.9.0.2-10.9.0.4", "10.9.0.0/24"))[0] != 422


if __name__ == "__main__":
    os.environ.setdefault("ROUTERD_BUILD", str(native.TOP / "build"))
    raise SystemExit(pytest.main([__file__]))
