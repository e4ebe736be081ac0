// Draws the charts and keeps them on one pair: a click, the menus and the address choose it.
// All text of a study reaches the page as text content, never as markup.

const page = JSON.parse(document.getElementById("data").textContent);
const WORST = 24; // images shown; the rest are in the CSV
const NONE = { label: "", value: "", spread: null, low: 0, high: 1, reverse: false, interval: [] };
const NARROWEST = 0.1; // a scale of colours that follows the data is as wide

class Study {
  constructor(article, data, several) {
    this.article = article;
    this.data = data;
    this.several = several;
    this.frames = Object.fromEntries(Object.entries(data.frames).map(([k, v]) => [k, rows(v)]));
    this.views = {};
    this.metric = data.metrics[0]?.name;
    this.fixed = false; // colours follow the data
    this.variant = data.variants[0];
  }

  part(kind, name) {
    return this.article.querySelector(`[data-${kind}="${name}"]`);
  }

  async start() {
    this.fillMenus();
    for (const button of this.article.querySelectorAll("[data-save]")) {
      button.addEventListener("click", () => this.save(button.dataset.of, button.dataset.save));
    }
    this.part("check", "fixed")?.addEventListener("change", (event) => {
      this.fixed = event.target.checked;
      this.showMatrix();
    });
    for (const name of Object.keys(this.data.charts)) await this.showChart(name);
    if (!this.part("chart", "matrix")) return;
    const asked = new URLSearchParams(location.hash.slice(1));
    const here = !this.several || asked.get("study") === this.data.name;
    await this.showMatrix();
    await this.pick(here && asked.get("train"), here && asked.get("test"), false);
  }

  /** Draw a chart that is a plug-in; one that cannot be drawn says so in its place. */
  async showChart(name) {
    try {
      await this.show(name, { rows: this.frames[name] });
    } catch (error) {
      const place = this.part("chart", name);
      place.className = "absent failure";
      place.textContent = `This chart cannot be drawn: ${error.message}`;
    }
  }

  /** Give a chart its rows by name, and a height [px] if it has none; draw it, if it is not yet. */
  async show(chart, datasets, height = null) {
    const place = this.part("chart", chart);
    if (this.views[chart]) {
      for (const [name, table] of Object.entries(datasets)) this.views[chart].data(name, table);
      if (height) this.views[chart].height(height);
      await this.views[chart].resize().runAsync();
      hush(place);
      return;
    }
    const own = chart === "matrix" ? this.data.matrix : this.data.charts[chart];
    const shared = chart === "curves" ? this.unit : chart;
    const spec = { ...(own ?? page.specs[shared]), datasets };
    if (height) spec.height = height;
    if (chart === "matrix") spec.layer[0].encoding.color.title = this.titled;
    const { view } = await window.vegaEmbed(place, spec, {
      ast: true,
      renderer: "svg",
      config: page.config,
      actions: false,
      defaultStyle: false,
      tooltip: { disableDefaultStyle: true },
    });
    this.views[chart] = view;
    hush(place);
    if (chart === "matrix") {
      view.addEventListener("click", (_, item) => {
        if (item?.datum?.train) this.pick(item.datum.train, item.datum.test);
      });
    }
  }

  fillMenus() {
    const choices = {
      metric: this.data.metrics.map(({ label, name }) => [label, name]),
      variant: this.data.variants.map((name) => [name, name]),
      train: this.data.trains.map((name) => [name, name]),
      test: this.data.tests.map((name) => [name, name]),
    };
    for (const [name, options] of Object.entries(choices)) {
      const menu = this.part("menu", name);
      if (!menu || !options.length) continue;
      menu.append(...options.map(([label, value]) => new Option(label, value)));
      menu.addEventListener("change", () => this.chosen(name, menu.value));
    }
  }

  async chosen(name, value) {
    if (name === "train") return this.pick(value, this.test);
    if (name === "test") return this.pick(this.train, value);
    this[name] = value;
    await this.showMatrix();
    if (name === "variant") await this.pick(this.train, this.test);
  }

