// Command line -> options of the sampler.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>

#include "core/error.h"
#include "core/text/samplers/dry_breakers.h"
#include "core/text/samplers/step.h"
#include "tools/run/engine.h"

namespace loam {
namespace {

// "ID+X", "ID-X" or "ID-inf".
LogitBias parse_bias(const std::string& text, size_t vocab) {
  LogitBias row{};
  const char* const end = text.data() + text.size();
  const auto id = std::from_chars(text.data(), end, row.token);
  const bool sign = id.ptr != end && (*id.ptr == '+' || *id.ptr == '-');
  const char* const digits = id.ptr + (sign && *id.ptr == '+');
  const auto value = sign ? std::from_chars(digits, end, row.bias) : std::from_chars_result{};
  const bool parsed = id.ec == std::errc{} && sign && value.ec == std::errc{} && value.ptr == end;
  if (!parsed || !(row.bias < std::numeric_limits<float>::infinity()))
    throw UsageError(
        "flag '--logit-bias' expects a token's number, a sign and a number, like 15043+1 or 15043-inf; not '" + text +
        "'");
  if (row.token < 0 || size_t(row.token) >= vocab)
    throw UsageError("flag '--logit-bias': there is no token " + std::to_string(row.token) +
                     "; the model has tokens 0 to " + std::to_string(vocab - 1));
  return row;
}

std::vector<std::vector<int32_t>> parse_breakers(const Arguments& args, const Tokenizer& tokenizer) {
  if (!args.has("--dry-sequence-breaker")) return dry_breakers(tokenizer, default_dry_breakers());
  std::vector<std::string> texts;
  for (const std::string& text : text_options(args, "--dry-sequence-breaker")) {
    if (text == "none")
      texts.clear();
    else
      texts.push_back(text);
  }
  return dry_breakers(tokenizer, texts);
}

// The field of the options that a number on the command line is.
struct NumberRow {
  const char* flag;
  float SamplerOptions::*field;
};
constexpr NumberRow kNumbers[] = {
    {"--temp", &SamplerOptions::temperature},
    {"--dynatemp-range", &SamplerOptions::dynatemp_range},
    {"--dynatemp-exp", &SamplerOptions::dynatemp_exponent},
    {"--top-p", &SamplerOptions::top_p},
    {"--min-p", &SamplerOptions::min_p},
    {"--typical", &SamplerOptions::typical_p},
    {"--top-nsigma", &SamplerOptions::top_n_sigma},
    {"--xtc-probability", &SamplerOptions::xtc_probability},
    {"--xtc-threshold", &SamplerOptions::xtc_threshold},
    {"--mirostat-ent", &SamplerOptions::mirostat_tau},
    {"--mirostat-lr", &SamplerOptions::mirostat_eta},
    {"--adaptive-target", &SamplerOptions::adaptive_target},
    {"--adaptive-decay", &SamplerOptions::adaptive_decay},
    {"--repeat-penalty", &SamplerOptions::repeat_penalty},
    {"--frequency-penalty", &SamplerOptions::frequency_penalty},
    {"--presence-penalty", &SamplerOptions::presence_penalty},
    {"--dry-multiplier", &SamplerOptions::dry_multiplier},
    {"--dry-base", &SamplerOptions::dry_base},
};

struct IntegerRow {
  const char* flag;
  int SamplerOptions::*field;
};
constexpr IntegerRow kIntegers[] = {
    {"--top-k", &SamplerOptions::top_k},
    {"--mirostat", &SamplerOptions::mirostat},
    {"--repeat-last-n", &SamplerOptions::repeat_last_n},
    {"--dry-allowed-length", &SamplerOptions::dry_allowed_length},
    {"--dry-penalty-last-n", &SamplerOptions::dry_penalty_last_n},
};

SamplerOptions without_tokens(const Arguments& args) {
  SamplerOptions o;
  for (const NumberRow& row : kNumbers) o.*row.field = float(args.number(row.flag));
  for (const IntegerRow& row : kIntegers) o.*row.field = int(args.integer(row.flag));
  o.samplers = args.text("--samplers");
  return o;
}

// The first of the names that no sampler has, with the one that was meant.
std::string suggestion(std::string_view names) {
  std::vector<std::string_view> known;
  for (const StepRow& row : sampler_steps()) known.push_back(row.name);
  while (!names.empty()) {
    const size_t end = std::min(names.find(';'), names.size());
    const std::string_view near = nearest(names.substr(0, end), known);
    if (!near.empty() && near != names.substr(0, end)) return "; did you mean '" + std::string(near) + "'?";
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return "";
}

}  // namespace

void check_sampling(const Arguments& args) {
  try {
    Sampler sampler(without_tokens(args));
  } catch (const Error& e) {
    throw UsageError(e.what() + suggestion(args.text("--samplers")));
  }
  for (const std::string& text : args.list("--logit-bias")) parse_bias(text, std::numeric_limits<int32_t>::max());
  for (const std::string& text : args.list("--stop")) {
    if (text.empty()) throw UsageError("flag '--stop' expects a text that is not empty");
  }
}

SamplerOptions sampler_options(const Arguments& args, const Tokenizer& tokenizer) {
  SamplerOptions o = without_tokens(args);
  for (const std::string& text : args.list("--logit-bias")) o.logit_bias.push_back(parse_bias(text, tokenizer.size()));
  if (args.flag("--ignore-eos")) {
    for (const int32_t end : tokenizer.spec().ends)
      o.logit_bias.push_back({end, -std::numeric_limits<float>::infinity()});
  }
  if (o.dry_multiplier > 0) o.dry_breakers = parse_breakers(args, tokenizer);
  const int64_t seed = args.integer("--seed");
  o.seed = seed >= 0 ? uint64_t(seed) : uint64_t(std::random_device{}()) << 32 | std::random_device{}();
  return o;
}

bool asks_for_chance(const Arguments& args) {
  for (const char* flag : {"--temp", "--dynatemp-range", "--mirostat", "--samplers", "--xtc-probability", "--seed"}) {
    if (args.has(flag)) return true;
  }
  return false;
}

std::string text_option(const Arguments& args, std::string_view name) {
  return args.flag("--escape") ? unescape(args.text(name)) : args.text(name);
}

std::vector<std::string> text_options(const Arguments& args, std::string_view name) {
  std::vector<std::string> all = args.list(name);
  if (args.flag("--escape")) {
    for (std::string& text : all) text = unescape(text);
  }
  return all;
}

}  // namespace loam
