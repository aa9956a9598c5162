"""What answers probes for an image that cannot be had? Every GET with 200, on the port named on the command line."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answers(BaseHTTPRequestHandler):
    """One answer to everything."""

    def do_GET(self) -> None:
        """200 and a word."""
        body = b"a stand-in of the rehearsal\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Answers).serve_forever()  # noqa: S104 (a pod's own network)
