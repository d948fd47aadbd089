// GGUF names a whole pipeline by one word ("pre"); here are the words and their pipelines.
#include "core/text/tokenizer_gguf.h"

#include <algorithm>

#include "core/text/end_tokens.h"
#include "core/text/scanners.h"
#include "core/text/steps.h"
#include "core/text/vocabulary.h"

namespace loam {
namespace {

const Json kNull;

Json byte_level(bool regex) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", regex}};
}

Json sequence(const char* list, std::initializer_list<Json> steps) {
  return {{"type", "Sequence"}, {list, Json::array_t(steps)}};
}

Json split_then_bytes(const char* pattern) {
  const Json split = {
      {"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
  return sequence("pretokenizers", {split, byte_level(false)});
}

Json pre_gpt2() { return byte_level(true); }
Json pre_smollm() {
  return sequence("pretokenizers", {{{"type", "Digits"}, {"individual_digits", true}}, byte_level(true)});
}
Json pre_qwen2() { return split_then_bytes(kQwen2Pattern); }
Json pre_llama3() { return split_then_bytes(kLlama3Pattern); }

// What a `pre` stands for, as the tokenizer.json of its first model has it.
struct PreRow {
  const char* name;
  Json (*pre_tokenizer)();
  bool nfc, ignore_merges, add_bos;
};
const PreRow kPres[] = {
    {"gpt-2", pre_gpt2, false, false, false},
    {"smollm", pre_smollm, false, false, false},
    {"qwen2", pre_qwen2, true, false, false},
    {"llama-bpe", pre_llama3, false, true, true},
};

// Adds the tokens with the kinds and flags of token_type (1 normal, 2 unknown, 3 control, 4 user defined, 5 unused,
// 6 byte).
void add_tokens(const Metadata& m, TokenizerSpecBuilder& builder) {
  const auto& tokens = m.get<std::vector<std::string>>("tokenizer.ggml.tokens");
  const auto types = m.get_or("tokenizer.ggml.token_type", std::vector<int64_t>());
  if (!types.empty() && types.size() != tokens.size()) {
    fail(Code::bad_file, "GGUF: %zu tokens but %zu token types", tokens.size(), types.size());
  }
  constexpr TokenKind kKinds[] = {TokenKind::normal,       TokenKind::normal, TokenKind::unknown, TokenKind::control,
                                  TokenKind::user_defined, TokenKind::unused, TokenKind::byte};
  size_t bytes = 0;
  for (const std::string& t : tokens) bytes += t.size();
  builder.reserve(tokens.size(), bytes, 0);
  for (size_t i = 0; i < tokens.size(); ++i) {
    const int64_t type = types.empty() ? 1 : types[i];
    if (type < 0 || type > 6)
      fail(Code::bad_file, "GGUF: token %zu has the unknown type %lld", i, static_cast<long long>(type));
    const TokenKind kind = kKinds[type];
    uint8_t flags = 0;
    if (kind == TokenKind::control || kind == TokenKind::unknown) flags = TokenFlags::added | TokenFlags::special;
    if (kind == TokenKind::user_defined) flags = TokenFlags::added;
    builder.add(tokens[i], kind, flags);
  }
}

int32_t id_key(const Metadata& m, const char* name, size_t vocab) {
  const int64_t id = m.get_or("tokenizer.ggml." + std::string(name), int64_t(-1));
  // Converters write -1 or 2^32 - 1 for "none".
  return id < 0 || id == 0xffffffff ? -1 : id < int64_t(vocab) ? int32_t(id) : int32_t(vocab);
}

void add_merges(const Metadata& m, const Vocabulary& vocabulary, TokenizerSpecBuilder& builder) {
  std::string joined;
  for (const std::string& merge : m.get<std::vector<std::string>>("tokenizer.ggml.merges")) {
    const size_t space = merge.find(' ', 1);  // the left side may itself begin with a space
    if (space == std::string::npos) fail(Code::bad_file, "GGUF: the merge '%.100s' has no two sides", merge.c_str());
    const std::string_view left(merge.data(), space), right(merge.data() + space + 1, merge.size() - space - 1);
    joined.assign(left).append(right);
    const int32_t l = vocabulary.find(left), r = vocabulary.find(right), result = vocabulary.find(joined);
    if (l < 0 || r < 0 || result < 0) {
      fail(Code::bad_file, "GGUF: the merge '%.100s' names tokens that the vocabulary does not have", merge.c_str());
    }
    builder.add_merge(uint32_t(l), uint32_t(r), uint32_t(result));
  }
}

void read_special(const Metadata& m, bool default_bos, TokenizerSpec& head, size_t vocab) {
  head.bos = id_key(m, "bos_token_id", vocab), head.eos = id_key(m, "eos_token_id", vocab);
  head.unk = id_key(m, "unknown_token_id", vocab), head.pad = id_key(m, "padding_token_id", vocab);
  head.add_bos = m.get_or("tokenizer.ggml.add_bos_token", default_bos) && head.bos >= 0;
  head.add_eos = m.get_or("tokenizer.ggml.add_eos_token", false) && head.eos >= 0;
}

// bos and eos as the template of tokenizer.json writes them.
Json post_processor(const TokenizerSpec& head) {
  if (!head.add_bos && !head.add_eos) return kNull;
  Json single = Json::array(), ids = Json::object();
  const auto add = [&](const char* name, int32_t id) {
    single.push_back({{"SpecialToken", {{"id", name}, {"type_id", 0}}}});
    ids[name] = {{"id", name}, {"ids", {id}}};
  };
  if (head.add_bos) add("bos", head.bos);
  single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
  if (head.add_eos) add("eos", head.eos);
  return {{"type", "TemplateProcessing"}, {"single", single}, {"special_tokens", ids}};
}

TokenizerSpec finish(TokenizerSpecBuilder& builder, TokenizerSpec head, const Json& normalizer, const Json& pre,
                     const Json& model, const Json& decoder) {
  const Json pipeline = {{"normalizer", normalizer},
                         {"pre_tokenizer", pre},
                         {"model", model},
                         {"post_processor", post_processor(head)},
                         {"decoder", decoder}};
  head.pipeline = pipeline.dump();
  TokenizerSpec spec = builder.finish(std::move(head));
  find_end_tokens(spec);
  return spec;
}

// Byte-level BPE with ranked merges.
TokenizerSpec load_gpt2(const Metadata& m, std::string_view pre) {
  const PreRow* row = nullptr;
  for (const PreRow& r : kPres) {
    if (pre == r.name) row = &r;
  }
  if (!row) {
    fail(Code::unsupported, "GGUF: the pre-tokenizer '%.*s' is not known to this version of Loam", int(pre.size()),
         pre.data());
  }
  TokenizerSpecBuilder builder;
  add_tokens(m, builder);
  const TokenizerSpec plain = builder.finish({});
  add_merges(m, Vocabulary(plain), builder);
  TokenizerSpec head;
  read_special(m, row->add_bos, head, builder.size());
  return finish(builder, std::move(head), row->nfc ? Json{{"type", "NFC"}} : kNull, row->pre_tokenizer(),
                {{"type", "BPE"}, {"ignore_merges", row->ignore_merges}}, byte_level(true));
}

// SentencePiece: merges by score, bytes for what the vocabulary lacks.
TokenizerSpec load_llama(const Metadata& m, std::string_view) {
  TokenizerSpecBuilder builder;
  add_tokens(m, builder);
  const auto& scores = m.get<std::vector<double>>("tokenizer.ggml.scores");
  for (const double score : scores) builder.add_score(float(score));
  TokenizerSpec head;
  read_special(m, true, head, builder.size());
  head.add_space_prefix = m.get_or("tokenizer.ggml.add_space_prefix", true);
  const Json spaces = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kMetaspace}};
  const Json back = {{"type", "Replace"}, {"pattern", {{"String", kMetaspace}}}, {"content", " "}};
  const Json strip = {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}};
  Json normalizer = spaces, decoder = sequence("decoders", {back, {{"type", "ByteFallback"}}, {{"type", "Fuse"}}});
  if (head.add_space_prefix) {
    normalizer = sequence("normalizers", {{{"type", "Prepend"}, {"prepend", kMetaspace}}, spaces});
    decoder["decoders"].push_back(strip);
  }
  const Json model = {{"type", "ScoredBPE"}, {"byte_fallback", true}, {"fuse_unk", true}};
  return finish(builder, std::move(head), normalizer, kNull, model, decoder);
}

