"""People's experiments run over it: restarts under load, and a cloud that is added while transfers run."""

import random
import re
import subprocess
import threading
import time

import router
import traffic
import vici
from test_g_restart import sessions

RESTARTS = 20
PER_SECOND = 1000


class Stream:
    """1,000 echo requests a second by ping(8), which emulation carries where Python does not."""

    def __init__(self, source, destination):
        self.name = f"{source} -> {destination}"
        self.process = subprocess.Popen(["ip", "netns", "exec", source.ns, "ping", "-q", "-n", "-i", str(1 / PER_SECOND), destination],
                                        stdout=subprocess.PIPE, text=True)

    def end(self):
        """(sent, lost)."""
        self.process.send_signal(2)
        shown = self.process.communicate(timeout=20)[0]
        sent, received = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", shown).groups())
        return sent, sent - received


def with_another_segment(hub):
    document, network = hub.document("bio")
    network["segments"].append({"name": "lab", "attachments": [{"uplink": "sinet", "vlan": 1050}], "gateway": ["10.5.0.1/24"]})
    network["peers"][0]["export"] = {"prefixes": ["10.0.0.0/8 le 24"], "med": 7}
    return document


def test_restarts_under_load(hub):
    """Half of them are kill -9 at a random moment of a change. No packet is lost, no session and no SA begins anew."""
    hub.settle()
    rng, documents = random.Random(4), [with_another_segment(hub), hub.topologies["bio"]]
    before = sessions(), vici.spis(router.VICI_SOCKET)
    streams = [Stream(hub.bio.campus, hub.bio.aws.address), Stream(hub.bio.campus, hub.bio.site.address)]
    try:
        for number in range(RESTARTS):
            if number % 2:
                hub.routerd.stop()
            else:
                assert hub.routerd.put("bio", documents[number // 2 % 2]).status in (200, 202)
                time.sleep(rng.uniform(0, 1))
                hub.routerd.kill()
            hub.routerd.start()
        hub.push("bio", hub.topologies["bio"])
        hub.routerd.until_converged("bio", "phys")
    finally:
        counts = {stream.name: stream.end() for stream in streams}
    print(counts)
    assert all(sent > 1000 for sent, _ in counts.values()), counts
    assert not any(lost for _, lost in counts.values()), counts
    assert (sessions(), vici.spis(router.VICI_SOCKET)) == before


def test_a_cloud_is_added_while_transfers_run(hub):
    """The scale-out of the VCP paper: campus serves, the on-prem side fetches; one PUT adds a cloud, whose node fetches, too."""
    document, network = hub.document("bio")
    network["tunnels"] = []
    network["peers"] = [peer for peer in network["peers"] if peer["via"] == "dx"]
    hub.push("bio", document)
    outcome = []
    transfer = threading.Thread(target=lambda: outcome.append(
        traffic.tcp_passes(hub.bio.aws, hub.bio.campus, hub.bio.campus.address, size=400_000_000, seconds=120)))
    with traffic.Background([(hub.bio.campus, hub.bio.aws.address), (hub.bio.aws, hub.bio.campus.address)]) as pings:
        transfer.start()
        time.sleep(1)
        hub.push("bio", hub.topologies["bio"])
        assert traffic.tcp_passes(hub.bio.site, hub.bio.campus, hub.bio.campus.address), "the new cloud's node cannot fetch"
        transfer.join(150)
    assert outcome == [True], "the transfer that ran has broken"
    assert not pings.lost, pings.lost
