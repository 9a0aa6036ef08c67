"""Small servers and clients in namespaces, and a port scanner: who gets through, and as whom."""

import contextlib
import select
import socket
import struct
import threading

from shell import netns


def open_socket(ns, address, kind=socket.SOCK_STREAM, port=0, own=None):
    """A socket of the address' family, bound to a port of its own side, and to that address of it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with netns(ns):
        sock = socket.socket(family, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind((own or ("::" if family == socket.AF_INET6 else "0.0.0.0"), port))
    return sock


class Server:
    """At an address, answers every connection, or datagram, with who it came from: "NAME ADDRESS PORT"; `callers` are these."""

    def __init__(self, name, ns, address, port, kind=socket.SOCK_STREAM):
        self.name, self.callers = name, []
        self.socket = open_socket(ns, address, kind, port, own=address)
        self.kind = kind
        if kind == socket.SOCK_STREAM:
            self.socket.listen(64)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
        self.socket.close()

    def _run(self):
        open_ones = []
        while not self.stopping.is_set():
            if not select.select([self.socket], [], [], 0.1)[0]:
                continue
            if self.kind == socket.SOCK_STREAM:
                connection, caller = self.socket.accept()
                open_ones.append(connection)
                answer = connection.sendall
            else:
                _, caller = self.socket.recvfrom(64)
                answer = lambda text, caller=caller: self.socket.sendto(text, caller)
            self.callers.append(caller[:2])
            with contextlib.suppress(OSError):
                answer(f"{self.name} {caller[0]} {caller[1]}".encode())
        for connection in open_ones:
            connection.close()


class Call:
    """A connection under way: start many, then ask each for its .answer()."""

    def __init__(self, ns, address, port, kind=socket.SOCK_STREAM, source=0):
        self.socket = open_socket(ns, address, kind, source)
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError, OSError):
            self.socket.connect((address, port))
        if kind == socket.SOCK_DGRAM:
            with contextlib.suppress(OSError):
                self.socket.send(b"hello")

    def answer(self, seconds=5.0):
        """What the server said, or None; the connection stays open until close()."""
        try:
            if select.select([self.socket], [], [], seconds)[0]:
                return self.socket.recv(128).decode() or None
        except OSError:
            pass
        return None

    def close(self):
        self.socket.close()


def call(ns, address, port, kind=socket.SOCK_STREAM, seconds=5.0, source=0):
    made = Call(ns, address, port, kind, source)
    answer = made.answer(seconds)
    made.close()
    return answer


def scan(ns, address, ports, seconds=1.5):
    """The TCP ports of an address that accept a connection."""
    waiting, found = {}, set()
    for port in ports:
        sock = open_socket(ns, address)
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            if sock.connect_ex((address, port)) == 0:
                found.add(port)
        waiting[sock] = port
    for _ in range(int(seconds * 10)):
        done = select.select([], list(waiting), [], 0.1)[1]
        for sock in done:
            if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                found.add(waiting[sock])
            del waiting[sock]
            sock.close()
        if not waiting:
            break
    for sock in waiting:
        sock.close()
    return found


def first_mss(ns, port, start, seconds=5.0):
    """The MSS options of the first SYN and SYN-ACK of a port that the namespace's interfaces receive after start()."""
    with netns(ns):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003))
    seen = {}
    with sock:
        start()
        while len(seen) < 1 and select.select([sock], [], [], seconds)[0]:
            packet, (_, _, kind, *_) = sock.recvfrom(2048)
            if kind == socket.PACKET_OUTGOING:
                continue
            found = _mss_of(packet, port)
            if found:
                seen.setdefault(*found)
    return seen


def _mss_of(packet, port):
    if packet[0] >> 4 == 4 and packet[9] == 6:
        tcp = packet[(packet[0] & 15) * 4:]
    elif packet[0] >> 4 == 6 and packet[6] == 6:
        tcp = packet[40:]
    else:
        return None
    source, destination = struct.unpack("!HH", tcp[:4])
    if port not in (source, destination) or not tcp[13] & 2:
        return None
    options = tcp[20:(tcp[12] >> 4) * 4]
    while options and options[0] != 0:
        if options[0] == 1:
            options = options[1:]
            continue
        if options[0] == 2:
            return "SYN-ACK" if tcp[13] & 16 else "SYN", struct.unpack("!H", options[2:4])[0]
        options = options[options[1]:]
    return None
