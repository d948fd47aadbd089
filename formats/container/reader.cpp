#include "formats/container/reader.h"

#include <algorithm>

#include "core/error.h"

namespace loam {
namespace {

using namespace container;
using ull = unsigned long long;

struct FileRange {
  uint64_t begin, end;
};

FileRange chunk_range(const ContainerView& view, size_t chunk) {
  const uint64_t begin = chunk * kChunkBytes;
  return {kPreambleBytes + begin, kPreambleBytes + std::min(begin + kChunkBytes, uint64_t(view.data.size()))};
}

FileRange tensor_range(const ContainerView& view, const StoredTensor& tensor) {
  const uint64_t begin = kPreambleBytes + uint64_t(tensor.bytes.data() - view.data.data());
  return {begin, begin + tensor.bytes.size()};
}

// The tensors in a damaged range whose own hashes are wrong, at most four of them, as text.
std::string damaged_tensors(const ContainerView& view, FileRange range) {
  std::string names;
  size_t count = 0;
  for (size_t i = 0; i < view.tensors.size(); ++i) {
    const FileRange at = tensor_range(view, view.tensors[i]);
    if (at.end <= range.begin || at.begin >= range.end) continue;
    if (hash128(view.tensors[i].bytes) == view.tensor_hashes[i]) continue;
    if (++count <= 4) {
      names += (names.empty() ? "" : ", ") + ("'" + view.tensors[i].name + "' (bytes " + std::to_string(at.begin)) +
               " to " + std::to_string(at.end - 1) + ")";
    }
  }
  if (count > 4) names += " and " + std::to_string(count - 4) + " more";
  return count == 0 ? "no tensor, the padding between them" : (count == 1 ? "tensor " : "tensors ") + names;
}

void check_chunks(const ContainerView& view, const std::string& path, const Progress& progress) {
  const DataHashes found = hash_data(view.data, {}, progress);
  for (size_t i = 0; i < found.chunks.size(); ++i) {
    if (found.chunks[i] == view.chunk_hashes[i]) continue;
    const FileRange range = chunk_range(view, i);
    fail(Code::bad_file,
         "%s: is corrupt: the checksum of bytes %llu to %llu is wrong; damaged: %s; "
         "fetch or convert it again",
         path.c_str(), (ull)range.begin, (ull)(range.end - 1), damaged_tensors(view, range).c_str());
  }
}

std::optional<TokenizerSpec> read_tokenizer(const ContainerView& view, std::shared_ptr<const void> keep) {
  std::vector<TokenizerSection> sections;
  for (const ContainerView::Section& s : view.sections) {
    if (s.name.substr(0, kTokenizer.size()) == kTokenizer)
      sections.push_back({std::string(s.name.substr(kTokenizer.size())), s.bytes});
  }
  if (sections.empty()) return std::nullopt;
  return TokenizerSpec::from_sections(sections, std::move(keep));
}

}  // namespace

LoamFile::LoamFile(const std::string& path, const LoamFileOptions& options)
    : file_(std::make_shared<const MappedFile>(path)), view_(validate_container(file_->bytes(), path)) {
  if (options.verify) check_chunks(view_, path, options.progress);
  try {
    tokenizer_ = read_tokenizer(view_, file_);
  } catch (const Error& e) {
    fail(e.code, "%s: %s", path.c_str(), e.what());
  }
}

std::string_view LoamFile::verbatim(std::string_view name) const {
  const ContainerView::Section* section = view_.find(std::string(kVerbatim).append(name));
  if (!section) return {};
  return {reinterpret_cast<const char*>(section->bytes.data()), section->bytes.size()};
}

VerifyReport verify_file(const std::string& path, const Progress& progress) {
  const LoamFile file(path, {.verify = false, .progress = {}});
  const ContainerView& view = file.view();
  VerifyReport report;
  report.file_bytes = file.file_bytes();
  report.data_bytes = view.data.size();
  report.footer_bytes = report.file_bytes - report.data_bytes - kPreambleBytes;
  report.chunks = view.chunk_hashes.size();
  report.tensors = view.tensors.size();

  std::vector<std::span<const std::byte>> parts;
  for (const StoredTensor& tensor : view.tensors) parts.push_back(tensor.bytes);
  const DataHashes found = hash_data(view.data, parts, progress);
  const auto add = [&](const std::string& what, FileRange r) {
    report.problems.push_back("corrupt: the checksum of " + what + " (bytes " + std::to_string(r.begin) + " to " +
                              std::to_string(r.end - 1) + ") is wrong");
  };
  for (size_t i = 0; i < report.chunks; ++i) {
    if (found.chunks[i] != view.chunk_hashes[i]) add("chunk " + std::to_string(i), chunk_range(view, i));
  }
  for (size_t i = 0; i < report.tensors; ++i) {
    if (found.tensors[i] != view.tensor_hashes[i])
      add("tensor '" + view.tensors[i].name + "'", tensor_range(view, view.tensors[i]));
  }
  return report;
}

}  // namespace loam
