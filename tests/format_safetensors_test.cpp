// The safetensors reader: values of every dtype, shards, and what hostile files get.
#include <cmath>

#include "format_support.h"
#include "formats/safetensors/safetensors.h"

using namespace loam;
using namespace format_test;

namespace {

std::string file_of(const std::string& header, const std::string& data, uint64_t announced = 0) {
  Bytes out;
  out.add(announced ? announced : uint64_t(header.size())).text(header).text(data);
  return out;
}
std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":")" + dtype + R"(","shape":[)" + shape + R"(],"data_offsets":[)" + offsets + "]}";
}

struct Folder : TempFolder {
  std::string file = *this / "x.safetensors";
  std::string refused(const std::string& bytes, Code code = Code::bad_file) {
    save(file, bytes);
    const std::string text = error_of([&] { SafetensorsFile{file}; }, code);
    CAPTURE(text);
    CHECK(contains(text, file));
    return text;
  }
  std::string refused_header(const std::string& header, size_t data = 16, Code code = Code::bad_file) {
    return refused(file_of(header, std::string(data, 0)), code);
  }
  std::vector<float> read(const std::string& dtype, const std::string& data, size_t count) {
    save(file,
         file_of(R"({"t":)" + entry(dtype, std::to_string(count), "0," + std::to_string(data.size())) + "}", data));
    std::vector<float> values(count);
    const SafetensorsFile tensors(file);
    read_rows(*tensors.find("t"), 0, 1, values);
    return values;
  }
};

