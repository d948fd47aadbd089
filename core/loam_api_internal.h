// What the files of the C API share: the handles, the one guard, arguments in and results out.
#pragma once
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>

#include "core/loam.h"
#include "core/session.h"
#include "core/text/tokenizer.h"

namespace loam::api {

struct ModelState {  // immutable; shared by a model and its sessions
  std::shared_ptr<const ModelSource> source;
  std::shared_ptr<const Model> model;
  std::optional<Tokenizer> tokenizer;
  uint64_t file_bytes = 0, parameters = 0;
  loam_log log = nullptr;
  void* log_user = nullptr;

  void say(loam_log_level level, const std::string& line) const {
    if (log) log(log_user, level, line.data(), line.size());
  }
};

// Stores the thread's message; allocates nothing.
loam_status set_error(loam_status status, const char* message) noexcept;
// The status of the exception in flight, its message stored.
loam_status status_of_exception() noexcept;

// Every function of the API is a body inside this.
template <class Body>
loam_status guarded(Body&& body) noexcept {
  try {
    body();
    return LOAM_OK;
  } catch (...) {
    return status_of_exception();
  }
}

struct TooSmall {
  size_t capacity, needed;
};

template <class T>
T& required(T* pointer, const char* what) {
  if (!pointer) fail(Code::bad_argument, "%s is NULL", what);
  return *pointer;
}

// An array argument; NULL is allowed where it is empty.
template <class T>
std::span<T> array_argument(T* data, size_t count, const char* what) {
  if (!data && count) fail(Code::bad_argument, "%s is NULL, with a size of %zu", what, count);
  if (count > PTRDIFF_MAX / sizeof(T)) fail(Code::bad_argument, "%s has an impossible size of %zu", what, count);
  return {data, count};
}
inline std::string_view text_argument(const char* text, size_t size, const char* what) {
  const std::span<const char> span = array_argument(text, size, what);
  return {span.data(), span.size()};
}

template <class T>
void copy_out(std::span<const T> from, T* buffer, size_t capacity, size_t* size, const char* what) {
  required(size, what) = from.size();
  if (capacity == 0) return;
  required(buffer, "buffer");
  if (capacity < from.size()) throw TooSmall{capacity, from.size()};
  std::copy(from.begin(), from.end(), buffer);
}
inline void copy_out(std::string_view from, char* buffer, size_t capacity, size_t* size) {
  copy_out(std::span<const char>(from), buffer, capacity, size, "size");
}

// The size of an option struct: `first` is that of its first version; what a newer program appends must be zero.
void check_size(const char* name, const void* given, size_t size, size_t first, size_t own);

// A caller's options over the defaults; NULL for those alone.
template <class T>
T read_options(const T* given, T defaults, size_t first, const char* name) {
  if (!given) return defaults;
  check_size(name, given, given->size, first, sizeof(T));
  std::memcpy(static_cast<void*>(&defaults), given, std::min(given->size, sizeof(T)));
  return defaults;
}

// The backends of a session; in the file that knows all rooms.
Placement placement_of(const char* names, int threads);

}  // namespace loam::api

struct loam_model {
  std::shared_ptr<const loam::api::ModelState> state;
};
