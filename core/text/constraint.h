// What may come next in a constrained run (a grammar, a JSON schema). A constraint belongs to one sequence; it is told
// of every token that becomes part of the text.
#pragma once
#include <cstdint>
#include <span>

namespace loam {

class TokenConstraint {
 public:
  virtual ~TokenConstraint() = default;
  // Bit i % 64 of word i / 64: token i may come next; (vocab + 63) / 64 words. A token that ends an answer is allowed
  // where the text may end. Borrowed until the next call of accept().
  virtual std::span<const uint64_t> allowed() = 0;
  // The same for one token, without making the whole mask.
  virtual bool allows(int32_t token) = 0;
  // Error where the token is not allowed.
  virtual void accept(int32_t token) = 0;
};

}  // namespace loam
