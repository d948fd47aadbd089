// The rows of types.def as they are compiled in: the list of types begins with them, kernels are made for them.
#pragma once
#include "core/types/tables.h"
#include "core/types/type.h"

namespace loam {
namespace built_in {

using namespace tables;
using F = FloatFormat;
using I = IntFormat;

inline constexpr TypeInfo kBuiltInTypes[] = {
#define PLAIN(ID, NAME, BITS, FORMAT) \
  {.id = ID, .name = NAME, .family = Family::plain, .bits = BITS, .plain = F::FORMAT},
#define TYPE(ID, NAME, FAMILY, BITS, ZERO, T0, T1, GROUP, S, M, BLOCK, D, E) \
  {.id = ID,                                                                 \
   .name = NAME,                                                             \
   .family = Family::FAMILY,                                                 \
   .bits = BITS,                                                             \
   .zero = ZERO,                                                             \
   .tables = {T0, T1},                                                       \
   .group = GROUP,                                                           \
   .s = I::S,                                                                \
   .m = I::M,                                                                \
   .block = BLOCK,                                                           \
   .d = F::D,                                                                \
   .e = F::E},
#include "core/types/types.def"
#undef TYPE
#undef PLAIN
};

}  // namespace built_in
using built_in::kBuiltInTypes;

}  // namespace loam
