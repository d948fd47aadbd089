# Reads a .loam file, written from formats/FORMAT.md alone, whose tables of types and levels it takes from the page
# itself: names, shapes, metadata, hashes, and the stored values.
#   python3 read_loam.py FILE.loam     prints what is in the file and checks every hash
import pathlib
import re
import struct
import sys

import numpy as np
import xxhash

PAGE = (pathlib.Path(__file__).resolve().parent.parent / "formats/FORMAT.md").read_text()
COLUMNS = "id name family bits zero group s m block D E".split()
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in re.findall(r"^\| \d+ \|.*\|$", PAGE, re.M)]
TYPES = {row[1]: dict(zip(COLUMNS, row)) for row in ROWS if len(row) == len(COLUMNS)}
LEVELS = {name: np.array(levels.split(), int)
          for name, levels in re.findall(r"^    (N4|N4H|MX) +((?:-?\d+ +)+-?\d+)", PAGE, re.M)}
LEVELS |= {"N4b": LEVELS["N4"] + 4, "N4Hb": LEVELS["N4H"] + 1, "NL": LEVELS["N4"]}


def need(condition, what):
    if not condition:
        raise ValueError(what)


def key_values(raw):
    at = 0

    def take(form):
        nonlocal at
        at += struct.calcsize("<" + form)
        return struct.unpack_from("<" + form, raw, at - struct.calcsize("<" + form))[0]

    def text():
        return take(f"{take('I')}s").decode()

    def value(kind):
        if kind >= 16:
            return [value(kind - 16) for _ in range(take("Q"))]
        return text() if kind == 4 else take({1: "?", 2: "q", 3: "d"}[kind])

    found = {text(): value(take("B")) for _ in range(take("Q"))}
    need(at == len(raw), "bytes are left after the key/values")
    return found


