// Checks, sections and the builder of TokenizerSpec.
#include "core/text/tokenizer_spec.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/text/text_order.h"
#include "core/text/vocabulary.h"

namespace loam {
namespace {

// The "special" section: bos, eos, unk, pad, bits of add_*, then all end ids.
constexpr size_t kSpecialHead = 5;

template <class T>
std::span<const std::byte> as_bytes_of(std::span<const T> values) {
  return std::as_bytes(values);
}

template <class T>
std::span<const T> typed(const TokenizerSection& section) {
  const auto address = reinterpret_cast<uintptr_t>(section.bytes.data());
  if (section.bytes.size() % sizeof(T) || address % alignof(T)) {
    fail(Code::bad_file,
         "tokenizer section '%s' has %zu bytes at an address that is not a whole array of %zu-byte values",
         section.name.c_str(), section.bytes.size(), sizeof(T));
  }
  return {reinterpret_cast<const T*>(section.bytes.data()), section.bytes.size() / sizeof(T)};
}

void check_id(const char* what, int64_t id, size_t vocab) {
  if (id < -1 || id >= int64_t(vocab)) {
    fail(Code::bad_file, "tokenizer: %s id %lld is outside the vocabulary of %zu tokens", what,
         static_cast<long long>(id), vocab);
  }
}

void check_sizes(const TokenizerSpec& s) {
  const size_t vocab = s.kinds.size();
  if (vocab == 0 || vocab > size_t(std::numeric_limits<int32_t>::max())) {
    fail(Code::bad_file, "tokenizer: a vocabulary of %zu tokens", vocab);
  }
  if (s.offsets.size() != vocab + 1 || s.flags.size() != vocab || (!s.scores.empty() && s.scores.size() != vocab)) {
    fail(Code::bad_file, "tokenizer: %zu kinds, %zu offsets, %zu flags and %zu scores do not fit together", vocab,
         s.offsets.size(), s.flags.size(), s.scores.size());
  }
  if (!s.fine_scores.empty() && s.fine_scores.size() != s.scores.size()) {
    fail(Code::bad_file, "tokenizer: %zu scores but %zu fine ones", s.scores.size(), s.fine_scores.size());
  }
  if (s.merges.size() % 3) fail(Code::bad_file, "tokenizer: %zu values of merges are not triples", s.merges.size());
}

void check_texts(const TokenizerSpec& s) {
  if (s.offsets.front() != 0 || s.offsets.back() != s.text.size()) {
    fail(Code::bad_file, "tokenizer: offsets span %u..%u, but the texts have %zu bytes", s.offsets.front(),
         s.offsets.back(), s.text.size());
  }
  bool good = true;  // without a branch per token
  for (size_t i = 0; i < s.size(); ++i)
    good &= s.offsets[i] <= s.offsets[i + 1] && s.kinds[i] <= uint8_t(TokenKind::unused);
  for (size_t i = 0; i < s.size() && !good; ++i) {
    if (s.offsets[i] > s.offsets[i + 1]) fail(Code::bad_file, "tokenizer: offsets descend at token %zu", i);
    if (s.kinds[i] > uint8_t(TokenKind::unused)) {
      fail(Code::bad_file, "tokenizer: token %zu has the unknown kind %d", i, s.kinds[i]);
    }
  }
  const auto check_scores = [](auto scores) {
    for (const auto score : scores) {
      if (score != score) fail(Code::bad_file, "tokenizer: a score is not a number");
    }
  };
  check_scores(s.scores);
  check_scores(s.fine_scores);
}

// Each id once. Whether the texts do ascend shows where a trie is made of them.
void check_order(const TokenizerSpec& s) {
  if (s.order.empty()) return;
  std::vector<bool> seen(s.size());
  size_t count = 0;
  for (const uint32_t id : s.order) {
    if (id >= s.size() || seen[id]) break;
    seen[id] = true, ++count;
  }
  if (count != s.size() || s.order.size() != count)
    fail(Code::bad_file, "tokenizer: section 'order' does not have each of the %zu ids once", s.size());
}

void read_special(std::span<const int32_t> values, TokenizerSpec& s) {
  if (values.size() < kSpecialHead) {
    fail(Code::bad_file, "tokenizer: section 'special' has %zu values, expected at least %zu", values.size(),
         kSpecialHead);
  }
  s.bos = values[0], s.eos = values[1], s.unk = values[2], s.pad = values[3];
  s.add_bos = values[4] & 1, s.add_eos = values[4] & 2, s.add_space_prefix = values[4] & 4;
  s.ends.assign(values.begin() + kSpecialHead, values.end());
}

}  // namespace

void TokenizerSpec::check() const {
  check_sizes(*this);
  check_texts(*this);
  check_order(*this);
  uint32_t largest = 0;
  for (const uint32_t id : merges) largest = std::max(largest, id);
  if (!merges.empty() && largest >= size())
    fail(Code::bad_file, "tokenizer: a merge names token %u of %zu", largest, size());
  check_id("bos", bos, size());
  check_id("eos", eos, size());
  check_id("unknown-token", unk, size());
  check_id("padding", pad, size());
  for (const int32_t id : ends) check_id("end-of-generation", id, size());
}

std::vector<TokenizerSection> TokenizerSpec::sections() const {
  special_ = std::make_shared<std::vector<int32_t>>(
      std::vector<int32_t>{bos, eos, unk, pad, int32_t(add_bos | add_eos << 1 | add_space_prefix << 2)});
  special_->insert(special_->end(), ends.begin(), ends.end());
  // Where a trie of all tokens takes most of the loading. A wrong guess would cost nothing but bytes or time.
  if (order.empty() && pipeline.find("Unigram\"") != pipeline.npos) {
    std::vector<std::string_view> texts(size());
    for (size_t i = 0; i < texts.size(); ++i) texts[i] = token(i);
    order_ = std::make_shared<std::vector<uint32_t>>(order_by_bytes(texts));
  }
  std::vector<TokenizerSection> all{
      {"pipeline", std::as_bytes(std::span(pipeline))},
      {"text", text},
      {"offsets", as_bytes_of(offsets)},
      {"scores", as_bytes_of(scores)},
      {"fine_scores", as_bytes_of(fine_scores)},
      {"kinds", as_bytes_of(kinds)},
      {"flags", as_bytes_of(flags)},
      {"merges", as_bytes_of(merges)},
      {"order", as_bytes_of(order_ ? std::span<const uint32_t>(*order_) : order)},
      {"special", std::as_bytes(std::span(*special_))},
  };
  std::erase_if(all, [](const TokenizerSection& s) { return s.bytes.empty(); });
  return all;
}

TokenizerSpec TokenizerSpec::from_sections(std::span<const TokenizerSection> sections,
                                           std::shared_ptr<const void> keep) {
  TokenizerSpec s;
  s.storage = std::move(keep);
  bool has_special = false;
  for (const TokenizerSection& section : sections) {
    if (section.name == "pipeline") {
      s.pipeline.assign(reinterpret_cast<const char*>(section.bytes.data()), section.bytes.size());
    } else if (section.name == "text") {
      s.text = section.bytes;
    } else if (section.name == "offsets") {
      s.offsets = typed<uint32_t>(section);
    } else if (section.name == "scores") {
      s.scores = typed<float>(section);
    } else if (section.name == "fine_scores") {
      s.fine_scores = typed<double>(section);
    } else if (section.name == "kinds") {
      s.kinds = typed<uint8_t>(section);
    } else if (section.name == "flags") {
      s.flags = typed<uint8_t>(section);
    } else if (section.name == "merges") {
      s.merges = typed<uint32_t>(section);
    } else if (section.name == "order") {
      s.order = typed<uint32_t>(section);
    } else if (section.name == "special") {
      read_special(typed<int32_t>(section), s);
      has_special = true;
    }
  }
  if (!has_special) fail(Code::bad_file, "tokenizer: section 'special' is missing");
  s.check();
  return s;
}

int32_t TokenizerSpecBuilder::add(std::string_view token_text, TokenKind kind, uint8_t flags) {
  vocabulary_.reset();
  Arrays& a = *arrays_;
  if (a.text.size() + token_text.size() > std::numeric_limits<uint32_t>::max()) {
    fail(Code::bad_file, "tokenizer: the token texts exceed 4 GiB");
  }
  a.text += token_text;
  a.offsets.push_back(uint32_t(a.text.size()));
  a.kinds.push_back(uint8_t(kind));
  a.flags.push_back(flags);
  return int32_t(a.kinds.size() - 1);
}

void TokenizerSpecBuilder::add_score(double score) {
  Arrays& a = *arrays_;
  if (a.fine_scores.empty() && double(float(score)) != score) a.fine_scores.assign(a.scores.begin(), a.scores.end());
  a.scores.push_back(float(score));
  if (!a.fine_scores.empty() || double(float(score)) != score) a.fine_scores.push_back(score);
}

void TokenizerSpecBuilder::reserve(size_t tokens, size_t text_bytes, size_t merges) {
  arrays_->text.reserve(text_bytes);
  arrays_->offsets.reserve(tokens + 1);
  arrays_->kinds.reserve(tokens);
  arrays_->flags.reserve(tokens);
  arrays_->merges.reserve(3 * merges);
}

const Vocabulary& TokenizerSpecBuilder::vocabulary() {
  if (!vocabulary_) vocabulary_ = std::make_shared<const Vocabulary>(finish({}));
  return *vocabulary_;
}

TokenizerSpec TokenizerSpecBuilder::finish(TokenizerSpec head) {
  head.text = std::as_bytes(std::span(arrays_->text));
  head.offsets = arrays_->offsets;
  head.scores = arrays_->scores;
  head.fine_scores = arrays_->fine_scores;
  head.kinds = arrays_->kinds;
  head.flags = arrays_->flags;
  head.merges = arrays_->merges;
  head.storage = arrays_;
  head.vocabulary = vocabulary_;
  head.check();
  return head;
}

}  // namespace loam
