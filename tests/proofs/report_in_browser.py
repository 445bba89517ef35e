"""Drive a page in headless Chromium, through a pipe, with the standard library alone.

Photographs a report as a desktop and a phone show it, in light and dark:

    python tests/proofs/report_in_browser.py report.html [folder]
"""

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
WARNINGS = ("error", "warning", "assert")
DESKTOP, PHONE = (1280, 900), (375, 812)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


def find_browser():
    """Return the path of a Chromium, or None; pipes are passed on as POSIX has it."""
    if os.name != "posix":
        return None
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


class Browser:
    """A Chromium with one page, for use in a `with` block."""

    def __init__(self, timeout=60):
        self.timeout = timeout
        self.ids = itertools.count(1)
        self.events = []
        self.rest = b""

    def __enter__(self):
        self.home = tempfile.mkdtemp()
        theirs_in, self.to = os.pipe()
        self.back, theirs_out = os.pipe()
        # Chromium reads commands from descriptor 3 and answers on 4.
        words = [find_browser(), *FLAGS, f"--user-data-dir={self.home}", "about:blank"]
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "bash", *words],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self.session = None
        try:
            self._attach()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.back)
        shutil.rmtree(self.home, ignore_errors=True)

    def _attach(self):
        while not (pages := self._pages()):
            time.sleep(0.05)
        found = self.call(
            "Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True
        )
        self.session = found["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def _pages(self):
        targets = self.call("Target.getTargets")["targetInfos"]
        return [target for target in targets if target["type"] == "page"]

    def call(self, method, **params):
        """Send one command and return its result; what else arrives is kept."""
        message = {"id": next(self.ids), "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == message["id"]:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def _receive(self):
        until = time.monotonic() + self.timeout
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.back], [], [], until - time.monotonic())
            part = os.read(self.back, 1 << 20) if ready else b""
            if not part:
                raise TimeoutError("Chromium does not answer")
            self.rest += part
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def open(self, path, size=DESKTOP, scheme="light", query=""):
        """Load a file into a window of this size and colour scheme."""
        self.resize(size)
        scheme = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.events = []
        self.call("Page.navigate", url=Path(path).resolve().as_uri() + query)
        while self.run("document.readyState") != "complete":
            time.sleep(0.02)
        self.settle()

    def resize(self, size):
        """Give the window a size; charts follow."""
        width, height = size
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def settle(self):
        """Wait for two frames, in which charts are drawn."""
        self.run("new Promise(f => requestAnimationFrame(() => setTimeout(f, 50)))")

    def run(self, script):
        """Return what an expression of JavaScript gives, promises awaited."""
        found = self.call(
            "Runtime.evaluate",
            expression=script,
            returnByValue=True,
            awaitPromise=True,
        )
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"]["exception"]["description"])
        return found["result"].get("value")

    def press(self, key):
        """Press a key where the focus is."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def complaints(self):
        """Return the errors that the page or its console had since it was opened."""
        self.run("1")  # what was sent before the answer has arrived
        found = []
        for event in self.events:
            method, params = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(params["exceptionDetails"]["exception"]["description"])
            if method == "Log.entryAdded" and params["entry"]["level"] != "verbose":
                found.append(params["entry"]["text"])
            if method == "Runtime.consoleAPICalled" and params["type"] in WARNINGS:
                found.append(str(params["args"]))
        return found

    def requests(self):
        """Return the addresses that were asked for since the page was opened."""
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event.get("method") == "Network.requestWillBeSent"
        ]

    def photograph(self, path):
        """Save the whole page as PNG."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "scale": 1} | {k: size[k] for k in ("width", "height")}
        shot = self.call(
            "Page.captureScreenshot", clip=clip, captureBeyondViewport=True
        )
        Path(path).write_bytes(base64.b64decode(shot["data"]))


def main(page, folder="."):
    Path(folder).mkdir(parents=True, exist_ok=True)
    with Browser() as browser:
        for name, size in (("desktop", DESKTOP), ("phone", PHONE)):
            for scheme in ("light", "dark"):
                browser.open(page, size, scheme)
                file = Path(folder) / f"{Path(page).stem}_{name}_{scheme}.png"
                browser.photograph(file)
                print(file, browser.complaints() or "no complaints")


if __name__ == "__main__":
    main(*sys.argv[1:])
