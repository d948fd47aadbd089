// Where names live. Jinja decides it before running: every loop, macro, block, with and filter has a scope; a scope
// takes the outer value of a name when it is entered, and what it sets ends with it. Macros, call blocks, recursive
// loops and loop conditions are functions; they see the latest values of the functions around them.
#include "core/text/jinja/functions.h"
#include "core/text/jinja/lexer.h"
#include "core/text/jinja/names.h"

namespace loam::jinja {
namespace {

// Where a statement stands.
struct Place {
  Names& names;
  FunctionScope& function;
  bool soft = false;     // in a condition: unknown filters fail only when they run
  bool in_loop = false;  // of this function
  bool top = false;      // what is set here is seen by blocks
};

class Resolver {
 public:
  void run(Template& t) {
    FunctionScope root{nullptr, {}};
    Names names{nullptr, &root};
    collect(t.body, names);
    t.frame = frame_of(names, root);
    resolve(t.body, {names, root, false, false, true});
    t.slots = int(root.places.size());
  }

 private:
  // First the names of one scope are collected, without those of the scopes in it ...
  static void collect(const Expr& e, Names& names) {
    if (e.kind == ExprKind::name) names.load(e.text);
    for_each_child(e, [&](const Expr& child) { collect(child, names); });
  }
  static void collect_target(const Expr& e, Names& names, bool parameter = false) {
    if (e.kind == ExprKind::name) {
      if (parameter)
        names.parameter(e.text);
      else
        names.store(e.text);
    } else if (e.kind == ExprKind::tuple) {
      for (const ExprPtr& a : e.args) collect_target(*a, names, parameter);
    } else {
      collect(e, names);
    }
  }
  static void collect(const Body& body, Names& names) {
    for (const auto& s : body) collect(*s, names);
  }
  static void collect(const Stmt& s, Names& names) {
    switch (s.kind) {
      case StmtKind::branch:
        for (size_t i = 0; i < s.bodies.size(); ++i) {
          if (i < s.exprs.size()) collect(*s.exprs[i], names);
          ++names.conditional;
          collect(s.bodies[i], names);
          --names.conditional;
        }
        break;
      case StmtKind::set:
        collect(*s.exprs[1], names);
        collect_target(*s.exprs[0], names);
        break;
      case StmtKind::loop: collect(*s.exprs[1], names); break;
      case StmtKind::set_block:
        collect_target(*s.exprs[0], names);
        if (s.exprs[1]) collect(*s.exprs[1], names);
        break;
      case StmtKind::macro: names.store(s.text); break;
      case StmtKind::with:
        for (size_t i = 1; i < s.exprs.size(); i += 2) collect(*s.exprs[i], names);
        break;
      default:
        for (const ExprPtr& e : s.exprs) {
          if (e) collect(*e, names);
        }
    }
  }

  static Slot slot_at(int level, const std::string& name, const Names& names, const FunctionScope& from) {
    const Names* n = &names;
    while (n->level != level) n = n->parent;
    Slot slot{0, n->function->place(level, name)};
    for (const FunctionScope* f = &from; f != n->function; f = f->outer) ++slot.hops;
    return slot;
  }
  static Slot slot_of(const std::string& name, const Names& names, const FunctionScope& from) {
    const int level = names.find(name);
    return level < 0 ? Slot{} : slot_at(level, name, names, from);
  }
  static Frame frame_of(const Names& names, const FunctionScope& from) {
    Frame frame;
    for (const auto& [name, info] : names.loads) {
      Load load{info.kind, slot_at(names.level, name, names, from), {}, name};
      if (info.kind == Load::alias) load.from = slot_at(info.level, name, names, from);
      frame.push_back(std::move(load));
    }
    return frame;
  }

  // Jinja works constants out beforehand, and fails then.
  static void refuse_constant_keys(const Expr& e) {
    for (size_t i = 0; i < e.args.size() && is_constant(*e.args[i]) && is_constant(*e.args[i + 1]); i += 2) {
      const ExprKind kind = e.args[i]->kind;
      if (kind == ExprKind::list || kind == ExprKind::dict) fail_line(e.line, "a list or dict cannot be a key");
    }
  }

