// WordLevel: a word is a token or unknown.
#include "core/text/json.h"
#include "core/text/models.h"

namespace loam {

TokenModel make_wordlevel(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary) {
  const std::string name = step.contains("unk_token") ? string_field(step, "unk_token") : "<unk>";
  const int32_t unk = find_own(spec, vocabulary, name);
  return [unk, &spec, &vocabulary](std::string_view word, ModelScratch&, std::vector<int32_t>& out) {
    int32_t id = find_own(spec, vocabulary, word);
    if (id < 0) id = unk;
    if (id < 0) fail_no_unk(word);
    out.push_back(id);
  };
}

}  // namespace loam
