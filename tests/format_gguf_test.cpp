// The GGUF reader: what a well-formed file says, and what a hostile one gets.
#include "format_support.h"
#include "formats/gguf/gguf_file.h"

using namespace loam;
using namespace format_test;

namespace {

enum GgufValue : uint32_t { kU8, kI8, kU16, kI16, kU32, kI32, kF32, kBool, kText, kArray, kU64, kI64, kF64 };

// A GGUF file in the making; parts may be wrong on purpose.
struct GgufMaker {
  uint32_t magic = 0x46554747, version = 3;
  Bytes values, tensors, data;
  uint64_t value_count = 0, tensor_count = 0, alignment = 32;

  GgufMaker& key(const std::string& name, uint32_t type) {
    values.add(uint64_t(name.size())).text(name).add(type);
    ++value_count;
    return *this;
  }
  template <class T>
  GgufMaker& value(T v) {
    values.add(v);
    return *this;
  }
  GgufMaker& text(const std::string& t) {
    values.add(uint64_t(t.size())).text(t);
    return *this;
  }
  GgufMaker& tensor(const std::string& name, std::vector<uint64_t> dims, uint32_t type, uint64_t offset) {
    tensors.add(uint64_t(name.size())).text(name).add(uint32_t(dims.size()));
    for (const uint64_t d : dims) tensors.add(d);
    tensors.add(type).add(offset);
    ++tensor_count;
    return *this;
  }
  std::string bytes() const {
    Bytes out;
    out.add(magic).add(version).add(tensor_count).add(value_count).text(values).text(tensors);
    return out.pad(alignment).text(data);
  }
};

struct Folder : TempFolder {
  std::string file = *this / "x.gguf";
  std::string refused(const std::string& bytes, Code code = Code::bad_file) {
    save(file, bytes);
    const std::string text = error_of([&] { GgufFile{file}; }, code);
    CAPTURE(text);
    CHECK(contains(text, file));
    return text;
  }
  std::string refused(const GgufMaker& maker, Code code = Code::bad_file) { return refused(maker.bytes(), code); }
};

GgufMaker good() {
  GgufMaker g;
  g.key("a.u8", kU8).value(uint8_t(255)).key("a.i8", kI8).value(int8_t(-1));
  g.key("a.u16", kU16).value(uint16_t(65535)).key("a.i16", kI16).value(int16_t(-2));
  g.key("a.u32", kU32).value(~0u).key("a.i32", kI32).value(-3);
  g.key("a.u64", kU64).value(uint64_t(1) << 62).key("a.i64", kI64).value(int64_t(-4));
  g.key("a.f32", kF32).value(0.1f).key("a.f64", kF64).value(0.1).key("a.bool", kBool).value(uint8_t(1));
  g.key("a.text", kText).text("hello");
  g.key("b.texts", kArray).value(uint32_t(kText)).value(uint64_t(2)).text("x").text("");
  g.key("b.ints", kArray).value(uint32_t(kI32)).value(uint64_t(2)).value(-7).value(8);
  g.key("b.floats", kArray).value(uint32_t(kF32)).value(uint64_t(1)).value(2.5f);
  g.key("b.bools", kArray).value(uint32_t(kBool)).value(uint64_t(2)).value(uint8_t(0)).value(uint8_t(1));
  g.tensor("w", {64, 3}, 8, 32).tensor("v", {5}, 0, 0);
  g.data.resize(32 + 2 * 3 * 34);
  g.data[0] = 'v';
  g.data[32] = 'w';
  return g;
}

}  // namespace

