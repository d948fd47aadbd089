// Tiny random models against logits computed by transformers in double precision.
#include <doctest/doctest.h>

#include "backends/reference/reference.h"
#include "core/session.h"
#include "formats/architectures.h"
#include "tests/golden_models.h"
#include "tests/memory_model.h"

using namespace loam;

namespace {

std::shared_ptr<Model> golden_model(const golden::Model& g, const std::string& config_text) {
  SourceConfig source = SourceConfig::from_json(config_text, "config.json");
  const Architecture& a = find_architecture(source);
  ModelConfig c = a.from_hugging_face(source);
  auto m = std::make_shared<tests::MemoryModel>();
  c.write(m->meta);
  for (const golden::Tensor& t : g.tensors) m->add(t.name, *find_type("f32"), t.n, t.k, t.vector, g.weights(t));
  return std::make_shared<Model>(m);
}

Placement reference_only() { return {{std::shared_ptr<Backend>(make_reference_backend())}, {}}; }

std::vector<float> logits_of(Session& session, const golden::Model& g) {
  const int s = session.create_sequence();
  std::vector<BatchRow> rows;
  for (size_t i = 0; i < g.tokens.size(); ++i)
    rows.push_back({g.tokens[i], s, std::find(g.rows.begin(), g.rows.end(), int64_t(i)) != g.rows.end()});
  session.decode(rows);
  std::vector<float> all;
  for (size_t o = 0; o < session.output_count(); ++o)
    all.insert(all.end(), session.logits(o).begin(), session.logits(o).end());
  return all;
}

}  // namespace

TEST_CASE("logits equal those of transformers") {
  for (const std::string& name : golden::model_names()) {
    const golden::Model g = golden::load_model(name);
    for (const std::string* config : {&g.config, &g.config_old}) {
      Session session(golden_model(g, *config), reference_only(),
                      {.context = 128, .decoder = {Activations::Kind::f32, KvType::f32}});
      const double error = golden::nmse(logits_of(session, g), g.logits);
      CAPTURE(name);
      MESSAGE(name, ": NMSE ", error);
      CHECK(error <= 1e-9);
    }
  }
}
