"""The page at `/`: what this is, how things stand, and how to begin. No script, nothing from elsewhere.

It needs no token, so it shows sums only: no texts, no names.
"""

from html import escape

from teachback.consumers.desk.service import Service
from teachback.consumers.desk.shapes import Overview

STYLE = """
body { font: 16px/1.55 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem }
body { color: #1d2530; background: #fbfbf9 }
h1 { font-size: 1.6rem; margin-bottom: .2rem } h2 { font-size: 1.1rem; margin-top: 2rem }
p.lead { color: #55606e; margin-top: 0 }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .8rem; margin: 1rem 0 }
dl div { background: #fff; border: 1px solid #e2e4df; border-radius: .5rem; padding: .6rem .8rem }
dt { color: #55606e; font-size: .85rem } dd { margin: 0; font-size: 1.5rem; font-variant-numeric: tabular-nums }
code, pre { background: #eef0ea; border-radius: .3rem; padding: .1rem .3rem }
pre { padding: .7rem .9rem; overflow: auto } a { color: #0b5c8a }
@media (prefers-color-scheme: dark) {
  body { color: #e4e7ea; background: #15191e } dl div { background: #1d2329; border-color: #323a42 }
  dt, p.lead { color: #9aa5b1 } code, pre { background: #252c33 } a { color: #7cc4f0 }
}
"""


def landing(desk: Service) -> str:
    """The page as HTML."""
    bot = escape(desk.settings.bot)
    state = _numbers(desk.overview()) if desk.ready else "<p>The queue is being rebuilt; reload in a few seconds.</p>"
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Review desk · {bot}</title><style>{STYLE}</style></head><body>
<h1>Review desk for {bot}</h1>
<p class="lead">People read doubtful answers of this chatbot here, and approve, correct or reject them.
What they agree on is what the chatbot learns from next.</p>
{state}
<h2>Review</h2>
<p>With the token that you were given, in a terminal:</p>
<pre>teachback review</pre>
<p>One item at a time: read the conversation and the answer, then <code>a</code> approve, <code>e</code> edit,
<code>x</code> reject, <code>space</code> skip, <code>f</code> flag; <code>?</code> shows every key.
Nobody sees what others said before judging.</p>
<h2>For programs</h2>
<p>The API is described at <a href="/schema/openapi.json">/schema/openapi.json</a> (OpenAPI 3.1);
<a href="/healthz">/healthz</a> says whether the desk is ready.</p>
</body></html>"""


def _numbers(overview: Overview) -> str:
    agreement = overview.agreement
    share = f"{agreement.agreed / agreement.of:.0%}" if agreement.of else "–"
    today = overview.today
    begun = f"{today.begun}" if today.budget is None else f"{today.begun} of {today.budget}"
    tiles = {
        "open": overview.open,
        "being read": overview.leased,
        "audits open": overview.open_by_route.get("audit", 0),
        "to adjudicate": overview.awaiting_adjudication,
        "begun today": begun,
        "overflow": today.overflow,
        "attached": overview.attached,
        "labelled": overview.settled.get("labelled", 0),
        "rejected": overview.settled.get("rejected", 0),
        "agreed at once": share,
    }
    boxes = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in tiles.items())
    return f"<h2>The queue</h2><dl>{boxes}</dl>"
