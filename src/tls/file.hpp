// Small files (certificates, keys): read whole, and recognised when they change.
#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace gost::tls {

/// By what a change of a file is recognised.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// Nothing if the file cannot be found.
std::optional<FileStamp> stamp_of(const std::string& path);

/// The whole file. `kind` begins every error: "certificate file". Errors: not there, unreadable, not a regular file,
/// larger than 1 MiB.
Result<std::string> read_small_file(const std::string& path, const std::string& kind);

/// Writes `text` to a new file with mode 0600 beside `path` and renames it: readers see the old file or the new one.
Result<> replace_file(const std::string& path, const std::string& text);

}  // namespace gost::tls
