#include "cli/options/log_options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <memory>

#include "cli/options/help_texts.h"
#include "cli/options/option_checks.h"
#include "cli/options/option_values.h"

namespace photon_dmesg {

LogOptions::LogOptions(CLI::App& app, Options& options) : app_(app), options_(options) {
  add_selection();
  add_matching();
  add_times();
  add_style();
  add_formats();
}

void LogOptions::finish() {
  if (utc_) {
    ::setenv("TZ", "UTC0", 1);
    ::tzset();
  }
  if (!format_.empty()) options_.format = find_format(format_);
  finish_selection();
  finish_style();
}

// An option that may be given several times, each with one value, so that files may follow.
CLI::Option* LogOptions::add_list(const char* name, std::vector<std::string>& values,
                                  const char* what, const char* type, const char* group) {
  return app_.add_option(name, values, what)
      ->type_name(type)
      ->group(group)
      ->allow_extra_args(false);
}

template <typename Value>
CLI::Option* LogOptions::add_value(const char* name, Value& value, const std::string& what,
                                   const char* type, const char* group) {
  return app_.add_option(name, value, what)->type_name(type)->group(group);
}

template <typename Value>
CLI::Option* LogOptions::add_number(const char* name, Value& value, const char* what,
                                    const char* group, const char* number) {
  return add_value(name, value, what, "N", group)->transform(whole_number(number));
}

CLI::Option* LogOptions::add_switch(const char* name, bool& value, const char* what,
                                    const char* group) {
  return app_.add_flag(name, value, what)->group(group);
}

void LogOptions::add_selection() {
  const char* const group = "Which records";
  add_list("-l,--level", levels_,
           "Only these levels, such as err,warn; err+ is err\n"
           "and worse, +err is err and less severe",
           "LIST", group);
  add_list("-f,--facility", facilities_, "Only these facilities, such as kern,daemon", "LIST",
           group);
  add_switch("-k,--kernel", kernel_, "Only the kernel's own messages", group);
  add_switch("-u,--userspace", userspace_, "Only messages that programs wrote to the log", group);
  add_value("--since", options_.since,
            "Only after this time, such as \"2026-11-23 17:00\",\n"
            "17:00, 17:00Z, \"1 hour ago\" or -5min; now is when\n"
            "the guest stopped",
            "TIME", group);
  add_value("--until", options_.until, "Only before this time", "TIME", group);
  add_number("--from-seq", options_.selection.first_seq, "Only from this sequence number on", group,
             "a sequence number");
  auto* since_clear = add_switch("--since-clear", options_.since_clear,
                                 "Only what dmesg in the guest would show: since its\n"
                                 "last dmesg -C",
                                 group);
  add_switch("--cleared", options_.cleared, "Only before the guest's last dmesg -C", group)
      ->excludes(since_clear);
  add_switch("--unprinted", options_.unprinted, "Only what no console had printed yet", group);
  add_number("--head", options_.selection.head, "Only the first N of these", group);
  add_number("--tail", options_.selection.tail, "Only the last N of these", group);
}

void LogOptions::add_matching() {
  const char* const group = "Which text";
  auto* grep = add_value("--grep", pattern_, "Only records with a line that matches, as grep -E",
                         "REGEX", group);
  add_switch("-i,--ignore-case", ignore_case_, "Let upper and lower case match each other", group)
      ->needs(grep);
  auto* before = add_number("-B,--before-context", options_.selection.lines_before,
                            "Also N records before each of them", group)
                     ->needs(grep);
  auto* after = add_number("-A,--after-context", options_.selection.lines_after,
                           "Also N records after each of them", group)
                    ->needs(grep);
  add_number("-C,--context", context_, "Also N records before and after each of them", group)
      ->needs(grep)
      ->excludes(before)
      ->excludes(after);
}

void LogOptions::add_times() {
  const char* const group = "Times";
  add_time("-T,--ctime", TimeFormat::Ctime, "Local time of day, by the guest's clock", group);
  add_time("-t,--notime", TimeFormat::None, "No time", group);
  show_delta_flag_ =
      add_switch("-d,--show-delta", show_delta_, "Also the time since the record before", group);
  add_time("-e,--reltime", TimeFormat::Reltime,
           "Time of day once a minute, otherwise the time since\nthe record before", group);
  time_format_ = add_list("--time-format", time_format_names_,
                          "ctime, notime, delta, reltime, iso, raw, or suspend\n"
                          "(\"3 min 12 s before suspend\"); several, as iso,raw,\n"
                          "are printed one after the other",
                          "FORMAT", group);
  add_switch("--utc", utc_, "Times of day are UTC, in --since and --until too", group);
}

void LogOptions::add_time(const char* name, TimeFormat format, const std::string& what,
                          const char* group) {
  time_flags_.emplace_back(app_.add_flag(name, what)->group(group), format);
}

void LogOptions::add_style() {
  const char* const group = "How text looks";
  auto* raw = add_switch("-r,--raw", options_.style.raw,
                         "The kernel's own \"<6>[    0.000000] text\"", group);
  auto* decode = add_switch("-x,--decode", options_.style.decode,
                            "Facility and level before each record", group);
  add_switch("-p,--force-prefix", options_.style.force_prefix,
             "The prefix on every line of a record", group);
  add_switch("--noescape", noescape_, "Print unprintable bytes as they are", group);
  auto* color = app_.add_flag("-L{auto},--color{auto}", color_,
                              "--color=auto (the default: on a terminal), always or\n"
                              "never; NO_COLOR turns auto off")
                    ->group(group);
  auto* human = add_switch("-H,--human", human_, "-e, and a pager on a terminal", group);
  add_switch("-P,--nopager,--no-pager", nopager_, "No pager for -H", group);
  for (CLI::Option* other : {decode, color, human}) raw->excludes(other);
  for (const auto& [flag, format] : time_flags_) raw->excludes(flag);
  raw->excludes(time_format_)->excludes(show_delta_flag_);
}

void LogOptions::add_formats() {
  const char* const group = output_group;
  CLI::Option* const by_name = add_value("--format", format_,
                                         "text (the default); json, one document with all\n"
                                         "that is known; ndjson, a JSON object a record;\n"
                                         "dmesg-json; ecs, otlp, journal-json, journal-export,\n"
                                         "syslog or kmsg, for log pipelines and journals",
                                         "FORMAT", group);
  std::vector<CLI::Option*> spellings = {by_name};
  for (const auto& [names, format] : {std::pair{"--json", "json"}, std::pair{"--ndjson", "ndjson"},
                                      std::pair{"-J", "dmesg-json"}}) {
    CLI::Option* const flag = app_.add_flag_callback(
        names, [this, format = format] { format_ = format; },
        fmt::format("The same as --format {}", format) +
            (format == std::string_view("dmesg-json") ? ": as dmesg -J" : ""));
    flag->group(group);
    for (CLI::Option* other : spellings) flag->excludes(other);
    spellings.push_back(flag);
  }
  add_switch("--redact", options_.redact, help::redact, group);
}

void LogOptions::finish_selection() {
  Selection& selection = options_.selection;
  if (!levels_.empty()) selection.levels.emplace();
  for (const std::string& list : levels_) add_levels(list, *selection.levels);
  if (!facilities_.empty() || kernel_ || userspace_) selection.facilities.emplace();
  for (const std::string& list : facilities_) add_facilities(list, *selection.facilities);
  constexpr std::size_t kernel = 0;
  if (userspace_) {
    const bool had_kernel = selection.facilities->test(kernel);
    selection.facilities->set().set(kernel, had_kernel);
  }
  if (kernel_) selection.facilities->set(kernel);
  if (options_.since) check_time("--since", *options_.since);
  if (options_.until) check_time("--until", *options_.until);
  if (context_) selection.lines_before = selection.lines_after = *context_;
  if (pattern_) selection.pattern = std::make_shared<const Pattern>(*pattern_, ignore_case_);
}

void LogOptions::finish_style() {
  TextStyle& style = options_.style;
  style.times = combine(asked_times(), show_delta_);
  style.escape = !noescape_;
  style.for_terminal = writes_to_terminal(options_.output);
  style.color = wants_color(color_, !options_.output) && !style.raw;
  options_.use_pager = human_ && !nopager_ && !options_.output &&
                       options_.format == &output_formats.front() && ::isatty(STDOUT_FILENO) == 1;
}

// In the order in which they stand on the command line, which is that of the output.
std::vector<TimeFormat> LogOptions::asked_times() {
  std::vector<TimeFormat> asked;
  std::size_t next_name = 0;
  for (const CLI::Option* option : app_.parse_order()) {
    if (option == time_format_) {
      add_time_formats(time_format_names_.at(next_name++), asked);
    } else if (option->check_name("--human")) {
      asked.push_back(TimeFormat::Reltime);
    } else {
      for (const auto& [flag, format] : time_flags_) {
        if (option == flag) asked.push_back(format);
      }
    }
  }
  return asked;
}

}  // namespace photon_dmesg
