"""A small OVSDB client (RFC 7047): transactions, and a monitor that collects every change."""

import json
import socket
import threading


class Ovsdb:
    """One connection to ovsdb-server. A thread reads, so that its echo requests are answered."""

    def __init__(self, path="/run/openvswitch/db.sock"):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.answers, self.updates = {}, []
        self.arrived = threading.Condition()
        self.count = 0
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()

    def _send(self, message):
        self.socket.sendall(json.dumps(message).encode())

    def _read(self):
        decoder, text = json.JSONDecoder(), ""
        while piece := self.socket.recv(65536):
            text += piece.decode()
            while text:
                try:
                    message, end = decoder.raw_decode(text)
                except json.JSONDecodeError:
                    break
                text = text[end:].lstrip()
                self._take(message)

    def _take(self, message):
        if message.get("method") == "echo":
            self._send({"id": message["id"], "result": message["params"], "error": None})
            return
        with self.arrived:
            if message.get("method") == "update":
                self.updates.append(message["params"][1])
            else:
                self.answers[message["id"]] = message
            self.arrived.notify_all()

    def call(self, method, *params, seconds=20):
        self.count += 1
        number = self.count
        self._send({"id": number, "method": method, "params": list(params)})
        with self.arrived:
            assert self.arrived.wait_for(lambda: number in self.answers, seconds), f"ovsdb-server does not answer {method}"
            answer = self.answers.pop(number)
        assert not answer["error"], f"{method}: {answer['error']}"
        return answer["result"]

    def monitor(self, database, columns=None):
        """Collects all changes to these {table: [column, ...]}, or to everything in the database, in updates."""
        if columns is None:
            columns = {table: list(rows["columns"]) for table, rows in self.call("get_schema", database)["tables"].items()}
        requests = {table: {"columns": names, "select": {"initial": False}} for table, names in columns.items()}
        self.call("monitor", database, database, requests)

    def databases(self):
        return self.call("list_dbs")
