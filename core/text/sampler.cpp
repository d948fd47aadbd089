// The sampling chain: which steps, in which order.
#include "core/text/sampler.h"

#include <algorithm>
#include <cctype>

#include "core/error.h"
#include "core/text/samplers/step.h"

namespace loam {
namespace {

// In the default order. Behind it: what runs only where it is named.
constexpr StepRow kSteps[] = {
    {"penalties", "", StepKind::adjust, make_penalties},
    {"dry", "", StepKind::adjust, make_dry},
    {"top_n_sigma", "", StepKind::filter, make_top_n_sigma},
    {"top_k", "", StepKind::filter, make_top_k},
    {"typ_p", "typ,typical,typical_p", StepKind::other, make_typical},
    {"top_p", "nucleus", StepKind::filter, make_top_p},
    {"min_p", "", StepKind::filter, make_min_p},
    {"xtc", "", StepKind::other, make_xtc},
    {"temperature", "temp", StepKind::other, make_temperature},
    {"adaptive_p", "", StepKind::other, make_adaptive_p},
};
constexpr size_t kDefaultSteps = std::size(kSteps) - 1;

// "Top-K" and "topk" are top_k.
std::string plain(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c != '_' && c != '-' && c != ' ') out += char(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

bool is_named(const StepRow& row, std::string_view name) {
  if (plain(row.name) == plain(name)) return true;
  for (std::string_view rest = row.aliases; !rest.empty();) {
    const size_t end = std::min(rest.find(','), rest.size());
    if (plain(rest.substr(0, end)) == plain(name)) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

const StepRow& find_step(std::string_view name) {
  for (const StepRow& row : kSteps) {
    if (is_named(row, name)) return row;
  }
  std::string known;
  for (const StepRow& row : kSteps) known += (known.empty() ? "" : ", ") + std::string(row.name);
  fail(Code::bad_argument, "there is no sampler '%.*s'; known are %s", int(std::min<size_t>(name.size(), 40)),
       name.data(), known.c_str());
}

std::vector<const StepRow*> named_steps(const std::string& names) {
  std::vector<const StepRow*> rows;
  for (std::string_view rest = names; !rest.empty();) {
    const size_t end = std::min(rest.find(';'), rest.size());
    const StepRow& row = find_step(rest.substr(0, end));
    if (std::find(rows.begin(), rows.end(), &row) != rows.end())
      fail(Code::bad_argument, "the sampler '%s' is named twice", row.name.data());
    rows.push_back(&row);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return rows;
}

}  // namespace

std::span<const StepRow> sampler_steps() { return kSteps; }

std::string default_samplers() {
  std::string names;
  for (size_t i = 0; i < kDefaultSteps; ++i) names += (i ? ";" : "") + std::string(kSteps[i].name);
  return names;
}

void check_option(const char* name, double value, double least, double most) {
  if (!(value >= least && value <= most))
    fail(Code::bad_argument, "sampler: %s is %g, expected %g to %g", name, value, least, most);
}

struct Sampler::State {
  struct Link {
    const StepRow* row;  // nullptr: runs without being named
    std::unique_ptr<SamplerStep> step;
  };
  SamplerOptions options;
  Random random;
  Candidates candidates;
  std::vector<Link> adjusting;  // the steps that only change logits and stand before all others
  std::vector<Link> steps;      // the others
  bool greedy = false;          // in place of all others: the likeliest
  size_t first_count = 0;       // what comes after adjusting keeps so many of the likeliest; 0: it is something else

  explicit State(const SamplerOptions& o) : options(o), random(o.seed) {
    for (const StepRow& row : kSteps) row.make(o);  // every option is checked, used or not
    add(nullptr, make_logit_bias(o), true);
    for (const StepRow* row : named_steps(o.samplers.empty() ? default_samplers() : o.samplers)) {
      // Mirostat is a filter of its own: beside it only what changes logits.
      const bool adjusts = row->kind == StepKind::adjust;
      if (o.mirostat == 0 || row->make == make_temperature || adjusts) add(row, row->make(o), adjusts);
    }
    add(nullptr, make_mirostat(o), false);
    find_shortcut();
  }

  void add(const StepRow* row, std::unique_ptr<SamplerStep> step, bool adjusts) {
    if (step) (adjusts && steps.empty() ? adjusting : steps).push_back({row, std::move(step)});
  }

  // Where every filter keeps the likeliest, temperature 0 needs none of them.
  void find_shortcut() {
    const bool zero = options.temperature < 1e-6f && options.dynatemp_range == 0;
    bool plain_filters = true;
    for (const Link& link : steps) {
      const bool temperature = link.row && link.row->make == make_temperature;
      plain_filters &= temperature || (link.row && link.row->kind == StepKind::filter);
      greedy |= zero && temperature;
    }
    greedy &= plain_filters;
    if (greedy)
      first_count = 1;
    else if (!steps.empty() && steps[0].row && steps[0].row->make == make_top_k)
      first_count = size_t(options.top_k);
  }

  void constrain(TokenConstraint& constraint) {
    constexpr size_t kFew = 256;  // beyond that, asking for each token is no gain
    const bool few = first_count > 0 && first_count <= kFew;
    if (!few || !candidates.keep_allowed_top(first_count, constraint)) candidates.restrict(constraint.allowed());
  }

  int32_t pick(std::span<const float> logits, std::span<const int32_t> history, TokenConstraint* constraint) {
    if (logits.empty()) fail(Code::bad_argument, "sampler: no logits");
    StepContext context{history, random};
    candidates.begin(logits);
    for (const Link& link : adjusting) link.step->apply(candidates, context);
    if (constraint) constrain(*constraint);
    if (greedy) {
      candidates.keep_top(1);
      return candidates.choice().id;
    }
    for (const Link& link : steps) link.step->apply(candidates, context);
    if (!candidates.chosen()) candidates.draw(random);
    return candidates.choice().id;
  }
};

Sampler::Sampler(const SamplerOptions& options) : state_(std::make_unique<State>(options)) {}
Sampler::~Sampler() = default;
Sampler::Sampler(Sampler&&) noexcept = default;
Sampler& Sampler::operator=(Sampler&&) noexcept = default;

int32_t Sampler::pick(std::span<const float> logits, std::span<const int32_t> history, TokenConstraint* constraint) {
  return state_->pick(logits, history, constraint);
}

const SamplerOptions& Sampler::options() const { return state_->options; }

}  // namespace loam
