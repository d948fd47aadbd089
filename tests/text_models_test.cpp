// Tokenizer models: fast algorithms against slow definitions on random vocabularies. The oracle test compares with
// tokenizers, sentencepiece and tiktoken.
#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "core/error.h"
#include "core/text/merging.h"
#include "core/text/prefix_trie.h"
#include "core/text/tokenizer.h"

namespace {
using namespace loam;
using json = nlohmann::json;
using Ids = std::vector<int32_t>;

// ---- merging ----

using Rules = std::map<std::pair<int32_t, int32_t>, Merge>;

// The definition: look at all neighbours, merge the best pair, again and again.
Ids merge_slowly(Ids ids, const Rules& rules) {
  for (;;) {
    size_t best = ids.size();
    Merge best_merge{0, -1};
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      const auto it = rules.find({ids[i], ids[i + 1]});
      if (it == rules.end() || (best < ids.size() && it->second.rank >= best_merge.rank)) continue;
      best = i, best_merge = it->second;
    }
    if (best == ids.size()) return ids;
    ids[best] = best_merge.result;
    ids.erase(ids.begin() + ptrdiff_t(best) + 1);
  }
}

TEST_CASE("models: merging in windows equals the definition, for any rules") {
  const uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 rng(seed);
  MergeScratch scratch;
  int merged = 0;
  for (int round = 0; round < 3000; ++round) {
    const int letters = 1 + int(rng() % 4), count = int(rng() % 30);
    Rules rules;
    for (int i = 0; i < count; ++i) {  // results may be anything, ranks in no order: nothing that training would give
      const auto any = [&] { return int32_t(rng() % uint32_t(letters + i)); };
      const auto pair = std::pair(any(), any());
      rules[pair] = {uint32_t(rng() % 20), rng() % 4 ? letters + i : any()};
    }
    Ids ids(rng() % 200);
    for (int32_t& id : ids) id = rng() % 3 ? int32_t(rng() % uint32_t(letters)) : 0;
    const Ids expected = merge_slowly(ids, rules);
    for (const size_t chunk : {1, 2, 5, 40, 1000}) {
      merge_symbols(
          ids.size(), [&](size_t i) { return ids[i]; },
          [&](const Symbol& l, const Symbol& r) {
            const auto it = rules.find({l.id, r.id});
            return it == rules.end() ? Merge{0, -1} : it->second;
          },
          scratch, chunk);
      Ids got;
      uint32_t end = 0;
      for (const Symbol& s : scratch.tokens) {
        CHECK(s.begin == end);
        end = s.end;
        got.push_back(s.id);
      }
      CHECK(end == ids.size());
      REQUIRE(got == expected);
    }
    merged += int(ids.size() - expected.size());
  }
  CHECK(merged > 1000);
}

TEST_CASE("models: symbols that stand for many texts are not taken for each other") {
  const uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 rng(seed);
  MergeScratch scratch;
  int unknown = 0;
  for (int round = 0; round < 2000; ++round) {
    std::map<std::string, Merge> pieces;  // by text, as score-based models merge
    for (int i = 0; i < 12; ++i) {
      std::string piece(2 + rng() % 3, 'a');
      for (char& c : piece) c = "aaxy"[rng() % 4];
      pieces[piece] = {uint32_t(rng() % 8), 10 + i};
    }
    std::string text(rng() % 120, 'a');
    for (char& c : text) c = rng() % 3 ? 'a' : "xy"[rng() % 2];  // x and y are no tokens: both are -1
    Ids whole;
    for (const size_t chunk : {1000, 2, 5, 16}) {
      merge_symbols(
          text.size(), [&](size_t i) { return text[i] == 'a' ? 0 : -1; },
          [&](const Symbol& l, const Symbol& r) {
            const auto it = pieces.find(text.substr(l.begin, r.end - l.begin));
            return it == pieces.end() ? Merge{0, -1} : it->second;
          },
          scratch, chunk);
      Ids got;
      for (const Symbol& s : scratch.tokens) got.push_back(s.id);
      if (chunk == 1000) whole = got;
      REQUIRE(got == whole);
      unknown += int(std::count(got.begin(), got.end(), -1));
    }
  }
  CHECK(unknown > 1000);
}

// ---- vocabularies made here ----

std::string random_word(std::mt19937& rng, size_t most, std::string_view letters) {
  std::string out;
  for (size_t i = rng() % (most + 1); i > 0; --i) out += letters[rng() % letters.size()];
  return out;
}

// A spec of texts with scores, and a model step.
TokenizerSpec spec_of(const std::vector<std::pair<std::string, double>>& tokens, const json& model,
                      std::vector<TokenKind> kinds = {}) {
  TokenizerSpecBuilder builder;
  for (size_t i = 0; i < tokens.size(); ++i) {
    builder.add(tokens[i].first, i < kinds.size() ? kinds[i] : TokenKind::normal);
    builder.add_score(tokens[i].second);
  }
  TokenizerSpec head;
  head.pipeline = json{{"model", model}}.dump();
  return builder.finish(std::move(head));
}

