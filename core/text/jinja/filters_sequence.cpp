// Filters on sequences and dicts.
#include <algorithm>
#include <functional>

#include "core/error.h"
#include "core/text/jinja/filter_rows.h"
#include "core/text/jinja/strings.h"

namespace loam::jinja {
namespace {

using List = std::vector<Value>;

// What `attribute=` names of an item; the item itself where it is not given. Letters in lower case unless asked.
Value key_of(Interpreter& in, const Value& item, const Value* attribute, bool case_sensitive = true) {
  Value v = item;
  if (attribute && !attribute->is_none()) v = in.get_path(item, attribute->text());
  return !case_sensitive && v.is_string() ? Value(lower(v.string())) : v;
}

void sort_by(Interpreter& in, List& items, bool reverse, const std::function<Value(const Value&)>& key) {
  std::vector<std::pair<Value, Value>> keyed;
  for (const Value& item : items) keyed.emplace_back(key(item), item);
  in.step(int64_t(items.size()) * 8);
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    return reverse ? less(b.first, a.first) : less(a.first, b.first);
  });
  for (size_t i = 0; i < items.size(); ++i) items[i] = keyed[i].second;
}

Value f_length(Interpreter&, const Value& v, Args&) {
  if (v.is_string()) return text_length(v.string());
  if (v.is_list()) return int64_t(v.items().size());
  if (v.is_dict()) return int64_t(v.pairs().size());
  if (v.is_undefined()) return int64_t(0);
  fail(Code::bad_argument, "template: a %s has no length", v.type_name());
}

Value f_list(Interpreter& in, const Value& v, Args&) { return Value::list(in.iterate(v)); }
Value f_first(Interpreter& in, const Value& v, Args&) {
  const List items = in.iterate(v);
  return items.empty() ? Value::undefined("the first item of nothing") : items.front();
}
Value f_last(Interpreter& in, const Value& v, Args&) {
  const List items = in.iterate(v);
  return items.empty() ? Value::undefined("the last item of nothing") : items.back();
}

Value f_reverse(Interpreter& in, const Value& v, Args&) {
  List items = in.iterate(v);
  std::reverse(items.begin(), items.end());
  if (!v.is_string()) return Value::list(std::move(items));
  std::string out;
  for (const Value& c : items) out += c.string();
  return in.text(std::move(out));
}

Value f_join(Interpreter& in, const Value& v, Args& args) {
  const std::string separator = args.string(0, "d", "");
  const Value* attribute = args.find(1, "attribute");
  std::string out;
  bool first = true;
  for (const Value& item : in.iterate(v)) {
    const std::string part = key_of(in, item, attribute).text();
    in.charge(part.size() + separator.size());
    if (!first) out += separator;
    out += part;
    first = false;
  }
  return Value(std::move(out));
}

Value f_items(Interpreter&, const Value& v, Args&) {
  if (v.is_undefined()) return Value::list({});
  if (!v.is_dict()) fail(Code::bad_argument, "template: items of a %s", v.type_name());
  List out;
  for (const auto& [key, value] : v.pairs()) out.push_back(Value::list({key, value}, true));
  return Value::list(std::move(out));
}

Value f_dictsort(Interpreter& in, const Value& v, Args& args) {
  List items = f_items(in, v, args).items();
  const bool case_sensitive = args.boolean(0, "case_sensitive", false);
  const size_t side = args.string(1, "by", "key") == "value";
  sort_by(in, items, args.boolean(2, "reverse", false),
          [&](const Value& pair) { return key_of(in, pair.items()[side], nullptr, case_sensitive); });
  return Value::list(std::move(items));
}

Value f_sort(Interpreter& in, const Value& v, Args& args) {
  List items = in.iterate(v);
  const bool case_sensitive = args.boolean(1, "case_sensitive", false);
  const Value* attribute = args.find(2, "attribute");
  sort_by(in, items, args.boolean(0, "reverse", false),
          [&](const Value& item) { return key_of(in, item, attribute, case_sensitive); });
  return Value::list(std::move(items));
}

Value f_unique(Interpreter& in, const Value& v, Args& args) {
  List seen, out;
  const bool case_sensitive = args.boolean(0, "case_sensitive", false);
  for (const Value& item : in.iterate(v)) {
    const Value key = key_of(in, item, args.find(1, "attribute"), case_sensitive);
    check_hashable(key);
    in.step(int64_t(seen.size()));
    if (std::any_of(seen.begin(), seen.end(), [&](const Value& s) { return equal(s, key); })) continue;
    seen.push_back(key);
    out.push_back(item);
  }
  return Value::list(std::move(out));
}

Value f_groupby(Interpreter& in, const Value& v, Args& args) {
  List items = in.iterate(v), out, group;
  const Value* attribute = args.find(0, "attribute");
  const Value* otherwise = args.find(1, "default");
  const auto key = [&](const Value& item) {
    const Value found = key_of(in, item, attribute);
    return found.is_undefined() && otherwise ? *otherwise : found;
  };
  const auto folded = [&](const Value& item) {
    return key_of(in, key(item), nullptr, args.boolean(2, "case_sensitive", false));
  };
  sort_by(in, items, false, folded);
  for (size_t i = 0; i < items.size(); ++i) {
    group.push_back(items[i]);
    if (i + 1 < items.size() && equal(folded(items[i]), folded(items[i + 1]))) continue;
    out.push_back(Value::list({key(group.front()), Value::list(group)}, true));
    group.clear();
  }
  return Value::list(std::move(out));
}

