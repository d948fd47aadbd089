// The tiny golden models (made by make_goldens.py) as tests see them: what is committed, the weights from the seed, and
// the same model as a Hugging Face folder.
#pragma once
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/error.h"
#include "tests/golden_weights.h"
#include "tests/whole_files.h"

namespace loam::golden {

inline std::filesystem::path data_dir() { return std::filesystem::path(LOAM_SOURCE_DIR) / "tests" / "data"; }

inline std::vector<float> read_f32(const std::filesystem::path& path) {
  const std::string bytes = read_text(path);
  std::vector<float> out(bytes.size() / sizeof(float));
  std::memcpy(out.data(), bytes.data(), out.size() * sizeof(float));
  return out;
}

struct Tensor {
  std::string name;      // canonical
  std::string source;    // Hugging Face's name
  int64_t n = 1, k = 0;  // [n out, k in]; vectors have n == 1
  bool vector = false;
  float source_offset = 0;  // the source stores value + offset: -1 for Gemma's gains

  size_t size() const { return size_t(n * k); }
};

struct Model {
  std::string name;
  std::string config, config_old;  // texts of config.json: as transformers 5 writes it, and with the keys of before
  uint64_t seed = 0;
  std::vector<int32_t> tokens;
  std::vector<int64_t> rows;  // positions whose logits are given
  std::vector<float> logits;  // (rows, vocab)
  int64_t vocab = 0;
  std::vector<Tensor> tensors;  // sorted by canonical name

  std::vector<float> weights(const Tensor& t) const { return golden::weights(seed, t.name, t.size()); }
};

inline const std::vector<std::string>& model_names() {
  static const std::vector<std::string> names = {"llama-tied", "llama-untied", "llama-linear", "llama-llama3",
                                                 "qwen2",      "qwen3",        "gemma3",       "gemma3-head256"};
  return names;
}

inline Model load_model(const std::string& name) {
  const auto folder = data_dir() / "models" / name;
  const auto json = nlohmann::json::parse(read_text(folder / "golden.json"));
  Model m;
  m.name = name;
  m.config = read_text(folder / "config.json");
  m.config_old = read_text(folder / "config_old.json");
  m.seed = json["seed"], m.vocab = json["vocab"];
  m.tokens = json["tokens"].get<std::vector<int32_t>>();
  m.rows = json["rows"].get<std::vector<int64_t>>();
  m.logits = read_f32(folder / "logits.f32");
  for (const auto& t : json["tensors"]) {
    const auto shape = t["shape"].get<std::vector<int64_t>>();
    const bool vector = shape.size() == 1;
    m.tensors.push_back({t["name"], t["source"], vector ? 1 : shape[0], shape.back(), vector, t["source_offset"]});
  }
  return m;
}

// Normalised mean square error of a against the reference b.
inline double nmse(std::span<const float> a, std::span<const float> b) {
  double error = 0, power = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    error += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
    power += double(b[i]) * b[i];
  }
  return a.size() == b.size() ? error / power : 1e300;
}

// One f32 safetensors file of the named part of a model's tensors.
inline void write_safetensors(const Model& m, const std::vector<const Tensor*>& part,
                              const std::filesystem::path& path) {
  nlohmann::ordered_json header;
  std::string data;
  for (const Tensor* t : part) {
    std::vector<float> w = m.weights(*t);
    for (float& x : w) x += t->source_offset;
    const auto shape = t->vector ? std::vector<int64_t>{t->k} : std::vector<int64_t>{t->n, t->k};
    const size_t begin = data.size();
    data.append(reinterpret_cast<const char*>(w.data()), w.size() * sizeof(float));
    header[t->source] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {begin, data.size()}}};
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t length = text.size();
  write_text(path, std::string(reinterpret_cast<const char*>(&length), 8) + text + data);
}

// The model as a Hugging Face folder: config.json, tokenizer.json, tokenizer_config.json and one or more safetensors.
inline void write_hf_folder(const Model& m, const std::filesystem::path& folder, size_t shards = 1,
                            bool old_config = false) {
  std::filesystem::create_directories(folder);
  write_text(folder / "config.json", old_config ? m.config_old : m.config);
  for (const char* file : {"tokenizer.json", "tokenizer_config.json"}) {
    write_text(folder / file, read_text(data_dir() / "tiny_vocab" / file));
  }
  nlohmann::json index;
  for (size_t s = 0; s < shards; ++s) {
    std::vector<const Tensor*> part;
    for (size_t i = s; i < m.tensors.size(); i += shards) part.push_back(&m.tensors[i]);
    char file[64] = "model.safetensors";
    if (shards > 1) std::snprintf(file, sizeof file, "model-%05zu-of-%05zu.safetensors", s + 1, shards);
    for (const Tensor* t : part) index["weight_map"][t->source] = file;
    write_safetensors(m, part, folder / file);
  }
  if (shards > 1) write_text(folder / "model.safetensors.index.json", index.dump(1));
}

}  // namespace loam::golden
