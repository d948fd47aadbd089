// loam inspect FILE [--tensors] [--compare SOURCE] [--json]: what is in a .loam or .gguf file.
#include <cstdio>
#include <map>

#include "core/error.h"
#include "core/model_config.h"
#include "core/text/json.h"
#include "formats/container/reader.h"
#include "formats/gguf/gguf_file.h"
#include "formats/source_config.h"
#include "tools/cli/commands.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/progress.h"
#include "tools/inspect/compare.h"

namespace loam {
namespace {

// One line of a listing, whatever the file's format.
struct Line {
  std::string name, type;
  std::vector<int64_t> shape;
  uint64_t bytes;
  double nmse;
};

int64_t values_of(const Line& l) {
  int64_t count = 1;
  for (const int64_t d : l.shape) count *= d;
  return count;
}

double bits_of(const Line& l) { return double(l.bytes) * 8 / double(values_of(l)); }

std::string shape_text(const Line& l) {
  std::string out;
  for (const int64_t d : l.shape) out += (out.empty() ? "" : " x ") + std::to_string(d);
  return out;
}

std::vector<Line> lines_of(const LoamFile& file) {
  std::map<std::string_view, double> errors;
  for (const auto& e : file.provenance().errors) errors[e.tensor] = e.nmse;
  std::vector<Line> out;
  for (const StoredTensor& t : file.tensors()) {
    const std::vector<int64_t> shape = t.vector        ? std::vector{t.k}
                                       : t.experts > 1 ? std::vector{t.experts, t.n, t.k}
                                                       : std::vector{t.n, t.k};
    const auto error = errors.find(t.name);
    out.push_back(
        {t.name, std::string(t.type->name), shape, t.bytes.size(), error == errors.end() ? 0 : error->second});
  }
  return out;
}

std::vector<Line> lines_of(const GgufFile& file) {
  std::vector<Line> out;
  for (const GgufTensor& t : file.tensors())
    out.push_back({t.name, std::string(t.type->name), {t.dims.rbegin(), t.dims.rend()}, t.bytes.size(), 0});
  return out;
}

void print_tensors(const std::vector<Line>& lines) {
  std::printf("\n%-28s %-8s %18s %12s %7s %10s\n", "tensor", "type", "shape", "bytes", "bits", "nmse");
  for (const Line& l : lines)
    std::printf("%-28s %-8s %18s %12llu %7.3f %10.3g\n", l.name.c_str(), l.type.c_str(), shape_text(l).c_str(),
                (unsigned long long)l.bytes, bits_of(l), l.nmse);
}

void print_weights(const std::vector<Line>& lines) {
  std::map<std::string, size_t> types;
  double bytes = 0, values = 0;
  for (const Line& l : lines) {
    ++types[l.type];
    bytes += double(l.bytes), values += double(values_of(l));
  }
  std::string list;
  for (const auto& [type, count] : types) list += (list.empty() ? "" : ", ") + std::to_string(count) + " " + type;
  std::printf("weights    %.1f million in %s, %.3f bits per weight\n", values / 1e6, human_bytes(bytes).c_str(),
              values > 0 ? bytes * 8 / values : 0);
  std::printf("tensors    %zu: %s\n", lines.size(), list.c_str());
}

void print_metadata(const Metadata& metadata) {
  for (const auto& [key, value] : metadata.values()) std::printf("  %-40s %s\n", key.c_str(), meta_text(value).c_str());
}

void print_loam(const LoamFile& file, bool tensors) {
  const Provenance& p = file.provenance();
  const auto lines = lines_of(file);
  std::printf("file       %s, %s, Loam container version %u\n", file.path().c_str(),
              human_bytes(double(file.file_bytes())).c_str(), file.view().version);
  print_weights(lines);
  const TokenizerSpec* t = file.tokenizer();
  std::printf("tokenizer  %s\n", t ? (std::to_string(t->size()) + " tokens").c_str() : "none");
  std::printf("template   %s\n", file.chat_template().empty() ? "none" : "yes");
  std::printf("made by    %s, recipe '%s'\n", p.tool.c_str(), p.recipe.c_str());
  for (const auto& s : p.sources) std::printf("source     %s %s\n", s.name.c_str(), s.hash.c_str());
  std::printf("settings\n");
  print_metadata(file.metadata());
  if (tensors) print_tensors(lines);
}

void print_gguf(const GgufFile& file, bool tensors) {
  const auto lines = lines_of(file);
  std::printf("file       %s, %s, GGUF version %u\n", file.path().c_str(),
              human_bytes(double(file.bytes().size())).c_str(), file.version());
  print_weights(lines);
  std::printf("settings\n");
  print_metadata(file.metadata());
  if (tensors) print_tensors(lines);
}

Json json_of(const Metadata& metadata) {
  Json out = Json::object();
  for (const auto& [key, value] : metadata.values()) std::visit([&, k = key](const auto& v) { out[k] = v; }, value);
  return out;
}

void print_json(const Metadata& metadata, const std::vector<Line>& lines, uint64_t file_bytes, const Provenance* p) {
  Json out{{"file_bytes", file_bytes}, {"metadata", json_of(metadata)}, {"tensors", Json::array()}};
  for (const Line& l : lines)
    out["tensors"].push_back(
        {{"name", l.name}, {"type", l.type}, {"shape", l.shape}, {"bytes", l.bytes}, {"nmse", l.nmse}});
  if (p) {
    out["tool"] = p->tool, out["recipe"] = p->recipe;
    for (const auto& s : p->sources) out["sources"].push_back({{"name", s.name}, {"hash", s.hash}});
  }
  std::printf("%s\n", out.dump_any(1).c_str());
}

int compare_files(const std::string& path, const std::string& source) {
  const LoamFile file(path);
  ProgressLine line("comparing");
  const Comparison c = compare(file, *open_source(source), [&](uint64_t done, uint64_t total) {
    line.update(done, total);
    return !interrupted();
  });
  line.finish();
  std::printf("%-28s %16s %16s %14s\n", "tensor", "largest", "nmse", "bits differ in");
  for (const TensorComparison& t : c.tensors)
    std::printf("%-28s %16.9g %16.3g %14llu\n", t.name.c_str(), t.largest, t.nmse, (unsigned long long)t.differing);
  for (const std::string& problem : c.problems) std::printf("%s\n", problem.c_str());
  std::printf("%s\n", c.equal() ? "largest difference: 0" : "the files differ");
  return c.equal() ? kExitOk : kExitFailure;
}

}  // namespace

int run_inspect(const Arguments& args) {
  catch_interrupts();
  const std::string& path = args.plain()[0];
  const FileKind kind = kind_of_file(path);
  if (args.has("--compare")) return compare_files(path, args.text("--compare"));
  if (kind == FileKind::gguf) {
    const GgufFile file(path);
    if (args.flag("--json"))
      print_json(file.metadata(), lines_of(file), file.bytes().size(), nullptr);
    else
      print_gguf(file, args.flag("--tensors"));
    return kExitOk;
  }
  if (kind != FileKind::loam) fail(Code::bad_argument, "%s: inspect reads .loam and .gguf files", path.c_str());
  const LoamFile file(path, {.verify = false, .progress = {}});
  if (args.flag("--json"))
    print_json(file.metadata(), lines_of(file), file.file_bytes(), &file.provenance());
  else
    print_loam(file, args.flag("--tensors"));
  return kExitOk;
}

}  // namespace loam
