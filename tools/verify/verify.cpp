// loam verify FILE: structure and every checksum.
#include "formats/container/reader.h"
#include "tools/cli/commands.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/progress.h"

namespace loam {

int run_verify(const Arguments& args) {
  catch_interrupts();
  const std::string& path = args.plain()[0];
  ProgressLine line("verifying");
  const VerifyReport report = verify_file(path, [&](uint64_t done, uint64_t total) {
    line.update(done, total);
    return !interrupted();
  });
  line.finish();
  for (const std::string& problem : report.problems) std::fprintf(stderr, "%s: %s\n", path.c_str(), problem.c_str());
  if (!report.ok()) return kExitFailure;
  std::printf("%s: ok: %llu bytes, %zu tensors, %zu chunks\n", path.c_str(), (unsigned long long)report.file_bytes,
              report.tensors, report.chunks);
  return kExitOk;
}

}  // namespace loam
