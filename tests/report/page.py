"""Read a page as text: its elements, its inline scripts and styles, and every fault of nesting."""

from html.parser import HTMLParser

VOID = {"meta", "br", "img", "input", "link", "hr"}


class Page(HTMLParser):
    """The elements of a page, its inline scripts and styles, and every fault of nesting."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.faults, self.inline, self._open = [], [], [], []
        self.feed(text)
        self.faults += [f"{name} is not closed" for name in self._open]

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag in {"script", "style"}:
            self.inline.append([tag, dict(attrs), ""])

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data):
        if self._open and self._open[-1] in {"script", "style"}:
            self.inline[-1][2] += data
