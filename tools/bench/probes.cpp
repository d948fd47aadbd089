// Chains of independent instructions, and plain reading.
#include "tools/bench/probes.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "tools/bench/statistics.h"

namespace loam {
namespace {

// Twelve chains hide the latency of every instruction here.
#define LOAM_TWELVE(_) _(0) _(1) _(2) _(3) _(4) _(5) _(6) _(7) _(8) _(9) _(10) _(11)
// name(turns): runs the instructions `turns` times and returns the operations. target: what the compiler must allow.
#define LOAM_TURNS(name, target, operations, first, body, ...)                    \
  target double name(int64_t turns) {                                             \
    for (int64_t i = 0; i < turns; ++i) asm volatile(first body ::: __VA_ARGS__); \
    return double(turns) * (operations);                                          \
  }

#if defined(__x86_64__)
#define LOAM_CLOBBERS                                                                                                 \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", \
      "xmm14", "xmm15"
#define LOAM_DOT512(i) "vpdpbusd %%zmm14, %%zmm15, %%zmm" #i "\n\t"
#define LOAM_DOT256(i) "%{vex%} vpdpbusd %%ymm14, %%ymm15, %%ymm" #i "\n\t"
#define LOAM_FMA512(i) "vfmadd231ps %%zmm14, %%zmm15, %%zmm" #i "\n\t"
#define LOAM_FMA256(i) "vfmadd231ps %%ymm14, %%ymm15, %%ymm" #i "\n\t"
#define LOAM_PAIRS(i)                                                                       \
  "vpmaddubsw %%ymm14, %%ymm15, %%ymm12\n\t vpmaddwd %%ymm12, %%ymm13, %%ymm12\n\t vpaddd " \
  "%%ymm12, %%ymm" #i ", %%ymm" #i "\n\t"
#define LOAM_ZERO "vpxor %%xmm14, %%xmm14, %%xmm14\n\t"  // no denormals

LOAM_TURNS(dots_avx512, __attribute__((target("avx512f,avx512vnni"))), 12 * 128, LOAM_ZERO, LOAM_TWELVE(LOAM_DOT512),
           LOAM_CLOBBERS)
LOAM_TURNS(dots_avxvnni, __attribute__((target("avx2"))), 12 * 64, LOAM_ZERO, LOAM_TWELVE(LOAM_DOT256), LOAM_CLOBBERS)
LOAM_TURNS(dots_avx2, __attribute__((target("avx2"))), 12 * 64, LOAM_ZERO, LOAM_TWELVE(LOAM_PAIRS), LOAM_CLOBBERS)
LOAM_TURNS(fmas_avx512, __attribute__((target("avx512f"))), 12 * 32, LOAM_ZERO, LOAM_TWELVE(LOAM_FMA512), LOAM_CLOBBERS)
LOAM_TURNS(fmas_avx2, __attribute__((target("avx2,fma"))), 12 * 16, LOAM_ZERO, LOAM_TWELVE(LOAM_FMA256), LOAM_CLOBBERS)
#elif defined(__aarch64__)
#define LOAM_CLOBBERS "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v30", "v31"
#define LOAM_SDOT(i) "sdot v" #i ".4s, v30.16b, v31.16b\n\t"
#define LOAM_SMMLA(i) "smmla v" #i ".4s, v30.16b, v31.16b\n\t"
#define LOAM_FMLA(i) "fmla v" #i ".4s, v30.4s, v31.4s\n\t"
#define LOAM_ZERO "movi v30.4s, #0\n\t"

LOAM_TURNS(dots_neon, , 12 * 32, ".arch armv8.2-a+dotprod\n\t" LOAM_ZERO, LOAM_TWELVE(LOAM_SDOT), LOAM_CLOBBERS)
LOAM_TURNS(dots_i8mm, , 12 * 64, ".arch armv8.6-a+i8mm\n\t" LOAM_ZERO, LOAM_TWELVE(LOAM_SMMLA), LOAM_CLOBBERS)
LOAM_TURNS(fmas_neon, , 12 * 8, LOAM_ZERO, LOAM_TWELVE(LOAM_FMLA), LOAM_CLOBBERS)
#endif

using Turns = double (*)(int64_t);
struct IsaProbe {
  std::string_view isa;
  Turns int8, f32;
};
constexpr IsaProbe kProbes[] = {
#if defined(__x86_64__)
    {"avx512", dots_avx512, fmas_avx512},
    {"avxvnni", dots_avxvnni, fmas_avx2},
    {"avx2", dots_avx2, fmas_avx2},
#elif defined(__aarch64__)
    {"neon", dots_neon, fmas_neon},
    {"i8mm", dots_i8mm, fmas_neon},
#endif
    {"scalar", nullptr, nullptr},
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// How fast the threads are with piece(0 .. pieces - 1), which are `size` each.
template <class Piece>
Speed share_out(int threads, int64_t pieces, double size, const Piece& piece) {
  std::atomic<int64_t> next{0};
  std::vector<double> seconds(size_t(pieces), 0.0);
  const double start = now();
  const auto work = [&] {
    for (int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < pieces;) {
      const double begin = now();
      piece(i);
      seconds[size_t(i)] = now() - begin;
    }
  };
  {
    std::vector<std::jthread> others;  // not OpenMP's, which would go on spinning beside the run that follows
    for (int t = 1; t < threads; ++t) others.emplace_back(work);
    work();
  }
  const double all = now() - start;
  return {double(pieces) * size / all / 1e9, threads * size / median(seconds) / 1e9};
}

Speed peak(Turns turns, int threads) {
  if (!turns) return {};
  constexpr int64_t kTurns = 20000;
  const int64_t pieces = 400 * int64_t(threads);  // some time slices of a busy machine
  const double size = turns(kTurns);
  const auto piece = [&](int64_t) { turns(kTurns); };
  share_out(threads, threads, size, piece);  // wakes threads and clocks
  return share_out(threads, pieces, size, piece);
}

const IsaProbe& probe_of(std::string_view isa) {
  for (const IsaProbe& p : kProbes) {
    if (p.isa == isa) return p;
  }
  return std::end(kProbes)[-1];
}

// Reads every byte; the sum is there for the compiler. Prefetching or wider loads make it no faster, but slower.
uint64_t read_all(Bytes bytes) {
  using Lane = uint64_t __attribute__((vector_size(16), may_alias, aligned(16)));
  constexpr size_t kLine = 64;
  const std::byte* p = bytes.data();
  Lane a{}, b{};
  for (const std::byte* end = p + bytes.size() / kLine * kLine; p != end; p += kLine) {
    const Lane* lanes = reinterpret_cast<const Lane*>(p);
    a ^= lanes[0] ^ lanes[1], b ^= lanes[2] ^ lanes[3];
  }
  return a[0] ^ a[1] ^ b[0] ^ b[1];
}

}  // namespace

Speed int8_peak(std::string_view isa, int threads) { return peak(probe_of(isa).int8, threads); }
Speed f32_peak(std::string_view isa, int threads) { return peak(probe_of(isa).f32, threads); }

Speed read_bandwidth(std::span<const Bytes> memory, int threads) {
  constexpr size_t kPiece = size_t(256) << 10, kBytes = size_t(512) << 20;
  std::vector<Bytes> pieces;
  size_t total = 0;
  for (Bytes bytes : memory) {
    for (; !bytes.empty() && total < kBytes; bytes = bytes.subspan(pieces.back().size())) {
      pieces.push_back(bytes.first(std::min(bytes.size(), kPiece)));
      total += pieces.back().size();
    }
  }
  if (total == 0) return {};
  const size_t passes = (kBytes + total - 1) / total;
  std::atomic<uint64_t> sink{0};
  const auto read = [&](int64_t i) { sink.fetch_xor(read_all(pieces[size_t(i) % pieces.size()])); };
  const double size = double(total) / double(pieces.size());
  if (total < kBytes) share_out(threads, int64_t(pieces.size()), size, read);  // what caches hold is there
  return share_out(threads, int64_t(passes * pieces.size()), size, read);
}

}  // namespace loam
