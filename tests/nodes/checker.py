"""Judges a recorded history of a nodes API: what its answers promised must be so.

A history is a list of operations, each a dict: `kind`, `start` and `end` (seconds of one clock, of the request and of
its answer), `status` (None: no answer came, so nobody knows whether it happened), and

    add      `wants`: the names asked for together; `nodes`: name -> addresses, as answered with 200 or 201
    release  `name`
    get      `name`; `addresses` as answered with 200
    list     `nodes`: name -> addresses, all there are; `final`: nothing happens any more

A name is used by one client, which waits for each answer; so what was asked about one name is a sequence. An operation
that failed or was not answered may have happened at any time until the next answer that settles it. Whatever holds at
all those times must be seen by everybody."""

import collections

INFINITY = float("inf")
TOLERANCE = 0.05  # of the clocks of the router and of the test


class Life:
    """One stretch in which a name certainly had its addresses: from the answer that said so to the next attempt to
    take them away."""

    def __init__(self, name, addresses, since):
        self.name = name
        self.addresses = tuple(addresses)
        self.since = since
        self.until = INFINITY


def happened(operation):
    return operation["status"] in (200, 201, 204)


def refused(operation):
    """It was answered, and did nothing: 4xx."""
    return operation["status"] is not None and 400 <= operation["status"] < 500


class Name:
    """What is known of a name, as its operations go by."""

    def __init__(self, name):
        self.name = name
        self.lives = []
        self.absences = [[-INFINITY, INFINITY]]  # when it certainly was not there

    def may_appear(self, at):
        if self.absences and self.absences[-1][1] == INFINITY:
            self.absences[-1][1] = at

    def may_disappear(self, at):
        if self.lives and self.lives[-1].until == INFINITY:
            self.lives[-1].until = at

    def is_there(self, at, addresses):
        if not (self.lives and self.lives[-1].until == INFINITY):
            self.lives.append(Life(self.name, addresses, at))

    def is_gone(self, at):
        if not (self.absences and self.absences[-1][1] == INFINITY):
            self.absences.append([at, INFINITY])

    def holding(self):
        return self.lives[-1] if self.lives and self.lives[-1].until == INFINITY else None


