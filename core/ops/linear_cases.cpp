// Test cases of the ops that read matrices: every type, both policies, sizes that break SIMD.
#include "core/ops/embed.h"
#include "core/ops/gated_linear.h"
#include "core/ops/linear.h"

namespace loam {

std::vector<Case<Linear>> Linear::cases() {
  std::vector<Case<Linear>> all;
  const Activations q32{}, q256{Activations::Kind::int8, 256}, q16{Activations::Kind::int8, 16},
      f32{Activations::Kind::f32, 32};
  for (const TypeInfo& t : all_types()) {
    all.push_back({{q32, 1, 0}, {576}, {{t.name, 33, 576}}, 7});
    all.push_back({{q256, 1, 0}, {640}, {{t.name, 16, 640}}, 2});
    all.push_back({{q16, 1, 0}, {96}, {{t.name, 1, 96}}, 3});
    all.push_back({{f32, 1, 0}, {321}, {{t.name, 17, 321}}, 13});
    all.push_back({{q32, 1, 1}, {33}, {{t.name, 48, 33}, {"", 48}}, 1});
  }
  for (int rows : {0, 1, 2, 5, 6, 8, 31, 33}) all.push_back({{q32, 1, 0}, {288}, {{"n4", 80, 288}}, rows});
  all.push_back(
      {{q32, 3, 7}, {256}, {{"q4_k", 64, 256}, {"q6_k", 32, 256}, {"q8_0", 40, 256}, {"", 64}, {"", 32}, {"", 40}}, 9});
  all.push_back({{q32, 2, 2}, {64}, {{"f16", 20, 64}, {"n4h", 33, 64}, {"", 33}}, 4});
  all.push_back({{q32, 1, 0}, {1}, {{"q8_row", 1, 1}}, 1});
  all.push_back({{q32, 1, 0}, {8960}, {{"q4_k", 16, 8960}}, 1});
  return all;
}

std::vector<Case<GatedLinear>> GatedLinear::cases() {
  const Activations q32{}, f32{Activations::Kind::f32, 32};
  return {{{q32, Gate::silu}, {64}, {{"q4_1", 96, 64}, {"q4_1", 96, 64}}, 5},
          {{q32, Gate::gelu_tanh}, {640}, {{"q4_k", 33, 640}, {"q6_k", 33, 640}}, 1},
          {{f32, Gate::gelu_tanh}, {33}, {{"f32", 17, 33}, {"bf16", 17, 33}}, 3},
          {{q32, Gate::silu}, {31}, {{"n4", 7, 31}, {"n4h", 7, 31}}, 0}};
}

std::vector<Case<Embed>> Embed::cases() {
  std::vector<Case<Embed>> all;
  for (const TypeInfo& t : all_types()) all.push_back({{1.5f}, {}, {{t.name, 35, 333}}, 9});
  return all;
}

}  // namespace loam
