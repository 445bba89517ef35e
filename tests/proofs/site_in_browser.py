"""Open every page of the built site in headless Chromium, as a desktop and as a phone.

    python tests/proofs/site_in_browser.py docs/_build/html [folder for pictures]

Prints what is wrong: errors in the console, anything fetched from another machine,
pictures that do not show, pages wider than the window. Then searches for a few words.
Main pages are photographed.
"""

import sys
import time
from pathlib import Path

from report_in_browser import DESKTOP, PHONE, Browser

SIZES = {"desktop": DESKTOP, "phone": PHONE}
PHOTOGRAPHED = (
    "index",
    "install",
    "start",
    "guide/index",
    "guide/fundamentals/activations",
    "guide/fundamentals/backpropagation",
    "guide/tabular",
    "auto_examples/index",
    "auto_examples/fundamentals/activation_functions",
    "auto_examples/applications/transliteration",
    "generated/api/sknn.MLPClassifier",
    "migrating/from_sklearn",
    "benchmarks",
    "search",
)
WORDS = ("dropout", "MLPClassifier", "vanishing", "ONNX", "partial_fit")
LOAD_PICTURES = """
for (const image of document.images) image.loading = 'eager';
Promise.all([...document.images].map(i => i.decode().catch(() => 0))).then(() => 0)
"""
BROKEN_PICTURES = """
[...document.images]
    .filter(i => i.getAttribute('src') && !i.naturalWidth)
    .map(i => i.src)
"""
OVERFLOW = """
document.documentElement.scrollWidth - document.documentElement.clientWidth
"""
RESULTS = "document.querySelectorAll('#search-results li').length"


def faults(browser):
    """Yield what is wrong with the page that is open."""
    yield from browser.complaints()
    for address in browser.requests():
        if not address.startswith(("file:", "data:", "about:", "blob:")):
            yield f"fetches {address}"
    # Pictures further down load when they come near; ask for them all.
    browser.run(LOAD_PICTURES)
    for picture in browser.run(BROKEN_PICTURES):
        yield f"does not show {picture}"
    if (pixels := browser.run(OVERFLOW)) > 0:
        yield f"is {pixels} px wider than the window"


def pages_of(site):
    """Return the pages of a site, without the theme's templates."""
    return sorted(p for p in site.rglob("*.html") if "_static" not in p.parts)


def look_at_pages(browser, site, folder):
    """Open all pages at both sizes; return how many faults there were."""
    n_faults = 0
    for name, size in SIZES.items():
        for page in pages_of(site):
            browser.open(page, size)
            for fault in faults(browser):
                n_faults += 1
                print(f"{page.relative_to(site)} ({name}): {fault}")
            path = page.relative_to(site).with_suffix("").as_posix()
            if folder and path in PHOTOGRAPHED:
                browser.photograph(folder / f"{path.replace('/', '_')}_{name}.png")
    return n_faults


def search(browser, site, word):
    """Return how many results the site's own search shows for a word."""
    browser.open(site / "search.html", query=f"?q={word}")
    until = time.monotonic() + 10
    while not browser.run(RESULTS) and time.monotonic() < until:
        browser.settle()
    return browser.run(RESULTS)


def main(site, folder=None):
    site = Path(site).resolve()
    folder = folder and Path(folder)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    with Browser() as browser:
        n_faults = look_at_pages(browser, site, folder)
        found = {word: search(browser, site, word) for word in WORDS}
    print(f"{len(pages_of(site))} pages, {n_faults} faults; found: {found}")
    return 1 if n_faults or not all(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
