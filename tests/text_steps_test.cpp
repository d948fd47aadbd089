// Steps of tokenizers: bad input, bounds and bytes that are not UTF-8. What they do is compared by
// text_steps_oracle.py.
#include <doctest/doctest.h>

#include <ctime>
#include <random>

#include "core/error.h"
#include "core/text/charsmap.h"
#include "core/text/gguf_pre.h"
#include "core/text/json.h"
#include "core/text/regex.h"
#include "core/text/scanners.h"
#include "core/text/spaced_class.h"
#include "core/text/steps.h"
#include "core/text/tokenizer_spec.h"
#include "core/text/unicode.h"

namespace {
using namespace loam;

double cpu_seconds() { return double(std::clock()) / CLOCKS_PER_SEC; }

// Code points that Debian's Oniguruma knows, of the kinds that patterns tell apart.
uint32_t random_code(std::mt19937& rng) {
  constexpr std::string_view kAscii = " \n\t\r'sStTlLvVeErRmMdD12aA.,/-_";
  constexpr uint32_t kOdd[] = {0x17f,  0x1c5,  0x2b0,  0x300,  0x903,  0x4e00, 0x3005,  0x3007,
                               0x2e80, 0x3042, 0x30fc, 0xac00, 0x2167, 0xbd,   0x660,   0xa0,
                               0x85,   0x3000, 0x2028, 0x20ac, 0x201c, 0x200d, 0x1f600, 0x212a};
  switch (rng() % 6) {
    case 0: return 0x80 + rng() % 0x1b80;  // below the first letters of Unicode 16
    case 1: return 0x1d400 + rng() % 0x400;
    case 2: return kOdd[rng() % std::size(kOdd)];
    default: return uint8_t(kAscii[rng() % kAscii.size()]);
  }
}

TEST_CASE("steps: the scanners equal their patterns") {
  const uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 rng(seed);
  for (const ScannerRow& row : all_scanners()) {
    CAPTURE(row.pattern);
    CHECK((find_scanner(row.pattern) == &row));
    const Regex regex(row.pattern);
    for (int round = 0; round < 3000; ++round) {
      std::string text;
      if (rng() % 20 == 0) text.append(rng() % (round % 100 ? 60 : 1200), ' ');  // Oniguruma takes cubic time
      for (int i = int(rng() % 24); i > 0; --i) {
        const uint32_t code = random_code(rng);
        const bool young =
            code == 0x897 || code == 0xcf3 || code == 0xece || code == 0x1b4e || code == 0x1b4f || code == 0x1b7f;
        if (!young) append_utf8(text, rng() % 40 ? code : kInvalidByte + 0x80 + rng() % 0x80);
      }
      CAPTURE(text);
      std::vector<std::pair<size_t, size_t>> found, expected;
      for (size_t at = 0; at < text.size();) {
        const size_t end = row.scan(text, at);
        if (end > at)
          found.emplace_back(at, end);
        else
          CHECK_FALSE(row.everywhere);
        at = end > at ? end : at + decode_utf8(text, at).bytes;
      }
      RegexSearch search(regex, text);
      for (Regex::Match m{}; search.next(m);) expected.emplace_back(m.begin, m.end);
      CHECK((found == expected));
    }
  }
  CHECK((find_scanner("x+") == nullptr));
  CHECK((find_scanner("[\r\n]") != nullptr));  // the characters themselves, as some files have them
}

// deepseek-llm's two, and some that look like them.
TEST_CASE("steps: classes behind a space equal their patterns") {
  const uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 rng(seed);
  std::vector<std::string> patterns{"\\s?[a]+", "\\s?[a-f0-9 ]+",
                                    "\\s?[!-/:-~\xef\xbc\x81-\xef\xbc\x8f\xe3\x80\x80-\xe3\x80\x82]+"};
  for (const PreStep& step : find_gguf_pre("deepseek-llm").steps) {
    if (step.pattern && std::string_view(step.pattern).starts_with("\\s?")) patterns.emplace_back(step.pattern);
  }
  REQUIRE(patterns.size() == 5);
  for (const std::string& pattern : patterns) {
    CAPTURE(pattern);
    const auto spaced = SpacedClass::parse(pattern);
    REQUIRE(spaced);
    const Regex regex(pattern);
    for (int round = 0; round < 3000; ++round) {
      std::string text;
      for (int i = int(rng() % 24); i > 0; --i)
        append_utf8(text, rng() % 40 ? random_code(rng) : kInvalidByte + 0x80 + rng() % 0x80);
      CAPTURE(text);
      std::vector<std::pair<size_t, size_t>> found, expected;
      for (size_t at = 0; at < text.size();) {
        const size_t end = spaced->scan(text, at);
        if (end > at) found.emplace_back(at, end);
        at = end > at ? end : at + decode_utf8(text, at).bytes;
      }
      RegexSearch search(regex, text);
      for (Regex::Match m{}; search.next(m);) expected.emplace_back(m.begin, m.end);
      CHECK((found == expected));
    }
  }
  for (const char* pattern :
       {"\\s?[^a]+", "\\s?[\\d]+", "\\s?[a&&b]+", "\\s?[a-]+", "\\s?[z-a]+", "\\s?[]+", "[a]+", "\\s?[a]+|b]+"})
    CHECK_FALSE(SpacedClass::parse(pattern));
}

TEST_CASE("steps: a regex that takes too long is an error, not a hang") {
  const std::string letters(1 << 16, 'a');
  for (const char* pattern : {"(a+)+$b", "(a|aa)+$b|x", "(?:a*+b|x)y?", "(.*)x|(?=.*z)", "(a*)*c"}) {
    CAPTURE(pattern);
    const double start = cpu_seconds();
    const Regex regex(pattern);
    try {
      RegexSearch search(regex, letters);
      for (Regex::Match m{}; search.next(m);) {
      }
    } catch (const Error& e) {
      CHECK((e.code == Code::bad_argument));
    }
    CHECK(cpu_seconds() - start < 20);
  }
  CHECK_THROWS_AS(Regex("(a"), Error);
}

TEST_CASE("steps: bytes that are not UTF-8 pass through every normalizer") {
  const uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 rng(seed);
  for (
      const char* json :
      {R"({"type":"NFC"})", R"({"type":"NFKD"})", R"({"type":"Lowercase"})", R"({"type":"StripAccents"})",
       R"({"type":"Nmt"})", R"({"type":"Strip","strip_left":true,"strip_right":true})",
       R"({"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true})",
       R"({"type":"Replace","pattern":{"Regex":"\\s+|x"},"content":" "})", R"({"type":"Prepend","prepend":"_"})"}) {
    CAPTURE(json);
    const Normalizer step = make_normalizer(parse_json(json, "test"));
    for (int round = 0; round < 500; ++round) {
      std::string text, invalid, kept;
      for (int i = int(rng() % 30); i > 0; --i)
        append_utf8(text, rng() % 3 ? random_code(rng) : kInvalidByte + 0x80 + rng() % 0x80);
      const auto collect = [](std::string_view from, std::string& to) {
        for_each_char(from, [&](Char c) {
          if (c.code >= kInvalidByte) to += char(c.code - kInvalidByte);
        });
      };
      collect(text, invalid);
      bool first = true;
      std::string out = text;
      step(out, first);
      collect(out, kept);
      // Removing what is between two halves may join them to a character; so the bytes may only become fewer.
      CHECK(kept.size() <= invalid.size());
      if (std::string_view(json).find("NF") != std::string_view::npos) CHECK(kept == invalid);
    }
  }
}

