#include "observe/log_backups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <optional>

namespace gost {

namespace {

constexpr std::string_view kPattern = "0000-00-00T00-00-00.000";  ///< 0 stands for any digit
constexpr std::string_view kCompressed = ".gz";

struct Name {
  std::string folder;  ///< with its slash, or empty
  std::string prefix;  ///< "base-"
  std::string extension;
};

Name split_path(const std::string& path) {
  auto slash = path.rfind('/');
  std::size_t start = slash == std::string::npos ? 0 : slash + 1;
  auto dot = path.rfind('.');
  std::size_t stem_end = dot == std::string::npos || dot < start ? path.size() : dot;
  return {path.substr(0, start), path.substr(start, stem_end - start) + "-", path.substr(stem_end)};
}

std::optional<WallTime> parse_stamp(std::string_view text, bool local_time) {
  if (text.size() != kPattern.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool digit = text[i] >= '0' && text[i] <= '9';
    if (kPattern[i] == '0' ? !digit : text[i] != kPattern[i]) return std::nullopt;
  }
  auto number = [&](std::size_t from, std::size_t count) {
    int value = 0;
    for (char c : text.substr(from, count)) value = value * 10 + (c - '0');
    return value;
  };
  std::tm parts{};
  parts.tm_year = number(0, 4) - 1900;
  parts.tm_mon = number(5, 2) - 1;
  parts.tm_mday = number(8, 2);
  parts.tm_hour = number(11, 2);
  parts.tm_min = number(14, 2);
  parts.tm_sec = number(17, 2);
  parts.tm_isdst = -1;
  std::time_t seconds = local_time ? ::mktime(&parts) : ::timegm(&parts);
  return std::chrono::system_clock::from_time_t(seconds) + std::chrono::milliseconds(number(20, 3));
}

std::optional<LogBackup> parse_backup(const Name& name, const std::string& file, bool local_time) {
  std::string_view rest = file;
  bool compressed = rest.ends_with(kCompressed) && rest.ends_with(name.extension + std::string(kCompressed));
  if (compressed) rest.remove_suffix(kCompressed.size());
  std::string stem = name.folder + std::string(rest);
  if (!rest.starts_with(name.prefix) || !rest.ends_with(name.extension)) return std::nullopt;
  if (rest.size() < name.prefix.size() + name.extension.size()) return std::nullopt;
  rest.remove_prefix(name.prefix.size());
  rest.remove_suffix(name.extension.size());
  auto time = parse_stamp(rest, local_time);
  if (!time) return std::nullopt;
  return LogBackup{name.folder + file, std::move(stem), compressed, *time};
}

}  // namespace

std::string backup_name(const std::string& path, WallTime when, bool local_time) {
  Name name = split_path(path);
  auto second = std::chrono::floor<std::chrono::seconds>(when);
  auto millis = std::chrono::floor<std::chrono::milliseconds>(when - second).count();
  std::time_t seconds = std::chrono::system_clock::to_time_t(second);
  std::tm parts{};
  local_time ? ::localtime_r(&seconds, &parts) : ::gmtime_r(&seconds, &parts);
  return fmt::format("{}{}{:04}-{:02}-{:02}T{:02}-{:02}-{:02}.{:03}{}", name.folder, name.prefix,
                     parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     millis, name.extension);
}

std::vector<LogBackup> list_backups(const std::string& path, bool local_time) {
  Name name = split_path(path);
  std::vector<LogBackup> backups;
  std::error_code error;
  std::filesystem::directory_iterator entries(name.folder.empty() ? "." : name.folder, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error))
    if (auto backup = parse_backup(name, entries->path().filename().string(), local_time))
      backups.push_back(std::move(*backup));
  std::ranges::sort(backups, std::greater{}, &LogBackup::time);
  return backups;
}

}  // namespace gost
