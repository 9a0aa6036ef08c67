"""The checker finds each kind of fault in a history that was right before it was planted."""

import copy

import checker

QUARANTINE = 2


def add(start, names, addresses, status=201, took=0.1):
    nodes = {name: [address] for name, address in zip(names, addresses)}
    return {"kind": "add", "start": start, "end": start + took, "status": status, "wants": list(names), "nodes": nodes}


def lost(start, names):
    return {"kind": "add", "start": start, "end": start + 1, "status": None, "wants": list(names)}


def release(start, name, status=204):
    return {"kind": "release", "start": start, "end": start + 0.1, "status": status, "name": name}


def get(start, name, address=None):
    operation = {"kind": "get", "start": start, "end": start + 0.1, "status": 200 if address else 404, "name": name}
    return operation | ({"addresses": [address]} if address else {})


def listing(start, **nodes):
    return {"kind": "list", "start": start, "end": start + 0.1, "status": 200,
            "nodes": {name: [address] for name, address in nodes.items()}}


RIGHT = [
    add(0, ["a"], ["10.0.0.1"]),
    add(1, ["b", "c"], ["10.0.0.2", "10.0.0.3"]),
    get(2, "a", "10.0.0.1"),
    listing(3, a="10.0.0.1", b="10.0.0.2", c="10.0.0.3"),
    release(4, "a"),
    get(5, "a"),
    listing(6, b="10.0.0.2", c="10.0.0.3"),
    add(7, ["d"], ["10.0.0.1"]),
    lost(8, ["e", "f"]),
    listing(10, b="10.0.0.2", c="10.0.0.3", d="10.0.0.1", e="10.0.0.4", f="10.0.0.5"),
    add(11, ["e", "f"], ["10.0.0.4", "10.0.0.5"], 200),
    lost(12, ["g"]),
    release(14, "g", 404),
    listing(15, b="10.0.0.2", c="10.0.0.3", d="10.0.0.1", e="10.0.0.4", f="10.0.0.5"),
]


def faults(change):
    history = copy.deepcopy(RIGHT)
    change(history)
    return checker.check(history, QUARANTINE)


def expect(change, words):
    found = faults(change)
    assert any(words in fault for fault in found), found


def test_what_is_right_is_right():
    assert faults(lambda history: None) == []


def test_concurrent_requests_may_come_in_either_order():
    assert faults(lambda h: h.append(get(3.95, "a"))) == []
    assert faults(lambda h: h.append(get(3.95, "a", "10.0.0.1"))) == []


def test_an_address_twice():
    expect(lambda h: h.append(add(9.5, ["x"], ["10.0.0.2"])), "10.0.0.2 was both b's and x's")


def test_an_address_twice_in_a_list():
    expect(lambda h: h[9]["nodes"].update(e=["10.0.0.5"]), "a list has 10.0.0.5 for both")


def test_an_answered_node_is_lost_to_a_list():
    expect(lambda h: h[-1]["nodes"].pop("d"), "d has ('10.0.0.1',) and a read")


def test_an_answered_node_is_lost_to_a_get():
    expect(lambda h: h.append(get(9, "d")), "did not see it")


def test_an_answered_node_has_another_address_later():
    expect(lambda h: h.append(get(9, "d", "10.0.0.9")), "a read saw ['10.0.0.9']")
    expect(lambda h: h[10]["nodes"].update(e=["10.0.0.9"]), "a read saw")


def test_an_answered_node_is_allocated_anew():
    expect(lambda h: h.append(add(9.5, ["d"], ["10.0.0.7"])), "was then answered")


def test_there_is_nothing_to_release():
    expect(lambda h: h.append(release(16, "d", 404)), "there was nothing to release")


def test_a_released_node_is_still_held():
    expect(lambda h: h[6]["nodes"].update(a=["10.0.0.1"]), "a was not there")
    expect(lambda h: h.append(get(6, "a", "10.0.0.1")), "a was not there")


def test_a_node_that_nobody_asked_for():
    expect(lambda h: h[6]["nodes"].update(z=["10.0.0.9"]), "never asked for")


def test_half_a_batch():
    expect(lambda h: h[9]["nodes"].pop("f"), "of the batch ('e', 'f') only ['e']")
    expect(lambda h: h.append(listing(1.05, a="10.0.0.1", b="10.0.0.2")), "of the batch ('b', 'c') only")


def test_out_of_quarantine_too_early():
    expect(lambda h: h[7].update(start=5.0, end=5.1), "released, and d's")
