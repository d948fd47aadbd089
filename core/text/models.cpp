// The list of models, and what they share.
#include "core/text/models.h"

#include "core/error.h"

namespace loam {
namespace {

struct Row {
  const char* type;
  ModelMaker make;
};
const Row kModels[] = {
    {"BPE", make_bpe},
    {"Unigram", make_unigram},
    {"WordPiece", make_wordpiece},
    {"WordLevel", make_wordlevel},
    // Our own names, for the rules of SentencePiece and tiktoken, whose files have scores or ranks in place of merges.
    {"ScoredBPE", make_scored_bpe},
    {"ScoredUnigram", make_scored_unigram},
};

}  // namespace

TokenModel make_model(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary) {
  const std::string type = step_type("model", step);
  for (const Row& row : kModels) {
    if (type == row.type) return row.make(step, spec, vocabulary);
  }
  fail_unknown_step("model", type);
}

ByteTokens::ByteTokens(bool wanted, const TokenizerSpec& spec, const Vocabulary& vocabulary) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (int b = 0; b < 256; ++b) {
    const char token[] = {'<', '0', 'x', kDigits[b >> 4], kDigits[b & 15], '>'};
    ids_[b] = wanted ? find_own(spec, vocabulary, {token, 6}) : -1;
  }
}

int32_t unk_field(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary) {
  const std::string unk = string_field(step, "unk_token");
  if (unk.empty()) return -1;
  const int32_t id = find_own(spec, vocabulary, unk);
  if (id < 0) fail(Code::bad_file, "tokenizer: no token '%.100s' for unknown text", unk.c_str());
  return id;
}

void fail_no_unk(std::string_view text) {
  fail(Code::bad_argument, "tokenizer: the vocabulary has no token for '%.*s' and none for unknown text",
       int(std::min<size_t>(text.size(), 40)), text.data());
}

}  // namespace loam
