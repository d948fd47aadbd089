#include "tools/convert/convert.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/error.h"
#include "core/types/codec.h"
#include "core/types/record.h"
#include "formats/container/hash.h"
#include "formats/container/writer.h"
#include "tools/convert/rounders/rounder.h"
#include "tools/convert/row_tasks.h"

namespace loam {
namespace {

constexpr uint64_t kTaskBytes = 1 << 20;  // of a task's output, roughly

// How far rounding went; summed per task and then in the order of the tasks, so that threads do not matter.
struct Difference {
  double error = 0, power = 0, largest = 0;
  void add(const Difference& o) { error += o.error, power += o.power, largest = std::max(largest, o.largest); }
};

Difference difference_of(const TypeInfo& type, int64_t k, const float* rows, int64_t count, const std::byte* record) {
  Difference d;
  std::vector<float> stored(static_cast<size_t>(k));
  for (int64_t row = 0; row < count; ++row) {
    dequantize_row(type, k, record, int(row), stored.data());
    for (int64_t i = 0; i < k; ++i) {
      const double x = double(rows[row * k + i]), e = double(stored[size_t(i)]) - x;
      d.error += e * e, d.power += x * x, d.largest = std::max(d.largest, std::fabs(e));
    }
  }
  return d;
}

ModelConfig config_with(const Source& source, const ConvertOptions& options) {
  ModelConfig config = source.config;
  config.activation_block = options.activation_block;
  return config;
}

const Rounder& rounder_named(const std::string& name) {
  if (const Rounder* found = find_rounder(name)) return *found;
  std::string names;
  for (const Rounder& r : all_rounders()) names += (names.empty() ? "" : ", ") + std::string(r.name);
  fail(Code::bad_argument, "unknown rounder '%s'; known are: %s", name.c_str(), names.c_str());
}

class Conversion {
 public:
  Conversion(const Source& source, const std::string& destination, const ConvertOptions& options)
      : source_(source),
        options_(options),
        types_(choose_types(source, options)),
        rounder_(rounder_named(options.rounder)),
        writer_(destination, plan()) {}

  ConvertReport run() {
    make_tasks();
    differences_.resize(tasks_.size());
    run_tasks(tasks_, options_.threads, options_.progress, [this](size_t i) { convert(i); });
    describe();
    writer_.seal([this](uint64_t, uint64_t) { return !options_.progress || options_.progress(1, 1); });
    return report_;
  }

 private:
  std::vector<TensorPlan> plan() const {
    std::vector<TensorPlan> out;
    for (size_t i = 0; i < source_.tensors.size(); ++i) {
      const SourceTensor& t = source_.tensors[i];
      out.push_back({t.name, t.vector ? find_type("f32") : types_[i], 1, t.n, t.k, t.vector});
    }
    return out;
  }

  void make_tasks() {
    for (size_t i = 0; i < source_.tensors.size(); ++i) {
      const SourceTensor& t = source_.tensors[i];
      if (t.vector) {
        tasks_.push_back({i, 0, 1, uint64_t(t.k) * 4});
        continue;
      }
      const uint64_t record = row_block_bytes(*types_[i], t.k);
      const int64_t step = int64_t(std::max<uint64_t>(1, kTaskBytes / record)), blocks = row_blocks(t.n);
      for (int64_t b = 0; b < blocks; b += step) {
        const int64_t count = std::min(step, blocks - b);
        tasks_.push_back({i, b, count, record * uint64_t(count)});
      }
    }
  }

  void convert(size_t task) {
    const RowTask& work = tasks_[task];
    const SourceTensor& t = source_.tensors[work.tensor];
    if (t.vector) {
      std::vector<float> values(size_t(t.k));
      source_.read_rows(work.tensor, 0, 1, values.data());
      for (const float x : values) {
        if (!std::isfinite(x))
          fail(Code::bad_file, "tensor '%s' holds infinity or NaN; the source is damaged", t.source_name.c_str());
      }
      writer_.write(t.name, 0, std::as_bytes(std::span(values)));
      return;
    }
    const TypeInfo& type = *types_[work.tensor];
    const uint64_t record = row_block_bytes(type, t.k);
    thread_local std::vector<std::byte> buffer;
    buffer.resize(record * uint64_t(work.blocks));
    for (int64_t b = 0; b < work.blocks; ++b) {
      std::byte* to = buffer.data() + record * uint64_t(b);
      if (&type == t.exact)
        source_.read_record(work.tensor, work.first_block + b, to);
      else
        differences_[task].add(round(work.tensor, work.first_block + b, type, to));
    }
    writer_.write(t.name, record * uint64_t(work.first_block), buffer);
  }

  Difference round(size_t tensor, int64_t block, const TypeInfo& type, std::byte* record) const {
    const SourceTensor& t = source_.tensors[tensor];
    const int64_t first = block * kTileRows, count = std::min(kTileRows, t.n - first);
    thread_local std::vector<float> rows;
    rows.resize(size_t(count * t.k));
    source_.read_rows(tensor, first, count, rows.data());
    try {
      rounder_.round(type, t.k, rows.data(), int(count), record);
    } catch (const Error& e) {
      fail(Code::bad_file, "tensor '%s', rows from %lld: %s", t.source_name.c_str(), (long long)first, e.what());
    }
    return difference_of(type, t.k, rows.data(), count, record);
  }

