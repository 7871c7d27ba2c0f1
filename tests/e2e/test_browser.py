"""A browser as WebSocket client: SOCKS5 in JavaScript, through a `ws` listener."""
import contextlib
import http.server
import os
import shutil
import signal
import subprocess
import threading

import pytest

from support.reasons import join
from support.waiting import TIMEOUT, wait_until

BROWSER = shutil.which("chromium-headless-shell") or shutil.which("chromium")

# Greets, asks for a tunnel to the echo server, sends what must come back, and reports what did.
PAGE = """<!DOCTYPE html><script>
const socket = new WebSocket("ws://PROXY/ws");
socket.binaryType = "arraybuffer";
let received = [];
let step = 0;
const steps = [2, 10, 200000];
const payload = new Uint8Array(200000).map((_, i) => i % 251);
const say = text => fetch("/result", {method: "POST", body: text});
socket.onopen = () => socket.send(new Uint8Array([5, 1, 0]));
socket.onerror = () => say("error");
socket.onclose = event => say("closed " + event.code + " in step " + step);
socket.onmessage = event => {
  received.push(...new Uint8Array(event.data));
  if (received.length < steps[step]) return;
  if (step == 0) socket.send(new Uint8Array([5, 1, 0, 1, 127, 0, 0, 1, PORT >> 8, PORT & 255]));
  if (step == 1) socket.send(payload);
  if (step == 2) {
    socket.onclose = null;
    say(received.every((byte, i) => byte == payload[i]) ? "echoed" : "another payload");
  }
  step++;
  received = [];
};
</script>"""


class Site:
    """Serves one page and keeps what it posts."""

    def __init__(self, page):
        site = self
        self.posted = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def _answer(self, body):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                self._answer(page.encode())

            def do_POST(self):
                site.posted.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self._answer(b"")

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def browser_at(url, directory):
    """A headless browser that shows `url`."""
    arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0",
                 f"--user-data-dir={directory}"]
    with open(directory / "browser.log", "wb") as log:
        process = subprocess.Popen([BROWSER, *arguments, url], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   env={**os.environ, "HOME": str(directory)}, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(TIMEOUT)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
@pytest.mark.parametrize("options", ["", "?enableCompression=true", "?keepalive=true&ttl=1s"])
def test_socks5_in_javascript(gost, echo, tmp_path, options):
    proxy = gost("-L", f"socks5+ws://127.0.0.1:0{options}")
    page = PAGE.replace("PROXY", join(proxy.address)).replace("PORT", str(echo.port))
    with contextlib.closing(Site(page)) as site, browser_at(site.url, tmp_path):
        posted = wait_until(lambda: site.posted, lambda: (tmp_path / "browser.log").read_text(errors="replace"), 3 * TIMEOUT)
    assert posted == ["echoed"]
    assert proxy.wait_for_log(" >< ")[0]["inputBytes"] == 200000
