// The graph library alone: a two-layer network that reads the digits of a noisy seven-segment display. Trained here in
// plain loops, then run through the graph on every backend, with float and with 8-bit and 4-bit weights.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>

#include "backends/backends.h"
#include "core/host_memory.h"
#include "core/types/codec.h"

using namespace loam;

namespace {

constexpr int kPixels = 96, kHidden = 64, kDigits = 10;  // 12 x 8 pixels

struct Images {
  std::vector<float> pixels;  // (images, kPixels)
  std::vector<int> digits;
};

struct Layer {
  int n, k;
  std::vector<float> weights, bias;  // (n, k), (n)
};

// Keeps the stored form of the weights.
class Store {
 public:
  // A matrix rounded to a storage type, in the layout of files.
  Weight matrix(const Layer& layer, const char* type) {
    const TypeInfo& t = *find_type(type);
    memory_.push_back(std::make_unique<HostBuffer>(matrix_bytes(t, layer.n, layer.k)));
    std::byte* data = memory_.back()->host();
    for (int row = 0; row < layer.n; row += int(kTileRows))
      quantize_row_block(t, layer.k, &layer.weights[size_t(row * layer.k)], std::min(int(kTileRows), layer.n - row),
                         data + size_t(row / kTileRows) * row_block_bytes(t, layer.k));
    return {&t, layer.n, layer.k, false, data};
  }
  Weight vector(const std::vector<float>& values) {
    memory_.push_back(std::make_unique<HostBuffer>(values.size() * sizeof(float)));
    memory_.back()->write(0, values.data(), values.size() * sizeof(float));
    return {find_type("f32"), int64_t(values.size()), 0, true, memory_.back()->host()};
  }

