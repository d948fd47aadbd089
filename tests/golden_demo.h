// Golden logits of the demo models (made by make_demo_goldens.py): tokens, and 64 + 512 logits of some positions.
#pragma once
#include <cmath>

#include "tests/golden_models.h"

namespace loam::golden {

struct Demo {
  std::vector<int32_t> tokens;
  std::vector<int64_t> rows;  // positions whose logits are given
  int64_t vocab = 0;
  std::vector<std::vector<int64_t>> ids;  // per row: the 64 best, then 512 fixed entries
  std::vector<float> values;              // (rows, ids)
  std::vector<double> mean, variance, logsumexp;
};

// name: smollm2, gemma or qwen.
inline Demo load_demo(const std::string& name) {
  const auto folder = data_dir() / "demo";
  const auto json = nlohmann::json::parse(read_text(folder / (name + ".json")));
  Demo d;
  d.tokens = json["tokens"].get<std::vector<int32_t>>();
  d.rows = json["rows"].get<std::vector<int64_t>>();
  d.vocab = json["vocab"];
  const auto entries = json["entries"].get<std::vector<int64_t>>();
  for (const auto& top : json["top"]) {
    d.ids.push_back(top.get<std::vector<int64_t>>());
    d.ids.back().insert(d.ids.back().end(), entries.begin(), entries.end());
  }
  d.values = read_f32(folder / (name + ".f32"));
  d.mean = json["mean"].get<std::vector<double>>();
  d.variance = json["variance"].get<std::vector<double>>();
  d.logsumexp = json["logsumexp"].get<std::vector<double>>();
  return d;
}

// The entries of one row's full logits that the golden row r has.
inline std::vector<float> pick(const Demo& d, size_t r, std::span<const float> logits) {
  std::vector<float> out;
  for (const int64_t id : d.ids[r]) out.push_back(logits[size_t(id)]);
  return out;
}

// KL(p || q) in nats of the softmax distributions of two rows of logits.
inline double kl_divergence(std::span<const float> p, std::span<const float> q) {
  double sum_p = 0, sum_q = 0, out = 0, top_p = p[0], top_q = q[0];
  for (const float x : p) top_p = std::max(top_p, double(x));
  for (const float x : q) top_q = std::max(top_q, double(x));
  for (const float x : p) sum_p += std::exp(x - top_p);
  for (const float x : q) sum_q += std::exp(x - top_q);
  const double log_p = top_p + std::log(sum_p), log_q = top_q + std::log(sum_q);
  for (size_t i = 0; i < p.size(); ++i) out += std::exp(p[i] - log_p) * ((p[i] - log_p) - (q[i] - log_q));
  return out;
}

}  // namespace loam::golden