  cells() {
    return this.frames.cells.filter((cell) => cell.variant === this.variant);
  }

  of(frame) {
    return this.frames[frame].filter(
      (row) =>
        row.variant === this.variant && row.train === this.train && row.test === this.test,
    );
  }

  async showMatrix() {
    const metric = this.data.metrics.find((one) => one.name === this.metric) ?? NONE;
    const { label, value, spread: sd, interval } = metric;
    const shown = this.cells().map((cell) => {
      const missing = cell.state === "missing";
      const part = cell.state === "part" ? `${cell.done} of ${cell.planned} folds: ${cell.why}` : "";
      const spread = sd && known(cell[sd]) ? `± ${number(cell[sd], 2)}` : "";
      const [low, high] = interval.map((name) => cell[name]);
      const range = known(low) ? `, 95 % interval ${number(low)} to ${number(high)}` : "";
      const score = `${label} ${number(cell[value])} ${spread}${range} ${part}`;
      const said = missing ? `missing, ${cell.why}` : score;
      return {
        ...cell,
        state: missing || !known(cell[value]) ? "missing" : cell.state,
        value: cell[value],
        text: number(cell[value], 2),
        spread: part ? `${cell.done}/${cell.planned} folds` : spread,
        interval: known(low) ? `${number(low, 2)} to ${number(high, 2)}` : "",
        aria: `trained on ${cell.train}, tested on ${cell.test}: ${said}`,
      };
    });
    if (this.titled !== label) {
      this.views.matrix?.finalize(); // its bar of colours has another title
      delete this.views.matrix;
      this.titled = label;
    }
    await this.show("matrix", { cells: shown });
    const { matrix } = this.views;
    const [low, high] = this.fixed ? [metric.low, metric.high] : scaleOf(shown.map((one) => one.value));
    matrix.signal("low", low).signal("high", high).signal("reverse", metric.reverse);
    matrix.signal("trainPicked", this.train ?? "").signal("testPicked", this.test ?? "");
    await matrix.runAsync();
  }

  /** Show one pair everywhere; a pair that is not in the matrix becomes the first one. */
  async pick(train, test, tell = true) {
    const cells = this.cells();
    const cell =
      cells.find((c) => c.train === train && c.test === test) ??
      (tell && this.data.trains.includes(train) && this.data.tests.includes(test)
        ? { train, test, state: "missing", why: "not a part of this variant" }
        : cells[0]);
    if (!cell) return;
    this.train = cell.train;
    this.test = cell.test;
    this.part("menu", "train").value = cell.train;
    this.part("menu", "test").value = cell.test;
    if (tell) this.address();
    this.describe(cell);
    this.showGallery();
    this.showMicrographs();
    const { matrix } = this.views;
    matrix.signal("trainPicked", cell.train).signal("testPicked", cell.test);
    await Promise.all([matrix.runAsync(), this.showFolds(), this.showImages(), this.showCurves()]);
  }

  address() {
    const said = new URLSearchParams({ train: this.train, test: this.test });
    if (this.several) said.set("study", this.data.name);
    history.replaceState(null, "", `#${said}`);
  }

  describe(cell) {
    const own = cell.own ? " (own set)" : "";
    this.part("text", "pair").textContent = `${cell.train} → ${cell.test}${own}`;
    const absent = this.part("text", "absent");
    absent.hidden = cell.state === "done";
    absent.textContent =
      cell.state === "missing"
        ? `No score: ${cell.why}.`
        : `${cell.done} of ${cell.planned} folds: ${cell.why}.`;
    const figures = this.data.metrics.map(({ label, value, spread }) => {
      const sd = spread && known(cell[spread]) ? ` ± ${number(cell[spread])}` : "";
      return [label, number(cell[value]), sd];
    });
    if (known(cell.difference)) {
      const range = known(cell.low)
        ? ` 95 %: ${number(cell.low)} to ${number(cell.high)}`
        : ` no interval: ${count(cell.micrographs, "micrograph")}`;
      figures.push(["Dice less own set", number(cell.difference), range]);
    }
    const shown = cell.state === "missing" ? [] : figures;
    this.part("text", "figures").replaceChildren(
      ...shown.map(([name, value, rest]) =>
        element("div", element("dt", name), element("dd", value, element("small", rest))),
      ),
    );
    for (const name of ["scores", "images"]) {
      this.part("part", name).hidden = cell.state === "missing";
    }
  }

