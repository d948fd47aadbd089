// The kernels of one instruction set as a table: the one symbol of its object. Each header gives <op>_kernel.
#pragma once
#include "backends/cpu/isa/math.h"
#include "backends/cpu/kernel.h"
#include "backends/cpu/kernels/activate.h"
#include "backends/cpu/kernels/attention.h"
#include "backends/cpu/kernels/rms_norm.h"
#include "backends/cpu/kernels/rope_angles.h"
#include "backends/cpu/kernels/rope_kv.h"
#include "backends/cpu/kernels/select_rows.h"
#if __has_include("backends/cpu/kernels/linear.h") && !defined(LOAM_NO_LINEAR)
#include "backends/cpu/kernels/linear.h"
#define LOAM_LINEAR linear_kernel
#else
#define LOAM_LINEAR \
  Kernel {}
#endif
#if __has_include("backends/cpu/kernels/gated_linear.h") && !defined(LOAM_NO_LINEAR)
#include "backends/cpu/kernels/gated_linear.h"
#define LOAM_GATED_LINEAR gated_linear_kernel
#else
#define LOAM_GATED_LINEAR \
  Kernel {}
#endif
#if __has_include("backends/cpu/kernels/embed.h") && !defined(LOAM_NO_LINEAR)
#include "backends/cpu/kernels/embed.h"
#define LOAM_EMBED embed_kernel
#else
#define LOAM_EMBED \
  Kernel {}
#endif

#define LOAM_TEXT(x) #x
#define LOAM_NAME(x) LOAM_TEXT(x)

namespace loam::cpu::ISA {

extern const KernelTable table;
const KernelTable table = {
    .isa = LOAM_NAME(ISA),
    .embed = LOAM_EMBED,
    .rms_norm = rms_norm_kernel,
    .linear = LOAM_LINEAR,
    .gated_linear = LOAM_GATED_LINEAR,
    .rope_angles = rope_angles_kernel,
    .rope_kv = rope_kv_kernel,
    .attention = attention_kernel,
    .select_rows = select_rows_kernel,
    .activate = activate_kernel,
};

}  // namespace loam::cpu::ISA
