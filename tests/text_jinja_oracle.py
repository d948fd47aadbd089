"""Our Jinja against PyPI's `jinja2`, set up as transformers does: programs of every construct, chat templates in the
style of the families, those of GGUF files (LOAM_ORACLE_MODELS=a.gguf:b.gguf), and random programs (seed printed)."""
import copy
import os
import random
import sys

from jinja_reference import environment, jinja2, render
from oracle_support import SEED, count, model_files

COUNT = count(3000, 20000)


WEATHER = {"type": "function", "function": {"name": "get_weather", "description": "Wetter für \"Orte\" <b>&'",
           "parameters": {"type": "object", "properties": {"city": {"type": "string", "enum": ["Köln", "東京"]},
                                                           "days": {"type": "integer", "default": 1.5}},
                          "required": ["city"]}}}
CHATS = [
    [{"role": "user", "content": "Hi"}],
    [{"role": "system", "content": " Be brief.\n"}, {"role": "user", "content": "a\n\nb  "}],
    [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}, {"role": "user", "content": "3 \u00fc\U0001f600"}],
    [{"role": "user", "content": "weather?"},
     {"role": "assistant", "content": "", "tool_calls": [
         {"type": "function", "function": {"name": "get_weather", "arguments": {"city": "K\u00f6ln", "n": [1, 2.0, None]}}}]},
     {"role": "tool", "content": "{\"t\": 3}"}, {"role": "tool", "content": "ok"}, {"role": "user", "content": "thanks"}],
    [{"role": "user", "content": "x"}, {"role": "assistant", "content": "<think>\nhm\n</think>\n\nyes"}, {"role": "user", "content": "y"}],
]

CHAT_TEMPLATES = [
    # ChatML
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}\n",
    # system turned into a first user turn, alternation checked
    """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '\n\n' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '\n\n' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}
    {%- endif -%}
    {%- set role = "model" if message['role'] == 'assistant' else message['role'] -%}
    {{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}{{ item['text'] | trim }}{%- endfor -%}
    {%- endif -%}
    {{ '<end_of_turn>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{'<start_of_turn>model\n'}}{%- endif -%}
""",
    # headers, date, tools in the user turn
    """{{- bos_token }}
{%- if not date_string is defined %}{%- set date_string = "26 Jul 2024" %}{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\n\n" }}
{%- if tools is not none %}
    {{- "Environment: ipython\n" }}
{%- endif %}
{{- "Today Date: " + date_string + "\n\n" }}{{- system_message }}{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}{{- raise_exception("This model only supports single tool-calls at once!") }}{%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '{"name": "' + tool_call.name + '", ' }}{{- '"parameters": ' }}{{- tool_call.arguments | tojson }}{{- "}" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\n\n" }}
        {%- if message.content is mapping or message.content is iterable %}{{- message.content | tojson }}{%- else %}{{- message.content }}{%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if tools %}{% for t in tools %}{{- t | tojson(indent=4) }}{{- "\n\n" }}{%- endfor %}{%- endif %}
""",
    # thinking, searched backwards with a namespace
    """{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- if message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- elif '</think>' in content %}
            {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if loop.last or (not loop.last and reasoning_content) %}
            {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {%- generation %}{{ content }}{% endgeneration %}
    {%- else %}
        {{- '<|im_start|>' ~ message.role ~ '\\n' ~ content ~ '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
""",
    # a macro that walks JSON schema types
    """{%- macro json_to_type(spec, depth=0) %}
{%- if spec.type == "object" -%}
{ {%- for name, value in spec.properties|items %}
{{ "  " * (depth + 1) }}{{ name }}{{ "?" if name not in spec.required|default([]) }}: {{ json_to_type(value, depth + 1) }}{{ "," if not loop.last }}
{%- endfor %}
{{ "  " * depth }} }
{%- elif spec.enum is defined %}
{{- spec.enum|map("tojson")|join(" | ") }}
{%- else %}{{ spec.type }}{% if spec.default is defined %} = {{ spec.default }}{% endif %}
{%- endif %}
{%- endmacro %}
{%- for tool in tools or [] %}
    {%- set f = tool.function %}
    // {{ f.description|escape }}
    type {{ f.name }} = (_: {{ json_to_type(f.parameters) }}) => any;

{% endfor %}
{% for m in messages|selectattr("role", "equalto", "user") %}[INST] {{ m.content }} [/INST]{% endfor %}
""",
]

