// The list of texts that end an answer.
#include "core/text/end_tokens.h"

#include <algorithm>

namespace loam {
namespace {

constexpr std::string_view kEndTokens[] = {
    "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "<end_of_turn>", "<|end|>", "<|eot|>",
    "<|end_of_turn|>", "<|return|>", "<|call|>", "<|calls|>", "<|flush|>", "<end_of_utterance>", "<EOT>", "_<EOT>",
    "[EOT]", "[EOS]", "</s>", "<eos>", "<turn|>", "<|tool_response>", "<|END_OF_TURN_TOKEN|>", "[e~[",
    "<\uff5cend\u2581of\u2581sentence\uff5c>",
    // After these a model that was trained to fill gaps goes on with another file.
    "<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]", "<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>",
    "<reponame>", "<|file_sep|>"};

// A text that is no end where the others are ends too.
struct Exception {
  std::string_view text;
  std::string_view beside[2];  // the second may be empty
};
constexpr Exception kExceptions[] = {
    {"<|end|>", {"<|return|>", "<|call|>"}},  // ends a message; the answer goes on
    {"<|end|>", {"<|flush|>", "<|calls|>"}},
    {"</s>", {"<|tool_response>", {}}},  // an HTML tag there
    {"</s>", {"<|plamo:eos|>", {}}},
};

}  // namespace

void find_end_tokens(TokenizerSpec& spec, std::span<const int32_t> more) {
  auto& ends = spec.ends;
  ends.clear();
  const auto add = [&](int32_t id) {
    if (id >= 0 && std::find(ends.begin(), ends.end(), id) == ends.end()) ends.push_back(id);
  };
  add(spec.eos);
  for (const int32_t id : more) add(id);
  for (size_t id = 0; id < spec.size(); ++id) {
    if (spec.kind(id) != TokenKind::control && !spec.has_flag(id, TokenFlags::added)) continue;
    const auto* end = std::end(kEndTokens);
    if (std::find(std::begin(kEndTokens), end, spec.token(id)) != end) add(int32_t(id));
  }
  const auto has = [&](std::string_view text) {
    return text.empty() ||
           std::any_of(ends.begin(), ends.end(), [&](int32_t id) { return spec.token(size_t(id)) == text; });
  };
  for (const Exception& e : kExceptions) {
    if (!has(e.beside[0]) || !has(e.beside[1])) continue;
    std::erase_if(ends, [&](int32_t id) { return id != spec.eos && spec.token(size_t(id)) == e.text; });
  }
}

}  // namespace loam
