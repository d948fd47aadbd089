// The rows of tokenizer.ggml.pre. A pattern is what the Hugging Face tokenizer of the first model with that name has:
// it is the truth where other programs simplified it.
#include "core/text/gguf_pre.h"

#include <algorithm>

#include "core/error.h"
#include "core/text/json.h"

namespace loam {
namespace {

using enum PreStep::Kind;

// Alternatives that many patterns share.
#define LOAM_CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define LOAM_SPACES "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define LOAM_SYMBOLS " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" LOAM_SPACES
#define LOAM_WORD "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
#define LOAM_UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOAM_LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOAM_CASED(end)                                                                                          \
  "[^\\r\\n\\p{L}\\p{N}]?" LOAM_UPPER "*" LOAM_LOWER "+" end "|[^\\r\\n\\p{L}\\p{N}]?" LOAM_UPPER "+" LOAM_LOWER \
  "*" end "|"
#define LOAM_CASED_SYMBOLS " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" LOAM_SPACES
#define LOAM_NOT_HAN(set) "[" set "&&[^\\p{Han}]]"
#define LOAM_KIMI_UPPER LOAM_NOT_HAN("\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}")
#define LOAM_KIMI_LOWER LOAM_NOT_HAN("\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}")
// Ideographs and kana; ideographs and what lies between U+0800 and Hangul's end.
#define LOAM_CJK "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"
#define LOAM_CJK_WIDE "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
#define LOAM_ASCII_PUNCTUATION "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]"
#define LOAM_DEEPSEEK_WORD LOAM_ASCII_PUNCTUATION "[A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|"

constexpr PreStep kGpt2[] = {{gpt2}};
constexpr PreStep kDigitsGpt2[] = {{digits}, {gpt2}};
constexpr PreStep kLlama3[] = {{split, LOAM_CONTRACTIONS "|" LOAM_WORD "\\p{N}{1,3}|" LOAM_SYMBOLS}, {bytes}};
constexpr PreStep kQwen2[] = {{split, LOAM_CONTRACTIONS "|" LOAM_WORD "\\p{N}|" LOAM_SYMBOLS}, {bytes}};
constexpr PreStep kQwen35[] = {
    {split, LOAM_CONTRACTIONS
     "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" LOAM_SPACES},
    {bytes}};
constexpr PreStep kMiniCpm5[] = {
    {split, "\\p{N}{1,3}"}, {split, LOAM_CONTRACTIONS "|" LOAM_WORD "\\p{N}+|" LOAM_SYMBOLS}, {bytes}};
constexpr PreStep kJais2[] = {
    {split, LOAM_CONTRACTIONS
     "|" LOAM_WORD
     "\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s{512}(?!\\S)|\\s{256}(?!\\S)|\\s{128}(?!\\S)|"
     "\\s{64}(?!\\S)|\\s{32}(?!\\S)|\\s{16}(?!\\S)|\\s{8}(?!\\S)|\\s{4}(?!\\S)|\\s{1,2}(?!\\S)|\\s{1}"},
    {bytes}};
constexpr PreStep kDeepSeekLlm[] = {
    {split, "[\r\n]"},
    {split,
     "\\s?[A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373"
     "\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f"
     "\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77"
     "\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d"
     "\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4"
     "\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139"
     "\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d"
     "\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a"
     "\uff41-\uff5a\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb\U00010c80-\U00010cb2"
     "\U00010cc0-\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943]+"},
    {split, "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+"},
    {split, "\\s+$"},
    {split, LOAM_CJK_WIDE},
    {digits},
    {bytes}};
constexpr PreStep kDeepSeekCoder[] = {
    {split, "[\r\n]"}, {split, "\\s?\\p{L}+"}, {split, "\\s?\\p{P}+"}, {split, LOAM_CJK_WIDE}, {digits}, {bytes}};
constexpr PreStep kDeepSeekV3[] = {{split, "\\p{N}{1,3}"},
                                   {split, LOAM_CJK},
                                   {split, LOAM_DEEPSEEK_WORD " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"},
                                   {bytes}};
constexpr PreStep kSpark25[] = {{split, "\\p{N}{1,3}"},
                                {split, LOAM_CJK},
                                {split, LOAM_DEEPSEEK_WORD " ?[\\p{P}\\p{S}]+|[\r\n]|\\s+(?!\\S)|\\s+"},
                                {split, "\\p{N}"},
                                {bytes}};
constexpr PreStep kYoutu[] = {
    {split,
     "[\uac00-\ud7a3\u3131-\u318e]+|[\uff01\u2026\u201c\u201d\u2018\u2019\u2014\uff1a\uff1b\uff0c\u3001-\u303f"
     "\ufe30-\ufe4f]+|[\u3105-\u312f]+|" LOAM_CJK},
    {split, LOAM_CASED(LOAM_CONTRACTIONS "?") "\\p{N}|" LOAM_CASED_SYMBOLS},
    {bytes}};
// Digits are looked for after the bytes became characters, so that parts of UTF-8 sequences count as digits too.
constexpr PreStep kFalcon[] = {{punctuation_runs}, {gpt2}, {digit_runs}, {split, "[0-9][0-9][0-9]"}};
constexpr PreStep kBloom[] = {{split, " ?[^(\\s|[.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c])]+"}, {bytes}};
constexpr PreStep kViking[] = {
    {split, " ?[^(\\s|[.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c])]+"}, {digits}, {bytes}};
constexpr PreStep kTekken[] = {{split, LOAM_CASED("") "\\p{N}|" LOAM_CASED_SYMBOLS}, {bytes}};
constexpr PreStep kGpt4o[] = {{split, LOAM_CASED(LOAM_CONTRACTIONS "?") "\\p{N}{1,3}|" LOAM_CASED_SYMBOLS}, {bytes}};
constexpr PreStep kTinyAya[] = {{split, "\\d{1,3}(?=(?:\\d{3})*\\b)"},
                                {split, LOAM_CASED(LOAM_CONTRACTIONS "?") "\\p{N}{1,3}|" LOAM_CASED_SYMBOLS},
                                {bytes}};
constexpr PreStep kChameleon[] = {{split, "<sentinel:[0-9]+>"},
                                  {split, "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z"},
                                  {split, "([\\t\\n]|    |  )"},
                                  {digits},
                                  {punctuation},
                                  {gpt2}};
constexpr PreStep kKimi[] = {{split, "[\\p{Han}]+|[^\\r\\n\\p{L}\\p{N}]?" LOAM_KIMI_UPPER "*" LOAM_KIMI_LOWER
                                     "+" LOAM_CONTRACTIONS "?|[^\\r\\n\\p{L}\\p{N}]?" LOAM_KIMI_UPPER
                                     "+" LOAM_KIMI_LOWER "*" LOAM_CONTRACTIONS "?|\\p{N}{1,3}|" LOAM_SYMBOLS},
                             {bytes}};
constexpr PreStep kSuperBpe[] = {{split, "\\p{N}+"}, {split, "(?=(\\d{3})+(?!\\d))"}, {bytes}};
constexpr PreStep kBailing[] = {
    {split,
     "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|"
     "\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"},
    {bytes}};
constexpr PreStep kSeedCoder[] = {
    {split, LOAM_CONTRACTIONS "|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+|"
                              "\\s+(?!\\S)|\\s+"},
    {bytes}};
constexpr PreStep kUfakzeka[] = {{split, LOAM_WORD "\\p{N}|" LOAM_SYMBOLS}, {bytes}};
constexpr PreStep kAfmoe[] = {
    {split, "\\p{N}{1,3}(?=(?:\\p{N}{3})*(?!\\p{N}))"},  // groups of three from the right
    {split,
     "[\u4e00-\u9fff\u3400-\u4dbf\u8c48-\ufaff\u3040-\u309f\u30a0-\u30ff\uff65-\uff9f\u2f00-\u2fdf\u0e40-\u0e7f"
     "\u0e80-\u0eff\u1780-\u17ff\u1000-\u109f\uaa60-\uaa7f\ua9e0-\ua9ff\uac00-\ud7af\u1100-\u11ff]+"},
    {split, LOAM_ASCII_PUNCTUATION
     "[A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|" LOAM_SPACES},
    {bytes}};
constexpr PreStep kLaguna[] = {
    {split, "[^\\n]+|[\\n]+"}, {split, LOAM_CONTRACTIONS "|" LOAM_WORD "\\p{N}|" LOAM_SYMBOLS}, {bytes}};
constexpr PreStep kExaoneMoe[] = {
    {split, LOAM_CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}| "
                              "?[^\\s\\p{L}\\p{N}]+[\\r\\n/]?|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"},
    {bytes}};
constexpr PreStep kWords[] = {{words}};

// names, steps, nfc, ignore_merges, add_bos, spaces
constexpr GgufPre kPres[] = {
    {"llama-bpe,llama3,llama-v3,falcon3,falcon-h1,pixtral,midm-2.0,lfm2,jina-v5-nano", kLlama3, false, true, true},
    {"dbrx,smaug-bpe", kLlama3},
    {"chatglm-bpe,glm4,glm5", kLlama3, false, true},
    {"minicpm5", kMiniCpm5, false, true},
    {"jais-2", kJais2},
    {"qwen2,deepseek-r1-qwen,kormo,f2llmv2,megrez,stablelm2,hunyuan", kQwen2, true},
    {"grok-2,solar-open", kQwen2},
    {"qwen35", kQwen35, true},
    {"laguna", kLaguna},
    {"ufakzeka", kUfakzeka},
    {"seed-coder", kSeedCoder},
    {"bailingmoe,bailingmoe2,llada-moe", kBailing},
    {"exaone-moe", kExaoneMoe},
    {"gpt-2,phi-2,jina-es,jina-de,jina-v1-en,jina-v2-es,jina-v2-de,jina-v2-code,roberta-bpe,gigachat,a.x-4.0,mellum,"
     "exaone4,jais,trillion,granite-docling",
     kGpt2},
    {"mpt,olmo,modern-bert", kGpt2, true},
    {"smollm,starcoder,refact,codeshell,exaone,minerva-7b,mellum2", kDigitsGpt2},
    {"command-r", kDigitsGpt2, true},
    {"deepseek-llm", kDeepSeekLlm},
    {"deepseek-coder", kDeepSeekCoder},
    {"deepseek-v3,hunyuan-dense,joyai-llm,hy_v4", kDeepSeekV3},
    {"spark2_5", kSpark25},
    {"youtu", kYoutu, false, true},
    {"afmoe", kAfmoe},
    {"falcon", kFalcon},
    {"bloom,poro-chat,gpt3-finnish", kBloom},
    {"viking", kViking},
    {"tekken", kTekken, false, true, true},
    {"gpt-4o,llama4,granite-embed-multi-97m", kGpt4o, false, true},
    {"kanana2,talkie,minimax-m2", kGpt4o},
    {"tiny_aya,cohere2moe", kTinyAya, true},
    {"kimi-k2", kKimi, false, true},
    {"superbpe", kSuperBpe},
    {"chameleon", kChameleon, false, false, true},
    {"gemma4,granite-embed-multi-311m", {}, false, false, true, GgufPre::as_metaspace},
    {"sarvam-moe", {}, false, false, false, GgufPre::as_metaspace},
    {"whitespace", kWords, false, false, false, GgufPre::dropped},
};

Json json_of(const PreStep& step) {
  const auto byte_level = [](bool regex) {
    return Json{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", regex}};
  };
  switch (step.kind) {
    case digits:
    case digit_runs: return {{"type", "Digits"}, {"individual_digits", step.kind == digits}};
    case punctuation: return {{"type", "Punctuation"}, {"behavior", "Isolated"}};
    case punctuation_runs: return {{"type", "Punctuation"}, {"behavior", "Contiguous"}};
    case gpt2: return byte_level(true);
    case bytes: return byte_level(false);
    case words: return {{"type", "WhitespaceSplit"}};
    case split: break;
  }
  return {{"type", "Split"}, {"pattern", {{"Regex", step.pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
}

// Calls each(name) for the names of a row until it returns true.
template <class Each>
bool any_name(std::string_view names, Each each) {
  for (size_t at = 0; at <= names.size();) {
    const size_t end = std::min(names.find(',', at), names.size());
    if (each(names.substr(at, end - at))) return true;
    at = end + 1;
  }
  return false;
}

}  // namespace

Json GgufPre::normalizer() const {
  if (spaces == as_metaspace)
    return {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", std::string(kMetaspace)}};
  return nfc ? Json{{"type", "NFC"}} : Json();
}

Json GgufPre::pre_tokenizer() const {
  if (steps.empty()) return {};
  if (steps.size() == 1) return json_of(steps[0]);
  Json list = Json::array();
  for (const PreStep& step : steps) list.push_back(json_of(step));
  return {{"type", "Sequence"}, {"pretokenizers", list}};
}

std::span<const GgufPre> all_gguf_pres() { return kPres; }

std::string gguf_pre_names() {
  std::string all;
  for (const GgufPre& row : kPres) {
    any_name(row.names, [&](std::string_view name) {
      all.append(all.empty() ? "" : ", ").append(name);
      return false;
    });
  }
  return all;
}

const GgufPre& find_gguf_pre(std::string_view name) {
  for (const GgufPre& row : kPres) {
    if (any_name(row.names, [&](std::string_view known) { return known == name; })) return row;
  }
  const std::string found =
      name.empty()
          ? "GGUF: the file does not say which pre-tokenizer its vocabulary needs (tokenizer.ggml.pre)"
          : "GGUF: the pre-tokenizer '" + std::string(name.substr(0, 100)) + "' is not known to this version of Loam";
  throw Error(Code::unsupported, found + "; --pre NAME chooses one of: " + gguf_pre_names());
}

}  // namespace loam
