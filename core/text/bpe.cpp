// Models. Byte-pair encoding: of all neighbours the pair with the best rank merges first, the leftmost among equals;
// ranks come from a list of merges ("BPE") or from the scores of the results ("ScoredBPE", SentencePiece).
#include <algorithm>
#include <bit>
#include <memory>

#include "core/error.h"
#include "core/text/steps.h"
#include "core/text/tokenizer_spec.h"
#include "core/text/unicode.h"
#include "core/text/vocabulary.h"

namespace loam {
namespace {

using Symbol = ModelScratch::Symbol;
using Candidate = ModelScratch::Candidate;

struct Merge {
  uint32_t rank;
  int32_t result;  // -1: these two do not merge
};

// (left, right) -> merge, open addressing.
class MergeTable {
 public:
  explicit MergeTable(std::span<const uint32_t> triples)
      : slots_(std::bit_ceil(triples.size() / 3 * 2 + 2), Slot{0, {0, -1}}), mask_(slots_.size() - 1) {
    for (size_t i = 0; i + 2 < triples.size(); i += 3) {
      const uint64_t pair = key(int32_t(triples[i]), int32_t(triples[i + 1]));
      size_t at = place(pair);
      while (slots_[at].merge.result >= 0 && slots_[at].pair != pair) at = (at + 1) & mask_;
      slots_[at] = {pair, {uint32_t(i / 3), int32_t(triples[i + 2])}};  // the last of equal pairs counts
    }
  }
  Merge find(int32_t left, int32_t right) const {
    const uint64_t pair = key(left, right);
    for (size_t at = place(pair);; at = (at + 1) & mask_) {
      if (slots_[at].merge.result < 0 || slots_[at].pair == pair) return slots_[at].merge;
    }
  }

 private:
  struct Slot {
    uint64_t pair;
    Merge merge;
  };
  static uint64_t key(int32_t left, int32_t right) { return uint64_t(uint32_t(left)) << 32 | uint32_t(right); }
  size_t place(uint64_t pair) const { return (pair * 0x9e3779b97f4a7c15u >> 20) & mask_; }
  std::vector<Slot> slots_;
  size_t mask_;
};

struct Options {
  bool byte_fallback, fuse_unk, ignore_merges;
  int32_t unk;
};

// Ids for characters that are no token: the tokens of their bytes, or the unknown token, or nothing.
class Fallback {
 public:
  Fallback(const Options& options, const Vocabulary& vocabulary) : options_(options) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    for (int b = 0; b < 256; ++b) {
      const char token[] = {'<', '0', 'x', kDigits[b >> 4], kDigits[b & 15], '>'};
      bytes_[b] = options.byte_fallback ? vocabulary.find({token, 6}) : -1;
    }
  }
  // Whether the bytes of the character all have tokens.
  bool has_bytes(std::string_view character) const {
    return std::all_of(character.begin(), character.end(), [&](char c) { return bytes_[uint8_t(c)] >= 0; });
  }
  int32_t byte(char c) const { return bytes_[uint8_t(c)]; }
  int32_t unk() const { return options_.unk; }
  bool fuse() const { return options_.fuse_unk; }

 private:
  Options options_;
  int32_t bytes_[256];
};

// Merges the symbols of a word until no pair is left. Find: (left, right) -> Merge.
template <class Find>
void merge_symbols(ModelScratch& s, Find find) {
  auto& heap = s.heap;
  heap.clear();
  const auto later = [](const Candidate& a, const Candidate& b) { return a.order > b.order; };
  const auto offer = [&](int32_t left) {
    const Symbol& l = s.symbols[size_t(left)];
    if (l.next < 0) return;
    const Symbol& r = s.symbols[size_t(l.next)];
    const Merge m = find(l, r);
    if (m.result < 0) return;
    heap.push_back({uint64_t(m.rank) << 32 | uint32_t(left), l.bytes + r.bytes, left, m.result});
    std::push_heap(heap.begin(), heap.end(), later);
  };
  for (size_t i = 0; i + 1 < s.symbols.size(); ++i) offer(int32_t(i));
  while (!heap.empty()) {
    const Candidate top = heap.front();
    std::pop_heap(heap.begin(), heap.end(), later);
    heap.pop_back();
    Symbol& l = s.symbols[size_t(top.left)];
    if (l.bytes == 0 || l.next < 0) continue;
    Symbol& r = s.symbols[size_t(l.next)];
    if (l.bytes + r.bytes != top.bytes) continue;
    l.id = top.result;
    l.bytes = top.bytes;
    l.next = r.next;
    r.bytes = 0;
    if (l.next >= 0) s.symbols[size_t(l.next)].previous = top.left;
    offer(top.left);
    if (l.previous >= 0) offer(l.previous);
  }
}

void check_length(std::string_view word) {
  if (word.size() >= (size_t(1) << 31)) fail(Code::bad_argument, "tokenizer: a word of %zu bytes", word.size());
}

void link(std::vector<Symbol>& symbols) {
  for (size_t i = 0; i < symbols.size(); ++i) {
    symbols[i].previous = int32_t(i) - 1;
    symbols[i].next = i + 1 < symbols.size() ? int32_t(i) + 1 : -1;
  }
}

// Characters -> first symbols, with unknown characters resolved, as Hugging Face's BPE does it.
void start_symbols(std::string_view word, const Vocabulary& vocabulary, const Fallback& fallback,
                   std::vector<Symbol>& out) {
  out.clear();
  bool last_unknown = false;
  for (size_t at = 0; at < word.size();) {
    const uint32_t bytes = decode_utf8(word, at).bytes;
    const std::string_view character = word.substr(at, bytes);
    const int32_t id = vocabulary.find(character);
    bool unknown = false;
    if (id >= 0) {
      out.push_back({id, 0, 0, uint32_t(at), bytes});
    } else if (fallback.has_bytes(character)) {
      for (uint32_t i = 0; i < bytes; ++i) out.push_back({fallback.byte(character[i]), 0, 0, uint32_t(at) + i, 1});
    } else if (fallback.unk() >= 0) {
      unknown = true;
      if (last_unknown && fallback.fuse())
        out.back().bytes += bytes;
      else
        out.push_back({fallback.unk(), 0, 0, uint32_t(at), bytes});
    }
    last_unknown = unknown;
    at += bytes;
  }
  link(out);
}

Options read_options(const Json& step, const Vocabulary& vocabulary) {
  for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!string_field(step, affix).empty()) {
      fail(Code::unsupported, "tokenizer: a BPE model with '%s' is not supported", affix);
    }
  }
  const auto dropout = step.find("dropout");
  if (dropout != step.end() && !dropout->is_null() && *dropout != 0) {
    fail(Code::unsupported, "tokenizer: a BPE model with dropout is not supported");
  }
  const std::string unk = string_field(step, "unk_token");
  const int32_t unk_id = unk.empty() ? -1 : vocabulary.find(unk);
  if (!unk.empty() && unk_id < 0) fail(Code::bad_file, "tokenizer: no token '%.100s' for unknown text", unk.c_str());
  return {bool_field(step, "byte_fallback", false), bool_field(step, "fuse_unk", false),
          bool_field(step, "ignore_merges", false), unk_id};
}

