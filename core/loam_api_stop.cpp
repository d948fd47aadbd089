// The C API: texts that end an answer, across the borders of tokens.
#include "core/loam_api_internal.h"
#include "core/text/stop.h"

using namespace loam;
using namespace loam::api;

struct loam_stop {
  std::vector<std::string> texts;
  StopMatcher matcher;
  std::string shown;  // what the last call lent out
};

namespace {

void lend(loam_stop& s, std::string text, const char** shown, size_t* size) {
  s.shown = std::move(text);
  *shown = s.shown.data();
  *size = s.shown.size();
}

}  // namespace

extern "C" {

loam_status loam_stop_create(const char* const* texts, size_t count, loam_stop** stop) {
  return guarded([&] {
    required(stop, "stop") = nullptr;
    auto made = std::make_unique<loam_stop>();
    for (const char* const text : array_argument(texts, count, "texts"))
      made->texts.emplace_back(&required(text, "a stop text"));
    made->matcher = StopMatcher(made->texts);
    *stop = made.release();
  });
}

loam_status loam_stop_free(loam_stop* stop) {
  return guarded([&] { delete stop; });
}

loam_status loam_stop_push(loam_stop* stop, const char* bytes, size_t bytes_size, const char** text, size_t* size,
                           int32_t* found) {
  return guarded([&] {
    loam_stop& s = required(stop, "stop");
    required(found, "found") = -1;
    required(text, "text"), required(size, "size");
    lend(s, s.matcher.push(text_argument(bytes, bytes_size, "bytes")), text, size);
    if (!s.matcher.stopped()) return;
    const auto it = std::find(s.texts.begin(), s.texts.end(), s.matcher.found());
    *found = int32_t(it - s.texts.begin());
  });
}

loam_status loam_stop_finish(loam_stop* stop, const char** text, size_t* size) {
  return guarded([&] {
    loam_stop& s = required(stop, "stop");
    required(text, "text"), required(size, "size");
    lend(s, s.matcher.finish(), text, size);
  });
}

loam_status loam_stop_reset(loam_stop* stop) {
  return guarded([&] {
    required(stop, "stop").matcher.reset();
    stop->shown.clear();
  });
}

}  // extern "C"
