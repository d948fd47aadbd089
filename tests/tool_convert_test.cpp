// Conversion end to end, on synthetic models: every imported type, Hugging Face folders, threads, the cache.
#include <doctest/doctest.h>
#include <cstdlib>

#include "core/types/codec.h"
#include "core/types/record.h"
#include "formats/container/reader.h"
#include "formats/gguf/ggml_types.h"
#include "tests/convert_support.h"
#include "tests/golden_gguf.h"
#include "tests/temp_folder.h"
#include "tools/convert/open.h"
#include "tools/inspect/compare.h"

using namespace loam;
using namespace loam::tests;
using Folder = TempFolder;
namespace fs = std::filesystem;

TEST_CASE("every imported type: GGUF -> .loam, equal bit for bit") {
  const Folder folder;
  for (const auto& type : golden::ggml_types()) {
    CAPTURE(type.name);
    const std::string gguf = folder / "m.gguf", loam = folder / "m.loam";
    golden::synthetic_llama(type.name, 17).write(gguf);
    const auto source = open_source(gguf);
    const ConvertReport report = convert_model(*source, loam);
    CHECK(report.rounded == 0);
    const LoamFile file(loam);
    const Comparison c = compare(file, *source);
    CHECK(c.equal());
    CHECK(c.tensors.size() == source->tensors.size());
    CHECK(ModelConfig::read(file.metadata()) == source->config);
    CHECK(file.tokenizer() != nullptr);
    CHECK(file.chat_template() == source->chat_template);
    CHECK_FALSE(file.chat_template().empty());
    REQUIRE(file.provenance().sources.size() == 1);
    CHECK(file.provenance().sources[0].name == "m.gguf");
    for (const auto& e : file.provenance().errors) CHECK(e.nmse == 0);
  }
}

TEST_CASE("the block of activations is the file's") {
  const Folder folder;
  golden::synthetic_llama("Q4_K", 17).write(folder / "m.gguf");
  const auto source = open_source(folder / "m.gguf");
  ConvertOptions options;
  options.activation_block = 256;
  convert_model(*source, folder / "m.loam", options);
  const LoamFile file(folder / "m.loam");
  CHECK(ModelConfig::read(file.metadata()).activation_block == 256);
  CHECK(file.provenance().recipe == "default, activation blocks of 256");
  options.activation_block = 48;
  CHECK_THROWS_WITH_AS(convert_model(*source, folder / "n.loam", options),
                       doctest::Contains("expected 16, 32, 64, 128 or 256"), Error);
  CHECK_FALSE(fs::exists(folder / "n.loam"));
}

TEST_CASE("imported matrices take at most 3 % more than the source's bytes") {
  for (const auto& t : golden::ggml_types()) {
    if (std::string(t.name) == "TQ1_0") continue;  // stored in 2 bits
    CAPTURE(t.name);
    const TypeInfo* stored = find_type(find_ggml_type(t.id)->stored_as);
    REQUIRE(stored);
    for (const auto& [n, k] : {std::pair<int64_t, int64_t>{4096, 2048}, {49152, 512}, {576, 1536}, {896, 8960}}) {
      const double source = double(n * k / t.elements * t.bytes);
      CHECK(double(matrix_bytes(*stored, n, k)) <= 1.03 * source);
    }
  }
}

TEST_CASE("a comparison can fail") {
  const Folder folder;
  golden::synthetic_llama("Q4_K", 17).write(folder / "a.gguf");
  golden::synthetic_llama("Q4_K", 18).write(folder / "b.gguf");
  const auto a = open_source(folder / "a.gguf"), b = open_source(folder / "b.gguf");
  convert_model(*a, folder / "a.loam");
  const LoamFile file(folder / "a.loam");
  CHECK(compare(file, *a).equal());
  const Comparison c = compare(file, *b);
  CHECK_FALSE(c.equal());
  CHECK(c.tensors[0].largest > 0);
}

TEST_CASE("Hugging Face folders: float types are kept exactly, gains folded, shards joined") {
  const Folder folder;
  for (const std::string& name : golden::model_names()) {
    CAPTURE(name);
    const golden::Model m = golden::load_model(name);
    for (const size_t shards : {1, 3}) {
      const fs::path in = folder.path / (name + std::to_string(shards));
      golden::write_hf_folder(m, in, shards, shards == 3);
      const auto source = open_source(in.string());
      convert_model(*source, folder / "m.loam", with_type("source"));
      const LoamFile file(folder / "m.loam");
      REQUIRE(file.tensors().size() == m.tensors.size());
      for (const golden::Tensor& t : m.tensors) {
        CAPTURE(t.name);
        const StoredTensor* stored = file.find(t.name);
        REQUIRE(stored);
        const std::vector<float> expected = m.weights(t);
        std::vector<float> row(size_t(t.k));
        for (int64_t n = 0; n < t.n; ++n) {
          const uint64_t record = row_block_bytes(*find_type("f32"), t.k) * uint64_t(n / kTileRows);
          if (t.vector)
            std::memcpy(row.data(), stored->bytes.data(), row.size() * 4);
          else
            dequantize_row(*stored->type, t.k, stored->bytes.data() + record, int(n % kTileRows), row.data());
          REQUIRE(std::memcmp(row.data(), expected.data() + n * t.k, row.size() * 4) == 0);
        }
      }
      CHECK_FALSE(file.verbatim("config.json").empty());
      CHECK_FALSE(file.verbatim("tokenizer.json").empty());
      CHECK(file.provenance().sources.size() == shards + 1);
      CHECK(file.tokenizer() != nullptr);
    }
  }
}

