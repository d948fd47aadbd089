// What the interpreter holds while it is inside of something. Shared by its statements, loops and macros.
#pragma once
#include <string>

#include "core/text/jinja/objects.h"

namespace loam::jinja {

struct Interpreter::Capture {
  Capture(Interpreter& in, std::string& to) : i(in), before(in.out_) { i.out_ = &to; }
  ~Capture() {
    if (Meter* meter = Meter::current()) meter->live -= int64_t(i.out_->size());
    i.out_ = before;
  }
  Interpreter& i;
  std::string* before;
};

struct Interpreter::Enter {
  Enter(Interpreter& in, std::shared_ptr<Activation> activation) : i(in), before(std::move(in.here_)) {
    i.here_ = std::move(activation);
  }
  ~Enter() { i.here_ = std::move(before); }
  Interpreter& i;
  std::shared_ptr<Activation> before;
};

struct Interpreter::Inside {
  Inside(Interpreter& in, const Frame& f) : i(in), frame(f) { i.enter(frame); }
  ~Inside() { i.leave(frame); }
  Interpreter& i;
  const Frame& frame;
};

}  // namespace loam::jinja
