// Filters that make generators: nothing happens before someone asks for an item, and each item is made once.
#include <algorithm>
#include <unordered_map>

#include "core/error.h"
#include "core/text/jinja/filters_sequence.h"
#include "core/text/jinja/objects.h"

namespace loam::jinja {
namespace {

using List = std::vector<Value>;
using IteratorPtr = std::shared_ptr<Iterator>;

Args without_first(const Args& args, size_t count) {
  Args rest = args;
  rest.positional.erase(rest.positional.begin(),
                        rest.positional.begin() + ptrdiff_t(std::min(count, rest.positional.size())));
  return rest;
}

Value f_items(Interpreter&, const Value& v, Args&) {
  return make_generator(v, [v, from = IteratorPtr()](Interpreter& in, Value& out) mutable {
    if (v.is_undefined()) return false;
    if (!v.is_dict()) fail(Code::bad_argument, "template: items of a %s", v.type_name());
    if (!from) from = in.iterate(Value::make<DictView>(v, DictView::items));
    return from->next(in, out);
  });
}

Value f_batch(Interpreter&, const Value& v, Args& args) {
  const Value count_value = *args.find(0, "linecount");
  const Value* fill_value = args.given(1, "fill_with");
  const std::optional<Value> fill = fill_value ? std::optional(*fill_value) : std::nullopt;
  return make_generator(
      v, [v, count_value, fill, from = IteratorPtr(), row = List()](Interpreter& in, Value& out) mutable {
        const auto size_is_count = [&] { return equal(Value(int64_t(row.size())), count_value); };
        if (!from) from = in.iterate(v);
        for (Value item; from->next(in, item);) {
          in.step();
          const bool full = size_is_count();
          if (full) out = Value::list(std::exchange(row, {}));
          row.push_back(std::move(item));
          if (full) return true;
        }
        if (row.empty()) return false;
        if (fill) {
          if (!count_value.is_integral()) fail(Code::bad_argument, "template: batch needs an integer");
          const int64_t missing = count_value.integer() - int64_t(row.size());
          in.charge(std::min(std::max<int64_t>(missing, 0), int64_t(1) << 40) * 32);
          for (int64_t i = 0; i < missing; ++i) row.push_back(*fill);
        }
        out = Value::list(std::exchange(row, {}));
        return true;
      });
}

Value f_slice(Interpreter&, const Value& v, Args& args) {
  const Value slices_value = *args.find(0, "slices");
  const Value* fill_value = args.given(1, "fill_with");
  const std::optional<Value> fill = fill_value ? std::optional(*fill_value) : std::nullopt;
  struct State {
    std::optional<List> items;
    int64_t next = 0, at = 0;
  };
  return make_generator(v, [v, slices_value, fill, state = State()](Interpreter& in, Value& out) mutable {
    if (!state.items) state.items = in.to_list(v);
    if (slices_value.is_undefined()) fail_undefined(slices_value);
    if (!slices_value.is_integral() || slices_value.integer() == 0) {
      fail(Code::bad_argument, "template: slice needs an integer that is not 0");
    }
    const int64_t slices = slices_value.integer(), size = int64_t(state.items->size());
    if (state.next >= slices) return false;
    const bool longer = state.next++ < size % slices;
    const int64_t count = size / slices + longer;
    List row(state.items->begin() + state.at, state.items->begin() + state.at + count);
    state.at += count;
    if (fill && !longer) row.push_back(*fill);
    out = Value::list(std::move(row));
    return true;
  });
}

Value f_map(Interpreter&, const Value& v, Args& args) {
  struct State {
    IteratorPtr from;
    std::optional<Getter> get;
  };
  return make_generator(v, [v, given = args, state = State()](Interpreter& in, Value& out) mutable {
    if (!state.from) {
      if (!in.truth(v)) return false;
      if (given.positional.empty()) {
        const Value *attribute = given.find(0, "attribute"), *otherwise = given.find(1, "default");
        if (!attribute) fail(Code::bad_argument, "template: map() needs a filter's name or attribute=");
        if (given.named.size() > 1 + size_t(otherwise != nullptr)) {
          fail(Code::bad_argument, "template: map(attribute=) takes only default=");
        }
        state.get.emplace(in, attribute, false, otherwise);
      }
      state.from = in.iterate(v);
    }
    Value item;
    if (!state.from->next(in, item)) return false;
    if (state.get) {
      out = (*state.get)(item);
    } else {
      Args rest = without_first(given, 1);
      out = in.apply_filter(given.positional[0], item, rest);
    }
    return true;
  });
}

// select, reject, selectattr, rejectattr: keep where the test gives `wanted`.
Value choose(const Value& v, const Args& args, bool wanted, bool by_attribute) {
  struct State {
    IteratorPtr from;
    std::optional<Getter> get;
  };
  return make_generator(v,
                        [v, given = args, wanted, by_attribute, state = State()](Interpreter& in, Value& out) mutable {
                          const size_t skip = by_attribute ? 1 : 0;
                          if (!state.from) {
                            if (!in.truth(v)) return false;
                            if (given.positional.size() < skip)
                              fail(Code::bad_argument, "template: an attribute's name is needed");
                            state.get.emplace(in, by_attribute ? &given.positional[0] : nullptr);
                            state.from = in.iterate(v);
                          }
                          while (state.from->next(in, out)) {
                            in.step();
                            const Value key = (*state.get)(out);
                            bool holds = false;
                            if (given.positional.size() > skip) {
                              Args rest = without_first(given, skip + 1);
                              holds = in.apply_test(given.positional[skip], key, rest);
                            } else {
                              holds = in.truth(key);
                            }
                            if (holds == wanted) return true;
                          }
                          return false;
                        });
}
Value f_select(Interpreter&, const Value& v, Args& args) { return choose(v, args, true, false); }
Value f_reject(Interpreter&, const Value& v, Args& args) { return choose(v, args, false, false); }
Value f_selectattr(Interpreter&, const Value& v, Args& args) { return choose(v, args, true, true); }
Value f_rejectattr(Interpreter&, const Value& v, Args& args) { return choose(v, args, false, true); }

Value f_unique(Interpreter& outer, const Value& v, Args& args) {
  const Value *sensitive = args.find(0, "case_sensitive"), *attribute = args.find(1, "attribute");
  struct State {
    IteratorPtr from;
    std::unordered_multimap<uint64_t, Value> seen;
  };
  const Getter get(outer, attribute, !sensitive || !outer.truth(*sensitive));
  return make_generator(v, [v, get, state = State()](Interpreter& in, Value& out) mutable {
    if (!state.from) state.from = in.iterate(v);
    while (state.from->next(in, out)) {
      const Value key = get(out);
      check_hashable(key);
      in.walk(key);
      in.charge(64 * 6);
      const uint64_t hash = hash_of(key);
      const auto [begin, end] = state.seen.equal_range(hash);
      if (std::any_of(begin, end, [&](const auto& s) { return in.equals(s.second, key); })) continue;
      state.seen.emplace(hash, key);
      return true;
    }
    return false;
  });
}

constexpr FunctionRow kFilters[] = {
    {"batch", f_batch, "linecount fill_with?"},
    {"items", f_items},
    {"map", f_map, "* **"},
    {"reject", f_reject, "* **"},
    {"rejectattr", f_rejectattr, "* **"},
    {"select", f_select, "* **"},
    {"selectattr", f_selectattr, "* **"},
    {"slice", f_slice, "slices fill_with?"},
    {"unique", f_unique, "case_sensitive? attribute?"},
};

}  // namespace

std::span<const FunctionRow> lazy_filters() { return kFilters; }

}  // namespace loam::jinja
