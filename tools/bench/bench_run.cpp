#include "tools/bench/bench_run.h"

#include <algorithm>
#include <chrono>

#include "backends/backends.h"
#include "tools/bench/statistics.h"
#include "tools/cli/interrupt.h"
#include "tools/run/engine.h"

namespace loam {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

int64_t whole_pages(int64_t positions) { return (positions + kPageTokens - 1) / kPageTokens * kPageTokens; }

// What a matrix is for, by the first tensor of its op.
struct Role {
  std::string_view tensor, what;
};
constexpr Role kRoles[] = {{"attn.q", "linear qkv"},    {"attn.o", "linear o"}, {"ffn.gate", "linear gate up"},
                           {"ffn.down", "linear down"}, {"embed", "head"},      {"output", "head"}};

std::string role_of(const Model& model, const Graph& graph, const Node& node) {
  const bool linear = std::get_if<Linear>(&node.op) || std::get_if<GatedLinear>(&node.op);
  for (const StoredTensor& t : model.source().tensors()) {
    if (!linear || t.bytes.data() != graph.weights()[size_t(node.weights[0])].data) continue;
    for (const Role& r : kRoles) {
      if (t.name == r.tensor || t.name.ends_with("." + std::string(r.tensor))) return std::string(r.what);
    }
  }
  return std::string(op_name(node.op));
}

}  // namespace

BenchRun::BenchRun(const Arguments& args, std::shared_ptr<const Model> model, const BenchTest& test)
    : model_(std::move(model)), test_(test) {
  const int64_t context = test.batch * whole_pages(std::max(test.depth, kPageTokens * int64_t(test.depth > 0)) +
                                                   std::max(test.prompt, test.decode));
  session_ = make_session(args, model_, context, test.threads, kMaxRows);
  const std::string backend(make_placement("cpu", test.threads).backends[0]->name());
  isa_ = backend.substr(backend.find('/') + 1);
  weights_ = weights_read(session_->executor().graph());
  fill();
}

void BenchRun::decode(const std::vector<BatchRow>& rows) {
  if (interrupted()) fail(Code::cancelled, "interrupted");
  session_->decode(rows);
}

// A page of positions is really computed, further ones are copies of it: what they say makes no difference.
void BenchRun::fill() {
  for (int64_t i = 0; i < test_.batch; ++i) {
    sequences_.push_back(session_->create_sequence());
    if (test_.depth == 0) continue;
    std::vector<BatchRow> rows;
    for (int64_t j = 0; j < std::min<int64_t>(test_.depth, kPageTokens); ++j)
      rows.push_back({int32_t((j * 7919 + i) % model_->config().vocab), sequences_.back()});
    decode(rows);
    if (test_.depth > kPageTokens) session_->repeat(sequences_.back(), test_.depth);
  }
}

double BenchRun::seconds() {
  for (int s : sequences_) session_->truncate(s, test_.depth);
  const int64_t vocab = model_->config().vocab, count = steps();
  std::vector<BatchRow> rows;
  for (int64_t i = 0; i < test_.prompt; ++i)
    rows.push_back({int32_t((i * 7919 + 13) % vocab), sequences_[0], i + 1 == test_.prompt});
  for (int s : sequences_) {
    if (!test_.prompt) rows.push_back({13, s, true});
  }
  const double start = now();
  for (int64_t i = 0; i < count; ++i) {
    for (BatchRow& row : rows) row.token = int32_t((row.token + 7919) % vocab);
    const double begin = now();
    decode(rows);
    const double choice = now();
    decoding_.push_back(choice - begin);
    if (!sampler_) continue;
    for (size_t o = 0; o < session_->output_count(); ++o)
      history_.push_back(sampler_->pick(session_->logits(o), history_));
    deciding_.push_back(now() - choice);
  }
  return now() - start;
}

int64_t BenchRun::steps() const { return test_.prompt ? 1 : test_.decode; }

Step BenchRun::step() const {
  if (test_.prompt) return {1, test_.prompt, test_.depth, 1};
  return {test_.batch, 1, test_.depth + test_.decode / 2, test_.batch};
}

std::pair<Limits, Limits> BenchRun::probe() const {
  const Speed int8 = int8_peak(isa_, test_.threads), f32 = f32_peak(isa_, test_.threads),
              read = read_bandwidth(weights_, test_.threads);
  return {{int8.whole, f32.whole, read.whole}, {int8.calm, f32.calm, read.calm}};
}

std::string BenchRun::isa() const { return isa_; }

std::vector<ProfileLine> BenchRun::profile(int64_t repetitions, const Limits& limits) {
  Profile profile;
  if (!test_.prompt) sampler_ = std::make_unique<Sampler>(SamplerOptions{});
  session_->set_profile(&profile);
  deciding_.clear(), decoding_.clear();
  for (int64_t i = 0; i < repetitions; ++i) seconds();
  session_->set_profile(nullptr);
  std::vector<ProfileLine> lines = lines_of(profile, limits);
  double rest = median(decoding_);
  for (const ProfileLine& line : lines) rest -= line.seconds;
  lines.push_back({"session, interruptions", std::max(0.0, rest), 0, ""});
  if (sampler_) lines.push_back({"choosing a token", median(deciding_), 0, ""});
  sampler_.reset();
  return lines;
}

std::vector<ProfileLine> BenchRun::lines_of(const Profile& profile, const Limits& limits) const {
  std::vector<ProfileLine> lines;
  double waiting = 0;
  // A prompt of more than kMaxRows is several runs of a step.
  const double runs = test_.prompt ? double((test_.prompt + kMaxRows - 1) / kMaxRows) : 1;
  for (const Profile::Phase& phase : profile.phases()) {
    const Node& node = graph().nodes()[size_t(phase.node)];
    const std::string what = phase.name.empty() ? role_of(*model_, graph(), node) : std::string(phase.name);
    auto line = std::find_if(lines.begin(), lines.end(), [&](const ProfileLine& l) { return l.what == what; });
    if (line == lines.end()) line = lines.insert(lines.end(), {what, 0, 0, ""});
    line->seconds += runs * median(phase.busy);
    waiting += runs * median(phase.waiting);
    const Cost cost = phase.name.empty() ? node_cost(graph(), node, step()) : Cost{};
    line->least += least_seconds(cost, limits);
    if (line->limit.empty()) line->limit = binding_limit(cost, limits);
  }
  std::erase_if(lines, [](const ProfileLine& line) { return line.seconds == 0; });  // other phases do that work
  std::sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
  lines.push_back({"waiting, starting threads", waiting, 0, ""});
  return lines;
}

}  // namespace loam
