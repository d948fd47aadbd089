// Utf8Stream: never half a sequence, nothing lost.
#include <doctest/doctest.h>

#include <random>

#include "core/text/unicode.h"
#include "core/text/utf8_stream.h"

namespace {
using namespace loam;

// The definition: one U+FFFD per maximal invalid part, on the whole text.
std::string whole(const std::string& bytes) {
  Utf8Stream s;
  std::string out = s.push(bytes);
  return out + s.finish();
}

bool is_utf8(const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const Char c = decode_utf8(text, at);
    if (c.code >= kInvalidByte) return false;
    at += c.bytes;
  }
  return true;
}

TEST_CASE("utf8 stream: whole sequences pass, halves wait") {
  Utf8Stream s;
  CHECK(s.push("a\xc3") == "a");
  CHECK(s.push("\xa9") == "\xc3\xa9");
  CHECK(s.push("\xf0\x9f") == "");
  CHECK(s.push("\x98") == "");
  CHECK(s.push("\x80!") == "\xf0\x9f\x98\x80!");
  CHECK(s.finish() == "");
}

TEST_CASE("utf8 stream: invalid bytes become U+FFFD as soon as they are certain") {
  const std::string r = "\xef\xbf\xbd";
  CHECK(whole("\x80") == r);
  CHECK(whole("\xc0\x80") == r + r);
  CHECK(whole("\xe2\x82") == r);
  CHECK(whole("\xe2\x82x") == r + "x");
  CHECK(whole("\xed\xa0\x80") == r + r + r);  // a surrogate
  CHECK(whole("\xf0\x80\x80\x80") == r + r + r + r);
  CHECK(whole("\xf4\x90") == r + r);
  CHECK(whole("\xff\xfe") == r + r);
  Utf8Stream s;
  CHECK(s.push("\xe2\x82\xe2") == r);
  CHECK(s.finish() == r);
  CHECK(s.finish() == "");
}

TEST_CASE("utf8 stream: any cut gives the same text") {
  const uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 rng(seed);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes;
    for (int i = int(rng() % 20); i > 0; --i) {
      if (rng() % 2)
        bytes += char(rng());
      else
        append_utf8(bytes, rng() % 4 ? rng() % 0xd800 : 0x10000 + rng() % 0x100000);
    }
    Utf8Stream s;
    std::string streamed;
    for (size_t at = 0; at < bytes.size();) {
      const size_t count = 1 + rng() % 3;
      const std::string part = s.push(std::string_view(bytes).substr(at, count));
      REQUIRE(is_utf8(part));
      streamed += part;
      at += count;
    }
    streamed += s.finish();
    CHECK(streamed == whole(bytes));
    if (is_utf8(bytes)) CHECK(streamed == bytes);
  }
}

}  // namespace
