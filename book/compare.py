#!/usr/bin/env python3
"""Icons as programs beside icons as traces: tdc, potrace and vtracer on the same pictures.

    pip install vtracer potracer numpy pillow
    python3 book/compare.py ICONS -o out/compare --tdc target/release/tdc

ICONS is a folder of PNG files, black on white. Each is solved by `tdc solve grammars/icons.tdg` and traced by
potrace (the command where there is one, otherwise potracer, which is potrace in Python) and by vtracer. All
SVGs are drawn at the canvas's size by tdc's own reference (resvg), as `tdc solve` does with targets, and
compared with the target as tdc fitted it to the canvas. Written: an SVG each, `compare.json`, the table
`compare.md`, and `index.html`, which shows all of them at one zoom and needs nothing else.

Numbers are those that one would edit: of a program all numbers, of a trace the numbers of its paths' data
and transforms. Seconds are wall-clock time, for potrace and vtracer without starting a process.
"""

import argparse
import html
import json
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy
import vtracer
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
WAYS = ("tdc", "potrace", "vtracer")


def numbers_of_svg(svg):
    """The numbers of path data and transforms."""
    parts = re.findall(r'\b(?:d|transform)="([^"]*)"', svg)
    return sum(len(NUMBER.findall(part)) for part in parts)


def ink(path):
    """A target as tdc fitted it: darkness from 0 to 1."""
    grey = Image.open(path).convert("L")
    return 1.0 - numpy.asarray(grey, dtype=float) / 255.0


def iou(a, b):
    """Intersection over union of ink, as tdc counts: darker than half is ink."""
    a, b = a >= 0.5, b >= 0.5
    union = numpy.logical_or(a, b).sum()
    return 1.0 if union == 0 else float(numpy.logical_and(a, b).sum() / union)


def drawn(args, svg, folder):
    """An SVG at the canvas's size: the target that tdc makes of it."""
    source = folder / "traced.svg"
    source.write_text(svg)
    out = folder / "drawn"
    command = [args.tdc, "solve", args.grammar, "--target", source, "--evaluations", "50", "-o", out]
    # 3: the goal is not met, which is not what is asked for here.
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr)
    return ink(out / "target.png")


