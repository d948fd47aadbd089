"""Random templates from Jinja's grammar: what PyPI's `jinja2` makes of them, set up as transformers does, is what ours
makes of them, or both refuse. LOAM_SEED and LOAM_ORACLE_COUNT choose others; LOAM_TEST_FULL runs more, with a new seed."""
import copy
import os
import random
import re
import resource
import sys

import jinja_reference
from oracle_support import SEED, count

COUNT = count(6000, 60000)
SHOW = int(os.environ.get("LOAM_ORACLE_SHOW", 10))
# Where ours may refuse what Python does: integers over 63 bits, complex powers, bounds, texts that are random or bytes,
# the loop object as a sequence, and errors in what jinja2's optimizer has dropped ("2 or x|nope").
ALLOWED = re.compile(r"too large|too many|is not supported|is complex|more than \d+ (steps|KiB)|nested deeper|wider than|"
                     r"are not supported|round to|without end|can only be false|a surrogate|no character|"
                     r"LoopContext cannot be iterated|no (filter|test) named|cannot be a key|cannot be sliced")
# Python's own objects in a text: their addresses differ from run to run, or their names are jinja2's.
UNFAIR = re.compile(r" at 0x|<bound|<method|<built-in|<function|<class|<jinja2|TemplateDict|<generator| object>|<Cycler|<Joiner|LoopContext", re.I)

CONTEXT = {
    "n": 3, "m": -7, "big": 123456789, "f": 2.5, "g": -0.125, "s": "Hello, World", "e": "", "u": "Grüße \U0001f600 ẞß", "t": " \tx y\n z ",
    "web": "see www.Example.org/x?y=(1), (http://a.b-c.co.uk:80/z), <me@x.example.com>. mailto:a@b.cd https://[::1]/ 10.1.2.3 http://10.1.2.3 ftp://f.g foo.com. x.y &lt;www.a.de&gt; a@b http://x_y.z1",
    "html": "<a href=\"x\">&'</a>", "lines": "one\ntwo\r\n\nthree\x0bfour", "yes": True, "no": False, "nil": None,
    "l": [3, 1, 2], "names": ["bob", "Al", "eve", "al"], "mixed": [1, "a", 2.5, None, True, [1]], "empty": [], "nest": [[1, 2], [3, [4, 5]]],
    "d": {"b": 1, "a": "x", "C": [1, 2]}, "no_d": {}, "items_d": {"items": 5, "get": 6},
    "people": [{"name": "X", "age": 40, "tags": ["p"]}, {"name": "yy", "age": 20, "tags": []}, {"name": "Z", "age": 40}],
    "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "Q <b>"}, {"role": "assistant", "content": "A\n"}],
    "tree": [{"n": 1, "c": [{"n": 2, "c": []}, {"n": 3, "c": [{"n": 4}]}]}, {"n": 5}],
}
NAMES = list(CONTEXT)
OTHER_NAMES = ["missing", "x", "x", "y", "z", "i", "i", "k", "v", "ns", "loop", "mac"]
LITERALS = ["0", "1", "2", "-1", "10", "007" if False else "7", "1_000", "0x1F", "0b101", "0o17", "1.5", "0.1", "1e3", "2.5e-7", "1e16", "100.0", "''", "'a'", "'Ab cD'",
            "'x,y,,z'", "\"it's\"", "'say \"hi\"'", "'\\n'", "'\\t\\\\'", "'\\u00e9\\x41\\101'", "'a' 'b'", "'%s'", "'%d%%'", "'{}-{}'", "'<&>'", "true", "false", "none", "True", "None",
            "[]", "{}", "()", "(1,)", "[1, 2, 3]", "['b', 'a']", "('a', 'b')", "{'a': 1, 'b': [2]}", "{1: 2, 'x': none}", "range(3)", "range(5, 0, -2)", "dict(a=1)"]
