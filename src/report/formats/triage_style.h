#pragma once

namespace photon_dmesg {

// The style sheet of triage's page: readable from 360 pixels on, dark where the reader's desktop
// is, and printed with all that is folded.
inline constexpr const char* triage_style = R"(
:root { color-scheme: light dark; --page: #ffffff; --ink: #1b1f24; --soft: #59636e; --line: #d1d9e0;
  --box: #f6f8fa; --bad: #c1121f; --warn: #9a5b00; --good: #1a7f37; --accent: #0b5cad; --bar: #8aa4c0;
  --silence: #f3d9d9; }
@media (prefers-color-scheme: dark) {
  :root { --page: #10141a; --ink: #e6edf3; --soft: #9aa5b1; --line: #30363d; --box: #181e26;
    --bad: #ff7b72; --warn: #e3b341; --good: #56d364; --accent: #79b8ff; --bar: #48617d;
    --silence: #432328; } }
* { box-sizing: border-box; }
html { background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 75rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
a { color: var(--accent); }
p, ul, ol, dl { margin: .5rem 0; }
ul, ol { padding-left: 1.4rem; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem 1rem; }
dt { color: var(--soft); }
dd { margin: 0; }
dd > ul { margin: 0; padding-left: 1rem; }
.finding { border: 1px solid var(--line); border-left: .3rem solid var(--bad); border-radius: .3rem;
  padding: .5rem 1rem; margin: .75rem 0; }
.finding .finding { border-left-color: var(--warn); }
.clean { border-left-color: var(--good); }
.kind { color: var(--bad); }
.clean .kind { color: var(--good); }
.finding .finding .kind { color: var(--warn); }
.grade { color: var(--soft); font-weight: normal; }
pre { background: var(--box); border: 1px solid var(--line); border-radius: .3rem; padding: .5rem;
  font: .8125rem/1.45 ui-monospace, monospace; white-space: pre-wrap; margin: .25rem 0 .75rem; }
code { font: .875rem ui-monospace, monospace; }
summary { cursor: pointer; padding: .25rem 0; }
details { margin: .25rem 0; }
.level0, .level1, .level2, .level3 { color: var(--bad); }
.level4 { color: var(--warn); }
:target { outline: 2px solid var(--accent); }
img { max-width: 100%; height: auto; border: 1px solid var(--line); }
svg { display: block; overflow: hidden; margin: .5rem 0; }
svg .records { fill: var(--bar); }
svg .silence { fill: var(--silence); }
svg .axis, svg .event > line { stroke: var(--soft); stroke-width: 1; }
svg .event > line { stroke-dasharray: 2 3; }
svg .tick { fill: var(--soft); font: 12px system-ui, sans-serif; }
svg circle { fill: var(--soft); }
svg .finding circle { fill: var(--bad); }
svg .consequence circle { fill: var(--warn); }
svg .stop circle { fill: var(--accent); }
svg .event text { fill: var(--page); font: bold 11px system-ui, sans-serif; }
.soft, footer { color: var(--soft); }
footer { margin-top: 2rem; border-top: 1px solid var(--line); font-size: .875rem; }
@media (max-width: 40rem) {
  body { padding: .6rem; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; }
  dd { margin-bottom: .4rem; }
  .finding { padding: .4rem .6rem; } }
@media print {
  :root { --page: #ffffff; --ink: #000000; --soft: #444444; --box: #ffffff; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
  .finding, svg { break-inside: avoid; }
  a { color: inherit; text-decoration: none; } }
)";

}  // namespace photon_dmesg