# One small program per construct; the context is CONTEXT below.
PROGRAMS = [
    "{{ messages|pprint }}", "{{ tools|pprint }}", "{{ (messages, 'a ' * 60, 'x' * 99)|pprint }}",
    "{{ ('a  b\\u2028 c ' * 20)|pprint }}", "{{ ({'k' * 30: ('d e\\n' * 9,), 'j': ['\\'q' * 30, ()]},)|pprint }}",
    "{% for n in range(60, 90) %}{{ ['y ' * n, {'z': 'w' * n}, ('v ' * n,)]|pprint }}{% endfor %}",
    "a\n", "a\n\n", "{{ 'x' }}\n", "  {% if true %}\n  x\n  {% endif %}\ny", "{%- if true -%} x {%- endif -%} y", "a {%+ if true %} b {% endif +%}\nc",
    "{# c #}\nx {#- c -#} y", "  {# c #}\n  z", "{% raw %}{{ x }} {% y %}{% endraw %}\nz", "{%- raw -%}  {{ x }}  {%- endraw -%}  z", "a\r\nb\rc{{ '\\r\\n' }}",
    "{{ 1 + 2 * 3 - 4 // 3 % 2 }} {{ 7 / 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ -2 ** 2 }}",
    "{{ 1.0 }} {{ 1e16 }} {{ 123456789.123 }} {{ 1e-5 }} {{ 0.1 + 0.2 }} {{ 1_000 }} {{ 5.5 // 2 }} {{ -5.5 % 2 }}",
    "{{ true }} {{ none }} {{ [1, 'a', 2.5, none] }} {{ {'a': 1, 'b': [true]} }} {{ (1,) }} {{ (1, 2) }} {{ () }}",
    "{{ \"it's\" }} {{ [\"it's\", 'say \"x\"', '\\n\\t\\\\', 'é\\u00ff\\x07'] }}", "{{ 'a' ~ 1 ~ none ~ 2.0 ~ [1] }} {{ 'a' 'b' }}",
    "{{ nothing }}|{{ nothing is defined }}|{{ nothing|default('d') }}|{{ ''|default('d', true) }}|{{ user.nope }}|{{ user['nope'] is undefined }}",
    "{{ 'yes' if n > 2 else 'no' }} {{ 'x' if false }} {{ 1 if true else 2 if true else 3 }}",
    "{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 'a' in 'abc' }} {{ 4 not in items }} {{ not 1 == 2 }} {{ 1 == 1.0 }} {{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }}",
    "{{ n and 0 or 'z' }} {{ '' or none }} {{ not '' }} {{ 1 is odd and 2 is even }} {{ n is divisibleby 3 }} {{ n is not none }}",
    "{% for i in items %}{{ loop.index }}/{{ loop.length }}{{ loop.first }}{{ loop.last }}{{ loop.revindex }}{{ loop.previtem }}{{ loop.nextitem }} {% else %}none{% endfor %}",
    "{% for i in [] %}x{% else %}empty{% endfor %}{% for k, v in user.items() %}{{ k }}={{ v }};{% endfor %}{% for c in 'aé' %}{{ c }}.{% endfor %}",
    "{% for i in items if i is odd %}{{ i }}:{{ loop.index }} {% endfor %}{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for i in range(10) %}{% if i == 3 %}{% continue %}{% endif %}{% if i > 5 %}{% break %}{% endif %}{{ i }}{% endfor %}",
    "{% for i in tree recursive %}{{ i.n }}{{ loop.depth }}{% if i.c %}({{ loop(i.c) }}){% endif %}{% endfor %}",
    "{% for i in range(6) %}{{ loop.cycle('a', 'b', 'c') }}{% endfor %} {% for i in [1, 1, 2] %}{{ loop.changed(i) }}{% endfor %}",
    "{% set x = 1 %}{% for i in items %}{% set x = x + i %}{{ x }} {% endfor %}{{ x }}{% if true %}{% set x = 9 %}{% endif %}{{ x }}",
    "{% set ns = namespace(a=1, b='x') %}{% for i in items %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}{{ ns.b }}{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% set t %}  a{{ n }}\n{% endset %}[{{ t }}]{% set u | upper | trim %} b {% endset %}[{{ u }}]{% filter upper %}x{{ name }}{% endfilter %}",
    "{% macro m(a, b=2, c=none) %}{{ a }}-{{ b }}-{{ c }}{% endmacro %}{{ m(1) }} {{ m(1, c=3) }} {{ m(b=1, a=2) }} {{ m.name }} {{ m() }}",
    "{% macro m(x) %}<{{ caller(x) }}>{% endmacro %}{% call(v) m(3) %}got {{ v }}{% endcall %}{% macro f(n) %}{{ n }}{% if n %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(4) }}",
    "{% with a = 1, b = n %}{{ a + b }}{% endwith %}{{ a is defined }}",
    "{{ items[0] }}{{ items[-1] }}{{ items[1:] }}{{ items[:-1] }}{{ items[::-1] }}{{ items[::2] }}{{ 'héllo'[1] }}{{ 'héllo'[::-1] }}{{ 'abc'[-2:] }}{{ items[5] is defined }}{{ items[3:1] }}{{ items[-9:9:2] }}{{ items.0 }}",
    "{{ name.upper() }}{{ ' a b '.strip() }}{{ 'xxaxx'.strip('x') }}{{ 'a,b,,c'.split(',') }}{{ ' a  b c'.split() }}{{ 'a b c'.split(' ', 1) }}{{ 'a b c'.rsplit(none, 1) }}{{ 'a-b-c'.rsplit('-', 1) }}",
    "{{ 'abc'.startswith('ab') }}{{ 'abc'.endswith(('x', 'c')) }}{{ 'aXbX'.replace('X', '--') }}{{ 'aXbX'.replace('X', '', 1) }}{{ 'ab'.replace('', '.') }}{{ ', '.join(['a', 'b']) }}{{ 'hello world'.title() }}{{ \"it's\".title() }}{{ 'héllo'.find('l') }}{{ 'aaa'.count('a') }}",
    "{{ 'a\\nb\\r\\nc\\n'.splitlines() }}{{ 'Abc'.isupper() }}{{ '12'.isdigit() }}{{ 'ab'.isalpha() }}{{ ' '.isspace() }}{{ 'prefix-x'.removeprefix('prefix-') }}{{ '5'.zfill(3) }}{{ 'a=b=c'.partition('=') }}{{ 'x'.ljust(3) }}|{{ 'x'.rjust(3) }}",
    "{{ user.get('name') }}{{ user.get('zip', 'none') }}{{ user.keys()|list }}{{ user.values()|list }}{{ user|items|list }}{{ 'name' in user }}{{ user|length }}{{ user.get('q') }}",
    "{{ 'a b'|title }}{{ 'ABC'|lower|capitalize }}{{ ' x '|trim }}|{{ 'xyx'|trim('x') }}{{ items|join(', ') }}{{ items|sum }}{{ items|max }}{{ items|min }}{{ items|first }}{{ items|last }}{{ items|length }}{{ [3, 1, 2]|sort }}{{ ['b', 'A', 'c']|sort(reverse=true) }}{{ 'cba'|sort|join }}",
    "{{ people|map(attribute='name')|join('+') }}{{ people|selectattr('age', 'gt', 30)|map(attribute='name')|list }}{{ people|rejectattr('age')|list|length }}{{ items|select('odd')|list }}{{ items|reject('in', [1, 2])|list }}{{ ['a', 'b']|map('upper')|list }}{{ people|sum(attribute='age') }}{{ people|sort(attribute='age')|map(attribute='name')|list }}",
    "{{ people|groupby('age')|list|length }}{% for age, group in people|groupby('age') %}{{ age }}:{{ group|map(attribute='name')|join(',') }};{% endfor %}{{ [1, 2, 1, 'a', 'A']|unique|list }}{{ user|dictsort }}{{ [1, 2, 3, 4, 5]|batch(2)|list }}{{ [1, 2, 3, 4, 5]|batch(2, 0)|list }}{{ [1, 2, 3, 4, 5]|slice(2)|list }}{{ 'abc'|reverse }}{{ items|reverse|list }}",
    "{{ user|tojson }}{{ user|tojson(indent=2) }}{{ [1.5, none, true, 'é\\n\"\\u0001']|tojson }}{{ 'é\U0001f600'|tojson(ensure_ascii=true) }}{{ {'b': 1, 'a': []}|tojson(sort_keys=true, separators=(',', ':')) }}{{ {}|tojson(indent=2) }}{{ {'a': {}, 'b': [1]}|tojson(indent=1) }}",
    "{{ '42'|int + 1 }}{{ 'x'|int(7) }}{{ '3.7'|int }}{{ 3.9|int }}{{ '1.5'|float }}{{ 2|float }}{{ 2.5|round }}{{ 3.14159|round(2) }}{{ 2.1|round(0, 'ceil') }}{{ 7|round }}{{ -3|abs }}{{ true|int }}{{ '%s=%d %.2f %5s|%-5s|%%'|format('a', 3, 2.5, 'r', 'l') }}{{ '%05d %x' % (42, 255) }}",
    "{{ 'a\\nb\\n\\nc'|indent }}|{{ 'a\\nb'|indent(2, true) }}|{{ 'a\\n\\nb'|indent(1, blank=true) }}|{{ 'foo bar baz qux'|truncate(9) }}|{{ 'foo bar baz qux'|truncate(9, true, leeway=0) }}|{{ 'a b-c'|wordcount }}|{{ 'x'|center(6) }}|{{ 'x'|center(5) }}|{{ '<a href=\"x\">&\\''|escape }}|{{ [1, 2]|string }}",
    "{{ 1 is integer }}{{ 1.0 is float }}{{ 1 is number }}{{ true is integer }}{{ true is boolean }}{{ 'a' is string }}{{ {} is mapping }}{{ [] is sequence }}{{ 'a' is iterable }}{{ none is none }}{{ range is callable }}{{ 1 is sameas 1 }}{{ 2 is gt 1 }}{{ 2 is in items }}{{ 'a' is lower }}{{ 'A' is upper }}{{ 3 is eq 3 }}{{ true is true }}{{ 0 is false }}{{ 'upper' is filter }}{{ 'odd' is test }}",
    "{{ range(3)|list }}{{ range(1, 9, 3)|list }}{{ range(3, 0, -1)|list }}{{ dict(a=1, b=2) }}{% set c = cycler('x', 'y') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{% set j = joiner(', ') %}{{ j() }}a{{ j() }}b",
    "{{ [1] + [2, 3] }}{{ 'ab' * 3 }}{{ [0] * 3 }}{{ 'a' + 'b' }}{{ (1, 2) + (3,) }}", "{{ people[0].name[0] }}{{ people[1]['name']|length }}{{ people|first|attr('x') is defined }}",
    "{% if n == 1 %}a{% elif n == 3 %}b{% else %}c{% endif %}{% if nothing %}x{% endif %}{% if nothing is not defined %}y{% endif %}{% if user.tags and 'a' in user.tags %}z{% endif %}",
    "{{ raise_exception('no: ' ~ n) }}", "{{ nothing.x }}", "{{ nothing + 1 }}", "{{ 1 + 'a' }}", "{{ items.append(4) }}", "{% if x %}", "{{ x|nofilter }}", "{{ x is notest }}", "{{ 1 / 0 }}", "{{ [] < 1 }}",
    "{{ 'unclosed }}", "{% for %}{% endfor %}", "{{ range(1000000) }}", "{{ user.name.__class__ }}", "{{ ''.__class__.__mro__ }}", "{% include 'x' %}", "{{ (1 }}", "{{ {1: 2 }}", "{{ }}", "{% set ns = 1 %}{% set ns.x = 2 %}",
]
CONTEXT = {"n": 3, "name": "bob", "items": [1, 2, 3], "user": {"name": "Ann", "tags": ["a", "b"], "age": 41, "q": None},
           "people": [{"name": "X", "age": 40}, {"name": "Yy", "age": 20}, {"name": "Z", "age": 40}],
           "tree": [{"n": 1, "c": [{"n": 2, "c": []}, {"n": 3, "c": [{"n": 4}]}]}, {"n": 5}]}


