#include "core/text/jinja/names.h"

namespace loam::jinja {
namespace {

class Uses {
 public:
  explicit Uses(std::string_view name) : name_(name) {}
  bool in(const Body& body) {
    for (const auto& s : body) {
      visit(*s);
      if (used_ || set_) break;
    }
    return used_;
  }

 private:
  void read(const Expr& e) {
    if (used_ || set_) return;
    if (e.kind == ExprKind::name && e.text == name_) used_ = true;
    for_each_child(e, [&](const Expr& child) { read(child); });
  }
  void write(const Expr& e) {
    if (e.kind == ExprKind::name) {
      if (!used_ && e.text == name_) set_ = true;
    } else if (e.kind == ExprKind::tuple) {
      for (const ExprPtr& a : e.args) write(*a);
    }
  }
  void visit_targets(const Stmt& s) {
    const bool sets = s.kind == StmtKind::set || s.kind == StmtKind::set_block || s.kind == StmtKind::loop;
    if (sets) write(*s.exprs[0]);
    for (size_t i = 0; s.kind == StmtKind::with && i < s.exprs.size(); i += 2) write(*s.exprs[i]);
    for (const Parameter& p : s.parameters) set_ = set_ || (!used_ && p.name == name_);
  }
  void visit(const Stmt& s) {
    if (s.kind == StmtKind::block) return;
    visit_targets(s);
    const bool skips_first = s.kind == StmtKind::set || s.kind == StmtKind::set_block || s.kind == StmtKind::loop ||
                             s.kind == StmtKind::macro;
    for (size_t i = skips_first; i < s.exprs.size(); ++i) {
      const bool target = (s.kind == StmtKind::with && i % 2 == 0) || (s.kind == StmtKind::loop && i == 3);
      if (s.exprs[i] && !target) read(*s.exprs[i]);
    }
    for (const Parameter& p : s.parameters) {
      if (p.otherwise) read(*p.otherwise);
    }
    for (const Body& b : s.bodies) {
      if (!used_ && !set_) in(b);
    }
  }
  std::string_view name_;
  bool used_ = false, set_ = false;
};

}  // namespace

bool reads_name(const Body& body, std::string_view name) { return Uses(name).in(body); }

}  // namespace loam::jinja
