// A TokenConstraint by a grammar: token masks, made by walking the vocabulary's tree of bytes through the grammar.
//
// What a token does while it stays inside a rule depends on the place in the rule alone. So one walk per place is kept:
// the tokens that fit, and the points of the tree where the rule is done. Per state only what follows those points is
// walked again (the idea of XGrammar's adaptive masks, Dong et al. 2024, on a set of stacks).
#pragma once
#include <memory>
#include <unordered_map>

#include "core/text/constraint.h"
#include "core/text/grammar/matcher.h"
#include "core/text/grammar/token_trie.h"

namespace loam {

// Forgets what was not used for long: two halves, of which the older one is dropped when the newer one is full.
template <class Value>
class AgingCache {
 public:
  explicit AgingCache(size_t most_bytes) : most_bytes_(most_bytes) {}
  const Value* find(uint64_t key) {
    if (const auto at = young_.find(key); at != young_.end()) return &at->second;
    const auto at = old_.find(key);
    if (at == old_.end()) return nullptr;
    Value value = std::move(at->second);
    old_.erase(at);
    return &add(key, std::move(value));
  }
  const Value& add(uint64_t key, Value value) {
    const size_t bytes = value.bytes();
    if (bytes_ + bytes > most_bytes_ / 2) {
      old_ = std::move(young_);
      young_.clear();
      bytes_ = 0;
    }
    bytes_ += bytes;
    return young_.insert_or_assign(key, std::move(value)).first->second;
  }
  void clear() {
    young_.clear();
    old_.clear();
    bytes_ = 0;
  }

 private:
  size_t most_bytes_, bytes_ = 0;
  std::unordered_map<uint64_t, Value> young_, old_;
};

class GrammarConstraint final : public TokenConstraint {
 public:
  GrammarConstraint(std::shared_ptr<const Automaton> automaton, std::shared_ptr<const TokenTrie> trie);

  // Errors: a step that would take too long (unsupported); no token of the vocabulary fits (bad_argument).
  std::span<const uint64_t> allowed() override;
  bool allows(int32_t token) override;
  void accept(int32_t token) override;
  // Back to the beginning, with everything remembered.
  void reset();
  bool ended() const { return ended_; }  // a token that ends the text was accepted

 private:
  using Mask = std::vector<uint64_t>;
  // What the tokens do from one place of a rule on.
  struct Walk {
    Mask mask;                    // where many fit
    std::vector<int32_t> tokens;  // where few do
    std::vector<uint32_t> exits;  // nodes of the tree where the rule may be done, and which have nodes below
    size_t bytes() const { return mask.capacity() * 8 + tokens.capacity() * 4 + exits.capacity() * 4 + 128; }
  };
  struct Kept {
    Mask mask;
    size_t bytes() const { return mask.capacity() * 8 + 64; }
  };

  void walk(uint32_t begin, uint32_t end, Matcher::State s, Walk& out);
  Walk walk_place(uint32_t node);
  void add_place(Matcher::Item item);
  void add_named(uint32_t node, Walk& out) const;
  void make_mask();
  Matcher::State next(int32_t token);

  std::shared_ptr<const Automaton> automaton_;
  std::shared_ptr<const TokenTrie> trie_;
  Matcher matcher_;
  Matcher::State state_;
  bool ended_ = false, mask_known_ = false;
  Mask mask_;
  AgingCache<Walk> places_;  // by kind of node
  AgingCache<Kept> masks_;   // by state
  std::vector<Matcher::State> path_;
  size_t compact_at_;
};

// Compiles llama.cpp's grammar notation, and the form of a JSON schema. Errors say where.
std::shared_ptr<const Automaton> compile_gbnf(std::string_view text, const Tokenizer* tokenizer);
std::shared_ptr<const Automaton> compile_json_schema(std::string_view schema);

}  // namespace loam
