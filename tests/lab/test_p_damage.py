"""The damage matrix: every kind of object deleted, every attribute altered by hand. Each is put back as it was, by itself and
soon, and nothing else is touched. How long each took is in the results, damage.txt."""

import pathlib
import statistics

import pytest

import damage
import traffic

PATIENCE = 20
RESULTS = pathlib.Path("/results")


@pytest.fixture
def rich(hub):
    """bio's network with one of every kind of object."""
    document, network = hub.document("bio")
    network["routes"] = [{"prefix": "10.9.0.0/16", "via": "10.1.0.254"}, {"prefix": "10.8.0.0/16", "blackhole": True}]
    network["peers"][0]["import"] = {"prefixes": ["10.2.0.0/16 le 24"], "max_prefixes": 50}
    network["peers"][0]["export"] = {"prefixes": ["10.0.0.0/8 le 24"], "med": 5}
    hub.push("bio", document)
    hub.settle()
    looks = damage.Looks()
    yield hub, document, looks
    looks.close()


def report(part, times):
    """One line a damage, and the median and the worst of the backend."""
    lines = [f"{part:7} {seconds:7.2f} s  {name}" for name, seconds in times.items()]
    lines.append(f"{part:7} median {statistics.median(times.values()):.2f} s, worst {max(times.values()):.2f} s of {len(times)}")
    with open(RESULTS / "damage.txt", "a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    print("\n".join(lines))


def differ(before, after):
    return [f"- {line}" for line in before if line not in after] + [f"+ {line}" for line in after or [] if line not in before]


def damage_all(hub, document, looks, before, cases):
    """({case: seconds until repaired}, [what was not])."""
    names, times, wrong = damage.parts(hub), {}, []
    for case in cases:
        case.do(names)
        spent, seen = looks.until(case.part, before[case.part], PATIENCE)
        print(f"{case.part:7} {case.name}: {'not repaired' if spent is None else f'{spent:.2f} s'}", flush=True)
        if spent is not None:
            times[case.name] = spent
            hub.routerd.until_converged("bio", "phys", seconds=PATIENCE)
            continue
        wrong.append((case.name, differ(before[case.part], seen)))
        print("\n".join(wrong[-1][1]), flush=True)
        hub.push("bio", hub.topologies["bio"])
        hub.push("bio", document)
    return times, wrong


@pytest.mark.parametrize("part", ["ovs", "kernel", "nft", "charon", "frr"])
def test_each_damage_is_repaired(rich, part):
    hub, document, looks = rich
    before = looks.all()
    cases = [case for case in damage.MATRIX if case.part == part]
    with traffic.Background(hub.phys.flows()) as pings:
        times, wrong = damage_all(hub, document, looks, before, [case for case in cases if not case.shared])
    more_times, more_wrong = damage_all(hub, document, looks, before, [case for case in cases if case.shared])
    times, wrong = {**times, **more_times}, wrong + more_wrong
    assert times, wrong
    report(part, times)
    assert not wrong, wrong
    assert not pings.lost, pings.lost
    for other, picture in before.items():
        spent, seen = looks.until(other, picture, PATIENCE)
        assert spent is not None, (other, differ(picture, seen))
    assert hub.routerd.put("bio", document, dry_run=True).json["plan"]["steps"] == []
    for a, b in hub.bio.pairs():
        assert traffic.reach(a, b.address, PATIENCE), f"{a} does not reach {b}"