  // Everything that is not weights.
  void describe() {
    Metadata metadata;
    config_with(source_, options_).write(metadata);
    metadata.set("source.format", source_.kind);
    writer_.set_metadata(std::move(metadata));
    if (source_.tokenizer) writer_.set_tokenizer(*source_.tokenizer);
    for (const auto& [name, text] : source_.verbatim) writer_.set_verbatim(name, text);
    if (!source_.chat_template.empty()) writer_.set_verbatim("chat_template", source_.chat_template);
    writer_.set_provenance(provenance());
  }

  Provenance provenance() {
    Provenance p;
    p.tool = "loam " LOAM_VERSION;
    p.recipe = options_.type.empty() ? "default" : options_.type;
    if (&rounder_ != &all_rounders()[0]) p.recipe += ", " + options_.rounder;
    if (options_.activation_block != ConvertOptions().activation_block)
      p.recipe += ", activation blocks of " + std::to_string(options_.activation_block);
    for (const Source::File& f : source_.files()) {
      p.sources.push_back({f.name, hash_text(hash128(f.bytes))});
      report_.source_bytes += f.bytes.size();
    }
    std::vector<Difference> sums(source_.tensors.size());
    for (size_t i = 0; i < tasks_.size(); ++i) sums[tasks_[i].tensor].add(differences_[i]);
    for (size_t i = 0; i < sums.size(); ++i) {
      const SourceTensor& t = source_.tensors[i];
      const double nmse = sums[i].power > 0 ? sums[i].error / sums[i].power : 0;
      p.errors.push_back({t.name, nmse, sums[i].largest});
      ++(t.vector || types_[i] == t.exact ? report_.exact : report_.rounded);
      if (nmse > report_.worst_nmse) report_.worst_nmse = nmse, report_.worst_tensor = t.name;
    }
    return p;
  }

  const Source& source_;
  const ConvertOptions& options_;
  std::vector<const TypeInfo*> types_;  // of source_.tensors
  const Rounder& rounder_;
  LoamWriter writer_;
  std::vector<RowTask> tasks_;
  std::vector<Difference> differences_;  // of tasks_
  ConvertReport report_;
};

std::string type_names() {
  std::string out;
  for (const TypeInfo& t : all_types()) out += (out.empty() ? "" : ", ") + std::string(t.name);
  return out;
}

const TypeInfo* matrix_type(const Source& source, const SourceTensor& t, const std::string& asked) {
  if (!asked.empty() && asked != "source") return find_type(asked);
  const bool keep = source.kind == "gguf" || asked == "source";
  if (keep && t.exact) return t.exact;
  if (keep) return find_type("f32");  // F64 and the 8-bit floats
  return find_type(t.name == "embed" || t.name == "output" ? "q8_0" : "n4");
}

}  // namespace

std::vector<const TypeInfo*> choose_types(const Source& source, const ConvertOptions& options) {
  std::vector<const TypeInfo*> out;
  for (const SourceTensor& t : source.tensors) {
    const TypeInfo* type = t.vector ? nullptr : matrix_type(source, t, options.type);
    if (!t.vector && !type)
      fail(Code::bad_argument, "unknown type '%s'; known are: source, %s", options.type.c_str(), type_names().c_str());
    if (!t.vector && t.quantized && type != t.exact && !options.requantize)
      fail(Code::bad_argument,
           "tensor '%s' is quantized already (%s); rounding it again to %s loses quality. Convert from the original "
           "checkpoint, leave --type out, or add --requantize",
           t.source_name.c_str(), std::string(t.source_type).c_str(), std::string(type->name).c_str());
    out.push_back(type);
  }
  return out;
}

std::string default_destination(const std::string& source) {
  std::filesystem::path path = std::filesystem::absolute(source).lexically_normal();
  if (path.filename().empty()) path = path.parent_path();
  const std::string extension = path.extension().string();
  if (extension == ".gguf" || extension == ".safetensors") path.replace_extension();
  return path.string() + ".loam";
}

namespace {

// Writing over the source, or over anything that is no model of ours, is a slip of the hand.
void check_destination(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return;
  bool ours = false;
  try {
    ours = kind_of_file(path) == FileKind::loam;
  } catch (const Error&) {  // not a model at all
  }
  if (!ours) fail(Code::bad_argument, "%s: exists and is not a .loam file; choose another name", path.c_str());
}

}  // namespace

ConvertReport convert_model(const Source& source, const std::string& destination, const ConvertOptions& options) {
  check_destination(destination);
  config_with(source, options).check();
  ConvertReport report = Conversion(source, destination, options).run();
  report.file_bytes = std::filesystem::file_size(destination);
  return report;
}

}  // namespace loam
