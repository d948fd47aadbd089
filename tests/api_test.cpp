// The C API: the library, models, text, and what wrong arguments get.
#include <array>
#include <thread>

#include "tests/api_support.h"

using namespace api_test;
using format_test::slurp;

namespace {

std::vector<int32_t> tokens_of(const loam_model* m, const std::string& text, uint32_t flags = 0) {
  return fetched<int32_t>(
      [&](int32_t* b, size_t c, size_t* n) { return loam_tokenize(m, text.data(), text.size(), flags, b, c, n); });
}

std::string metadata(const loam_model* m, const char* key) {
  return fetched_text([&](char* b, size_t c, size_t* n) { return loam_model_metadata(m, key, b, c, n); });
}

}  // namespace

TEST_CASE("version, status names, backends") {
  const char* text = nullptr;
  REQUIRE(loam_version(&text) == LOAM_OK);
  CHECK(text == std::to_string(LOAM_VERSION_MAJOR) + "." + std::to_string(LOAM_VERSION_MINOR) + "." +
                    std::to_string(LOAM_VERSION_PATCH));
  for (int s = LOAM_OK; s <= LOAM_TOO_SMALL; ++s) {
    CHECK(loam_status_name(loam_status(s), &text) == LOAM_OK);
    CHECK(std::string(text).size() > 1);
  }
  CHECK(loam_status_name(loam_status(LOAM_TOO_SMALL + 1), &text) == LOAM_BAD_ARGUMENT);
  size_t count = 0;
  REQUIRE(loam_backend_name(0, &text, &count) == LOAM_OK);
  CHECK(std::string(text) == "cpu");
  REQUIRE(count >= 2);
  REQUIRE(loam_backend_name(count - 1, &text, nullptr) == LOAM_OK);
  CHECK(std::string(text) == "reference");
  CHECK(loam_backend_name(count, &text, nullptr) == LOAM_BAD_ARGUMENT);
  CHECK(text == nullptr);
}

TEST_CASE("sizes of the structs: what programs were compiled with must not change") {
  CHECK(sizeof(loam_load_options) == 48);
  CHECK(sizeof(loam_model_info) == 136);
  CHECK(sizeof(loam_chat_message) == 32);
  CHECK(sizeof(loam_session_options) == 56);
  CHECK(sizeof(loam_row) == 24);
  CHECK(sizeof(loam_sampler_options) == 152);
  CHECK(offsetof(loam_sampler_options, dynatemp_range) == 40);  // the first version ended here
  CHECK(sizeof(loam_logit_bias) == 8);
}

TEST_CASE("a model tells about itself") {
  ModelFile f;
  loam_model_info info = LOAM_MODEL_INFO_INIT;
  CHECK(info.bos_token == -1);
  CHECK(info.has_chat_template == 0);
  REQUIRE(loam_model_get_info(f.model, &info) == LOAM_OK);
  CHECK(std::string(info.name) == "tiny");
  CHECK(std::string(info.architecture) == "llama");
  CHECK(info.file_bytes == slurp(f.path).size());
  CHECK(info.weight_bytes > 50000);
  CHECK(info.weight_bytes < info.file_bytes);
  CHECK(info.vocab == 307);
  CHECK(info.parameters == uint64_t(307 * 64 + 64 + 2 * (2 * 64 + 2 * 64 * 64 + 2 * 32 * 64 + 3 * 64 * 96)));
  CHECK(std::array{info.context, info.dim, info.layers, info.heads, info.kv_heads, info.head_dim, info.ffn_dim} ==
        std::array<int64_t, 7>{512, 64, 2, 4, 2, 16, 96});
  CHECK(info.has_tokenizer == 1);
  CHECK(info.has_chat_template == 1);
  CHECK(std::array{info.bos_token, info.eos_token, info.unk_token, info.pad_token} == std::array{0, 2, -1, 0});

  struct {
    loam_model_info info;
    char newer[8];
  } big = {LOAM_MODEL_INFO_INIT, {1, 1, 1, 1, 1, 1, 1, 1}};  // a program compiled against a later version
  big.info.size = sizeof big;
  REQUIRE(loam_model_get_info(f.model, &big.info) == LOAM_OK);
  CHECK(std::string(big.newer, 8) == std::string(8, '\0'));
  big.info.size = 5;
  CHECK(loam_model_get_info(f.model, &big.info) == LOAM_BAD_ARGUMENT);
  CHECK(says("LOAM_MODEL_INFO_INIT"));
}

