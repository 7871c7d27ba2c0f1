#include "service/kcp_settings.hpp"

#include "config/value.hpp"
#include "core/text.hpp"
#include "kcp/packet_crypt.hpp"
#include "policy/text_file.hpp"
#include "service/option_reader.hpp"

#include <algorithm>
#include <string_view>

namespace gost {

namespace {

/// What can stand in the object or file, and with "kcp." in front among the options.
constexpr std::string_view kFields[] = {
    "key",     "crypt",   "mode",       "mtu",       "sndwnd",   "rcvwnd",      "datashard",   "parityshard",
    "dscp",    "nocomp",  "acknodelay", "nodelay",   "interval", "resend",      "nc",          "sockbuf",
    "smuxver", "smuxbuf", "streambuf",  "keepalive", "tcp",      "peerTimeout", "maxSessions", "maxSessionsPerHost"};
/// What is kcptun's own business, or has no use here.
constexpr std::string_view kOthersFields[] = {"localaddr",  "remoteaddr",  "listen", "target",    "conn",
                                              "autoexpire", "scavengettl", "log",    "snmplog",   "snmpperiod",
                                              "signal",     "quiet",       "pprof",  "closewait", "framesize"};

/// Every peer ends a session after 30 s of silence; what it hears less often may come too late.
constexpr Duration kLongestKeepalive = std::chrono::seconds(25);

bool among(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::any_of(names, [name](std::string_view known) { return iequals(known, name); });
}

bool is_empty(const config::Value& value) {
  return value.is_null() || (value.string() != nullptr && trim(*value.string()).empty());
}

std::string placed(const config::Origin& origin, std::string_view text) {
  std::string where = origin.to_string();
  return where + (where.empty() ? "" : ": ") + std::string(text);
}

/// The members of the object kcp.config or else of the file; none if there is neither.
Result<config::Value::Map> object_of(const config::Metadata& metadata) {
  const config::Value* given = metadata.find({"kcp.config", "config"});
  if (given != nullptr && !is_empty(*given)) {
    if (given->map() == nullptr)
      return fail(Cause::invalid,
                  placed(given->origin, "kcp.config: " + given->describe() + " is no map of options"));
    return *given->map();
  }
  auto path = config::get_string(metadata, {"kcp.configFile", "configFile", "c"});
  if (!path) return fail(std::move(path.error()));
  if (!*path || (*path)->empty()) return config::Value::Map();
  TextFile file("kcp.configFile", "it should be a small JSON file", **path);
  auto text = file.read_if_changed();
  if (!text) return fail(std::move(text.error()));
  auto value = config::parse_json(text->value_or(""), **path);
  if (!value) return fail(std::move(value.error()));
  if (value->map() == nullptr)
    return fail(Cause::invalid, placed(value->origin, "a JSON object was expected, not " + value->describe()));
  return *value->map();
}

class Reader {
 public:
  Reader(const config::Metadata& merged, KcpSide side) : options_(merged), side_(side) {}

  Result<KcpSettings> read() {
    if (options_.boolean({"kcp.tcp", "tcp"}, false)) {
      return fail(Cause::invalid,
                  "kcp.tcp (KCP in forged TCP segments) is not available; leave it out at both ends, or use a "
                  "transport over TCP such as mtls where UDP does not pass");
    }
    read_shared();
    read_pace();
    read_rest();
    if (auto error = options_.error()) return fail(std::move(*error));
    if (auto good = validate(made_.options); !good) return fail(std::move(good.error()));
    make_mux();
    if (auto good = validate(made_.mux); !good) return fail(std::move(good.error()));
    return std::move(made_);
  }

 private:
  void warn(std::string text) { made_.warnings.push_back(std::move(text)); }

  /// A number that counts as absent if it is not positive, as with GOST.
  void positive(config::Keys keys, std::int64_t& value) {
    if (std::int64_t given = options_.integer(keys, 0); given > 0) value = given;
  }
  void positive(config::Keys keys, Duration& value) {
    if (Duration given = options_.duration(keys, {}); given > Duration::zero()) value = given;
  }

