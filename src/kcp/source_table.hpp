// SourceTable: something for each source address.
#pragma once

#include "core/address.hpp"
#include "udp/source.hpp"

#include <random>
#include <unordered_map>

namespace gost::kcp {

/// Nobody can choose addresses that all fall into one place of the table.
class AddressHash {
 public:
  AddressHash() : of_(random_secret()) {}
  std::size_t operator()(const SocketAddress& address) const { return of_(SourceView{address, {}}); }
  std::size_t operator()(const IpAddress& address) const { return (*this)(SocketAddress(address, 0)); }

 private:
  static std::uint64_t random_secret() {
    std::random_device source;
    return std::uint64_t{source()} << 32 | source();
  }
  SourceHash of_;
};

template <class T>
using SourceTable = std::unordered_map<SocketAddress, T, AddressHash>;

}  // namespace gost::kcp
