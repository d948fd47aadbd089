"""Constrained output against PyPI's `jsonschema`: whatever a model of random logits writes under a schema is valid, and
valid JSON in the form that we write is allowed. Over a synthetic vocabulary and a small BPE one (seed printed)."""
import datetime
import json
import os
import random
import subprocess
import sys

from oracle_support import FULL, SEED, count

try:
    from jsonschema import Draft202012Validator, FormatChecker
except ImportError as e:
    print(f"SKIPPED: {e}")
    sys.exit(77)

SOURCE = os.environ.get("LOAM_SOURCE", os.path.join(os.path.dirname(__file__), ".."))
TOOL = os.environ.get("LOAM_GRAMMAR_TOOL") or os.path.join(os.environ.get("LOAM_BUILD", "build"), "tests",
                                                           "text_grammar_tool")
COUNT = count(150, 2000)  # random schemas
rng = random.Random(SEED)

checker = FormatChecker()


@checker.checks("date-time", raises=ValueError)
def date_time(text):
    return not isinstance(text, str) or bool(datetime.datetime.fromisoformat(text)) and "T" in text


@checker.checks("time", raises=ValueError)
def time(text):
    return not isinstance(text, str) or bool(datetime.time.fromisoformat(text)) or True


PERSON = {"type": "object", "properties": {
    "name": {"type": "string", "minLength": 1, "maxLength": 20}, "age": {"type": "integer", "minimum": 0, "maximum": 150},
    "email": {"type": "string", "format": "email"}, "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
    "zip": {"type": "string", "pattern": "^[0-9]{5}$"}, "kind": {"enum": ["a", "b", "\u00e9\"\\"]}},
    "required": ["name", "age", "tags"], "additionalProperties": False}
LIST = {"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {
    "value": {"type": ["integer", "null"]}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
    "required": ["value", "next"]}}}
SHAPE = {"oneOf": [
    {"type": "object", "properties": {"kind": {"const": "circle"}, "radius": {"type": "number", "exclusiveMinimum": 0}},
     "required": ["kind", "radius"]},
    {"type": "object", "properties": {"kind": {"const": "square"}, "side": {"type": "number", "minimum": 0.5}},
     "required": ["kind", "side"]},
    {"type": "array", "items": {"$ref": "#"}, "maxItems": 2}]}
