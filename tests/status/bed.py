# SPDX-License-Identifier: Apache-2.0
"""A gate with its HTTP side on, in front of the fake containerd, for the tests of this folder."""
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

PATIENCE_S = 30

POLICY = """apiVersion: crigate/v1
kind: RuntimePolicy
metadata: {name: status-test}
mode: enforce
runtimes:
- {handler: runc, isolation: hostKernel, default: true}
- {handler: runsc, aliases: [gvisor], isolation: sandbox}
rules:
- name: agents
  match:
    node: {matchLabels: {agenttier.io/runtime: gvisor}}
    pod: {matchLabels: {agenttier.io/managed: "true"}}
  run: runsc
- name: no-"quoted"-pods
  match: {names: ["forbidden*"]}
  refuse: this name is forbidden
otherwise: {run: requested}
"""


def wait_for(condition, what):
    """Returns the first true value of the condition; fails after half a minute."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"still not: {what}")


class Bed:
    """Processes and files of one test; `with` ends and removes them."""

    def __init__(self, build):
        self.build = build
        self.dir = tempfile.mkdtemp(prefix="crigate-status-")
        self.port = self._free_port()
        self.processes = {}

    @staticmethod
    def _free_port():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def __enter__(self):
        self.write("policy.yaml", POLICY)
        self.write("labels", "agenttier.io/runtime=gvisor\n")
        self.write("crigate.yaml", f"""listen: {self.path("crigate.sock")}
upstream: {self.path("containerd.sock")}
policy: {self.path("policy.yaml")}
peers: {{uids: [{os.getuid()}]}}
node: {{name: status-node, labels: {{file: {self.path("labels")}}}}}
audit: {{file: {self.path("audit.jsonl")}}}
http: 127.0.0.1:{self.port}
""")
        self.start_containerd()
        self.start("gate", "shim/crigate", "serve", "--config", self.path("crigate.yaml"))
        wait_for(lambda: self.ready() == 200, "/readyz says 200")
        return self

    def start(self, name, program, *words):
        log = open(self.path(f"{name}.log"), "ab")
        self.processes[name] = subprocess.Popen(
            [os.path.join(self.build, program), *words], stdin=subprocess.DEVNULL,
            stdout=log, stderr=log)
        log.close()

    def start_containerd(self):
        self.start("containerd", "tests/fake/fake-containerd", self.path("containerd.sock"))

    def tell_containerd(self, method, text):
        """Calls the fake's own service (tests/fake/fake.h); what it says."""
        message = text.encode()
        return subprocess.run(
            ["curl", "-sSf", "--max-time", str(PATIENCE_S), "--http2-prior-knowledge",
             "--unix-socket", self.path("containerd.sock"), "-H", "content-type: application/grpc",
             "-H", "te: trailers", "--data-binary", "@-", f"http://localhost/fake.Fake/{method}"],
            input=b"\0" + len(message).to_bytes(4, "big") + message, check=True,
            stdout=subprocess.PIPE).stdout[5:].decode()

    def end(self, name):
        process = self.processes.pop(name)
        process.terminate()
        process.wait(PATIENCE_S)

    def kill(self, name):
        process = self.processes.pop(name)
        process.kill()
        process.wait(PATIENCE_S)

    def __exit__(self, *_):
        for name in list(self.processes):
            self.kill(name)
        shutil.rmtree(self.dir)

    def get(self, path, method="GET", headers=None):
        """The status, the headers and the text of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def ready(self):
        try:
            return self.get("/readyz")[0]
        except OSError:
            return 0

    def status(self):
        return json.loads(self.get("/status.json")[2])

    def cri(self, *words):
        """Calls the gate; True when it says OK."""
        return subprocess.run(
            [os.path.join(self.build, "tests/e2e/cri"), "--endpoint",
             f"unix://{self.path('crigate.sock')}", *words],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0
