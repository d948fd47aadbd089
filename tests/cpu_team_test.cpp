// The CPU backend's team of threads: every chunk once, phase after phase, whatever the threads do.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <thread>

#include "backends/cpu/team.h"
#include "core/profile.h"

using namespace loam;

namespace {

// Every chunk of a phase must be run once, and not before all chunks of the phase before.
struct Ledger {
  std::vector<int64_t> counts;
  std::vector<std::atomic<int64_t>> done;
  std::atomic<int> errors{0};
  std::vector<std::vector<std::atomic<int>>> seen;

  explicit Ledger(std::vector<int64_t> c) : counts(std::move(c)), done(counts.size()), seen(counts.size()) {
    for (size_t p = 0; p < counts.size(); ++p) seen[p] = std::vector<std::atomic<int>>(size_t(counts[p]));
  }
  static void work(void* context, size_t phase, int64_t chunk, int) {
    Ledger& l = *static_cast<Ledger*>(context);
    if (chunk < 0 || chunk >= l.counts[phase] || l.seen[phase][size_t(chunk)]++ != 0) ++l.errors;
    if (phase > 0 && l.done[phase - 1] != l.counts[phase - 1]) ++l.errors;
    ++l.done[phase];
  }
  bool right() const {
    for (size_t p = 0; p < counts.size(); ++p) {
      if (done[p] != counts[p]) return false;
    }
    return errors == 0;
  }
};

std::vector<int> thread_counts() { return {1, 2, 3, 4, 9}; }  // 9: more than there are processors

}  // namespace

TEST_CASE("a team leaves stamps while it is asked to, of the chunks that each thread ran") {
  for (int threads : {1, 3}) {
    CAPTURE(threads);
    const std::vector<int64_t> counts{2, 0, 40};
    cpu::Team team(counts.size());
    std::vector<cpu::PhaseStamp> stamps(size_t(threads) * counts.size());
    for (size_t p = 0; p < counts.size(); ++p) team.set_chunks(p, counts[p]);
    const int64_t begin = cpu::stamp_now();
    Ledger ledger(counts), silent(counts);
    team.set_stamps(stamps.data());
    team.run(threads, Ledger::work, &ledger);
    const int64_t end = cpu::stamp_now();
    team.set_stamps(nullptr);
    const std::vector<cpu::PhaseStamp> kept = stamps;
    team.run(threads, Ledger::work, &silent);
    CHECK(ledger.right());
    CHECK(silent.right());
    for (size_t i = 0; i < stamps.size(); ++i) CHECK(stamps[i].end == kept[i].end);
    int64_t last[3] = {};
    for (size_t i = 0; i < stamps.size(); ++i) {
      CHECK(stamps[i].begin <= stamps[i].end);
      CHECK((stamps[i].end == 0 || (stamps[i].begin >= begin && stamps[i].end <= end)));
      last[i % 3] = std::max(last[i % 3], stamps[i].end);
    }
    CHECK((last[0] > 0 && last[1] == 0 && last[2] >= last[0]));
  }
}

TEST_CASE("the times of phases add up to the run") {
  // Two threads, three phases: 100..140 and 100..160; none; the second thread comes late, its chunk ends last.
  const std::vector<cpu::PhaseStamp> stamps{{100, 140}, {}, {170, 180}, {100, 160}, {}, {175, 200}};
  std::vector<double> busy, waiting;
  cpu::sum_phase_times(stamps, 3, 90, 210,
                       [&](size_t, double b, double w) { busy.push_back(b * 1e9), waiting.push_back(w * 1e9); });
  const std::vector<double> expected_busy{60, 0, 25}, expected_waiting{10, 0, 25};
  for (size_t p = 0; p < 3; ++p) {
    CHECK(busy[p] == doctest::Approx(expected_busy[p]));
    CHECK(waiting[p] == doctest::Approx(expected_waiting[p]));
  }
  Profile profile;
  for (int run = 0; run < 2; ++run) {
    profile.begin_run();
    for (int p = 0; p < 3; ++p) profile.add(7, p == 1 ? "rounding" : "", busy[size_t(p)], waiting[size_t(p)]);
  }
  REQUIRE(profile.phases().size() == 3);
  CHECK(profile.phases()[1].name == "rounding");
  CHECK(profile.phases()[2].busy == std::vector<double>{busy[2], busy[2]});
}

TEST_CASE("a team runs every chunk once, phase after phase") {
  for (int threads : thread_counts()) {
    CAPTURE(threads);
    std::vector<int64_t> counts;
    for (int i = 0; i < 40; ++i) counts.push_back(i % 7 == 3 ? 0 : (i * 13) % 50 + 1);
    cpu::Team team(counts.size());
    for (int run = 0; run < 10; ++run) {
      Ledger ledger(counts);
      for (size_t p = 0; p < counts.size(); ++p) team.set_chunks(p, counts[p]);
      team.run(threads, Ledger::work, &ledger);
      CHECK(ledger.right());
      for (int64_t& c : counts) c = (c + run) % 60;  // other sizes in the next run
    }
  }
}

TEST_CASE("a team with many tiny phases") {
  const size_t phases = std::getenv("LOAM_TEST_FULL") ? 20000 : 3000;
  for (int threads : thread_counts()) {
    CAPTURE(threads);
    cpu::Team team(phases);
    for (int run = 0; run < 3; ++run) {
      Ledger ledger(std::vector<int64_t>(phases, 1 + run));
      for (size_t p = 0; p < phases; ++p) team.set_chunks(p, 1 + run);
      team.run(threads, Ledger::work, &ledger);
      CHECK(ledger.right());
    }
  }
}

