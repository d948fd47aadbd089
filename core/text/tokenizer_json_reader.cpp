// A handler for nlohmann's event parser. Building its tree of a big vocabulary would take most of the loading time.
#include "core/text/tokenizer_json_reader.h"

#include <nlohmann/json.hpp>

#include "core/text/json.h"

namespace loam {
namespace {

using Text = TokenizerJsonParts::Text;

class Handler : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Handler(TokenizerJsonParts& parts) : parts_(parts), tree_(parts.root, "tokenizer.json") {}

  bool null() override { return scalar(nullptr); }
  bool boolean(bool value) override { return scalar(value); }
  bool number_integer(int64_t value) override { return number(value, double(value)); }
  bool number_unsigned(uint64_t value) override {
    return number(value > uint64_t(INT64_MAX) ? -1 : int64_t(value), double(value), value);
  }
  bool number_float(double value, const std::string&) override {
    if (mode_ == Mode::pair) return set_score(value);
    return scalar(value);
  }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool string(std::string& value) override;
  bool key(std::string& value) override;
  bool start_object(size_t) override;
  bool start_array(size_t) override;
  bool end_object() override { return end(); }
  bool end_array() override { return end(); }
  bool parse_error(size_t, const std::string&, const nlohmann::json::exception& e) override { tree_.fail_parse(e); }

 private:
  // vocab: in its object; scored: in its list; pair: in one [text, score]; merges; merge: in one [left, right].
  enum class Mode { tree, vocab, scored, pair, merges, merge };

  bool number(int64_t id, double value) { return number(id, value, id); }
  template <class T>
  bool number(int64_t id, double value, T exact) {
    if (mode_ == Mode::pair) return set_score(value);
    if (mode_ != Mode::vocab) return scalar(exact);
    parts_.vocabulary.push_back({key_text_, id, 0});
    return true;
  }
  bool set_score(double value) {
    if (strings_ != 1 || scores_++) fail_token();
    parts_.vocabulary.push_back({pair_[0], int64_t(parts_.vocabulary.size()), value});
    return true;
  }
  template <class T>
  bool scalar(T&& value) {
    check_tree();
    tree_.add(Json(std::forward<T>(value)));
    return true;
  }
  void check_tree() const {
    if (mode_ == Mode::merges || mode_ == Mode::merge) fail_merge();
    if (mode_ != Mode::tree) fail_token();
  }
  Text keep(std::string_view text) {
    parts_.texts += text;
    return {parts_.texts.size() - text.size(), text.size()};
  }
  void add_merge(std::string_view text);
  bool end();
  bool in_model() const { return tree_.depth() == 2 && in_model_; }

  [[noreturn]] static void fail_token() {
    fail(Code::bad_file, "tokenizer.json: a token of the vocabulary is neither \"text\": id nor [\"text\", score]");
  }
  [[noreturn]] static void fail_merge() {
    fail(Code::bad_file, "tokenizer.json: a merge is neither \"a b\" nor [\"a\", \"b\"]");
  }

  TokenizerJsonParts& parts_;
  Mode mode_ = Mode::tree;
  JsonBuilder tree_;
  Text key_text_{};
  Text pair_[2]{};
  int strings_ = 0, scores_ = 0;  // seen in a pair
  bool in_model_ = false;
};

bool Handler::key(std::string& value) {
  if (mode_ == Mode::vocab) {
    key_text_ = keep(value);
    return true;
  }
  tree_.key(std::move(value));
  if (tree_.depth() == 1) in_model_ = tree_.key() == "model";
  return true;
}

void Handler::add_merge(std::string_view text) {
  const size_t space = text.find(' ');
  if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
    fail(Code::bad_file, "tokenizer.json: the merge '%.*s' is not two texts with a space between them",
         int(std::min<size_t>(text.size(), 100)), text.data());
  }
  const Text left = keep(text.substr(0, space));
  parts_.merges.push_back({left, keep(text.substr(space + 1))});
}

bool Handler::string(std::string& value) {
  if (mode_ == Mode::merges) {
    add_merge(value);
  } else if (mode_ == Mode::merge || mode_ == Mode::pair) {
    if (strings_ >= (mode_ == Mode::merge ? 2 : 1)) check_tree();
    pair_[strings_++] = keep(value);
  } else {
    return scalar(std::move(value));
  }
  return true;
}

bool Handler::start_object(size_t) {
  check_tree();
  if (in_model() && tree_.key() == "vocab") {
    mode_ = Mode::vocab;
    parts_.vocabulary.clear();
    parts_.has_vocabulary = true, parts_.has_scores = false;
    return true;
  }
  tree_.open(Json::object());
  return true;
}

bool Handler::start_array(size_t) {
  if (mode_ == Mode::merges || mode_ == Mode::scored) {
    mode_ = mode_ == Mode::merges ? Mode::merge : Mode::pair;
    strings_ = scores_ = 0;
    return true;
  }
  check_tree();
  if (in_model() && tree_.key() == "vocab") {
    mode_ = Mode::scored;
    parts_.vocabulary.clear();
    parts_.has_vocabulary = parts_.has_scores = true;
  } else if (in_model() && tree_.key() == "merges") {
    mode_ = Mode::merges;
    parts_.merges.clear();
  } else {
    tree_.open(Json::array());
  }
  return true;
}

bool Handler::end() {
  if (mode_ == Mode::merge) {
    if (strings_ != 2) fail_merge();
    parts_.merges.push_back({pair_[0], pair_[1]});
    mode_ = Mode::merges;
  } else if (mode_ == Mode::pair) {
    if (!scores_) fail_token();
    mode_ = Mode::scored;
  } else if (mode_ != Mode::tree) {
    mode_ = Mode::tree;
  } else {
    tree_.close();
  }
  return true;
}

}  // namespace

TokenizerJsonParts read_tokenizer_json(std::string_view json) {
  TokenizerJsonParts parts;
  parts.texts.reserve(json.size() / 4);
  Handler handler(parts);
  nlohmann::json::sax_parse(json.begin(), json.end(), &handler);
  return parts;
}

}  // namespace loam
