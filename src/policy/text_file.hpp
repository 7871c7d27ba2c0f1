// TextFile: a file of lines that may change while the program runs. Shared by all policies that can be read from one.
#pragma once

#include "core/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gost {

/// The largest policy file that is read.
inline constexpr std::size_t kMaxPolicyFile = std::size_t{16} << 20;

/// Used by its owner only, one call at a time.
class TextFile {
 public:
  /// `kind` begins every error: "users file". `advice` ends the one about a file that is too large.
  TextFile(std::string kind, std::string advice, std::string path)
      : kind_(std::move(kind)), advice_(std::move(advice)), path_(std::move(path)) {}

  /// The text if the file is another one than at the last call; nothing if it is the same, or is still missing.
  /// Errors, each told once for each change of the file: not there, not a regular file, unreadable, too large.
  Result<std::optional<std::string>> read_if_changed();

  const std::string& path() const { return path_; }

 private:
  /// By what a change is recognised.
  struct Signature {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
    friend bool operator==(const Signature&, const Signature&) = default;
  };

  std::string name() const { return kind_ + " " + path_; }
  Result<Signature> look() const;
  Result<std::string> read() const;

  std::string kind_;
  std::string advice_;
  std::string path_;
  std::optional<Signature> seen_;  ///< of the file that was last read, well or badly; empty while it cannot be found
  std::string last_error_;
};

/// The lines of a text one after the other, trimmed; a byte order mark is skipped.
class Lines {
 public:
  explicit Lines(std::string_view text);
  /// False at the end.
  bool next();
  std::string_view line() const { return line_; }
  std::size_t number() const { return number_; }  ///< of the line, from 1

 private:
  std::string_view rest_;
  std::string_view line_;
  std::size_t number_ = 0;
};

/// The line without a comment, which begins with `#` anywhere in it; trimmed.
std::string_view without_comment(std::string_view line);

/// An error "FILE:LINE: control character 0x00; EXPECTED" if there is one in `line`: this is no text file.
Result<> refuse_control_characters(std::string_view line, std::string_view file, std::size_t number,
                                   std::string_view expected);

}  // namespace gost
