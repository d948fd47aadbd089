// Runs the pipeline: added tokens, normalizer, pre-tokenizer, model, post-processor; and the decoder.
#include "core/text/tokenizer.h"

#include <algorithm>
#include <mutex>

#include "core/error.h"
#include "core/text/added_tokens.h"
#include "core/text/grammar/token_trie.h"
#include "core/text/json.h"
#include "core/text/steps.h"
#include "core/text/vocabulary.h"

namespace loam {

struct Tokenizer::State {
  TokenizerSpec spec;
  std::shared_ptr<const Vocabulary> index;
  const Vocabulary& vocabulary;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  TokenModel model;
  Special special;
  TokenDecoder decoder;
  AddedTokens raw_added, normalized_added;
  std::mutex trie_mutex;
  std::shared_ptr<const TokenTrie> trie;

  State(TokenizerSpec&& s, const Json& pipeline)
      : spec(std::move(s)),
        index(spec.vocabulary ? spec.vocabulary : std::make_shared<const Vocabulary>(spec)),
        vocabulary(*index),
        normalizer(make_normalizer(part(pipeline, "normalizer"))),
        pre_tokenizer(make_pre_tokenizer(part(pipeline, "pre_tokenizer"))),
        model(make_model(part(pipeline, "model"), spec, vocabulary)),
        special(make_post_processor(part(pipeline, "post_processor"), spec)),
        decoder(make_decoder(part(pipeline, "decoder"))),
        raw_added(spec, false, normalizer),
        normalized_added(spec, true, normalizer) {}

  static Json part(const Json& pipeline, const char* name) {
    if (!pipeline.is_object()) fail(Code::bad_file, "tokenizer: the pipeline is not a JSON object");
    return pipeline.value(name, Json());
  }
  void encode_words(Words& words, ModelScratch& scratch, std::vector<int32_t>& out) const;
  void encode_section(std::string_view text, bool first, bool parse_special, ModelScratch& scratch,
                      std::vector<int32_t>& out) const;
  std::string text_of(int32_t id) const;  // as decoders want it
};

void Tokenizer::State::encode_words(Words& words, ModelScratch& scratch, std::vector<int32_t>& out) const {
  words.ranges.assign(1, {0, words.text.size()});
  if (pre_tokenizer) pre_tokenizer(words);
  for (const Words::Range r : words.ranges) {
    if (r.end > r.begin) model(words.word(r), scratch, out);
  }
}

void Tokenizer::State::encode_section(std::string_view text, bool first, bool parse_special, ModelScratch& scratch,
                                      std::vector<int32_t>& out) const {
  Words words;
  words.text = text;
  if (normalizer) normalizer(words.text, first);
  if (normalized_added.empty()) {
    words.first = first;
    return encode_words(words, scratch, out);
  }
  const std::string normalized = std::move(words.text);
  for (const AddedTokens::Section& s : normalized_added.cut(normalized, parse_special)) {
    if (s.id >= 0) {
      out.push_back(s.id);
      continue;
    }
    words.text = normalized.substr(s.begin, s.end - s.begin);
    words.first = first && s.begin == 0;
    encode_words(words, scratch, out);
  }
}

std::string Tokenizer::State::text_of(int32_t id) const {
  if (id < 0 || size_t(id) >= spec.size()) {
    fail(Code::bad_argument, "token %d is outside the vocabulary of %zu tokens", id, spec.size());
  }
  std::string text(spec.token(size_t(id)));
  bool first = false;
  if (normalizer && spec.has_flag(size_t(id), TokenFlags::normalized)) normalizer(text, first);
  return text;
}

Tokenizer::Tokenizer(TokenizerSpec spec) {
  spec.check();
  const Json pipeline = parse_json(spec.pipeline, "the tokenizer's pipeline");
  state_ =
      with_json_errors("the tokenizer's pipeline", [&] { return std::make_unique<State>(std::move(spec), pipeline); });
}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

std::vector<int32_t> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
  const State& s = *state_;
  std::vector<int32_t> out;
  ModelScratch scratch;
  if (options.add_special) out = s.special.before;
  for (const AddedTokens::Section& part : s.raw_added.cut(text, options.parse_special)) {
    if (part.id >= 0)
      out.push_back(part.id);
    else {
      s.encode_section(text.substr(part.begin, part.end - part.begin), part.begin == 0, options.parse_special, scratch,
                       out);
    }
  }
  if (options.add_special) out.insert(out.end(), s.special.after.begin(), s.special.after.end());
  return out;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  Tokens tokens;
  tokens.reserve(ids.size());
  for (const int32_t id : ids) {
    if (!skip_special || !is_special(id)) tokens.push_back(state_->text_of(id));
  }
  return state_->decoder.decode(std::move(tokens), true);
}

std::string Tokenizer::piece(int32_t id) const { return state_->decoder.decode({state_->text_of(id)}, false); }

bool Tokenizer::is_end(int32_t id) const {
  const auto& ends = state_->spec.ends;
  return std::find(ends.begin(), ends.end(), id) != ends.end();
}

bool Tokenizer::is_special(int32_t id) const {
  return id >= 0 && size_t(id) < size() && state_->spec.has_flag(size_t(id), TokenFlags::special);
}

size_t Tokenizer::size() const { return state_->spec.size(); }
int32_t Tokenizer::find(std::string_view token_text) const { return state_->vocabulary.find(token_text); }
const TokenizerSpec& Tokenizer::spec() const { return state_->spec; }
std::string_view Tokenizer::token(int32_t id) const {
  return id >= 0 && size_t(id) < size() ? state_->spec.token(size_t(id)) : std::string_view();
}

std::shared_ptr<const TokenTrie> Tokenizer::token_trie(size_t vocab) const {
  vocab = std::max(vocab, size());
  const std::lock_guard lock(state_->trie_mutex);
  if (!state_->trie || state_->trie->vocab() != vocab) state_->trie = std::make_shared<const TokenTrie>(*this, vocab);
  return state_->trie;
}

}  // namespace loam
