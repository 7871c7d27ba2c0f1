// SizeLimit: the longest datagram that a session takes; longer ones are dropped and counted, and warned of once.
#pragma once

#include "component/session.hpp"

#include <cstddef>
#include <string>

namespace gost::socks5 {

/// GOST cuts a long datagram off at `udp.bufferSize`, and the far end gets a corrupt one; here it is lost as a whole,
/// as UDP loses datagrams.
class SizeLimit {
 public:
  SizeLimit(std::size_t longest, Session& session) : longest_(longest), session_(session) {}

  /// True if a datagram of `size` bytes may pass.
  bool admits(std::size_t size) {
    if (size <= longest_) return true;
    ++session_.datagrams.dropped;
    if (!warned_) {
      warned_ = true;
      session_.record.note(Level::warn, "dropped a datagram of " + std::to_string(size) + " bytes, longer than " +
                                            std::to_string(longest_) +
                                            " (option udp.bufferSize); further ones are only counted");
    }
    return false;
  }

 private:
  std::size_t longest_;
  Session& session_;
  bool warned_ = false;
};

}  // namespace gost::socks5