SLICES = ["0", "-1", "1", "5", "1:", ":2", ":-1", "::2", "::-1", "1:-1", "-2:", "5:1", "3:0:-1", "::n", "none:2", "'a'", "'name'", "true", "0, 1", "x", "-9:9:3"]
ATTRIBUTES = ["name", "age", "items", "get", "a", "b", "x", "role", "content", "0", "upper", "nope", "__class__", "_x", "append", "real", "keys", "index", "first", "length"]
METHODS = ["upper()", "lower()", "strip()", "strip('H d')", "lstrip()", "rstrip('\\n')", "title()", "capitalize()", "swapcase()", "casefold()", "split()", "split(',')", "split(none, 1)", "split(' ', maxsplit=1)",
           "rsplit(',', 1)", "rsplit()", "rsplit(none, 1)", "splitlines()", "splitlines(true)", "partition(',')", "rpartition(' ')", "replace('l', 'LL')", "replace('', '-')", "replace('l', '', 1)", "startswith('H')",
           "endswith(('d', 'x'))", "startswith('e', 1)", "find('l')", "rfind('l')", "find('l', 4)", "find('z')", "index('l')", "rindex('o')", "count('l')", "count('')", "join(['a', 'b'])", "join(names)", "join(l)", "isdigit()", "isalpha()",
           "isalnum()", "isspace()", "isupper()", "islower()", "istitle()", "isascii()", "isnumeric()", "isdecimal()", "isidentifier()", "isprintable()", "zfill(7)", "center(9)", "center(8, '*')", "ljust(15, '.')", "rjust(15)",
           "expandtabs(4)", "removeprefix('He')", "removesuffix('ld')", "format(1, 'b', a=2)", "format_map({'a': 1})", "items()", "keys()", "values()", "get('a')", "get('zz', 9)", "get(0)", "copy()", "items()|list",
           "index(1)", "count(1)", "append(1)", "pop()", "update(a=1)", "bit_length()", "is_integer()", "nope()", "name", "conjugate()", "fromkeys([1, 2])", "encode()", "strip(x)", "replace(1, 2)", "upper(1)", "split(sep='o')"]
FILTERS = ["abs", "attr('name')", "attr('upper')", "batch(2)|list", "batch(2, 'z')|list", "batch(3)|map('list')|list", "capitalize", "center(11)", "center", "count", "d('dflt')", "default('d', true)", "default(boolean=true)", "dictsort", "dictsort(true)",
           "dictsort(false, 'value')", "dictsort(reverse=true)", "e", "escape", "e|e", "filesizeformat", "filesizeformat(true)", "first", "float", "float(1.5)", "forceescape", "format(1)", "format('a', 2)", "format(a=1)", "groupby('age')|list", "groupby('name', default='-')|list",
           "groupby('age')|map('first')|list", "groupby('age')|map(attribute='list')|map('length')|list", "indent", "indent(2, true)", "indent(1, blank=true)", "indent('> ')", "int", "int(5)", "int(0, 16)", "int(base=2)", "items|list", "join", "join(', ')", "join('-', attribute='name')",
           "last", "length", "list", "lower", "map('upper')|list", "map('int')|list", "map(attribute='name')|list", "map(attribute='tags.0', default='none')|list", "map('default', 'q')|join(',')", "map('nofilter')|list", "max", "max(attribute='age')", "min", "min(true)", "pprint",
           "reject|list", "reject('odd')|list", "reject('in', [1, 'a'])|list", "rejectattr('tags')|list|length", "rejectattr('age', 'gt', 30)|map(attribute='name')|list", "replace('l', 'r')", "replace('o', 1, 1)", "replace(1, 2)", "reverse", "reverse|list", "round", "round(1)", "round(2, 'floor')",
           "round(1, 'ceil')", "round(-1)", "safe", "safe|upper", "select|list", "select('string')|list", "select('eq', 1)|list", "select('mapping')|first", "selectattr('age', 'eq', 40)|list|length", "selectattr('name')|map(attribute='name')|join", "slice(2)|list", "slice(3, 'f')|list", "sort", "sort(reverse=true)",
           "sort(true)", "sort(attribute='age')", "sort(attribute='age,name')|map(attribute='name')|list", "sort(case_sensitive=true)", "string", "striptags", "sum", "sum(attribute='age')", "sum(start=10)", "sum(start=[])", "title", "tojson", "tojson(indent=2)", "tojson(ensure_ascii=true)",
           "tojson(separators=(',', ':'))", "tojson(sort_keys=true)", "tojson(indent=0)", "tojson(indent='\\t')", "trim", "trim('H\\n ')", "truncate(5)", "truncate(8, true)", "truncate(6, false, '..', 0)", "unique|list", "unique(true)|list", "unique(attribute='age')|map(attribute='name')|list", "upper", "urlencode", "urlize", "urlize(12, true)",
           "wordcount", "wordwrap(5)", "wordwrap(4, false)", "xmlattr", "xmlattr(false)", "map('length')|sum", "nofilter", "select('notest')|list", "first|default(0)", "list|length", "batch(0)|list", "join(missing)", "replace('a')", "center('x')", "round(method='odd')", "sort(attribute='nope')"]
