// The C API around an answer: conversations as text, and texts that end it.
#include "tests/api_support.h"

using namespace api_test;

TEST_CASE("a conversation becomes the text that the model wants") {
  ModelFile f;
  const std::string question = "How?\0";
  const loam_chat_message messages[] = {{"system", 6, "Be brief.", 9}, {"user", 4, question.data(), 4}};
  const auto format = [&](size_t count, int add) {
    return fetched_text(
        [&](char* b, size_t c, size_t* n) { return loam_chat_format(f.model, messages, count, add, b, c, n); });
  };
  CHECK(format(2, 1) == "<|start|>system\nBe brief.<|stop|>\n<|start|>user\nHow?<|stop|>\n<|start|>assistant\n");
  CHECK(format(1, 0) == "<|start|>system\nBe brief.<|stop|>\n");
  CHECK(format(0, 0) == "");
  const loam_chat_message hollow = {nullptr, 3, "x", 1};
  size_t n;
  CHECK(loam_chat_format(f.model, &hollow, 1, 0, nullptr, 0, &n) == LOAM_BAD_ARGUMENT);
  CHECK(says("role is NULL"));
}

TEST_CASE("a conversation in JSON: whatever a template knows") {
  ModelFile f;
  const auto format = [&](const std::string& json) {
    return fetched_text([&](char* b, size_t c, size_t* n) {
      return loam_chat_format_json(f.model, json.data(), json.size(), b, c, n);
    });
  };
  const std::string messages = R"([{"role": "user", "content": "H\u00e4?"}])", text = "<|start|>user\nHä?<|stop|>\n";
  CHECK(format(messages) == text + "<|start|>assistant\n");
  CHECK(format("{\"messages\": " + messages + ", \"add_generation_prompt\": false, \"tools\": [], \"x\": 1}") == text);
  size_t n;
  const std::pair<const char*, const char*> wrong[] = {{"{", "not valid JSON"},
                                                       {"3", "neither a JSON list"},
                                                       {"{}", "'messages'"},
                                                       {"[3]", "not a JSON object"},
                                                       {R"({"messages": 3})", "not a JSON list"}};
  for (const auto& [input, part] : wrong) {
    const auto& json = input;  // clang 14 captures no structured binding
    CAPTURE(json);
    CHECK(loam_chat_format_json(f.model, json, std::string(json).size(), nullptr, 0, &n) == LOAM_BAD_ARGUMENT);
    CHECK(says(part));
  }
  CHECK(loam_chat_format_json(ModelFile(false).model, "[]", 2, nullptr, 0, &n) == LOAM_UNSUPPORTED);
}

TEST_CASE("stop texts across pieces of any size") {
  const char* const texts[] = {"\nUser:", "</s>", "\xe2\x82\xac"};
  const std::string stream = "one </ two\nUs \xe2\x82\xad three\nUser: four";
  loam_stop* stop = nullptr;
  REQUIRE(loam_stop_create(texts, 3, &stop) == LOAM_OK);
  for (size_t step = 1; step <= stream.size(); ++step) {
    std::string shown;
    const char* text = nullptr;
    size_t size = 0;
    int32_t found = -1;
    for (size_t at = 0; at < stream.size() && found < 0; at += step) {
      REQUIRE(loam_stop_push(stop, &stream[at], std::min(step, stream.size() - at), &text, &size, &found) == LOAM_OK);
      shown.append(text, size);
    }
    CHECK(found == 0);
    CHECK(shown == stream.substr(0, stream.find("\nUser:")));
    CHECK(loam_stop_push(stop, "x", 1, &text, &size, &found) == LOAM_OK);
    CHECK(size == 0);
    CHECK(loam_stop_reset(stop) == LOAM_OK);
  }
  const char* text = nullptr;
  size_t size = 0;
  int32_t found = 7;
  CHECK(loam_stop_push(stop, "a</s", 4, &text, &size, &found) == LOAM_OK);
  CHECK(std::string(text, size) == "a");
  CHECK(found == -1);
  CHECK(loam_stop_finish(stop, &text, &size) == LOAM_OK);
  CHECK(std::string(text, size) == "</s");
  CHECK(loam_stop_free(stop) == LOAM_OK);
  const char* const empty[] = {""};
  CHECK(loam_stop_create(empty, 1, &stop) == LOAM_BAD_ARGUMENT);
  CHECK(stop == nullptr);
  CHECK(says("empty"));
}
