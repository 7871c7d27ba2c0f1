#include "socks5/fragments.hpp"

#include <utility>

namespace gost::socks5 {

namespace {
constexpr std::uint8_t kLast = 0x80;
}  // namespace

std::optional<Fragments::Whole> Fragments::input(const UdpHeader& header, Bytes payload, TimePoint now) {
  expire(now);
  auto position = static_cast<std::uint8_t>(header.fragment & ~kLast);
  if (position == 1) give_up();
  if (position != held_ + 1 || !continues(header, payload)) {
    give_up();
    ++dropped_;
    return std::nullopt;
  }
  if (held_ == 0) {
    partial_.peer = header.address.peer;
    partial_.name = header.address.name;
    expires_ = now + kTimeout;
  }
  ++held_;
  partial_.payload.insert(partial_.payload.end(), payload.begin(), payload.end());
  if ((header.fragment & kLast) == 0) return std::nullopt;
  held_ = 0;
  return std::exchange(partial_, {});
}

bool Fragments::continues(const UdpHeader& header, Bytes payload) const {
  if (payload.size() > max_datagram_ - partial_.payload.size()) return false;
  return held_ == 0 || header.address == DatagramAddress{partial_.peer, partial_.name};
}

std::optional<TimePoint> Fragments::next_timeout() const {
  return held_ == 0 ? std::nullopt : std::optional(expires_);
}

void Fragments::expire(TimePoint now) {
  if (held_ != 0 && now >= expires_) give_up();
}

void Fragments::give_up() {
  dropped_ += held_;
  held_ = 0;
  partial_ = {};
}

}  // namespace gost::socks5
