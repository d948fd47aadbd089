// Filters on sequences and dicts.
#include "core/text/jinja/filters_sequence.h"

#include <algorithm>

#include "core/error.h"
#include "core/text/jinja/objects.h"
#include "core/text/jinja/strings.h"

namespace loam::jinja {

Getter::Getter(Interpreter& in, const Value* attribute, bool ignore_case, const Value* otherwise)
    : in_(in), ignore_case_(ignore_case) {
  if (otherwise && !otherwise->is_none()) otherwise_ = *otherwise;
  if (!attribute || attribute->is_none()) return;
  if (!attribute->is_string()) {
    parts_.push_back(*attribute);
    return;
  }
  std::string_view rest = attribute->string();
  for (bool more = true; more;) {
    const size_t dot = rest.find('.');
    const std::string_view part = rest.substr(0, dot);
    const bool number = !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
    const std::optional<int64_t> index = number ? parse_integer(part, 10) : std::nullopt;
    parts_.push_back(index ? Value(*index) : Value(part));
    more = dot != std::string_view::npos;
    if (more) rest.remove_prefix(dot + 1);
  }
  in.step(int64_t(parts_.size()));
}

Value Getter::operator()(Value item) const {
  for (const Value& part : parts_) {
    in_.step();
    item = in_.subscript(item, part);
    if (otherwise_ && item.is_undefined()) item = *otherwise_;
  }
  if (!ignore_case_ || !item.is_string()) return item;
  in_.step(1 + int64_t(item.string().size()) / (item.is_ascii() ? 16 : 2));
  return Value(lower(item.string()));
}

namespace {

using List = std::vector<Value>;

bool flag(Interpreter& in, const Args& args, size_t place, const char* name) {
  const Value* v = args.find(place, name);
  return v && in.truth(*v);
}

void sort_by(Interpreter& in, List& items, bool reverse, const std::function<Value(const Value&)>& key) {
  std::vector<std::pair<Value, Value>> keyed;
  in.charge(int64_t(items.size()) * 96);
  for (const Value& item : items) keyed.emplace_back(key(item), item);
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    in.step();
    return reverse ? in.is_less(b.first, a.first) : in.is_less(a.first, b.first);
  });
  for (size_t i = 0; i < items.size(); ++i) items[i] = std::move(keyed[i].second);
}

Value f_length(Interpreter& in, const Value& v, Args&) { return in.length(v); }
Value f_list(Interpreter& in, const Value& v, Args&) { return Value::list(in.to_list(v)); }

Value f_first(Interpreter& in, const Value& v, Args&) {
  Value out;
  return in.iterate(v)->next(in, out) ? out : Value::undefined("there is no first item, the sequence is empty");
}
Value f_last(Interpreter& in, const Value& v, Args&) {
  Value out;
  return !v.is_undefined() && in.iterate(v, true)->next(in, out)
             ? out
             : Value::undefined("there is no last item, the sequence is empty");
}

Value f_reverse(Interpreter& in, const Value& v, Args&) {
  List items;
  if (!v.is_string()) {
    if (v.is_undefined()) return make_generator(v, nullptr);
    if (!v.as<Iterator>() && !v.as<Loop>()) return Value(std::shared_ptr<Object>(in.iterate(v, true)));
    items = in.to_list(v);
    std::reverse(items.begin(), items.end());
    return Value::list(std::move(items));
  }
  in.charge(int64_t(v.string().size()) * 16);
  const auto characters = text_characters(v.string());
  std::string out;
  for (size_t i = characters.size(); i-- > 0;) out += characters[i];
  return in.text(std::move(out), v.is_markup());
}

Value f_join(Interpreter& in, const Value& v, Args& args) {
  const std::string separator = args.text(0, "d", "");
  const Getter get(in, args.find(1, "attribute"));
  std::string out;
  bool first = true;
  const auto iterator = in.iterate(v);
  for (Value item; iterator->next(in, item); first = false) {
    in.step();
    if (!first) out += separator;
    const Value part = get(item);
    if (part.is_string())
      out += part.string();
    else
      out += in.str(part);
    in.charge(int64_t(out.size()) / 16 + int64_t(separator.size()));
    if (const Meter* meter = Meter::current()) meter->check(int64_t(out.size()));
  }
  return in.text(std::move(out));
}

