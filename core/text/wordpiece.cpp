// WordPiece: from the left the longest token each time; a word that this does not cover is unknown as a whole.
#include <memory>

#include "core/error.h"
#include "core/text/json.h"
#include "core/text/models.h"
#include "core/text/prefix_trie.h"
#include "core/text/unicode.h"

namespace loam {
namespace {

struct Tables {
  PrefixTrie trie;
  int32_t unk;
  int32_t inner;  // the node of the prefix that continuing pieces have; -1: no token begins with it
  size_t most_chars;
};

// Whether the word has more than `most` characters.
bool is_longer(std::string_view word, size_t most) {
  if (word.size() <= most) return false;
  size_t chars = 0;
  for (size_t at = 0; at < word.size() && chars <= most; ++chars) at += decode_utf8(word, at).bytes;
  return chars > most;
}

// Appends the pieces; false: the word has no cut of this kind, and `out` is left with part of it.
bool cut(const Tables& t, std::string_view word, std::vector<int32_t>& out) {
  for (size_t at = 0; at < word.size();) {
    int32_t node = at == 0 ? PrefixTrie::kRoot : t.inner, id = -1;
    size_t end = at;
    for (size_t i = at; i < word.size() && node >= 0;) {
      node = t.trie.child(node, uint8_t(word[i++]));
      if (node >= 0 && t.trie.value(node) >= 0) id = t.trie.value(node), end = i;
    }
    if (id < 0) return false;
    out.push_back(id);
    at = end;
  }
  return true;
}

}  // namespace

TokenModel make_wordpiece(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary) {
  auto t = std::make_shared<Tables>();
  std::vector<PrefixTrie::Entry> entries;
  for (size_t id = 0; id < spec.size(); ++id) {
    if (!spec.has_flag(id, TokenFlags::outside) && !spec.token(id).empty())
      entries.push_back({spec.token(id), int32_t(id)});
  }
  t->trie = PrefixTrie(entries);
  const Json with_default = step.contains("unk_token") ? step : Json{{"unk_token", "[UNK]"}};
  t->unk = find_own(spec, vocabulary, string_field(with_default, "unk_token"));
  const bool has_prefix = step.contains("continuing_subword_prefix");
  t->inner = t->trie.walk(has_prefix ? string_field(step, "continuing_subword_prefix") : "##");
  const Json most = step.value("max_input_chars_per_word", Json(100u));
  if (!most.is_number_unsigned())
    fail(Code::bad_file, "tokenizer: max_input_chars_per_word is not a number of characters");
  t->most_chars = most.get<size_t>();
  return with_cache([t = std::shared_ptr<const Tables>(std::move(t))](std::string_view word, ModelScratch&,
                                                                      std::vector<int32_t>& out) {
    const size_t before = out.size();
    if (!is_longer(word, t->most_chars) && cut(*t, word, out)) return;
    out.resize(before);
    if (t->unk < 0) fail_no_unk(word);
    out.push_back(t->unk);
  });
}

}  // namespace loam
