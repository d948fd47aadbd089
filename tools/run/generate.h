// Feeding tokens to a sequence and drawing new ones, with a way to stop in between.
#pragma once
#include <chrono>
#include <functional>
#include <string_view>
#include <vector>

#include "core/session.h"
#include "core/text/sampler.h"
#include "core/text/tokenizer.h"

namespace loam {

class StopMatcher;
class TokenConstraint;

enum class StopReason : uint8_t { end, stop_text, limit, time_limit, interrupted, context_full };

struct Timing {
  uint64_t tokens = 0;
  double seconds = 0;
  double rate() const { return seconds > 0 ? double(tokens) / seconds : 0; }
};

struct GenerateOptions {
  int64_t limit = -1;                     // tokens at most; -1: none
  double seconds = 0;                     // time limit; 0: none
  StopMatcher* stop = nullptr;            // texts that end the answer; is reset first
  TokenConstraint* constraint = nullptr;  // is asked before and told after each token, the end token included
};

// One sequence of a session and the tokens that it holds.
class Stream {
 public:
  using Cancelled = std::function<bool()>;
  using OnProgress = std::function<void(uint64_t done, uint64_t total)>;
  using OnText = std::function<void(std::string_view)>;

  Stream(Session& session, const Tokenizer& tokenizer)
      : session_(session), tokenizer_(tokenizer), sequence_(session.create_sequence()) {}

  const std::vector<int32_t>& tokens() const { return tokens_; }
  // Makes the sequence hold exactly these tokens; computes only what differs from the ones it holds. Returns false
  // where `cancelled` said so (the sequence then holds a prefix). Error{context_full} where they do not fit.
  bool feed(const std::vector<int32_t>& tokens, const Cancelled& cancelled, const OnProgress& progress = {});
  // Draws tokens and gives their text in whole UTF-8 sequences until the model ends, a stop text comes (it is not
  // given, but its tokens are held), a limit of `options` is reached, or `cancelled`. Tokens must have been fed before.
  StopReason generate(Sampler& sampler, const GenerateOptions& options, const Cancelled& cancelled,
                      const OnText& on_text);
  // Room for this many more positions.
  int64_t room() const;

  const Timing& prefill() const { return prefill_; }  // of the last feed
  const Timing& decode() const { return decode_; }    // of the last generate

 private:
  Session& session_;
  const Tokenizer& tokenizer_;
  int sequence_;
  std::vector<int32_t> tokens_;  // what the sequence holds, and maybe one more: the last that a limit allowed
  std::vector<BatchRow> rows_;
  Timing prefill_, decode_;
};

}  // namespace loam
