// The demo models against the independent float64 evaluation of the same weights, and what int8 activations cost beside
// llama.cpp. Each needs its file: LOAM_TEST_MODEL_<NAME>.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>

#include "backends/cpu/cpu.h"
#include "backends/reference/reference.h"
#include "core/session.h"
#include "formats/container/reader.h"
#include "tests/golden_demo.h"
#include "tools/convert/convert.h"

namespace {
using namespace loam;
namespace fs = std::filesystem;

std::shared_ptr<const Model> open_demo(const char* path) {
  const fs::path file = fs::temp_directory_path() / ("loam_demo_" + std::to_string(::getpid()) + ".loam");
  convert_model(*open_source(path), file.string());
  auto opened = std::make_shared<LoamFile>(file.string());
  fs::remove(file);  // stays mapped
  return std::make_shared<Model>(std::move(opened));
}

Session make_session(std::shared_ptr<const Model> model, const golden::Demo& d, Activations::Kind kind, KvType kv) {
  return Session(std::move(model), {{std::shared_ptr<Backend>(make_cpu_backend()), make_reference_backend()}, {}},
                 {.context = int64_t(d.tokens.size()), .decoder = {kind, kv}});
}

// The next `count` tokens of the text, with logits for those that `wanted` names.
template <class Wanted>
void decode(Session& s, int sequence, const golden::Demo& d, size_t count, Wanted wanted) {
  std::vector<BatchRow> rows;
  const size_t begin = size_t(s.length(sequence));
  for (size_t i = begin; i < begin + count; ++i) rows.push_back({d.tokens[i], sequence, wanted(int64_t(i))});
  s.decode(rows);
}

TEST_CASE("demo models with float activations equal the float64 evaluation") {
  const char* const models[][2] = {{"smollm2", "LOAM_TEST_MODEL_SMOLLM2_135M"},
                                   {"gemma", "LOAM_TEST_MODEL_GEMMA3_270M"},
                                   {"qwen", "LOAM_TEST_MODEL_QWEN2_5_CODER_1_5B"}};
  for (const auto& [name, variable] : models) {
    const char* path = std::getenv(variable);
    if (!path) {
      if (std::string(name) == "smollm2" || std::getenv("LOAM_TEST_FULL")) {  // the others belong to the full tests
        MESSAGE("SKIPPED: ", std::string(name), ", because ", std::string(variable), " is not set");
      }
      continue;
    }
    const auto d = golden::load_demo(name);
    Session s = make_session(open_demo(path), d, Activations::Kind::f32, KvType::f32);
    decode(s, s.create_sequence(), d, d.tokens.size(),
           [&](int64_t i) { return std::find(d.rows.begin(), d.rows.end(), i) != d.rows.end(); });
    REQUIRE(s.output_count() == d.rows.size());
    std::vector<float> got;
    for (size_t r = 0; r < d.rows.size(); ++r) {
      const auto picked = golden::pick(d, r, s.logits(r));
      got.insert(got.end(), picked.begin(), picked.end());
    }
    const double error = golden::nmse(got, d.values);
    MESSAGE(std::string(name), ": NMSE of the logits ", error);
    CHECK(error <= 1e-9);
  }
}

TEST_CASE("int8 activations cost less than llama.cpp's on the demo model") {
  const char* path = std::getenv("LOAM_TEST_MODEL_SMOLLM2_135M");
  if (!path) {
    MESSAGE("SKIPPED: no demo model, because LOAM_TEST_MODEL_SMOLLM2_135M is not set");
    return;
  }
  const auto d = golden::load_demo("smollm2");
  const auto peer = nlohmann::json::parse(golden::read_text(golden::data_dir() / "demo_kld.json"));
  const auto model = open_demo(path);
  Session plain = make_session(model, d, Activations::Kind::f32, KvType::f32);
  Session rounded = make_session(model, d, Activations::Kind::int8, KvType::f16);
  const int a = plain.create_sequence(), b = rounded.create_sequence();
  double sum = 0;
  constexpr size_t kPart = 64;  // logits of all rows, a part of the text at a time
  for (size_t i = 0; i < d.tokens.size(); i += kPart) {
    decode(plain, a, d, kPart, [](int64_t) { return true; });
    decode(rounded, b, d, kPart, [](int64_t) { return true; });
    for (size_t r = 0; r < kPart; ++r) sum += golden::kl_divergence(plain.logits(r), rounded.logits(r));
  }
  const double kld = sum / double(d.tokens.size()), limit = peer["llama_cpp"];
  MESSAGE("KLD per token, float to int8 activations: ", kld, " (llama.cpp: ", limit, ")");
  CHECK(kld < limit);
}

}  // namespace
