#include "net/socket_options.hpp"

#include "core/text.hpp"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace gost {

namespace {

/// Binds to `ip`. A stream leaves the port to connect(2), which then may share it between destinations.
Result<> bind_to(int fd, int family, const IpAddress& ip) {
  SocketAddress address(ip, 0);
  if (address.family() != family)
    return fail(Cause::address_type, std::string("is not an ") + (family == AF_INET ? "IPv4" : "IPv6") + " address");
  int type = 0;
  socklen_t size = sizeof type;
  ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
  const int on = 1;
  if (type == SOCK_STREAM) ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_storage native;
  socklen_t length = address.to_native(native);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&native), length) < 0) return fail(Error::system(errno, "bind"));
  return {};
}

/// The first address of a device in one family.
std::optional<IpAddress> address_of(const std::string& device, int family) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return std::nullopt;
  std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  for (const ifaddrs* it = list; it != nullptr; it = it->ifa_next) {
    if (it->ifa_addr == nullptr || it->ifa_addr->sa_family != family || device != it->ifa_name) continue;
    sockaddr_storage native{};
    std::memcpy(&native, it->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    return SocketAddress::from_native(native).ip();
  }
  return std::nullopt;
}

Result<> use_device(int fd, int family, const std::string& device) {
  if (device.size() >= IFNAMSIZ || ::if_nametoindex(device.c_str()) == 0)
    return fail(Cause::invalid, "there is no such device or address");
  if (::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device.c_str(), static_cast<socklen_t>(device.size())) == 0)
    return {};
  if (errno != EPERM) return fail(Error::system(errno, "setsockopt"));
  // Without the right to choose a device, its address is the next best.
  auto ip = address_of(device, family);
  if (!ip) return fail(Cause::address_type, "the device has no address of this family");
  return bind_to(fd, family, *ip);
}

Result<> use_entry(int fd, int family, std::string_view entry) {
  if (auto ip = IpAddress::parse(entry)) return bind_to(fd, family, *ip);
  return use_device(fd, family, std::string(entry));
}

}  // namespace

Result<> apply_socket_options(int fd, int family, const SocketOptions& options) {
  if (options.mark != 0 && ::setsockopt(fd, SOL_SOCKET, SO_MARK, &options.mark, sizeof options.mark) < 0)
    return fail(Error::system(errno, "so_mark " + std::to_string(options.mark)));
  if (options.interface.empty()) return {};
  Result<> last;
  for (std::string_view entry : split(options.interface, ',')) {
    entry = trim(entry);
    bool strict = entry.ends_with('!');
    if (strict) entry.remove_suffix(1);
    if (entry.empty()) continue;
    auto used = use_entry(fd, family, entry);
    if (used) return {};
    last = fail(used.error().in("interface " + std::string(entry)));
    if (strict) break;
  }
  return last;
}

}  // namespace gost
