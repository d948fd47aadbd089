// The C API: every function with NULL; the C example as a program.
#include <sys/wait.h>

#include <cstdio>
#include <utility>

#include "tests/api_support.h"

using namespace api_test;

namespace {

// Exit status (-1: killed) and output of a shell command.
std::pair<int, std::string> output_of(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe);
  std::string text;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) text += char(c);
  const int status = ::pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text};
}

}  // namespace

TEST_CASE("the library exports these functions, and the header declares them") {
  const std::string expected =
      "loam_backend_name loam_chat_format loam_chat_format_json loam_detokenize loam_last_error loam_model_free "
      "loam_model_get_info "
      "loam_model_load loam_model_metadata loam_model_metadata_key loam_sampler_accept loam_sampler_create "
      "loam_sampler_free loam_sampler_sample loam_sampler_set_grammar loam_sampler_set_json_schema "
      "loam_sequence_create loam_sequence_fork loam_sequence_length "
      "loam_sequence_remove loam_sequence_truncate loam_session_create loam_session_decode loam_session_free "
      "loam_session_free_positions loam_session_logits loam_status_name loam_stop_create loam_stop_finish "
      "loam_stop_free loam_stop_push loam_stop_reset loam_token_find loam_token_is_end "
      "loam_token_is_special loam_token_piece loam_tokenize loam_version ";
  const std::string joined = " | LC_ALL=C sort | tr '\\n' ' '";
  CHECK(output_of("nm -D --defined-only " LOAM_BINARY_DIR "/libloam.so | sed 's/.* //; s/@.*//'" + joined).second ==
        expected);
  CHECK(
      output_of("sed -n 's/^LOAM_API loam_status \\(loam_[a-z_]*\\)(.*/\\1/p' " LOAM_SOURCE_DIR "/core/loam.h" + joined)
          .second == expected);
}

