// Byte-pair merging of a word's first symbols: of all neighbours the pair with the lowest rank merges first, the
// leftmost among equals. Long words are merged in windows, so that the work is linear and stays in the cache.
//
// Why windows are exact: tokens t1..tn are the result for a word if and only if merging t[i] t[i+1] alone gives these
// two again, for every i. For the first merge that crosses a border would also be the first to cross it in the pair
// alone; and where no merge crosses a border, both sides go their own way.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace loam {

struct Merge {
  uint32_t rank;
  int32_t result;  // -1: these two do not merge
};

// A token in the making: a range of first symbols.
struct Symbol {
  int32_t id;
  uint32_t begin, end;
};

// Reused from word to word.
struct MergeScratch {
  static constexpr size_t kSmall = 32;  // symbols up to which a scan for the best pair beats a heap
  struct Link {
    Symbol symbol;
    int32_t previous, next;
  };
  struct Candidate {
    uint64_t order;  // rank and place
    uint32_t end;    // of both together; another end means that a side has changed
    int32_t left, result;
  };
  std::vector<Link> links;
  std::vector<Candidate> heap;
  std::vector<Symbol> tokens, window, pair;
  std::vector<int32_t> ids;
  struct Memory {
    size_t begin = 0;
    std::vector<int32_t> ids;
    std::vector<Symbol> tokens;
  };
  Memory windows, pairs;
};

namespace merging {

// At most kSmall symbols: out holds them and becomes the tokens.
template <class Find>
void merge_small(std::vector<Symbol>& out, const Find& find) {
  constexpr uint32_t kNone = 0xffffffff;
  uint32_t ranks[MergeScratch::kSmall];
  int32_t results[MergeScratch::kSmall];
  const auto look = [&](size_t i) {
    const Merge m = find(out[i], out[i + 1]);
    results[i] = m.result;
    ranks[i] = m.result < 0 ? kNone : m.rank;
  };
  size_t count = out.size();
  if (count < 2) return;
  for (size_t i = 0; i + 1 < count; ++i) look(i);
  ranks[count - 1] = kNone, results[count - 1] = -1;  // the last has no neighbour
  for (;;) {
    size_t best = 0;
    for (size_t i = 1; i < count; ++i) {
      if (ranks[i] < ranks[best]) best = i;
    }
    if (ranks[best] == kNone) break;
    out[best].id = results[best];
    out[best].end = out[best + 1].end;
    --count;
    for (size_t i = best + 1; i < count; ++i) out[i] = out[i + 1];
    for (size_t i = best; i < count; ++i) ranks[i] = ranks[i + 1], results[i] = results[i + 1];
    if (best + 1 < count) look(best);
    if (best > 0) look(best - 1);
  }
  out.resize(count);
}

// What the link `left` and its neighbour would give; false: nothing.
template <class Find>
bool look_at(const std::vector<MergeScratch::Link>& links, int32_t left, const Find& find, MergeScratch::Candidate& c) {
  const auto& l = links[size_t(left)];
  if (l.next < 0) return false;
  const Symbol& r = links[size_t(l.next)].symbol;
  const Merge m = find(l.symbol, r);
  c = {uint64_t(m.rank) << 32 | uint32_t(left), r.end, left, m.result};
  return m.result >= 0;
}

template <class Find>
void merge_with_heap(std::vector<Symbol>& out, MergeScratch& s, const Find& find) {
  using Candidate = MergeScratch::Candidate;
  auto& links = s.links;
  auto& heap = s.heap;
  links.clear(), heap.clear();
  for (size_t i = 0; i < out.size(); ++i) {
    links.push_back({out[i], int32_t(i) - 1, i + 1 < out.size() ? int32_t(i) + 1 : -1});
  }
  const auto later = [](const Candidate& a, const Candidate& b) { return a.order > b.order; };
  Candidate c;
  for (size_t i = 0; i + 1 < links.size(); ++i) {
    if (look_at(links, int32_t(i), find, c)) heap.push_back(c);
  }
  std::make_heap(heap.begin(), heap.end(), later);
  const auto offer = [&](int32_t left) {
    if (!look_at(links, left, find, c)) return;
    heap.push_back(c);
    std::push_heap(heap.begin(), heap.end(), later);
  };
  while (!heap.empty()) {
    const Candidate top = heap.front();
    std::pop_heap(heap.begin(), heap.end(), later);
    heap.pop_back();
    auto& l = links[size_t(top.left)];
    if (l.symbol.end == l.symbol.begin || l.next < 0) continue;
    auto& r = links[size_t(l.next)];
    if (r.symbol.end != top.end) continue;
    l.symbol.id = top.result, l.symbol.end = top.end;
    r.symbol.begin = r.symbol.end;  // merged away
    l.next = r.next;
    if (l.next >= 0) links[size_t(l.next)].previous = top.left;
    offer(top.left);
    if (l.previous >= 0) offer(l.previous);
  }
  out.clear();
  for (const auto& l : links) {
    if (l.symbol.end > l.symbol.begin) out.push_back(l.symbol);
  }
}

template <class First, class Find>
void merge_range(size_t begin, size_t end, const First& first, const Find& find, MergeScratch& s,
                 std::vector<Symbol>& out) {
  out.clear();
  for (size_t i = begin; i < end; ++i) out.push_back({first(i), uint32_t(i), uint32_t(i + 1)});
  if (out.size() <= MergeScratch::kSmall)
    merge_small(out, find);
  else
    merge_with_heap(out, s, find);
}

// The same; symbols that equal the last ones are not merged again, as in long runs of a character. -1 stands for many
// texts: such symbols are always merged.
template <class First, class Find>
void merge_again(size_t begin, size_t end, const First& first, const Find& find, MergeScratch& s,
                 MergeScratch::Memory& last, std::vector<Symbol>& out) {
  s.ids.clear();
  for (size_t i = begin; i < end; ++i) s.ids.push_back(first(i));
  if (s.ids != last.ids || std::find(s.ids.begin(), s.ids.end(), -1) != s.ids.end()) {
    last.ids.swap(s.ids);
    merge_range(
        begin, end, [&](size_t i) { return last.ids[i - begin]; }, find, s, last.tokens);
    last.begin = begin;
  }
  out.clear();
  const uint32_t moved = uint32_t(begin - last.begin);  // modulo 2^32
  for (const Symbol& t : last.tokens) out.push_back({t.id, t.begin + moved, t.end + moved});
}

}  // namespace merging

