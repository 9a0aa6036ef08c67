"""Fixtures: one world and one routerd for all tests, brought back to the same topologies before each test.

When a test fails, what there was to see goes to /results/failed/TEST."""

import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import api
import router
import shell
import watch
from topology import BIO, PHYS, network, topology
from world import World

RESULTS = pathlib.Path("/results")
CONVERGE_SECONDS = 60
TENANTS = {"bio": ["1001-1099"], "phys": ["1101-1199"]}


def pytest_sessionstart():
    if not pathlib.Path("/proc/sys/net").exists() or shell.os.environ.get("GUEST") != "1":
        pytest.exit("the lab runs in a guest: use tests/lab/run", returncode=2)


@pytest.fixture(scope="session")
def world():
    made = World()
    made.start()
    yield made
    shell.keep_logs(RESULTS / "logs")


class Hub:
    """routerd, the world, and the topologies that every test starts from."""

    def __init__(self, world, routerd):
        self.world, self.routerd = world, routerd
        self.bio, self.phys = world.bio, world.phys
        self.topologies = {place.tenant: topology(network(place)) for place in (BIO, PHYS)}

    @property
    def flows(self):
        return self.bio.flows() + self.phys.flows()

    def document(self, tenant):
        """A copy to change, and its one network."""
        document = json.loads(json.dumps(self.topologies[tenant]))
        return document, document["networks"][0]

    def push(self, tenant, document, wait=CONVERGE_SECONDS):
        """PUT that has to converge."""
        answer = self.routerd.put(tenant, document, wait=wait)
        if answer.status != 200:
            problem = api.outstanding(self.routerd.status(tenant)) if answer.status == 202 else answer
            pytest.fail(f"PUT of {tenant} has not converged: {problem}", pytrace=False)
        return answer.json

    def restore(self):
        """The topologies as they should be, converged."""
        self.world.heal()
        if not self.routerd.daemon.alive():
            self.routerd.start()
        for tenant, document in self.topologies.items():
            self.push(tenant, document)

    def start_over(self):
        """Everything anew, so that what one test has found wrong does not fail all that follow."""
        self.world.heal()
        self.routerd.kill()
        self.routerd.start()
        self.clear()

    def clear(self):
        for tenant in self.topologies:
            answer = self.routerd.delete(tenant, wait=CONVERGE_SECONDS)
            assert answer.status == 200, answer

    def settle(self):
        """BGP has said all it has to say: what the far sides know does not change for a while."""
        def learned():
            return [far.aws.bird.routes() + far.site.bird.routes() for far in (self.bio, self.phys)]
        shell.until(lambda: learned() == (shell.time.sleep(1) or learned()), 30, "BGP does not settle")


@pytest.fixture(scope="session")
def routerd(world):
    daemon = api.Routerd(TENANTS)
    daemon.write_files({place.secret: place.psk for place in (BIO, PHYS)})
    daemon.start()
    yield daemon
    if daemon.daemon.alive():
        daemon.stop()
    assert not daemon.sanitizer_reports()


@pytest.fixture
def hub(world, routerd, request):
    made = Hub(world, routerd)
    try:
        made.restore()
    except (Exception, pytest.fail.Exception):
        keep_evidence(request.node.name, made)
        made.start_over()
        raise
    yield made
    if getattr(request.node, "failed", False):
        keep_evidence(request.node.name, made)
        made.start_over()


def evidence_folder(name):
    folder = RESULTS / "failed" / "".join(c if c.isalnum() else "-" for c in name)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def keep_evidence(name, hub):
    """Logs, snapshots and status of the moment."""
    folder = evidence_folder(name)
    shell.keep_logs(folder)
    for part in watch.PARTS:
        _try_write(folder / f"{part}.txt", lambda part=part: "\n".join(watch.PARTS[part]()))
    _try_write(folder / "zebra.txt", lambda: router.vty("zebra", "show interface vrf all", "show ip route vrf all"))
    for tenant in hub.topologies:
        _try_write(folder / f"status-{tenant}.json", lambda tenant=tenant: json.dumps(hub.routerd.status(tenant), indent=1))


def _try_write(path, make):
    try:
        text = make()
    except Exception as problem:  # a dead daemon must not hide the other evidence
        text = f"could not be had: {problem!r}"
    path.write_text(text, encoding="utf-8")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Tells what failed at once, since the whole run takes minutes."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        item.failed = True
        print(f"\n{report.longreprtext}", file=sys.__stdout__, flush=True)
        folder = evidence_folder(item.name)
        (folder / f"{report.when}.txt").write_text(report.longreprtext, encoding="utf-8")
