// Where the bytes of the log end up: called only by the writer thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gost {

/// A destination of whole lines.
class LogTarget {
 public:
  virtual ~LogTarget() = default;

  /// Writes a batch of complete lines and returns how many of them could not be written. May block, but returns soon
  /// after `give_up` became true.
  virtual std::size_t write(std::string_view lines, const std::atomic<bool>& give_up) = 0;

  /// Does a small piece of house-keeping (compressing, pruning); true if there is more to do.
  virtual bool tidy() { return false; }
};

/// The number of lines in `bytes`, an unfinished last one included.
std::size_t count_lines(std::string_view bytes);

/// A descriptor that somebody else owns, be it a terminal, a pipe, a socket (journald) or a file.
class DescriptorTarget final : public LogTarget {
 public:
  explicit DescriptorTarget(int descriptor);

  std::size_t write(std::string_view lines, const std::atomic<bool>& give_up) override;

  bool is_regular_file() const { return regular_; }
  std::uint64_t bytes_written() const { return bytes_written_; }

 private:
  /// The number of bytes written: fewer than asked after an error, or once `give_up` is true. All but files are
  /// polled first, so that a stuck reader cannot hold the thread.
  std::size_t write_bytes(std::string_view bytes, const std::atomic<bool>& give_up);

  int descriptor_;
  bool regular_ = false;
  bool in_line_ = false;  ///< the last write broke off within a line
  std::uint64_t bytes_written_ = 0;
};

}  // namespace gost
