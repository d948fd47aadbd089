// From a source to logits: every golden model as a Hugging Face folder and as a GGUF file, and a synthetic model in
// every ggml type, each converted to .loam, opened and run.
#include <doctest/doctest.h>
#include <unistd.h>

#include "backends/backends.h"
#include "core/session.h"
#include "formats/container/reader.h"
#include "tests/golden_demo.h"
#include "tests/golden_gguf_model.h"
#include "tools/convert/convert.h"
#include "tools/run/generate.h"

namespace {
using namespace loam;
namespace fs = std::filesystem;

// A folder of this process that goes away with the object.
struct Scratch {
  fs::path path = fs::temp_directory_path() / ("loam_golden_" + std::to_string(::getpid()));
  Scratch() { fs::create_directories(path); }
  ~Scratch() { fs::remove_all(path); }
};

std::shared_ptr<const Model> converted(const fs::path& source, const fs::path& to, const std::string& type,
                                       bool requantize = false) {
  convert_model(*open_source(source.string()), to.string(), {.type = type, .requantize = requantize});
  return std::make_shared<Model>(std::make_shared<LoamFile>(to.string()));
}

// Logits of the named rows, one after the other.
std::vector<float> run(std::shared_ptr<const Model> model, std::span<const int32_t> tokens,
                       std::span<const int64_t> rows, Activations::Kind kind, const char* backend = "reference") {
  Session session(std::move(model), make_placement(backend), {.context = 128, .decoder = {kind, KvType::f32}});
  std::vector<BatchRow> batch;
  const int sequence = session.create_sequence();
  for (const int32_t token : tokens) batch.push_back({token, sequence});
  for (const int64_t row : rows) batch[size_t(row)].output = true;
  session.decode(batch);
  std::vector<float> out;
  for (size_t o = 0; o < session.output_count(); ++o) {
    out.insert(out.end(), session.logits(o).begin(), session.logits(o).end());
  }
  return out;
}

TEST_CASE("golden logits come back through a Hugging Face folder, new and old keys, one file and shards") {
  const Scratch scratch;
  for (const auto& name : golden::model_names()) {
    const auto m = golden::load_model(name);
    for (const bool old : {false, true}) {
      CAPTURE(name);
      CAPTURE(old);
      golden::write_hf_folder(m, scratch.path / name, old ? 3 : 1, old);
      const auto model = converted(scratch.path / name, scratch.path / (name + ".loam"), "source");
      CHECK(golden::nmse(run(model, m.tokens, m.rows, Activations::Kind::f32), m.logits) <= 1e-9);
      fs::remove_all(scratch.path / name);
    }
  }
}

TEST_CASE("golden logits come back through GGUF") {
  const Scratch scratch;
  for (const auto& name : golden::model_names()) {
    const auto m = golden::load_model(name);
    if (!golden::has_gguf_form(m)) continue;
    CAPTURE(name);
    golden::gguf_of(m).write(scratch.path / "m.gguf");
    const auto model = converted(scratch.path / "m.gguf", scratch.path / "m.loam", "source");
    CHECK(golden::nmse(run(model, m.tokens, m.rows, Activations::Kind::f32), m.logits) <= 1e-9);
  }
}

// What a converted file answers to a text, greedily.
std::string text_of(const fs::path& path, const char* backend) {
  const auto file = std::make_shared<LoamFile>(path.string());
  REQUIRE(file->tokenizer());
  const Tokenizer tokenizer(*file->tokenizer());
  Session session(std::make_shared<Model>(file), make_placement(backend), {.context = 128});
  SamplerOptions greedy;
  greedy.temperature = 0;
  Sampler sampler(greedy);
  Stream stream(session, tokenizer);
  std::string text;
  const auto never = [] { return false; };
  const std::vector<int32_t> prompt = tokenizer.encode("hello world");
  REQUIRE(stream.feed(prompt, never));
  stream.generate(sampler, {.limit = 12}, never, [&](std::string_view piece) { text += piece; });
  CHECK(session.stats().rows <= prompt.size() + 11);  // nothing is computed behind the last token
  return text;
}

TEST_CASE("every imported ggml type runs from GGUF to text, and to the logits of its f32 values") {
  const Scratch scratch;
  const std::vector<int32_t> tokens = {119, 261, 306, 100, 112, 2, 35, 17};
  const std::vector<int64_t> rows = {0, 3, 7};
  for (const auto& type : golden::ggml_types()) {
    CAPTURE(type.name);
    const fs::path file = scratch.path / "m.gguf";
    golden::synthetic_llama(type.name, 11).write(file);
    const auto exact = converted(file, scratch.path / "exact.loam", "");
    const auto plain = converted(file, scratch.path / "f32.loam", "f32", true);
    const auto expected = run(plain, tokens, rows, Activations::Kind::f32);
    const std::string text = text_of(scratch.path / "exact.loam", "cpu");
    CHECK(!text.empty());
    CHECK(text == text_of(scratch.path / "exact.loam", "reference"));
    const auto quantized = std::string_view(type.name) == "F32" ? plain : exact;
    CHECK(golden::nmse(run(quantized, tokens, rows, Activations::Kind::f32), expected) <= 1e-9);
    const double error = golden::nmse(run(quantized, tokens, rows, Activations::Kind::int8), expected);
    CHECK(error <= 0.01);  // int8 activations in blocks of 32 cost about 1e-4
  }
}

TEST_CASE("a row added to the type table here is converted to, stored and run, in prefill and in decode") {
  static const TypeInfo row{.id = 997,
                            .name = "test_golden_q4_g16",
                            .family = Family::grid,
                            .bits = 4,
                            .zero = 8,
                            .block = 16,
                            .d = FloatFormat::f16};
  if (!find_type(row.name)) REQUIRE(add_type(row));
  const Scratch scratch;
  const auto m = golden::load_model("llama-tied");
  golden::write_hf_folder(m, scratch.path / "m");
  const auto model = converted(scratch.path / "m", scratch.path / "m.loam", "test_golden_q4_g16");
  CHECK(model->weight("layers.0.attn.q").type->id == 997);
  const std::vector<float> want = run(model, m.tokens, m.rows, Activations::Kind::int8);
  CHECK(run(model, m.tokens, m.rows, Activations::Kind::int8, "cpu") == want);
  const double error = golden::nmse(want, m.logits);
  CHECK(error > 0);
  CHECK(error < 0.5);  // 4 bits of random weights: near, not exact
  const int32_t first = m.tokens[0];
  const int64_t zero = 0;
  CHECK(run(model, {&first, 1}, {&zero, 1}, Activations::Kind::int8, "cpu") ==
        run(model, {&first, 1}, {&zero, 1}, Activations::Kind::int8));
}

}  // namespace
