// The .loam container: what is written is read, the same bytes every time, and nothing is left behind by failures.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <thread>

#include "format_support.h"
#include "formats/container/metadata_codec.h"

using namespace loam;
using namespace format_test;

namespace {

std::vector<TensorPlan> big_plan() {
  return {{"a.small", find_type("f32"), 1, 1, 100, true},
          {"b.big", find_type("f16"), 1, 2000, 4096, false},  // 16 MB: crosses a chunk
          {"c.odd", find_type("q5_1"), 2, 33, 160, false},
          {"d.big", find_type("q6_k"), 1, 512, 1024, false}};
}

// Writes big_plan() in pieces of `piece` bytes from `threads` threads.
void write_big(const std::string& path, size_t piece, int threads) {
  LoamWriter writer(path, big_plan());
  for (const TensorPlan& plan : big_plan()) {
    const std::string content = tensor_content(writer, plan.name);
    const size_t pieces = (content.size() + piece - 1) / piece;
    std::vector<std::thread> team;
    for (int t = 0; t < threads; ++t) {
      team.emplace_back([&, t] {
        for (size_t i = size_t(t); i < pieces; i += size_t(threads))
          writer.write(plan.name, i * piece,
                       as_bytes(content).subspan(i * piece, std::min(piece, content.size() - i * piece)));
      });
    }
    for (std::thread& t : team) t.join();
  }
  writer.set_metadata(sample_metadata());
  writer.seal();
}

// While it lives, files cannot grow beyond `bytes`.
struct FileSizeLimit {
  rlimit before{};
  void (*handler)(int);
  explicit FileSizeLimit(rlim_t bytes) : handler(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit limit{bytes, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before);
    ::signal(SIGXFSZ, handler);
  }
};

}  // namespace

TEST_CASE("container: what is written is read") {
  const TempFolder folder;
  const std::string path = folder / "x.loam";
  write_small(path);
  CHECK_FALSE(std::filesystem::exists(path + ".part"));
  const LoamFile file(path);
  CHECK(file.metadata() == sample_metadata());
  CHECK(file.provenance() == sample_provenance());
  CHECK(file.chat_template() == "{{ messages }}");
  CHECK(file.verbatim("config.json") == "{}");
  CHECK(file.verbatim("missing").empty());
  REQUIRE(file.tensors().size() == 4);
  REQUIRE(file.tokenizer());
  CHECK(file.tokenizer()->size() == 3);
  CHECK(file.tokenizer()->token(2) == "ab");
  CHECK(file.tokenizer()->pipeline == "{}");
  for (size_t i = 1; i < 4; ++i) CHECK(file.tensors()[i - 1].name < file.tensors()[i].name);
  for (const TensorPlan& plan : small_plan()) {
    const StoredTensor* t = file.find(plan.name);
    REQUIRE(t);
    CHECK(t->type == plan.type);
    CHECK(t->experts == plan.experts);
    CHECK(t->n == plan.n);
    CHECK(t->k == plan.k);
    CHECK(t->vector == plan.vector);
    const std::string content = random_bytes(t->bytes.size(), uint32_t(std::hash<std::string>{}(plan.name)));
    CHECK(std::memcmp(content.data(), t->bytes.data(), content.size()) == 0);
    CHECK(reinterpret_cast<uintptr_t>(t->bytes.data()) % 64 == 0);
  }
  CHECK(file.find("output_norm")->bytes.size() == 33 * 4);
  CHECK(file.find("embed.bias") == nullptr);
  CHECK(verify_file(path).ok());
}

TEST_CASE("container: a file without tensors or keys is a file") {
  const TempFolder folder;
  LoamWriter writer(folder / "x.loam", {});
  writer.seal();
  const LoamFile file(folder / "x.loam");
  CHECK(file.tensors().empty());
  CHECK(file.metadata().values().empty());
  CHECK(file.tokenizer() == nullptr);
}

TEST_CASE("container: the same bytes whatever the order, the pieces and the threads") {
  const TempFolder folder;
  write_big(folder / "one.loam", 1 << 20, 1);
  write_big(folder / "two.loam", 4099, 3);
  CHECK(slurp(folder / "one.loam") == slurp(folder / "two.loam"));
  const LoamFile file(folder / "one.loam");
  CHECK(file.view().chunk_hashes.size() == 2);
  for (const StoredTensor& t : file.tensors()) {
    const uint64_t at = uint64_t(t.bytes.data() - file.view().data.data()) + container::kPreambleBytes;
    CHECK(at % container::tensor_alignment(t.bytes.size()) == 0);
  }
  uint64_t last = 0, total = 0;
  CHECK(verify_file(folder / "one.loam", [&](uint64_t done, uint64_t all) {
          CHECK(done > last);
          last = done;
          total = all;
          return true;
        }).ok());
  CHECK(last == total);
  const Progress throws = [](uint64_t, uint64_t) -> bool { fail(Code::device, "from the callback"); };
  CHECK(error_of([&] { verify_file(folder / "one.loam", throws); }, Code::device) == "from the callback");
  error_of(
      [&] { LoamFile(folder / "one.loam", {.verify = true, .progress = [](uint64_t, uint64_t) { return false; }}); },
      Code::cancelled);
}

