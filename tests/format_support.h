// Shared by the format tests: a folder that goes away, files as bytes, and a small model to write.
#pragma once
#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "core/error.h"
#include "formats/container/reader.h"
#include "formats/container/writer.h"
#include "tests/temp_folder.h"

namespace format_test {

using loam::tests::TempFolder;

// In place where the size stays: truncating and rewriting makes some file systems flush at every close.
inline void save(const std::string& path, const std::string& bytes) {
  std::error_code missing;
  const bool in_place = std::filesystem::file_size(path, missing) == bytes.size() && !missing;
  std::fstream out(path, std::ios::binary | std::ios::out | (in_place ? std::ios::in : std::ios::trunc));
  out.write(bytes.data(), std::streamsize(bytes.size()));
}
inline std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Bytes in the making.
struct Bytes : std::string {
  template <class T>
  Bytes& add(T value) {
    append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Bytes& text(std::string_view t) {
    append(t);
    return *this;
  }
  Bytes& pad(size_t alignment) {
    resize((size() + alignment - 1) / alignment * alignment);
    return *this;
  }
};

// The message of the Error that `run` throws; fails the test where it throws none or another code.
inline std::string error_of(const std::function<void()>& run, loam::Code expected = loam::Code::bad_file) {
  try {
    run();
  } catch (const loam::Error& e) {
    CAPTURE(e.what());
    CHECK(int(e.code) == int(expected));
    return e.what();
  }
  FAIL_CHECK("no error");
  return {};
}
inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

inline std::string random_bytes(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::string bytes(count, 0);
  for (char& b : bytes) b = char(random());
  return bytes;
}
inline std::span<const std::byte> as_bytes(const std::string& s) {
  return std::as_bytes(std::span(s.data(), s.size()));
}

inline std::vector<loam::TensorPlan> small_plan() {
  using loam::find_type;
  return {{"layers.0.ffn.up", find_type("q8_0"), 1, 17, 96, false},
          {"embed", find_type("n4"), 1, 16, 64, false},
          {"layers.0.experts", find_type("q4_0"), 3, 16, 32, false},
          {"output_norm", find_type("f32"), 1, 1, 33, true}};
}

inline std::string tensor_content(const loam::LoamWriter& writer, const std::string& name) {
  return random_bytes(writer.tensor_bytes(name), uint32_t(std::hash<std::string>{}(name)));
}

inline loam::Metadata sample_metadata() {
  loam::Metadata m;
  m.set("a.bool", true);
  m.set("a.int", int64_t(-5));
  m.set("a.double", 0.1);
  m.set("a.text", std::string("Grüße\0!", 9));
  m.set("b.bools", std::vector<bool>{true, false, true});
  m.set("b.ints", std::vector<int64_t>{INT64_MIN, 0, INT64_MAX});
  m.set("b.doubles", std::vector<double>{1e308, -0.0});
  m.set("b.texts", std::vector<std::string>{"", "x", "yy"});
  m.set("b.nothing", std::vector<std::string>{});
  return m;
}

inline loam::Provenance sample_provenance() {
  return {"loam 0.1", "n4", {{"a.gguf", "sha256:00"}, {"b", "xxh3-128:01"}}, {{"embed", 1e-3, 0.5}}};
}

// Three tokens, so that a file has tokenizer sections.
inline loam::TokenizerSpec sample_tokenizer() {
  loam::TokenizerSpecBuilder builder;
  builder.add("a");
  builder.add("b");
  builder.add("ab");
  builder.add_merge(0, 1, 2);
  loam::TokenizerSpec head;
  head.pipeline = "{}";
  head.eos = 2;
  head.ends = {2};
  return builder.finish(std::move(head));
}

inline void write_small(const std::string& path) {
  loam::LoamWriter writer(path, small_plan());
  for (const auto& plan : small_plan()) {
    const std::string content = tensor_content(writer, plan.name);
    writer.write(plan.name, 0, as_bytes(content));
  }
  writer.set_metadata(sample_metadata());
  writer.set_provenance(sample_provenance());
  writer.set_tokenizer(sample_tokenizer());
  writer.set_verbatim("chat_template", "{{ messages }}");
  writer.set_verbatim("config.json", "{}");
  writer.seal();
}

}  // namespace format_test
