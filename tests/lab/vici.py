"""A small client of charon's vici socket (README of libvici: "The Versatile IKE Control Interface protocol").

swanctl takes seconds under emulation, since it loads a crypto library to ask one question. Messages are
nested dictionaries of strings, with lists for lists."""

import socket
import struct

CMD_REQUEST, CMD_RESPONSE, CMD_UNKNOWN, EVENT_REGISTER, EVENT_UNREGISTER, EVENT_CONFIRM, EVENT_UNKNOWN, EVENT = range(8)
SECTION_START, SECTION_END, KEY_VALUE, LIST_START, LIST_ITEM, LIST_END = range(1, 7)


def _name(text):
    return bytes([len(text)]) + text.encode()


def _value(text):
    data = str(text).encode()
    return struct.pack("!H", len(data)) + data


def encode(message):
    out = b""
    for key, value in message.items():
        if isinstance(value, dict):
            out += bytes([SECTION_START]) + _name(key) + encode(value) + bytes([SECTION_END])
        elif isinstance(value, (list, tuple)):
            items = b"".join(bytes([LIST_ITEM]) + _value(item) for item in value)
            out += bytes([LIST_START]) + _name(key) + items + bytes([LIST_END])
        else:
            out += bytes([KEY_VALUE]) + _name(key) + _value(value)
    return out


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        self.at += size
        return self.data[self.at - size:self.at]

    def name(self):
        return self.take(self.take(1)[0]).decode()

    def value(self):
        return self.take(struct.unpack("!H", self.take(2))[0]).decode(errors="replace")

    def list(self):
        items = []
        while self.take(1)[0] == LIST_ITEM:
            items.append(self.value())
        return items

    def section(self):
        message = {}
        while self.at < len(self.data):
            kind = self.take(1)[0]
            if kind == SECTION_END:
                break
            key = self.name()
            message[key] = {SECTION_START: self.section, KEY_VALUE: self.value, LIST_START: self.list}[kind]()
        return message


class Vici:
    """One short conversation with a charon; use as a context manager."""

    def __init__(self, path, timeout=20):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(str(path))
        except OSError:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _send(self, kind, name, body=b""):
        packet = bytes([kind]) + _name(name) + body
        self.socket.sendall(struct.pack("!I", len(packet)) + packet)

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise ConnectionError("charon closed the vici socket")
            data += piece
        return data

    def _receive(self):
        packet = self._exactly(struct.unpack("!I", self._exactly(4))[0])
        if packet[0] == EVENT:
            return EVENT, _Reader(packet[2 + packet[1]:]).section()
        return packet[0], _Reader(packet[1:]).section()

    def request(self, command, message=None):
        """The answer, with success=no turned into an exception."""
        self._send(CMD_REQUEST, command, encode(message or {}))
        kind, answer = self._receive()
        if kind != CMD_RESPONSE:
            raise AssertionError(f"vici: no such command: {command}")
        if answer.get("success", "yes") != "yes":
            raise AssertionError(f"vici: {command}: {answer.get('errmsg')}")
        return answer

    def stream(self, command, event, message=None):
        """The messages that a list command sends as events before its answer."""
        self._send(EVENT_REGISTER, event)
        self._receive()
        self._send(CMD_REQUEST, command, encode(message or {}))
        messages = []
        while True:
            kind, message = self._receive()
            if kind == CMD_RESPONSE:
                return messages
            messages.append(message)


def connections(path):
    """{name: settings} of all that is loaded."""
    with Vici(path) as vici:
        return {name: conn for message in vici.stream("list-conns", "list-conn") for name, conn in message.items()}


def sas(path):
    """[(name, IKE SA)] of all IKE SAs, their children below."""
    with Vici(path) as vici:
        return [item for message in vici.stream("list-sas", "list-sa") for item in message.items()]


def shared_names(path):
    with Vici(path) as vici:
        return sorted(vici.request("get-shared").get("keys", []))


def spis(path):
    """The identity of every CHILD SA: equal before and after means that nothing was rekeyed or restarted."""
    return sorted((name, child["name"], child["spi-in"], child["spi-out"])
                  for name, sa in sas(path) for child in sa.get("child-sas", {}).values()
                  if child["state"] == "INSTALLED")
