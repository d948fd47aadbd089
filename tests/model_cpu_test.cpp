// The promise: the same file and prompt give the same bits whatever the thread count, the batch split, the neighbours
// in the batch and the instruction set; and the CPU backend gives those of the definitions.
#include <doctest/doctest.h>

#include "backends/cpu/cpu.h"
#include "backends/reference/reference.h"
#include "core/profile.h"
#include "core/session.h"
#include "tests/memory_model.h"

using namespace loam;

namespace {

struct Variant {
  const char* what;
  ModelConfig config;
  bool norms;
};

std::vector<Variant> variants() {
  ModelConfig llama;
  llama.dim = 96, llama.layers = 2, llama.heads = 6, llama.kv_heads = 2, llama.head_dim = 16, llama.ffn_dim = 160;
  llama.vocab = 131, llama.context = 2048, llama.rope_pairing = "interleaved";
  ModelConfig gemma = llama;
  gemma.dim = 160, gemma.heads = 2, gemma.kv_heads = 1, gemma.head_dim = 64, gemma.activation = "gelu_tanh";
  gemma.rope_pairing = "half", gemma.windows = {70, 0}, gemma.rope_base_local = 500, gemma.embed_scale = 12.649;
  return {{"llama-like", llama, false}, {"gemma-like", gemma, true}};
}

std::shared_ptr<Model> make_model(const Variant& f, const std::string& type) {
  return std::make_shared<Model>(tests::random_model(
      f.config, 11, [&](const std::string& n) { return n == "embed" ? "q8_0" : type; }, f.norms));
}

std::shared_ptr<Backend> cpu(int threads, const char* isa = "") {
  return make_cpu_backend({.threads = threads, .isa = isa, .crowd = true});
}

constexpr size_t kPrompt = 300;  // beyond one chunk of attention

int32_t token_at(size_t i) { return int32_t((i * 37 + i * i / 7) % 131); }

// Logits of all prompt rows and of four rows that follow one by one.
std::vector<float> logits(const std::shared_ptr<Model>& model, std::shared_ptr<Backend> backend, size_t split,
                          bool neighbour, DecoderOptions options) {
  Session s(model, {{std::move(backend), make_reference_backend()}, {}}, {.context = 1024, .decoder = options});
  const int a = s.create_sequence(), b = neighbour ? s.create_sequence() : -1;
  std::vector<float> all;
  for (size_t i = 0; i < kPrompt + 4;) {
    const size_t end = i < kPrompt ? std::min(kPrompt, i + split) : i + 1;
    std::vector<BatchRow> rows;
    for (; i < end; ++i) {
      if (neighbour && i % 2) rows.push_back({token_at(i * 3), b, false});
      rows.push_back({token_at(i), a, i % 16 == 0 || i >= kPrompt});
    }
    s.decode(rows);
    for (size_t o = 0; o < s.output_count(); ++o) all.insert(all.end(), s.logits(o).begin(), s.logits(o).end());
  }
  return all;
}

}  // namespace

TEST_CASE(
    "the CPU backend gives the bits of the definitions, with any threads, split, neighbours and instruction set") {
  for (const Variant& f : variants()) {
    for (const char* type : {"q4_k", "n4", "f16"}) {
      const auto model = make_model(f, type);
      CAPTURE(f.what);
      CAPTURE(type);
      const std::vector<float> want = logits(model, make_reference_backend(), 512, false, {});
      for (int threads : {1, 2, 3, 4}) CHECK(logits(model, cpu(threads), 512, false, {}) == want);
      for (size_t split : {size_t(1), size_t(7), size_t(64)}) CHECK(logits(model, cpu(2), split, false, {}) == want);
      for (size_t split : {size_t(1), size_t(64)}) CHECK(logits(model, cpu(2), split, true, {}) == want);
      for (const std::string& isa : cpu_instruction_sets())
        CHECK(logits(model, cpu(2, isa.c_str()), 512, false, {}) == want);
    }
  }
}

TEST_CASE("float activations and other types of keys and values too") {
  const Variant f = variants()[1];
  const auto model = make_model(f, "q6_k");
  for (const DecoderOptions& options :
       {DecoderOptions{Activations::Kind::f32, KvType::f32}, DecoderOptions{Activations::Kind::int8, KvType::q8}}) {
    const std::vector<float> want = logits(model, make_reference_backend(), 512, false, options);
    for (const std::string& isa : cpu_instruction_sets()) {
      CHECK(logits(model, cpu(2, isa.c_str()), 100, true, options) == want);
      CHECK(logits(model, cpu(3, isa.c_str()), 1, false, options) == want);
    }
  }
}

TEST_CASE("odd layers in the reference backend, even ones in the CPU backend") {
  const auto model = make_model(variants()[0], "q5_0");
  const auto run = [&](Placement p) {
    Session s(model, std::move(p), {.context = 128});
    const int a = s.create_sequence();
    std::vector<BatchRow> rows;
    for (size_t i = 0; i < 40; ++i) rows.push_back({token_at(i), a, i == 39});
    s.decode(rows);
    return std::vector<float>(s.logits(0).begin(), s.logits(0).end());
  };
  CHECK(run({{cpu(2), make_reference_backend()}, {0, 1}}) == run({{cpu(2), make_reference_backend()}, {}}));
}

TEST_CASE("a row of the type table that no kernel knows runs in prefill and decode") {
  static const TypeInfo row{.id = 998,
                            .name = "test_cpu_q4_g16",
                            .family = Family::grid,
                            .bits = 4,
                            .zero = 8,
                            .block = 16,
                            .d = FloatFormat::f16};
  if (!find_type(row.name)) REQUIRE(add_type(row));
  const auto model = make_model(variants()[0], "test_cpu_q4_g16");
  Session s(model, {{cpu(2), make_reference_backend()}, {}}, {.context = 64});
  CHECK(s.executor().fallbacks().empty());
  CHECK(logits(model, cpu(2), 512, false, {}) == logits(model, make_reference_backend(), 512, false, {}));
}

TEST_CASE("a decode step has five phases per layer") {
  for (const Variant& f : variants()) {
    CAPTURE(f.what);
    const auto model = make_model(f, "q4_k");
    Session s(model, {{cpu(2), make_reference_backend()}, {}}, {.context = 512});
    const int a = s.create_sequence();
    std::vector<BatchRow> prompt(20, BatchRow{1, a, false});
    s.decode(prompt);
    const BatchRow row{2, a, true};
    Profile profile;
    s.set_profile(&profile);
    s.decode(std::span(&row, 1));
    int64_t phases = 0;
    for (const Profile::Phase& p : profile.phases()) phases += p.busy[0] > 0;
    // Per layer q|k|v, attention, o, gate|up, down; once embed, angles (two kinds of them), selected rows, head.
    CHECK(phases == 5 * f.config.layers + 4 + (f.config.rope_base_local != 0));
  }
}