template <class T>
std::string data_of(std::vector<T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace

TEST_CASE("safetensors: names, shapes, notes and rows") {
  Folder folder;
  const std::string header = R"({"__metadata__":{"format":"pt"},"w":)" + entry("F32", "2,3", "4,28") + R"(,"s":)" +
                             entry("F32", "", "0,4") + R"(,"none":)" + entry("F16", "0,7", "28,28") + "}   ";
  save(folder.file, file_of(header, data_of<float>({9, 1, 2, 3, 4, 5, 6})));
  const SafetensorsFile file(folder.file);
  REQUIRE(file.tensors().size() == 3);
  CHECK(file.tensors()[0].name == "none");
  CHECK(file.notes().at("format") == "pt");
  const SafeTensor& w = *file.find("w");
  CHECK(w.shape == std::vector<int64_t>{2, 3});
  CHECK(w.rows() == 2);
  CHECK(w.row_size() == 3);
  std::vector<float> row(3);
  read_rows(w, 1, 1, row);
  CHECK(row == std::vector<float>{4, 5, 6});
  std::vector<float> one(1);
  read_rows(*file.find("s"), 0, 1, one);
  CHECK(one[0] == 9);
  CHECK(file.find("none")->bytes.empty());
  error_of([&] { read_rows(w, 1, 2, row); }, Code::bad_argument);
  error_of([&] { read_rows(w, -1, 1, row); }, Code::bad_argument);
  error_of([&] { read_rows(w, 0, 2, row); }, Code::bad_argument);
  error_of([&] { read_rows(w, INT64_MAX, INT64_MAX, row); }, Code::bad_argument);
}

TEST_CASE("safetensors: every dtype as f32") {
  Folder folder;
  using Floats = std::vector<float>;
  CHECK(folder.read("F64", data_of<double>({1.5, -2}), 2) == Floats{1.5, -2});
  CHECK(folder.read("F32", data_of<float>({0.1f, -2}), 2) == Floats{0.1f, -2});
  CHECK(folder.read("F16", data_of<uint16_t>({0x3c00, 0xc000, 0x0001, 0x7bff}), 4) == Floats{1, -2, 0x1p-24f, 65504});
  CHECK(folder.read("BF16", data_of<uint16_t>({0x3f80, 0xc000, 0x0001}), 3) == Floats{1, -2, 0x1p-133f});
  CHECK(folder.read("I64", data_of<int64_t>({-3, 4}), 2) == Floats{-3, 4});
  CHECK(folder.read("I32", data_of<int32_t>({-3, 4}), 2) == Floats{-3, 4});
  CHECK(folder.read("I16", data_of<int16_t>({-3, 4}), 2) == Floats{-3, 4});
  CHECK(folder.read("I8", data_of<int8_t>({-3, 4}), 2) == Floats{-3, 4});
  CHECK(folder.read("U16", data_of<uint16_t>({65535}), 1) == Floats{65535});
  CHECK(folder.read("U8", data_of<uint8_t>({200}), 1) == Floats{200});
  CHECK(folder.read("BOOL", data_of<uint8_t>({0, 1}), 2) == Floats{0, 1});
  // 448 is the largest; there are no infinities, 0x7f is the only NaN.
  const Floats e4m3 = folder.read("F8_E4M3", data_of<uint8_t>({0x38, 0xb8, 0x7e, 0x01, 0x08, 0x7f, 0x78}), 7);
  CHECK(Floats(e4m3.begin(), e4m3.begin() + 5) == Floats{1, -1, 448, 0x1p-9f, 0x1p-6f});
  CHECK(std::isnan(e4m3[5]));
  CHECK(e4m3[6] == 256);
  const Floats e5m2 = folder.read("F8_E5M2", data_of<uint8_t>({0x3c, 0x7b, 0x01, 0x7c, 0x7e}), 5);
  CHECK(Floats(e5m2.begin(), e5m2.begin() + 4) == Floats{1, 57344, 0x1p-16f, INFINITY});
  CHECK(std::isnan(e5m2[4]));
}

TEST_CASE("safetensors: hostile headers") {
  Folder folder;
  const std::string good = entry("F32", "4", "0,16");
  CHECK(contains(folder.refused("abc"), "needs 8 bytes"));
  CHECK(contains(folder.refused(file_of("{}", "", ~uint64_t(0))), "100 MB"));
  CHECK(contains(folder.refused(file_of("{}", "", 50)), "only 2 are left"));
  CHECK(contains(folder.refused_header("[]"), "not a JSON object"));
  CHECK(contains(folder.refused_header(""), "not a JSON object"));
  CHECK(contains(folder.refused_header(R"({"a":)"), "broken"));
  CHECK(contains(folder.refused_header(R"({"a":)" + good + "} x"), "broken"));
  CHECK(contains(folder.refused_header("{\"a\xff\":" + good + "}"), "broken"));
  CHECK(contains(folder.refused_header(R"({"a":)" + std::string(1000000, '[')), "does not belong"));
  CHECK(contains(folder.refused_header(std::string(1000000, '{')), "broken"));
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += R"({"a":)";
  CHECK(contains(folder.refused_header(deep), "does not belong"));
  CHECK(contains(folder.refused_header(R"({"a":1})"), "does not belong"));
  CHECK(contains(folder.refused_header(R"({"a":{}})"), "lacks dtype"));
  CHECK(contains(folder.refused_header(R"({"__metadata__":{"a":{}}})"), "does not belong"));
  CHECK(contains(folder.refused_header(R"({"a":)" + entry("F32", "-4", "0,16") + "}"), "negative"));
  CHECK(contains(folder.refused_header(R"({"a":)" + entry("F32", "4.5", "0,16") + "}"), "fraction"));
  CHECK(contains(folder.refused_header(R"({"a":)" + entry("F32", "4", "0,16,5") + "}"), "too long a list"));
  CHECK(
      contains(folder.refused_header(R"({"a":)" + entry("F32", "1,1,1,1,1,1,1,1,4", "0,16") + "}"), "too long a list"));
  CHECK(contains(folder.refused_header(R"({"a":)" + entry("F32", "4", "0") + "}"), "lacks"));
  CHECK(contains(folder.refused_header(R"({"a":)" + entry("F4", "4", "0,16") + "}", 16, Code::unsupported), "'F4'"));
  CHECK(contains(folder.refused_header(R"({"a":{"dtype":"F32","dtype":"F32"}})"), "two dtypes"));
  CHECK(contains(folder.refused_header(R"({"a":{"shape":[1],"shape":[1]}})"), "two shapes"));
  CHECK(contains(folder.refused_header(R"({"a":{"data_offsets":[1],"data_offsets":[1]}})"), "two places"));
  CHECK(contains(folder.refused_header(R"({"__metadata__":{"a":"1","a":"2"}})"), "twice"));
  CHECK(contains(folder.refused_header(R"({"__metadata__":{},"__metadata__":{}})"), "twice"));
  CHECK(contains(folder.refused_header(R"({"a":)" + entry("F32", "0", "0,0") + R"(,"a":)" + good + "}"), "twice"));
}

TEST_CASE("safetensors: hostile places and sizes") {
  Folder folder;
  const auto with = [&](const std::string& shape, const std::string& offsets) {
    return folder.refused_header(R"({"a":)" + entry("F32", shape, offsets) + "}");
  };
  CHECK(contains(with("4", "0,15"), "cover 15"));
  CHECK(contains(with("5", "0,16"), "its shape and dtype F32 need 20"));
  CHECK(contains(with("4", "16,0"), "ends before it begins"));
  CHECK(contains(with("4", "0,20"), "cut short"));
  CHECK(contains(with("4", "18446744073709551600,18446744073709551615"), "cut short"));
  CHECK(contains(with("9223372036854775808", "0,16"), "2^62"));
  CHECK(contains(with("4294967296,4294967296,4294967296", "0,16"), "2^62"));
  CHECK(contains(with("99999999999999999999", "0,16"), "fraction"));
  CHECK(contains(with("3", "4,16"), "leaves a hole"));
  const auto two = [&](const std::string& a, const std::string& b) {
    return folder.refused_header(R"({"a":)" + entry("U8", "8", a) + R"(,"b":)" + entry("U8", "8", b) + "}");
  };
  CHECK(contains(two("0,8", "4,12"), "overlaps"));
  CHECK(contains(two("0,8", "0,8"), "overlaps"));
}

TEST_CASE("safetensors: shards by index") {
  const TempFolder folder;
  const std::string first = folder / "model-1.safetensors", index = folder / "model.safetensors.index.json";
  save(first, file_of(R"({"a":)" + entry("U8", "1", "0,1") + R"(,"extra":)" + entry("U8", "1", "1,2") + "}", "xy"));
  save(folder / "model-2.safetensors", file_of(R"({"b":)" + entry("U8", "1", "0,1") + "}", "z"));
  const std::string good = R"({"metadata":{"total_size":2,"more":[[{"deep":null}]]},"weight_map":
      {"a":"model-1.safetensors","b":"model-2.safetensors"}})";
  save(index, good);
  for (const std::string& path : {folder.path.string(), index}) {
    const SafetensorsFile file(path);
    REQUIRE(file.tensors().size() == 2);
    CHECK(char(file.find("b")->bytes[0]) == 'z');
    CHECK(file.find("extra") == nullptr);
    CHECK(file.files().size() == 2);
  }
  const auto refused = [&](const std::string& text, Code code = Code::bad_file) {
    save(index, text);
    return error_of([&] { SafetensorsFile{folder.path}; }, code);
  };
  const auto map = [](const std::string& text) { return R"({"weight_map":{)" + text + "}}"; };
  CHECK(contains(refused(map(R"("a":"model-2.safetensors")")), "not in the shard 'model-2.safetensors'"));
  CHECK(contains(refused(map(R"("a":"model-3.safetensors")"), Code::io), "no such file"));
  CHECK(contains(refused(map(R"("a":"../model-1.safetensors")")), "same folder"));
  CHECK(contains(refused(map(R"("a":"/etc/passwd")")), "same folder"));
  CHECK(contains(refused(map(R"("a":"x.bin")")), "same folder"));
  CHECK(contains(refused(map(R"("a":5)")), "expected file names"));
  CHECK(contains(refused(map(R"("a":{"b":"c"})")), "expected file names"));
  CHECK(contains(refused(map(R"("a":"model-1.safetensors","a":"model-1.safetensors")")), "twice"));
  CHECK(contains(refused("{}"), "weight_map"));
  CHECK(contains(refused("5"), "weight_map"));
  CHECK(contains(refused("{"), "broken"));
  CHECK(contains(refused(R"({"metadata":)" + std::string(100000, '[')), "deeper"));
  std::filesystem::remove(index);
  CHECK(contains(error_of([&] { SafetensorsFile{folder.path}; }), "holds neither"));
}

TEST_CASE("safetensors: cut at every byte and flipped at 3000 bits, never a crash") {
  Folder folder;
  const std::string bytes = file_of(
      R"({"a":)" + entry("F16", "2,3", "0,12") + R"(,"b":)" + entry("I32", "1", "12,16") + "}", "0123456789abcdef");
  for (size_t size = bytes.size() - 1; size > 0; --size) {
    CAPTURE(size);
    folder.refused(bytes.substr(0, size));
  }
  const uint32_t seed = std::getenv("LOAM_TEST_FULL") ? std::random_device{}() : 4;
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = bytes;
    damaged[random() % damaged.size()] ^= char(1 << random() % 8);
    save(folder.file, damaged);
    try {
      const SafetensorsFile file(folder.file);
      for (const SafeTensor& t : file.tensors()) {
        std::vector<float> values(size_t(t.rows() * t.row_size()));
        read_rows(t, 0, t.rows(), values);
      }
    } catch (const Error& e) {
      CHECK(contains(e.what(), folder.file));
    }
  }
}