SCHEMAS = [
    True, {}, {"type": "object"}, {"type": "array"}, {"type": "string"}, {"type": "number"}, {"type": "integer"},
    {"type": "boolean"}, {"type": "null"}, {"type": ["string", "null", "integer"]}, PERSON, LIST, SHAPE,
    {"enum": [1, "a", None, [1, {"b": 2}], 1.5, True]}, {"const": {"a": [1, "\u20ac\n"]}},
    {"type": "string", "enum": ["x", 1, None]}, {"type": "integer", "enum": [1, 2.0, 2.5, "3"]},
    {"type": "integer", "minimum": -12, "maximum": 345}, {"type": "integer", "exclusiveMinimum": 7, "exclusiveMaximum": 9},
    {"type": "integer", "minimum": 99, "maximum": 10001}, {"type": "integer", "maximum": -5},
    {"type": "integer", "minimum": 1e3}, {"type": "integer", "multipleOf": 7},
    {"type": "integer", "multipleOf": 25, "minimum": -100, "maximum": 1000}, {"type": "number", "multipleOf": 3},
    {"type": "number", "minimum": 0, "maximum": 1}, {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    {"type": "number", "minimum": -1.25, "maximum": 3.5}, {"type": "number", "minimum": 0.125, "maximum": 0.25},
    {"type": "number", "exclusiveMinimum": 9.99, "maximum": 10.01}, {"type": "number", "maximum": -2.5},
    {"type": "number", "exclusiveMaximum": 0}, {"type": "number", "exclusiveMinimum": -0.5, "exclusiveMaximum": 0.5},
    {"type": "string", "minLength": 3, "maxLength": 5}, {"type": "string", "minLength": 40}, {"type": "string", "maxLength": 0},
    {"type": "string", "pattern": "^a+b?(c|d){2,3}$"}, {"type": "string", "pattern": "foo|^bar"},
    {"type": "string", "pattern": "^[^a-z\"\\\\]{3}$"}, {"type": "string", "pattern": "^\\w+\\s\\d{2,}\\W\\S\\D$"},
    {"type": "string", "pattern": "^.{2,4}$"}, {"type": "string", "pattern": "^[\\x00-\\x1f\"\\\\/\\u20ac]+$"},
    {"type": "string", "pattern": "^[a-f]*$", "minLength": 2, "maxLength": 6},
    {"type": "string", "pattern": "^(?:x(?:y|z)?|([0-9]))+$"}, {"type": "string", "pattern": ""},
    *({"type": "string", "format": f} for f in ("date", "time", "date-time", "duration", "email", "hostname", "ipv4",
                                                "ipv6", "uri", "uuid", "password")),
    {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 4}, {"type": "array", "maxItems": 0},
    {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": {"type": "boolean"}},
    {"type": "array", "prefixItems": [{"const": 1}, {"const": 2}, {"const": 3}], "items": False, "minItems": 1},
    {"type": "array", "prefixItems": [{"const": 1}], "minItems": 3}, {"items": {"items": {"type": "null"}}},
    {"type": "array", "prefixItems": [{"const": 1}, {"const": 2}], "maxItems": 1},
    {"type": "object", "additionalProperties": {"type": "integer"}}, {"type": "object", "additionalProperties": False},
    {"type": "object", "properties": {"a": {"type": "null"}, "ab": True, "\u00e9\"": False}, "additionalProperties": {"type": "string"}},
    {"type": "object", "properties": {"a": {"const": 1}}, "required": ["a", "b"], "additionalProperties": {"const": 2}},
    {"type": "object", "properties": {c: {"const": c} for c in "abcd"}, "minProperties": 2, "maxProperties": 3},
    {"type": "object", "properties": {"a": {"const": 1}}, "additionalProperties": {"const": 2}, "minProperties": 2},
    {"type": "object", "additionalProperties": {"type": "boolean"}, "minProperties": 1, "maxProperties": 2},
    {"type": "object", "patternProperties": {"^x_[a-z]+$": {"type": "integer"}}, "additionalProperties": False},
    {"type": "object", "properties": {"a": {"const": 1}}, "patternProperties": {"^x_": {"type": "integer"}}},
    {"allOf": [{"type": "object", "properties": {"a": {"type": "number", "minimum": 1}}, "required": ["a"]},
               {"properties": {"a": {"type": "integer", "maximum": 5}, "b": {"type": "string"}}, "required": ["b"]}]},
    {"allOf": [{"properties": {"a": {"const": 1}, "b": {"const": 2}}},
               {"properties": {"a": True}, "additionalProperties": False}], "type": "object"},
    {"properties": {"a": {"const": 1}}, "required": ["a"], "anyOf": [
        {"properties": {"b": {"const": 2}}, "required": ["b"]}, {"properties": {"c": {"const": 3}}, "required": ["c"]}]},
    {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "integer"}], "minimum": 5}, {"$ref": "#/$defs/a~1b%25",
     "$defs": {"a/b%": {"type": "integer", "minimum": 3}}, "maximum": 4},
    {"oneOf": [{"type": "integer", "maximum": 3}, {"type": "integer", "exclusiveMinimum": 3}, {"type": "string"}]},
    {"oneOf": [{"const": "a"}, {"enum": ["b", "c"]}, {"type": "null"}]}, {"type": "object", "properties": {},
     "unevaluatedProperties": False}, {"type": "array", "items": {"enum": ["a"]}, "uniqueItems": False},
    {"type": "object", "properties": {f"p{i}": {"type": "integer", "maximum": i, "minimum": -i} for i in range(60)}},
    {"title": "t", "description": "d", "default": 3, "examples": [1], "$comment": "c", "x-extra": {"not": 1}, "type": "integer"},
    {"$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}, "maxItems": 2}}, "$ref": "#/$defs/tree"},
]
UNSUPPORTED = [  # a schema, and what the error says
    ({"not": {}}, "#/not: keyword not"), ({"properties": {"a": {"if": True}}}, "#/properties/a/if: keyword if"),
    ({"type": "array", "contains": {}}, "#/contains: keyword contains"), ({"uniqueItems": True}, "uniqueItems"),
    ({"type": "number", "multipleOf": 0.01}, "multipleOf"), ({"$ref": "other.json"}, "other.json"), ({"$ref": "#/a"}, "leads nowhere"),
    ({"$ref": "#"}, "back to itself"), ({"anyOf": [{"$ref": "#/anyOf/1"}, {"$ref": "#/anyOf/0"}]}, "back to itself"),
    ({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}, "cannot end"), (False, "cannot end"),
    ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, "exclude each other"), ({"type": "text"}, "unknown type"),
    ({"type": "string", "pattern": "(?=a)"}, "look-around"), ({"type": "string", "pattern": "a^b"}, "anchors"),
    ({"type": "string", "pattern": "(a)\\1"}, "not supported"), ({"type": "string", "format": "regex"}, "format"),
    ({"type": "string", "pattern": "^(ab)*$", "maxLength": 3}, "minLength or maxLength"), (3, "expected a schema"),
    ({"type": "string", "maxLength": 100000}, "#/maxLength: counts above"), ({"propertyNames": {}}, "propertyNames"),
    ({"allOf": [{"anyOf": [{"required": [f"{k}{i}"]} for i in range(9)]} for k in range(9)]}, "alternatives"),
    ({"oneOf": [{"enum": [f"{k} {i}" for i in range(2000)]} for k in range(20)]}, "combinations"),
    ({"allOf": [{"type": "object", "required": [f"{k} {i}" for i in range(2000)]} for k in range(50)]}, "combinations"),
    ({"type": "object", "properties": {f"p{i}": True for i in range(1500)}, "minProperties": 700, "maxProperties": 1400},
     "rules"), ({"$defs": {f"d{i}": {"anyOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(99)}, "$ref": "#/$defs/d0"},
                "too deeply"),
    ({"dependentRequired": {"a": ["b"]}}, "dependentRequired"), ({"type": "integer", "minimum": "a"}, "minimum"),
    ({"type": "string", "pattern": "((((((((((a{0,99}){0,99}){0,99}){0,99}){0,99}){0,99}){0,99}){0,99}){0,99}){0,99})"}, "too large"),
]


class Tool:
    def __init__(self, *arguments):
        self.process = subprocess.Popen([TOOL, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        encoding="utf-8")

    def ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def synthetic_vocabulary():
    """All bytes, fragments of JSON, and pieces of text that are cut anywhere."""
    tokens = [[b] for b in range(256)]
    text = ('{"name": "value", "a": [1, 2.5e-3, true, false, null], "\\u20ac\\n\\"": {}}' "}],\"\n    \"kind\": \"\u20ac\u00e9"
            "\U0001f600 x_ circle 2024-02-29T23:59:60Z \\ud83d\\ude00 foo bar").encode()
    for _ in range(600):
        begin = rng.randrange(len(text))
        tokens.append(list(text[begin:begin + rng.randint(2, 7)]))
    tokens += [list(b" " * n) for n in (2, 4, 8, 16, 32, 40)] + [[]]
    return tokens


def fail(message, schema, text=None):
    print(f"{message} (seed {SEED})\nschema {json.dumps(schema)}\ntext {text!r}")
    sys.exit(1)


def check_valid(schema, text, validator):
    try:
        value = json.loads(text)
        value = json.loads(text, parse_constant=lambda name: fail("not JSON", schema, text))
        text.encode("utf-8")
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # no lone surrogates
    except ValueError as e:
        fail(f"not valid JSON: {e}", schema, text)
    error = next(validator.iter_errors(value), None)
    if error:
        fail(f"not valid: {error.message}", schema, text)


def validator_of(schema):
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=checker)


def random_string(limit=6):
    letters = 'ab"\\/\n\t\x01\u007f\u00e9\u20ac\U0001f600 0{'
    return "".join(rng.choice(letters) for _ in range(rng.randint(0, limit)))


def random_any(depth):
    kind = rng.randrange(8 if depth else 6)
    if kind == 6:
        return [random_any(depth - 1) for _ in range(rng.randint(0, 3))]
    if kind == 7:
        return {random_string(3): random_any(depth - 1) for _ in range(rng.randint(0, 3))}
    return (None, True, rng.randint(-100, 10**9), rng.choice([0.5, -1.25, 3e20, 1e-7]), random_string(), False)[kind]


def integer_part():
    low = rng.choice([None, rng.randint(-2000, 2000)])
    high = None if rng.random() < 0.3 else (low if low is not None else -2000) + rng.randint(0, 3000)
    schema = {"type": "integer"}
    if low is not None:
        schema[rng.choice(["minimum", "exclusiveMinimum"])] = low
    if high is not None:
        schema["maximum"] = high + 1
    return schema, lambda: rng.randint(low + 1 if low is not None else (high or 0) - 500,
                                       high + 1 if high is not None else (low or 0) + 10**6)


def number_part():
    low = rng.choice([0, -1, 0.5, -2.75, 12.375, -100, 0.001])
    high = low + rng.choice([0.25, 1, 2.5, 300, 99999])
    schema = {"type": "number", rng.choice(["minimum", "exclusiveMinimum"]): low,
              rng.choice(["maximum", "exclusiveMaximum"]): high}

    def make():  # rounding may step over a bound, which another branch (an integer that contains 0.0) would forgive
        while True:
            value = round(rng.uniform(low, high), rng.randint(0, 6)) or 0.0
            if low < value < high and "e" not in json.dumps(value):
                return value
    return schema, make


def string_part():
    low, high = rng.randint(0, 3), rng.choice([None, rng.randint(3, 40)])
    schema = {"type": "string"}
    if low:
        schema["minLength"] = low
    if high:
        schema["maxLength"] = high
    return schema, lambda: (random_string(5) + "xyz")[:high or 8]


def array_part(depth):
    item, make = random_part(depth - 1)
    low, high = rng.randint(0, 2), rng.choice([None, rng.randint(2, 5)])
    schema = {"type": "array", "items": item, "minItems": low}
    if high:
        schema["maxItems"] = high
    return schema, lambda: [make() for _ in range(rng.randint(low, high or low + 3))]


def object_part(depth):
    names = rng.sample(["a", "ab", "b", "\u00e9", 'q"', "x y", "long_name", "\\"], rng.randint(0, 5))
    parts = {name: random_part(depth - 1) for name in names}
    required = [name for name in names if rng.random() < 0.5]
    schema = {"type": "object", "properties": {name: part[0] for name, part in parts.items()}, "required": required}
    more = random_part(0) if rng.random() < 0.4 else None
    if more:
        schema["additionalProperties"] = more[0]
    elif rng.random() < 0.5:
        schema["additionalProperties"] = False

    def make():
        value = {name: parts[name][1]() for name in names if name in required or rng.random() < 0.5}
        for _ in range(rng.randint(0, 2) if more else 0):
            name = random_string(3)
            if name not in names:
                value[name] = more[1]()
        return value
    return schema, make


def random_part(depth):
    """A schema, and a function that makes instances (most of them valid)."""
    kind = rng.randrange(10 if depth > 0 else 6)
    if kind == 0:
        values = [random_any(1) for _ in range(rng.randint(1, 4))]
        return {"enum": values}, lambda: rng.choice(values)
    if kind in (1, 2):
        return rng.choice([integer_part, number_part])()
    if kind == 3:
        return string_part()
    if kind == 4:
        return rng.choice([({"type": "boolean"}, lambda: rng.random() < 0.5), ({"type": "null"}, lambda: None)])
    if kind == 5:
        return rng.choice([True, {}]), lambda: random_any(2)
    if kind in (6, 7):
        return object_part(depth)
    if kind == 8:
        return array_part(depth)
    parts = [random_part(depth - 1) for _ in range(rng.randint(2, 3))]
    return {"anyOf": [part[0] for part in parts]}, lambda: rng.choice(parts)[1]()


def texts_of(value, schema):
    """In the form that we write: names and listed values with no more escapes than they need, little whitespace."""
    yield json.dumps(value, ensure_ascii=False)
    yield json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    yield json.dumps(value, ensure_ascii=False, indent=rng.choice([0, 1, 2, 4]))
    if isinstance(value, str) and schema.get("type") == "string":
        yield json.dumps(value)


def plain_numbers(value):
    """Whether it has only numbers that we would write: up to 15 digits in a number, no exponents beyond two digits."""
    return all(len(str(abs(v))) <= 15 for v in numbers_in(value))


def numbers_in(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [n for v in value for n in numbers_in(v)]
    return [value] if isinstance(value, (int, float)) and not isinstance(value, bool) else []


def mutate(text):
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(['"', "0", "9", ",", "}", " ", "", "a", "-", ".", "\\"]) + text[at + rng.randint(0, 1):]


def run_all(tools, schemas, runs):
    done = 0
    for schema in schemas:
        validator = validator_of(schema)
        for tool, tokens in tools:
            request = {"schema": schema, "seed": rng.randrange(1 << 40), "runs": runs}
            if tokens:
                request["tokens"] = tokens
            answer = tool.ask(request)
            if "error" in answer:
                fail(answer["error"], schema)
            for text in answer["texts"]:
                check_valid(schema, text, validator)
                done += 1
    return done


def check_accepted(tool, parts):
    accepted = spoiled = 0
    for schema, make in parts:
        validator = validator_of(schema)
        texts = []
        for _ in range(6):
            value = make()
            if validator.is_valid(value) and plain_numbers(value):
                texts += texts_of(value, schema)
        spoilt = [mutate(text) for text in texts for _ in range(4)]
        answer = tool.ask({"schema": schema, "texts": texts + spoilt})
        if "error" in answer:
            fail(answer["error"], schema)
        for text, fits in zip(texts, answer["fits"]):
            if not fits:
                fail("a valid text is refused", schema, text)
        accepted += len(texts)
        for text, fits in zip(spoilt, answer["fits"][len(texts):]):
            if fits:
                check_valid(schema, text, validator)
                spoiled += 1
    return accepted, spoiled


def check_errors(tool):
    slowest = 0
    for schema, wanted in UNSUPPORTED:
        answer = tool.ask({"schema": schema, "texts": []})
        if wanted not in answer.get("error", ""):
            fail(f"expected an error with {wanted!r}, found {answer}", schema)
        slowest = max(slowest, answer["ms"])
        if answer["ms"] > 10000:
            fail(f"an error took {answer['ms']:.0f} ms", schema)
    return slowest


def main():
    tiny = Tool("run", os.path.join(SOURCE, "tests", "data", "tiny_vocab", "tokenizer.json"))
    synthetic, match = Tool("run"), Tool("match")
    tools = [(synthetic, synthetic_vocabulary()), (tiny, None)]
    slowest = check_errors(match)
    done = run_all(tools, SCHEMAS, 20 if FULL else 5)
    parts = [part for part in (random_part(3) for _ in range(COUNT))]
    parts = [(schema if isinstance(schema, dict) else {}, make) for schema, make in parts]
    done += run_all(tools, [schema for schema, _ in parts], 5 if FULL else 2)
    accepted, spoiled = check_accepted(match, parts)
    if done < 1000 or accepted < COUNT * 3 or not spoiled:
        fail(f"too little was tried: {done} runs, {accepted} valid texts, {spoiled} changed ones that fit", {})
    print(f"{done} runs of {len(SCHEMAS) + COUNT} schemas are valid, {accepted} valid texts are allowed, {spoiled} changed "
          f"ones that fit are valid; {len(UNSUPPORTED)} errors in at most {slowest:.0f} ms")


main()