// The tokens of `count` first symbols in s.tokens. first(i) -> id; find(left, right) -> Merge, which may look at
// nothing but these two. `chunk`: symbols by which the window moves on.
template <class First, class Find>
void merge_symbols(size_t count, const First& first, const Find& find, MergeScratch& s, size_t chunk = 1024) {
  using merging::merge_again, merging::merge_range;
  auto& tokens = s.tokens;
  if (count <= 2 * chunk) return merge_range(0, count, first, find, s, tokens);
  tokens.clear();
  s.windows.ids.clear(), s.pairs.ids.clear();  // of another model, perhaps
  size_t budget = 16 * count;                  // of symbols merged, so that hostile vocabularies cost no more than that
  for (size_t done = 0; done < count;) {
    const size_t end = std::min(done + chunk, count);
    for (size_t back = 2;; back *= 2) {  // tokens that the text behind them may change
      const size_t keep = tokens.size() > back ? tokens.size() - back : 0;
      const size_t begin = keep ? tokens[keep - 1].end : 0;
      if (end - begin > budget) return merge_range(0, count, first, find, s, tokens);
      budget -= end - begin;
      merge_again(begin, end, first, find, s, s.windows, s.window);
      bool fits = true;
      if (keep) {
        const Symbol left = tokens[keep - 1];
        merge_again(left.begin, s.window.front().end, first, find, s, s.pairs, s.pair);
        fits = s.pair.size() == 2 && s.pair[0].end == left.end;
      }
      if (!fits) continue;
      tokens.resize(keep);
      tokens.insert(tokens.end(), s.window.begin(), s.window.end());
      break;
    }
    done = end;
  }
}

}  // namespace loam
