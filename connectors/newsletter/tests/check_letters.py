"""Reads letters in a real browser, as mail programs show them: axe-core finds no barrier, in light and in
dark, on a phone and on a desk; none scrolls sideways at 320 px; none weighs what webmails cut.

    check_letters.py BROWSER [--pictures FOLDER] LETTER...
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "website/tests"))

from browser import Browser
from check_pages import DESK, PHONE, SIDEWAYS, barriers, shots

# A large webmail cuts what is longer.
CUT = 100_000
# Landmarks are the mail program's to have: a letter is shown inside its page.
OF_PAGES = ("landmark-one-main:", "region:")


def faults(browser, letter):
    found = []
    for size in (PHONE, DESK):
        for dark in (False, True):
            browser.show(letter, size, dark)
            where = f"{size[0]} px, {'dark' if dark else 'light'}"
            found += [f"{where}: {fault}" for fault in barriers(browser) if not fault.startswith(OF_PAGES)]
    browser.show(letter, (320, 800))
    wide = browser.eval(SIDEWAYS)
    if wide:
        found.append(f"scrolls sideways at 320 px: {wide}")
    if letter.stat().st_size >= CUT:
        found.append(f"{letter.stat().st_size} bytes")
    return found


def main(program, *words):
    folder = None
    if words[0] == "--pictures":
        folder, words = pathlib.Path(words[1]), words[2:]
    letters = [pathlib.Path(word) for word in words]
    browser = Browser(program)
    wrong = 0
    try:
        for letter in letters:
            for fault in faults(browser, letter):
                wrong += 1
                print(f"{letter.name}: {fault}")
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            # The first one: the others differ in their words.
            shots(browser, letters[0], folder)
    finally:
        browser.close()
    if wrong:
        raise SystemExit(f"{wrong} faults")
    print(f"{len(letters)} letters read in {program}: no barrier found")


if __name__ == "__main__":
    main(*sys.argv[1:])
