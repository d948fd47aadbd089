// The names that a scope knows, while a template is resolved.
#pragma once
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "core/text/jinja/ast.h"

namespace loam::jinja {

struct FunctionScope {
  FunctionScope* outer;
  std::map<std::pair<int, std::string>, int> places;
  int place(int level, const std::string& name) {
    return places.emplace(std::pair(level, name), int(places.size())).first->second;
  }
};

struct Info {
  Load::Kind kind;
  int level = 0;  // of what an alias takes its value from
};

// One scope: which names it knows, and how they begin.
struct Names {
  Names* parent;
  FunctionScope* function;
  int level = parent ? parent->level + 1 : 0;
  std::map<std::string, Info> loads = {};
  std::set<std::string> stored = {};
  int conditional = 0;  // inside of how many ifs the statement at hand is

  int find(const std::string& name) const {  // the level that knows it, or -1
    for (const Names* n = this; n; n = n->parent) {
      if (n->loads.count(name)) return n->level;
    }
    return -1;
  }
  void load(const std::string& name) {
    if (find(name) < 0) loads[name] = {Load::resolve};
  }
  void parameter(const std::string& name) {
    stored.insert(name);
    loads[name] = {Load::parameter};
  }
  void store(const std::string& name) {
    if (!stored.insert(name).second || loads.count(name)) return;
    const int outer = parent ? parent->find(name) : -1;
    // What only a branch sets may be a variable of the input otherwise.
    loads[name] = outer >= 0 ? Info{Load::alias, outer} : Info{conditional ? Load::resolve : Load::missing};
  }
};

template <class Visit>
void for_each_child(const Expr& e, Visit visit) {
  for (const ExprPtr& a : e.args) {
    if (a) visit(*a);
  }
  for (const auto& n : e.named) visit(*n.second);
  for (const ExprPtr* a : {&e.all, &e.all_named}) {
    if (*a) visit(**a);
  }
}

// Whether `name` is read in there before it is set there.
bool reads_name(const Body& body, std::string_view name);

}  // namespace loam::jinja