TEST_CASE("metadata by key and by index") {
  ModelFile f;
  CHECK(metadata(f.model, "test.text") == "Grüße");
  CHECK(metadata(f.model, "test.flag") == "true");
  CHECK(metadata(f.model, "test.list") == "[1,-2]");
  CHECK(metadata(f.model, "model.dim") == "64");
  CHECK(metadata(f.model, "model.rope.base") == "10000.0");
  size_t count = 0, found = 0;
  const char* key = nullptr;
  REQUIRE(loam_model_metadata_key(f.model, 0, nullptr, &count) == LOAM_OK);
  for (size_t i = 0; i < count; ++i) {
    REQUIRE(loam_model_metadata_key(f.model, i, &key, nullptr) == LOAM_OK);
    found += std::string(key) == "test.flag";
    metadata(f.model, key);
  }
  CHECK(found == 1);
  CHECK(loam_model_metadata_key(f.model, count, &key, nullptr) == LOAM_BAD_ARGUMENT);
  size_t size = 0;
  CHECK(loam_model_metadata(f.model, "no.such", nullptr, 0, &size) == LOAM_BAD_ARGUMENT);
  CHECK(says("no.such"));
}

TEST_CASE("text to tokens and back, a piece at a time too") {
  ModelFile f;
  const std::string text = "the Grüße 日本 <|stop|> 12";
  const std::vector<int32_t> plain = tokens_of(f.model, text), special = tokens_of(f.model, text, LOAM_PARSE_SPECIAL);
  CHECK(plain.size() > special.size());
  CHECK(std::count(special.begin(), special.end(), 2) == 1);
  CHECK(tokens_of(f.model, "").empty());
  const auto back = [&](const std::vector<int32_t>& t, uint32_t flags) {
    return fetched_text(
        [&](char* b, size_t c, size_t* n) { return loam_detokenize(f.model, t.data(), t.size(), flags, b, c, n); });
  };
  CHECK(back(plain, 0) == text);
  CHECK(back(special, 0) == text);
  CHECK(back(special, LOAM_SKIP_SPECIAL) == "the Grüße 日本  12");
  std::string pieces;
  for (const int32_t id : plain)
    pieces += fetched_text([&](char* b, size_t c, size_t* n) { return loam_token_piece(f.model, id, b, c, n); });
  CHECK(pieces == text);

  int32_t id = 5, is = -1;
  CHECK(loam_token_find(f.model, "<|start|>", 9, &id) == LOAM_OK);
  CHECK(id == 1);
  CHECK(loam_token_find(f.model, "<|sta", 5, &id) == LOAM_OK);
  CHECK(id == -1);
  CHECK(loam_token_is_end(f.model, 2, &is) == LOAM_OK);
  CHECK(is == 1);
  CHECK(loam_token_is_end(f.model, 50, &is) == LOAM_OK);
  CHECK(is == 0);
  CHECK(loam_token_is_special(f.model, 1, &is) == LOAM_OK);
  CHECK(is == 1);
  CHECK(loam_token_is_special(f.model, 50, &is) == LOAM_OK);
  CHECK(is == 0);
  for (const int32_t wrong : {-1, 307, INT32_MAX}) {
    size_t n;
    CHECK(loam_token_is_end(f.model, wrong, &is) == LOAM_BAD_ARGUMENT);
    CHECK(loam_token_is_special(f.model, wrong, &is) == LOAM_BAD_ARGUMENT);
    CHECK(loam_token_piece(f.model, wrong, nullptr, 0, &n) == LOAM_BAD_ARGUMENT);
    CHECK(loam_detokenize(f.model, &wrong, 1, 0, nullptr, 0, &n) == LOAM_BAD_ARGUMENT);
    CHECK(says("vocabulary of 307"));
  }
}

