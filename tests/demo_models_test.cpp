// The real models, where they are at hand: logits against an independent float64 evaluation, the cost of int8
// activations, and the same bits for every thread count, split and instruction set.
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

#include "backends/cpu/cpu.h"
#include "backends/reference/reference.h"
#include "core/session.h"
#include "formats/container/reader.h"
#include "tests/golden_demo.h"
#include "tools/convert/open.h"

using namespace loam;

namespace {

struct Demo {
  const char* name;      // of its golden logits
  const char* variable;  // names its GGUF file
};
constexpr Demo kDemos[] = {{"smollm2", "LOAM_TEST_MODEL_SMOLLM2_135M"},
                           {"gemma", "LOAM_TEST_MODEL_GEMMA3_270M"},
                           {"qwen", "LOAM_TEST_MODEL_QWEN2_5_CODER_1_5B"}};

// Null, and a line that the summary shows, where the model is not at hand.
std::shared_ptr<const Model> open_demo(const Demo& d, const char* what) {
  const char* path = std::getenv(d.variable);
  if (!path || !*path) {
    std::printf("SKIPPED: %s of %s: %s names no file (make test-full fetches all models)\n", what, d.name, d.variable);
    return nullptr;
  }
  return std::make_shared<Model>(std::make_shared<LoamFile>(open_or_convert(path)));
}

Placement cpu(int threads = 0, const std::string& isa = "") {
  return {{make_cpu_backend({threads, isa, true}), make_reference_backend()}, {}};
}

// Rows of a prompt, `split` at a time; calls each(position, logits) for the positions asked for.
template <class F>
void run_prompt(Session& s, std::span<const int32_t> tokens, size_t split, const std::vector<bool>& wanted, F&& each) {
  const int sequence = s.create_sequence();
  for (size_t first = 0; first < tokens.size(); first += split) {
    std::vector<BatchRow> rows;
    std::vector<size_t> at;
    for (size_t i = first; i < std::min(tokens.size(), first + split); ++i) {
      rows.push_back({tokens[i], sequence, wanted[i]});
      if (wanted[i]) at.push_back(i);
    }
    s.decode(rows);
    for (size_t o = 0; o < at.size(); ++o) each(at[o], s.logits(o));
  }
}

std::vector<float> last_logits(const std::shared_ptr<const Model>& model, std::span<const int32_t> tokens, size_t split,
                               Placement p) {
  Session s(model, std::move(p), {.context = int64_t(tokens.size()) + 64});
  std::vector<bool> wanted(tokens.size());
  wanted.back() = true;
  std::vector<float> out;
  run_prompt(s, tokens, split, wanted, [&](size_t, std::span<const float> l) { out.assign(l.begin(), l.end()); });
  return out;
}

}  // namespace

TEST_CASE("logits of the real models equal an independent float64 evaluation") {
  for (const Demo& d : kDemos) {
    const auto model = open_demo(d, "accuracy");
    if (!model) continue;
    const golden::Demo g = golden::load_demo(d.name);
    Session s(model, cpu(), {.context = 1024, .decoder = {Activations::Kind::f32, KvType::f32}});
    std::vector<bool> wanted(g.tokens.size());
    for (int64_t r : g.rows) wanted[size_t(r)] = true;
    std::vector<float> got;
    size_t row = 0;
    run_prompt(s, g.tokens, 64, wanted, [&](size_t, std::span<const float> logits) {
      const std::vector<float> picked = golden::pick(g, row++, logits);
      got.insert(got.end(), picked.begin(), picked.end());
    });
    const double error = golden::nmse(got, g.values);
    std::printf("%s: NMSE of float logits %.3g\n", d.name, error);
    CHECK(error <= 1e-9);
  }
}

TEST_CASE("int8 activations cost less than llama.cpp's on the same file and tokens") {
  const auto model = open_demo(kDemos[0], "divergence");
  if (!model) return;
  const auto peer = nlohmann::json::parse(golden::read_text(golden::data_dir() / "demo_kld.json"));
  const std::vector<double> llama_cpp = peer["llama_cpp"];
  const size_t vocab = size_t(model->config().vocab), texts = llama_cpp.size();
  double ours = 0, theirs = 0;
  for (size_t text = 0; text < texts; ++text) {
    const std::vector<int32_t> tokens = peer["texts"][text];
    const std::vector<bool> all(tokens.size(), true);
    Session exact(model, cpu(), {.context = 1024, .decoder = {Activations::Kind::f32, KvType::f32}});
    Session fast(model, cpu(), {.context = 1024});
    std::vector<float> want;
    run_prompt(exact, tokens, 512, all,
               [&](size_t, std::span<const float> l) { want.insert(want.end(), l.begin(), l.end()); });
    double sum = 0;
    run_prompt(fast, tokens, 512, all, [&](size_t i, std::span<const float> l) {
      sum += golden::kl_divergence(std::span(want).subspan(i * vocab, vocab), l);
    });
    ours += sum / double(tokens.size() * texts), theirs += llama_cpp[text] / double(texts);
  }
  std::printf("smollm2: KLD of int8 to float activations %.6f nats per token, llama.cpp %.6f\n", ours, theirs);
  CHECK(ours > 0);
  CHECK(ours < theirs);
}

TEST_CASE("the real models give the same bits for every thread count, split and instruction set") {
  for (const Demo& d : kDemos) {
    const auto model = open_demo(d, "determinism");
    if (!model) continue;
    const golden::Demo g = golden::load_demo(d.name);
    const size_t count = std::min<size_t>(g.tokens.size(), std::getenv("LOAM_TEST_FULL") ? 96 : 40);
    const std::span<const int32_t> tokens(g.tokens.data(), count);
    const std::vector<float> want = last_logits(model, tokens, 512, cpu(2));
    CAPTURE(d.name);
    for (int threads : {1, 3, 4}) CHECK(last_logits(model, tokens, 512, cpu(threads)) == want);
    for (size_t split : {size_t(1), size_t(7), size_t(64)}) CHECK(last_logits(model, tokens, split, cpu(2)) == want);
    for (const std::string& isa : cpu_instruction_sets()) {
      CAPTURE(isa);
      const std::span<const int32_t> some = tokens.first(isa == "scalar" ? 9 : count);
      CHECK(last_logits(model, some, 512, cpu(2, isa)) == last_logits(model, some, 4, cpu(1)));
    }
  }
}
