// Unigram models (Kudo 2018, arXiv 1804.10959): the cut of a text whose tokens' log probabilities have the largest sum.
// "Unigram" as Hugging Face's tokenizers computes it, in double precision; "ScoredUnigram" as SentencePiece does, which
// rounds every partial sum to a float and gives user-defined tokens a score of their own.
#include <cfloat>
#include <cmath>
#include <memory>

#include "core/error.h"
#include "core/text/json.h"
#include "core/text/models.h"
#include "core/text/prefix_trie.h"
#include "core/text/unicode.h"

namespace loam {
namespace {

using Node = ModelScratch::Node;
constexpr double kUnkPenalty = 10;  // below the lowest score

struct Rules {
  static constexpr bool single = false;
  static double rounded(double score) { return score; }
};
struct SentencePieceRules {
  static constexpr bool single = true;
  static double rounded(double score) { return double(float(score)); }
};

struct Tables {
  Tables(const Json& step, const TokenizerSpec& s, const Vocabulary& v)
      : spec(s), vocabulary(v), bytes(bool_field(step, "byte_fallback", false), s, v) {
    if (s.scores.empty()) fail(Code::bad_file, "tokenizer: a Unigram model without scores");
    const Json* const id = step.find("unk_id");
    if (!id || id->is_null()) return;
    if (!id->is_number_integer() || id->get<int64_t>() < 0 || id->get<int64_t>() >= int64_t(s.size())) {
      fail(Code::bad_file, "tokenizer: the unk_id of a Unigram model is not in its vocabulary");
    }
    unk = id->get<int32_t>();
  }
  // Those tokens that have a score.
  template <class Has>
  void make_trie(Has has) {
    std::vector<PrefixTrie::Entry> entries;
    entries.reserve(spec.size());
    for (size_t place = 0; place < spec.size(); ++place) {
      const size_t id = spec.id_at(place);
      if (has(id)) entries.push_back({spec.token(id), int32_t(id)});
    }
    trie = PrefixTrie(std::move(entries));
  }

  const TokenizerSpec& spec;
  const Vocabulary& vocabulary;
  ByteTokens bytes;
  int32_t unk = -1;
  double unk_score = 0;
  PrefixTrie trie;
  std::vector<double> scores = std::vector<double>(spec.size());
};

// nodes[end] becomes the best way to come to `end`.
template <class R>
void find_best_cut(const Tables& t, std::string_view word, std::vector<Node>& nodes) {
  nodes.assign(word.size() + 1, Node{0, -1, -1});
  for (size_t at = 0; at < word.size();) {
    const double here = nodes[at].score;
    const size_t single = at + decode_utf8(word, at).bytes;
    const auto offer = [&](size_t end, double score, int32_t id) {
      Node& n = nodes[end];
      if (n.length < 0 || score > n.score) n = {score, id, int32_t(end - at)};
    };
    bool has_single = false;
    int32_t node = PrefixTrie::kRoot;
    for (size_t end = at; end < word.size();) {
      node = t.trie.child(node, uint8_t(word[end++]));
      if (node < 0) break;
      const int32_t id = t.trie.value(node);
      if (id < 0) continue;
      offer(end, R::rounded(t.scores[size_t(id)] + here), id);
      has_single |= end == single;
    }
    if (!has_single) offer(single, R::rounded(t.unk_score + here), -1);
    at = single;
  }
}

// The nodes on the best way, first to last, as (begin, end, id); neighbours without a token joined.
void collect(const Tables& t, const std::vector<Node>& nodes, std::vector<ModelScratch::Piece>& pieces) {
  pieces.clear();
  for (size_t end = nodes.size() - 1; end > 0;) {
    const Node& n = nodes[end];
    const size_t begin = end - size_t(n.length);
    const int32_t id = n.id == t.unk ? -1 : n.id;
    if (id < 0 && !pieces.empty() && pieces.back().id < 0)
      pieces.back().begin = begin;
    else
      pieces.push_back({begin, end, id});
    end = begin;
  }
  std::reverse(pieces.begin(), pieces.end());
}

template <class R>
void encode(const Tables& t, std::string_view word, ModelScratch& scratch, std::vector<int32_t>& out) {
  if (word.size() >= (size_t(1) << 31)) fail(Code::bad_argument, "tokenizer: a word of %zu bytes", word.size());
  find_best_cut<R>(t, word, scratch.nodes);
  collect(t, scratch.nodes, scratch.pieces);
  for (const ModelScratch::Piece& p : scratch.pieces) {
    const std::string_view text = word.substr(p.begin, p.end - p.begin);
    int32_t id = p.id;
    if (id < 0 && !R::single) id = find_own(t.spec, t.vocabulary, text);  // the text of the unknown token itself
    if (id < 0 && t.bytes.complete(text)) {
      for (const char c : text) out.push_back(t.bytes[c]);
      continue;
    }
    if (id < 0) id = t.unk;
    if (id < 0) fail_no_unk(text);
    out.push_back(id);
  }
}

template <class R>
TokenModel model_of(std::shared_ptr<const Tables> tables) {
  return with_cache([t = std::move(tables)](std::string_view word, ModelScratch& s, std::vector<int32_t>& out) {
    encode<R>(*t, word, s, out);
  });
}

}  // namespace

TokenModel make_unigram(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary) {
  auto t = std::make_shared<Tables>(step, spec, vocabulary);
  const auto has = [&](size_t id) { return !spec.has_flag(id, TokenFlags::outside) && !spec.token(id).empty(); };
  double least = INFINITY;
  for (size_t id = 0; id < spec.size(); ++id) {
    if (has(id)) least = std::min(least, t->scores[id] = spec.score(id));
  }
  t->unk_score = least - kUnkPenalty;
  t->make_trie(has);
  return model_of<Rules>(std::move(t));
}

TokenModel make_scored_unigram(const Json& step, const TokenizerSpec& spec, const Vocabulary& vocabulary) {
  auto t = std::make_shared<Tables>(step, spec, vocabulary);
  float least = FLT_MAX;
  for (size_t id = 0; id < spec.size(); ++id) {
    const bool normal = spec.kind(id) == TokenKind::normal;
    if (normal) least = std::min(least, spec.scores[id]);
    t->scores[id] = normal ? spec.scores[id] : double(float(spec.token(id).size()) * 0.1f - 0.1f);  // user-defined
  }
  t->unk_score = double(least - float(kUnkPenalty));
  t->make_trie(
      [&](size_t id) { return spec.kind(id) == TokenKind::normal || spec.kind(id) == TokenKind::user_defined; });
  return model_of<SentencePieceRules>(std::move(t));
}

}  // namespace loam
