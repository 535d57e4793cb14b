#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/options/options.h"

namespace photon_dmesg {

// The options that say which records are printed and how: what the program takes without a
// command. Values land in members first, as one option's meaning may depend on another.
class LogOptions {
 public:
  // The group that --format is in.
  static constexpr const char* output_group = "Output";

  // Adds them to `app`; `options` gets some as they are parsed. Both must outlive this.
  LogOptions(CLI::App& app, Options& options);

  // Once `app` has parsed and options.output is known: puts the rest into the options. Throws
  // Error(Usage) for a value that makes no sense.
  void finish();

 private:
  CLI::Option* add_list(const char* name, std::vector<std::string>& values, const char* what,
                        const char* type, const char* group);
  template <typename Value>
  CLI::Option* add_value(const char* name, Value& value, const std::string& what, const char* type,
                         const char* group);
  template <typename Value>
  CLI::Option* add_number(const char* name, Value& value, const char* what, const char* group,
                          const char* number = "a number of records");
  CLI::Option* add_switch(const char* name, bool& value, const char* what, const char* group);
  void add_time(const char* name, TimeFormat format, const std::string& what, const char* group);

  void add_selection();
  void add_matching();
  void add_times();
  void add_style();
  void add_formats();

  void finish_selection();
  void finish_style();
  [[nodiscard]] std::vector<TimeFormat> asked_times();

  CLI::App& app_;
  Options& options_;
  std::string format_;
  std::vector<std::string> levels_;
  std::vector<std::string> facilities_;
  std::optional<std::string> pattern_;
  std::optional<std::size_t> context_;
  std::vector<std::string> time_format_names_;
  CLI::Option* time_format_ = nullptr;
  CLI::Option* show_delta_flag_ = nullptr;
  std::vector<std::pair<CLI::Option*, TimeFormat>> time_flags_;
  std::string color_;
  bool show_delta_ = false;
  bool utc_ = false;
  bool kernel_ = false;
  bool userspace_ = false;
  bool ignore_case_ = false;
  bool human_ = false;
  bool nopager_ = false;
  bool noescape_ = false;
};

}  // namespace photon_dmesg
