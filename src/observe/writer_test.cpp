#include "observe/writer.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace gost {
namespace {

using namespace std::chrono_literals;

/// What the targets of these tests share with the test itself, since the writer owns the target.
struct Tape {
  std::mutex mutex;
  std::condition_variable changed;
  std::string text;
  std::size_t writes = 0;
  bool entered = false;
  bool open = true;      ///< false: write() waits
  std::size_t fail = 0;  ///< this many writes fail

  std::string read() {
    std::lock_guard lock(mutex);
    return text;
  }
  void set_open(bool value) {
    std::lock_guard lock(mutex);
    open = value;
    changed.notify_all();
  }
  void wait_until_entered() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return entered; });
  }
};

class TapeTarget final : public LogTarget {
 public:
  explicit TapeTarget(Tape& tape) : tape_(tape) {}
  std::size_t write(std::string_view lines, const std::atomic<bool>& give_up) override {
    std::unique_lock lock(tape_.mutex);
    tape_.entered = true;
    tape_.changed.notify_all();
    while (!tape_.open && !give_up) tape_.changed.wait_for(lock, 5ms);
    ++tape_.writes;
    if (!tape_.open) return count_lines(lines);
    if (tape_.fail > 0) {
      --tape_.fail;
      return count_lines(lines);
    }
    tape_.text += lines;
    return 0;
  }

 private:
  Tape& tape_;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t from = 0; from < text.size();) {
    auto end = text.find('\n', from);
    if (end == std::string::npos) end = text.size();
    lines.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return lines;
}

TEST(LogWriter, FlushWaitsForAllThatWasAppended) {
  Tape tape;
  LogWriter writer(std::make_unique<TapeTarget>(tape));
  for (int i = 0; i < 100; ++i) {
    writer.append("line " + std::to_string(i) + "\n");
    ASSERT_TRUE(writer.flush(10s));
    ASSERT_EQ(lines_of(tape.read()).back(), "line " + std::to_string(i));
  }
}

TEST(LogWriter, WritesWhatIsLeftWhenItEnds) {
  Tape tape;
  {
    LogWriter writer(std::make_unique<TapeTarget>(tape));
    for (int i = 0; i < 1000; ++i) writer.append("x\n");
  }
  EXPECT_EQ(tape.text.size(), 2000U);
}

TEST(LogWriter, BatchesLinesThatComeTogether) {
  Tape tape;
  {
    LogWriter writer(std::make_unique<TapeTarget>(tape), {.pause = 60s});
    for (int i = 0; i < 1000; ++i) writer.append("x\n");
  }
  EXPECT_LE(tape.writes, 2U);
  EXPECT_EQ(tape.text.size(), 2000U);
}

TEST(LogWriter, CountsAndReportsLinesThatDidNotFit) {
  Tape tape;
  tape.open = false;
  LogWriter writer(std::make_unique<TapeTarget>(tape), {.capacity = 100});
  writer.append("first\n");
  tape.wait_until_entered();
  for (int i = 0; i < 25; ++i) writer.append("123456789\n");
  EXPECT_EQ(writer.lost(), 15U);
  tape.set_open(true);
  ASSERT_TRUE(writer.flush(10s));
  writer.append("last\n");
  ASSERT_TRUE(writer.flush(10s));

  auto lines = lines_of(tape.read());
  ASSERT_EQ(lines.size(), 13U);
  EXPECT_EQ(lines[10], "123456789");
  auto report = nlohmann::json::parse(lines[11]);
  EXPECT_EQ(report["level"], "warn");
  EXPECT_TRUE(report["msg"].get<std::string>().starts_with("15 log lines were lost")) << report;
  EXPECT_EQ(lines[12], "last");
}

TEST(LogWriter, ReportsLinesOfAFailedTargetOnceItWorksAgain) {
  Tape tape;
  tape.fail = 1;
  LogWriter writer(std::make_unique<TapeTarget>(tape));
  writer.append("lost\n");
  ASSERT_TRUE(writer.flush(10s));
  EXPECT_EQ(writer.lost(), 1U);
  writer.append("written\n");
  ASSERT_TRUE(writer.flush(10s));
  auto lines = lines_of(tape.read());
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "written");
  EXPECT_TRUE(nlohmann::json::parse(lines[1])["msg"].get<std::string>().starts_with("1 log lines were lost"));
}

