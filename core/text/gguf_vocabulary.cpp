// The keys of a GGUF vocabulary, and the parts of a spec that all its models have.
#include "core/text/gguf_vocabulary.h"

#include <algorithm>
#include <cstring>
#include <future>

#include "core/text/vocabulary.h"

namespace loam {
namespace {

std::string key(const char* name) { return "tokenizer.ggml." + std::string(name); }

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? char(c + 32) : c;
  return text;
}

// Converters write -1 or 2^32 - 1 for "none".
bool is_none(int64_t id) { return id < 0 || id == 0xffffffff; }

}  // namespace

Json json_template(int32_t bos, int32_t eos) {
  if (bos < 0 && eos < 0) return {};
  Json single = Json::array(), ids = Json::object();
  const auto add = [&](const char* name, int32_t id) {
    single.push_back({{"SpecialToken", {{"id", name}, {"type_id", 0}}}});
    ids[name] = {{"id", name}, {"ids", Json::array({id})}};
  };
  if (bos >= 0) add("bos", bos);
  single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
  if (eos >= 0) add("eos", eos);
  return {{"type", "TemplateProcessing"}, {"single", single}, {"special_tokens", ids}};
}

Json json_sequence(const char* list, std::initializer_list<Json> steps) {
  return {{"type", "Sequence"}, {list, Json::array(steps)}};
}

Json json_replace(std::string_view from, std::string_view to) {
  return {{"type", "Replace"}, {"pattern", {{"String", std::string(from)}}}, {"content", std::string(to)}};
}

GgufVocabulary::GgufVocabulary(const Metadata& metadata)
    : metadata_(metadata), tokens_(metadata.get<std::vector<std::string>>("tokenizer.ggml.tokens")) {
  if (metadata.has("tokenizer.ggml.token_type")) {
    types_ = &metadata.get<std::vector<int64_t>>("tokenizer.ggml.token_type");
    if (types_->size() < tokens_.size())
      fail(Code::bad_file, "GGUF: %zu tokens but %zu token types", tokens_.size(), types_->size());
  }
  // GGUF has no flags for spaces beside added tokens; these families are known to have them.
  const std::string name = lower(metadata.get_or("general.name", std::string()));
  const std::string architecture = metadata.get_or("general.architecture", std::string());
  const std::string pre = metadata.get_or("tokenizer.ggml.pre", std::string());
  if (pre.starts_with("jina-v2-") || pre == "modern-bert" || architecture == "nomic-bert-moe" ||
      architecture == "jina-bert-v3")
    strip_ = Strip::before_mask;
  else if (name.find("phi-3") != std::string::npos || name.find("phi3") != std::string::npos)
    strip_ = Strip::after_special;
}

TokenKind GgufVocabulary::kind(size_t id) const {
  static constexpr TokenKind kKinds[] = {TokenKind::normal,  TokenKind::normal,       TokenKind::unknown,
                                         TokenKind::control, TokenKind::user_defined, TokenKind::unused,
                                         TokenKind::byte};
  const int64_t type = types_ ? (*types_)[id] : 1;
  if (type < 0 || type > 6) {
    fail(Code::bad_file, "GGUF: token %zu has the type %lld, expected 0 to 6", id, static_cast<long long>(type));
  }
  return kKinds[type];
}

uint8_t GgufVocabulary::flags(size_t id, TokenKind kind) const {
  uint8_t flags = 0;
  if (kind == TokenKind::control || kind == TokenKind::unknown) flags = TokenFlags::added | TokenFlags::special;
  if (kind == TokenKind::user_defined) flags = TokenFlags::added;
  if (!flags || strip_ == Strip::nothing) return flags;
  const std::string& text = tokens_[id];
  if (strip_ == Strip::before_mask) return text == "<mask>" || text == "[MASK]" ? flags | TokenFlags::lstrip : flags;
  return text == "<unk>" || text == "<s>" || text == "<|endoftext|>" ? flags : flags | TokenFlags::rstrip;
}

const MetaValue* GgufVocabulary::find(const char* name) const { return metadata_.find(key(name)); }

bool GgufVocabulary::flag(const char* name, bool otherwise) const { return metadata_.get_or(key(name), otherwise); }

int32_t GgufVocabulary::id(const char* name, int32_t otherwise) const {
  const int64_t count = int64_t(tokens_.size());
  const int64_t id = metadata_.get_or(key(name), int64_t(otherwise < count ? otherwise : -1));
  if (is_none(id)) return -1;
  if (id >= count) {
    fail(Code::bad_file, "GGUF: tokenizer.ggml.%s is %lld, but the vocabulary has %zu tokens", name,
         static_cast<long long>(id), tokens_.size());
  }
  return int32_t(id);
}

std::vector<float> GgufVocabulary::scores() const {
  const MetaValue* found = find("scores");
  if (!found) return {};
  std::vector<float> scores;
  if (const auto* reals = std::get_if<std::vector<double>>(found))
    scores.assign(reals->begin(), reals->end());
  else if (const auto* integers = std::get_if<std::vector<int64_t>>(found))
    scores.assign(integers->begin(), integers->end());
  else
    fail(Code::bad_file, "GGUF: tokenizer.ggml.scores is not a list of numbers");
  if (scores.size() < tokens_.size())
    fail(Code::bad_file, "GGUF: %zu tokens but %zu scores", tokens_.size(), scores.size());
  scores.resize(tokens_.size());
  return scores;
}