std::vector<std::pair<std::string, double>> random_pieces(std::mt19937& rng, std::string_view letters) {
  std::vector<std::pair<std::string, double>> tokens{{"<unk>", 0}};
  std::map<std::string, bool> seen;
  for (size_t i = 1 + rng() % 40; i > 0; --i) {
    std::string text = random_word(rng, 5, letters);
    if (text.empty() || seen[text]) continue;
    seen[text] = true;
    tokens.push_back({text, -double(rng() % 64) / 4});
  }
  return tokens;
}

TEST_CASE("models: Unigram finds the best sum") {
  const uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 rng(seed);
  for (int round = 0; round < 2000; ++round) {
    const auto tokens = random_pieces(rng, "abc");
    double least = 0;
    for (const auto& [text, score] : tokens) least = std::min(least, score);
    std::map<std::string, double> scores(tokens.begin() + 1, tokens.end());
    for (const char* type : {"Unigram", "ScoredUnigram"}) {
      std::vector<TokenKind> kinds{TokenKind::unknown};
      const Tokenizer t(spec_of(tokens, {{"type", type}, {"unk_id", 0}}, kinds));
      const std::string text = random_word(rng, 30, "abcd");
      // For SentencePiece the lowest score is that of the normal tokens.
      double low = 0;
      if (type[0] == 'S') {
        low = 1e30;
        for (const auto& [piece, score] : scores) low = std::min(low, score);
        if (scores.empty()) continue;
      } else {
        low = least;
      }
      std::vector<double> best(text.size() + 1, -1e30);
      best[0] = 0;
      for (size_t end = 1; end <= text.size(); ++end) {
        for (size_t begin = 0; begin < end; ++begin) {
          const auto it = scores.find(text.substr(begin, end - begin));
          if (it != scores.end()) best[end] = std::max(best[end], best[begin] + it->second);
        }
        if (!scores.count(text.substr(end - 1, 1))) best[end] = std::max(best[end], best[end - 1] + low - 10);
      }
      double sum = 0;
      size_t known = 0;
      const Ids ids = t.encode(text);
      for (const int32_t id : ids) {
        if (id > 0) sum += tokens[size_t(id)].second, known += tokens[size_t(id)].first.size();
      }
      sum += double(text.size() - known) * (low - 10);  // unknown characters, joined in the ids
      CAPTURE(text);
      CHECK(sum == best[text.size()]);
    }
  }
}

TEST_CASE("models: ScoredBPE merges what the vocabulary joins, in order of scores") {
  const uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 rng(seed);
  for (int round = 0; round < 1500; ++round) {
    auto tokens = random_pieces(rng, "abc");
    const std::string mark = "\u2581";
    tokens.push_back({mark, -1}), tokens.push_back({mark + "a", -double(rng() % 9)});
    if (rng() % 2) tokens.push_back({"a" + mark, -2});  // forbids cuts after a
    const Tokenizer t(spec_of(tokens, {{"type", "ScoredBPE"}, {"unk_token", "<unk>"}, {"fuse_unk", true}}));
    std::map<std::string, size_t> ids;
    for (size_t i = 0; i < tokens.size(); ++i) ids.insert({tokens[i].first, i});
    std::string text;
    std::vector<std::string> parts;
    for (size_t i = rng() % 60; i > 0; --i) parts.push_back(rng() % 4 ? std::string(1, "abcd"[rng() % 4]) : mark);
    for (const std::string& p : parts) text += p;
    for (;;) {
      size_t best = parts.size();
      for (size_t i = 0; i + 1 < parts.size(); ++i) {
        const auto it = ids.find(parts[i] + parts[i + 1]);
        if (it == ids.end()) continue;
        const bool better =
            best == parts.size() || tokens[it->second].second > tokens[ids[parts[best] + parts[best + 1]]].second;
        if (better) best = i;
      }
      if (best == parts.size()) break;
      parts[best] += parts[best + 1];
      parts.erase(parts.begin() + ptrdiff_t(best) + 1);
    }
    Ids expected;
    for (const std::string& p : parts) {
      const auto it = ids.find(p);
      const int32_t id = it == ids.end() ? 0 : int32_t(it->second);
      if (id > 0 || expected.empty() || expected.back() != 0) expected.push_back(id);
    }
    CAPTURE(text);
    CHECK(t.encode(text) == expected);
  }
}

