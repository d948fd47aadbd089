// Writes the tokenizer.json that the lists stand for, and reads that.
#include "core/text/tokenizer_lists.h"

#include <algorithm>
#include <map>

#include "core/text/gguf_pre.h"
#include "core/text/gguf_vocabulary.h"
#include "core/text/json.h"
#include "core/text/tokenizer_config.h"

namespace loam {
namespace {

template <class Each>
void each_line(std::string_view text, Each each) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    each(line);
    at = end + 1;
  }
}

Json special_token(std::string_view text, int64_t id) {
  return {{"id", id}, {"content", std::string(text)}, {"special", true}, {"normalized", false}};
}

Json added_tokens(const TokenizerConfig& config) {
  Json list = Json::array();
  for (const auto& token : config.added_tokens()) {
    const auto flag = [&](uint8_t bit) { return (token.flags & bit) != 0; };
    list.push_back({{"id", token.id},
                    {"content", token.text},
                    {"special", flag(TokenFlags::special)},
                    {"lstrip", flag(TokenFlags::lstrip)},
                    {"rstrip", flag(TokenFlags::rstrip)},
                    {"single_word", flag(TokenFlags::single_word)},
                    {"normalized", flag(TokenFlags::normalized)}});
  }
  return list;
}

struct BpeClass {
  const char* name;
  const char* pre;
};
constexpr BpeClass kBpeClasses[] = {{"GPT2Tokenizer", "gpt-2"},
                                    {"CodeGenTokenizer", "gpt-2"},
                                    {"Qwen2Tokenizer", "qwen2"},
                                    {"Starcoder2Tokenizer", "starcoder"}};

const GgufPre& pre_of(const TokenizerConfig& config, std::string_view pre) {
  if (!pre.empty()) return find_gguf_pre(pre);
  const std::string name = config.class_name();
  for (const BpeClass& row : kBpeClasses) {
    if (name == row.name) return find_gguf_pre(row.pre);
  }
  fail(Code::unsupported, "vocab.json: tokenizer_class '%.100s' does not tell how to split text; choose with --pre: %s",
       name.c_str(), gguf_pre_names().c_str());
}

Json byte_level_decoder() {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
}

}  // namespace

LoadedTokenizer tokenizer_from_vocab_txt(std::string_view vocab, std::string_view config,
                                         std::string_view generation_config) {
  return with_json_errors("vocab.txt", [&] {
    const TokenizerConfig settings(config, generation_config);
    std::map<std::string_view, int64_t> ids;
    Json added = added_tokens(settings);
    int64_t count = 0;
    each_line(vocab, [&](std::string_view line) { ids[line] = count++; });
    if (added.empty()) {
      for (const char* text : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}) {
        if (ids.contains(text)) added.push_back(special_token(text, ids.at(text)));
      }
    }
    if (!ids.contains("[CLS]") || !ids.contains("[SEP]")) fail(Code::bad_file, "vocab.txt: no line is [CLS] or [SEP]");
    Json::Object vocabulary;
    for (const auto& [text, id] : ids) vocabulary.push_back({std::string(text), id});
    const auto strip = settings.flag("strip_accents");
    const Json normalizer = {{"type", "BertNormalizer"},
                             {"clean_text", true},
                             {"handle_chinese_chars", settings.flag("tokenize_chinese_chars").value_or(true)},
                             {"strip_accents", strip ? Json(*strip) : Json()},
                             {"lowercase", settings.flag("do_lower_case").value_or(true)}};
    const Json model = {{"type", "WordPiece"},
                        {"unk_token", "[UNK]"},
                        {"continuing_subword_prefix", "##"},
                        {"max_input_chars_per_word", 100},
                        {"vocab", std::move(vocabulary)}};
    const Json root = {{"added_tokens", added},
                       {"normalizer", normalizer},
                       {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
                       {"post_processor", json_template(int32_t(ids["[CLS]"]), int32_t(ids["[SEP]"]))},
                       {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}},
                       {"model", model}};
    return tokenizer_from_json(root.dump(), config, generation_config);
  });
}

LoadedTokenizer tokenizer_from_vocab_json(std::string_view vocab, std::string_view merges, std::string_view config,
                                          std::string_view generation_config, std::string_view pre) {
  return with_json_errors("vocab.json", [&] {
    const TokenizerConfig settings(config, generation_config);
    const GgufPre& steps = pre_of(settings, pre);
    const Json ids = parse_json(vocab, "vocab.json");
    Json added = added_tokens(settings), rules = Json::array();
    for (const char* text : {"<|endoftext|>", "<s>", "</s>", "<unk>", "<pad>"}) {
      if (settings.added_tokens().empty() && ids.contains(text)) {
        added.push_back(special_token(text, ids[text].get<int64_t>()));
      }
    }
    each_line(merges, [&](std::string_view line) {
      if (!line.empty() && !line.starts_with("#version")) rules.push_back(std::string(line));
    });
    const Json model = {{"type", "BPE"}, {"ignore_merges", steps.ignore_merges}, {"vocab", ids}, {"merges", rules}};
    const Json root = {
        {"added_tokens", added},    {"normalizer", steps.normalizer()}, {"pre_tokenizer", steps.pre_tokenizer()},
        {"post_processor", Json()}, {"decoder", byte_level_decoder()},  {"model", model}};
    return tokenizer_from_json(root.dump(), config, generation_config);
  });
}

}  // namespace loam
