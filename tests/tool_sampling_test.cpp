// Sampling on the command line: what becomes of the options, and what is refused before a model is opened.
#include <doctest/doctest.h>

#include <cmath>

#include "core/text/tokenizer_json.h"
#include "tests/golden_models.h"
#include "tools/cli/commands.h"
#include "tools/run/engine.h"

using namespace loam;

namespace {

const Tokenizer& tiny() {
  static const Tokenizer tokenizer(
      tokenizer_from_json(golden::read_text(golden::data_dir() / "tiny_vocab" / "tokenizer.json"), {}, {}).spec);
  return tokenizer;
}

Arguments parse(const std::vector<std::string>& words) {
  for (const Command& c : all_commands()) {
    if (c.name == "complete") return parse_arguments(words, c.options, 0, 1);
  }
  throw UsageError("no such command");
}

SamplerOptions options(const std::vector<std::string>& words) { return sampler_options(parse(words), tiny()); }

std::string complaint(const std::vector<std::string>& words) {
  try {
    const Arguments args = parse(words);
    check_sampling(args);
    sampler_options(args, tiny());
  } catch (const UsageError& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("sampling: without options it is the default chain, with a seed of its own each time") {
  const SamplerOptions o = options({});
  CHECK(o.temperature == 0.7f);
  CHECK(o.top_k == 40);
  CHECK(o.samplers.empty());
  CHECK(o.logit_bias.empty());
  CHECK(o.dry_breakers.empty());
  CHECK(o.seed != options({}).seed);
  CHECK(options({"--seed", "7"}).seed == 7);
  CHECK_FALSE(asks_for_chance(parse({"--top-k", "3"})));
  CHECK(asks_for_chance(parse({"--mirostat", "2"})));
}

TEST_CASE("sampling: each flag is its option") {
  const SamplerOptions o = options({"--typical",
                                    "0.5",
                                    "--top-nsigma",
                                    "1.5",
                                    "--xtc-probability",
                                    "0.25",
                                    "--xtc-threshold",
                                    "0.2",
                                    "--mirostat",
                                    "1",
                                    "--mirostat-ent",
                                    "4",
                                    "--mirostat-lr",
                                    "0.5",
                                    "--dynatemp-range",
                                    "0.75",
                                    "--dynatemp-exp",
                                    "2",
                                    "--frequency-penalty",
                                    "-0.5",
                                    "--presence-penalty",
                                    "0.125",
                                    "--repeat-last-n",
                                    "-1",
                                    "--dry-multiplier",
                                    "0.5",
                                    "--dry-base",
                                    "2",
                                    "--dry-allowed-length",
                                    "3",
                                    "--dry-penalty-last-n",
                                    "9",
                                    "--adaptive-target",
                                    "0.5",
                                    "--adaptive-decay",
                                    "0.25",
                                    "--samplers",
                                    "top_k;temperature"});
  CHECK(o.typical_p == 0.5f);
  CHECK(o.top_n_sigma == 1.5f);
  CHECK(o.xtc_probability == 0.25f);
  CHECK(o.xtc_threshold == 0.2f);
  CHECK(o.mirostat == 1);
  CHECK(o.mirostat_tau == 4);
  CHECK(o.mirostat_eta == 0.5f);
  CHECK(o.dynatemp_range == 0.75f);
  CHECK(o.dynatemp_exponent == 2);
  CHECK(o.frequency_penalty == -0.5f);
  CHECK(o.presence_penalty == 0.125f);
  CHECK(o.repeat_last_n == -1);
  CHECK(o.dry_multiplier == 0.5f);
  CHECK(o.dry_base == 2);
  CHECK(o.dry_allowed_length == 3);
  CHECK(o.dry_penalty_last_n == 9);
  CHECK(o.adaptive_target == 0.5f);
  CHECK(o.adaptive_decay == 0.25f);
  CHECK(o.samplers == "top_k;temperature");
  CHECK_FALSE(o.dry_breakers.empty());
}

TEST_CASE("sampling: biases, end tokens and DRY breakers") {
  const SamplerOptions o = options({"-l", "5+1.5", "--logit-bias", "6-2", "-l", "7-inf"});
  REQUIRE(o.logit_bias.size() == 3);
  CHECK(o.logit_bias[0].token == 5);
  CHECK(o.logit_bias[0].bias == 1.5f);
  CHECK(o.logit_bias[1].bias == -2);
  CHECK(o.logit_bias[2].bias == -INFINITY);
  const SamplerOptions endless = options({"--ignore-eos"});
  REQUIRE_FALSE(tiny().spec().ends.empty());
  REQUIRE(endless.logit_bias.size() == tiny().spec().ends.size());
  for (const LogitBias& b : endless.logit_bias) CHECK((tiny().is_end(b.token) && b.bias == -INFINITY));

  const std::vector<std::string> dry{"--dry-multiplier", "1"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), dry.begin(), dry.end());
    return options(more).dry_breakers;
  };
  CHECK(with({"--dry-sequence-breaker", "none"}).empty());
  const auto newline = with({"--dry-sequence-breaker", "\n"});
  CHECK_FALSE(newline.empty());
  CHECK(with({"-e", "--dry-sequence-breaker", "\\n"}) == newline);
  CHECK(with({"--dry-sequence-breaker", "a", "--dry-sequence-breaker", "none", "--dry-sequence-breaker", "\n"}) ==
        newline);
  CHECK(with({}).size() > newline.size());
}

TEST_CASE("sampling: what is wrong is named") {
  CHECK(complaint({"--samplers", "top_k;mip_p"}).find("there is no sampler 'mip_p'; known are penalties, dry") == 0);
  CHECK(complaint({"--samplers", "top_k;mip_p"}).find("did you mean 'min_p'?") != std::string::npos);
  for (const char* bias : {"", "5", "5*2", "+1", "5+", "5+x", "5+inf", "5+nan", "5-1x", "99999999999+1", "-3+1"}) {
    CAPTURE(bias);
    CHECK(complaint({"-l", bias}).find("flag '--logit-bias'") == 0);
  }
  CHECK(complaint({"-l", "99999+1"}).find("there is no token 99999; the model has tokens 0 to") != std::string::npos);
  CHECK(complaint({"--stop", "a", "--stop", ""}).find("flag '--stop'") == 0);
  CHECK(complaint({"--dry-base", "0.5"}).find("flag '--dry-base': 0.5 is out of range") == 0);
}