TEST_CASE("models: WordPiece and WordLevel") {
  const auto tokens = std::vector<std::pair<std::string, double>>{{"[UNK]", 0}, {"un", 0}, {"##aff", 0}, {"##able", 0},
                                                                  {"##a", 0},   {"u", 0},  {"##", 0}};
  const Tokenizer t(spec_of(tokens, {{"type", "WordPiece"}, {"max_input_chars_per_word", 9}}));
  CHECK(t.encode("unaffable") == Ids{1, 2, 3});
  CHECK(t.encode("unaffablex") == Ids{0});
  CHECK(t.encode("unaa") == Ids{1, 4, 4});
  CHECK(t.encode("unaaaaaaaaaaaaaa") == Ids{0});  // too many characters
  CHECK(t.encode("u") == Ids{5});
  CHECK(t.encode("x") == Ids{0});
  CHECK(t.encode("").empty());
  const Tokenizer level(spec_of(tokens, {{"type", "WordLevel"}, {"unk_token", "[UNK]"}}));
  CHECK(level.encode("un") == Ids{1});
  CHECK(level.encode("una") == Ids{0});
  const Tokenizer none(spec_of(tokens, {{"type", "WordLevel"}, {"unk_token", "nope"}}));
  CHECK(none.encode("un") == Ids{1});
  CHECK_THROWS_AS(none.encode("una"), Error);
}

TEST_CASE("models: scores that floats cannot hold survive the container's sections") {
  const json model = {{"type", "Unigram"}, {"unk_id", 0}};
  // In floats both ways would be equal and the first would win.
  const TokenizerSpec spec = spec_of({{"<unk>", -20}, {"a", -1}, {"aa", -2.0000000001}, {"aaa", -3.0000000002}}, model);
  REQUIRE(spec.fine_scores.size() == 4);
  const TokenizerSpec back = TokenizerSpec::from_sections(spec.sections(), spec.storage);
  CHECK(Tokenizer(back).encode("aaa") == Ids{1, 1, 1});
  CHECK(spec_of({{"<unk>", -20}, {"a", -1.5}}, model).fine_scores.empty());
}

TEST_CASE("models: the order of a Unigram vocabulary is stored, and a wrong one changes nothing") {
  const uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 rng(seed);
  std::vector<std::pair<std::string, double>> tokens{{"<unk>", -20}, {"", -1}};
  while (tokens.size() < 300)
    tokens.push_back({random_word(rng, 4, "abc"), -1.0 - double(rng() % 1000) / 64});  // twins
  for (const char* type : {"Unigram", "ScoredUnigram"}) {
    const TokenizerSpec spec = spec_of(tokens, {{"type", type}, {"unk_id", 0}});
    CHECK(spec.order.empty());
    TokenizerSpec back = TokenizerSpec::from_sections(spec.sections(), spec.storage);
    REQUIRE(back.order.size() == tokens.size());
    for (size_t i = 1; i < tokens.size(); ++i) {
      const uint32_t a = back.order[i - 1], b = back.order[i];
      CHECK(std::pair(spec.token(a), a) < std::pair(spec.token(b), b));
    }
    std::vector<uint32_t> order(back.order.begin(), back.order.end());
    const auto refuse = [&](std::vector<uint32_t> wrong) {
      back.order = wrong;
      CHECK_THROWS_AS(Tokenizer{back}, Error);
    };
    for (int round = 0; round < 20; ++round) {
      back.order = order;
      const Tokenizer plain(spec), stored(back);
      for (int i = 0; i < 20; ++i) {
        const std::string text = random_word(rng, 30, "abcd");
        CHECK(plain.encode(text) == stored.encode(text));
      }
      const size_t at = 1 + rng() % (order.size() - 1);  // neighbours, also equal ones, or any two
      std::swap(order[at], order[round % 2 ? at - 1 : rng() % order.size()]);
    }
    refuse(std::vector<uint32_t>(order.begin() + 1, order.end()));
    order.back() = order.front();
    refuse(order);
    order.back() = uint32_t(order.size());
    refuse(order);
  }
  CHECK(spec_of(tokens, {{"type", "WordLevel"}}).sections().size() == 7);  // no others have it
}

TEST_CASE("models: a trie of prefixes") {
  const uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 rng(seed);
  CHECK(PrefixTrie().walk("a") == -1);
  std::map<std::string, int32_t> all;
  std::vector<std::string> texts;
  std::vector<PrefixTrie::Entry> entries;
  for (int i = 0; i < 6000; ++i) {  // many letters at the root, few below, long ones with much in common
    std::string text = random_word(rng, i % 2 ? 6 : 1, i % 2 ? "ab\xff\1c" : "0123456789ABCDEFGHIJ");
    if (i % 3 == 0) text = "common beginning " + text;
    if (i % 50 == 0) text = std::string(1, '\0') + text + '\0';
    texts.push_back(text);
  }
  for (size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].empty()) continue;
    entries.push_back({texts[i], int32_t(i)});
    all[texts[i]] = int32_t(i);
  }
  const PrefixTrie trie(entries);
  for (const auto& [text, value] : all) CHECK(trie.value(trie.walk(text)) == value);
  for (int i = 0; i < 3000; ++i) {
    const std::string text = random_word(rng, 7, "ab\xff\1cd");
    const int32_t node = trie.walk(text);
    const int32_t value = node < 0 ? -1 : trie.value(node);
    CHECK(value == (all.count(text) ? all[text] : -1));
  }
}

}  // namespace
