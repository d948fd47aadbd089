// The list of texts that end an answer.
#include "core/text/end_tokens.h"

#include <algorithm>

namespace loam {
namespace {

constexpr std::string_view kEndTokens[] = {
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<end_of_turn>",
    "<|end|>",
    "<|eot|>",
    "<|end_of_turn|>",
    "<|return|>",
    "<|call|>",
    "<end_of_utterance>",
    "<EOT>",
    "_<EOT>",
    "<turn|>",
    "<|END_OF_TURN_TOKEN|>",
    "<\uff5cend\u2581of\u2581sentence\uff5c>",
};

}  // namespace

void find_end_tokens(TokenizerSpec& spec) {
  spec.ends.clear();
  if (spec.eos >= 0) spec.ends.push_back(spec.eos);
  for (size_t id = 0; id < spec.size(); ++id) {
    const bool marker = spec.kind(id) == TokenKind::control || spec.has_flag(id, TokenFlags::added);
    if (!marker || int32_t(id) == spec.eos) continue;
    const auto* end = std::end(kEndTokens);
    if (std::find(std::begin(kEndTokens), end, spec.token(id)) != end) spec.ends.push_back(int32_t(id));
  }
}

}  // namespace loam
