#include "formats/container/provenance.h"

namespace loam {

Metadata to_metadata(const Provenance& p) {
  std::vector<std::string> names, hashes, tensors;
  std::vector<double> nmse, largest;
  for (const auto& source : p.sources) {
    names.push_back(source.name);
    hashes.push_back(source.hash);
  }
  for (const auto& error : p.errors) {
    tensors.push_back(error.tensor);
    nmse.push_back(error.nmse);
    largest.push_back(error.largest);
  }
  Metadata m;
  m.set("tool", p.tool);
  m.set("recipe", p.recipe);
  m.set("source.names", names);
  m.set("source.hashes", hashes);
  m.set("error.tensors", tensors);
  m.set("error.nmse", nmse);
  m.set("error.largest", largest);
  return m;
}

Provenance provenance_from(const Metadata& m) {
  using Texts = std::vector<std::string>;
  using Numbers = std::vector<double>;
  Provenance p{m.get_or<std::string>("tool", ""), m.get_or<std::string>("recipe", ""), {}, {}};
  const Texts names = m.get_or<Texts>("source.names", {}), hashes = m.get_or<Texts>("source.hashes", {});
  const Texts tensors = m.get_or<Texts>("error.tensors", {});
  const Numbers nmse = m.get_or<Numbers>("error.nmse", {}), largest = m.get_or<Numbers>("error.largest", {});
  if (names.size() != hashes.size() || tensors.size() != nmse.size() || tensors.size() != largest.size())
    fail(Code::bad_file, "provenance: its lists have different lengths");
  for (size_t i = 0; i < names.size(); ++i) p.sources.push_back({names[i], hashes[i]});
  for (size_t i = 0; i < tensors.size(); ++i) p.errors.push_back({tensors[i], nmse[i], largest[i]});
  return p;
}

}  // namespace loam
