// The kernels of one instruction set as a table: the one symbol of its object. Each header gives <op>_kernel.
#pragma once
#include "backends/cpu/isa/math.h"
#include "backends/cpu/kernel.h"
#include "backends/cpu/kernels/activate.h"
#include "backends/cpu/kernels/attention.h"
#include "backends/cpu/kernels/embed.h"
#include "backends/cpu/kernels/gated_linear.h"
#include "backends/cpu/kernels/linear.h"
#include "backends/cpu/kernels/rms_norm.h"
#include "backends/cpu/kernels/rope_angles.h"
#include "backends/cpu/kernels/rope_kv.h"
#include "backends/cpu/kernels/select_rows.h"

#define LOAM_TEXT(x) #x
#define LOAM_NAME(x) LOAM_TEXT(x)

namespace loam::cpu {
// An op without a kernel finds this empty one, and runs in the reference backend.
#define OP(Type, file) constexpr Kernel file##_kernel{};
#include "core/ops/ops.def"
#undef OP
}  // namespace loam::cpu

namespace loam::cpu::ISA {

extern const KernelTable table;
const KernelTable table = {
    .isa = LOAM_NAME(ISA),
#define OP(Type, file) .file = file##_kernel,
#include "core/ops/ops.def"
#undef OP
};

}  // namespace loam::cpu::ISA
