"""PyPI's jinja2 set up as transformers sets it up for chat templates, and our own renderer beside it."""
import datetime
import json
import os
import subprocess
import sys
import warnings

from oracle_support import TOOL

try:
    import jinja2
    from jinja2 import nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment
except ImportError as e:
    print(f"SKIPPED: {e}")
    sys.exit(77)

NOW = "2025-03-04 05:06:07"  # what strftime_now reads on both sides
if not os.path.exists(TOOL):
    print(f"SKIPPED: {TOOL} is not built")
    sys.exit(77)
warnings.simplefilter("ignore")  # of Python, about random programs


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_run"), [], [], body).set_lineno(line)

    def _run(self, caller):
        return caller()


class DictMaker:
    def __call__(self, *args, **kwargs):
        return dict(*args, **kwargs)

    def fromkeys(self, *args):
        return dict.fromkeys(*args)


def private(name):
    if isinstance(name, str) and name.startswith("_"):
        raise jinja2.exceptions.SecurityError("a namespace's attribute begins with _")


class SafeNamespace(jinja2.utils.Namespace):
    def __init__(*args, **kwargs):
        self, values = args[0], dict(*args[1:], **kwargs)
        for name in values:
            private(name)
        jinja2.utils.Namespace.__init__(self, values)

    def __setitem__(self, name, value):
        private(name)
        jinja2.utils.Namespace.__setitem__(self, name, value)


def environment():
    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def strftime_now(format):
        return datetime.datetime.strptime(NOW, "%Y-%m-%d %H:%M:%S").strftime(format)

    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = strftime_now
    env.globals["dict"] = DictMaker()
    env.globals["namespace"] = SafeNamespace
    return env


def render(cases):
    """What ours makes of (template, context) pairs: {"text"} or {"error"} each."""
    lines = "".join(json.dumps({"template": t, "context": c, "time": NOW}) + "\n" for t, c in cases)
    done = subprocess.run([TOOL, "render"], input=lines, capture_output=True, text=True)
    if done.returncode:
        if len(cases) > 1:  # find the one
            render(cases[:len(cases) // 2])
            render(cases[len(cases) // 2:])
        raise SystemExit(f"text_tool render failed with {done.returncode} {done.stderr} on {cases[0][0]!r}")
    answers = [json.loads(x) for x in done.stdout.split("\n") if x]
    assert len(answers) == len(cases)
    return answers
