// All ops as one closed set.
#pragma once
#include <variant>

#include "core/ops/activate.h"
#include "core/ops/attention.h"
#include "core/ops/embed.h"
#include "core/ops/gated_linear.h"
#include "core/ops/linear.h"
#include "core/ops/rms_norm.h"
#include "core/ops/rope_angles.h"
#include "core/ops/rope_kv.h"
#include "core/ops/select_rows.h"

namespace loam {

using Op = std::variant<
#define OP(Type, file) Type,
#include "core/ops/ops.def"
#undef OP
    std::monostate>;

#define OP(Type, file) static_assert(Operation<Type>);
#include "core/ops/ops.def"
#undef OP

}  // namespace loam