TEST(LogWriter, AStuckTargetDelaysNeitherAppendNorTheEnd) {
  Tape tape;
  tape.open = false;
  {
    LogWriter writer(std::make_unique<TapeTarget>(tape), {.last_flush = 10ms});
    writer.append("stuck\n");
    EXPECT_FALSE(writer.flush(10ms));
  }
  EXPECT_EQ(tape.text, "");
}

TEST(LogWriter, LinesOfManyThreadsStayWhole) {
  Tape tape;
  constexpr int kThreads = 4;
  constexpr int kLines = 2000;
  {
    LogWriter writer(std::make_unique<TapeTarget>(tape));
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i)
      threads.emplace_back([&writer, i] {
        std::string line(static_cast<std::size_t>(20 + i * 30), static_cast<char>('a' + i));
        line += '\n';
        for (int j = 0; j < kLines; ++j) writer.append(line);
      });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(writer.lost(), 0U);
  }
  auto lines = lines_of(tape.text);
  ASSERT_EQ(lines.size(), static_cast<std::size_t>(kThreads * kLines));
  for (const auto& line : lines) {
    auto i = line[0] - 'a';
    ASSERT_EQ(line, std::string(static_cast<std::size_t>(20 + i * 30), line[0]));
  }
}

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0); }
  ~Pipe() {
    close_reader();
    ::close(ends_[1]);
  }
  int writer() const { return ends_[1]; }
  void close_reader() {
    if (ends_[0] >= 0) ::close(ends_[0]);
    ends_[0] = -1;
  }
  std::string read_bytes(std::size_t count) {
    std::string text(count, '\0');
    std::size_t have = 0;
    while (have < count) {
      ssize_t size = ::read(ends_[0], text.data() + have, count - have);
      if (size <= 0) break;
      have += static_cast<std::size_t>(size);
    }
    text.resize(have);
    return text;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

TEST(DescriptorTarget, APipeGetsEverythingHoweverSlowItsReader) {
  Pipe pipe;
  std::string line(999, 'x');
  line += '\n';
  constexpr std::size_t kLines = 500;  // many times what the pipe holds
  LogWriter writer(std::make_unique<DescriptorTarget>(pipe.writer()));
  for (std::size_t i = 0; i < kLines; ++i) writer.append(line);
  std::string text = pipe.read_bytes(kLines * line.size());
  EXPECT_EQ(lines_of(text), std::vector<std::string>(kLines, std::string(999, 'x')));
  EXPECT_EQ(writer.lost(), 0U);
}

TEST(DescriptorTarget, AReaderThatStopsReadingDoesNotHoldTheProgram) {
  Pipe pipe;
  LogWriter writer(std::make_unique<DescriptorTarget>(pipe.writer()), {.last_flush = 10ms});
  for (int i = 0; i < 200; ++i) writer.append(std::string(999, 'x') + "\n");
  EXPECT_FALSE(writer.flush(50ms));
}

TEST(DescriptorTarget, AClosedPipeIsAnErrorAndNoSignal) {
  Pipe pipe;
  pipe.close_reader();
  LogWriter writer(std::make_unique<DescriptorTarget>(pipe.writer()));
  writer.append("one\n");
  ASSERT_TRUE(writer.flush(10s));
  EXPECT_EQ(writer.lost(), 1U);
}

TEST(DescriptorTarget, AFullDiskLosesLinesAndNothingElse) {
  int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  {
    LogWriter writer(std::make_unique<DescriptorTarget>(full));
    writer.append("one\ntwo\n");
    ASSERT_TRUE(writer.flush(10s));
    EXPECT_EQ(writer.lost(), 2U);
  }
  ::close(full);
}

TEST(CountLines, AnUnfinishedLineCounts) {
  EXPECT_EQ(count_lines(""), 0U);
  EXPECT_EQ(count_lines("a\nb\n"), 2U);
  EXPECT_EQ(count_lines("a\nb"), 2U);
}

}  // namespace
}  // namespace gost
