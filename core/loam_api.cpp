// The C API: library, errors and models. The only file of core that knows the other rooms.
#include <cinttypes>

#include "backends/backends.h"
#include "core/loam_api_internal.h"
#include "formats/container/reader.h"

namespace loam::api {
namespace {

constexpr const char* kStatusNames[] = {"ok",           "bad argument", "bad file",     "unsupported", "out of memory",
                                        "input/output", "cancelled",    "context full", "device",      "internal",
                                        "too small"};

#define LOAM_TEXT(x) #x
#define LOAM_TEXT_OF(x) LOAM_TEXT(x)
constexpr const char* kVersion =
    LOAM_TEXT_OF(LOAM_VERSION_MAJOR) "." LOAM_TEXT_OF(LOAM_VERSION_MINOR) "." LOAM_TEXT_OF(LOAM_VERSION_PATCH);
static_assert(std::string_view(LOAM_VERSION) == kVersion, "core/loam.h and CMakeLists.txt differ in the version");

constexpr loam_status status_of(Code code) { return loam_status(int(code)); }
static_assert(status_of(Code::bad_argument) == LOAM_BAD_ARGUMENT && status_of(Code::bad_file) == LOAM_BAD_FILE);
static_assert(status_of(Code::unsupported) == LOAM_UNSUPPORTED && status_of(Code::io) == LOAM_IO);
static_assert(status_of(Code::out_of_memory) == LOAM_OUT_OF_MEMORY && status_of(Code::cancelled) == LOAM_CANCELLED);
static_assert(status_of(Code::context_full) == LOAM_CONTEXT_FULL && status_of(Code::device) == LOAM_DEVICE);
static_assert(status_of(Code::internal) == LOAM_INTERNAL);

struct Message {
  char text[1024];
};
thread_local Message message;  // plain bytes: nothing to construct, nothing that can fail

const std::vector<std::string>& names_of_backends() {
  static const std::vector<std::string> names = backend_names();
  return names;
}

std::shared_ptr<const ModelState> load(const std::string& path, const loam_load_options& options) {
  auto state = std::make_shared<ModelState>();
  LoamFileOptions file_options;
  file_options.verify = !options.skip_verify;
  if (options.progress) {
    file_options.progress = [&](uint64_t done, uint64_t total) {
      return options.progress(options.progress_user, done, total) == 0;
    };
  }
  const auto file = std::make_shared<LoamFile>(path, file_options);
  state->source = file;
  state->model = std::make_shared<Model>(file);
  if (file->tokenizer()) state->tokenizer.emplace(*file->tokenizer());
  state->file_bytes = file->file_bytes();
  for (const StoredTensor& t : file->tensors())
    state->parameters += uint64_t(t.experts) * uint64_t(t.n) * uint64_t(t.k);
  state->log = options.log;
  state->log_user = options.log_user;
  state->say(LOAM_LOG_INFO, "loaded " + path + ": " + std::to_string(file->tensors().size()) + " tensors, " +
                                std::to_string(state->file_bytes >> 20) + " MiB");
  return state;
}

}  // namespace

loam_status set_error(loam_status status, const char* text) noexcept {
  std::snprintf(message.text, sizeof message.text, "%s", text);
  return status;
}

loam_status status_of_exception() noexcept {
  try {
    throw;
  } catch (const Error& e) {
    return set_error(status_of(e.code), e.what());
  } catch (const TooSmall& e) {
    char text[96];
    std::snprintf(text, sizeof text, "the buffer has room for %zu, needed are %zu", e.capacity, e.needed);
    return set_error(LOAM_TOO_SMALL, text);
  } catch (const std::bad_alloc&) {
    return set_error(LOAM_OUT_OF_MEMORY, "not enough memory");
  } catch (const std::exception& e) {
    return set_error(LOAM_INTERNAL, e.what());
  } catch (...) {
    return set_error(LOAM_INTERNAL, "an exception of unknown type");
  }
}

void check_size(const char* name, const void* given, size_t size, size_t first, size_t own) {
  if (size < first || size > (size_t(1) << 16))
    fail(Code::bad_argument, "%s.size is %zu, expected %zu: initialize the struct with its _INIT macro", name, size,
         own);
  for (size_t i = own; i < size; ++i) {
    if (static_cast<const unsigned char*>(given)[i])
      fail(Code::bad_argument, "%s uses fields that this version (%s) does not have", name, kVersion);
  }
}

Placement placement_of(const char* names, int threads) { return make_placement(names ? names : "cpu", threads); }

}  // namespace loam::api

using namespace loam;
using namespace loam::api;

extern "C" {

loam_status loam_version(const char** text) {
  return guarded([&] { required(text, "text") = kVersion; });
}

loam_status loam_last_error(const char** text, size_t* text_size) {
  if (!text) return LOAM_BAD_ARGUMENT;  // the message stays as it is
  *text = message.text;
  if (text_size) *text_size = std::strlen(message.text);
  return LOAM_OK;
}

loam_status loam_status_name(loam_status status, const char** text) {
  return guarded([&] {
    const int index = int(status);
    if (index < 0 || size_t(index) >= std::size(kStatusNames)) fail(Code::bad_argument, "there is no status %d", index);
    required(text, "text") = kStatusNames[index];
  });
}

loam_status loam_backend_name(size_t index, const char** name, size_t* count) {
  return guarded([&] {
    const std::vector<std::string>& names = names_of_backends();
    if (count) *count = names.size();
    if (!name) return;
    *name = nullptr;
    if (index >= names.size()) fail(Code::bad_argument, "backend %zu of %zu does not exist", index, names.size());
    *name = names[index].c_str();
  });
}

loam_status loam_model_load(const char* path, const loam_load_options* options, loam_model** model) {
  return guarded([&] {
    required(model, "model") = nullptr;
    const std::string name = &required(path, "path");
    const loam_load_options o = read_options(options, loam_load_options(LOAM_LOAD_OPTIONS_INIT),
                                             sizeof(loam_load_options), "loam_load_options");
    *model = new loam_model{load(name, o)};
  });
}

loam_status loam_model_free(loam_model* model) {
  return guarded([&] { delete model; });
}

}  // extern "C"
