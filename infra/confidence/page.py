"""The report as one HTML page: nothing is fetched, nothing runs, and what came from outside is only ever text."""

from collections.abc import Sequence
from html import escape

from teachback.infra.confidence import pictures
from teachback.infra.confidence.figures import Figures
from teachback.infra.confidence.pictures import Promised
from teachback.infra.confidence.sections import sections
from teachback.infra.confidence.sheets import Section, Sheet
from teachback.infra.confidence.style import CSS
from teachback.infra.confidence.tell import clean, percent, when
from teachback.infra.confidence.words import headline, words

# No scripts, no requests: even a name that got past the escaping could do nothing.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
LONG = 28
NARROW = 6  # columns of a table that a picture stands beside; a wider one stands below
CAPTIONS = {
    "reliability": ("Confidence told, and the share found acceptable, with 95 % intervals.",),
    "risk": ("The share of wrong answers among the most trusted, with 95 % intervals.",),
    "scores": ("Live answers by confidence and by what people found.",),
    "signals": ("How much each signal moves the confidence.", "AUROC of each signal alone, with 95 % intervals."),
    "days": ("Audits by the day of the answer, and what became of them.",),
    "certificates": ("The share of traffic that was certified, over time.",),
}


def page(figures: Figures) -> str:
    """The whole page."""
    drawn = draw(figures)
    parts = "\n".join(_section(one, drawn.get(one.key, ())) for one in sections(figures))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Confidence of {_text(figures.bot)}</title>
<style>{CSS}</style>
</head>
<body>
<main>
{_header(figures)}
{_promise(figures)}
{parts}
{_in_full(figures)}
</main>
</body>
</html>
"""


def draw(figures: Figures) -> dict[str, tuple[str, ...]]:
    """The pictures, by the key of their section; a section without data has none."""
    found: dict[str, tuple[str, ...]] = {}
    if figures.audits:
        found["reliability"] = (pictures.reliability(figures.audits, figures.reviews),)
    if figures.curve:
        found["risk"] = (pictures.risk_coverage(figures.curve, _promised(figures)),)
    if figures.counts.live:
        found["scores"] = (pictures.scores(figures.histogram, figures.threshold),)
    if figures.certificates:
        it = figures.guarantee
        found["certificates"] = (pictures.certified(figures.certificates, it.champion, it.asked),)
    if figures.counts.audits:
        found["days"] = (pictures.days(figures.days),)
    found["signals"] = tuple(_signal_pictures(figures))
    return found


def _signal_pictures(figures: Figures) -> Sequence[str]:
    drawn = []
    used = [s for s in figures.signals if s.part and s.weight is not None]
    if used:
        names, parts, weights = zip(*((clean(s.name), s.part or 0.0, s.weight or 0.0) for s in used), strict=True)
        drawn.append(pictures.importances(names, parts, weights))
    lone = [s for s in figures.signals if s.alone.value is not None]
    if lone:
        values = [(s.alone.value or 0.0, s.alone.low or 0.0, s.alone.high or 0.0) for s in lone]
        drawn.append(pictures.alone([clean(s.name) for s in lone], values))
    return drawn


def _promised(figures: Figures) -> Promised | None:
    it = figures.guarantee
    if it.stands and it.certificate is not None:
        certificate = it.certificate
        risk = certificate.errors / certificate.audits if certificate.audits else 0.0
        return Promised(certificate.target, certificate.coverage, risk)
    return Promised(it.promise.target) if it.promise else None


def _header(figures: Figures) -> str:
    it = figures.counts
    facts = [
        ("live answers", f"{it.live:,}", ""),
        ("accepted, nobody looked", f"{it.accepted:,}", percent(it.accepted / it.live) if it.live else ""),
        ("sent to reviewers", f"{it.reviewed:,}", percent(it.reviewed / it.live) if it.live else ""),
        ("audits drawn by lot", f"{it.audits:,}", percent(it.audits / it.live) if it.live else ""),
        (
            "wrong among settled audits",
            f"{it.wrong:,} of {it.settled:,}",
            percent(it.wrong / it.settled) if it.settled else "",
        ),
    ]
    cells = "".join(
        f"<div><dt>{_text(name)}</dt><dd>{value}{f' <small>{share}</small>' if share else ''}</dd></div>"
        for name, value, share in facts
    )
    bad = f"<p class=note>{it.bad:,} records could not be read and are left out.</p>" if it.bad else ""
    return f"""<header>
