// A trie of added tokens and the rules of their flags, as Hugging Face's tokenizers define them.
#include "core/text/added_tokens.h"

#include <algorithm>

#include "core/text/unicode.h"

namespace loam {
namespace {

bool is_name(const Char& c) { return char_classes()[c.code] & CharClass::name; }

bool stands_alone(std::string_view text, size_t begin, size_t end) {
  if (begin > 0 && is_name(char_before(text, begin))) return false;
  return end == text.size() || !is_name(decode_utf8(text, end));
}

}  // namespace

AddedTokens::AddedTokens(const TokenizerSpec& spec, bool normalized, const Normalizer& normalizer) : spec_(&spec) {
  for (const bool special : {true, false}) {  // of two with the same text the special one wins
    for (size_t id = 0; id < spec.size(); ++id) {
      if (!spec.has_flag(id, TokenFlags::added) || spec.has_flag(id, TokenFlags::special) != special) continue;
      if (spec.has_flag(id, TokenFlags::normalized) != normalized) continue;
      std::string text(spec.token(id));
      bool first = false;
      if (normalized && normalizer) normalizer(text, first);
      add(text, int32_t(id));
    }
  }
}

void AddedTokens::add(std::string_view text, int32_t id) {
  if (text.empty()) return;
  int32_t node = 0;
  for (const char c : text) {
    const auto [it, added] = children_.try_emplace(uint64_t(node) << 8 | uint8_t(c), int32_t(ids_.size()));
    if (added) ids_.push_back(-1);
    node = it->second;
  }
  if (ids_[size_t(node)] < 0) ids_[size_t(node)] = id;
  starts_[uint8_t(text[0])] = true;
}

int32_t AddedTokens::child(int32_t node, uint8_t byte) const {
  const auto it = children_.find(uint64_t(node) << 8 | byte);
  return it == children_.end() ? -1 : it->second;
}

size_t AddedTokens::longest(std::string_view text, size_t at, int32_t& id) const {
  size_t end = 0;
  int32_t node = 0;
  for (size_t i = at; i < text.size(); ++i) {
    node = child(node, uint8_t(text[i]));
    if (node < 0) break;
    if (ids_[size_t(node)] >= 0) {
      id = ids_[size_t(node)];
      end = i + 1;
    }
  }
  return end;
}

std::vector<AddedTokens::Section> AddedTokens::cut(std::string_view text, bool parse_special) const {
  std::vector<Section> out;
  size_t done = 0, spaces_end = 0;  // the last run of spaces that a token took: it ends there
  for (size_t at = 0; at < text.size();) {
    int32_t id = -1;
    size_t end = starts_[uint8_t(text[at])] ? longest(text, at, id) : 0;
    if (end == 0) {
      ++at;
      continue;
    }
    size_t begin = at;
    at = end;  // the search goes on behind the match, whatever becomes of it
    const size_t token = size_t(id);
    if (!parse_special && spec_->has_flag(token, TokenFlags::special)) continue;
    if (spec_->has_flag(token, TokenFlags::single_word) && !stands_alone(text, begin, end)) continue;
    if (spec_->has_flag(token, TokenFlags::lstrip)) {
      begin = std::max(skip_spaces_back(text, begin, std::min(done, begin)), done);
    }
    if (spec_->has_flag(token, TokenFlags::rstrip)) end = spaces_end = skip_spaces(text, std::max(end, spaces_end));
    // Tokens that are spaces themselves may lie in what the one before took; the rest is as the reference does it.
    if (begin > done) out.push_back({done, begin, -1});
    if (begin < end) out.push_back({begin, end, id});
    done = end;
  }
  if (done < text.size()) out.push_back({done, text.size(), -1});
  return out;
}

}  // namespace loam