TEST_CASE("a model without text still has numbers") {
  ModelFile f(false);
  loam_model_info info = LOAM_MODEL_INFO_INIT;
  REQUIRE(loam_model_get_info(f.model, &info) == LOAM_OK);
  CHECK(info.has_tokenizer == 0);
  CHECK(info.eos_token == -1);
  size_t n;
  int32_t is;
  CHECK(loam_tokenize(f.model, "a", 1, 0, nullptr, 0, &n) == LOAM_UNSUPPORTED);
  CHECK(loam_token_is_end(f.model, 0, &is) == LOAM_UNSUPPORTED);
  CHECK(says("no tokenizer"));
  CHECK(loam_chat_format(f.model, nullptr, 0, 0, nullptr, 0, &n) == LOAM_UNSUPPORTED);
  CHECK(says("no chat template"));
  const SessionHandle s(f.model);
  const int32_t q = s.sequence();
  CHECK(loam_session_decode(s.session, rows_of({1, 2, 3}, q).data(), 3) == LOAM_OK);
}

TEST_CASE("loading: progress, cancelling, logging, damage") {
  ModelFile f;
  struct Seen {
    int calls = 0, limit = 0;
    uint64_t last = 0, total = 0;
    std::string log;
  } seen;
  loam_load_options o = LOAM_LOAD_OPTIONS_INIT;
  o.progress = [](void* user, uint64_t done, uint64_t total) {
    Seen& s = *static_cast<Seen*>(user);
    CHECK(done >= s.last);
    s.last = done, s.total = total;
    return int(++s.calls == s.limit);
  };
  o.progress_user = &seen;
  o.log = [](void* user, loam_log_level, const char* text, size_t size) {
    static_cast<Seen*>(user)->log += std::string(text, size) + "\n";
  };
  o.log_user = &seen;
  loam_model* m = nullptr;
  REQUIRE(loam_model_load(f.path.c_str(), &o, &m) == LOAM_OK);
  CHECK(seen.calls > 0);
  CHECK(seen.last == seen.total);
  CHECK(format_test::contains(seen.log, "tiny.loam"));
  loam_model_free(m);
  seen = {};
  seen.limit = 1;
  CHECK(loam_model_load(f.path.c_str(), &o, &m) == LOAM_CANCELLED);
  CHECK(m == nullptr);
  CHECK(seen.calls == 1);

  std::string bytes = slurp(f.path);
  bytes[8192] ^= 1;
  format_test::save(f.folder / "bad.loam", bytes);
  CHECK(loam_model_load((f.folder / "bad.loam").c_str(), nullptr, &m) == LOAM_BAD_FILE);
  CHECK(m == nullptr);
  o = LOAM_LOAD_OPTIONS_INIT;
  o.skip_verify = 1;
  CHECK(loam_model_load((f.folder / "bad.loam").c_str(), &o, &m) == LOAM_OK);
  loam_model_free(m);
  CHECK(loam_model_load((f.folder / "missing.loam").c_str(), nullptr, &m) == LOAM_IO);
  CHECK(says("missing.loam"));
  format_test::save(f.folder / "text.loam", "hello");
  CHECK(loam_model_load((f.folder / "text.loam").c_str(), nullptr, &m) == LOAM_BAD_FILE);
}

TEST_CASE("option structs of other sizes") {
  ModelFile f;
  loam_model* m = nullptr;
  loam_load_options zero = {};
  CHECK(loam_model_load(f.path.c_str(), &zero, &m) == LOAM_BAD_ARGUMENT);
  CHECK(says("loam_load_options.size is 0"));
  struct {
    loam_load_options options;
    uint64_t newer;
  } big = {LOAM_LOAD_OPTIONS_INIT, 0};
  big.options.size = sizeof big;
  CHECK(loam_model_load(f.path.c_str(), &big.options, &m) == LOAM_OK);  // a newer program that wants nothing new
  loam_model_free(m);
  big.newer = 1;
  CHECK(loam_model_load(f.path.c_str(), &big.options, &m) == LOAM_BAD_ARGUMENT);
  CHECK(says("does not have"));
}

TEST_CASE("the last message belongs to its thread") {
  loam_model* m;
  CHECK(loam_model_load(nullptr, nullptr, &m) == LOAM_BAD_ARGUMENT);
  CHECK(last_error() == "path is NULL");
  std::thread([] {
    CHECK(last_error() == "");
    CHECK(loam_version(nullptr) == LOAM_BAD_ARGUMENT);
    CHECK(last_error() == "text is NULL");
  }).join();
  CHECK(last_error() == "path is NULL");
  CHECK(loam_last_error(nullptr, nullptr) == LOAM_BAD_ARGUMENT);
}