def solve(args, picture, folder):
    """A picture by tdc: SVG, program, seconds, numbers, and the target and the result."""
    out = folder / "solved"
    command = [args.tdc, "solve", args.grammar, "--target", picture, "--time", str(args.time)]
    command += ["--seed", str(args.seed), "-o", out, "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr)
    report = json.loads(done.stdout)
    found = {
        "svg": (out / "result.svg").read_text(),
        "source": report["program"],
        "seconds": report["seconds"],
        "numbers": len(NUMBER.findall(report["program"])),
        "primitives": report["primitives"],
        "picture": ink(out / "result.png"),
    }
    return found, ink(out / "target.png")


def by_command(bitmap, folder):
    """Potrace's own program."""
    source, out = folder / "in.pbm", folder / "out.svg"
    Image.fromarray(~bitmap).convert("1").save(source)
    began = time.perf_counter()
    subprocess.run(["potrace", "-s", "-o", out, source], check=True)
    return out.read_text(), time.perf_counter() - began


def by_python(bitmap):
    """The same algorithm in Python, written as potrace writes it."""
    import potrace

    began = time.perf_counter()
    curves = potrace.Bitmap(~bitmap).trace()
    seconds = time.perf_counter() - began
    height, width = bitmap.shape
    point = lambda p: f"{p.x:.2f} {p.y:.2f}"
    data = []
    for curve in curves:
        data.append(f"M{point(curve.start_point)}")
        for part in curve.segments:
            if part.is_corner:
                data.append(f"L{point(part.c)}L{point(part.end_point)}")
            else:
                data.append(f"C{point(part.c1)} {point(part.c2)} {point(part.end_point)}")
        data.append("Z")
    path = f'<path fill-rule="evenodd" d="{"".join(data)}"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    return f"{head}{path}</svg>\n", seconds


def traces(picture, folder):
    """A picture by potrace and by vtracer."""
    grey = numpy.asarray(Image.open(picture).convert("RGBA"), dtype=float)
    alpha = grey[..., 3:] / 255.0
    grey = (grey[..., :3] * alpha + 255.0 * (1.0 - alpha)).mean(axis=2)
    bitmap = grey < 128
    svg, seconds = by_command(bitmap, folder) if shutil.which("potrace") else by_python(bitmap)
    yield "potrace", svg, seconds
    flat, out = folder / "flat.png", folder / "vtraced.svg"
    Image.fromarray(grey.astype("uint8")).convert("RGB").save(flat)
    began = time.perf_counter()
    vtracer.convert_image_to_svg_py(str(flat), str(out), colormode="binary")
    seconds = time.perf_counter() - began
    yield "vtracer", out.read_text(), seconds


def compare(args, picture):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        found, target = solve(args, picture, folder)
        row = {"name": picture.stem, "tdc": found}
        for way, svg, seconds in traces(picture, folder):
            row[way] = {
                "svg": svg,
                "source": svg,
                "seconds": seconds,
                "numbers": numbers_of_svg(svg),
                "picture": drawn(args, svg, folder),
            }
    for way in WAYS:
        one = row[way]
        one["iou"] = iou(one.pop("picture"), target)
        one["bytes"] = len(one["svg"].encode())
        (args.output / f"{picture.stem}-{way}.svg").write_text(one["svg"])
    row["target"], row["corner"] = picture, corner(target)
    return row


def means(rows, way):
    mean = lambda key: statistics.fmean(row[way][key] for row in rows)
    return {key: mean(key) for key in ("iou", "numbers", "bytes", "seconds")}


def table(rows):
    out = ["| | mean IoU | numbers | bytes of SVG | seconds |", "|---|---:|---:|---:|---:|"]
    for way in WAYS:
        m = means(rows, way)
        row = f"| {way} | {m['iou']:.4f} | {m['numbers']:.1f} | {m['bytes']:.0f} | {m['seconds']:.2f} |"
        out.append(row)
    return "\n".join(out) + "\n"


STYLE = """
:root { color-scheme: light; --text: #1b1f24; --soft: #5b6570; --line: #dfe3e8 }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); margin: 2rem auto; max-width: 76rem; padding: 0 1rem }
table { border-collapse: collapse } th, td { text-align: right; padding: .2rem .9rem; border-bottom: 1px solid var(--line) }
th:first-child, td:first-child { text-align: left }
.icon { display: grid; grid-template-columns: repeat(4, 1fr); gap: 1rem; margin: 0 0 2.5rem; break-inside: avoid }
figure { margin: 0; min-width: 0 } figcaption { color: var(--soft); font-size: 13px }
figcaption b { color: var(--text) }
.whole, .part { aspect-ratio: 1; border: 1px solid var(--line); overflow: hidden; background: #fff; margin-bottom: .4rem }
.whole > *, .part > * { width: 100%; height: 100%; display: block }
.part > * { transform: scale(4); image-rendering: pixelated }
pre { font-size: 11px; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 11rem; overflow: auto; background: #f5f6f8; padding: .5rem; margin: .4rem 0 }
"""


def inline(svg, name):
    """An SVG as part of a page: names of its own, and the size of where it stands."""
    svg = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r"<title>.*?</title>", "", svg, flags=re.S)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg)
    head = re.search(r"<svg\b[^>]*>", svg)
    tag = head.group(0)
    size = [re.search(rf'\b{side}="([\d.]+)', tag).group(1) for side in ("width", "height")]
    if "viewBox" not in tag:
        tag = tag[:-1] + f' viewBox="0 0 {size[0]} {size[1]}">'
    tag = re.sub(r'\s(?:width|height)="[^"]*"', "", tag)
    return (tag + svg[head.end():]).strip()


