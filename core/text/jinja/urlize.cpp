#include "core/text/jinja/urlize.h"

#include "core/error.h"

namespace loam::jinja {

Value f_urlize(Interpreter&, const Value&, Args&) {
  fail(Code::unsupported, "template: the filter urlize is not supported: prompts are no HTML");
}

}  // namespace loam::jinja