Value f_dictsort(Interpreter& in, const Value& v, Args& args) {
  const std::string by = args.text(1, "by", "key");
  if (by != "key" && by != "value") fail(Code::bad_argument, "template: dictsort by '%.60s'", by.c_str());
  if (v.is_undefined()) fail_undefined(v);
  if (!v.is_dict()) fail(Code::bad_argument, "template: dictsort of a %s", v.type_name());
  const Getter folded(in, nullptr, !flag(in, args, 0, "case_sensitive"));
  List items;
  for (const auto& [key, value] : v.pairs()) items.push_back(Value::list({key, value}, true));
  in.step(int64_t(items.size()));
  sort_by(in, items, flag(in, args, 2, "reverse"),
          [&](const Value& pair) { return folded(pair.items()[by == "value"]); });
  return Value::list(std::move(items));
}

Value f_sort(Interpreter& in, const Value& v, Args& args) {
  List items = in.to_list(v);
  const bool ignore_case = !flag(in, args, 1, "case_sensitive");
  const Value* attribute = args.find(2, "attribute");
  std::vector<Getter> getters;
  if (attribute && attribute->is_string()) {  // several, with commas
    std::string_view rest = attribute->string();
    for (bool more = true; more;) {
      const size_t comma = rest.find(',');
      const Value part(rest.substr(0, comma));
      getters.emplace_back(in, &part, ignore_case);
      more = comma != std::string_view::npos;
      if (more) rest.remove_prefix(comma + 1);
    }
  } else {
    getters.emplace_back(in, attribute, ignore_case);
  }
  sort_by(in, items, flag(in, args, 0, "reverse"), [&](const Value& item) {
    List keys;
    for (const Getter& get : getters) keys.push_back(get(item));
    return Value::list(std::move(keys));
  });
  return Value::list(std::move(items));
}

Value f_groupby(Interpreter& in, const Value& v, Args& args) {
  List items = in.to_list(v), out, group;
  const Value *attribute = args.find(0, "attribute"), *otherwise = args.find(1, "default");
  const Getter get(in, attribute, false, otherwise);
  const Getter folded(in, attribute, !flag(in, args, 2, "case_sensitive"), otherwise);
  sort_by(in, items, false, folded);
  for (size_t i = 0; i < items.size(); ++i) {
    group.push_back(items[i]);
    if (i + 1 < items.size() && in.equals(folded(items[i]), folded(items[i + 1]))) continue;
    Value key = get(group.front());
    out.push_back(Value::group(std::move(key), Value::list(std::exchange(group, {}))));
  }
  return Value::list(std::move(out));
}

Value extreme(Interpreter& in, const Value& v, Args& args, bool largest) {
  const Getter key(in, args.find(1, "attribute"), !flag(in, args, 0, "case_sensitive"));
  const auto iterator = in.iterate(v);
  Value best, item;
  if (!iterator->next(in, best)) return Value::undefined("there is no smallest or largest item of nothing");
  for (Value best_key = key(best); iterator->next(in, item);) {
    in.step();
    Value item_key = key(item);
    if (!(largest ? in.is_less(best_key, item_key) : in.is_less(item_key, best_key))) continue;
    best = std::move(item);
    best_key = std::move(item_key);
  }
  return best;
}
Value f_max(Interpreter& in, const Value& v, Args& args) { return extreme(in, v, args, true); }
Value f_min(Interpreter& in, const Value& v, Args& args) { return extreme(in, v, args, false); }

Value f_sum(Interpreter& in, const Value& v, Args& args) {
  const Value* start = args.find(1, "start");
  Value total = start ? *start : Value(int64_t(0));
  if (total.is_string()) fail(Code::bad_argument, "template: sum of texts; join adds them");
  const Getter get(in, args.find(0, "attribute"));
  const auto iterator = in.iterate(v);
  for (Value item; iterator->next(in, item);) {
    in.step();
    total = binary(in, Op::add, total, get(item));
  }
  return total;
}

constexpr FunctionRow kFilters[] = {
    {"count", f_length},
    {"dictsort", f_dictsort, "case_sensitive? by? reverse?"},
    {"first", f_first},
    {"groupby", f_groupby, "attribute default? case_sensitive?"},
    {"join", f_join, "d? attribute?"},
    {"last", f_last},
    {"length", f_length},
    {"list", f_list},
    {"max", f_max, "case_sensitive? attribute?"},
    {"min", f_min, "case_sensitive? attribute?"},
    {"reverse", f_reverse},
    {"sort", f_sort, "reverse? case_sensitive? attribute?"},
    {"sum", f_sum, "attribute? start?"},
};

}  // namespace

std::span<const FunctionRow> sequence_filters() { return kFilters; }

}  // namespace loam::jinja