TESTS = ["boolean", "callable", "defined", "divisibleby 2", "divisibleby(3)", "eq 1", "equalto('a')", "escaped", "even", "false", "filter", "float", "ge 2", "gt 2", "greaterthan(1)", "in [1, 'a', none]", "in 'abc'", "integer", "iterable", "le 2", "lt(3)", "lower", "mapping", "ne 1", "none", "number",
         "odd", "sameas none", "sameas(true)", "sequence", "string", "test", "true", "undefined", "upper", "not defined", "not none", "not string", "notest", "lessthan 5"]
FORMATS = ["'%s|%r'", "'%5d|%-5d|%05d'", "'%+d % d'", "'%x %X %o %#x'", "'%.2f %8.3f'", "'%e %g %G'", "'%c'", "'%s %s'", "'%%'", "'%(a)s-%(b)s'", "'%5.1s|'", "'%i'", "'%'", "'%q'", "'%-6s|%6s'", "'%*d'", "'%.3d'", "'%s'", "'%r'", "'%#o'", "'%05.1f'", "'% .3e'"]
BRACES = ["'{}'", "'{} {}'", "'{0} {1} {0}'", "'{a} {b}'", "'{0[0]}'", "'{0.name}'", "'{a[b]}'", "'{!r}'", "'{!s:>6}'", "'{:>8}|{:<8}'", "'{:^9}'", "'{:*^9}'", "'{:05d}'", "'{:+}'", "'{:,}'", "'{:_}'", "'{:x} {:#x}'", "'{:b}'", "'{:.2f}'", "'{:8.3}'", "'{:e}'", "'{:%}'", "'{:g}'", "'{:{}}'", "'{{}}'",
          "'{'", "'}'", "'{0'", "'{:.3}'", "'{0.__class__}'", "'{:d}'", "'{:n}'", "'{:c}'", "'{:010}'", "'{:<05}'", "'{:=6}'", "'{:s}'", "'{:,.2f}'", "'{0} {}'", "'{!x}'", "'{:.0f}'", "'{: }'", "'{:o}'"]
BLOCK_FILTERS = ["upper", "trim", "indent", "replace('a', 'b')", "title|trim", "length", "nofilter", "escape"]
MACRO_HEADS = ["mac()", "mac(a)", "mac(a, b=2)", "mac(a='A', b=a)", "mac(x, y=1, z=none)", "mac(n)"]
CALLS = ["mac()", "mac(1)", "mac(1, 2)", "mac(a=1)", "mac(b=3, a=4)", "mac(1, b=2)", "mac(1, 2, 3)", "mac(q=1)", "mac(*l)", "mac(**d)", "mac(*[1], **{'b': 2})", "mac(x=s)", "mac(mac(1))", "mac(n, *names)"]


