import { Markup } from "./html.ts";

export function styles(accent: string): Markup {
  return new Markup(`
      :root { color-scheme: light dark; --accent: ${accent}; --line: light-dark(#e4e4e7, #3f3f46); }
      body { margin: 0; font: 16px/1.5 system-ui, sans-serif; background: light-dark(#fafafa, #18181b); }
      main { max-width: 42rem; margin: 0 auto; padding: 3rem 1.25rem; }
      h1 { margin: 0 0 1.5rem; font-size: 2rem; line-height: 1.2; color: var(--accent); }
      dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 1px; margin: 0 0 2rem;
        border: 1px solid var(--line); border-radius: 10px; overflow: hidden; background: var(--line); }
      dl div { padding: 0.75rem 1rem; background: light-dark(#fff, #27272a); }
      dt { font-size: 0.8rem; opacity: 0.65; }
      dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; }
      form { display: flex; flex-wrap: wrap; gap: 0.5rem; margin-bottom: 2rem; }
      input, button { padding: 0.6rem 0.8rem; border: 1px solid var(--line); border-radius: 8px; font: inherit; }
      input[name="message"] { flex: 1 1 14rem; }
      button { border-color: var(--accent); background: var(--accent); color: #fff; cursor: pointer; }
      article { padding: 1rem 0; border-top: 1px solid var(--line); }
      article p { margin: 0 0 0.25rem; overflow-wrap: anywhere; }
      article footer, .empty { font-size: 0.85rem; opacity: 0.65; }
    `);
}