TEST_CASE("container: metadata survives as it is") {
  const std::string bytes = encode_metadata(sample_metadata());
  CHECK(decode_metadata({as_bytes(bytes), "x"}) == sample_metadata());
  for (size_t size = 0; size < bytes.size(); ++size)
    error_of([&] { decode_metadata({as_bytes(bytes).first(size), "x"}); });
  CHECK(contains(error_of([&] { decode_metadata({as_bytes(bytes + "z"), "x"}); }), "too many"));
}

TEST_CASE("container: the writer refuses what makes no sense") {
  const TempFolder folder;
  const std::string path = folder / "x.loam";
  const TypeInfo* f16 = find_type("f16");
  const auto refused = [&](std::vector<TensorPlan> plan, const char* why) {
    const std::string text = error_of([&] { LoamWriter(path, std::move(plan)); }, Code::bad_argument);
    CAPTURE(text);
    CHECK(contains(text, why));
  };
  refused({{"a", f16, 1, 4, 32, false}, {"a", f16, 1, 4, 32, false}}, "twice");
  refused({{"", f16, 1, 4, 32, false}}, "name");
  refused({{"a\n", f16, 1, 4, 32, false}}, "name");
  refused({{"a", nullptr, 1, 4, 32, false}}, "type");
  refused({{"a", f16, 0, 4, 32, false}}, "experts");
  refused({{"a", f16, 1, -4, 32, false}}, "expected");
  refused({{"a", f16, 1, 1, 32, true}}, "vector");
  refused({{"a", f16, 1, int64_t(1) << 40, int64_t(1) << 31, false}}, "large");
  CHECK(std::filesystem::is_empty(folder.path));

  LoamWriter writer(path, {{"a", f16, 1, 16, 32, false}});
  const std::string bytes(writer.tensor_bytes("a") + 1, 'x');
  error_of([&] { writer.write("b", 0, {}); }, Code::bad_argument);
  error_of([&] { writer.write("a", 0, as_bytes(bytes)); }, Code::bad_argument);
  error_of([&] { writer.write("a", ~uint64_t(0), as_bytes(bytes)); }, Code::bad_argument);
  writer.write("a", 0, as_bytes(bytes).first(10));
  CHECK(contains(error_of([&] { writer.seal(); }, Code::internal), "'a' got 10 of its 1024 bytes"));
}

TEST_CASE("container: an unfinished conversion leaves nothing under the final name and says so") {
  const TempFolder folder;
  const std::string path = folder / "x.loam";
  {
    LoamWriter writer(path, small_plan());
    CHECK(std::filesystem::exists(path + ".part"));
    CHECK_FALSE(std::filesystem::exists(path));
    CHECK(contains(error_of([&] { LoamFile{path + ".part"}; }), "conversion was not finished"));
    CHECK(contains(error_of([&] { LoamWriter(path, small_plan()); }, Code::io), "another conversion"));
  }
  CHECK(std::filesystem::is_empty(folder.path));
  save(path + ".part", "left by a killed writer");
  write_small(path);
  CHECK(LoamFile(path).tensors().size() == 4);
  CHECK(contains(error_of([&] { LoamWriter(folder / "no/x.loam", {}); }, Code::io), "folder"));
}

TEST_CASE("container: a full disk fails at once, and the footer's failure leaves nothing") {
  const TempFolder folder;
  const std::string path = folder / "x.loam";
  std::string early, late;
  {
    const FileSizeLimit limit(1 << 20);
    try {
      LoamWriter(path, big_plan());
    } catch (const Error& e) {
      early = e.code == Code::io ? e.what() : "";
    }
  }
  CHECK(contains(early, "no room for a file of"));
  CHECK(std::filesystem::is_empty(folder.path));
  {
    LoamWriter writer(path, {{"v", find_type("f32"), 1, 1, 16, true}});
    const std::string content(64, 'x');
    writer.write("v", 0, as_bytes(content));
    const FileSizeLimit limit(writer.data_bytes() + 10);
    try {
      writer.seal();
    } catch (const Error& e) {
      late = e.code == Code::io ? e.what() : "";
    }
  }
  CHECK(contains(late, "no room for a file of"));
  CHECK(std::filesystem::is_empty(folder.path));
}
