// gated_linear: linear's phases; a unit is a row block of the gate and the same of the up matrix.
#pragma once
#include "backends/cpu/kernels/linear.h"

namespace loam::cpu::ISA {
namespace {

constexpr Kernel gated_linear_kernel = linear_kernel;

}  // namespace
}  // namespace loam::cpu::ISA
