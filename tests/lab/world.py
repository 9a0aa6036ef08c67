"""The whole lab: the router's daemons and the far sides of two tenants.

    world = World()
    world.start()
    world.bio.campus, world.bio.aws, world.bio.site, world.phys...

What connects them is made by routerd (api.py) or by hand (handmade.py). All of it lives in the guest and ends
with it; stop() is only for those who want to start over."""

from farside import SCRATCH, Sinet, Underlay
from router import Router
from shell import LOGS, write_sysctl
from topology import BIO, PHYS, FarSides


class World:
    def __init__(self, places=(BIO, PHYS)):
        self.router = Router()
        self.sinet = Sinet()
        self.underlay = Underlay()
        self.far = {place.tenant: FarSides(place, self.sinet, self.underlay) for place in places}

    @property
    def bio(self):
        return self.far["bio"]

    @property
    def phys(self):
        return self.far["phys"]

    def start(self):
        """The far sides first: they make use of the seconds that Open vSwitch must wait anyway."""
        SCRATCH.mkdir(parents=True, exist_ok=True)
        LOGS.mkdir(parents=True, exist_ok=True)
        LOGS.chmod(0o1777)
        write_sysctl("ipv4/ping_group_range", "0 2147483647")
        self.sinet.start()
        self.underlay.start()
        for far in self.far.values():
            far.start()
        self.router.start()

    def heal(self):
        """Whatever a test left dead or cut is there again."""
        for far in self.far.values():
            for side in far.all:
                side.heal()
        self.router.heal()
