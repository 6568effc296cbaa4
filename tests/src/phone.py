"""Somebody with a phone: a real browser with a small window, told what to do line by line.

phone.py BROWSER, with the folder of browser.py in PYTHONPATH. Each line of standard input is a JSON
list: ["open", ADDRESS], ["press", WORDS] (a link or a button, by a finger), ["write", LABEL, TEXT],
["tick", LABEL], ["picture", FILE] or ["look"]. Each is answered by one line: where we are, what can be
read there, and how far the page sticks out sideways; or by what went wrong.
"""

import base64
import json
import pathlib
import sys
import time

from browser import Browser

PHONE = (390, 844)

FIND = """(words, what) => {
  const plain = e => (e.getAttribute('aria-label') || e.textContent).replace(/\\s+/g, ' ').trim();
  const all = [...document.querySelectorAll(what)].filter(e => e.checkVisibility());
  const same = all.filter(e => plain(e) === words);
  const found = same.find(e => e.matches('button')) || same[0] || all.filter(e => plain(e).startsWith(words))[0];
  if (!found) throw new Error('no ' + what + ' says ' + words + ': ' + all.map(plain).join(' | '));
  const it = found.control || found;
  it.scrollIntoView({ block: 'center', behavior: 'instant' });
  const r = it.getBoundingClientRect();
  return [it, r.left + r.width / 2, r.top + r.height / 2, Math.min(r.width, r.height)];
}"""

SEEN = """(() => ({
  at: location.pathname + location.search,
  text: document.body.innerText,
  sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
}))()"""


def touch(browser, words, what):
    """Puts a finger on it; gives how large it is."""
    x, y, size = browser.eval(f"({FIND})({json.dumps(words)}, '{what}').slice(1)")
    point = [{"x": x, "y": y}]
    browser.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=point)
    browser.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    return size


def arrives(browser):
    """Waits for the page after this one."""
    for _ in range(600):
        try:
            if browser.eval("!window.here && document.readyState === 'complete'"):
                browser.eval("document.fonts.ready.then(() => 1)")
                return
        except SystemExit:
            # Between two pages there is none.
            pass
        time.sleep(0.05)
    raise SystemExit("no other page came")


def does(browser, words):
    match words:
        case ["open", address]:
            browser.open(address)
        case ["press", what]:
            browser.eval("window.here = 1")
            size = touch(browser, what, "a[href], button, summary")
            if size < 24:
                raise SystemExit(f"{what} is too small for a finger: {size} px")
            arrives(browser)
        case ["write", label, text]:
            touch(browser, label, "label")
            browser.call("Input.insertText", text=text)
        case ["tick", label]:
            touch(browser, label, "label")
        case ["picture", file]:
            shot = browser.call("Page.captureScreenshot", captureBeyondViewport=True)
            pathlib.Path(file).write_bytes(base64.b64decode(shot["data"]))
        case ["look"]:
            pass
        case _:
            raise SystemExit(f"nobody knows how to {words}")
    return browser.eval(SEEN)


def main():
    browser = Browser(sys.argv[1])
    browser.size(PHONE)
    browser.call("Emulation.setTouchEmulationEnabled", enabled=True)
    browser.call("Network.enable")
    browser.call("Network.setExtraHTTPHeaders", headers={"Accept-Language": "fr"})
    print(json.dumps({"at": "ready"}), flush=True)
    try:
        for line in sys.stdin:
            try:
                seen = does(browser, json.loads(line))
            except SystemExit as wrong:
                seen = {"wrong": str(wrong)}
            print(json.dumps(seen), flush=True)
    finally:
        browser.close()


main()
