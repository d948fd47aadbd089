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
    "n4": (1, 4, (NL, NL + 4), 32, "st8", "", 0, "f16", ""), "n4h": (0, 4, (N4H, N4H + 1), 16, "st5", "", 256, "f16", ""),
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
        version, _, required, _, state, _, size, self.footer_at, footer_size = struct.unpack_from("<IIQQ4sIQQQ", head, 16)
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


def plane(raw, bits, columns):  # -> (blocks, 16, columns)
    lines = raw.reshape(len(raw), -1, 16, 4)
    parts = [lines >> i & (1 << bits) - 1 for i in range(0, 8, bits)]
    return np.stack(parts, 3).transpose(0, 2, 1, 3, 4).reshape(len(raw), 16, columns)


def group_plane(raw, bits, groups):  # -> (blocks, 16, groups)
    pieces = raw.reshape(len(raw), -1, 16)
    parts = [pieces >> i & (1 << bits) - 1 for i in range(0, 8, bits)]
    return np.stack(parts, 3).transpose(0, 2, 1, 3).reshape(len(raw), 16, -1)[:, :, :groups]


def floats(raw, form):  # -> (blocks, 16, floats)
    if form == "e8m0h":
        values = np.ldexp(np.float32(1), raw.astype(np.int32) - 128)
    else:
        values = np.ascontiguousarray(raw).view("<" + {"f32": "f4", "f16": "f2"}[form]).astype(np.float32)
    return values.reshape(len(raw), -1, 16).transpose(0, 2, 1)


def record_values(type_name, raw, columns):
    if type_name in PLAIN:
        width = PLAIN[type_name]
        lines = np.ascontiguousarray(raw).view("<u4" if width == 4 else "<u2").reshape(len(raw), -1, 16, 4 // width)
        bits = lines.transpose(0, 2, 1, 3).reshape(len(raw), 16, columns)
        if type_name == "f16":
            return bits.view("<f2").astype(np.float32)
        return (bits.astype(np.uint32) << (16 if type_name == "bf16" else 0)).view(np.float32)
    scaled, bits, zero, group, s_form, m_form, block, d_form, e_form = QUANTIZED[type_name]
    at = 0

    def take(count):
        nonlocal at
        at += count
        return raw[:, at - count:at]

    def planes(width, count, read, size):
        wide = {3: 2, 5: 4, 6: 4}.get(width, width)
        low = read(take(size(wide, count)), wide, count).astype(np.int32)
        narrow = width - wide
        return low | read(take(size(narrow, count)), narrow, count).astype(np.int32) << wide if narrow else low

    def group_ints(form, groups):
        return planes(INT_BITS[form], groups, group_plane, lambda b, g: 16 * ((g * b + 7) // 8))

    segments = []
    for first in range(0, columns, 256):
        c = min(256, columns - first)
        part = {"code": planes(bits, c, plane, lambda b, count: 2 * b * count)}
        for key, form in (("s", s_form), ("m", m_form)):
            if form:
                part[key] = np.repeat(group_ints(form, -(-c // group)), group, 2)[:, :, :c]
        for key, form in (("D", d_form), ("E", e_form)):
            if form and block:
                part[key] = np.repeat(floats(take(-(-c // block) * 16 * FLOAT_BYTES[form]), form), block, 2)[:, :, :c]
        segments.append(part)
    f = {key: np.concatenate([p[key] for p in segments], 2) for key in segments[0]}
    for key, form in (("D", d_form), ("E", e_form)):
        if form and not block:
            f[key] = floats(take(16 * FLOAT_BYTES[form]), form)
    need(raw.shape[1] == (at + 63) // 64 * 64, "a record has another size")

    s, t = f.get("s"), 0
    if s_form in ("st8", "st5"):
        low = INT_BITS[s_form] - 2
        s, t = np.where(s >> low & 1, -1, 1) * (s & (1 << low) - 1), s >> (low + 1)
    elif s_form == "i6":
        s = s - 32
    elif s_form == "i8":
        s = s.astype(np.int8).astype(np.int32)
    level = np.where(t, zero[1][f["code"]], zero[0][f["code"]]) if isinstance(zero, tuple) else f["code"] - zero
    one = np.float32
    with np.errstate(all="ignore"):
        if not scaled:
            return f["D"] * ((1 if s is None else s) * level - f.get("m", 0)).astype(one)
        value = (f["D"] if s is None else f["D"] * s.astype(one)) * level.astype(one)
        if "E" in f:
            value = value - (f["E"] * f["m"].astype(one) if "m" in f else f["E"])
        return value


if __name__ == "__main__":
    loam = Loam(sys.argv[1])
    loam.check_data()
    for key, value in loam.metadata.items():
        print(key, "=", value if not isinstance(value, list) or len(value) < 9 else f"{len(value)} values")
    for name, (type_name, vector, shape, *_) in loam.tensors.items():
        print(name, type_name, "vector" if vector else "matrix", *shape)