void GgufVocabulary::add_tokens(TokenizerSpecBuilder& builder) const {
  size_t bytes = 0;
  for (const std::string& t : tokens_) bytes += t.size();
  builder.reserve(tokens_.size(), bytes, 0);
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const TokenKind kind = this->kind(i);
    builder.add(tokens_[i], kind, flags(i, kind));
  }
}

void GgufVocabulary::add_merges(TokenizerSpecBuilder& builder) const {
  const auto& merges = metadata_.get<std::vector<std::string>>("tokenizer.ggml.merges");
  const Vocabulary& vocabulary = builder.vocabulary();
  std::vector<uint32_t> triples(3 * merges.size());
  const size_t half = merges.size() / 2;  // two threads share the work where it is much and they can be had
  const auto policy = std::launch::deferred | (half > 20000 ? std::launch::async : std::launch::deferred);
  auto rest =
      std::async(policy, [&] { find_merges(vocabulary, std::span(merges).subspan(half), triples.data() + 3 * half); });
  find_merges(vocabulary, std::span(merges).first(half), triples.data());
  rest.get();
  builder.set_merges(std::move(triples));
}

void GgufVocabulary::find_merges(const Vocabulary& vocabulary, std::span<const std::string> merges,
                                 uint32_t* triples) const {
  Vocabulary::Memo memo;
  constexpr size_t kBlock = Vocabulary::kAhead / 2;  // merges looked up together
  std::string_view sides[2 * kBlock];
  int32_t ids[2 * kBlock], result = -1;
  for (size_t begin = 0; begin < merges.size(); begin += kBlock) {
    const size_t count = std::min(kBlock, merges.size() - begin);
    for (size_t i = 0; i < count; ++i) {
      const std::string_view merge = merges[begin + i];
      const size_t space = merge.find(' ', 1);  // the left side may itself begin with a space
      if (space == merge.npos) fail(Code::bad_file, "GGUF: the merge '%.100s' has no two sides", merge.data());
      sides[2 * i] = merge.substr(0, space), sides[2 * i + 1] = merge.substr(space + 1);
    }
    vocabulary.find({sides, 2 * count}, ids, memo);
    for (size_t i = 0; i < count; ++i) {
      result = joined_token(vocabulary, sides[2 * i], sides[2 * i + 1], result);
      const int32_t triple[] = {ids[2 * i], ids[2 * i + 1], result};
      if (triple[0] < 0 || triple[1] < 0 || result < 0) {
        fail(Code::bad_file, "GGUF: the merge '%.100s' names tokens that the vocabulary does not have",
             merges[begin + i].c_str());
      }
      triples = std::copy_n(triple, 3, triples);
    }
  }
}

// The result of a merge. In most files it is the result of the merge before, or the token behind that.
int32_t GgufVocabulary::joined_token(const Vocabulary& vocabulary, std::string_view left, std::string_view right,
                                     int32_t before) const {
  const size_t size = left.size() + right.size();
  for (size_t id = size_t(before); before >= 0 && id < std::min(size_t(before) + 2, tokens_.size()); ++id) {
    const char* token = tokens_[id].data();
    if (tokens_[id].size() != size || std::memcmp(token, left.data(), left.size()) != 0 ||
        std::memcmp(token + left.size(), right.data(), right.size()) != 0)
      continue;
    if (vocabulary.unique() && kind(id) != TokenKind::unused) return int32_t(id);
  }
  return vocabulary.find(std::string(left).append(right));
}

TokenizerSpec GgufVocabulary::special(const Defaults& defaults) const {
  TokenizerSpec head;
  head.bos = id("bos_token_id", defaults.bos), head.eos = id("eos_token_id", defaults.eos);
  head.unk = id("unknown_token_id", defaults.unk);
  const int64_t pad = metadata_.get_or(key("padding_token_id"), int64_t(defaults.pad));
  head.pad = is_none(pad) || pad >= int64_t(tokens_.size()) ? -1 : int32_t(pad);  // often wrong, and never used
  head.add_bos = flag("add_bos_token", defaults.add_bos) && head.bos >= 0;
  head.add_eos = flag("add_eos_token", defaults.add_eos) && head.eos >= 0;
  return head;
}

TokenizerSpec finish_gguf(TokenizerSpecBuilder& builder, TokenizerSpec head, const GgufPipeline& pipeline) {
  const Json json = {{"normalizer", pipeline.normalizer},
                     {"pre_tokenizer", pipeline.pre_tokenizer},
                     {"model", pipeline.model},
                     {"post_processor", json_template(head.add_bos ? head.bos : -1, head.add_eos ? head.eos : -1)},
                     {"decoder", pipeline.decoder}};
  head.pipeline = json.dump();
  return builder.finish(std::move(head));
}

}  // namespace loam
