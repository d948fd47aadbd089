// Hostile templates end with an error within the steps and the memory that they are given; honest ones with long
// conversations do not. The bounds are counted, so that busy machines do not matter; times are only reported.
#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>

#include "core/error.h"
#include "core/text/chat_template.h"

namespace {
using namespace loam;

constexpr int64_t kSteps = 500'000, kMemory = 8 << 20;  // of small inputs: 50 ms and 16 MiB with the buffers beside it

std::string repeat(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

struct Hostile {
  std::string what;
  std::string text;
};

std::vector<Hostile> hostile_templates() {
  const std::string ns = "{% set ns = namespace(s='xxxxxxxxxx', l=[1]) %}";
  const auto loop = [](const std::string& count, const std::string& body) {
    return "{% for i in range(" + count + ") %}" + body + "{% endfor %}";
  };
  return {
      {"nested loops", loop("99999", loop("99999", "x"))},
      {"empty nested loops", loop("99999", loop("99999", ""))},
      {"a huge range", loop("99999999", "")},
      {"a loop over a huge range of numbers",
       "{{ range(99999)|map('string')|map('upper')|list|length }}" + loop("99999", "{{ range(99999)|sum }}")},
      {"doubled texts", ns + loop("60", "{% set ns.s = ns.s ~ ns.s %}") + "{{ ns.s }}"},
      {"doubled lists", ns + loop("60", "{% set ns.l = [ns.l, ns.l] %}") + "{{ ns.l }}"},
      {"doubled lists compared", ns + loop("20", "{% set ns.l = [ns.l, ns.l] %}") + loop("9999", "{{ ns.l == ns.l }}")},
      {"added lists", ns + loop("60", "{% set ns.l = ns.l + ns.l %}")},
      {"a text grown letter by letter",
       ns + loop("99999", "{% set ns.s = ns.s + 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' %}")},
      {"deep lists", ns + loop("90000", "{% set ns.l = [ns.l] %}")},
      {"deep generators", ns + loop("90000", "{% set ns.l = ns.l|map('upper') %}") + "{{ ns.l|list }}"},
      {"deep reversed iterators", ns + loop("90000", "{% set ns.l = [ns.l]|reverse %}")},
      {"a chain of namespaces",
       "{% set a = namespace() %}{% set a.t = a %}" +
           loop("90000", "{% set c = a.t %}{% set n = namespace() %}{% set c.n = n %}{% set a.t = n %}") + "{{ 1/0 }}"},
      {"a chain of macros",
       "{% set a = namespace() %}{% macro m(p) %}{% macro q() %}{{ p }}{% endmacro %}{% set a.f = q %}{% endmacro %}" +
           loop("90000", "{{ m(a.f) }}") + "{{ 1/0 }}"},
      {"a chain of loops",
       ns + loop("90000", "{% for x in [1] %}{{ loop.changed(ns.l) }}{% set ns.l = loop %}{% endfor %}") + "{{ 1/0 }}"},
      {"a macro that calls itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"},
      {"a macro that calls itself twice", "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}"},
      {"a caller in callers", "{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}{{ m() }}"},
      {"a recursive loop without end", "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}"},
      {"a wide recursive loop", "{% for i in [1] recursive %}{{ loop(range(99)) }}{% endfor %}"},
      {"a text times a number", "{{ 'a' * 10**9 }}"},
      {"a text times a huge number", "{{ 'x' * 999999999999 }}"},
      {"a list times a number", "{{ [1] * 999999999 }}"},
      {"large texts in a list", "{{ ['x' * 1000000] * 1000 }}" + loop("9", "{{ ('x' * 1000000) ~ i }}")},
      {"a padded text", "{{ 'x'.ljust(999999999999) }}"},
      {"a centered text", "{{ 'x'|center(99999999999) }}"},
      {"zeros", "{{ 'x'.zfill(99999999999) }}"},
      {"tabs", "{{ ('\\t' * 99999).expandtabs(1000000) }}"},
      {"a wide format", "{{ '%999999999d' % 1 }}"},
      {"a wide format by *", "{{ '%*d' % (999999999, 1) }}"},
      {"a wide format in braces", "{{ '{:999999999}'.format(1) }}"},
      {"a wide format in braces, twice", "{{ '{:{}}'.format(1, 999999999) }}"},
      {"attributes in a format", "{{ '{0.__class__.__mro__}'.format(1) }}"},
      {"attributes of a class", "{{ ''.__class__.__mro__[1].__subclasses__() }}"},
      {"attributes of a macro", "{% macro m() %}{% endmacro %}{{ m.__globals__.os }}"},
      {"attributes by a filter", "{{ ''|attr('__class__')|attr('__mro__')|first }}"},
      {"attributes by map", "{{ ['']|map(attribute='__class__.__mro__')|list }}"},
      {"a list that is changed", "{{ [].append(1) }}"},
      {"a power", "{{ 10 ** 999999999 }}"},
      {"wide rows", "{{ [1]|batch(999999999, 0)|list }}"},
      {"many slices", "{{ [1]|slice(999999999)|list }}"},
      {"indented lines", "{{ ('a\\n' * 9999)|indent(999999, true) }}"},
      {"a wide indent", "{{ 'a'|indent(999999999999, true) }}"},
      {"indented JSON", "{{ [[[[range(9999)|list]]]]|tojson(indent=1000) }}"},
      {"wide JSON", "{{ (range(99999)|list)|tojson(separators=['x' * 100000, '']) }}"},
      {"sorted again and again", "{% set l = range(99999)|list %}" + loop("999", "{{ l|sort|length }}")},
      {"sorted texts", "{% set l = ['x' * 9999 ~ 1] * 9999 %}{{ (l|sort)[0]|length }}{{ (l|sort)|join|length }}"},
      {"a text joined from many", "{{ range(99999)|join('x' * 99999) }}"},
      {"a text replaced by larger ones", "{{ ('a' * 99999).replace('a', 'b' * 99999) }}"},
      {"a text replaced by larger ones again", "{{ ('a' * 9999)|replace('', 'b' * 9999) }}"},
      {"split letters", loop("9999", "{{ ('a ' * 99999).split() | length }}")},
      {"letters in a list", loop("9999", "{{ ('a' * 99999)|list|length }}")},
      {"reversed letters", loop("9999", "{{ ('\xc3\xa4' * 99999)[::-1]|length }}")},
      {"unique values",
       "{{ range(99999)|map('string')|unique|list|length }}" + loop("99", "{{ range(99999)|unique|list|length }}")},
      {"upper case", loop("99999", "{{ ('a' * 99999).upper()|length }}")},
      {"large dicts", "{% set ns = namespace(d={}) %}" + loop("99999", "{% set ns.d = dict(ns.d, **{i|string: i}) %}")},
      {"many arguments", "{{ dict(**dict(range(99999)|map('string')|batch(1)|map('batch', 1)|list)) }}" +
                             loop("99999", "{{ range(99999)|list|length }}")},
      {"deep brackets", "{{ " + std::string(30000, '(')},
      {"more brackets than tokens", "{{ " + std::string(300000, '[')},
      {"a long sum", "{{ 1" + repeat("+1", 15000) + " }}"},
      {"nots", "{{ " + repeat("not ", 20000) + "1 }}"},
      {"signs", "{{ " + repeat("-", 30000) + "1 }}"},
      {"filters in a row", "{{ 1" + repeat("|abs", 15000) + " }}"},
      {"attributes in a row", "{{ a" + repeat(".b", 15000) + " }}"},
      {"ifs in ifs", repeat("{% if 1 %}", 9000)},
      {"loops in loops", repeat("{% for i in range(9) %}", 140) + "x" + repeat("{% endfor %}", 140)},
      {"conditions in a row", "{{ " + repeat("1 if ", 15000) + "1 }}"},
      {"a template of a megabyte", std::string(2 << 20, 'x')},
      {"a megabyte of tags", repeat("{{1}}", 200000)},
      {"words without an end", "{{ '" + std::string(100000, 'x')},
  };
}

TEST_CASE("jinja: hostile templates end with an error, within their steps and memory") {
  double slowest = 0;
  int64_t largest = 0;
  std::string slowest_name, largest_name;
  for (const Hostile& h : hostile_templates()) {
    CAPTURE(h.what);
    TemplateCost cost;
    std::string error;
    const std::clock_t start = std::clock();
    try {
      const std::string text = render_template(h.text, "{}", &cost);
      error = "no error: " + text.substr(0, 100);
    } catch (const Error& e) {
      error = e.what();
    }
    const double ms = double(std::clock() - start) * 1000 / CLOCKS_PER_SEC;
    CAPTURE(error);
    CHECK(error.starts_with("template, line "));
    CHECK(cost.steps_limit <= kSteps);
    CHECK(cost.memory <= cost.memory_limit);
    CHECK(cost.memory_limit <= kMemory + 8 * int64_t(h.text.size()));
    CHECK(ms < 20'000);  // a bound for busy machines
    if (std::getenv("LOAM_TEST_FULL"))
      MESSAGE(h.what << ": " << ms << " ms, " << cost.steps << " steps, " << cost.memory / 1024
                     << " KiB: " << error.substr(0, 100));
    if (ms > slowest) slowest = ms, slowest_name = h.what;
    if (cost.memory > largest) largest = cost.memory, largest_name = h.what;
  }
  MESSAGE("slowest " << slowest << " ms (" << slowest_name << "), largest " << largest / 1024 << " KiB ("
                     << largest_name << ")");
}

// 2000 messages of 512 bytes through the usual ways of walking them, looking ahead and back for each one.
TEST_CASE("jinja: long conversations render") {
  std::string messages = "[";
  for (int i = 0; i < 2000; ++i) {
    const char* role = i % 2 ? "assistant" : "user";
    messages +=
        std::string(i ? "," : "") + "{\"role\": \"" + role + "\", \"content\": \"" + std::string(512, 'x') + "\"}";
  }
  ChatTemplateInput input;
  input.messages_json = messages + "]";
  const char* const texts[] = {
      "{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}{% endfor %}",
      "{% for m in messages[::-1] %}{{ loop.index }}{{ m['content'] + '\n' }}{% endfor %}",
      "{% for m in messages %}{{ m.content.split('</think>')[-1].lstrip('\n') }}{{ messages[loop.index0 - 1].role }}{% "
      "endfor %}",
      "{% for m in messages %}{% set ns = namespace(found=false) %}{% for f in messages[loop.index:] %}{% if f.role == "
      "'assistant' %}{% set ns.found = true %}{% endif %}{% endfor %}{{ m.content if ns.found }}{% endfor %}",
      "{% set ns = namespace(s='') %}{% for m in messages %}{% set ns.s = ns.s + m.content %}{% endfor %}{{ ns.s }}",
      "{% set ns = namespace(l=[]) %}{% for m in messages %}{% set ns.l = ns.l + [m] %}{% endfor %}{{ ns.l|tojson }}",
  };
  for (const char* text : texts) {
    CAPTURE(text);
    TemplateCost cost;
    CHECK(render_chat(text, input, &cost).size() > 1'000'000);
    if (std::getenv("LOAM_TEST_FULL"))
      MESSAGE(cost.steps << " steps of " << cost.steps_limit << ", " << cost.memory / 1024 << " KiB of "
                         << cost.memory_limit / 1024);
  }
}

}  // namespace
