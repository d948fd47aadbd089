// Conversations in which the model thinks, and those whose answers are constrained.
#include <unistd.h>

#include <filesystem>

#include "tests/chat_support.h"

using namespace loam;
using namespace loam::tests;

TEST_CASE("an answer that fails half way leaves the conversation as it was") {
  struct Breaks : TokenConstraint {
    std::vector<uint64_t> all = std::vector<uint64_t>(1000, ~uint64_t(0));
    int left = 1000;
    std::span<const uint64_t> allowed() override { return all; }
    bool allows(int32_t) override { return true; }
    void accept(int32_t) override {
      if (--left == 0) fail(Code::unsupported, "enough");
    }
  } breaks;
  Fixture f(1024), g(1024);
  GenerateOptions answer{.limit = 12, .constraint = &breaks};
  Conversation c(*f.session, f.tokenizer, f.sampler, {kTemplate, "", false, answer}), fresh = g.conversation();
  const std::string first = ask(c, "one");
  CHECK(ask(fresh, "one") == first);
  breaks.left = 5;
  CHECK_THROWS_AS(ask(c, "two"), Error);
  CHECK(c.messages().size() == 2);
  breaks.left = 1000;
  CHECK(ask(c, "two") == ask(fresh, "two"));
}

TEST_CASE("thinking is kept apart from the answer and not given back to a template that does not ask for it") {
  const std::string thinks = std::string(kTemplate) + "<think>\n";
  Fixture f(1024);
  Conversation c = f.conversation(false, 12, nullptr, thinks);
  std::string thinking, said;
  c.ask("why", never, [&](PartKind kind, std::string_view p) { (kind == PartKind::thinking ? thinking : said) += p; });
  REQUIRE(c.messages().size() == 2);
  CHECK(said.empty());  // the model never closes what the prompt opened
  CHECK_FALSE(thinking.empty());
  CHECK(c.messages()[1].thinking == thinking);
  CHECK(c.messages()[1].content.empty());
  const std::string path =
      (std::filesystem::temp_directory_path() / ("loam_think_" + std::to_string(getpid()) + ".json")).string();
  c.save(path);
  Conversation d = f.conversation(false, 12, nullptr, thinks);
  d.load(path);
  std::filesystem::remove(path);
  CHECK(d.messages()[1].thinking == thinking);
  std::string a, b;
  c.ask("more", never, [&](PartKind, std::string_view p) { a += p; });
  d.ask("more", never, [&](PartKind, std::string_view p) { b += p; });
  CHECK(a == b);
}

TEST_CASE("a constrained answer is no thinking, even where the prompt begins some") {
  struct Anything : TokenConstraint {
    std::vector<uint64_t> all = std::vector<uint64_t>(1000, ~uint64_t(0));
    std::span<const uint64_t> allowed() override { return all; }
    bool allows(int32_t) override { return true; }
    void accept(int32_t) override {}
  } anything;
  Fixture f(1024);
  GenerateOptions answer{.limit = 12, .constraint = &anything};
  Conversation c(*f.session, f.tokenizer, f.sampler, {std::string(kTemplate) + "<think>\n", "", false, answer});
  c.ask("why", never, [](PartKind kind, std::string_view) { CHECK(kind == PartKind::answer); });
  CHECK(c.messages()[1].thinking.empty());
  CHECK_FALSE(c.messages()[1].content.empty());
}

TEST_CASE("a template that asks for earlier thinking gets it, beside the answer") {
  const std::string strict =
      "{% for m in messages %}{% if m.role == 'assistant' and not m.reasoning_content %}"
      "{{ raise_exception('no reasoning') }}{% endif %}[{{ m.role }}]{{ m.content }}[end]\n{% endfor %}"
      "{% if add_generation_prompt %}[assistant]<think>{% endif %}";
  Fixture f(1024);
  Conversation c = f.conversation(false, 12, nullptr, strict);
  CHECK_NOTHROW(ask(c, "why"));
  CHECK_NOTHROW(ask(c, "more \"quoted\" \xff"));
  CHECK(c.messages().size() == 4);
}
