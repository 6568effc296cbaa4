"""A real browser, by its own debugging protocol: one window that keeps nothing."""

import json
import os
import pathlib
import subprocess
import tempfile
import time
import urllib.request

import websocket


class Browser:
    """One window of a browser that keeps nothing."""

    def __init__(self, program):
        self.profile = tempfile.TemporaryDirectory(prefix="raccord-pages-", ignore_cleanup_errors=True)
        words = [program, "--headless", "--disable-gpu", "--remote-debugging-port=0"]
        words += ["--remote-allow-origins=*", f"--user-data-dir={self.profile.name}"]
        words += ["--allow-file-access-from-files", "--force-color-profile=srgb", "--lang=fr"]
        if os.getuid() == 0:
            words.append("--no-sandbox")
        self.process = subprocess.Popen(
            [*words, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.count = 0
        port = self.port()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=20) as answer:
            pages = [page for page in json.load(answer) if page["type"] == "page"]
        self.wire = websocket.create_connection(pages[0]["webSocketDebuggerUrl"], timeout=60)
        self.call("Page.enable")

    def port(self):
        told = pathlib.Path(self.profile.name, "DevToolsActivePort")
        for _ in range(300):
            if self.process.poll() is not None:
                raise SystemExit(f"the browser ended with {self.process.returncode}")
            if told.exists() and "\n" in told.read_text():
                return told.read_text().split()[0]
            time.sleep(0.1)
        raise SystemExit("the browser did not start within 30 seconds")

    def call(self, method, **params):
        self.count += 1
        self.wire.send(json.dumps({"id": self.count, "method": method, "params": params}))
        while True:
            answer = json.loads(self.wire.recv())
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def until(self, event):
        while json.loads(self.wire.recv()).get("method") != event:
            pass

    def eval(self, script):
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise SystemExit(f"in the page: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def size(self, size):
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=size[0], height=size[1], deviceScaleFactor=1, mobile=size[0] < 500,
        )

    def show(self, page, size, dark=False):
        self.size(size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.call("Emulation.setEmulatedMedia", features=[scheme, still])
        self.open(page.resolve().as_uri())

    def open(self, address):
        self.call("Page.navigate", url=address)
        self.until("Page.loadEventFired")
        self.eval("document.fonts.ready.then(() => 1)")

    def press(self, key, code, text=None):
        key = {"key": key, "code": key if key != " " else "Space", "windowsVirtualKeyCode": code}
        if text:
            key["text"] = text
        self.call("Input.dispatchKeyEvent", type="keyDown", **key)
        self.call("Input.dispatchKeyEvent", type="keyUp", **key)

    def close(self):
        self.wire.close()
        self.process.terminate()
        self.process.wait(20)
        self.profile.cleanup()
