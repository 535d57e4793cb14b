#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "report/formats/html_text.h"
#include "report/formats/markdown_text.h"
#include "support/sample_triage.h"

namespace photon_dmesg::test {
namespace {

// All tags of a page with what is in them, and nothing between them but the style sheet.
std::string tags_of(std::string_view page) {
  std::string tags;
  while (true) {
    const std::size_t begin = page.find('<');
    if (begin == std::string_view::npos) return tags;
    const std::size_t end = page.find('>', begin);
    REQUIRE(end != std::string_view::npos);
    tags += page.substr(begin, end + 1 - begin);
    page.remove_prefix(end + 1);
  }
}

std::size_t run_of_backticks(std::string_view text) {
  return std::min(text.size(), text.find_first_not_of('`'));
}

// What of a line of Markdown is not in a code span (CommonMark 0.31, 6.1).
std::string outside_spans(std::string_view line) {
  std::string outside;
  while (!line.empty()) {
    const std::size_t run = run_of_backticks(line);
    if (run == 0) {
      outside += line.front();
      line.remove_prefix(1);
      continue;
    }
    std::size_t end = run;
    while (end < line.size()) {
      const std::size_t other = run_of_backticks(line.substr(end));
      if (other == run) break;
      end += std::max<std::size_t>(1, other);
    }
    const bool is_span = end < line.size();
    outside += is_span ? "(code)" : std::string(run, '`');
    line.remove_prefix(is_span ? end + run : run);
  }
  return outside;
}

// What of a text of Markdown is no code.
std::string markup_of(std::string_view text) {
  std::string markup;
  std::size_t fence = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t run = run_of_backticks(line);
    if (fence > 0) {
      if (run >= fence && run == line.size()) fence = 0;
    } else if (run >= 3 && line.find('`', run) == std::string_view::npos) {
      fence = run;
      markup += "(block)\n";
    } else {
      markup += outside_spans(line) + '\n';
    }
  }
  CHECK(fence == 0);
  return markup;
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("A page has the same tags whatever the guest calls things") {
  const std::string expected = tags_of(written(write_triage_html, sample_triage("plain")));
  for (const std::string& name : hostile_names()) {
    CAPTURE(name);
    const std::string page = written(write_triage_html, sample_triage(name));
    CHECK(tags_of(page) == expected);
    CHECK(holds(page, html(name)));
  }
}

TEST_CASE("A page loads nothing and runs nothing") {
  const std::string page = written(write_triage_html, sample_triage("plain"));
  const std::string tags = tags_of(page);
  CHECK(holds(tags, "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\""));
  for (const char* const loads :
       {"<script", "http:", "https:", "src=\"/", "url(", "@import", " on"}) {
    CAPTURE(loads);
    CHECK_FALSE(holds(tags, loads));
  }
  CHECK_FALSE(holds(page, "url("));
  CHECK(holds(page, "src=\"data:image/png;base64,iVBORw0KGgo=\""));
}

TEST_CASE("Every tag of a page that needs an end has one in its place") {
  std::vector<std::string> open;
  const std::string tags = tags_of(written(write_triage_html, sample_triage("plain")));
  for (std::size_t at = tags.find('<'); at != std::string::npos; at = tags.find('<', at + 1)) {
    const std::string tag = tags.substr(at + 1, tags.find('>', at) - at - 1);
    const std::string name = tag.substr(0, tag.find(' '));
    const bool is_void = tag.ends_with('/') || name == "!DOCTYPE" || name == "meta" ||
                         name == "link" || name == "img";
    if (name.front() == '/') {
      REQUIRE_FALSE(open.empty());
      CHECK(open.back() == name.substr(1));
      open.pop_back();
    } else if (!is_void) {
      open.push_back(name);
    }
  }
  CHECK(open.empty());
}

TEST_CASE("Markdown has the same markup whatever the guest calls things") {
  const std::string expected = markup_of(written(write_triage_markdown, sample_triage("plain")));
  for (const std::string& name : hostile_names()) {
    CAPTURE(name);
    CHECK(markup_of(written(write_triage_markdown, sample_triage(name))) == expected);
  }
}

TEST_CASE("Nothing of a report for tickets steers a terminal or turns text around") {
  for (const WriteTriage write : {write_triage_html, write_triage_markdown}) {
    const std::string text = written(write, sample_triage("\x1b[31m\xe2\x80\xae\xff"));
    CHECK(holds(text, "\\x1b[31m\\xe2\\x80\\xae\\xff"));
    CHECK_FALSE(holds(text, "\x1b"));
    CHECK_FALSE(holds(text, "\xe2\x80\xae"));
    CHECK_FALSE(holds(text, "\xff"));
  }
}

TEST_CASE("Reports for tickets say all that is known") {
  const TriageReport report = sample_triage("lab");
  const std::string markdown = written(write_triage_markdown, report);
  const std::string page = written(write_triage_html, report);
  for (const char* const said :
       {"DEADLOCK", "certain", "BLOCKED TASKS", "OOPS", "lab, on CPU 1 in lab (13)",
        "lab=lab (at 0xffffffff82000000)", "log record 42 at 11.000000: lab", "vCPU 0",
        "lab+0x10/0x80 [lab]", "mutex lab", "held by lab (12), in D, which waits for mutex lab",
        "held by lab (13), in S in lab", "[   11.000000] lab", "photon-dmesg 1.2.3", "4096",
        "aaaaaaaaaaaaaaaa", "10.000000 s", "the guest stopped"}) {
    CAPTURE(said);
    CHECK(holds(markdown, said));
    CHECK(holds(page, said));
  }
  CHECK(holds(page, "<a href=\"#record-42\">"));
  CHECK(holds(page, "id=\"record-42\""));
  CHECK(holds(page, "<rect class=\"silence\" x=\"36.67%\""));
}

TEST_CASE("A page of a guest with nothing wrong says so") {
  TriageReport report = sample_triage("lab");
  report.verdict.findings.clear();
  report.not_read.clear();
  CHECK(holds(written(write_triage_html, report), "NOTHING WRONG FOUND</h1>"));
  CHECK(written(write_triage_markdown, report).starts_with("# NOTHING WRONG FOUND\n"));
  SECTION("and that something may have gone unseen, where not all could be read") {
    report.not_read = {"RCU"};
    CHECK(headline(report) == "NOTHING WRONG FOUND in what could be read");
  }
}

TEST_CASE("A report of which next to nothing is known is written") {
  const TriageReport report;
  CHECK(holds(written(write_triage_html, report), "</html>"));
  CHECK(holds(written(write_triage_markdown, report), "NOTHING WRONG FOUND"));
}

TEST_CASE("A code span is longer than what it holds, and keeps blanks and backticks at its ends") {
  CHECK(code_span("a") == "`a`");
  CHECK(code_span("a`b") == "``a`b``");
  CHECK(code_span("`") == "`` ` ``");
  CHECK(code_span(" a ") == "`  a  `");
  CHECK(code_span("a\nb") == "`a\\x0ab`");
  CHECK(code_span("").empty());
  CHECK(code_cell("a|b\\|c") == "`a\\x7cb\\\\x7cc`");
  CHECK(code_block({"a", "````"}) == "`````text\na\n````\n`````\n");
}

TEST_CASE("HTML's own characters are escaped in text and attributes") {
  CHECK(html("<a b='c' d=\"e\">&") == "&lt;a b=&#39;c&#39; d=&quot;e&quot;&gt;&amp;");
}

}  // namespace
}  // namespace photon_dmesg::test
