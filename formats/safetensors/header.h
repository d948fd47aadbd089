// The JSON parts of safetensors: a file's header and the index of a sharded model.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace loam {

struct SafetensorsEntry {
  std::string name, dtype;
  std::vector<uint64_t> shape;
  uint64_t begin = 0, end = 0;  // in the data behind the header
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;     // in the header's order; names may repeat, the caller checks
  std::map<std::string, std::string> notes;  // "__metadata__"
};

// Both fail with Error{bad_file}; `path` is for messages.
SafetensorsHeader parse_safetensors_header(std::string_view json, const std::string& path);
// The "weight_map" of an index: tensor name -> file name.
std::map<std::string, std::string> parse_safetensors_index(std::string_view json, const std::string& path);

}  // namespace loam