TEST_CASE("every function refuses NULL") {
  ModelFile f;
  const SessionHandle h(f.model);
  loam_session* s = h.session;
  loam_model* m = nullptr;
  loam_sampler* sampler = nullptr;
  REQUIRE(loam_sampler_create(nullptr, &sampler) == LOAM_OK);
  loam_stop *stop = nullptr, *none = nullptr;
  REQUIRE(loam_stop_create(nullptr, 0, &stop) == LOAM_OK);
  const char *nothing = nullptr, *text = nullptr;
  const float one = 1;
  const float* logits;
  size_t n;
  int32_t i;
  int64_t l;
  char c[8];
  const loam_status all[] = {loam_version(nullptr),
                             loam_status_name(LOAM_OK, nullptr),
                             loam_model_load(nullptr, nullptr, &m),
                             loam_model_load("x", nullptr, nullptr),
                             loam_model_get_info(nullptr, nullptr),
                             loam_model_get_info(f.model, nullptr),
                             loam_model_metadata_key(nullptr, 0, nullptr, &n),
                             loam_model_metadata(nullptr, "k", c, 8, &n),
                             loam_model_metadata(f.model, nullptr, c, 8, &n),
                             loam_model_metadata(f.model, "model.dim", c, 8, nullptr),
                             loam_tokenize(nullptr, "a", 1, 0, nullptr, 0, &n),
                             loam_tokenize(f.model, nullptr, 1, 0, nullptr, 0, &n),
                             loam_tokenize(f.model, "a", 1, 0, nullptr, 0, nullptr),
                             loam_tokenize(f.model, "a", 1, 4, nullptr, 0, &n),
                             loam_detokenize(nullptr, nullptr, 0, 0, c, 8, &n),
                             loam_detokenize(f.model, nullptr, 2, 0, c, 8, &n),
                             loam_detokenize(f.model, nullptr, SIZE_MAX, 0, c, 8, &n),
                             loam_detokenize(f.model, nullptr, 0, 2, c, 8, &n),
                             loam_token_piece(nullptr, 5, c, 8, &n),
                             loam_token_piece(f.model, 5, c, 8, nullptr),
                             loam_token_find(nullptr, "a", 1, &i),
                             loam_token_find(f.model, nullptr, 1, &i),
                             loam_token_find(f.model, "a", 1, nullptr),
                             loam_token_is_end(nullptr, 5, &i),
                             loam_token_is_end(f.model, 5, nullptr),
                             loam_token_is_special(nullptr, 5, &i),
                             loam_token_is_special(f.model, 5, nullptr),
                             loam_chat_format(nullptr, nullptr, 0, 0, c, 8, &n),
                             loam_chat_format(f.model, nullptr, 1, 0, c, 8, &n),
                             loam_chat_format(f.model, nullptr, 0, 0, c, 8, nullptr),
                             loam_chat_format_json(nullptr, "[]", 2, c, 8, &n),
                             loam_chat_format_json(f.model, nullptr, 2, c, 8, &n),
                             loam_chat_format_json(f.model, nullptr, 0, c, 8, &n),
                             loam_chat_format_json(f.model, "[]", 2, c, 8, nullptr),
                             loam_stop_create(nullptr, 0, nullptr),
                             loam_stop_create(nullptr, 1, &none),
                             loam_stop_create(&nothing, 1, &none),
                             loam_stop_push(nullptr, "", 0, &text, &n, &i),
                             loam_stop_push(stop, nullptr, 1, &text, &n, &i),
                             loam_stop_push(stop, "", 0, nullptr, &n, &i),
                             loam_stop_push(stop, "", 0, &text, nullptr, &i),
                             loam_stop_push(stop, "", 0, &text, &n, nullptr),
                             loam_stop_finish(nullptr, &text, &n),
                             loam_stop_finish(stop, nullptr, &n),
                             loam_stop_finish(stop, &text, nullptr),
                             loam_stop_reset(nullptr),
                             loam_session_create(nullptr, nullptr, &s),
                             loam_session_create(f.model, nullptr, nullptr),
                             loam_sequence_create(nullptr, &i),
                             loam_sequence_create(h.session, nullptr),
                             loam_sequence_fork(nullptr, 0, 0, &i),
                             loam_sequence_fork(h.session, 0, 0, nullptr),
                             loam_sequence_fork(h.session, 7, 0, &i),
                             loam_sequence_truncate(nullptr, 0, 0),
                             loam_sequence_truncate(h.session, 7, 0),
                             loam_sequence_remove(nullptr, 0),
                             loam_sequence_remove(h.session, -1),
                             loam_sequence_length(nullptr, 0, &l),
                             loam_sequence_length(h.session, 0, nullptr),
                             loam_session_free_positions(nullptr, &l),
                             loam_session_free_positions(h.session, nullptr),
                             loam_session_decode(nullptr, nullptr, 0),
                             loam_session_decode(h.session, nullptr, 1),
                             loam_session_logits(nullptr, 0, &logits, &n),
                             loam_session_logits(h.session, 0, nullptr, &n),
                             loam_session_logits(h.session, 0, &logits, &n),
                             loam_sampler_create(nullptr, nullptr),
                             loam_sampler_sample(nullptr, &one, 1, &i),
                             loam_sampler_sample(sampler, nullptr, 1, &i),
                             loam_sampler_sample(sampler, &one, 0, &i),
                             loam_sampler_sample(sampler, &one, 1, nullptr),
                             loam_sampler_accept(nullptr, 1),
                             loam_sampler_accept(sampler, -1),
                             loam_sampler_set_grammar(nullptr, f.model, "", 0),
                             loam_sampler_set_grammar(sampler, nullptr, "", 0),
                             loam_sampler_set_grammar(sampler, f.model, nullptr, 1),
                             loam_sampler_set_grammar(sampler, f.model, "", 0),
                             loam_sampler_set_json_schema(nullptr, f.model, "{}", 2),
                             loam_sampler_set_json_schema(sampler, f.model, "{", 1)};
  for (size_t k = 0; k < std::size(all); ++k) {
    CAPTURE(k);
    CHECK(all[k] == LOAM_BAD_ARGUMENT);
  }
  CHECK(loam_sampler_free(sampler) == LOAM_OK);
  CHECK(loam_stop_free(stop) == LOAM_OK);
  CHECK(loam_stop_free(nullptr) == LOAM_OK);
  CHECK(loam_sampler_free(nullptr) == LOAM_OK);
  CHECK(loam_session_free(nullptr) == LOAM_OK);
  CHECK(loam_model_free(nullptr) == LOAM_OK);
}

TEST_CASE("the example in C talks with a model") {
  ModelFile f;
  const std::string example = LOAM_BINARY_DIR "/tests/api_example ";
  const auto answer = output_of(example + f.path + " 'Who?' 2>&1");
  CAPTURE(answer.second);
  CHECK(answer.first == 0);
  CHECK(answer.second.size() > 1);
  const auto failure = output_of(example + "/no/such.loam 2>&1");
  CHECK(failure.first == 1);
  CHECK(failure.second.rfind("error: ", 0) == 0);
  CHECK(output_of(example + "2>&1").first == 2);
}

TEST_CASE("the example in C asks the demo model") {
  const char* source = std::getenv("LOAM_TEST_MODEL_SMOLLM2_135M");
  if (!source) {
    MESSAGE("SKIPPED: the C example with the demo model: LOAM_TEST_MODEL_SMOLLM2_135M is not set");
    return;
  }
  const format_test::TempFolder folder;
  const std::string path = folder / "demo.loam";
  REQUIRE(output_of(LOAM_BINARY_DIR "/loam convert '" + std::string(source) + "' -o " + path + " 2>&1").first == 0);
  const auto answer = output_of(LOAM_BINARY_DIR "/tests/api_example " + path +
                                " 'What is the capital of France?' 'You are a helpful AI assistant.' 2>&1");
  CAPTURE(answer.second);
  CHECK(answer.first == 0);
  CHECK(format_test::contains(answer.second, "Paris"));
}
