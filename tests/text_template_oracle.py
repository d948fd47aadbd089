"""Chat templates in the style of each family of models (tests/data/templates) over many conversations: byte-equal to
PyPI's `jinja2` set up as transformers does, or an error where it raises. LOAM_TEMPLATES=a.jinja:b.jinja adds others."""
import copy
import glob
import itertools
import json
import os
import sys

import jinja_reference

WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "Wetter für \"Orte\" <b>&'",
    "parameters": {"type": "object", "required": ["city"], "properties": {
        "city": {"type": "string", "description": "the city\nor town", "enum": ["Köln", "東京"]},
        "days": {"type": "integer", "default": 1.5, "nullable": True},
        "options": {"type": "object", "properties": {"a": {"type": ["string", "null"]}, "l": {"type": "array", "items": {"type": "string"}}}, "required": ["a"]},
        "any": {"anyOf": [{"type": "string"}, {"type": "number", "description": "x", "default": 1}]}, "map": {"type": "object", "additionalProperties": {"type": "boolean"}},
        "matrix": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}}},
    "return": {"type": "string", "description": "text"}}}
BARE = {"type": "function", "function": {"name": "bare", "description": "x", "parameters": {"type": "object", "properties": {}}}}
VALUES = {"city": "Köln", "n": [1, 2.0, None, True], "s": "a\"b\n", "o": {"x": {}, "y": []}}


def call(arguments, id="call00001"):
    return {"id": id, "type": "function", "function": {"name": "get_weather", "arguments": arguments}}


def result(content, id="call00001"):
    return {"role": "tool", "name": "get_weather", "tool_call_id": id, "content": content}


def user(content):
    return {"role": "user", "content": content}


def assistant(content, **more):
    return {"role": "assistant", "content": content, **more}


def reasoning(message, text):  # as transformers passes it on
    return {"thinking": text, **message, "reasoning_content": text}


CHATS = [
    [user("Hi")],
    [{"role": "system", "content": " Be brief.\n"}, user("a\n\nb  ")],
    [{"role": "developer", "content": "dev"}, user("a")],
    [user("1"), assistant("2"), user("3 ü\U0001f600")],
    [{"role": "system", "content": "S"}, user("1"), assistant("2"), user("3"), assistant("4 <b>'\"\\"), user("5")],
    [user("w?"), assistant("", tool_calls=[call(VALUES)]), result("{\"t\": 3}"), assistant("ok"), user("thanks")],
    [user("w?"), assistant(None, tool_calls=[call(json.dumps(VALUES))]), result("{\"t\": 3}")],
    [user("w?"), assistant("let me", tool_calls=[call(VALUES), call(VALUES, "call00002")]), result("1"), result("2", "call00002"), user("t")],
    [user("x"), assistant("<think>\nhm\n</think>\n\nyes"), user("y")],
    [user("x"), reasoning(assistant("yes"), "hm hm\n"), user("y"), reasoning(assistant("z"), "last")],
    [user("x"), reasoning(assistant("", tool_calls=[call(VALUES)]), "hm"), result("r"), reasoning(assistant("d"), "m")],
    [user([{"type": "text", "text": "part1"}, {"type": "image"}, {"type": "text", "text": " p2"}]), assistant([{"type": "text", "text": "ans"}]), user([{"type": "text", "text": "q"}])],
    [{"role": "system", "content": [{"type": "text", "text": "sys"}]}, user("x")],
    [user("a"), user("b")],
    [user("\u2028 \u00a0x\u3000\t\r\n"), assistant("\n\n"), user("")],
    [],
    [assistant("starts")],
    [{"role": "weird", "content": "?"}],
    [user("q"), {"role": "assistant"}],
]
DOCUMENTS = [{"title": "T1", "text": "body ü"}, {"title": "T2", "text": "b2", "doc_id": "7"}]
MORE = [{}, {"enable_thinking": True}, {"enable_thinking": False, "tools_in_user_message": False},
        {"thinking": True, "reasoning_effort": "high", "builtin_tools": ["browser", "python"], "date_string": "1 Jan 2025", "controls": {"citations": True}}]


def cases(text):
    for chat, tools, documents, prompt, more in itertools.product(CHATS, (None, [WEATHER], [WEATHER, BARE]), (None, DOCUMENTS), (False, True), MORE):
        yield text, dict(messages=chat, tools=tools, documents=documents, add_generation_prompt=prompt, bos_token="<s>", eos_token="</s>", **more)


def check(name, text, env):
    template, error = None, None
    try:
        template = env.from_string(text)
    except Exception as e:
        error = e
    all_cases = list(cases(text))
    bad = errors = 0
    for (_, context), got in zip(all_cases, jinja_reference.render(all_cases)):
        try:
            if error:
                raise error
            want = {"text": template.render(**copy.deepcopy(context))}
        except Exception as e:  # of any kind: jinja2 lets Python's own through
            want = {"error": f"{type(e).__name__}: {e}"}
        errors += "error" in want
        if want.get("text") == got.get("text"):
            continue
        bad += 1
        if bad == 1:
            print(f"{name}: {json.dumps(context)[:600]}\n  want {str(want)[:800]}\n  got  {str(got)[:800]}")
    print(f"{name}: {len(all_cases)} conversations ({errors} refused by both), {bad} differ")
    if errors == len(all_cases):
        print(f"{name}: nothing was rendered")
        bad += 1
    return len(all_cases), bad


def main():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "templates")
    more = [p for p in os.environ.get("LOAM_TEMPLATES", "").split(":") if p]
    paths = sorted(glob.glob(os.path.join(folder, "*.jinja"))) + more
    assert len(paths) >= 16, folder
    env = jinja_reference.environment()
    count = bad = 0
    for path in paths:
        with open(path, encoding="utf-8", newline="") as f:
            one, wrong = check(os.path.basename(path), f.read(), env)
        count, bad = count + one, bad + wrong
    print(f"{len(paths)} templates, {count} conversations, {bad} differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
