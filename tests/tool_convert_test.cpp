// Conversion end to end, on synthetic models: every imported type, Hugging Face folders, threads, errors, the cache.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "core/types/codec.h"
#include "core/types/record.h"
#include "formats/container/reader.h"
#include "formats/gguf/ggml_types.h"
#include "tests/golden_gguf.h"
#include "tests/temp_folder.h"
#include "tools/convert/convert.h"
#include "tools/convert/open.h"
#include "tools/inspect/compare.h"

using namespace loam;
using Folder = loam::tests::TempFolder;
namespace fs = std::filesystem;

namespace {

std::string what_of(const std::function<void()>& f, Code code) {
  try {
    f();
  } catch (const Error& e) {
    CHECK(e.code == code);
    return e.what();
  }
  FAIL("no error");
  return "";
}

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

ConvertOptions with_type(const char* type, bool requantize = false, int threads = 2) {
  ConvertOptions o;
  o.type = type, o.requantize = requantize, o.threads = threads;
  return o;
}

}  // namespace

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

TEST_CASE("what is quantized already is rounded again only on demand") {
  const Folder folder;
  golden::synthetic_llama("Q4_0", 5).write(folder / "m.gguf");
  const auto source = open_source(folder / "m.gguf");
  const std::string text =
      what_of([&] { convert_model(*source, folder / "m.loam", with_type("n4")); }, Code::bad_argument);
  CHECK(mentions(text, "--requantize"));
  CHECK_FALSE(fs::exists(folder / "m.loam"));
  convert_model(*source, folder / "m.loam", with_type("n4", true));
  CHECK(LoamFile(folder / "m.loam").find("embed")->type->name == "n4");
  convert_model(*source, folder / "m.loam", with_type("q4_0"));  // the same type is no rounding
  CHECK(compare(LoamFile(folder / "m.loam"), *source).equal());
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

TEST_CASE("sources that cannot be converted") {
  const Folder folder;
  golden::GgufWriter w = golden::synthetic_llama("Q8_0", 1);
  w.tensor("blk.0.surprise.weight", {32}, 0, std::string(128, '\0'));
  w.write(folder / "extra.gguf");
  CHECK(mentions(what_of([&] { open_source(folder / "extra.gguf"); }, Code::unsupported), "blk.0.surprise.weight"));

  std::string bytes = golden::synthetic_llama("Q8_0", 1).bytes();
  const size_t scale = bytes.size() - 34;  // of the last block of the last tensor
  bytes[scale] = 0, bytes[scale + 1] = 0x7c;
  golden::write_text(folder / "inf.gguf", bytes);
  const auto source = open_source(folder / "inf.gguf");
  CHECK(mentions(what_of([&] { convert_model(*source, folder / "o.loam"); }, Code::bad_file), "blk.1.ffn_down"));
  CHECK_FALSE(fs::exists(folder / "o.loam"));
  CHECK_FALSE(fs::exists(folder / "o.loam.part"));

  // A tensor of a type with code books: 64 blocks of 66 bytes where 256 * 64 values of Q8_0 were expected.
  golden::GgufWriter iq;
  iq.kv("general.architecture", "llama");
  iq.kv("llama.block_count", 1u), iq.kv("llama.context_length", 64u), iq.kv("llama.embedding_length", 256u);
  iq.kv("llama.feed_forward_length", 256u), iq.kv("llama.attention.head_count", 4u);
  iq.kv("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  const auto matrix = [&](const char* name, uint64_t n) { iq.tensor(name, {256, n}, 16, std::string(n * 66, '\0')); };
  const auto gain = [&](const char* name) { iq.tensor(name, {256}, 0, std::string(1024, '\0')); };
  matrix("token_embd.weight", 32), gain("output_norm.weight"), gain("blk.0.attn_norm.weight");
  gain("blk.0.ffn_norm.weight");
  for (const char* name :
       {"blk.0.attn_q.weight", "blk.0.attn_k.weight", "blk.0.attn_v.weight", "blk.0.attn_output.weight",
        "blk.0.ffn_gate.weight", "blk.0.ffn_up.weight", "blk.0.ffn_down.weight"})
    matrix(name, 256);
  iq.write(folder / "iq2.gguf");
  const std::string text = what_of([&] { open_source(folder / "iq2.gguf"); }, Code::unsupported);
  CHECK(mentions(text, "IQ2_XXS"));
  CHECK(mentions(text, "original checkpoint"));

  for (const char* key : {"llama.attention.key_length", "llama.block_count", "llama.attention.head_count"}) {
    CAPTURE(key);
    golden::GgufWriter big;
    big.kv("general.architecture", "llama"), big.kv("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    for (const char* other : {"llama.block_count", "llama.context_length", "llama.embedding_length", "llama.vocab_size",
                              "llama.feed_forward_length", "llama.attention.head_count", "llama.attention.key_length",
                              "llama.attention.value_length"}) {
      const bool huge = std::string_view(other) == key || (mentions(key, "length") && mentions(other, "value_length"));
      big.kv(other, huge ? 0xfffffffeu : 32u);
    }
    big.tensor("token_embd.weight", {32, 32}, 0, std::string(4096, '\0'));
    big.write(folder / "big.gguf");
    const std::string sizes = what_of([&] { open_source(folder / "big.gguf"); }, Code::bad_file);
    CHECK((mentions(sizes, "head_dim") || mentions(sizes, "make no sense")));
  }

  golden::write_text(folder / "poem.txt", "no model\n");
  CHECK(mentions(what_of([&] { open_source(folder / "poem.txt"); }, Code::bad_file), "not a model"));
  CHECK(mentions(what_of([&] { open_source(folder / "nowhere.gguf"); }, Code::io), "nowhere.gguf"));
  fs::create_directory(folder.path / "empty");
  CHECK(mentions(what_of([&] { open_source(folder / "empty"); }, Code::bad_file), "empty"));
}

TEST_CASE("cancelled or out of room: nothing is left under the final name") {
  const Folder folder;
  golden::synthetic_llama("F32", 1).write(folder / "m.gguf");
  const auto source = open_source(folder / "m.gguf");
  ConvertOptions options;
  options.progress = [](uint64_t done, uint64_t total) { return done < total / 2; };
  what_of([&] { convert_model(*source, folder / "o.loam", options); }, Code::cancelled);
  CHECK_FALSE(fs::exists(folder / "o.loam"));
  CHECK_FALSE(fs::exists(folder / "o.loam.part"));

  rlimit before;
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{200000, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::string text;
  try {
    convert_model(*source, folder / "o.loam");
  } catch (const Error& e) {
    text = e.what();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(mentions(text, "no room"));
  CHECK_FALSE(fs::exists(folder / "o.loam"));
  CHECK_FALSE(fs::exists(folder / "o.loam.part"));
  CHECK(mentions(what_of([&] { convert_model(*source, folder / "no/where/o.loam"); }, Code::io), "no/where"));
  CHECK(mentions(what_of([&] { convert_model(*source, folder / "m.gguf"); }, Code::bad_argument), "not a .loam"));
  CHECK(open_source(folder / "m.gguf")->tensors.size() == source->tensors.size());
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