  /** The pictures of the pair; names reach the page as text alone. */
  showGallery() {
    const place = this.part("text", "gallery");
    if (!place) return;
    const mine = this.of("gallery");
    this.part("part", "gallery").hidden = !mine.length;
    place.replaceChildren(...mine.map(patchFigure));
  }

  /** The worst micrographs of the test set as buttons, worst of the pair first. */
  showMicrographs() {
    const place = this.part("text", "micrographs");
    if (!place) return;
    const scores = new Map();
    for (const { image_id: image, dice } of this.of("images")) {
      scores.set(image, [...(scores.get(image) ?? []), dice]);
    }
    const all = this.frames.micrographs.filter((one) => one.test === this.test);
    const mine = all
      .filter((one) => scores.has(one.image_id))
      .map((one) => ({ ...one, dice: mean(scores.get(one.image_id)) }))
      .sort((a, b) => a.dice - b.dice);
    this.part("part", "micrographs").hidden = !mine.length;
    const start = shared(mine.map((one) => one.image_id));
    const buttons = mine.map((one) => {
      const picture = element("img");
      picture.src = one.data;
      picture.alt = "";
      const name = element("span", one.image_id.slice(start));
      const button = element("button", picture, name, element("b", number(one.dice, 2)));
      button.type = "button";
      button.title = one.image_id;
      button.addEventListener("click", () => {
        for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
        this.showWhole(one);
      });
      button.setAttribute("aria-pressed", "false");
      return button;
    });
    place.replaceChildren(...buttons);
    this.part("text", "whole").replaceChildren();
  }

  /** One micrograph: the dice of every patch in its place, and the masks that were kept. */
  showWhole({ image_id: image, height, width, data, dice }) {
    const side = 100; // of a patch, in units of the drawing
    const canvas = drawn("svg", { viewBox: `0 0 ${width * side} ${height * side}`, role: "img" });
    canvas.setAttribute("aria-label", `${image}, with the dice of each patch`);
    canvas.append(drawn("image", { href: data, width: width * side, height: height * side }));
    const kept = this.of("gallery").filter((one) => one.image_id === image);
    for (const { row, col, data: picture } of kept) {
      const at = { x: col * side, y: row * side, width: side, height: side, viewBox: "196 0 192 192" };
      const place = drawn("svg", at); // the right half of the picture: what was found
      place.append(drawn("image", { href: picture, width: 388, height: 192 }));
      canvas.append(place);
    }
    const patches = this.of("patches").filter((one) => one.image_id === image);
    for (const { row, col, dice: score } of patches) {
      const at = { x: col * side + 1, y: row * side + 1, width: side - 2, height: side - 2 };
      canvas.append(drawn("rect", { ...at, class: score < 0.5 ? "poor" : "fair" }));
      const label = drawn("text", { x: col * side + 6, y: row * side + 22 });
      label.textContent = number(score, 2);
      canvas.append(label);
    }
    const said = `${image}: dice ${number(dice)}. The number is the dice of a patch, mean over the folds; dashed: below 0.5; without a number: not tested, for want of particle.`;
    const caption = element("figcaption", said);
    const list = element("div", ...kept.map(patchFigure));
    list.className = "gallery";
    this.part("text", "whole").replaceChildren(element("figure", canvas, caption), list);
  }