class Maker:
    def __init__(self, rng):
        self.r = rng

    def pick(self, values):
        return self.r.choice(values)

    def name(self):
        return self.pick(NAMES) if self.r.random() < 0.9 else self.pick(OTHER_NAMES)

    def chain(self):
        """An expression of parts that fit each other: most programs should come to their end."""
        texts = ["s", "e", "u", "t", "html", "lines", "'x-y z'", "'Ab,c'", "names[1]", "messages[1].content", "d.a", "(s ~ n)", "people[0].name", "'%s|%5.2f' % (s, f)", "'{:>9}'.format(s)", "(u * 2)", "web", "web"]
        lists = ["l", "names", "empty", "people", "messages", "range(4)", "nest[0]", "d", "[n, m, f]", "(1, 'a')", "s.split()", "(names + ['q'])", "people|map(attribute='name')", "d.items()", "s"]
        kind = self.r.randrange(3)
        if kind == 0:
            text = self.pick(texts)
            for _ in range(self.r.randrange(1, 4)):
                text = f"({text})" + self.pick(["|", "."]) + "?"
                safe = ["upper", "lower", "title", "capitalize", "trim", "escape", "safe", "string", "indent", "indent(2, true)", "replace('o', '0')", "center(20)", "truncate(7, true)", "wordwrap(6)", "striptags", "urlencode", "reverse", "tojson", "e", "format", "forceescape", "urlize", "urlize(9, target='_x', rel='b a')", "urlize(extra_schemes=['ftp:'])", "truncate(9)", "wordwrap(9)", "indent('..', blank=true)"]
                calls = ["upper()", "lower()", "title()", "strip()", "swapcase()", "capitalize()", "replace('l', '<')", "zfill(20)", "center(15, '*')", "ljust(12)", "rjust(12, '0')", "expandtabs(3)", "removeprefix('H')", "lstrip('He')", "rstrip()", "casefold()", "partition(' ')[0]", "split('o')[0]", "splitlines()|join('/')", "join(names)", "split()|join('_')"]
                text = text[:-1] + self.pick(safe if text[-2] == "|" else calls)
            return text
        if kind == 1:
            text = self.pick(lists)
            for _ in range(self.r.randrange(1, 3)):
                text = f"({text})|" + self.pick(["list", "reverse|list", "select|list", "reject('none')|list", "unique|list", "batch(2)|list", "batch(3, 0)|list", "slice(2)|list", "slice(3, '-')|list", "map('string')|list", "map('string')|map('upper')|list", "select('defined')|list", "map('tojson')|list", "map('length')|list" if self.r.random() < 0.2 else "list"])
            return text + self.pick(["", "|length", "|first", "|last", "|join('-')", "|tojson", "[1:]", "[::-1]", "|string|upper", "|map('string')|sort|list"])
        number = self.pick(["n", "m", "f", "g", "big", "7", "2.5", "(n * f)", "(m // n)", "(m % 4)", "(-m ** 2)", "(big / 7)", "n + f", "(s|length)", "l|sum", "l|max"])
        return f"({number})" + self.pick(["|abs", "|round", "|round(1)", "|round(2, 'ceil')", "|int", "|float", "|string", " * 2.5", " // 2", " % 3", " ~ ''", " > 2", " + 1", " ** 2", "|filesizeformat", " == 3", "|int|string", " / 3", " - 0.1", "|round(-1)"])

    def expression(self, depth=0):
        if depth == 0 and self.r.random() < 0.55:
            return self.chain()
        r = self.r.random()
        if depth > 3 or r < 0.28:
            return self.name() if self.r.random() < 0.6 else self.pick(LITERALS)
        e = lambda: self.expression(depth + 1)
        atom = lambda: f"({e()})" if self.r.random() < 0.4 else self.name()
        kinds = [
            lambda: f"{e()} {self.pick(['+', '-', '*', '/', '//', '%', '**', '~', '~', '+', '*'])} {e()}",
            lambda: f"{e()} {self.pick(['==', '!=', '<', '<=', '>', '>=', 'in', 'not in'])} {e()}",
            lambda: f"{e()} {self.pick(['<', '==', '<='])} {e()} {self.pick(['>', '!=', '<', 'in'])} {e()}",
            lambda: f"{e()} {self.pick(['and', 'or'])} {e()}",
            lambda: f"{self.pick(['not ', '-', '+', 'not not ', '- -'])}{e()}",
            lambda: f"{e()} if {e()}" + (f" else {e()}" if self.r.random() < 0.8 else ""),
            lambda: f"({e()})",
            lambda: f"{atom()}[{self.pick(SLICES)}]",
            lambda: f"{atom()}[{e()}]",
            lambda: f"{atom()}.{self.pick(ATTRIBUTES)}",
            lambda: f"{atom()}.{self.pick(METHODS)}",
            lambda: f"{atom()}|{self.pick(FILTERS)}",
            lambda: f"{atom()}|{self.pick(FILTERS)}",
            lambda: f"{atom()}|{self.pick(FILTERS)}|{self.pick(FILTERS)}",
            lambda: f"{atom()} is {self.pick(TESTS)}",
            lambda: f"[{e()}, {e()}]",
            lambda: f"({e()}, {e()})",
            lambda: "{" + f"{e()}: {e()}, 'k': {e()}" + "}",
            lambda: f"{self.pick(FORMATS)} % {self.pick([e(), '(' + e() + ', ' + e() + ')', '(1, 2.5, 3)', 'd', 'n', 'f', '(n, m)', '(s, f)'])}",
            lambda: f"{self.pick(BRACES)}.format({self.pick([e(), e() + ', ' + e(), 'n', 'f', 's', 'big, m', 'people[0]', 'a=1, b=2', '*l', '**d', 's, 12'])})",
            lambda: self.pick(CALLS) if self.macros else self.name(),
            lambda: self.name() if not self.in_loop else f"loop.{self.pick(['index', 'index0', 'first', 'last', 'length', 'revindex', 'revindex0', 'previtem', 'nextitem', 'depth', 'depth0'])}",
            lambda: self.pick(["loop.cycle('a', 'b')", "loop.changed(i)", "loop.changed(1)", "loop(x)", "caller()", "caller(1)", "varargs", "kwargs", "namespace(a=1).a", "cycler(1, 2).next()", "joiner('/')()", "range(n)|list",
                               "range(1, 9, 2)|list", "dict([(1, 2)], a=3)", "dict(d, b=9)", "ns.v", "range(4)[1:]|list", "range(4)[-1]", "(range(3)|map('string')|join)", "lipsum is defined", "range(3) == range(0, 3, 1)"]),
        ]
        return self.pick(kinds)()

    def tag(self, body):
        left = self.pick(["", "", "", "-", "+"])
        right = self.pick(["", "", "", "-", "+"])
        return "{%" + left + self.pick([" ", " ", "", "\n"]) + body + " " + right + "%}"

    def text(self):
        return self.pick(["text", " ", "\n", "  \n  ", "\t", "x\n", "\n\n", "a b", "{# note #}", "{#- note -#}\n", "  {# c #}\n", "\r\n", "{", "}", "%}", "é", "{% raw %}{{ x }}\n{% endraw %}", "{%- raw -%} {% y {%- endraw %}\n", "{%+ raw %}\n z {% endraw +%}\n"])

    def target(self):
        return self.pick(["i", "i", "x", "k, v", "i, (x, y)", "n", "s"])

    def statement(self, depth):
        inner = lambda: self.program(depth + 1)
        end = lambda name: self.tag("end" + name)
        e = self.expression
        t = self.tag
        kinds = [
            lambda: t(f"if {e()}") + inner() + (t(f"elif {e()}") + inner() if self.r.random() < 0.3 else "") + (t("else") + inner() if self.r.random() < 0.5 else "") + end("if"),
            lambda: t(f"for {self.target()} in {self.pick(['l', 'names', 'd', 'd.items()', 'd|items', 's', 'people', 'nest', 'range(4)', e(), e()])}" + (f" if {e()}" if self.r.random() < 0.3 else "")) + self.loop_body(depth) + (t("else") + inner() if self.r.random() < 0.3 else "") + end("for"),
            lambda: t(f"for i in tree{self.pick(['', ' if i.n != 3'])} recursive") + "{{ i.n }}" + inner() + "{{ loop(i.c) if i.c }}" + end("for"),
            lambda: t(f"set {self.pick(['x', 'y', 'n', 's', 'z'])} = {e()}"),
            lambda: t(f"set x, y = {self.pick(['1, 2', 'l[:2]', e(), '(1, (2, 3))'])}"),
            lambda: t("set ns = namespace(v=" + e() + ")") + t(f"set ns.{self.pick(['v', 'w', '_p'])} = {e()}"),
            lambda: t(f"set ns.v = {e()}"),
            lambda: t(f"set {self.pick(['x', 'y'])}" + self.pick(["", "|upper", "|trim|title", "|length", "|replace('a', 'b')"])) + inner() + end("set"),
            lambda: self.macro() + t(f"macro {self.pick(MACRO_HEADS)}") + inner() + self.pick(["", "{{ caller() }}", "{{ varargs }}", "{{ kwargs }}", "{{ a }}{{ b }}", "{{ caller(1) if caller }}"]) + end("macro") + "{{ " + self.pick(CALLS) + " }}",
            lambda: ("" if self.macros else "{% macro mac(a, b=2) %}<{{ a }}{{ caller(b) }}>{% endmacro %}") + t(f"call{self.pick(['', '(v)', '(v, k=1)'])} {self.pick(CALLS)}") + inner() + end("call"),
            lambda: t(f"filter {self.pick(BLOCK_FILTERS)}") + inner() + end("filter"),
            lambda: t(f"with {self.pick(['x = 1', 'x = n, y = x', 'a = ' + e(), 'x, y = l[:2]', ''])}") + inner() + end("with"),
            lambda: t("generation") + inner() + end("generation"),
            lambda: t(f"block b{self.r.randrange(1000000)}{self.pick(['', ' scoped'])}") + inner() + end("block"),
            lambda: t(f"print {e()}"),
            lambda: t(self.pick(["break", "continue"])) if self.in_loop else self.text(),
        ]
        return self.pick(kinds)()

    in_loop = macros = 0

    def macro(self):
        self.macros += 1
        return ""

    def loop_body(self, depth):
        self.in_loop += 1
        body = self.program(depth + 1) + self.pick(["", "", "{{ i }}", "{{ loop.index }}", "{{ x }}", "{% if loop.index > 2 %}{% break %}{% endif %}", "{% if i == 1 %}{% continue %}{% endif %}{{ k }}", "{% set x = loop.index %}"])
        self.in_loop -= 1
        return body

    def program(self, depth=0):
        parts = []
        for _ in range(self.r.randrange(1, 4)):
            r = self.r.random()
            if r < 0.2:
                parts.append(self.text())
            elif r < 0.6 or depth > 2:
                parts.append("{{" + self.pick(["", "", "-", "+"]) + self.pick([" ", ""]) + self.expression() + " " + self.pick(["", "", "-"]) + "}}")
            else:
                parts.append(self.statement(depth))
        return "".join(parts)