Value extreme(Interpreter& in, const Value& v, Args& args, bool largest) {
  const List items = in.iterate(v);
  const bool case_sensitive = args.boolean(0, "case_sensitive", false);
  const auto key = [&](const Value& item) { return key_of(in, item, args.find(1, "attribute"), case_sensitive); };
  if (items.empty()) return Value::undefined("the extreme of nothing");
  size_t best = 0;
  for (size_t i = 1; i < items.size(); ++i) {
    if (largest ? less(key(items[best]), key(items[i])) : less(key(items[i]), key(items[best]))) best = i;
  }
  return items[best];
}
Value f_max(Interpreter& in, const Value& v, Args& args) { return extreme(in, v, args, true); }
Value f_min(Interpreter& in, const Value& v, Args& args) { return extreme(in, v, args, false); }

Value f_sum(Interpreter& in, const Value& v, Args& args) {
  const Value* start = args.find(1, "start");
  Value total = start ? *start : Value(int64_t(0));
  for (const Value& item : in.iterate(v)) total = binary(in, "+", total, key_of(in, item, args.find(0, "attribute")));
  return total;
}

Value f_attr(Interpreter&, const Value& v, Args& args) {
  Value out;
  const std::string name = args.string(0, "name", "");
  return v.is_object() && v.object()->attribute(name, out) ? out : Value::undefined(name);
}

Value f_batch(Interpreter& in, const Value& v, Args& args) {
  const int64_t count = std::max<int64_t>(args.integer(0, "linecount", 1), 1);
  const Value* fill = args.find(1, "fill_with");
  List out, row;
  for (const Value& item : in.iterate(v)) {
    if (int64_t(row.size()) == count) out.push_back(Value::list(std::exchange(row, {})));
    row.push_back(item);
  }
  if (row.empty()) return Value::list(std::move(out));
  if (fill && !fill->is_none()) {
    in.step(count);
    row.resize(size_t(count), *fill);
  }
  out.push_back(Value::list(std::move(row)));
  return Value::list(std::move(out));
}

Value f_slice(Interpreter& in, const Value& v, Args& args) {
  const List items = in.iterate(v);
  const int64_t slices = args.integer(0, "slices", 1);
  const Value* fill = args.find(1, "fill_with");
  if (slices < 1) fail(Code::bad_argument, "template: slice into %d parts", int(slices));
  in.step(slices);
  const size_t each = items.size() / size_t(slices), longer = items.size() % size_t(slices);
  List out;
  size_t at = 0;
  for (size_t i = 0; i < size_t(slices); ++i) {
    const size_t count = each + (i < longer);
    List row(items.begin() + ptrdiff_t(at), items.begin() + ptrdiff_t(at + count));
    if (fill && !fill->is_none() && i >= longer) row.push_back(*fill);
    out.push_back(Value::list(std::move(row)));
    at += count;
  }
  return Value::list(std::move(out));
}

Args without_first(const Args& args, size_t count) {
  Args rest = args;
  rest.positional.erase(rest.positional.begin(),
                        rest.positional.begin() + ptrdiff_t(std::min(count, rest.positional.size())));
  return rest;
}

Value f_map(Interpreter& in, const Value& v, Args& args) {
  List out;
  const bool by_attribute = args.positional.empty();
  const Value* attribute = by_attribute ? args.find(0, "attribute") : nullptr;
  if (by_attribute && !attribute) fail(Code::bad_argument, "template: map() needs a filter's name or attribute=");
  const Value* otherwise = by_attribute ? args.find(1, "default") : nullptr;
  for (const Value& item : in.iterate(v)) {
    if (by_attribute) {
      const Value found = in.get_path(item, attribute->text());
      out.push_back(found.is_undefined() && otherwise ? *otherwise : found);
    } else {
      Args rest = without_first(args, 1);
      out.push_back(in.apply_filter(args.positional[0].text(), item, rest));
    }
  }
  return Value::list(std::move(out));
}

// select, reject, selectattr, rejectattr: keep where the test gives `wanted`.
Value choose(Interpreter& in, const Value& v, Args& args, bool wanted, bool by_attribute) {
  const size_t skip = by_attribute ? 1 : 0;
  if (by_attribute && args.positional.empty()) fail(Code::bad_argument, "template: an attribute's name is needed");
  List out;
  for (const Value& item : in.iterate(v)) {
    const Value key = by_attribute ? in.get_path(item, args.positional[0].text()) : item;
    bool holds = key.truth();
    if (args.positional.size() > skip) {
      Args rest = without_first(args, skip + 1);
      holds = in.apply_test(args.positional[skip].text(), key, rest);
    }
    if (holds == wanted) out.push_back(item);
  }
  return Value::list(std::move(out));
}
Value f_select(Interpreter& in, const Value& v, Args& args) { return choose(in, v, args, true, false); }
Value f_reject(Interpreter& in, const Value& v, Args& args) { return choose(in, v, args, false, false); }
Value f_selectattr(Interpreter& in, const Value& v, Args& args) { return choose(in, v, args, true, true); }
Value f_rejectattr(Interpreter& in, const Value& v, Args& args) { return choose(in, v, args, false, true); }

const NamedApply kFilters[] = {
    {"attr", f_attr},
    {"batch", f_batch},
    {"count", f_length},
    {"dictsort", f_dictsort},
    {"first", f_first},
    {"groupby", f_groupby},
    {"items", f_items},
    {"join", f_join},
    {"last", f_last},
    {"length", f_length},
    {"list", f_list},
    {"map", f_map},
    {"max", f_max},
    {"min", f_min},
    {"reject", f_reject},
    {"rejectattr", f_rejectattr},
    {"reverse", f_reverse},
    {"select", f_select},
    {"selectattr", f_selectattr},
    {"slice", f_slice},
    {"sort", f_sort},
    {"sum", f_sum},
    {"unique", f_unique},
};

}  // namespace

Apply find_sequence_filter(std::string_view name) { return find_row(kFilters, name); }

}  // namespace loam::jinja
