// Rows, numbers, elements and files: what the page needs and no study is in.

/** Rows of a columnar frame. */
function rows(frame) {
  const names = Object.keys(frame);
  const columns = names.map((name) => {
    const column = frame[name];
    return Array.isArray(column) ? column : column.at.map((i) => column.of[i]);
  });
  return (columns[0] ?? []).map((_, i) =>
    Object.fromEntries(names.map((name, j) => [name, columns[j][i]])),
  );
}

/** What tells names apart: the beginning that all share, to the last "/" or "-" in it, left out. */
function shared(names) {
  let n = names[0]?.length ?? 0;
  for (const name of names) while (!name.startsWith(names[0].slice(0, n))) n -= 1;
  if (names.length < 2) return 0;
  const start = names[0].slice(0, n);
  return Math.max(start.lastIndexOf("/"), start.lastIndexOf("-")) + 1;
}

const known = (value) => value !== null && value !== undefined;
const number = (value, digits = 3) => (known(value) ? value.toFixed(digits).replace("-", "−") : "–");
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const count = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

/** The ends of a scale of colours that follows the data. */
function scaleOf(values) {
  const some = values.filter(known);
  if (!some.length) return [0, 1];
  const [low, high] = [Math.min(...some), Math.max(...some)];
  const missing = Math.max(0, NARROWEST - (high - low)) / 2;
  return [low - missing, high + missing];
}

/** An element of a drawing. */
function drawn(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** Marks of which there are none are not announced. */
function hush(place) {
  for (const marks of place.querySelectorAll("g[aria-roledescription$=container]")) {
    marks.toggleAttribute("aria-hidden", false);
    if (!marks.childElementCount) marks.setAttribute("aria-hidden", "true");
  }
}

/** A patch that was kept, with what was found in it. */
function patchFigure({ which, dice, image_id: image, bar, data }) {
  const picture = element("img");
  picture.src = data;
  picture.alt = `${which} patch, dice ${number(dice)}: image, and what was found, missed and false`;
  const said = `${which}: dice ${number(dice)}, ${image}${bar ? `, bar ${bar}` : ""}`;
  return element("figure", picture, element("figcaption", said));
}

function element(name, ...content) {
  const made = document.createElement(name);
  made.append(...content);
  return made;
}

/** A cell that a spreadsheet takes for text, not for a formula, and that holds commas safely. */
function csvCell(value) {
  let text = known(value) ? String(value) : "";
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csv(table) {
  const names = Object.keys(table[0] ?? {});
  const lines = [names, ...table.map((row) => names.map((name) => row[name]))];
  return lines.map((line) => `${line.map(csvCell).join(",")}\r\n`).join("");
}

function download(address, name) {
  const link = element("a");
  link.href = address;
  link.download = name;
  link.click();
}