TEST_CASE("steps: damaged charsmaps") {
  const uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 rng(seed);
  CHECK_THROWS_AS(Charsmap(""), Error);
  CHECK_THROWS_AS(Charsmap(std::string("\xff\xff\xff\x7f", 4)), Error);
  CHECK_THROWS_AS(Charsmap(std::string("\x03\0\0\0abc", 7)), Error);
  for (int round = 0; round < 2000; ++round) {
    const uint32_t units = 1 + rng() % 600;
    std::string bytes(4 + 4 * units + rng() % 20, '\0');
    for (char& c : bytes) c = rng() % 3 ? char(rng()) : '\0';
    for (size_t i = 0; i < 4; ++i) bytes[i] = char(4 * units >> 8 * i);
    for (uint32_t i = 0; i < units; ++i)
      bytes[4 + 4 * i] = char(i ^ rng() % 4), bytes[7 + 4 * i] &= char(rng() % 2 ? 0 : 0xff);
    const Charsmap map(bytes);
    std::string text;
    for (int i = 0; i < 40; ++i) append_utf8(text, rng() % 4 ? random_code(rng) : kInvalidByte + 0x80 + rng() % 0x80);
    for (size_t at = 0; at < text.size(); ++at) {
      CHECK(map.longest(text, at).bytes <= text.size() - at);
      CHECK(map.shortest(text, at).bytes <= map.longest(text, at).bytes);
    }
    apply_by_graphemes(map, text);
  }
  std::string out;
  CHECK(decode_base64("TWFu", out));
  CHECK(out == "Man");
  CHECK(decode_base64("TQ==", out));
  CHECK(out == "M");
  CHECK_FALSE(decode_base64("TWF", out));
  CHECK_FALSE(decode_base64("TW!u", out));
}

