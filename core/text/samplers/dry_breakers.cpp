// Texts -> sequences of tokens.
#include "core/text/samplers/dry_breakers.h"

#include <algorithm>
#include <map>

#include "core/error.h"

namespace loam {

std::vector<std::vector<int32_t>> dry_breakers(const Tokenizer& tokenizer, std::span<const std::string> texts) {
  constexpr size_t kMostBytes = 40, kMostTokens = 20;
  for (const std::string& text : texts) {
    if (text.empty() || text.size() > kMostBytes)
      fail(Code::bad_argument, "a DRY sequence breaker has %zu bytes, expected 1 to %zu", text.size(), kMostBytes);
  }
  std::map<std::string_view, std::vector<int32_t>> rests;  // tokens of the rest of a text
  const auto tokens_of = [&](std::string_view rest) -> const std::vector<int32_t>& {
    const auto [it, fresh] = rests.try_emplace(rest);
    if (fresh) it->second = tokenizer.encode(rest, {false, false});
    return it->second;
  };
  std::vector<std::vector<int32_t>> breakers;
  for (int32_t id = 0; size_t(id) < tokenizer.size(); ++id) {
    const std::string piece = tokenizer.piece(id);
    for (const std::string_view text : texts) {
      if (piece.find(text) != std::string::npos) {
        breakers.push_back({id});
        continue;
      }
      for (size_t have = std::min(piece.size(), text.size() - 1); have > 0; --have) {
        if (!std::string_view(piece).ends_with(text.substr(0, have))) continue;
        std::vector<int32_t> sequence{id};
        for (const int32_t t : tokens_of(text.substr(have))) {
          if (sequence.size() <= kMostTokens) sequence.push_back(t);
        }
        breakers.push_back(std::move(sequence));
      }
    }
  }
  std::sort(breakers.begin(), breakers.end());
  breakers.erase(std::unique(breakers.begin(), breakers.end()), breakers.end());
  return breakers;
}

std::vector<std::string> default_dry_breakers() { return {"\n", ":", "\"", "*"}; }

}  // namespace loam