  async showFolds() {
    const told = (row) => `fold ${row.fold ?? "–"}: dice ${number(row.dice)}`;
    const folds = this.of("folds").map((row) => ({ ...row, fold: row.fold ?? "–", aria: told(row) }));
    const cell = this.cells().find((c) => c.train === this.train && c.test === this.test);
    const folded = folds.some((row) => row.fold !== "–"); // a foreign network has none
    this.part("chart", "folds").closest("figure").hidden = !folded;
    if (!folded) return;
    const means = [{ dice: mean(folds.map((f) => f.dice)), what: "mean" }];
    if (known(cell?.own_set_dice) && this.train !== this.test) {
      means.push({ dice: cell.own_set_dice, what: "own set" });
    }
    await this.show("folds", { folds, means }, 22 * folds.length);
  }

  async showImages() {
    const byImage = new Map();
    for (const row of this.of("images")) {
      byImage.set(row.image_id, [...(byImage.get(row.image_id) ?? []), row]);
    }
    const all = [...byImage].map(([image, its]) => ({ image, its, dice: mean(its.map((r) => r.dice)) }));
    all.sort((a, b) => a.dice - b.dice);
    const start = shared(all.map((one) => one.image));
    const shown = all.slice(0, WORST).map((one, place) => ({ ...one, place }));
    const means = shown.map(({ image, place, dice, its }) => {
      const aria = `${image}: dice ${number(dice)}, mean of ${count(its.length, "fold")}`;
      return { image: image.slice(start), place, dice, aria };
    });
    const points = shown.flatMap(({ image, place, its }) =>
      its.map(({ fold, dice }) => {
        const aria = `${image}, fold ${fold ?? "–"}: dice ${number(dice)}`;
        return { image: image.slice(start), place, dice, aria };
      }),
    );
    const some = all.length > shown.length ? `The ${shown.length} worst of ` : "";
    this.part("text", "images").textContent =
      `${this.train} on ${this.test}. ${some}${count(all.length, "test image")}, worst first: a tick for the mean over the folds, a point per fold.`;
    if (!all.length) return;
    await this.show("images", { images: points, image_means: means }, 16 * shown.length);
  }

  async showCurves() {
    const networks = new Map(this.of("networks").map((row) => [row.network, row.fold]));
    const mine = this.frames.curves.filter((row) => networks.has(row.network));
    const best = new Map();
    for (const row of mine) {
      if (known(row.validation_loss) && !(best.get(row.network)?.validation_loss <= row.validation_loss)) {
        best.set(row.network, row);
      }
    }
    const points = mine.flatMap((row) => {
      const fold = networks.get(row.network);
      const kept = best.get(row.network) === row;
      const { at, unit } = row;
      const aria = `fold ${fold}, ${unit} ${at}: validation loss ${number(row.validation_loss, 4)}`;
      return [
        { fold, at, loss: row.train_loss, part: "training", kept: false, aria },
        { fold, at, loss: row.validation_loss, part: "validation", kept, aria },
      ];
    });
    this.part("part", "curves").hidden = !points.length;
    if (!points.length) return;
    if (this.unit !== mine[0].unit) {
      this.views.curves?.finalize(); // its axis has another title
      delete this.views.curves;
      this.unit = mine[0].unit;
    }
    await this.show("curves", { curves: points });
  }

  async save(name, kind) {
    const file = `${this.data.name}-${name}.${kind}`;
    if (kind !== "csv") {
      download(await this.views[name].toImageURL(kind, kind === "png" ? 3 : 1), file);
      return;
    }
    const frame = name === "matrix" ? "cells" : name;
    const blob = new Blob([csv(this.frames[frame])], { type: "text/csv" });
    const address = URL.createObjectURL(blob);
    download(address, file);
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }
}

addEventListener("beforeprint", () => {
  for (const table of document.querySelectorAll("details.numbers")) table.open = true;
});

const articles = [...document.querySelectorAll("[data-study]")];
const studies = articles.map((article, i) => new Study(article, page.studies[i], articles.length > 1));
window.ready = Promise.all(studies.map((study) => study.start())).then(() => true);
