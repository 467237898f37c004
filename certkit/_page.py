"""Whole pages that stand by themselves: one style sheet, written into each, and nothing fetched from anywhere."""

from __future__ import annotations

from certkit._html import Html, escape, tag

__all__ = ["FILTER", "PAGE_STYLE", "filter_bar", "page_html"]

# Every text colour keeps 4.5:1 on the background it is used on, in both themes; tests/browser measures it.
PAGE_STYLE = """
:root{color-scheme:light dark;--paper:#fff;--text:#1b2430;--soft-text:#4a5568;--link:#0b57a4;--seen:#6b2fa0;
--code-paper:#f8fafc;--edge:#7b8798;--hair:#cdd4de}
@media(prefers-color-scheme:dark){:root{--paper:#12171e;--text:#e9eef5;--soft-text:#b4becc;--link:#8cc4ff;--seen:#cfaaff;
--code-paper:#1d2530;--edge:#8593a8;--hair:#39434f}}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:0 auto;padding:0 1rem 3rem;overflow-wrap:anywhere;
background:var(--paper);color:var(--text)}
a{color:var(--link)}a:visited{color:var(--seen)}
h1{font-size:1.7rem;line-height:1.25}h2,h3{margin-top:2rem;line-height:1.3}li{margin:.4rem 0}
table{display:block;overflow-x:auto;width:fit-content;max-width:100%;border:0;overflow-wrap:normal;font-size:.92rem;border-collapse:collapse}
td,th{padding:.3rem .6rem;text-align:left;vertical-align:top;border:0;border-bottom:1px solid var(--hair)}
table{margin:0 0 1.2rem}td p{margin:0 0 .3rem}
caption{text-align:left;font-weight:bold}td{min-width:5rem}
pre,code{font-family:ui-monospace,'DejaVu Sans Mono',monospace;font-size:.88em}code{overflow-wrap:anywhere}
pre{white-space:pre-wrap;font-size:.85rem;background:var(--code-paper);padding:.6rem .8rem;border-radius:4px}
pre code{font-size:inherit}img,svg{max-width:100%;height:auto}svg.ck-ladder{width:100%}
summary{cursor:pointer;padding:.3rem 0}.ck-soft{color:var(--soft-text)}
button,input,textarea{font:inherit;color:inherit;background:var(--paper);border:1px solid var(--edge);border-radius:4px;
padding:.4rem .8rem;max-width:100%}
button{margin:0 .3rem .3rem 0}input[type=search],textarea{width:100%}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.ck-note{border-left:4px solid var(--edge);padding-left:.8rem}
.ck-later{opacity:.12}.ck-now .halo{stroke:var(--accent);stroke-width:2}
main p>span{white-space:normal!important}:target{outline:2px solid;outline-offset:4px}
.ck-skip{position:absolute;left:-99rem}.ck-skip:focus{left:1rem;top:.5rem}
.ck-nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;padding:.6rem 0;margin:0}.ck-nav li{margin:0}
.ck-nav{border-bottom:1px solid var(--hair)}main+.ck-nav{border:0;border-top:1px solid var(--hair);margin-top:3rem}
[hidden]{display:none!important}
@media print{.ck-nav,.ck-skip,.ck-steps,.ck-filter{display:none}body{max-width:none}table{display:table}
h2,h3{break-after:avoid}tr,svg{break-inside:avoid}}
"""

# Without it the list is whole, and the field stays hidden.
FILTER = """
for (const bar of document.querySelectorAll(".ck-filter")) {
  const field = bar.querySelector("input"), told = bar.querySelector("[role=status]");
  const items = [...document.querySelectorAll("[data-item]")].map((node) => [node, node.textContent.toLowerCase()]);
  const groups = [...document.querySelectorAll("[data-group]")];
  function sift() {
    const words = field.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let shown = 0;
    for (const [node, text] of items) {
      node.hidden = !words.every((word) => text.includes(word));
      shown += node.hidden ? 0 : 1;
    }
    for (const group of groups) group.hidden = !group.querySelector("[data-item]:not([hidden])");
    told.textContent = words.length ? `${shown} of ${items.length}` : "";
  }
  bar.hidden = false;
  field.value = new URLSearchParams(location.search).get("q") || "";
  field.addEventListener("input", sift);
  sift();
}
"""


def page_html(
    title: str,
    *body: object,
    before: Html = Html(),  # noqa: B008 - it cannot change
    after: Html = Html(),  # noqa: B008
    script: str = "",
    style: str = "",
) -> str:
    """Return a page that stands by itself: no file beside it is needed, nothing is fetched.

    Parameters
    ----------
    title : str
        What the browser shows; escaped.
    body : object
        The parts of its main element; escaped unless they are `Html`.
    before, after : Html
        What stands around the main element: the ways to other pages.
    script, style : str
        The package's own; never text from elsewhere.
    """
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{PAGE_STYLE}{style}</style>"
    )
    end = f"<script>{script}</script>" if script else ""
    main = tag("main", *body, id="main")
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>{before}{main}{after}{end}</body></html>\n'


def filter_bar(what: str) -> Html:
    """Return the field that narrows a list of ``data-item`` elements; it shows itself when `FILTER` runs."""
    found = tag("p", class_="ck-soft", role="status")
    field = tag("label", what, Html(" "), Html('<input type="search" autocomplete="off" spellcheck="false">'))
    return tag("div", field, found, class_="ck-filter", hidden="")
