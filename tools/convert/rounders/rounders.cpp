// The list of rounders.
#include "tools/convert/rounders/rounder.h"

namespace loam {

using Round = void(const TypeInfo& type, int64_t k, const float* rows, int count, std::byte* record);
#define ROUNDER(name, summary) Round round_##name;
#include "tools/convert/rounders/rounders.def"
#undef ROUNDER

namespace {
constexpr Rounder kRounders[] = {
#define ROUNDER(name, summary) {#name, summary, round_##name},
#include "tools/convert/rounders/rounders.def"
#undef ROUNDER
};
}  // namespace

std::span<const Rounder> all_rounders() { return kRounders; }

const Rounder* find_rounder(std::string_view name) {
  for (const Rounder& r : kRounders) {
    if (r.name == name) return &r;
  }
  return nullptr;
}

}  // namespace loam
