# SPDX-License-Identifier: Apache-2.0
"""A mirror on a free port of the loopback: serves a directory, prints its port. What is asked for
below /cut/ is sent by half, and /away/ leads to another address.
Usage: mirror.py DIRECTORY"""
import functools
import http.server
import sys


class Mirror(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/away/"):
            self.send_response(302)
            self.send_header("Location", "http://localhost:%d%s" % (
                self.server.server_port, self.path[len("/away"):]))
            self.end_headers()
        elif self.path.startswith("/cut/"):
            self.send_half(self.translate_path(self.path[len("/cut"):]))
        else:
            super().do_GET()

    def send_half(self, path):
        with open(path, "rb") as file:
            content = file.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:len(content) // 2])
        self.close_connection = True

    def log_message(self, *args):
        print(self.path, file=sys.stderr, flush=True)


server = http.server.ThreadingHTTPServer(
    ("127.0.0.1", 0), functools.partial(Mirror, directory=sys.argv[1]))
print(server.server_port, flush=True)
server.serve_forever()
