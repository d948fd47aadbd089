#include "core/text/grammar/grammar_constraint.h"

#include "core/error.h"
#include "core/text/grammar/json_schema.h"
#include "core/text/tokenizer.h"

namespace loam {
namespace {

constexpr size_t kPlacesBytes = 64 << 20, kMasksBytes = 16 << 20, kMatcherBytes = 32 << 20;
constexpr size_t kFewTokens = 512;
constexpr size_t kManyItems = 64;  // more of them are walked together

void set_bit(std::vector<uint64_t>& mask, int32_t token) { mask[size_t(token) / 64] |= uint64_t(1) << (token % 64); }

class Names final : public TokenNames {
 public:
  explicit Names(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  int32_t find(std::string_view text) const override { return tokenizer_.find(text); }
  int32_t size() const override { return int32_t(tokenizer_.size()); }

 private:
  const Tokenizer& tokenizer_;
};

}  // namespace

GrammarConstraint::GrammarConstraint(std::shared_ptr<const Automaton> automaton, std::shared_ptr<const TokenTrie> trie)
    : automaton_(std::move(automaton)),
      trie_(std::move(trie)),
      matcher_(automaton_),
      state_(matcher_.start()),
      mask_((trie_->vocab() + 63) / 64),
      places_(kPlacesBytes),
      masks_(kMasksBytes),
      path_(Automaton::kLongestToken + 1),
      compact_at_(kMatcherBytes) {}

void GrammarConstraint::reset() {
  matcher_.start_work();
  state_ = matcher_.start();
  ended_ = mask_known_ = false;
}

// The nodes [begin, end) of the tree, all below one that is in state `s`.
void GrammarConstraint::walk(uint32_t begin, uint32_t end, Matcher::State s, Walk& out) {
  if (begin == end) return;
  const std::vector<TokenTrie::Node>& nodes = trie_->nodes();
  path_[nodes[begin].depth - 1u] = s;
  for (uint32_t i = begin; i < end;) {
    const TokenTrie::Node& node = nodes[i];
    const Matcher::State at = matcher_.step(path_[node.depth - 1u], node.byte);
    if (at == Matcher::kDead) {
      i = node.end;
      continue;
    }
    path_[node.depth] = at;
    for (const int32_t token : trie_->tokens(i)) out.tokens.push_back(token);
    if (matcher_.may_end(at) && node.end > i + 1) out.exits.push_back(i);
    i = matcher_.may_go_on(at) ? i + 1 : node.end;
  }
  matcher_.charge((end - begin) / 16);
}

void GrammarConstraint::add_named(uint32_t node, Walk& out) const {
  const Automaton& a = *automaton_;
  for (uint32_t e = a.nodes[node].tokens; e < a.nodes[node + 1].tokens; ++e) {
    const auto [wanted, negated, target] = a.token_edges[e];
    if (!negated && trie_->nameable(wanted)) out.tokens.push_back(wanted);
    for (size_t t = 0; negated && t < trie_->vocab(); ++t)
      if (int32_t(t) != wanted && trie_->nameable(int32_t(t))) out.tokens.push_back(int32_t(t));
  }
}

GrammarConstraint::Walk GrammarConstraint::walk_place(uint32_t node) {
  Walk out;
  walk(1, trie_->nodes()[0].end, matcher_.alone(node), out);
  add_named(node, out);
  if (out.tokens.size() > kFewTokens) {
    out.mask.resize(mask_.size());
    for (const int32_t token : out.tokens) set_bit(out.mask, token);
    out.tokens = {};
  }
  out.tokens.shrink_to_fit();
  out.exits.shrink_to_fit();
  return out;
}

void GrammarConstraint::add_place(Matcher::Item item) {
  const uint64_t kind = automaton_->nodes[item.node].kind;
  const Walk* place = places_.find(kind);
  if (!place) place = &places_.add(kind, walk_place(item.node));
  for (size_t i = 0; i < place->mask.size(); ++i) mask_[i] |= place->mask[i];
  for (const int32_t token : place->tokens) set_bit(mask_, token);
  if (item.frame == Matcher::kOutside || place->exits.empty()) return;
  const Matcher::State after = matcher_.after(item.frame);
  Walk rest;
  for (const uint32_t exit : place->exits) {
    rest.exits.clear();
    walk(exit + 1, trie_->nodes()[exit].end, after, rest);
  }
  for (const int32_t token : rest.tokens) set_bit(mask_, token);
}

void GrammarConstraint::make_mask() {
  std::fill(mask_.begin(), mask_.end(), 0);
  const size_t count = matcher_.count(state_);
  if (count <= kManyItems) {
    for (size_t i = 0; i < count; ++i) add_place(matcher_.item(state_, i));
  } else {
    Walk all;
    walk(1, trie_->nodes()[0].end, state_, all);
    for (size_t i = 0; i < count; ++i) {
      add_named(matcher_.item(state_, i).node, all);
      matcher_.charge(all.tokens.size() / 16 + 1);
    }
    for (const int32_t token : all.tokens) set_bit(mask_, token);
  }
  for (const int32_t token : trie_->long_tokens())
    if (matcher_.step(state_, trie_->bytes(token)) != Matcher::kDead) set_bit(mask_, token);
  if (matcher_.may_end(state_))
    for (const int32_t token : trie_->ends()) set_bit(mask_, token);
}

std::span<const uint64_t> GrammarConstraint::allowed() {
  if (mask_known_) return mask_;
  matcher_.start_work();
  if (ended_) {
    std::fill(mask_.begin(), mask_.end(), 0);
  } else if (const Kept* kept = masks_.find(state_)) {
    mask_ = kept->mask;
  } else {
    make_mask();
    if (std::all_of(mask_.begin(), mask_.end(), [](uint64_t word) { return word == 0; }))
      fail(Code::bad_argument, matcher_.may_end(state_)
                                   ? "the grammar ends here, and the vocabulary has no token that ends a text"
                                   : "no token of the vocabulary continues the text as the grammar wants it");
    masks_.add(state_, {mask_});
  }
  mask_known_ = true;
  return mask_;
}

// The state after a token that does not end the text; kDead where it is not allowed.
Matcher::State GrammarConstraint::next(int32_t token) {
  if (token < 0 || size_t(token) >= trie_->vocab() || trie_->is_end(token)) return Matcher::kDead;
  const std::string_view bytes = trie_->bytes(token);
  Matcher::State s = bytes.empty() ? Matcher::kDead : matcher_.step(state_, bytes);
  if (!automaton_->token_edges.empty() && trie_->nameable(token))
    s = matcher_.unite(s, matcher_.step_token(state_, token));
  return s;
}

bool GrammarConstraint::allows(int32_t token) {
  matcher_.start_work();
  if (ended_) return false;
  if (token >= 0 && size_t(token) < trie_->vocab() && trie_->is_end(token)) return matcher_.may_end(state_);
  return next(token) != Matcher::kDead;
}

void GrammarConstraint::accept(int32_t token) {
  if (!allows(token)) fail(Code::bad_argument, "token %d is not allowed here by the grammar", token);
  mask_known_ = false;
  if (trie_->is_end(token)) {
    ended_ = true;
    return;
  }
  state_ = next(token);
  if (matcher_.bytes() < compact_at_) return;
  state_ = matcher_.compact(state_);
  masks_.clear();  // by the old names of states
  compact_at_ = std::max(kMatcherBytes, 2 * matcher_.bytes());
}

std::shared_ptr<const Automaton> compile_gbnf(std::string_view text, const Tokenizer* tokenizer) {
  if (!tokenizer) return std::make_shared<Automaton>(compile_grammar(parse_gbnf(text)));
  const Names names(*tokenizer);
  return std::make_shared<Automaton>(compile_grammar(parse_gbnf(text, &names)));
}

std::shared_ptr<const Automaton> compile_json_schema(std::string_view schema) {
  return std::make_shared<Automaton>(compile_grammar(grammar_from_json_schema(schema)));
}

}  // namespace loam