TEST_CASE("gguf: values of every type and tensors with their places") {
  Folder folder;
  for (const uint32_t version : {2u, 3u}) {
    GgufMaker maker = good();
    maker.version = version;
    save(folder.file, maker.bytes());
    const GgufFile file(folder.file);
    const Metadata& m = file.metadata();
    CHECK(file.version() == version);
    CHECK(m.get<int64_t>("a.u8") == 255);
    CHECK(m.get<int64_t>("a.i8") == -1);
    CHECK(m.get<int64_t>("a.u16") == 65535);
    CHECK(m.get<int64_t>("a.i16") == -2);
    CHECK(m.get<int64_t>("a.u32") == 4294967295);
    CHECK(m.get<int64_t>("a.i32") == -3);
    CHECK(m.get<int64_t>("a.u64") == int64_t(1) << 62);
    CHECK(m.get<int64_t>("a.i64") == -4);
    CHECK(m.get<double>("a.f32") == double(0.1f));
    CHECK(m.get<double>("a.f64") == 0.1);
    CHECK(m.get<bool>("a.bool"));
    CHECK(m.get<std::string>("a.text") == "hello");
    CHECK(m.get<std::vector<std::string>>("b.texts") == std::vector<std::string>{"x", ""});
    CHECK(m.get<std::vector<int64_t>>("b.ints") == std::vector<int64_t>{-7, 8});
    CHECK(m.get<std::vector<double>>("b.floats") == std::vector<double>{2.5});
    CHECK(m.get<std::vector<bool>>("b.bools") == std::vector<bool>{false, true});
    REQUIRE(file.tensors().size() == 2);
    CHECK(file.tensors()[0].name == "w");
    const GgufTensor* v = file.find("v");
    REQUIRE(v);
    CHECK(v->type->name == "F32");
    CHECK(v->dims == std::vector<int64_t>{5});
    CHECK(v->dim(1) == 1);
    CHECK(v->bytes.size() == 20);
    CHECK(char(v->bytes[0]) == 'v');
    CHECK(file.find("w")->bytes.size() == 3 * 2 * 34);
    CHECK(char(file.find("w")->bytes[0]) == 'w');
    CHECK(file.find("x") == nullptr);
  }
}

TEST_CASE("gguf: every type's size follows from its block") {
  for (const GgmlType& type : all_ggml_types()) {
    CAPTURE(type.name);
    CHECK(find_ggml_type(type.id) == &type);
    CHECK((type.block_values == 0) == (type.block_bytes == 0));
    if (!type.stored_as.empty()) CHECK(find_type(type.stored_as) != nullptr);
  }
  CHECK(find_ggml_type(1000) == nullptr);
}

TEST_CASE("gguf: alignment from the file") {
  Folder folder;
  GgufMaker maker;
  maker.alignment = 256;
  maker.key("general.alignment", kU32).value(256u).tensor("a", {1}, 0, 0).tensor("b", {1}, 0, 256);
  maker.data.resize(260);
  maker.data[256] = 'b';
  save(folder.file, maker.bytes());
  CHECK(char(GgufFile(folder.file).find("b")->bytes[0]) == 'b');
  const auto with = [](uint32_t value) {
    GgufMaker m;
    m.key("general.alignment", kU32).value(value);
    return m;
  };
  CHECK(contains(folder.refused(with(0)), "power of two"));
  CHECK(contains(folder.refused(with(48)), "power of two"));
  CHECK(contains(folder.refused(with(1u << 31)), "power of two"));
}

TEST_CASE("gguf: what is not a readable GGUF file") {
  Folder folder;
  GgufMaker maker = good();
  CHECK(contains(folder.refused("PK\x03\x04"), "not a GGUF file"));
  CHECK(contains(folder.refused("GG"), "not a GGUF file"));
  maker.version = 1;
  CHECK(contains(folder.refused(maker, Code::unsupported), "version 1"));
  maker.version = 4;
  CHECK(contains(folder.refused(maker, Code::unsupported), "version 4"));
  maker.version = 3u << 24;
  CHECK(contains(folder.refused(maker, Code::unsupported), "big-endian"));
  GgufMaker split = good();
  split.key("split.no", kU16).value(uint16_t(1)).key("split.count", kU16).value(uint16_t(3));
  const std::string text = folder.refused(split, Code::unsupported);
  CHECK(contains(text, "part 2 of a model split into 3 files"));
  CHECK(contains(text, "--merge"));
}

TEST_CASE("gguf: huge counts and lengths allocate nothing") {
  Folder folder;
  for (const uint64_t huge : {~uint64_t(0), uint64_t(1) << 63, uint64_t(1) << 40}) {
    GgufMaker maker = good();
    maker.tensor_count = huge;
    CHECK(contains(folder.refused(maker), "tensors announced"));
    maker = good();
    maker.value_count = huge;
    CHECK(contains(folder.refused(maker), "metadata entries announced"));
    maker = {};
    maker.key("t", kArray).value(uint32_t(kText)).value(huge);
    CHECK(contains(folder.refused(maker), "array elements announced"));
    maker = {};
    maker.key("t", kText).value(huge);
    CHECK(contains(folder.refused(maker), "the file is cut short"));
    maker = {};
    maker.values.add(huge).text("key bytes, more than one entry needs");
    maker.value_count = 1;
    CHECK(contains(folder.refused(maker), "a metadata key needs"));
  }
}

