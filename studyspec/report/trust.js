// Draws the map of the trust page.
const told = JSON.parse(document.getElementById("data").textContent);
window.ready = false;
window.vegaEmbed(document.getElementById("map"), told.spec, {
  ast: true,
  renderer: "svg",
  config: told.config,
  actions: false,
  defaultStyle: false,
  tooltip: { disableDefaultStyle: true },
}).then(() => { window.ready = true; });
