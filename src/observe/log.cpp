#include "observe/log.hpp"

namespace gost {

namespace {
constexpr std::size_t kScratchKept = 64 * 1024;  ///< a longer line gives its memory back
}  // namespace

Logger::Logger(std::shared_ptr<LineSink> sink, Level level, LineStyle style, WallClock clock)
    : level_(sink ? level : Level::none) {
  style.colours = style.colours && style.format == LogFormat::text;
  context_ = std::make_shared<Context>(Context{std::move(sink), style, std::move(clock), {}});
}

Logger Logger::with(std::initializer_list<Field> fields) const {
  if (!context_) return *this;
  auto context = std::make_shared<Context>(*context_);
  for (const Field& field : fields) append_field(context->fields, context->style.format, field);
  Logger logger;
  logger.level_ = level_;
  logger.context_ = std::move(context);
  return logger;
}

void Logger::render(Level level, std::string_view message, std::span<const Field> extra,
                    const std::source_location& where) const {
  if (level == Level::none || !context_) return;
  thread_local std::string scratch;
  scratch.clear();
  WallTime now = context_->clock ? context_->clock() : std::chrono::system_clock::now();
  append_line(scratch, context_->style, now, level, message, context_->fields, extra, where);
  context_->sink->append(scratch);
  if (scratch.capacity() > kScratchKept) std::string().swap(scratch);
}

}  // namespace gost
