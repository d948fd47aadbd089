// For instruction sets whose panels are all multiplied alike.
#pragma once
#include "backends/cpu/isa/inline.h"

namespace loam::cpu::ISA {
namespace {

constexpr int kDotForms = 1;  // kinds of panels that are multiplied unlike
LOAM_INLINE int dot_form(bool /*is_signed*/, int /*bits*/) { return 0; }
template <int kForm>
constexpr bool dots_start() {  // from the running sums of finish_panel
  return false;
}
constexpr bool kSubtractsFloats = false;  // a constant zero: from integers as soon as they are floats

}  // namespace
}  // namespace loam::cpu::ISA