class Checker:
    def __init__(self, history, quarantine):
        self.history = sorted(history, key=lambda o: o["start"])
        self.quarantine = quarantine
        self.names = {}
        self.batches = set()  # of the names that were asked for together
        self.releases = []  # (name, addresses, start)
        self.faults = []

    def fault(self, text, *arguments):
        self.faults.append(text.format(*arguments))

    def name(self, name):
        return self.names.setdefault(name, Name(name))

    # --- building -----------------------------------------------------------------------------

    def take_add(self, operation):
        if len(operation["wants"]) > 1:
            self.batches.add(tuple(operation["wants"]))
        for want in operation["wants"]:
            name = self.name(want)
            life = name.holding()
            if happened(operation):
                addresses = tuple(operation["nodes"].get(want, ()))
                if not addresses:
                    self.fault("{} was answered {} without its addresses", want, operation["status"])
                    continue
                if life and life.addresses != addresses:
                    self.fault("{} had {} and was then answered {}", want, life.addresses, addresses)
                if life and operation["status"] == 201 and len(operation["wants"]) == 1:
                    self.fault("{} had {} and was then allocated anew", want, life.addresses)
                name.may_appear(operation["start"])
                name.is_there(operation["end"], addresses)
            elif not refused(operation):
                name.may_appear(operation["start"])

    def take_release(self, operation):
        name = self.name(operation["name"])
        life = name.holding()
        if operation["status"] == 404 and life:
            self.fault("{} had {} and there was nothing to release", life.name, life.addresses)
        name.may_disappear(operation["start"])
        if operation["status"] in (204, 404):
            name.may_appear(operation["start"])  # it may have been there for a while unseen
            name.is_gone(operation["end"])
        if operation["status"] == 204 and life:
            self.releases.append((life, operation["start"]))

    def build(self):
        for operation in self.history:
            if operation["kind"] == "add":
                self.take_add(operation)
            elif operation["kind"] == "release":
                self.take_release(operation)

    # --- judging ------------------------------------------------------------------------------

    def lives(self):
        return [life for name in self.names.values() for life in name.lives]

    def lives_by_address(self):
        lives = collections.defaultdict(list)
        for life in self.lives():
            for address in life.addresses:
                lives[address].append(life)
        return lives

    def judge_life(self, life, addresses, operation):
        """What a read saw of a name that had its addresses all the time; None: nothing."""
        if not (life.since <= operation["start"] and operation["end"] <= life.until):
            return
        if addresses is None:
            self.fault("{} has {} and a read from {:.3f} to {:.3f} did not see it", life.name, life.addresses,
                       operation["start"], operation["end"])
        elif tuple(addresses) != life.addresses:
            self.fault("{} has {} and a read saw {}", life.name, life.addresses, addresses)

    def judge_presence(self, name, addresses, operation):
        """A read saw the name: it must not have been gone all the time."""
        start, end = operation["start"], operation["end"]
        if name not in self.names:
            self.fault("{} was never asked for and has {}", name, addresses)
        elif any(a <= start and end <= b for a, b in self.names[name].absences):
            self.fault("{} was not there and a read from {:.3f} to {:.3f} saw it with {}", name, start, end, addresses)

    def judge_get(self, operation):
        name, addresses = operation["name"], operation.get("addresses")
        for life in self.names[name].lives if name in self.names else ():
            self.judge_life(life, addresses, operation)
        if addresses is not None:
            self.judge_presence(name, addresses, operation)

    def judge_list(self, operation, lives):
        owners = {}
        for name, addresses in operation["nodes"].items():
            self.judge_presence(name, addresses, operation)
            for address in addresses:
                if address in owners:
                    self.fault("a list has {} for both {} and {}", address, owners[address], name)
                owners[address] = name
        for life in lives:
            self.judge_life(life, operation["nodes"].get(life.name), operation)

    def judge_reads(self):
        waiting = sorted(self.lives(), key=lambda life: -life.since)
        living = []
        for operation in self.history:
            while waiting and waiting[-1].since <= operation["start"]:
                living.append(waiting.pop())
            if operation["kind"] == "get" and operation["status"] in (200, 404):
                self.judge_get(operation)
            if operation["kind"] == "list" and operation["status"] == 200:
                living = [life for life in living if life.until >= operation["start"]]
                self.judge_list(operation, living)

    def judge_doubles(self):
        """No address of two names at a time."""
        for address, stretches in self.lives_by_address().items():
            stretches.sort(key=lambda life: life.since)
            latest = stretches[0]  # of those so far the one that lasts longest
            for life in stretches[1:]:
                if life.since < latest.until and life.name != latest.name:
                    self.fault("{} was both {}'s and {}'s", address, latest.name, life.name)
                if life.until > latest.until:
                    latest = life

    def judge_quarantines(self):
        """Who is answered an address within the quarantine of its release got it too early."""
        lives = self.lives_by_address()
        for released, start in self.releases:
            for address in released.addresses:
                for life in lives[address]:
                    if life is not released and start < life.since < start + self.quarantine - TOLERANCE:
                        self.fault("{} was {}'s, released, and {}'s {:.3f} s later", address, released.name, life.name,
                                   life.since - start)

    def judge_batches(self):
        """What was asked for together is there together or not at all, at any time until one of them is asked about
        alone."""
        touched = {}  # name -> start of the first request about it alone
        for operation in self.history:
            if operation["kind"] == "release":
                touched.setdefault(operation["name"], operation["start"])
        batch_of = {name: wants for wants in self.batches for name in wants}
        until = {wants: min(touched.get(name, INFINITY) for name in wants) for wants in self.batches}
        for seen in self.history:
            if seen["kind"] == "list" and seen["status"] == 200:
                for wants in {batch_of[name] for name in seen["nodes"] if name in batch_of}:
                    there = [name for name in wants if name in seen["nodes"]]
                    if seen["end"] <= until[wants] and len(there) < len(wants):
                        self.fault("of the batch {} only {} are there", wants, there)

    def judge(self):
        self.build()
        self.judge_reads()
        self.judge_doubles()
        self.judge_quarantines()
        self.judge_batches()
        return self.faults


def check(history, quarantine):
    """The faults of a history, as sentences; none: it is right."""
    return Checker(history, quarantine).judge()