TEST_CASE("a team may be smaller or larger from run to run, and empty") {
  cpu::Team team(3);
  for (int threads : {3, 1, 2, 1, 4}) {
    Ledger ledger({5, 0, 7});
    for (size_t p = 0; p < 3; ++p) team.set_chunks(p, ledger.counts[p]);
    team.run(threads, Ledger::work, &ledger);
    CHECK(ledger.right());
  }
  cpu::Team none(0);
  none.run(2, Ledger::work, nullptr);
}

TEST_CASE("threads wait for a slow one and go on") {
  struct Slow {
    static void work(void* context, size_t phase, int64_t chunk, int) {
      if (phase == 0 && chunk == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));  // beyond all spinning
      Ledger::work(context, phase, chunk, 0);
    }
  };
  Ledger ledger({2, 3, 1});
  cpu::Team team(3);
  for (size_t p = 0; p < 3; ++p) team.set_chunks(p, ledger.counts[p]);
  team.run(3, Slow::work, &ledger);
  CHECK(ledger.right());
}

TEST_CASE("chunks are done once each while threads stall at random") {
  struct Stalls : Ledger {
    using Ledger::Ledger;
    static void work(void* context, size_t phase, int64_t chunk, int thread) {
      const size_t dice = (phase * 7919 + size_t(chunk) * 104729 + size_t(thread) * 31) % 97;
      if (dice < 3)
        std::this_thread::sleep_for(std::chrono::microseconds(30 << dice * 2));  // within and beyond spinning
      if (dice == 4) std::this_thread::yield();
      Ledger::work(context, phase, chunk, thread);
    }
  };
  std::unique_ptr<cpu::Team> team;  // runs of unlike lists with idle gaps: late threads of one run meet the next
  for (int run = 0; run < 60; ++run) {
    if (run % 6 == 0) team = std::make_unique<cpu::Team>(30);  // later it would work alone
    std::vector<int64_t> counts;
    for (int p = 0; p < 30; ++p) counts.push_back((p * 13 + run * 7) % 4 == 0 ? 0 : (p * 5 + run) % 9);
    Stalls ledger(counts);
    for (size_t p = 0; p < counts.size(); ++p) team->set_chunks(p, counts[p]);
    const int threads = 1 + run % 5;
    CAPTURE(run);
    team->run(threads, Stalls::work, &ledger);
    CHECK(ledger.right());
    if (run % 7 == 0) std::this_thread::sleep_for(std::chrono::microseconds(400));  // helpers fall asleep
  }
}

TEST_CASE("a thread that holds no chunk stops nobody, and idle threads take no time") {
  // 256 threads on a few processors: most never run before the work is done.
  cpu::Team team(50);
  for (int run = 0; run < 5; ++run) {
    Ledger ledger(std::vector<int64_t>(50, 3));
    for (size_t p = 0; p < 50; ++p) team.set_chunks(p, 3);
    team.run(256, Ledger::work, &ledger);
    CHECK(ledger.right());
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // all have fallen asleep
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CHECK(double(std::clock() - before) / CLOCKS_PER_SEC < 0.15);  // 256 that look on would take all processors
}

TEST_CASE("helpers that hold the others up are let go, and tried again later and later") {
  cpu::Crew crew;
  for (int i = 0; i < 100; ++i) crew.learn(8, 8, 10, 100);
  CHECK(crew.threads >= 8);
  std::vector<int> gaps;
  for (int run = 0, last = 0; run < 3000; ++run) {
    const int used = std::min(8, crew.threads);
    crew.learn(used, 8, used > 2 ? 80 : 10, 100);  // two threads go well, four do not
    CHECK(crew.threads >= 1);
    if (used > 2) gaps.push_back(run - last), last = run;
  }
  CHECK(crew.threads == 2);
  CHECK(gaps.back() == cpu::Crew::kLongestRest + 1);
  CHECK(gaps.size() < 20);
  for (int run = 0; run < 3000; ++run) crew.learn(std::min(8, crew.threads), 8, 0, 100);  // the others have gone
  CHECK(crew.threads >= 8);
  CHECK(crew.next_rest == cpu::Crew::kShortestRest);
}

TEST_CASE("a forked process runs on alone") {
  cpu::Team team(20);
  const auto run = [&] {
    Ledger ledger(std::vector<int64_t>(20, 4));
    for (size_t p = 0; p < 20; ++p) team.set_chunks(p, 4);
    team.run(3, Ledger::work, &ledger);
    return ledger.right();
  };
  CHECK(run());
  const pid_t child = fork();
  if (child == 0) _exit(run() ? 7 : 1);
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 7));
  CHECK(run());
}

TEST_CASE("two teams run at the same time") {
  std::atomic<int> right{0};
  const auto use = [&] {
    cpu::Team team(100);
    for (int run = 0; run < 20; ++run) {
      Ledger ledger(std::vector<int64_t>(100, 4));
      for (size_t p = 0; p < 100; ++p) team.set_chunks(p, 4);
      team.run(2, Ledger::work, &ledger);
      right += ledger.right();
    }
  };
  std::thread other(use);
  use();
  other.join();
  CHECK(right == 40);
}
