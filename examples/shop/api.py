"""Serves a shop that does not use Gatewright: it answers every request, and prints it.

Usage: python3 api.py [PORT]
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        seen = {
            "method": self.command,
            "target": self.path,
            "identity": self.headers.get("X-Gatewright-Identity"),
            "account": self.headers.get("X-Gatewright-Account"),
            "token": self.headers.get("X-Gatewright-Token"),
            "assertion": self.headers.get("X-Gatewright-Assertion"),
            "authorization": self.headers.get("Authorization"),
        }
        print(json.dumps(seen), flush=True)
        body = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9000
    server = ThreadingHTTPServer(("127.0.0.1", port), Shop)
    print(json.dumps({"port": server.server_port}), flush=True)
    server.serve_forever()
