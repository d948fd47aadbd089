// For the oracle tests of constrained output, one JSON value per line in and out. A request has "schema" (a value) or
// "grammar" (a text).
//   text_grammar_tool match             {..., "texts": [...]} -> {"fits": [...]} or {"error"}
//   text_grammar_tool run [MODEL]       {..., "seed", "runs", "tokens": [[bytes]...]} -> {"texts": [...]} or {"error"}
//     runs a model of random logits; the vocabulary is "tokens" and one that ends a text, or that of MODEL
//   text_grammar_tool time MODEL FILE [TOKENS]   times masks; FILE: a schema (.json) or a grammar
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>

#include "core/error.h"
#include "core/text/grammar/grammar_constraint.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_gguf.h"
#include "core/text/tokenizer_json.h"
#include "formats/gguf/gguf_file.h"
#include "tests/whole_files.h"

namespace {

using json = nlohmann::ordered_json;
using namespace loam;

Tokenizer load(const std::string& path) {
  if (path.ends_with(".gguf")) return Tokenizer(tokenizer_from_gguf(GgufFile(path).metadata()).spec);
  return Tokenizer(tokenizer_from_json(golden::read_text(path)).spec);
}

std::shared_ptr<const Automaton> compile(const json& request, const Tokenizer* tokenizer) {
  if (request.contains("schema")) return compile_json_schema(request["schema"].dump());
  return compile_gbnf(request["grammar"].get<std::string>(), tokenizer);
}

json match(const json& request) {
  Matcher matcher(compile(request, nullptr));
  json fits = json::array();
  for (const json& text : request["texts"]) {
    matcher.start_work();
    fits.push_back(matcher.may_end(matcher.step(matcher.start(), text.get<std::string>())));
  }
  return {{"fits", fits}};
}

// Draws tokens at random. The longer it gets, the more it likes what may end it.
class RandomModel {
 public:
  RandomModel(const TokenTrie& trie, uint64_t seed) : trie_(trie), random_(seed) {
    for (size_t t = 0; t < trie.vocab(); ++t) {
      const std::string_view bytes = trie.bytes(int32_t(t));
      if (!bytes.empty() && bytes.find_first_not_of("\"}]0fo") == bytes.npos) closers_.push_back(int32_t(t));
    }
  }

  int32_t draw(std::span<const uint64_t> mask, size_t drawn) {
    const auto fits = [&](int32_t t) { return mask[size_t(t) / 64] >> (t % 64) & 1; };
    std::vector<int32_t> some;
    if (drawn > 40 + random_() % 40) {
      for (const int32_t t : trie_.ends())
        if (fits(t)) return t;
      std::copy_if(closers_.begin(), closers_.end(), std::back_inserter(some), fits);
    }
    if (some.empty() || random_() % 10 == 0) {
      some.clear();
      for (size_t w = 0; w < mask.size(); ++w)
        for (uint64_t bits = mask[w]; bits; bits &= bits - 1) some.push_back(int32_t(w * 64) + __builtin_ctzll(bits));
    }
    return some[random_() % some.size()];
  }

 private:
  const TokenTrie& trie_;
  std::mt19937_64 random_;
  std::vector<int32_t> closers_;
};

std::string run_once(GrammarConstraint& constraint, const TokenTrie& trie, uint64_t seed) {
  RandomModel model(trie, seed);
  std::string text;
  for (size_t drawn = 0; drawn < 20000; ++drawn) {
    const int32_t token = model.draw(constraint.allowed(), drawn);
    constraint.accept(token);
    if (trie.is_end(token)) return text;
    text += trie.bytes(token);
  }
  fail(Code::internal, "a run did not end: %s", text.substr(0, 500).c_str());
}

json run(const json& request, const Tokenizer* tokenizer, std::shared_ptr<const TokenTrie> trie) {
  if (request.contains("tokens")) {
    std::vector<TokenTrie::Token> tokens;
    for (const json& bytes : request["tokens"]) {
      tokens.emplace_back();
      for (const json& b : bytes) tokens.back().bytes += char(b.get<int>());
    }
    tokens.push_back({"", true, false});
    trie = std::make_shared<TokenTrie>(tokens);
  }
  GrammarConstraint constraint(compile(request, tokenizer), trie);
  json texts = json::array();
  for (uint64_t i = 0; i < request.value("runs", uint64_t(1)); ++i) {
    constraint.reset();
    texts.push_back(run_once(constraint, *trie, request["seed"].get<uint64_t>() + i));
  }
  return {{"texts", texts}};
}

// Of this thread's processor time: other programs do not count.
struct Clock {
  using time_point = double;
  static double now() {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return double(t.tv_sec) * 1e3 + double(t.tv_nsec) * 1e-6;
  }
};
double milliseconds(double since) { return Clock::now() - since; }

int time_masks(const std::string& model, const std::string& file, size_t count) {
  const Tokenizer tokenizer = load(model);
  auto start = Clock::now();
  const auto trie = tokenizer.token_trie();
  std::printf("%zu tokens, %zu nodes in %.1f ms\n", trie->vocab(), trie->nodes().size(), milliseconds(start));
  start = Clock::now();
  const std::string text = golden::read_text(file);
  const auto automaton = file.ends_with(".json") ? compile_json_schema(text) : compile_gbnf(text, &tokenizer);
  std::printf("compiled in %.2f ms: %zu nodes, %u byte classes\n", milliseconds(start), automaton->nodes.size(),
              automaton->classes);
  GrammarConstraint constraint(automaton, trie);
  double first = 0, later = 0, worst = 0;
  size_t tokens = 0, after = 0;
  for (uint64_t seed = 1; tokens < count; ++seed) {
    constraint.reset();
    RandomModel random(*trie, seed);
    for (size_t drawn = 0; drawn < 1000; ++drawn, ++tokens) {
      start = Clock::now();
      const auto mask = constraint.allowed();
      double spent = milliseconds(start);
      const int32_t token = random.draw(mask, drawn);
      start = Clock::now();
      constraint.accept(token);
      spent += milliseconds(start);
      if (tokens == 0) first = spent;
      if (tokens >= 20) later += spent, ++after, worst = std::max(worst, spent);
      if (trie->is_end(token)) break;
    }
  }
  std::printf("first token %.2f ms, after 20: %.1f us on average, %.2f ms at most\n", first,
              1000 * later / double(std::max<size_t>(after, 1)), worst);
  return 0;
}

int main_of(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "time" && argc > 3) return time_masks(argv[2], argv[3], argc > 4 ? std::stoul(argv[4]) : 2000);
  if (command != "match" && command != "run") {
    std::fprintf(stderr, "usage: text_grammar_tool match, run [MODEL], or time MODEL FILE [TOKENS]\n");
    return 2;
  }
  std::unique_ptr<Tokenizer> tokenizer;
  std::shared_ptr<const TokenTrie> trie;
  if (argc > 2) {
    tokenizer = std::make_unique<Tokenizer>(load(argv[2]));
    trie = tokenizer->token_trie();
  }
  for (std::string line; std::getline(std::cin, line);) {
    const json request = json::parse(line);
    json answer;
    const auto start = Clock::now();
    try {
      answer = command == "match" ? match(request) : run(request, tokenizer.get(), trie);
    } catch (const Error& e) {
      answer = {{"error", e.what()}};
    }
    answer["ms"] = milliseconds(start);
    std::cout << answer.dump(-1, ' ', false, json::error_handler_t::replace) << std::endl;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return main_of(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "text_grammar_tool: %s\n", e.what());
    return 1;
  }
}
