// A file with a tensor of every type beside the values that it stands for. With LOAM_TEST_SAMPLE=FOLDER it is kept
// there for read_loam_oracle.py, the reader written from FORMAT.md alone.
#include "core/types/codec.h"
#include "format_support.h"

using namespace loam;
using namespace format_test;

namespace {

constexpr int64_t kExperts = 2, kRows = 33, kColumns = 2 * 256 + 90;  // a short segment, a padded tail

// Expert 0: rounded random rows of many magnitudes. Expert 1: random bytes, so every code, sign and exponent occurs.
std::string sample_content(const TypeInfo& type, std::mt19937& random) {
  const uint64_t record = row_block_bytes(type, kColumns), matrix = matrix_bytes(type, kRows, kColumns);
  std::string content = random_bytes(kExperts * matrix, type.id);
  std::normal_distribution<float> normal;
  std::vector<float> rows(16 * kColumns);
  for (int64_t first = 0; first < kRows; first += 16) {
    for (float& x : rows) x = normal(random) * (random() % 16 ? 0.02f : 1.f);
    const int count = int(std::min<int64_t>(16, kRows - first));
    quantize_row_block(type, kColumns, rows.data(), count,
                       reinterpret_cast<std::byte*>(content.data()) + uint64_t(first / 16) * record);
  }
  return content;
}

std::vector<float> dequantized(const TypeInfo& type, const std::string& content) {
  std::vector<float> values;
  const uint64_t record = row_block_bytes(type, kColumns), matrix = matrix_bytes(type, kRows, kColumns);
  std::vector<float> row(kColumns);
  for (int64_t i = 0; i < kExperts * kRows; ++i) {
    const uint64_t block = uint64_t(i / kRows) * matrix + uint64_t(i % kRows / 16) * record;
    dequantize_row(type, kColumns, reinterpret_cast<const std::byte*>(content.data()) + block, int(i % kRows % 16),
                   row.data());
    values.insert(values.end(), row.begin(), row.end());
  }
  return values;
}

}  // namespace

TEST_CASE("container: a sample with every type") {
  const TempFolder folder;
  const char* keep = std::getenv("LOAM_TEST_SAMPLE");
  const std::string path = std::string(keep ? keep : folder.path.c_str()) + "/sample.loam";
  std::vector<TensorPlan> plan;
  std::vector<TypeInfo> types;  // of the file format; other tests may add rows of their own
  for (const TypeInfo& type : all_types()) {
    if (type.id < 60000) types.push_back(type);
  }
  for (const TypeInfo& type : types) {
    const std::string name(type.name);
    plan.push_back({name, find_type(type.id), kExperts, kRows, kColumns, false});
    plan.push_back({name + ".expected", find_type("f32"), 1, 1, kExperts * kRows * kColumns, true});
  }
  LoamWriter writer(path, plan);
  std::mt19937 random(11);
  for (const TypeInfo& type : types) {
    const std::string name(type.name), content = sample_content(type, random);
    const std::vector<float> expected = dequantized(type, content);
    writer.write(name, 0, as_bytes(content));
    writer.write(name + ".expected", 0, std::as_bytes(std::span(expected)));
  }
  Metadata metadata;
  metadata.set("a.int", int64_t(-5));
  metadata.set("a.texts", std::vector<std::string>{"", "x", "Grüße"});
  metadata.set("a.doubles", std::vector<double>{0.1, -2.5});
  metadata.set("a.bools", std::vector<bool>{true, false, true});
  writer.set_metadata(metadata);
  writer.seal();
  CHECK(LoamFile(path).tensors().size() == 2 * types.size());
}