  // ... then each name gets its place.
  static void resolve(Expr& e, const Place& at) {
    if (e.kind == ExprKind::name) e.slot = slot_of(e.text, at.names, at.function);
    if ((e.kind == ExprKind::filter || e.kind == ExprKind::test) && !e.row && !at.soft) {
      fail_line(e.line, "no %s named '%s'", e.kind == ExprKind::filter ? "filter" : "test", e.text.c_str());
    }
    if (e.kind == ExprKind::dict) refuse_constant_keys(e);
    Place inner = at;
    inner.soft = at.soft || e.kind == ExprKind::conditional;
    for_each_child(e, [&](Expr& child) { resolve(child, inner); });
  }
  void resolve(Body& body, const Place& at) {
    for (const auto& s : body) resolve(*s, at);
  }
  void resolve(Stmt& s, const Place& at) {
    switch (s.kind) {
      case StmtKind::loop: return resolve_loop(s, at);
      case StmtKind::macro:
      case StmtKind::call: return resolve_function(s, at);
      case StmtKind::block: return resolve_block(s, at);
      case StmtKind::set_block:
      case StmtKind::filter:
      case StmtKind::with:
      case StmtKind::scope: return resolve_scope(s, at);
      case StmtKind::stop:
      case StmtKind::next:
        if (!at.in_loop) fail_line(s.line, "break or continue outside of a loop");
        break;
      default: break;
    }
    Place inner = at;
    inner.soft = at.soft || s.kind == StmtKind::branch;
    for (const ExprPtr& e : s.exprs) {
      if (e && !(s.kind == StmtKind::output && is_constant(*e))) resolve(*e, inner);
    }
    if (s.kind == StmtKind::set) export_names(*s.exprs[0], s, at);
    for (Body& b : s.bodies) resolve(b, inner);
  }
  static void export_names(const Expr& target, Stmt& s, const Place& at) {
    if (!at.top) return;
    if (target.kind == ExprKind::name) s.exported.emplace_back(target.text, target.slot);
    if (target.kind != ExprKind::tuple) return;
    for (const ExprPtr& a : target.args) export_names(*a, s, at);
  }
  static Place inside(const Place& at, Names& names) { return {names, at.function, false, at.in_loop, false}; }

  void resolve_scope(Stmt& s, const Place& at) {
    Names names{&at.names, &at.function};
    const bool with = s.kind == StmtKind::with;
    for (size_t i = 0; with && i < s.exprs.size(); i += 2) collect_target(*s.exprs[i], names, true);
    if (s.kind == StmtKind::filter) collect(*s.exprs[0], names);
    collect(s.bodies[0], names);
    const Place inner = inside(at, names);
    s.frames.push_back(frame_of(names, at.function));
    for (size_t i = 0; i < s.exprs.size(); ++i) {
      const bool outer = (s.kind == StmtKind::set_block && i == 0) || (with && i % 2 == 1);
      if (s.exprs[i]) resolve(*s.exprs[i], outer ? at : inner);
    }
    if (s.kind == StmtKind::set_block) export_names(*s.exprs[0], s, at);
    resolve(s.bodies[0], inner);
  }

  static void refuse_loop_target(const Expr& e) {
    if (e.kind == ExprKind::name && e.text == "loop") fail_line(e.line, "'loop' cannot be assigned to in a for loop");
    for (size_t i = 0; e.kind == ExprKind::tuple && i < e.args.size(); ++i) refuse_loop_target(*e.args[i]);
  }
  static void refuse_loop_targets(const Stmt& s) {
    if (s.kind == StmtKind::set || s.kind == StmtKind::set_block || s.kind == StmtKind::loop) {
      refuse_loop_target(*s.exprs[0]);
    }
    for (const Body& b : s.bodies) {
      for (const auto& inner : b) refuse_loop_targets(*inner);
    }
  }

  static bool has_scoped_block(const Stmt& s) {
    if (s.kind == StmtKind::block && s.scoped) return true;
    for (const Body& b : s.bodies) {
      for (const auto& inner : b) {
        if (has_scoped_block(*inner)) return true;
      }
    }
    return false;
  }

