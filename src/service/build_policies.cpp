#include "service/build_policies.hpp"

#include "policy/user_file.hpp"

namespace gost {

template <class T, class Object>
std::shared_ptr<const T> PolicyBuilder::find(ByName<T>& made, const std::vector<Object>& list, std::string_view kind,
                                             const config::Origin& at, const std::string& name) {
  if (name.empty()) return nullptr;
  if (auto known = made.find(name); known != made.end()) return known->second;
  const Object* object = find_named(list, name);
  if (object == nullptr) {
    context_.error(at, std::string(kind) + " '" + name + "' is not defined");
    return nullptr;
  }
  return made[name] = make(*object);
}

void PolicyBuilder::make_all() {
  const config::Config& config = context_.config;
  for (const config::Auther& it : config.authers) find(authers_, config.authers, "auther", it.origin, it.name);
  for (const config::Bypass& it : config.bypasses) find(bypasses_, config.bypasses, "bypass", it.origin, it.name);
  for (const config::Hosts& it : config.hosts) find(hosts_, config.hosts, "hosts", it.origin, it.name);
}

std::shared_ptr<const Authenticator> PolicyBuilder::make(const config::Auther& auther) {
  std::vector<User> users;
  for (const config::Auth& auth : auther.auths) users.push_back({auth.username, auth.password});
  if (!auther.loaders.file) return std::make_shared<const UserList>(std::move(users));
  auto file = UserFile::open(auther.loaders.file->path, std::move(users));
  if (!file) {
    context_.error(auther.loaders.file->origin, "auther '" + auther.name + "': " + file.error().text);
    return nullptr;
  }
  std::shared_ptr<UserFile> shared = std::move(*file);
  context_.built.files.push_back({"auther", auther.name, shared, auther.loaders.reload});
  return shared;
}

std::shared_ptr<const Bypass> PolicyBuilder::make(const config::Bypass& bypass) {
  BypassOptions options;
  options.whitelist = bypass.whitelist || bypass.reverse;
  if (!bypass.network.empty()) options.network = bypass.network == "udp" ? Network::udp : Network::tcp;
  if (!bypass.loaders.file) {
    auto list = BypassList::make(bypass.matchers, options);
    if (list) return *list;
    context_.error(bypass.origin, "bypass '" + bypass.name + "': " + list.error().text);
    return nullptr;
  }
  auto file = BypassFile::open(bypass.loaders.file->path, bypass.matchers, options);
  if (!file) {
    context_.error(bypass.loaders.file->origin, "bypass '" + bypass.name + "': " + file.error().text);
    return nullptr;
  }
  context_.built.files.push_back({"bypass", bypass.name, *file, bypass.loaders.reload});
  return *file;
}

std::shared_ptr<const Hosts> PolicyBuilder::make(const config::Hosts& hosts) {
  std::vector<HostEntry> entries;
  for (const config::HostMapping& mapping : hosts.mappings) {
    auto ip = IpAddress::parse(mapping.ip);
    if (!ip || mapping.hostname.empty()) {
      context_.error(mapping.origin, "hosts '" + hosts.name + "': a mapping needs an 'ip' and a 'hostname'");
      continue;
    }
    entries.push_back({mapping.hostname, *ip});
    for (const std::string& alias : mapping.aliases)
      if (!alias.empty()) entries.push_back({alias, *ip});
  }
  if (!hosts.loaders.file) return std::make_shared<const HostTable>(entries);
  auto file = HostFile::open(hosts.loaders.file->path, std::move(entries));
  if (!file) {
    context_.error(hosts.loaders.file->origin, "hosts '" + hosts.name + "': " + file.error().text);
    return nullptr;
  }
  context_.built.files.push_back({"hosts", hosts.name, *file, hosts.loaders.reload});
  return *file;
}

std::shared_ptr<const Authenticator> PolicyBuilder::auther_of(const config::Handler& handler) {
  std::vector<std::shared_ptr<const Authenticator>> named;
  auto add = [&](const std::string& name) {
    if (auto auther = find(authers_, context_.config.authers, "auther", handler.origin, name))
      named.push_back(std::move(auther));
  };
  add(handler.auther);
  for (const std::string& name : handler.authers) add(name);
  if (named.size() == 1) return named.front();
  if (!named.empty()) return std::make_shared<const AutherGroup>(std::move(named));
  if (!handler.auth || handler.auth->username.empty()) return nullptr;
  return std::make_shared<const UserList>(std::vector<User>{{handler.auth->username, handler.auth->password}});
}

std::shared_ptr<const Bypass> PolicyBuilder::bypass_of(const config::Origin& at, const std::string& name,
                                                       const std::vector<std::string>& names) {
  std::vector<std::shared_ptr<const Bypass>> named;
  auto add = [&](const std::string& one) {
    if (auto bypass = find(bypasses_, context_.config.bypasses, "bypass", at, one))
      named.push_back(std::move(bypass));
  };
  add(name);
  for (const std::string& one : names) add(one);
  if (named.empty()) return nullptr;
  if (named.size() == 1) return named.front();
  return std::make_shared<const BypassGroup>(std::move(named));
}

std::shared_ptr<const Hosts> PolicyBuilder::hosts_of(const config::Origin& at, const std::string& name) {
  return find(hosts_, context_.config.hosts, "hosts", at, name);
}

}  // namespace gost