 private:
  std::vector<std::unique_ptr<HostBuffer>> memory_;
};

// Scores of each image for each digit: (images, kDigits).
std::vector<float> classify(const Layer layers[2], const Images& images, const char* type, Activations activations,
                            const std::string& backend) {
  Store store;
  Graph graph;
  const WeightId w1 = graph.weight(store.matrix(layers[0], type)), b1 = graph.weight(store.vector(layers[0].bias));
  const WeightId w2 = graph.weight(store.matrix(layers[1], type)), b2 = graph.weight(store.vector(layers[1].bias));
  const Linear linear{.activations = activations, .matrices = 1, .biases = 1};

  const Value pixels = graph.input(kPixels);                                        // (rows, 96)
  const Value hidden = graph.add(linear, {pixels}, {w1, b1})[0];                    // (rows, 64)
  const Value active = graph.add(Activate{Activate::Function::relu}, {hidden})[0];  // (rows, 64)
  const Value scores = graph.add(linear, {active}, {w2, b2})[0];                    // (rows, 10)
  graph.output(scores);

  Executor executor(graph, make_placement(backend));
  std::vector<float> all;
  for (size_t first = 0; first < images.digits.size(); first += kMaxRows) {
    const std::vector<Row> rows(std::min(size_t(kMaxRows), images.digits.size() - first));
    executor.write_input(pixels, &images.pixels[first * kPixels], int64_t(rows.size()));
    executor.run({rows, {}});
    all.insert(all.end(), executor.output(scores), executor.output(scores) + rows.size() * kDigits);
  }
  return all;
}

// Segments from the top, clockwise, the middle one last; each digit is shifted, dimmed and covered with noise.
Images draw(size_t count, unsigned seed) {
  constexpr int kSegments[kDigits] = {0b0111111, 0b0000110, 0b1011011, 0b1001111, 0b1100110,
                                      0b1101101, 0b1111101, 0b0000111, 0b1111111, 0b1101111};
  constexpr int kBoxes[7][4] = {{1, 0, 4, 1}, {4, 1, 5, 5}, {4, 5, 5, 9}, {1, 8, 4, 9},
                                {0, 5, 1, 9}, {0, 1, 1, 5}, {1, 4, 4, 5}};  // x0, y0, x1, y1
  std::mt19937 random(seed);
  const auto uniform = [&] { return float(random() >> 8) / float(1 << 24); };
  Images images;
  for (size_t i = 0; i < count; ++i) {
    const int digit = int(random() % kDigits), left = int(random() % 3), top = int(random() % 3);
    const float light = 0.5f + 0.5f * uniform();
    images.digits.push_back(digit);
    images.pixels.resize((i + 1) * kPixels);
    float* image = &images.pixels[i * kPixels];  // (12, 8)
    for (int s = 0; s < 7; ++s) {
      if (!(kSegments[digit] >> s & 1)) continue;
      for (int y = kBoxes[s][1]; y < kBoxes[s][3]; ++y)
        for (int x = kBoxes[s][0]; x < kBoxes[s][2]; ++x) image[(top + y) * 8 + left + x] = light;
    }
    for (int p = 0; p < kPixels; ++p) image[p] += 0.4f * (uniform() - 0.5f);
  }
  return images;
}

float times(const Layer& l, int row, const float* x) {
  float sum = l.bias[size_t(row)];
  for (int i = 0; i < l.k; ++i) sum += l.weights[size_t(row * l.k + i)] * x[i];
  return sum;
}

// One step of gradient descent on the squared error of one image.
void learn(Layer layers[2], const float* image, int digit, float rate) {
  std::vector<float> hidden(kHidden), slope(kHidden, 0.f);
  for (int h = 0; h < kHidden; ++h) hidden[size_t(h)] = std::max(0.f, times(layers[0], h, image));
  for (int d = 0; d < kDigits; ++d) {
    const float error = times(layers[1], d, hidden.data()) - (d == digit ? 1.f : 0.f);
    float* row = &layers[1].weights[size_t(d * kHidden)];
    for (int h = 0; h < kHidden; ++h) {
      slope[size_t(h)] += error * row[h];
      row[h] -= rate * error * hidden[size_t(h)];
    }
    layers[1].bias[size_t(d)] -= rate * error;
  }
  for (int h = 0; h < kHidden; ++h) {
    if (hidden[size_t(h)] <= 0) continue;
    for (int p = 0; p < kPixels; ++p) layers[0].weights[size_t(h * kPixels + p)] -= rate * slope[size_t(h)] * image[p];
    layers[0].bias[size_t(h)] -= rate * slope[size_t(h)];
  }
}

double accuracy(const std::vector<float>& scores, const Images& images) {
  size_t right = 0;
  for (size_t i = 0; i < images.digits.size(); ++i) {
    const auto row = scores.begin() + std::ptrdiff_t(i * kDigits);
    right += std::max_element(row, row + kDigits) - row == images.digits[i];
  }
  return double(right) / double(images.digits.size());
}

std::vector<std::string> reference_first() {
  std::vector<std::string> names = backend_names();
  std::reverse(names.begin(), names.end());
  return names;
}

}  // namespace

int main() {
  Layer layers[2] = {{kHidden, kPixels, {}, std::vector<float>(kHidden)},
                     {kDigits, kHidden, {}, std::vector<float>(kDigits)}};
  std::mt19937 random(1);
  for (Layer& l : layers)
    for (int i = 0; i < l.n * l.k; ++i) l.weights.push_back(0.3f * (float(random() >> 8) / float(1 << 24) - 0.5f));
  const Images lessons = draw(20000, 2), exam = draw(1000, 3);
  for (size_t i = 0; i < lessons.digits.size(); ++i)
    learn(layers, &lessons.pixels[i * kPixels], lessons.digits[i], 0.02f);

  int failures = 0;
  const Activations floats{Activations::Kind::f32}, bytes{Activations::Kind::int8, 32};
  for (const auto& [type, activations] : {std::pair("f32", floats), {"q8_0", floats}, {"q8_0", bytes}, {"n4", bytes}}) {
    std::vector<float> definition;  // what the reference backend says
    for (const std::string& backend : reference_first()) {
      const std::vector<float> scores = classify(layers, exam, type, activations, backend);
      if (definition.empty()) definition = scores;
      const bool good = accuracy(scores, exam) >= 0.97, same = scores == definition;
      std::printf("%-5s weights, %s activations, %-9s: %.1f %% right%s%s\n", type,
                  activations.kind == Activations::Kind::f32 ? "f32 " : "int8", backend.c_str(),
                  100 * accuracy(scores, exam), good ? "" : "  TOO FEW", same ? "" : "  NOT THE SAME BITS");
      failures += !good + !same;
    }
  }
  return failures ? 1 : 0;
}