struct ModelRow {
  const char* name;
  TokenizerSpec (*load)(const Metadata& m, std::string_view pre);
};
const ModelRow kModels[] = {
    {"gpt2", load_gpt2},
    {"llama", load_llama},
};

void add_more_ends(const Metadata& m, TokenizerSpec& spec) {
  for (const char* name : {"eot_token_id", "eom_token_id"}) {
    const int32_t id = id_key(m, name, spec.size());
    if (id >= 0 && std::find(spec.ends.begin(), spec.ends.end(), id) == spec.ends.end()) spec.ends.push_back(id);
  }
}

}  // namespace

LoadedTokenizer tokenizer_from_gguf(const Metadata& m, std::string_view pre) {
  const std::string model = m.get<std::string>("tokenizer.ggml.model");
  const std::string own_pre = m.get_or("tokenizer.ggml.pre", std::string("default"));
  for (const ModelRow& row : kModels) {
    if (model != row.name) continue;
    LoadedTokenizer out;
    out.spec = row.load(m, pre.empty() ? std::string_view(own_pre) : pre);
    add_more_ends(m, out.spec);
    out.spec.check();
    out.chat_template = m.get_or("tokenizer.chat_template", std::string());
    return out;
  }
  fail(Code::unsupported, "GGUF: the tokenizer model '%.100s' is not known to this version of Loam", model.c_str());
}

}  // namespace loam