def random_expression(rng, depth=0):
    if depth > 2 or rng.random() < 0.4:
        return rng.choice(["n", "name", "items", "user", "user.name", "people", "people[0]", "nothing", "1", "0", "2", "-1", "2.5", "'a b'",
                           "'Ab,c'", "''", "true", "none", "[]", "[3, 1, 2]", "{'k': 1}", "items[0]", "user.tags", "i", "'\\n x \\n'"])
    a = lambda: random_expression(rng, depth + 1)
    return rng.choice([
        lambda: f"{a()} {rng.choice(['+', '-', '*', '//', '%', '~', '/'])} {a()}", lambda: f"({a()})", lambda: f"not {a()}",
        lambda: f"{a()} {rng.choice(['==', '!=', '<', '>=', 'in', 'not in', 'and', 'or'])} {a()}",
        lambda: f"{a()} if {a()} else {a()}", lambda: f"[{a()}, {a()}]", lambda: f"{rng.choice(['name', 'items', 'user.tags', 'people'])}[{rng.choice(['0', '-1', '1:', ':-1', '::-1', ':2', '-9:9'])}]",
        lambda: f"(({a()})|{rng.choice(['length', 'upper', 'trim', 'list', 'first', 'last', 'join', 'tojson', 'string', 'int', 'default(1)', 'sort', 'reverse|list', 'title', 'capitalize', 'sum', 'max', 'unique|list', 'indent', 'escape', 'float', 'abs', 'tojson(indent=2)'])})",
        lambda: f"(({a()}) is {rng.choice(['defined', 'none', 'string', 'number', 'odd', 'mapping', 'iterable', 'sequence', 'not defined', 'true', 'lower', 'integer', 'boolean'])})",
        lambda: f"(({a()}).{rng.choice(['strip()', 'upper()', 'split()', 'items()|list', 'keys()|list', 'name', 'x', 'title()', 'lower()'])})",
        lambda: f"-{a()}", lambda: f"{a()}.split({a()})", lambda: f"{a()}.replace({a()}, {a()})",
    ])()