Model make_bpe(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary) {
  const Options options = read_options(step, vocabulary);
  const auto merges = std::make_shared<const MergeTable>(spec.merges);
  return [&vocabulary, &spec, merges, options, fallback = Fallback(options, vocabulary)](
             std::string_view word, ModelScratch& scratch, std::vector<int32_t>& out) {
    check_length(word);
    if (options.ignore_merges) {
      const int32_t whole = vocabulary.find(word);
      if (whole >= 0 && spec.kind(size_t(whole)) == TokenKind::normal) return out.push_back(whole);
    }
    start_symbols(word, vocabulary, fallback, scratch.symbols);
    merge_symbols(scratch, [&](const Symbol& l, const Symbol& r) { return merges->find(l.id, r.id); });
    for (const Symbol& s : scratch.symbols) {
      if (s.bytes) out.push_back(s.id);
    }
  };
}

// Higher scores first: a float as an integer that ascends as the float descends.
uint32_t score_rank(float score) {
  const uint32_t bits = std::bit_cast<uint32_t>(score == 0 ? 0.f : score);
  const uint32_t ascending = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
  return ~ascending;
}

Model make_scored_bpe(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary) {
  const Options options = read_options(step, vocabulary);
  if (spec.scores.empty()) fail(Code::bad_file, "tokenizer: a score-based model without scores");
  return [&vocabulary, &spec, fallback = Fallback(options, vocabulary)](std::string_view word, ModelScratch& scratch,
                                                                        std::vector<int32_t>& out) {
    check_length(word);
    auto& symbols = scratch.symbols;
    symbols.clear();
    for (size_t at = 0; at < word.size();) {
      const uint32_t bytes = decode_utf8(word, at).bytes;
      symbols.push_back({vocabulary.find(word.substr(at, bytes)), 0, 0, uint32_t(at), bytes});
      at += bytes;
    }
    link(symbols);
    merge_symbols(scratch, [&](const Symbol& l, const Symbol& r) -> Merge {
      const int32_t id = vocabulary.find(word.substr(l.begin, l.bytes + r.bytes));
      if (id < 0 || spec.kind(size_t(id)) != TokenKind::normal) return {0, -1};
      return {score_rank(spec.scores[size_t(id)]), id};
    });
    bool last_unknown = false;
    for (const Symbol& s : symbols) {
      if (!s.bytes) continue;
      const std::string_view text = word.substr(s.begin, s.bytes);
      bool unknown = false;
      if (s.id >= 0) {
        out.push_back(s.id);
      } else if (fallback.has_bytes(text)) {
        for (const char c : text) out.push_back(fallback.byte(c));
      } else if (fallback.unk() >= 0) {
        unknown = true;
        if (!last_unknown || !fallback.fuse()) out.push_back(fallback.unk());
      }
      last_unknown = unknown;
    }
  };
}

struct Row {
  const char* type;
  Model (*make)(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary);
};
const Row kModels[] = {
    {"BPE", make_bpe}, {"ScoredBPE", make_scored_bpe},  // our own name: GGUF has scores where tokenizer.json has merges
};

}  // namespace

Model make_model(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary) {
  const std::string type = step_type("model", step);
  for (const Row& row : kModels) {
    if (type == row.type) return row.make(step, spec, vocabulary);
  }
  fail_unknown_step("model", type);
}

}  // namespace loam
