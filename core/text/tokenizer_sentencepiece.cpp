// The fields of sentencepiece_model.proto that matter, and the pipeline they stand for.
#include "core/text/tokenizer_sentencepiece.h"

#include <cmath>

#include "core/text/base64.h"
#include "core/text/gguf_vocabulary.h"
#include "core/text/json.h"
#include "core/text/protobuf.h"
#include "core/text/tokenizer_config.h"

namespace loam {
namespace {

enum ModelType { unigram = 1, bpe = 2 };

struct Proto {
  struct Piece {
    std::string_view text;
    float score = 0;
    int32_t type = 1;
  };
  std::vector<Piece> pieces;
  int32_t model_type = unigram, unk_id = 0, bos_id = 1, eos_id = 2, pad_id = -1;
  bool byte_fallback = false, space_as_suffix = false;
  std::string_view charsmap;
  bool dummy_prefix = true, remove_extra_spaces = true, escape_spaces = true, denormalizes = false;
};

Proto::Piece read_piece(std::string_view bytes) {
  Proto::Piece piece;
  for (ProtobufReader r(bytes); r.next();) {
    if (r.field() == 1) piece.text = r.text();
    if (r.field() == 2) piece.score = r.real();
    if (r.field() == 3) piece.type = r.int32();
  }
  return piece;
}

void read_trainer(std::string_view bytes, Proto& p) {
  for (ProtobufReader r(bytes); r.next();) {
    switch (r.field()) {
      case 3: p.model_type = r.int32(); break;
      case 24: p.space_as_suffix = r.boolean(); break;
      case 35: p.byte_fallback = r.boolean(); break;
      case 40: p.unk_id = r.int32(); break;
      case 41: p.bos_id = r.int32(); break;
      case 42: p.eos_id = r.int32(); break;
      case 43: p.pad_id = r.int32(); break;
      default: break;
    }
  }
}

void read_normalizer(std::string_view bytes, Proto& p) {
  for (ProtobufReader r(bytes); r.next();) {
    switch (r.field()) {
      case 2: p.charsmap = r.text(); break;
      case 3: p.dummy_prefix = r.boolean(); break;
      case 4: p.remove_extra_spaces = r.boolean(); break;
      case 5: p.escape_spaces = r.boolean(); break;
      default: break;
    }
  }
}

Proto read_proto(std::string_view bytes) {
  Proto p;
  for (ProtobufReader r(bytes); r.next();) {
    switch (r.field()) {
      case 1: p.pieces.push_back(read_piece(r.text())); break;
      case 2: read_trainer(r.text(), p); break;
      case 3: read_normalizer(r.text(), p); break;
      case 5:
        for (ProtobufReader d(r.text()); d.next();) p.denormalizes |= d.field() == 2 && !d.text().empty();
        break;
      default: break;
    }
  }
  return p;
}

void check(const Proto& p) {
  if (p.pieces.empty()) fail(Code::bad_file, "tokenizer.model: it has no pieces");
  if (p.model_type != unigram && p.model_type != bpe) {
    fail(Code::unsupported, "tokenizer.model: the model type %d is not known (Unigram and BPE are)", p.model_type);
  }
  if (p.space_as_suffix) fail(Code::unsupported, "tokenizer.model: treat_whitespace_as_suffix is not supported");
  if (p.denormalizes) fail(Code::unsupported, "tokenizer.model: a denormalizer is not supported");
}

// Types of pieces: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte.
void add_pieces(const Proto& p, TokenizerSpecBuilder& builder, TokenizerSpec& head) {
  constexpr TokenKind kKinds[] = {TokenKind::normal,       TokenKind::unknown, TokenKind::control,
                                  TokenKind::user_defined, TokenKind::unused,  TokenKind::byte};
  for (size_t i = 0; i < p.pieces.size(); ++i) {
    const Proto::Piece& piece = p.pieces[i];
    if (piece.type < 1 || piece.type > 6 || piece.text.empty() || std::isnan(piece.score)) {
      fail(Code::bad_file, "tokenizer.model: piece %zu is empty, has no score or the unknown type %d", i, piece.type);
    }
    const TokenKind kind = kKinds[piece.type - 1];
    if (kind == TokenKind::unused && p.model_type == bpe) {
      fail(Code::unsupported, "tokenizer.model: BPE with unused pieces is not supported");
    }
    // The unknown token is no marker: its text in a prompt is text.
    const uint8_t flags = kind == TokenKind::control   ? TokenFlags::added | TokenFlags::special
                          : kind == TokenKind::unknown ? TokenFlags::special
                                                       : 0;
    builder.add(piece.text, kind, flags);
    builder.add_score(double(piece.score));
    if (kind == TokenKind::unknown) {
      if (head.unk >= 0)
        fail(Code::bad_file, "tokenizer.model: pieces %d and %zu are both for unknown text", head.unk, i);
      head.unk = int32_t(i);
    }
  }
  if (head.unk < 0) fail(Code::bad_file, "tokenizer.model: no piece is for unknown text");
  const auto control = [&](int32_t id) {
    return id >= 0 && size_t(id) < p.pieces.size() && p.pieces[size_t(id)].type == 3 ? id : -1;
  };
  head.bos = control(p.bos_id), head.eos = control(p.eos_id), head.pad = control(p.pad_id);
}

// What classes of transformers put around a text where their files do not say it.
struct ClassRow {
  const char* name;
  bool add_bos, add_eos;
};
constexpr ClassRow kClasses[] = {
    {"LlamaTokenizer", true, false},    {"CodeLlamaTokenizer", true, false}, {"GemmaTokenizer", true, false},
    {"BaichuanTokenizer", true, false}, {"InternLMTokenizer", true, false},  {"InternLM2Tokenizer", true, false},
    {"YiTokenizer", false, false},      {"T5Tokenizer", false, true},        {"", true, false},
};
// These give the pieces other ids than the file does.
constexpr const char* kRenumbering[] = {"XLMRobertaTokenizer", "CamembertTokenizer", "MBartTokenizer",
                                        "MBart50Tokenizer",    "BarthezTokenizer",   "PegasusTokenizer",
                                        "NllbTokenizer",       "XGLMTokenizer",      "BigBirdPegasusTokenizer"};

void choose_special(const TokenizerConfig& config, TokenizerSpec& head) {
  const std::string name = config.class_name();
  for (const char* renumbering : kRenumbering) {
    if (name == renumbering) {
      fail(Code::unsupported, "tokenizer.model: %s gives its pieces other ids; make tokenizer.json from it",
           renumbering);
    }
  }
  ClassRow row{"", false, false};
  for (const ClassRow& r : kClasses) {
    if (name == r.name) row = r;
  }
  head.add_bos = config.flag("add_bos_token").value_or(row.add_bos) && head.bos >= 0;
  head.add_eos = config.flag("add_eos_token").value_or(row.add_eos) && head.eos >= 0;
}

Json normalizer_of(const Proto& p, bool legacy) {
  Json fixed = Json::array();
  for (const Proto::Piece& piece : p.pieces) {
    if (piece.type == 4) fixed.push_back(std::string(piece.text));
  }
  return {{"type", "SentencePiece"},
          {"precompiled_charsmap", p.charsmap.empty() ? Json() : Json(encode_base64(p.charsmap))},
          {"prepend_scheme", !p.dummy_prefix ? "never"
                             : legacy        ? "always"
                                             : "first"},
          {"remove_extra_whitespaces", p.remove_extra_spaces},
          {"escape_whitespaces", p.escape_spaces},
          {"keep_invalid", p.byte_fallback},
          {"user_defined", fixed}};
}

Json decoder_of(const Proto& p) {
  Json steps = Json::array();
  if (p.dummy_prefix || p.remove_extra_spaces)
    steps.push_back({{"type", "SentencePiece"}, {"remove_extra_whitespaces", p.remove_extra_spaces}});
  steps.push_back(json_replace(kMetaspace, " "));
  for (const char* type : {"ByteFallback", "Fuse"}) steps.push_back({{"type", type}});
  return {{"type", "Sequence"}, {"decoders", std::move(steps)}};
}

LoadedTokenizer load(std::string_view model, const TokenizerConfig& config) {
  const Proto p = read_proto(model);
  check(p);
  TokenizerSpecBuilder builder;
  TokenizerSpec head;
  add_pieces(p, builder, head);
  add_tokens(config.added_tokens(), true, builder);
  const TokenizerSpec plain = builder.finish({});
  const Vocabulary vocabulary(plain);
  // Special ids may be among the added tokens; the unknown token is the file's.
  TokenizerSpec named = plain;
  named.bos = head.bos, named.eos = head.eos, named.pad = head.pad;
  config.read_special(vocabulary, named);
  head.bos = named.bos, head.eos = named.eos, head.pad = named.pad, head.ends = named.ends;
  choose_special(config, head);
  head.add_space_prefix = p.dummy_prefix;
  Json pipeline_model = {{"byte_fallback", p.byte_fallback}};
  if (p.model_type == bpe)
    pipeline_model.update(
        {{"type", "ScoredBPE"}, {"fuse_unk", true}, {"unk_token", std::string(p.pieces[size_t(head.unk)].text)}});
  else
    pipeline_model.update({{"type", "ScoredUnigram"}, {"unk_id", head.unk}});
  LoadedTokenizer out;
  const bool legacy = config.flag("legacy").value_or(true);
  out.spec = finish_gguf(builder, std::move(head), {normalizer_of(p, legacy), Json(), pipeline_model, decoder_of(p)});
  out.chat_template = config.chat_template();
  return out;
}

}  // namespace

LoadedTokenizer tokenizer_from_sentencepiece(std::string_view model, std::string_view config,
                                             std::string_view generation_config) {
  return with_json_errors("tokenizer.model", [&] { return load(model, TokenizerConfig(config, generation_config)); });
}

}  // namespace loam
