# No two files may define a type of the same full name: the linker would silently take the functions of one of them.
import collections
import os
import re
import sys

TOKEN = re.compile(r"^(?:namespace\s*(?P<open>[\w:]*)\s*\{|(?P<close>\}  // namespace)|"
                   r"(?:struct|class)(?: alignas\(\w+\))? (?P<type>\w+)(?: final)?(?: :[^;{]*)? \{)", re.M)


def definitions(text):
    inside = []
    for m in TOKEN.finditer(text):
        if m["open"] is not None:
            inside.append(m["open"])
        elif m["close"]:
            inside.pop()
        elif all(inside):  # not in a namespace without a name
            yield "::".join(inside + [m["type"]])


def repeated(files):
    places = collections.defaultdict(set)
    for name, text in files.items():
        for full_name in definitions(text):
            places[full_name].add(name)
    return {name: sorted(files) for name, files in places.items() if len(files) > 1}


a, b = "namespace x {\nstruct A {\n};\n}  // namespace x\n", "namespace x {\nclass A final : public B {\n};\n}  // namespace x\n"
assert repeated({"a": a, "b": b}) == {"x::A": ["a", "b"]}
assert not repeated({"a": a, "b": b.replace("namespace x", "namespace y")})
assert not repeated({"a": a, "b": "namespace x {\nnamespace {\nstruct A {\n};\n}  // namespace\n}  // namespace x\n"})

source = os.environ["LOAM_SOURCE"]
files = {}
for room in ("core", "backends", "formats", "tools"):
    for folder, _, names in os.walk(os.path.join(source, room)):
        for name in names:
            if name.endswith((".h", ".cpp")):
                files[os.path.join(folder, name)] = open(os.path.join(folder, name)).read()
found = repeated(files)
for name, places in found.items():
    print(f"{name} is defined in {', '.join(os.path.relpath(p, source) for p in places)}")
print(f"{len(files)} files, {sum(len(list(definitions(t))) for t in files.values())} types, {len(found)} twice")
sys.exit(1 if found else 0)
