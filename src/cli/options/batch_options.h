#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace photon_dmesg {

// What photon-dmesg batch takes beside what the log takes.
struct BatchOptions {
  std::vector<std::filesystem::path> symbols;  // for all tickets
  std::optional<std::filesystem::path> list;   // of tickets; "-" is stdin
  bool all_snapshots = false;                  // not only what each VM was stopped to last
  std::size_t jobs = 0;                        // 0: as many as there are processors
  std::optional<std::uint64_t> memory;         // bytes that all jobs together may use
  std::string shard;                           // "K/N"; empty: all
  bool resume = false;                         // only what is not done yet
  bool gather = false;                         // make one summary of several folders of results
  std::string fingerprint;                     // of the options that results depend on
};

// Stands for "--" among the files of the command line: those before it are symbols.
inline constexpr const char* symbols_end = "\x01--";

// Replaces the first "--" behind the command's name by that. Options may follow it.
void mark_symbols_end(std::vector<std::string>& arguments);

void add_batch_options(CLI::App& command, BatchOptions& options);

// Takes the symbols out of `files`, once the command line is parsed.
void finish_batch_options(const CLI::App& command, std::vector<std::filesystem::path>& files,
                          BatchOptions& options);

}  // namespace photon_dmesg