<p class=kicker>Confidence report</p>
<h1>{_text(figures.bot)}</h1>
<p class=span>{when(figures.since)} – {when(figures.until)}</p>
<dl class=facts>{cells}</dl>{bad}
</header>"""


def _promise(figures: Figures) -> str:
    it = figures.guarantee
    state, mark = ("stands", "Stands") if it.stands else ("none", "None")
    first, second = words(it)[:2]
    lines = (*first.lines[1:], *second.lines[:1]) if it.stands else (*first.lines, *second.lines)
    told = "".join(f"<p>{_text(line)}</p>" for line in lines)
    return f"""<section class="promise {state}" aria-labelledby=promise>
<p class=badge>{mark}</p>
<h2 id=promise>{_text(headline(it))}</h2>
{told}
</section>"""


def _in_full(figures: Figures) -> str:
    parts = []
    for paragraph in words(figures.guarantee):
        lines = "".join(f"<p>{_text(line)}</p>" for line in paragraph.lines)
        points = "".join(f"<li>{_text(point)}</li>" for point in paragraph.points)
        parts.append(f"<h3>{_text(paragraph.title)}</h3>{lines}{f'<ul>{points}</ul>' if points else ''}")
    return f"""<section class=full aria-labelledby=full>
<h2 id=full>The promise in full</h2>
<p class=found>{_text(headline(figures.guarantee))}</p>
<div class=columns>{"".join(f"<div>{part}</div>" for part in parts)}</div>
</section>"""


def _section(section: Section, drawn: Sequence[str]) -> str:
    head = f"<h2 id={section.key}>{_text(section.title)}</h2>"
    if section.empty:
        body = f"<p class=empty>{_text(section.empty)}</p>"
    else:
        body = f"<p class=found>{_text(section.found)}</p>" if section.found else ""
    body += f"<p class=read>{_text(section.read)}</p>"
    if not section.empty:
        captions = CAPTIONS.get(section.key, ())
        pictures_ = "".join(
            f"<figure class=picture>{one}<figcaption>{_text(said)}</figcaption></figure>"
            for one, said in zip(drawn, captions, strict=False)
        )
        sheet = _sheet(section.title, section.sheet)
        kind = "pair" if len(section.sheet.heads) <= NARROW else "stack"
        body += f"<div class={kind}><div>{pictures_}</div>{sheet}</div>" if pictures_ else sheet
    return f"<section aria-labelledby={section.key}>{head}{body}</section>"


def _sheet(title: str, sheet: Sheet) -> str:
    heads = "".join(f"<th scope=col{_kind(sheet, at)}>{_text(head)}</th>" for at, head in enumerate(sheet.heads))
    rows = "".join(
        "<tr>" + "".join(f"<td{_kind(sheet, at, cell)}>{_text(cell)}</td>" for at, cell in enumerate(row)) + "</tr>"
        for row in sheet.rows
    )
    label = _text(f"{title}: the numbers")
    return (
        f'<div class=sheet role=region aria-label="{label}" tabindex=0><table><caption>{label}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _kind(sheet: Sheet, column: int, cell: str = "") -> str:
    """How a cell is set: numbers to the right, words to the left, many of them in lines."""
    if column not in sheet.words:
        return ""
    return ' class="w long"' if len(cell) > LONG else " class=w"


def _text(text: str) -> str:
    """Text from anywhere, as text."""
    return escape(clean(text))
