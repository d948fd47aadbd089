// Byte-pair encoding (Sennrich 2015, arXiv 1508.07909) with a list of merges, as Hugging Face's tokenizers has it.
#include <memory>

#include "core/error.h"
#include "core/text/bpe.h"
#include "core/text/json.h"
#include "core/text/merge_table.h"
#include "core/text/unicode.h"
#include "core/text/word_cuts.h"

namespace loam {
namespace {

// Turns the characters of a word into first symbols: bytes that stand for a character come before unknown text that
// waits to be joined.
class FirstSymbols {
 public:
  FirstSymbols(const BpeOptions& options, const TokenizerSpec& spec, const Vocabulary& vocabulary)
      : options_(options), characters_(spec, vocabulary), bytes_(options.byte_fallback, spec, vocabulary) {}

  void operator()(std::string_view word, std::vector<int32_t>& out) const {
    out.clear();
    bool unknown = false;  // waits
    const auto flush = [&] {
      if (unknown) out.push_back(options_.unk);
      unknown = false;
    };
    std::string affixed;
    const bool plain = options_.prefix.empty() && options_.suffix.empty();
    for (size_t at = 0; at < word.size();) {
      const Char c = decode_utf8(word, at);
      std::string_view character = word.substr(at, c.bytes);
      if (!plain) character = with_affixes(word, at, c.bytes, affixed);
      at += c.bytes;
      if (const int32_t id = plain ? characters_.find(c, character) : characters_.find(character); id >= 0) {
        flush();
        out.push_back(id);
      } else if (bytes_.complete(character)) {
        for (const char b : character) out.push_back(bytes_[b]);
      } else if (options_.unk >= 0) {
        if (!options_.fuse_unk) flush();
        unknown = true;
      }
    }
    flush();
  }

 private:
  std::string_view with_affixes(std::string_view word, size_t at, uint32_t bytes, std::string& buffer) const {
    buffer.clear();
    if (at > 0) buffer += options_.prefix;
    buffer += word.substr(at, bytes);
    if (at + bytes == word.size()) buffer += options_.suffix;
    return buffer;
  }

  BpeOptions options_;
  CharacterIds characters_;
  ByteTokens bytes_;
};

struct Bpe {
  Bpe(const BpeOptions& options, const TokenizerSpec& spec, const Vocabulary& vocabulary)
      : first_symbols(options, spec, vocabulary), merges(spec.merges) {}

  void encode(std::string_view word, ModelScratch& s, std::vector<int32_t>& out) const {
    check_word_size(word);
    first_symbols(word, s.first);
    merge_symbols(
        s.first.size(), [&](size_t i) { return s.first[i]; },
        [&](const Symbol& l, const Symbol& r) { return merges.find(l.id, r.id); }, s.merging);
    for (const Symbol& token : s.merging.tokens) out.push_back(token.id);
  }

  FirstSymbols first_symbols;
  MergeTable merges;
};

}  // namespace

CharacterIds::CharacterIds(const TokenizerSpec& spec, const Vocabulary& vocabulary)
    : spec_(&spec), vocabulary_(&vocabulary), low_(kLow) {
  std::string text;
  for (uint32_t code = 0; code < kLow; ++code) {
    text.clear();
    append_utf8(text, code);
    low_[code] = find(text);
  }
}

void check_word_size(std::string_view word) {
  if (word.size() >= (size_t(1) << 31)) fail(Code::bad_argument, "tokenizer: a word of %zu bytes", word.size());
}

BpeOptions read_bpe_options(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary) {
  const Json* const dropout = step.find("dropout");
  if (dropout && !dropout->is_null() && *dropout != 0) {
    fail(Code::unsupported, "tokenizer: a BPE model with dropout gives random tokens; remove 'dropout' from its file");
  }
  return {bool_field(step, "byte_fallback", false),        bool_field(step, "fuse_unk", false),
          bool_field(step, "ignore_merges", false),        unk_field(step, spec, vocabulary),
          string_field(step, "continuing_subword_prefix"), string_field(step, "end_of_word_suffix")};
}

TokenModel make_bpe(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary) {
  const BpeOptions options = read_bpe_options(step, spec, vocabulary);
  const auto bpe = std::make_shared<const Bpe>(options, spec, vocabulary);
  if (options.ignore_merges) {
    return with_cache([bpe, &spec, &vocabulary](std::string_view word, ModelScratch& s, std::vector<int32_t>& out) {
      const int32_t whole = find_own(spec, vocabulary, word);
      if (whole >= 0) return out.push_back(whole);
      bpe->encode(word, s, out);
    });
  }
  const TokenModel encode = with_cache(
      [bpe](std::string_view word, ModelScratch& s, std::vector<int32_t>& out) { bpe->encode(word, s, out); });
  const bool affixes = !options.prefix.empty() || !options.suffix.empty();
  const WordCuts cuts(spec, !affixes && find_own(spec, vocabulary, kMetaspace) >= 0);
  return [encode, cuts](std::string_view text, ModelScratch& s, std::vector<int32_t>& out) {
    cuts.cut(text, [&](std::string_view word) { encode(word, s, out); });
  };
}

}  // namespace loam
