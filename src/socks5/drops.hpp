// Drops: the datagrams of a session that nobody gets. They are counted; the first of each kind is warned of.
#pragma once

#include "component/session.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace gost::socks5 {

class Drops {
 public:
  enum class Kind : std::uint8_t { too_long, stranger, malformed, forbidden, no_such_name };

  /// `longest`: the bytes of the longest datagram that the session takes. `session` must outlive this.
  Drops(std::size_t longest, Session& session) : longest_(longest), session_(session) {}

  /// True if a datagram of `size` bytes may pass. GOST cuts a longer one off at `udp.bufferSize`, and the far end
  /// gets a corrupt one; here it is lost as a whole, as UDP loses datagrams.
  bool admits(std::size_t size) {
    if (size <= longest_) return true;
    count(Kind::too_long, [&] {
      return "dropped a datagram of " + std::to_string(size) + " bytes, longer than " + std::to_string(longest_) +
             " (option udp.bufferSize)";
    });
    return false;
  }
  /// One more; `describe()` is the warning of the first, "dropped a datagram …".
  template <class Describe>
  void count(Kind kind, Describe describe) {
    ++session_.datagrams.dropped;
    warn_once(kind, describe);
  }
  /// The warning alone, for what is counted elsewhere.
  template <class Describe>
  void warn_once(Kind kind, Describe describe) {
    bool& warned = warned_[static_cast<std::size_t>(kind)];
    if (warned) return;
    warned = true;
    session_.record.note(Level::warn, describe() + "; further ones are only counted");
  }

 private:
  std::size_t longest_;
  Session& session_;
  std::array<bool, 5> warned_{};
};

}  // namespace gost::socks5
