// A source becomes a .loam file: quantized tensors as they are, bit for bit, float ones rounded. Memory is bounded by
// a few row blocks per thread; the bytes do not depend on the number of threads.
#pragma once
#include <string>

#include "formats/progress.h"
#include "tools/convert/source.h"

namespace loam {

struct ConvertOptions {
  // Type of the matrices. Empty: as the source has them, but float checkpoints become n4 (embedding and output q8_0).
  // "source": float matrices keep their own type as well.
  std::string type;
  std::string rounder = "nearest";  // of all_rounders()
  int activation_block = 32;        // k per scale of int8 activations: 16, 32, 64, 128 or 256; larger is faster
  bool requantize = false;          // allows another type for a matrix that is quantized already
  int threads = 0;                  // 0: one per core
  Progress progress = {};
};

struct ConvertReport {
  uint64_t file_bytes = 0, source_bytes = 0;
  size_t exact = 0, rounded = 0;  // tensors
  double worst_nmse = 0;
  std::string worst_tensor;
};

// Nothing appears under `destination` before the file is complete. Cancelled: Error{cancelled}.
ConvertReport convert_model(const Source& source, const std::string& destination, const ConvertOptions& options = {});

// The stored type of each tensor, in the source's order; nullptr for vectors, which are f32.
std::vector<const TypeInfo*> choose_types(const Source& source, const ConvertOptions& options);

// "model.gguf" -> "model.loam", "folder" -> "folder.loam", beside the source.
std::string default_destination(const std::string& source);

}  // namespace loam