  void resolve_loop(Stmt& s, const Place& at) {
    if (!checked_targets_) refuse_loop_targets(s);  // once for the outermost loop and all in it
    const bool outermost = !checked_targets_;
    checked_targets_ = true;
    resolve(*s.exprs[1], at);
    FunctionScope own{&at.function, {}};  // of a recursive loop
    FunctionScope& function = s.recursive ? own : at.function;
    Names names{&at.names, &function}, otherwise{&at.names, &function};
    const bool with_loop = s.recursive || reads_name(s.bodies[0], "loop") || has_scoped_block(s);
    if (with_loop) names.parameter("loop");
    collect_target(*s.exprs[0], names, true);
    collect(s.bodies[0], names);
    collect(s.bodies[1], otherwise);
    s.frames.push_back(frame_of(names, function));
    s.frames.push_back(frame_of(otherwise, function));
    if (with_loop) s.loop = slot_of("loop", names, function);
    const Place inner{names, function, false, true, false};
    resolve(*s.exprs[0], inner);
    resolve(s.bodies[0], inner);
    resolve(s.bodies[1], {otherwise, function, false, !s.recursive && at.in_loop, false});
    if (s.recursive) s.slots = int(own.places.size());
    if (s.exprs[2]) resolve_condition(s, at);
    if (outermost) checked_targets_ = false;
  }

  static void resolve_condition(Stmt& s, const Place& at) {
    FunctionScope own{&at.function, {}};
    Names names{&at.names, &own};
    collect_target(*s.exprs[3], names, true);
    collect(*s.exprs[2], names);
    s.frames.push_back(frame_of(names, own));
    const Place inner{names, own, false, false, false};
    resolve(*s.exprs[2], inner);
    resolve(*s.exprs[3], inner);
    s.test_slots = int(own.places.size());
  }

  void resolve_function(Stmt& s, const Place& at) {
    if (s.exprs[0]) resolve(*s.exprs[0], at);
    if (s.kind == StmtKind::macro) export_names(*s.exprs[0], s, at);
    FunctionScope own{&at.function, {}};
    Names names{&at.names, &own};
    bool has_caller = false;
    std::set<std::string> declared;
    for (const Parameter& p : s.parameters) {
      names.parameter(p.name);
      declared.insert(p.name);
      has_caller = has_caller || p.name == "caller";
      if (p.name == "caller" && !p.otherwise && reads_name(s.bodies[0], "caller")) {
        fail_line(s.line, "the parameter 'caller' needs a default");
      }
    }
    for (const auto& [name, slot] : {std::pair{"caller", &s.caller}, {"kwargs", &s.kwargs}, {"varargs", &s.varargs}}) {
      if (!reads_name(s.bodies[0], name)) continue;
      if (!declared.count(name)) names.parameter(name);
      *slot = slot_of(name, names, own);
      if (declared.count(name) && name != std::string_view("caller")) *slot = {};
    }
    for (const Parameter& p : s.parameters) {
      if (p.otherwise) collect(*p.otherwise, names);
    }
    collect(s.bodies[0], names);
    s.frames.push_back(frame_of(names, own));
    const Place inner{names, own, false, false, false};
    for (Parameter& p : s.parameters) {
      p.slot = slot_of(p.name, names, own);
      if (p.otherwise) resolve(*p.otherwise, inner);
    }
    const bool checked = std::exchange(checked_targets_, false);
    resolve(s.bodies[0], inner);
    checked_targets_ = checked;
    s.slots = int(own.places.size());
  }

  void resolve_block(Stmt& s, const Place& at) {
    if (!blocks_.insert(s.text).second) fail_line(s.line, "the block '%s' is defined twice", s.text.c_str());
    for (const Names* n = &at.names; s.scoped && n; n = n->parent) {
      for (const std::string& name : n->stored) s.exported.emplace_back(name, slot_of(name, at.names, at.function));
    }
    FunctionScope own{nullptr, {}};
    Names names{nullptr, &own};
    collect(s.bodies[0], names);
    s.frames.push_back(frame_of(names, own));
    resolve(s.bodies[0], {names, own, false, false, false});
    s.slots = int(own.places.size());
  }

  std::set<std::string> blocks_;
  bool checked_targets_ = false;
};

}  // namespace

void resolve_names(Template& t) { Resolver().run(t); }

}  // namespace loam::jinja
