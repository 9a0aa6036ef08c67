"""Packets: is it reachable, how many were lost meanwhile, does TCP pass, which way does it go.

All from this process with sockets made in the namespaces, so one ping costs no fork."""

import re
import select
import socket
import struct
import threading
import time

from shell import netns, run

PAYLOAD = b"routerd-lab"


def _family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _ping_socket(ns, destination, source=None):
    """The kernel's ping socket: it sets the identifier and gives back only our own answers."""
    family = _family(destination)
    protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    with netns(ns):
        sock = socket.socket(family, socket.SOCK_DGRAM, protocol)
    sock.setblocking(False)
    if source:
        sock.bind((source, 0))
    return sock


def _echo(destination, number):
    kind = 128 if ":" in destination else 8
    return struct.pack("!BBHHH", kind, 0, 0, 0, number & 0xffff) + PAYLOAD


def _send(sock, destination, number):
    try:
        sock.sendto(_echo(destination, number), (destination, 0))
    except OSError:
        pass  # no route just now: a lost packet like any other


def _receive(sock):
    """The number of one answer, or None for anything else (an ICMP error, say)."""
    try:
        data = sock.recv(2048)
    except OSError:
        return None
    return struct.unpack("!H", data[6:8])[0] if data[0] in (0, 129) else None


def ping(source, destination, seconds=1.0, bind=None):
    """One echo request from a far side (or None for the router's root namespace); whether it was answered."""
    ns = source.ns if source else None
    with _ping_socket(ns, destination, bind) as sock:
        _send(sock, destination, 1)
        limit = time.monotonic() + seconds
        while (left := limit - time.monotonic()) > 0:
            if select.select([sock], [], [], left)[0] and _receive(sock) == 1:
                return True
        return False


def reach(source, destination, seconds=30.0):
    """Whether it answers within the time, asking again and again."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if ping(source, destination, 0.5):
            return True
        time.sleep(0.05)
    return False


class Flow:
    """Pings from one far side to one address, and what came back."""

    def __init__(self, source, destination):
        self.name = f"{source} -> {destination}"
        self.destination = destination
        self.socket = _ping_socket(source.ns, destination)
        self.sent, self.answered, self.longest_gap = 0, set(), 0.0
        self.last_answer = time.monotonic()

    def send(self):
        self.sent += 1
        _send(self.socket, self.destination, self.sent)

    def take(self):
        number = _receive(self.socket)
        if number is not None:
            now = time.monotonic()
            self.answered.add(number)
            self.longest_gap = max(self.longest_gap, now - self.last_answer)
            self.last_answer = now

    def warm_up(self, seconds=10):
        """Pings until two in a row are answered; these are not counted."""
        limit, good = time.monotonic() + seconds, 0
        while good < 2:
            assert time.monotonic() < limit, f"{self.name} does not answer"
            self.sent += 1
            _send(self.socket, self.destination, self.sent)
            good = good + 1 if self._answer_within(0.5) else 0
        self.sent, self.answered, self.last_answer = 0, set(), time.monotonic()

    def _answer_within(self, seconds):
        limit = time.monotonic() + seconds
        while (left := limit - time.monotonic()) > 0:
            if select.select([self.socket], [], [], left)[0] and _receive(self.socket) == self.sent:
                return True
        return False

    @property
    def lost(self):
        return self.sent - len(self.answered)

    def __repr__(self):
        missing = sorted(set(range(1, self.sent + 1)) - self.answered)
        return f"{self.name}: {self.sent} sent, {self.lost} lost {missing[:10]}, longest gap {self.longest_gap:.2f} s"


class Background:
    """Pings along many flows all the while a block runs; then .lost tells each flow that lost packets.

    The block starts once every flow has been answered, so that what is counted is established traffic and
    not the first packets of a flow, for which the switch has yet to find the way.

        with Background([(campus, cloud.address), ...]) as pings:
            ...
        assert not pings.lost
    """

    def __init__(self, flows, interval=0.05, patience=3.0):
        self.flows = [Flow(source, destination) for source, destination in flows]
        self.interval, self.patience = interval, patience
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        for flow in self.flows:
            flow.warm_up()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
        for flow in self.flows:
            flow.socket.close()

    def _run(self):
        by_socket = {flow.socket: flow for flow in self.flows}
        due = time.monotonic()
        while not self.stopping.is_set():
            for flow in self.flows:
                flow.send()
            due = max(due + self.interval, time.monotonic())
            self._collect(by_socket, lambda: time.monotonic() < due, due)
        limit = time.monotonic() + self.patience
        self._collect(by_socket, lambda: time.monotonic() < limit and any(f.lost for f in self.flows), limit)

    @staticmethod
    def _collect(by_socket, wanted, limit):
        while wanted():
            left = max(0.0, limit - time.monotonic())
            for sock in select.select(list(by_socket), [], [], min(left, 0.1))[0]:
                by_socket[sock].take()

    @property
    def lost(self):
        return [flow for flow in self.flows if flow.lost]

    def missing(self, patience=1.0):
        """The flows that have not been answered for so long, while they go on."""
        return [flow for flow in self.flows if time.monotonic() - flow.last_answer > patience]


def tcp_passes(client, server, address, size=200_000, seconds=30.0):
    """Sends that many bytes from one far side to another's address and has them counted back."""
    family = _family(address)
    with netns(server.ns):
        listener = socket.socket(family, socket.SOCK_STREAM)
    with netns(client.ns):
        sender = socket.socket(family, socket.SOCK_STREAM)
    with listener, sender:
        listener.settimeout(seconds)
        sender.settimeout(seconds)
        listener.bind((address, 0))
        listener.listen(1)
        counted = []
        thread = threading.Thread(target=_count, args=(listener, counted), daemon=True)
        thread.start()
        try:
            sender.connect((address, listener.getsockname()[1]))
            sender.sendall(b"x" * size)
            sender.shutdown(socket.SHUT_WR)
            answer = sender.recv(64)
        except OSError:
            return False
        finally:
            thread.join(seconds)
        return int(answer or 0) == size


def _count(listener, counted):
    try:
        connection = listener.accept()[0]
    except OSError:
        return
    with connection:
        connection.settimeout(listener.gettimeout())
        try:
            total = 0
            while data := connection.recv(65536):
                total += len(data)
            counted.append(total)
            connection.sendall(str(total).encode())
        except OSError:
            return


def traceroute(source, destination):
    """The addresses of the hops, "*" for one that does not answer."""
    shown = run(["traceroute", "-n", "-q", "1", "-w", "3", "-m", "6", destination], ns=source.ns)
    return re.findall(r"^\s*\d+\s+(\S+)", shown, re.M)
