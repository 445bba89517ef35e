"""Every link within the built site leads to a page, a file and a place that exist.

    python tests/proofs/site_links.py docs/_build/html

Addresses of other sites are what `python -m sphinx -b linkcheck` looks after.
"""

import functools
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """What a page points at, and the places in it that can be pointed at."""

    def __init__(self, path):
        super().__init__()
        self.targets, self.places = set(), set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.places |= {values[name] for name in ("id", "name") if values.get(name)}
        for name in ("href", "src"):
            if values.get(name):
                self.targets.add(values[name])


read = functools.cache(Page)


def is_broken(page, target):
    """Tell whether a target on a page does not exist in the site."""
    address = urlsplit(target)
    if address.scheme or address.netloc:
        return False
    file = (page.parent / unquote(address.path)).resolve() if address.path else page
    if not file.is_file():
        return True
    place = unquote(address.fragment)
    return bool(place) and file.suffix == ".html" and place not in read(file).places


def broken_links(site):
    """Yield each page with the targets on it that do not exist."""
    for page in sorted(Path(site).resolve().rglob("*.html")):
        if "_static" in page.parts:  # a template of the theme's
            continue
        broken = [t for t in sorted(read(page).targets) if is_broken(page, t)]
        if broken:
            yield page, broken


def main(site):
    found = list(broken_links(site))
    for page, targets in found:
        print(page.relative_to(Path(site).resolve()), *targets, sep="\n    ")
    n_pages = read.cache_info().currsize
    print(f"{n_pages} pages, {sum(len(t) for _, t in found)} broken links")
    return 1 if found or not n_pages else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
