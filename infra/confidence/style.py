"""The page's style sheet: sober, for paper too; light or dark as the reader's machine is."""

from teachback.infra.confidence.look import variables

CSS = (
    """
:root { color-scheme: light dark; """
    + variables()
    + """ --back: #f6f7f8; --calm: #eef4f1; --warn: #fbf3ea; --edge: #b7651d; --shade: #1c243033; }
@media (prefers-color-scheme: dark) { :root { """
    + variables(dark=True)
    + """ --back: #101317; --calm: #14211d; --warn: #241c13; --edge: #e0a060; --shade: #000000b0; } }
* { box-sizing: border-box; stroke-linejoin: round; }
body { margin: 0; background: var(--back); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans",
    Arial, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 3rem 1.5rem 4rem; }
h1, h2 { font-family: Charter, "Bitstream Charter", "Sitka Text", Cambria, Georgia, "Liberation Serif", serif;
  font-weight: 600; line-height: 1.2; text-wrap: balance; }
h1 { font-size: 2.4rem; margin: 0.1rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.45rem; margin: 0 0 0.6rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1.4rem 0 0.3rem; }
p { margin: 0 0 0.6rem; overflow-wrap: anywhere; }
.kicker { margin: 0; color: var(--soft); font-size: 0.85rem; letter-spacing: 0.08em; text-transform: uppercase; }
.span, .note { color: var(--soft); }
.facts { display: flex; flex-wrap: wrap; gap: 1px; margin: 1.6rem 0;
  background: var(--rule); border: 1px solid var(--rule); border-radius: 10px; overflow: hidden; }
.facts div { flex: 1 1 150px; background: var(--paper); padding: 0.9rem 1rem;
  display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.facts dt { color: var(--soft); font-size: 0.82rem; line-height: 1.3; }
.facts dd { margin: 0; font-size: 1.35rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.facts small { color: var(--soft); font-size: 0.85rem; }
section { background: var(--paper); border: 1px solid var(--rule); border-radius: 10px; padding: 1.6rem 1.8rem;
  margin: 0 0 1.2rem; }
.promise { border-left: 5px solid var(--edge); background: var(--warn); }
.promise.stands { border-left-color: var(--promise); background: var(--calm); }
.promise p { max-width: 75ch; }
.badge { float: right; margin: 0 0 0.5rem 1rem; padding: 0.15rem 0.7rem; border-radius: 99px; font-size: 0.8rem;
  font-weight: 600; color: var(--paper); background: var(--edge); }
.stands .badge { background: var(--promise); }
.found { font-size: 1.05rem; max-width: 75ch; }
.read { color: var(--soft); font-size: 0.92rem; max-width: 85ch; margin-bottom: 1.2rem; }
.empty { color: var(--soft); border: 1px dashed var(--rule); border-radius: 8px; padding: 0.9rem 1rem;
  max-width: 75ch; }
.pair { display: grid; grid-template-columns: minmax(0, 11fr) minmax(0, 10fr); gap: 2rem; align-items: start; }
.stack > div:first-child { margin-bottom: 1.2rem; }
.picture { margin: 0; }
.picture + .picture { margin-top: 1.4rem; }
figcaption { color: var(--soft); font-size: 0.82rem; margin-top: 0.35rem; }
.picture svg { display: block; width: 100%; height: auto; max-width: 560px; }
.sheet { overflow: auto; max-height: 27rem; font-size: 0.85rem; /* a shade at the side where more can be scrolled to */
  background: linear-gradient(to right, var(--paper) 40%, transparent) left / 2.5rem 100% no-repeat local,
    linear-gradient(to left, var(--paper) 40%, transparent) right / 2.5rem 100% no-repeat local,
    linear-gradient(to right, var(--shade), transparent) left / 0.9rem 100% no-repeat scroll,
    linear-gradient(to left, var(--shade), transparent) right / 0.9rem 100% no-repeat scroll; }
.sheet:focus-visible { outline: 2px solid var(--right); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; line-height: 1.35; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { text-align: right; padding: 0.36rem 0.5rem; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th { position: sticky; top: 0; background: var(--paper); color: var(--soft); font-weight: 500; vertical-align: bottom; }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
.w { text-align: left; }
.long { white-space: normal; overflow-wrap: anywhere; min-width: 9rem; }
.columns { columns: 2 24rem; column-gap: 2.5rem; font-size: 0.95rem; }
.columns > div { break-inside: avoid; }
.columns > div:first-child h3 { margin-top: 0; }
.columns ul { margin: 0; padding-left: 1.1rem; }
.columns li { margin-bottom: 0.35rem; }
@media (max-width: 860px) {
  main { padding: 1.6rem 0.8rem 2rem; }
  section { padding: 1.1rem 1rem; }
  h1 { font-size: 1.9rem; }
  h2 { font-size: 1.25rem; }
  .pair { grid-template-columns: minmax(0, 1fr); gap: 1rem; }
}
@media print {
  :root { """
    + variables()
    + """ --back: #fff; --calm: #fff; --warn: #fff; --shade: #fff; }
  main { max-width: none; padding: 0; }
  body { font-size: 10.5pt; }
  section { break-inside: avoid; border-width: 0 0 1px; border-radius: 0; padding: 1rem 0; }
  .promise { padding-left: 1rem; }
  .sheet { max-height: none; overflow: visible; }
}
"""
)
