// Command lines, the progress line, the cache folder and Ctrl-C.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <set>

#include "core/error.h"
#include "tools/cli/args.h"
#include "tools/cli/cache.h"
#include "tools/cli/commands.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/progress.h"

using namespace loam;

namespace {

const Option kFirst[] = {{"-m,--model", Kind::text, "FILE"}, {"--json", Kind::flag}};
const Option kSecond[] = {{"-t,--threads", Kind::integer, "N", "2", "threads", 1, 64},
                          {"--temp", Kind::number, "T", "0.8", "", 0, 100},
                          {"-n,--predict,--n-predict", Kind::integer, "N", "-1", "", -1},
                          {"--kv", Kind::choice, "f16|f32", "f16"}};
const OptionGroup kGroups[] = {{"First", kFirst}, {"", kSecond}};

Arguments parse(std::vector<std::string> words, size_t least = 0, size_t most = 1) {
  return parse_arguments(words, kGroups, least, most);
}

std::string complaint(std::vector<std::string> words, size_t least = 0, size_t most = 1) {
  try {
    parse(std::move(words), least, most);
  } catch (const UsageError& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("options: values, defaults, all spellings, the last one counts") {
  const Arguments none = parse({});
  CHECK(none.integer("--threads") == 2);
  CHECK(none.number("--temp") == 0.8);
  CHECK(none.text("--kv") == "f16");
  CHECK_FALSE(none.has("--threads"));
  CHECK_FALSE(none.flag("--json"));
  const Arguments some = parse({"-t", "3", "--temp=0", "--n-predict", "-1", "--json", "--kv", "f32", "-t", "+4"});
  CHECK(some.integer("--threads") == 4);
  CHECK(some.number("--temp") == 0);
  CHECK(some.integer("--predict") == -1);
  CHECK(some.has("--predict"));
  CHECK(some.flag("--json"));
  CHECK(some.text("--kv") == "f32");
  CHECK_THROWS_AS(some.integer("--thread"), Error);  // undeclared: an error of the program
}

TEST_CASE("options: all values of one that may be given several times") {
  const Arguments some = parse({"-m", "a", "--temp", "1", "--model=b", "-m", ""});
  CHECK(some.list("--model") == std::vector<std::string>{"a", "b", ""});
  CHECK(some.list("--temp") == std::vector<std::string>{"1"});
  CHECK(some.list("--threads").empty());
  CHECK_THROWS_AS(some.list("--stop"), Error);
}

TEST_CASE("options: escapes") {
  CHECK(unescape("a\\nb\\t\\r\\'\\\"\\\\n") == "a\nb\t\r'\"\\n");
  CHECK(unescape("\\x41\\x0a\\xC3\\xa9") == "A\n\xc3\xa9");
  CHECK(unescape("\\x4") == "\\x4");
  CHECK(unescape("\\xg1\\x1g\\q\\") == "\\xg1\\x1g\\q\\");
  CHECK(unescape("\\x-1") == "\\x-1");
  CHECK(unescape("").empty());
}

TEST_CASE("options: --help shows groups below their titles") {
  const std::string text = describe(kGroups);
  CHECK(text.find("this text\nFirst:\n  -m, --model FILE") != std::string::npos);
  CHECK(text.find(":\n", text.find("First:") + 7) == std::string::npos);  // a group without a title has no line
}

TEST_CASE("options: the model is -m or the first plain argument") {
  CHECK(parse({"a.loam"}).model() == "a.loam");
  CHECK(parse({"-t", "1", "a.loam"}).model() == "a.loam");
  CHECK(parse({"-m", "a.loam"}).model() == "a.loam");
  CHECK(parse({"--", "-strange-.loam"}).model() == "-strange-.loam");
  CHECK_THROWS_AS(parse({}).model(), UsageError);
  CHECK(complaint({"a.loam", "b.loam"}) == "unexpected argument 'b.loam'");
  const Arguments two = parse({"a", "b", "-"}, 0, 3);
  CHECK(two.plain().size() == 2);
  CHECK(two.plain()[1] == "-");
}

TEST_CASE("options: what is wrong is named") {
  CHECK(complaint({"--tmep", "1"}) == "unknown flag '--tmep'; did you mean '--temp'?");
  CHECK(complaint({"--thread=1"}) == "unknown flag '--thread'; did you mean '--threads'?");
  CHECK(complaint({"--colour"}) == "unknown flag '--colour'");
  CHECK(complaint({"-t"}) == "flag '-t' needs a value (N)");
  CHECK(complaint({"-t", "x"}) == "flag '-t' expects a whole number, not 'x'");
  CHECK(complaint({"-t", "1.5"}) == "flag '-t' expects a whole number, not '1.5'");
  CHECK(complaint({"-t", ""}) == "flag '-t' expects a whole number, not ''");
  CHECK(complaint({"-t", "99999999999999999999"}) == "flag '-t' expects a whole number, not '99999999999999999999'");
  CHECK(complaint({"--threads", "0"}) == "flag '--threads': 0 is out of range; expected a value from 1 to 64");
  CHECK(complaint({"-n", "-2"}) == "flag '-n': -2 is out of range; expected a value of at least -1");
  CHECK(complaint({"--temp", "nan"}) == "flag '--temp' expects a number, not 'nan'");
  CHECK(complaint({"--temp", "1e999"}) == "flag '--temp' expects a number, not '1e999'");
  CHECK(complaint({"--temp", "0,5"}) == "flag '--temp' expects a number, not '0,5'");
  CHECK(complaint({"--kv", "q8"}) == "flag '--kv' expects one of f16|f32, not 'q8'");
  CHECK(complaint({"--json=1"}) == "flag '--json' takes no value");
  CHECK(complaint({}, 1) == "too few arguments");
}

TEST_CASE("nearest: misspelt names") {
  const std::string_view names[] = {"chat", "complete", "convert", "inspect"};
  CHECK(nearest("caht", names) == "chat");
  CHECK(nearest("comp", names) == "complete");
  CHECK(nearest("inspekt", names) == "inspect");
  CHECK(nearest("banana", names).empty());
  CHECK(nearest("x", {}).empty());
}

TEST_CASE("commands: every declared option is sound and familiar spellings are there") {
  for (const Command& command : all_commands()) {
    CAPTURE(command.name);
    std::set<std::string> seen{"-h", "--help"};
    for (const auto& group : command.options) {
      for (const Option& option : group) {
        CAPTURE(option.names);
        CHECK(option.name().starts_with("--"));
        CHECK_FALSE(option.help.empty());
        CHECK((option.kind == Kind::flag) == option.value.empty());
        std::string names(option.names), name;
        for (size_t at = 0, end; at < names.size(); at = end + 1) {
          end = std::min(names.find(',', at), names.size());
          CHECK_MESSAGE(seen.insert(names.substr(at, end - at)).second, "twice: ", names.substr(at, end - at));
        }
        if (option.otherwise.empty() || option.kind == Kind::flag) continue;
        const std::vector<std::string> words{std::string(option.name()), std::string(option.otherwise)};
        CHECK_NOTHROW(parse_arguments(words, command.options, 0, 9));  // the default is allowed
      }
    }
    CHECK(describe(command.options).find("--help") != std::string::npos);
  }
  const Command& chat = all_commands().front();
  REQUIRE(chat.name == "chat");
  const std::vector<std::string> familiar{"-m",
                                          "a",
                                          "-p",
                                          "b",
                                          "-f",
                                          "c",
                                          "-n",
                                          "1",
                                          "-c",
                                          "2",
                                          "-t",
                                          "3",
                                          "--temp",
                                          "0.5",
                                          "--top-k",
                                          "1",
                                          "--top-p",
                                          "1",
                                          "--min-p",
                                          "0",
                                          "--seed",
                                          "1",
                                          "--repeat-penalty",
                                          "1.1",
                                          "-sys",
                                          "d",
                                          "--temperature",
                                          "0.6",
                                          "--typical",
                                          "0.9",
                                          "--top-nsigma",
                                          "1",
                                          "--xtc-probability",
                                          "0.5",
                                          "--xtc-threshold",
                                          "0.1",
                                          "--mirostat",
                                          "2",
                                          "--mirostat-lr",
                                          "0.1",
                                          "--mirostat-ent",
                                          "5",
                                          "--frequency-penalty",
                                          "0.1",
                                          "--presence-penalty",
                                          "-0.1",
                                          "--dry-multiplier",
                                          "0.8",
                                          "--dry-base",
                                          "1.75",
                                          "--dry-allowed-length",
                                          "2",
                                          "--dry-penalty-last-n",
                                          "-1",
                                          "--dry-sequence-breaker",
                                          "none",
                                          "--dynatemp-range",
                                          "0.1",
                                          "--dynatemp-exp",
                                          "1",
                                          "-l",
                                          "3-inf",
                                          "--samplers",
                                          "top_k",
                                          "--ignore-eos",
                                          "-r",
                                          "User:",
                                          "-e"};
  const Arguments args = parse_arguments(familiar, chat.options, chat.least, chat.most);
  CHECK(args.text("--system-prompt") == "d");
  CHECK(args.integer("--ctx-size") == 2);
}

TEST_CASE("progress: the line") {
  using Unit = ProgressLine::Unit;
  CHECK(progress_text("converting", Unit::bytes, 0, 100, 0) == "converting    0 %");
  CHECK(progress_text("converting", Unit::bytes, 50 << 20, 100 << 20, 2) == "converting   50 %  25 MiB/s  2 s left");
  CHECK(progress_text("reading", Unit::items, 10, 1000, 10) == "reading    1 %  1/s  16:30 min left");
  CHECK(progress_text("reading", Unit::items, 11, 10, 1) == "reading  100 %  11/s  0 s left");
  CHECK(progress_text("nothing", Unit::bytes, 0, 0, 1) == "nothing    0 %");
  CHECK(human_bytes(12) == "12 bytes");
  CHECK(human_bytes(1536.0 * 1024 * 1024) == "1.5 GiB");
}

TEST_CASE("cache folder: the environment decides") {
  const auto with = [](const char* loam, const char* xdg, const char* home) {
    setenv("LOAM_CACHE", loam, 1), setenv("XDG_CACHE_HOME", xdg, 1), setenv("HOME", home, 1);
    return cache_folder().string();
  };
  std::map<std::string, std::string> saved;
  for (const char* name : {"LOAM_CACHE", "XDG_CACHE_HOME", "HOME"})
    if (const char* v = std::getenv(name)) saved[name] = v;
  CHECK(with("/a", "/b", "/c") == "/a");
  CHECK(with("", "/b", "/c") == "/b/loam");
  CHECK(with("", "", "/c") == "/c/.cache/loam");
  CHECK_THROWS_AS(with("", "", ""), Error);
  for (const char* name : {"LOAM_CACHE", "XDG_CACHE_HOME", "HOME"}) unsetenv(name);
  for (const auto& [name, value] : saved) setenv(name.c_str(), value.c_str(), 1);
}

TEST_CASE("Ctrl-C: a request first, the second one leaves") {
  int status = 0;
  const auto run = [&](auto&& body) {
    const pid_t child = fork();
    if (child == 0) {
      catch_interrupts();
      body();
      _exit(interrupted() ? 3 : 4);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  CHECK(run([] {}) == 4);
  CHECK(run([] { std::raise(SIGINT); }) == 3);
  CHECK(run([] { std::raise(SIGINT), clear_interrupt(); }) == 4);
  CHECK(run([] { std::raise(SIGINT), clear_interrupt(), std::raise(SIGINT); }) == 3);
  CHECK(run([] { std::raise(SIGINT), std::raise(SIGINT); }) == kExitInterrupted);
}