def expected(env, template):
    try:
        return {"text": env.from_string(template).render(**copy.deepcopy(CONTEXT))}
    except (RecursionError, MemoryError):
        return None
    except Exception as e:  # of any kind: jinja2 lets Python's own through
        return {"error": f"{type(e).__name__}: {e}"}


def shrink(env, template, render):
    """The smallest part of a template that still differs."""
    def differs(text):
        want = expected(env, text)
        return want is not None and not agrees(want, render([text])[0])
    size = max(len(template) // 2, 1)
    while size:
        at = 0
        while at < len(template):
            less = template[:at] + template[at + size:]
            if less != template and differs(less):
                template = less
            else:
                at += size
        size //= 2
    return template


def agrees(want, got):
    if "error" in want:
        return "error" in got
    if UNFAIR.search(want["text"]):
        return True
    return want["text"] == got["text"] if "text" in got else bool(ALLOWED.search(got["error"]))


def render(templates):
    return jinja_reference.render([(t, CONTEXT) for t in templates])


def main():
    # Python's texts have no bound: some program asks for a line of 10^9 characters a few times.
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, resource.getrlimit(resource.RLIMIT_AS)[1]))
    env = jinja_reference.environment()
    bad = errors = refused = unfair = 0
    for first in range(0, COUNT, 2000):
        templates, wants = [], []
        for i in range(first, min(first + 2000, COUNT)):
            template = Maker(random.Random(SEED * 1000003 + i)).program()
            want = expected(env, template)
            if want is not None:
                templates.append(template)
                wants.append(want)
        for template, want, got in zip(templates, wants, render(templates)):
            errors += "error" in want
            refused += "text" in want and "error" in got
            unfair += bool(UNFAIR.search(want.get("text", "")))
            if agrees(want, got):
                continue
            bad += 1
            if bad <= SHOW:
                small = shrink(env, template, render)
                print(f"{small!r}\n  want {str(expected(env, small))[:400]}\n  got  {str(render([small])[0])[:400]}")
    print(f"seed {SEED}: {COUNT} programs, {errors} of them errors in jinja2, {refused} refused by a bound, {unfair} unfair; {bad} differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
