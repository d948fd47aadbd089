// The Jinja evaluator: constructs, and what hostile templates get. The oracle test compares many more with jinja2.
#include <doctest/doctest.h>

#include "core/error.h"
#include "core/text/chat_template.h"

namespace {
using namespace loam;

const char* const kContext =
    R"({"n": 3, "name": "bob", "items": [1, 2, 3], "user": {"z": 1, "a": {"b": [1.5, null]}}, "nothing": null})";

std::string render(const std::string& text) { return render_template(text, kContext); }

std::string error_of(const std::string& text) {
  try {
    return "no error: " + render(text);
  } catch (const Error& e) {
    return e.what();
  }
}

struct Case {
  const char *text, *expected;
};

TEST_CASE("jinja: constructs") {
  const Case cases[] = {
      {"a{# b #}c\n", "ac"},
      {"  {% if true %}\n  x\n  {% endif %}\ny", "  x\ny"},
      {"a {%- if n == 3 -%} b {%- else -%} c {%- endif %} d", "ab d"},
      {"{% for i in items if i != 2 %}{{ loop.index }}:{{ i }}{{ ',' if not loop.last }}{% else %}-{% endfor %}",
       "1:1,2:3"},
      {"{% for k, v in user|items %}{{ k }}{% endfor %}{% for x in [] %}{% else %}none{% endfor %}", "zanone"},
      {"{% set x = 1 %}{% for i in items %}{% set x = 5 %}{% endfor %}{{ x }}", "1"},
      {"{% set ns = namespace(x=1) %}{% for i in items %}{% set ns.x = ns.x * i %}{% endfor %}{{ ns.x }}", "6"},
      {"{% macro m(a, b='-') %}[{{ a }}{{ b }}]{% endmacro %}{{ m(1) }}{{ m(b=2, a=3) }}", "[1-][32]"},
      {"{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 5 }} {{ 1 ~ 2 * 3 }}", "3 -4 2 3.5 32 16"},
      {"{{ items[::-1] }} {{ items[1:] }} {{ name[-1] }} {{ 'h\xc3\xa9'[1] }}", "[3, 2, 1] [2, 3] b \xc3\xa9"},
      {"{{ user|tojson }}|{{ {'a': [1]}|tojson(indent=1) }}",
       "{\"z\": 1, \"a\": {\"b\": [1.5, null]}}|{\n \"a\": [\n  1\n ]\n}"},
      {"{{ missing }}{{ missing is defined }}{{ user.q|default('d') }}{{ nothing is none }}", "FalsedTrue"},
      {"{{ ' a,b '.strip().split(',') }}{{ name.upper().startswith('BO') }}", "['a', 'b']True"},
      {"{% raw %}{{ x }}{% endraw %}{% filter upper %}q{% endfilter %}", "{{ x }}Q"},
      {"{% for i in range(9) %}{% if i is odd %}{% continue %}{% endif %}{% if i > 4 %}{% break %}{% endif %}{{ i }}{% "
       "endfor %}",
       "024"},
      {"{% macro m(a, b=a) %}{{ a }}{{ b }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, c=4) }}",
       "12(3,){'c': 4}"},
      {"{% macro m() %}<{{ caller(1, y=2) }}>{% endmacro %}{% call(x, y) m() %}{{ x }}{{ y }}{% endcall %}", "<12>"},
      {"{% set x %} a{{ n }} {% endset %}[{{ x }}]{% set y | trim | upper %} a {% endset %}{{ y }}", "[ a3 ]A"},
      {"{% for i in items %}{{ loop.cycle('a', 'b') }}{{ loop.changed(i // 2) }}{{ loop.nextitem }}{% endfor %}",
       "aTrue2bTrue3aFalse"},
      {"{% for i in [1] %}{% continue %}{% else %}else{% endfor %}", "else"},
      {"{% set g = items|map('string') %}{{ g|join }}{{ g|join }}", "123"},
      {"{{ items[-1:0:-1] }}{{ 1 < n <= 3 != 4 }}{{ '%05.1f|%-4s|%x' % (2.25, 'a', 255) }}", "[3, 2]True002.2|a   |ff"},
      {"{{ '{0:>5}|{a[z]!r}|{1.x}'.format('b', {'x': 2}, a=user) }}", "    b|1|2"},
      {"{{ '<b>'|escape + '<' }}{{ '<b>'|safe ~ '<' }}", "&lt;b&gt;&lt;<b><"},
      {"{% block b %}{{ n }}{% endblock %}{% generation %}g{% endgeneration %}{% print n, 1 %}", "3g31"},
      {"{{ dict(a=1, **{'b': 2}) }}{{ range(*[1, 4])|list }}{{ namespace(a=1).a }}", "{'a': 1, 'b': 2}[1, 2, 3]1"},
      {"{% set x = 1 %}{% macro m() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ m() }}", "2"},
      {"{% for i in items if i > 1 %}{{ loop.index }}/{{ loop.length }} {% endfor %}{{ i is defined }}",
       "1/2 2/2 False"},
      {"{{ ''.__class__ is defined }}{{ [].append is defined }}{{ user.__init__ is defined }}", "FalseFalseFalse"},
      {"{% for x in [[1, [2]], 3] recursive %}{{ loop(x) if x is iterable else x }}{% endfor %}", "123"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(render(c.text) == c.expected);
  }
}

TEST_CASE("jinja: errors name the line and the construct") {
  CHECK(error_of("\n{% include 'x' %}").find("line 2: 'include' is not supported") != std::string::npos);
  CHECK(error_of("a\n\n{{ n|blorp }}").find("line 3: no filter named 'blorp'") != std::string::npos);
  CHECK(error_of("{{ n is blorp }}").find("no test named 'blorp'") != std::string::npos);
  CHECK(error_of("\n{{ missing.x }}").find("line 2: 'missing' is undefined") != std::string::npos);
  CHECK(error_of("{{ raise_exception('bad ' ~ n) }}") == "template, line 1: bad 3");
  for (const char* text :
       {"{{ 1", "{% if n %}", "{{ 'x }}", "{% for x %}{% endfor %}", "{{ }}", "{# x", "{% raw %}", "{{ 1 / 0 }}",
        "{{ 9223372036854775807 + 1 }}", "{{ items.append(1) }}", "{% set n.x = 1 %}", "{{ n() }}", "{% endif %}"}) {
    CAPTURE(text);
    CHECK(error_of(text).find("no error") == std::string::npos);
  }
}

TEST_CASE("jinja: namespaces that hold themselves do not leak or hang") {
  CHECK(render("{% set ns = namespace() %}{% set ns.me = ns %}{% set ns.list = [ns] %}{{ ns.me.me is defined }}") ==
        "True");
}

}  // namespace
