# Reads a .loam file, written from formats/FORMAT.md alone: names, shapes, metadata, hashes, and the stored values.
#   python3 read_loam.py FILE.loam     prints what is in the file and checks every hash
import struct
import sys

import numpy as np
import xxhash

MAGIC = b"\x89LOAM\r\n\x1a\n" + bytes(7)
CHUNK = 16 << 20
NL = np.array([-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113])
N4H = np.array([-21, -17, -14, -11, -8, -6, -4, -2, 0, 2, 4, 6, 9, 11, 15, 19])
MX = np.array([0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12])
PLAIN = {"f32": 4, "f16": 2, "bf16": 2}
# name: scaled family?, bits, zero or tables, group, s, m, block (0: the row), D, E
QUANTIZED = {
    "q8_row": (0, 8, 128, 0, "", "", 0, "f32", ""), "q8_0": (0, 8, 128, 0, "", "", 32, "f16", ""),
    "n4": (1, 4, (NL, NL + 4), 32, "st8", "", 0, "f16", ""),
    "n4h": (0, 4, (N4H, N4H + 1), 16, "st5", "", 256, "f16", ""),
    "q4_g32": (0, 4, 0, 32, "", "u8", 32, "f16", ""), "q4_g64": (0, 4, 0, 64, "", "u8", 64, "f16", ""),
    "q4_g128": (0, 4, 0, 128, "", "u8", 128, "f16", ""),
    "q4_0": (0, 4, 8, 0, "", "", 32, "f16", ""), "q4_1": (1, 4, 0, 0, "", "", 32, "f16", "f16"),
    "q5_0": (0, 5, 16, 0, "", "", 32, "f16", ""), "q5_1": (1, 5, 0, 0, "", "", 32, "f16", "f16"),
    "q2_k": (1, 2, 0, 16, "u4", "u4", 256, "f16", "f16"), "q3_k": (1, 3, 4, 16, "i6", "", 256, "f16", ""),
    "q4_k": (1, 4, 0, 32, "u6", "u6", 256, "f16", "f16"), "q5_k": (1, 5, 0, 32, "u6", "u6", 256, "f16", "f16"),
    "q6_k": (1, 6, 32, 16, "i8", "", 256, "f16", ""), "iq4_nl": (0, 4, (NL, NL), 0, "", "", 32, "f16", ""),
    "iq4_xs": (1, 4, (NL, NL), 32, "i6", "", 256, "f16", ""), "mxfp4": (0, 4, (MX, MX), 0, "", "", 32, "e8m0h", ""),
    "tq2_0": (0, 2, 1, 0, "", "", 256, "f16", "")}
INT_BITS = {"u4": 4, "u6": 6, "i6": 6, "u8": 8, "i8": 8, "st8": 8, "st5": 5}
FLOAT_BYTES = {"": 0, "f32": 4, "f16": 2, "e8m0h": 1}


def need(condition, what):
    if not condition:
        raise ValueError(what)


def number128(hash_bytes):
    return int.from_bytes(hash_bytes, "little")


def key_values(raw):
    at = 0

    def take(form):
        nonlocal at
        values = struct.unpack_from("<" + form, raw, at)
        at += struct.calcsize("<" + form)
        return values[0]

    def text():
        return bytes(take(f"{take('I')}s")).decode()

    def value(kind):
        if kind >= 16:
            return [value(kind - 16) for _ in range(take("Q"))]
        return {1: lambda: bool(take("B")), 2: lambda: take("q"), 3: lambda: take("d"), 4: text}[kind]()

    found = {}
    for _ in range(take("Q")):
        key = text()
        found[key] = value(take("B"))
    need(at == len(raw), "bytes are left after the key/values")
    return found