def corner(target):
    """Where a quarter of the picture has most of its edges: the origin of the zoom, in hundredths."""
    ink = target >= 0.5
    edges = (ink != numpy.roll(ink, 1, 0)).astype(int) + (ink != numpy.roll(ink, 1, 1))
    sums = numpy.pad(edges.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    side = [n // 4 for n in ink.shape]
    here = sums[side[0]:, side[1]:] - sums[:-side[0], side[1]:] - sums[side[0]:, :-side[1]] + sums[:-side[0], :-side[1]]
    y, x = numpy.unravel_index(here.argmax(), here.shape)
    return 100.0 * x / (here.shape[1] - 1), 100.0 * y / (here.shape[0] - 1)


def data_url(path):
    import base64

    return "data:image/png;base64," + base64.b64encode(Path(path).read_bytes()).decode()


def page(rows, about):
    out = ["<!doctype html><html lang=en><meta charset=utf-8><title>Programs and traces</title>"]
    out.append(f"<style>{STYLE}</style><h1>Programs and traces</h1><p>{html.escape(about)}</p>")
    lines = [line.strip("| ").split("|") for line in table(rows).splitlines() if "---" not in line]
    lines[0].insert(0, "")
    for nth, line in enumerate(lines):
        cell = "th" if nth == 0 else "td"
        cells = "".join(f"<{cell}>{html.escape(text.strip())}</{cell}>" for text in line)
        out.append(("<table>" if nth == 0 else "") + f"<tr>{cells}</tr>")
    out.append("</table>")
    for at, row in enumerate(rows):
        x, y = row["corner"]
        out.append(f"<h2>{html.escape(row['name'])}</h2><div class=icon>")
        out.append(f"<style>.at{at} > * {{ transform-origin: {x:.1f}% {y:.1f}% }}</style>")
        image = f'<img src="{data_url(row["target"])}" alt="target">'
        out.append(f'<figure><div class=whole>{image}</div><div class="part at{at}">{image}</div>')
        out.append("<figcaption><b>target</b></figcaption></figure>")
        for way in WAYS:
            one = row[way]
            whole, part = (inline(one["svg"], f"i{at}-{way}-{n}") for n in range(2))
            facts = f"IoU {one['iou']:.4f}, {one['numbers']} numbers, {one['bytes']} bytes, {one['seconds']:.2f} s"
            out.append(f'<figure><div class=whole>{whole}</div><div class="part at{at}">{part}</div>')
            out.append(f"<figcaption><b>{way}</b><br>{facts}</figcaption>")
            out.append(f"<pre>{html.escape(one['source'].strip())}</pre></figure>")
        out.append("</div>")
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("icons", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--tdc", default=str(ROOT / "target/release/tdc"))
    parser.add_argument("--grammar", default=str(ROOT / "grammars/icons.tdg"))
    parser.add_argument("--time", type=float, default=2.0, help="seconds that tdc has for an icon")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    pictures = sorted(args.icons.glob("*.png"))
    if not pictures:
        raise SystemExit(f"{args.icons} holds no .png file")
    rows = []
    for picture in pictures:
        rows.append(compare(args, picture))
        facts = ", ".join(f"{way} {rows[-1][way]['iou']:.4f}" for way in WAYS)
        print(f"{picture.stem}: {facts}", flush=True)
    potrace = "potrace" if shutil.which("potrace") else "potracer"
    about = (
        f"{len(rows)} icons. tdc solve with {args.grammar.rsplit('/', 1)[-1]}, at most {args.time} s each on "
        f"one core; {potrace} and vtracer with their defaults. Below each icon the part with most edges, at four times the size."
    )
    (args.output / "compare.md").write_text(table(rows))
    (args.output / "index.html").write_text(page(rows, about))
    kept = [{way: {k: v for k, v in row[way].items() if k not in ("svg",)} for way in WAYS} for row in rows]
    for row, one in zip(rows, kept):
        one["name"] = row["name"]
    (args.output / "compare.json").write_text(json.dumps(kept, indent=1) + "\n")
    print(table(rows), end="")


if __name__ == "__main__":
    main()
