// What decoder architectures share when they are read: sizes, rotary scaling, and keys that carry no mathematics.
#pragma once
#include "formats/architectures.h"

namespace loam {

extern const Architecture kLlama, kQwen2, kQwen3, kGemma3;

// The keys that all decoders have in common; the caller reads its own, then calls config.finish().
ModelConfig gguf_decoder(SourceConfig& source);
ModelConfig hugging_face_decoder(SourceConfig& source);

ModelConfig hugging_face_qwen(SourceConfig& source);  // what Qwen2 and Qwen3 read alike

// Rotary scaling from keys that begin with `prefix`, e.g. "rope_scaling.": none, linear or llama3.
void hugging_face_rope_scaling(SourceConfig& source, const std::string& prefix, ModelConfig& config);

// "silu" or "gelu_tanh", from config.json's name of the gate's activation.
std::string hugging_face_activation(SourceConfig& source, std::string_view key, const char* otherwise);

// Per layer the window, or 0, from "layer_types" where that list is there; returns false where it is not.
bool windows_from_layer_types(SourceConfig& source, int64_t window, ModelConfig& config);

}  // namespace loam