class Loam:
    def __init__(self, path):
        self.bytes = raw = np.memmap(path, np.uint8, "r")
        head = raw[:4096].tobytes()
        need(head[:16] == MAGIC, "not a .loam file")
        need(xxhash.xxh3_64_intdigest(head[:4088]) == struct.unpack_from("<Q", head, 4088)[0], "preamble is corrupt")
        version, _, required, _, state, _, size, at, footer_size = struct.unpack_from("<IIQQ4sIQQQ", head, 16)
        self.footer_at = at
        need(version == 1 and required == 0, "written by a newer Loam")
        need(state == b"SEAL", "not finished")
        need(size == len(raw) == self.footer_at + footer_size, "cut short")
        footer = raw[self.footer_at:].tobytes()
        need(xxhash.xxh3_128_intdigest(footer) == number128(head[72:88]), "footer is corrupt")
        self.sections = {}
        for i in range(struct.unpack_from("<Q", footer)[0]):
            name, at, count = struct.unpack_from("<48sQQ", footer, 16 + 64 * i)
            self.sections[name.rstrip(b"\0").decode()] = footer[at:at + count]
        self.metadata, self.provenance = key_values(self.sections["metadata"]), key_values(self.sections["provenance"])
        types = {i: name.rstrip(b"\0").decode() for i, name in struct.iter_unpack("<H30s", self.sections["types"])}
        self.tensors = {}
        for r in struct.iter_unpack("<IIHHIQQQQQ16s", self.sections["tensors"]):
            name = self.sections["names"][r[0]:r[0] + r[1]].decode()
            self.tensors[name] = (types[r[2]], bool(r[3] & 1), r[5:8], r[8], r[9], number128(r[10]))

    def check_data(self):
        hashes = np.frombuffer(self.sections["chunks"], "<u8")
        need(hashes[0] == CHUNK and len(hashes) == 2 + hashes[1], "the chunk table is wrong")
        for i, expected in enumerate(hashes[2:]):
            begin = 4096 + i * CHUNK
            found = xxhash.xxh3_64_intdigest(self.bytes[begin:min(begin + CHUNK, self.footer_at)].data)
            need(found == expected, f"chunk {i} is corrupt")
        for name, (_, _, _, at, size, expected) in self.tensors.items():
            need(xxhash.xxh3_128_intdigest(self.bytes[at:at + size].data) == expected, f"tensor {name} is corrupt")

    def values(self, name):  # f32 of shape (experts, n, k)
        type_name, vector, (experts, n, k), at, size, _ = self.tensors[name]
        raw = np.asarray(self.bytes[at:at + size])
        if vector:
            return raw.view("<f4").reshape(experts, n, k)
        blocks = experts * ((n + 15) // 16)
        rows = record_values(type_name, raw.reshape(blocks, -1), (k + 31) // 32 * 32)  # (blocks, 16, padded k)
        return rows.reshape(experts, -1, rows.shape[2])[:, :n, :k]


class Record:
    """Takes the parts of many records, one after the other; each comes out as (blocks, 16, values)."""

    def __init__(self, raw):
        self.raw, self.at = raw, 0

    def take(self, count):
        self.at += count
        return np.ascontiguousarray(self.raw[:, self.at - count:self.at])

    def plane(self, bits, count, width):  # width 4: codes, `[row][4]`; 1: groups, one byte a row
        raw = self.take(16 * width * -(-count * bits // (8 * width))).reshape(len(self.raw), -1, 16, width)
        parts = np.stack([raw >> i & (1 << bits) - 1 for i in range(0, 8, bits)], 3)
        return parts.transpose(0, 2, 1, 3, 4).reshape(len(raw), 16, -1)[:, :, :count].astype(np.int32)

    def integers(self, bits, count, width):
        wide = {3: 2, 5: 4, 6: 4}.get(bits, bits)
        low = self.plane(wide, count, width)
        return low | self.plane(bits - wide, count, width) << wide if bits > wide else low

    def floats(self, form, count):
        raw = self.take(16 * count * FLOAT_BYTES[form])
        exponents = form == "e8m0h"
        values = np.ldexp(np.float32(1), raw.astype(int) - 128) if exponents else raw.view(f"<f{FLOAT_BYTES[form]}")
        return values.astype(np.float32).reshape(len(raw), count, 16).transpose(0, 2, 1)


def plain_values(width, bf16, raw, columns):
    lines = raw.view(f"<u{width}").reshape(len(raw), -1, 16, 4 // width)
    bits = lines.transpose(0, 2, 1, 3).reshape(len(raw), 16, columns)
    if width == 2 and not bf16:
        return bits.view("<f2").astype(np.float32)
    return (bits.astype(np.uint32) << (16 if bf16 else 0)).view(np.float32)


def record_values(type_name, raw, columns):
    if type_name in PLAIN:
        return plain_values(PLAIN[type_name], type_name == "bf16", raw, columns)
    scaled, bits, zero, group, s_form, m_form, block, d_form, e_form = QUANTIZED[type_name]
    record, parts = Record(raw), {}
    for first in range(0, columns, 256):
        c = min(256, columns - first)
        segment = {"code": record.integers(bits, c, 4)}
        for key, form in (("s", s_form), ("m", m_form)):
            if form:
                segment[key] = np.repeat(record.integers(INT_BITS[form], -(-c // group), 1), group, 2)[:, :, :c]
        for key, form in (("D", d_form), ("E", e_form)):
            if form and block:
                segment[key] = np.repeat(record.floats(form, -(-c // block)), block, 2)[:, :, :c]
        for key, part in segment.items():
            parts.setdefault(key, []).append(part)
    f = {key: np.concatenate(part, 2) for key, part in parts.items()}
    for key, form in (("D", d_form), ("E", e_form)):
        if form and not block:
            f[key] = record.floats(form, 1)
    need(raw.shape[1] == (record.at + 63) // 64 * 64, "a record has another size")

    s, t = f.get("s", 1), 0
    if s_form in ("st8", "st5"):
        low = INT_BITS[s_form] - 2
        s, t = np.where(s >> low & 1, -1, 1) * (s & (1 << low) - 1), s >> (low + 1)
    elif s_form in ("i6", "i8"):
        s = s - 32 if s_form == "i6" else s.astype(np.int8)
    level = np.where(t, zero[1][f["code"]], zero[0][f["code"]]) if isinstance(zero, tuple) else f["code"] - zero
    one = np.float32
    with np.errstate(all="ignore"):
        if not scaled:
            return f["D"] * (s * level - f.get("m", 0)).astype(one)
        value = f["D"] * (one(1) if not s_form else s.astype(one)) * level.astype(one)
        return value - f["E"] * f["m"].astype(one) if "m" in f else value - f["E"] if "E" in f else value


if __name__ == "__main__":
    loam = Loam(sys.argv[1])
    loam.check_data()
    for key, value in loam.metadata.items():
        print(key, "=", value if not isinstance(value, list) or len(value) < 9 else f"{len(value)} values")
    for name, (type_name, vector, shape, *_) in loam.tensors.items():
        print(name, type_name, "vector" if vector else "matrix", *shape)
