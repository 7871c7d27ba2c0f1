#include "service/registry.hpp"

#include "auto/handler.hpp"
#include "config/components.hpp"
#include "service/option_reader.hpp"
#include "socks4/handler.hpp"
#include "socks5/handler.hpp"
#include "tcp/listener.hpp"

#include <array>

namespace gost {

namespace {

using MakeHandler = Result<std::shared_ptr<const Handler>> (*)(const config::Handler&, const HandlerResources&);
using MakeListener = Result<std::unique_ptr<Listener>> (*)(const config::Listener&, const std::string&);

/// Any value that is not positive means the default, as in GOST.
Duration read_timeout(OptionReader& options, Duration otherwise) {
  Duration timeout = options.duration({"readTimeout"}, otherwise);
  return timeout > Duration::zero() ? timeout : otherwise;
}

Result<std::shared_ptr<const Handler>> make_socks4(const config::Handler& handler,
                                                   const HandlerResources& resources) {
  OptionReader options(handler.metadata);
  socks4::HandlerOptions typed{.auther = resources.auther, .router = resources.router};
  typed.read_timeout = read_timeout(options, typed.read_timeout);
  if (auto error = options.error()) return fail(std::move(*error));
  return std::make_shared<const socks4::SocksHandler>(std::move(typed));
}

Result<std::shared_ptr<const Handler>> make_socks5(const config::Handler& handler,
                                                   const HandlerResources& resources) {
  OptionReader options(handler.metadata);
  socks5::HandlerOptions typed{.auther = resources.auther, .router = resources.router};
  typed.read_timeout = read_timeout(options, typed.read_timeout);
  if (auto error = options.error()) return fail(std::move(*error));
  return std::make_shared<const socks5::SocksHandler>(std::move(typed));
}

Result<std::shared_ptr<const Handler>> make_auto(const config::Handler& handler, const HandlerResources& resources) {
  OptionReader options(handler.metadata);
  auto socks4 = make_socks4(handler, resources);
  if (!socks4) return socks4;
  auto socks5 = make_socks5(handler, resources);
  if (!socks5) return socks5;
  AutoHandlerOptions typed{.socks4 = std::move(*socks4), .socks5 = std::move(*socks5)};
  typed.read_timeout = read_timeout(options, typed.read_timeout);
  return std::make_shared<const AutoHandler>(std::move(typed));
}

Result<std::unique_ptr<Listener>> make_tcp(const config::Listener& listener, const std::string& address) {
  OptionReader options(listener.metadata);
  ListenOptions typed;
  typed.multipath = options.boolean({"mptcp"}, false);
  typed.reuse_port = options.boolean({"reuseport"}, false);
  if (options.boolean({"keepalive"}, false)) {
    typed.keepalive.idle = options.duration({"keepalive.idle"}, typed.keepalive.idle);
    typed.keepalive.interval = options.duration({"keepalive.interval"}, typed.keepalive.interval);
    typed.keepalive.count = static_cast<int>(options.integer({"keepalive.count"}, typed.keepalive.count));
  }
  if (auto error = options.error()) return fail(std::move(*error));
  return std::make_unique<TcpListener>(address, typed);
}

// The table to extend: name, factory.
constexpr std::array kHandlers{
    std::pair<std::string_view, MakeHandler>{"auto", &make_auto},
    std::pair<std::string_view, MakeHandler>{"socks4", &make_socks4},
    std::pair<std::string_view, MakeHandler>{"socks5", &make_socks5},
};
constexpr std::array kListeners{
    std::pair<std::string_view, MakeListener>{"tcp", &make_tcp},
};

template <class Table>
auto factory_for(const Table& table, config::Kind kind, const std::string& type)
    -> Result<typename Table::value_type::second_type> {
  std::string_view name = config::canonical_name(kind, type);
  for (auto& [candidate, make] : table)
    if (candidate == name) return make;
  return fail(Cause::invalid,
              std::string(config::to_string(kind)) + " '" + type + "' is not available in this build");
}

}  // namespace

config::Availability availability() {
  config::Availability available;
  for (auto& [name, make] : kHandlers) available.handlers.emplace(name);
  for (auto& [name, make] : kListeners) available.listeners.emplace(name);
  return available;
}

Result<std::shared_ptr<const Handler>> make_handler(const config::Handler& handler,
                                                    const HandlerResources& resources) {
  auto make = factory_for(kHandlers, config::Kind::handler, handler.type);
  if (!make) return fail(make.error());
  return (*make)(handler, resources);
}

Result<std::unique_ptr<Listener>> make_listener(const config::Listener& listener, const std::string& address) {
  auto make = factory_for(kListeners, config::Kind::listener, listener.type);
  if (!make) return fail(make.error());
  return (*make)(listener, address);
}

}  // namespace gost
