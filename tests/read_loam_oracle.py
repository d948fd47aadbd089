# The reader that was written from FORMAT.md alone against the program's own: every type's values bit for bit, and the
# demo model where it is at hand.
import os
import subprocess
import sys
import tempfile

import numpy as np

from read_loam import TYPES, Loam

build = os.environ["LOAM_BUILD"]


def refuses(path):
    try:
        Loam(path).check_data()
    except (ValueError, KeyError):
        return True
    return False


def check_sample(folder):
    program = next(p for p in (f"{build}/tests/test_format", f"{build}/test_format") if os.path.exists(p))
    subprocess.run([program, "-tc=container: a sample with every type"], check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "LOAM_TEST_SAMPLE": folder})
    path = folder + "/sample.loam"
    loam = Loam(path)
    loam.check_data()
    assert loam.metadata["a.texts"] == ["", "x", "Grüße"] and loam.metadata["a.int"] == -5
    assert loam.metadata["a.doubles"] == [0.1, -2.5] and loam.metadata["a.bools"] == [True, False, True]
    types = set()
    for name, (type_name, *_) in loam.tensors.items():
        if name.endswith(".expected"):
            continue
        types.add(type_name)
        found, expected = loam.values(name), loam.values(name + ".expected").reshape(loam.tensors[name][2])
        same = (found.view(np.uint32) == expected.view(np.uint32)) | (np.isnan(found) & np.isnan(expected))
        assert found.dtype == np.float32 and same.all(), f"{name}: {(~same).sum()} of {same.size} values differ"
        assert np.isfinite(expected[0]).all() and len(np.unique(expected[0])) > 10, f"{name}: nothing to compare"
    assert types == {*TYPES}, f"types without a sample, or unknown: {types ^ {*TYPES}}"

    raw = bytearray(open(path, "rb").read())
    for at in (100, 5000, len(raw) - 100):  # preamble, data, footer: the hashes do see a changed bit
        changed = bytearray(raw)
        changed[at] ^= 1
        open(folder + "/changed.loam", "wb").write(changed)
        assert refuses(folder + "/changed.loam"), f"a changed bit in byte {at} goes unseen"
    print(f"{len(types)} types equal")


with tempfile.TemporaryDirectory() as temp:
    check_sample(temp)
sys.exit(0)
