// JSON documents: types, limits, keys' order, text that comes back as it was.
#include <doctest/doctest.h>

#include <cmath>

#include "core/text/json.h"

namespace loam {
namespace {

Json parse(const std::string& text) { return parse_json(text, "test"); }

template <class Work>
std::string error_of(Work work) {
  try {
    with_json_errors("test", work);
  } catch (const Error& e) {
    return e.what();
  }
  return "none";
}

TEST_CASE("JSON: what is read is written") {
  for (const char* text :
       {"null", "true", "false", "0", "-1", "18446744073709551615", "-9223372036854775808", "0.1", "1e+300",
        R"("a\u0001\"\\é")", "[]", "{}", R"([1,[2,[]],{"b":null,"a":[true]}])", R"({"z":1,"a":2,"m":{"":3}})"}) {
    CHECK(parse(text).dump() == text);
    CHECK(parse(text) == parse(parse(text).dump(1)));
  }
  CHECK(Json{{"b", 1}, {"a", {{"c", Json::array({"x", 2.5})}}}}.dump() == R"({"b":1,"a":{"c":["x",2.5]}})");
  CHECK(Json(std::vector<int>{1, 2}).dump() == "[1,2]");
  CHECK(Json::object().dump() == "{}");
  CHECK(Json(std::nan("")).dump() == "null");
  CHECK(Json("a\xff").dump_any() == "\"a\xef\xbf\xbd\"");
  CHECK_THROWS_AS(Json("a\xff").dump(), JsonError);
}

TEST_CASE("JSON: of equal keys the last value counts, at the first place") {
  CHECK(parse(R"({"a":1,"b":2,"a":3,"c":4,"b":5,"a":6})").dump() == R"({"a":6,"b":5,"c":4})");
  std::string many = "{";  // in less than the square of them
  for (int i = 0; i < 300000; ++i) many += "\"" + std::to_string(i % 200000) + "\":" + std::to_string(i) + ",";
  const Json object = parse(many + "\"last\":0}");
  CHECK(object.size() == 200001);
  CHECK(object["7"] == 200007);
}

TEST_CASE("JSON: numbers are themselves or an error") {
  CHECK(parse("255").get<uint8_t>() == 255);
  CHECK(parse("3.0").get<int>() == 3);
  CHECK(parse("18446744073709551615").get<uint64_t>() == UINT64_MAX);
  CHECK(parse("-5").get<double>() == -5);
  CHECK(parse("1") == parse("1.0"));
  CHECK_FALSE(parse("1") == parse("true"));
  for (const char* text : {"256", "-1", "3.5", "1e300", "\"1\"", "null", "true"})
    CHECK_THROWS_AS(parse(text).get<uint8_t>(), JsonError);
  CHECK_THROWS_AS(parse("9223372036854775808").get<int64_t>(), JsonError);
}

TEST_CASE("JSON: other types than expected are errors that name them") {
  const Json j = parse(R"({"list":[1,2],"text":"x","none":null})");
  CHECK(j.value("text", "y") == "x");
  CHECK(j.value("missing", 7) == 7);
  CHECK(j.find("missing") == nullptr);
  CHECK(j["list"].find("x") == nullptr);
  CHECK(j["none"].begin() == j["none"].end());
  CHECK(error_of([&] { j.value("text", 7); }) == "test: found text where an integer was expected");
  CHECK(error_of([&] { j["missing"]; }) == "test: there is no 'missing'");
  CHECK(error_of([&] { j["list"][2]; }) == "test: found an array where a longer array was expected");
  CHECK(error_of([&] { j["text"].items(); }).find("an object") != std::string::npos);
  CHECK(error_of([&] { j.begin(); }).find("an array") != std::string::npos);
}

TEST_CASE("JSON: what is none") {
  for (const char* text : {"", "{", "[1,]", "{\"a\"}", "nul", "1 2", "\"\xff\"", "[1e999]", "// x\n1"})
    CHECK_MESSAGE(error_of([&] { parse(text); }).starts_with("test is not valid JSON"), text);
  CHECK(error_of([&] { parse(std::string(1 << 20, '[')); }) == "test is nested deeper than 100 levels");
  CHECK_NOTHROW(parse(std::string(100, '[') + std::string(100, ']')));
}

}  // namespace
}  // namespace loam
