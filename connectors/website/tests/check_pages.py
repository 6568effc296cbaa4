"""Reads pages in a real browser, by its own debugging protocol: axe-core finds no barrier, in light
and in dark, on a phone and on a desk; everything is reached from the keyboard and seen to be; no
page scrolls sideways at 320 px or with letters twice as large; none weighs 50 kB with its style.

    check_pages.py BROWSER [--pictures FOLDER] PAGE...
"""

import base64
import json
import pathlib
import re
import sys

import axe_playwright_python
from browser import Browser

AXE = (pathlib.Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE, DESK = (360, 780), (1280, 900)
LIGHT = 50_000


def barriers(browser):
    """What axe-core finds, one line each."""
    browser.eval(AXE + ";1")
    options = json.dumps({"runOnly": TAGS, "resultTypes": ["violations"]})
    found = browser.eval(
        f"axe.run(document, {options}).then(r => r.violations.map(v => v.id + ': ' + v.help + ' — '"
        " + v.nodes.slice(0, 3).map(n => n.target.join(' ')).join(' | ')))"
    )
    return found


SIDEWAYS = """(() => {
  const room = document.documentElement.clientWidth;
  const wide = [...document.querySelectorAll('body *')].filter(e =>
    !e.closest('.sr, .skip, svg') && e.getBoundingClientRect().right > room + 1);
  return document.documentElement.scrollWidth > room || wide.length
    ? (wide[0] || document.body).outerHTML.slice(0, 90) : '';
})()"""

REACHABLE = """(() => {
  // Of choices that exclude each other one is a stop of Tab, the arrows lead to the others.
  const stop = e => e.type !== 'radio' || e.checked
    || !document.querySelector(`input[type=radio][name="${CSS.escape(e.name)}"]:checked`);
  window.all = [...document.querySelectorAll('a[href], input, select, summary, button, textarea')]
    .filter(e => stop(e) && (e.matches('.skip') || e.checkVisibility()));
  return all.length;
})()"""

FOCUSED = """(() => {
  const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
  const seen = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2
    && r.left >= 0 && r.right <= innerWidth + 1 && r.width > 0 && r.top >= -1 && r.bottom <= innerHeight + 1;
  return [all.indexOf(e), seen, e.outerHTML.slice(0, 90)];
})()"""


def keyboard(browser):
    """What cannot be done from the keyboard."""
    count = browser.eval(REACHABLE)
    for expected in range(count):
        browser.press("Tab", 9)
        index, seen, what = browser.eval(FOCUSED)
        if index != expected:
            return [f"Tab {expected + 1} leads to {index}: {what}"]
        if not seen:
            return [f"the focus cannot be seen on {what}"]
    faults = []
    if browser.eval("!!document.querySelector('.skip')"):
        browser.eval("document.querySelector('.skip').focus()")
        browser.press("Enter", 13, "\r")
        if browser.eval("location.hash") != "#content":
            faults.append("the skip link does not lead to the content")
    if browser.eval("!!document.querySelector('#open-only')"):
        rows = "[...document.querySelectorAll('.day li')].filter(e => e.checkVisibility()).length"
        closed = browser.eval("document.querySelectorAll('.day li:is(.full, .cancelled)').length")
        before = browser.eval(rows)
        browser.eval("document.querySelector('#open-only').focus()")
        browser.press(" ", 32, " ")
        if browser.eval(rows) != before - closed:
            faults.append("the box that leaves out what is full does not")
        if browser.eval("[...document.querySelectorAll('.day')].some(d => d.checkVisibility() && ![...d.querySelectorAll('li')].some(e => e.checkVisibility()))"):
            faults.append("a day without rows is still shown")
    return faults


def weight(page):
    """The bytes of a page with its style and letters."""
    html = page.read_bytes()
    total = len(html)
    style = re.search(rb'rel="stylesheet" href="([^"?]+)', html)
    if style:
        sheet = page.parent / style[1].decode()
        total += sheet.stat().st_size
        html, page = sheet.read_bytes(), sheet
    letters = re.search(rb"url\(([^)]*\.woff2)\)", html)
    if letters:
        total += (page.parent / pathlib.Path(letters[1].decode()).name).stat().st_size
    return total


def faults(browser, page):
    found = []
    for size in (PHONE, DESK):
        for dark in (False, True):
            browser.show(page, size, dark)
            where = f"{size[0]} px, {'dark' if dark else 'light'}"
            found += [f"{where}: {fault}" for fault in barriers(browser)]
            if size == DESK and dark:
                found += keyboard(browser)
    for width, letters in ((320, "100%"), (640, "200%"), (1280, "200%")):
        browser.show(page, (width, 800))
        browser.eval(f"document.documentElement.style.fontSize = '{letters}'")
        wide = browser.eval(SIDEWAYS)
        if wide:
            found.append(f"scrolls sideways at {width} px with letters at {letters}: {wide}")
    bytes_ = weight(page)
    if bytes_ >= LIGHT:
        found.append(f"{bytes_} bytes with its style")
    return found


def pictures(browser, pages, folder):
    """The pictures that people look at before they are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    for page in pages:
        if page.parent.name == "sample" and page.stem == "2027-01":
            shots(browser, page, folder)


def shots(browser, page, folder):
    """A page on a phone and on a desk, in light and in dark."""
    for name, size, scale in (("phone", (360, 720), 1), ("desk", (1100, 900), 0.6)):
        for dark in (False, True):
            browser.show(page, size, dark)
            part = {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": scale}
            shot = browser.call("Page.captureScreenshot", format="png", clip=part)
            theme = "dark" if dark else "light"
            out = folder / f"{page.stem}-{name}-{theme}.png"
            out.write_bytes(base64.b64decode(shot["data"]))
            print(out, out.stat().st_size)


def main(program, *words):
    folder = None
    if words[0] == "--pictures":
        folder, words = pathlib.Path(words[1]), words[2:]
    pages = [pathlib.Path(word) for word in words]
    browser = Browser(program)
    wrong = 0
    try:
        for page in pages:
            for fault in faults(browser, page):
                wrong += 1
                print(f"{page.parent.name}/{page.name}: {fault}")
        if folder:
            pictures(browser, pages, folder)
    finally:
        browser.close()
    if wrong:
        raise SystemExit(f"{wrong} faults")
    print(f"{len(pages)} pages read in {program}: no barrier found")


if __name__ == "__main__":
    main(*sys.argv[1:])
