// Chooses the loader by tokenizer.ggml.model.
#include "core/text/tokenizer_gguf.h"

#include "core/text/end_tokens.h"
#include "core/text/gguf_vocabulary.h"

namespace loam {
namespace {

struct ModelRow {
  const char* name;
  TokenizerSpec (*load)(const GgufVocabulary& vocabulary, std::string_view pre);
};
const ModelRow kModels[] = {
    {"gpt2", load_gguf_gpt2}, {"gemma4", load_gguf_gemma4}, {"llama", load_gguf_llama},
    {"t5", load_gguf_t5},     {"bert", load_gguf_bert},     {"whitespace", load_gguf_whitespace},
};

}  // namespace

LoadedTokenizer tokenizer_from_gguf(const Metadata& m, std::string_view pre) {
  const std::string model = m.get<std::string>("tokenizer.ggml.model");
  const std::string own_pre = m.get_or("tokenizer.ggml.pre", std::string());
  for (const ModelRow& row : kModels) {
    if (model != row.name) continue;
    const GgufVocabulary vocabulary(m);
    LoadedTokenizer out;
    out.spec = row.load(vocabulary, pre.empty() ? std::string_view(own_pre) : pre);
    std::vector<int32_t> ends;
    for (const char* name :
         {"eot_token_id", "eom_token_id", "fim_pad_token_id", "fim_rep_token_id", "fim_sep_token_id"})
      ends.push_back(vocabulary.id(name));
    find_end_tokens(out.spec, ends);
    out.chat_template = m.get_or("tokenizer.chat_template", std::string());
    return out;
  }
  fail(Code::unsupported, "GGUF: the tokenizer model '%.100s' is not known to this version of Loam", model.c_str());
}

}  // namespace loam
