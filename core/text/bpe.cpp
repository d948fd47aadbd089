// Models. Byte-pair encoding: of all neighbours the pair with the best rank merges first, the leftmost among equals;
// ranks come from a list of merges ("BPE") or from the scores of the results ("ScoredBPE", SentencePiece).
#include <algorithm>
#include <bit>
#include <memory>

#include "core/error.h"
#include "core/text/models.h"
#include "core/text/unicode.h"

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
  std::string prefix, suffix;  // of every character but the first; of the last
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

// Turns the characters of a word into first symbols, as Hugging Face's BPE does it: bytes that stand for a character
// come before unknown text that waits to be joined.
class FirstSymbols {
 public:
  FirstSymbols(const Options& options, const TokenizerSpec& spec, const Vocabulary& vocabulary)
      : options_(options), spec_(spec), vocabulary_(vocabulary), bytes_(options.byte_fallback, spec, vocabulary) {}

  void operator()(std::string_view word, std::vector<Symbol>& out) const {
    out.clear();
    uint32_t unknown = 0;  // bytes that wait
    const auto flush = [&] {
      if (unknown) out.push_back({options_.unk, 0, 0, 0, unknown});
      unknown = 0;
    };
    std::string affixed;
    for (size_t at = 0; at < word.size();) {
      const uint32_t bytes = decode_utf8(word, at).bytes;
      const std::string_view character = with_affixes(word, at, bytes, affixed);
      at += bytes;
      if (const int32_t id = find_own(spec_, vocabulary_, character); id >= 0) {
        flush();
        out.push_back({id, 0, 0, 0, bytes});
      } else if (bytes_.complete(character)) {
        for (const char c : character) out.push_back({bytes_[c], 0, 0, 0, 1});
      } else if (options_.unk >= 0) {
        if (!options_.fuse_unk) flush();
        unknown += bytes;
      }
    }
    flush();
    link(out);
  }

 private:
  std::string_view with_affixes(std::string_view word, size_t at, uint32_t bytes, std::string& buffer) const {
    const std::string_view character = word.substr(at, bytes);
    const bool prefix = at > 0 && !options_.prefix.empty();
    const bool suffix = at + bytes == word.size() && !options_.suffix.empty();
    if (!prefix && !suffix) return character;
    buffer.clear();
    if (prefix) buffer += options_.prefix;
    buffer += character;
    if (suffix) buffer += options_.suffix;
    return buffer;
  }

  Options options_;
  const TokenizerSpec& spec_;
  const Vocabulary& vocabulary_;
  ByteTokens bytes_;
};

Options read_options(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary) {
  const auto dropout = step.find("dropout");
  if (dropout != step.end() && !dropout->is_null() && *dropout != 0) {
    fail(Code::unsupported, "tokenizer: a BPE model with dropout gives random tokens; remove 'dropout' from its file");
  }
  return {bool_field(step, "byte_fallback", false),        bool_field(step, "fuse_unk", false),
          bool_field(step, "ignore_merges", false),        unk_field(step, spec, vocabulary),
          string_field(step, "continuing_subword_prefix"), string_field(step, "end_of_word_suffix")};
}

// Higher scores first: a float as an integer that ascends as the float descends.
uint32_t score_rank(float score) {
  const uint32_t bits = std::bit_cast<uint32_t>(score == 0 ? 0.f : score);
  const uint32_t ascending = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
  return ~ascending;
}

}  // namespace

Model make_bpe(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary) {
  const Options options = read_options(step, spec, vocabulary);
  const auto merges = std::make_shared<const MergeTable>(spec.merges);
  return [&vocabulary, &spec, merges, whole_words = options.ignore_merges,
          first_symbols = FirstSymbols(options, spec, vocabulary)](std::string_view word, ModelScratch& scratch,
                                                                   std::vector<int32_t>& out) {
    check_length(word);
    if (whole_words) {
      const int32_t whole = find_own(spec, vocabulary, word);
      if (whole >= 0) return out.push_back(whole);
    }
    first_symbols(word, scratch.symbols);
    merge_symbols(scratch, [&](const Symbol& l, const Symbol& r) { return merges->find(l.id, r.id); });
    for (const Symbol& s : scratch.symbols) {
      if (s.bytes) out.push_back(s.id);
    }
  };
}

Model make_scored_bpe(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary) {
  const Options options = read_options(step, spec, vocabulary);
  if (spec.scores.empty()) fail(Code::bad_file, "tokenizer: a score-based model without scores");
  return [&vocabulary, &spec, options, bytes = ByteTokens(options.byte_fallback, spec, vocabulary)](
             std::string_view word, ModelScratch& scratch, std::vector<int32_t>& out) {
    check_length(word);
    auto& symbols = scratch.symbols;
    symbols.clear();
    for (size_t at = 0; at < word.size();) {
      const uint32_t length = decode_utf8(word, at).bytes;
      symbols.push_back({vocabulary.find(word.substr(at, length)), 0, 0, uint32_t(at), length});
      at += length;
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
      } else if (bytes.complete(text)) {
        for (const char c : text) out.push_back(bytes[c]);
      } else if (options.unk >= 0) {
        unknown = true;
        if (!last_unknown || !options.fuse_unk) out.push_back(options.unk);
      }
      last_unknown = unknown;
    }
  };
}

}  // namespace loam