def random_program(rng, depth=0):
    parts = []
    for _ in range(rng.randrange(1, 4)):
        r = rng.random()
        minus = lambda: rng.choice(["", "", "-", "+" if rng.random() < 0.3 else ""])
        end = lambda: rng.choice(["", "", "-"])
        tag = lambda body: "{%" + minus() + " " + body + " " + end() + "%}"
        inner = lambda: random_program(rng, depth + 1)
        if r < 0.2:
            parts.append(rng.choice(["text", " ", "\n", "  \n  ", "\t", "x\n", "\n\n", "{# note #}", "{#- note -#}\n"]))
        elif r < 0.6 or depth > 2:
            parts.append("{{" + rng.choice(["", "-"]) + " " + random_expression(rng) + " " + end() + "}}")
        elif r < 0.7:
            parts.append(tag(f"if {random_expression(rng)}") + inner() + (tag("else") + inner() if rng.random() < 0.5 else "") + tag("endif"))
        elif r < 0.8:
            body = inner() + rng.choice(["", "{{ loop.index }}", "{{ i }}"])
            parts.append(tag(f"for i in {random_expression(rng)}") + body + (tag("else") + inner() if rng.random() < 0.3 else "") + tag("endfor"))
        elif r < 0.9:
            parts.append(tag(f"set {rng.choice(['n', 'name', 'y'])} = {random_expression(rng)}"))
        elif r < 0.95:
            parts.append(tag("set y") + inner() + tag("endset") + "{{ y }}")
        else:
            parts.append(tag("macro m(a, i=1)") + inner() + tag("endmacro") + "{{ m(" + random_expression(rng) + ") }}")
    return "".join(parts)


