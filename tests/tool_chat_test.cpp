// Conversations on a small random model: what is computed, undone, saved, dropped and refused.
#include <unistd.h>

#include <filesystem>

#include "tests/chat_support.h"

using namespace loam;
using namespace loam::tests;

TEST_CASE("a second turn computes its own tokens only, and says what a fresh conversation would say") {
  Fixture f(1024);
  Conversation c = f.conversation();
  ask(c, "hello there");
  const uint64_t before = f.session->stats().rows;
  const int64_t held = c.held_tokens();
  AnswerStats stats;
  ask(c, "and now", &stats);
  CHECK(f.session->stats().rows - before == uint64_t(c.held_tokens() - held));
  CHECK(stats.prefill.tokens < uint64_t(held));
}

TEST_CASE("no space comes between an answer and what follows where the vocabulary puts one before a text") {
  const char* const json = R"({"added_tokens": [{"id": 4, "content": "</s>", "special": true}],
    "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always"},
    "decoder": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always"},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "\u2581": 3}, "merges": []}})";
  Fixture f(1024, tokenizer_from_json(json, {}, {}).spec);
  Conversation c = f.conversation(false, 0, nullptr, "");
  ask(c, "ab");
  ask(c, "cab");
  CHECK(f.tokenizer.decode(c.tokens()) == "abcab");
  Conversation talk = f.conversation(false, 0, nullptr, "{% for m in messages %}{{ m.content }}{% endfor %}");
  ask(talk, "ab");
  ask(talk, "</s>cab");
  CHECK(talk.tokens() == f.tokenizer.encode("ab</s>cab", {false, true}));
}

TEST_CASE("undo gives the same answer again, clear begins anew") {
  Fixture f(1024);
  Conversation c = f.conversation();
  const std::string first = ask(c, "one"), second = ask(c, "two");
  CHECK(c.undo());
  CHECK(c.messages().size() == 2);
  CHECK(ask(c, "two") == second);
  c.clear();
  CHECK_FALSE(c.undo());
  CHECK(ask(c, "one") == first);
}

TEST_CASE("a conversation is saved and goes on where it was") {
  Fixture f(1024), g(1024);
  const std::string path =
      (std::filesystem::temp_directory_path() / ("loam_chat_" + std::to_string(getpid()) + ".json")).string();
  Conversation c = f.conversation();
  ask(c, "one \"quoted\" \xc3\xa9");
  c.save(path);
  Conversation d = g.conversation();
  d.load(path);
  REQUIRE(d.messages().size() == 2);
  CHECK(d.messages()[0].content == c.messages()[0].content);
  CHECK(d.messages()[1].content == c.messages()[1].content);
  golden::write_text(path, "{\"role\": 3}");
  CHECK_THROWS_AS(d.load(path), Error);
  CHECK(d.messages().size() == 2);
  std::filesystem::remove(path);
  CHECK_THROWS_AS(d.load(path), Error);
  CHECK_THROWS_AS(c.save("/nowhere/at/all.json"), Error);
}

TEST_CASE("saved conversations of any shape can be loaded, undone, dropped from and asked") {
  Fixture f(128);
  const tests::TempFolder folder;
  const auto loaded = [&](const char* json) {
    golden::write_text(folder / "c.json", json);
    Conversation c = f.conversation(true);
    c.load(folder / "c.json");
    return c;
  };
  Conversation answers = loaded(R"([{"role": "assistant", "content": "a"}])");
  CHECK_FALSE(answers.undo());
  ask(answers, "q");
  CHECK(answers.undo());
  CHECK(answers.messages().size() == 1);
  Conversation tools = loaded(R"([{"role": "user", "content": "q"}, {"role": "assistant", "content": "call"},
      {"role": "tool", "content": "result"}, {"role": "assistant", "content": "a"}])");
  for (int i = 0; i < 9; ++i) ask(tools, "question number " + std::to_string(i));
  CHECK(tools.messages().front().role == "user");
  CHECK(tools.messages().front().content != "q");  // its whole turn was dropped
  CHECK(loaded("[]").undo() == false);
}