class Loam:
    def __init__(self, path):
        self.bytes = np.memmap(path, np.uint8, "r")
        head = self.bytes[:4096].tobytes()
        need(head[:16] == b"\x89LOAM\r\n\x1a\n" + bytes(7), "not a .loam file")
        need(xxhash.xxh3_64_intdigest(head[:4088]) == struct.unpack_from("<Q", head, 4088)[0], "preamble is corrupt")
        version, _, required, _, state, _, size, self.end, footer_size = struct.unpack_from("<IIQQ4sIQQQ", head, 16)
        need(version == 1 and required == 0, "written by a newer Loam")
        need(state == b"SEAL" and size == len(self.bytes) == self.end + footer_size, "not finished or cut short")
        footer = self.bytes[self.end:].tobytes()
        need(xxhash.xxh3_128_intdigest(footer) == int.from_bytes(head[72:88], "little"), "footer is corrupt")
        count = struct.unpack_from("<Q", footer)[0]
        entries = [struct.unpack_from("<48sQQ", footer, 16 + 64 * i) for i in range(count)]
        self.sections = {name.rstrip(b"\0").decode(): footer[at:at + count] for name, at, count in entries}
        self.metadata, self.provenance = (key_values(self.sections[name]) for name in ("metadata", "provenance"))
        types = {i: name.rstrip(b"\0").decode() for i, name in struct.iter_unpack("<H30s", self.sections["types"])}
        self.tensors = {}  # name -> type, whether it is a vector, (experts, n, k), offset, size, hash
        for r in struct.iter_unpack("<IIHHIQQQQQ16s", self.sections["tensors"]):
            name = self.sections["names"][r[0]:r[0] + r[1]].decode()
            self.tensors[name] = types[r[2]], bool(r[3] & 1), r[5:8], r[8], r[9], int.from_bytes(r[10], "little")

    def check_data(self):
        step, count, *hashes = np.frombuffer(self.sections["chunks"], "<u8").tolist()
        need(step == 16 << 20 and len(hashes) == count, "the chunk table is wrong")
        for i, expected in enumerate(hashes):
            chunk = self.bytes[4096 + i * step:min(4096 + (i + 1) * step, self.end)]
            need(xxhash.xxh3_64_intdigest(chunk.data) == expected, f"chunk {i} is corrupt")
        for name, (_, _, _, at, size, expected) in self.tensors.items():
            need(xxhash.xxh3_128_intdigest(self.bytes[at:at + size].data) == expected, f"tensor {name} is corrupt")

    def values(self, name):  # f32 of shape (experts, n, k)
        type_name, vector, (experts, n, k), at, size, _ = self.tensors[name]
        raw = np.asarray(self.bytes[at:at + size])
        if vector:
            return raw.view("<f4").reshape(experts, n, k)
        records = Records(TYPES[type_name], raw.reshape(experts * -(-n // 16), -1), -(-k // 32) * 32)
        return records.values().reshape(experts, -1, records.columns)[:, :n, :k]


class Records:
    """Many records at once; `take` cuts the next part from all of them. Parts come out as (records, 16, values)."""

    def __init__(self, kind, raw, columns):
        self.kind, self.raw, self.columns, self.at = kind, raw, columns, 0

    def take(self, count):
        self.at += count
        return np.ascontiguousarray(self.raw[:, self.at - count:self.at])

    def plane(self, bits, count, width):  # width 4: codes, `[row][4]`; 1: groups, one byte a row
        if bits in (3, 5, 6):
            low = 2 if bits == 3 else 4
            return self.plane(low, count, width) | self.plane(bits - low, count, width) << low
        raw = self.take(16 * width * -(-count * bits // (8 * width))).reshape(len(self.raw), -1, 16, width)
        parts = np.stack([raw >> i & (1 << bits) - 1 for i in range(0, 8, bits)], 3)
        return parts.transpose(0, 2, 1, 3, 4).reshape(len(raw), 16, -1)[:, :, :count].astype(np.int32)

    def floats(self, form, count):
        raw = self.take(16 * count * {"f32": 4, "f16": 2, "e8m0h": 1}[form])
        exponents = form == "e8m0h"
        values = np.ldexp(np.float32(1), raw.astype(int) - 128) if exponents else raw.view(f"<f{int(form[1:]) // 8}")
        return values.astype(np.float32).reshape(len(raw), count, 16).transpose(0, 2, 1)

    def plain(self, width):
        lines = self.raw.view(f"<u{width}").reshape(len(self.raw), -1, 16, 4 // width)
        bits = lines.transpose(0, 2, 1, 3).reshape(len(self.raw), 16, self.columns)
        if self.kind["name"] == "bf16":
            return (bits.astype(np.uint32) << 16).view("<f4")
        return bits.view(f"<f{width}").astype(np.float32)

    def part(self, key, per, columns):  # s, m, D or E, repeated for each of the columns
        size = columns if self.kind[per] == "row" else int(self.kind[per])
        count, form = -(-columns // size), self.kind[key]
        values = self.floats(form, count) if key in "DE" else self.plane(int(form[-1]), count, 1)
        return np.repeat(values, size, 2)[:, :, :columns]

    def fields(self):
        present = [(key, per) for key, per in zip("smDE", ("group", "group", "block", "block")) if self.kind[key]]
        by_row, segments = self.kind["block"] == "row", []
        for first in range(0, self.columns, 256):
            c = min(256, self.columns - first)
            segments.append([self.plane(int(self.kind["bits"]), c, 4)] +
                            [self.part(key, per, c) for key, per in present if not (by_row and per == "block")])
        found = [np.concatenate(parts, 2) for parts in zip(*segments)]
        found += [self.part(key, per, self.columns) for key, per in present if by_row and per == "block"]
        padding = -self.at % 64
        need(self.raw.shape[1] == self.at + (padding if padding <= self.at // 64 else 0), "a record has another size")
        return dict(zip(["code"] + [key for key, _ in present], found))

    def values(self):
        if self.kind["family"] == "plain":
            return self.plain(int(self.kind["bits"]) // 8)
        f, form, tables, one = self.fields(), self.kind["s"], self.kind["zero"].split(", "), np.float32
        s, t, code = f.get("s", 1), 0, f["code"]
        if form in ("st8", "st5"):
            low = int(form[-1]) - 2
            s, t = np.where(s >> low & 1, -1, 1) * (s & (1 << low) - 1), s >> (low + 1)
        elif form in ("i6", "i8"):
            s = s - 32 if form == "i6" else s.astype(np.int8)
        if tables[0].isdigit():
            level = code - int(tables[0])
        else:
            level = np.where(t, LEVELS[tables[-1]][code], LEVELS[tables[0]][code])
        with np.errstate(all="ignore"):
            if self.kind["family"] == "grid":
                return f["D"] * (s * level - f.get("m", 0)).astype(one)
            value = f["D"] * one(s) * level.astype(one)
            return value - f["E"] * one(f.get("m", 1)) if "E" in f else value


if __name__ == "__main__":
    loam = Loam(sys.argv[1])
    loam.check_data()
    print(*(f"{key} = {value}"[:200] for key, value in loam.metadata.items()), sep="\n")
    for name, (type_name, vector, shape, *_) in loam.tensors.items():
        print(name, type_name, "vector" if vector else "matrix", *shape)
