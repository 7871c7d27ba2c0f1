#include "observe/connection_record.hpp"

#include "observe/address_text.hpp"

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace gost {

namespace {

constexpr std::size_t kMaxFields = 20;

std::int64_t nanoseconds(Duration duration) {
  return duration.count();
}

/// The fields of one line besides those of the connection.
class Extra {
 public:
  void add(std::string_view key, decltype(Field::value) value) { fields_[count_++] = {key, value}; }
  std::span<const Field> view() const { return {fields_.data(), count_}; }

 private:
  std::array<Field, 8> fields_;
  std::size_t count_ = 0;
};

/// GOST logs these at debug: they say nothing about the proxy's health, and anybody can provoke them.
Level level_of(Cause cause) {
  bool harmless = cause == Cause::eof || cause == Cause::reset || cause == Cause::canceled;
  return harmless ? Level::debug : Level::error;
}

}  // namespace

ConnectionLoggers::ConnectionLoggers(const Logger& log, std::string_view service_name, std::string_view listener,
                                     std::string_view handler_name)
    : handler(log.with(
          {{"kind", "handler"}, {"service", service_name}, {"listener", listener}, {"handler", handler_name}})),
      service(log.with(
          {{"kind", "service"}, {"service", service_name}, {"listener", listener}, {"handler", handler_name}})) {}

ConnectionRecord::ConnectionRecord(const ConnectionLoggers& loggers, std::string_view network,
                                   const SocketAddress& remote, const SocketAddress& local, const Sid& sid,
                                   TimePoint now)
    : loggers_(&loggers),
      network_(network),
      remote_(remote),
      local_(local),
      client_(remote),
      sid_(sid),
      accepted_at_(now) {}

/// The texts of one line and the fields that point into them.
struct ConnectionRecord::Rendered {
  explicit Rendered(const ConnectionRecord& record)
      : remote(record.remote_), local(record.local_), client(record.client_) {
    add("network", record.network_);
    add("remote", remote.view());
    add("local", local.view());
    add("client", client.view());
    add("sid", record.sid_.view());
    if (!record.user_.empty()) {
      add("user", std::string_view(record.user_));
      add("clientID", std::string_view(record.user_));
    }
    if (record.target_) {
      target = record.target_->to_string();
      if (record.destination_) destination.emplace(*record.destination_);
      add("dst", destination ? destination->view() : std::string_view(target));
      add("cmd", record.command_);
      add("host", std::string_view(target));
    }
    if (record.source_) {
      source.emplace(*record.source_);
      add("src", source->view());
    }
  }
  Rendered(const Rendered&) = delete;
  Rendered& operator=(const Rendered&) = delete;

  void add(std::string_view key, decltype(Field::value) value) { fields[count++] = {key, value}; }
  std::span<const Field> view() const { return {fields.data(), count}; }

  AddressText remote;
  AddressText local;
  AddressText client;
  std::optional<AddressText> source;
  std::optional<AddressText> destination;
  std::string target;
  std::array<Field, kMaxFields> fields;
  std::size_t count = 0;
};

void ConnectionRecord::write(Level level, std::string_view arrow, bool to_target, std::span<const Field> extra,
                             const std::source_location& where) const {
  if (!loggers_->handler.enabled(level)) return;
  Rendered line(*this);
  for (const Field& field : extra) line.add(field.key, field.value);
  fmt::basic_memory_buffer<char, 512> message;
  fmt::format_to(std::back_inserter(message), "{} {} {}", line.remote.view(), arrow,
                 to_target ? std::string_view(line.target) : line.local.view());
  loggers_->handler.write(level, {message.data(), message.size()}, line.view(), where);
}

void ConnectionRecord::accepted(const std::source_location& where) const {
  write(Level::info, "<>", false, {}, where);
}

void ConnectionRecord::requested(const std::source_location& where) const {
  write(Level::debug, ">>", true, {}, where);
}

void ConnectionRecord::relay_started(TimePoint now, const std::source_location& where) {
  relay_started_at_ = now;
  write(Level::info, "<->", true, {}, where);
}

void ConnectionRecord::relay_ended(TimePoint now, const std::optional<Error>& error,
                                   const std::source_location& where) const {
  Extra extra;
  extra.add("duration", nanoseconds(now - relay_started_at_));
  if (error) extra.add("err", std::string_view(error->text));
  write(Level::info, ">-<", true, extra.view(), where);
}

void ConnectionRecord::note(Level level, std::string_view message, const std::source_location& where) const {
  if (!loggers_->handler.enabled(level)) return;
  Rendered line(*this);
  loggers_->handler.write(level, message, line.view(), where);
}

void ConnectionRecord::handshake_failed(const Error& error, const std::source_location& where) {
  error_ = error.text.empty() ? std::string(to_string(error.cause)) : error.text;
  note(level_of(error.cause), error_, where);
}

void ConnectionRecord::failed(const Error& error, const std::source_location& where) {
  handshake_failed(error, where);
  Level level = level_of(error.cause);
  if (!loggers_->service.enabled(level)) return;
  AddressText client(client_);
  loggers_->service.write(level, error_, {{"client", client.view()}, {"sid", sid_.view()}}, where);
}

void ConnectionRecord::finished(std::uint64_t input_bytes, std::uint64_t output_bytes, TimePoint now,
                                const std::source_location& where) const {
  Extra extra;
  extra.add("inputBytes", static_cast<std::int64_t>(input_bytes));
  extra.add("outputBytes", static_cast<std::int64_t>(output_bytes));
  if (datagrams_) {
    extra.add("inputDatagrams", static_cast<std::int64_t>(datagrams_->input));
    extra.add("outputDatagrams", static_cast<std::int64_t>(datagrams_->output));
    extra.add("droppedDatagrams", static_cast<std::int64_t>(datagrams_->dropped));
  }
  extra.add("duration", nanoseconds(now - accepted_at_));
  if (!error_.empty()) extra.add("err", std::string_view(error_));
  write(Level::info, "><", false, extra.view(), where);
}

}  // namespace gost
