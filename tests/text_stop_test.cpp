// Stop texts in a stream, against looking for them in the whole text.
#include <doctest/doctest.h>

#include <chrono>
#include <random>

#include "core/error.h"
#include "core/text/stop.h"

namespace {
using namespace loam;

struct Result {
  std::string shown, found;
};

// The definition: the first byte at which any text is complete; of several, the longest.
Result define(const std::string& stream, const std::vector<std::string>& stops) {
  for (size_t end = 1; end <= stream.size(); ++end) {
    std::string longest;
    for (const std::string& stop : stops) {
      if (std::string_view(stream).substr(0, end).ends_with(stop) && stop.size() > longest.size()) longest = stop;
    }
    if (!longest.empty()) return {stream.substr(0, end - longest.size()), longest};
  }
  return {stream, ""};
}

// What may still become a stop text: the longest end of the stream that begins one.
size_t must_hold(const std::string& stream, const std::vector<std::string>& stops) {
  for (size_t length = stream.size(); length > 0; --length) {
    for (const std::string& stop : stops) {
      if (stop.starts_with(stream.substr(stream.size() - length))) return length;
    }
  }
  return 0;
}

TEST_CASE("stop: streams in random pieces are what the definition says, and nothing is held back too long") {
  const uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 rng(seed);
  int stopped = 0;
  for (int round = 0; round < 4000; ++round) {
    const uint32_t alphabet = 1 + rng() % 3;
    const auto word = [&](size_t length) {
      std::string text;
      for (; length > 0; --length) text += char("ab\xc3"[rng() % alphabet]);
      return text;
    };
    std::vector<std::string> stops;
    for (uint32_t i = rng() % 5; i > 0; --i) stops.push_back(word(1 + rng() % 8));
    StopMatcher matcher(stops);
    for (int again = 0; again < 2; ++again) {
      const std::string stream = word(rng() % 60);
      std::string shown;
      size_t at = 0;
      while (at < stream.size() && !matcher.stopped()) {
        const size_t length = std::min<size_t>(rng() % 6, stream.size() - at);
        size_t used = 99;
        shown += matcher.push(std::string_view(stream).substr(at, length), &used);
        REQUIRE((used == length || (used < length && matcher.stopped())));
        at += used;
        if (matcher.stopped()) REQUIRE(at == shown.size() + matcher.found().size());
        if (!matcher.stopped()) REQUIRE(at - shown.size() == must_hold(stream.substr(0, at), stops));
      }
      if (matcher.stopped()) CHECK(matcher.push("more").empty());
      shown += matcher.finish();
      const Result want = define(stream, stops);
      REQUIRE(shown == want.shown);
      REQUIRE(matcher.found() == want.found);
      REQUIRE(matcher.stopped() == !want.found.empty());
      stopped += matcher.stopped();
      matcher.reset();
    }
  }
  CHECK(stopped > 1000);
}

TEST_CASE("stop: texts may begin and end inside a character's bytes") {
  const std::vector<std::string> stops{"\xc3\xa9t\xc3\xa9", "\xf0\x9f\x98\x80"};
  StopMatcher matcher(stops);
  CHECK(matcher.push("an \xc3") == "an ");
  CHECK(matcher.push("\xa9") == "");
  CHECK(matcher.push("cole \xf0\x9f") ==
        "\xc3\xa9"
        "cole ");
  CHECK(matcher.push("\x98\x81 ") == "\xf0\x9f\x98\x81 ");
  CHECK(matcher.push("\xc3\xa9t\xc3") == "");
  CHECK(matcher.push("\xa9 more") == "");
  CHECK(matcher.found() == stops[0]);
}

TEST_CASE("stop: what cannot be is an error; no texts let everything pass") {
  CHECK_THROWS_AS(StopMatcher(std::vector<std::string>{"a", ""}), Error);
  CHECK_THROWS_AS(StopMatcher(std::vector<std::string>{std::string(2 << 20, 'a')}), Error);
  StopMatcher none;
  CHECK(none.push("abc") == "abc");
  CHECK(none.finish().empty());
  CHECK_FALSE(none.stopped());
}

// One letter for ever, against a text of many of them and another letter, in single bytes: the worst that there is.
TEST_CASE("stop: the time is linear") {
  std::vector<std::string> stops{std::string(20000, 'a') + "b"};
  for (int i = 0; i < 2000; ++i) stops.push_back("x" + std::to_string(i));
  StopMatcher matcher(stops);
  const auto start = std::chrono::steady_clock::now();
  size_t shown = 0;
  for (int i = 0; i < 2000000; ++i) shown += matcher.push("a").size();
  CHECK(shown == 2000000 - 20000);
  CHECK(matcher.finish().size() == 20000);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

}  // namespace
