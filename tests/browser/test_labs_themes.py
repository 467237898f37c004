"""The labs in JupyterLab's light and dark theme: every word can be read, and nothing moves by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

LABS = {
    "ck.HandshakeLab(fault='client-cert-missing', two_way=True)": ".ck-handshake-lab",
    "ck.ChainLab()": ".ck-chain-lab",
    "ck.ErrorLab('PKIX path building failed')": ".ck-error-lab",
    "ck.ClinicLab()": ".ck-clinic-lab",
    "ck.FileLab()": ".ck-file-lab",
    "ck.DerLab(ck.good_scenario().server.credential.certificate.der)": ".ck-der-lab",
    "ck.InventoryExplorer(ck.scan_inventory('estate', passwords=['changeit']))": ".ck-inventory-explorer",
}
# What a word's colour and the colours under it are, by what the browser would paint: the page's elements at its middle.
CONTRAST = r"""root => {
    const rgba = text => { const found = text.match(/[\d.]+/g)?.map(Number);
        return !found || found.length < 3 ? null : [...found.slice(0, 3), found[3] ?? 1] };
    const over = (top, low) => top.slice(0, 3).map((c, n) => c * top[3] + low[n] * (1 - top[3]));
    const light = colour => { const [r, g, b] = colour.map(c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b };
    const ground = (node, x, y) => {
        const under = document.elementsFromPoint(x, y), from = under.indexOf(node);
        const layers = [];
        for (const item of under.slice(from < 0 ? 0 : from)) {
            const style = getComputedStyle(item), shape = item instanceof SVGGeometryElement;
            if (item.closest('text')) continue;
            const colour = rgba(shape ? style.fill : style.backgroundColor);
            if (colour && colour[3] * (shape ? style.fillOpacity : 1) > 0) layers.push(colour);
            if (colour && colour[3] === 1) break;
        }
        return layers.reverse().reduce((low, top) => over(top, low), [255, 255, 255]);
    };
    const poor = [];
    let words = 0;
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
        if (!text || node.closest('style,script,option,[aria-hidden=true]') || !node.checkVisibility?.()) continue;
        const range = document.createRange();
        range.selectNodeContents(walker.currentNode);
        let box = range.getClientRects()[0];
        if (!box || box.width < 2) continue;
        node.scrollIntoView({ block: 'center', inline: 'center' });
        box = range.getClientRects()[0];
        const x = box.x + box.width / 2, y = box.y + box.height / 2;
        const style = getComputedStyle(node), svg = node instanceof SVGElement;
        const low = ground(node, x, y), ink = over(rgba(svg ? style.fill : style.color), low);
        const [a, b] = [light(ink), light(low)].sort((p, q) => q - p), ratio = (a + 0.05) / (b + 0.05);
        words++;
        const colours = `${ink.map(Math.round)} on ${low.map(Math.round)}`;
        if (ratio < 4.5) poor.push(`${text.slice(0, 40)}: ${ratio.toFixed(1)} (${colours})`);
    }
    return { words, poor, moving: root.getAnimations({ subtree: true }).length };
}"""


def test_every_word_of_a_lab_can_be_read(
    write_notebook: Callable[..., str], open_notebook: Callable[[str], Any], shots: Path
) -> None:
    """Measure the contrast of each word (WCAG 2.2, 1.4.3: 4.5 to 1), and that nothing is animated (2.3.3)."""
    first = "import certkit as ck\nck.make_estate('estate', stores=10, seed=1)"
    with open_notebook(write_notebook("96-themes.ipynb", first, *LABS)) as opened:
        page = opened.page
        opened.run_all()
        for theme in ("Light", "Dark"):
            page.evaluate(
                "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })",
                f"JupyterLab {theme}",
            )
            page.wait_for_function(
                "light => document.body.dataset.jpThemeLight === light", arg=str(theme == "Light").lower()
            )
            for place in LABS.values():
                lab = page.locator(place).first
                lab.wait_for()
                found = lab.evaluate(CONTRAST)
                lab.screenshot(path=str(shots / f"{theme.lower()}{place.replace('.ck', '')}.png"))
                assert found["words"] > 0, place
                assert found["poor"] == [], (theme, place)
                assert found["moving"] == 0, (theme, place)
        # The proof that pale words would be found.
        lab.evaluate(
            "lab => lab.insertAdjacentHTML('beforeend', '<p style=\"color:#999;background:#fff\">pale</p>')"
        )
        assert [word.partition(":")[0] for word in lab.evaluate(CONTRAST)["poor"]] == ["pale"]
        assert opened.errors() == []
