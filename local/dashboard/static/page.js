// Draws picture.json every few seconds. Widgets are made once and then filled, so that nothing flickers.

const REFRESH_MS = 3000;
const grid = document.getElementById("grid");
const status = document.getElementById("status");
const minutes = document.getElementById("minutes");
const widgets = [];

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// The place on CloudWatch's grid. The style sheet leaves it on narrow screens.
function place(widget) {
  const box = element("section", `widget ${widget.type}${widget.width >= 12 ? " is-wide" : ""}`);
  box.style.setProperty("--column", `${widget.x + 1} / span ${widget.width}`);
  box.style.setProperty("--row", `${widget.y + 1} / span ${widget.height}`);
  grid.append(box);
  return box;
}

function fillText(box, widget) {
  box.innerHTML = widget.html;
}

function fillAlarms(box, widget) {
  const open = box.querySelector("details[open]")?.dataset.name;
  const list = element("div", "alarms");
  for (const alarm of widget.alarms) {
    const tile = element("details", alarm.state.replaceAll(" ", "-"));
    tile.dataset.name = alarm.name;
    tile.name = "alarm"; // one open at a time
    tile.open = alarm.name === open;
    const summary = element("summary", "", alarm.name);
    summary.append(element("small", "", alarm.state));
    tile.append(summary, element("p", "", alarm.description));
    list.append(tile);
  }
  box.replaceChildren(element("h3", "", widget.title), list);
}

function fillNumbers(box, widget) {
  const numbers = element("div", "numbers");
  for (const series of widget.series) {
    const number = element("div", "", series.label);
    number.style.setProperty("--color", series.color);
    number.prepend(element("b", "", series.value === null ? "–" : series.value.toLocaleString("en")));
    numbers.append(number);
  }
  box.replaceChildren(element("h3", "", widget.title), numbers);
}

// A low table is an answer in words: its one row, with the names of the columns below.
function fillWords(box, widget) {
  const words = element("div", "words");
  for (const [number, value] of (widget.rows[0] ?? []).entries()) {
    if (value === "") continue;
    const word = element("div", `is-${value}`);
    word.append(element("b", "", String(value)), element("small", "", widget.columns[number]));
    words.append(word);
  }
  if (!widget.rows.length) words.append(element("div", "quiet", "None"));
  box.replaceChildren(element("h3", "", widget.title), words);
}

function fillTable(box, widget) {
  const table = element("table");
  const row = (kind, cells) => {
    const made = element("tr");
    made.append(...cells.map((cell) => element(kind, "", String(cell))));
    return made;
  };
  table.append(row("th", widget.columns), ...widget.rows.map((cells) => row("td", cells)));
  const frame = element("div", "table");
  frame.append(widget.rows.length ? table : element("div", "quiet", "None"));
  box.replaceChildren(element("h3", "", widget.title), frame);
}

const hasData = (series) => series.points?.some(([, value]) => value !== null) ?? false;

function legend(widget) {
  const list = element("div", "legend");
  for (const series of widget.series.filter((one) => !one.missing)) {
    const entry = element("span", hasData(series) ? "" : "is-silent", series.label);
    entry.style.setProperty("--color", hasData(series) ? series.color : "#d5dbdb");
    list.append(entry);
  }
  return list;
}

function missing(widget) {
  const names = widget.series.filter((series) => series.missing).map((series) => `${series.label} (${series.missing})`);
  return names.length ? [element("p", "missing", `Not available locally: ${names.join(", ")}`)] : [];
}

function emptiness(widget) {
  return widget.series.every((series) => series.missing) ? "Not available locally" : "None in the time shown";
}

// Without a zone, so that the axis is in UTC as the tables are.
const utc = (ms) => new Date(ms).toISOString().slice(0, -1);

// A count is a bar for its minute; all else is a line.
function traces(widget) {
  return widget.series.filter(hasData).map((series) => ({
    type: series.is_count ? "bar" : "scatter",
    name: series.label,
    x: series.points.map(([ms]) => utc(ms)),
    // In a stacked graph, no value counts as 0: the series above needs a base.
    y: series.points.map(([, value]) => (widget.is_stacked ? value ?? 0 : value)),
    marker: { color: series.color, size: 5 },
    ...(series.is_count ? {} : { line: { color: series.color, width: 2 }, mode: "lines+markers" }),
    ...(widget.is_stacked && !series.is_count
      ? { stackgroup: "all", mode: "none", fillcolor: `${series.color}cc` }
      : {}),
  }));
}

function layout(widget, picture) {
  const text = { size: 11, color: "#16191f" };
  return {
    margin: { l: 56, r: 12, t: 8, b: 24 },
    font: { ...text, family: "system-ui, DejaVu Sans, sans-serif" },
    showlegend: false,
    hovermode: "x unified",
    barmode: widget.is_stacked ? "stack" : "group",
    xaxis: { type: "date", range: [utc(picture.start_ms), utc(picture.end_ms)], tickangle: 0, tickformat: "%H:%M", nticks: 6 },
    yaxis: { title: { text: widget.unit, standoff: 4 }, rangemode: "tozero", gridcolor: "#e9ebed", nticks: 5, automargin: true },
    shapes: widget.thresholds.map((line) => ({
      type: "line", xref: "paper", x0: 0, x1: 1, y0: line.value, y1: line.value,
      line: { color: line.color, width: 1.5, dash: "dash" },
    })),
    annotations: widget.thresholds.map((line) => ({
      xref: "paper", x: 0, xanchor: "left", y: line.value, yanchor: "bottom", showarrow: false, text: line.label,
      font: { size: 11, color: line.color },
    })),
  };
}

async function fillGraph(box, widget, picture) {
  if (!box.graph) {
    box.graph = element("div", "graph");
    box.below = element("div", "below");
    box.append(element("h3", "", widget.title), box.graph, box.below);
  }
  box.below.replaceChildren(legend(widget), ...missing(widget));
  await Plotly.react(box.graph, traces(widget), layout(widget, picture), { displayModeBar: false, responsive: true });
  box.graph.querySelector(".empty")?.remove();
  if (!widget.series.some(hasData)) box.graph.append(element("div", "empty", emptiness(widget)));
}

const FILL = { text: fillText, alarm: fillAlarms, singleValue: fillNumbers, log: (box, widget) => (widget.height <= 3 ? fillWords : fillTable)(box, widget), timeSeries: fillGraph };

async function refresh() {
  try {
    const response = await fetch(`/picture.json?minutes=${minutes.value}`);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const picture = await response.json();
    for (const [number, widget] of picture.widgets.entries()) {
      widgets[number] ??= place(widget);
      await FILL[widget.type](widgets[number], widget, picture);
    }
    status.className = "";
    status.textContent = `as of ${utc(picture.end_ms).slice(0, 19).replace("T", " ")}; all times are UTC`;
  } catch (error) {
    status.className = "is-stale";
    status.textContent = `the local stack does not answer (${error.message}); the page shows old data`;
  }
  document.body.dataset.drawn = status.className || "fresh";
}

async function keepDrawing() {
  await refresh();
  setTimeout(keepDrawing, REFRESH_MS);
}

minutes.addEventListener("change", refresh);
keepDrawing();