TEST_CASE("float checkpoints become n4 with errors on record; any type can be asked for") {
  const Folder folder;
  golden::write_hf_folder(golden::load_model("qwen3"), folder.path / "m");
  const auto source = open_source(folder / "m");
  const ConvertReport report = convert_model(*source, folder / "m.loam");
  CHECK(report.rounded > 0);
  const LoamFile file(folder / "m.loam");
  CHECK(file.find("embed")->type->name == "q8_0");
  CHECK(file.find("layers.0.attn.q")->type->name == "n4");
  const Comparison c = compare(file, *source);
  CHECK_FALSE(c.equal());
  REQUIRE(c.tensors.size() == file.provenance().errors.size());
  for (size_t i = 0; i < c.tensors.size(); ++i) {
    CHECK(c.tensors[i].name == file.provenance().errors[i].tensor);
    CHECK(c.tensors[i].nmse == doctest::Approx(file.provenance().errors[i].nmse));
    CHECK(c.tensors[i].nmse < 0.02);
  }
  for (const TypeInfo& type : all_types()) {
    CAPTURE(type.name);
    convert_model(*source, folder / "t.loam", with_type(std::string(type.name).c_str()));
    const LoamFile typed(folder / "t.loam");
    CHECK(typed.find("embed")->type == &type);
    for (const auto& t : compare(typed, *source).tensors) CHECK(t.nmse < 0.3);
  }
  const std::string text =
      what_of([&] { convert_model(*source, folder / "u.loam", with_type("q9")); }, Code::bad_argument);
  CHECK(mentions(text, "'q9'"));
  CHECK(mentions(text, "n4h"));
}

TEST_CASE("the same bytes whatever the number of threads") {
  const Folder folder;
  golden::synthetic_llama("Q6_K", 5).write(folder / "m.gguf");
  golden::write_hf_folder(golden::load_model("gemma3"), folder.path / "m");
  for (const char* in : {"m.gguf", "m"}) {
    CAPTURE(in);
    const auto source = open_source(folder / in);
    std::string first;
    for (const int threads : {1, 2, 3, 4}) {
      convert_model(*source, folder / "out.loam", with_type("", false, threads));
      const std::string bytes = golden::read_text(folder.path / "out.loam");
      if (first.empty()) first = bytes;
      CHECK((bytes == first));
    }
  }
}

TEST_CASE("an output that is the embedding is stored once") {
  const Folder folder;
  golden::Model m = golden::load_model("llama-tied");
  golden::Tensor head = m.tensors[0];
  REQUIRE(head.name == "embed");
  head.source = "lm_head.weight";
  m.tensors.push_back(head);
  golden::write_hf_folder(m, folder.path / "same");
  CHECK(open_source(folder / "same")->tensors.size() == m.tensors.size() - 1);
  m.tensors.back().name = "output";  // other weights, although config.json says tied
  golden::write_hf_folder(m, folder.path / "other");
  CHECK(mentions(what_of([&] { open_source(folder / "other"); }, Code::bad_file), "tie_word_embeddings"));
  golden::Model own = golden::load_model("llama-untied");
  std::erase_if(own.tensors, [](const golden::Tensor& t) { return t.name == "output"; });
  golden::write_hf_folder(own, folder.path / "gone");
  CHECK(mentions(what_of([&] { open_source(folder / "gone"); }, Code::bad_file), "lm_head.weight"));
}

TEST_CASE("a model by any name: converted once into the cache") {
  const Folder folder;
  const char* before = std::getenv("LOAM_CACHE");
  const std::string kept = before ? before : "";
  setenv("LOAM_CACHE", (folder / "cache").c_str(), 1);
  golden::synthetic_llama("Q5_1", 1).write(folder / "m.gguf");
  int calls = 0;
  const Progress count = [&](uint64_t, uint64_t) { return ++calls > 0; };
  const std::string first = open_or_convert(folder / "m.gguf", count);
  CHECK(calls > 0);
  CHECK(compare(LoamFile(first), *open_source(folder / "m.gguf")).equal());
  calls = 0;
  CHECK(open_or_convert(folder / "m.gguf", count) == first);
  CHECK(open_or_convert(first, count) == first);
  CHECK(calls == 0);
  golden::synthetic_llama("Q5_1", 2).write(folder / "m.gguf");
  CHECK(open_or_convert(folder / "m.gguf", count) != first);
  golden::write_hf_folder(golden::load_model("qwen2"), folder.path / "hf");
  const std::string hf = open_or_convert(folder / "hf" + "/", count);
  CHECK(open_or_convert(folder / "hf", count) == hf);
  if (before)
    setenv("LOAM_CACHE", kept.c_str(), 1);
  else
    unsetenv("LOAM_CACHE");
}

TEST_CASE("names of results") {
  CHECK(default_destination("/a/x.gguf") == "/a/x.loam");
  CHECK(default_destination("/a/model/") == "/a/model.loam");
  CHECK(default_destination("/a/v1.5") == "/a/v1.5.loam");
}
