#include "config/sources.hpp"

#include "config/command_line.hpp"
#include "config/decode.hpp"

#include "core/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

namespace gost::config {

namespace {

/// Reads a descriptor to its end, at most one byte more than a configuration may have.
Result<std::string> read_all(int fd, const std::string& name) {
  constexpr std::size_t kMax = ReadLimits{}.bytes + 1;
  std::string content;
  std::array<char, 16384> buffer{};
  while (content.size() < kMax) {
    ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count == 0) break;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(Error::system(errno, "read " + name));
    content.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return content;
}

Result<std::string> read_file(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(Error::system(errno, "open " + path));
  auto content = read_all(fd, path);
  ::close(fd);
  return content;
}

std::string extension_of(const std::string& path) {
  std::size_t slash = path.rfind('/');
  std::size_t dot = path.rfind('.');
  bool none = dot == std::string::npos || (slash != std::string::npos && dot < slash);
  return none ? std::string() : to_lower(path.substr(dot + 1));
}

Result<Value> parse_file(const std::string& path) {
  std::string extension = extension_of(path);
  if (extension != "json" && extension != "yaml" && extension != "yml")
    return fail(Cause::invalid,
                fmt::format("{}: Unsupported Config Type \"{}\": the file name must end in .yaml, .yml or .json",
                            path, extension));
  auto content = read_file(path);
  if (!content) return fail(content.error());
  return extension == "json" ? parse_json(*content, path) : parse_yaml(*content, path);
}

Result<Value> parse_stdin(const Surroundings& surroundings) {
  auto content = surroundings.read_stdin();
  if (!content) return fail(content.error());
  if (trim(*content).empty()) return fail(Cause::invalid, "stdin: EOF: no configuration on standard input");
  return content->starts_with('{') ? parse_json(*content, "stdin") : parse_yaml(*content, "stdin");
}

/// Reads one -C value into `loaded`. `number` counts from 1.
Result<void> add_source(std::string_view source, std::size_t number, const Surroundings& surroundings,
                        Loaded& loaded) {
  std::string text(trim(source));
  Result<Value> tree;
  std::string lower = to_lower(text);
  if (text == "-") {
    tree = parse_stdin(surroundings);
  } else if (text.starts_with('{') && text.ends_with('}')) {
    tree = parse_json(text, fmt::format("-C #{}", number));
  } else if (lower.starts_with("http://") || lower.starts_with("https://")) {
    return fail(Cause::invalid,
                fmt::format("-C #{}: reading a configuration from a URL is not available in this build; download the "
                            "file and give its path",
                            number));
  } else {
    tree = parse_file(text);
    loaded.file = text;
  }
  if (!tree) return fail(tree.error());
  merge(loaded.config, decode(*tree, loaded.problems));
  return {};
}

Result<std::string> find_default_file(const Surroundings& surroundings) {
  for (const std::string& folder : surroundings.folders) {
    for (std::string_view extension : {"json", "yaml", "yml"}) {
      std::string path = fmt::format("{}/gost.{}", folder, extension);
      struct stat info{};
      if (::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) return path;
    }
  }
  return fail(
      Cause::invalid,
      fmt::format("Config File \"gost\" Not Found in \"[{}]\": give a service (gost -L socks5://:1080) or a file "
                  "(gost -C gost.yaml)",
                  fmt::join(surroundings.folders, " ")));
}

/// The section, made on first use.
template <class Section>
Section& section(std::optional<Section>& it, std::string_view origin) {
  if (!it) it.emplace().origin = origin_of(std::string(origin));
  return *it;
}

void apply_environment(const Surroundings& surroundings, Config& config) {
  auto apply = [&](const std::string& name, auto setter) {
    auto value = surroundings.variable(name);
    if (value && !value->empty()) setter(*value);
  };
  apply("GOST_LOGGER_LEVEL", [&](auto& v) { section(config.log, "GOST_LOGGER_LEVEL").level = v; });
  apply("GOST_API", [&](auto& v) { section(config.api, "GOST_API").addr = v; });
  apply("GOST_METRICS", [&](auto& v) { section(config.metrics, "GOST_METRICS").addr = v; });
  apply("GOST_PROFILING", [&](auto& v) { section(config.profiling, "GOST_PROFILING").addr = v; });
}

Result<void> apply_flags(const Flags& flags, Config& config) {
  if (flags.debug) section(config.log, "-D").level = "debug";
  if (flags.trace) section(config.log, "-DD").level = "trace";
  if (!flags.api.empty()) {
    auto api = parse_api_url(flags.api);
    if (!api) return fail(api.error());
    config.api = *api;
  }
  if (!flags.metrics.empty()) {
    auto metrics = parse_metrics_url(flags.metrics);
    if (!metrics) return fail(metrics.error());
    config.metrics = *metrics;
  }
  return {};
}

template <class T>
void append(std::vector<T>& into, std::vector<T>& more) {
  into.insert(into.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

template <class T>
void replace(std::optional<T>& into, std::optional<T>& more) {
  if (more) into = std::move(more);
}

}  // namespace

void merge(Config& into, Config more) {
  append(into.services, more.services);
  append(into.chains, more.chains);
  append(into.hops, more.hops);
  append(into.authers, more.authers);
  append(into.admissions, more.admissions);
  append(into.bypasses, more.bypasses);
  append(into.resolvers, more.resolvers);
  append(into.hosts, more.hosts);
  append(into.ingresses, more.ingresses);
  append(into.routers, more.routers);
  append(into.sds, more.sds);
  append(into.recorders, more.recorders);
  append(into.limiters, more.limiters);
  append(into.climiters, more.climiters);
  append(into.rlimiters, more.rlimiters);
  append(into.quotas, more.quotas);
  append(into.observers, more.observers);
  append(into.rewriters, more.rewriters);
  append(into.caches, more.caches);
  append(into.loggers, more.loggers);
  replace(into.tls, more.tls);
  replace(into.log, more.log);
  replace(into.profiling, more.profiling);
  replace(into.api, more.api);
  replace(into.metrics, more.metrics);
}

Surroundings process_surroundings() {
  Surroundings surroundings;
  surroundings.variable = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  surroundings.read_stdin = [] { return read_all(STDIN_FILENO, "stdin"); };
  surroundings.folders = {"/etc/gost"};
  if (auto home = surroundings.variable("HOME"); home && !home->empty())
    surroundings.folders.push_back(*home + "/.gost");
  std::array<char, 4096> cwd{};
  surroundings.folders.emplace_back(::getcwd(cwd.data(), cwd.size()) != nullptr ? cwd.data() : ".");
  return surroundings;
}

Result<Loaded> load(const Flags& flags, const Surroundings& surroundings) {
  Loaded loaded;
  auto command_line = parse_command_line(flags.services, flags.nodes, loaded.problems);
  if (!command_line) return fail(command_line.error());
  std::vector<std::string> sources = flags.sources;
  if (sources.empty() && command_line->services.empty() && flags.api.empty()) {
    auto path = find_default_file(surroundings);
    if (!path) return fail(path.error());
    sources.push_back(*path);
  }
  for (std::size_t i = 0; i < sources.size(); ++i)
    if (auto added = add_source(sources[i], i + 1, surroundings, loaded); !added) return fail(added.error());
  merge(loaded.config, std::move(*command_line));
  apply_environment(surroundings, loaded.config);
  if (auto applied = apply_flags(flags, loaded.config); !applied) return fail(applied.error());
  return loaded;
}

}  // namespace gost::config
