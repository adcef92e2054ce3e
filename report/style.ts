/** The report's one style sheet: system fonts, light and dark, and print. No external asset. */
export const STYLE = `
:root { color-scheme: light dark; --page: #f6f7f9; --surface: #ffffff; --text: #1a2230; --muted: #66707f; --line: #dfe3e9; --candidate: #2563c9;
  --benchmark: #c2570c; --good: #18794e; --bad: #c62a2f; --warn: #9a6700; --soft: #eef1f5; }
@media (prefers-color-scheme: dark) { :root { --page: #10141a; --surface: #181e27; --text: #e4e8ee; --muted: #98a3b3; --line: #2c3542; --candidate: #78a9ff;
  --benchmark: #ff9d5c; --good: #57c894; --bad: #ff8087; --warn: #e3b341; --soft: #212936; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 60px; }
header { margin-bottom: 18px; } header h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; }
header p, .note { color: var(--muted); margin: 0; }
nav { display: flex; flex-wrap: wrap; gap: 6px 16px; margin: -4px 0 20px; font-size: 14px; }
a { color: var(--candidate); text-decoration: none; } a:hover { text-decoration: underline; }
section { background: var(--surface); border: 1px solid var(--line); border-radius: 10px; padding: 20px 22px; margin: 0 0 18px; }
h2 { font-size: 18px; margin: 0 0 4px; } h3 { font-size: 14px; margin: 18px 0 8px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 16px 0 4px; }
.tile { background: var(--soft); border-radius: 8px; padding: 10px 14px; }
.tile b { display: block; font-size: 22px; font-variant-numeric: tabular-nums; letter-spacing: -0.01em; } .tile span { color: var(--muted); font-size: 13px; }
.verdict { border-left: 5px solid var(--muted); } .verdict.good { border-left-color: var(--good); } .verdict.bad { border-left-color: var(--bad); } .verdict.warn { border-left-color: var(--warn); }
.badge { display: inline-block; border-radius: 999px; padding: 1px 10px; font-size: 13px; font-weight: 600; background: var(--soft); color: var(--muted); white-space: nowrap; }
.badge.good { color: var(--good); } .badge.bad { color: var(--bad); } .badge.warn { color: var(--warn); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--muted); font-weight: 600; font-size: 12.5px; } th, td { padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); vertical-align: baseline; }
.note + .scroll, .note + table, .note + .two, .note + details { margin-top: 8px; } .scroll + .note, table + .note { margin-top: 10px; }
.bounds { color: var(--muted); font-size: 12.5px; white-space: nowrap; }
table.words { table-layout: auto; } table.words th { white-space: nowrap; padding-right: 24px; } table.words td { overflow-wrap: anywhere; } table.words tr:last-child > * { border-bottom: 0; }
td.n, th.n { text-align: right; } tr.now td { font-weight: 600; } .up { color: var(--good); } .down { color: var(--bad); }
.bar { display: inline-block; height: 8px; border-radius: 4px; background: var(--candidate); vertical-align: middle; min-width: 1px; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(205px, 1fr)); gap: 16px; margin-top: 14px; }
figure { margin: 0; } figure img, .unread { width: 100%; height: auto; border-radius: 8px; display: block; background: var(--soft); aspect-ratio: 4 / 3; object-fit: contain; }
.unread { display: grid; place-items: center; color: var(--muted); font-size: 13px; } figcaption { font-size: 13px; line-height: 1.35; margin-top: 6px; }
figcaption b { display: block; } figcaption span { color: var(--muted); overflow-wrap: anywhere; } .meter { height: 4px; border-radius: 2px; background: var(--soft); margin-top: 6px; } .meter i { display: block; height: 4px; border-radius: 2px; background: var(--bad); }
.charts { display: flex; flex-wrap: wrap; gap: 6px 26px; margin-top: 8px; } svg { max-width: 100%; height: auto; }
.two { display: grid; align-items: start; grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr)); gap: 8px 36px; } .two.wide { grid-template-columns: repeat(auto-fit, minmax(min(430px, 100%), 1fr)); } .legend { color: var(--muted); font-size: 13px; } .legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin: 0 5px 0 12px; vertical-align: -1px; } .legend i:first-of-type { margin-left: 0; }
ul { margin: 8px 0; padding-left: 20px; } details summary { cursor: pointer; color: var(--muted); } pre { font-size: 12.5px; overflow-x: auto; background: var(--soft); padding: 12px; border-radius: 8px; }
@media (max-width: 700px) { main { padding: 16px 10px 40px; } section { padding: 14px; } .tiles { grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); }
  table, .chart { display: block; overflow-x: auto; } .chart > svg, .chart > figure > svg { max-width: none; } .chart > figure > svg[width='1040'], .chart > svg[width='1040'] { width: 760px; } }
@media print { body { background: #fff; } section { break-inside: avoid; } nav { display: none; } }
`;
