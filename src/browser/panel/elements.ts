/** Elements with text: nothing of the app's is ever taken for HTML. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  content: string | readonly (Node | string)[] = "",
  attributes: Readonly<Record<string, string>> = {},
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  made.append(...(typeof content === "string" ? [content] : content));
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  return made;
}

export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no element ${id}`);
  return found;
}

export function table(heads: readonly string[], rows: readonly (readonly (Node | string)[])[]): HTMLElement {
  const head = element("thead", [
    element(
      "tr",
      heads.map((text) => element("th", text, { scope: "col" })),
    ),
  ]);
  const body = element(
    "tbody",
    rows.map((cells) =>
      element(
        "tr",
        cells.map((cell) => element("td", [cell])),
      ),
    ),
  );
  return element("div", [element("table", [head, body])], { class: "table", tabindex: "0" });
}

/** Text with what stands in backquotes as code. */
export function withCode(text: string): HTMLElement {
  return element(
    "span",
    text.split("`").map((part, index) => (index % 2 === 1 ? element("code", part) : part)),
  );
}

/** A place that an editor opens; `root` is where relative files are. */
export function place(file: string, line: number | null, column: number | null, root: string): HTMLElement {
  const text = line === null ? file : `${file}:${line}:${column ?? 1}`;
  const button = element("button", text, { type: "button", class: "place", title: "Open in the editor" });
  const absolute = file.startsWith("/") || /^[a-z]:/i.test(file) ? file : `${root}/${file}`;
  button.addEventListener("click", () => {
    const at = encodeURIComponent(`${absolute}:${line ?? 1}:${column ?? 1}`);
    void fetch(`?open=${at}`, { method: "POST" }).then(async (answer) => {
      if (!answer.ok)
        button.after(element("span", ` ${((await answer.json()) as { error: string }).error}`, { class: "faint" }));
    });
  });
  return button;
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MiB`;
}

export function clock(at: number): string {
  return new Date(at).toLocaleTimeString();
}
