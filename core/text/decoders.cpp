// Decoders: from the texts of tokens back to bytes.
#include <algorithm>

#include "core/error.h"
#include "core/text/json.h"
#include "core/text/steps.h"
#include "core/text/unicode.h"

namespace loam {
namespace {

// The tokens joined into one, which later steps see as a whole.
void fuse(Tokens& tokens) {
  if (tokens.size() < 2) return;
  size_t bytes = 0;
  for (const std::string& t : tokens) bytes += t.size();
  std::string all;
  all.reserve(bytes);
  for (const std::string& t : tokens) all += t;
  tokens.assign(1, std::move(all));
}

template <class Change>
DecodeStep on_each(Change change) {
  return [change](Tokens& tokens, bool) {
    for (std::string& t : tokens) change(t);
  };
}

void map_back(std::string& token) {
  std::string bytes;
  bytes.reserve(token.size());
  for (size_t at = 0; at < token.size();) {
    const Char c = decode_utf8(token, at);
    const int b = char_to_byte(c.code);
    if (b < 0) return;  // not of the byte alphabet: an added token, which stands for itself
    bytes += char(b);
    at += c.bytes;
  }
  token = std::move(bytes);
}

void add_byte_level(const Json&, TokenDecoder& d) {
  d.steps.push_back(on_each(map_back));
  d.steps.push_back([](Tokens& tokens, bool) { fuse(tokens); });
  d.fused = true;
}

// A run of byte tokens becomes one token. Where it is not UTF-8, its bytes stay: encoding loses nothing.
void join_bytes(Tokens& tokens, bool) {
  size_t kept = 0;
  bool in_run = false;
  for (std::string& t : tokens) {
    const int byte = byte_token_value(t);
    if (byte >= 0 && in_run) {
      tokens[kept - 1] += char(byte);
      continue;
    }
    in_run = byte >= 0;
    std::string text = in_run ? std::string(1, char(byte)) : std::move(t);
    tokens[kept++] = std::move(text);
  }
  tokens.resize(kept);
}

void add_byte_fallback(const Json&, TokenDecoder& d) { d.steps.push_back(join_bytes); }

void add_fuse(const Json&, TokenDecoder& d) {
  d.steps.push_back([](Tokens& tokens, bool) { fuse(tokens); });
  d.fused = true;
}

void add_metaspace(const Json& step, TokenDecoder& d) {
  const std::string mark = step.contains("replacement") ? string_field(step, "replacement") : std::string(kMetaspace);
  if (mark.empty()) fail(Code::bad_file, "tokenizer: Metaspace has no replacement");
  const bool prefix = string_field(step, "prepend_scheme") != "never" && bool_field(step, "add_prefix_space", true);
  d.steps.push_back([=](Tokens& tokens, bool begins) {
    for (size_t i = 0; i < tokens.size(); ++i) replace_all(tokens[i], mark, i == 0 && begins && prefix ? "" : " ");
  });
}

// SentencePiece takes one space from the front: of the first piece, or of each until one of them leaves something.
void add_sentencepiece(const Json& step, TokenDecoder& d) {
  const bool each = bool_field(step, "remove_extra_whitespaces", false);
  d.steps.push_back([each](Tokens& tokens, bool begins) {
    for (size_t i = 0; begins && i < tokens.size(); ++i) {
      if (tokens[i].starts_with(kMetaspace)) tokens[i].erase(0, kMetaspace.size());
      if (!each || !tokens[i].empty()) break;
    }
  });
}

void add_replace(const Json& step, TokenDecoder& d) { d.steps.push_back(on_each(make_replacer(step))); }

int64_t count_field(const Json& step, const char* name) {
  const int64_t count = step.value(name, int64_t(0));
  if (count < 0) fail(Code::bad_file, "tokenizer: '%s' of the decoder Strip is negative", name);
  return count;
}

void add_strip(const Json& step, TokenDecoder& d) {
  const std::string content = string_field(step, "content");
  const int64_t start = count_field(step, "start"), stop = count_field(step, "stop");
  if (content.empty()) fail(Code::bad_file, "tokenizer: the decoder Strip has no content");
  const bool whole = d.fused;  // then a piece from the middle has no ends to strip
  d.steps.push_back([=](Tokens& tokens, bool begins) {
    if (whole && !begins) return;
    for (std::string& t : tokens) {
      size_t begin = 0, end = t.size();
      for (int64_t i = 0; i < start && std::string_view(t).substr(begin).starts_with(content); ++i) {
        begin += content.size();
      }
      for (int64_t i = 0; i < stop && std::string_view(t).substr(begin, end - begin).ends_with(content); ++i) {
        end -= content.size();
      }
      t = t.substr(begin, end - begin);
    }
  });
}

// The English spacing that BERT's tokens lose, put back.
void clean_up(std::string& token) {
  constexpr const char* kRules[][2] = {{" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
                                       {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
                                       {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : kRules) replace_all(token, from, to);
}

void add_word_piece(const Json& step, TokenDecoder& d) {
  const std::string prefix = step.contains("prefix") ? string_field(step, "prefix") : "##";
  const bool cleanup = bool_field(step, "cleanup", true);
  d.steps.push_back([=](Tokens& tokens, bool begins) {
    for (size_t i = 0; i < tokens.size(); ++i) {
      std::string& t = tokens[i];
      if (i > 0 || !begins) {
        if (t.starts_with(prefix))
          t.erase(0, prefix.size());
        else
          t.insert(0, 1, ' ');
      }
      if (cleanup) clean_up(t);
    }
  });
}

void add_bpe_decoder(const Json& step, TokenDecoder& d) {
  const std::string suffix = step.contains("suffix") ? string_field(step, "suffix") : "</w>";
  if (suffix.empty()) fail(Code::bad_file, "tokenizer: BPEDecoder has no suffix");
  d.steps.push_back([=](Tokens& tokens, bool begins) {
    for (size_t i = 0; i < tokens.size(); ++i) {
      const bool last = begins && i + 1 == tokens.size();
      replace_all(tokens[i], suffix, last ? "" : " ");
    }
  });
}

void add_ctc(const Json& step, TokenDecoder& d) {
  const std::string pad = step.contains("pad_token") ? string_field(step, "pad_token") : "<pad>";
  const std::string delimiter =
      step.contains("word_delimiter_token") ? string_field(step, "word_delimiter_token") : "|";
  const bool cleanup = bool_field(step, "cleanup", true);
  if (pad.empty() || delimiter.empty()) fail(Code::bad_file, "tokenizer: CTC has an empty token");
  d.steps.push_back([=](Tokens& tokens, bool) {
    tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
    for (std::string& t : tokens) {
      replace_all(t, pad, "");
      if (!cleanup) continue;
      clean_up(t);
      replace_all(t, delimiter, " ");
    }
    std::erase(tokens, std::string());
  });
}

void add_any(const Json& step, TokenDecoder& d);

void add_sequence(const Json& step, TokenDecoder& d) {
  for (const Json& part : step.value("decoders", Json::array())) add_any(part, d);
}

struct Row {
  const char* type;
  void (*add)(const Json& step, TokenDecoder& d);
};
const Row kDecoders[] = {
    {"ByteLevel", add_byte_level},
    {"ByteFallback", add_byte_fallback},
    {"Fuse", add_fuse},
    {"Metaspace", add_metaspace},
    {"Replace", add_replace},
    {"SentencePiece", add_sentencepiece},
    {"Strip", add_strip},
    {"WordPiece", add_word_piece},
    {"BPEDecoder", add_bpe_decoder},
    {"CTC", add_ctc},
    {"Sequence", add_sequence},
};

void add_any(const Json& step, TokenDecoder& d) {
  const std::string type = step_type("decoder", step);
  for (const Row& row : kDecoders) {
    if (type == row.type) return row.add(step, d);
  }
  fail_unknown_step("decoder", type);
}

// Without a decoder the tokens stand apart.
void space_apart(Tokens& tokens, bool begins) {
  for (size_t i = begins ? 1 : 0; i < tokens.size(); ++i) tokens[i].insert(0, 1, ' ');
}

}  // namespace

std::string TokenDecoder::decode(Tokens tokens, bool begins) const {
  for (const DecodeStep& step : steps) step(tokens, begins);
  fuse(tokens);
  return tokens.empty() ? std::string() : std::move(tokens[0]);
}

TokenDecoder make_decoder(const Json& step) {
  TokenDecoder d;
  if (step.is_null())
    d.steps.push_back(space_apart);
  else
    add_any(step, d);
  return d;
}

}  // namespace loam
