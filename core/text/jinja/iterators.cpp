// Walking values: lists, texts, dicts, ranges, generators.
#include <algorithm>

#include "core/error.h"
#include "core/text/jinja/objects.h"
#include "core/text/unicode.h"

namespace loam::jinja {
namespace {

class ListIterator final : public Iterator {
 public:
  ListIterator(Value list, bool reversed) : list_(std::move(list)), reversed_(reversed) {}
  const char* type() const override { return reversed_ ? "list_reverseiterator" : "list_iterator"; }
  bool next(Interpreter&, Value& out) override {
    const auto& items = list_.items();
    if (at_ >= items.size()) return false;
    out = reversed_ ? items[items.size() - 1 - at_] : items[at_];
    return ++at_;
  }
  int depth() const override { return list_.depth() + 1; }

 private:
  Value list_;
  bool reversed_;
  size_t at_ = 0;
};

class PairIterator final : public Iterator {
 public:
  PairIterator(Value dict, DictView::Kind kind, bool reversed)
      : dict_(std::move(dict)), kind_(kind), reversed_(reversed) {}
  const char* type() const override { return "dict_keyiterator"; }
  bool next(Interpreter&, Value& out) override {
    const Pairs& pairs = dict_.pairs();
    if (at_ >= pairs.size()) return false;
    const auto& [key, value] = reversed_ ? pairs[pairs.size() - 1 - at_] : pairs[at_];
    out = kind_ == DictView::keys ? key : kind_ == DictView::values ? value : Value::list({key, value}, true);
    return ++at_;
  }
  int depth() const override { return dict_.depth() + 1; }

 private:
  Value dict_;
  DictView::Kind kind_;
  bool reversed_;
  size_t at_ = 0;
};

class CharacterIterator final : public Iterator {
 public:
  explicit CharacterIterator(Value text) : text_(std::move(text)) {}
  const char* type() const override { return "str_iterator"; }
  bool next(Interpreter&, Value& out) override {
    const std::string& s = text_.string();
    if (at_ >= s.size()) return false;
    const size_t bytes = decode_utf8(s, at_).bytes;
    out = Value(std::string_view(s).substr(at_, bytes));
    at_ += bytes;
    return true;
  }

 private:
  Value text_;
  size_t at_ = 0;
};

class PlaceIterator final : public Iterator {
 public:
  PlaceIterator(std::shared_ptr<Object> over, int64_t count, bool reversed)
      : over_(std::move(over)), count_(count), reversed_(reversed) {}
  const char* type() const override { return "range_iterator"; }
  bool next(Interpreter&, Value& out) override {
    if (at_ >= count_) return false;
    over_->item(reversed_ ? count_ - 1 - at_ : at_, out);
    return ++at_;
  }

 private:
  std::shared_ptr<Object> over_;
  int64_t count_, at_ = 0;
  bool reversed_;
};

}  // namespace

bool Generator::next(Interpreter& in, Value& out) {
  if (!next_) return false;
  if (running_) fail(Code::bad_argument, "template: a generator is walked inside of itself");
  const Interpreter::Deeper deeper(in);
  in.step();
  running_ = true;
  const bool more = next_(in, out);
  running_ = false;
  if (!more) next_ = nullptr;
  return more;
}

Value make_generator(const Value& source, Generator::Next next) {
  return Value::make<Generator>(std::move(next), source.depth() + 1);
}

int64_t Range::size() const {
  const uint64_t distance = by_ > 0 ? uint64_t(stop_) - uint64_t(start_) : uint64_t(start_) - uint64_t(stop_);
  if (by_ > 0 ? start_ >= stop_ : start_ <= stop_) return 0;
  const uint64_t by = by_ > 0 ? uint64_t(by_) : 0 - uint64_t(by_);
  return int64_t(std::min<uint64_t>((distance - 1) / by + 1, INT64_MAX));
}

bool Range::item(int64_t i, Value& out) const {
  out = start_ + i * by_;
  return true;
}

std::shared_ptr<Object> Range::iterator(bool reversed) {
  return std::make_shared<PlaceIterator>(shared_from_this(), size(), reversed);
}

bool Range::equals(const Object& other) const {
  const auto* r = dynamic_cast<const Range*>(&other);
  if (!r || r->size() != size()) return false;
  return size() == 0 || (r->start_ == start_ && (size() == 1 || r->by_ == by_));
}

std::string Range::repr() const {
  std::string out = "range(" + std::to_string(start_) + ", " + std::to_string(stop_);
  if (by_ != 1) out += ", " + std::to_string(by_);
  return out + ")";
}

bool Range::attribute(std::string_view name, Value& out) {
  if (name != "start" && name != "stop" && name != "step") return false;
  out = name == "start" ? start_ : name == "stop" ? stop_ : by_;
  return true;
}

const char* DictView::type() const {
  return kind_ == keys ? "dict_keys" : kind_ == values ? "dict_values" : "dict_items";
}

bool DictView::item(int64_t i, Value& out) const {
  const auto& [key, value] = dict_.pairs()[size_t(i)];
  out = kind_ == keys ? key : kind_ == values ? value : Value::list({key, value}, true);
  return true;
}

std::shared_ptr<Object> DictView::iterator(bool reversed) {
  return std::make_shared<PairIterator>(dict_, kind_, reversed);
}

// Keys and items are sets; the order does not count.
bool DictView::equals(const Object& other) const {
  const auto* v = dynamic_cast<const DictView*>(&other);
  if (this == &other) return true;
  if (!v || v->kind_ != kind_ || kind_ == values || v->dict_.pairs().size() != dict_.pairs().size()) return false;
  if (kind_ == items) return equal(dict_, v->dict_);
  return std::all_of(dict_.pairs().begin(), dict_.pairs().end(), [&](const auto& p) { return v->dict_.find(p.first); });
}

std::string DictView::repr() const {
  std::vector<Value> all(dict_.pairs().size());
  for (size_t i = 0; i < all.size(); ++i) item(int64_t(i), all[i]);
  return type() + ("(" + Value::list(std::move(all)).repr()) + ")";
}

std::shared_ptr<Iterator> Interpreter::iterate(const Value& v, bool reversed) {
  if (v.is_list()) return std::make_shared<ListIterator>(v, reversed);
  if (v.is_dict()) return std::make_shared<PairIterator>(v, DictView::keys, reversed);
  if (v.is_string() && !reversed) return std::make_shared<CharacterIterator>(v);
  if (v.is_string()) return std::make_shared<ListIterator>(Value::list(to_list(v)), true);
  if (v.is_undefined()) return std::make_shared<ListIterator>(Value::list({}), false);
  if (v.is_object()) {
    if (auto iterator = std::dynamic_pointer_cast<Iterator>(v.object()->iterator(reversed))) return iterator;
  }
  fail(Code::bad_argument, "template: a %s cannot be %s", v.type_name(), reversed ? "reversed" : "iterated");
}

std::vector<Value> Interpreter::to_list(const Value& v) {
  std::vector<Value> out;
  if (v.is_list()) {
    step(int64_t(v.items().size()) / 16 + 1);
    return v.items();
  }
  const auto iterator = iterate(v);
  for (Value item; iterator->next(*this, item);) {
    step();
    if ((out.size() & 1023) == 0) charge(0x8000);  // room for as many
    out.push_back(std::move(item));
  }
  return out;
}

}  // namespace loam::jinja
