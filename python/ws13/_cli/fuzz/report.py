"""Reports: JSON for programs, JUnit XML for CI, one HTML page for people."""

from __future__ import annotations

import html
import json
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from ws13 import __version__

from . import words
from .results import Report, Result
from .verdict import Verdict

#: Of the bytes of an exchange so many are put in a report.
MOST_BYTES = 2048
#: What XML 1.0 cannot have.
CONTROL = {
    code: "\ufffd"
    for code in (*range(32), *range(0x7F, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF)
    if chr(code) not in "\t\n"
}


def as_json(report: Report) -> str:
    """Everything, in the order in which the cases ended."""
    return json.dumps(
        {
            "ws13": __version__,
            "endpoint": report.endpoint,
            "role": report.role.value,
            "seed": report.seed,
            "echoes": report.echoes,
            "stopped": report.stopped,
            "not_begun": report.left,
            "seconds": round(report.seconds, 3),
            "counts": report.counts(),
            "cases": [_as_dict(result) for result in report.results],
        },
        indent=2,
    )


def _as_dict(result: Result) -> dict[str, object]:
    return {
        "id": result.case.id,
        "verdict": result.verdict.value,
        "section": result.case.section,
        "title": result.case.title,
        "allowed": words.wanted(result.case.allowed),
        "seconds": round(result.seconds, 3),
        "opinions": [
            {"verdict": one.verdict.value, "section": one.section, "sentence": one.sentence}
            for one in result.opinions
        ],
        "sent": result.sent[:MOST_BYTES].hex(),
        "sent_bytes": len(result.sent),
        "received": result.received[:MOST_BYTES].hex(),
        "received_bytes": len(result.received),
    }


def as_junit(report: Report) -> str:
    """A test case for each case: violations are failures, remarks are in its output."""
    counts = report.counts()
    suite = Element(
        "testsuite",
        name=f"ws13 fuzz {report.endpoint}",
        tests=str(len(report.results)),
        failures=str(counts["violation"]),
        skipped=str(counts["skipped"]),
        errors="1" if report.stopped else "0",
        time=f"{report.seconds:.3f}",
    )
    for result in report.results:
        case = SubElement(
            suite,
            "testcase",
            classname=result.case.chapter,
            name=result.case.id,
            time=f"{result.seconds:.3f}",
        )
        told = "\n".join(result.lines()).translate(CONTROL)
        if result.verdict is Verdict.VIOLATION:
            SubElement(case, "failure", message=result.case.title.translate(CONTROL)).text = told
        elif result.verdict is Verdict.SKIPPED:
            SubElement(case, "skipped", message=result.opinions[0].sentence.translate(CONTROL))
        elif told:
            SubElement(case, "system-out").text = told
    if report.stopped:
        case = SubElement(suite, "testcase", classname="run", name="run")
        SubElement(case, "error", message=report.stopped.translate(CONTROL))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


STYLE = """
:root { color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
td, th { border-bottom: 1px solid #8886; padding: .35rem .6rem; text-align: left; }
td { vertical-align: top; overflow-wrap: anywhere; }
code, pre { font: .85rem/1.4 ui-monospace, monospace; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0; }
.verdict { font-weight: 600; white-space: nowrap; }
.violation { color: #c2185b; } .remark { color: #b26a00; }
.right { color: #2e7d32; } .allowed { color: #558b2f; } .skipped { color: #78909c; }
"""


def as_html(report: Report) -> str:
    """One page that needs nothing else: the counts, what was found, all cases."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{_text(report.endpoint)}: ws13 fuzz</title><style>{STYLE}</style></head><body>",
        f"<h1>{_text(report.endpoint)}</h1>",
        f"<p>{_text(report.summary())}. Seed {report.seed}, ws13 {_text(__version__)}.</p>",
    ]
    if report.echoes is False:
        parts.append("<p>The endpoint does not echo messages; they were not compared.</p>")
    if report.stopped:
        parts.append(f'<p class="violation">Stopped: {_text(report.stopped)}.</p>')
    parts.append(_counts(report))
    parts.append(f"<h2>Found: {len(report.found)}</h2>")
    parts += [_finding(result) for result in report.found]
    parts.append(
        "<h2>All cases</h2><table><tr><th>Case</th><th>Verdict</th><th>What came</th></tr>"
    )
    parts += [_row(result) for result in report.results]
    parts.append("</table></body></html>\n")
    return "\n".join(parts)


def _counts(report: Report) -> str:
    cells = "".join(
        f'<td class="verdict {name}">{count} {name}</td>' for name, count in report.counts().items()
    )
    return f"<table><tr>{cells}</tr></table>"


def _finding(result: Result) -> str:
    opinions = "".join(
        f'<li><span class="verdict {one.verdict.value}">{one.verdict.value}</span> '
        f"{_text(one.section)}: {_text(one.sentence)}</li>"
        for one in result.opinions
        if one.verdict in (Verdict.VIOLATION, Verdict.REMARK)
    )
    return (
        f"<h3><code>{_text(result.case.id)}</code></h3>"
        f"<p>{_text(result.case.title)} Allowed: {_text(words.wanted(result.case.allowed))}.</p>"
        f"<p>Sent: {_text(words.sent(result.case, result.role))}.</p><ul>{opinions}</ul>"
        f"<details><summary>Bytes</summary><p>Sent:</p><pre>{_text(_legible(result.sent))}</pre>"
        f"<p>Came:</p><pre>{_text(_legible(result.received))}</pre></details>"
    )


def _row(result: Result) -> str:
    verdict = result.verdict.value
    return (
        f"<tr><td><code>{_text(result.case.id)}</code><br>{_text(result.case.title)}</td>"
        f'<td class="verdict {verdict}">{verdict}</td>'
        f"<td>{_text(result.opinions[0].sentence)}</td></tr>"
    )


def _legible(data: bytes) -> str:
    return words.legible(data, MOST_BYTES)


def _text(text: str) -> str:
    return html.escape(text.translate(CONTROL))
