/** The page of the panel: what it shows comes by `state` and `events`. Pure. */
import { htmlPage, sourceHash } from "../common/page/written-page.js";

export interface PanelTexts {
  readonly style: string;
  readonly script: string;
}

export function panelPolicy({ style, script }: PanelTexts): string {
  return `default-src 'none'; style-src ${sourceHash(style)}; script-src ${sourceHash(script)}; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`;
}

export function panelPage({ style, script }: PanelTexts): string {
  return htmlPage({ title: "unreloader", style, body: `${BODY}\n<script>${script}</script>` });
}

const BODY = `<header>
<h1>unreloader</h1>
<p id="entry"></p>
<p id="phase" role="status"></p>
<p id="problem" hidden></p>
<nav aria-label="Parts"><a href="#graph">Modules</a> <a href="#reloads">Reloads</a> <a href="#errors">Errors</a> <a href="#alive">Still alive</a> <a href="#edits">Edits</a></nav>
<dl id="numbers"></dl>
</header>
<main>
<section id="graph">
<h2>Modules</h2>
<p class="controls"><label>Search <input id="search" type="search" placeholder="file or class ( / )" autocomplete="off" spellcheck="false"></label>
<button id="larger" type="button" title="Larger (+)">+</button><button id="smaller" type="button" title="Smaller (-)">&minus;</button><button id="whole" type="button" title="All of it (0)">All</button></p>
<p class="legend"><span class="changed">changed</span> <span class="loaded">loaded by the last reload</span> <span class="kept">kept</span> <span class="late">not loaded yet</span> <span class="imports">imports</span> <span class="importers">imported by</span></p>
<div class="split"><canvas id="picture" tabindex="0" role="img" aria-label="All modules, by folder"></canvas>
<div id="chosen" aria-live="polite"><p>Choose a module in the picture, or search.</p></div></div>
<ul id="found"></ul>
</section>
<section><h2>Classes</h2><div id="classes"></div></section>
<section id="reloads"><h2>Reloads</h2><p class="legend"><span class="time">bar: milliseconds</span> <span class="dot">dot: modules that were evaluated</span> <span class="in-place">in place</span> <span class="function-swapped">function swapped</span> <span class="all-own-modules">all own modules</span> <span class="fresh-worker">fresh worker</span> <span class="failed">failed</span></p>
<div id="plot"></div><div id="history"></div></section>
<section id="errors"><h2>Errors since the start</h2><div id="known"></div></section>
<section id="alive"><h2>Still alive, though purged</h2><div id="stale"></div></section>
<section id="edits"><h2>Edits</h2><div id="kinds"></div></section>
</main>`;