TEST_CASE("steps: unknown names and bad fields are errors that tell them") {
  const auto message = [](auto make, const char* json) -> std::string {
    try {
      make(parse_json(json, "test"));
    } catch (const Error& e) {
      return e.what();
    }
    return "none";
  };
  CHECK(message(make_normalizer, R"({"type":"Sequence","normalizers":[{"type":"Shout"}]})").find("'Shout'") !=
        std::string::npos);
  CHECK(message(make_pre_tokenizer, R"({"type":"Sequence","pretokenizers":[{"type":"Shred"}]})").find("'Shred'") !=
        std::string::npos);
  CHECK(message(make_decoder, R"({"type":"Sequence","decoders":[{"type":"Sing"}]})").find("'Sing'") !=
        std::string::npos);
  CHECK(message(make_normalizer, R"({"type":"Precompiled","precompiled_charsmap":"%%"})").find("base64") !=
        std::string::npos);
  CHECK(message(make_pre_tokenizer, R"({"type":"Split","pattern":{"String":"a"},"behavior":"Sideways"})")
            .find("'Sideways'") != std::string::npos);
  CHECK(message(make_pre_tokenizer, R"({"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated"})").find("'('") !=
        std::string::npos);
  for (const char* json :
       {R"({})", R"(3)", R"({"type":"CharDelimiterSplit","delimiter":"ab"})", R"({"type":"FixedLength","length":0})",
        R"({"type":"Metaspace","replacement":"","split":true})", R"({"type":"Metaspace","prepend_scheme":"often"})"}) {
    CHECK(message(make_pre_tokenizer, json) != "none");
  }
  for (const char* json : {R"({"type":"Strip","content":""})", R"({"type":"Strip","content":"a","start":-1})",
                           R"({"type":"BPEDecoder","suffix":""})", R"({"type":"CTC","pad_token":""})",
                           R"({"type":"Replace","pattern":3,"content":""})"}) {
    CHECK(message(make_decoder, json) != "none");
  }
}

TEST_CASE("steps: templates") {
  TokenizerSpecBuilder builder;
  for (const char* token : {"<s>", "</s>", "a"}) builder.add(token);
  const TokenizerSpec spec = builder.finish({});
  const auto make = [&](const std::string& single, const char* ids = "[0]") {
    return make_post_processor(parse_json(R"({"type":"TemplateProcessing","single":[)" + single +
                                              R"(],"special_tokens":{"x":{"ids":)" + ids + "}}}",
                                          "test"),
                               spec);
  };
  const std::string x = R"({"SpecialToken":{"id":"x"}})", text = R"({"Sequence":{"id":"A"}})";
  const Special s = make(x + "," + text + "," + x, "[0,1]");
  CHECK((s.before == std::vector<int32_t>{0, 1}));
  CHECK((s.after == std::vector<int32_t>{0, 1}));
  CHECK_THROWS_AS(make(x), Error);
  CHECK_THROWS_AS(make(text + "," + text), Error);
  CHECK_THROWS_AS(make(x + "," + text, "[3]"), Error);
  CHECK_THROWS_AS(make(R"({"SpecialToken":{"id":"y"}},)" + text), Error);
}

TEST_CASE("steps: decoders on single pieces and on bytes") {
  const auto decode = [](const char* json, Tokens tokens, bool begins = true) {
    return make_decoder(parse_json(json, "test")).decode(std::move(tokens), begins);
  };
  CHECK(decode(R"({"type":"ByteFallback"})", {"<0xE2>", "<0x96>", "a", "<0xff>"}) ==
        "\xe2\x96"
        "a\xff");
  CHECK(decode(R"({"type":"WordPiece","prefix":"##","cleanup":true})", {"it", "##s", ".", "no"}) == "its. no");
  CHECK(decode(R"({"type":"WordPiece","prefix":"##","cleanup":true})", {"no"}, false) == " no");
  CHECK(decode("null", {"a", "b"}) == "a b");
  CHECK(decode("null", {"b"}, false) == " b");
  const char* llama = R"({"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"_"},"content":" "},
      {"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]})";
  CHECK(decode(llama, {"_a", "_b"}) == "a b");
  CHECK(decode(llama, {"_b"}, false) == " b");
  CHECK(decode(R"({"type":"Strip","content":"a","start":1,"stop":1})", {"a", "aba"}) == "b");
  CHECK(decode(R"({"type":"Fuse"})", {}) == "");
}

}  // namespace
