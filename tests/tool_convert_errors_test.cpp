// What is not converted: sources that cannot be, rounding that nobody asked for, full disks and cancelled runs.
#include <sys/resource.h>

#include <csignal>

#include "formats/container/reader.h"
#include "tests/convert_support.h"
#include "tests/golden_gguf.h"
#include "tests/temp_folder.h"
#include "tools/convert/open.h"
#include "tools/inspect/compare.h"

using namespace loam;
using namespace loam::tests;
using Folder = TempFolder;
namespace fs = std::filesystem;

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