  /// What must be the same at both ends.
  void read_shared() {
    kcp::Options& made = made_.options;
    std::string key = options_.text({"kcp.key"});
    made.keys = {key};
    made.key_is_public = key == kcp::kEmptyKey || key == kcp::kDocumentedKey;
    if (key.empty() && side_ == KcpSide::listener) made.keys.emplace_back(kcp::kDocumentedKey);
    if (std::string crypt = options_.text({"kcp.crypt"}); !crypt.empty()) made.crypt = crypt;
    made.nocomp = options_.boolean({"kcp.nocomp"}, made.nocomp);
    positive({"kcp.smuxver"}, made.smuxver);
    if (made.crypt == "null") {
      warn("kcp.crypt=null means AES-256, as with GOST; what encrypts nothing is called none");
    } else if (made.crypt == "none") {
      warn("kcp.crypt=none: packets are not encrypted");
    } else if (!kcp::is_cipher_name(made.crypt)) {
      warn("kcp.crypt '" + made.crypt + "' is no cipher's name and means AES-256, as with GOST");
    }
    if (!made.key_is_public || made.crypt == "none") return;
    if (key.empty()) {
      warn("without kcp.key this link is not secret: its key is known to everybody; set kcp.key at both ends");
    } else {
      warn(
          "this link is not secret: its kcp.key is that of GOST's documentation, which is known to everybody; set "
          "another one at both ends");
    }
  }

  void read_pace() {
    kcp::Options& made = made_.options;
    std::string mode = options_.text({"kcp.mode"});
    bool by_hand = options_.has({"kcp.nodelay", "kcp.interval", "kcp.resend", "kcp.nc"});
    if (!mode.empty()) {
      made.mode = mode;
    } else if (by_hand) {
      made.mode = "manual";
    }
    if (mode != "manual" && !mode.empty() && !kcp::pace_of(mode))
      warn("kcp.mode '" + mode + "' is none of normal, fast, fast2, fast3, manual, and taken as manual");
    made.manual.nodelay = options_.integer({"kcp.nodelay"}, 0) != 0;
    positive({"kcp.interval"}, made.manual.interval);
    made.manual.interval = std::clamp<std::int64_t>(made.manual.interval, 10, 5000);
    made.manual.resend = options_.integer({"kcp.resend"}, 0);
    made.manual.no_congestion = options_.integer({"kcp.nc"}, 0) != 0;
  }

  void read_rest() {
    kcp::Options& made = made_.options;
    positive({"kcp.mtu"}, made.mtu);
    positive({"kcp.sndwnd"}, made.sndwnd);
    positive({"kcp.rcvwnd"}, made.rcvwnd);
    made.datashard = options_.integer({"kcp.datashard"}, made.datashard);
    made.parityshard = options_.integer({"kcp.parityshard"}, made.parityshard);
    made.acknodelay = options_.boolean({"kcp.acknodelay"}, made.acknodelay);
    made.dscp = options_.integer({"kcp.dscp"}, made.dscp);
    positive({"kcp.sockbuf"}, made.sockbuf);
    made.smuxbuf = made.sockbuf;
    positive({"kcp.smuxbuf"}, made.smuxbuf);
    made.streambuf = std::max<std::int64_t>(made.smuxbuf / 2, 1);
    positive({"kcp.streambuf"}, made.streambuf);
    positive({"kcp.keepalive"}, made.keepalive);
    if (made.keepalive > kLongestKeepalive) {
      warn("kcp.keepalive is " + to_string(made.keepalive) + ", but peers end a session after 30s of silence; " +
           to_string(kLongestKeepalive) + " is used");
      made.keepalive = kLongestKeepalive;
    }
    positive({"kcp.peerTimeout"}, made.peer_timeout);
    options_.integer({"backlog"}, 0);  // nothing is queued, but the value must make sense
    positive({"kcp.maxSessions"}, made.max_sessions);
    positive({"kcp.maxSessionsPerHost"}, made.max_sessions_per_host);
  }

  void make_mux() {
    const kcp::Options& made = made_.options;
    made_.mux.version = made.smuxver;
    made_.mux.max_receive_buffer = made.smuxbuf;
    made_.mux.max_stream_buffer = made.streambuf;
    made_.mux.keepalive_interval = made.keepalive;
  }

  OptionReader options_;
  KcpSide side_;
  KcpSettings made_;
};

}  // namespace

Result<KcpSettings> kcp_settings(const config::Metadata& metadata, KcpSide side) {
  auto object = object_of(metadata);
  if (!object) return fail(std::move(object.error()));
  std::vector<std::string> warnings;
  config::Metadata merged;
  for (const config::Member& member : *object) {
    if (among(kOthersFields, member.key)) {
      warnings.push_back(placed(member.origin, "'" + member.key + "' has no effect here"));
    } else if (!among(kFields, member.key)) {
      warnings.push_back(placed(member.origin, "unknown option '" + member.key + "' of kcp"));
    } else if (!is_empty(member.value)) {
      merged.set("kcp." + member.key, member.value);
    }
  }
  for (const auto& [key, value] : metadata.entries())
    if (!is_empty(value)) merged.set(key, value);
  auto made = Reader(merged, side).read();
  if (made) made->warnings.insert(made->warnings.begin(), warnings.begin(), warnings.end());
  return made;
}

}  // namespace gost
