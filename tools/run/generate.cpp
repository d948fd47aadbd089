#include "tools/run/generate.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/text/constraint.h"
#include "core/text/stop.h"
#include "core/text/utf8_stream.h"

namespace loam {
namespace {

class Clock {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

int64_t Stream::room() const {
  const int64_t held = session_.length(sequence_), in_page = (kPageTokens - held % kPageTokens) % kPageTokens;
  return session_.free_positions() + in_page;
}

bool Stream::feed(const std::vector<int32_t>& tokens, const Cancelled& cancelled, const OnProgress& progress) {
  size_t same =
      size_t(std::mismatch(tokens.begin(), tokens.end(), tokens_.begin(), tokens_.end()).first - tokens.begin());
  same = std::min(same, size_t(session_.length(sequence_)));  // an answer's last token may not be computed yet
  if (same == tokens.size() && same > 0) --same;              // the last one is computed again, for its logits
  session_.truncate(sequence_, int64_t(same));
  tokens_.resize(same);
  if (int64_t(tokens.size() - same) > room())
    fail(Code::context_full, "the text has %zu tokens, %lld fit into the context", tokens.size(),
         (long long)(room() + int64_t(same)));
  const Clock clock;
  const size_t first = same;
  while (same < tokens.size()) {
    const size_t count = std::min(tokens.size() - same, size_t(kMaxRows));
    rows_.clear();
    for (size_t i = same; i < same + count; ++i) rows_.push_back({tokens[i], sequence_, i + 1 == tokens.size()});
    session_.decode(rows_);
    same += count;
    tokens_.assign(tokens.begin(), tokens.begin() + std::ptrdiff_t(same));
    if (progress) progress(same - first, tokens.size() - first);
    if (cancelled() && same < tokens.size()) return false;
  }
  prefill_ = {tokens.size() - first, clock.seconds()};
  return true;
}

StopReason Stream::generate(Sampler& sampler, const GenerateOptions& options, const Cancelled& cancelled,
                            const OnText& on_text) {
  Utf8Stream text;
  StopMatcher none;
  StopMatcher& stop = options.stop ? *options.stop : none;
  stop.reset();
  const Clock clock;
  uint64_t drawn = 0;
  const auto step = [&]() -> std::optional<StopReason> {
    if (options.limit >= 0 && int64_t(drawn) >= options.limit) return StopReason::limit;
    if (options.seconds > 0 && clock.seconds() >= options.seconds) return StopReason::time_limit;
    if (cancelled()) return StopReason::interrupted;
    const int32_t token = sampler.pick(session_.logits(session_.output_count() - 1), tokens_, options.constraint);
    if (options.constraint) options.constraint->accept(token);
    if (tokenizer_.is_end(token)) return StopReason::end;
    if (room() < 1) return StopReason::context_full;
    const std::string shown = text.push(stop.push(tokenizer_.piece(token)));
    if (!shown.empty()) on_text(shown);
    ++drawn;
    if (stop.stopped()) return StopReason::stop_text;
    tokens_.push_back(token);
    if (int64_t(drawn) == options.limit) return StopReason::limit;  // nobody may ever ask for what follows it
    session_.decode(std::array{BatchRow{token, sequence_, true, nullptr}});
    return std::nullopt;
  };
  std::optional<StopReason> reason;
  while (!reason) reason = step();
  const std::string rest = text.push(stop.finish()) + text.finish();
  if (!rest.empty()) on_text(rest);
  decode_ = {drawn, clock.seconds()};
  return *reason;
}

}  // namespace loam
