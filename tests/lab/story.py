"""The demonstration, told in the guest: two research groups with the same addresses, each with a campus, an L2VPN
cloud and an IPsec cloud; one router joins each group's sites and keeps the groups apart. Every line that it claims
is checked, and a claim that does not hold ends it with status 1."""

import pathlib
import sys
import time

import api
import shell
import traffic
from topology import BIO, PHYS, network, to_text, topology
from world import World

START = time.monotonic()


def say(text):
    print(f"\n[{time.monotonic() - START:5.1f} s] {text}", flush=True)


def show(text):
    print("    " + text.rstrip().replace("\n", "\n    "), flush=True)


def claim(holds, text):
    print(f"    {'ok ' if holds else 'NOT'} {text}", flush=True)
    if not holds:
        sys.exit(1)


def ctl(hub, tenant, *words):
    show(f"# routerctl -t {tenant} {' '.join(words)}")
    show(api.routerctl(hub, *words, tenant=tenant))


def push(hub, place):
    file = pathlib.Path(f"/run/lab/{place.tenant}.yaml")
    file.write_text(to_text(topology(network(place))), encoding="utf-8")
    ctl(hub, place.tenant, "apply", str(file), "--wait", "60s")


def meet(far):
    for a, b in far.pairs():
        claim(traffic.ping(a, b.address, 3), f"{a} ({a.address}) reaches {b} ({b.address})")
    path = " -> ".join(traffic.traceroute(far.campus, far.site.address))
    claim(True, f"the way from {far.campus} to {far.site} is {path}")


def main():
    say("the facility: a SINET with VLANs, two clouds on it, two sites behind IPsec, Open vSwitch, FRR, strongSwan")
    world = World()
    world.start()

    say("routerd starts; it has nothing to do yet")
    hub = api.Routerd({"bio": ["1001-1099"], "phys": ["1101-1199"]})
    hub.write_files({place.secret: place.psk for place in (BIO, PHYS)})
    hub.start()

    say("the controller of the group bio pushes its topology and waits until traffic passes")
    push(hub, BIO)
    say("at once, without a pause:")
    meet(world.bio)
    ctl(hub, "bio", "status")

    say("the group phys uses the same prefixes and the same AS numbers")
    push(hub, PHYS)
    meet(world.phys)
    ctl(hub, "phys", "peers")
    ctl(hub, "phys", "routes", "genome")

    say("the groups never meet: an address that only bio has")
    shell.ip_batch(["addr add 10.1.0.77/24 dev eth0"], ns=world.bio.campus.ns)
    claim(traffic.ping(world.bio.aws, "10.1.0.77", 3), "bio's cloud reaches it")
    claim(not traffic.ping(world.phys.aws, "10.1.0.77", 1), "phys's cloud does not")

    say("somebody deletes a VRF and a port by hand; routerd puts them back")
    vrf = hub.network("bio", "genome")["vrf"]
    port = hub.object("bio", "genome", "segments", "campus")["interface"]
    shell.run(["ip", "link", "del", vrf])
    shell.run(["ovs-vsctl", "del-port", port])
    broken = time.monotonic()
    claim(traffic.reach(world.bio.campus, world.bio.site.address, 60), f"traffic passes again after {time.monotonic() - broken:.1f} s")

    say("routerd is killed while traffic passes")
    with traffic.Background(world.phys.flows()) as background:
        hub.kill()
        time.sleep(2)
        hub.start()
        time.sleep(1)
    claim(not background.lost, f"{sum(flow.sent for flow in background.flows)} packets sent meanwhile, none lost")

    say("the controller takes its topology back: nothing is left of it")
    hub.delete("bio", wait=60)
    claim(vrf not in shell.run("ip -br link"), f"{vrf} is gone")
    claim(traffic.ping(world.phys.campus, world.phys.site.address, 3), "and the other group has not noticed")
    hub.stop()
    say("that was the main job")


if __name__ == "__main__":
    main()
