#include "service/build.hpp"

#include "core/text.hpp"
#include "route/direct_router.hpp"
#include "service/option_reader.hpp"
#include "service/registry.hpp"

#include <algorithm>
#include <span>

namespace gost {

namespace {

/// Service options that later parts bring. Ignoring one would send traffic another way than was asked for.
constexpr std::string_view kUnavailableOptions[] = {"proxyProtocol", "interface", "so_mark", "netns",   "netns.out",
                                                    "preUp",         "postUp",    "preDown", "postDown"};

/// Options that change nothing yet. Nothing is less safe for it, so a warning does.
constexpr std::string_view kHandlerOptionsWithoutEffect[] = {"bind", "udp",  "skipauth", "sniffing",
                                                             "tor",  "comp", "hash"};
constexpr std::string_view kServiceOptionsWithoutEffect[] = {"ignoreChain", "enableStats", "labels"};

constexpr std::int64_t kMaxRetries = 100;

class Builder {
 public:
  Builder(const config::Config& config, config::Problems& problems) : config_(config), problems_(problems) {}

  Built build() {
    for (const config::Auther& auther : config_.authers) add_auther(auther);
    for (const config::Service& service : config_.services) add_service(service);
    return std::move(built_);
  }

 private:
  using Auther = std::shared_ptr<const Authenticator>;

  void problem(const config::Origin& origin, std::string text) {
    problems_.push_back({config::Severity::error, origin, std::move(text)});
  }

  void add_auther(const config::Auther& auther) {
    std::vector<User> users;
    for (const config::Auth& auth : auther.auths) users.push_back({auth.username, auth.password});
    if (!auther.loaders.file) {
      authers_.emplace(auther.name, std::make_shared<const UserList>(std::move(users)));
      return;
    }
    auto file = UserFile::open(auther.loaders.file->path, std::move(users));
    if (!file) {
      problem(auther.loaders.file->origin, "auther '" + auther.name + "': " + file.error().text);
      return;
    }
    std::shared_ptr<UserFile> shared = std::move(*file);
    authers_.emplace(auther.name, shared);
    built_.users.push_back({auther.name, std::move(shared), auther.loaders.reload});
  }

  /// The authers that the handler names, else its own credentials; null if it has neither (config.md §4.3).
  Auther auther_of(const config::Handler& handler) {
    std::vector<Auther> named;
    auto add = [&](const std::string& name) {
      if (name.empty()) return;
      if (auto found = authers_.find(name); found != authers_.end()) {
        named.push_back(found->second);
      } else {
        problem(handler.origin, "auther '" + name + "' cannot be used");
      }
    };
    add(handler.auther);
    for (const std::string& name : handler.authers) add(name);
    if (named.size() == 1) return named.front();
    if (!named.empty()) return std::make_shared<const AutherGroup>(std::move(named));
    if (!handler.auth || handler.auth->username.empty()) return nullptr;
    return std::make_shared<const UserList>(std::vector<User>{{handler.auth->username, handler.auth->password}});
  }

  void warn_of_options_without_effect(const config::Metadata& metadata, std::span<const std::string_view> options) {
    for (std::string_view option : options) {
      const config::Value* value = metadata.find(option);
      if (value == nullptr || parse_bool(value->text()) == false) continue;
      problems_.push_back({config::Severity::warning, value->origin,
                           "option '" + std::string(option) + "' has no effect in this build"});
    }
  }

  void add_service(const config::Service& service) {
    for (std::string_view option : kUnavailableOptions) {
      if (const config::Value* value = service.metadata.find(option))
        problem(value->origin, "option '" + std::string(option) + "' is not available in this build");
    }
    if (!service.interface.empty()) problem(service.origin, "option 'interface' is not available in this build");
    if (service.sockopts && service.sockopts->mark != 0)
      problem(service.origin, "option 'sockopts' is not available in this build");

    if (service.handler) warn_of_options_without_effect(service.handler->metadata, kHandlerOptionsWithoutEffect);
    warn_of_options_without_effect(service.metadata, kServiceOptionsWithoutEffect);
    const config::Handler handler = service.handler.value_or(config::Handler{});
    const config::Listener listener = service.listener.value_or(config::Listener{});
    OptionReader options(service.metadata);
    OptionReader handler_options(handler.metadata);
    DirectRouterOptions routing;
    routing.timeout = options.duration({"dialTimeout"}, routing.timeout);
    routing.retries = static_cast<int>(std::clamp<std::int64_t>(handler.retries, 0, kMaxRetries));
    auto max_handshakes = handler_options.integer({"maxHandshakes"}, 0);
    auto router = std::make_shared<const DirectRouter>(routing);
    auto made_handler = make_handler(handler, {auther_of(handler), std::move(router)});
    auto made_listener = make_listener(listener, service.addr.empty() ? ":0" : service.addr);
    if (options.error()) problem({}, options.error()->text);
    if (handler_options.error()) problem({}, handler_options.error()->text);
    if (!made_handler) problem(handler.origin, made_handler.error().text);
    if (!made_listener) problem(listener.origin, made_listener.error().text);
    if (!made_handler || !made_listener) return;
    ServiceParts& parts = built_.services.emplace_back();
    parts.name = service.name;
    parts.listener_type = listener.type.empty() ? "tcp" : listener.type;
    parts.handler_type = handler.type.empty() ? "auto" : handler.type;
    parts.listener = std::move(*made_listener);
    parts.handler = std::move(*made_handler);
    if (max_handshakes > 0) parts.max_handshakes = static_cast<std::size_t>(max_handshakes);
  }

  const config::Config& config_;
  config::Problems& problems_;
  std::map<std::string, Auther, std::less<>> authers_;
  Built built_;
};

}  // namespace

Built build(const config::Config& config, config::Problems& problems) {
  return Builder(config, problems).build();
}

}  // namespace gost