TEST_CASE("a full context ends the answer and says so; a message that does not fit changes nothing") {
  Fixture f(128);
  Conversation c = f.conversation(false, -1);
  AnswerStats stats;
  ask(c, "one", &stats);
  const bool ended = stats.reason == StopReason::context_full || stats.reason == StopReason::end;
  CHECK(ended);
  const size_t messages = c.messages().size();
  CHECK_THROWS_AS(ask(c, std::string(2000, 'x')), Error);
  CHECK(c.messages().size() == messages);
}

TEST_CASE("with context shift the oldest turns are dropped and the conversation goes on") {
  Fixture f(192);
  Conversation c = f.conversation(true, 20);
  int dropped = 0;
  for (int i = 0; i < 12; ++i) {
    AnswerStats stats;
    ask(c, "question number " + std::to_string(i), &stats);
    CHECK(stats.reason != StopReason::context_full);
    dropped += stats.dropped_turns;
  }
  CHECK(dropped > 0);
  CHECK(c.held_tokens() <= 192);
  CHECK(c.messages().size() + 2 * size_t(dropped) == 24);
  CHECK(c.messages().front().role == "user");
}

TEST_CASE("stopping an answer keeps what was said") {
  Fixture f(1024);
  Conversation c = f.conversation(false, 50);
  int pieces = 0;
  std::string text;
  const AnswerStats stats = c.ask(
      "go", [&] { return pieces >= 5; }, [&](PartKind, std::string_view p) { text += p, ++pieces; });
  CHECK(stats.reason == StopReason::interrupted);
  REQUIRE(c.messages().size() == 2);
  CHECK(c.messages()[1].content == text);
  ask(c, "more");
  CHECK(c.messages().size() == 4);
}

TEST_CASE("a stop text ends the answer before it, wherever tokens begin; the next turn is a fresh conversation's") {
  Fixture f(2048);
  Conversation whole = f.conversation(false, 40);
  const std::string answer = ask(whole, "go on");
  REQUIRE(answer.size() > 20);
  for (const size_t at : {size_t(0), size_t(1), answer.size() / 3, answer.size() / 2, answer.size() - 6}) {
    const std::string text = answer.substr(at, 5);
    StopMatcher stop(std::vector<std::string>{text, "this never comes"});
    Conversation c = f.conversation(false, 40, &stop);
    AnswerStats stats;
    CHECK(ask(c, "go on", &stats) == answer.substr(0, answer.find(text)));
    CHECK(stats.reason == StopReason::stop_text);
    CHECK(stop.found() == text);
    CHECK(c.messages()[1].content == answer.substr(0, answer.find(text)));
    const std::string second = ask(c, "more");
    const std::string path =
        (std::filesystem::temp_directory_path() / ("loam_stop_" + std::to_string(getpid()) + ".json")).string();
    CHECK(c.undo());
    c.save(path);
    Conversation fresh = f.conversation(false, 40, &stop);
    fresh.load(path);
    CHECK(ask(fresh, "more") == second);
    std::filesystem::remove(path);
  }
}

TEST_CASE("a stop text that the limit cuts off is shown as far as it came") {
  Fixture f(1024);
  Conversation whole = f.conversation(false, 20);
  const std::string answer = ask(whole, "go on");
  StopMatcher stop(std::vector<std::string>{answer.substr(answer.size() - 3) + "no such text"});
  Conversation c = f.conversation(false, 20, &stop);
  AnswerStats stats;
  CHECK(ask(c, "go on", &stats) == answer);
  CHECK(stats.reason == StopReason::limit);
}

TEST_CASE("a time limit ends an answer") {
  Fixture f(4096);
  GenerateOptions answer;
  answer.seconds = 1e-6;
  Conversation c(*f.session, f.tokenizer, f.sampler, {kTemplate, "", false, answer});
  AnswerStats stats;
  ask(c, "go", &stats);
  CHECK(stats.reason == StopReason::time_limit);
  CHECK(stats.decode.tokens <= 1);
}
