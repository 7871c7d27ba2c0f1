// Small files (certificates, keys): read whole, and recognised when they change.
#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gost::tls {

/// Files that belong together: whether one of them has changed.
class WatchedFiles {
 public:
  /// Empty paths stand for no file.
  explicit WatchedFiles(std::vector<std::string> paths) : paths_(std::move(paths)), seen_(stamps()) {}
  /// Whether one of them is another file than at the last call. To be asked before reading: a file that changes
  /// meanwhile is read again next time.
  bool changed();

 private:
  struct Stamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t modified_ns = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  /// Nothing in place of those that cannot be found.
  std::vector<std::optional<Stamp>> stamps() const;

  std::vector<std::string> paths_;
  std::vector<std::optional<Stamp>> seen_;
};

/// Whether there is anything at `path`.
bool is_there(const std::string& path);

/// The whole file. `kind` begins every error: "certificate file". Errors: not there, unreadable, not a regular file,
/// larger than 1 MiB.
Result<std::string> read_small_file(const std::string& path, const std::string& kind);

/// Writes `text` to a new file with mode 0600 beside `path` and renames it: readers see the old file or the new one.
Result<> replace_file(const std::string& path, const std::string& text);

}  // namespace gost::tls
