#include "observe/log_file.hpp"

#include "observe/log_backups.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace gost {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

const WallTime kStart(1795396792s);  // 2026-11-23T01:19:52Z

class LogFileTest : public testing::Test {
 protected:
  LogFileTest() {
    std::string pattern = (fs::temp_directory_path() / "gost-log-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~LogFileTest() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::unique_ptr<LogFile> open(Rotation rotation) {
    return LogFile::open(path("gost.log"), rotation, [this] { return now_; }).value();
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
  }
  std::string content(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void put(const std::string& name, const std::string& text = "old\n") const { std::ofstream(path(name)) << text; }
  static void tidy(LogFile& file) {
    while (file.tidy()) {
    }
  }
  static bool write(LogFile& file, std::string_view lines) {
    std::atomic<bool> give_up{false};
    return file.write(lines, give_up) == 0;
  }

  fs::path folder_;
  WallTime now_ = kStart;
};

TEST_F(LogFileTest, MakesItsFoldersAndAppends) {
  std::string deep = path("a/b/c.log");
  ASSERT_TRUE(write(*LogFile::open(deep).value(), "one\n"));
  ASSERT_TRUE(write(*LogFile::open(deep).value(), "two\n"));
  EXPECT_EQ(content("a/b/c.log"), "one\ntwo\n");
}

TEST_F(LogFileTest, SaysWhyItCannotBeOpened) {
  put("file");
  auto opened = LogFile::open(path("file/x.log"));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().text, "open " + path("file/x.log") + ": not a directory");
}

TEST_F(LogFileTest, AFifoWithoutReaderIsRefusedNotWaitedFor) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  EXPECT_FALSE(LogFile::open(path("fifo")));
}

TEST_F(LogFileTest, RotatesAtALineBeforeTheLimitIsExceeded) {
  auto file = open({.max_bytes = 10});
  ASSERT_TRUE(write(*file, "1234\n5678\n"));
  EXPECT_EQ(files(), std::vector<std::string>{"gost.log"});
  now_ += 1500ms;
  ASSERT_TRUE(write(*file, "abc\n"));
  EXPECT_EQ(files(), (std::vector<std::string>{"gost-2026-11-23T01-19-53.500.log", "gost.log"}));
  EXPECT_EQ(content("gost-2026-11-23T01-19-53.500.log"), "1234\n5678\n");
  EXPECT_EQ(content("gost.log"), "abc\n");
}

TEST_F(LogFileTest, ABatchIsSpreadOverFilesWithoutLosingAByte) {
  auto file = open({.max_bytes = 10});
  std::string batch;
  for (int i = 0; i < 20; ++i) batch += "l" + std::to_string(i) + "\n";
  ASSERT_TRUE(write(*file, batch));
  std::string all;
  for (const auto& name : files()) {
    EXPECT_LE(content(name).size(), 10U);
    EXPECT_TRUE(content(name).ends_with('\n'));
    all += content(name);
  }
  EXPECT_EQ(all, batch);
}

TEST_F(LogFileTest, ALineLongerThanTheLimitStaysWhole) {
  auto file = open({.max_bytes = 10});
  ASSERT_TRUE(write(*file, "a\n" + std::string(50, 'x') + "\nb\n"));
  auto names = files();
  ASSERT_EQ(names.size(), 3U);
  EXPECT_EQ(content(names[1]), std::string(50, 'x') + "\n");
  EXPECT_EQ(content("gost.log"), "b\n");
}

TEST_F(LogFileTest, CountsWhatTheFileHeldBefore) {
  put("gost.log", "12345678\n");
  auto file = open({.max_bytes = 10});
  ASSERT_TRUE(write(*file, "abc\n"));
  EXPECT_EQ(files().size(), 2U);
  EXPECT_EQ(content("gost.log"), "abc\n");
}

TEST_F(LogFileTest, KeepsTheNewestBackups) {
  put("gost-2026-01-01T00-00-00.000.log");
  put("gost-2026-01-02T00-00-00.000.log.gz");
  put("gost-2026-01-03T00-00-00.000.log");
  put("gost-note.log");
  put("other-2026-01-01T00-00-00.000.log");
  auto file = open({.max_backups = 2});
  tidy(*file);
  EXPECT_EQ(files(),
            (std::vector<std::string>{"gost-2026-01-02T00-00-00.000.log.gz", "gost-2026-01-03T00-00-00.000.log",
                                      "gost-note.log", "gost.log", "other-2026-01-01T00-00-00.000.log"}));
}

TEST_F(LogFileTest, RemovesBackupsThatAreTooOld) {
  put("gost-2026-11-20T01-19-51.999.log");
  put("gost-2026-11-20T01-19-52.000.log");
  auto file = open({.max_age_days = 3});
  tidy(*file);
  EXPECT_EQ(files(), (std::vector<std::string>{"gost-2026-11-20T01-19-52.000.log", "gost.log"}));
}

std::string gunzip(const std::string& path) {
  gzFile file = ::gzopen(path.c_str(), "rb");
  std::string text(1 << 20, '\0');
  int size = ::gzread(file, text.data(), static_cast<unsigned>(text.size()));
  ::gzclose(file);
  text.resize(static_cast<std::size_t>(std::max(size, 0)));
  return text;
}

TEST_F(LogFileTest, CompressesBackups) {
  auto file = open({.max_bytes = 400'000, .compress = true});
  std::string old;
  while (old.size() < 390'000) old += "line " + std::to_string(old.size()) + "\n";
  ASSERT_TRUE(write(*file, old));
  ASSERT_TRUE(write(*file, std::string(20'000, 'x') + "\n"));
  ASSERT_TRUE(write(*file, "new\n"));
  tidy(*file);
  EXPECT_EQ(files(), (std::vector<std::string>{"gost-2026-11-23T01-19-52.000.log.gz", "gost.log"}));
  EXPECT_TRUE(gunzip(path("gost-2026-11-23T01-19-52.000.log.gz")) == old);
}

TEST_F(LogFileTest, AnAbandonedCompressionLeavesTheOriginal) {
  put("gost-2026-01-01T00-00-00.000.log", std::string(1 << 20, 'x'));
  {
    auto file = open({.compress = true});
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(file->tidy());
    EXPECT_EQ(files().size(), 3U);
  }
  EXPECT_EQ(files(), (std::vector<std::string>{"gost-2026-01-01T00-00-00.000.log", "gost.log"}));
}

TEST_F(LogFileTest, GoesOnInTheOldFileWhenItCannotBeMoved) {
  std::string name(250, 'n');  // the longer name of its backup is more than a file system takes
  auto file = LogFile::open(path(name), Rotation{.max_bytes = 4}).value();
  ASSERT_TRUE(write(*file, "one\ntwo\nthree\n"));
  EXPECT_EQ(content(name), "one\ntwo\nthree\n");
}

TEST(LogBackups, NamesAreLumberjacks) {
  WallTime when = kStart + 7ms;
  EXPECT_EQ(backup_name("/var/log/gost.log", when, false), "/var/log/gost-2026-11-23T01-19-52.007.log");
  EXPECT_EQ(backup_name("gost", when, false), "gost-2026-11-23T01-19-52.007");
  EXPECT_EQ(backup_name("/v.d/gost", when, false), "/v.d/gost-2026-11-23T01-19-52.007");
  EXPECT_EQ(backup_name("a.b.log", when, false), "a.b-2026-11-23T01-19-52.007.log");
}

}  // namespace
}  // namespace gost
