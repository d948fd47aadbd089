// What a kernel is to the CPU backend: an op runs as up to three phases, each a number of independent chunks that the
// threads share; a phase starts when all chunks of the one before are done.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/graph.h"

namespace loam::cpu {

// One node, bound to memory; what an instruction set's code sees of a run. Rows of in/out are those of this run.
struct Call {
  const Op* op;
  const Matrix* in;
  const Matrix* out;
  const Weight* const* weights;
  State state;
  const Run* run;
  std::byte* scratch;     // of this node, shared by its phases and all threads; 64-byte aligned
  int inputs, outputs;    // how many
  const int64_t* chunks;  // of each phase in this run, as chunks() answered before the run
  const Call* before;     // the node before, where this one does its work in this run; else null
};

struct Phase {
  int64_t (*chunks)(const Call&, int threads);                         // may be 0; asked before the run
  void (*run)(const Call&, int64_t chunk, std::byte* thread_scratch);  // any thread, any order
  const char* name = "";                                               // in profiles; empty: the op's
  // Null, or called by each thread before its first chunk of the phase; what it leaves in the thread's scratch stays.
  void (*prepare)(const Call&, std::byte* thread_scratch) = nullptr;
};

struct Kernel {
  int phase_count = 0;  // 0: this instruction set has no kernel for the op
  Phase phases[3] = {};
  size_t (*scratch_bytes)(const Graph&, const Node&, int max_rows) = nullptr;         // null: none
  size_t (*thread_scratch_bytes)(const Graph&, const Node&, int max_rows) = nullptr;  // null: none
  // Whether this run's node does the work of the one before in its own phases, every thread for itself: a value that
  // only this node reads then stays with the thread, others are written once. Null: never.
  bool (*absorbs)(const Call&, const Call& before) = nullptr;
};

// One per instruction set, the only symbol of its object.
struct KernelTable {
  const char* isa;
#define OP(Type, file) Kernel file;
#include "core/ops/ops.def"
#undef OP
};

}  // namespace loam::cpu