def expected(env, template, context):
    try:
        return {"text": env.from_string(template).render(**copy.deepcopy(context))}
    except (jinja2.exceptions.TemplateError, TypeError, ValueError, OverflowError, ZeroDivisionError, AttributeError, KeyError, IndexError) as e:
        return {"error": f"{type(e).__name__}: {e}"}


def unfair(want):
    """Texts that show Python's objects, which no chat template prints."""
    text = want.get("text", "")
    return any(x in text for x in ("<generator", " object at 0x", "dict_items(", "dict_keys(", "built-in", "<function", "bound method",
                                   "range(", "<class", "<Macro", "<method", "<bound", "Undefined", "Markup("))


def compare(name, cases):
    env = environment()
    answers = render(cases)
    bad = errors = 0
    for (template, context), got in zip(cases, answers):
        want = expected(env, template, context)
        errors += "error" in want
        if ("text" in want) == ("text" in got) and want.get("text") == got.get("text") or unfair(want):
            continue
        bad += 1
        if bad <= int(os.environ.get("LOAM_ORACLE_SHOW", 8)):
            print(f"{name}: {template!r}\n  want {want}\n  got  {got}")
    print(f"{name}: {len(cases)} programs ({errors} of them errors), {bad} differ")
    return bad


def chat_cases(template):
    cases = []
    for chat in CHATS:
        for tools in (None, [WEATHER], [WEATHER, WEATHER]):
            for prompt in (False, True):
                cases.append((template, {"messages": chat, "tools": tools, "add_generation_prompt": prompt,
                                         "bos_token": "<s>", "eos_token": "</s>", "enable_thinking": prompt}))
    return cases


def model_templates():
    try:
        import gguf
    except ImportError:
        print("SKIPPED the models' own templates: no package gguf")
        return
    for path in model_files():
        field = gguf.GGUFReader(path).fields.get("tokenizer.chat_template")
        if field:
            yield os.path.basename(path), field.contents()


def main():
    print(f"seed {SEED}, jinja2 {jinja2.__version__}")
    rng = random.Random(SEED)
    bad = compare("constructs", [(p, CONTEXT) for p in PROGRAMS])
    for i, template in enumerate(CHAT_TEMPLATES):
        bad += compare(f"chat template {i}", chat_cases(template))
    for name, template in model_templates():
        bad += compare(name, chat_cases(template))
    bad += compare("random", [(random_program(rng), CONTEXT) for _ in range(COUNT)])
    return 1 if bad else 0


sys.exit(main())
