// The transformer decoder as a graph of fused ops. One function for all families: flags in ModelConfig and the presence
// of tensors name the mathematical differences.
#pragma once
#include "core/model.h"

namespace loam {

struct DecoderOptions {
  Activations::Kind activations = Activations::Kind::int8;  // block size: the model's
  KvType kv = KvType::f16;
};

struct Decoder {
  Graph graph;
  Value logits;  // (rows asked for, vocab)
};

Decoder build_decoder(const Model& model, const DecoderOptions& options);

// base^(-2i/d) for i < d/2, scaled as the configuration says. local: for a windowed layer.
std::vector<double> rope_frequencies(const ModelConfig& config, bool local);

}  // namespace loam