TEST_CASE("gguf: bad values") {
  Folder folder;
  CHECK(contains(folder.refused(GgufMaker().key("t", 13).value(uint64_t(0))), "unknown type 13"));
  CHECK(contains(
      folder.refused(GgufMaker().key("t", kArray).value(uint32_t(kArray)).value(uint64_t(1)).value(uint64_t(0))),
      "array of arrays"));
  CHECK(contains(folder.refused(GgufMaker().key("t", kArray).value(99u).value(uint64_t(1))), "unknown type 99"));
  CHECK(contains(folder.refused(GgufMaker().key("t", kU64).value(~uint64_t(0))), "2^63"));
  CHECK(contains(folder.refused(GgufMaker().key("t", kBool).value(uint8_t(7))), "boolean"));
  CHECK(contains(folder.refused(GgufMaker().key("t", kU8).value(uint8_t(7)).key("t", kU8).value(uint8_t(7))), "twice"));
  CHECK(contains(folder.refused(GgufMaker().key("", kU8).value(uint64_t(7))), "expected 1 to 65535"));
}

TEST_CASE("gguf: bad tensors") {
  Folder folder;
  const auto one = [](std::vector<uint64_t> dims, uint32_t type, uint64_t offset, size_t data = 4096) {
    GgufMaker maker;
    maker.tensor("weight", std::move(dims), type, offset).data.resize(data);
    return maker;
  };
  const uint64_t top = uint64_t(1) << 63;
  CHECK(contains(folder.refused(one({}, 0, 0)), "0 dimensions"));
  CHECK(contains(folder.refused(one({1, 1, 1, 1, 1}, 0, 0)), "5 dimensions"));
  CHECK(contains(folder.refused(one({0}, 0, 0)), "dimension 0 is 0"));
  CHECK(contains(folder.refused(one({top}, 0, 0)), "dimension 0 is 9223372036854775808"));
  CHECK(contains(folder.refused(one({uint64_t(1) << 61, 4}, 0, 0)), "2^62"));
  CHECK(contains(folder.refused(one({uint64_t(1) << 33, uint64_t(1) << 33, 4}, 0, 0)), "2^62"));
  CHECK(contains(folder.refused(one({33}, 2, 0)), "no multiple of 32"));
  CHECK(contains(folder.refused(one({64}, 12, 0)), "no multiple of 256"));
  CHECK(contains(folder.refused(one({32}, 77, 0), Code::unsupported), "type 77"));
  CHECK(contains(folder.refused(one({32}, 31, 0), Code::unsupported), "withdrawn"));
  CHECK(contains(folder.refused(one({32}, 0, 1)), "multiple of 32"));
  CHECK(contains(folder.refused(one({32}, 0, 4096)), "cut short"));
  CHECK(contains(folder.refused(one({32}, 0, ~uint64_t(31))), "cut short"));
  CHECK(contains(folder.refused(one({32}, 0, 4096 - 96)), "cut short"));
  CHECK(contains(folder.refused(one({32}, 0, 0, 0)), "cut short"));
  CHECK(contains(folder.refused(one({32}, 0, 0).tensor("weight", {32}, 0, 128)), "listed twice"));
  CHECK(contains(folder.refused(one({32}, 0, 0).tensor("other", {32}, 0, 96)), "overlap"));
  GgufMaker maker = one({32}, 0, 0);
  maker.tensor("", {32}, 0, 128).tensors.text(std::string(8, 'x'));
  CHECK(contains(folder.refused(maker), "name of 0 bytes"));
  CHECK_FALSE(
      contains(folder.refused(GgufMaker().tensor("a\x1b[2J", {}, 0, 0).key("k", kU64).value(uint64_t(0))), "\x1b"));
}

TEST_CASE("gguf: cut at every byte and flipped at 3000 bits, never a crash") {
  Folder folder;
  const std::string bytes = good().bytes();
  for (size_t size = bytes.size() - 1; size > 0; --size) {
    CAPTURE(size);
    folder.refused(bytes.substr(0, size));
  }
  const uint32_t seed = std::getenv("LOAM_TEST_FULL") ? std::random_device{}() : 3;
  CAPTURE(seed);
  std::mt19937 random(seed);
  uint64_t sum = 0;  // of all that was read; one file alone may have lost its tensors
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = bytes;
    for (uint32_t flips = 1 + random() % 2; flips > 0; --flips)
      damaged[random() % damaged.size()] ^= char(1 << random() % 8);
    save(folder.file, damaged);
    try {
      const GgufFile file(folder.file);
      for (const GgufTensor& t : file.tensors()) {
        for (const std::byte b : t.bytes) sum += uint64_t(b);
      }
    } catch (const Error& e) {
      CHECK(contains(e.what(), folder.file));
    }
  }
  CHECK(sum > 0);
}
