// A small model in a .loam file, and the C API with less typing.
#pragma once
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/loam.h"
#include "core/text/tokenizer_json.h"
#include "formats/container/writer.h"
#include "tests/format_support.h"
#include "tests/memory_model.h"

namespace api_test {

inline const std::string kData = LOAM_SOURCE_DIR "/tests/data/tiny_vocab/";

inline loam::ModelConfig small_config(int64_t vocab) {
  loam::ModelConfig c;
  c.name = "tiny", c.architecture = "llama";
  c.dim = 64, c.layers = 2, c.heads = 4, c.kv_heads = 2, c.head_dim = 16, c.ffn_dim = 96, c.vocab = vocab;
  c.context = 512;
  return c;
}

// Random weights; `text` false leaves tokenizer and chat template out.
inline void write_model(const std::string& path, bool text = true) {
  loam::LoadedTokenizer loaded = loam::tokenizer_from_json(format_test::slurp(kData + "tokenizer.json"),
                                                           format_test::slurp(kData + "tokenizer_config.json"));
  const auto model = loam::tests::random_model(small_config(int64_t(loaded.spec.size())), 7,
                                               [](const std::string& n) { return n == "embed" ? "q8_0" : "n4"; });
  std::vector<loam::TensorPlan> plan;
  for (const loam::StoredTensor& t : model->tensors()) plan.push_back({t.name, t.type, t.experts, t.n, t.k, t.vector});
  loam::LoamWriter writer(path, plan);
  for (const loam::StoredTensor& t : model->tensors()) writer.write(t.name, 0, t.bytes);
  loam::Metadata meta = model->meta;
  meta.set("test.text", std::string("Grüße"));
  meta.set("test.flag", true);
  meta.set("test.list", std::vector<int64_t>{1, -2});
  writer.set_metadata(meta);
  if (text) {
    writer.set_tokenizer(loaded.spec);
    writer.set_verbatim("chat_template", loaded.chat_template);
  }
  writer.seal();
}

inline std::string last_error() {
  const char* text = nullptr;
  size_t size = 0;
  CHECK(loam_last_error(&text, &size) == LOAM_OK);
  CHECK(std::string(text).size() == size);
  return text;
}

// The thread's message contains `part`.
inline bool says(const std::string& part) {
  CAPTURE(last_error());
  CHECK(format_test::contains(last_error(), part));
  return true;
}

// Calls twice, as a caller does that knows nothing of the size; checks the sizes in between.
template <class T, class Call>
std::vector<T> fetched(Call&& call) {
  size_t size = 0;
  REQUIRE(call(nullptr, 0, &size) == LOAM_OK);
  std::vector<T> values(size + 1, T(77));
  size_t again = 0;
  if (size > 1) {
    CHECK(call(values.data(), size - 1, &again) == LOAM_TOO_SMALL);
    CHECK(again == size);
    CHECK(values == std::vector<T>(size + 1, T(77)));  // nothing was written
  }
  if (size > 0) CHECK(call(nullptr, size, &again) == LOAM_BAD_ARGUMENT);
  CHECK(call(values.data(), size, &again) == LOAM_OK);
  CHECK(again == size);
  CHECK(values.back() == T(77));  // no NUL, no overrun
  values.pop_back();
  return values;
}

template <class Call>
std::string fetched_text(Call&& call) {
  const std::vector<char> text = fetched<char>(call);
  return {text.begin(), text.end()};
}

struct ModelFile {
  format_test::TempFolder folder;
  std::string path = folder / "tiny.loam";
  loam_model* model = nullptr;
  explicit ModelFile(bool text = true) {
    write_model(path, text);
    REQUIRE(loam_model_load(path.c_str(), nullptr, &model) == LOAM_OK);
  }
  ~ModelFile() { loam_model_free(model); }
};

struct SessionHandle {
  loam_session* session = nullptr;
  explicit SessionHandle(const loam_model* model, loam_session_options options = LOAM_SESSION_OPTIONS_INIT) {
    REQUIRE(loam_session_create(model, &options, &session) == LOAM_OK);
  }
  ~SessionHandle() { loam_session_free(session); }
  int32_t sequence() const {
    int32_t id = -1;
    REQUIRE(loam_sequence_create(session, &id) == LOAM_OK);
    return id;
  }
  int64_t length(int32_t sequence) const {
    int64_t n = -1;
    CHECK(loam_sequence_length(session, sequence, &n) == LOAM_OK);
    return n;
  }
  std::vector<float> logits(size_t index = 0) const {
    const float* values = nullptr;
    size_t count = 0;
    REQUIRE(loam_session_logits(session, index, &values, &count) == LOAM_OK);
    return {values, values + count};
  }
};

inline std::vector<loam_row> rows_of(const std::vector<int32_t>& tokens, int32_t sequence) {
  std::vector<loam_row> rows;
  for (size_t i = 0; i < tokens.size(); ++i) rows.push_back({tokens[i], sequence, i + 1 == tokens.size(), 0, nullptr});
  return rows;
}

inline std::vector<int32_t> some_tokens(size_t count, int32_t seed = 0) {
  std::vector<int32_t> t;
  for (size_t i = 0; i < count; ++i) t.push_back(int32_t((i * 37 + i * i + size_t(seed) * 11) % 300));
  return t;
}

}  // namespace api_test
