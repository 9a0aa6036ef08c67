"""The guest's side of the demo: makes the world, pushes two topologies, shows what came of it."""

import os
import subprocess
import sys

import api
import traffic
from topology import BIO, PHYS, network, to_text, topology
from world import World

HELP = """
This is the router. Far sides are network namespaces: bio-campus, bio-aws, bio-site, phys-campus, ...
  routerctl status | peers | tunnels | routes genome | plan FILE | apply FILE     (-t phys for the other tenant)
  ip netns exec bio-campus traceroute -n 10.3.0.10
  ip -br link; ovs-vsctl show; vtysh -c 'show bgp vrf all summary'; swanctl --list-sas
The topologies pushed are /run/lab/bio.json and /run/lab/phys.json, routerd's log is /var/log/lab/routerd.log.
Leaving the shell ends the guest.
"""


def say(text):
    print(f"==> {text}", flush=True)


def show(routerd, *words, tenant):
    say("routerctl -t " + tenant + " " + " ".join(words))
    print(api.routerctl(routerd, *words, tenant=tenant, check=False), flush=True)


def main():
    say("starting the router's daemons and the far sides of two tenants")
    world = World()
    world.start()
    routerd = api.Routerd({"bio": ["1001-1099"], "phys": ["1101-1199"]})
    routerd.write_files({place.secret: place.psk for place in (BIO, PHYS)})
    routerd.start()
    for place in (BIO, PHYS):
        document = topology(network(place))
        with open(f"/run/lab/{place.tenant}.json", "w", encoding="utf-8") as file:
            file.write(to_text(document))
        say(f"PUT /v1/tenants/{place.tenant}/topology?wait=60: {routerd.put(place.tenant, document, wait=60).status}")
    for far in (world.bio, world.phys):
        for a, b in far.pairs():
            print(f"    {a} -> {b} {b.address}: {'answers' if traffic.ping(a, b.address, 3) else 'NO ANSWER'}")
    print(f"    traceroute {world.bio.campus} -> {world.bio.site}: {' '.join(traffic.traceroute(world.bio.campus, world.bio.site.address))}")
    for words in (["status"], ["tunnels"], ["peers"], ["routes", "genome"]):
        show(routerd, *words, tenant="bio")
    if "--shell" in sys.argv:
        print(HELP, flush=True)
        path = f"{api.BUILD}/routerctl:{os.environ['PATH']}"
        subprocess.run(["bash", "--norc", "-i"], check=False,
                       env={**os.environ, "PATH": path, "ROUTERD_SOCKET": str(routerd.socket), "ROUTERD_TENANT": "bio",
                            "PS1": "router# ", "STRONGSWAN_CONF": "/etc/strongswan.d/lab-router.conf"})
    routerd.stop()


if __name__ == "__main__":
    main()
